#include "function_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define COPY_BYTES   65536u
#define LOCK_WAIT_NS 2000000
#define NS_PER_MS    1000000ull
#define FOLDER_MODE  0700
#define FILE_MODE    0600
#define OPEN_FLAGS   (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

static const char *const index_names[FUNCTION_CACHE_GENERATIONS] = {"index", "index.old"};
static const char *const data_names[FUNCTION_CACHE_GENERATIONS] = {"data", "data.old"};

struct function_store {
    int folder;
    uint64_t generation_bytes_max;
    struct function_cache_files files;
    char path[PATH_MAX];
};

/* ---- opening ---- */

static bool is_own(const struct stat *info, mode_t kind)
{
    return (info->st_mode & S_IFMT) == kind && info->st_uid == geteuid() &&
           !(info->st_mode & (S_IWGRP | S_IWOTH));
}

/* *ret is -1 when there is no such file. */
static enum status open_file(const struct function_store *s, const char *name, int flags, int *ret,
                             struct stat *info, struct error *err)
{
    *ret = -1;
    int fd = openat(s->folder, name, flags | OPEN_FLAGS, FILE_MODE);
    if (fd < 0 && errno == ENOENT && !(flags & O_CREAT)) return ST_OK;
    if (fd < 0) return error_set_errno(err, errno, "%s/%s", s->path, name);
    if (!fstat(fd, info) && is_own(info, S_IFREG)) {
        *ret = fd;
        return ST_OK;
    }
    close(fd);
    return error_set(err, ST_DENIED, "%s/%s: must be a file of this user alone", s->path, name);
}

static enum status open_folder(struct function_store *s, const char *path, struct error *err)
{
    struct stat info;
    size_t length = strlen(path);
    if (length >= sizeof s->path) return error_set(err, ST_LIMIT, "%s: path too long", path);
    memcpy(s->path, path, length + 1);
    if (mkdir(path, FOLDER_MODE) && errno != EEXIST) return error_set_errno(err, errno, "%s", path);
    s->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (s->folder < 0) return error_set_errno(err, errno, "%s", path);
    if (fstat(s->folder, &info)) return error_set_errno(err, errno, "%s", path);
    if (!is_own(&info, S_IFDIR))
        return error_set(err, ST_DENIED,
                         "%s: must belong to this user and be writable by nobody else (chmod 700)",
                         path);
    return ST_OK;
}

static enum status open_generations(struct function_store *s, struct error *err)
{
    struct function_cache_files *f = &s->files;
    enum status st = ST_OK;
    for (unsigned i = 0; !st && i < FUNCTION_CACHE_GENERATIONS; i++) {
        struct stat info = {0};
        st = open_file(s, index_names[i], O_RDONLY, &f->index[i], &info, err);
        if (!st) st = open_file(s, data_names[i], O_RDONLY, &f->data[i], &info, err);
    }
    if (st) return st;
    f->outbox = memfd_create("mayfly-functions", MFD_CLOEXEC);
    return f->outbox < 0 ? error_set_errno(err, errno, "memory file") : ST_OK;
}

enum status function_store_open(const char *path, uint64_t bytes_max, struct function_store **ret,
                                struct error *err)
{
    struct function_store *s = calloc(1, sizeof *s);
    if (!s) return error_set(err, ST_NO_MEMORY, "function cache");
    s->folder = s->files.outbox = -1;
    for (unsigned i = 0; i < FUNCTION_CACHE_GENERATIONS; i++)
        s->files.index[i] = s->files.data[i] = -1;
    s->generation_bytes_max = bytes_max / FUNCTION_CACHE_GENERATIONS;
    enum status st = open_folder(s, path, err);
    if (!st) st = open_generations(s, err);
    if (st)
        function_store_close(s);
    else
        *ret = s;
    return st;
}

