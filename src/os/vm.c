#include "os/vm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum status vm_reserve(size_t size_bytes, struct vm_reservation *ret, struct error *err)
{
    assert(size_bytes > 0 && size_bytes % VM_PAGE == 0);
    void *start =
        mmap(NULL, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return error_set(err, ST_NO_MEMORY,
                         "no %zu MiB of address space; is it limited (ulimit -v)?",
                         size_bytes >> 20);
    *ret = (struct vm_reservation){.start = start, .size_bytes = size_bytes};
    return ST_OK;
}

void vm_release(struct vm_reservation *r)
{
    /* Whole mappings of ours cannot fail to go. */
    if (r->start && munmap(r->start, r->size_bytes) != 0) __builtin_trap();
    *r = (struct vm_reservation){0};
}

/* Only a bug can place a mapping outside of its reservation, and it would be a security bug: so it
 * ends the process in release builds too. */
static void check_inside(const struct vm_reservation *r, const void *at, size_t size_bytes)
{
    uintptr_t start = (uintptr_t)r->start, address = (uintptr_t)at;
    bool inside = r->start && address >= start && address - start <= r->size_bytes &&
                  size_bytes <= r->size_bytes - (address - start) && address % VM_PAGE == 0 &&
                  size_bytes % VM_PAGE == 0;
    if (!inside) __builtin_trap();
}

static enum status map_fixed(const struct vm_reservation *r, void *at, size_t size_bytes,
                             int protection, int flags, int fd, uint64_t file_offset,
                             struct error *err)
{
    check_inside(r, at, size_bytes);
    if (size_bytes == 0) return ST_OK;
    void *got = mmap(at, size_bytes, protection, flags | MAP_FIXED, fd, (off_t)file_offset);
    if (got == MAP_FAILED) {
        int number = errno;
        return error_set_errno(err, number, "mapping %zu KiB", size_bytes >> 10);
    }
    return ST_OK;
}

enum status vm_map_zero(const struct vm_reservation *r, void *at, size_t size_bytes,
                        struct error *err)
{
    return map_fixed(r, at, size_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, err);
}

enum status vm_map_none(const struct vm_reservation *r, void *at, size_t size_bytes,
                        struct error *err)
{
    return map_fixed(r, at, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                     0, err);
}

enum status vm_map_private(const struct vm_reservation *r, void *at, size_t size_bytes, int fd,
                           uint64_t file_offset, struct error *err)
{
    return map_fixed(r, at, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd,
                     file_offset, err);
}

enum status vm_map_shared(const struct vm_reservation *r, void *at, size_t size_bytes, int fd,
                          uint64_t file_offset, struct error *err)
{
    return map_fixed(r, at, size_bytes, PROT_READ, MAP_SHARED, fd, file_offset, err);
}

bool vm_allow(const struct vm_reservation *r, void *at, size_t size_bytes)
{
    check_inside(r, at, size_bytes);
    return size_bytes == 0 || mprotect(at, size_bytes, PROT_READ | PROT_WRITE) == 0;
}

bool vm_protect(const struct vm_reservation *r, void *at, size_t size_bytes)
{
    check_inside(r, at, size_bytes);
    return size_bytes == 0 || mprotect(at, size_bytes, PROT_READ) == 0;
}

bool vm_forbid(const struct vm_reservation *r, void *at, size_t size_bytes)
{
    check_inside(r, at, size_bytes);
    return size_bytes == 0 || mprotect(at, size_bytes, PROT_NONE) == 0;
}

bool vm_discard(const struct vm_reservation *r, void *at, size_t size_bytes)
{
    check_inside(r, at, size_bytes);
    return size_bytes == 0 || madvise(at, size_bytes, MADV_DONTNEED) == 0;
}

void vm_small_pages(const struct vm_reservation *r, void *at, size_t size_bytes)
{
    check_inside(r, at, size_bytes);
    /* The only failure of a valid range is a system without huge pages. */
    (void)madvise(at, size_bytes, MADV_NOHUGEPAGE);
}

enum status vm_sealed_page(const char *name, const void *bytes, size_t size_bytes, int *ret_fd,
                           struct error *err)
{
    assert(size_bytes <= VM_PAGE);
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return error_set_errno(err, errno, "memory file %s", name);
    bool ok = ftruncate(fd, VM_PAGE) == 0 &&
              pwrite(fd, bytes, size_bytes, 0) == (ssize_t)size_bytes &&
              fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
    if (!ok) {
        int number = errno;
        close(fd);
        return error_set_errno(err, number, "memory file %s", name);
    }
    *ret_fd = fd;
    return ST_OK;
}
