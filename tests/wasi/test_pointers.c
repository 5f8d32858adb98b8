/* Every pointer of every function, out of bounds: EFAULT, no crash, and nothing has happened. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake.h"

#define FD_FOLDER_GIVEN 3
#define FD_PAIR         4
#define FD_OPENED       5

/* `pointers` has a 'p' for each parameter that is one. */
struct row {
    const char *name, *pointers;
    uint64_t parameters[9];
};

#define PATH  AT_PATH, 4  /* "file" */
#define PATH2 AT_PATH2, 3 /* "new" */
#define LINK  AT_PATH2 + 16, 4

static const struct row rows[] = {
    {"args_get", "pp", {AT_RET, AT_DATA}},
    {"args_sizes_get", "pp", {AT_RET, AT_RET2}},
    {"environ_get", "pp", {AT_RET, AT_DATA}},
    {"environ_sizes_get", "pp", {AT_RET, AT_RET2}},
    {"clock_res_get", ".p", {0, AT_RET}},
    {"clock_time_get", "..p", {0, 0, AT_RET}},
    {"fd_fdstat_get", ".p", {FD_OPENED, AT_RET}},
    {"fd_filestat_get", ".p", {FD_OPENED, AT_RET}},
    {"fd_pread", ".p..p", {FD_OPENED, AT_IOVECS, 1, 0, AT_RET}},
    {"fd_prestat_get", ".p", {FD_FOLDER_GIVEN, AT_RET}},
    {"fd_prestat_dir_name", ".p.", {FD_FOLDER_GIVEN, AT_DATA, 7}},
    {"fd_pwrite", ".p..p", {FD_OPENED, AT_IOVECS, 1, 0, AT_RET}},
    {"fd_read", ".p.p", {FD_OPENED, AT_IOVECS, 1, AT_RET}},
    {"fd_read", ".p.p", {0, AT_IOVECS, 1, AT_RET}},
    {"fd_readdir", ".p..p", {FD_FOLDER_GIVEN, AT_DATA, 100, 0, AT_RET}},
    {"fd_seek", "...p", {FD_OPENED, 1, 0, AT_RET}},
    {"fd_tell", ".p", {FD_OPENED, AT_RET}},
    {"fd_write", ".p.p", {FD_OPENED, AT_IOVECS, 1, AT_RET}},
    {"fd_write", ".p.p", {1, AT_IOVECS, 1, AT_RET}},
    {"path_create_directory", ".p.", {FD_FOLDER_GIVEN, PATH2}},
    {"path_filestat_get", "..p.p", {FD_FOLDER_GIVEN, 0, PATH, AT_RET}},
    {"path_filestat_set_times", "..p....", {FD_FOLDER_GIVEN, 0, PATH, 1, 1, 5}},
    {"path_link", "..p..p.", {FD_FOLDER_GIVEN, 0, PATH, FD_FOLDER_GIVEN, PATH2}},
    {"path_open", "..p.....p", {FD_FOLDER_GIVEN, 0, PATH, 0, RIGHT_FD_READ, 0, 0, AT_RET}},
    {"path_readlink", ".p.p.p", {FD_FOLDER_GIVEN, LINK, AT_DATA, 100, AT_RET}},
    {"path_remove_directory", ".p.", {FD_FOLDER_GIVEN, PATH}},
    {"path_rename", ".p..p.", {FD_FOLDER_GIVEN, PATH, FD_FOLDER_GIVEN, PATH2}},
    {"path_symlink", "p..p.", {PATH, FD_FOLDER_GIVEN, PATH2}},
    {"path_unlink_file", ".p.", {FD_FOLDER_GIVEN, PATH}},
    {"poll_oneoff", "pp.p", {AT_DATA, AT_DATA + 64, 1, AT_RET}},
    {"random_get", "p.", {AT_DATA, 16}},
    {"sock_accept", "..p", {FD_PAIR, 0, AT_RET}},
    {"sock_recv", ".p..pp", {FD_PAIR, AT_IOVECS, 1, 0, AT_RET, AT_RET2}},
    {"sock_send", ".p..p", {FD_PAIR, AT_IOVECS, 1, 0, AT_RET}},
};

struct place {
    struct fake f;
    char root[64];
    struct wasi_preopen preopen;
    int pair[2];
};

static void setup(struct place *p)
{
    static const char *const strings[] = {"A=1"};
    *p = (struct place){.root = ""};
    tree_new(p->root);
    tree_file(p->root, "file", "0123456789abcdef");
    tree_link(p->root, "link", "file");
    p->preopen = (struct wasi_preopen){tree_open(p->root, "."), "/folder", false};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->pair), 0);
    p->f.streams[0].input = "input";
    p->f.streams[0].input_bytes = 5;
    struct wasi_preview1_config config = fake_config(&p->f);
    config.args = config.env = strings;
    config.args_count = config.env_count = 1;
    config.preopens = &p->preopen;
    config.preopens_count = 1;
    config.sockets = p->pair;
    config.sockets_count = 1;
    fake_init(&p->f, &config);
    uint32_t fd;
    assert_int_equal(fake_open(&p->f, 3, "file", 0, 0, RIGHTS_OF_FILE, 0, &fd), WASI_OK);
    assert_int_equal(fd, FD_OPENED);
    fake_text(&p->f, AT_PATH, "file");
    fake_text(&p->f, AT_PATH2, "new");
    fake_text(&p->f, AT_PATH2 + 16, "link");
    fake_iovec(&p->f, 0, AT_DATA, 16);
    struct wasi_subscription clock = {.type = EVENT_CLOCK, .id = CLOCK_ID_MONOTONIC};
    fake_put(&p->f, AT_DATA, &clock, sizeof clock);
}

