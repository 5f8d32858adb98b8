#include "cross.h"

#include <string.h>

#define WORK_MAX    16384u /* elements between two pauses */
#define NAN32       UINT32_C(0x7fc00000)
#define NAN64       UINT64_C(0x7ff8000000000000)
#define FLAT_FLAGS  32u /* a core value */
#define UNSUPPORTED "streams, futures and error contexts do not cross yet"

static const struct artifact_wit_type *type_at(const struct crossing *x, uint32_t type)
{
    return &x->to.c->types[type];
}

static const struct artifact_wit_field *fields_of(const struct crossing *x,
                                                  const struct artifact_wit_type *t)
{
    return &x->to.c->fields[t->fields_first];
}

static bool say(const struct crossing *x, const char *text)
{
    return trap_say(x->to.i, text);
}

/* ---- without memory of their own ---- */

static uint64_t quiet32(uint32_t bits)
{
    return (bits & 0x7fffffff) > 0x7f800000 ? NAN32 : bits;
}

static uint64_t quiet64(uint64_t bits)
{
    return (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000) ? NAN64 : bits;
}

static bool cross_char(struct crossing *x, uint32_t bits, uint32_t *ret)
{
    if (bits >= 0x110000 || (bits >= 0xd800 && bits < 0xe000))
        return say(x, "invalid `char` bit pattern");
    *ret = bits;
    return true;
}

/* "lift_own" and "lower_own" */
static bool cross_own(struct crossing *x, const struct artifact_wit_type *t, uint32_t index,
                      uint32_t *ret)
{
    struct canonical *c = x->to.c;
    struct handle_ref from = {x->from.options->component, index};
    return handle_move(c, x->to.i, from, c->resource_types[t->element], x->to.options->component,
                       ret);
}

/* "lift_borrow" and "lower_borrow" */
static bool cross_borrow(struct crossing *x, const struct artifact_wit_type *t, uint32_t index,
                         uint32_t *ret)
{
    struct canonical *c = x->to.c;
    struct handle_ref from = {x->from.options->component, index};
    const void *type = c->resource_types[t->element];
    if (!x->scope) return say(x, "a borrow outside of parameters");
    struct handle *h = handle_find(c, x->to.i, from.component, index, type);
    if (!h || !handle_lend(c, x->to.i, from, h)) return false;
    if (c->resources[t->element].component == x->to.options->component) {
        *ret = h->rep.guest;
        return true;
    }
    const struct handle lent = {
        .type = type, .rep = h->rep, .is_host = h->is_host, .scope = x->scope};
    return handle_add(c, x->to.i, x->to.options->component, &lent, ret);
}

/* ---- with memory of their own ---- */

static bool cross_string(struct crossing *x, uint32_t at, uint32_t units, uint32_t *ret_at,
                         uint32_t *ret_units)
{
    struct side_text text;
    return side_text_find(&x->from, at, units, &text) &&
           side_text_put(&x->to, &text, ret_at, ret_units);
}

static bool cross_elements(struct crossing *x, uint32_t type, uint64_t count, const uint8_t *from,
                           uint8_t *to)
{
    uint32_t size = type_at(x, type)->size_bytes;
    if (x->to.c->plain[type]) return side_copy(&x->to, to, from, count * size);
    for (uint64_t k = 0; k < count; k++) {
        if (!cross_memory(x, type, from + k * size, to + k * size)) return false;
        if (++x->work < WORK_MAX) continue;
        x->work = 0;
        if (!side_pause(&x->to)) return false;
    }
    return true;
}

/* "load_list_from_range" and "store_list_into_range" */
static bool cross_list(struct crossing *x, const struct artifact_wit_type *t, uint32_t at,
                       uint32_t count, uint32_t *ret_at)
{
    const struct artifact_wit_type *element = type_at(x, t->element);
    uint64_t bytes = (uint64_t)count * element->size_bytes;
    uint8_t *from, *to;
    return side_range(&x->from, at, bytes, element->align_bytes, SIDE_LIST, &from) &&
           side_realloc(&x->to, 0, 0, element->align_bytes, bytes, SIDE_LIST, ret_at, &to) &&
           cross_elements(x, t->element, count, from, to);
}

/* ---- in memory ---- */

static uint32_t load32(const uint8_t *from)
{
    uint32_t bits;
    memcpy(&bits, from, sizeof bits);
    return bits;
}

