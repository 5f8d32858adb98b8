/* A bound on how slow a peer may be: a balance of time that waiting spends and bytes earn.
 *
 * It starts full and never holds more than its grace, so a peer may stall for the grace, once, or
 * be slower than the rate for ever so little; at the rate or above it lives for ever. Time counts
 * only while someone waits for the peer. */
#ifndef HTTP_RATE_H
#define HTTP_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t left_ns;
    uint64_t since_ns;
    bool waiting;
};

static inline void rate_fill(struct rate *r, uint64_t grace_ns)
{
    r->left_ns = grace_ns;
    r->waiting = false;
}

static inline void rate_wait(struct rate *r, uint64_t now_ns)
{
    if (r->waiting) return;
    r->waiting = true;
    r->since_ns = now_ns;
}

/* The wait is over, or goes on behind `bytes` of progress. */
static inline void rate_progress(struct rate *r, uint64_t now_ns, uint64_t bytes,
                                 uint64_t ns_per_byte, uint64_t grace_ns)
{
    if (r->waiting) {
        uint64_t spent_ns = now_ns - r->since_ns;
        r->left_ns = r->left_ns > spent_ns ? r->left_ns - spent_ns : 0;
        r->waiting = false;
    }
    uint64_t earned_ns;
    if (__builtin_mul_overflow(bytes, ns_per_byte, &earned_ns) || earned_ns > grace_ns)
        earned_ns = grace_ns;
    r->left_ns = r->left_ns + earned_ns < grace_ns ? r->left_ns + earned_ns : grace_ns;
}

static inline uint64_t rate_deadline_ns(const struct rate *r)
{
    return r->waiting ? r->since_ns + r->left_ns : UINT64_MAX;
}

#endif
