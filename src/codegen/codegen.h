/* Compiles a program (wasm/program.h) into an artifact, by LLVM. Build half only.
 *
 * Everything of WebAssembly 3.0 but GC, typed function references and exceptions, which are
 * refused by name. Generated code holds no address and needs no relocation when it is mapped; the
 * same program and options give the same bytes. The artifact has no image: running the instances'
 * init functions and freezing the outcome is the caller's, with runtime and artifact_write_image().
 *
 * Input is a valid program, yet its size and shape are hostile: every limit below ends a compile
 * with ST_LIMIT or lowers the level of one function. Runs on `threads` threads of its own and
 * blocks the caller until done.
 *
 * Functions are compiled in batches, to units of relocatable code; with a function cache, units
 * that are in it are not compiled again. The artifact is the same in either case. */
#ifndef CODEGEN_CODEGEN_H
#define CODEGEN_CODEGEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct artifact_part;
struct program;
struct function_cache;

enum codegen_level {
    CODEGEN_FAST,      /* no optimiser: live at once */
    CODEGEN_OPTIMISED, /* SSA straight from wasm, light code generation */
    CODEGEN_AGGRESSIVE /* with LLVM's pass pipeline, for what is known to be hot */
};

struct codegen_options {
    enum codegen_level level;
    bool conforming;    /* keep every load and NaN bit pattern that the specification can see */
    uint32_t cpu_level; /* 2 or 3: x86-64-v2, x86-64-v3 */
    uint32_t threads;   /* 0: one a core */
    bool draft;         /* without a digest: artifact_open_draft() */
    bool no_lines;      /* leave out the DWARF lines of the guest */
    struct function_cache *cache; /* NULL: none */
    /* Compiles what the cache has all the same; a difference ends with ST_INTERNAL. */
    bool verify_cache;

    /* Of a component: ARTIFACT_COMPONENT_SECTIONS contents, from ARTIFACT_COMPONENTS on; or NULL.
     */
    const struct artifact_part *component_parts;
};

struct codegen_stats {
    uint32_t functions, functions_lowered; /* compiled; fell back to the fast level */
    uint64_t wasm_code_bytes, code_bytes;
    uint32_t batches, batches_cached;
    uint64_t content_ns, plan_ns, emit_ns, llvm_ns, link_ns; /* emit and llvm summed over threads */
};

/* Appends the artifact to *file. Errors: ST_UNSUPPORTED (names the proposal), ST_LIMIT,
 * ST_NO_MEMORY, ST_INTERNAL (LLVM refused its input: a bug, with LLVM's words). */
NODISCARD enum status codegen_compile(const struct program *program,
                                      const struct codegen_options *options, struct buffer *file,
                                      struct codegen_stats *ret_stats, struct error *err);

/* Version of the generated code: written into artifacts and part of cache keys. */
const char *codegen_engine(void);

#endif