static void store32(uint8_t *to, uint32_t bits)
{
    memcpy(to, &bits, sizeof bits);
}

static uint32_t load_small(const uint8_t *from, uint32_t size)
{
    uint32_t bits = 0;
    memcpy(&bits, from, size); /* little-endian */
    return bits;
}

static bool cross_record(struct crossing *x, const struct artifact_wit_type *t, const uint8_t *from,
                         uint8_t *to)
{
    const struct artifact_wit_field *f = fields_of(x, t);
    for (uint32_t k = 0; k < t->fields_count; k++)
        if (!cross_memory(x, f[k].type, from + f[k].offset, to + f[k].offset)) return false;
    return true;
}

static bool check_case(struct crossing *x, const struct artifact_wit_type *t, uint32_t chosen)
{
    return chosen < t->fields_count || say(x, "invalid variant discriminant");
}

static bool cross_variant(struct crossing *x, const struct artifact_wit_type *t,
                          const uint8_t *from, uint8_t *to)
{
    uint32_t chosen = load_small(from, t->discriminant_bytes);
    if (!check_case(x, t, chosen)) return false;
    memcpy(to, &chosen, t->discriminant_bytes);
    uint32_t payload = t->kind == WIT_VARIANT ? fields_of(x, t)[chosen].type : WIT_TYPE_NONE;
    return !payload || cross_memory(x, payload, from + t->payload_offset, to + t->payload_offset);
}

/* Bits that name no flag are dropped. */
static uint32_t flags_mask(const struct artifact_wit_type *t, uint32_t word)
{
    uint32_t left = t->fields_count - word * FLAT_FLAGS;
    return left >= FLAT_FLAGS ? UINT32_MAX : (UINT32_C(1) << left) - 1;
}

static void cross_flags(const struct artifact_wit_type *t, const uint8_t *from, uint8_t *to)
{
    for (uint32_t word = 0; word * FLAT_FLAGS < t->fields_count; word++) {
        uint32_t size = t->size_bytes < 4 ? t->size_bytes : 4;
        uint32_t bits = load_small(from + (size_t)word * 4, size) & flags_mask(t, word);
        memcpy(to + (size_t)word * 4, &bits, size);
    }
}

static bool cross_pair(struct crossing *x, const struct artifact_wit_type *t, const uint8_t *from,
                       uint8_t *to)
{
    uint32_t at = 0, count = load32(from + 4);
    bool done = t->kind == WIT_STRING ? cross_string(x, load32(from), count, &at, &count)
                                      : cross_list(x, t, load32(from), count, &at);
    if (!done) return false;
    store32(to, at);
    store32(to + 4, count);
    return true;
}

/* Types of one 32-bit word that are not taken as they are. */
static bool cross_word(struct crossing *x, const struct artifact_wit_type *t, uint32_t bits,
                       uint32_t *ret)
{
    switch ((enum wit_kind)t->kind) {
    case WIT_F32: *ret = (uint32_t)quiet32(bits); return true;
    case WIT_CHAR: return cross_char(x, bits, ret);
    case WIT_OWN: return cross_own(x, t, bits, ret);
    case WIT_BORROW: return cross_borrow(x, t, bits, ret);
    default: return say(x, UNSUPPORTED);
    }
}

static bool cross_f64(const uint8_t *from, uint8_t *to)
{
    uint64_t bits;
    memcpy(&bits, from, sizeof bits);
    bits = quiet64(bits);
    memcpy(to, &bits, sizeof bits);
    return true;
}

bool cross_memory(struct crossing *x, uint32_t type, const uint8_t *from, uint8_t *to)
{
    const struct artifact_wit_type *t = type_at(x, type);
    uint32_t word = 0;
    switch ((enum wit_kind)t->kind) {
    case WIT_BOOL: *to = *from != 0; return true;
    case WIT_S8:
    case WIT_U8: *to = *from; return true;
    case WIT_S16:
    case WIT_U16: memcpy(to, from, 2); return true;
    case WIT_S32:
    case WIT_U32: memcpy(to, from, 4); return true;
    case WIT_S64:
    case WIT_U64: memcpy(to, from, 8); return true;
    case WIT_F64: return cross_f64(from, to);
    case WIT_STRING:
    case WIT_LIST: return cross_pair(x, t, from, to);
    case WIT_RECORD: return cross_record(x, t, from, to);
    case WIT_FIXED_LIST: return cross_elements(x, t->element, t->length, from, to);
    case WIT_VARIANT:
    case WIT_ENUM: return cross_variant(x, t, from, to);
    case WIT_FLAGS: cross_flags(t, from, to); return true;
    default:
        if (!cross_word(x, t, load32(from), &word)) return false;
        store32(to, word);
        return true;
    }
}

