/* The reset of a slot: what an instance wrote is undone, so that nothing of it is left.
 *
 * Pages that were written stay in memory and are copied back from the image, or zeroed: that is
 * less than a tenth of a microsecond a page, where dropping one and taking the fault again costs
 * forty times as much. The set is small and nearly the same for every instance of an artifact. It
 * is asked from the system after the first instance, and again whenever the thread took a page
 * fault since: without a fault no further page can have become private. Copying compares, so it is
 * known which pages are written again and again; one that was not for long is dropped, as are
 * memory that was grown into, pages beyond the resident budget, and everything, where the system
 * does not tell. */
#include "slot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(VM_PAGE) const uint8_t zeros[VM_PAGE];

/* A list of private pages that is being made. */
struct learning {
    const struct slot *slot;
    size_t known;  /* index of the slot's page that comes next, where it is still private */
    size_t extent; /* index of the image's extent that comes next */
    size_t count;
    struct page_copy pages[SLOT_RESIDENT_PAGES_MAX];
};

/* What a fresh instance has at `at`; pages are asked for in ascending order. */
static const uint8_t *original(struct learning *l, const uint8_t *at)
{
    const struct module *m = l->slot->module;
    int64_t offset = at - l->slot->base;
    while (l->extent < m->extents_count &&
           m->extents[l->extent].slot_offset + (int64_t)m->extents[l->extent].size_bytes <= offset)
        l->extent++;
    if (l->extent == m->extents_count || m->extents[l->extent].slot_offset > offset) return zeros;
    const struct artifact_extent *e = &m->extents[l->extent];
    return m->image + e->image_offset + (uint64_t)(offset - e->slot_offset);
}

/* A page that was kept before keeps the moment when it was last seen changed. */
static uint32_t last_changed(struct learning *l, const uint8_t *at)
{
    const struct slot *s = l->slot;
    if (l->known == s->pages_count || s->pages[l->known].to != at) return s->resets;
    return s->pages[l->known++].changed;
}

/* Finds the private pages of [start, start + size_bytes) and keeps them, as far as the budget goes;
 * from the first page beyond it the range is dropped. */
static bool learn_range(struct learning *l, uint8_t *start, size_t size_bytes)
{
    struct page_run found[SLOT_RESIDENT_PAGES_MAX];
    size_t count = 0;
    if (!pages_find_private(start, size_bytes, found, SLOT_RESIDENT_PAGES_MAX, &count))
        return false;
    for (size_t k = 0; k < count; k++)
        for (size_t at = 0; at < found[k].size_bytes; at += VM_PAGE) {
            uint8_t *page = found[k].start + at;
            if (l->count == SLOT_RESIDENT_PAGES_MAX)
                return vm_discard(&l->slot->reservation, page, (size_t)(start + size_bytes - page));
            l->pages[l->count++] =
                (struct page_copy){page, original(l, page), last_changed(l, page)};
        }
    return true;
}

/* The lower part of the stack is used by the odd deep recursion only. */
static bool learn_stack(struct learning *l)
{
    const struct slot *s = l->slot;
    size_t kept_bytes =
        s->stack_bytes < SLOT_STACK_RESIDENT_MAX ? s->stack_bytes : SLOT_STACK_RESIDENT_MAX;
    size_t low_bytes = s->stack_bytes - kept_bytes, count = 0;
    struct page_run found[1];
    bool untouched = pages_find_private(s->stack_low, low_bytes, found, 1, &count) && count == 0;
    if (!untouched && !vm_discard(&s->reservation, s->stack_low, low_bytes)) return false;
    return learn_range(l, s->stack_low + low_bytes, kept_bytes);
}

static bool keep(struct slot *s, const struct learning *l)
{
    if (l->count > s->pages_capacity) {
        struct page_copy *pages = realloc(s->pages, l->count * sizeof *pages);
        if (!pages) return false;
        s->pages = pages;
        s->pages_capacity = l->count;
    }
    if (l->count) memcpy(s->pages, l->pages, l->count * sizeof *s->pages);
    s->pages_count = l->count;
    return true;
}

