/* Files and folders through descriptors: flags, rights, offsets, sizes, times, listing. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"

#define READ_WRITE (RIGHTS_OF_FILE)

struct place {
    struct fake f;
    char root[64];
    struct wasi_preopen preopens[2];
};

static int setup(void **state)
{
    static struct place place;
    struct place *p = &place;
    memset(p, 0, sizeof *p);
    tree_new(p->root);
    tree_folder(p->root, "folder");
    tree_file(p->root, "file", "0123456789");
    tree_link(p->root, "link", "file");
    p->preopens[0] = (struct wasi_preopen){tree_open(p->root, "."), "/", false};
    p->preopens[1] = (struct wasi_preopen){tree_open(p->root, "."), "/ro", true};
    struct wasi_preview1_config config = fake_config(&p->f);
    config.preopens = p->preopens;
    config.preopens_count = 2;
    fake_init(&p->f, &config);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    fake_done(&p->f);
    close(p->preopens[0].fd);
    close(p->preopens[1].fd);
    tree_remove(p->root);
    return 0;
}

static uint32_t open_file(struct fake *f, const char *name, uint32_t flags, uint32_t fd_flags)
{
    uint32_t fd = 0;
    assert_int_equal(fake_open(f, 3, name, 0, flags, READ_WRITE, fd_flags, &fd), WASI_OK);
    return fd;
}

static uint64_t size_of(struct fake *f, uint32_t fd)
{
    assert_int_equal(CALL(f, "fd_filestat_get", fd, AT_RET), WASI_OK);
    return fake_u64(f, AT_RET + 32);
}

static void preopens_have_names(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    assert_int_equal(CALL(f, "fd_prestat_get", 3, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), PREOPENTYPE_DIR);
    assert_int_equal(fake_u32(f, AT_RET + 4), 1);
    assert_int_equal(CALL(f, "fd_prestat_get", 4, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET + 4), 3);
    assert_int_equal(CALL(f, "fd_prestat_dir_name", 4, AT_DATA, 3), WASI_OK);
    assert_memory_equal(f->memory + AT_DATA, "/ro", 3);
    assert_int_equal(CALL(f, "fd_prestat_dir_name", 4, AT_DATA, 2), WASI_ENAMETOOLONG);
    assert_int_equal(CALL(f, "fd_prestat_get", 5, AT_RET), WASI_EBADF);
    assert_int_equal(CALL(f, "fd_prestat_get", 1, AT_RET), WASI_EBADF);
    assert_int_equal(CALL(f, "fd_fdstat_get", 3, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET], WASI_FILETYPE_DIRECTORY);
}

static void open_flags(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint32_t fd;
    static const struct {
        const char *path;
        uint32_t flags, expected;
        uint64_t rights;
    } rows[] = {
        {"missing", 0, WASI_ENOENT, RIGHT_FD_READ},
        {"file", 0, WASI_OK, RIGHT_FD_READ},
        {"file", OFLAG_CREAT, WASI_OK, RIGHT_FD_READ},
        {"file", OFLAG_CREAT | OFLAG_EXCL, WASI_EEXIST, RIGHT_FD_READ},
        {"link", OFLAG_CREAT | OFLAG_EXCL, WASI_EEXIST, RIGHT_FD_READ},
        {"link", 0, WASI_ELOOP, RIGHT_FD_READ},
        {"file", OFLAG_DIRECTORY, WASI_ENOTDIR, RIGHT_FD_READ},
        {"folder", OFLAG_DIRECTORY, WASI_OK, RIGHTS_OF_FOLDER},
        {"folder", OFLAG_DIRECTORY, WASI_OK, RIGHTS_ALL & ~RIGHT_FD_WRITE},
        {"folder", OFLAG_DIRECTORY, WASI_EISDIR, RIGHT_FD_READ | RIGHT_FD_WRITE},
        {"folder", OFLAG_DIRECTORY, WASI_OK, 0},
        {"folder", 0, WASI_OK, RIGHT_FD_READ},
        {"folder", 0, WASI_EISDIR, RIGHT_FD_READ | RIGHT_FD_WRITE},
        {"folder", OFLAG_CREAT, WASI_EISDIR, RIGHT_FD_READ},
        {"folder/new/", OFLAG_CREAT, WASI_EISDIR, RIGHT_FD_WRITE},
        {"file/", 0, WASI_ENOTDIR, RIGHT_FD_READ},
        {"file/.", 0, WASI_ENOTDIR, RIGHT_FD_READ},
        {"new", OFLAG_CREAT | OFLAG_DIRECTORY, WASI_EINVAL, RIGHT_FD_READ},
        {"new", OFLAG_CREAT | OFLAG_EXCL, WASI_OK, RIGHT_FD_WRITE},
        {"file", 16, WASI_EINVAL, RIGHT_FD_READ},
        {"", 0, WASI_ENOENT, RIGHT_FD_READ},
        {".", OFLAG_DIRECTORY, WASI_OK, RIGHTS_OF_FOLDER},
        {"file", OFLAG_TRUNC, WASI_OK, RIGHT_FD_WRITE},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        uint32_t e = fake_open(f, 3, rows[k].path, 0, rows[k].flags, rows[k].rights, 0, &fd);
        if (e != rows[k].expected) fail_msg("row %zu \"%s\": errno %u", k, rows[k].path, e);
        if (!e) assert_int_equal(CALL(f, "fd_close", fd), WASI_OK);
    }
    fd = open_file(f, "file", 0, 0);
    assert_int_equal(size_of(f, fd), 0);
    assert_int_equal(fake_open(f, 3, "file", 0, 0, RIGHT_FD_READ, 32, &fd), WASI_EINVAL);
    assert_int_equal(fake_open(f, fd, "file", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_ENOTDIR);
    assert_int_equal(fake_open(f, 1, "file", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_ENOTDIR);
    assert_int_equal(fake_open(f, 3, "link", LOOKUP_SYMLINK_FOLLOW, 0, RIGHT_FD_READ, 0, &fd),
                     WASI_OK);
}

static void reading_and_writing(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    char text[64];
    uint32_t fd = open_file(f, "file", 0, 0);
    assert_int_equal(fake_read(f, fd, 4, text), WASI_OK);
    assert_string_equal(text, "0123");
    assert_int_equal(fake_write(f, fd, "ABC"), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 3);
    assert_int_equal(CALL(f, "fd_tell", fd, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 7);
    fake_iovec(f, 0, AT_DATA, 2);
    fake_iovec(f, 1, AT_DATA + 2, 20);
    assert_int_equal(CALL(f, "fd_pread", fd, AT_IOVECS, 2, 3, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 7);
    assert_memory_equal(f->memory + AT_DATA, "3ABC789", 7);
    assert_int_equal(CALL(f, "fd_pwrite", fd, AT_IOVECS, 1, 8, AT_RET), WASI_OK);
    assert_int_equal(CALL(f, "fd_tell", fd, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 7);
    assert_int_equal(fake_read(f, fd, 10, text), WASI_OK);
    assert_string_equal(text, "73A");
    assert_int_equal(fake_read(f, fd, 10, text), WASI_OK);
    assert_string_equal(text, "");
    assert_int_equal(CALL(f, "fd_pread", fd, AT_IOVECS, 1, 1ull << 63, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_pwrite", fd, AT_IOVECS, 1, UINT64_MAX, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_pread", 0, AT_IOVECS, 1, 0, AT_RET), WASI_ESPIPE);
    assert_int_equal(CALL(f, "fd_pread", 3, AT_IOVECS, 1, 0, AT_RET), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_read", 3, AT_IOVECS, 1, AT_RET), WASI_ENOTCAPABLE);
}

static void seeking(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint32_t fd = open_file(f, "file", 0, 0);
    static const struct {
        int64_t delta;
        uint32_t whence, expected;
        uint64_t at;
    } rows[] = {
        {4, WHENCE_SET, WASI_OK, 4},
        {2, WHENCE_CUR, WASI_OK, 6},
        {-5, WHENCE_CUR, WASI_OK, 1},
        {-2, WHENCE_CUR, WASI_EINVAL, 1},
        {-3, WHENCE_END, WASI_OK, 7},
        {100, WHENCE_END, WASI_OK, 110},
        {-11, WHENCE_END, WASI_EINVAL, 110},
        {-1, WHENCE_SET, WASI_EINVAL, 110},
        {INT64_MAX, WHENCE_CUR, WASI_EOVERFLOW, 110},
        {INT64_MIN, WHENCE_CUR, WASI_EINVAL, 110},
        {0, 3, WASI_EINVAL, 110},
        {0, UINT32_MAX, WASI_EINVAL, 110},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        uint32_t e = CALL(f, "fd_seek", fd, (uint64_t)rows[k].delta, rows[k].whence, AT_RET2);
        /* The kernel's word for an offset too large is one of two. */
        if (e == WASI_EINVAL && rows[k].expected == WASI_EOVERFLOW) e = WASI_EOVERFLOW;
        if (e != rows[k].expected) fail_msg("row %zu: errno %u", k, e);
        assert_int_equal(CALL(f, "fd_tell", fd, AT_RET), WASI_OK);
        assert_int_equal(fake_u64(f, AT_RET), rows[k].at);
    }
    assert_int_equal(CALL(f, "fd_seek", 1, 0, WHENCE_CUR, AT_RET), WASI_ESPIPE);
    assert_int_equal(CALL(f, "fd_tell", 0, AT_RET), WASI_ESPIPE);
    assert_int_equal(CALL(f, "fd_seek", 3, 0, WHENCE_CUR, AT_RET), WASI_ENOTCAPABLE);
}

