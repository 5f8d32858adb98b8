#include "artifact/artifact.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/artifact_writer.h"
#include "artifact_internal.h"

static struct artifact *artifact_new(void)
{
    struct artifact *a = calloc(1, sizeof *a);
    if (a) a->fd = a->code_fd = -1;
    return a;
}

void artifact_close(struct artifact *a)
{
    if (!a) return;
    shared_code_leave(a);
    if (a->code) munmap(a->code, a->code_map_bytes);
    if (a->map) munmap((void *)(uintptr_t)a->map, a->map_bytes);
    if (a->code_fd >= 0) close(a->code_fd);
    if (a->fd >= 0) close(a->fd);
    free(a);
}

static enum status map_file(struct artifact *a, struct error *err)
{
    struct stat s;
    if (fstat(a->fd, &s)) return error_set_errno(err, errno, "artifact: fstat");
    if (!S_ISREG(s.st_mode)) return error_set(err, ST_CORRUPT, "artifact: not a regular file");
    if (s.st_size < (off_t)sizeof(struct artifact_header))
        return error_set(err, ST_CORRUPT, "artifact: too short to be one");
    if ((uint64_t)s.st_size > ARTIFACT_BYTES_MAX)
        return error_set(err, ST_CORRUPT, "artifact: larger than %llu bytes",
                         (unsigned long long)ARTIFACT_BYTES_MAX);
    void *map = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, a->fd, 0);
    if (map == MAP_FAILED) return error_set_errno(err, errno, "artifact: mmap");
    a->map = map;
    a->map_bytes = (size_t)s.st_size;
    return ST_OK;
}

static uint64_t page_align(uint64_t bytes)
{
    return (bytes + ARTIFACT_PAGE - 1) & ~(uint64_t)(ARTIFACT_PAGE - 1);
}

/* Code and rodata are neighbours in the file: one mapping, whose front is made executable, or laid
 * over with another artifact's equal code. It is never writable. */
static enum status map_code(struct artifact *a, struct error *err)
{
    const struct artifact_header *h = artifact_header(a);
    const struct artifact_section_entry *code = &h->sections[ARTIFACT_CODE];
    uint64_t code_bytes = page_align(code->size_bytes);
    uint64_t bytes = code_bytes + page_align(h->sections[ARTIFACT_RODATA].size_bytes);
    enum status st = shared_code_join(a, err);
    if (st) return st;
    void *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, a->fd, (off_t)code->offset);
    if (map == MAP_FAILED) return error_set_errno(err, errno, "artifact: mmap of the code");
    a->code = map;
    a->code_map_bytes = bytes;
    if (a->code_fd < 0) {
        if (mprotect(map, code_bytes, PROT_READ | PROT_EXEC))
            return error_set_errno(err, errno, "artifact: mprotect of the code");
    } else if (mmap(map, code_bytes, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, a->code_fd,
                    (off_t)a->code_offset) == MAP_FAILED) {
        return error_set_errno(err, errno, "artifact: mmap of shared code");
    }
    return ST_OK;
}

enum trust {
    TRUST_NOTHING,
    TRUST_DRAFT,   /* this process has written it: it has no digest */
    TRUST_VERIFIED /* it was verified before */
};

/* `a` holds the open file; ended on failure. */
static enum status finish_open(struct artifact *a, enum trust trust, struct artifact **ret,
                               struct error *err)
{
    enum status st = map_file(a, err);
    if (!st && trust != TRUST_VERIFIED) st = artifact_verify(a, trust == TRUST_DRAFT, err);
    if (!st) st = map_code(a, err);
    if (st) {
        artifact_close(a);
        return st;
    }
    *ret = a;
    return ST_OK;
}

enum status artifact_open(const char *path, struct artifact **ret, struct error *err)
{
    assert(path && ret);
    struct artifact *a = artifact_new();
    if (!a) return error_set(err, ST_NO_MEMORY, "artifact %s", path);
    /* O_NONBLOCK: a FIFO in the file's place must not hold us up. */
    a->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (a->fd < 0) {
        int number = errno;
        artifact_close(a);
        if (number == ELOOP) return error_set(err, ST_DENIED, "%s: is a symbolic link", path);
        return error_set_errno(err, number, "%s", path);
    }
    enum status st = finish_open(a, TRUST_NOTHING, ret, err);
    return st ? (error_prefix(err, "%s", path), st) : ST_OK;
}

