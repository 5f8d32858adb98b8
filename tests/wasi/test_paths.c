/* Paths that want out of their folder.
 *
 * The host prepares a folder full of links, and another beside it that no guest may see, change or
 * learn anything of. Each hostile path then goes through every function that takes one. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake.h"

#define FOLLOW LOOKUP_SYMLINK_FOLLOW

/* Of paths that lead out, and the errno of opening them for reading with links followed. "@" in a
 * path stands for the host's path of the granted folder, "%" for 255 times "x". */
static const struct {
    const char *path;
    uint32_t expected;
} hostile[] = {
    /* .. */
    {"..", WASI_EPERM},
    {"../", WASI_EPERM},
    {"../outside", WASI_EPERM},
    {"../outside/secret", WASI_EPERM},
    {"../root/inside", WASI_EPERM},
    {"./../outside/secret", WASI_EPERM},
    {"folder/../../outside/secret", WASI_EPERM},
    {"folder/sub/../../../outside/secret", WASI_EPERM},
    {"folder/./sub/.././../../outside/secret", WASI_EPERM},
    {"folder//..//..//outside//secret", WASI_EPERM},
    {"folder/../..", WASI_EPERM},
    {"folder/../../", WASI_EPERM},
    {"folder/../../.", WASI_EPERM},
    {"../../../../../../../../../../../../../../../../etc/passwd", WASI_EPERM},
    {"folder/sub/../../../../../../../../../../etc/passwd", WASI_EPERM},
    {"inside/../../outside/secret", WASI_ENOTDIR},
    {"missing/../../outside/secret", WASI_ENOENT},
    {"...", WASI_ENOENT},
    {".. ", WASI_ENOENT},
    {"..\\outside\\secret", WASI_ENOENT},
    {"%2e%2e/outside/secret", WASI_ENOENT},
    {"\xc0\xae\xc0\xae/outside/secret", WASI_ENOENT},
    /* absolute */
    {"/", WASI_EPERM},
    {"//", WASI_EPERM},
    {"/.", WASI_EPERM},
    {"/..", WASI_EPERM},
    {"/etc/passwd", WASI_EPERM},
    {"//etc/passwd", WASI_EPERM},
    {"/inside", WASI_EPERM},
    {"@/inside", WASI_EPERM},
    {"@/../outside/secret", WASI_EPERM},
    {"/proc/self/root/etc/passwd", WASI_EPERM},
    {"/dev/null", WASI_EPERM},
    /* links that the host left */
    {"link-file", WASI_EPERM},
    {"link-file/", WASI_EPERM},
    {"link-outside", WASI_EPERM},
    {"link-outside/", WASI_EPERM},
    {"link-outside/.", WASI_EPERM},
    {"link-outside/..", WASI_EPERM},
    {"link-outside/secret", WASI_EPERM},
    {"link-outside/../outside/secret", WASI_EPERM},
    {"link-absolute", WASI_EPERM},
    {"link-absolute/secret", WASI_EPERM},
    {"link-etc/passwd", WASI_EPERM},
    {"link-root", WASI_EPERM},
    {"link-root/etc/passwd", WASI_EPERM},
    {"link-home", WASI_EPERM},
    {"link-up", WASI_EPERM},
    {"link-up/outside/secret", WASI_EPERM},
    {"link-dangling", WASI_EPERM},
    {"link-dangling/", WASI_EPERM},
    {"chain-1", WASI_EPERM},
    {"chain-1/secret", WASI_EPERM},
    {"folder/link-up", WASI_EPERM},
    {"folder/link-up/outside/secret", WASI_EPERM},
    {"folder/link-hop", WASI_EPERM},
    {"folder/sub/link-far", WASI_EPERM},
    {"loop", WASI_ELOOP},
    {"loop/outside", WASI_ELOOP},
    {"loop-a/secret", WASI_ELOOP},
    {"link-proc", WASI_EPERM},
    {"link-proc/etc/passwd", WASI_EPERM},
    /* lengths */
    {"%%", WASI_ENAMETOOLONG},
    {"%%/../../outside/secret", WASI_ENAMETOOLONG},
};

