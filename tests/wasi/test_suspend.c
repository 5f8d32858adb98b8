/* Guests under the engine, in the way of a server: whatever blocks suspends the call, and the test
 * plays the loop that resumes it. Artifacts come from the folder named by the environment variable
 * MAYFLY_WASI_GUESTS (guests/build makes them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

struct guest {
    struct module *module;
    struct instance *instance;
    struct wasi_context context;
    struct wasi_preview1_config config;
    uint32_t start;
    /* the embedder's side */
    const char *input;
    size_t input_bytes;
    bool input_closed;
    char output[256];
    size_t output_bytes;
    size_t room; /* bytes that output takes before it would block */
    uint64_t now_ns;
    size_t waits_count; /* of the last wait */
    enum wasi_direction direction;
    uint64_t deadline_ns;
};

static enum status in_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    struct guest *g = context;
    if (g->input_bytes == 0) return g->input_closed ? ST_CLOSED : ST_WOULD_BLOCK;
    *ret_bytes = size_bytes < g->input_bytes ? size_bytes : g->input_bytes;
    memcpy(bytes, g->input, *ret_bytes);
    g->input += *ret_bytes;
    g->input_bytes -= *ret_bytes;
    return ST_OK;
}

static enum status in_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    struct guest *g = context;
    (void)direction;
    *ret_bytes = g->input_bytes;
    if (g->input_bytes) return ST_OK;
    return g->input_closed ? ST_CLOSED : ST_WOULD_BLOCK;
}

static enum status out_write(void *context, const void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    struct guest *g = context;
    if (g->room == 0) return ST_WOULD_BLOCK;
    size_t size = size_bytes < g->room ? size_bytes : g->room;
    assert_true(g->output_bytes + size < sizeof g->output);
    memcpy(g->output + g->output_bytes, bytes, size);
    g->output_bytes += size;
    g->output[g->output_bytes] = '\0';
    g->room -= size;
    *ret_bytes = size;
    return ST_OK;
}

static bool wait_suspended(void *context, struct instance *instance, const struct wasi_wait *waits,
                           size_t count, uint64_t deadline_ns)
{
    struct guest *g = context;
    g->waits_count = count;
    g->direction = count ? waits[0].direction : WASI_READ;
    g->deadline_ns = deadline_ns;
    return instance_suspend(instance);
}

static uint64_t now(void *context)
{
    return ((struct guest *)context)->now_ns;
}

static void guest_open(struct guest *g, const char *name)
{
    static const struct wasi_stream_ops in = {in_read, NULL, in_ready};
    static const struct wasi_stream_ops out = {NULL, out_write, NULL};
    static struct clock clock;
    static const char *args[2];
    struct error err = {.text = ""};
    char path[512];
    memset(g, 0, sizeof *g);
    g->room = sizeof g->output;
    g->now_ns = 1000;
    clock = (struct clock){now, now, g};
    args[0] = name;
    g->config = (struct wasi_preview1_config){
        .args = args,
        .args_count = 1,
        .stdio = {{&in, g, -1, WASI_FILETYPE_UNKNOWN}, {&out, g, -1, WASI_FILETYPE_UNKNOWN}},
        .clock = &clock,
        .random = random_system(),
        .waiter = {wait_suspended, g},
    };
    struct artifact *artifact = NULL;
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    const char *folder = getenv("MAYFLY_WASI_GUESTS");
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/%s.mfa", folder, name);
    if (artifact_open(path, &artifact, &err)) fail_msg("%s", err.text);
    const struct artifact_export *start = artifact_find_export(artifact, "_start", 0);
    assert_non_null(start);
    g->start = start->index;
    if (module_new(artifact, sets, sets_count, &g->module, &err)) fail_msg("%s", err.text);
    struct instance_config config = {.context = &g->context};
    if (instance_new(g->module, &config, &g->instance, &err)) fail_msg("%s", err.text);
}

static enum call_result guest_start(struct guest *g)
{
    struct error err = {.text = ""};
    if (wasi_preview1_new(&g->config, &g->context.preview1, &err)) fail_msg("%s", err.text);
    struct value none[1];
    assert_int_equal(instance_init_all(g->instance), CALL_RETURNED);
    return instance_call(g->instance, g->start, none);
}

static void guest_reset(struct guest *g)
{
    struct error err = {.text = ""};
    wasi_preview1_free(g->context.preview1);
    g->context.preview1 = NULL;
    g->output_bytes = 0;
    g->input_closed = false;
    if (instance_reset(g->instance, &g->context, &err)) fail_msg("%s", err.text);
}

