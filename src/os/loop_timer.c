/* Timers in a pairing heap: intrusive, so starting one cannot fail; start is O(1), expiry and stop
 * O(log n) amortised. */
#include <assert.h>
#include <stddef.h>

#include "loop_internal.h"

/* Joins two roots (either may be NULL); the earlier becomes the parent. */
static struct loop_timer *heap_join(struct loop_timer *a, struct loop_timer *b)
{
    if (!a) return b;
    if (!b) return a;
    if (b->deadline_ns < a->deadline_ns) {
        struct loop_timer *swap = a;
        a = b;
        b = swap;
    }
    b->previous = a;
    b->sibling = a->child;
    if (b->sibling) b->sibling->previous = b;
    a->child = b;
    a->sibling = NULL;
    a->previous = NULL;
    return a;
}

/* Joins a list of siblings into one root: pairs from the left, then all from the right. */
static struct loop_timer *heap_join_siblings(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL; /* stack of joined pairs, linked by sibling */
    while (first) {
        struct loop_timer *second = first->sibling;
        struct loop_timer *rest = second ? second->sibling : NULL;
        first->sibling = first->previous = NULL;
        if (second) second->sibling = second->previous = NULL;
        struct loop_timer *pair = heap_join(first, second);
        pair->sibling = pairs;
        pairs = pair;
        first = rest;
    }
    struct loop_timer *root = NULL;
    while (pairs) {
        struct loop_timer *rest = pairs->sibling;
        pairs->sibling = NULL;
        root = heap_join(root, pairs);
        pairs = rest;
    }
    return root;
}

static void heap_remove(struct loop *l, struct loop_timer *t)
{
    struct loop_timer *children = heap_join_siblings(t->child);
    t->child = NULL;
    if (t == l->timers) {
        l->timers = children;
    } else {
        if (t->previous->child == t) {
            t->previous->child = t->sibling;
        } else {
            t->previous->sibling = t->sibling;
        }
        if (t->sibling) t->sibling->previous = t->previous;
        l->timers = heap_join(l->timers, children);
    }
    t->sibling = t->previous = NULL;
    t->armed = false;
}

void loop_timer_init(struct loop_timer *t, void (*fired)(void *context), void *context)
{
    assert(t && fired);
    *t = (struct loop_timer){.fired = fired, .context = context};
}

void loop_timer_start(struct loop *l, struct loop_timer *t, uint64_t deadline_ns)
{
    assert(t->fired);
    if (t->armed) heap_remove(l, t);
    t->deadline_ns = deadline_ns;
    t->armed = true;
    l->timers = heap_join(l->timers, t);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
    if (t->armed) heap_remove(l, t);
}

void loop_timers_expire(struct loop *l)
{
    /* The expired are counted before any of them runs, so that a callback that starts a timer
     * already due does not keep the turn from ending. */
    unsigned due = 0;
    struct loop_timer *expired = NULL;
    struct loop_timer **tail = &expired;
    while (l->timers && l->timers->deadline_ns <= l->now_ns) {
        struct loop_timer *t = l->timers;
        heap_remove(l, t);
        *tail = t;
        tail = &t->sibling;
        due++;
    }
    /* Back into the heap as a run of roots that are all due: a callback may stop any of them. */
    while (expired) {
        struct loop_timer *t = expired;
        expired = t->sibling;
        loop_timer_start(l, t, t->deadline_ns);
    }
    for (; due > 0 && l->timers && l->timers->deadline_ns <= l->now_ns; due--) {
        struct loop_timer *t = l->timers;
        heap_remove(l, t);
        t->fired(t->context);
    }
}
