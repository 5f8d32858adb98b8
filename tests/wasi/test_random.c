/* Random calls with random parameters: whatever comes, there is an errno, memory beyond the guest's
 * is not touched (the sanitizers look), and nothing outside the granted folder changes. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"

#define CALLS      60000u
#define FILE_BYTES (1u << 20) /* the size that files may reach */

static uint64_t random_state;

static uint64_t next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Numbers that mean something to some parameter of some function. */
static uint64_t parameter(void)
{
    static const uint64_t pool[] = {
        0,       1,        2,          3,          4,          5,          6,
        7,       8,        15,         16,         AT_PATH,    AT_PATH2,   AT_IOVECS,
        AT_DATA, AT_RET,   AT_RET2,    1000,       4096,       0x1ffff,    0x20000,
        0x20001, 65536,    0x7fffffff, 0x80000000, 0xffffffff, RIGHTS_ALL, RIGHT_FD_READ,
        1 << 21, 1u << 30, UINT64_MAX, 1ull << 63, INT64_MAX,  1ull << 32, RIGHT_FD_WRITE,
    };
    switch (next() % 4) {
    case 0: return next() % 8;
    case 1: return next() % FAKE_MEMORY_BYTES;
    default: return pool[next() % ARRAY_COUNT(pool)];
    }
}

/* Names of what is there, was there or is outside, so that some calls get far. */
static void scribble(struct fake *f)
{
    static const char *const paths[] = {"file", "folder", "link",  "..",      "folder/../file",
                                        "new",  "other",  "out/x", "folder/", "."};
    fake_text(f, AT_PATH, paths[next() % ARRAY_COUNT(paths)]);
    fake_text(f, AT_PATH2, paths[next() % ARRAY_COUNT(paths)]);
    for (uint32_t k = 0; k < 4; k++)
        fake_iovec(f, k, (uint32_t)parameter(), (uint32_t)parameter() % 5000);
    struct wasi_subscription s = {.userdata = next(),
                                  .type = (uint8_t)(next() % 4),
                                  .id = (uint32_t)(next() % 8),
                                  .timeout = next() % 1000};
    fake_put(f, AT_DATA, &s, sizeof s);
}

static uint64_t typical(size_t at)
{
    /* fd, flags or pointer, pointer, length: as many functions begin. */
    static const uint64_t starts[] = {3, 0, AT_PATH, 4, AT_RET, AT_RET2};
    return at < ARRAY_COUNT(starts) && next() % 2 ? starts[at] : parameter();
}

static void call_at_random(struct fake *f)
{
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    const struct host_set *set = &sets[next() % sets_count];
    const struct host_function *function = &set->functions[next() % set->count];
    uint64_t parameters[16];
    size_t count = strcspn(function->signature, ":");
    for (size_t k = 0; k < count; k++) parameters[k] = typical(k);
    uint32_t e = fake_call(f, function->name, count, parameters);
    if (f->result == HOST_OK && e > WASI_ENOTCAPABLE) fail_msg("%s: %u", function->name, e);
}

static void random_calls(void **state)
{
    (void)state;
    struct fake f = {.exit_code = 0};
    char base[64];
    int pair[2];
    struct stat before, after;
    const char *seed = getenv("MAYFLY_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : 20;
    print_message("seed %llu\n", (unsigned long long)random_state);

    /* Memory of a guest is small, disks are not. */
    struct rlimit limit = {FILE_BYTES, FILE_BYTES};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    tree_new(base);
    tree_folder(base, "root");
    tree_folder(base, "root/folder");
    tree_file(base, "root/file", "text");
    tree_link(base, "root/link", "file");
    tree_link(base, "root/out", "..");
    assert_int_equal(stat(base, &before), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    struct wasi_preopen preopen = {tree_open(base, "root"), "/", false};
    struct wasi_preview1_config config = fake_config(&f);
    config.preopens = &preopen;
    config.preopens_count = 1;
    config.sockets = pair;
    config.sockets_count = 2;
    for (unsigned round = 0; round < CALLS / 300; round++) {
        fake_init(&f, &config);
        for (unsigned k = 0; k < 300; k++) {
            f.streams[1].output_bytes = f.streams[2].output_bytes = 0;
            f.streams[0].input = "some input";
            f.streams[0].input_bytes = next() % 11;
            f.cancel = true; /* or a socket would be waited for, for ever */
            scribble(&f);
            call_at_random(&f);
        }
        fake_done(&f);
    }
    assert_int_equal(stat(base, &after), 0);
    assert_int_equal(after.st_nlink, before.st_nlink);
    assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof after.st_mtim);
    close(pair[0]);
    close(pair[1]);
    close(preopen.fd);
    tree_remove(base);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