static void appending(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    char text[64];
    uint32_t fd = open_file(f, "file", 0, FDFLAG_APPEND);
    assert_int_equal(CALL(f, "fd_seek", fd, 0, WHENCE_SET, AT_RET), WASI_OK);
    assert_int_equal(fake_write(f, fd, "+"), WASI_OK);
    assert_int_equal(CALL(f, "fd_tell", fd, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET), 11);
    assert_int_equal(CALL(f, "fd_fdstat_get", fd, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET], WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(f->memory[AT_RET + 2], FDFLAG_APPEND);
    /* The flag can be taken away, and set. */
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", fd, 0), WASI_OK);
    assert_int_equal(CALL(f, "fd_seek", fd, 0, WHENCE_SET, AT_RET), WASI_OK);
    assert_int_equal(fake_write(f, fd, "-"), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", fd, FDFLAG_APPEND), WASI_OK);
    assert_int_equal(fake_write(f, fd, "++"), WASI_OK);
    assert_int_equal(CALL(f, "fd_seek", fd, 0, WHENCE_SET, AT_RET), WASI_OK);
    assert_int_equal(fake_read(f, fd, 60, text), WASI_OK);
    assert_string_equal(text, "-123456789+++");
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", fd, FDFLAG_SYNC), WASI_ENOTSUP);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", fd, 32), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", 1, FDFLAG_APPEND), WASI_ENOTSUP);
    uint32_t sync = open_file(f, "file", 0, FDFLAG_SYNC | FDFLAG_DSYNC | FDFLAG_RSYNC);
    assert_int_equal(fake_write(f, sync, "s"), WASI_OK);
}

static void rights_only_shrink(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    char text[64];
    uint32_t fd = open_file(f, "file", 0, 0);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, RIGHTS_ALL, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, 0, 1), WASI_ENOTCAPABLE);
    uint64_t less = RIGHTS_OF_FILE & ~RIGHT_FD_WRITE & ~RIGHT_FD_SEEK;
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, less, 0), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_get", fd, AT_RET), WASI_OK);
    assert_true(fake_u64(f, AT_RET + 8) == less);
    assert_int_equal(fake_write(f, fd, "x"), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_seek", fd, 1, WHENCE_SET, AT_RET), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_seek", fd, 0, WHENCE_CUR, AT_RET), WASI_OK); /* a tell */
    assert_int_equal(CALL(f, "fd_pread", fd, AT_IOVECS, 0, 0, AT_RET), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, RIGHTS_OF_FILE, 0), WASI_ENOTCAPABLE);
    assert_int_equal(fake_read(f, fd, 1, text), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, 0, 0), WASI_OK);
    static const char *const one[] = {"fd_sync", "fd_datasync"};
    for (size_t k = 0; k < ARRAY_COUNT(one); k++)
        assert_int_equal(CALL(f, one[k], fd), WASI_ENOTCAPABLE);
    assert_int_equal(fake_read(f, fd, 1, text), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_tell", fd, AT_RET), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_advise", fd, 0, 0, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_allocate", fd, 0, 1), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", fd, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_filestat_get", fd, AT_RET), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_filestat_set_size", fd, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_filestat_set_times", fd, 0, 0, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_close", fd), WASI_OK);
}

