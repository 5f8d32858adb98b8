/* What is compiled together: definitions in batches, each one LLVM module. Private to codegen.
 *
 * A plan depends on the program and the level alone, never on threads or time, so that the same
 * input gives the same bytes. */
#ifndef CODEGEN_PLAN_H
#define CODEGEN_PLAN_H

#include "codegen.h"
#include "wasm/program.h"

/* A batch holds at most so many definitions and so many bytes of bodies; a larger function is a
 * batch of its own. */
#define PLAN_BATCH_ITEMS_MAX 64u
#define PLAN_BATCH_BYTES_MAX (24u * 1024u)

/* Above either, a function is compiled at the fast level: the optimiser's time may grow with the
 * product of blocks and locals, and with the edges of br_tables. */
#define PLAN_BLOCKS_LOCALS_MAX 50000000ull
#define PLAN_EDGES_MAX         100000ull
#define PLAN_BYTES_MAX         2000000ull

enum plan_kind { PLAN_FUNCTION, PLAN_THUNK, PLAN_TRAMPOLINE, PLAN_INIT };

struct plan_item {
    enum plan_kind kind;
    uint32_t index; /* program function, type id or instance */
};

struct plan_batch {
    uint32_t first, count; /* items */
    bool fast;             /* at the fast level, whatever the plan's */
    uint64_t size_bytes;   /* of wasm bodies */
};

struct plan {
    struct plan_item *items;
    struct plan_batch *batches; /* in the order of their code */
    uint32_t *order;            /* batches, the largest first */
    uint32_t items_count, batches_count;
    uint32_t functions_lowered;
    uint64_t size_bytes;
};

/* Errors: ST_NO_MEMORY. Ended by plan_done(), also after a failure. */
NODISCARD enum status plan_init(struct plan *p, const struct program *program,
                                const struct codegen_options *options, struct error *err);
void plan_done(struct plan *p);

#endif
