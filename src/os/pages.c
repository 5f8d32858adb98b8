#include "os/pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/vm.h"

_Alignas(VM_PAGE) const uint8_t pages_zeros[VM_PAGE];

/* linux/fs.h of Linux 6.7; older headers do not have it. */
struct scan_region {
    uint64_t start, end, categories;
};
struct scan_arguments {
    uint64_t size, flags, start, end, walk_end, regions, regions_max, pages_max;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL    _IOWR('f', 16, struct scan_arguments)
#define SCAN_FILE     (1u << 2)
#define SCAN_PRESENT  (1u << 3)
#define SCAN_SWAPPED  (1u << 4)
#define SCAN_ZEROPAGE (1u << 5)

#define SCAN_REGIONS 64u /* answered by one call */

/* Documentation/admin-guide/mm/pagemap.rst */
#define ENTRY_FILE    (1ull << 61)
#define ENTRY_SWAPPED (1ull << 62)
#define ENTRY_PRESENT (1ull << 63)

#define ENTRIES_READ 512u /* at a time */

/* A descriptor of pagemap shows the process that opened it, also to a fork of that process, which
 * would take the other's pages for its own. So what is known of it stands in a page that the system
 * wipes in a fork. */
struct pagemap {
    _Atomic uint64_t process; /* 0: not open */
    _Atomic bool opening;
    int fd;
    bool can_scan;
};
static struct pagemap *_Atomic pagemap_page;
static _Atomic enum pages_method pages_method;

void pages_set_method(enum pages_method method)
{
    atomic_store(&pages_method, method);
}

static struct pagemap *pagemap_map(void)
{
    struct pagemap *page = atomic_load(&pagemap_page);
    if (page) return page;
    void *got = mmap(NULL, VM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return NULL;
    if (madvise(got, VM_PAGE, MADV_WIPEONFORK) != 0) {
        munmap(got, VM_PAGE);
        return NULL;
    }
    struct pagemap *none = NULL;
    if (atomic_compare_exchange_strong(&pagemap_page, &none, got)) return got;
    munmap(got, VM_PAGE); /* another thread was first */
    return none;
}

struct search {
    uint8_t *start;
    size_t size_bytes, pages_max;
    struct page_run *runs;
    size_t runs_max, *count;
};

static bool scan(int fd, const struct search *s);

/* Opens pagemap for this process; NULL when there is none to be had. One thread at a time: who
 * comes meanwhile does without. */
static const struct pagemap *pagemap_open(void)
{
    struct pagemap *page = pagemap_map();
    if (!page) return NULL;
    if (atomic_load_explicit(&page->process, memory_order_acquire)) return page;
    if (atomic_exchange(&page->opening, true)) return NULL;
    int fd = -1;
    if (!atomic_load(&page->process)) {
        fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            struct page_run runs[1];
            size_t count = 0;
            const struct search probe = {(uint8_t *)page, VM_PAGE, 1, runs, 1, &count};
            page->fd = fd;
            page->can_scan = scan(fd, &probe) && count == 1;
            atomic_store_explicit(&page->process, (uint64_t)getpid(), memory_order_release);
        }
    }
    atomic_store(&page->opening, false);
    return atomic_load(&page->process) ? page : NULL;
}

bool page_run_add(uint8_t *start, size_t size_bytes, struct page_run *runs, size_t runs_max,
                  size_t *count)
{
    if (*count && runs[*count - 1].start + runs[*count - 1].size_bytes == start) {
        runs[*count - 1].size_bytes += size_bytes;
        return true;
    }
    if (*count == runs_max) return false;
    runs[(*count)++] = (struct page_run){start, size_bytes};
    return true;
}

static bool scan(int fd, const struct search *s)
{
    struct scan_region regions[SCAN_REGIONS];
    struct scan_arguments arguments = {
        .size = sizeof arguments,
        .start = (uintptr_t)s->start,
        .end = (uintptr_t)s->start + s->size_bytes,
        .regions = (uintptr_t)regions,
        .regions_max = SCAN_REGIONS,
        .pages_max = s->pages_max,
        .category_inverted = SCAN_FILE | SCAN_ZEROPAGE,
        .category_mask = SCAN_FILE | SCAN_ZEROPAGE,
        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
        .return_mask = SCAN_PRESENT | SCAN_SWAPPED,
    };
    while (arguments.start < arguments.end && arguments.pages_max) {
        int found = ioctl(fd, SCAN_IOCTL, &arguments);
        if (found < 0 && errno == EINTR) continue;
        if (found < 0) return false;
        for (int k = 0; k < found; k++) {
            size_t bytes = (size_t)(regions[k].end - regions[k].start);
            if (!page_run_add((uint8_t *)(uintptr_t)regions[k].start, bytes, s->runs, s->runs_max,
                              s->count))
                return false;
            arguments.pages_max -= bytes / VM_PAGE;
        }
        /* A full vector ends the walk early. */
        if (arguments.walk_end <= arguments.start) return false;
        arguments.start = arguments.walk_end;
    }
    return true;
}

static bool read_entries(int fd, const struct search *s)
{
    if (s->size_bytes > PAGES_READ_BYTES_MAX) return false;
    uint64_t entries[ENTRIES_READ];
    size_t found = 0;
    for (size_t done = 0; done < s->size_bytes && found < s->pages_max;) {
        size_t pages = (s->size_bytes - done) / VM_PAGE;
        if (pages > ENTRIES_READ) pages = ENTRIES_READ;
        off_t at = (off_t)(((uintptr_t)s->start + done) / VM_PAGE * sizeof entries[0]);
        ssize_t got = pread(fd, entries, pages * sizeof entries[0], at);
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)(pages * sizeof entries[0])) return false;
        for (size_t k = 0; k < pages && found < s->pages_max; k++) {
            bool private =
                (entries[k] & (ENTRY_PRESENT | ENTRY_SWAPPED)) && !(entries[k] & ENTRY_FILE);
            if (!private) continue;
            if (!page_run_add(s->start + done + k * VM_PAGE, VM_PAGE, s->runs, s->runs_max,
                              s->count))
                return false;
            found++;
        }
        done += pages * VM_PAGE;
    }
    return true;
}

