/* CanonicalABI "Alignment", "Element Size", "Flattening". Everything is computed twice, with
 * pointers of 4 and of 8 bytes: a type must fit either way. */
#include "layout.h"

#define FLAT_SATURATED COMPONENT_TYPE_SIZE_MAX

struct extent {
    uint64_t size, align;
};

/* Bytes and core values of the primitive kinds, in the order of enum component_kind. */
static const uint8_t primitive_bytes[] = {
    [COMPONENT_BOOL] = 1,   [COMPONENT_S8] = 1,
    [COMPONENT_U8] = 1,     [COMPONENT_S16] = 2,
    [COMPONENT_U16] = 2,    [COMPONENT_S32] = 4,
    [COMPONENT_U32] = 4,    [COMPONENT_S64] = 8,
    [COMPONENT_U64] = 8,    [COMPONENT_F32] = 4,
    [COMPONENT_F64] = 8,    [COMPONENT_CHAR] = 4,
    [COMPONENT_STRING] = 0, [COMPONENT_ERROR_CONTEXT] = 4,
};

static struct extent extent_of(const struct component_type *t, bool is64)
{
    return is64 ? (struct extent){t->size64_bytes, t->align64_bytes}
                : (struct extent){t->layout.size_bytes, t->layout.align_bytes};
}

static uint64_t align_to(uint64_t size, uint64_t align)
{
    return (size + align - 1) / align * align;
}

static uint32_t discriminant_bytes(uint32_t cases)
{
    return cases <= 256 ? 1 : cases <= 65536 ? 2 : 4;
}

/* "elem_size_record": at most COMPONENT_FIELDS_MAX fields, each of less than 2^28 bytes. */
static struct extent record_extent(const struct type_store *s, const struct component_type *t,
                                   bool is64)
{
    struct extent e = {0, 1};
    for (uint32_t i = 0; i < t->fields_count; i++) {
        struct extent f = extent_of(&s->entries[t->fields[i].type], is64);
        e.size = align_to(e.size, f.align) + f.size;
        if (f.align > e.align) e.align = f.align;
    }
    e.size = align_to(e.size, e.align);
    return e;
}

static void widen(struct extent *payload, const struct type_store *s, uint32_t type, bool is64)
{
    if (!type) return;
    struct extent f = extent_of(&s->entries[type], is64);
    if (f.size > payload->size) payload->size = f.size;
    if (f.align > payload->align) payload->align = f.align;
}

/* "elem_size_variant", also of what despecializes to a variant. */
static struct extent variant_extent(const struct type_store *s, struct component_type *t,
                                    uint32_t cases, bool is64)
{
    struct extent payload = {0, 1};
    if (t->kind == COMPONENT_VARIANT)
        for (uint32_t i = 0; i < cases; i++) widen(&payload, s, t->fields[i].type, is64);
    widen(&payload, s, t->element, is64);
    widen(&payload, s, t->other, is64);
    uint32_t discriminant = discriminant_bytes(cases);
    struct extent e = {align_to(discriminant, payload.align), payload.align};
    if (discriminant > e.align) e.align = discriminant;
    if (!is64) {
        t->layout.discriminant_bytes = (uint8_t)discriminant;
        t->layout.payload_offset = (uint32_t)e.size;
    }
    e.size = align_to(e.size + payload.size, e.align);
    return e;
}

