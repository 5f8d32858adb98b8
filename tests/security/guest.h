/* What the tests of the state guest (guests/state.wat) share. */
#ifndef TESTS_SECURITY_GUEST_H
#define TESTS_SECURITY_GUEST_H

#include "rig.h"

/* Sanitizers keep memory and mappings of their own, and take faults for theirs. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GUEST_SANITIZED 1
#endif
#endif

static inline enum call_result guest_call(struct instance *i, const char *name, uint32_t x,
                                          uint32_t *ret)
{
    static struct value values[1]; /* of a call that is left, until it is cancelled */
    const struct artifact_export *e =
        artifact_find_export(module_artifact(instance_module(i)), name, 0);
    if (!e) fail_msg("no export %s", name);
    values[0].i64 = x;
    enum call_result result = instance_call(i, e->index, values);
    if (ret) *ret = values[0].i32;
    return result;
}

/* Without preemption or limit: init goes on in no other call. */
static inline void guest_init(struct instance *i)
{
    const uint64_t slice_ns = i->preempt.slice_ns, cpu_ns_max = i->preempt.cpu_ns_max;
    if (slice_ns) i->preempt.slice_ns = UINT64_MAX;
    i->preempt.cpu_ns_max = UINT64_MAX;
    assert_int_equal(instance_init_all(i), CALL_RETURNED);
    i->preempt.slice_ns = slice_ns;
    i->preempt.cpu_ns_max = cpu_ns_max;
}

static inline enum host_result guest_waits(struct instance *i, struct value *values)
{
    values[0].i32 = 0;
    return instance_suspend(i) ? HOST_OK : HOST_CANCEL;
}

#endif
