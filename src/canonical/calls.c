/* Ways into guest code: nested, and from outside. */
#include "state.h"

bool call_nested(struct canonical *c, struct instance *i, uint32_t func, struct value *values)
{
    enum call_result result = instance_call(i, func, values);
    while (result == CALL_PREEMPTED) result = instance_resume(i); /* nested it never is */
    if (result == CALL_RETURNED) return true;
    c->stopped = true;
    return false;
}

bool call_confined(struct canonical *c, struct instance *i, uint32_t component, uint32_t func,
                   struct value *values)
{
    struct component_state *state = &c->components[component];
    assert(state->may_leave);
    state->may_leave = false;
    bool returned = call_nested(c, i, func, values);
    state->may_leave = true;
    return returned;
}

static bool is_within(const struct canonical *c, uint32_t inner, uint32_t outer)
{
    while (inner != outer && inner < c->components_count) inner = c->parents[inner].parent;
    return inner == outer;
}

bool component_may_enter(const struct canonical *c, struct instance *i, uint32_t from, uint32_t to)
{
    if (!c->components[to].entered && !is_within(c, from, to) && !is_within(c, to, from))
        return true;
    return trap_say(i, "cannot enter component instance");
}

enum host_result canonical_enter(struct instance *i, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    const struct canonical_function *f = (const void *)instance_host_function(i);
    if (!c->components[canon->options.component].may_leave) {
        trap_say(i, "cannot leave component instance");
        return HOST_TRAP;
    }
    struct canonical_call call = {i, c, c->host, canon, &canon->options};
    uint32_t lends = c->lends_count;
    c->stopped = false;
    enum host_result result = f->call(&call, values);
    if (c->lends_count != lends) lends_end(c, lends);
    return result == HOST_TRAP ? call_failed(c) : result;
}

/* ---- from outside ---- */

static void root_leave(struct canonical *c)
{
    if (c->root == COMPONENT_HOST) return;
    c->components[c->root].entered = false;
    c->components[c->root].may_leave = true;
    c->root = COMPONENT_HOST;
}

enum call_result canonical_call_lift(struct instance *i, uint32_t lift, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    assert(c && lift < c->lifts_count);
    if (instance_trap(i)->kind != TRAP_NONE)
        return instance_refuse(i, "cannot enter component instance");
    root_leave(c);
    c->root = c->lifts[lift].options.component;
    c->components[c->root].entered = true;
    return instance_call(i, c->lifts[lift].func, values);
}

enum call_result canonical_returned(struct instance *i, uint32_t lift, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon_options *options = &c->lifts[lift].options;
    assert(c->root == options->component);
    if (!options->post_return) {
        root_leave(c);
        return CALL_RETURNED;
    }
    c->components[c->root].may_leave = false;
    return instance_call(i, options->post_return, values);
}

struct canonical_call canonical_outside(struct instance *i, uint32_t lift)
{
    struct canonical *c = instance_canonical(i);
    assert(c && lift < c->lifts_count);
    return (struct canonical_call){i, c, c->host, NULL, &c->lifts[lift].options};
}

enum status canonical_give(struct canonical *c, uint32_t lift,
                           const struct canonical_resource *type, void *rep, uint32_t *ret,
                           struct error *err)
{
    assert(lift < c->lifts_count);
    struct handle h = {.type = type, .rep.host = rep, .own = true, .is_host = true};
    uint32_t component = c->lifts[lift].options.component;
    enum status st = handle_put(c, component, &h, ret);
    return st ? error_set(err, st, "a handle of %s", type->name) : ST_OK;
}
