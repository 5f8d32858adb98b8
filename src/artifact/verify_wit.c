/* The types of a component: what a type says of itself must follow from its parts, so that nothing
 * that lifts and lowers values by it has to doubt sizes, offsets or numbers of flat values. Time is
 * linear: a part is looked at once for each mention. */
#include <stdlib.h>
#include <string.h>

#include "verify.h"

struct wit_verifier {
    const struct artifact_wit_type *types;
    const struct artifact_wit_field *fields;
    size_t types_count, fields_count, strings_bytes, resources_count;
    struct wit_shape *shapes;
};

/* A type as it should be, in the making. */
struct wit_sum {
    struct artifact_wit_type want;
    struct wit_shape shape;
    uint32_t flat_count; /* up to WIT_FLAT_MANY */
};

static const struct {
    uint8_t bytes;
    char letter;
    uint8_t flags;
} primitives[] = {
    [WIT_BOOL] = {1, 'i', WIT_HAS_CHECK},
    [WIT_S8] = {1, 'i', 0},
    [WIT_U8] = {1, 'i', 0},
    [WIT_S16] = {2, 'i', 0},
    [WIT_U16] = {2, 'i', 0},
    [WIT_S32] = {4, 'i', 0},
    [WIT_U32] = {4, 'i', 0},
    [WIT_S64] = {8, 'l', 0},
    [WIT_U64] = {8, 'l', 0},
    [WIT_F32] = {4, 'f', 0},
    [WIT_F64] = {8, 'd', 0},
    [WIT_CHAR] = {4, 'i', WIT_HAS_CHECK},
};

static uint32_t align_to(uint32_t size, uint32_t align)
{
    return (size + align - 1) / align * align;
}

/* Parts come before what is made of them. */
static bool is_part(const struct wit_verifier *v, uint32_t type, size_t of)
{
    return type && type < of && v->types[type].kind != WIT_FUNC;
}

static void deepen(const struct wit_verifier *v, struct wit_sum *s, uint32_t part)
{
    uint8_t depth = v->shapes[part].depth;
    if (depth + 1u > s->shape.depth) s->shape.depth = (uint8_t)(depth + 1u);
    s->want.flags |= v->types[part].flags & (WIT_HAS_POINTER | WIT_HAS_HANDLE | WIT_HAS_CHECK);
}

static void put_flat(struct wit_sum *s, char letter)
{
    if (s->flat_count < WIT_FLAT_PARAMS) s->shape.flat[s->flat_count] = letter;
    if (s->flat_count < WIT_FLAT_MANY) s->flat_count++;
}

/* The flat values of a part behind those that are there. */
static void append_flat(const struct wit_verifier *v, struct wit_sum *s, uint32_t part)
{
    uint32_t count = v->types[part].flat_count;
    if (count > WIT_FLAT_PARAMS) {
        s->flat_count = WIT_FLAT_MANY;
        return;
    }
    for (uint32_t i = 0; i < count; i++) put_flat(s, v->shapes[part].flat[i]);
}

/* "join" of a case's flat values with those of the cases before, behind the discriminant. */
static void join_flat(const struct wit_verifier *v, struct wit_sum *s, uint32_t part)
{
    uint32_t count = v->types[part].flat_count;
    if (count >= WIT_FLAT_PARAMS) {
        s->flat_count = WIT_FLAT_MANY;
        return;
    }
    for (uint32_t i = 0; i < count && s->flat_count <= WIT_FLAT_PARAMS; i++) {
        char letter = v->shapes[part].flat[i], *have = &s->shape.flat[i + 1];
        if (i + 1 >= s->flat_count)
            put_flat(s, letter);
        else if (*have != letter)
            *have = strchr("if", *have) && strchr("if", letter) ? 'i' : 'l';
    }
}

static enum status sum_record(const struct wit_verifier *v, const struct artifact_wit_type *t,
                              size_t index, struct wit_sum *s, struct error *err)
{
    const struct artifact_wit_field *fields = &v->fields[t->fields_first];
    if (!t->fields_count) return bad(err, "WIT type %zu is a record without fields", index);
    for (uint32_t i = 0; i < t->fields_count; i++) {
        if (!is_part(v, fields[i].type, index))
            return bad(err, "WIT type %zu has a field of no type", index);
        const struct artifact_wit_type *part = &v->types[fields[i].type];
        uint32_t offset = align_to(s->want.size_bytes, part->align_bytes);
        if (fields[i].offset != offset)
            return bad(err, "WIT type %zu has a field at a wrong offset", index);
        s->want.size_bytes = offset + part->size_bytes;
        if (s->want.size_bytes > WIT_SIZE_MAX) return bad(err, "WIT type %zu is too large", index);
        if (part->align_bytes > s->want.align_bytes) s->want.align_bytes = part->align_bytes;
        append_flat(v, s, fields[i].type);
        deepen(v, s, fields[i].type);
    }
    s->want.size_bytes = align_to(s->want.size_bytes, s->want.align_bytes);
    return ST_OK;
}

