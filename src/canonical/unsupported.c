/* Canonical functions of WASI 0.3, which may be defined but not called. */
#include "state.h"

static enum host_result unsupported(struct instance *i, UNUSED struct value *values)
{
    const struct canonical *c = instance_canonical(i);
    const struct artifact_canon *canon = instance_canon(i);
    if (!c->components[canon->options.component].may_leave)
        trap_say(i, "cannot leave component instance");
    else
        instance_set_trap_text(i, "%s, of WASI 0.3, is not supported yet",
                               artifact_wit_string(c->artifact, canon->name));
    return HOST_TRAP;
}

const struct host_function unsupported_function = {"", "", NULL, unsupported};
