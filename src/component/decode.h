/* The state of one component_decode(). Private. A file section_<what>.c each reads and checks the
 * sections it is named for. */
#ifndef COMPONENT_DECODE_H
#define COMPONENT_DECODE_H

#include "component/component.h"
#include "type_store.h"
#include "wasm/reader.h"

/* What is allocated for a component, in proportion to its bytes. */
#define COMPONENT_BYTES_FACTOR 256u
#define COMPONENT_BYTES_BASE   (16u * 1024u * 1024u)
#define COMPONENT_ARENA_MAX    (UINT64_C(4) << 30)

/* A core definition as its importers see it: definition `index` of a module, or a function that a
 * canonical definition makes. */
struct core_extern {
    enum wasm_external kind;
    const struct wasm_module *module; /* NULL: then `signature` is set */
    uint32_t index;
    const struct component_signature *signature;
};

struct core_export {
    struct wasm_name name;
    struct core_extern what;
};

/* What a core instance exports: `type`'s exports, or the list. */
struct core_instance {
    const struct component_module_type *type;
    uint32_t count;
    const struct core_export *exports;
};

/* An entry of the core type space: one recursion group of one type, or a module type. */
struct core_type {
    bool is_module;
    const uint8_t *bytes; /* of a type: as in the file */
    size_t size_bytes;
    const struct wasm_module *module; /* of a type: holds it as type 0 */
    struct component_module_type module_type;
};

enum scope_kind { SCOPE_COMPONENT, SCOPE_COMPONENT_TYPE, SCOPE_INSTANCE_TYPE };

/* Names by which resources are known, for what [constructor], [method] and [static] may say. */
struct name_context {
    struct byte_map names;     /* resource names */
    struct number_map entries; /* entry of a resource to 1 + index into names.entries */
};

struct items {
    struct component_item *list;
    uint32_t count, capacity;
    struct byte_map unique; /* names as they must differ */
};

/* A component, or a component or instance type, while its contents are read: all its index spaces.
 * What an entry holds depends on the sort; the arrays are heap blocks. */
struct scope {
    enum scope_kind kind;
    struct scope *parent;
    uint32_t depth;
    uint32_t counts[COMPONENT_SORTS], capacities[COMPONENT_SORTS];
    struct core_extern
        *core[COMPONENT_SORT_CORE_TAG + 1]; /* funcs, tables, memories, globals, tags */
    struct core_type **core_types;
    const struct component_module_type **modules;
    struct core_instance *core_instances;
    uint32_t *funcs, *types, *components, *instances; /* entries */
    struct items imports, exports;
    struct number_map imported, exported; /* entries that have a name on either border */
    struct name_context import_names, export_names;
    struct number_map local; /* resources defined here, to 1 + index into destructors */
    uint32_t *bound_imports, *bound_exports;
    uint32_t bound_imports_count, bound_imports_capacity, bound_exports_count,
        bound_exports_capacity;
    struct component_definition *definitions;
    uint32_t definitions_count, definitions_capacity;
    struct component_body *body; /* of a component */
};

struct component_full {
    struct component c; /* first: a struct component * is a struct component_full * */
    struct arena arena;
    struct type_store store;
    struct component_module *modules;
    uint32_t modules_capacity;
    struct wasm_module **owned; /* modules made for core types */
    uint32_t owned_count, owned_capacity;
};

struct decoder {
    struct wasm_reader r; /* over the section under work */
    struct component_full *full;
    struct type_store *store; /* &full->store */
    struct scope *scope;      /* the innermost */
    struct error *err;
    uint32_t threads; /* for core modules */
    uint32_t bodies_count, definitions_count;
};

/* Each reads one section; nested components and modules take the section whole. */
NODISCARD enum status parse_section_core_module(struct decoder *d);
NODISCARD enum status parse_section_core_instances(struct decoder *d);
NODISCARD enum status parse_section_core_types(struct decoder *d);
NODISCARD enum status parse_section_component(struct decoder *d);
NODISCARD enum status parse_section_instances(struct decoder *d);
NODISCARD enum status parse_section_aliases(struct decoder *d);
NODISCARD enum status parse_section_types(struct decoder *d);
NODISCARD enum status parse_section_canons(struct decoder *d);
NODISCARD enum status parse_section_imports(struct decoder *d);
NODISCARD enum status parse_section_exports(struct decoder *d);

/* ---- scope.c ---- */