/* Each path function needs its right on the folder, one by one. */
static void rights_of_folders(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    static const struct {
        uint64_t right;
        const char *name;
        size_t count;
        uint64_t parameters[9];
    } rows[] = {
        {RIGHT_PATH_OPEN, "path_open", 9, {5, 0, AT_PATH, 4, 0, RIGHT_FD_READ, 0, 0, AT_RET}},
        {RIGHT_PATH_CREATE_FILE,
         "path_open",
         9,
         {5, 0, AT_PATH, 4, OFLAG_CREAT, RIGHT_FD_READ, 0, 0, AT_RET}},
        {RIGHT_PATH_FILESTAT_SET_SIZE,
         "path_open",
         9,
         {5, 0, AT_PATH, 4, OFLAG_TRUNC, RIGHT_FD_WRITE, 0, 0, AT_RET}},
        {RIGHT_PATH_CREATE_DIRECTORY, "path_create_directory", 3, {5, AT_PATH, 4}},
        {RIGHT_PATH_REMOVE_DIRECTORY, "path_remove_directory", 3, {5, AT_PATH, 4}},
        {RIGHT_PATH_UNLINK_FILE, "path_unlink_file", 3, {5, AT_PATH, 4}},
        {RIGHT_PATH_LINK_SOURCE, "path_link", 7, {5, 0, AT_PATH, 4, 3, AT_PATH, 4}},
        {RIGHT_PATH_LINK_TARGET, "path_link", 7, {3, 0, AT_PATH, 4, 5, AT_PATH, 4}},
        {RIGHT_PATH_RENAME_SOURCE, "path_rename", 6, {5, AT_PATH, 4, 3, AT_PATH, 4}},
        {RIGHT_PATH_RENAME_TARGET, "path_rename", 6, {3, AT_PATH, 4, 5, AT_PATH, 4}},
        {RIGHT_PATH_READLINK, "path_readlink", 6, {5, AT_PATH, 4, AT_DATA, 9, AT_RET}},
        {RIGHT_PATH_SYMLINK, "path_symlink", 5, {AT_PATH, 4, 5, AT_PATH, 4}},
        {RIGHT_PATH_FILESTAT_GET, "path_filestat_get", 5, {5, 0, AT_PATH, 4, AT_RET}},
        {RIGHT_PATH_FILESTAT_SET_TIMES, "path_filestat_set_times", 7, {5, 0, AT_PATH, 4, 0, 0, 0}},
        {RIGHT_FD_READDIR, "fd_readdir", 5, {5, AT_DATA, 100, 0, AT_RET}},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        uint32_t fd;
        assert_int_equal(fake_open(f, 3, ".", 0, OFLAG_DIRECTORY, RIGHTS_OF_FOLDER, 0, &fd),
                         WASI_OK);
        assert_int_equal(fd, 5);
        uint64_t rest = RIGHTS_OF_FOLDER & ~rows[k].right;
        assert_int_equal(CALL(f, "fd_fdstat_set_rights", 5, rest, RIGHTS_ALL), WASI_OK);
        fake_text(f, AT_PATH, "file");
        uint32_t e = fake_call(f, rows[k].name, rows[k].count, rows[k].parameters);
        if (e != WASI_ENOTCAPABLE) fail_msg("%s: errno %u", rows[k].name, e);
        assert_int_equal(CALL(f, "fd_close", 5), WASI_OK);
    }
    /* What a folder does not hand down cannot be asked for beneath it. */
    uint32_t fd, below;
    assert_int_equal(fake_open(f, 3, ".", 0, OFLAG_DIRECTORY, RIGHTS_OF_FOLDER, 0, &fd), WASI_OK);
    assert_int_equal(CALL(f, "fd_fdstat_set_rights", fd, RIGHTS_OF_FOLDER, RIGHT_FD_READ), WASI_OK);
    fake_text(f, AT_PATH, "file");
    assert_int_equal(CALL(f, "path_open", fd, 0, AT_PATH, 4, 0, RIGHT_FD_WRITE, 0, 0, AT_RET),
                     WASI_ENOTCAPABLE);
    assert_int_equal(
        CALL(f, "path_open", fd, 0, AT_PATH, 4, 0, RIGHT_FD_READ, RIGHT_FD_WRITE, 0, AT_RET),
        WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "path_open", fd, 0, AT_PATH, 4, 0, RIGHT_FD_READ, 0, 0, AT_RET),
                     WASI_OK);
    below = fake_u32(f, AT_RET);
    assert_int_equal(fake_write(f, below, "x"), WASI_ENOTCAPABLE);
}

