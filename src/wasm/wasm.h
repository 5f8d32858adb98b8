/* A core WebAssembly 3.0 module, decoded and validated.
 *
 * wasm_module_decode() is the one way to get a `struct wasm_module`: what it returns is valid by
 * the whole of the specification's validation, including every function body, and immutable. It
 * knows nothing of code generation or of instances; linking several modules is in program.h, the
 * instructions of a body are read with instr.h.
 *
 * A module borrows the bytes that it was decoded from: they must outlive it. It owns everything
 * else, in proportion to those bytes. An immutable module may be read from several threads.
 *
 * "offset" always means the byte offset from the start of the module; "index" an index into the
 * module's index space of that kind (imports first). */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define WASM_PAGE_BYTES 65536u

/* Limits on what a module may make large; each is refused with ST_LIMIT, the offset and the name.
 */
#define WASM_MODULE_BYTES_MAX     (256u * 1024u * 1024u)
#define WASM_TYPES_MAX            1000000u
#define WASM_SUBTYPE_DEPTH_MAX    63u
#define WASM_FUNCTIONS_MAX        1000000u
#define WASM_IMPORTS_MAX          1000000u
#define WASM_EXPORTS_MAX          1000000u
#define WASM_GLOBALS_MAX          1000000u
#define WASM_TAGS_MAX             1000000u
#define WASM_TABLES_MAX           100u
#define WASM_MEMORIES_MAX         100u
#define WASM_DATA_SEGMENTS_MAX    100000u
#define WASM_ELEMENT_SEGMENTS_MAX 100000u
#define WASM_TABLE_ELEMENTS_MAX   10000000u /* initial size of a table */
#define WASM_PARAMS_MAX           1000u
#define WASM_RESULTS_MAX          1000u
#define WASM_STRUCT_FIELDS_MAX    10000u
#define WASM_LOCALS_MAX           50000u
#define WASM_BODY_BYTES_MAX       7654321u
#define WASM_BR_TABLE_MAX         100000u
#define WASM_BLOCK_DEPTH_MAX      100000u
#define WASM_NAME_BYTES_MAX       100000u
#define WASM_CATCH_CLAUSES_MAX    10000u

/* ---- types (Core §2.3) ---- */

enum wasm_kind {
    WASM_BOTTOM = 0, /* the validator's unknown type; never seen outside of it */
    WASM_I32,
    WASM_I64,
    WASM_F32,
    WASM_F64,
    WASM_V128,
    WASM_REF,
    WASM_I8, /* storage types of fields only */
    WASM_I16,
};

enum wasm_heap {
    WASM_HEAP_TYPE = 0, /* a defined type: see `type` */
    WASM_HEAP_FUNC,
    WASM_HEAP_NOFUNC,
    WASM_HEAP_EXTERN,
    WASM_HEAP_NOEXTERN,
    WASM_HEAP_ANY,
    WASM_HEAP_EQ,
    WASM_HEAP_I31,
    WASM_HEAP_STRUCT,
    WASM_HEAP_ARRAY,
    WASM_HEAP_NONE,
    WASM_HEAP_EXN,
    WASM_HEAP_NOEXN,
};

struct wasm_valtype {
    uint8_t kind;  /* enum wasm_kind */
    uint8_t heap;  /* enum wasm_heap, when kind is WASM_REF */
    bool nullable; /* when kind is WASM_REF */
    uint32_t type; /* type index, when heap is WASM_HEAP_TYPE; otherwise 0 */
};

enum wasm_composite { WASM_FUNC_TYPE, WASM_STRUCT_TYPE, WASM_ARRAY_TYPE };

struct wasm_field {
    struct wasm_valtype storage;
    bool mutable;
};

struct wasm_type {
    enum wasm_composite composite;
    bool final;
    bool has_super;
    uint32_t super;       /* type index */
    uint32_t group_start; /* the recursion group: [group_start, group_start + group_count) */
    uint32_t group_count;
    uint32_t
        canonical; /* the lowest type index in this module with an equal type (iso-recursive) */
    /* function types */
    uint32_t params_count, results_count;
    const struct wasm_valtype *params, *results;
    /* struct types; an array type has one field */
    uint32_t fields_count;
    const struct wasm_field *fields;
    bool defaultable; /* every field has a default value */
};

struct wasm_limits {
    uint64_t min, max; /* pages or elements */
    bool has_max;
    bool is64; /* address type i64 */
};

/* A constant expression: the bytes of its instructions, `end` included. */
struct wasm_expr {
    size_t offset, size_bytes;
};

struct wasm_table {
    struct wasm_valtype element;
    struct wasm_limits limits;
    bool has_init;
    struct wasm_expr init;
};

struct wasm_memory {
    struct wasm_limits limits; /* pages of WASM_PAGE_BYTES */
};

struct wasm_global {
    struct wasm_valtype type;
    bool mutable;
    struct wasm_expr init; /* empty for an imported global */
};

struct wasm_tag {
    uint32_t type; /* type index of a function type */
};

enum wasm_external {
    WASM_EXT_FUNC,
    WASM_EXT_TABLE,
    WASM_EXT_MEMORY,
    WASM_EXT_GLOBAL,
    WASM_EXT_TAG
};

/* A name as in the module: valid UTF-8, may hold NUL, also NUL-terminated behind its bytes. */
struct wasm_name {
    const char *text;
    uint32_t size_bytes;
};

struct wasm_import {
    struct wasm_name module, field;
    enum wasm_external kind;
    uint32_t index; /* in the index space of its kind */
};

