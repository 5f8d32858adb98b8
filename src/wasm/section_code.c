/* The code section (Core §5.5.13): the local declarations of all bodies, then the bodies through
 * validators, on several threads where they are long. What is reported is what one thread would
 * have found first. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/threads.h"
#include "decode.h"

#define PARALLEL_BYTES_MIN (256u << 10) /* of the section; validating that takes 2 ms */
#define CHUNK_FUNCTIONS    32u          /* that a thread takes at a time */

static enum status read_run(struct decoder *d, struct wasm_local_run *run, uint32_t *total)
{
    size_t start = d->r.offset;
    TRY(reader_u32(&d->r, &run->count, d->err));
    if (run->count > WASM_LOCALS_MAX - *total)
        return wasm_fail(d->err, ST_LIMIT, start, "more than %u locals", WASM_LOCALS_MAX);
    *total += run->count;
    return decode_valtype(d, &run->type);
}

static enum status read_locals(struct decoder *d, struct wasm_func *f)
{
    struct wasm_local_run *runs = NULL;
    TRY(reader_count(&d->r, UINT32_MAX, "local declarations", &f->runs_count, d->err));
    TRY(decode_alloc(d, f->runs_count, sizeof *runs, &runs));
    for (uint32_t i = 0; i < f->runs_count; i++) TRY(read_run(d, &runs[i], &f->locals_count));
    f->runs = runs;
    return ST_OK;
}

static enum status read_body(struct decoder *d, struct wasm_func *f)
{
    size_t start = d->r.offset, section_end = d->r.end;
    uint32_t size;
    TRY(reader_u32(&d->r, &size, d->err));
    if (size > reader_left(&d->r))
        return wasm_fail(d->err, ST_INVALID, start, "function body: length out of bounds");
    if (size > WASM_BODY_BYTES_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "function body of %u bytes, the limit is %u",
                         size, WASM_BODY_BYTES_MAX);
    d->r.end = d->r.offset + size;
    f->body_end = d->r.end;
    TRY(read_locals(d, f));
    f->body_offset = d->r.offset;
    d->r.offset = f->body_end;
    d->r.end = section_end;
    return ST_OK;
}

/* ---- validation ---- */

struct work {
    struct decoder *d;
    const struct wasm_func *funcs;
    uint32_t count;
    atomic_uint next;     /* function */
    pthread_mutex_t lock; /* for the rest, and the module's features */
    atomic_uint failed;   /* the first function that is invalid; `count`: none */
    struct error error;   /* its */
};

static void note_failed(struct work *w, uint32_t func, const struct error *error)
{
    pthread_mutex_lock(&w->lock);
    if (func < atomic_load(&w->failed)) {
        atomic_store(&w->failed, func);
        w->error = *error;
    }
    pthread_mutex_unlock(&w->lock);
}

/* Chunks are taken in order, so those before a function that is invalid are all seen to. */
static void validate_chunks(struct work *w, struct validator *v)
{
    for (;;) {
        uint32_t first = atomic_fetch_add(&w->next, CHUNK_FUNCTIONS);
        for (uint32_t i = first; i < first + CHUNK_FUNCTIONS; i++) {
            if (i >= atomic_load(&w->failed)) return;
            if (!validate_body(v, &w->funcs[i])) continue;
            note_failed(w, i, v->err);
            return;
        }
    }
}

static void *validate_on_thread(void *context)
{
    struct work *w = context;
    struct error error;
    struct validator *v;
    if (validator_new(w->d->m, &error, &v)) {
        note_failed(w, 0, &error);
        return NULL;
    }
    v->has_data_count = w->d->validator->has_data_count;
    v->data_count = w->d->validator->data_count;
    validate_chunks(w, v);
    pthread_mutex_lock(&w->lock);
    w->d->m->features |= v->features;
    pthread_mutex_unlock(&w->lock);
    validator_free(v);
    return NULL;
}

static enum status validate_bodies(struct decoder *d, uint32_t first, uint32_t count, size_t bytes)
{
    if (count == 0) return ST_OK;
    const struct wasm_func *funcs = &d->full->funcs[first];
    if (d->threads == 1 || bytes < PARALLEL_BYTES_MIN) {
        for (uint32_t i = 0; i < count; i++) TRY(validate_body(d->validator, &funcs[i]));
        return ST_OK;
    }
    struct work w = {.d = d, .funcs = funcs, .count = count, .failed = count};
    pthread_mutex_init(&w.lock, NULL);
    threads_run(d->threads, validate_on_thread, &w);
    pthread_mutex_destroy(&w.lock);
    if (w.failed == count) return ST_OK;
    *d->err = w.error;
    return w.error.status;
}

/* Of bodies that cannot be read those before are validated all the same: they come first. */
enum status section_code(struct decoder *d)
{
    size_t start = d->r.offset;
    uint32_t count, read = 0, first = d->m->imported_funcs_count;
    TRY(reader_count(&d->r, WASM_FUNCTIONS_MAX, "function bodies", &count, d->err));
    if (count != d->m->funcs_count - first)
        return wasm_fail(d->err, ST_INVALID, start,
                         "function and code section have inconsistent lengths");
    d->has_code = true;
    struct error unread;
    enum status st = ST_OK;
    while (read < count) {
        st = read_body(d, &d->full->funcs[first + read]);
        if (st) break;
        read++;
    }
    if (st) unread = *d->err;
    TRY(validate_bodies(d, first, read, d->r.offset - start));
    if (st) *d->err = unread;
    return st;
}
