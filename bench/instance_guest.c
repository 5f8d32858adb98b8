/* The guest of bench/instance: writes one byte into each of so many pages, which are fresh. */
#define PAGE_BYTES 4096
#define PAGES_MAX  256

__attribute__((import_module("bench"), import_name("mark"))) void mark(void);

static _Alignas(PAGE_BYTES) volatile unsigned char pages[PAGES_MAX * PAGE_BYTES];

__attribute__((export_name("touch"))) void touch(int count)
{
    mark();
    for (int i = 0; i < count; i++) {
        if (pages[i * PAGE_BYTES]) __builtin_trap();
        pages[i * PAGE_BYTES] = 1;
    }
}
