/* wasi:clocks, random, cli, sockets, logging, config */
#include <stdio.h>
#include <string.h>

#include "fake.h"

#define CLOCK  "wasi:clocks/monotonic-clock#"
#define WALL   "wasi:clocks/wall-clock#"
#define CLI    "wasi:cli/"
#define RANDOM "wasi:random/"
#define STORE  "wasi:config/store#"

static uint64_t now(void)
{
    OK(CLOCK "now", 0);
    return fake_result.i64;
}

/* ---- clocks ---- */

static void test_monotonic(void **state)
{
    (void)state;
    assert_true(now() == 1000);
    fake.monotonic_ns = 2000;
    assert_true(now() == 2000);
    OK(CLOCK "resolution", 0);
    assert_true(fake_result.i64 == 1);
    OK(CLOCK "subscribe-duration", 50);
    uint32_t pollable = fake_result.i32;
    OK("wasi:io/poll#[method]pollable.ready", pollable);
    assert_int_equal(fake_result.i32, 0);
    OK("wasi:io/poll#[method]pollable.block", pollable);
    assert_true(fake.deadline_last == 2050);
    assert_true(now() == 2050);
    OK(CLOCK "subscribe-instant", 0);
    OK("wasi:io/poll#[method]pollable.ready", fake_result.i32);
    assert_int_equal(fake_result.i32, 1);
    OK(CLOCK "subscribe-duration", UINT64_MAX); /* for ever, not back to the beginning */
    OK("wasi:io/poll#[method]pollable.ready", fake_result.i32);
    assert_int_equal(fake_result.i32, 0);
    TRAPS("wasi:io/poll#[method]pollable.ready", 77);
}

/* No clock shows less than what was waited for. */
static void test_coarse(void **state)
{
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.clock_resolution_ns = 1000000;
    fake_config_set(&config);
    fake.monotonic_ns = 1999999;
    assert_true(now() == 1000000);
    OK(CLOCK "resolution", 0);
    assert_true(fake_result.i64 == 1000000);
    OK(CLOCK "subscribe-instant", 1000001);
    OK("wasi:io/poll#[method]pollable.block", fake_result.i32);
    assert_true(now() == 2000000);
    OK(WALL "now", AT_RET);
    assert_true(fake_u64(AT_RET) == 1700000000);
    assert_int_equal(fake_u32(AT_RET + 8), 123000000);
    OK(WALL "resolution", AT_RET);
    assert_true(fake_u64(AT_RET) == 0);
    assert_int_equal(fake_u32(AT_RET + 8), 1000000);
}

/* Asking costs nothing within a turn, and time goes on nevertheless. */
static void test_held(void **state)
{
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.clock_calls_held = 16;
    fake_config_set(&config);
    fake.clock_reads = 0;
    for (unsigned k = 0; k < 17; k++, fake.monotonic_ns++) assert_true(now() == 1000);
    assert_int_equal(fake.clock_reads, 1);
    assert_true(now() == 1017);
    fake.monotonic_ns = 5000;
    OK(CLOCK "subscribe-instant", 6000);
    uint32_t pollable = fake_result.i32;
    assert_true(now() == 1017);
    OK("wasi:io/poll#[method]pollable.block", pollable);
    assert_true(now() == 6000);
    fake.monotonic_ns = 7000;
    OK("wasi:io/poll#[method]pollable.ready", pollable);
    assert_true(now() == 7000);
}

static void test_wall(void **state)
{
    (void)state;
    OK(WALL "now", AT_RET);
    assert_true(fake_u64(AT_RET) == 1700000000);
    assert_int_equal(fake_u32(AT_RET + 8), 123456789);
    TRAPS(WALL "now", AT_RET + 4);
    TRAPS(WALL "now", FAKE_MEMORY_BYTES - 8);
    OK("wasi:clocks/timezone#display", 5, 0, AT_RET);
    fake_expect_text(AT_RET + 4, "UTC");
    OK("wasi:clocks/timezone#utc-offset", 5, 0);
    assert_int_equal(fake_result.i32, 0);
}

