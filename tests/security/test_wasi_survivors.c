/* What a guest did to its WASI state is not there for the next one, and no descriptor of the host
 * stays open: descriptors, their numbers, flags, rights and positions, arguments and variables. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake.h"
#include "preview1/state.h"

#define ROUNDS  20
#define SOCKET  5 /* behind two folders */
#define FDS_MAX 64u

struct place {
    struct fake f;
    char root[64];
    struct wasi_preopen preopens[2];
    int pair[2];
};

static const char *const args[] = {"program", "first"}, *const env[] = {"A=1"};
static const char *const later_args[] = {"other"}, *const later_env[] = {"B=22", "C="};

static struct wasi_preview1_config config_of(struct place *p, bool later)
{
    struct wasi_preview1_config config = fake_config(&p->f);
    config.args = later ? later_args : args;
    config.args_count = later ? ARRAY_COUNT(later_args) : ARRAY_COUNT(args);
    config.env = later ? later_env : env;
    config.env_count = later ? ARRAY_COUNT(later_env) : ARRAY_COUNT(env);
    config.preopens = p->preopens;
    config.preopens_count = 2;
    config.sockets = p->pair;
    config.sockets_count = 1;
    return config;
}

static int setup(void **state)
{
    static struct place place;
    struct place *p = &place;
    memset(p, 0, sizeof *p);
    tree_new(p->root);
    tree_file(p->root, "file", "0123456789");
    tree_folder(p->root, "folder");
    tree_file(p->root, "folder/inner", "x");
    p->preopens[0] = (struct wasi_preopen){tree_open(p->root, "."), "/", false};
    p->preopens[1] = (struct wasi_preopen){tree_open(p->root, "folder"), "/folder", true};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->pair), 0);
    const struct wasi_preview1_config config = config_of(p, false);
    fake_init(&p->f, &config);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    fake_done(&p->f);
    for (int k = 0; k < 2; k++) {
        close(p->preopens[k].fd);
        close(p->pair[k]);
    }
    tree_remove(p->root);
    return 0;
}

static unsigned host_fds(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) count++;
    closedir(d);
    return count;
}

/* Everything that a guest can change; what it opens stays open. */
static void pollute(struct place *p, uint32_t round)
{
    struct fake *f = &p->f;
    uint32_t fd, last = 0;
    for (uint32_t k = 0; k < 20 + round; k++) {
        const char *name = k % 3 ? "file" : "folder";
        uint32_t open_flags = k % 3 ? 0 : OFLAG_DIRECTORY;
        uint64_t rights = k % 3 ? RIGHTS_OF_FILE : RIGHTS_OF_FOLDER;
        uint32_t flags = k % 3 == 1 ? FDFLAG_APPEND : 0;
        assert_int_equal(fake_open(f, 3, name, 0, open_flags, rights, flags, &fd), WASI_OK);
        if (k % 3 == 2) assert_int_equal(CALL(f, "fd_seek", fd, 3, 0, AT_RET), WASI_OK);
        last = fd;
    }
    /* Positions in listings, of its own folders and of those that all instances share. */
    assert_int_equal(CALL(f, "fd_readdir", 3, AT_DATA, 64, 0, AT_RET), WASI_OK);
    assert_int_equal(CALL(f, "fd_readdir", 4, AT_DATA, 64, 0, AT_RET), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", 1, FDFLAG_NONBLOCK), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", SOCKET, FDFLAG_NONBLOCK), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", 3, RIGHT_PATH_OPEN, 0), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", 2, 0, 0), WASI_OK);
    assert_int_equal(CALL(f, "fd_renumber", last, 0), WASI_OK);
    if (round % 2) assert_int_equal(CALL(f, "fd_close", 4), WASI_OK);
    if (round % 3 == 0) assert_int_equal(CALL(f, "fd_renumber", SOCKET, 1), WASI_OK);
    if (round % 5 == 0) assert_int_equal(CALL(f, "fd_close", 3), WASI_OK);
}

static void expect_fd(struct fake *f, uint32_t fd, enum wasi_filetype type, uint64_t rights)
{
    struct wasi_fdstat stat;
    assert_int_equal(CALL(f, "fd_fdstat_get", fd, AT_RET), WASI_OK);
    memcpy(&stat, f->memory + AT_RET, sizeof stat);
    assert_int_equal(stat.filetype, type);
    assert_int_equal(stat.flags, 0);
    assert_int_equal(stat.rights, rights);
}