static struct extent value_extent(const struct type_store *s, struct component_type *t, bool is64)
{
    uint32_t pointer = is64 ? 8 : 4;
    struct extent element = extent_of(&s->entries[t->element], is64);
    switch (t->kind) {
    case COMPONENT_STRING:
    case COMPONENT_LIST:
    case COMPONENT_MAP: return (struct extent){2 * pointer, pointer};
    case COMPONENT_OWN:
    case COMPONENT_BORROW:
    case COMPONENT_STREAM:
    case COMPONENT_FUTURE: return (struct extent){4, 4};
    case COMPONENT_RECORD:
    case COMPONENT_TUPLE: return record_extent(s, t, is64);
    case COMPONENT_VARIANT:
    case COMPONENT_ENUM: return variant_extent(s, t, t->fields_count, is64);
    case COMPONENT_OPTION:
    case COMPONENT_RESULT: return variant_extent(s, t, 2, is64);
    case COMPONENT_FIXED_LIST: return (struct extent){element.size * t->length, element.align};
    case COMPONENT_FLAGS: {
        uint32_t bytes = t->fields_count <= 8 ? 1 : t->fields_count <= 16 ? 2 : 4;
        return (struct extent){bytes, bytes};
    }
    default: return (struct extent){primitive_bytes[t->kind], primitive_bytes[t->kind]};
    }
}

static uint32_t saturate(uint64_t count)
{
    return count > FLAT_SATURATED ? FLAT_SATURATED : (uint32_t)count;
}

static uint32_t flat_of(const struct type_store *s, uint32_t type)
{
    return s->entries[type].layout.flat_count;
}

/* A variant's core values are the discriminant and the joined payloads: as many as the longest. */
static uint32_t value_flat_count(const struct type_store *s, const struct component_type *t)
{
    uint64_t sum = 0;
    uint32_t max = 0;
    for (uint32_t i = 0; i < t->fields_count; i++) {
        uint32_t flat = flat_of(s, t->fields[i].type);
        sum += flat;
        if (flat > max) max = flat;
    }
    switch (t->kind) {
    case COMPONENT_NONE: return 0;
    case COMPONENT_STRING:
    case COMPONENT_LIST:
    case COMPONENT_MAP: return 2;
    case COMPONENT_RECORD:
    case COMPONENT_TUPLE: return saturate(sum);
    case COMPONENT_VARIANT: return saturate(1 + (uint64_t)max);
    case COMPONENT_OPTION: return saturate(1 + (uint64_t)flat_of(s, t->element));
    case COMPONENT_RESULT:
        max = flat_of(s, t->element);
        if (flat_of(s, t->other) > max) max = flat_of(s, t->other);
        return saturate(1 + (uint64_t)max);
    case COMPONENT_FIXED_LIST: return saturate((uint64_t)flat_of(s, t->element) * t->length);
    default: return 1;
    }
}

static bool value_has_pointer(const struct type_store *s, const struct component_type *t)
{
    if (t->kind == COMPONENT_STRING || t->kind == COMPONENT_LIST || t->kind == COMPONENT_MAP)
        return true;
    if (t->kind == COMPONENT_STREAM || t->kind == COMPONENT_FUTURE) return false;
    bool has = s->entries[t->element].layout.has_pointer || s->entries[t->other].layout.has_pointer;
    for (uint32_t i = 0; i < t->fields_count && !has; i++)
        has = s->entries[t->fields[i].type].layout.has_pointer;
    return has;
}

enum status layout_settle(const struct type_store *s, struct component_type *t, struct error *err)
{
    t->layout = (struct component_layout){.align_bytes = 1};
    t->align64_bytes = 1;
    if (!component_kind_is_value(t->kind)) return ST_OK;
    struct extent e32 = value_extent(s, t, false), e64 = value_extent(s, t, true);
    if (e64.size >= COMPONENT_VALUE_BYTES || e32.size >= COMPONENT_VALUE_BYTES)
        return error_set(err, ST_INVALID,
                         "a value of the type exceeds maximum byte size of 2^28-1");
    t->layout.size_bytes = (uint32_t)e32.size;
    t->layout.align_bytes = (uint32_t)e32.align;
    t->size64_bytes = (uint32_t)e64.size;
    t->align64_bytes = (uint32_t)e64.align;
    t->layout.flat_count = value_flat_count(s, t);
    t->layout.has_pointer = value_has_pointer(s, t);
    return ST_OK;
}
