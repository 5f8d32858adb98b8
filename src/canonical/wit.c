/* A type out of the artifact as text: the counterpart of the build half's component_type_print(),
 * with which host functions say what they are imported as. */
#include <string.h>

#include "base/buffer.h"
#include "state.h"

struct printer {
    const struct artifact *a;
    const struct artifact_wit_type *types;
    const struct artifact_wit_field *fields;
    const struct artifact_resource *resources;
    struct buffer *text;
};

static const char *const plain_names[WIT_KINDS_COUNT] = {
    [WIT_NONE] = "_",    [WIT_BOOL] = "bool",     [WIT_S8] = "s8",
    [WIT_U8] = "u8",     [WIT_S16] = "s16",       [WIT_U16] = "u16",
    [WIT_S32] = "s32",   [WIT_U32] = "u32",       [WIT_S64] = "s64",
    [WIT_U64] = "u64",   [WIT_F32] = "f32",       [WIT_F64] = "f64",
    [WIT_CHAR] = "char", [WIT_STRING] = "string", [WIT_ERROR_CONTEXT] = "error-context",
};

static void print(struct printer *p, uint32_t type, unsigned depth);

static void put(struct printer *p, const char *text)
{
    buffer_append_string(p->text, text);
}

static const char *field_name(const struct printer *p, const struct artifact_wit_type *t,
                              uint32_t k)
{
    return artifact_wit_string(p->a, p->fields[t->fields_first + k].name);
}

static uint32_t field_type(const struct printer *p, const struct artifact_wit_type *t, uint32_t k)
{
    return p->fields[t->fields_first + k].type;
}

static bool has_cases(const struct printer *p, const struct artifact_wit_type *t, const char *first,
                      const char *second)
{
    return t->fields_count == 2 && strcmp(field_name(p, t, 0), first) == 0 &&
           strcmp(field_name(p, t, 1), second) == 0;
}

/* "name<T>", "name<_, U>" … */
static void print_generic(struct printer *p, const char *name, uint32_t first, uint32_t second,
                          unsigned depth)
{
    put(p, name);
    if (!first && !second) return;
    put(p, "<");
    print(p, first, depth);
    if (second) {
        put(p, ", ");
        print(p, second, depth);
    }
    put(p, ">");
}

static void print_fields(struct printer *p, const struct artifact_wit_type *t, const char *open,
                         const char *close, unsigned depth)
{
    bool is_case = t->kind == WIT_VARIANT;
    put(p, open);
    for (uint32_t k = 0; k < t->fields_count && !p->text->failed; k++) {
        const char *name = field_name(p, t, k);
        uint32_t type = field_type(p, t, k);
        if (k) put(p, ", ");
        put(p, name);
        if (!type || t->kind == WIT_FLAGS || t->kind == WIT_ENUM) continue;
        if (is_case)
            put(p, "(");
        else if (*name)
            put(p, ": ");
        print(p, type, depth);
        if (is_case) put(p, ")");
    }
    put(p, close);
}

static void print_variant(struct printer *p, const struct artifact_wit_type *t, unsigned depth)
{
    if (has_cases(p, t, "none", "some") && !field_type(p, t, 0))
        print_generic(p, "option", field_type(p, t, 1), 0, depth);
    else if (has_cases(p, t, "ok", "error"))
        print_generic(p, "result", field_type(p, t, 0), field_type(p, t, 1), depth);
    else
        print_fields(p, t, "variant{", "}", depth);
}

static void print_record(struct printer *p, const struct artifact_wit_type *t, unsigned depth)
{
    bool is_tuple = t->fields_count && !*field_name(p, t, 0);
    print_fields(p, t, is_tuple ? "tuple<" : "record{", is_tuple ? ">" : "}", depth);
}

static void print_func(struct printer *p, const struct artifact_wit_type *t, unsigned depth)
{
    print_fields(p, t, t->flags & WIT_IS_ASYNC ? "async func(" : "func(", ")", depth);
    if (!t->element) return;
    put(p, " -> ");
    print(p, t->element, depth);
}

static void print_handle(struct printer *p, const char *open, uint32_t resource)
{
    const char *name = artifact_wit_string(p->a, p->resources[resource].name);
    put(p, open);
    put(p, *name ? name : "_");
    put(p, ">");
}

static void print(struct printer *p, uint32_t type, unsigned depth)
{
    const struct artifact_wit_type *t = &p->types[type];
    if (p->text->failed) return;
    if (depth++ > WIT_DEPTH_MAX) {
        put(p, "…");
        return;
    }
    switch ((enum wit_kind)t->kind) {
    case WIT_RECORD: print_record(p, t, depth); break;
    case WIT_VARIANT: print_variant(p, t, depth); break;
    case WIT_LIST: print_generic(p, "list", t->element, 0, depth); break;
    case WIT_FIXED_LIST:
        put(p, "list<");
        print(p, t->element, depth);
        buffer_printf(p->text, ", %u>", t->length);
        break;
    case WIT_FLAGS: print_fields(p, t, "flags{", "}", depth); break;
    case WIT_ENUM: print_fields(p, t, "enum{", "}", depth); break;
    case WIT_OWN: print_handle(p, "own<", t->element); break;
    case WIT_BORROW: print_handle(p, "borrow<", t->element); break;
    case WIT_STREAM: print_generic(p, "stream", t->element, 0, depth); break;
    case WIT_FUTURE: print_generic(p, "future", t->element, 0, depth); break;
    case WIT_FUNC: print_func(p, t, depth); break;
    default: put(p, t->kind < WIT_KINDS_COUNT ? plain_names[t->kind] : "_"); break;
    }
}

void wit_print(const struct artifact *a, uint32_t type, struct buffer *text)
{
    size_t count;
    struct printer p = {.a = a, .text = text};
    p.types = artifact_section(a, ARTIFACT_WIT_TYPES, &count);
    p.fields = artifact_section(a, ARTIFACT_WIT_FIELDS, &count);
    p.resources = artifact_section(a, ARTIFACT_RESOURCES, &count);
    print(&p, type, 0);
}

void canonical_type_print(const struct artifact *a, uint32_t type, struct buffer *text)
{
    wit_print(a, type, text);
}