bool pages_find_private(void *start, size_t size_bytes, size_t pages_max, struct page_run *runs,
                        size_t runs_max, size_t *count)
{
    assert((uintptr_t)start % VM_PAGE == 0 && size_bytes % VM_PAGE == 0);
    enum pages_method method = atomic_load_explicit(&pages_method, memory_order_relaxed);
    if (size_bytes == 0 || pages_max == 0) return true;
    if (method == PAGES_UNKNOWN) return false;
    const struct pagemap *page = pagemap_open();
    if (!page) return false;
    const struct search s = {start, size_bytes, pages_max, runs, runs_max, count};
    if (page->can_scan && method == PAGES_BEST) return scan(page->fd, &s);
    return read_entries(page->fd, &s);
}

unsigned long pages_scan_ioctl(void)
{
    return SCAN_IOCTL;
}

void pages_prepare(void)
{
    (void)pagemap_open();
}

static _Thread_local char thread_mark;

struct pages_moment pages_now(void)
{
    const struct pagemap *page = atomic_load_explicit(&pagemap_page, memory_order_acquire);
    struct rusage usage;
    uint64_t process = page ? atomic_load_explicit(&page->process, memory_order_acquire) : 0;
    if (!process || getrusage(RUSAGE_THREAD, &usage) != 0) return (struct pages_moment){0};
    return (struct pages_moment){
        .process = process,
        .faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt,
        .thread = &thread_mark,
    };
}

bool pages_same_moment(const struct pages_moment *a, const struct pages_moment *b)
{
    return a->process && a->process == b->process && a->faults == b->faults &&
           a->thread == b->thread;
}
