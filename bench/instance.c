/* bench_instance ARTIFACT HELLO: what a fresh instance costs, for script/bench instance.
 *
 * ARTIFACT is bench/instance_guest.c, HELLO a WASI command that prints. Prints a line for each
 * number of threads and of pages that every instance writes:
 *   warm threads=1 pages=4 stride=1 kept=6 p50_ns=… p99_ns=… p999_ns=… start_ns=… reset_ns=…
 * faults=… and one for the first instance of an artifact in this process: first open_ns=…
 * module_ns=… instance_ns=… run_ns=… total_ns=… verified_ns=… */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "instance.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

#define THREADS_MAX 2u
#define WARM_UP     2000u
#define FIRST_RUNS  300u
#define SLICE_NS    1000000u  /* as the edge has it */
#define CPU_NS_MAX  50000000u /* as the edge has it */

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "bench_instance: %s: %s\n", what, err->text);
    exit(1);
}

static uint64_t now_ns(void)
{
    return clock_monotonic_ns(clock_system());
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The slice of a thread ends between two instances or inside one: then that goes on at once. */
static enum call_result call(struct instance *i, uint32_t func, struct value *values)
{
    enum call_result result = instance_call(i, func, values);
    while (result == CALL_PREEMPTED) result = instance_resume(i);
    return result;
}

/* Sorts; the value below which `share` of all lie. */
static uint32_t percentile(uint32_t *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, compare);
    return values[(size_t)((double)(count - 1) * share)];
}

/* ---- warm slots ---- */

static _Thread_local uint64_t marked_ns;

static enum host_result mark(struct instance *instance, struct value *values)
{
    (void)instance;
    (void)values;
    marked_ns = now_ns();
    return HOST_OK;
}

struct warm {
    pthread_t thread;
    const struct module *module;
    uint32_t func, pages, stride;
    size_t count;
    uint32_t *start_ns, *reset_ns, *sum_ns; /* of each instance */
    size_t kept_pages;
    uint64_t faults;
};

static uint64_t faults_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

static void live_once(const struct warm *w, struct instance *i, uint32_t *start, uint32_t *reset)
{
    struct error err = {0};
    struct value values[2] = {{.i32 = w->pages}, {.i32 = w->stride}};
    uint64_t begin_ns = now_ns();
    if (call(i, w->func, values) != CALL_RETURNED) {
        snprintf(err.text, sizeof err.text, "the guest trapped: its instance was not fresh");
        die("run", &err);
    }
    uint64_t end_ns = now_ns();
    if (instance_reset(i, NULL, &err)) die("reset", &err);
    *start = (uint32_t)(marked_ns - begin_ns);
    *reset = (uint32_t)(now_ns() - end_ns);
}

static void *live_warm(void *argument)
{
    struct warm *w = argument;
    struct error err = {0};
    struct instance *i = NULL;
    const struct instance_config config = {
        .slice_ns = SLICE_NS, .cpu_ns_max = CPU_NS_MAX, .sealable = true};
    if (runtime_thread_init(&err)) die("thread", &err);
    if (instance_new(w->module, &config, &i, &err)) die("instance", &err);
    uint32_t ignored[2];
    for (uint32_t k = 0; k < WARM_UP; k++) live_once(w, i, &ignored[0], &ignored[1]);
    /* The samples' own pages are there before. */
    memset(w->start_ns, 1, w->count * sizeof *w->start_ns);
    memset(w->reset_ns, 1, w->count * sizeof *w->reset_ns);
    uint64_t before = faults_now();
    for (size_t k = 0; k < w->count; k++) live_once(w, i, &w->start_ns[k], &w->reset_ns[k]);
    w->faults = faults_now() - before;
    w->kept_pages = i->slot.pages_count;
    instance_free(i);
    return NULL;
}

struct shape {
    uint32_t pages, stride; /* 1: side by side */
};

static void measure_warm(const struct module *m, uint32_t func, uint32_t threads,
                         const struct shape *shape)
{
    size_t each = shape->pages > 8 ? 20000 : 100000, count = each * threads;
    uint32_t *samples = malloc(3 * count * sizeof *samples);
    struct warm w[THREADS_MAX];
    struct error err = {.text = "out of memory"};
    if (!samples) die("samples", &err);
    for (uint32_t t = 0; t < threads; t++) {
        w[t] = (struct warm){.module = m, .func = func, .count = each};
        w[t].pages = shape->pages;
        w[t].stride = shape->stride;
        w[t].start_ns = samples + t * each;
        w[t].reset_ns = samples + count + t * each;
        pthread_create(&w[t].thread, NULL, live_warm, &w[t]);
    }
    uint64_t faults = 0;
    for (uint32_t t = 0; t < threads; t++) {
        pthread_join(w[t].thread, NULL);
        faults += w[t].faults;
    }
    uint32_t *sum = samples + 2 * count;
    for (size_t k = 0; k < count; k++) sum[k] = samples[k] + samples[count + k];
    printf("warm threads=%u pages=%u stride=%u", threads, shape->pages, shape->stride);
    printf(" kept=%zu", w[0].kept_pages);
    printf(" p50_ns=%u", percentile(sum, count, 0.5));
    printf(" p99_ns=%u p999_ns=%u", percentile(sum, count, 0.99), percentile(sum, count, 0.999));
    printf(" start_ns=%u", percentile(samples, count, 0.5));
    printf(" reset_ns=%u", percentile(samples + count, count, 0.5));
    printf(" faults=%.6f\n", (double)faults / (double)count);
    free(samples);
}

