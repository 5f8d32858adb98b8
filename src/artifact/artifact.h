/* The artifact: what the build half hands to the serve half, and all that they share.
 *
 * An immutable file: machine code without load-time relocations, read-only data, the image of an
 * initialised instance, and the tables that a runtime needs to start it and to explain its traps.
 * This header is the format and the reader; artifact_writer.h writes. The reader verifies digest,
 * versions and every bound before anything is used; what it returned is immutable and may be read
 * from several threads.
 *
 * It also fixes the layout of a slot (where the parts of an instance lie around the base register),
 * because generated code and runtime must agree on it:
 *
 *   slot start                                                                      slot end
 *   | unmapped | host page | unmapped | context | memory 0 | memory 1 … | stack |
 *              ^                      ^         ^          ^
 *    base - 1 GiB - 4 KiB   base - context_bytes base    base + SLOT_LANE_BYTES
 *
 * The base stands in the pinned register (swiftself: r13 on x86-64) whenever guest code runs.
 * A 32-bit memory is reached by base + lane + zero-extended index + offset: at most 33 bits beyond
 * its lane's start, which stays inside the lane, whose tail is unmapped. */
#ifndef ARTIFACT_ARTIFACT_H
#define ARTIFACT_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/component_tables.h"
#include "base/compiler.h"
#include "base/error.h"

#define ARTIFACT_MAGIC     "\0mayfly\n"
#define ARTIFACT_FORMAT    4u
#define ARTIFACT_ENGINE    "mayfly-llvm19-2" /* of the code generator whose code this build runs */
#define ARTIFACT_BYTES_MAX (2048ull * 1024 * 1024)
#define ARTIFACT_PAGE      4096u

/* ---- slot layout ---- */

#define SLOT_LOW_BYTES         (2ull << 30) /* from the slot's start to the base */
#define SLOT_CONTEXT_BYTES_MAX (1ull << 30)
#define SLOT_HOST_PAGE         (-(int64_t)SLOT_CONTEXT_BYTES_MAX - (int64_t)ARTIFACT_PAGE)
#define SLOT_MEMORY_BYTES_MAX  (4ull << 30)
#define SLOT_LANE_BYTES        ((8ull << 30) + (1ull << 20)) /* one a memory, at least one */
#define SLOT_LANES_MAX         128u
#define SLOT_STACK_GUARD_BYTES (1ull << 20) /* on both sides of the stack */

/* Offsets from the base of what is in the context are negative. */

/* One parameter or result as it crosses between guest and host. */
struct value {
    union {
        uint32_t i32; /* also references */
        uint64_t i64;
        float f32;
        double f64;
        uint8_t v128[16];
    };
} __attribute__((aligned(16)));

/* Slot numbers on the host page: an array of 8-byte pointers to entry stubs. */
enum helper {
#define HELPER(name, kind, result, parameters) HELPER_##name,
#include "artifact/helpers.def"
#undef HELPER
    HELPERS_COUNT
};

/* Why a guest was stopped. The values are part of the format. */
enum trap_kind {
    TRAP_NONE = 0,
    TRAP_UNREACHABLE,
    TRAP_MEMORY_BOUNDS,
    TRAP_TABLE_BOUNDS,
    TRAP_NULL_ELEMENT,  /* call_indirect of a null element */
    TRAP_TYPE_MISMATCH, /* call_indirect with another type */
    TRAP_DIVIDE_BY_ZERO,
    TRAP_INTEGER_OVERFLOW,
    TRAP_BAD_CONVERSION,
    TRAP_STACK_EXHAUSTED,
    TRAP_NULL_REFERENCE,
    TRAP_HOST,   /* a host function refused the call in a way that its interface has no error for */
    TRAP_EXIT,   /* no fault: the guest ended itself (proc_exit) */
    TRAP_CANCEL, /* the host discarded a suspended guest */
    TRAP_CPU_LIMIT,
    TRAP_KINDS_COUNT
};

/* The specification's words: "out of bounds memory access". Static storage. */
const char *trap_kind_text(enum trap_kind kind);

/* ---- the file ---- */

