/* codegen_compile(): the plan's batches over threads, then the linker. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "emit_module.h"
#include "layout.h"
#include "linker.h"
#include "machine.h"
#include "plan.h"

/* Raised with every change of what is generated: part of cache keys. */
#define ENGINE_REVISION 2

#define COMPILE_STACK_BYTES (256u << 20) /* LLVM recurses on the shape of its input */

struct job {
    const struct program *program;
    const struct codegen_options *options;
    struct layout *layout;
    struct plan plan;
    LLVMMemoryBufferRef *objects; /* by batch */
    atomic_uint next;             /* index into plan.order */
    atomic_bool stop;
    pthread_mutex_t lock;
    uint32_t failed_batch; /* under lock: the lowest that failed */
    struct error error;    /* under lock */
    struct codegen_stats stats;
};

static enum status emit_item(struct emitter *e, const struct plan_item *item, struct error *err)
{
    switch (item->kind) {
    case PLAN_FUNCTION: return emit_function(e, item->index, err);
    case PLAN_THUNK: return emit_thunk(e, item->index, err);
    case PLAN_INIT: return emit_init(e, item->index, err);
    case PLAN_TRAMPOLINE: emit_trampoline(e, item->index); return ST_OK;
    }
    return ST_INTERNAL;
}

/* One batch at `level`. *ret_lowered: it was given up because a function of it would take too long;
 * then there is no object. */
static enum status try_batch(struct job *job, struct machine *machine, uint32_t batch,
                             enum codegen_level level, struct codegen_stats *stats,
                             bool *ret_lowered, struct error *err)
{
    const struct plan_batch *b = &job->plan.batches[batch];
    uint64_t start = clock_monotonic_ns(clock_system()), merges = 0;
    struct emitter e;
    emitter_init(&e, job->program, job->layout, job->options, level);
    enum status st = ST_OK;
    for (uint32_t i = 0; !st && i < b->count; i++)
        st = emit_item(&e, &job->plan.items[b->first + i], err);
    emitter_finish(&e);
    uint64_t emitted = clock_monotonic_ns(clock_system());
    stats->emit_ns += emitted - start;
    bool deep = e.stack_depth_max > PLAN_STACK_DEPTH_MAX && level != CODEGEN_FAST;
    if (!st && !deep) st = machine_optimise(machine, &e, PLAN_MERGES_MAX, &merges, err);
    *ret_lowered = deep || merges > PLAN_MERGES_MAX;
    if (!st && !*ret_lowered) st = machine_emit(machine, &e, &job->objects[batch], err);
    stats->llvm_ns += clock_monotonic_ns(clock_system()) - emitted;
    emitter_done(&e);
    return st;
}

static enum status compile_batch(struct job *job, struct machine *machine, uint32_t batch,
                                 struct codegen_stats *stats, struct error *err)
{
    const struct plan_batch *b = &job->plan.batches[batch];
    bool lowered;
    enum status st = try_batch(job, machine, batch, b->level, stats, &lowered, err);
    if (st || !lowered) return st;
    stats->functions_lowered += b->count;
    return try_batch(job, machine, batch, CODEGEN_FAST, stats, &lowered, err);
}

static void note_failure(struct job *job, uint32_t batch, const struct error *err)
{
    pthread_mutex_lock(&job->lock);
    if (batch < job->failed_batch) {
        job->failed_batch = batch;
        job->error = *err;
    }
    pthread_mutex_unlock(&job->lock);
    atomic_store(&job->stop, true);
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct codegen_stats stats = {0};
    struct machine machine;
    machine_init(&machine, job->options->cpu_level);
    while (!atomic_load(&job->stop)) {
        uint32_t turn = atomic_fetch_add(&job->next, 1);
        if (turn >= job->plan.batches_count) break;
        uint32_t batch = job->plan.order[turn];
        struct error err = {0};
        if (compile_batch(job, &machine, batch, &stats, &err)) note_failure(job, batch, &err);
    }
    machine_done(&machine);
    pthread_mutex_lock(&job->lock);
    job->stats.emit_ns += stats.emit_ns;
    job->stats.llvm_ns += stats.llvm_ns;
    job->stats.functions_lowered += stats.functions_lowered;
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

static uint32_t threads_count(const struct job *job)
{
    uint32_t count = job->options->threads;
    if (!count) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        count = cores > 0 ? (uint32_t)cores : 1;
    }
    if (count > CODEGEN_THREADS_MAX) count = CODEGEN_THREADS_MAX;
    return count < job->plan.batches_count ? count : job->plan.batches_count;
}