static void guest_close(struct guest *g)
{
    instance_free(g->instance);
    wasi_preview1_free(g->context.preview1);
    module_free(g->module);
}

static void give(struct guest *g, const char *text)
{
    g->input = text;
    g->input_bytes = strlen(text);
}

/* A command ends by returning or by proc_exit(0), as its libc likes. */
static void expect_end(const struct guest *g, enum call_result result, uint32_t code)
{
    if (result == CALL_RETURNED)
        assert_int_equal(code, 0);
    else {
        assert_int_equal(result, CALL_EXITED);
        assert_int_equal(instance_exit_code(g->instance), code);
    }
}

static void streams_suspend(void **state)
{
    (void)state;
    struct guest g;
    guest_open(&g, "cat");
    for (int round = 0; round < 3; round++) {
        g.room = 6;
        assert_int_equal(guest_start(&g), CALL_SUSPENDED);
        assert_int_equal(g.waits_count, 1);
        assert_int_equal(g.direction, WASI_READ);
        assert_true(g.deadline_ns == WASI_WAIT_FOREVER);
        /* Resumed for nothing: it waits again. */
        assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
        give(&g, "one ");
        assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
        assert_string_equal(g.output, "one ");
        give(&g, "two three");
        assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
        assert_int_equal(g.direction, WASI_WRITE);
        assert_string_equal(g.output, "one tw");
        g.room = 100;
        assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
        assert_string_equal(g.output, "one two three");
        g.input_closed = true;
        expect_end(&g, instance_resume(g.instance), 0);
        guest_reset(&g);
    }
    guest_close(&g);
}

static void cancelling(void **state)
{
    (void)state;
    struct guest g;
    guest_open(&g, "cat");
    assert_int_equal(guest_start(&g), CALL_SUSPENDED);
    assert_int_equal(instance_cancel(g.instance), CALL_TRAPPED);
    assert_int_equal(instance_trap(g.instance)->kind, TRAP_CANCEL);
    guest_reset(&g);
    give(&g, "again");
    assert_int_equal(guest_start(&g), CALL_SUSPENDED);
    assert_string_equal(g.output, "again");
    guest_close(&g); /* suspended */
}

static void timers_suspend(void **state)
{
    (void)state;
    struct guest g;
    uint64_t second = 1000000000;
    guest_open(&g, "sleep");
    assert_int_equal(guest_start(&g), CALL_SUSPENDED);
    assert_int_equal(g.waits_count, 0);
    assert_int_equal(g.deadline_ns, 1000 + 100 * second);
    g.now_ns = 1000 + 99 * second;
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
    g.now_ns = g.deadline_ns;
    expect_end(&g, instance_resume(g.instance), 0);
    assert_string_equal(g.output, "nanosleep: 0\n");
    guest_reset(&g);
    assert_int_equal(guest_start(&g), CALL_SUSPENDED);
    assert_int_equal(instance_cancel(g.instance), CALL_TRAPPED);
    guest_close(&g);
}

static void sockets_suspend(void **state)
{
    (void)state;
    struct guest g;
    char text[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int pair[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    const int sockets[] = {listener, pair[0]};
    guest_open(&g, "sockets");
    g.config.sockets = sockets;
    g.config.sockets_count = 2;

    assert_int_equal(guest_start(&g), CALL_SUSPENDED); /* sock_accept */
    assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED); /* sock_recv */
    assert_int_equal(send(client, "hello", 5, 0), 5);
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
    assert_int_equal(recv(client, text, sizeof text, 0), 5);
    assert_memory_equal(text, "HELLO", 5);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED); /* on to the pair */
    assert_int_equal(recv(client, text, sizeof text, 0), 0);
    assert_int_equal(send(pair[1], "pair", 4, 0), 4);
    assert_int_equal(instance_resume(g.instance), CALL_SUSPENDED);
    assert_int_equal(recv(pair[1], text, sizeof text, 0), 4);
    assert_memory_equal(text, "PAIR", 4);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    expect_end(&g, instance_resume(g.instance), 0);
    assert_string_equal(g.output, "peeked: pair\ndone: 0\n");
    guest_close(&g);
    close(client);
    close(listener);
    close(pair[0]);
    close(pair[1]);
}

static int start_runtime(void **state)
{
    (void)state;
    struct error err;
    return runtime_init(&err) || runtime_thread_init(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_suspend),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(timers_suspend),
        cmocka_unit_test(sockets_suspend),
    };
    return cmocka_run_group_tests(tests, start_runtime, NULL);
}
