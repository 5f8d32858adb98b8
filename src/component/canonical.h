/* What component-level types look like to core code: the static part of the canonical ABI
 * (CanonicalABI.md "Flattening"). Sizes and alignments stand in each type's `layout`. Part of the
 * door; see component.h. */
#ifndef COMPONENT_CANONICAL_H
#define COMPONENT_CANONICAL_H

#include "component/component.h"

/* The core types of a value, as wasm kinds ("flatten_type"), for a `layout.flat_count` of at most
 * `max`; returns their number. Takes time in proportion to the type's `size`. */
uint32_t component_flatten(const struct component_types *types, uint32_t type, uint8_t *ret,
                           uint32_t max);

/* The join of two core types in a variant's payload. */
uint8_t component_join(uint8_t a, uint8_t b);

/* Which side of a call a core function stands on, and how ("flatten_functype"). */
struct component_call {
    struct component_signature signature;
    /* Too many to be core values: one pointer stands for all of them. Of a lowered function the
     * results' pointer is an additional parameter, the last. */
    bool params_in_memory, results_in_memory;
};

/* The core function that `func`, a function type, is lifted from (`is_lift`) or lowered to, under
 * these options. An async lift's results are given by task.return: it has none here. */
void component_call_of(const struct component_types *types, uint32_t func, bool is_lift,
                       const struct component_options *options, struct component_call *ret);

/* Offset of field `field` of a record or tuple. */
uint32_t component_field_offset(const struct component_types *types, uint32_t type, uint32_t field);

/* A list of parameters as one value in memory: as if it were a tuple. */
struct component_layout component_params_layout(const struct component_types *types, uint32_t func);

#endif
