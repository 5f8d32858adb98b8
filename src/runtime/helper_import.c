/* The way from generated code to host functions. */
#include "helpers.h"
#include "instance.h"

uint32_t helper_import_call(uint32_t func, struct value *values)
{
    struct instance *i = running_instance();
    const struct module_import *import = module_import(i->module, func);
    assert(import && import->function);
    const struct host_function *host = import->function;
    i->import = import;
    i->trap.text[0] = 0;
    enum host_result result = host->call(i, values);
    assert(guest_current == &i->guest && i->state == INSTANCE_RUNNING);
    if (i->cancelled) return TRAP_CANCEL; /* whatever it says, the guest does not go on */
    uint32_t kind = preempt_point(i);
    if (kind) return kind;
    switch (result) {
    case HOST_OK: return TRAP_NONE;
    case HOST_EXIT: return TRAP_EXIT;
    case HOST_CANCEL: return TRAP_CANCEL;
    case HOST_STOPPED:
        assert(i->trap.kind != TRAP_NONE);
        i->trap_goes_on = true;
        return i->trap.kind;
    case HOST_TRAP: break;
    }
    if (!i->trap.text[0]) instance_set_trap_text(i, "%s %s", host->module, host->name);
    return TRAP_HOST;
}
