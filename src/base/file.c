#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_CHUNK_BYTES (256u * 1024u)

static enum status read_all(int fd, const char *path, struct buffer *b, struct error *err)
{
    for (;;) {
        size_t room = b->cap_bytes - b->size_bytes;
        size_t want = room < FILE_CHUNK_BYTES ? room + 1 : FILE_CHUNK_BYTES;
        if (room && buffer_reserve(b, want > room ? room : want))
            return error_set(err, ST_NO_MEMORY, "%s: out of memory", path);
        uint8_t extra;
        ssize_t got = room ? read(fd, b->data + b->size_bytes, want > room ? room : want)
                           : read(fd, &extra, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, errno, "%s", path);
        if (got == 0) return ST_OK;
        if (!room)
            return error_set(err, ST_LIMIT, "%s: larger than the limit of %zu bytes", path,
                             b->cap_bytes);
        b->size_bytes += (size_t)got;
    }
}

enum status file_read(const char *path, struct buffer *b, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    struct stat info;
    enum status st;
    if (fstat(fd, &info))
        st = error_set_errno(err, errno, "%s", path);
    else if (S_ISDIR(info.st_mode))
        st = error_set(err, ST_IO, "%s: is a folder, not a file", path);
    else
        st = read_all(fd, path, b, err);
    close(fd);
    return st;
}

static int write_all(int fd, const void *bytes, size_t size_bytes)
{
    const char *p = bytes;
    while (size_bytes) {
        ssize_t put = write(fd, p, size_bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        p += put;
        size_bytes -= (size_t)put;
    }
    return 0;
}

enum status file_write_fd(int fd, const void *bytes, size_t size_bytes, struct error *err)
{
    return write_all(fd, bytes, size_bytes) ? error_set_errno(err, errno, "writing") : ST_OK;
}

enum status file_write_atomic(const char *path, const void *bytes, size_t size_bytes,
                              struct error *err)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return error_set(err, ST_LIMIT, "%s: path too long", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    mode_t mask = umask(0);
    umask(mask);
    int number = 0;
    if (fchmod(fd, 0666 & ~mask) || write_all(fd, bytes, size_bytes) || fsync(fd)) number = errno;
    if (close(fd) && !number) number = errno;
    if (!number && rename(temporary, path)) number = errno;
    if (!number) return ST_OK;
    unlink(temporary);
    return error_set_errno(err, number, "%s", path);
}

enum status file_make_folders(const char *path, struct error *err)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof part) return error_set(err, ST_LIMIT, "%s: path too long", path);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) && errno != EEXIST) return error_set_errno(err, errno, "%s", part);
    }
    struct stat info;
    if (stat(path, &info)) return error_set_errno(err, errno, "%s", path);
    if (!S_ISDIR(info.st_mode)) return error_set(err, ST_EXISTS, "%s: is not a folder", path);
    return ST_OK;
}
