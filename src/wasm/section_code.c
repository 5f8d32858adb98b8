/* The code section: local declarations, then each body at once through the validator
 * (Core §5.5.13). */
#include <string.h>

#include "decode.h"

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
    TRY(validate_body(d->validator, f));
    d->r.offset = f->body_end;
    d->r.end = section_end;
    return ST_OK;
}

enum status section_code(struct decoder *d)
{
    size_t start = d->r.offset;
    uint32_t count, first = d->m->imported_funcs_count;
    TRY(reader_count(&d->r, WASM_FUNCTIONS_MAX, "function bodies", &count, d->err));
    if (count != d->m->funcs_count - first)
        return wasm_fail(d->err, ST_INVALID, start,
                         "function and code section have inconsistent lengths");
    d->has_code = true;
    for (uint32_t i = 0; i < count; i++) TRY(read_body(d, &d->full->funcs[first + i]));
    return ST_OK;
}