enum status artifact_open_fd(int take_fd, bool verified, struct artifact **ret, struct error *err)
{
    assert(take_fd >= 0 && ret);
    struct artifact *a = artifact_new();
    if (!a) {
        close(take_fd);
        return error_set(err, ST_NO_MEMORY, "artifact");
    }
    a->fd = take_fd;
    return finish_open(a, verified ? TRUST_VERIFIED : TRUST_NOTHING, ret, err);
}

static enum status write_all(int fd, const uint8_t *bytes, size_t size_bytes, struct error *err)
{
    size_t done = 0;
    while (done < size_bytes) {
        ssize_t n = write(fd, bytes + done, size_bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return error_set_errno(err, n ? errno : EIO, "artifact: memory file");
        done += (size_t)n;
    }
    return ST_OK;
}

static enum status open_bytes(const void *bytes, size_t size_bytes, enum trust trust,
                              struct artifact **ret, struct error *err)
{
    assert(ret && (bytes || !size_bytes));
    if (size_bytes > ARTIFACT_BYTES_MAX)
        return error_set(err, ST_CORRUPT, "artifact: larger than %llu bytes",
                         (unsigned long long)ARTIFACT_BYTES_MAX);
    struct artifact *a = artifact_new();
    if (!a) return error_set(err, ST_NO_MEMORY, "artifact");
    enum status st = ST_OK;
    a->fd = memfd_create("mayfly-artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (a->fd < 0) st = error_set_errno(err, errno, "artifact: memory file");
    if (!st) st = write_all(a->fd, bytes, size_bytes, err);
    if (!st && fcntl(a->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        st = error_set_errno(err, errno, "artifact: sealing the memory file");
    if (st) {
        artifact_close(a);
        return st;
    }
    return finish_open(a, trust, ret, err);
}

enum status artifact_open_bytes(const void *bytes, size_t size_bytes, struct artifact **ret,
                                struct error *err)
{
    return open_bytes(bytes, size_bytes, TRUST_NOTHING, ret, err);
}

enum status artifact_open_draft(const void *bytes, size_t size_bytes, struct artifact **ret,
                                struct error *err)
{
    return open_bytes(bytes, size_bytes, TRUST_DRAFT, ret, err);
}

const struct artifact_header *artifact_header(const struct artifact *a)
{
    return (const struct artifact_header *)a->map;
}

const void *artifact_section(const struct artifact *a, enum artifact_section section,
                             size_t *ret_count)
{
    assert((unsigned)section < ARTIFACT_SECTIONS_COUNT);
    const struct artifact_section_entry *e = &artifact_header(a)->sections[section];
    if (ret_count) *ret_count = e->size_bytes / section_shapes[section].element_bytes;
    return a->map + e->offset;
}

const char *artifact_string(const struct artifact *a, uint32_t offset)
{
    size_t bytes;
    const char *strings = artifact_section(a, ARTIFACT_STRINGS, &bytes);
    assert(offset < bytes);
    return strings + offset;
}

const char *artifact_wit_string(const struct artifact *a, uint32_t offset)
{
    size_t bytes;
    const char *strings = artifact_section(a, ARTIFACT_WIT_STRINGS, &bytes);
    assert(offset < bytes);
    return strings + offset;
}

const uint8_t *artifact_code(const struct artifact *a, size_t *ret_size_bytes)
{
    if (ret_size_bytes) *ret_size_bytes = artifact_header(a)->sections[ARTIFACT_CODE].size_bytes;
    return a->code;
}

const uint8_t *artifact_rodata(const struct artifact *a, size_t *ret_size_bytes)
{
    const struct artifact_header *h = artifact_header(a);
    if (ret_size_bytes) *ret_size_bytes = h->sections[ARTIFACT_RODATA].size_bytes;
    return a->code + page_align(h->sections[ARTIFACT_CODE].size_bytes);
}

int artifact_fd(const struct artifact *a)
{
    return a->fd;
}

uint64_t artifact_file_offset(const struct artifact *a, enum artifact_section section)
{
    assert((unsigned)section < ARTIFACT_SECTIONS_COUNT);
    return artifact_header(a)->sections[section].offset;
}
