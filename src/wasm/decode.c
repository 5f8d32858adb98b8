/* The module as a whole: preamble, order of sections, what holds between sections (Core §5.5). */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/threads.h"

enum section_id {
    SECTION_CUSTOM,
    SECTION_TYPE,
    SECTION_IMPORT,
    SECTION_FUNCTION,
    SECTION_TABLE,
    SECTION_MEMORY,
    SECTION_GLOBAL,
    SECTION_EXPORT,
    SECTION_START,
    SECTION_ELEMENT,
    SECTION_CODE,
    SECTION_DATA,
    SECTION_DATA_COUNT,
    SECTION_TAG,
    SECTION_IDS
};

/* `rank` is the section's place in the order that a module must keep. */
static const struct section {
    const char *name;
    unsigned rank;
    enum status (*read)(struct decoder *d);
} sections[SECTION_IDS] = {
    [SECTION_CUSTOM] = {"custom", 0, section_custom},
    [SECTION_TYPE] = {"type", 1, section_types},
    [SECTION_IMPORT] = {"import", 2, section_imports},
    [SECTION_FUNCTION] = {"function", 3, section_functions},
    [SECTION_TABLE] = {"table", 4, section_tables},
    [SECTION_MEMORY] = {"memory", 5, section_memories},
    [SECTION_TAG] = {"tag", 6, section_tags},
    [SECTION_GLOBAL] = {"global", 7, section_globals},
    [SECTION_EXPORT] = {"export", 8, section_exports},
    [SECTION_START] = {"start", 9, section_start},
    [SECTION_ELEMENT] = {"element", 10, section_elements},
    [SECTION_DATA_COUNT] = {"data count", 11, section_data_count},
    [SECTION_CODE] = {"code", 12, section_code},
    [SECTION_DATA] = {"data", 13, section_data},
};

static enum status read_preamble(struct wasm_reader *r, struct error *err)
{
    static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {1, 0, 0, 0};
    static const uint8_t component[4] = {0x0d, 0, 1, 0};
    const uint8_t *bytes = NULL;
    if (reader_left(r) < 4 || memcmp(r->bytes, magic, 4) != 0)
        return wasm_fail(err, ST_INVALID, 0, "not a WebAssembly module: no \\0asm at its start");
    r->offset = 4;
    TRY(reader_bytes(r, 4, &bytes, err));
    if (!memcmp(bytes, component, 4))
        return wasm_fail(err, ST_INVALID, 4, "a component, where a core module is expected");
    if (memcmp(bytes, version, 4) != 0)
        return wasm_fail(err, ST_INVALID, 4, "unknown binary version");
    return ST_OK;
}

static enum status read_section(struct decoder *d, struct wasm_reader *whole, unsigned *rank)
{
    size_t start = whole->offset;
    uint8_t id = 0;
    uint32_t size;
    TRY(reader_u8(whole, &id, d->err));
    if (id >= SECTION_IDS)
        return wasm_fail(d->err, ST_INVALID, start, "malformed section id %u", id);
    const struct section *section = &sections[id];
    if (section->rank && section->rank <= *rank)
        return wasm_fail(d->err, ST_INVALID, start, "%s section out of order or repeated",
                         section->name);
    if (section->rank) *rank = section->rank;
    TRY(reader_u32(whole, &size, d->err));
    if (size > reader_left(whole))
        return wasm_fail(d->err, ST_INVALID, start, "%s section: length out of bounds",
                         section->name);
    d->r = (struct wasm_reader){whole->bytes, whole->offset, whole->offset + size};
    TRY(section->read(d));
    if (d->r.offset != d->r.end)
        return wasm_fail(d->err, ST_INVALID, d->r.offset, "%s section: size mismatch",
                         section->name);
    whole->offset = d->r.end;
    return ST_OK;
}

/* What only the end of the module can tell. */
static enum status check_counts(struct decoder *d)
{
    size_t end = d->m->size_bytes;
    uint32_t defined = d->m->funcs_count - d->m->imported_funcs_count;
    if (defined && !d->has_code)
        return wasm_fail(d->err, ST_INVALID, end,
                         "function and code section have inconsistent lengths");
    if (d->validator->has_data_count && d->validator->data_count && !d->has_data)
        return wasm_fail(d->err, ST_INVALID, end,
                         "data count and data section have inconsistent lengths");
    return ST_OK;
}

static enum status decode_all(struct decoder *d)
{
    struct wasm_reader whole = {d->m->bytes, 0, d->m->size_bytes};
    unsigned rank = 0;
    TRY(read_preamble(&whole, d->err));
    while (whole.offset < whole.end) TRY(read_section(d, &whole, &rank));
    TRY(check_counts(d));
    d->m->features |= d->validator->features;
    return names_read(d);
}

static void decoder_done(struct decoder *d)
{
    validator_free(d->validator);
    type_map_done(&d->groups);
    buffer_done(&d->type_scratch);
    free(d->valtypes);
    free(d->runs);
}

static struct module_full *module_new(const uint8_t *bytes, size_t size_bytes)
{
    struct module_full *full = calloc(1, sizeof *full);
    if (!full) return NULL;
    arena_init(&full->arena, size_bytes * MODULE_BYTES_FACTOR + MODULE_BYTES_BASE);
    full->m.bytes = bytes;
    full->m.size_bytes = size_bytes;
    return full;
}

enum status wasm_module_decode(const uint8_t *bytes, size_t size_bytes, uint32_t threads,
                               struct wasm_module **ret, struct error *err)
{
    struct error unwanted;
    if (!err) err = &unwanted;
    if (size_bytes > WASM_MODULE_BYTES_MAX)
        return wasm_fail(err, ST_LIMIT, 0, "module of %zu bytes, the limit is %u", size_bytes,
                         WASM_MODULE_BYTES_MAX);
    struct module_full *full = module_new(bytes, size_bytes);
    if (!full) return wasm_fail_memory(err, 0);
    struct decoder d = {.full = full, .m = &full->m, .err = err, .threads = threads_count(threads)};
    buffer_init(&d.type_scratch, SIZE_MAX);
    enum status st = validator_new(&full->m, err, &d.validator);
    if (!st) st = decode_all(&d);
    decoder_done(&d);
    if (st) {
        wasm_module_free(&full->m);
        return st;
    }
    *ret = &full->m;
    return ST_OK;
}

void wasm_module_free(struct wasm_module *m)
{
    if (!m) return;
    struct module_full *full = (struct module_full *)m;
    free(full->types);
    free(full->digests);
    free(full->funcs);
    free(full->tables);
    free(full->memories);
    free(full->globals);
    free(full->tags);
    free(full->customs);
    arena_done(&full->arena);
    free(full);
}

const char *wasm_external_name(enum wasm_external kind)
{
    switch (kind) {
    case WASM_EXT_FUNC: return "func";
    case WASM_EXT_TABLE: return "table";
    case WASM_EXT_MEMORY: return "memory";
    case WASM_EXT_GLOBAL: return "global";
    case WASM_EXT_TAG: return "tag";
    }
    return "unknown";
}
