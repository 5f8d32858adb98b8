/* wasi:clocks. Times are the config's, rounded down to its resolution; a time that a guest waits
 * for is rounded up to it, so that no clock shows less when the waiting is over. */
#include "state.h"

#define NS_PER_S 1000000000u

static uint64_t resolution_ns(const struct wasi_preview2 *p)
{
    return p->config.clock_resolution_ns ? p->config.clock_resolution_ns : 1;
}

static uint64_t round_down(const struct wasi_preview2 *p, uint64_t time_ns)
{
    uint64_t resolution = resolution_ns(p);
    return resolution == 1 ? time_ns : time_ns - time_ns % resolution;
}

static uint64_t round_up(const struct wasi_preview2 *p, uint64_t time_ns)
{
    uint64_t below = round_down(p, time_ns);
    return below == time_ns ? below : add_saturating(below, resolution_ns(p));
}

uint64_t state_now_ns(const struct wasi_preview2 *p)
{
    return clock_monotonic_ns(p->config.clock);
}

static bool has_clock(struct canonical_call *c)
{
    if (call_state(c)->config.clock) return true;
    call_trap(c, "there is no clock here");
    return false;
}

/* ---- monotonic-clock ---- */

/* A guest that asks again and again within one turn is shown what was read last. */
static enum host_result monotonic_now(struct canonical_call *c, struct value *v)
{
    struct wasi_preview2 *p = call_state(c);
    if (p->now_calls) {
        p->now_calls--;
    } else {
        if (!has_clock(c)) return HOST_TRAP;
        p->now_ns = round_down(p, state_now_ns(p));
        p->now_calls = p->config.clock_calls_held;
    }
    v[0].i64 = p->now_ns;
    return HOST_OK;
}

static enum host_result monotonic_resolution(struct canonical_call *c, struct value *v)
{
    v[0].i64 = resolution_ns(call_state(c));
    return HOST_OK;
}

static bool look_at_clock(struct wasi_preview2 *p, struct io_pollable *pollable,
                          struct io_wait *wait)
{
    if (state_now_ns(p) < pollable->deadline_ns) {
        wait->deadline_ns = pollable->deadline_ns;
        return false;
    }
    p->now_calls = 0; /* the guest is to see a time that is not before the deadline */
    return true;
}

static enum host_result subscribe(struct canonical_call *c, struct value *v, uint64_t when_ns)
{
    uint64_t deadline_ns = round_up(call_state(c), when_ns);
    return io_pollable_give(c, look_at_clock, deadline_ns, NULL, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result subscribe_instant(struct canonical_call *c, struct value *v)
{
    if (!has_clock(c)) return HOST_TRAP;
    return subscribe(c, v, v[0].i64);
}

static enum host_result subscribe_duration(struct canonical_call *c, struct value *v)
{
    if (!has_clock(c)) return HOST_TRAP;
    uint64_t duration_ns = v[0].i64;
    return subscribe(c, v,
                     duration_ns ? add_saturating(state_now_ns(call_state(c)), duration_ns) : 0);
}

static const struct canonical_function monotonic_functions[] = {
    CANONICAL_FUNCTION("now", "func() -> u64", monotonic_now),
    CANONICAL_FUNCTION("resolution", "func() -> u64", monotonic_resolution),
    CANONICAL_FUNCTION("subscribe-instant", "func(when: u64) -> own<pollable>", subscribe_instant),
    CANONICAL_FUNCTION("subscribe-duration", "func(when: u64) -> own<pollable>",
                       subscribe_duration),
};

const struct canonical_interface clocks_monotonic_interface = {
    "wasi:clocks/monotonic-clock",
    PREVIEW2_VERSION,
    monotonic_functions,
    ARRAY_COUNT(monotonic_functions),
    NULL,
    0,
};

/* ---- wall-clock ---- */

#define DATETIME "record{seconds: u64, nanoseconds: u32}"

static enum host_result put_datetime(struct canonical_call *c, uint32_t at, uint64_t time_ns)
{
    uint8_t *ret = call_place(c, at, 16, 8);
    if (!ret) return HOST_TRAP;
    put_u64(ret, time_ns / NS_PER_S);
    put_u32(ret + sizeof(uint64_t), (uint32_t)(time_ns % NS_PER_S));
    return HOST_OK;
}

static enum host_result wall_now(struct canonical_call *c, struct value *v)
{
    struct wasi_preview2 *p = call_state(c);
    if (!has_clock(c)) return HOST_TRAP;
    return put_datetime(c, v[0].i32, round_down(p, clock_realtime_ns(p->config.clock)));
}

static enum host_result wall_resolution(struct canonical_call *c, struct value *v)
{
    return put_datetime(c, v[0].i32, resolution_ns(call_state(c)));
}

static const struct canonical_function wall_functions[] = {
    CANONICAL_FUNCTION("now", "func() -> " DATETIME, wall_now),
    CANONICAL_FUNCTION("resolution", "func() -> " DATETIME, wall_resolution),
};

const struct canonical_interface clocks_wall_interface = {
    "wasi:clocks/wall-clock",
    PREVIEW2_VERSION,
    wall_functions,
    ARRAY_COUNT(wall_functions),
    NULL,
    0,
};

/* ---- timezone: the host's is nobody's business, so it is UTC ---- */

static enum host_result timezone_display(struct canonical_call *c, struct value *v)
{
    struct call_list name;
    if (!call_put_text(c, "UTC", &name)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[2].i32, 16, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret + sizeof(uint32_t), &name);
    return HOST_OK;
}

static enum host_result timezone_utc_offset(UNUSED struct canonical_call *c, struct value *v)
{
    v[0].i32 = 0;
    return HOST_OK;
}

static const struct canonical_function timezone_functions[] = {
    CANONICAL_FUNCTION("display",
                       "func(when: " DATETIME ") -> record{utc-offset: s32, name: string, "
                       "in-daylight-saving-time: bool}",
                       timezone_display),
    CANONICAL_FUNCTION("utc-offset", "func(when: " DATETIME ") -> s32", timezone_utc_offset),
};

const struct canonical_interface clocks_timezone_interface = {
    "wasi:clocks/timezone",
    PREVIEW2_VERSION,
    timezone_functions,
    ARRAY_COUNT(timezone_functions),
    NULL,
    0,
};
