/* wasi:filesystem */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"
#include "preview2/filesystem.h"

#define FS(name) "wasi:filesystem/types#[method]descriptor." name
#define ENTRY    "wasi:filesystem/types#[method]directory-entry-stream.read-directory-entry"

static char root[64];
static int root_fd;
static uint32_t folder; /* its handle */

/* ---- a tree ---- */

static void file(const char *name, const char *text)
{
    int fd = openat(root_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void preopen(int fd)
{
    static struct wasi_preopen preopens[1];
    struct wasi_preview2_config config = fake_config();
    preopens[0] = (struct wasi_preopen){.fd = fd, .guest_name = "/data"};
    config.preopens = preopens;
    config.preopens_count = 1;
    fake_config_set(&config);
    OK("wasi:filesystem/preopens#get-directories", AT_RET);
    assert_int_equal(fake_u32(AT_RET + 4), 1);
    uint32_t list = fake_u32(AT_RET);
    folder = fake_u32(list);
    fake_expect_text(list + 4, "/data");
}

static int setup(void **state)
{
    strcpy(root, "/tmp/mayfly-wasi2-XXXXXX");
    if (fake_setup(state) || !mkdtemp(root)) return -1;
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file("hello", "hello world");
    if (mkdirat(root_fd, "sub", 0755)) return -1;
    file("sub/inner", "inner");
    if (symlinkat("hello", root_fd, "link") || symlinkat("/etc/passwd", root_fd, "absolute") ||
        symlinkat("../../../etc", root_fd, "up") || symlinkat("\xff", root_fd, "bad-link") ||
        mkfifoat(root_fd, "fifo", 0644))
        return -1;
    preopen(root_fd);
    return 0;
}

static int remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type,
                      UNUSED struct FTW *at)
{
    return remove(path);
}

static int teardown(void **state)
{
    close(root_fd);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return fake_teardown(state);
}

/* ---- shorthands ---- */

static void expect_error(uint32_t payload, enum filesystem_error e)
{
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + payload), e);
}

static void call_open(uint32_t from, const char *path, uint32_t follow, uint32_t open_flags,
                      uint32_t flags)
{
    uint32_t size = fake_text(AT_TEXT, path);
    OK(FS("open-at"), from, follow, AT_TEXT, size, open_flags, flags, AT_RET);
}

static uint32_t opened(const char *path)
{
    call_open(folder, path, 1, 0, 1);
    assert_int_equal(fake_u8(AT_RET), 0);
    return fake_u32(AT_RET + 4);
}

static void expect_open_error(const char *path, enum filesystem_error e)
{
    call_open(folder, path, 1, 0, 1);
    expect_error(4, e);
}

/* ---- paths ---- */

static void test_open(void **state)
{
    (void)state;
    uint32_t sub = opened("sub");
    call_open(sub, "inner", 0, 0, 1);
    assert_int_equal(fake_u8(AT_RET), 0);
    (void)opened("link");
    (void)opened("./sub/../hello");
    call_open(folder, "link", 0, 0, 1);
    expect_error(4, FILESYSTEM_LOOP);
    call_open(folder, "hello", 0, 2, 1);
    expect_error(4, FILESYSTEM_NOT_DIRECTORY);
    call_open(opened("hello"), "x", 0, 0, 1);
    expect_error(4, FILESYSTEM_NOT_DIRECTORY);
    expect_open_error("nothing", FILESYSTEM_NO_ENTRY);
    expect_open_error("", FILESYSTEM_NO_ENTRY);
    expect_open_error("fifo", FILESYSTEM_UNSUPPORTED);
}

static void test_nothing_leads_out(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",         "/etc/passwd", "..",        "../x",
                                        "sub/../..", "absolute",    "up/passwd", "sub/../../tmp"};
    for (size_t k = 0; k < ARRAY_COUNT(paths); k++)
        expect_open_error(paths[k], FILESYSTEM_NOT_PERMITTED);
    OK(FS("stat-at"), folder, 1, AT_TEXT, fake_text(AT_TEXT, "../hello"), AT_RET);
    expect_error(8, FILESYSTEM_NOT_PERMITTED);
    OK(FS("readlink-at"), folder, AT_TEXT, fake_text(AT_TEXT, "absolute"), AT_RET);
    expect_error(4, FILESYSTEM_NOT_PERMITTED);
}

