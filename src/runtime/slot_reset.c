/* The reset of a slot: what an instance wrote is undone, so that nothing of it is left.
 *
 * Pages that were written stay in memory and are copied back from the image, or zeroed: that is
 * less than a tenth of a microsecond a page, where dropping one and taking the fault again costs
 * forty times as much. The set is small and nearly the same for every instance of an artifact
 * (slot_learn.c). Copying compares, so it is known which pages are written again and again; one
 * that was not for long is dropped. So are memory that was grown into, pages beyond the resident
 * budget, and everything, where the system does not tell: that takes 35 us a MiB, and is done piece
 * by piece. */
#include "slot.h"

#include <assert.h>

#include "base/clock.h"

static bool is_unused(const struct slot *s, const struct page_copy *page)
{
    return page->changed != SLOT_ALWAYS_CHANGED && s->resets - page->changed >= SLOT_UNUSED_RESETS;
}

static void note_dropped(struct slot *s, uint8_t *page)
{
    s->dropped[s->dropped_next++ % SLOT_DROPPED_MAX] = (struct slot_dropped){page, s->resets};
}

/* Drops pages that no instance has written for long; a few at a time, for each run of them is a
 * system call. */
static bool tidy(struct slot *s)
{
    struct page_run runs[SLOT_TIDY_RUNS_MAX];
    size_t kept = 0, count = 0;
    for (size_t k = 0; k < s->pages_count; k++) {
        const struct page_copy *page = &s->pages[k];
        if (is_unused(s, page) && page_run_add(page->to, VM_PAGE, runs, SLOT_TIDY_RUNS_MAX, &count))
            note_dropped(s, page->to);
        else
            s->pages[kept++] = *page;
    }
    if (count) s->calm = 0;
    s->pages_count = kept;
    bool ok = true;
    for (size_t k = 0; ok && k < count; k++)
        ok = vm_discard(&s->reservation, runs[k].start, runs[k].size_bytes);
    return ok;
}

static bool restore(struct slot *s)
{
    if (s->pages_count <= SLOT_UNSEEN_PAGES_MAX) {
        pages_copy(s->pages, s->pages_count);
        return true;
    }
    pages_restore(s->pages, s->pages_count, s->resets);
    /* What is behind the seal is writable while it is kept. */
    return s->sealed || s->resets % SLOT_TIDY_RESETS != 0 || tidy(s);
}

static bool is_calm(const struct slot *s)
{
    uint32_t unseals = s->unseals < SLOT_UNSEALS_MAX ? s->unseals : SLOT_UNSEALS_MAX;
    return s->sealable && s->calm >= SLOT_CALM_RESETS << unseals;
}

/* Which pages are kept, and what has to go. */
static void end(struct slot *s)
{
    const struct module *m = s->module;
    slot_wake(s);
    s->ended = true;
    s->back_count = 0;
    /* Before the sizes in the context are overwritten. */
    for (size_t k = 0; k < m->memories_count; k++) {
        uint64_t size = *slot_memory_size(s, k), fresh = m->memory_bytes[k];
        assert(size >= fresh && size <= SLOT_MEMORY_BYTES_MAX);
        slot_give_back(s, slot_lane(s, k) + fresh, size - fresh, true);
    }
    if (s->sealed) return;
    const size_t grown = s->back_count, known = s->pages_count;
    /* Taken before the copying: should that fault, the next reset merely learns anew. */
    struct pages_moment now = pages_now();
    if (pages_same_moment(&now, &s->learned) || slot_learn(s)) {
        s->learned = now;
        s->calm = s->pages_count == known && !s->back_count ? s->calm + 1 : 0;
        return;
    }
    s->learned = (struct pages_moment){0};
    s->calm = 0;
    s->pages_count = 0;
    s->back_count = grown;
    slot_give_back(s, s->base - m->header->context_bytes, m->header->context_bytes, false);
    slot_give_back(s, s->stack_low, s->stack_bytes, false);
    for (size_t k = 0; k < m->memories_count; k++)
        slot_give_back(s, slot_lane(s, k), m->memory_bytes[k], false);
}

void slot_give_back(struct slot *s, uint8_t *start, size_t size_bytes, bool forbid)
{
    if (size_bytes == 0) return;
    assert(s->back_count < SLOT_BACK_MAX(s->module));
    s->back[s->back_count++] = (struct slot_back){start, size_bytes, forbid};
}

/* Private pages are dropped: what is read next is the image again, or zeros. From the end, so that
 * what is forbidden joins what is forbidden behind it. */
static bool give_back_piece(struct slot *s)
{
    struct slot_back *b = &s->back[s->back_count - 1];
    size_t piece = b->size_bytes < SLOT_PIECE_BYTES ? b->size_bytes : SLOT_PIECE_BYTES;
    uint8_t *at = b->start + b->size_bytes - piece;
    if (!vm_discard(&s->reservation, at, piece)) return false;
    if (b->forbid && !vm_forbid(&s->reservation, at, piece)) return false;
    b->size_bytes -= piece;
    if (b->size_bytes == 0) s->back_count--;
    return true;
}

bool slot_shrink(struct slot *s)
{
    if (!s->ended) end(s);
    if (s->back_count == 0) return true;
    const uint64_t begin_ns = clock_monotonic_ns(clock_system());
    do {
        /* Who resets it is told that the system fails. */
        if (!give_back_piece(s)) return true;
        if (s->back_count == 0) return true;
    } while (clock_monotonic_ns(clock_system()) - begin_ns < SLOT_SHRINK_NS);
    return false;
}

enum status slot_reset(struct slot *s, struct error *err)
{
    if (!s->ended) end(s);
    bool ok = true;
    while (ok && s->back_count) ok = give_back_piece(s);
    s->resets++;
    if (!ok || !restore(s)) return error_set(err, ST_NO_MEMORY, "resetting an instance");
    slot_write_sizes(s);
    s->ended = false;
    if (!s->sealed && is_calm(s)) slot_seal(s);
    slot_sleep(s);
    return ST_OK;
}
