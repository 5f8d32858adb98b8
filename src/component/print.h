/* Types as text, canonical: two types that are the same give the same line, and so do the same
 * types of different components. Part of the door; see component.h.
 *
 *   u8  string  list<u8>  list<u8, 4>  option<T>  tuple<A, B>  map<K, V>
 *   result  result<T>  result<_, E>  result<T, E>
 *   record{name: T, other: U}  variant{plain, with-payload(T)}  enum{a, b}  flags{a, b}
 *   own<name>  borrow<name>  stream  stream<T>  future  future<T>
 *   func(self: borrow<output-stream>, len: u64) -> list<u8>   func()   async func() -> T
 *
 * All types are spelled out, whatever names they have in WIT; resources alone go by their name. */
#ifndef COMPONENT_PRINT_H
#define COMPONENT_PRINT_H

#include "base/buffer.h"
#include "component/plan.h"

#define COMPONENT_TEXT_BYTES_MAX (1u << 20) /* of a type: what callers are to cap `text` at */

/* Appends the text of `type`, any but an instance, component or module type. Resource r goes by
 * `resources[r - 1]`, of `resources_count`; without a name there it is "_".
 * Errors: ST_LIMIT, ST_NO_MEMORY: then *text ends anywhere. Does not block. */
enum status component_type_print(const struct component_types *types, uint32_t type,
                                 const struct wasm_name *resources, uint32_t resources_count,
                                 struct buffer *text);

/* The names for component_type_print() of the plan's types, one a resource, those of the
 * component's own resources too as far as exports tell. NULL: out of memory. The caller frees. */
struct wasm_name *component_plan_names(const struct plan *p);

/* Appends what the outermost component imports and exports, one function a line:
 *
 *   import wasi:io/streams@0.2.6
 *     resource input-stream
 *     [method]input-stream.read: func(…) -> …
 *   export wasi:http/incoming-handler@0.2.6
 *     handle: func(…)
 *
 * Types that are no resources are not listed. Errors: ST_LIMIT, ST_NO_MEMORY. */
enum status component_world_print(const struct component *c, struct buffer *text);

#endif