/* Links: name, target. */
static const char *const links[][2] = {
    {"link-file", "../outside/secret"},
    {"link-outside", "../outside"},
    {"link-etc", "/etc"},
    {"link-root", "/"},
    {"link-up", ".."},
    {"link-dangling", "../outside/not-there-yet"},
    {"chain-1", "chain-2"},
    {"chain-2", "folder/../chain-3"},
    {"chain-3", "link-outside"},
    {"folder/link-up", "../.."},
    {"folder/link-hop", "../link-outside/secret"},
    {"folder/sub/link-far", "../../folder/../../outside/secret"},
    {"loop", "loop"},
    {"loop-a", "loop-b"},
    {"loop-b", "loop-a"},
    {"link-proc", "/proc/self/root"},
};

struct place {
    struct fake f;
    char base[64];
    struct wasi_preopen preopen;
};

static void setup(struct place *p)
{
    char target[128];
    memset(p, 0, sizeof *p);
    tree_new(p->base);
    tree_folder(p->base, "outside");
    tree_folder(p->base, "outside/folder");
    tree_file(p->base, "outside/secret", "secret");
    tree_folder(p->base, "root");
    tree_folder(p->base, "root/folder");
    tree_folder(p->base, "root/folder/sub");
    tree_file(p->base, "root/inside", "inside");
    char root[128];
    snprintf(root, sizeof root, "%s/root", p->base);
    for (size_t k = 0; k < ARRAY_COUNT(links); k++) tree_link(root, links[k][0], links[k][1]);
    snprintf(target, sizeof target, "%s/outside", p->base);
    tree_link(root, "link-absolute", target);
    tree_link(root, "link-home", root); /* absolute, though it leads back in */
    p->preopen = (struct wasi_preopen){tree_open(p->base, "root"), "/", false};
    struct wasi_preview1_config config = fake_config(&p->f);
    config.preopens = &p->preopen;
    config.preopens_count = 1;
    fake_init(&p->f, &config);
}

static void teardown(struct place *p)
{
    fake_done(&p->f);
    close(p->preopen.fd);
    tree_remove(p->base);
}

/* A path of the table, spelt out. */
static uint64_t put_path(struct place *p, uint32_t offset, const char *path)
{
    char text[1024] = "";
    for (const char *c = path; *c; c++) {
        size_t at = strlen(text);
        if (*c == '@') {
            snprintf(text + at, sizeof text - at, "%s/root", p->base);
        } else if (*c == '%' && c[1] != '2') {
            memset(text + at, 'x', 255);
            text[at + 255] = '\0';
        } else {
            text[at] = *c;
            text[at + 1] = '\0';
        }
    }
    return fake_text(&p->f, offset, text);
}

/* ---- what is outside, as one number ---- */

static uint64_t outside_sum;

static void sum_add(const void *bytes, size_t size_bytes)
{
    for (size_t k = 0; k < size_bytes; k++)
        outside_sum = (outside_sum ^ ((const uint8_t *)bytes)[k]) * 0x100000001b3u;
}

static int sum_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)type;
    (void)at;
    if (strstr(path, "/root")) return 0;
    sum_add(path, strlen(path));
    sum_add(&st->st_ino, sizeof st->st_ino);
    sum_add(&st->st_mode, sizeof st->st_mode);
    sum_add(&st->st_size, sizeof st->st_size);
    sum_add(&st->st_nlink, sizeof st->st_nlink);
    sum_add(&st->st_mtim, sizeof st->st_mtim);
    return 0;
}

static uint64_t outside(const struct place *p)
{
    outside_sum = 0xcbf29ce484222325u;
    nftw(p->base, sum_one, 16, FTW_PHYS);
    return outside_sum;
}

static void opening_for_reading(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    for (size_t k = 0; k < ARRAY_COUNT(hostile); k++) {
        uint64_t length = put_path(&p, AT_PATH, hostile[k].path);
        uint32_t e =
            CALL(&p.f, "path_open", 3, FOLLOW, AT_PATH, length, 0, RIGHT_FD_READ, 0, 0, AT_RET);
        if (e != hostile[k].expected) fail_msg("\"%s\": errno %u", hostile[k].path, e);
        e = CALL(&p.f, "path_filestat_get", 3, FOLLOW, AT_PATH, length, AT_RET);
        if (e != hostile[k].expected) fail_msg("stat \"%s\": errno %u", hostile[k].path, e);
    }
    teardown(&p);
}

/* Every way of opening, with and without following: nothing may succeed but opening what is inside,
 * and a path that leads out never does. */
