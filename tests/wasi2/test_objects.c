/* Objects and their pool. */
#include <stdlib.h>
#include <string.h>

#include "fake.h"

static unsigned done_count;
static const struct io_object *done_last;

static void count_done(UNUSED struct wasi_preview2 *p, struct io_object *o)
{
    done_count++;
    done_last = o;
}

static const struct io_class counted = IO_CLASS("counted", count_done);

static void test_children_keep_parents(void **state)
{
    (void)state;
    done_count = 0;
    uint32_t in = fake_stdin();
    OK("wasi:io/streams#[method]input-stream.subscribe", in);
    uint32_t first = fake_result.i32;
    OK("wasi:io/streams#[method]input-stream.subscribe", in);
    uint32_t second = fake_result.i32;
    assert_false(fake_drop(in));
    assert_true(fake_drop(first));
    assert_false(fake_drop(in));
    assert_true(fake_drop(second));
    assert_true(fake_drop(in));
    assert_null(fake.state->objects);
}

/* As when an instance is cleared: whatever the order is. */
static void test_parent_ends_first(void **state)
{
    (void)state;
    struct wasi_preview2 *p = fake.state;
    done_count = 0;
    struct io_object *grand = io_object_new(p, &counted, sizeof *grand, NULL);
    struct io_object *parent = io_object_new(p, &counted, sizeof *grand, grand);
    struct io_object *child = io_object_new(p, &counted, sizeof *grand, parent);
    io_object_end(p, parent);
    assert_int_equal(done_count, 1);
    assert_ptr_equal(child->parent, parent);
    assert_int_equal(grand->children, 1);
    io_object_end(p, grand);
    assert_int_equal(done_count, 2);
    io_object_end(p, child);
    assert_int_equal(done_count, 3);
    assert_null(p->objects);
    io_object_end(p, NULL);
}

static void test_clear(void **state)
{
    (void)state;
    struct wasi_preview2 *p = fake.state;
    done_count = 0;
    struct io_object *parent = io_object_new(p, &counted, sizeof *parent, NULL);
    for (unsigned k = 0; k < 100; k++) (void)io_object_new(p, &counted, 200 + 40 * k, parent);
    wasi_preview2_clear(p);
    assert_int_equal(done_count, 101);
    assert_ptr_equal(done_last, parent);
    assert_null(p->objects);
}

static void test_pieces(void **state)
{
    static const size_t sizes[] = {1, 64, 65, 512, 513, 4096, 4097, IO_PIECE_BYTES_MAX};
    (void)state;
    struct io_pool *pool = &fake.state->pool;
    void *pieces[ARRAY_COUNT(sizes)];
    for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
        pieces[k] = io_pool_take(pool, sizes[k]);
        assert_non_null(pieces[k]);
        assert_int_equal((uintptr_t)pieces[k] % 16, 0);
        memset(pieces[k], (int)k, sizes[k]);
    }
    for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
        assert_int_equal(((uint8_t *)pieces[k])[sizes[k] - 1], k);
        io_pool_give(pool, pieces[k], sizes[k]);
        assert_ptr_equal(io_pool_take(pool, sizes[k]), pieces[k]);
    }
}

/* A second instance that does the same finds everything that it needs. */
static void test_warm(void **state)
{
    (void)state;
    struct io_pool *pool = &fake.state->pool;
    size_t bytes = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned k = 0; k < 200; k++) assert_non_null(io_pool_take(pool, 64 + 64 * (k % 8)));
        assert_non_null(io_pool_take(pool, IO_PIECE_BYTES_MAX));
        if (round) assert_int_equal(pool->blocks_bytes, bytes);
        bytes = pool->blocks_bytes;
        wasi_preview2_clear(fake.state);
        assert_int_equal(pool->blocks_bytes, bytes);
    }
}

