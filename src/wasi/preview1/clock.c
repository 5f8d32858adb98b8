/* clock_*: the config's clocks. */
#include "state.h"

static enum wasi_errno clock_resolution(const struct call *c, uint32_t id, uint64_t *ret)
{
    if (id > CLOCK_ID_THREAD_CPU) return WASI_EINVAL;
    if (id >= CLOCK_ID_PROCESS_CPU && !c->p->config.cpu_time_ns) return WASI_ENOTSUP;
    uint64_t resolution_ns = c->p->config.clock_resolution_ns;
    *ret = resolution_ns ? resolution_ns : 1;
    return WASI_OK;
}

static enum wasi_errno clock_res_get(struct call *c)
{
    uint64_t resolution_ns;
    enum wasi_errno e = clock_resolution(c, c->v[0].i32, &resolution_ns);
    return e ? e : call_put_u64(c, c->v[1].i32, resolution_ns);
}

/* v[1] is the precision that the guest can do with; it always gets the best there is. */
static enum wasi_errno clock_time_get(struct call *c)
{
    const struct wasi_preview1_config *config = &c->p->config;
    uint64_t now_ns;
    enum wasi_errno e = clock_resolution(c, c->v[0].i32, &now_ns);
    if (e) return e;
    switch ((enum wasi_clock_id)c->v[0].i32) {
    case CLOCK_ID_REALTIME: now_ns = clock_realtime_ns(config->clock); break;
    case CLOCK_ID_MONOTONIC: now_ns = clock_monotonic_ns(config->clock); break;
    case CLOCK_ID_PROCESS_CPU:
    case CLOCK_ID_THREAD_CPU: now_ns = config->cpu_time_ns(config->cpu_time_context); break;
    }
    return call_put_u64(c, c->v[2].i32, now_ns);
}

PREVIEW1_FUNCTION(clock_res_get)
PREVIEW1_FUNCTION(clock_time_get)

const struct host_function preview1_clock_functions[] = {
    PREVIEW1_ENTRY(clock_res_get, "ii:i"),
    PREVIEW1_ENTRY(clock_time_get, "ili:i"),
};