/* As an instance that a snapshot is made of. */
static void test_without(void **state)
{
    (void)state;
    fake_config_set(&(struct wasi_preview2_config){0});
    TRAPS(CLOCK "now", 0);
    TRAPS(CLOCK "subscribe-instant", 0);
    TRAPS(CLOCK "subscribe-duration", 0);
    TRAPS(WALL "now", AT_RET);
    TRAPS(RANDOM "random#get-random-bytes", 5, AT_RET);
    TRAPS(RANDOM "random#get-random-u64", 0);
    TRAPS(RANDOM "insecure#get-insecure-random-bytes", 5, AT_RET);
    TRAPS(RANDOM "insecure#get-insecure-random-u64", 0);
    TRAPS(RANDOM "insecure-seed#insecure-seed", AT_RET);
    OK(CLI "environment#get-environment", AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 0);
    OK(CLI "environment#initial-cwd", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK(CLI "terminal-stdout#get-terminal-stdout", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK("wasi:filesystem/preopens#get-directories", AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 0);
}

static void test_nothing_to_wait_with(void **state)
{
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.waiter.wait = NULL;
    fake_config_set(&config);
    OK(CLOCK "subscribe-duration", 5);
    TRAPS("wasi:io/poll#[method]pollable.block", fake_result.i32);
}

/* ---- random ---- */

static void test_random(void **state)
{
    (void)state;
    OK(RANDOM "random#get-random-bytes", 5, AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 5);
    assert_memory_not_equal(fake.memory + fake_u32(AT_RET), "\0\0\0\0\0", 5);
    OK(RANDOM "random#get-random-bytes", 0, AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 0);
    fake.pauses = 0;
    OK(RANDOM "random#get-random-bytes", WASI_RANDOM_CHUNK_BYTES + 1, AT_RET);
    assert_int_equal(fake.pauses, 1);
    fake.cancel = true;
    assert_int_equal(CALL(RANDOM "random#get-random-bytes", WASI_RANDOM_CHUNK_BYTES + 1, AT_RET),
                     HOST_STOPPED);
    TRAPS(RANDOM "random#get-random-bytes", WASI_RANDOM_BYTES_MAX + 1, AT_RET);
    TRAPS(RANDOM "insecure#get-insecure-random-bytes", UINT64_MAX, AT_RET);
    TRAPS(RANDOM "random#get-random-bytes", 5, AT_RET + 1);
    OK(RANDOM "random#get-random-u64", 0);
    uint64_t first = fake_result.i64;
    OK(RANDOM "insecure#get-insecure-random-u64", 0);
    assert_true(fake_result.i64 != first);
    OK(RANDOM "insecure-seed#insecure-seed", AT_RET);
    assert_true(fake_u64(AT_RET) != fake_u64(AT_RET + 8));
    TRAPS(RANDOM "insecure-seed#insecure-seed", AT_RET + 4);
    fake.no_heap = true;
    TRAPS(RANDOM "random#get-random-bytes", 5, AT_RET);
}

/* ---- cli ---- */

static void test_environment(void **state)
{
    static const char *const args[] = {"program", "", "gr\xc3\xbc\xc3\x9f"};
    static const char *const env[] = {"A=1", "NONE", "EMPTY=", "EQUALS=a=b", "=odd"};
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.args = args;
    config.args_count = ARRAY_COUNT(args);
    config.env = env;
    config.env_count = ARRAY_COUNT(env);
    config.initial_cwd = "/work";
    fake_config_set(&config);
    OK(CLI "environment#get-arguments", AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 3);
    uint32_t list = fake_u32(AT_RET);
    for (uint32_t k = 0; k < 3; k++) fake_expect_text(list + 8 * k, args[k]);
    OK(CLI "environment#get-environment", AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 5);
    list = fake_u32(AT_RET);
    static const char *const pairs[] = {"A", "1",      "NONE", "", "EMPTY",
                                        "",  "EQUALS", "a=b",  "", "odd"};
    for (uint32_t k = 0; k < 10; k++) fake_expect_text(list + 8 * k, pairs[k]);
    OK(CLI "environment#initial-cwd", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    fake_expect_text(AT_RET + 4, "/work");
    TRAPS(CLI "environment#get-arguments", AT_RET + 2);
    fake.no_heap = true;
    TRAPS(CLI "environment#get-environment", AT_RET);
}

static void test_exit(void **state)
{
    (void)state;
    assert_int_equal(CALL(CLI "exit#exit", 0), HOST_EXIT);
    assert_int_equal(fake.exit_code, 0);
    assert_int_equal(CALL(CLI "exit#exit", 1), HOST_EXIT);
    assert_int_equal(fake.exit_code, 1);
    TRAPS(CLI "exit#exit", 2);
    assert_int_equal(CALL(CLI "exit#exit-with-code", 77), HOST_EXIT);
    assert_int_equal(fake.exit_code, 77);
    assert_int_equal(CALL(CLI "exit#exit-with-code", 0x101), HOST_EXIT);
    assert_int_equal(fake.exit_code, 1);
}

static void test_terminals(void **state)
{
    (void)state;
    OK(CLI "terminal-stdin#get-terminal-stdin", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK(CLI "terminal-stdout#get-terminal-stdout", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_true(fake_drop(fake_u32(AT_RET + 4)));
    OK(CLI "terminal-stderr#get-terminal-stderr", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
}

/* ---- sockets ---- */

#define ACCESS_DENIED 1

static void test_sockets(void **state)
{
    (void)state;
    OK("wasi:sockets/instance-network#instance-network", 0);
    uint32_t network = fake_result.i32;
    OK("wasi:sockets/tcp-create-socket#create-tcp-socket", 1, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 4), ACCESS_DENIED);
    TRAPS("wasi:sockets/tcp-create-socket#create-tcp-socket", 2, AT_RET);
    OK("wasi:sockets/udp-create-socket#create-udp-socket", 0, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 4), ACCESS_DENIED);
    TRAPS("wasi:sockets/udp-create-socket#create-udp-socket", UINT32_MAX, AT_RET);
    uint32_t size = fake_text(AT_TEXT, "localhost");
    OK("wasi:sockets/ip-name-lookup#resolve-addresses", network, AT_TEXT, size, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 4), ACCESS_DENIED);
    TRAPS("wasi:sockets/ip-name-lookup#resolve-addresses", 99, AT_TEXT, size, AT_RET);
    fake_text(AT_TEXT, "\xff");
    TRAPS("wasi:sockets/ip-name-lookup#resolve-addresses", network, AT_TEXT, size, AT_RET);
    TRAPS("wasi:sockets/tcp#[method]tcp-socket.start-bind", network, network, 0, 0, 0);
    TRAPS("wasi:sockets/udp#[method]udp-socket.stream", network, 0);
    TRAPS("wasi:sockets/udp#[method]incoming-datagram-stream.subscribe", 0);
    TRAPS("wasi:sockets/udp#[method]outgoing-datagram-stream.check-send", 0);
    TRAPS("wasi:sockets/ip-name-lookup#[method]resolve-address-stream.subscribe", network);
}

/* ---- logging and config ---- */

static char logged[256];

static void log_line(UNUSED void *context, enum wasi_log_level level, const char *topic,
                     size_t topic_bytes, const char *message, size_t message_bytes)
{
    snprintf(logged, sizeof logged, "%d %.*s %.*s", level, (int)topic_bytes, topic,
             (int)(message_bytes < 100 ? message_bytes : 100), message);
    if (message_bytes >= 100) snprintf(logged, sizeof logged, "%zu", message_bytes);
}

static void test_logging(void **state)
{
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.log.write = log_line;
    fake_config_set(&config);
    uint32_t topic = fake_text(AT_TEXT, "web"), message = fake_text(AT_DATA, "it works");
#define LOG "wasi:logging/logging#log"
    OK(LOG, WASI_LOG_WARN, AT_TEXT, topic, AT_DATA, message);
    assert_string_equal(logged, "3 web it works");
    TRAPS(LOG, 6, AT_TEXT, topic, AT_DATA, message);
    TRAPS(LOG, 0, AT_TEXT, topic, AT_DATA, UINT32_MAX);
    TRAPS(LOG, 0, UINT32_MAX, topic, AT_DATA, message);
    /* Cut between two characters. */
    for (uint32_t k = 0; k < WASI_LOG_MESSAGE_BYTES_MAX + 3; k += 3)
        fake_put(AT_DATA + k, "\xe2\x82\xac", 3);
    OK(LOG, 0, AT_TEXT, topic, AT_DATA, WASI_LOG_MESSAGE_BYTES_MAX / 3 * 3 + 3);
    assert_string_equal(logged, "65535");
    config.log.write = NULL;
    fake_config_set(&config);
    OK(LOG, 0, AT_TEXT, topic, AT_DATA, 3);
}

static void test_config(void **state)
{
    static const char *const values[] = {"greeting=hello", "empty="};
    (void)state;
    struct wasi_preview2_config config = fake_config();
    config.values = values;
    config.values_count = ARRAY_COUNT(values);
    fake_config_set(&config);
    OK(STORE "get", AT_TEXT, fake_text(AT_TEXT, "greeting"), AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_int_equal(fake_u8(AT_RET + 4), 1);
    fake_expect_text(AT_RET + 8, "hello");
    OK(STORE "get", AT_TEXT, fake_text(AT_TEXT, "empty"), AT_RET);
    assert_int_equal(fake_u8(AT_RET + 4), 1);
    fake_expect_text(AT_RET + 8, "");
    OK(STORE "get", AT_TEXT, fake_text(AT_TEXT, "greetings"), AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_int_equal(fake_u8(AT_RET + 4), 0);
    OK("wasi:config/runtime#get-all", AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_int_equal(fake_u32(AT_RET + 8), 2);
    uint32_t list = fake_u32(AT_RET + 4);
    fake_expect_text(list, "greeting");
    fake_expect_text(list + 8, "hello");
    fake_expect_text(list + 16, "empty");
    TRAPS(STORE "get", AT_TEXT, UINT32_MAX, AT_RET);
    TRAPS(STORE "get", AT_TEXT, 1, AT_RET + 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_monotonic), TEST(test_coarse),      TEST(test_held),
        TEST(test_wall),      TEST(test_without),     TEST(test_nothing_to_wait_with),
        TEST(test_random),    TEST(test_environment), TEST(test_exit),
        TEST(test_terminals), TEST(test_sockets),     TEST(test_logging),
        TEST(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