enum artifact_section {
    ARTIFACT_CODE,   /* page-aligned; executable */
    ARTIFACT_RODATA, /* page-aligned; mapped right behind the code's last page */
    ARTIFACT_FUNCS,
    ARTIFACT_FUNC_ORDER, /* uint32_t: the functions that have code, ascending by code_offset */
    ARTIFACT_TYPES,
    ARTIFACT_TYPE_CODES,
    ARTIFACT_IMPORTS,
    ARTIFACT_EXPORTS,
    ARTIFACT_INSTANCES,
    ARTIFACT_MEMORIES,
    ARTIFACT_TABLES,
    ARTIFACT_GLOBALS,
    ARTIFACT_DATAS,
    ARTIFACT_ELEMENTS,
    ARTIFACT_ADDRESSES, /* code offset → wasm offset, sorted */
    ARTIFACT_LINES,     /* wasm offset → file and line, sorted */
    ARTIFACT_STRINGS,   /* NUL-terminated, a NUL inside is C0 80; offset 0 is "" */
    /* component_tables.h; empty for a core module */
    ARTIFACT_COMPONENTS,
    ARTIFACT_CANONS, /* ascending by func; these functions are not among ARTIFACT_IMPORTS */
    ARTIFACT_LIFTS,
    ARTIFACT_RESOURCES,
    ARTIFACT_COMPONENT_EXPORTS,
    ARTIFACT_WIT_TYPES,
    ARTIFACT_WIT_FIELDS,
    ARTIFACT_WIT_STRINGS,
    ARTIFACT_EXTENTS, /* of the image */
    ARTIFACT_IMAGE,   /* page-aligned: the bytes of the extents, in order */
    ARTIFACT_SECTIONS_COUNT
};

#define ARTIFACT_COMPONENT_SECTIONS (ARTIFACT_WIT_STRINGS - ARTIFACT_COMPONENTS + 1)

enum artifact_flag {
    ARTIFACT_INITIALISED = 1, /* the image holds the effect of every instance's init function */
    ARTIFACT_CONFORMING = 2,
    ARTIFACT_STARTED = 4, /* and that of their start functions */
};

struct artifact_section_entry {
    uint64_t offset, size_bytes;
};

struct artifact_header {
    char magic[8];
    uint32_t format;
    uint32_t header_bytes;
    uint8_t digest[32];      /* SHA-256 of the file from `engine` to its end but ARTIFACT_CODE */
    char engine[32];         /* version of the code generator, NUL-terminated */
    uint32_t cpu_level;      /* 2 or 3: x86-64-v2, x86-64-v3 */
    uint32_t level;          /* enum codegen_level, informative */
    uint32_t flags;          /* enum artifact_flag */
    uint32_t features;       /* of the modules: enum wasm_feature, informative */
    uint8_t code_digest[32]; /* SHA-256 of ARTIFACT_CODE: artifacts of equal code share it */
    uint64_t wasm_bytes;
    uint64_t context_bytes; /* page multiple, up to SLOT_CONTEXT_BYTES_MAX */
    struct artifact_section_entry sections[ARTIFACT_SECTIONS_COUNT];
};

/* Entry i is program function i; entry 0 is the null function, without code. Behind the program's
 * functions come the instances' init functions, in the order of the instances. */
struct artifact_func {
    uint32_t code_offset, code_size; /* within ARTIFACT_CODE */
    uint32_t type;                   /* index into ARTIFACT_TYPES */
    uint32_t instance, index;        /* the definition: function `index` of that module */
    uint32_t name;                   /* string; 0 where there is none */
    uint32_t wasm_origin;            /* the offsets that its traps name count from here */
};

/* Entry i is the program's function type i; entry 0 is ":", of the init functions.
 * A function type: letters of its parameters, ':' and its results ("il:d"; i i32, l i64, f f32,
 * d f64, v v128, r reference), and the code that calls a function of that type:
 *   void trampoline(swiftself base, const void *code, struct value *values)
 * which takes parameters from and leaves results in `values`. */
struct artifact_type {
    uint32_t signature;         /* offset into ARTIFACT_TYPE_CODES, one behind the other's NUL */
    uint32_t trampoline_offset; /* within ARTIFACT_CODE; 0: the host cannot call this type */
    uint32_t params_count, results_count;
};

struct artifact_import {
    uint32_t module, field; /* strings */
    uint32_t func;          /* program function */
};

struct artifact_export {
    uint32_t name; /* string */
    uint32_t instance;
    uint32_t kind;  /* enum wasm_external's order: func, table, memory, global, tag */
    uint32_t index; /* program index of its kind */
};

struct artifact_instance {
    uint32_t init_func;  /* index into ARTIFACT_FUNCS: globals, then segments; type ":" */
    uint32_t start_func; /* program function, or 0 */
    uint32_t name;       /* string: the module's name */
    uint32_t pad;
};

