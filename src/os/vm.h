/* Address space: reservations, and what is mapped inside them.
 *
 * A reservation is taken once, without access and without memory behind it; everything else is
 * placed inside it at fixed addresses. Functions that take addresses want page multiples. They may
 * be called on any thread; two threads may not change the same pages at once. */
#ifndef OS_VM_H
#define OS_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define VM_PAGE 4096u

struct vm_reservation {
    uint8_t *start; /* NULL: none */
    size_t size_bytes;
};

/* Reserves address space. Errors: ST_NO_MEMORY. */
NODISCARD enum status vm_reserve(size_t size_bytes, struct vm_reservation *ret, struct error *err);
void vm_release(struct vm_reservation *r); /* legal on a zeroed one */

/* Each of these works on [at, at + size_bytes), which must lie inside `r`, and replaces what was
 * there. Errors: ST_NO_MEMORY. */
NODISCARD enum status vm_map_zero(const struct vm_reservation *r, void *at, size_t size_bytes,
                                  struct error *err);
NODISCARD enum status vm_map_none(const struct vm_reservation *r, void *at, size_t size_bytes,
                                  struct error *err);
/* Copy-on-write view of a file. */
NODISCARD enum status vm_map_private(const struct vm_reservation *r, void *at, size_t size_bytes,
                                     int fd, uint64_t file_offset, struct error *err);
/* The file's own pages, read-only. */
NODISCARD enum status vm_map_shared(const struct vm_reservation *r, void *at, size_t size_bytes,
                                    int fd, uint64_t file_offset, struct error *err);

/* Changes the access of mapped pages; false when the system has no memory for it. */
NODISCARD bool vm_allow(const struct vm_reservation *r, void *at, size_t size_bytes);
NODISCARD bool vm_protect(const struct vm_reservation *r, void *at,
                          size_t size_bytes); /* reads only */
NODISCARD bool vm_forbid(const struct vm_reservation *r, void *at, size_t size_bytes);

/* Drops private pages: zero pages and file views read again as they were mapped. */
NODISCARD bool vm_discard(const struct vm_reservation *r, void *at, size_t size_bytes);

/* Keeps the system from backing the pages with huge ones, now or later. */
void vm_small_pages(const struct vm_reservation *r, void *at, size_t size_bytes);

/* A sealed file in memory that holds one page, the first `size_bytes` of it given.
 * Success: *ret_fd is the caller's. Errors: ST_NO_MEMORY, ST_IO. */
NODISCARD enum status vm_sealed_page(const char *name, const void *bytes, size_t size_bytes,
                                     int *ret_fd, struct error *err);

#endif
