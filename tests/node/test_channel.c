/* The control channel: order, descriptors, a side that does not read, a side that is gone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cmocka_all.h"
#include "base/clock.h"
#include "channel.h"

#define RECORDS 5000u

struct side {
    struct channel channel;
    uint32_t received, fds;
    int closed;
    bool in_order;
};

static void on_record(void *context, const struct channel_record *record, const char *text, int fd)
{
    struct side *side = context;
    char expected[64];
    struct stat info;
    snprintf(expected, sizeof expected, "record %u", record->id);
    side->in_order = side->in_order && record->id == side->received && !strcmp(text, expected) &&
                     record->generation == record->id * 3 && (fd >= 0) == (record->id % 100 == 7);
    if (fd >= 0) {
        side->in_order = side->in_order && !fstat(fd, &info) && S_ISCHR(info.st_mode);
        side->fds++;
        close(fd);
    }
    side->received++;
}

static void on_closed(void *context)
{
    struct side *side = context;
    side->closed++;
}

static struct loop *new_loop(void)
{
    struct loop *loop;
    struct error err;
    assert_int_equal(loop_new(clock_system(), &loop, &err), ST_OK);
    return loop;
}

static void open_side(struct side *side, struct loop *loop, int fd)
{
    struct error err;
    *side = (struct side){.in_order = true};
    assert_int_equal(channel_open(&side->channel, loop, fd, on_record, on_closed, side, &err),
                     ST_OK);
}

static void turn(struct loop *loop)
{
    struct error err;
    assert_int_equal(loop_turn(loop, 0, &err), ST_OK);
}

static void send_one(struct channel *c, uint32_t id)
{
    char text[64];
    snprintf(text, sizeof text, "record %u", id);
    int fd = id % 100 == 7 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    channel_send(c, CHANNEL_APP, id, id * 3, 0, text, fd);
}

static void test_order(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct side a, b;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    open_side(&a, loop, ends[0]);
    open_side(&b, loop, ends[1]);
    for (uint32_t i = 0; i < RECORDS; i++) send_one(&a.channel, i);
    for (int i = 0; i < 10000 && b.received < RECORDS; i++) turn(loop);
    assert_int_equal(b.received, RECORDS);
    assert_int_equal(b.fds, RECORDS / 100);
    assert_true(b.in_order);
    channel_close(&a.channel);
    for (int i = 0; i < 10; i++) turn(loop);
    assert_int_equal(b.closed, 1);
    assert_int_equal(a.closed, 0);
    channel_close(&b.channel);
    channel_close(&b.channel);
    loop_free(loop);
}

static void test_last_words(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct side b;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    open_side(&b, loop, ends[1]);
    struct {
        struct channel_record record;
        char text[8];
    } packet = {{.kind = CHANNEL_APP, .text_bytes = 8}, "record 0"};
    assert_int_equal(send(ends[0], &packet, sizeof packet, 0), sizeof packet);
    close(ends[0]);
    channel_receive_all(&b.channel);
    assert_int_equal(b.received, 1);
    assert_true(b.in_order);
    assert_int_equal(b.closed, 1);
    channel_close(&b.channel);
    loop_free(loop);
}

/* Records that are cut, or longer than their packet, are not believed. */
static void test_bad_packets(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct side b;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    open_side(&b, loop, ends[1]);
    struct channel_record record = {.kind = CHANNEL_APP, .text_bytes = 100};
    for (size_t size = 1; size <= sizeof record; size++)
        assert_int_equal(send(ends[0], &record, size, 0), size);
    record.text_bytes = UINT16_MAX;
    assert_int_equal(send(ends[0], &record, sizeof record, 0), sizeof record);
    for (int i = 0; i < 5; i++) turn(loop);
    assert_int_equal(b.received, 0);
    assert_int_equal(b.closed, 0);
    channel_close(&b.channel);
    close(ends[0]);
    loop_free(loop);
}

static void test_reader_sleeps(void **state)
{
    (void)state;
    struct loop *loop = new_loop();
    struct side a;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    open_side(&a, loop, ends[0]);
    char text[CHANNEL_TEXT_BYTES_MAX + 1];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t sent = 0; sent < 2 * CHANNEL_QUEUE_BYTES_MAX && !a.closed; sent += sizeof text) {
        channel_send(&a.channel, CHANNEL_APP, 0, 0, 0, text, -1);
        assert_true(a.channel.queued_bytes <= CHANNEL_QUEUE_BYTES_MAX);
        if (sent % (1 << 20) < sizeof text) turn(loop);
    }
    for (int i = 0; i < 5; i++) turn(loop);
    assert_int_equal(a.closed, 1);
    assert_int_equal(a.channel.queued_bytes, 0);
    channel_close(&a.channel);
    close(ends[1]);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_bad_packets),
        cmocka_unit_test(test_reader_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