NODISCARD enum status scope_open(struct decoder *d, enum scope_kind kind, struct scope **ret);
void scope_close(struct decoder *d, struct scope *scope);

/* Room for `count` items in the arena, or an ST_NO_MEMORY error. */
NODISCARD enum status parse_alloc(struct decoder *d, size_t count, size_t item_bytes, void *ret);

/* Makes *items, with room for *capacity items, hold `needed`. */
NODISCARD enum status parse_grow(struct decoder *d, void **items, uint32_t *capacity,
                                 uint32_t needed, size_t item_bytes);
#define GROW(d, items, capacity, needed)                                                           \
    parse_grow((d), (void **)&(items), &(capacity), (needed), sizeof *(items))

/* Puts "offset 0x…: " before the text of a failure that has none. */
enum status parse_at(struct decoder *d, size_t offset, enum status status);

/* Makes what a core module's decoder says about offsets true for the whole file. */
enum status parse_module_error(struct decoder *d, size_t base);

NODISCARD enum status parse_work(struct decoder *d, uint64_t steps);

/* Appends one index to the scope's space of the sort. */
NODISCARD enum status add_core(struct decoder *d, enum component_sort sort,
                               const struct core_extern *what);
NODISCARD enum status add_core_type(struct decoder *d, struct core_type *type);
NODISCARD enum status add_module(struct decoder *d, const struct component_module_type *type);
NODISCARD enum status add_core_instance(struct decoder *d, const struct core_instance *instance);
NODISCARD enum status add_entry(struct decoder *d, enum component_sort sort, uint32_t entry);
NODISCARD enum status add_entity(struct decoder *d, const struct component_entity *entity);

/* Appends to the list of definitions of the component under work; its index is the last of the
 * sort's space. Does nothing within a type. */
NODISCARD enum status add_definition(struct decoder *d, const struct component_definition *what);

/* An index that must be below the size of the space. */
NODISCARD enum status parse_index(struct decoder *d, enum component_sort sort, uint32_t *ret);
NODISCARD enum status check_index(struct decoder *d, const struct scope *scope,
                                  enum component_sort sort, uint32_t index, size_t offset);

/* What index `index` of the sort is, for an import or export to carry. */
struct component_entity scope_entity(const struct scope *scope, enum component_sort sort,
                                     uint32_t index);

/* A type index whose entry must be of `kind`. */
NODISCARD enum status parse_type_of(struct decoder *d, enum component_kind kind, uint32_t *ret);

/* A core name, borrowed from the file; not empty of limits. */
NODISCARD enum status parse_name(struct decoder *d, struct wasm_name *ret);
NODISCARD enum status parse_bool(struct decoder *d, bool *ret);
NODISCARD enum status parse_bad_byte(struct decoder *d, const char *what);

bool names_equal(struct wasm_name a, struct wasm_name b);

/* ---- sorts.c ---- */

NODISCARD enum status parse_sort(struct decoder *d, const char *what, enum component_sort *ret);
NODISCARD enum status parse_core_sort(struct decoder *d, const char *what,
                                      enum component_sort *ret);

/* ---- extern_name.c ---- */

struct extern_name {
    struct wasm_name name, implements, external_id;
};

enum extern_name_kind {
    NAME_LABEL,
    NAME_CONSTRUCTOR,
    NAME_METHOD,
    NAME_STATIC,
    NAME_INTERFACE,
    NAME_DEPENDENCY
};

/* Reads and checks a name with its attributes. */
NODISCARD enum status parse_extern_name(struct decoder *d, struct extern_name *ret);
enum extern_name_kind extern_name_kind(struct wasm_name name);

/* "a" and "b" of "[method]a.b", "a" of "[constructor]a". */
struct wasm_name extern_name_resource(struct wasm_name name);

/* Reads a label and checks it; `what` is for the error. */
NODISCARD enum status parse_label(struct decoder *d, const char *what, struct wasm_name *ret);

/* Adds a name to those that must differ; `what` is "import", "field" … */
NODISCARD enum status unique_add(struct decoder *d, struct byte_map *map, struct wasm_name name,
                                 const char *what, size_t offset);

/* ---- border.c: imports and exports of a scope ---- */

/* Whether it is an import or an export of d->scope; checks the name and what it may refer to,
 * registers it, and appends the index that it makes. *entity becomes what the index is. */
NODISCARD enum status border_add(struct decoder *d, bool is_import, const struct extern_name *name,
                                 struct component_entity *entity, size_t offset);

