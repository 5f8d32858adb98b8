#include "component/print.h"

#include <stdlib.h>
#include <string.h>

struct printer {
    const struct component_types *types;
    const struct wasm_name *resources;
    uint32_t resources_count;
    struct buffer *text;
};

static void print_type(struct printer *p, uint32_t type);

static void put(struct printer *p, const char *text)
{
    buffer_append_string(p->text, text);
}

/* Names of imports may hold what would end the line or mislead a terminal. */
static void put_name(struct printer *p, struct wasm_name name)
{
    for (uint32_t i = 0; i < name.size_bytes && !p->text->failed; i++) {
        unsigned char c = (unsigned char)name.text[i];
        if (c < 0x20 || c == 0x7f)
            buffer_printf(p->text, "\\%02x", c);
        else
            buffer_append(p->text, &name.text[i], 1);
    }
}

static void print_resource(struct printer *p, uint32_t entry)
{
    uint32_t number = p->types->entries[entry].resource;
    if (number && number <= p->resources_count && p->resources[number - 1].size_bytes)
        put_name(p, p->resources[number - 1]);
    else
        put(p, "_");
}

/* "name<T>", "name<T, U>", and "name" where there is neither; a lone second one as "name<_, U>". */
static void print_generic(struct printer *p, const char *name, uint32_t first, uint32_t second)
{
    put(p, name);
    if (!first && !second) return;
    put(p, "<");
    if (first)
        print_type(p, first);
    else
        put(p, "_");
    if (second) {
        put(p, ", ");
        print_type(p, second);
    }
    put(p, ">");
}

/* Fields between `open` and `close`: "name: T" when `is_record`, otherwise "name", "name(T)" of a
 * case with payload, or "T" where there are no names. */
static void print_fields(struct printer *p, const struct component_type *t, const char *open,
                         const char *close, bool is_record)
{
    put(p, open);
    for (uint32_t i = 0; i < t->fields_count && !p->text->failed; i++) {
        const struct component_field *f = &t->fields[i];
        bool is_case = !is_record && f->name.size_bytes;
        if (i) put(p, ", ");
        put_name(p, f->name);
        if (!f->type) continue;
        if (is_record) put(p, ": ");
        if (is_case) put(p, "(");
        print_type(p, f->type);
        if (is_case) put(p, ")");
    }
    put(p, close);
}

static void print_func(struct printer *p, const struct component_type *t)
{
    print_fields(p, t, t->is_async ? "async func(" : "func(", ")", true);
    if (!t->element) return;
    put(p, " -> ");
    print_type(p, t->element);
}

static void print_handle(struct printer *p, const char *open, uint32_t resource)
{
    put(p, open);
    print_resource(p, resource);
    put(p, ">");
}

/* As deep as types are: COMPONENT_TYPE_DEPTH_MAX. */
static void print_type(struct printer *p, uint32_t type)
{
    const struct component_type *t = &p->types->entries[type];
    if (p->text->failed) return;
    switch (t->kind) {
    case COMPONENT_RECORD: print_fields(p, t, "record{", "}", true); break;
    case COMPONENT_VARIANT: print_fields(p, t, "variant{", "}", false); break;
    case COMPONENT_TUPLE: print_fields(p, t, "tuple<", ">", false); break;
    case COMPONENT_FLAGS: print_fields(p, t, "flags{", "}", false); break;
    case COMPONENT_ENUM: print_fields(p, t, "enum{", "}", false); break;
    case COMPONENT_LIST: print_generic(p, "list", t->element, 0); break;
    case COMPONENT_FIXED_LIST:
        put(p, "list<");
        print_type(p, t->element);
        buffer_printf(p->text, ", %u>", t->length);
        break;
    case COMPONENT_OPTION: print_generic(p, "option", t->element, 0); break;
    case COMPONENT_RESULT: print_generic(p, "result", t->element, t->other); break;
    case COMPONENT_MAP: print_generic(p, "map", t->element, t->other); break;
    case COMPONENT_STREAM: print_generic(p, "stream", t->element, 0); break;
    case COMPONENT_FUTURE: print_generic(p, "future", t->element, 0); break;
    case COMPONENT_OWN: print_handle(p, "own<", t->element); break;
    case COMPONENT_BORROW: print_handle(p, "borrow<", t->element); break;
    case COMPONENT_FUNC: print_func(p, t); break;
    case COMPONENT_RESOURCE: print_resource(p, type); break;
    default: put(p, component_kind_name(t->kind)); break;
    }
}

