/* A WebAssembly component, decoded and validated.
 *
 * component_decode() is the one way to get a `struct component`: what it returns is valid, with
 * every component nested in it and every core module, and immutable. The binary format is that of
 * the component model's Binary.md with what 0.3 of WASI needs (async functions, streams, futures,
 * threads); value definitions and start functions are refused by name. What the types look like to
 * core code is in canonical.h, what an instance consists of in plan.h.
 *
 * A component borrows the bytes that it was decoded from: they must outlive it. It owns everything
 * else, in proportion to those bytes and within the limits below. An immutable component may be
 * read from several threads.
 *
 * "offset" always means the byte offset from the start of the outermost component; "index" an index
 * into the component's index space of the sort. */
#ifndef COMPONENT_COMPONENT_H
#define COMPONENT_COMPONENT_H

#include "component/types.h"

/* Limits on what a component may make large; each is refused with ST_LIMIT, offset and name. */
#define COMPONENT_BYTES_MAX       WASM_MODULE_BYTES_MAX
#define COMPONENT_NESTING_MAX     100u     /* components within components, types within types */
#define COMPONENT_COUNT_MAX       1000u    /* components in one file */
#define COMPONENT_MODULES_MAX     1000u    /* core modules in one file */
#define COMPONENT_CORE_TYPES_MAX  10000u   /* core types and module types in one file */
#define COMPONENT_DEFINITIONS_MAX 1000000u /* in one file, and so in each index space */
#define COMPONENT_ARGS_MAX        100000u  /* of one instantiation */
#define COMPONENT_OPTIONS_MAX     10u
#define COMPONENT_NAME_BYTES_MAX  10000u

/* Steps of looking up names and comparing types: what bounds the time for hostile input. The
 * largest components known need less than a hundredth. */
#define COMPONENT_WORK_MAX 200000000u

/* ---- canonical definitions ---- */

enum component_canon_kind {
    COMPONENT_CANON_LIFT,
    COMPONENT_CANON_LOWER,
    COMPONENT_CANON_RESOURCE_NEW,
    COMPONENT_CANON_RESOURCE_DROP,
    COMPONENT_CANON_RESOURCE_REP,
    COMPONENT_CANON_BACKPRESSURE_INC,
    COMPONENT_CANON_BACKPRESSURE_DEC,
    COMPONENT_CANON_TASK_RETURN,
    COMPONENT_CANON_TASK_CANCEL,
    COMPONENT_CANON_CONTEXT_GET,
    COMPONENT_CANON_CONTEXT_SET,
    COMPONENT_CANON_SUBTASK_CANCEL,
    COMPONENT_CANON_SUBTASK_DROP,
    COMPONENT_CANON_STREAM_NEW,
    COMPONENT_CANON_STREAM_READ,
    COMPONENT_CANON_STREAM_WRITE,
    COMPONENT_CANON_STREAM_CANCEL_READ,
    COMPONENT_CANON_STREAM_CANCEL_WRITE,
    COMPONENT_CANON_STREAM_DROP_READABLE,
    COMPONENT_CANON_STREAM_DROP_WRITABLE,
    COMPONENT_CANON_FUTURE_NEW,
    COMPONENT_CANON_FUTURE_READ,
    COMPONENT_CANON_FUTURE_WRITE,
    COMPONENT_CANON_FUTURE_CANCEL_READ,
    COMPONENT_CANON_FUTURE_CANCEL_WRITE,
    COMPONENT_CANON_FUTURE_DROP_READABLE,
    COMPONENT_CANON_FUTURE_DROP_WRITABLE,
    COMPONENT_CANON_ERROR_CONTEXT_NEW,
    COMPONENT_CANON_ERROR_CONTEXT_DEBUG_MESSAGE,
    COMPONENT_CANON_ERROR_CONTEXT_DROP,
    COMPONENT_CANON_WAITABLE_SET_NEW,
    COMPONENT_CANON_WAITABLE_SET_WAIT,
    COMPONENT_CANON_WAITABLE_SET_POLL,
    COMPONENT_CANON_WAITABLE_SET_DROP,
    COMPONENT_CANON_WAITABLE_JOIN,
    COMPONENT_CANON_THREAD_INDEX,
    COMPONENT_CANON_THREAD_NEW_INDIRECT,
    COMPONENT_CANON_THREAD_RESUME_LATER,
    COMPONENT_CANON_THREAD_SUSPEND,
    COMPONENT_CANON_THREAD_YIELD,
    COMPONENT_CANON_THREAD_SUSPEND_THEN_RESUME,
    COMPONENT_CANON_THREAD_YIELD_THEN_RESUME,
    COMPONENT_CANON_THREAD_SUSPEND_THEN_PROMOTE,
    COMPONENT_CANON_THREAD_YIELD_THEN_PROMOTE,
    COMPONENT_CANON_KINDS
};

