/* What is compiled together: definitions in batches, each one LLVM module. Private to codegen.
 *
 * A plan depends on the program and the level alone, never on threads, time or what is cached, so
 * that the same input gives the same bytes. */
#ifndef CODEGEN_PLAN_H
#define CODEGEN_PLAN_H

#include "codegen.h"
#include "content.h"
#include "wasm/program.h"

/* A batch holds at most so many definitions and so many bytes of bodies; a larger function is a
 * batch of its own. Where a batch ends before that is for the content of its last function to say,
 * every PLAN_BATCH_BYTES_USUAL or so: when a function changes, or others come before it, batches
 * begin to be the same again soon behind it, and the function cache has them. */
#define PLAN_BATCH_ITEMS_MAX   64u
#define PLAN_BATCH_BYTES_MAX   (24u * 1024u)
#define PLAN_BATCH_BYTES_USUAL (8u * 1024u)

/* A function above any of these is compiled at the fast level, whose time is linear in its size;
 * the optimisers' may grow with the product of blocks and locals, with edges, with the length of a
 * run without branches, and with nesting. Real code stays well below: StarlingMonkey's largest
 * function has 170 KB, 7,400 blocks, 860 edges of br_tables, 400,000 blocks × locals. */
#define PLAN_BYTES_MAX         500000u
#define PLAN_BLOCKS_MAX        12000u
#define PLAN_EDGES_MAX         20000u
#define PLAN_RUN_MAX           30000u
#define PLAN_LOOP_DEPTH_MAX    64u
#define PLAN_IF_DEPTH_MAX      512u
#define PLAN_BLOCKS_LOCALS_MAX 2000000u

/* A program of more functions than this is compiled at the fast level: each costs the optimiser a
 * fifth of a millisecond, however small. */
#define PLAN_FUNCTIONS_MAX 150000u

/* Above these a function that is to be compiled aggressively is only optimised. */
#define PLAN_AGGRESSIVE_BYTES_MAX  65536u
#define PLAN_AGGRESSIVE_BLOCKS_MAX 3000u

/* What only shows in the IR: values merged at joins (operands of phis) and depth of the value
 * stack. A batch with a function above either is compiled again at the fast level. */
#define PLAN_MERGES_MAX      60000u
#define PLAN_STACK_DEPTH_MAX 1000u

enum plan_kind { PLAN_FUNCTION, PLAN_THUNK, PLAN_TRAMPOLINE, PLAN_INIT };

struct plan_item {
    enum plan_kind kind;
    uint32_t index; /* program function, type id or instance */
};

struct plan_batch {
    uint32_t first, count; /* items */
    enum codegen_level level;
    uint64_t size_bytes; /* of wasm bodies */
};

struct plan {
    struct plan_item *items;
    struct plan_batch *batches; /* in the order of their code */
    uint32_t *order;            /* batches, the largest first */
    uint32_t items_count, batches_count;
    uint32_t functions_lowered;
    uint64_t size_bytes;
    bool batch_ends; /* while it is made: the batch that is open takes no more */
};

/* Errors: ST_NO_MEMORY. Ended by plan_done(), also after a failure. */
NODISCARD enum status plan_init(struct plan *p, const struct program *program,
                                const struct codegen_options *options,
                                const struct contents *contents, struct error *err);
void plan_done(struct plan *p);

#endif
