/* Types for a world: their layout, by the definitions of CanonicalABI.md, and their text. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define CHILDREN_MAX 512u

/* ---- layout ---- */

static uint32_t align_to(uint32_t at, uint32_t align)
{
    return (at + align - 1) / align * align;
}

static const struct {
    uint8_t size, align, flat, flags;
} primitives[] = {
    [WIT_NONE] = {0, 1, 0, 0},
    [WIT_BOOL] = {1, 1, 1, WIT_HAS_CHECK},
    [WIT_S8] = {1, 1, 1, 0},
    [WIT_U8] = {1, 1, 1, 0},
    [WIT_S16] = {2, 2, 1, 0},
    [WIT_U16] = {2, 2, 1, 0},
    [WIT_S32] = {4, 4, 1, 0},
    [WIT_U32] = {4, 4, 1, 0},
    [WIT_S64] = {8, 8, 1, 0},
    [WIT_U64] = {8, 8, 1, 0},
    [WIT_F32] = {4, 4, 1, 0},
    [WIT_F64] = {8, 8, 1, 0},
    [WIT_CHAR] = {4, 4, 1, WIT_HAS_CHECK},
    [WIT_STRING] = {8, 4, 2, WIT_HAS_POINTER | WIT_HAS_CHECK},
    [WIT_ERROR_CONTEXT] = {4, 4, 1, WIT_HAS_HANDLE},
    [WIT_LIST] = {8, 4, 2, WIT_HAS_POINTER},
    [WIT_OWN] = {4, 4, 1, WIT_HAS_HANDLE},
    [WIT_BORROW] = {4, 4, 1, WIT_HAS_HANDLE},
    [WIT_STREAM] = {4, 4, 1, WIT_HAS_HANDLE},
    [WIT_FUTURE] = {4, 4, 1, WIT_HAS_HANDLE},
};

static uint16_t add_flat(uint16_t a, uint32_t b)
{
    return a == WIT_FLAT_MANY || b > WIT_FLAT_PARAMS || a + b > WIT_FLAT_PARAMS ? WIT_FLAT_MANY
                                                                                : (uint16_t)(a + b);
}

static void take_alignment(struct artifact_wit_type *t, const struct artifact_wit_type *child)
{
    if (child->align_bytes > t->align_bytes) t->align_bytes = child->align_bytes;
    t->flags |= child->flags;
}

static void lay_record(struct world *w, struct artifact_wit_type *t)
{
    t->align_bytes = 1;
    for (uint32_t k = 0; k < t->fields_count; k++) {
        struct artifact_wit_field *f = &w->fields[t->fields_first + k];
        const struct artifact_wit_type *child = &w->types[f->type];
        take_alignment(t, child);
        f->offset = align_to(t->size_bytes, child->align_bytes);
        t->size_bytes = f->offset + child->size_bytes;
        t->flat_count = add_flat(t->flat_count, child->flat_count);
    }
    t->size_bytes = align_to(t->size_bytes, t->align_bytes);
}

static uint8_t bytes_for(uint32_t cases)
{
    return cases <= 256 ? 1 : cases <= 65536 ? 2 : 4;
}

static void lay_variant(struct world *w, struct artifact_wit_type *t)
{
    uint32_t payload_align = 1, payload_size = 0;
    uint16_t flat = 0;
    t->flags |= WIT_HAS_CHECK;
    t->discriminant_bytes = t->align_bytes = bytes_for(t->fields_count);
    for (uint32_t k = 0; k < t->fields_count && t->kind == WIT_VARIANT; k++) {
        const struct artifact_wit_type *child = &w->types[w->fields[t->fields_first + k].type];
        take_alignment(t, child);
        if (child->align_bytes > payload_align) payload_align = child->align_bytes;
        if (child->size_bytes > payload_size) payload_size = child->size_bytes;
        if (child->flat_count > flat) flat = child->flat_count;
    }
    t->payload_offset = align_to(t->discriminant_bytes, payload_align);
    t->size_bytes = align_to(t->payload_offset + payload_size, t->align_bytes);
    t->flat_count = add_flat(1, flat);
}

static void lay_fixed_list(struct world *w, struct artifact_wit_type *t)
{
    const struct artifact_wit_type *e = &w->types[t->element];
    take_alignment(t, e);
    t->size_bytes = t->length * e->size_bytes;
    t->flat_count = 0;
    for (uint32_t k = 0; k < t->length && t->flat_count != WIT_FLAT_MANY; k++)
        t->flat_count = add_flat(t->flat_count, e->flat_count);
}

