/* What an artifact says about the component that it was made of; all of it is empty for a core
 * module. Part of the format: artifact.h is the rest of it.
 *
 * Core code calls out of a component's core modules through canonical definitions (ARTIFACT_CANONS)
 * and is called through lifted functions (ARTIFACT_LIFTS). Both are described by the component's
 * types, with everything that the canonical ABI derives from a type settled: size, alignment, flat
 * values, offsets of fields. Words in quotes are those of the component model's CanonicalABI.md.
 *
 * Strings are offsets into ARTIFACT_WIT_STRINGS, NUL-terminated; 0 is "". */
#ifndef ARTIFACT_COMPONENT_TABLES_H
#define ARTIFACT_COMPONENT_TABLES_H

#include <stdint.h>

#define WIT_TYPE_NONE     0u /* no result, no payload */
#define WIT_FLAT_PARAMS   16u
#define WIT_FLAT_RESULTS  1u
#define WIT_FLAT_MANY     UINT16_MAX /* more than WIT_FLAT_PARAMS */
#define WIT_DEPTH_MAX     100u       /* types within types */
#define WIT_SIZE_MAX      (1u << 28) /* bytes of a value, but for padding behind it */
#define COMPONENT_HOST    UINT32_MAX /* in place of a component instance: the outside */
#define CANON_MEMORY_NONE UINT32_MAX

/* The values are part of the format. */
enum wit_kind {
    WIT_NONE,
    WIT_BOOL,
    WIT_S8,
    WIT_U8,
    WIT_S16,
    WIT_U16,
    WIT_S32,
    WIT_U32,
    WIT_S64,
    WIT_U64,
    WIT_F32,
    WIT_F64,
    WIT_CHAR,
    WIT_STRING,
    WIT_ERROR_CONTEXT,
    WIT_RECORD,     /* fields; tuples as well, their fields have no names */
    WIT_VARIANT,    /* fields are the cases: options (none, some) and results (ok, error) as well */
    WIT_LIST,       /* element; maps as well, whose element is a record of key and value */
    WIT_FIXED_LIST, /* element, length */
    WIT_FLAGS,      /* fields are names */
    WIT_ENUM,       /* fields are names */
    WIT_OWN,        /* element: index into ARTIFACT_RESOURCES */
    WIT_BORROW,     /* likewise */
    WIT_STREAM,     /* element or WIT_TYPE_NONE */
    WIT_FUTURE,     /* likewise */
    WIT_FUNC,       /* fields are the parameters; element: the result or WIT_TYPE_NONE */
    WIT_KINDS_COUNT
};

enum wit_flag {
    WIT_HAS_POINTER = 1, /* strings or lists are within */
    WIT_HAS_HANDLE = 2,  /* own or borrow is within */
    WIT_HAS_CHECK = 4,   /* not every bit pattern is a value: bool, char, string, variant … */
    WIT_IS_ASYNC = 8,    /* of a function type */
};

/* Types refer to types with lower indices only. Entry 0 is WIT_NONE. The flags of a type are its
 * own and those of all that it is made of; a flags type has WIT_HAS_CHECK when some of its bits
 * have no name. Fields stand in the order of their types, without gaps: fields_first is the sum of
 * the fields_count before. Depth, a primitive type being 0 deep, is at most WIT_DEPTH_MAX. */
struct artifact_wit_type {
    uint8_t kind, flags;
    uint8_t discriminant_bytes; /* of a variant or enum: 1, 2 or 4 */
    uint8_t align_bytes;
    uint32_t size_bytes;     /* "elem_size" */
    uint32_t payload_offset; /* of a variant or enum */
    uint16_t flat_count;     /* or WIT_FLAT_MANY; of a function: of its parameters */
    uint16_t flat_results;   /* of a function: of its result, or WIT_FLAT_MANY */
    uint32_t element, length;
    uint32_t fields_first, fields_count; /* in ARTIFACT_WIT_FIELDS */
    /* Of a function: its parameters as a record in memory, when they are too many to be flat. */
    uint32_t params_record;
};

struct artifact_wit_field {
    uint32_t name, type;
    uint32_t offset; /* of a record's field */
};

enum canon_encoding { CANON_UTF8, CANON_UTF16, CANON_LATIN1_UTF16 };

/* "canonopt". Functions are program functions, 0 for none. */
struct artifact_canon_options {
    uint32_t
        component;   /* the component instance whose code this is: entry in ARTIFACT_COMPONENTS */
    uint32_t memory; /* program memory or CANON_MEMORY_NONE */
    uint32_t realloc, post_return, callback;
    uint8_t encoding, is_async, pad[2];
};

/* "canon": what program function `func`, an import of some core module, does. */
enum canon_kind {
    CANON_LOWER_HOST,   /* calls `name` of `interface` of the outside */
    CANON_LOWER_LIFTED, /* calls a lifted function of another component instance: `lift` */
    CANON_RESOURCE_NEW, /* of `resource` */
    CANON_RESOURCE_DROP,
    CANON_RESOURCE_REP,
    CANON_UNSUPPORTED, /* `name` of a later version of the ABI: ends whoever calls it */
    CANON_KINDS_COUNT
};

struct artifact_canon {
    uint32_t func;
    uint32_t kind;
    uint32_t type;            /* of a lower: its function type, in the caller's view */
    uint32_t lift;            /* CANON_LOWER_LIFTED */
    uint32_t interface, name; /* CANON_LOWER_HOST: "wasi:io/streams@0.2.6", "[method]…" */
    uint32_t resource;        /* CANON_RESOURCE_…: index into ARTIFACT_RESOURCES */
    struct artifact_canon_options options;
};

/* "canon lift". */
struct artifact_lift {
    uint32_t func; /* program function */
    uint32_t type;
    struct artifact_canon_options options;
};

/* One a resource type; those of the outside are known by interface and name. */
struct artifact_resource {
    uint32_t component;  /* the instance that defines it, or COMPONENT_HOST */
    uint32_t destructor; /* program function of type "i:", or 0 */
    uint32_t interface, name;
};

/* Component instances, in the order of their instantiation; 0 is the outermost. */
struct artifact_component {
    uint32_t parent; /* COMPONENT_HOST for the outermost */
};

/* What the outermost component exports: functions only, those of an exported instance with the
 * instance's name as `interface`. */
struct artifact_component_export {
    uint32_t interface, name;
    uint32_t lift;
};

#endif