void function_store_close(struct function_store *s)
{
    if (!s) return;
    for (unsigned i = 0; i < FUNCTION_CACHE_GENERATIONS; i++) {
        if (s->files.index[i] >= 0) close(s->files.index[i]);
        if (s->files.data[i] >= 0) close(s->files.data[i]);
    }
    if (s->files.outbox >= 0) close(s->files.outbox);
    if (s->folder >= 0) close(s->folder);
    free(s);
}

const struct function_cache_files *function_store_files(const struct function_store *s)
{
    return &s->files;
}

/* ---- adding ---- */

/* The new generation while it is added to, under the lock. */
struct target {
    int lock, index, data;
    int old_index, old_data;
    uint64_t index_bytes, data_bytes;
    struct buffer added; /* entries */
};

static enum status lock_folder(const struct function_store *s, int *ret, struct error *err)
{
    struct stat info = {0};
    enum status st = open_file(s, "lock", O_RDWR | O_CREAT, ret, &info, err);
    if (st) return st;
    uint64_t start = clock_monotonic_ns(clock_system());
    while (flock(*ret, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set_errno(err, errno, "%s/lock", s->path);
        if (clock_monotonic_ns(clock_system()) - start > FUNCTION_STORE_LOCK_MS_MAX * NS_PER_MS)
            return error_set(err, ST_IO, "%s: is in use by another process", s->path);
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_NS}, NULL);
    }
    return ST_OK;
}

static enum status open_target(const struct function_store *s, struct target *t, struct error *err)
{
    struct stat info = {0};
    enum status st = open_file(s, index_names[0], O_RDWR | O_CREAT, &t->index, &info, err);
    if (st) return st;
    /* An entry that was cut short by a crash. */
    uint64_t size = (uint64_t)info.st_size, torn = size % sizeof(struct function_cache_entry);
    t->index_bytes = size - torn;
    if (torn && ftruncate(t->index, (off_t)t->index_bytes))
        return error_set_errno(err, errno, "%s/%s", s->path, index_names[0]);
    st = open_file(s, data_names[0], O_RDWR | O_CREAT, &t->data, &info, err);
    t->data_bytes = st ? 0 : (uint64_t)info.st_size;
    return st;
}

/* What is there now: others may have added to it since the job began. */
static enum status open_present(const struct function_store *s, struct target *t,
                                struct function_cache **ret, struct error *err)
{
    struct stat info = {0};
    enum status st = open_file(s, index_names[1], O_RDONLY, &t->old_index, &info, err);
    if (!st) st = open_file(s, data_names[1], O_RDONLY, &t->old_data, &info, err);
    if (st) return st;
    const struct function_cache_files files = {
        .index = {t->index, t->old_index}, .data = {t->data, t->old_data}, .outbox = -1};
    return function_cache_new(&files, ret, err);
}

static void close_target(struct target *t)
{
    int *fds[] = {&t->index, &t->data, &t->old_index, &t->old_data};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        if (*fds[i] >= 0) close(*fds[i]);
        *fds[i] = -1;
    }
}

/* The new generation becomes the old one. Readers hold the files that they have opened. */
static enum status rotate(const struct function_store *s, struct target *t, struct error *err)
{
    close_target(t);
    if (renameat(s->folder, index_names[0], s->folder, index_names[1]) ||
        renameat(s->folder, data_names[0], s->folder, data_names[1]))
        return error_set_errno(err, errno, "%s", s->path);
    return open_target(s, t, err);
}

static bool is_full(const struct function_store *s, const struct target *t, uint64_t more_bytes)
{
    uint64_t entries = (t->index_bytes + t->added.size_bytes) / sizeof(struct function_cache_entry);
    return t->data_bytes + more_bytes > s->generation_bytes_max ||
           entries >= FUNCTION_CACHE_ENTRIES_MAX;
}

/* A record that is there and whole is never replaced; one of the old generation may come along into
 * the new one. */
