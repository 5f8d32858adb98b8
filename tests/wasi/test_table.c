/* The list of functions, the limits of a config, the descriptor table. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

/* Every function of preview 1, with its type. */
static const char *const functions[][2] = {
    {"args_get", "ii:i"},
    {"args_sizes_get", "ii:i"},
    {"environ_get", "ii:i"},
    {"environ_sizes_get", "ii:i"},
    {"clock_res_get", "ii:i"},
    {"clock_time_get", "ili:i"},
    {"fd_advise", "illi:i"},
    {"fd_allocate", "ill:i"},
    {"fd_close", "i:i"},
    {"fd_datasync", "i:i"},
    {"fd_fdstat_get", "ii:i"},
    {"fd_fdstat_set_flags", "ii:i"},
    {"fd_fdstat_set_rights", "ill:i"},
    {"fd_filestat_get", "ii:i"},
    {"fd_filestat_set_size", "il:i"},
    {"fd_filestat_set_times", "illi:i"},
    {"fd_pread", "iiili:i"},
    {"fd_prestat_get", "ii:i"},
    {"fd_prestat_dir_name", "iii:i"},
    {"fd_pwrite", "iiili:i"},
    {"fd_read", "iiii:i"},
    {"fd_readdir", "iiili:i"},
    {"fd_renumber", "ii:i"},
    {"fd_seek", "ilii:i"},
    {"fd_sync", "i:i"},
    {"fd_tell", "ii:i"},
    {"fd_write", "iiii:i"},
    {"path_create_directory", "iii:i"},
    {"path_filestat_get", "iiiii:i"},
    {"path_filestat_set_times", "iiiilli:i"},
    {"path_link", "iiiiiii:i"},
    {"path_open", "iiiiillii:i"},
    {"path_readlink", "iiiiii:i"},
    {"path_remove_directory", "iii:i"},
    {"path_rename", "iiiiii:i"},
    {"path_symlink", "iiiii:i"},
    {"path_unlink_file", "iii:i"},
    {"poll_oneoff", "iiii:i"},
    {"proc_exit", "i:"},
    {"proc_raise", "i:i"},
    {"sched_yield", ":i"},
    {"random_get", "ii:i"},
    {"sock_accept", "iii:i"},
    {"sock_recv", "iiiiii:i"},
    {"sock_send", "iiiii:i"},
    {"sock_shutdown", "ii:i"},
};

static void all_functions_are_there(void **state)
{
    (void)state;
    size_t count, found = 0;
    const struct host_set *sets = wasi_preview1_sets(&count);
    for (size_t s = 0; s < count; s++) found += sets[s].count;
    assert_int_equal(found, ARRAY_COUNT(functions));
    for (size_t k = 0; k < ARRAY_COUNT(functions); k++) {
        const struct host_function *f = fake_find(functions[k][0]);
        assert_string_equal(f->module, "wasi_snapshot_preview1");
        assert_string_equal(f->signature, functions[k][1]);
    }
}