static void read_only_folders(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint32_t fd, folder;
    char text[16];
    static const struct {
        const char *name;
        size_t count;
        uint64_t parameters[9];
    } rows[] = {
        {"path_create_directory", 3, {4, AT_PATH, 4}},
        {"path_remove_directory", 3, {4, AT_PATH, 4}},
        {"path_unlink_file", 3, {4, AT_PATH, 4}},
        {"path_link", 7, {4, 0, AT_PATH, 4, 3, AT_PATH, 4}},
        {"path_link", 7, {3, 0, AT_PATH, 4, 4, AT_PATH, 4}},
        {"path_rename", 6, {4, AT_PATH, 4, 3, AT_PATH, 4}},
        {"path_rename", 6, {3, AT_PATH, 4, 4, AT_PATH, 4}},
        {"path_symlink", 5, {AT_PATH, 4, 4, AT_PATH, 4}},
        {"path_filestat_set_times", 7, {4, 0, AT_PATH, 4, 0, 0, 0}},
        {"path_open", 9, {4, 0, AT_PATH, 4, 0, RIGHT_FD_WRITE, 0, 0, AT_RET}},
        {"path_open", 9, {4, 0, AT_PATH, 4, 0, RIGHT_FD_ALLOCATE, 0, 0, AT_RET}},
        {"path_open", 9, {4, 0, AT_PATH, 4, 0, RIGHT_FD_FILESTAT_SET_SIZE, 0, 0, AT_RET}},
        {"path_open", 9, {4, 0, AT_PATH, 4, OFLAG_CREAT, RIGHT_FD_READ, 0, 0, AT_RET}},
        {"path_open", 9, {4, 0, AT_PATH, 4, OFLAG_TRUNC, RIGHT_FD_READ, 0, 0, AT_RET}},
        {"fd_filestat_set_times", 4, {4, 0, 0, 5}},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        fake_text(f, AT_PATH, "file");
        uint32_t e = fake_call(f, rows[k].name, rows[k].count, rows[k].parameters);
        if (e != WASI_EROFS) fail_msg("row %zu %s: errno %u", k, rows[k].name, e);
    }
    /* Reading is fine, and what lies below is as read-only. */
    uint64_t rights = RIGHTS_OF_FILE & ~(RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE);
    rights &= ~RIGHT_FD_FILESTAT_SET_SIZE;
    assert_int_equal(fake_open(f, 4, "file", 0, 0, rights, 0, &fd), WASI_OK);
    assert_int_equal(fake_read(f, fd, 4, text), WASI_OK);
    assert_string_equal(text, "0123");
    assert_int_equal(CALL(f, "fd_filestat_set_times", fd, 0, 0, 5), WASI_EROFS);
    assert_int_equal(fake_open(f, 4, "folder", 0, OFLAG_DIRECTORY, RIGHTS_OF_FOLDER, 0, &folder),
                     WASI_OK);
    assert_int_equal(fake_open(f, folder, "new", 0, OFLAG_CREAT, RIGHT_FD_READ, 0, &fd),
                     WASI_EROFS);
    assert_int_equal(CALL(f, "path_create_directory", folder, AT_PATH, 3), WASI_EROFS);
}

