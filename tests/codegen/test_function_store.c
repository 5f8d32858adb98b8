/* The folder of the function cache: damage, crashes, other processes, other users, a full one. */
#include "../base/cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/function_cache.h"
#include "codegen/function_store.h"

#define CACHE_BYTES   (64u << 20)
#define RECORD_BYTES  3000u
#define RECORDS_COUNT 40u
#define WRITERS_COUNT 6u
#define KILLS_COUNT   50u

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/mayfly-store-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/functions", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const char *file_name(const char *name)
{
    static char text[160];
    snprintf(text, sizeof text, "%s/%s", path, name);
    return text;
}

static off_t file_bytes(const char *name)
{
    struct stat info;
    return stat(file_name(name), &info) ? 0 : info.st_size;
}

/* ---- records ---- */

static void record_of(uint32_t number, uint8_t key[SHA256_BYTES], uint8_t bytes[RECORD_BYTES])
{
    sha256(&number, sizeof number, key);
    for (uint32_t i = 0; i < RECORD_BYTES; i++) bytes[i] = (uint8_t)(number + i * (number | 1));
}

static enum status try_open(uint64_t bytes_max, struct function_store **store, struct error *err)
{
    return function_store_open(path, bytes_max, store, err);
}

/* One job: looks for records [first, first + count) and adds those that are not there. Returns how
 * many were; each that was had the right bytes. */
static uint32_t job(uint64_t bytes_max, uint32_t first, uint32_t count)
{
    struct function_store *store;
    struct function_cache *cache;
    struct error err;
    uint32_t found = 0;
    if (try_open(bytes_max, &store, &err) ||
        function_cache_new(function_store_files(store), &cache, &err))
        fail_msg("%s", err.text);
    for (uint32_t i = first; i < first + count; i++) {
        uint8_t key[SHA256_BYTES], bytes[RECORD_BYTES];
        struct buffer have;
        record_of(i, key, bytes);
        buffer_init(&have, FUNCTION_CACHE_RECORD_BYTES_MAX);
        bool is_found = function_cache_find(cache, key, &have);
        if (is_found) {
            assert_int_equal(have.size_bytes, sizeof bytes);
            assert_memory_equal(have.data, bytes, sizeof bytes);
            found++;
        } else {
            assert_int_equal(have.size_bytes, 0);
        }
        function_cache_put(cache, key, is_found, bytes, sizeof bytes);
        buffer_done(&have);
    }
    function_cache_free(cache);
    if (function_store_commit(store, &err)) fail_msg("%s", err.text);
    function_store_close(store);
    return found;
}

static void test_keeps(void **state)
{
    (void)state;
    assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), 0);
    assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
    assert_int_equal(job(CACHE_BYTES, 10, RECORDS_COUNT), RECORDS_COUNT - 10);
    assert_int_equal(file_bytes("data"), (RECORDS_COUNT + 10) * RECORD_BYTES);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(file_name("data"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* ---- damage ---- */

static void flip(const char *name, off_t at)
{
    uint8_t byte = 0;
    int fd = open(file_name(name), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void start_anew(void)
{
    unlink(file_name("index"));
    unlink(file_name("data"));
    assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), 0);
}

/* What is damaged is missing, once. */
static void test_flipped_bytes(void **state)
{
    (void)state;
    for (off_t at = 0; at < (off_t)sizeof(struct function_cache_entry); at++) {
        start_anew();
        flip("index", at + 3 * (off_t)sizeof(struct function_cache_entry));
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT - 1);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
    }
    for (off_t at = 0; at < (off_t)RECORDS_COUNT; at++) {
        start_anew();
        flip("data", at * 71 + at * (off_t)RECORD_BYTES);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT - 1);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    static const char *const names[] = {"index", "data"};
    for (size_t n = 0; n < ARRAY_COUNT(names); n++) {
        job(CACHE_BYTES, 0, RECORDS_COUNT);
        for (off_t size = file_bytes(names[n]); size > 0; size -= 1 + size / 3) {
            assert_int_equal(truncate(file_name(names[n]), size - 1), 0);
            assert_in_range(job(CACHE_BYTES, 0, RECORDS_COUNT), 0, RECORDS_COUNT - 1);
            assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
        }
        assert_int_equal(unlink(file_name(names[n])), 0);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), 0);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
    }
}

