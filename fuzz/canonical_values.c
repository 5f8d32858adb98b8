/* Values of a random type cross from one component instance into another, out of random memory and
 * by a realloc that may answer anything. What arrives is compared with a second implementation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define DEPTH_MAX    6u
#define NODES_MAX    60u
#define FIELDS_MAX   9u
#define REALLOCS_MAX 5000u
#define HANDLES      3u

struct input {
    const uint8_t *bytes;
    size_t left;
};

static struct input in;
static unsigned nodes;

static uint32_t next(uint32_t below)
{
    uint32_t n = 0;
    if (in.left && below > 1) {
        n = *in.bytes++;
        in.left--;
        if (below > 256 && in.left) {
            n = n << 8 | *in.bytes++;
            in.left--;
        }
    }
    return below ? n % below : 0;
}

static uint32_t random_type(struct world *w, unsigned depth);

/* With `kind`'s fields; of an enum or flags without types. */
static uint32_t with_fields(struct world *w, enum wit_kind kind, unsigned depth)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    uint32_t types[FIELDS_MAX] = {0}, count = 1 + next(FIELDS_MAX);
    bool plain = kind == WIT_ENUM || kind == WIT_FLAGS;
    for (uint32_t k = 0; k < count && !plain; k++)
        if (kind == WIT_RECORD || next(4)) types[k] = random_type(w, depth + 1);
    struct artifact_wit_type t = {
        .kind = (uint8_t)kind, .fields_first = w->fields_count, .fields_count = count};
    for (uint32_t k = 0; k < count; k++) world_add_field(w, names[k], types[k]);
    return world_add_type(w, t);
}

static uint32_t random_type(struct world *w, unsigned depth)
{
    uint32_t kind = next(WIT_BORROW + 1);
    struct artifact_wit_type t = {.kind = (uint8_t)kind};
    bool deep = ++nodes > NODES_MAX || depth >= DEPTH_MAX;
    switch ((enum wit_kind)kind) {
    case WIT_RECORD:
    case WIT_VARIANT: return deep ? WIT_U8 : with_fields(w, kind, depth);
    case WIT_ENUM:
    case WIT_FLAGS: return with_fields(w, kind, depth);
    case WIT_FIXED_LIST: t.length = 1 + next(20); __attribute__((fallthrough));
    case WIT_LIST:
        if (deep) return WIT_STRING;
        t.element = random_type(w, depth + 1);
        return w->types[t.element].size_bytes > 4096 ? t.element : world_add_type(w, t);
    case WIT_OWN:
    case WIT_BORROW: return world_add_type(w, t);
    case WIT_NONE:
    case WIT_ERROR_CONTEXT: return WIT_U16;
    default: return kind;
    }
}

static uint32_t seed;

static uint32_t noise(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static bool hostile_realloc(struct world *w, struct value *v)
{
    size_t size = w->memories[1].size_bytes;
    if (++w->reallocs > REALLOCS_MAX) return false;
    uint32_t at = noise();
    switch (noise() % 8) {
    case 0: break;
    case 1: at = (uint32_t)size - v[3].i32; break;
    case 2: at = v[0].i32; break;
    default: at = at % (uint32_t)size & ~7u; break;
    }
    v[0].i32 = at;
    return true;
}

static world_code bump_of_callee;

static bool counted_realloc(struct world *w, struct value *v)
{
    return w->reallocs <= REALLOCS_MAX && bump_of_callee(w, v);
}

/* The parameter as the caller has it; false: it is no value. */
static bool lift_before(struct pair *p, const struct value *values, struct buffer *text)
{
    struct val v = {0};
    const struct artifact_wit_type *func = &p->w->types[p->func], *t = &p->w->types[p->type];
    uint8_t *bytes;
    bool many = func->flat_count == WIT_FLAT_MANY;
    bool is_value = many ? side_range(&p->caller.side, values[0].i32, t->size_bytes, t->align_bytes,
                                      SIDE_VALUE, &bytes) &&
                               val_load(&p->caller, p->type, values[0].i32, &v)
                         : val_lift(&p->caller, p->type, values, &v);
    if (is_value) val_print(&p->caller, p->type, &v, text);
    val_free(&v);
    return is_value;
}

static bool same(const struct buffer *a, const struct buffer *b)
{
    return a->failed || b->failed ||
           (a->size_bytes == b->size_bytes && !memcmp(a->data, b->data, a->size_bytes));
}

static void fail(struct pair *p, const char *what, const struct buffer *before)
{
    fprintf(stderr, "%s: trap \"%s\"\n before %.*s\n seen   %.*s\n", what, p->trap,
            (int)before->size_bytes, (const char *)before->data, (int)p->seen.size_bytes,
            (const char *)p->seen.data);
    abort();
}

static void make_handles(struct pair *p)
{
    struct canonical *c = p->w->instance.canonical;
    struct error err;
    for (uint32_t k = 0; k < HANDLES; k++) {
        const struct handle h = {.type = c->resource_types[0], .rep.guest = k, .own = true};
        uint32_t index;
        if (handle_put(c, 1, &h, &index)) error_set(&err, ST_INTERNAL, "handles");
    }
}

static void fill(struct pair *p, struct value *values, uint32_t count)
{
    struct world_memory *m = &p->w->memories[0];
    for (uint32_t k = 0; k < count; k++) {
        values[k].i64 = next(8) ? next((uint32_t)m->size_bytes) & ~(next(2) ? 7u : 0u) : noise();
        if (!next(8)) values[k].i64 |= (uint64_t)noise() << 32;
    }
    for (size_t at = 0; at < m->size_bytes; at++) m->bytes[at] = (uint8_t)next(256);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pair p;
    struct value values[WIT_FLAT_PARAMS + 1] = {0};
    struct buffer before;
    in = (struct input){data, size};
    nodes = 0;
    seed = next(65536);
    uint32_t from = next(3), to = next(3);
    pair_init(&p, 16 + (size_t)16 * next(256), from, to);
    world_resource(p.w, world_component(p.w, 0), "", "R", 0);
    p.hostile = next(2);
    uint32_t realloc_code = p.w->lifts[p.lift].options.realloc;
    bump_of_callee = p.w->codes[realloc_code - 1];
    p.w->codes[realloc_code - 1] = p.hostile ? hostile_realloc : counted_realloc;
    pair_start(&p, random_type(p.w, 0));
    make_handles(&p);
    buffer_init(&before, PAIR_TEXT_MAX);
    fill(&p, values, WIT_FLAT_PARAMS + 1);
    bool is_value = lift_before(&p, values, &before);
    bool crossed = pair_call_flat(&p, values);
    if (crossed && !is_value) fail(&p, "no value, but it crossed", &before);
    if (crossed && !p.hostile && !same(&before, &p.seen)) fail(&p, "another value", &before);
    if (p.w->instance.canonical->lends_count) fail(&p, "handles are still lent", &before);
    canonical_clear(p.w->instance.canonical, NULL);
    if (!canonical_is_fresh(p.w->instance.canonical)) fail(&p, "handles are left", &before);
    buffer_done(&before);
    pair_done(&p);
    return 0;
}
