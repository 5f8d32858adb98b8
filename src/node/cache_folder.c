#include "node/cache_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static enum status folder_name(char *path, size_t size_bytes, struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int used;
    if (cache && *cache == '/')
        used = snprintf(path, size_bytes, "%s/mayfly", cache);
    else if (home && *home == '/')
        used = snprintf(path, size_bytes, "%s/.cache/mayfly", home);
    else
        return error_set(err, ST_NOT_FOUND,
                         "no place for compiled artifacts: set XDG_CACHE_HOME or HOME");
    if (used < 0 || (size_t)used >= size_bytes)
        return error_set(err, ST_LIMIT, "the cache folder's path is too long");
    return ST_OK;
}

enum status cache_folder_path(const char *name, char *path, size_t size_bytes, struct error *err)
{
    struct stat info;
    enum status st = folder_name(path, size_bytes, err);
    if (!st) st = file_make_folders(path, err);
    if (st) return st;
    if (stat(path, &info)) return error_set_errno(err, errno, "%s", path);
    if (info.st_uid != geteuid() || info.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ST_DENIED,
                         "%s: must belong to this user and be writable by nobody else (chmod 700)",
                         path);
    size_t length = strlen(path);
    int used = snprintf(path + length, size_bytes - length, "/%s", name);
    if (used < 0 || (size_t)used >= size_bytes - length)
        return error_set(err, ST_LIMIT, "the cache folder's path is too long");
    return ST_OK;
}

void cache_folder_touch(const char *path)
{
    utimensat(AT_FDCWD, path, NULL, 0); /* only the order of eviction hangs on it */
}

struct entry {
    char name[NAME_MAX + 1];
    uint64_t size_bytes;
    struct timespec used;
};

static int by_use(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->used.tv_sec != b->used.tv_sec) return a->used.tv_sec < b->used.tv_sec ? 1 : -1;
    if (a->used.tv_nsec != b->used.tv_nsec) return a->used.tv_nsec < b->used.tv_nsec ? 1 : -1;
    return 0;
}

/* The folder's files, most recently used first; the caller frees. */
static struct entry *list_entries(DIR *folder, size_t *ret_count)
{
    struct entry *entries = NULL;
    size_t count = 0, capacity = 0;
    struct dirent *d;
    while ((d = readdir(folder))) {
        struct stat info;
        if (fstatat(dirfd(folder), d->d_name, &info, AT_SYMLINK_NOFOLLOW) || !S_ISREG(info.st_mode))
            continue;
        if (count == capacity) {
            size_t more = capacity ? capacity * 2 : 64;
            struct entry *grown = realloc(entries, more * sizeof *entries);
            if (!grown) break;
            entries = grown;
            capacity = more;
        }
        struct entry *e = &entries[count++];
        snprintf(e->name, sizeof e->name, "%s", d->d_name);
        e->size_bytes = (uint64_t)info.st_size;
        e->used = info.st_mtim;
    }
    if (entries) qsort(entries, count, sizeof *entries, by_use);
    *ret_count = count;
    return entries;
}

void cache_folder_trim(uint64_t bytes_max, size_t files_max)
{
    char path[PATH_MAX];
    if (folder_name(path, sizeof path, NULL)) return;
    DIR *folder = opendir(path);
    if (!folder) return;
    size_t count;
    struct entry *entries = list_entries(folder, &count);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += entries[i].size_bytes;
        if (bytes > bytes_max || i >= files_max) unlinkat(dirfd(folder), entries[i].name, 0);
    }
    free(entries);
    closedir(folder);
}
