/* Copying pages back, all of them or where they differ, with the widest registers that this machine
 * has.
 *
 * A page that was written in a few places is read as fast as it could be copied, and nothing of it
 * has to be written back by the caches: a quarter to a half of the time. */
#include "os/pages.h"

#include <immintrin.h>
#include <stdatomic.h>
#include <string.h>

#include "os/vm.h"

/* Bytes that are compared, and copied, together. */
#define STEP_512 256u
#define STEP_256 128u

/* Without a loop that knows the page's size compilers make this `rep movs`, which some processors
 * take 25 ns to begin with. A page of zeros need not be read. */
__attribute__((target("avx2"))) static void copy_256(uint8_t *to, const uint8_t *from)
{
    __m256i a = {0}, b = {0}, c = {0}, d = {0};
    const bool zero = from == pages_zeros;
    for (size_t at = 0; at < VM_PAGE; at += STEP_256) {
        __m256i *t = (__m256i *)(void *)(to + at);
        const __m256i *f = (const __m256i *)(const void *)(from + at);
        if (!zero) a = f[0], b = f[1], c = f[2], d = f[3];
        t[0] = a, t[1] = b, t[2] = c, t[3] = d;
    }
}

__attribute__((target("avx512f"))) static bool restore_512(uint8_t *to, const uint8_t *from)
{
    bool changed = false;
    for (size_t at = 0; at < VM_PAGE; at += STEP_512) {
        __m512i *t = (__m512i *)(void *)(to + at);
        const __m512i *f = (const __m512i *)(const void *)(from + at);
        __m512i a = f[0], b = f[1], c = f[2], d = f[3];
        unsigned differ = _mm512_cmpneq_epi64_mask(a, t[0]);
        differ |= _mm512_cmpneq_epi64_mask(b, t[1]);
        differ |= _mm512_cmpneq_epi64_mask(c, t[2]);
        differ |= _mm512_cmpneq_epi64_mask(d, t[3]);
        if (!differ) continue;
        t[0] = a, t[1] = b, t[2] = c, t[3] = d;
        changed = true;
    }
    return changed;
}

__attribute__((target("avx2"))) static bool restore_256(uint8_t *to, const uint8_t *from)
{
    bool changed = false;
    for (size_t at = 0; at < VM_PAGE; at += STEP_256) {
        __m256i *t = (__m256i *)(void *)(to + at);
        const __m256i *f = (const __m256i *)(const void *)(from + at);
        __m256i a = f[0], b = f[1], c = f[2], d = f[3];
        __m256i differ = ((a ^ t[0]) | (b ^ t[1])) | ((c ^ t[2]) | (d ^ t[3]));
        if (_mm256_testz_si256(differ, differ)) continue;
        t[0] = a, t[1] = b, t[2] = c, t[3] = d;
        changed = true;
    }
    return changed;
}

static bool restore_any(uint8_t *to, const uint8_t *from)
{
    if (memcmp(to, from, VM_PAGE) == 0) return false;
    memcpy(to, from, VM_PAGE);
    return true;
}

static _Atomic enum pages_width pages_width;

void pages_set_width(enum pages_width width)
{
    atomic_store(&pages_width, width);
}

/* Processors before those with VBMI2 run slower for a while after 512-bit instructions. */
static bool (*chosen(void))(uint8_t *to, const uint8_t *from)
{
    enum pages_width width = atomic_load_explicit(&pages_width, memory_order_relaxed);
    if (width == PAGES_WIDTH_BEST && __builtin_cpu_supports("avx512vbmi2")) return restore_512;
    if (width != PAGES_WIDTH_ANY && __builtin_cpu_supports("avx2")) return restore_256;
    return restore_any;
}

void pages_copy(const struct page_copy *pages, size_t count)
{
    enum pages_width width = atomic_load_explicit(&pages_width, memory_order_relaxed);
    bool wide = width != PAGES_WIDTH_ANY && __builtin_cpu_supports("avx2");
    for (size_t k = 0; k < count; k++)
        if (wide)
            copy_256(pages[k].to, pages[k].from);
        else
            memcpy(pages[k].to, pages[k].from, VM_PAGE);
}

void pages_restore(struct page_copy *pages, size_t count, uint32_t now)
{
    bool (*restore)(uint8_t *to, const uint8_t *from) = chosen();
    for (size_t k = 0; k < count; k++)
        if (restore(pages[k].to, pages[k].from)) pages[k].changed = now;
}