/* What a function could have done to the host. */
static void expect_untouched(struct place *p)
{
    char path[128];
    snprintf(path, sizeof path, "%s/new", p->root);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/file", p->root);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char text[64];
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "0123456789abcdef");
    assert_int_equal(p->f.streams[0].input_bytes, 5);
    assert_int_equal(p->f.streams[1].output_bytes, 0);
    char byte;
    assert_int_equal(recv(p->pair[1], &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(CALL(&p->f, "fd_tell", FD_OPENED, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(&p->f, AT_RET), 0);
    assert_int_equal(CALL(&p->f, "fd_close", FD_OPENED + 1), WASI_EBADF);
    assert_int_equal(p->f.waits, 0);
}

static void teardown(struct place *p)
{
    fake_done(&p->f);
    close(p->preopen.fd);
    close(p->pair[0]);
    close(p->pair[1]);
    tree_remove(p->root);
}

static void every_pointer(void **state)
{
    (void)state;
    static const uint64_t bad[] = {FAKE_MEMORY_BYTES,
                                   FAKE_MEMORY_BYTES - 1,
                                   FAKE_MEMORY_BYTES + 8,
                                   0x7fffffff,
                                   0x80000000,
                                   0xfffffff0,
                                   0xffffffff};
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        const struct row *row = &rows[k];
        size_t count = strlen(row->pointers);
        struct place p;
        setup(&p);
        for (size_t at = 0; at < count; at++) {
            if (row->pointers[at] != 'p') continue;
            for (size_t b = 0; b < ARRAY_COUNT(bad); b++) {
                uint64_t parameters[9];
                memcpy(parameters, row->parameters, sizeof parameters);
                parameters[at] = bad[b];
                uint32_t e = fake_call(&p.f, row->name, count, parameters);
                if (e != WASI_EFAULT || p.f.result != HOST_OK)
                    fail_msg("%s: parameter %zu = %llx: errno %u", row->name, at,
                             (unsigned long long)bad[b], e);
            }
        }
        expect_untouched(&p);
        teardown(&p);
    }
}

/* The same rows are right with good pointers, so that EFAULT comes from nothing else. */
static void good_pointers(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        const struct row *row = &rows[k];
        struct place p;
        setup(&p);
        p.f.cancel = true;
        assert_int_equal(send(p.pair[1], "hello", 5, 0), 5);
        uint32_t e = fake_call(&p.f, row->name, strlen(row->pointers), row->parameters);
        uint32_t expected = WASI_OK;
        if (strcmp(row->name, "sock_accept") == 0) expected = WASI_EINVAL; /* not listening */
        if (strcmp(row->name, "path_remove_directory") == 0) expected = WASI_ENOTDIR;
        if (e != expected) fail_msg("%s: errno %u", row->name, e);
        teardown(&p);
    }
}

/* Sizes that reach out of the memory from a good start. */
static void sizes_too_large(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t count, at;
        uint64_t parameters[9];
    } cases[] = {
        {"fd_prestat_dir_name", 3, 2, {FD_FOLDER_GIVEN, AT_DATA, 0}},
        {"fd_readdir", 5, 2, {FD_FOLDER_GIVEN, AT_DATA, 0, 0, AT_RET}},
        {"path_create_directory", 3, 2, {FD_FOLDER_GIVEN, AT_PATH2, 0}},
        {"path_filestat_get", 5, 3, {FD_FOLDER_GIVEN, 0, AT_PATH, 0, AT_RET}},
        {"path_link", 7, 3, {FD_FOLDER_GIVEN, 0, AT_PATH, 0, FD_FOLDER_GIVEN, PATH2}},
        {"path_link", 7, 6, {FD_FOLDER_GIVEN, 0, PATH, FD_FOLDER_GIVEN, AT_PATH2, 0}},
        {"path_open", 9, 3, {FD_FOLDER_GIVEN, 0, AT_PATH, 0, 0, RIGHT_FD_READ, 0, 0, AT_RET}},
        {"path_readlink", 6, 4, {FD_FOLDER_GIVEN, LINK, AT_DATA, 0, AT_RET}},
        {"path_rename", 6, 2, {FD_FOLDER_GIVEN, AT_PATH, 0, FD_FOLDER_GIVEN, PATH2}},
        {"path_rename", 6, 5, {FD_FOLDER_GIVEN, PATH, FD_FOLDER_GIVEN, AT_PATH2, 0}},
        {"path_symlink", 5, 1, {AT_PATH, 0, FD_FOLDER_GIVEN, PATH2}},
        {"path_symlink", 5, 4, {PATH, FD_FOLDER_GIVEN, AT_PATH2, 0}},
        {"path_unlink_file", 3, 2, {FD_FOLDER_GIVEN, AT_PATH, 0}},
        {"random_get", 2, 1, {AT_DATA, 0}},
    };
    static const uint64_t sizes[] = {FAKE_MEMORY_BYTES, 0x7fffffff, 0x80000000, 0xffffffff};
    struct place p;
    setup(&p);
    for (size_t k = 0; k < ARRAY_COUNT(cases); k++)
        for (size_t s = 0; s < ARRAY_COUNT(sizes); s++) {
            uint64_t parameters[9];
            memcpy(parameters, cases[k].parameters, sizeof parameters);
            parameters[cases[k].at] = sizes[s];
            uint32_t e = fake_call(&p.f, cases[k].name, cases[k].count, parameters);
            if (e != WASI_EFAULT) fail_msg("%s: errno %u", cases[k].name, e);
        }
    expect_untouched(&p);
    teardown(&p);
}

