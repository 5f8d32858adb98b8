#include "preempt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "instance.h"
#include "os/ticker.h"

#define NEVER_NS        UINT64_MAX
#define RETRY_NS        50000u      /* after a tick that found the host at work */
#define TICK_NS_MAX     4000000u    /* between two looks at the clocks */
#define PATIENCE_NS_MAX 1000000000u /* until it is asked again whether somebody waits */

/* The thread's ticker, and where it last looked at both clocks. */
static _Thread_local volatile bool ticking;
static _Thread_local uint64_t tick_at_ns; /* when the next one comes, while ticking */
static _Thread_local uint64_t mark_ns, mark_cpu_ns;

/* Ticks in a row that met no guest, or one that had only begun: requests are short. A timer
 * interrupt is dear, tens of microseconds on some virtual machines, so after some of them the next
 * comes only after CALM_SLICES: who turns out to compute then has his first slice that much longer,
 * and every one behind it at its length. */
#define CALM_TICKS  16u
#define CALM_SLICES 4u
static _Thread_local uint32_t calm_ticks;

/* Says whether anybody waits for this thread. */
static _Thread_local uint64_t (*patience)(void *context);
static _Thread_local void *patience_context;

void runtime_set_patience(uint64_t (*patience_ns)(void *context), void *context)
{
    patience = patience_ns;
    patience_context = context;
}

/* 0, or when the slices of this thread's guests begin. */
static _Thread_local uint64_t slice_begin_ns;

void runtime_set_slice_begin(uint64_t since_ns)
{
    slice_begin_ns = since_ns;
}

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

enum status preempt_init(struct preempt *p, uint64_t slice_ns, uint64_t cpu_ns_max,
                         struct error *err)
{
    *p = (struct preempt){.cpu_ns_max = cpu_ns_max ? cpu_ns_max : UINT64_MAX};
    if (!slice_ns && !cpu_ns_max) return ST_OK;
    p->slice_ns = slice_ns ? slice_ns : NEVER_NS;
    if (p->slice_ns < INSTANCE_SLICE_NS_MIN)
        return error_set(err, ST_USAGE, "a slice of %llu ns is below the least of %u",
                         (unsigned long long)p->slice_ns, INSTANCE_SLICE_NS_MIN);
    p->save = aligned_alloc(_Alignof(struct guest_interrupt), sizeof *p->save);
    return p->save ? ST_OK : error_set(err, ST_NO_MEMORY, "instance");
}

void preempt_done(struct preempt *p)
{
    free(p->save);
    p->save = NULL;
}

