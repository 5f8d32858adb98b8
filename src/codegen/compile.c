/* codegen_compile(): the plan's batches over threads, then the linker. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/threads.h"
#include "batch.h"
#include "function_cache.h"
#include "linker.h"
#include "unit.h"

/* Raised with every change of what is generated: part of cache keys. */
#define ENGINE_REVISION 5

#define COMPILE_STACK_BYTES (256u << 20) /* LLVM recurses on the shape of its input */

struct job {
    struct batch_program p;
    struct function_cache *cache;
    struct layout *layout;
    struct contents contents;
    struct plan plan;
    struct batch_code *codes; /* by batch */
    atomic_uint next;         /* index into plan.order */
    atomic_bool stop;
    pthread_mutex_t lock;
    uint32_t failed_batch; /* under lock: the lowest that failed */
    struct error error;    /* under lock */
    struct codegen_stats stats;
};

/* What a thread has for itself. */
struct worker {
    struct machine machine;
    uint32_t *numbers; /* by program function */
    struct codegen_stats stats;
};

/* The unit that the cache has for the batch, when it is one. */
static bool find_cached(const struct job *job, struct batch_code *code)
{
    struct unit unit;
    if (!job->cache || !code->has_key || !function_cache_find(job->cache, code->key, &code->unit))
        return false;
    if (unit_open(&unit, code->unit.data, code->unit.size_bytes)) return true;
    buffer_clear(&code->unit);
    return false;
}

/* A cached unit against one that is compiled now. */
static enum status verify_batch(struct job *job, struct worker *w, uint32_t batch,
                                struct error *err)
{
    struct batch_code *code = &job->codes[batch];
    struct buffer fresh;
    buffer_init(&fresh, UNIT_BYTES_MAX * 2ull);
    enum status st = batch_compile(&job->p, &job->plan.batches[batch], w->numbers, &w->machine,
                                   &w->stats, &fresh, err);
    if (!st && (fresh.size_bytes != code->unit.size_bytes ||
                memcmp(fresh.data, code->unit.data, fresh.size_bytes)))
        st = error_set(err, ST_INTERNAL, "function cache: batch %u is not what compiling it gives",
                       batch);
    buffer_done(&fresh);
    return st;
}

static enum status compile_batch(struct job *job, struct worker *w, uint32_t batch,
                                 struct error *err)
{
    const struct plan_batch *b = &job->plan.batches[batch];
    struct batch_code *code = &job->codes[batch];
    buffer_init(&code->unit, UNIT_BYTES_MAX * 2ull);
    enum status st = batch_name(&job->p, b, w->numbers, code, err);
    if (st) return st;
    if (job->cache) st = batch_key(&job->p, b, w->numbers, code, err);
    if (!st) code->is_cached = find_cached(job, code);
    if (!st && code->is_cached && job->p.options->verify_cache)
        st = verify_batch(job, w, batch, err);
    if (!st && !code->is_cached)
        st = batch_compile(&job->p, b, w->numbers, &w->machine, &w->stats, &code->unit, err);
    batch_forget(b, &job->p, code, w->numbers);
    return st;
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
    struct worker w = {0};
    machine_init(&w.machine, job->p.options->cpu_level);
    w.numbers = calloc(job->p.program->funcs_count, sizeof *w.numbers);
    while (!atomic_load(&job->stop)) {
        uint32_t turn = atomic_fetch_add(&job->next, 1);
        if (turn >= job->plan.batches_count) break;
        uint32_t batch = job->plan.order[turn];
        struct error err = {0};
        enum status st = w.numbers ? compile_batch(job, &w, batch, &err)
                                   : error_set(&err, ST_NO_MEMORY, "code generation: numbers");
        if (st) note_failure(job, batch, &err);
    }
    machine_done(&w.machine);
    free(w.numbers);
    pthread_mutex_lock(&job->lock);
    job->stats.emit_ns += w.stats.emit_ns;
    job->stats.llvm_ns += w.stats.llvm_ns;
    pthread_mutex_unlock(&job->lock);
    return NULL;
}

