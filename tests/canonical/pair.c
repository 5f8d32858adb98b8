#include "pair.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The callee: what it was given it lifts, and lowers as its result. */
static bool echo(struct world *w, struct value *values)
{
    struct pair *p = w->user;
    struct values *s = &p->callee;
    const struct artifact_wit_type *func = &w->types[p->func];
    const struct artifact_wit_type *t = &w->types[p->type];
    struct val v = {0};
    uint8_t *bytes;
    uint32_t at;
    bool many = func->flat_count == WIT_FLAT_MANY;
    bool done = many ? val_load(s, p->type, values[0].i32, &v) : val_lift(s, p->type, values, &v);
    if (!done) {
        assert(p->hostile); /* what crosses is a value */
        val_free(&v);
        return false;
    }
    buffer_clear(&p->seen);
    val_print(s, p->type, &v, &p->seen);
    if (func->flat_results <= WIT_FLAT_RESULTS) {
        done = val_lower(s, p->type, &v, values);
    } else {
        done =
            side_realloc(&s->side, 0, 0, t->align_bytes, t->size_bytes, SIDE_VALUE, &at, &bytes) &&
            val_store(s, p->type, &v, at);
        values[0].i64 = at;
    }
    val_free(&v);
    return done;
}

void pair_init(struct pair *p, size_t memory_bytes, enum canon_encoding caller,
               enum canon_encoding callee)
{
    memset(p, 0, sizeof *p);
    struct world *w = p->w = world_new();
    w->user = p;
    buffer_init(&p->seen, PAIR_TEXT_MAX);
    buffer_init(&p->result, PAIR_TEXT_MAX);
    uint32_t c1 = world_component(w, 0), c2 = world_component(w, 0);
    world_memory(w, memory_bytes);
    world_memory(w, memory_bytes);
    p->lift = world_lift(w, 0, world_code_add(w, echo), world_options(w, c2, 1, callee));
    p->lower = world_lower(w, 0, p->lift, world_options(w, c1, 0, caller));
}

void pair_start(struct pair *p, uint32_t type)
{
    struct world *w = p->w;
    struct artifact_wit_type func = {.kind = WIT_FUNC, .element = type, .fields_count = 1};
    func.fields_first = world_add_field(w, "a", type);
    p->type = type;
    p->func = world_add_type(w, func);
    w->lifts[p->lift].type = w->canons[p->lower].type = p->func;
    world_start(w, NULL, 0, NULL);
    struct side side = {.c = w->instance.canonical, .i = &w->instance, .outside = true};
    p->caller.side = p->callee.side = side;
    p->caller.side.options = &w->canons[p->lower].options;
    p->callee.side.options = &w->lifts[p->lift].options;
}

void pair_done(struct pair *p)
{
    buffer_done(&p->seen);
    buffer_done(&p->result);
    world_free(p->w);
}

static bool failed(struct pair *p)
{
    const char *text = p->caller.fault ? p->caller.fault : p->w->trap.text;
    snprintf(p->trap, sizeof p->trap, "%s", text);
    return false;
}

bool pair_call_flat(struct pair *p, struct value *values)
{
    p->trap[0] = 0;
    p->caller.fault = NULL;
    p->w->trap.kind = TRAP_NONE;
    return world_import(p->w, p->lower, values) || failed(p);
}

bool pair_call(struct pair *p, const char *text)
{
    const struct artifact_wit_type *func = &p->w->types[p->func];
    const struct artifact_wit_type *t = &p->w->types[p->type];
    struct value values[WIT_FLAT_PARAMS + 1];
    struct val v = {0};
    bool spills = func->flat_results > WIT_FLAT_RESULTS;
    uint32_t params = func->flat_count == WIT_FLAT_MANY ? 1 : func->flat_count, at = 0;
    uint8_t *bytes;
    memset(values, 0xa5, sizeof values);
    if (!val_lower_params(&p->caller, p->func, text, values)) return failed(p);
    if (spills && !side_realloc(&p->caller.side, 0, 0, t->align_bytes, t->size_bytes, SIDE_VALUE,
                                &at, &bytes))
        return failed(p);
    if (spills) values[params].i64 = at;
    if (!pair_call_flat(p, values)) return false;
    if (spills) values[0].i64 = at;
    if (!val_lift_result(&p->caller, p->func, values, &v)) return failed(p);
    buffer_clear(&p->result);
    val_print(&p->caller, p->type, &v, &p->result);
    buffer_append(&p->seen, "", 1);
    buffer_append(&p->result, "", 1);
    val_free(&v);
    return true;
}
