/* Which pages of a private mapping hold contents of their own: written since they were mapped or
 * last discarded, whether they are in memory or swapped out. Pages of a file that were only read,
 * and the shared page of zeros, are not among them.
 *
 * Asked through /proc/self/pagemap: by PAGEMAP_SCAN (Linux 6.7), else by reading its entries, else
 * the answer is that nobody knows. And copying such pages back. Any thread. */
#ifndef OS_PAGES_H
#define OS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Where PAGEMAP_SCAN is missing, a range above this many bytes is not looked through. */
#define PAGES_READ_BYTES_MAX (64ull << 20)

struct page_run {
    uint8_t *start;
    size_t size_bytes;
};

/* Adds pages to a list that has room for `runs_max`; neighbours of the last run become part of it.
 * False: no room. */
NODISCARD bool page_run_add(uint8_t *start, size_t size_bytes, struct page_run *runs,
                            size_t runs_max, size_t *count);

/* Opens what is needed, so that a process may give up its file system afterwards. To be called
 * again in a fork. Failing is no error: nobody knows, then. */
void pages_prepare(void);

/* The request of ioctl(2) that this module makes, for filters of system calls. */
unsigned long pages_scan_ioctl(void);

/* Appends the runs of private pages in [start, start + size_bytes), ascending, to `runs`, which has
 * room for `runs_max` and holds *count; looks no further when they are `pages_max` pages. False:
 * not known, or more runs than fit; *count then tells nothing. Blocks on no disk. */
NODISCARD bool pages_find_private(void *start, size_t size_bytes, size_t pages_max,
                                  struct page_run *runs, size_t runs_max, size_t *count);

/* A moment in the life of a thread, as far as page faults go. While two moments are equal, the
 * thread took no fault between them: no page of a mapping that only this thread writes, and that
 * the system does not turn into huge pages, has become private. */
struct pages_moment {
    uint64_t process, faults; /* process 0: unknown, equal to nothing */
    const void *thread;
};
struct pages_moment pages_now(void);
bool pages_same_moment(const struct pages_moment *a, const struct pages_moment *b);

/* The original of a page that was zero. */
extern const uint8_t pages_zeros[];

/* A page that shall be as its original. */
struct page_copy {
    uint8_t *to; /* both page-aligned */
    const uint8_t *from;
    uint32_t changed; /* pages_restore() */
};

/* Writes each page anew: for a few, which with their originals are in the nearest cache. */
void pages_copy(const struct page_copy *pages, size_t count);

/* Makes each page as its original again. Sets `changed` to `now` where it was not. */
void pages_restore(struct page_copy *pages, size_t count, uint32_t now);

/* For tests: how the question is asked. */
enum pages_method { PAGES_BEST, PAGES_READ_ENTRIES, PAGES_UNKNOWN };
void pages_set_method(enum pages_method method);

/* For tests: with which registers pages are copied back; no wider ones than the machine has. */
enum pages_width { PAGES_WIDTH_BEST, PAGES_WIDTH_256, PAGES_WIDTH_ANY };
void pages_set_width(enum pages_width width);

#endif
