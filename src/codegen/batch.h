/* One batch of a plan: the numbers of its functions, the key of its code, and its compilation to a
 * unit. Private to codegen. */
#ifndef CODEGEN_BATCH_H
#define CODEGEN_BATCH_H

#include "machine.h"
#include "plan.h"

struct batch_code {
    uint8_t key[SHA256_BYTES]; /* of everything that the unit depends on */
    bool has_key;              /* false: never cached */
    bool is_cached;            /* the unit came from the cache */
    /* By number in the unit: program functions, or of a batch of trampolines type ids. */
    uint32_t *symbols;
    uint32_t symbols_count;
    struct buffer unit;
};

/* What batches of one program have in common. */
struct batch_program {
    const struct program *program;
    const struct layout *layout;
    const struct codegen_options *options;
    const struct plan *plan;
    const struct contents *contents;
};

/* Gives numbers to what the batch defines, then to what it calls. `numbers` is the thread's, by
 * program function, zeroed by whoever made it: numbers of this batch stay valid until
 * batch_forget(). Errors: ST_NO_MEMORY. */
NODISCARD enum status batch_name(const struct batch_program *p, const struct plan_batch *batch,
                                 uint32_t *numbers, struct batch_code *code, struct error *err);
void batch_forget(const struct plan_batch *batch, const struct batch_program *p,
                  const struct batch_code *code, uint32_t *numbers);

/* Computes the key. Errors: ST_NO_MEMORY. */
NODISCARD enum status batch_key(const struct batch_program *p, const struct plan_batch *batch,
                                const uint32_t *numbers, struct batch_code *code,
                                struct error *err);

/* Compiles the batch and appends the unit to *unit. Adds to *stats. */
NODISCARD enum status batch_compile(const struct batch_program *p, const struct plan_batch *batch,
                                    const uint32_t *numbers, struct machine *machine,
                                    struct codegen_stats *stats, struct buffer *unit,
                                    struct error *err);

#endif