static void test_bad_paths(void **state)
{
    (void)state;
    static char longest[WASI_PATH_BYTES_MAX + 1];
    memset(longest, 'x', WASI_PATH_BYTES_MAX);
    expect_open_error(longest, FILESYSTEM_NAME_TOO_LONG);
    longest[WASI_PATH_BYTES_MAX - 1] = '\0';
    expect_open_error(longest, FILESYSTEM_NAME_TOO_LONG); /* the kernel's word on one name */
    fake_put(AT_TEXT, "hello\0x", 7);
    OK(FS("open-at"), folder, 0, AT_TEXT, 7, 0, 1, AT_RET);
    expect_error(4, FILESYSTEM_INVALID);
    fake_put(AT_TEXT, "hell\xff", 5);
    TRAPS(FS("open-at"), folder, 0, AT_TEXT, 5, 0, 1, AT_RET);
    TRAPS(FS("open-at"), folder, 0, AT_TEXT, UINT32_MAX, 0, 1, AT_RET);
    TRAPS(FS("open-at"), folder + 1, 0, AT_TEXT, 4, 0, 1, AT_RET);
    TRAPS(FS("stat-at"), folder, 0, AT_TEXT, 4, AT_RET + 4);
}

static void test_everything_is_read_only(void **state)
{
    (void)state;
    uint32_t size = fake_text(AT_TEXT, "new"), hello = opened("hello");
    static const uint32_t create[][2] = {{1, 1}, {8, 1}, {0, 2}, {0, 3}, {5, 1}};
    for (size_t k = 0; k < ARRAY_COUNT(create); k++) {
        call_open(folder, "hello", 0, create[k][0], create[k][1]);
        expect_error(4, FILESYSTEM_READ_ONLY);
    }
    static const char *const changes[] = {FS("create-directory-at"), FS("remove-directory-at"),
                                          FS("unlink-file-at")};
    for (size_t k = 0; k < ARRAY_COUNT(changes); k++) {
        OK(changes[k], folder, AT_TEXT, size, AT_RET);
        expect_error(1, FILESYSTEM_READ_ONLY);
        TRAPS(changes[k], folder, AT_TEXT, UINT32_MAX, AT_RET);
        TRAPS(changes[k], 0, AT_TEXT, size, AT_RET);
    }
    OK(FS("rename-at"), folder, AT_TEXT, size, folder, AT_TEXT, size, AT_RET);
    expect_error(1, FILESYSTEM_READ_ONLY);
    TRAPS(FS("rename-at"), folder, AT_TEXT, size, 99, AT_TEXT, size, AT_RET);
    OK(FS("link-at"), folder, 0, AT_TEXT, size, folder, AT_TEXT, size, AT_RET);
    expect_error(1, FILESYSTEM_READ_ONLY);
    OK(FS("symlink-at"), folder, AT_TEXT, size, AT_TEXT, size, AT_RET);
    expect_error(1, FILESYSTEM_READ_ONLY);
    OK(FS("set-times-at"), folder, 0, AT_TEXT, size, 1, 0, 0, 2, 5, 5, AT_RET);
    expect_error(1, FILESYSTEM_READ_ONLY);
    TRAPS(FS("set-times-at"), folder, 0, AT_TEXT, size, 3, 0, 0, 2, 5, 5, AT_RET);
    OK(FS("set-times"), hello, 0, 0, 0, 0, 0, 0, AT_RET);
    expect_error(1, FILESYSTEM_READ_ONLY);
    TRAPS(FS("set-times"), hello, 0, 0, 0, 3, 0, 0, AT_RET);
    OK(FS("set-size"), hello, 0, AT_RET);
    expect_error(1, FILESYSTEM_BAD_DESCRIPTOR);
    OK(FS("write"), hello, AT_DATA, 5, 0, AT_RET);
    expect_error(8, FILESYSTEM_BAD_DESCRIPTOR);
    TRAPS(FS("write"), hello, AT_DATA, UINT32_MAX, 0, AT_RET);
    OK(FS("write-via-stream"), hello, 0, AT_RET);
    expect_error(4, FILESYSTEM_BAD_DESCRIPTOR);
    OK(FS("append-via-stream"), folder, AT_RET);
    expect_error(4, FILESYSTEM_IS_DIRECTORY);
    struct stat st;
    assert_int_equal(fstatat(root_fd, "new", &st, 0), -1);
}

/* ---- contents ---- */

static void test_read(void **state)
{
    (void)state;
    uint32_t hello = opened("hello");
    OK(FS("read"), hello, 5, 6, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    fake_expect_text(AT_RET + 4, "world");
    assert_int_equal(fake_u8(AT_RET + 12), 0);
    OK(FS("read"), hello, 5, 11, AT_RET);
    fake_expect_text(AT_RET + 4, "");
    assert_int_equal(fake_u8(AT_RET + 12), 1);
    OK(FS("read"), hello, 0, 0, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 12), 0);
    OK(FS("read"), hello, UINT64_MAX, 0, AT_RET);
    fake_expect_text(AT_RET + 4, "hello world");
    OK(FS("read"), hello, 5, UINT64_MAX, AT_RET);
    expect_error(4, FILESYSTEM_INVALID);
    OK(FS("read"), folder, 5, 0, AT_RET);
    expect_error(4, FILESYSTEM_IS_DIRECTORY);
}