/* Runs work() on threads with large stacks; at least one, or the compile fails. */
static enum status run_threads(struct job *job, struct error *err)
{
    pthread_t threads[CODEGEN_THREADS_MAX];
    uint32_t wanted = threads_count(job), started = 0;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return error_set(err, ST_NO_MEMORY, "thread attributes");
    int failure = pthread_attr_setstacksize(&attributes, COMPILE_STACK_BYTES);
    while (!failure && started < wanted) {
        failure = pthread_create(&threads[started], &attributes, work, job);
        if (!failure) started++;
    }
    pthread_attr_destroy(&attributes);
    for (uint32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
    if (!started && wanted) return error_set_errno(err, failure, "compiler thread");
    if (job->failed_batch == UINT32_MAX) return ST_OK;
    *err = job->error;
    return err->status;
}

static enum status link_objects(struct job *job, struct buffer *file, struct error *err)
{
    uint32_t count = job->plan.batches_count;
    struct linker_object *objects = calloc((size_t)count + 1, sizeof *objects);
    if (!objects) return error_set(err, ST_NO_MEMORY, "code generation: objects");
    for (uint32_t i = 0; i < count; i++)
        objects[i] = (struct linker_object){(const uint8_t *)LLVMGetBufferStart(job->objects[i]),
                                            LLVMGetBufferSize(job->objects[i])};
    uint64_t start = clock_monotonic_ns(clock_system());
    struct linker_stats stats = {0};
    enum status st = linker_link(job->layout, job->options, objects, count, file, &stats, err);
    job->stats.link_ns = clock_monotonic_ns(clock_system()) - start;
    job->stats.code_bytes = stats.code_bytes;
    free(objects);
    return st;
}

static enum status refuse(const struct program *program, struct error *err)
{
    static const struct {
        uint32_t feature;
        const char *name;
    } refused[] = {
        {WASM_FEATURE_GC, "garbage collection"},
        {WASM_FEATURE_FUNCTION_REFS, "typed function references"},
        {WASM_FEATURE_EXCEPTIONS, "exception handling"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
        if (program->features & refused[i].feature)
            return error_set(err, ST_UNSUPPORTED,
                             "the module uses %s, which cannot be compiled yet", refused[i].name);
    for (uint32_t i = 0; i < program->memories_count; i++) {
        const struct program_definition *d = &program->memories[i];
        const struct wasm_memory *m = &program->instances[d->instance].module->memories[d->index];
        if (m->limits.min > SLOT_MEMORY_BYTES_MAX / WASM_PAGE_BYTES)
            return error_set(err, ST_LIMIT, "memory %u starts larger than %llu bytes", d->index,
                             SLOT_MEMORY_BYTES_MAX);
    }
    return ST_OK;
}

enum status codegen_compile(const struct program *program, const struct codegen_options *options,
                            struct buffer *file, struct codegen_stats *ret_stats, struct error *err)
{
    assert(program && options && file);
    struct error local = {0};
    if (!err) err = &local;
    struct job job = {.program = program, .options = options, .failed_batch = UINT32_MAX};
    pthread_mutex_init(&job.lock, NULL);
    enum status st = refuse(program, err);
    if (!st) st = layout_new(program, &job.layout, err);
    if (!st) st = plan_init(&job.plan, program, options, err);
    if (!st) {
        job.objects = calloc((size_t)job.plan.batches_count + 1, sizeof *job.objects);
        if (!job.objects) st = error_set(err, ST_NO_MEMORY, "code generation: objects");
    }
    if (!st) st = run_threads(&job, err);
    if (!st) st = link_objects(&job, file, err);
    job.stats.functions = program->funcs_count ? program->funcs_count - 1 : 0;
    job.stats.functions_lowered += job.plan.functions_lowered;
    job.stats.wasm_code_bytes = job.plan.size_bytes;
    if (ret_stats) *ret_stats = job.stats;
    for (uint32_t i = 0; job.objects && i < job.plan.batches_count; i++)
        if (job.objects[i]) LLVMDisposeMemoryBuffer(job.objects[i]);
    free(job.objects);
    plan_done(&job.plan);
    layout_free(job.layout);
    pthread_mutex_destroy(&job.lock);
    return st;
}

const char *codegen_engine(void)
{
    static char text[32]; /* as artifact_header.engine */
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (!text[0]) {
        unsigned major, minor, patch;
        LLVMGetVersion(&major, &minor, &patch);
        snprintf(text, sizeof text, "mayfly-%d llvm-%u.%u.%u", ENGINE_REVISION, major, minor,
                 patch);
    }
    pthread_mutex_unlock(&lock);
    return text;
}