static enum status sum_variant(const struct wit_verifier *v, const struct artifact_wit_type *t,
                               size_t index, struct wit_sum *s, struct error *err)
{
    const struct artifact_wit_field *cases = &v->fields[t->fields_first];
    uint32_t payload_bytes = 0, payload_align = 1;
    uint32_t bytes = t->fields_count <= 256 ? 1 : t->fields_count <= 65536 ? 2 : 4;
    put_flat(s, 'i');
    if (!t->fields_count) return bad(err, "WIT type %zu is a variant without cases", index);
    for (uint32_t i = 0; i < t->fields_count; i++) {
        uint32_t part = cases[i].type;
        if (cases[i].offset || (part && (t->kind == WIT_ENUM || !is_part(v, part, index))))
            return bad(err, "WIT type %zu has a case of no type", index);
        if (!part) continue;
        if (v->types[part].size_bytes > payload_bytes) payload_bytes = v->types[part].size_bytes;
        if (v->types[part].align_bytes > payload_align) payload_align = v->types[part].align_bytes;
        join_flat(v, s, part);
        deepen(v, s, part);
    }
    s->want.flags |= WIT_HAS_CHECK;
    s->want.discriminant_bytes = (uint8_t)bytes;
    s->want.payload_offset = align_to(bytes, payload_align);
    s->want.align_bytes = (uint8_t)(bytes > payload_align ? bytes : payload_align);
    s->want.size_bytes = align_to(s->want.payload_offset + payload_bytes, s->want.align_bytes);
    return ST_OK;
}

static enum status sum_flags(const struct wit_verifier *v, const struct artifact_wit_type *t,
                             size_t index, struct wit_sum *s, struct error *err)
{
    uint32_t count = t->fields_count, bytes = count <= 8 ? 1 : count <= 16 ? 2 : 4;
    if (!count || count > 32) return bad(err, "WIT type %zu has %u flags", index, count);
    for (uint32_t i = 0; i < count; i++)
        if (v->fields[t->fields_first + i].type || v->fields[t->fields_first + i].offset)
            return bad(err, "WIT type %zu has a flag with a type", index);
    s->want.size_bytes = bytes;
    s->want.align_bytes = (uint8_t)bytes;
    if (count != 8 * bytes) s->want.flags |= WIT_HAS_CHECK;
    put_flat(s, 'i');
    return ST_OK;
}

static enum status sum_list(const struct wit_verifier *v, const struct artifact_wit_type *t,
                            size_t index, struct wit_sum *s, struct error *err)
{
    if (!is_part(v, t->element, index)) return bad(err, "WIT type %zu is a list of nothing", index);
    const struct artifact_wit_type *element = &v->types[t->element];
    s->want.element = t->element;
    deepen(v, s, t->element);
    if (t->kind == WIT_LIST) {
        s->want.size_bytes = 8;
        s->want.align_bytes = 4;
        s->want.flags |= WIT_HAS_POINTER;
        put_flat(s, 'i');
        put_flat(s, 'i');
        return ST_OK;
    }
    if (!t->length || (uint64_t)t->length * element->size_bytes > WIT_SIZE_MAX)
        return bad(err, "WIT type %zu has a wrong length", index);
    s->want.length = t->length;
    s->want.size_bytes = t->length * element->size_bytes;
    s->want.align_bytes = element->align_bytes;
    for (uint32_t i = 0; i < t->length && s->flat_count <= WIT_FLAT_PARAMS; i++)
        append_flat(v, s, t->element);
    return ST_OK;
}

static bool are_params(const struct wit_verifier *v, const struct artifact_wit_type *record,
                       const struct artifact_wit_type *func)
{
    if (record->kind != WIT_RECORD || record->fields_count != func->fields_count) return false;
    for (uint32_t i = 0; i < func->fields_count; i++)
        if (v->fields[record->fields_first + i].type != v->fields[func->fields_first + i].type)
            return false;
    return true;
}

static enum status sum_func(const struct wit_verifier *v, const struct artifact_wit_type *t,
                            size_t index, struct wit_sum *s, struct error *err)
{
    for (uint32_t i = 0; i < t->fields_count; i++) {
        uint32_t part = v->fields[t->fields_first + i].type;
        if (v->fields[t->fields_first + i].offset || !is_part(v, part, index))
            return bad(err, "WIT type %zu has a parameter of no type", index);
        append_flat(v, s, part);
        deepen(v, s, part);
    }
    s->shape.params_have_pointer = s->want.flags & WIT_HAS_POINTER;
    if (t->element) {
        if (!is_part(v, t->element, index))
            return bad(err, "WIT type %zu has a result of no type", index);
        deepen(v, s, t->element);
        s->want.element = t->element;
        s->want.flat_results = v->types[t->element].flat_count;
    }
    s->want.flags |= t->flags & WIT_IS_ASYNC;
    bool many = s->flat_count > WIT_FLAT_PARAMS;
    if (many != (t->params_record != 0) || t->params_record >= index ||
        (many && !are_params(v, &v->types[t->params_record], t)))
        return bad(err, "WIT type %zu has another record of parameters", index);
    s->want.params_record = t->params_record;
    return ST_OK;
}