/* The checks for an export of a bag, whose own list is `items`. */
NODISCARD enum status border_add_to_bag(struct decoder *d, struct items *items,
                                        const struct extern_name *name,
                                        const struct component_entity *entity, size_t offset);
void items_done(struct items *items);

/* Copies to the arena. */
NODISCARD enum status items_keep(struct decoder *d, const struct items *items,
                                 const struct component_item **ret);

/* ---- annotated.c ---- */

NODISCARD enum status annotated_register(struct decoder *d, struct name_context *names,
                                         struct wasm_name name, uint32_t entry);
NODISCARD enum status annotated_check(struct decoder *d, struct name_context *names,
                                      struct wasm_name name, const struct component_entity *entity,
                                      size_t offset);

/* ---- visible.c ---- */

/* Whether everything that the entity refers to has a name on the border whose named entries are
 * `named`; registers the types that it names itself. */
NODISCARD enum status visible_register(struct decoder *d, bool is_import,
                                       const struct component_entity *entity, bool *ret);

/* ---- valtype.c, section_types.c ---- */

NODISCARD enum status parse_result_list(struct decoder *d, uint32_t *ret);

/* A defined value type whose first byte was read. */
NODISCARD enum status parse_defined(struct decoder *d, uint8_t form, size_t offset, uint32_t *ret);
NODISCARD enum status parse_type(struct decoder *d);

/* The entry of the type of the scope's component or instance, when it is complete. */
NODISCARD enum status scope_type(struct decoder *d, const struct scope *scope, uint32_t *ret);

/* An externdesc. A type with a new bound gets a new entry. */
NODISCARD enum status parse_extern_type(struct decoder *d, bool is_import,
                                        struct component_entity *ret);

/* ---- section_aliases.c ---- */

NODISCARD enum status parse_alias(struct decoder *d);

/* ---- module_type.c ---- */

NODISCARD enum status parse_core_type(struct decoder *d);

/* The types of a module that are seen from outside. Two imports of one name are refused. */
NODISCARD enum status module_type_of(struct decoder *d, const struct wasm_module *module,
                                     size_t offset, struct component_module_type *ret);
const struct wasm_import *module_type_import(const struct component_module_type *t, uint32_t i,
                                             struct core_extern *ret);
struct wasm_name module_type_export(const struct component_module_type *t, uint32_t i,
                                    struct core_extern *ret);

/* ---- core_match.c ---- */

/* Whether `a` can be given where `b` is asked for. */
bool core_extern_matches(const struct core_extern *a, const struct core_extern *b);

/* Whether a core function has the type given; a NULL results or params is empty. */
bool core_func_is(const struct core_extern *f, const uint8_t *params, uint32_t params_count,
                  const uint8_t *results, uint32_t results_count);

void core_func_print(const struct core_extern *f, char *text, size_t size_bytes);

/* The export of that name, if there is one. Errors, without an offset: ST_LIMIT. */
NODISCARD enum status core_instance_find(struct decoder *d, const struct core_instance *instance,
                                         struct wasm_name name, struct core_extern *ret,
                                         bool *ret_found);

/* ---- difference.c ---- */

/* ST_INVALID, and what sets the given type `a` apart from the wanted type `b`, which are two value
 * types, function types or resources that are not the same. */
NODISCARD enum status type_difference(struct decoder *d, uint32_t a, uint32_t b);

/* ---- subtype.c ---- */

/* Whether `a` can be given where `b` is asked for: ST_INVALID with the reason, without an offset,
 * when not. */
NODISCARD enum status entity_matches(struct decoder *d, const struct component_entity *a,
                                     const struct component_entity *b);

NODISCARD enum status bound_set(struct decoder *d, const uint32_t *list, uint32_t count,
                                struct number_map *ret);

/* The item of that name, or NULL. Errors, without an offset: ST_LIMIT. */
NODISCARD enum status items_find(struct decoder *d, const struct component_item *items,
                                 uint32_t count, struct wasm_name name,
                                 const struct component_item **ret);

/* An instance of the component type `component`, given its imports: the entry of the instance's
 * type, with new resources. */
NODISCARD enum status instantiate(struct decoder *d, uint32_t component,
                                  const struct component_item *args, uint32_t args_count,
                                  uint32_t *ret);

/* ---- canon_check.c ---- */

/* Whether the options and types of a canonical definition go together; fills its signature. */
NODISCARD enum status canon_check(struct decoder *d, struct component_canon *c, size_t offset);

#endif
