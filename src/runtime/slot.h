/* A slot: the address space of one instance (artifact/artifact.h draws it), with the image of its
 * artifact mapped. Belongs to one thread. */
#ifndef RUNTIME_SLOT_H
#define RUNTIME_SLOT_H

#include "module.h"
#include "os/pages.h"
#include "os/vm.h"

/* What a slot keeps of its own pages from one instance to the next; the rest goes back to the
 * system at the reset. */
#define SLOT_RESIDENT_PAGES_MAX 512u
#define SLOT_STACK_RESIDENT_MAX (256u << 10) /* of that, from the top of the stack */

/* So many pages are copied back unseen: with their originals they fit into a first-level cache, and
 * nobody minds a few that are not needed. In a slot that keeps more, a page that was found changed
 * behind none of so many instances is dropped; the slot is looked through once in so many resets,
 * and so many runs of pages are dropped at once. A page that comes back soon was written all the
 * time, with what it held before: of so many it is known that they were dropped. */
#define SLOT_UNSEEN_PAGES_MAX 5u
#define SLOT_UNUSED_RESETS    256u
#define SLOT_TIDY_RESETS      64u
#define SLOT_TIDY_RUNS_MAX    16u
#define SLOT_DROPPED_MAX      16u
#define SLOT_ALWAYS_CHANGED   UINT32_MAX /* page_copy.changed of one that came back */

/* A slot is sealed (slot_seal.c) when its instances wrote the same pages so many times in a row, in
 * at most so many runs; at most so many slots of a thread are. */
#define SLOT_CALM_RESETS     512u
#define SLOT_SEALED_RUNS_MAX 16u
#define SLOT_SEALED_MAX      256u
#define SLOT_UNSEALS_MAX     10u /* that are counted: each doubles SLOT_CALM_RESETS */

/* Memory goes back to the system in pieces of so many bytes, and slot_shrink() begins none when it
 * has taken so long. A piece takes 70 us. */
#define SLOT_PIECE_BYTES (2u << 20)
#define SLOT_SHRINK_NS   100000u

/* Ranges that may have to go: grown into or beyond the budget, of each memory; beyond the budget,
 * of context and stack; the lower part of the stack. */
#define SLOT_BACK_MAX(module) (3 + 2 * (module)->memories_count)

struct slot_back {
    uint8_t *start;
    size_t size_bytes;
    bool forbid; /* no access afterwards */
};

#if defined(__SANITIZE_ADDRESS__)
#define SLOT_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOT_POISON 1
#endif
#endif

struct slot_dropped {
    uint8_t *page;
    uint32_t resets; /* the slot's, when it was dropped */
};

struct slot {
    const struct module *module;
    struct vm_reservation reservation;
    uint8_t *base;
    uint8_t *stack_low; /* lowest usable byte; SLOT_STACK_GUARD_BYTES of guard below */
    size_t stack_bytes;

    /* All private pages of the slot, as they were at `learned`, less those dropped since. */
    struct page_copy *pages;
    size_t pages_count, pages_capacity;
    uint32_t resets;
    struct pages_moment learned;
    struct slot_dropped dropped[SLOT_DROPPED_MAX]; /* a ring */
    uint32_t dropped_next;

    bool sealable;    /* instance_config.sealable */
    bool sealed;      /* all other pages are read-only */
    uint32_t calm;    /* resets in a row that found nothing new */
    uint32_t unseals; /* how often it was written behind the seal */

    bool ended;             /* the next two are about the instance that was here */
    struct slot_back *back; /* what goes back before the reset; SLOT_BACK_MAX */
    size_t back_count;
#ifdef SLOT_POISON
    bool asleep;
#endif
};

/* Reserves a slot and maps the image of `m` into it: the state of a fresh instance. `host_page_fd`
 * holds the pointers to helpers. On failure *s is released. Errors: ST_NO_MEMORY, ST_CORRUPT. */
NODISCARD enum status slot_init(struct slot *s, const struct module *m, size_t stack_bytes,
                                int host_page_fd, struct error *err);
void slot_done(struct slot *s);

/* Back to the state after slot_init(): slot_reset.c says how. Errors: ST_NO_MEMORY; the slot may
 * then only be released. */
NODISCARD enum status slot_reset(struct slot *s, struct error *err);

/* Gives back what the slot does not keep, for SLOT_SHRINK_NS and a piece at most: slot_reset() and
 * slot_done() do the rest at once. True: nothing is left. The slot may then only be shrunk further,
 * reset, or released. */
bool slot_shrink(struct slot *s);

/* slot_learn.c, for the reset: fills s->pages, and lists what goes back. False: not known. */
NODISCARD bool slot_learn(struct slot *s);
void slot_give_back(struct slot *s, uint8_t *start, size_t size_bytes, bool forbid);

/* slot_seal.c. Sealing may be in vain; unsealing fails when the system has no memory for it. Of a
 * slot that is released only the list of sealed ones must know. */
void slot_seal(struct slot *s);
NODISCARD bool slot_unseal(struct slot *s);
void slot_forget_seal(struct slot *s);

/* For the handler of faults: unseals the slot of this thread in which `address` lies. False: none
 * that is sealed. Async-signal-safe. */
NODISCARD bool slot_unseal_at(uintptr_t address);

/* What a fresh instance without an image knows all the same. */
void slot_write_sizes(struct slot *s);

/* A slot sleeps from its birth, and from each reset, until its next use: a call, or the host's look
 * at memory or globals. Whoever touches it meanwhile works for an instance that is gone. Under
 * AddressSanitizer that is reported; otherwise these do nothing. */
#ifdef SLOT_POISON
void slot_sleep(struct slot *s);
void slot_wake(const struct slot *s);
#else
static inline void slot_sleep(UNUSED struct slot *s)
{
}
static inline void slot_wake(UNUSED const struct slot *s)
{
}
#endif

static inline uint8_t *slot_lane(const struct slot *s, size_t memory)
{
    return s->base + memory * SLOT_LANE_BYTES;
}

static inline uint64_t *slot_memory_size(const struct slot *s, size_t memory)
{
    return (uint64_t *)(s->base + s->module->memories[memory].size_offset);
}

static inline uint32_t *slot_table_size(const struct slot *s, size_t table)
{
    return (uint32_t *)(s->base + s->module->tables[table].size_offset);
}

#endif