static void sizes_and_space(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint32_t fd = open_file(f, "file", 0, 0);
    assert_int_equal(CALL(f, "fd_filestat_set_size", fd, 4), WASI_OK);
    assert_int_equal(size_of(f, fd), 4);
    assert_int_equal(CALL(f, "fd_filestat_set_size", fd, UINT64_MAX), WASI_EINVAL);
    uint32_t e = CALL(f, "fd_allocate", fd, 0, 5000);
    if (e != WASI_ENOTSUP) {
        assert_int_equal(e, WASI_OK);
        assert_int_equal(size_of(f, fd), 5000);
    }
    assert_int_equal(CALL(f, "fd_allocate", fd, 0, 0), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_allocate", fd, UINT64_MAX, 1), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_allocate", fd, 1, UINT64_MAX), WASI_EINVAL);
    for (uint32_t advice = 0; advice < 6; advice++)
        assert_int_equal(CALL(f, "fd_advise", fd, 0, 100, advice), WASI_OK);
    assert_int_equal(CALL(f, "fd_advise", fd, 0, 100, 6), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_advise", fd, UINT64_MAX, 100, 0), WASI_EINVAL);
    assert_int_equal(CALL(f, "fd_advise", 3, 0, 100, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_sync", fd), WASI_OK);
    assert_int_equal(CALL(f, "fd_datasync", fd), WASI_OK);
    assert_int_equal(CALL(f, "fd_sync", 3), WASI_OK);
    assert_int_equal(CALL(f, "fd_datasync", 3), WASI_OK);
    assert_int_equal(CALL(f, "fd_sync", 1), WASI_ENOTCAPABLE);
    uint32_t reader;
    assert_int_equal(fake_open(f, 3, "file", 0, 0, RIGHT_FD_READ, 0, &reader), WASI_OK);
    assert_int_equal(CALL(f, "fd_filestat_set_size", reader, 1), WASI_ENOTCAPABLE);
}

static void times_and_stat(void **state)
{
    struct place *p = *state;
    struct fake *f = &p->f;
    char name[128];
    struct stat st;
    snprintf(name, sizeof name, "%s/file", p->root);
    uint32_t fd = open_file(f, "file", 0, 0);
    uint64_t second = 1000000000;
    assert_int_equal(CALL(f, "fd_filestat_set_times", fd, 5 * second + 7, 6 * second,
                          FSTFLAG_ATIM | FSTFLAG_MTIM),
                     WASI_OK);
    assert_int_equal(CALL(f, "fd_filestat_get", fd, AT_RET), WASI_OK);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(fake_u64(f, AT_RET), st.st_dev);
    assert_int_equal(fake_u64(f, AT_RET + 8), st.st_ino);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(fake_u64(f, AT_RET + 24), 1);
    assert_int_equal(fake_u64(f, AT_RET + 32), 10);
    assert_int_equal(fake_u64(f, AT_RET + 40), 5 * second + 7);
    assert_int_equal(fake_u64(f, AT_RET + 48), 6 * second);
    /* One alone, and now. */
    uint64_t length = fake_text(f, AT_PATH, "file");
    assert_int_equal(CALL(f, "path_filestat_set_times", 3, 0, AT_PATH, length, 9 * second,
                          9 * second, FSTFLAG_MTIM),
                     WASI_OK);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_atim.tv_sec, 5);
    assert_int_equal(st.st_mtim.tv_sec, 9);
    assert_int_equal(CALL(f, "fd_filestat_set_times", fd, 0, 0, FSTFLAG_MTIM_NOW), WASI_OK);
    assert_int_equal(stat(name, &st), 0);
    assert_true(st.st_mtim.tv_sec > 1000000);
    for (uint32_t flags = 0; flags < 32; flags++) {
        bool bad = flags >= 16 || (flags & 3) == 3 || (flags & 12) == 12;
        assert_int_equal(CALL(f, "fd_filestat_set_times", fd, 1, 1, flags),
                         bad ? WASI_EINVAL : WASI_OK);
        assert_int_equal(CALL(f, "path_filestat_set_times", 3, 0, AT_PATH, length, 1, 1, flags),
                         bad ? WASI_EINVAL : WASI_OK);
    }
    /* A link itself, or what it names. */
    length = fake_text(f, AT_PATH, "link");
    assert_int_equal(CALL(f, "path_filestat_get", 3, 0, AT_PATH, length, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_SYMBOLIC_LINK);
    assert_int_equal(
        CALL(f, "path_filestat_get", 3, LOOKUP_SYMLINK_FOLLOW, AT_PATH, length, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(CALL(f, "path_filestat_set_times", 3, 0, AT_PATH, length, 77 * second,
                          77 * second, FSTFLAG_ATIM | FSTFLAG_MTIM),
                     WASI_OK);
    assert_int_equal(stat(name, &st), 0);
    assert_true(st.st_mtim.tv_sec != 77);
    assert_int_equal(CALL(f, "fd_filestat_get", 1, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_CHARACTER_DEVICE);
    assert_int_equal(CALL(f, "fd_filestat_set_times", 3, 1, 1, FSTFLAG_MTIM), WASI_OK);
}

static void names_of_links(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint64_t length = fake_text(f, AT_PATH, "link");
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 100, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 4);
    assert_memory_equal(f->memory + AT_DATA, "file", 4);
    f->memory[AT_DATA + 2] = '!';
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 2, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 2);
    assert_memory_equal(f->memory + AT_DATA, "fi!", 3);
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 0, AT_RET), WASI_OK);
    length = fake_text(f, AT_PATH, "file");
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 100, AT_RET),
                     WASI_EINVAL);
    length = fake_text(f, AT_PATH, "folder/");
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 100, AT_RET),
                     WASI_EINVAL);
    uint64_t target = fake_text(f, AT_PATH, "folder/../file");
    uint64_t name = fake_text(f, AT_PATH2, "folder/fresh");
    assert_int_equal(CALL(f, "path_symlink", AT_PATH, target, 3, AT_PATH2, name), WASI_OK);
    assert_int_equal(CALL(f, "path_symlink", AT_PATH, target, 3, AT_PATH2, name), WASI_EEXIST);
    assert_int_equal(CALL(f, "path_readlink", 3, AT_PATH2, name, AT_DATA, 100, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), target);
    assert_int_equal(CALL(f, "path_symlink", AT_PATH, 0, 3, AT_PATH2, name), WASI_ENOENT);
    name = fake_text(f, AT_PATH2, "slash/");
    assert_int_equal(CALL(f, "path_symlink", AT_PATH, target, 3, AT_PATH2, name), WASI_ENOENT);
}