static bool over_limit(const struct preempt *p, uint64_t run_ns)
{
    return run_ns >= p->cpu_ns_max || p->cpu_ns >= p->cpu_ns_max - run_ns;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long until this run, `passed_ns` after its slice began, has had that or its limit; 0: now. A
 * slice is of real time: who waits for its end does not wait for less when the system gives the
 * thread's time to others. */
static uint64_t time_left(const struct preempt *p, uint64_t run_ns, uint64_t passed_ns)
{
    if (over_limit(p, run_ns)) return 0;
    uint64_t slice_ns = passed_ns < p->slice_ns ? p->slice_ns - passed_ns : 0;
    return least(p->cpu_ns_max - p->cpu_ns - run_ns, slice_ns);
}

/* When the first tick of a run is due. */
static uint64_t first_delay(const struct preempt *p)
{
    uint64_t left_ns = time_left(p, 0, p->begin_ns - p->slice_at_ns);
    if (calm_ticks < CALM_TICKS || p->slice_ns > NEVER_NS / CALM_SLICES) return left_ns;
    return over_limit(p, 0) ? 0 : least(p->cpu_ns_max - p->cpu_ns, p->slice_ns * CALM_SLICES);
}

static void note_calm(bool calm)
{
    if (!calm)
        calm_ticks = 0;
    else if (calm_ticks < CALM_TICKS)
        calm_ticks++;
}

/* Not so soon that nothing but ticks would run, nor so late that the books are stale. */
static uint64_t tick_delay(uint64_t left_ns)
{
    if (left_ns > TICK_NS_MAX) return TICK_NS_MAX;
    return left_ns < INSTANCE_SLICE_NS_MIN ? INSTANCE_SLICE_NS_MIN : left_ns;
}

static void tick_again(uint64_t delay_ns)
{
    ticking = true;
    tick_at_ns = read_clock(CLOCK_MONOTONIC) + delay_ns;
    ticker_start(delay_ns);
}

void preempt_enter(struct preempt *p)
{
    if (!p->slice_ns) return;
    p->begin_ns = p->start_ns = p->slice_at_ns = read_clock(CLOCK_MONOTONIC);
    if (slice_begin_ns && slice_begin_ns < p->begin_ns)
        p->slice_at_ns -= least(p->begin_ns - slice_begin_ns, p->slice_ns / 2);
    p->pending = p->alone = false;
    uint64_t delay_ns = tick_delay(first_delay(p));
    if (ticking && tick_at_ns <= p->start_ns + delay_ns) return;
    mark_ns = p->start_ns;
    mark_cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
    tick_again(delay_ns);
}

uint64_t instance_cpu_ns(const struct instance *i)
{
    return i->preempt.cpu_ns;
}

/* Moves the start of the run by what the system gave to others since the last look. */
static uint64_t discount(struct preempt *p)
{
    uint64_t now_ns = read_clock(CLOCK_MONOTONIC);
    uint64_t cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
    uint64_t from_ns = p->start_ns > mark_ns ? p->start_ns : mark_ns;
    uint64_t passed_ns = now_ns - from_ns, got_ns = cpu_ns - mark_cpu_ns;
    if (passed_ns > got_ns) p->start_ns += passed_ns - got_ns;
    mark_ns = now_ns;
    mark_cpu_ns = cpu_ns;
    return now_ns - p->start_ns;
}

/* A tick is where the system likes to give the processor to others, so behind one both clocks are
 * asked again; and behind a long time without ticks. */
void preempt_leave(struct preempt *p)
{
    if (!p->slice_ns) return;
    p->cpu_ns += p->preempted || p->alone ? discount(p) : read_clock(CLOCK_MONOTONIC) - p->start_ns;
}

static uint64_t ask_patience(void)
{
    return patience ? least(patience(patience_context), PATIENCE_NS_MAX) : 0;
}

void preempt_on_tick(void *ucontext)
{
    struct instance *i = (struct instance *)guest_current;
    ticking = false;
    if (!i || !i->preempt.slice_ns) {
        note_calm(true);
        return;
    }
    struct preempt *p = &i->preempt;
    uint64_t run_ns = discount(p);
    uint64_t left_ns = time_left(p, run_ns, mark_ns - p->slice_at_ns);
    note_calm(mark_ns - p->begin_ns < p->slice_ns / 2);
    if (left_ns) {
        tick_again(tick_delay(left_ns));
        return;
    }
    const struct module *m = i->module;
    uint64_t alone_ns = 0;
    uintptr_t offset = guest_context_registers(ucontext).pc - (uintptr_t)m->code;
    bool in_guest = i->guest.entry && offset < m->code_bytes &&
                    artifact_find_func(m->artifact, (uint32_t)offset);
    if (!in_guest) {
        p->pending = true;
        tick_again(RETRY_NS);
    } else if (over_limit(p, run_ns)) {
        guest_context_stop(ucontext, &i->guest, (uint64_t)TRAP_CPU_LIMIT << 32);
    } else if ((alone_ns = ask_patience())) {
        p->alone = true;
        alone_ns = least(p->cpu_ns_max - p->cpu_ns - run_ns, alone_ns);
        tick_again(alone_ns < INSTANCE_SLICE_NS_MIN ? INSTANCE_SLICE_NS_MIN : alone_ns);
    } else if (fiber_interrupt(&i->fiber, p->save, ucontext)) {
        p->preempted = true;
    } else {
        tick_again(p->slice_ns);
    }
}

uint32_t preempt_point(struct instance *i)
{
    struct preempt *p = &i->preempt;
    if (!p->pending) return TRAP_NONE;
    ticker_start(0); /* the handler keeps the same books */
    p->pending = false;
    uint64_t run_ns = discount(p);
    if (over_limit(p, run_ns)) {
        ticking = false;
        return TRAP_CPU_LIMIT;
    }
    tick_again(tick_delay(p->slice_ns));
    p->preempted = true;
    fiber_leave(&i->fiber);
    return i->cancelled ? TRAP_CANCEL : TRAP_NONE;
}

void preempt_stop(struct instance *i, uint32_t kind)
{
    guest_interrupt_stop(i->preempt.save, &i->guest, (uint64_t)kind << 32);
}
