/* What preemption costs and how exact its limits are, for script/bench preempt.
 *
 * bench_preempt overhead ROUNDS ARTIFACT…: runs kernels of bench/compute without and with slices of
 * a millisecond, in turns, and prints the CPU time of one run in both, medians of the rounds:
 *   overhead name=sha256 plain_ns=… sliced_ns=…
 * bench_preempt late RUNS ARTIFACT: limits of the CPU time of bench/preempt_guest.c, and how much
 * more than that it got; one line a run:
 *   late ns=… */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "os/loop.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"

#define SLICE_NS     1000000u
#define ROUNDS_MAX   99u
#define KERNEL_NS    120000000u /* of a kernel's time, each round and way */
#define LIMIT_NS_MIN 1000000u
#define LIMIT_NS_MAX 20000000u

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_preempt: %s: %s\n", what, why);
    exit(1);
}

static uint64_t cpu_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum call_result run(struct instance *i, uint32_t func)
{
    struct value none[1];
    enum call_result result = instance_call(i, func, none);
    while (result == CALL_PREEMPTED) result = instance_resume(i);
    return result;
}

static uint32_t export_of(const struct artifact *a, const char *name)
{
    const struct artifact_export *export = artifact_find_export(a, name, 0);
    if (!export) die(name, "no such export");
    return export->index;
}

static struct artifact *load(const char *path)
{
    struct error err;
    struct artifact *a = NULL;
    if (artifact_open(path, &a, &err)) die(path, err.text);
    return a;
}

/* ---- overhead ---- */

/* The clock that a kernel sees. Its warm-up asks for the time once before its first run and once
 * behind each: so those times are the measurement. It stands still until enough CPU time was used,
 * and then far in the future, which ends the warm-up and later the kernel's own measurement. */
struct kernel_clock {
    uint64_t first_ns, last_ns; /* CPU time behind the first run and behind the last */
    uint32_t asked;
    uint64_t far_ns;
};

static uint64_t kernel_now(void *context)
{
    struct kernel_clock *k = context;
    uint64_t now_ns = cpu_now_ns();
    if (k->far_ns) return k->far_ns += 10000000000u;
    k->asked++;
    if (k->asked == 2) k->first_ns = now_ns;
    if (k->asked < 3 || now_ns - k->first_ns < KERNEL_NS) return 1;
    k->last_ns = now_ns;
    k->far_ns = 10000000000u;
    return k->far_ns;
}

static enum status drop(void *context, const void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    (void)context;
    (void)bytes;
    *ret_bytes = size_bytes;
    return ST_OK;
}

/* The mean CPU time of a kernel's run, without its first. */
static double measure(const struct module *m, uint32_t start, uint64_t slice_ns)
{
    static const struct wasi_stream_ops out = {.write = drop};
    static const char *const args[] = {"kernel"};
    struct kernel_clock k = {0};
    struct clock clock = {kernel_now, kernel_now, &k};
    struct wasi_preview1_config wasi = {
        .args = args,
        .args_count = 1,
        .stdio = {{0}, {&out, NULL, -1, WASI_FILETYPE_UNKNOWN}, {0}},
        .clock = &clock,
        .random = random_system(),
        .waiter = wasi_waiter_poll(clock_system()),
    };
    struct wasi_context context = {0};
    struct instance_config config = {.slice_ns = slice_ns, .context = &context};
    struct instance *i = NULL;
    struct error err = {0};
    if (wasi_preview1_new(&wasi, &context.preview1, &err)) die("WASI", err.text);
    if (instance_new(m, &config, &i, &err)) die("instance", err.text);
    if (instance_init_all(i) != CALL_RETURNED) die("kernel", "trapped");
    enum call_result result = run(i, start);
    if ((result != CALL_RETURNED && result != CALL_EXITED) || !k.last_ns) die("kernel", "failed");
    instance_free(i);
    wasi_preview1_free(context.preview1);
    return (double)(k.last_ns - k.first_ns) / (double)(k.asked - 2);
}

static uint64_t loop_patience(void *context)
{
    return loop_patience_ns(context);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static void overhead(uint32_t rounds, const char *path)
{
    double plain[ROUNDS_MAX], sliced[ROUNDS_MAX];
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    struct artifact *a = load(path);
    struct module *m = NULL;
    struct error err;
    uint32_t start = export_of(a, "_start");
    if (module_new(a, sets, sets_count, &m, &err)) die(path, err.text);
    for (uint32_t k = 0; k < rounds; k++) {
        plain[k] = measure(m, start, 0);
        sliced[k] = measure(m, start, SLICE_NS);
    }
    module_free(m);
    const char *slash = strrchr(path, '/');
    printf("overhead name=%s plain_ns=%.0f", slash ? slash + 1 : path, median(plain, rounds));
    printf(" sliced_ns=%.0f\n", median(sliced, rounds));
}

/* ---- lateness ---- */

static void late(uint32_t runs, const char *path)
{
    struct artifact *a = load(path);
    struct module *m = NULL;
    struct error err;
    uint32_t spin = export_of(a, "spin");
    if (module_new(a, NULL, 0, &m, &err)) die(path, err.text);
    for (uint32_t k = 0; k < runs; k++) {
        struct instance_config config = {.slice_ns = SLICE_NS};
        struct instance *i = NULL;
        config.cpu_ns_max = LIMIT_NS_MIN + (uint64_t)k * 982451653u % (LIMIT_NS_MAX - LIMIT_NS_MIN);
        if (instance_new(m, &config, &i, &err)) die("instance", err.text);
        uint64_t begin_ns = cpu_now_ns();
        enum call_result result = run(i, spin);
        uint64_t used_ns = cpu_now_ns() - begin_ns;
        if (result != CALL_TRAPPED || instance_trap(i)->kind != TRAP_CPU_LIMIT)
            die("spin", "did not end by its limit");
        printf("late ns=%lld\n", (long long)used_ns - (long long)config.cpu_ns_max);
        instance_free(i);
    }
    module_free(m);
}

int main(int argc, char **argv)
{
    struct error err;
    uint32_t count = argc > 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    if (!count) {
        fprintf(stderr, "usage: bench_preempt overhead|late COUNT ARTIFACT...\n");
        return 2;
    }
    struct loop *loop = NULL;
    if (runtime_init(&err) || runtime_thread_init(&err)) die("runtime", err.text);
    if (loop_new(clock_system(), &loop, &err) || loop_lookout_start(loop, NULL, NULL, &err))
        die("loop", err.text);
    runtime_set_patience(loop_patience, loop); /* as a worker does */
    for (int k = 3; k < argc; k++) {
        if (!strcmp(argv[1], "late"))
            late(count, argv[k]);
        else
            overhead(count < ROUNDS_MAX ? count : ROUNDS_MAX, argv[k]);
        fflush(stdout);
    }
    return 0;
}