struct wasm_export {
    struct wasm_name name;
    enum wasm_external kind;
    uint32_t index;
};

struct wasm_local_run {
    uint32_t count;
    struct wasm_valtype type;
};

struct wasm_func {
    uint32_t type; /* type index */
    bool imported;
    bool
        referenced; /* its reference can be taken: exports, element segments, ref.func … (C.refs) */
    size_t body_offset;    /* first instruction, behind the local declarations */
    size_t body_end;       /* offset behind the final `end` */
    uint32_t locals_count; /* declared locals, parameters not counted */
    uint32_t runs_count;
    const struct wasm_local_run *runs;
};

enum wasm_segment_mode { WASM_PASSIVE, WASM_ACTIVE, WASM_DECLARATIVE };

struct wasm_element_segment {
    enum wasm_segment_mode mode;
    uint32_t table;          /* active */
    struct wasm_expr offset; /* active */
    struct wasm_valtype type;
    uint32_t count;
    const uint32_t *functions; /* `count` function indices, or NULL: then exprs is set */
    const struct wasm_expr *exprs;
};

struct wasm_data_segment {
    enum wasm_segment_mode mode;
    uint32_t memory;         /* active */
    struct wasm_expr offset; /* active */
    size_t bytes_offset, bytes_size;
};

struct wasm_custom {
    struct wasm_name name;
    size_t offset, size_bytes; /* of the contents, behind the name */
};

/* Proposals that a module makes use of in a way that needs more than validation; for messages
 * and for code generation's refusals. Bits of wasm_module.features. */
enum wasm_feature {
    WASM_FEATURE_GC = 1 << 0,            /* struct, array, i31, casts, subtyping */
    WASM_FEATURE_FUNCTION_REFS = 1 << 1, /* typed function references, call_ref, br_on_null … */
    WASM_FEATURE_EXCEPTIONS = 1 << 2,    /* tags, throw, try_table */
    WASM_FEATURE_TAIL_CALL = 1 << 3,
    WASM_FEATURE_MEMORY64 = 1 << 4, /* 64-bit memories and tables */
    WASM_FEATURE_MULTI_MEMORY = 1 << 5,
    WASM_FEATURE_SIMD = 1 << 6,
    WASM_FEATURE_RELAXED_SIMD = 1 << 7,
    WASM_FEATURE_EXTENDED_CONST = 1 << 8,
    WASM_FEATURE_BULK_MEMORY = 1 << 9,
    WASM_FEATURE_REFERENCE_TYPES = 1 << 10,
    WASM_FEATURE_MULTI_VALUE = 1 << 11,
};

struct wasm_module {
    const uint8_t *bytes; /* borrowed */
    size_t size_bytes;
    uint32_t features; /* enum wasm_feature, or-ed */

    uint32_t types_count, imports_count, funcs_count, tables_count, memories_count, globals_count,
        tags_count, exports_count, elements_count, datas_count, customs_count;
    uint32_t imported_funcs_count, imported_tables_count, imported_memories_count,
        imported_globals_count, imported_tags_count;
    const struct wasm_type *types;
    const struct wasm_import *imports;
    const struct wasm_func *funcs;
    const struct wasm_table *tables;
    const struct wasm_memory *memories;
    const struct wasm_global *globals;
    const struct wasm_tag *tags;
    const struct wasm_export *exports;
    const struct wasm_element_segment *elements;
    const struct wasm_data_segment *datas;
    const struct wasm_custom *customs;
    bool has_start;
    uint32_t start;

    /* From the "name" section, when it is well-formed; NULL, or NULL entries, where absent. A
     * malformed custom section is never an error. */
    struct wasm_name module_name;
    const struct wasm_name *func_names; /* funcs_count entries */
};

/* Decodes and validates `size_bytes` of a binary module.
 * Success: *ret is the caller's, who ends it with wasm_module_free(); `bytes` must outlive it.
 * Failure: *ret is untouched. *err says "offset 0x…: <rule>". Errors: ST_INVALID (malformed or
 * invalid), ST_UNSUPPORTED (a proposal that is not in 3.0, such as legacy exceptions or threads,
 * by name), ST_LIMIT, ST_NO_MEMORY.
 * Many bodies are validated on `threads` threads (0: one a core); the result is the same.
 * Does not block. Never crashes, whatever the bytes. */
NODISCARD enum status wasm_module_decode(const uint8_t *bytes, size_t size_bytes, uint32_t threads,
                                         struct wasm_module **ret, struct error *err);
void wasm_module_free(struct wasm_module *m);

/* "i32", "(ref null func)", "(ref 3)": into `text`, NUL-terminated, cut when too long. */
void wasm_valtype_print(struct wasm_valtype type, char *text, size_t size_bytes);
const char *wasm_external_name(enum wasm_external kind); /* "func", "table", … */

/* Subtyping (Core §3.3) between types of two valid modules, structural across modules:
 * iso-recursive equivalence of recursion groups. a <= b. */
bool wasm_valtype_matches(const struct wasm_module *am, struct wasm_valtype a,
                          const struct wasm_module *bm, struct wasm_valtype b);
bool wasm_type_matches(const struct wasm_module *am, uint32_t a, const struct wasm_module *bm,
                       uint32_t b);

/* True when types `a` of `am` and `b` of `bm` are the same type. */
bool wasm_type_equal(const struct wasm_module *am, uint32_t a, const struct wasm_module *bm,
                     uint32_t b);

/* The custom section `name`, or NULL. */
const struct wasm_custom *wasm_module_custom(const struct wasm_module *m, const char *name);

#endif