static void opening_in_every_way(void **state)
{
    (void)state;
    static const uint64_t rights[] = {0, RIGHT_FD_READ, RIGHT_FD_WRITE, RIGHTS_ALL,
                                      RIGHTS_OF_FOLDER};
    for (size_t k = 0; k < ARRAY_COUNT(hostile); k++) {
        struct place p;
        setup(&p);
        uint64_t before = outside(&p);
        for (uint32_t flags = 0; flags <= OFLAGS_ALL; flags++)
            for (size_t r = 0; r < ARRAY_COUNT(rights); r++)
                for (uint32_t lookup = 0; lookup <= FOLLOW; lookup++) {
                    uint64_t length = put_path(&p, AT_PATH, hostile[k].path);
                    uint32_t e = CALL(&p.f, "path_open", 3, lookup, AT_PATH, length, flags,
                                      rights[r], RIGHTS_ALL, 0, AT_RET);
                    if (e && hostile[k].expected == WASI_EPERM && e == WASI_ENOENT)
                        fail_msg("\"%s\" says what exists outside", hostile[k].path);
                    if (e) continue;
                    /* Created inside under an odd name, such as "...". */
                    if (hostile[k].expected != WASI_ENOENT || !(flags & OFLAG_CREAT))
                        fail_msg("\"%s\" was opened", hostile[k].path);
                    assert_int_equal(CALL(&p.f, "path_unlink_file", 3, AT_PATH, length), WASI_OK);
                }
        if (outside(&p) != before) fail_msg("\"%s\" changed the outside", hostile[k].path);
        teardown(&p);
    }
}

/* One function on one hostile path; `other` is a harmless one. */
static uint32_t act(struct place *p, unsigned which, uint64_t length)
{
    struct fake *f = &p->f;
    uint64_t other = fake_text(f, AT_PATH2, "inside"), fresh = AT_PATH2 + 0x800;
    uint64_t fresh_length = fake_text(f, (uint32_t)fresh, "fresh");
    switch (which) {
    case 0: return CALL(f, "path_create_directory", 3, AT_PATH, length);
    case 1: return CALL(f, "path_remove_directory", 3, AT_PATH, length);
    case 2: return CALL(f, "path_unlink_file", 3, AT_PATH, length);
    case 3: return CALL(f, "path_filestat_set_times", 3, FOLLOW, AT_PATH, length, 1, 1, 5);
    case 4: return CALL(f, "path_filestat_set_times", 3, 0, AT_PATH, length, 1, 1, 5);
    case 5: return CALL(f, "path_rename", 3, AT_PATH, length, 3, fresh, fresh_length);
    case 6: return CALL(f, "path_rename", 3, AT_PATH2, other, 3, AT_PATH, length);
    case 7: return CALL(f, "path_link", 3, 0, AT_PATH, length, 3, fresh, fresh_length);
    case 8: return CALL(f, "path_link", 3, FOLLOW, AT_PATH, length, 3, fresh, fresh_length);
    case 9: return CALL(f, "path_link", 3, 0, AT_PATH2, other, 3, AT_PATH, length);
    case 10: return CALL(f, "path_symlink", AT_PATH2, other, 3, AT_PATH, length);
    case 11: return CALL(f, "path_filestat_get", 3, 0, AT_PATH, length, AT_RET);
    case 12: return CALL(f, "path_readlink", 3, AT_PATH, length, AT_DATA, 100, AT_RET);
    default: return CALL(f, "path_filestat_get", 3, FOLLOW, AT_PATH, length, AT_RET);
    }
}
#define ACTS 14u

/* Hard links made by a guest must not be to what is outside. */
static void expect_no_link_outside(const struct place *p, const char *path)
{
    char name[128];
    struct stat st;
    snprintf(name, sizeof name, "%s/outside/secret", p->base);
    assert_int_equal(stat(name, &st), 0);
    if (st.st_nlink != 1) fail_msg("\"%s\" linked the outside", path);
}

static void acting_in_every_way(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    for (size_t k = 0; k < ARRAY_COUNT(hostile); k++)
        for (unsigned which = 0; which < ACTS; which++) {
            uint64_t before = outside(&p);
            uint32_t e = act(&p, which, put_path(&p, AT_PATH, hostile[k].path));
            assert_int_equal(p.f.result, HOST_OK);
            if (outside(&p) != before)
                fail_msg("\"%s\", function %u: changed the outside", hostile[k].path, which);
            expect_no_link_outside(&p, hostile[k].path);
            if (e) continue;
            /* It did something inside: the next one finds everything as it was. */
            teardown(&p);
            setup(&p);
        }
    teardown(&p);
}

