/* Answers of one turn of the loop leave together at its end, but none waits for long. */
#include "cmocka_all.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define GET     "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define CLIENTS 3

/* Clients beside each other; the rig's own client stays unused. */
struct crowd {
    int clients[CLIENTS];
    uint64_t request_ns; /* how long the handler computes for each */
    unsigned requests,
        behind[CLIENTS]; /* answers that have left when request i has been answered */
};

static unsigned answered(const struct crowd *crowd)
{
    unsigned count = 0;
    char byte;
    for (unsigned i = 0; i < CLIENTS; i++)
        count += recv(crowd->clients[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    return count;
}

static void compute_and_answer(struct rig *r, struct http_exchange *x)
{
    struct crowd *crowd = r->test;
    r->monotonic_ns += crowd->request_ns;
    rig_echo(r, x);
    crowd->behind[crowd->requests++] = answered(crowd);
}

static void gather(struct rig *r, struct crowd *crowd)
{
    struct error err;
    rig_init(r);
    r->test = crowd;
    r->on_request = compute_and_answer;
    rig_open(r);
    for (unsigned i = 0; i < CLIENTS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        crowd->clients[i] = pair[0];
        assert_int_equal(http_server_adopt(r->server, pair[1], &err), ST_OK);
    }
    rig_turn(r);
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_int_equal(send(crowd->clients[i], GET, strlen(GET), 0), strlen(GET));
}

static void scatter(struct rig *r, struct crowd *crowd)
{
    for (unsigned i = 0; i < CLIENTS; i++) close(crowd->clients[i]);
    rig_close(r);
}

static void test_together(void **state)
{
    struct rig r;
    struct crowd crowd = {.request_ns = HTTP_HOLD_NS / CLIENTS};
    (void)state;
    gather(&r, &crowd);
    rig_turn(&r);
    assert_int_equal(crowd.requests, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) assert_int_equal(crowd.behind[i], 0);
    assert_int_equal(answered(&crowd), CLIENTS);
    scatter(&r, &crowd);
}

/* The first answer is held when it is made. The second is HTTP_HOLD_NS behind it: both leave, and
 * the third is alone. A nanosecond less, and they wait for each other. */
static void expect_second(uint64_t request_ns, unsigned behind_third)
{
    struct rig r;
    struct crowd crowd = {.request_ns = request_ns};
    gather(&r, &crowd);
    rig_turn(&r);
    assert_int_equal(crowd.requests, CLIENTS);
    assert_int_equal(crowd.behind[0], 0);
    assert_int_equal(crowd.behind[1], 0);
    assert_int_equal(crowd.behind[2], behind_third);
    assert_int_equal(answered(&crowd), CLIENTS);
    scatter(&r, &crowd);
}

static void test_not_for_long(void **state)
{
    (void)state;
    expect_second(HTTP_HOLD_NS, 2);
    expect_second(HTTP_HOLD_NS - 1, 0);
}

static void note_answered(void *context)
{
    struct rig *r = context;
    struct crowd *crowd = r->test;
    assert_int_equal(answered(crowd), CLIENTS);
    crowd->requests = 1000;
}

/* What was put off from an earlier turn, a guest's slice for example, runs behind the answers. */
static void test_before_what_was_put_off(void **state)
{
    struct rig r;
    struct crowd crowd = {0};
    struct loop_task task;
    (void)state;
    gather(&r, &crowd);
    loop_task_init(&task, note_answered, &r);
    loop_defer_next(r.loop, &task);
    rig_turn(&r);
    assert_int_equal(crowd.requests, 1000);
    scatter(&r, &crowd);
}

/* A client that leaves while its answer is held. */
static void test_ends_while_held(void **state)
{
    struct rig r;
    struct crowd crowd = {0};
    (void)state;
    gather(&r, &crowd);
    assert_int_equal(shutdown(crowd.clients[0], SHUT_RDWR), 0);
    rig_turn(&r);
    rig_turn(&r);
    assert_int_equal(http_server_counters(r.server)->connections_open, CLIENTS - 1);
    scatter(&r, &crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_not_for_long),
        cmocka_unit_test(test_before_what_was_put_off),
        cmocka_unit_test(test_ends_while_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