/* What every instance uses comes first: the budget is for that. */
static bool learn(struct slot *s)
{
    const struct module *m = s->module;
    size_t context_bytes = m->header->context_bytes;
    struct learning l;
    l.slot = s;
    l.known = l.extent = l.count = 0;
    /* Of pages that were copied back unseen nothing is known. */
    if (s->pages_count <= SLOT_UNSEEN_PAGES_MAX) s->pages_count = 0;
    bool ok = learn_range(&l, s->base - context_bytes, context_bytes);
    size_t extent = l.extent;
    ok = ok && learn_stack(&l);
    l.extent = extent; /* the stack lies behind the memories */
    for (size_t k = 0; ok && k < m->memories_count; k++)
        ok = learn_range(&l, slot_lane(s, k), m->memory_bytes[k]);
    return ok && keep(s, &l);
}

/* Drops pages that no instance has written for long; a few at a time, for each run of them is a
 * system call. */
static bool tidy(struct slot *s)
{
    struct page_run runs[SLOT_TIDY_RUNS_MAX];
    size_t kept = 0, count = 0;
    for (size_t k = 0; k < s->pages_count; k++) {
        const struct page_copy *page = &s->pages[k];
        bool unused = s->resets - page->changed >= SLOT_UNUSED_RESETS;
        if (!unused || !page_run_add(page->to, VM_PAGE, runs, SLOT_TIDY_RUNS_MAX, &count))
            s->pages[kept++] = *page;
    }
    s->pages_count = kept;
    bool ok = true;
    for (size_t k = 0; ok && k < count; k++)
        ok = vm_discard(&s->reservation, runs[k].start, runs[k].size_bytes);
    return ok;
}

static bool restore(struct slot *s)
{
    if (s->pages_count <= SLOT_UNSEEN_PAGES_MAX) {
        for (size_t k = 0; k < s->pages_count; k++)
            memcpy(s->pages[k].to, s->pages[k].from, VM_PAGE);
        return true;
    }
    pages_restore(s->pages, s->pages_count, s->resets);
    return s->resets % SLOT_TIDY_RESETS != 0 || tidy(s);
}

/* Private pages are dropped: what is read next is the image again, or zeros. */
static bool drop_all(struct slot *s)
{
    const struct module *m = s->module;
    const struct vm_reservation *r = &s->reservation;
    size_t context_bytes = m->header->context_bytes;
    s->pages_count = 0;
    s->learned = (struct pages_moment){0};
    bool ok = vm_discard(r, s->base - context_bytes, context_bytes) &&
              vm_discard(r, s->stack_low, s->stack_bytes);
    for (size_t k = 0; ok && k < m->memories_count; k++)
        ok = vm_discard(r, slot_lane(s, k), m->memory_bytes[k]);
    return ok;
}

/* Before the sizes in the context are overwritten. */
static bool drop_grown(struct slot *s)
{
    const struct module *m = s->module;
    for (size_t k = 0; k < m->memories_count; k++) {
        uint64_t size = *slot_memory_size(s, k), fresh = m->memory_bytes[k];
        if (size == fresh) continue;
        assert(size > fresh && size <= SLOT_MEMORY_BYTES_MAX);
        uint8_t *end = slot_lane(s, k) + fresh;
        if (!vm_discard(&s->reservation, end, size - fresh)) return false;
        if (!vm_forbid(&s->reservation, end, size - fresh)) return false;
    }
    return true;
}

enum status slot_reset(struct slot *s, struct error *err)
{
    slot_wake(s);
    bool ok = drop_grown(s);
    if (ok) {
        /* Taken before the copying: should that fault, the next reset merely learns anew. */
        struct pages_moment now = pages_now();
        bool known = pages_same_moment(&now, &s->learned) || learn(s);
        s->learned = now;
        s->resets++;
        ok = known ? restore(s) : drop_all(s);
    }
    if (!ok) return error_set(err, ST_NO_MEMORY, "resetting an instance");
    slot_write_sizes(s);
    slot_sleep(s);
    return ST_OK;
}