/* An entry that speaks of bytes that are not there, and of too many. */
static void test_absurd_entries(void **state)
{
    (void)state;
    static const uint64_t values[] = {1, RECORD_BYTES - 1, 1u << 30, UINT64_MAX, INT64_MAX};
    struct function_cache_entry e;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        for (size_t field = 0; field < 2; field++) {
            unlink(file_name("index"));
            job(CACHE_BYTES, 0, 2);
            int fd = open(file_name("index"), O_RDWR);
            assert_int_equal(pread(fd, &e, sizeof e, 0), sizeof e);
            if (field)
                e.offset = values[i];
            else
                e.size_bytes = values[i];
            assert_int_equal(pwrite(fd, &e, sizeof e, 0), sizeof e);
            close(fd);
            assert_int_equal(job(CACHE_BYTES, 0, 2), 1);
        }
    }
}

/* ---- who may write ---- */

static void refused(const char *words)
{
    struct function_store *store = NULL;
    struct error err = {0};
    assert_int_not_equal(try_open(CACHE_BYTES, &store, &err), ST_OK);
    assert_null(store);
    if (!strstr(err.text, words)) fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_others_files(void **state)
{
    (void)state;
    job(CACHE_BYTES, 0, 2);
    assert_int_equal(chmod(path, 0770), 0);
    refused("writable by nobody else");
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(chmod(file_name("data"), 0606), 0);
    refused("data: must be a file of this user alone");
    assert_int_equal(chmod(file_name("data"), 0600), 0);
    assert_int_equal(job(CACHE_BYTES, 0, 2), 2);
    assert_int_equal(unlink(file_name("index")), 0);
    assert_int_equal(symlink("/etc/passwd", file_name("index")), 0);
    refused("index");
    assert_int_equal(unlink(file_name("index")), 0);
    assert_int_equal(mkfifo(file_name("index"), 0600), 0);
    refused("index: must be a file of this user alone");
    assert_int_equal(unlink(file_name("index")), 0);
    if (geteuid() == 0) { /* who else could give a folder away */
        assert_int_equal(chown(path, 12345, 12345), 0);
        refused("must belong to this user");
        assert_int_equal(chown(path, 0, 0), 0);
        assert_int_equal(chown(file_name("data"), 12345, 12345), 0);
        refused("data: must be a file of this user alone");
    }
}

static void test_no_folder(void **state)
{
    (void)state;
    assert_int_equal(symlink("/tmp", path), 0);
    refused("functions");
    assert_int_equal(unlink(path), 0);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    refused("functions");
    strcpy(path, "/proc/mayfly");
    refused("/proc/mayfly");
    strcpy(path, "/nowhere/functions");
    refused("/nowhere/functions");
}

/* What the folder's files became after they were opened: nothing is added, nothing is lost. */
static void test_locked(void **state)
{
    (void)state;
    struct function_store *store;
    struct error err = {0};
    job(CACHE_BYTES, 0, 2);
    int lock = open(file_name("lock"), O_RDWR);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(try_open(CACHE_BYTES, &store, &err), ST_OK);
    assert_int_equal(write(function_store_files(store)->outbox, "bytes", 5), 5);
    assert_int_equal(function_store_commit(store, &err), ST_IO);
    assert_non_null(strstr(err.text, "in use by another process"));
    function_store_close(store);
    close(lock);
    assert_int_equal(job(CACHE_BYTES, 0, 2), 2);
}

/* ---- a job that does not follow the rules ---- */

static void test_bad_outbox(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {RECORD_BYTES + 1, 1ull << 40, UINT64_MAX,
                                     FUNCTION_CACHE_RECORD_BYTES_MAX + 1ull};
    job(CACHE_BYTES, 0, RECORDS_COUNT);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        struct function_store *store;
        struct error err = {0};
        struct function_cache_entry e = {.size_bytes = sizes[i]};
        uint8_t bytes[RECORD_BYTES] = {0};
        assert_int_equal(try_open(CACHE_BYTES, &store, &err), ST_OK);
        int outbox = function_store_files(store)->outbox;
        assert_int_equal(write(outbox, &e, sizeof e), sizeof e);
        assert_int_equal(write(outbox, bytes, sizeof bytes), sizeof bytes);
        assert_int_equal(function_store_commit(store, &err), ST_INTERNAL);
        function_store_close(store);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
    }
}

/* Other bytes under keys that are there: they stay what they are, whatever generation they are in.
 */
