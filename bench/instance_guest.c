/* The guest of bench/instance: writes one byte into each of so many pages, `stride` pages
 * apart, which are fresh. */
#define PAGE_BYTES 4096
#define PAGES_MAX  1024

__attribute__((import_module("bench"), import_name("mark"))) void mark(void);

static _Alignas(PAGE_BYTES) volatile unsigned char pages[PAGES_MAX * PAGE_BYTES];

__attribute__((export_name("touch"))) void touch(int count, int stride)
{
    mark();
    for (int i = 0; i < count; i++) {
        volatile unsigned char *page = pages + i * stride * PAGE_BYTES;
        if (*page) __builtin_trap();
        *page = 1;
    }
}
