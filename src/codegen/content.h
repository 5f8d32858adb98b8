/* What each function's code depends on, as a digest: its type, locals and instructions, with each
 * index replaced by what it means (facts.h). Two functions of equal digests give the same code,
 * wherever they stand in whichever programs, but for the functions that they call: those are listed
 * and are no part of the digest. Private to codegen.
 *
 * Instructions that no index belongs to count with their bytes as they are; the encoded length of
 * the others counts too, for offsets of instructions are part of the code. */
#ifndef CODEGEN_CONTENT_H
#define CODEGEN_CONTENT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "codegen.h"
#include "layout.h"

struct content {
    uint8_t digest[SHA256_BYTES];
    const uint32_t *callees; /* program functions, each once, by their first call */
    uint32_t callees_count;
    bool known; /* false: it has an instruction that is not understood here, and no digest */
};

struct contents {
    struct content *funcs; /* by program function, thunks of host imports too */
    struct arena arenas[THREADS_MAX];
    uint32_t arenas_count;
};

/* Reads all bodies, on `threads` threads. Depends on program and layout alone.
 * Errors: ST_NO_MEMORY. End with contents_done(), also after a failure. */
NODISCARD enum status contents_init(struct contents *c, const struct program *program,
                                    const struct layout *layout, uint32_t threads,
                                    struct error *err);
void contents_done(struct contents *c); /* legal on a zeroed one */

/* Appends the letters of a type, so that no two types give the same bytes. */
void content_add_type(struct buffer *b, const struct wasm_type *type);

#endif
