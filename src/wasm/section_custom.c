/* Custom sections, and the names in the one called "name" (Core §5.5.3, §7.4). */
#include <string.h>

#include "decode.h"

#define NAMES_MODULE    0u
#define NAMES_FUNCTIONS 1u

enum status section_custom(struct decoder *d)
{
    struct module_full *full = d->full;
    if (!GROW(full->customs, full->customs_capacity, d->m->customs_count + 1))
        return wasm_fail_memory(d->err, d->r.offset);
    struct wasm_custom *custom = &full->customs[d->m->customs_count];
    d->m->customs = full->customs;
    TRY(decode_name(d, &custom->name));
    custom->offset = d->r.offset;
    custom->size_bytes = reader_left(&d->r);
    d->r.offset = d->r.end;
    d->m->customs_count++;
    return ST_OK;
}

const struct wasm_custom *wasm_module_custom(const struct wasm_module *m, const char *name)
{
    size_t size = strlen(name);
    for (uint32_t i = 0; i < m->customs_count; i++) {
        const struct wasm_custom *custom = &m->customs[i];
        if (custom->name.size_bytes == size && !memcmp(custom->name.text, name, size))
            return custom;
    }
    return NULL;
}

static enum status read_function_names(struct decoder *d)
{
    struct wasm_name *names = NULL;
    uint32_t count, index = 0;
    TRY(reader_count(&d->r, UINT32_MAX, "names", &count, d->err));
    TRY(decode_alloc(d, d->m->funcs_count, sizeof *names, &names));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t previous = index;
        TRY(decode_index(d, d->m->funcs_count, "function", &index));
        if (i && index <= previous)
            return wasm_fail(d->err, ST_INVALID, d->r.offset, "names out of order");
        TRY(decode_name(d, &names[index]));
    }
    d->m->func_names = names;
    return ST_OK;
}

/* Subsections in rising order, each at most once. */
static enum status read_names(struct decoder *d)
{
    unsigned next = 0;
    size_t end = d->r.end;
    while (d->r.offset < end) {
        uint8_t id = 0;
        uint32_t size;
        TRY(reader_u8(&d->r, &id, d->err));
        TRY(reader_u32(&d->r, &size, d->err));
        if (id < next || size > reader_left(&d->r))
            return wasm_fail(d->err, ST_INVALID, d->r.offset, "malformed name subsection");
        next = id + 1u;
        d->r.end = d->r.offset + size;
        if (id == NAMES_MODULE) TRY(decode_name(d, &d->m->module_name));
        if (id == NAMES_FUNCTIONS) TRY(read_function_names(d));
        if (id <= NAMES_FUNCTIONS && d->r.offset != d->r.end)
            return wasm_fail(d->err, ST_INVALID, d->r.offset, "malformed name subsection");
        d->r.offset = d->r.end;
        d->r.end = end;
    }
    return ST_OK;
}

enum status names_read(struct decoder *d)
{
    const struct wasm_custom *custom = wasm_module_custom(d->m, "name");
    if (!custom) return ST_OK;
    d->r = (struct wasm_reader){d->m->bytes, custom->offset, custom->offset + custom->size_bytes};
    enum status st = read_names(d);
    if (!st) return ST_OK;
    d->m->module_name = (struct wasm_name){0};
    d->m->func_names = NULL;
    return st == ST_NO_MEMORY ? st : ST_OK;
}