static void hard_links(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    uint64_t file = fake_text(f, AT_PATH, "file");
    uint64_t hard = fake_text(f, AT_PATH2, "hard");
    assert_int_equal(CALL(f, "path_link", 3, 0, AT_PATH, file, 3, AT_PATH2, hard), WASI_OK);
    assert_int_equal(CALL(f, "path_filestat_get", 3, 0, AT_PATH2, hard, AT_RET), WASI_OK);
    assert_int_equal(fake_u64(f, AT_RET + 24), 2);
    assert_int_equal(CALL(f, "path_link", 3, 0, AT_PATH, file, 3, AT_PATH2, hard), WASI_EEXIST);
    uint64_t link = fake_text(f, AT_PATH, "link");
    hard = fake_text(f, AT_PATH2, "of-link");
    assert_int_equal(CALL(f, "path_link", 3, 0, AT_PATH, link, 3, AT_PATH2, hard), WASI_OK);
    assert_int_equal(CALL(f, "path_filestat_get", 3, 0, AT_PATH2, hard, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_SYMBOLIC_LINK);
    hard = fake_text(f, AT_PATH2, "followed");
    assert_int_equal(
        CALL(f, "path_link", 3, LOOKUP_SYMLINK_FOLLOW, AT_PATH, link, 3, AT_PATH2, hard), WASI_OK);
    assert_int_equal(CALL(f, "path_filestat_get", 3, 0, AT_PATH2, hard, AT_RET), WASI_OK);
    assert_int_equal(f->memory[AT_RET + 16], WASI_FILETYPE_REGULAR_FILE);
    assert_int_equal(fake_u64(f, AT_RET + 24), 3);
    static const char *const bad[] = {"folder", "folder/", "link/", "file/", "missing", "."};
    for (size_t k = 0; k < ARRAY_COUNT(bad); k++) {
        uint64_t length = fake_text(f, AT_PATH, bad[k]);
        hard = fake_text(f, AT_PATH2, "never");
        assert_true(CALL(f, "path_link", 3, 0, AT_PATH, length, 3, AT_PATH2, hard) != WASI_OK);
    }
    uint64_t length = fake_text(f, AT_PATH, "file");
    hard = fake_text(f, AT_PATH2, "never/");
    assert_int_equal(CALL(f, "path_link", 3, 0, AT_PATH, length, 3, AT_PATH2, hard), WASI_ENOENT);
}

static void moving(void **state)
{
    struct fake *f = &((struct place *)*state)->f;
    static const struct {
        const char *from, *to;
        uint32_t expected;
    } rows[] = {
        {"file", "folder", WASI_EISDIR},       {"folder", "file", WASI_ENOTDIR},
        {"folder", "folder/sub", WASI_EINVAL}, {"file/", "moved", WASI_ENOTDIR},
        {"file", "moved/", WASI_ENOTDIR},      {"missing", "moved", WASI_ENOENT},
        {"file", "missing/x", WASI_ENOENT},    {"file", "file", WASI_OK},
        {"file", "folder/moved", WASI_OK},     {"folder/moved", "link", WASI_OK},
        {"folder/", "other/", WASI_OK},        {"other", "link/x", WASI_ENOTDIR},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        uint64_t from = fake_text(f, AT_PATH, rows[k].from);
        uint64_t to = fake_text(f, AT_PATH2, rows[k].to);
        uint32_t e = CALL(f, "path_rename", 3, AT_PATH, from, 3, AT_PATH2, to);
        if (e != rows[k].expected) fail_msg("%s to %s: errno %u", rows[k].from, rows[k].to, e);
    }
}

/* ---- listing ---- */

struct seen {
    unsigned count, dots;
    uint64_t inode_dot, inode_dotdot;
    uint8_t names[300];
};

/* Reads a folder to its end through a buffer of `size` bytes. */
static void list_all(struct fake *f, uint32_t fd, uint32_t size, struct seen *seen)
{
    uint64_t cookie = 0;
    memset(seen, 0, sizeof *seen);
    for (unsigned rounds = 0; rounds < 10000; rounds++) {
        assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, size, cookie, AT_RET), WASI_OK);
        uint32_t used = fake_u32(f, AT_RET), at = 0;
        assert_true(used <= size);
        unsigned whole = 0;
        while (at + DIRENT_BYTES <= used) {
            uint32_t length = fake_u32(f, AT_DATA + at + 16);
            const char *name = (const char *)f->memory + AT_DATA + at + DIRENT_BYTES;
            if (at + DIRENT_BYTES + length > used) break;
            cookie = fake_u64(f, AT_DATA + at);
            seen->count++;
            whole++;
            if (length == 1 && name[0] == '.') {
                seen->dots++;
                seen->inode_dot = fake_u64(f, AT_DATA + at + 8);
            } else if (length == 2 && memcmp(name, "..", 2) == 0) {
                seen->dots++;
                seen->inode_dotdot = fake_u64(f, AT_DATA + at + 8);
            } else if (length == 9 && memcmp(name, "entry-", 6) == 0) {
                unsigned number;
                assert_int_equal(sscanf(name, "entry-%3u", &number), 1);
                seen->names[number]++;
                assert_int_equal(f->memory[AT_DATA + at + 20], WASI_FILETYPE_REGULAR_FILE);
            }
            at += DIRENT_BYTES + length;
        }
        if (used < size) return;
        assert_true(whole > 0);
    }
    fail_msg("no end");
}