static void test_pool_limit(void **state)
{
    (void)state;
    struct io_pool *pool = &fake.state->pool;
    for (size_t k = 0; k < IO_POOL_BYTES_MAX / IO_PIECE_BYTES_MAX; k++)
        assert_non_null(io_pool_take(pool, IO_PIECE_BYTES_MAX));
    assert_null(io_pool_take(pool, IO_PIECE_BYTES_MAX));
    assert_null(io_pool_take(pool, 1));
    TRAPS("wasi:cli/stdin#get-stdin", 0);
    TRAPS("wasi:sockets/instance-network#instance-network", 0);
    io_pool_clear(pool);
    assert_true(pool->blocks_bytes <= IO_POOL_KEEP_BYTES);
    (void)fake_stdin();
}

/* What cannot become a handle does not stay. */
static void test_handles_limit(void **state)
{
    (void)state;
    for (uint32_t k = 1; k < FAKE_HANDLES_MAX; k++) (void)fake_output(1);
    const struct io_object *newest = fake.state->objects;
    TRAPS("wasi:cli/stdin#get-stdin", 0);
    TRAPS("wasi:clocks/monotonic-clock#subscribe-duration", 5);
    assert_ptr_equal(fake.state->objects, newest);
}

static void test_config_limits(void **state)
{
    static const char *many[WASI_ENV_MAX + 1];
    static const char *values[WASI_CONFIG_VALUES_MAX + 1];
    (void)state;
    struct error err;
    for (size_t k = 0; k < ARRAY_COUNT(many); k++) many[k] = "a=b";
    for (size_t k = 0; k < ARRAY_COUNT(values); k++) values[k] = "key=value";
    struct wasi_preview2 *p = NULL;
    struct wasi_preview2_config config = {.env = many, .env_count = WASI_ENV_MAX};
    assert_int_equal(wasi_preview2_new(&config, &p, &err), ST_OK);
    config.env_count++;
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_LIMIT);
    config = (struct wasi_preview2_config){.args = many, .args_count = WASI_ARGS_MAX + 1};
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_LIMIT);
    config = (struct wasi_preview2_config){.values = values, .values_count = ARRAY_COUNT(values)};
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_LIMIT);
    config.values_count--;
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_OK);
    values[0] = "key=\xff";
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_USAGE);
    values[0] = "key";
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_USAGE);
    const char *bad = "\xc0\x80=x";
    config = (struct wasi_preview2_config){.env = &bad, .env_count = 1};
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_USAGE);
    struct wasi_preopen preopens[WASI_PREOPENS_MAX + 1] = {{.fd = -1, .guest_name = "/"}};
    config = (struct wasi_preview2_config){.preopens = preopens, .preopens_count = 1};
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_USAGE);
    config.preopens_count = WASI_PREOPENS_MAX + 1;
    assert_int_equal(wasi_preview2_reuse(p, &config, &err), ST_LIMIT);
    assert_int_equal(wasi_preview2_new(&config, &p, &err), ST_LIMIT);
    wasi_preview2_free(p);
    wasi_preview2_free(NULL);
}

static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } table[] = {
        {"", true},
        {"plain", true},
        {"\xc3\xa4", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xed\x9f\xbf", true},
        {"\x80", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xe0\x9f\xbf", false},
        {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xc3", false},
        {"\xe2\x82", false},
        {"\xe2\x82x", false},
        {"a\xff", false},
        {"eight ch", true},
        {"sixteen charactX\xff", false},
        {"eight ch\xc3\xa4 \xc3\xa4nd more of it", true},
        {"eight ch\x80 and more of it", false},
    };
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(table); k++)
        assert_int_equal(text_is_utf8(table[k].text, strlen(table[k].text)), table[k].valid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_children_keep_parents),
        TEST(test_parent_ends_first),
        TEST(test_clear),
        TEST(test_pieces),
        TEST(test_warm),
        TEST(test_pool_limit),
        TEST(test_handles_limit),
        TEST(test_config_limits),
        TEST(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