static enum status sum_type(const struct wit_verifier *v, const struct artifact_wit_type *t,
                            size_t index, struct wit_sum *s, struct error *err)
{
    switch (t->kind) {
    case WIT_RECORD: return sum_record(v, t, index, s, err);
    case WIT_VARIANT:
    case WIT_ENUM: return sum_variant(v, t, index, s, err);
    case WIT_FLAGS: return sum_flags(v, t, index, s, err);
    case WIT_LIST:
    case WIT_FIXED_LIST: return sum_list(v, t, index, s, err);
    case WIT_FUNC: return sum_func(v, t, index, s, err);
    case WIT_STRING:
        s->want.size_bytes = 8;
        s->want.align_bytes = 4;
        s->want.flags = WIT_HAS_POINTER | WIT_HAS_CHECK;
        put_flat(s, 'i');
        put_flat(s, 'i');
        return ST_OK;
    case WIT_OWN:
    case WIT_BORROW:
        if (t->element >= v->resources_count)
            return bad(err, "WIT type %zu is a handle of no resource", index);
        s->want.element = t->element;
        s->want.size_bytes = s->want.align_bytes = 4;
        s->want.flags = WIT_HAS_HANDLE;
        put_flat(s, 'i');
        return ST_OK;
    default: break;
    }
    if (t->kind >= ARRAY_COUNT(primitives) || !primitives[t->kind].bytes)
        return bad(err, "WIT type %zu has an unknown kind", index);
    s->want.size_bytes = s->want.align_bytes = primitives[t->kind].bytes;
    s->want.flags = primitives[t->kind].flags;
    put_flat(s, primitives[t->kind].letter);
    return ST_OK;
}

static bool has_fields(uint8_t kind)
{
    return kind == WIT_RECORD || kind == WIT_VARIANT || kind == WIT_ENUM || kind == WIT_FLAGS ||
           kind == WIT_FUNC;
}

/* Fields stand without gaps: `first` is where the type's are. */
static enum status verify_type(struct wit_verifier *v, size_t index, uint64_t first,
                               struct error *err)
{
    const struct artifact_wit_type *t = &v->types[index];
    if (t->fields_first != first || t->fields_count > v->fields_count - first)
        return bad(err, "WIT type %zu has its fields elsewhere", index);
    for (uint32_t i = 0; i < t->fields_count; i++)
        if (v->fields[first + i].name >= v->strings_bytes)
            return bad(err, "WIT type %zu has a name elsewhere", index);
    struct wit_sum s = {.want = {.kind = t->kind, .align_bytes = 1}};
    if (index) {
        enum status st = sum_type(v, t, index, &s, err);
        if (st) return st;
    } else if (t->kind != WIT_NONE) {
        return bad(err, "WIT type 0 is not none");
    }
    if (!has_fields(t->kind) && t->fields_count) return bad(err, "WIT type %zu has fields", index);
    s.want.fields_first = t->fields_first;
    s.want.fields_count = t->fields_count;
    s.want.flat_count = s.flat_count > WIT_FLAT_PARAMS ? WIT_FLAT_MANY : (uint16_t)s.flat_count;
    if (s.shape.depth > WIT_DEPTH_MAX) return bad(err, "WIT type %zu is too deep", index);
    if (memcmp(&s.want, t, sizeof *t))
        return bad(err, "WIT type %zu is not what follows from its parts", index);
    v->shapes[index] = s.shape;
    return ST_OK;
}

enum status verify_wit(const struct artifact *a, struct wit_shape **ret, struct error *err)
{
    struct wit_verifier v = {.resources_count = verify_count(a, ARTIFACT_RESOURCES)};
    const char *strings = artifact_section(a, ARTIFACT_WIT_STRINGS, &v.strings_bytes);
    v.types = artifact_section(a, ARTIFACT_WIT_TYPES, &v.types_count);
    v.fields = artifact_section(a, ARTIFACT_WIT_FIELDS, &v.fields_count);
    if (!v.strings_bytes || strings[0] || strings[v.strings_bytes - 1])
        return bad(err, "WIT strings do not begin and end with NUL");
    if (!v.types_count) return bad(err, "no WIT types");
    v.shapes = calloc(v.types_count, sizeof *v.shapes);
    if (!v.shapes) return error_set(err, ST_NO_MEMORY, "artifact: WIT types");
    enum status st = ST_OK;
    uint64_t first = 0;
    for (size_t i = 0; i < v.types_count && !st; i++) {
        st = verify_type(&v, i, first, err);
        first += v.types[i].fields_count;
    }
    if (!st && first != v.fields_count) st = bad(err, "WIT fields of no type");
    if (st)
        free(v.shapes);
    else
        *ret = v.shapes;
    return st;
}
