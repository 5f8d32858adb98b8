/* The log: lines are whole, escaped, and hold up nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

#define TEXT_BYTES_MAX (4u << 20)

static struct buffer line;
static char text[TEXT_BYTES_MAX];

static int setup(void **state)
{
    (void)state;
    buffer_init(&line, 20000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buffer_done(&line);
    return 0;
}

static void say(struct log_sink *sink, unsigned number, size_t size)
{
    static char filler[16384];
    memset(filler, 'x', sizeof filler);
    log_begin(&line, "guest", "app", 7);
    log_field_number(&line, "number", number);
    log_field(&line, "message", filler, size);
    log_end(&line, sink);
}

/* What is there to be read. */
static const char *take(int fd)
{
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0) size += (size_t)got;
    text[size] = 0;
    return text;
}

static void test_line(void **state)
{
    (void)state;
    int ends[2];
    struct log_sink sink;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    log_sink_init(&sink, ends[1]);
    log_begin(&line, "guest", "app", 0x1f);
    log_field_text(&line, "plain", "word");
    log_field_text(&line, "message", "a \"b\"\nc\x01");
    log_end(&line, &sink);
    const char *got = take(ends[0]);
    assert_non_null(strstr(got, "Z guest app=app request=000000000000001f plain=word"));
    assert_non_null(strstr(got, " message=\"a \\\"b\\\"\\nc\\x01\"\n"));
    close(ends[0]);
    close(ends[1]);
}

/* Each line of the text begins with a time, and `*ret_last` is the number of the last one. */
static void check_lines(const char *got, unsigned *ret_last, unsigned *ret_count)
{
    *ret_count = 0;
    while (*got) {
        const char *end = strchr(got, '\n'), *number = strstr(got, " number=");
        assert_non_null(end);
        assert_memory_equal(got, "20", 2);
        assert_true(number && number < end);
        *ret_last = (unsigned)strtoul(number + 8, NULL, 10);
        (*ret_count)++;
        got = end + 1;
    }
}

static void check_slow_reader(const int ends[2], size_t size)
{
    struct log_sink sink;
    unsigned last = 0, count = 0, said = 0;
    log_sink_init(&sink, ends[1]);
    while (!sink.lost) say(&sink, ++said, size);
    for (unsigned k = 0; k < 9; k++) say(&sink, ++said, size);
    assert_int_equal(sink.lost, 10);
    char *torn = (char *)(uintptr_t)take(ends[0]);
    char *end = strrchr(torn, '\n');
    if (end) end[1] = 0; /* behind it a line that was taken in part may begin */
    check_lines(torn, &last, &count);
    assert_int_equal(last, said - 10);
    assert_int_equal(count, said - 10);

    say(&sink, ++said, 10);
    assert_int_equal(sink.lost, 0);
    const char *got = take(ends[0]);
    const char *warning = strstr(got, "Z warning lines_lost=10\n");
    assert_non_null(warning);
    check_lines(strchr(warning, '\n') + 1, &last, &count);
    assert_int_equal(last, said);
    assert_int_equal(count, 1);
}

static void test_slow_reader_of_a_pipe(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    check_slow_reader(ends, 100);
    check_slow_reader(ends, 9000); /* above PIPE_BUF: taken in part */
    close(ends[0]);
    close(ends[1]);
}

static void test_slow_reader_of_a_socket(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    check_slow_reader(ends, 100); /* ends[1] is in blocking mode */
    close(ends[0]);
    close(ends[1]);
}

static void test_nobody_reads(void **state)
{
    (void)state;
    int ends[2];
    struct log_sink sink;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    close(ends[0]);
    log_sink_init(&sink, ends[1]);
    say(&sink, 1, 10);
    assert_int_equal(sink.lost, 1);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader_of_a_pipe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader_of_a_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