static void test_replacing_job(void **state)
{
    (void)state;
    job(CACHE_BYTES, 0, RECORDS_COUNT);
    for (int round = 0; round < 2; round++) {
        struct function_store *store;
        struct function_cache *cache;
        struct error err;
        assert_int_equal(try_open(CACHE_BYTES, &store, &err), ST_OK);
        assert_int_equal(function_cache_new(function_store_files(store), &cache, &err), ST_OK);
        for (uint32_t i = 0; i < RECORDS_COUNT; i++) {
            uint8_t key[SHA256_BYTES], bytes[RECORD_BYTES];
            record_of(i, key, bytes);
            function_cache_put(cache, key, false, "forged", 6);
        }
        function_cache_free(cache);
        assert_int_equal(function_store_commit(store, &err), ST_OK);
        function_store_close(store);
        assert_int_equal(job(CACHE_BYTES, 0, RECORDS_COUNT), RECORDS_COUNT);
        char command[512];
        snprintf(command, sizeof command, "cd %s && mv index index.old && mv data data.old", path);
        if (!round) assert_int_equal(system(command), 0);
    }
}

/* ---- size ---- */

static off_t all_bytes(void)
{
    return file_bytes("data") + file_bytes("data.old");
}

static void test_bounded(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        job(FUNCTION_STORE_BYTES_MIN, i * RECORDS_COUNT, RECORDS_COUNT);
        assert_in_range(all_bytes(), 1, FUNCTION_STORE_BYTES_MIN);
    }
    /* What was used last is there. */
    assert_int_equal(job(FUNCTION_STORE_BYTES_MIN, 59 * RECORDS_COUNT, RECORDS_COUNT),
                     RECORDS_COUNT);
    assert_int_equal(job(FUNCTION_STORE_BYTES_MIN, 0, RECORDS_COUNT), 0);
    /* More than fits at all. */
    job(FUNCTION_STORE_BYTES_MIN, 100000, 500);
    assert_in_range(all_bytes(), 1, FUNCTION_STORE_BYTES_MIN);
}

/* What every job uses stays, however much else comes and goes. */
static void test_used_stays(void **state)
{
    (void)state;
    job(FUNCTION_STORE_BYTES_MIN, 0, 5);
    for (uint32_t i = 1; i < 60; i++) {
        job(FUNCTION_STORE_BYTES_MIN, i * 1000, RECORDS_COUNT);
        assert_int_equal(job(FUNCTION_STORE_BYTES_MIN, 0, 5), 5);
    }
}

/* ---- several processes ---- */

static pid_t start_writer(uint32_t first, uint32_t count, uint32_t rounds, uint64_t bytes_max)
{
    pid_t pid = fork();
    if (pid) return pid;
    for (uint32_t i = 0; i < rounds; i++) job(bytes_max, first + i, count);
    _exit(0);
}

static void test_writers(void **state)
{
    (void)state;
    pid_t pids[WRITERS_COUNT];
    for (uint32_t i = 0; i < WRITERS_COUNT; i++)
        pids[i] = start_writer(i * 10, RECORDS_COUNT, 20, CACHE_BYTES);
    for (uint32_t i = 0; i < WRITERS_COUNT; i++) {
        int end = 0;
        assert_int_equal(waitpid(pids[i], &end, 0), pids[i]);
        assert_int_equal(end, 0);
    }
    uint32_t count = (WRITERS_COUNT - 1) * 10 + RECORDS_COUNT + 19;
    assert_int_equal(job(CACHE_BYTES, 0, count), count);
    /* Nothing is there twice. */
    assert_int_equal(file_bytes("data"), count * RECORD_BYTES);
}

/* Some of them fill it, so that generations turn meanwhile. */
static void test_killed_writers(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (uint32_t i = 0; i < KILLS_COUNT; i++) {
        pid_t first = start_writer(i * 100, RECORDS_COUNT, 1000, FUNCTION_STORE_BYTES_MIN);
        pid_t second = start_writer(i * 50, RECORDS_COUNT, 1000, FUNCTION_STORE_BYTES_MIN);
        seed = seed * 1103515245u + 12345u;
        usleep(seed >> 8 & 0x3fff);
        kill(first, SIGKILL);
        kill(second, SIGKILL);
        waitpid(first, NULL, 0);
        waitpid(second, NULL, 0);
        assert_in_range(all_bytes(), 0, FUNCTION_STORE_BYTES_MIN);
        job(FUNCTION_STORE_BYTES_MIN, i * 100, RECORDS_COUNT);
        assert_int_equal(job(FUNCTION_STORE_BYTES_MIN, i * 100, RECORDS_COUNT), RECORDS_COUNT);
    }
}

#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_keeps),          STORE_TEST(test_flipped_bytes),
        STORE_TEST(test_truncated),      STORE_TEST(test_absurd_entries),
        STORE_TEST(test_others_files),   STORE_TEST(test_no_folder),
        STORE_TEST(test_locked),         STORE_TEST(test_bad_outbox),
        STORE_TEST(test_replacing_job),  STORE_TEST(test_bounded),
        STORE_TEST(test_used_stays),     STORE_TEST(test_writers),
        STORE_TEST(test_killed_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
