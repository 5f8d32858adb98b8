/* Component-level types: what WIT describes. Part of the door; see component.h.
 *
 * A type is a number, an index into the entries of a `struct component_types`. Entry 0 stands for
 * "no type"; the primitive types are the entries COMPONENT_BOOL … COMPONENT_ERROR_CONTEXT, so that
 * a value type is always one such number.
 *
 * Two entries may be the same type: a type that is imported or exported gets an entry of its own,
 * since the rules for what may be named at a component's border tell them apart. Value types,
 * function types and resources are the same type exactly when their `equal` is the same number.
 *
 * A resource type is identified by `resource`: each import, definition and instantiation makes a
 * new one. Entries of kind COMPONENT_RESOURCE with equal `resource` are one resource. */
#ifndef COMPONENT_TYPES_H
#define COMPONENT_TYPES_H

#include "wasm/wasm.h"

#define COMPONENT_TYPE_NONE      0u
#define COMPONENT_TYPES_MAX      1000000u /* entries */
#define COMPONENT_TYPE_SIZE_MAX  1000000u /* entries reached from one, each path counted */
#define COMPONENT_TYPE_DEPTH_MAX 100u
#define COMPONENT_FLAGS_MAX      32u
#define COMPONENT_FIELDS_MAX     10000u
#define COMPONENT_PARAMS_MAX     1000u
#define COMPONENT_ITEMS_MAX      100000u      /* imports or exports of one type */
#define COMPONENT_VALUE_BYTES    (1u << 28)   /* a value type is smaller than that */
#define COMPONENT_FLAT_MAX       UINT32_C(16) /* MAX_FLAT_PARAMS: longer lists go by memory */
#define COMPONENT_FLAT_ASYNC_MAX UINT32_C(4)  /* MAX_FLAT_ASYNC_PARAMS */
#define COMPONENT_FLAT_RESULTS   UINT32_C(1)  /* MAX_FLAT_RESULTS */

enum component_kind {
    COMPONENT_NONE = 0,
    COMPONENT_BOOL,
    COMPONENT_S8,
    COMPONENT_U8,
    COMPONENT_S16,
    COMPONENT_U16,
    COMPONENT_S32,
    COMPONENT_U32,
    COMPONENT_S64,
    COMPONENT_U64,
    COMPONENT_F32,
    COMPONENT_F64,
    COMPONENT_CHAR,
    COMPONENT_STRING,
    COMPONENT_ERROR_CONTEXT,
    COMPONENT_RECORD,     /* fields: name and type */
    COMPONENT_VARIANT,    /* fields: cases, type COMPONENT_TYPE_NONE where there is no payload */
    COMPONENT_LIST,       /* element */
    COMPONENT_FIXED_LIST, /* element, length */
    COMPONENT_TUPLE,      /* fields without names */
    COMPONENT_FLAGS,      /* fields without types */
    COMPONENT_ENUM,       /* fields without types */
    COMPONENT_OPTION,     /* element */
    COMPONENT_RESULT,     /* element: ok, other: error, each may be COMPONENT_TYPE_NONE */
    COMPONENT_MAP,        /* element: key, other: value */
    COMPONENT_OWN,        /* element: an entry of kind COMPONENT_RESOURCE */
    COMPONENT_BORROW,     /* likewise */
    COMPONENT_STREAM,     /* element, may be COMPONENT_TYPE_NONE */
    COMPONENT_FUTURE,     /* likewise */
    COMPONENT_FUNC,       /* fields: parameters; element: result, may be COMPONENT_TYPE_NONE */
    COMPONENT_RESOURCE,   /* resource */
    COMPONENT_INSTANCE,   /* exports */
    COMPONENT_COMPONENT,  /* imports, exports */
};

/* What a definition can be; also the index spaces of a component. */
enum component_sort {
    COMPONENT_SORT_CORE_FUNC,
    COMPONENT_SORT_CORE_TABLE,
    COMPONENT_SORT_CORE_MEMORY,
    COMPONENT_SORT_CORE_GLOBAL,
    COMPONENT_SORT_CORE_TAG,
    COMPONENT_SORT_CORE_TYPE,
    COMPONENT_SORT_CORE_MODULE,
    COMPONENT_SORT_CORE_INSTANCE,
    COMPONENT_SORT_FUNC,
    COMPONENT_SORT_VALUE,
    COMPONENT_SORT_TYPE,
    COMPONENT_SORT_COMPONENT,
    COMPONENT_SORT_INSTANCE,
    COMPONENT_SORTS
};

struct component_field {
    struct wasm_name name;
    uint32_t type;
};

/* A core module's type: of a defined module, or as a module type says. For the latter, `module`
 * holds only types and imports: first `imports_count` imports, behind them the exports. */
struct component_module_type {
    const struct wasm_module *module;
    bool is_type;
    uint32_t imports_count, exports_count;
};

/* What is imported or exported. `type` is an entry: of a func its function type, of a type the type
 * itself, of an instance or component its type; `module` is that of a core module. */
struct component_entity {
    enum component_sort sort;
    uint32_t type;
    const struct component_module_type *module;
};

struct component_item {
    struct wasm_name name;
    struct component_entity entity;
    struct wasm_name implements, external_id; /* attributes; text NULL where absent */
};

/* How values of a type look to core code, for 32-bit memories (CanonicalABI "alignment",
 * "elem_size", "flatten_type"). */
struct component_layout {
    uint32_t size_bytes, align_bytes;
    uint32_t flat_count;        /* core values; saturates at COMPONENT_TYPE_SIZE_MAX */
    uint8_t discriminant_bytes; /* variant, enum, option, result: 1, 2 or 4 */
    uint32_t payload_offset;    /* likewise: where a case's value lies */
    bool has_pointer;           /* strings, lists or maps are within: memory is needed */
};

struct component_type {
    enum component_kind kind;
    bool has_borrow;
    bool has_resource; /* refers to a resource that is not bound within it */
    bool is_async;     /* of a func */
    uint32_t equal;    /* see above; of an instance or component: its own index */
    uint32_t size, depth;
    uint32_t element, other;
    uint32_t length;
    uint32_t resource;
    uint32_t fields_count;
    const struct component_field *fields;
    uint32_t imports_count, exports_count;
    const struct component_item *imports, *exports;
    /* Resources that an instance or component type introduces: new ones with each instance. */
    uint32_t bound_imports_count, bound_exports_count;
    const uint32_t *bound_imports, *bound_exports;
    struct component_layout layout; /* of value types */
    uint32_t size64_bytes, align64_bytes;
};

struct component_types {
    uint32_t count, resources_count;
    const struct component_type *entries;
};

static inline bool component_kind_is_value(enum component_kind kind)
{
    return kind >= COMPONENT_BOOL && kind <= COMPONENT_FUTURE;
}

const char *component_kind_name(enum component_kind kind);
const char *component_sort_name(enum component_sort sort); /* "func", "core module", … */

#endif
