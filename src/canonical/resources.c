/* What core code makes handles with: "canon_resource_new", "canon_resource_drop",
 * "canon_resource_rep". */
#include "state.h"

static const struct artifact_resource *guest_resource(const struct canonical *c,
                                                      const struct artifact_canon *canon)
{
    const struct artifact_resource *r = &c->resources[canon->resource];
    assert(r->component != COMPONENT_HOST);
    return r;
}

static enum host_result resource_new(struct instance *i, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    uint32_t component = canon->options.component;
    if (!c->components[component].may_leave) {
        trap_say(i, "cannot leave component instance");
        return HOST_TRAP;
    }
    struct handle h = {.type = guest_resource(c, canon), .rep.guest = values[0].i32, .own = true};
    return handle_add(c, i, component, &h, &values[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result resource_rep(struct instance *i, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    const struct handle *h =
        handle_find(c, i, canon->options.component, values[0].i32, guest_resource(c, canon));
    if (!h) return HOST_TRAP;
    values[0].i32 = h->rep.guest;
    return HOST_OK;
}

static bool drop_host(struct canonical *c, struct instance *i, uint32_t component, uint32_t index,
                      const struct canonical_resource *type)
{
    const struct handle *h = handle_find(c, i, component, index, type);
    if (!h) return false;
    if (h->own && type->refuse_drop) {
        const char *refused = type->refuse_drop(c->host, h->rep.host);
        if (refused) return trap_say(i, refused);
    }
    struct handle taken;
    if (!handle_take(c, i, component, index, type, &taken)) return false;
    if (taken.own && type->drop) type->drop(c->host, taken.rep.host);
    return true;
}

/* The destructor is a function of the component that defines the resource. */
static bool destroy(struct canonical *c, struct instance *i, uint32_t component,
                    const struct artifact_resource *r, uint32_t rep)
{
    struct value values[1] = {{.i32 = rep}};
    if (r->component == component)
        return !r->destructor || call_nested(c, i, r->destructor, values);
    if (!component_may_enter(c, i, component, r->component)) return false;
    if (!r->destructor) return true;
    struct component_state *state = &c->components[r->component];
    uint32_t lends = c->lends_count;
    state->entered = true;
    bool returned = call_nested(c, i, r->destructor, values);
    state->entered = false;
    lends_end(c, lends);
    return returned;
}

static bool drop_guest(struct canonical *c, struct instance *i, uint32_t component, uint32_t index,
                       const struct artifact_resource *r)
{
    struct handle taken;
    if (!handle_take(c, i, component, index, r, &taken)) return false;
    return !taken.own || destroy(c, i, component, r, taken.rep.guest);
}

static enum host_result resource_drop(struct instance *i, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    uint32_t component = canon->options.component, index = values[0].i32;
    const struct artifact_resource *r = &c->resources[canon->resource];
    const void *type = c->resource_types[canon->resource];
    if (!c->components[component].may_leave) {
        trap_say(i, "cannot leave component instance");
        return HOST_TRAP;
    }
    assert(type);
    bool dropped = r->component == COMPONENT_HOST ? drop_host(c, i, component, index, type)
                                                  : drop_guest(c, i, component, index, type);
    return dropped ? HOST_OK : call_failed(c);
}

const struct host_function resource_new_function = {"", "resource.new", NULL, resource_new};
const struct host_function resource_drop_function = {"", "resource.drop", NULL, resource_drop};
const struct host_function resource_rep_function = {"", "resource.rep", NULL, resource_rep};