static void lists_of_strings(void **state)
{
    (void)state;
    static const char *const args[] = {"program", "", "two words"};
    static const char *const env[] = {"A=1", "EMPTY="};
    struct fake f = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&f);
    config.args = args;
    config.args_count = 3;
    config.env = env;
    config.env_count = 2;
    fake_init(&f, &config);
    assert_int_equal(CALL(&f, "args_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&f, AT_RET), 3);
    assert_int_equal(fake_u32(&f, AT_RET2), 8 + 1 + 10);
    assert_int_equal(CALL(&f, "args_get", AT_RET, AT_DATA), WASI_OK);
    for (uint32_t k = 0; k < 3; k++)
        assert_string_equal((char *)f.memory + fake_u32(&f, AT_RET + 4 * k), args[k]);
    assert_int_equal(CALL(&f, "environ_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&f, AT_RET), 2);
    assert_int_equal(fake_u32(&f, AT_RET2), 4 + 7);
    assert_int_equal(CALL(&f, "environ_get", AT_RET, AT_DATA), WASI_OK);
    assert_string_equal((char *)f.memory + fake_u32(&f, AT_RET + 4), "EMPTY=");
    fake_done(&f);
}

/* Without grants there is nothing: no folder, no variable, no argument, no stream. */
static void nothing_granted(void **state)
{
    (void)state;
    struct fake f = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&f);
    memset(config.stdio, 0, sizeof config.stdio);
    fake_init(&f, &config);
    uint32_t fd;
    for (uint32_t k = 0; k < 8; k++) {
        assert_int_equal(fake_open(&f, k, "x", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_EBADF);
        assert_int_equal(CALL(&f, "fd_prestat_get", k, AT_RET), WASI_EBADF);
        assert_int_equal(CALL(&f, "fd_fdstat_get", k, AT_RET), WASI_EBADF);
        assert_int_equal(fake_write(&f, k, "x"), WASI_EBADF);
    }
    assert_int_equal(CALL(&f, "environ_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&f, AT_RET), 0);
    assert_int_equal(fake_u32(&f, AT_RET2), 0);
    assert_int_equal(CALL(&f, "args_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&f, AT_RET), 0);
    fake_done(&f);
}

static void expect_new(struct wasi_preview1_config *config, enum status expected)
{
    struct wasi_preview1 *p = NULL;
    struct error err = {.text = ""};
    assert_int_equal(wasi_preview1_new(config, &p, &err), expected);
    if (expected)
        assert_true(err.text[0]);
    else
        wasi_preview1_free(p);
}

static void config_limits(void **state)
{
    (void)state;
    struct fake f = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&f);
    const char **list = calloc(WASI_ARGS_MAX + 1, sizeof *list);
    char *text = calloc(1, WASI_ARGS_BYTES_MAX + 1);
    for (size_t k = 0; k <= WASI_ARGS_MAX; k++) list[k] = "a";
    config.args = config.env = list;
    config.args_count = WASI_ARGS_MAX;
    expect_new(&config, ST_OK);
    config.args_count++;
    expect_new(&config, ST_LIMIT);
    config.args_count = 0;
    config.env_count = WASI_ENV_MAX;
    expect_new(&config, ST_OK);
    config.env_count++;
    expect_new(&config, ST_LIMIT);
    memset(text, 'x', WASI_ARGS_BYTES_MAX - 1);
    list[0] = text;
    config.env_count = 1;
    expect_new(&config, ST_OK);
    text[WASI_ARGS_BYTES_MAX - 1] = 'x';
    expect_new(&config, ST_LIMIT);
    config.env_count = 0;
    config.args_count = 1;
    expect_new(&config, ST_LIMIT);
    config.args_count = 0;
    free(list);
    free(text);

    struct wasi_preopen preopens[WASI_PREOPENS_MAX + 1];
    int fd = open("/tmp", O_PATH | O_DIRECTORY);
    for (size_t k = 0; k <= WASI_PREOPENS_MAX; k++)
        preopens[k] = (struct wasi_preopen){fd, "/", false};
    config.preopens = preopens;
    config.preopens_count = WASI_PREOPENS_MAX;
    expect_new(&config, ST_OK);
    config.preopens_count++;
    expect_new(&config, ST_LIMIT);
    config.preopens_count = 1;
    preopens[0].fd = -1;
    expect_new(&config, ST_USAGE);
    config.preopens_count = 0;
    config.clock = NULL;
    expect_new(&config, ST_USAGE);
    close(fd);
}

static void descriptors_are_limited(void **state)
{
    (void)state;
    char root[64];
    tree_new(root);
    tree_file(root, "file", "text");
    struct fake f = {.exit_code = 0};
    struct wasi_preopen preopen = {tree_open(root, "."), "/", false};
    struct wasi_preview1_config config = fake_config(&f);
    config.preopens = &preopen;
    config.preopens_count = 1;
    fake_init(&f, &config);
    uint32_t fd;
    for (uint32_t k = 4; k < WASI_FDS_MAX; k++) {
        assert_int_equal(fake_open(&f, 3, "file", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_OK);
        assert_int_equal(fd, k);
    }
    assert_int_equal(fake_open(&f, 3, "file", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_EMFILE);
    /* The lowest free number comes next. */
    assert_int_equal(CALL(&f, "fd_close", 700), WASI_OK);
    assert_int_equal(CALL(&f, "fd_close", 700), WASI_EBADF);
    assert_int_equal(CALL(&f, "fd_close", 500), WASI_OK);
    assert_int_equal(fake_open(&f, 3, "file", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_OK);
    assert_int_equal(fd, 500);
    assert_int_equal(CALL(&f, "fd_close", WASI_FDS_MAX), WASI_EBADF);
    assert_int_equal(CALL(&f, "fd_close", UINT32_MAX), WASI_EBADF);
    fake_done(&f);
    close(preopen.fd);
    tree_remove(root);
}

static void renumbering(void **state)
{
    (void)state;
    char root[64], text[16];
    tree_new(root);
    tree_file(root, "a", "aaa");
    tree_file(root, "b", "bbb");
    struct fake f = {.exit_code = 0};
    struct wasi_preopen preopen = {tree_open(root, "."), "/", false};
    struct wasi_preview1_config config = fake_config(&f);
    config.preopens = &preopen;
    config.preopens_count = 1;
    fake_init(&f, &config);
    uint32_t a, b;
    assert_int_equal(fake_open(&f, 3, "a", 0, 0, RIGHT_FD_READ, 0, &a), WASI_OK);
    assert_int_equal(fake_open(&f, 3, "b", 0, 0, RIGHT_FD_READ, 0, &b), WASI_OK);
    assert_int_equal(CALL(&f, "fd_renumber", a, 99), WASI_EBADF);
    assert_int_equal(CALL(&f, "fd_renumber", 99, a), WASI_EBADF);
    assert_int_equal(CALL(&f, "fd_renumber", a, a), WASI_OK);
    assert_int_equal(CALL(&f, "fd_renumber", a, b), WASI_OK);
    assert_int_equal(fake_read(&f, a, 8, text), WASI_EBADF);
    assert_int_equal(fake_read(&f, b, 8, text), WASI_OK);
    assert_string_equal(text, "aaa");
    /* Over stdout, and over the folder itself: its host descriptor stays the embedder's. */
    assert_int_equal(CALL(&f, "fd_renumber", b, 1), WASI_OK);
    assert_int_equal(CALL(&f, "fd_renumber", 1, 3), WASI_OK);
    assert_int_equal(CALL(&f, "fd_prestat_get", 3, AT_RET), WASI_EBADF);
    assert_int_equal(fcntl(preopen.fd, F_GETFD), FD_CLOEXEC);
    fake_done(&f);
    assert_int_equal(close(preopen.fd), 0);
    tree_remove(root);
}

static void ends_of_a_guest(void **state)
{
    (void)state;
    struct fake f = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&f);
    fake_init(&f, &config);
    CALL(&f, "proc_exit", 259);
    assert_int_equal(f.result, HOST_EXIT);
    assert_int_equal(f.exit_code, 259);
    static const uint32_t ignored[] = {0, 16, 17, 22, 27}, refused[] = {18, 19, 20, 21};
    for (size_t k = 0; k < ARRAY_COUNT(ignored); k++)
        assert_int_equal(CALL(&f, "proc_raise", ignored[k]), WASI_OK);
    for (size_t k = 0; k < ARRAY_COUNT(refused); k++)
        assert_int_equal(CALL(&f, "proc_raise", refused[k]), WASI_ENOTSUP);
    assert_int_equal(CALL(&f, "proc_raise", 31), WASI_EINVAL);
    assert_int_equal(CALL(&f, "proc_raise", UINT32_MAX), WASI_EINVAL);
    CALL(&f, "proc_raise", 6);
    assert_int_equal(f.result, HOST_TRAP);
    assert_string_equal(f.trap_text, "the guest raised signal 6");

    wasi_preview1_free(f.context.preview1);
    f.context.preview1 = NULL;
    f.trap_text[0] = '\0';
    fake_call(&f, "sched_yield", 0, NULL);
    assert_int_equal(f.result, HOST_TRAP);
    assert_true(f.trap_text[0]);
    fake_done(&f);
}

static void random_in_chunks(void **state)
{
    (void)state;
    struct fake f = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&f);
    fake_init(&f, &config);
    assert_int_equal(CALL(&f, "random_get", 0, 0), WASI_OK);
    assert_int_equal(f.random_state, 0);
    assert_int_equal(CALL(&f, "random_get", 1, 100), WASI_OK);
    assert_int_equal(f.memory[0], 0);
    assert_int_equal(f.memory[101], 0);
    assert_true(fake_u64(&f, 1) != 0 && fake_u64(&f, 93) != 0);
    assert_int_equal(CALL(&f, "random_get", 0, FAKE_MEMORY_BYTES), WASI_OK);
    assert_int_equal(CALL(&f, "random_get", 1, FAKE_MEMORY_BYTES), WASI_EFAULT);
    f.waits = 0;
    assert_int_equal(fake_call(&f, "sched_yield", 0, NULL), WASI_OK);
    assert_int_equal(f.waits, 1);
    assert_int_equal(f.deadline_last, 0);
    f.cancel = true;
    fake_call(&f, "sched_yield", 0, NULL);
    assert_int_equal(f.result, HOST_CANCEL);
    fake_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_functions_are_there), cmocka_unit_test(lists_of_strings),
        cmocka_unit_test(nothing_granted),         cmocka_unit_test(config_limits),
        cmocka_unit_test(descriptors_are_limited), cmocka_unit_test(renumbering),
        cmocka_unit_test(ends_of_a_guest),         cmocka_unit_test(random_in_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
