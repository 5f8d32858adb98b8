/* Calls into guest code: on the fiber from outside, directly from host functions. */
#include "instance.h"

static enum call_result init_rest(struct instance *i);

/* Runs `func` on this stack, which is the fiber's. Returns the kind of the trap, or 0. */
static uint32_t enter(struct instance *i, uint32_t func, struct value *values)
{
    const struct module *m = i->module;
    assert(func < m->funcs_count && m->funcs[func].code_size > 0);
    if (i->cancelled || i->depth >= INSTANCE_CALL_DEPTH_MAX) {
        uint32_t kind = i->cancelled ? TRAP_CANCEL : TRAP_STACK_EXHAUSTED;
        trap_set_plain(i, kind);
        return kind;
    }
    i->depth++;
    const struct artifact_func *f = &m->funcs[func];
    uint32_t kind = guest_enter(&i->guest, m->code + m->types[f->type].trampoline_offset,
                                i->slot.base, m->code + f->code_offset, values);
    i->depth--;
    if (kind) trap_describe(i, kind);
    return kind;
}

static void fiber_run(void *argument)
{
    struct instance *i = argument;
    i->call_stop = enter(i, i->call_func, i->call_values);
}

static enum call_result result_of(uint32_t stop)
{
    if (stop == TRAP_NONE) return CALL_RETURNED;
    return stop == TRAP_EXIT ? CALL_EXITED : CALL_TRAPPED;
}

static enum call_result result_of_leaving(struct instance *i)
{
    bool preempted = i->preempt.preempted;
    i->preempt.preempted = false;
    return preempted ? CALL_PREEMPTED : CALL_SUSPENDED;
}

/* Runs the fiber until it ends or is left; the thread's current guest is `i` meanwhile. */
static enum call_result run_fiber(struct instance *i, bool resume)
{
    struct guest_state *outer = guest_current;
    guest_current = &i->guest;
    preempt_enter(&i->preempt);
    i->state = INSTANCE_RUNNING;
    bool finished = resume ? fiber_resume(&i->fiber) : fiber_start(&i->fiber, fiber_run, i);
    guest_current = outer;
    preempt_leave(&i->preempt);
    i->state = finished ? INSTANCE_IDLE : INSTANCE_SUSPENDED;
    return finished ? result_of(i->call_stop) : result_of_leaving(i);
}

enum call_result instance_call(struct instance *i, uint32_t func, struct value *values)
{
    assert(i && i->state != INSTANCE_SUSPENDED);
    if (i->state == INSTANCE_RUNNING) {
        assert(guest_current == &i->guest);
        return result_of(enter(i, func, values));
    }
    assert(!i->slot.ended);
    slot_wake(&i->slot);
    i->initialising = false; /* or init_rest() says so behind this call */
    i->trap.kind = TRAP_NONE;
    i->trap.frames_count = 0;
    i->trap.text[0] = 0;
    i->call_func = func;
    i->call_values = values;
    return run_fiber(i, false);
}

enum call_result instance_resume(struct instance *i)
{
    assert(i && i->state == INSTANCE_SUSPENDED);
    enum call_result result = run_fiber(i, true);
    return result == CALL_RETURNED && i->initialising ? init_rest(i) : result;
}

enum call_result instance_cancel(struct instance *i)
{
    assert(i && i->state == INSTANCE_SUSPENDED);
    i->cancelled = true;
    if (i->fiber.interrupted) preempt_stop(i, TRAP_CANCEL);
    enum call_result result = run_fiber(i, true);
    i->cancelled = false;
    assert(result == CALL_TRAPPED && i->trap.kind == TRAP_CANCEL);
    return result;
}

bool instance_suspend(struct instance *i)
{
    assert(i && i->state == INSTANCE_RUNNING && guest_current == &i->guest);
    if (i->cancelled) return false;
    fiber_leave(&i->fiber);
    return !i->cancelled;
}

enum call_result instance_init(struct instance *i, uint32_t which)
{
    const struct module *m = i->module;
    assert(which < m->instances_count);
    if (m->initialised || m->instances[which].init_func == 0) return CALL_RETURNED;
    struct value none[1];
    return instance_call(i, m->instances[which].init_func, none);
}

enum call_result instance_start(struct instance *i, uint32_t which)
{
    const struct module *m = i->module;
    assert(which < m->instances_count);
    if (m->started || m->instances[which].start_func == 0) return CALL_RETURNED;
    struct value none[1];
    return instance_call(i, m->instances[which].start_func, none);
}

/* Steps 2k and 2k + 1 are the init and the start of program instance k. */
static enum call_result init_rest(struct instance *i)
{
    enum call_result result = CALL_RETURNED;
    while (result == CALL_RETURNED && i->init_step < 2 * i->module->instances_count) {
        uint32_t step = i->init_step++;
        result = step % 2 ? instance_start(i, step / 2) : instance_init(i, step / 2);
    }
    i->initialising = result == CALL_SUSPENDED || result == CALL_PREEMPTED;
    return result;
}

enum call_result instance_init_all(struct instance *i)
{
    i->init_step = 0;
    return init_rest(i);
}