static enum status outcome(const struct buffer *text)
{
    if (!text->failed) return ST_OK;
    return text->size_bytes >= text->cap_bytes / 2 ? ST_LIMIT : ST_NO_MEMORY;
}

enum status component_type_print(const struct component_types *types, uint32_t type,
                                 const struct wasm_name *resources, uint32_t resources_count,
                                 struct buffer *text)
{
    struct printer p = {types, resources, resources_count, text};
    print_type(&p, type);
    return outcome(text);
}

struct wasm_name *component_plan_names(const struct plan *p)
{
    struct wasm_name *names = calloc((size_t)p->resources_count + 1, sizeof *names);
    for (uint32_t i = 0; names && i < p->resources_count; i++)
        if (p->resources[i].component == PLAN_NONE) names[i] = p->resources[i].host.name;
    return names;
}

/* ---- worlds ---- */

/* The first name under which a resource comes is the one that it is known by. */
static void note_resources(const struct component_types *types, struct wasm_name *names,
                           struct wasm_name name, const struct component_entity *entity)
{
    const struct component_type *t = &types->entries[entity->type];
    if (entity->sort == COMPONENT_SORT_TYPE && t->kind == COMPONENT_RESOURCE &&
        !names[t->resource - 1].size_bytes)
        names[t->resource - 1] = name;
    if (entity->sort != COMPONENT_SORT_INSTANCE) return;
    for (uint32_t i = 0; i < t->exports_count; i++)
        note_resources(types, names, t->exports[i].name, &t->exports[i].entity);
}

static void print_item(struct printer *p, struct wasm_name name,
                       const struct component_entity *entity, const char *indent)
{
    const struct component_type *t = &p->types->entries[entity->type];
    if (p->text->failed) return;
    put(p, indent);
    if (entity->sort != COMPONENT_SORT_FUNC) put(p, component_sort_name(entity->sort));
    if (entity->sort != COMPONENT_SORT_FUNC) put(p, " ");
    put_name(p, name);
    if (entity->sort == COMPONENT_SORT_FUNC) put(p, ": ");
    if (entity->sort == COMPONENT_SORT_FUNC) print_func(p, t);
    put(p, "\n");
}

/* Of types only resources, and those only where they come from. */
static bool is_listed(const struct printer *p, struct wasm_name name,
                      const struct component_entity *entity)
{
    const struct component_type *t = &p->types->entries[entity->type];
    if (entity->sort != COMPONENT_SORT_TYPE) return true;
    return t->kind == COMPONENT_RESOURCE && p->resources[t->resource - 1].text == name.text;
}

static void print_resource_line(struct printer *p, const char *before, struct wasm_name name)
{
    put(p, before);
    put(p, "resource ");
    put_name(p, name);
    put(p, "\n");
}

static void print_members(struct printer *p, const struct component_type *t)
{
    for (uint32_t i = 0; i < t->exports_count; i++) {
        const struct component_item *item = &t->exports[i];
        if (!is_listed(p, item->name, &item->entity)) continue;
        if (item->entity.sort == COMPONENT_SORT_TYPE)
            print_resource_line(p, "  ", item->name);
        else
            print_item(p, item->name, &item->entity, "  ");
    }
}

static void print_border(struct printer *p, const struct component_definition *def)
{
    const struct component_entity *entity = &def->entity;
    const char *what = def->kind == COMPONENT_IMPORT ? "import " : "export ";
    if (!is_listed(p, def->name, entity)) return;
    if (entity->sort == COMPONENT_SORT_INSTANCE) {
        put(p, what);
        put_name(p, def->name);
        put(p, "\n");
        print_members(p, &p->types->entries[entity->type]);
    } else if (entity->sort == COMPONENT_SORT_TYPE) {
        print_resource_line(p, what, def->name);
    } else {
        print_item(p, def->name, entity, what);
    }
}

enum status component_world_print(const struct component *c, struct buffer *text)
{
    const struct component_body *root = c->root;
    struct wasm_name *names = calloc((size_t)c->types->resources_count + 1, sizeof *names);
    if (!names) return ST_NO_MEMORY;
    struct printer p = {c->types, names, c->types->resources_count, text};
    for (unsigned pass = 0; pass < 4; pass++) {
        enum component_definition_kind kind = pass % 2 ? COMPONENT_EXPORT : COMPONENT_IMPORT;
        for (uint32_t i = 0; i < root->definitions_count; i++) {
            const struct component_definition *def = &root->definitions[i];
            if (def->kind != kind) continue;
            if (pass < 2)
                note_resources(c->types, names, def->name, &def->entity);
            else
                print_border(&p, def);
        }
    }
    free(names);
    return outcome(text);
}
