/* Birth, reset and death of instances. */
#include "instance.h"

#include <stdlib.h>

#include "base/checked.h"

static void measure(struct instance *i)
{
    i->memory_bytes = i->module->memory_bytes_sum;
    i->memory_refused = false;
    i->exit_code = 0;
    i->preempt.cpu_ns = 0;
    i->trap.kind = TRAP_NONE;
    i->trap.frames_count = 0;
    i->trap.frames_cut = false;
    i->trap.text[0] = 0;
}

static void prepare(struct instance *i, const struct instance_config *config)
{
    const struct module *m = i->module;
    i->slot.sealable = config->sealable;
    i->context = config->context;
    i->canonical = config->canonical;
    i->guest = (struct guest_state){
        .stack_limit = i->slot.stack_low + INSTANCE_HOST_STACK_BYTES,
        .helpers = host_page_helpers,
        .stop_stack = &i->fiber.host_sp,
        .stopped = trap_stopped,
        .overflow_code = (uint64_t)TRAP_STACK_EXHAUSTED << 32,
        .wide_vectors = m->header->cpu_level >= 3 && guest_wide_vectors(),
    };
    fiber_init(&i->fiber, i->slot.stack_low, i->slot.stack_bytes);
    measure(i);
}

enum status instance_new(const struct module *m, const struct instance_config *config,
                         struct instance **ret, struct error *err)
{
    static const struct instance_config defaults;
    if (!config) config = &defaults;
    assert(m && ret && host_page_fd() >= 0);
    size_t stack_bytes = config->stack_bytes ? config->stack_bytes : INSTANCE_STACK_BYTES_DEFAULT;
    if (stack_bytes > INSTANCE_STACK_BYTES_MAX)
        return error_set(err, ST_LIMIT, "a stack of %zu bytes is above the limit of %u",
                         stack_bytes, INSTANCE_STACK_BYTES_MAX);
    stack_bytes = (stack_bytes + INSTANCE_HOST_STACK_BYTES + VM_PAGE - 1) & ~(size_t)(VM_PAGE - 1);
    uint64_t memory_bytes_max =
        config->memory_bytes_max ? config->memory_bytes_max : INSTANCE_MEMORY_BYTES_DEFAULT;
    if (m->memory_bytes_sum > memory_bytes_max)
        return error_set(
            err, ST_LIMIT, "memories of %llu bytes at the start are above the limit of %llu",
            (unsigned long long)m->memory_bytes_sum, (unsigned long long)memory_bytes_max);
    struct instance *i = calloc(1, sizeof *i);
    if (!i) return error_set(err, ST_NO_MEMORY, "instance");
    i->module = m;
    i->memory_bytes_max = memory_bytes_max;
    enum status st = preempt_init(&i->preempt, config->slice_ns, config->cpu_ns_max, err);
    if (!st) st = slot_init(&i->slot, m, stack_bytes, host_page_fd(), err);
    if (st) {
        preempt_done(&i->preempt);
        free(i);
        return st;
    }
    prepare(i, config);
    *ret = i;
    return ST_OK;
}

/* What host functions hold is theirs to free, so a suspended call is ended first. */
static void end_suspended(struct instance *i)
{
    assert(i->state != INSTANCE_RUNNING);
    if (i->state == INSTANCE_SUSPENDED) (void)instance_cancel(i);
}

void instance_free(struct instance *i)
{
    if (!i) return;
    end_suspended(i);
    fiber_done(&i->fiber);
    slot_done(&i->slot);
    preempt_done(&i->preempt);
    free(i);
}

bool instance_shrink(struct instance *i)
{
    end_suspended(i);
    return slot_shrink(&i->slot);
}

enum status instance_reset(struct instance *i, void *context, struct error *err)
{
    end_suspended(i);
    enum status st = slot_reset(&i->slot, err);
    if (st) return st;
    i->context = context;
    measure(i);
    return ST_OK;
}

bool instance_unseal(struct instance *i)
{
    return slot_unseal(&i->slot);
}

struct canonical *instance_canonical(const struct instance *i)
{
    return i->canonical;
}

const struct host_function *instance_host_function(const struct instance *i)
{
    return i->import->function;
}

const struct artifact_canon *instance_canon(const struct instance *i)
{
    return i->import->canon;
}

void *instance_context(const struct instance *i)
{
    return i->context;
}

const struct module *instance_module(const struct instance *i)
{
    return i->module;
}