static void measure_all_warm(const char *path)
{
    static const struct host_function functions[] = {{"bench", "mark", ":", mark}};
    static const struct host_set set = {functions, 1, NULL};
    /* The last two: as many as a JavaScript engine, as scattered. */
    static const struct shape shapes[] = {{0, 1},  {1, 1},   {4, 1},  {8, 1},
                                          {64, 1}, {256, 1}, {61, 5}, {131, 5}};
    struct error err = {0};
    struct artifact *artifact = NULL;
    struct module *m = NULL;
    if (artifact_open(path, &artifact, &err)) die(path, &err);
    uint32_t func = artifact_find_export(artifact, "touch", 0)->index;
    if (module_new(artifact, &set, 1, &m, &err)) die(path, &err);
    for (uint32_t threads = 1; threads <= THREADS_MAX; threads++)
        for (size_t k = 0; k < ARRAY_COUNT(shapes); k++) measure_warm(m, func, threads, &shapes[k]);
    module_free(m);
}

/* ---- the first instance ---- */

static uint64_t printed_ns;

static enum status first_write(void *context, const void *bytes, size_t size_bytes,
                               size_t *ret_bytes)
{
    (void)context;
    (void)bytes;
    if (!printed_ns) printed_ns = now_ns();
    *ret_bytes = size_bytes;
    return ST_OK;
}

static const struct wasi_preview1_config *first_config(void)
{
    static const struct wasi_stream_ops out = {.write = first_write};
    static const char *const args[] = {"hello"};
    static struct wasi_preview1_config config;
    config = (struct wasi_preview1_config){
        .args = args,
        .args_count = 1,
        .stdio = {{0}, {&out, NULL, -1, WASI_FILETYPE_UNKNOWN}, {0}},
        .clock = clock_system(),
        .random = random_system(),
        .waiter = wasi_waiter_poll(clock_system()),
    };
    return &config;
}

enum step { STEP_OPEN, STEP_MODULE, STEP_INSTANCE, STEP_RUN, STEP_TOTAL, STEPS };

/* From the open file to the guest's first output; ret holds nanoseconds of each step. */
static void live_first(const char *path, bool verified, uint32_t ret[STEPS])
{
    struct error err = {0};
    struct artifact *artifact = NULL;
    struct module *m = NULL;
    struct instance *i = NULL;
    struct wasi_context context = {0};
    struct value none[1];
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    const struct instance_config config = {
        .slice_ns = SLICE_NS, .cpu_ns_max = CPU_NS_MAX, .context = &context};
    uint64_t at[STEPS];
    printed_ns = 0;
    at[STEP_OPEN] = now_ns();
    if (artifact_open_fd(open(path, O_RDONLY | O_CLOEXEC), verified, &artifact, &err))
        die(path, &err);
    at[STEP_MODULE] = now_ns();
    uint32_t start = artifact_find_export(artifact, "_start", 0)->index;
    if (module_new(artifact, sets, sets_count, &m, &err)) die(path, &err);
    at[STEP_INSTANCE] = now_ns();
    if (instance_new(m, &config, &i, &err)) die(path, &err);
    at[STEP_RUN] = now_ns();
    if (wasi_preview1_new(first_config(), &context.preview1, &err)) die(path, &err);
    enum call_result result = instance_init_all(i);
    if (result == CALL_RETURNED) result = call(i, start, none);
    if ((result != CALL_RETURNED && result != CALL_EXITED) || !printed_ns) die(path, &err);
    for (int k = 0; k < STEP_TOTAL; k++)
        ret[k] = (uint32_t)((k == STEP_RUN ? printed_ns : at[k + 1]) - at[k]);
    ret[STEP_TOTAL] = (uint32_t)(printed_ns - at[STEP_OPEN]);
    instance_free(i);
    wasi_preview1_free(context.preview1);
    module_free(m);
}

static void measure_first(const char *path)
{
    static const char *const names[STEPS] = {"open", "module", "instance", "run", "total"};
    static uint32_t samples[STEPS][FIRST_RUNS], verified[FIRST_RUNS];
    struct error err = {0};
    if (runtime_thread_init(&err)) die("thread", &err);
    for (uint32_t k = 0; k < FIRST_RUNS; k++) {
        uint32_t of[STEPS];
        live_first(path, true, of);
        for (int s = 0; s < STEPS; s++) samples[s][k] = of[s];
        live_first(path, false, of);
        verified[k] = of[STEP_TOTAL];
    }
    printf("first");
    for (int s = 0; s < STEPS; s++)
        printf(" %s_ns=%u", names[s], percentile(samples[s], FIRST_RUNS, 0.5));
    printf(" verified_ns=%u\n", percentile(verified, FIRST_RUNS, 0.5));
}

int main(int argc, char **argv)
{
    struct error err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: bench_instance ARTIFACT HELLO\n");
        return 2;
    }
    if (runtime_init(&err)) die("runtime", &err);
    measure_first(argv[2]);
    measure_all_warm(argv[1]);
    return 0;
}
