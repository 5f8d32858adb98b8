/* Running guests: until they are done, wait, or have had their slice.
 *
 * Guests whose slice is over stand in a queue for the next one. Where requests of an app have
 * computed for long, a new one waits in a queue as well (starting.c). A third queue is of requests
 * that are over and give back memory. The three take turns, and there is one slice, a few short
 * starts, or one piece of memory in each turn of the loop, behind everything that has newly
 * arrived: so what arrives does not wait for all who compute. */
#include "request.h"
#include "runtime/runtime.h"

/* A guest whose memory could not grow usually gives up with a trap of its own. */
static enum edge_outcome outcome_of_trap(const struct request *r)
{
    if (instance_trap(r->instance)->kind == TRAP_CPU_LIMIT) return EDGE_OUTCOME_CPU_LIMIT;
    return instance_memory_refused(r->instance) ? EDGE_OUTCOME_MEMORY_LIMIT : EDGE_OUTCOME_TRAP;
}

/* The connection has broken, which the guest need not have noticed. */
static enum edge_outcome outcome_of_abort(struct request *r, enum http_abort reason)
{
    bool denied = reason == HTTP_ABORT_REQUEST && request_denied(r);
    return denied ? EDGE_OUTCOME_DENIED : EDGE_OUTCOME_CANCELED;
}

static enum edge_outcome outcome_of_answer(struct request *r)
{
    enum http_abort reason;
    if (!r->exchange) return EDGE_OUTCOME_CANCELED;
    if (http_exchange_broken(r->exchange, &reason)) return outcome_of_abort(r, reason);
    if (r->version->is_component) return request_component_judge(r);
    if (r->head_sent && !http_respond_missing(r->exchange)) return EDGE_OUTCOME_OK;
    if (r->head_sent)
        error_set(&r->error, ST_INVALID, "its body is shorter than its Content-Length");
    else if (!r->head_bad)
        error_set(&r->error, ST_INVALID, "it ended %s a blank line closed the head of its answer",
                  r->head.bytes.size_bytes ? "before" : "without output, before");
    return EDGE_OUTCOME_BAD_RESPONSE;
}

static void judge(struct request *r, enum call_result result)
{
    if (r->outcome != EDGE_OUTCOME_OK) return; /* said already: limit or client gone */
    r->outcome = result == CALL_TRAPPED ? outcome_of_trap(r) : outcome_of_answer(r);
}

/* ---- the run queue ---- */

static void enqueue(struct request *r)
{
    struct run_queue *q = &r->edge->preempted;
    r->queued = true;
    r->next_runnable = NULL;
    if (q->last)
        q->last->next_runnable = r;
    else
        q->first = r;
    q->last = r;
    q->count++;
    loop_defer_next(r->edge->config.loop, &r->edge->run_task);
}

static void dequeue(struct request *r)
{
    struct run_queue *q = &r->edge->preempted;
    struct request *before = NULL, **link = &q->first;
    while (*link != r) {
        before = *link;
        link = &before->next_runnable;
    }
    *link = r->next_runnable;
    if (q->last == r) q->last = before;
    q->count--;
    r->queued = false;
}

static void resume_first(struct edge *e)
{
    struct request *r = e->preempted.first;
    dequeue(r);
    request_go(r, instance_resume(r->instance));
}

static uint32_t all_waiting(const struct edge *e)
{
    return e->starting.count + e->preempted.count + e->shrinking.count;
}

void request_run_next(void *context)
{
    struct edge *e = context;
    static void (*const take[EDGE_TURNS])(struct edge *e) = {
        [EDGE_TURN_START] = starting_turn,
        [EDGE_TURN_RESUME] = resume_first,
        [EDGE_TURN_SHRINK] = request_shrink_first,
    };
    const uint32_t waiting[EDGE_TURNS] = {
        [EDGE_TURN_START] = e->starting.count,
        [EDGE_TURN_RESUME] = e->preempted.count,
        [EDGE_TURN_SHRINK] = e->shrinking.count,
    };
    /* The one that runs now must know that others wait, and what arrives since this turn began. */
    if (all_waiting(e) > 1) loop_defer_next(e->config.loop, &e->run_task);
    runtime_set_slice_begin(loop_now_ns(e->config.loop));
    for (unsigned k = 0; k < EDGE_TURNS; k++) {
        e->turn = (e->turn + 1) % EDGE_TURNS;
        if (!waiting[e->turn]) continue;
        take[e->turn](e);
        break;
    }
    runtime_set_slice_begin(0);
    if (all_waiting(e)) loop_defer_next(e->config.loop, &e->run_task);
}

/* ---- from start to end ---- */

/* What is next for a guest that has returned from what it was called for. */
static enum call_result call_next(struct request *r)
{
    struct value none[1];
    bool is_component = r->version->is_component;
    if (r->started) return is_component ? request_component_returned(r) : CALL_RETURNED;
    r->started = true;
    return is_component ? request_component_call(r)
                        : instance_call(r->instance, r->version->start_func, none);
}

static bool is_over(const struct request *r)
{
    return r->started && (!r->version->is_component || r->component.returned);
}

void request_go(struct request *r, enum call_result result)
{
    while (result == CALL_RETURNED && !is_over(r)) result = call_next(r);
    if (result == CALL_SUSPENDED) return;
    if (result == CALL_PREEMPTED) {
        enqueue(r);
        return;
    }
    r->suspended = false;
    judge(r, result);
    request_finish(r);
}

void request_resume(struct request *r)
{
    if (!r->suspended) return;
    r->suspended = false;
    request_go(r, instance_resume(r->instance));
}

void request_wait_over(void *context)
{
    request_resume(context);
}

/* Ends a guest that waits, for something or for its turn. */
static void cancel(struct request *r, enum edge_outcome outcome)
{
    r->outcome = outcome;
    r->suspended = false;
    if (r->queued) dequeue(r);
    instance_cancel(r->instance);
    request_finish(r);
}

void request_wall_limit(void *context)
{
    cancel(context, EDGE_OUTCOME_WALL_LIMIT);
}

void request_readable(struct request *r)
{
    r->input_blocked = false;
    request_resume(r);
}

void request_writable(struct request *r)
{
    r->output_blocked = false;
    request_resume(r);
}

void request_aborted(struct request *r, enum http_abort reason)
{
    enum edge_outcome outcome = r->outcome;
    if (outcome == EDGE_OUTCOME_OK) outcome = outcome_of_abort(r, reason);
    r->exchange = NULL;
    cancel(r, outcome);
}