static void lay_func(struct world *w, struct artifact_wit_type *t)
{
    struct artifact_wit_type params = {
        .kind = WIT_RECORD, .fields_first = t->fields_first, .fields_count = t->fields_count};
    t->params_record = world_add_type(w, params);
    t->flat_count = w->types[t->params_record].flat_count;
    t->flat_results = w->types[t->element].flat_count;
}

uint32_t world_add_type(struct world *w, struct artifact_wit_type t)
{
    if (t.kind == WIT_FUNC) lay_func(w, &t);
    if (t.kind < sizeof primitives / sizeof primitives[0] && primitives[t.kind].align) {
        t.size_bytes = primitives[t.kind].size;
        t.align_bytes = primitives[t.kind].align;
        t.flat_count = primitives[t.kind].flat;
        t.flags |= primitives[t.kind].flags;
    }
    if (t.kind == WIT_LIST) t.flags |= w->types[t.element].flags;
    if (t.kind == WIT_RECORD) lay_record(w, &t);
    if (t.kind == WIT_VARIANT || t.kind == WIT_ENUM) lay_variant(w, &t);
    if (t.kind == WIT_FIXED_LIST) lay_fixed_list(w, &t);
    if (t.kind == WIT_FLAGS) {
        t.size_bytes = t.fields_count <= 8    ? 1
                       : t.fields_count <= 16 ? 2
                                              : (t.fields_count + 31) / 32 * 4;
        t.align_bytes = t.size_bytes < 4 ? (uint8_t)t.size_bytes : 4;
        t.flat_count = (uint16_t)((t.fields_count + 31) / 32);
    }
    assert(w->types_count < WORLD_TYPES_MAX);
    w->types[w->types_count] = t;
    return w->types_count++;
}

static uint32_t intern(struct world *w, const char *name)
{
    size_t size = strlen(name);
    if (size == 0) return 0;
    assert(w->strings_bytes + size + 1 <= sizeof w->strings);
    uint32_t at = w->strings_bytes;
    memcpy(w->strings + at, name, size + 1);
    w->strings_bytes += (uint32_t)size + 1;
    return at;
}

uint32_t world_add_field(struct world *w, const char *name, uint32_t type)
{
    assert(w->fields_count < WORLD_FIELDS_MAX);
    w->fields[w->fields_count] = (struct artifact_wit_field){.name = intern(w, name), .type = type};
    return w->fields_count++;
}

/* ---- text ---- */

struct reading {
    struct world *w;
    const char *at;
};

struct children {
    char names[CHILDREN_MAX][64];
    uint32_t types[CHILDREN_MAX];
    uint32_t count;
};

static uint32_t read_type(struct reading *r);

static bool take(struct reading *r, const char *text)
{
    size_t size = strlen(text);
    while (*r->at == ' ') r->at++;
    if (strncmp(r->at, text, size) != 0) return false;
    r->at += size;
    return true;
}

static void must(struct reading *r, const char *text)
{
    if (take(r, text)) return;
    fprintf(stderr, "type: \"%s\" expected at \"%s\"\n", text, r->at);
    abort();
}

static void read_name(struct reading *r, char *name, size_t size)
{
    size_t k = 0;
    while (*r->at == ' ') r->at++;
    while (isalnum((unsigned char)*r->at) || (*r->at && strchr("-_[].", *r->at))) {
        assert(k + 1 < size);
        name[k++] = *r->at++;
    }
    name[k] = 0;
}

/* Up to `close`: "name: T" or "name(T)" or "name" when `named`, otherwise "T". */
static struct children *read_children(struct reading *r, const char *close, bool named)
{
    struct children *c = calloc(1, sizeof *c);
    assert(c);
    while (!take(r, close)) {
        assert(c->count < CHILDREN_MAX);
        if (c->count) must(r, ",");
        if (named) {
            read_name(r, c->names[c->count], sizeof c->names[0]);
            if (take(r, ":")) {
                c->types[c->count] = read_type(r);
            } else if (take(r, "(")) {
                c->types[c->count] = read_type(r);
                must(r, ")");
            }
        } else {
            c->types[c->count] = take(r, "_") ? WIT_TYPE_NONE : read_type(r);
        }
        c->count++;
    }
    return c;
}