static void listing(void **state)
{
    struct place *p = *state;
    struct fake *f = &p->f;
    char name[64];
    for (unsigned k = 0; k < 300; k++) {
        snprintf(name, sizeof name, "folder/entry-%03u", k);
        tree_file(p->root, name, "");
    }
    uint32_t fd;
    assert_int_equal(fake_open(f, 3, "folder", 0, OFLAG_DIRECTORY, RIGHTS_OF_FOLDER, 0, &fd),
                     WASI_OK);
    static const uint32_t sizes[] = {33, 34, 50, 66, 100, 1000, 4096, 0xd000};
    struct seen seen;
    for (size_t k = 0; k < ARRAY_COUNT(sizes); k++) {
        list_all(f, fd, sizes[k], &seen);
        assert_int_equal(seen.count, 302);
        assert_int_equal(seen.dots, 2);
        for (unsigned n = 0; n < 300; n++) assert_int_equal(seen.names[n], 1);
    }
    assert_true(seen.inode_dot != seen.inode_dotdot);
    /* A preopened folder is its own parent. */
    list_all(f, 3, 4096, &seen);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.inode_dot, seen.inode_dotdot);
    /* From any cookie again, also after changes; and new entries after a rewind. */
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 70, 0, AT_RET), WASI_OK);
    uint64_t second = fake_u64(f, AT_DATA);
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 40, second, AT_RET), WASI_OK);
    uint8_t copy[40];
    memcpy(copy, f->memory + AT_DATA, sizeof copy);
    list_all(f, fd, 1000, &seen);
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 40, second, AT_RET), WASI_OK);
    assert_memory_equal(f->memory + AT_DATA, copy, sizeof copy);
    tree_file(p->root, "folder/added", "");
    list_all(f, fd, 1000, &seen);
    assert_int_equal(seen.count, 303);
    /* Buffers too small for one entry, and for any. */
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 10, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 10);
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 0, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(f, AT_RET), 0);
    assert_int_equal(CALL(f, "fd_readdir", fd, AT_DATA, 100, UINT64_MAX, AT_RET), WASI_EINVAL);
    uint32_t e = CALL(f, "fd_readdir", fd, AT_DATA, 100, 0x7ffffffffffffffeull, AT_RET);
    assert_true(e == WASI_OK || e == WASI_EINVAL);
    uint32_t file = open_file(f, "file", 0, 0);
    assert_int_equal(CALL(f, "fd_readdir", file, AT_DATA, 100, 0, AT_RET), WASI_ENOTDIR);
    assert_int_equal(CALL(f, "fd_readdir", 99, AT_DATA, 100, 0, AT_RET), WASI_EBADF);
}