/* Runs work() on threads with large stacks; at least one, or the compile fails. */
static enum status run_threads(struct job *job, struct error *err)
{
    pthread_t threads[THREADS_MAX];
    uint32_t wanted = threads_count(job->p.options->threads), started = 0;
    if (wanted > job->plan.batches_count) wanted = job->plan.batches_count;
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

static struct linker_unit linker_unit_of(const struct job *job, uint32_t batch)
{
    const struct batch_code *code = &job->codes[batch];
    struct linker_unit unit = {.bytes = code->unit.data, .size_bytes = code->unit.size_bytes};
    switch (job->plan.items[job->plan.batches[batch].first].kind) {
    case PLAN_FUNCTION:
    case PLAN_THUNK:
        unit.funcs = code->symbols;
        unit.funcs_count = code->symbols_count;
        break;
    case PLAN_TRAMPOLINE:
        unit.types = code->symbols;
        unit.types_count = code->symbols_count;
        break;
    case PLAN_INIT: break;
    }
    return unit;
}

static enum status link_units(struct job *job, struct buffer *file, struct error *err)
{
    uint32_t count = job->plan.batches_count;
    struct linker_unit *units = calloc((size_t)count + 1, sizeof *units);
    if (!units) return error_set(err, ST_NO_MEMORY, "code generation: units");
    for (uint32_t i = 0; i < count; i++) units[i] = linker_unit_of(job, i);
    uint64_t start = clock_monotonic_ns(clock_system());
    struct linker_stats stats = {0};
    enum status st = linker_link(job->layout, job->p.options, units, count, file, &stats, err);
    job->stats.link_ns = clock_monotonic_ns(clock_system()) - start;
    job->stats.code_bytes = stats.code_bytes;
    free(units);
    return st;
}

/* In the order of the batches, so that what is written does not hang on threads. */
static void keep_units(struct job *job)
{
    for (uint32_t i = 0; i < job->plan.batches_count; i++) {
        const struct batch_code *code = &job->codes[i];
        job->stats.batches_cached += code->is_cached;
        job->stats.functions_lowered +=
            ((const struct unit_header *)(const void *)code->unit.data)->functions_lowered;
        if (job->cache && code->has_key)
            function_cache_put(job->cache, code->key, code->is_cached, code->unit.data,
                               code->unit.size_bytes);
    }
    job->stats.batches = job->plan.batches_count;
    job->stats.functions_lowered += job->plan.functions_lowered;
    job->stats.wasm_code_bytes = job->plan.size_bytes;
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

static enum status make_plan(struct job *job, struct error *err)
{
    const struct program *program = job->p.program;
    const struct codegen_options *options = job->p.options;
    uint64_t start = clock_monotonic_ns(clock_system());
    enum status st = layout_new(program, &job->layout, err);
    if (!st)
        st = contents_init(&job->contents, program, job->layout, threads_count(options->threads),
                           err);
    uint64_t read = clock_monotonic_ns(clock_system());
    if (!st) st = plan_init(&job->plan, program, options, &job->contents, err);
    if (!st) {
        job->codes = calloc((size_t)job->plan.batches_count + 1, sizeof *job->codes);
        if (!job->codes) st = error_set(err, ST_NO_MEMORY, "code generation: batches");
    }
    job->p.layout = job->layout;
    job->stats.content_ns = read - start;
    job->stats.plan_ns = clock_monotonic_ns(clock_system()) - read;
    return st;
}

static void job_done(struct job *job)
{
    for (uint32_t i = 0; job->codes && i < job->plan.batches_count; i++) {
        free(job->codes[i].symbols);
        buffer_done(&job->codes[i].unit);
    }
    free(job->codes);
    plan_done(&job->plan);
    contents_done(&job->contents);
    layout_free(job->layout);
    pthread_mutex_destroy(&job->lock);
}

enum status codegen_compile(const struct program *program, const struct codegen_options *options,
                            struct buffer *file, struct codegen_stats *ret_stats, struct error *err)
{
    assert(program && options && file);
    struct error local = {0};
    if (!err) err = &local;
    struct job job = {.cache = options->cache, .failed_batch = UINT32_MAX};
    job.p = (struct batch_program){
        .program = program, .options = options, .plan = &job.plan, .contents = &job.contents};
    pthread_mutex_init(&job.lock, NULL);
    enum status st = refuse(program, err);
    if (!st) st = make_plan(&job, err);
    if (!st) st = run_threads(&job, err);
    if (!st) st = link_units(&job, file, err);
    if (!st) keep_units(&job);
    job.stats.functions = program->funcs_count ? program->funcs_count - 1 : 0;
    if (ret_stats) *ret_stats = job.stats;
    job_done(&job);
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
