/* bench_js HELLO ECHO: what a fresh instance of a component in JavaScript costs, for script/bench
 * js. Both are artifacts of wasi:http components; requests come from memory and answers go nowhere.
 * Prints a line for each:
 *   warm name=hello pages=61 start_p50_ns=… start_p99_ns=… reset_p50_ns=… reset_p99_ns=…
 *   sum_p50_ns=… sum_p99_ns=… guest_p50_ns=… faults=… answer_bytes=…
 * start: from the request to the guest's first call of the host, so some of the guest is in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "canonical/canonical.h"
#include "instance.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

#define WARM_UP    500u
#define REQUESTS   5000u
#define SLICE_NS   1000000u  /* as the edge has it */
#define CPU_NS_MAX 50000000u /* as the edge has it */
#define BODY_BYTES 1024u

static void must(enum status st, const char *what, const struct error *err)
{
    if (!st) return;
    fprintf(stderr, "bench_js: %s: %s\n", what, err->text);
    exit(1);
}

static uint64_t now_ns(void)
{
    return clock_monotonic_ns(clock_system());
}

/* ---- what the guest calls ---- */

struct exchange {
    const char *method;
    const char *body;
    size_t body_bytes, body_read, answer_bytes;
    int status;
    uint64_t first_call_ns;
};

static void mark(struct exchange *x)
{
    if (!x->first_call_ns) x->first_call_ns = now_ns();
}

static uint64_t guest_monotonic_ns(void *context)
{
    mark(context);
    return now_ns();
}

static uint64_t guest_realtime_ns(void *context)
{
    mark(context);
    return clock_realtime_ns(clock_system());
}

static void guest_random(void *context, void *bytes, size_t size_bytes)
{
    mark(context);
    random_fill(random_system(), bytes, size_bytes);
}

static void head(void *context, struct wasi_http_request_head *ret)
{
    struct exchange *x = context;
    mark(x);
    *ret = (struct wasi_http_request_head){
        .method = {x->method, strlen(x->method)},
        .path_with_query = {"/", 1},
        .authority = {"localhost", strlen("localhost")},
    };
}

static size_t fields_count(void *context)
{
    mark(context);
    return 0;
}

static struct wasi_http_field fields_get(void *context, size_t index)
{
    (void)context;
    (void)index;
    return (struct wasi_http_field){{"", 0}, {"", 0}};
}

static enum status respond(void *context, int status, const struct wasi_http_field *fields,
                           size_t count)
{
    (void)fields;
    (void)count;
    ((struct exchange *)context)->status = status;
    return ST_OK;
}

static enum status finish(void *context, const struct wasi_http_field *trailers, size_t count)
{
    (void)context;
    (void)trailers;
    (void)count;
    return ST_OK;
}

static void cut(void *context)
{
    (void)context;
}

static void refuse(void *context, const char *error_code)
{
    (void)context;
    fprintf(stderr, "bench_js: the guest answers with the error %s\n", error_code);
    exit(1);
}

static enum status body_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    struct exchange *x = context;
    size_t left = x->body_bytes - x->body_read;
    if (!left) return ST_CLOSED;
    *ret_bytes = size_bytes < left ? size_bytes : left;
    memcpy(bytes, x->body + x->body_read, *ret_bytes);
    x->body_read += *ret_bytes;
    return ST_OK;
}

static enum status body_write(void *context, const void *bytes, size_t size_bytes,
                              size_t *ret_bytes)
{
    (void)bytes;
    ((struct exchange *)context)->answer_bytes += size_bytes;
    *ret_bytes = size_bytes;
    return ST_OK;
}

struct guest {
    struct module *module;
    struct instance *instance;
    struct canonical *canonical;
    struct wasi_preview2 *wasi;
    uint32_t lift;
};

static void guest_open(const char *path, struct guest *g)
{
    struct error err = {.text = "exports no wasi:http/incoming-handler"};
    static const struct wasi_preview2_config nothing;
    struct artifact *artifact;
    must(artifact_open(path, &artifact, &err), path, &err);
    const struct artifact_component_export *handle =
        canonical_find_export(artifact, "wasi:http/incoming-handler", "0.2.0", "handle");
    if (!handle) must(ST_NOT_FOUND, path, &err);
    g->lift = handle->lift;
    must(module_new(artifact, wasi_component_set(), 1, &g->module, &err), path, &err);
    must(wasi_preview2_new(&nothing, &g->wasi, &err), path, &err);
    size_t interfaces_count;
    const struct canonical_interface *const *interfaces =
        wasi_component_interfaces(&interfaces_count);
    must(canonical_new(g->module, interfaces, interfaces_count, g->wasi, &g->canonical, &err), path,
         &err);
    const struct instance_config config = {
        .slice_ns = SLICE_NS,
        .cpu_ns_max = CPU_NS_MAX,
        .canonical = g->canonical,
        .sealable = true,
    };
    must(instance_new(g->module, &config, &g->instance, &err), path, &err);
    must(instance_init_all(g->instance) == CALL_RETURNED ? ST_OK : ST_TRAP, path, &err);
}

static void guest_close(struct guest *g)
{
    instance_free(g->instance);
    canonical_free(g->canonical);
    wasi_preview2_free(g->wasi);
    module_free(g->module);
}

/* ---- requests ---- */

struct sample {
    uint32_t start_ns, guest_ns, reset_ns;
};