static void test_read_via_stream(void **state)
{
    (void)state;
    uint32_t hello = opened("hello");
    OK(FS("read-via-stream"), hello, 6, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    uint32_t in = fake_u32(AT_RET + 4);
    assert_true(fake_drop(hello)); /* the stream goes on */
#define IN(name) "wasi:io/streams#[method]input-stream." name
    OK(IN("read"), in, 3, AT_RET);
    fake_expect_text(AT_RET + 4, "wor");
    OK(IN("subscribe"), in);
    OK("wasi:io/poll#[method]pollable.block", fake_result.i32);
    OK(IN("blocking-read"), in, 99, AT_RET);
    fake_expect_text(AT_RET + 4, "ld");
    OK(IN("blocking-read"), in, 99, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 4), 1);
    OK(FS("read-via-stream"), folder, 0, AT_RET);
    expect_error(4, FILESYSTEM_IS_DIRECTORY);
    /* A failure tells its code. */
    OK(FS("read-via-stream"), opened("hello"), UINT64_MAX, AT_RET);
    OK(IN("read"), fake_u32(AT_RET + 4), 1, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 4), 0);
    uint32_t error = fake_u32(AT_RET + 8);
    OK("wasi:filesystem/types#filesystem-error-code", error, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 1);
    assert_int_equal(fake_u8(AT_RET + 1), FILESYSTEM_INVALID);
    OK("wasi:io/error#[method]error.to-debug-string", error, AT_RET);
    fake_expect_text(AT_RET, "reading a file: invalid");
}

static void test_readlink(void **state)
{
    (void)state;
    OK(FS("readlink-at"), folder, AT_TEXT, fake_text(AT_TEXT, "link"), AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    fake_expect_text(AT_RET + 4, "hello");
    OK(FS("readlink-at"), folder, AT_TEXT, fake_text(AT_TEXT, "hello"), AT_RET);
    expect_error(4, FILESYSTEM_INVALID);
    OK(FS("readlink-at"), folder, AT_TEXT, fake_text(AT_TEXT, "bad-link"), AT_RET);
    expect_error(4, FILESYSTEM_ILLEGAL_BYTE_SEQUENCE);
}

/* ---- metadata ---- */

static void test_stat(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(fstatat(root_fd, "hello", &st, 0), 0);
    OK(FS("stat"), opened("hello"), AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    assert_int_equal(fake_u8(AT_RET + 8), DESCRIPTOR_REGULAR_FILE);
    assert_true(fake_u64(AT_RET + 16) == 1);
    assert_true(fake_u64(AT_RET + 24) == 11);
    assert_int_equal(fake_u8(AT_RET + 56), 1);
    assert_true(fake_u64(AT_RET + 64) == (uint64_t)st.st_mtim.tv_sec);
    assert_int_equal(fake_u32(AT_RET + 72), st.st_mtim.tv_nsec);
    OK(FS("stat-at"), folder, 0, AT_TEXT, fake_text(AT_TEXT, "link"), AT_RET);
    assert_int_equal(fake_u8(AT_RET + 8), DESCRIPTOR_SYMBOLIC_LINK);
    OK(FS("stat-at"), folder, 1, AT_TEXT, fake_text(AT_TEXT, "link"), AT_RET);
    assert_int_equal(fake_u8(AT_RET + 8), DESCRIPTOR_REGULAR_FILE);
    OK(FS("stat-at"), folder, 0, AT_TEXT, fake_text(AT_TEXT, "fifo"), AT_RET);
    assert_int_equal(fake_u8(AT_RET + 8), DESCRIPTOR_FIFO);
    const struct timespec old[2] = {{-5, 0}, {-5, 0}};
    assert_int_equal(utimensat(root_fd, "hello", old, 0), 0);
    OK(FS("stat-at"), folder, 0, AT_TEXT, fake_text(AT_TEXT, "hello"), AT_RET);
    assert_int_equal(fake_u8(AT_RET + 56), 0);
}

static void test_identity(void **state)
{
    (void)state;
    uint32_t hello = opened("hello"), same = opened("link"), other = opened("sub/inner");
    OK(FS("is-same-object"), hello, same);
    assert_int_equal(fake_result.i32, 1);
    OK(FS("is-same-object"), hello, other);
    assert_int_equal(fake_result.i32, 0);
    TRAPS(FS("is-same-object"), hello, 99);
    OK(FS("metadata-hash"), hello, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    uint64_t lower = fake_u64(AT_RET + 8), upper = fake_u64(AT_RET + 16);
    OK(FS("metadata-hash-at"), folder, 1, AT_TEXT, fake_text(AT_TEXT, "link"), AT_RET);
    assert_true(fake_u64(AT_RET + 8) == lower && fake_u64(AT_RET + 16) == upper);
    OK(FS("metadata-hash"), other, AT_RET);
    assert_true(fake_u64(AT_RET + 8) != lower && fake_u64(AT_RET + 16) != upper);
    assert_int_equal(utimensat(root_fd, "hello", (struct timespec[2]){{5, 0}, {5, 0}}, 0), 0);
    OK(FS("metadata-hash"), hello, AT_RET);
    assert_true(fake_u64(AT_RET + 8) == lower && fake_u64(AT_RET + 16) != upper);
}

static void test_small(void **state)
{
    (void)state;
    uint32_t hello = opened("hello");
    OK(FS("get-type"), hello, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 1), DESCRIPTOR_REGULAR_FILE);
    OK(FS("get-type"), folder, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 1), DESCRIPTOR_DIRECTORY);
    OK(FS("get-flags"), hello, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 1), 1);
    OK(FS("sync"), hello, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK(FS("sync-data"), hello, AT_RET);
    OK(FS("advise"), hello, 0, 5, 5, AT_RET);
    TRAPS(FS("advise"), hello, 0, 5, 6, AT_RET);
    TRAPS(FS("get-type"), 0, AT_RET);
}

/* ---- folders ---- */

static void test_entries(void **state)
{
    (void)state;
    char names[512] = "";
    OK(FS("read-directory"), folder, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    uint32_t entries = fake_u32(AT_RET + 4);
    unsigned count = 0;
    for (;; count++) {
        OK(ENTRY, entries, AT_RET);
        assert_int_equal(fake_u8(AT_RET), 0);
        if (!fake_u8(AT_RET + 4)) break;
        snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s=%u,",
                 (int)fake_u32(AT_RET + 16), (char *)fake.memory + fake_u32(AT_RET + 12),
                 fake_u8(AT_RET + 8));
    }
    assert_int_equal(count, 7);
    assert_non_null(strstr(names, "hello=6,"));
    assert_non_null(strstr(names, "sub=3,"));
    assert_non_null(strstr(names, "link=5,"));
    assert_non_null(strstr(names, "fifo=4,"));
    OK(ENTRY, entries, AT_RET);
    assert_int_equal(fake_u8(AT_RET + 4), 0);
    OK(FS("read-directory"), opened("hello"), AT_RET);
    expect_error(4, FILESYSTEM_NOT_DIRECTORY);
    TRAPS(ENTRY, folder, AT_RET);
}

static void test_many_entries(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 300; k++) {
        char name[32];
        snprintf(name, sizeof name, "sub/file-%u", k);
        file(name, "");
    }
    file("sub/\xff", "");
    OK(FS("read-directory"), opened("sub"), AT_RET);
    uint32_t entries = fake_u32(AT_RET + 4);
    unsigned count = 0, bad = 0;
    for (;;) {
        OK(ENTRY, entries, AT_RET);
        if (fake_u8(AT_RET)) {
            expect_error(4, FILESYSTEM_ILLEGAL_BYTE_SEQUENCE);
            bad++;
            continue;
        }
        if (!fake_u8(AT_RET + 4)) break;
        count++;
    }
    assert_int_equal(count, 301);
    assert_int_equal(bad, 1);
}

