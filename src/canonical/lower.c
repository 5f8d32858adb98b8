/* A lowered function that another component instance lifted ("canon_lower" of "canon_lift"). */
#include "cross.h"

/* One call: caller's values, callee's values. */
struct passage {
    struct crossing in, out;
    const struct artifact_lift *lift;
    const struct artifact_wit_type *type;
    struct value *outer;   /* the caller's parameters, then its result */
    uint32_t result_index; /* of the place for the result among the caller's parameters */
    struct value inner[WIT_FLAT_PARAMS];
};

static bool pass_record(struct passage *p)
{
    struct crossing *x = &p->in;
    const struct artifact_wit_type *t = &x->to.c->types[p->type->params_record];
    uint8_t *from, *to;
    uint32_t at;
    p->result_index = 1;
    if (!side_range(&x->from, p->outer[0].i32, t->size_bytes, t->align_bytes, SIDE_VALUE, &from) ||
        !side_realloc(&x->to, 0, 0, t->align_bytes, t->size_bytes, SIDE_VALUE, &at, &to) ||
        !cross_memory(x, p->type->params_record, from, to))
        return false;
    p->inner[0].i64 = at;
    return true;
}

static bool pass_params(struct passage *p)
{
    if (p->type->flat_count == WIT_FLAT_MANY) return pass_record(p);
    struct crossing *x = &p->in;
    const struct canonical *c = x->to.c;
    const struct artifact_wit_field *f = &c->fields[p->type->fields_first];
    uint32_t at = 0;
    assert(p->type->flat_count <= WIT_FLAT_PARAMS);
    for (uint32_t k = 0; k < p->type->fields_count; k++) {
        if (!cross_flat(x, f[k].type, p->outer + at, p->inner + at)) return false;
        at += c->types[f[k].type].flat_count;
    }
    p->result_index = at;
    return true;
}

static bool pass_result(struct passage *p)
{
    struct crossing *x = &p->out;
    uint32_t type = p->type->element;
    if (type == WIT_TYPE_NONE) return true;
    if (p->type->flat_results <= WIT_FLAT_RESULTS) return cross_flat(x, type, p->inner, p->outer);
    const struct artifact_wit_type *t = &x->to.c->types[type];
    uint8_t *from, *to;
    return side_range(&x->from, p->inner[0].i32, t->size_bytes, t->align_bytes, SIDE_VALUE,
                      &from) &&
           side_range(&x->to, p->outer[p->result_index].i32, t->size_bytes, t->align_bytes,
                      SIDE_VALUE, &to) &&
           cross_memory(x, type, from, to);
}

static bool pass(struct passage *p)
{
    struct canonical *c = p->in.to.c;
    struct instance *i = p->in.to.i;
    if (!pass_params(p) || !call_nested(c, i, p->lift->func, p->inner)) return false;
    if (p->in.scope->borrows)
        return trap_say(i, "borrow handles still remain at the end of the call");
    const struct artifact_canon_options *options = &p->lift->options;
    struct value result[1] = {{.i64 = p->inner[0].i64}};
    return pass_result(p) && (!options->post_return || call_confined(c, i, options->component,
                                                                     options->post_return, result));
}

static enum host_result lower_lifted(struct instance *i, struct value *values)
{
    struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    const struct artifact_lift *lift = &c->lifts[canon->lift];
    const struct side caller = {c, i, &canon->options, false, false};
    const struct side callee = {c, i, &lift->options, false, false};
    struct component_state *from = &c->components[canon->options.component];
    struct component_state *to = &c->components[lift->options.component];
    if (!from->may_leave) {
        trap_say(i, "cannot leave component instance");
        return HOST_TRAP;
    }
    if (!component_may_enter(c, i, canon->options.component, lift->options.component))
        return HOST_TRAP;
    struct borrow_scope scope = {0};
    struct passage p; /* most of p.inner is written before it is read, or not read */
    p.inner[0].i64 = 0;
    p.in = (struct crossing){.from = caller, .to = callee, .scope = &scope};
    p.out = (struct crossing){.from = callee, .to = caller};
    p.lift = lift;
    p.type = &c->types[lift->type];
    p.outer = values;
    p.result_index = 0;
    uint32_t lends = c->lends_count;
    to->entered = true;
    bool passed = pass(&p);
    to->entered = false;
    lends_end(c, lends);
    return passed ? HOST_OK : call_failed(c);
}

const struct host_function lower_lifted_function = {"", "lifted function", NULL, lower_lifted};
