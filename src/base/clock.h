/* Time and randomness, behind vtables so that tests can inject their own. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    uint64_t (*monotonic_ns)(void *context);
    uint64_t (*realtime_ns)(void *context); /* since 1970-01-01T00:00:00Z */
    void *context;
};

struct random_source {
    void (*fill)(void *context, void *bytes, size_t size_bytes);
    void *context;
};

/* The system's own; static storage, safe on every thread. */
const struct clock *clock_system(void);
const struct random_source *random_system(void); /* getrandom(2) */

static inline uint64_t clock_monotonic_ns(const struct clock *c)
{
    return c->monotonic_ns(c->context);
}

static inline uint64_t clock_realtime_ns(const struct clock *c)
{
    return c->realtime_ns(c->context);
}

static inline void random_fill(const struct random_source *r, void *bytes, size_t size_bytes)
{
    r->fill(r->context, bytes, size_bytes);
}

#endif