struct artifact_memory {
    uint64_t pages_min, pages_max; /* max: what memory.grow may reach, never above the lane */
    int32_t size_offset;           /* context: uint64_t, current size in bytes */
    uint32_t is64;
};

struct artifact_table {
    uint64_t min, max;
    int32_t size_offset;     /* context: uint32_t, current number of elements */
    int32_t elements_offset; /* context: uint32_t[capacity], 8-byte aligned */
    uint32_t capacity;       /* growth ends here: at most max */
    uint32_t is64;
};

struct artifact_global {
    int32_t offset; /* context */
    uint8_t type;   /* the letter of artifact_type.signature */
    uint8_t mutable;
    uint8_t pad[2];
};

struct artifact_data {
    uint32_t rodata_offset, size_bytes;
    int32_t dropped_offset; /* context: uint8_t, 1 once dropped; 0: the segment cannot be dropped */
};

struct artifact_element {
    uint32_t count;
    int32_t dropped_offset;
    uint32_t in_context;     /* 1: elements_offset is from the base; 0: within ARTIFACT_RODATA */
    int32_t elements_offset; /* uint32_t[count] */
};

struct artifact_address {
    uint32_t code_offset; /* this and what follows, up to the next entry … */
    uint32_t
        wasm_offset; /* … comes from the instruction at this offset of its module; 0: unknown */
};

struct artifact_line {
    uint32_t instance;
    uint32_t wasm_offset;
    uint32_t file; /* string; 0: no source from here on */
    uint32_t line;
};

/* Image bytes for [base + slot_offset, + size_bytes), page multiples; the rest of the slot's
 * memories and context is zero. */
struct artifact_extent {
    int64_t slot_offset;
    uint64_t size_bytes;
    uint64_t image_offset; /* within ARTIFACT_IMAGE */
};

/* ---- the reader ---- */

struct artifact;

/* Maps the artifact at `path`, opened with O_NOFOLLOW, and verifies it before use.
 * Success: *ret is the caller's, who ends it with artifact_close().
 * Failure: *ret is untouched.
 * Errors: ST_NOT_FOUND, ST_DENIED, ST_CORRUPT (not an artifact, wrong digest, bounds: says which),
 * ST_UNSUPPORTED (another format or engine version, or a CPU level that this machine lacks),
 * ST_NO_MEMORY. Blocks on the file. */
NODISCARD enum status artifact_open(const char *path, struct artifact **ret, struct error *err);

/* The same from an open file, which is taken in every case. With `verified`, a process that this
 * one trusts has verified this very file before, and digest and bounds are not looked at again. */
NODISCARD enum status artifact_open_fd(int take_fd, bool verified, struct artifact **ret,
                                       struct error *err);

/* The same from bytes, which are copied into a sealed memory file. */
NODISCARD enum status artifact_open_bytes(const void *bytes, size_t size_bytes,
                                          struct artifact **ret, struct error *err);
void artifact_close(struct artifact *a); /* legal on NULL */

const struct artifact_header *artifact_header(const struct artifact *a);

/* The elements of a section, and how many. Valid until artifact_close(). */
const void *artifact_section(const struct artifact *a, enum artifact_section section,
                             size_t *ret_count);

const char *artifact_string(const struct artifact *a, uint32_t offset);
const char *artifact_wit_string(const struct artifact *a, uint32_t offset);

/* Where code and read-only data are mapped. */
const uint8_t *artifact_code(const struct artifact *a, size_t *ret_size_bytes);
const uint8_t *artifact_rodata(const struct artifact *a, size_t *ret_size_bytes);

/* The file behind it (for mapping the image) and the offset of a page-aligned section in it. */
int artifact_fd(const struct artifact *a);
uint64_t artifact_file_offset(const struct artifact *a, enum artifact_section section);

/* The function that holds `code_offset`, or NULL for padding, trampolines and thunks. */
const struct artifact_func *artifact_find_func(const struct artifact *a, uint32_t code_offset);

/* The wasm offset of the instruction behind `code_offset`; false when unknown. */
bool artifact_find_wasm_offset(const struct artifact *a, uint32_t code_offset, uint32_t *ret);

/* The source line of a wasm offset; false when unknown. *ret_file is borrowed from the artifact. */
bool artifact_find_line(const struct artifact *a, uint32_t instance, uint32_t wasm_offset,
                        const char **ret_file, uint32_t *ret_line);

/* The export `name` of kind `kind`, of the last instance that has it; NULL when there is none. */
const struct artifact_export *artifact_find_export(const struct artifact *a, const char *name,
                                                   uint32_t kind);

#endif
