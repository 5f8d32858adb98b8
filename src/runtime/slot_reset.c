/* The reset of a slot: what an instance wrote is undone, so that nothing of it is left.
 *
 * Pages that were ever written stay in memory and are copied back from the image, or zeroed: that
 * is a tenth of a microsecond a page, where dropping one and taking the fault again costs twenty
 * times as much. The set is small and nearly the same for every instance of an artifact. It is
 * asked from the system after the first instance, and again whenever the thread took a page fault
 * since: without a fault no further page can have become private. Memory that was grown into, pages
 * beyond the resident budget, and everything, where the system does not tell or from time to time
 * (SLOT_RELEARN_RESETS), is dropped. */
#include "slot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool add_run(struct slot *s, uint8_t *start, size_t size_bytes, const uint8_t *from)
{
    if (s->runs_count == s->runs_capacity) {
        size_t capacity = s->runs_capacity ? 2 * s->runs_capacity : 16;
        struct slot_run *runs = realloc(s->runs, capacity * sizeof *runs);
        if (!runs) return false;
        s->runs = runs;
        s->runs_capacity = capacity;
    }
    s->runs[s->runs_count++] = (struct slot_run){start, size_bytes, from};
    return true;
}

/* Cuts a run where extents of the image begin and end, so that each piece has one source. */
static bool add_pieces(struct slot *s, const struct page_run *run)
{
    const struct module *m = s->module;
    int64_t at = run->start - s->base, end = at + (int64_t)run->size_bytes;
    size_t k = 0;
    while (at < end) {
        while (k < m->extents_count &&
               m->extents[k].slot_offset + (int64_t)m->extents[k].size_bytes <= at)
            k++;
        const struct artifact_extent *e = k < m->extents_count ? &m->extents[k] : NULL;
        const uint8_t *from = NULL;
        int64_t stop = end;
        if (e && e->slot_offset > at) {
            if (e->slot_offset < stop) stop = e->slot_offset;
        } else if (e) {
            int64_t extent_end = e->slot_offset + (int64_t)e->size_bytes;
            if (extent_end < stop) stop = extent_end;
            from = m->image + e->image_offset + (uint64_t)(at - e->slot_offset);
        }
        if (!add_run(s, s->base + at, (size_t)(stop - at), from)) return false;
        at = stop;
    }
    return true;
}

/* Finds the private pages of [start, start + size_bytes) and keeps them, as far as the budget goes;
 * from the first page beyond it the range is dropped. */
static bool learn_range(struct slot *s, uint8_t *start, size_t size_bytes)
{
    struct page_run found[SLOT_RUNS_MAX];
    size_t count = 0;
    if (!pages_find_private(start, size_bytes, found, SLOT_RUNS_MAX, &count)) return false;
    for (size_t k = 0; k < count; k++) {
        if (s->runs_count >= SLOT_RUNS_MAX ||
            found[k].size_bytes > SLOT_RESIDENT_BYTES_MAX - s->resident_bytes) {
            size_t left_bytes = (size_t)(start + size_bytes - found[k].start);
            return vm_discard(&s->reservation, found[k].start, left_bytes);
        }
        s->resident_bytes += found[k].size_bytes;
        if (!add_pieces(s, &found[k])) return false;
    }
    return true;
}

/* The lower part of the stack is used by the odd deep recursion only. */
static bool learn_stack(struct slot *s)
{
    size_t kept_bytes =
        s->stack_bytes < SLOT_STACK_RESIDENT_MAX ? s->stack_bytes : SLOT_STACK_RESIDENT_MAX;
    size_t low_bytes = s->stack_bytes - kept_bytes, count = 0;
    struct page_run found[1];
    bool untouched = pages_find_private(s->stack_low, low_bytes, found, 1, &count) && count == 0;
    if (!untouched && !vm_discard(&s->reservation, s->stack_low, low_bytes)) return false;
    return learn_range(s, s->stack_low + low_bytes, kept_bytes);
}

/* What every instance uses comes first: the budget is for that. */
static bool learn(struct slot *s)
{
    const struct module *m = s->module;
    size_t context_bytes = m->header->context_bytes;
    s->runs_count = 0;
    s->resident_bytes = 0;
    bool ok = learn_range(s, s->base - context_bytes, context_bytes) && learn_stack(s);
    for (size_t k = 0; ok && k < m->memories_count; k++)
        ok = learn_range(s, slot_lane(s, k), m->memory_bytes[k]);
    return ok;
}

static void restore(const struct slot *s)
{
    for (size_t k = 0; k < s->runs_count; k++) {
        const struct slot_run *run = &s->runs[k];
        if (run->from)
            memcpy(run->start, run->from, run->size_bytes);
        else
            memset(run->start, 0, run->size_bytes);
    }
}

/* Private pages are dropped: what is read next is the image again, or zeros. */
static bool drop_all(struct slot *s)
{
    const struct module *m = s->module;
    const struct vm_reservation *r = &s->reservation;
    size_t context_bytes = m->header->context_bytes;
    s->runs_count = 0;
    s->resident_bytes = 0;
    s->resets = 0;
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
    bool ok = drop_grown(s);
    if (ok) {
        /* Taken before the copying: should that fault, the next reset merely learns anew. */
        struct pages_moment now = pages_now();
        bool overdue = s->resident_bytes > SLOT_RELEARN_BYTES && s->resets >= SLOT_RELEARN_RESETS;
        bool known = !overdue && (pages_same_moment(&now, &s->learned) || learn(s));
        s->learned = now;
        s->resets++;
        if (known)
            restore(s);
        else
            ok = drop_all(s);
    }
    if (!ok) return error_set(err, ST_NO_MEMORY, "resetting an instance");
    slot_write_sizes(s);
    return ST_OK;
}