/* What a guest's own links can do: nothing more than the host's. */
static void links_made_by_the_guest(void **state)
{
    (void)state;
    static const char *const targets[] = {"..",
                                          "../outside",
                                          "../outside/secret",
                                          "folder/../../outside/secret",
                                          "link-outside/secret",
                                          "./../root/../outside/secret"};
    for (size_t k = 0; k < ARRAY_COUNT(targets); k++) {
        struct place p;
        setup(&p);
        uint64_t length = fake_text(&p.f, AT_PATH, targets[k]);
        uint64_t name = fake_text(&p.f, AT_PATH2, "mine");
        assert_int_equal(CALL(&p.f, "path_symlink", AT_PATH, length, 3, AT_PATH2, name), WASI_OK);
        uint32_t fd;
        assert_int_equal(fake_open(&p.f, 3, "mine", FOLLOW, 0, RIGHT_FD_READ, 0, &fd), WASI_EPERM);
        assert_int_equal(fake_open(&p.f, 3, "mine", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_ELOOP);
        assert_int_equal(fake_open(&p.f, 3, "mine", FOLLOW, OFLAG_CREAT, RIGHT_FD_WRITE, 0, &fd),
                         WASI_EPERM);
        teardown(&p);
    }
    static const char *const absolute[] = {"/", "/etc/passwd", "//x", "/proc/self/fd/0"};
    struct place p;
    setup(&p);
    for (size_t k = 0; k < ARRAY_COUNT(absolute); k++) {
        uint64_t length = fake_text(&p.f, AT_PATH, absolute[k]);
        uint64_t name = fake_text(&p.f, AT_PATH2, "mine");
        assert_int_equal(CALL(&p.f, "path_symlink", AT_PATH, length, 3, AT_PATH2, name),
                         WASI_EPERM);
        assert_int_equal(CALL(&p.f, "path_filestat_get", 3, 0, AT_PATH2, name, AT_RET),
                         WASI_ENOENT);
    }
    teardown(&p);
}

/* A folder opened by the guest is a root of its own. */
static void subfolders_are_roots(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    uint32_t folder, fd;
    assert_int_equal(fake_open(&p.f, 3, "folder", 0, OFLAG_DIRECTORY, RIGHTS_OF_FOLDER, 0, &folder),
                     WASI_OK);
    assert_int_equal(fake_open(&p.f, folder, "..", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_EPERM);
    assert_int_equal(fake_open(&p.f, folder, "../inside", 0, 0, RIGHT_FD_READ, 0, &fd), WASI_EPERM);
    assert_int_equal(fake_open(&p.f, folder, "sub/../../inside", 0, 0, RIGHT_FD_READ, 0, &fd),
                     WASI_EPERM);
    assert_int_equal(fake_open(&p.f, folder, "sub/..", 0, 0, RIGHT_FD_READDIR, 0, &fd), WASI_OK);
    /* Between two folders of one guest a rename is fine; out of both it is not. */
    uint64_t inside = fake_text(&p.f, AT_PATH, "inside");
    uint64_t moved = fake_text(&p.f, AT_PATH2, "moved");
    assert_int_equal(CALL(&p.f, "path_rename", 3, AT_PATH, inside, folder, AT_PATH2, moved),
                     WASI_OK);
    uint64_t out = fake_text(&p.f, AT_PATH, "../moved");
    assert_int_equal(CALL(&p.f, "path_rename", folder, AT_PATH2, moved, folder, AT_PATH, out),
                     WASI_EPERM);
    assert_int_equal(CALL(&p.f, "path_rename", folder, AT_PATH2, moved, 3, AT_PATH, out),
                     WASI_EPERM);
    teardown(&p);
}

/* The links in /proc that lead anywhere without having a path. */
static void magic_links(void **state)
{
    (void)state;
    static const char *const paths[] = {"self/root",         "self/root/etc/passwd",
                                        "self/cwd",          "self/cwd/..",
                                        "self/exe",          "self/fd/0",
                                        "self/fd/3/..",      "thread-self/root/etc",
                                        "self/task/../root", "self/ns/mnt",
                                        "self/fd/../root/",  "self/map_files/.."};
    struct fake f = {.exit_code = 0};
    struct wasi_preopen preopen = {open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/", false};
    struct wasi_preview1_config config = fake_config(&f);
    config.preopens = &preopen;
    config.preopens_count = 1;
    fake_init(&f, &config);
    uint32_t fd;
    assert_int_equal(fake_open(&f, 3, "self/status", FOLLOW, 0, RIGHT_FD_READ, 0, &fd), WASI_OK);
    for (size_t k = 0; k < ARRAY_COUNT(paths) - 1; k++) {
        uint32_t e = fake_open(&f, 3, paths[k], FOLLOW, 0, RIGHT_FD_READ, 0, &fd);
        if (e != WASI_ELOOP && e != WASI_EPERM && e != WASI_ENOENT)
            fail_msg("\"%s\": errno %u", paths[k], e);
        uint64_t length = fake_text(&f, AT_PATH, paths[k]);
        e = CALL(&f, "path_filestat_get", 3, FOLLOW, AT_PATH, length, AT_RET);
        if (e != WASI_ELOOP && e != WASI_EPERM && e != WASI_ENOENT)
            fail_msg("stat \"%s\": errno %u", paths[k], e);
    }
    fake_done(&f);
    close(preopen.fd);
}

/* Last components and shapes that the functions treat in their own way. */
static void odd_last_components(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t create, remove, unlink, rename_from;
    } rows[] = {
        {"", WASI_ENOENT, WASI_ENOENT, WASI_ENOENT, WASI_ENOENT},
        {".", WASI_EEXIST, WASI_EINVAL, WASI_EISDIR, WASI_EBUSY},
        {"./", WASI_EEXIST, WASI_EINVAL, WASI_EISDIR, WASI_EBUSY},
        {"..", WASI_EEXIST, WASI_ENOTEMPTY, WASI_EISDIR, WASI_EBUSY},
        {"folder/.", WASI_EEXIST, WASI_EINVAL, WASI_EISDIR, WASI_EBUSY},
        {"folder/..", WASI_EEXIST, WASI_ENOTEMPTY, WASI_EISDIR, WASI_EBUSY},
        {"folder", WASI_EEXIST, WASI_ENOTEMPTY, WASI_EISDIR, WASI_OK},
        {"folder///", WASI_EEXIST, WASI_ENOTEMPTY, WASI_EISDIR, WASI_OK},
        {"folder/sub/", WASI_EEXIST, WASI_ENOTEMPTY, WASI_EISDIR, WASI_OK},
        {"inside", WASI_EEXIST, WASI_ENOTDIR, WASI_OK, WASI_ENOENT},
        {"folder/fresh//", WASI_OK, WASI_OK, WASI_ENOENT, WASI_ENOENT},
        {"missing/fresh", WASI_ENOENT, WASI_ENOENT, WASI_ENOENT, WASI_ENOENT},
        {"link-outside", WASI_EEXIST, WASI_ENOTDIR, WASI_OK, WASI_ENOENT},
        {"link-file/", WASI_EEXIST, WASI_ENOTDIR, WASI_ENOTDIR, WASI_ENOTDIR},
    };
    for (size_t k = 0; k < ARRAY_COUNT(rows); k++) {
        struct place p;
        setup(&p);
        uint64_t before = outside(&p);
        uint64_t length = fake_text(&p.f, AT_PATH, rows[k].path);
        uint64_t to = fake_text(&p.f, AT_PATH2, "moved");
        const uint32_t got[] = {
            CALL(&p.f, "path_create_directory", 3, AT_PATH, length),
            CALL(&p.f, "path_remove_directory", 3, AT_PATH, length),
            CALL(&p.f, "path_unlink_file", 3, AT_PATH, length),
            CALL(&p.f, "path_rename", 3, AT_PATH, length, 3, AT_PATH2, to),
        };
        const uint32_t expected[] = {rows[k].create, rows[k].remove, rows[k].unlink,
                                     rows[k].rename_from};
        for (size_t at = 0; at < ARRAY_COUNT(got); at++)
            if (got[at] != expected[at])
                fail_msg("\"%s\", function %zu: errno %u", rows[k].path, at, got[at]);
        assert_int_equal(outside(&p), before);
        teardown(&p);
    }
}

static void lengths_and_nuls(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    uint32_t fd;
    char path[WASI_PATH_BYTES_MAX + 1];
    /* "./././…/inside" of the greatest length, and one more. */
    memset(path, '/', sizeof path);
    for (size_t k = 0; k < WASI_PATH_BYTES_MAX - 8; k += 2) path[k] = '.';
    strcpy(path + WASI_PATH_BYTES_MAX - 1 - 6, "inside");
    assert_int_equal(strlen(path), WASI_PATH_BYTES_MAX - 1);
    assert_int_equal(fake_open(&p.f, 3, path, 0, 0, RIGHT_FD_READ, 0, &fd), WASI_OK);
    strcpy(path + WASI_PATH_BYTES_MAX - 1 - 6, "/inside");
    assert_int_equal(fake_open(&p.f, 3, path, 0, 0, RIGHT_FD_READ, 0, &fd), WASI_ENAMETOOLONG);
    fake_put(&p.f, AT_PATH, "inside\0/../../outside/secret", 28);
    assert_int_equal(CALL(&p.f, "path_open", 3, 0, AT_PATH, 28, 0, RIGHT_FD_READ, 0, 0, AT_RET),
                     WASI_EINVAL);
    assert_int_equal(CALL(&p.f, "path_open", 3, 0, AT_PATH, 7, 0, RIGHT_FD_READ, 0, 0, AT_RET),
                     WASI_EINVAL);
    assert_int_equal(CALL(&p.f, "path_unlink_file", 3, AT_PATH, 7), WASI_EINVAL);
    assert_int_equal(CALL(&p.f, "path_open", 3, 0, AT_PATH, 6, 0, RIGHT_FD_READ, 0, 0, AT_RET),
                     WASI_OK);
    teardown(&p);
}

/* ---- a race: the host exchanges a folder for a link to the outside, as fast as it can ---- */

struct race {
    char swap_a[128], swap_b[128];
    atomic_bool stop;
};

static void *swapping(void *argument)
{
    struct race *r = argument;
    while (!atomic_load(&r->stop))
        syscall(SYS_renameat2, AT_FDCWD, r->swap_a, AT_FDCWD, r->swap_b, 2 /* RENAME_EXCHANGE */);
    return NULL;
}

static void races(void **state)
{
    (void)state;
    struct place p;
    setup(&p);
    struct race r = {.stop = false};
    tree_folder(p.base, "root/swap");
    tree_file(p.base, "root/swap/secret", "harmless");
    snprintf(r.swap_a, sizeof r.swap_a, "%s/root/swap", p.base);
    snprintf(r.swap_b, sizeof r.swap_b, "%s/root/link-outside", p.base);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, swapping, &r), 0);
    unsigned opened = 0;
    for (unsigned k = 0; k < 20000; k++) {
        uint32_t fd;
        char text[32];
        if (fake_open(&p.f, 3, "swap/secret", FOLLOW, 0, RIGHT_FD_READ, 0, &fd)) continue;
        opened++;
        assert_int_equal(fake_read(&p.f, fd, 16, text), WASI_OK);
        assert_string_equal(text, "harmless");
        assert_int_equal(CALL(&p.f, "fd_close", fd), WASI_OK);
        uint64_t length = fake_text(&p.f, AT_PATH, "swap/created");
        CALL(&p.f, "path_create_directory", 3, AT_PATH, length);
        CALL(&p.f, "path_remove_directory", 3, AT_PATH, length);
        length = fake_text(&p.f, AT_PATH, "swap/folder");
        assert_true(CALL(&p.f, "path_remove_directory", 3, AT_PATH, length) != WASI_OK);
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    assert_true(opened > 0);
    char name[128];
    snprintf(name, sizeof name, "%s/outside/created", p.base);
    assert_int_equal(access(name, F_OK), -1);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_for_reading),
        cmocka_unit_test(opening_in_every_way),
        cmocka_unit_test(acting_in_every_way),
        cmocka_unit_test(links_made_by_the_guest),
        cmocka_unit_test(subfolders_are_roots),
        cmocka_unit_test(magic_links),
        cmocka_unit_test(odd_last_components),
        cmocka_unit_test(lengths_and_nuls),
        cmocka_unit_test(races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
