/* Sealing: the pages of a slot that its instances do not write are made read-only, so that the
 * reset need not ask the system whether one of them was written after all: a system call less for
 * each request.
 *
 * Who does write such a page faults, and finds the whole slot writable again. Only slots are sealed
 * whose instances wrote the same pages for long, in few runs, for each run is a system call and a
 * mapping; and who was wrong about a slot waits twice as long with it the next time. */
#include "slot.h"

static _Thread_local struct slot *sealed[SLOT_SEALED_MAX];

struct range {
    uint8_t *start;
    size_t size_bytes;
};

/* The ranges that instances may write, in the order of s->pages. */
static struct range range_of(const struct slot *s, size_t k)
{
    size_t context_bytes = s->module->header->context_bytes;
    if (k == 0) return (struct range){s->base - context_bytes, context_bytes};
    if (k == 1) return (struct range){s->stack_low, s->stack_bytes};
    return (struct range){slot_lane(s, k - 2), s->module->memory_bytes[k - 2]};
}

static size_t count_ranges(const struct slot *s)
{
    return 2 + s->module->memories_count;
}

static bool few_runs(const struct slot *s)
{
    size_t runs = 0;
    for (size_t k = 0; k < s->pages_count; k++)
        runs += k == 0 || s->pages[k].to != s->pages[k - 1].to + VM_PAGE;
    return runs <= SLOT_SEALED_RUNS_MAX;
}

/* What lies between the pages that are kept, from s->pages[*next] on. */
static bool protect_range(const struct slot *s, struct range range, size_t *next)
{
    uint8_t *at = range.start, *end = range.start + range.size_bytes;
    for (; *next < s->pages_count; ++*next) {
        uint8_t *page = s->pages[*next].to;
        if (page < at || page >= end) break;
        if (!vm_protect(&s->reservation, at, (size_t)(page - at))) return false;
        at = page + VM_PAGE;
    }
    return vm_protect(&s->reservation, at, (size_t)(end - at));
}

void slot_seal(struct slot *s)
{
    size_t place = 0, next = 0;
    s->calm = 0; /* where it is in vain it is not tried again soon */
    while (place < SLOT_SEALED_MAX && sealed[place]) place++;
    if (place == SLOT_SEALED_MAX || !few_runs(s)) return;
    sealed[place] = s;
    s->sealed = true;
    bool ok = true;
    for (size_t k = 0; ok && k < count_ranges(s); k++) ok = protect_range(s, range_of(s, k), &next);
    if (!ok && !slot_unseal(s)) __builtin_trap(); /* mappings that join need no memory */
}

void slot_forget_seal(struct slot *s)
{
    for (size_t k = 0; s->sealed && k < SLOT_SEALED_MAX; k++)
        if (sealed[k] == s) sealed[k] = NULL;
    s->sealed = false;
}

bool slot_unseal(struct slot *s)
{
    if (!s->sealed) return true;
    slot_forget_seal(s);
    s->unseals++;
    s->learned = (struct pages_moment){0};
    bool ok = true;
    for (size_t k = 0; k < count_ranges(s); k++) {
        struct range range = range_of(s, k);
        ok = vm_allow(&s->reservation, range.start, range.size_bytes) && ok;
    }
    return ok;
}

static bool may_write(const struct slot *s, uintptr_t address)
{
    for (size_t k = 0; k < count_ranges(s); k++) {
        struct range range = range_of(s, k);
        if (address - (uintptr_t)range.start < range.size_bytes) return true;
    }
    return false;
}

bool slot_unseal_at(uintptr_t address)
{
    for (size_t k = 0; k < SLOT_SEALED_MAX; k++)
        if (sealed[k] && may_write(sealed[k], address)) return slot_unseal(sealed[k]);
    return false;
}