/* ---- flat ---- */

static bool flat_record(struct crossing *x, const struct artifact_wit_type *t,
                        const struct value *from, struct value *to)
{
    const struct artifact_wit_field *f = fields_of(x, t);
    for (uint32_t k = 0; k < t->fields_count; k++) {
        if (!cross_flat(x, f[k].type, from, to)) return false;
        uint32_t count = type_at(x, f[k].type)->flat_count;
        from += count;
        to += count;
    }
    return true;
}

static bool flat_elements(struct crossing *x, const struct artifact_wit_type *t,
                          const struct value *from, struct value *to)
{
    uint32_t count = type_at(x, t->element)->flat_count;
    for (uint32_t k = 0; k < t->length; k++)
        if (!cross_flat(x, t->element, from + k * count, to + k * count)) return false;
    return true;
}

/* Cases share core values ("join"). A value of 32 bits in one of 64 is its low half, the other half
 * is dropped and zero behind; so nothing needs to be known of how they were joined. */
static bool flat_variant(struct crossing *x, const struct artifact_wit_type *t,
                         const struct value *from, struct value *to)
{
    uint32_t chosen = from[0].i32, used = 1;
    if (!check_case(x, t, chosen)) return false;
    to[0].i64 = chosen;
    uint32_t payload = t->kind == WIT_VARIANT ? fields_of(x, t)[chosen].type : WIT_TYPE_NONE;
    if (payload) {
        if (!cross_flat(x, payload, from + 1, to + 1)) return false;
        used += type_at(x, payload)->flat_count;
    }
    for (; used < t->flat_count; used++) to[used].i64 = 0;
    return true;
}

static void flat_flags(const struct artifact_wit_type *t, const struct value *from,
                       struct value *to)
{
    for (uint32_t word = 0; word * FLAT_FLAGS < t->fields_count; word++)
        to[word].i64 = from[word].i32 & flags_mask(t, word);
}

static bool flat_pair(struct crossing *x, const struct artifact_wit_type *t,
                      const struct value *from, struct value *to)
{
    uint32_t at = 0, count = from[1].i32;
    bool done = t->kind == WIT_STRING ? cross_string(x, from[0].i32, count, &at, &count)
                                      : cross_list(x, t, from[0].i32, count, &at);
    if (!done) return false;
    to[0].i64 = at;
    to[1].i64 = count;
    return true;
}

/* The sign of what is left without the upper `bits`. */
static uint32_t extend(uint32_t value, unsigned bits)
{
    return (uint32_t)((int32_t)(value << bits) >> bits);
}

/* What goes into 32 bits leaves the upper half zero. */
bool cross_flat(struct crossing *x, uint32_t type, const struct value *from, struct value *to)
{
    const struct artifact_wit_type *t = type_at(x, type);
    uint32_t word = 0;
    switch ((enum wit_kind)t->kind) {
    case WIT_BOOL: to->i64 = from->i32 != 0; return true;
    case WIT_S8: to->i64 = extend(from->i32, 24); return true;
    case WIT_U8: to->i64 = (uint8_t)from->i32; return true;
    case WIT_S16: to->i64 = extend(from->i32, 16); return true;
    case WIT_U16: to->i64 = (uint16_t)from->i32; return true;
    case WIT_S32:
    case WIT_U32: to->i64 = from->i32; return true;
    case WIT_S64:
    case WIT_U64: to->i64 = from->i64; return true;
    case WIT_F64: to->i64 = quiet64(from->i64); return true;
    case WIT_STRING:
    case WIT_LIST: return flat_pair(x, t, from, to);
    case WIT_RECORD: return flat_record(x, t, from, to);
    case WIT_FIXED_LIST: return flat_elements(x, t, from, to);
    case WIT_VARIANT:
    case WIT_ENUM: return flat_variant(x, t, from, to);
    case WIT_FLAGS: flat_flags(t, from, to); return true;
    default:
        if (!cross_word(x, t, from->i32, &word)) return false;
        to->i64 = word;
        return true;
    }
}