/* Two instances list one preopened folder in turns: each keeps its own place. */
static void listing_is_not_shared(void **state)
{
    struct place *p = *state;
    struct fake other = {.exit_code = 0};
    struct wasi_preview1_config config = fake_config(&other);
    config.preopens = p->preopens;
    config.preopens_count = 1;
    fake_init(&other, &config);
    uint64_t cookies[2] = {0, 0};
    struct fake *fakes[2] = {&p->f, &other};
    for (unsigned k = 0; k < 10; k++) {
        uint64_t *cookie = &cookies[k % 2];
        assert_int_equal(CALL(fakes[k % 2], "fd_readdir", 3, AT_DATA, 64, *cookie, AT_RET),
                         WASI_OK);
        if (fake_u32(fakes[k % 2], AT_RET) < 24) break;
        *cookie = fake_u64(fakes[k % 2], AT_DATA);
        if (k % 2) assert_int_equal(cookies[0], cookies[1]);
    }
    fake_done(&other);
}

/* Special files below a folder: opening does not hang, and reading waits like any stream. */
static void special_files(void **state)
{
    struct place *p = *state;
    struct fake *f = &p->f;
    char name[128], text[16];
    snprintf(name, sizeof name, "%s/fifo", p->root);
    assert_int_equal(mkfifo(name, 0600), 0);
    uint32_t reader, writer;
    assert_int_equal(fake_open(f, 3, "fifo", 0, 0, RIGHT_FD_WRITE, 0, &writer), WASI_ENXIO);
    assert_int_equal(fake_open(f, 3, "fifo", 0, 0, RIGHT_FD_READ, FDFLAG_NONBLOCK, &reader),
                     WASI_OK);
    assert_int_equal(fake_open(f, 3, "fifo", 0, 0, RIGHT_FD_WRITE, 0, &writer), WASI_OK);
    assert_int_equal(fake_read(f, reader, 10, text), WASI_EAGAIN);
    assert_int_equal(fake_write(f, writer, "through"), WASI_OK);
    assert_int_equal(fake_read(f, reader, 10, text), WASI_OK);
    assert_string_equal(text, "through");
    assert_int_equal(CALL(f, "fd_fdstat_set_flags", reader, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(f, "fd_close", writer), WASI_OK);
    assert_int_equal(fake_read(f, reader, 10, text), WASI_OK);
    assert_string_equal(text, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(preopens_have_names),
        TEST(open_flags),
        TEST(reading_and_writing),
        TEST(seeking),
        TEST(appending),
        TEST(rights_only_shrink),
        TEST(rights_of_folders),
        TEST(read_only_folders),
        TEST(sizes_and_space),
        TEST(times_and_stat),
        TEST(names_of_links),
        TEST(hard_links),
        TEST(moving),
        TEST(listing),
        TEST(listing_is_not_shared),
        TEST(special_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