enum component_encoding { COMPONENT_UTF8, COMPONENT_UTF16, COMPONENT_LATIN1_UTF16 };

/* Canonical options; the indices are of core memories and core functions. */
struct component_options {
    enum component_encoding encoding;
    bool has_memory, has_realloc, has_post_return, has_callback, is_async;
    uint32_t memory, realloc, post_return, callback;
};

/* A core function's type, all of whose values are numbers (enum wasm_kind). */
struct component_signature {
    uint32_t params_count, results_count; /* at most COMPONENT_FLAT_MAX + 1, and 1 */
    uint8_t params[COMPONENT_FLAT_MAX + 1], results[1];
};

struct component_canon {
    enum component_canon_kind kind;
    uint32_t func;      /* lift: core function; lower: function */
    uint32_t type;      /* entry: lift: function type; resource, stream and future functions: that
                           type; task.return: the result type or COMPONENT_TYPE_NONE */
    uint32_t immediate; /* context: the slot; thread.new-indirect: core table */
    bool is_async;      /* cancel functions: `async` */
    bool cancellable;
    struct component_options options;
    struct component_signature signature; /* of the core function lifted or defined */
};

const char *component_canon_name(enum component_canon_kind kind); /* "lift", "stream.read", … */

/* ---- definitions ---- */

struct component_arg {
    struct wasm_name name;
    enum component_sort sort;
    uint32_t index;
};

enum component_definition_kind {
    COMPONENT_DEFINE_MODULE,      /* target: component.modules */
    COMPONENT_DEFINE_COMPONENT,   /* body */
    COMPONENT_INSTANTIATE_MODULE, /* target: core module; args: core instances */
    COMPONENT_INSTANTIATE,        /* target: component; args */
    COMPONENT_CORE_BAG,           /* args: what the core instance exports */
    COMPONENT_BAG,                /* args: what the instance exports */
    COMPONENT_ALIAS_EXPORT,       /* target: instance; name */
    COMPONENT_ALIAS_CORE_EXPORT,  /* target: core instance; name */
    COMPONENT_ALIAS_OUTER,        /* depth components up, target: index there */
    COMPONENT_DEFINE_RESOURCE,    /* resource, destructor */
    COMPONENT_DEFINE_TYPE,        /* any other type, core types included */
    COMPONENT_CANON,              /* canon: makes a core function, lift a function */
    COMPONENT_IMPORT,             /* name, entity */
    COMPONENT_EXPORT,             /* name, target: index of `sort` */
};

/* Definitions in the order of the file. Each appends one index to the space of `sort`: `index`. */
struct component_definition {
    enum component_definition_kind kind;
    enum component_sort sort;
    uint32_t index;
    size_t offset;
    uint32_t target, depth;
    struct wasm_name name;
    uint32_t args_count;
    const struct component_arg *args;
    const struct component_body *body;
    const struct component_canon *canon;
    struct component_entity entity; /* import and export: the type it has from outside */
    uint32_t resource;
    bool has_destructor;
    uint32_t destructor; /* core function */
};

/* One component, the outermost or a nested one. */
struct component_body {
    const struct component_body *parent; /* NULL for the outermost */
    size_t offset;                       /* of its preamble */
    uint32_t type;                       /* entry of kind COMPONENT_COMPONENT */
    uint32_t definitions_count;
    const struct component_definition *definitions;
    uint32_t counts[COMPONENT_SORTS]; /* sizes of the index spaces */
    const uint32_t *types;            /* entry of each type index */
};

struct component_module {
    size_t offset, size_bytes;
    const struct wasm_module *module;
};

struct component {
    const uint8_t *bytes; /* borrowed */
    size_t size_bytes;
    const struct component_types *types;
    uint32_t modules_count;
    const struct component_module *modules; /* core modules, also of nested components */
    const struct component_body *root;
};

/* True when the bytes begin as a component does: so that a caller can tell it from a core module.
 * Says nothing of what follows. */
bool component_is(const uint8_t *bytes, size_t size_bytes);

/* Decodes and validates `size_bytes` of a binary component.
 * Success: *ret is the caller's, who ends it with component_free(); `bytes` must outlive it.
 * Failure: *ret is untouched. *err says "offset 0x…: <rule>". Errors: ST_INVALID (malformed or
 * invalid), ST_UNSUPPORTED (a proposal that is not there, by name), ST_LIMIT, ST_NO_MEMORY.
 * `threads` as with wasm_module_decode(). Does not block. Never crashes, whatever the bytes. */
NODISCARD enum status component_decode(const uint8_t *bytes, size_t size_bytes, uint32_t threads,
                                       struct component **ret, struct error *err);
void component_free(struct component *c);

#endif
