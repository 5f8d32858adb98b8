/* Which pages of a slot its instances write: the private ones, which the system knows.
 *
 * It is asked after the first instance, and again whenever the thread took a page fault since:
 * without a fault no further page can have become private. */
#include "slot.h"

#include <stdlib.h>
#include <string.h>

/* A list of private pages that is being made. */
struct learning {
    struct slot *slot;
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
    if (l->extent == m->extents_count || m->extents[l->extent].slot_offset > offset)
        return pages_zeros;
    const struct artifact_extent *e = &m->extents[l->extent];
    return m->image + e->image_offset + (uint64_t)(offset - e->slot_offset);
}

static bool came_back(const struct slot *s, const uint8_t *at)
{
    for (size_t k = 0; k < SLOT_DROPPED_MAX; k++) {
        const struct slot_dropped *d = &s->dropped[k];
        if (d->page == at && s->resets - d->resets < SLOT_UNUSED_RESETS) return true;
    }
    return false;
}

/* A page that was kept before keeps the moment when it was last seen changed. */
static uint32_t last_changed(struct learning *l, const uint8_t *at)
{
    const struct slot *s = l->slot;
    if (l->known < s->pages_count && s->pages[l->known].to == at)
        return s->pages[l->known++].changed;
    return came_back(s, at) ? SLOT_ALWAYS_CHANGED : s->resets;
}

/* Finds the private pages of [start, start + size_bytes) and keeps them, as far as the budget goes;
 * from the first page beyond it the range goes back. */
static bool learn_range(struct learning *l, uint8_t *start, size_t size_bytes)
{
    struct page_run found[SLOT_RESIDENT_PAGES_MAX + 1];
    size_t count = 0, budget = SLOT_RESIDENT_PAGES_MAX - l->count;
    if (!pages_find_private(start, size_bytes, budget + 1, found, ARRAY_COUNT(found), &count))
        return false;
    for (size_t k = 0; k < count; k++)
        for (size_t at = 0; at < found[k].size_bytes; at += VM_PAGE) {
            uint8_t *page = found[k].start + at;
            if (l->count == SLOT_RESIDENT_PAGES_MAX) {
                slot_give_back(l->slot, page, (size_t)(start + size_bytes - page), false);
                return true;
            }
            l->pages[l->count++] =
                (struct page_copy){page, original(l, page), last_changed(l, page)};
        }
    return true;
}

/* The lower part of the stack is used by the odd deep recursion only. */
static bool learn_stack(struct learning *l)
{
    struct slot *s = l->slot;
    size_t kept_bytes =
        s->stack_bytes < SLOT_STACK_RESIDENT_MAX ? s->stack_bytes : SLOT_STACK_RESIDENT_MAX;
    size_t low_bytes = s->stack_bytes - kept_bytes, count = 0;
    struct page_run found[1];
    if (!pages_find_private(s->stack_low, low_bytes, 1, found, 1, &count)) return false;
    if (count) slot_give_back(s, s->stack_low, low_bytes, false);
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
bool slot_learn(struct slot *s)
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