/* ---- limits ---- */

static unsigned host_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 3000; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_descriptors_limit(void **state)
{
    (void)state;
    unsigned before = host_descriptors();
    for (unsigned k = 1; k < WASI_DESCRIPTORS_MAX; k++) {
        call_open(folder, "hello", 0, 0, 1);
        /* The host may give fewer. */
        if (fake_u8(AT_RET)) break;
    }
    expect_open_error("hello", FILESYSTEM_INSUFFICIENT_MEMORY);
    OK(FS("read-directory"), folder, AT_RET);
    expect_error(4, FILESYSTEM_INSUFFICIENT_MEMORY);
    fake_config_set(&(struct wasi_preview2_config){0});
    assert_int_equal(host_descriptors(), before);
    assert_int_equal(fake.state->descriptors_count, 0);
}

/* Preopened folders may be pointed at only. */
static void test_path_descriptor(void **state)
{
    (void)state;
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    preopen(fd);
    (void)opened("sub/inner");
    OK(FS("read-directory"), folder, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    OK(FS("stat"), folder, AT_RET);
    assert_int_equal(fake_u8(AT_RET), 0);
    fake_config_set(&(struct wasi_preview2_config){0});
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_open),
        TEST(test_nothing_leads_out),
        TEST(test_bad_paths),
        TEST(test_everything_is_read_only),
        TEST(test_read),
        TEST(test_read_via_stream),
        TEST(test_readlink),
        TEST(test_stat),
        TEST(test_identity),
        TEST(test_small),
        TEST(test_entries),
        TEST(test_many_entries),
        TEST(test_descriptors_limit),
        TEST(test_path_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