static void bad_iovecs(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t fd;
        bool at_offset, socket, flags;
    } cases[] = {
        {"fd_read", FD_OPENED, false, false, false}, {"fd_write", FD_OPENED, false, false, false},
        {"fd_read", 0, false, false, false},         {"fd_write", 1, false, false, false},
        {"fd_pread", FD_OPENED, true, false, false}, {"fd_pwrite", FD_OPENED, true, false, false},
        {"sock_recv", FD_PAIR, false, true, true},   {"sock_send", FD_PAIR, false, true, false},
    };
    struct place p;
    setup(&p);
    for (size_t k = 0; k < ARRAY_COUNT(cases); k++) {
        uint64_t parameters[6] = {cases[k].fd, AT_IOVECS, 3, AT_RET, AT_RET2, 0};
        size_t count = 4;
        if (cases[k].at_offset || cases[k].socket) {
            parameters[3] = 0;
            parameters[4] = AT_RET;
            parameters[5] = AT_RET2;
            count = cases[k].flags ? 6 : 5;
        }
        /* A bad one behind good ones: nothing moves, because all are looked at first. */
        fake_iovec(&p.f, 0, AT_DATA, 4);
        fake_iovec(&p.f, 1, AT_DATA, 4);
        fake_iovec(&p.f, 2, FAKE_MEMORY_BYTES - 3, 4);
        assert_int_equal(fake_call(&p.f, cases[k].name, count, parameters), WASI_EFAULT);
        fake_iovec(&p.f, 2, 0xffffffff, 0xffffffff);
        assert_int_equal(fake_call(&p.f, cases[k].name, count, parameters), WASI_EFAULT);
        /* The number of them: one too many, and one whose array ends outside. */
        parameters[2] = WASI_IOVECS_MAX + 1;
        assert_int_equal(fake_call(&p.f, cases[k].name, count, parameters), WASI_EINVAL);
        parameters[2] = 0xffffffff;
        assert_int_equal(fake_call(&p.f, cases[k].name, count, parameters), WASI_EINVAL);
        parameters[1] = FAKE_MEMORY_BYTES - 8;
        parameters[2] = 2;
        assert_int_equal(fake_call(&p.f, cases[k].name, count, parameters), WASI_EFAULT);
    }
    expect_untouched(&p);
    teardown(&p);
}

static void most_iovecs(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    for (uint32_t k = 0; k < WASI_IOVECS_MAX; k++) fake_iovec(&p.f, k, AT_DATA + 0x4000 + k, 1);
    memset(p.f.memory + AT_DATA + 0x4000, 'x', WASI_IOVECS_MAX);
    assert_int_equal(CALL(&p.f, "fd_write", 1, AT_IOVECS, WASI_IOVECS_MAX, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(&p.f, AT_RET), WASI_IOVECS_MAX);
    assert_int_equal(CALL(&p.f, "fd_write", FD_OPENED, AT_IOVECS, WASI_IOVECS_MAX, AT_RET),
                     WASI_OK);
    assert_int_equal(fake_u32(&p.f, AT_RET), WASI_IOVECS_MAX);
    /* Empty ones may point right behind the memory, but no further; none at all is fine. */
    fake_iovec(&p.f, 0, FAKE_MEMORY_BYTES, 0);
    assert_int_equal(CALL(&p.f, "fd_write", 1, AT_IOVECS, 1, AT_RET), WASI_OK);
    fake_iovec(&p.f, 0, FAKE_MEMORY_BYTES + 1, 0);
    assert_int_equal(CALL(&p.f, "fd_write", 1, AT_IOVECS, 1, AT_RET), WASI_EFAULT);
    assert_int_equal(CALL(&p.f, "fd_write", 1, AT_IOVECS, 0, AT_RET), WASI_OK);
    assert_int_equal(CALL(&p.f, "fd_read", FD_OPENED, AT_IOVECS, 0, AT_RET), WASI_OK);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pointer),   cmocka_unit_test(good_pointers),
        cmocka_unit_test(sizes_too_large), cmocka_unit_test(bad_iovecs),
        cmocka_unit_test(most_iovecs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