static bool is_wanted(const struct function_cache *present,
                      const struct function_cache_entry *entry)
{
    uint8_t digest[SHA256_BYTES];
    struct buffer have;
    bool wanted = true;
    buffer_init(&have, FUNCTION_CACHE_RECORD_BYTES_MAX);
    if (function_cache_find(present, entry->key, &have)) {
        function_cache_digest(entry->key, have.data, have.size_bytes, digest);
        wanted = function_cache_generation(present, entry->key) > 0 &&
                 !memcmp(digest, entry->digest, sizeof digest);
    }
    buffer_done(&have);
    return wanted;
}

static bool copy_record(int from, uint64_t from_offset, int to, uint64_t to_offset,
                        uint64_t size_bytes)
{
    static uint8_t piece[COPY_BYTES];
    while (size_bytes) {
        size_t want = size_bytes < sizeof piece ? (size_t)size_bytes : sizeof piece;
        ssize_t got = pread(from, piece, want, (off_t)from_offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        if (pwrite(to, piece, (size_t)got, (off_t)to_offset) != got) return false;
        from_offset += (uint64_t)got;
        to_offset += (uint64_t)got;
        size_bytes -= (uint64_t)got;
    }
    return true;
}

/* The outbox was written by a process that has read hostile bytes: its sizes are checked, and its
 * records stay what they are, bytes under a digest. */
static enum status add_records(const struct function_store *s, struct target *t,
                               const struct function_cache *present, uint64_t outbox_bytes,
                               struct error *err)
{
    struct function_cache_entry e;
    int outbox = s->files.outbox;
    uint64_t at = 0;
    while (outbox_bytes - at >= sizeof e &&
           pread(outbox, &e, sizeof e, (off_t)at) == (ssize_t)sizeof e) {
        at += sizeof e;
        if (e.size_bytes > FUNCTION_CACHE_RECORD_BYTES_MAX || e.size_bytes > outbox_bytes - at)
            return error_set(err, ST_INTERNAL, "function cache: what a job left has a bad size");
        if (is_wanted(present, &e)) {
            if (is_full(s, t, e.size_bytes)) break;
            e.offset = t->data_bytes;
            if (!copy_record(outbox, at, t->data, e.offset, e.size_bytes))
                return error_set_errno(err, errno, "%s/%s", s->path, data_names[0]);
            t->data_bytes += e.size_bytes;
            if (buffer_append(&t->added, &e, sizeof e))
                return error_set(err, ST_NO_MEMORY, "function cache");
        }
        at += e.size_bytes;
    }
    return ST_OK;
}

/* Data first: an entry never speaks of what is not written yet. */
static enum status add(const struct function_store *s, struct target *t, uint64_t outbox_bytes,
                       struct error *err)
{
    enum status st = open_target(s, t, err);
    if (!st && (t->index_bytes || t->data_bytes) && is_full(s, t, outbox_bytes))
        st = rotate(s, t, err);
    struct function_cache *present = NULL;
    if (!st) st = open_present(s, t, &present, err);
    if (!st) st = add_records(s, t, present, outbox_bytes, err);
    function_cache_free(present);
    if (t->added.size_bytes &&
        pwrite(t->index, t->added.data, t->added.size_bytes, (off_t)t->index_bytes) !=
            (ssize_t)t->added.size_bytes &&
        !st)
        st = error_set_errno(err, errno, "%s/%s", s->path, index_names[0]);
    return st;
}

enum status function_store_commit(struct function_store *s, struct error *err)
{
    struct stat info;
    if (fstat(s->files.outbox, &info)) return error_set_errno(err, errno, "memory file");
    if (!info.st_size) return ST_OK;
    struct target t = {.lock = -1, .index = -1, .data = -1, .old_index = -1, .old_data = -1};
    buffer_init(&t.added, FUNCTION_CACHE_ENTRIES_MAX * sizeof(struct function_cache_entry));
    enum status st = lock_folder(s, &t.lock, err);
    if (!st) st = add(s, &t, (uint64_t)info.st_size, err);
    close_target(&t);
    if (t.lock >= 0) close(t.lock); /* and the lock is gone */
    buffer_done(&t.added);
    return st;
}