static void prepare(struct guest *g, struct exchange *x, const struct clock *clock,
                    struct value values[2])
{
    static const struct wasi_http_exchange_ops ops = {
        .head = head,
        .fields = {fields_count, fields_get},
        .trailers = {fields_count, fields_get},
        .respond = respond,
        .finish = finish,
        .cut = cut,
        .refuse = refuse,
    };
    static const struct wasi_stream_ops body_ops = {.read = body_read, .write = body_write};
    static struct random_source random = {.fill = guest_random};
    struct error err = {0};
    random.context = x;
    struct wasi_preview2_config config = {
        .stdio = {{.fd = -1}, wasi_stream_fd(2), wasi_stream_fd(2)},
        .clock = clock,
        .random = &random,
        .waiter = wasi_waiter_poll(clock),
    };
    struct wasi_stream body = {&body_ops, x, -1, WASI_FILETYPE_UNKNOWN};
    struct wasi_http_exchange exchange = {
        .ops = &ops, .context = x, .request_body = body, .response_body = body};
    void *request, *outparam;
    must(wasi_preview2_reuse(g->wasi, &config, &err), "prepare", &err);
    must(wasi_http_begin(g->wasi, &exchange, &request, &outparam, &err), "prepare", &err);
    must(canonical_give(g->canonical, g->lift, wasi_http_incoming_request(), request,
                        &values[0].i32, &err),
         "prepare", &err);
    must(canonical_give(g->canonical, g->lift, wasi_http_response_outparam(), outparam,
                        &values[1].i32, &err),
         "prepare", &err);
}

static enum call_result finished(struct instance *i, enum call_result result)
{
    while (result == CALL_PREEMPTED || result == CALL_SUSPENDED) result = instance_resume(i);
    return result;
}

static void live_once(struct guest *g, struct exchange *x, struct sample *ret)
{
    struct error err = {0};
    struct value values[16] = {{.i64 = 0}};
    const struct clock clock = {guest_monotonic_ns, guest_realtime_ns, x};
    x->first_call_ns = 0;
    x->body_read = x->answer_bytes = 0;
    uint64_t begin_ns = now_ns();
    prepare(g, x, &clock, values);
    enum call_result result =
        finished(g->instance, canonical_call_lift(g->instance, g->lift, values));
    if (result == CALL_RETURNED)
        result = finished(g->instance, canonical_returned(g->instance, g->lift, values));
    uint64_t end_ns = now_ns();
    if (result != CALL_RETURNED || x->status != 200 || !x->first_call_ns) {
        snprintf(err.text, sizeof err.text, "%s, status %d", instance_trap(g->instance)->text,
                 x->status);
        must(ST_TRAP, "request", &err);
    }
    canonical_clear(g->canonical, g->wasi);
    wasi_preview2_clear(g->wasi);
    must(instance_reset(g->instance, NULL, &err), "reset", &err);
    *ret = (struct sample){
        .start_ns = (uint32_t)(x->first_call_ns - begin_ns),
        .guest_ns = (uint32_t)(end_ns - x->first_call_ns),
        .reset_ns = (uint32_t)(now_ns() - end_ns),
    };
}

/* ---- printing ---- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

enum field { START, GUEST, RESET, SUM, FIELDS };

static uint32_t field_of(const struct sample *s, enum field field)
{
    const uint32_t values[FIELDS] = {s->start_ns, s->guest_ns, s->reset_ns,
                                     s->start_ns + s->reset_ns};
    return values[field];
}

static void print_field(const char *name, const struct sample *samples, enum field field)
{
    static uint32_t sorted[REQUESTS];
    for (size_t k = 0; k < REQUESTS; k++) sorted[k] = field_of(&samples[k], field);
    qsort(sorted, REQUESTS, sizeof *sorted, compare);
    printf(" %s_p50_ns=%u %s_p99_ns=%u", name, sorted[REQUESTS / 2], name,
           sorted[REQUESTS * 99 / 100]);
}

static uint64_t faults_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

static void measure(const char *name, const char *path, struct exchange *x)
{
    static struct sample samples[REQUESTS];
    struct guest g;
    guest_open(path, &g);
    memset(samples, 1, sizeof samples); /* their own pages are there before */
    for (size_t k = 0; k < WARM_UP; k++) live_once(&g, x, &samples[k]);
    uint64_t before = faults_now();
    for (size_t k = 0; k < REQUESTS; k++) live_once(&g, x, &samples[k]);
    double faults = (double)(faults_now() - before) / REQUESTS;
    printf("warm name=%s pages=%zu", name, g.instance->slot.pages_count);
    print_field("start", samples, START);
    print_field("reset", samples, RESET);
    print_field("sum", samples, SUM);
    print_field("guest", samples, GUEST);
    printf(" faults=%.6f answer_bytes=%zu\n", faults, x->answer_bytes);
    guest_close(&g);
}

int main(int argc, char **argv)
{
    static char body[BODY_BYTES + 1];
    struct error err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: bench_js HELLO ECHO\n");
        return 2;
    }
    /* {"text":"xx…x"} */
    memset(body, 'x', BODY_BYTES);
    memcpy(body, "{\"text\":\"", strlen("{\"text\":\""));
    memcpy(body + BODY_BYTES - 2, "\"}", 2);
    struct exchange hello = {.method = "GET"};
    struct exchange echo = {.method = "POST", .body = body, .body_bytes = BODY_BYTES};
    must(runtime_init(&err), "runtime", &err);
    must(runtime_thread_init(&err), "thread", &err);
    measure("hello", argv[1], &hello);
    measure("echo", argv[2], &echo);
    return 0;
}
