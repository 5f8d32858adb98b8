/* A slot: the address space of one instance (artifact/artifact.h draws it), with the image of its
 * artifact mapped. Belongs to one thread. */
#ifndef RUNTIME_SLOT_H
#define RUNTIME_SLOT_H

#include "module.h"
#include "os/pages.h"
#include "os/vm.h"

/* What a slot keeps of its own pages from one instance to the next; the rest goes back to the
 * system at the reset. */
#define SLOT_RESIDENT_BYTES_MAX (2u << 20)
#define SLOT_STACK_RESIDENT_MAX (256u << 10) /* of that, from the top of the stack */
#define SLOT_RUNS_MAX           512u

/* One instance in many that wrote far more than the others would make every later reset copy that
 * much: a slot that keeps more than so many bytes drops them all once in so many resets. */
#define SLOT_RELEARN_BYTES  (64u << 10)
#define SLOT_RELEARN_RESETS 256u

/* Pages that an instance has written: the reset copies them back. */
struct slot_run {
    uint8_t *start;
    size_t size_bytes;
    const uint8_t *from; /* in the artifact's image; NULL: zeros */
};

struct slot {
    const struct module *module;
    struct vm_reservation reservation;
    uint8_t *base;
    uint8_t *stack_low; /* lowest usable byte; SLOT_STACK_GUARD_BYTES of guard below */
    size_t stack_bytes;

    /* All private pages of the slot, as they were at `learned`. */
    struct slot_run *runs;
    size_t runs_count, runs_capacity, resident_bytes;
    uint32_t resets; /* since everything was dropped */
    struct pages_moment learned;
};

/* Reserves a slot and maps the image of `m` into it: the state of a fresh instance. `host_page_fd`
 * holds the pointers to helpers. On failure *s is released. Errors: ST_NO_MEMORY, ST_CORRUPT. */
NODISCARD enum status slot_init(struct slot *s, const struct module *m, size_t stack_bytes,
                                int host_page_fd, struct error *err);
void slot_done(struct slot *s);

/* Back to the state after slot_init(): slot_reset.c says how. Errors: ST_NO_MEMORY; the slot may
 * then only be released. */
NODISCARD enum status slot_reset(struct slot *s, struct error *err);

/* What a fresh instance without an image knows all the same. */
void slot_write_sizes(struct slot *s);

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