static uint32_t with_fields(struct reading *r, enum wit_kind kind, struct children *c,
                            uint32_t element)
{
    struct artifact_wit_type t = {.kind = (uint8_t)kind,
                                  .element = element,
                                  .fields_first = r->w->fields_count,
                                  .fields_count = c->count};
    for (uint32_t k = 0; k < c->count; k++) world_add_field(r->w, c->names[k], c->types[k]);
    free(c);
    return world_add_type(r->w, t);
}

static uint32_t two_cases(struct reading *r, const char *first, uint32_t first_type,
                          const char *second, uint32_t second_type)
{
    struct children *c = calloc(1, sizeof *c);
    assert(c);
    c->count = 2;
    snprintf(c->names[0], sizeof c->names[0], "%s", first);
    snprintf(c->names[1], sizeof c->names[1], "%s", second);
    c->types[0] = first_type;
    c->types[1] = second_type;
    return with_fields(r, WIT_VARIANT, c, 0);
}

static uint32_t read_list(struct reading *r)
{
    struct artifact_wit_type t = {.kind = WIT_LIST, .element = read_type(r)};
    if (take(r, ",")) {
        t.kind = WIT_FIXED_LIST;
        t.length = (uint32_t)strtoul(r->at, (char **)&r->at, 10);
    }
    must(r, ">");
    return world_add_type(r->w, t);
}

static uint32_t read_handle(struct reading *r, enum wit_kind kind)
{
    char name[64];
    read_name(r, name, sizeof name);
    must(r, ">");
    for (uint32_t k = 0; k < r->w->resources_count; k++)
        if (strcmp(world_text(r->w, r->w->resources[k].name), name) == 0)
            return world_add_type(r->w,
                                  (struct artifact_wit_type){.kind = (uint8_t)kind, .element = k});
    fprintf(stderr, "type: no resource %s\n", name);
    abort();
}

static uint32_t read_generic(struct reading *r, bool is_result)
{
    struct children *c = read_children(r, ">", false);
    uint32_t first = c->types[0], second = c->count > 1 ? c->types[1] : WIT_TYPE_NONE;
    free(c);
    return is_result ? two_cases(r, "ok", first, "error", second)
                     : two_cases(r, "none", WIT_TYPE_NONE, "some", first);
}

static uint32_t read_func(struct reading *r)
{
    struct children *c = read_children(r, ")", true);
    uint32_t result = take(r, "->") ? read_type(r) : WIT_TYPE_NONE;
    return with_fields(r, WIT_FUNC, c, result);
}

static uint32_t read_type(struct reading *r)
{
    static const char *const names[] = {
        [WIT_BOOL] = "bool",     [WIT_S8] = "s8",   [WIT_U8] = "u8",   [WIT_S16] = "s16",
        [WIT_U16] = "u16",       [WIT_S32] = "s32", [WIT_U32] = "u32", [WIT_S64] = "s64",
        [WIT_U64] = "u64",       [WIT_F32] = "f32", [WIT_F64] = "f64", [WIT_CHAR] = "char",
        [WIT_STRING] = "string",
    };
    if (take(r, "list<")) return read_list(r);
    if (take(r, "option<")) return read_generic(r, false);
    if (take(r, "result<")) return read_generic(r, true);
    if (take(r, "result")) return two_cases(r, "ok", 0, "error", 0);
    if (take(r, "tuple<"))
        return with_fields(r, WIT_RECORD, read_children(r, ">", false), WIT_TYPE_NONE);
    if (take(r, "record{"))
        return with_fields(r, WIT_RECORD, read_children(r, "}", true), WIT_TYPE_NONE);
    if (take(r, "variant{"))
        return with_fields(r, WIT_VARIANT, read_children(r, "}", true), WIT_TYPE_NONE);
    if (take(r, "enum{"))
        return with_fields(r, WIT_ENUM, read_children(r, "}", true), WIT_TYPE_NONE);
    if (take(r, "flags{"))
        return with_fields(r, WIT_FLAGS, read_children(r, "}", true), WIT_TYPE_NONE);
    if (take(r, "own<")) return read_handle(r, WIT_OWN);
    if (take(r, "borrow<")) return read_handle(r, WIT_BORROW);
    if (take(r, "func(")) return read_func(r);
    for (uint32_t k = WIT_BOOL; k <= WIT_STRING; k++)
        if (take(r, names[k])) return k;
    fprintf(stderr, "type: none at \"%s\"\n", r->at);
    abort();
}

uint32_t world_type(struct world *w, const char *text)
{
    struct reading r = {w, text};
    uint32_t type = read_type(&r);
    assert(*r.at == 0);
    return type;
}