/* The state of a guest that has done nothing yet. */
static void inspect(struct place *p, bool later)
{
    struct fake *f = &p->f;
    char text[16];
    expect_fd(f, 0, WASI_FILETYPE_UNKNOWN, RIGHTS_OF_STREAM & ~RIGHT_FD_WRITE);
    expect_fd(f, 1, WASI_FILETYPE_CHARACTER_DEVICE, RIGHTS_OF_STREAM & ~RIGHT_FD_READ);
    expect_fd(f, 2, WASI_FILETYPE_UNKNOWN, RIGHTS_OF_STREAM & ~RIGHT_FD_READ);
    expect_fd(f, 3, WASI_FILETYPE_DIRECTORY, RIGHTS_OF_FOLDER);
    expect_fd(f, 4, WASI_FILETYPE_DIRECTORY, RIGHTS_OF_FOLDER);
    expect_fd(f, SOCKET, WASI_FILETYPE_SOCKET_STREAM, RIGHTS_OF_SOCKET);
    for (uint32_t fd = SOCKET + 1; fd < FDS_MAX; fd++)
        assert_int_equal(CALL(f, "fd_fdstat_get", fd, AT_RET), WASI_EBADF);
    for (uint32_t fd = 3; fd < 5; fd++) {
        const char *name = p->preopens[fd - 3].guest_name;
        assert_int_equal(CALL(f, "fd_prestat_get", fd, AT_RET), WASI_OK);
        assert_int_equal(fake_u32(f, AT_RET + 4), strlen(name));
        assert_int_equal(CALL(f, "fd_prestat_dir_name", fd, AT_DATA, strlen(name)), WASI_OK);
        assert_memory_equal(f->memory + AT_DATA, name, strlen(name));
    }
    /* Positions: the listing begins with its first entry, a file with its first byte; the
     * description behind the shared folder has not moved. */
    assert_int_equal(CALL(f, "fd_readdir", 4, AT_DATA, 4096, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 3 * 24 + strlen(".") + strlen("..") + strlen("inner"));
    assert_int_equal(lseek(p->preopens[0].fd, 0, SEEK_CUR), 0);
    assert_int_equal(lseek(p->preopens[1].fd, 0, SEEK_CUR), 0);
    uint32_t fd;
    assert_int_equal(fake_open(f, 3, "file", 0, 0, RIGHTS_OF_FILE, 0, &fd), WASI_OK);
    assert_int_equal(fd, SOCKET + 1);
    expect_fd(f, fd, WASI_FILETYPE_REGULAR_FILE, RIGHTS_OF_FILE);
    assert_int_equal(fake_read(f, fd, 4, text), WASI_OK);
    assert_string_equal(text, "0123");
    /* Read-only as it was granted. */
    assert_int_equal(fake_open(f, 4, "new", 0, OFLAG_CREAT, RIGHTS_OF_FILE, 0, &fd), WASI_EROFS);
    const char *const *list = later ? later_args : args, *const *variables =
                                                             later ? later_env : env;
    assert_int_equal(CALL(f, "args_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), later ? 1 : 2);
    assert_int_equal(CALL(f, "args_get", AT_RET, AT_DATA), WASI_OK);
    assert_string_equal((const char *)f->memory + AT_DATA, list[0]);
    assert_int_equal(CALL(f, "environ_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), later ? 2 : 1);
    assert_int_equal(CALL(f, "environ_get", AT_RET, AT_DATA), WASI_OK);
    assert_string_equal((const char *)f->memory + AT_DATA, variables[0]);
}

static void test_survivors(void **state)
{
    struct place *p = *state;
    struct error err;
    inspect(p, false);
    wasi_preview1_clear(p->f.context.preview1);
    const unsigned before = host_fds();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bool later = round % 2;
        const struct wasi_preview1_config config = config_of(p, later);
        assert_int_equal(wasi_preview1_reuse(p->f.context.preview1, &config, &err), ST_OK);
        inspect(p, later);
        pollute(p, round);
        wasi_preview1_clear(p->f.context.preview1);
        assert_int_equal(host_fds(), before);
        /* Between two guests nothing is granted. */
        for (uint32_t fd = 0; fd < FDS_MAX; fd++)
            assert_int_equal(CALL(&p->f, "fd_fdstat_get", fd, AT_RET), WASI_EBADF);
    }
}

/* The next one gets less than the one before. */
static void test_less(void **state)
{
    struct place *p = *state;
    struct error err;
    pollute(p, 1);
    struct wasi_preview1_config config = fake_config(&p->f);
    config.stdio[0] = config.stdio[2] = (struct wasi_stream){0};
    assert_int_equal(wasi_preview1_reuse(p->f.context.preview1, &config, &err), ST_OK);
    expect_fd(&p->f, 1, WASI_FILETYPE_CHARACTER_DEVICE, RIGHTS_OF_STREAM & ~RIGHT_FD_READ);
    for (uint32_t fd = 0; fd < FDS_MAX; fd++)
        if (fd != 1) assert_int_equal(CALL(&p->f, "fd_fdstat_get", fd, AT_RET), WASI_EBADF);
    assert_int_equal(CALL(&p->f, "args_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&p->f, AT_RET), 0);
    assert_int_equal(CALL(&p->f, "environ_sizes_get", AT_RET, AT_RET2), WASI_OK);
    assert_int_equal(fake_u32(&p->f, AT_RET), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_survivors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_less, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
