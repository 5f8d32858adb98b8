/* A component as a whole: preamble, sections, nesting, what the caller gets. */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {0x0d, 0, 1, 0};

static enum status parse_section_custom(struct decoder *d)
{
    const uint8_t *name = NULL;
    uint32_t size;
    TRY(reader_name(&d->r, &name, &size, d->err));
    d->r.offset = d->r.end;
    return ST_OK;
}

static enum status parse_section_start(struct decoder *d)
{
    return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset,
                     "start functions of components are not supported");
}

static enum status parse_section_values(struct decoder *d)
{
    return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset, "value definitions are not supported");
}

static const struct section {
    const char *name;
    enum status (*read)(struct decoder *d);
} sections[] = {
    {"custom", parse_section_custom},
    {"core module", parse_section_core_module},
    {"core instance", parse_section_core_instances},
    {"core type", parse_section_core_types},
    {"component", parse_section_component},
    {"instance", parse_section_instances},
    {"alias", parse_section_aliases},
    {"type", parse_section_types},
    {"canon", parse_section_canons},
    {"start", parse_section_start},
    {"import", parse_section_imports},
    {"export", parse_section_exports},
    {"value", parse_section_values},
};

static enum status read_preamble(struct decoder *d)
{
    const uint8_t *bytes = NULL;
    size_t start = d->r.offset;
    TRY(reader_bytes(&d->r, 4, &bytes, d->err));
    if (memcmp(bytes, magic, 4) != 0)
        return wasm_fail(d->err, ST_INVALID, start, "not WebAssembly: no \\0asm at its start");
    TRY(reader_bytes(&d->r, 4, &bytes, d->err));
    if (bytes[2] == 0 && bytes[3] == 0)
        return wasm_fail(d->err, ST_INVALID, start + 4,
                         "a core module, where a component is expected");
    if (memcmp(bytes, version, 4) != 0)
        return wasm_fail(d->err, ST_INVALID, start + 4, "unknown binary version");
    return ST_OK;
}

static enum status read_section(struct decoder *d, struct wasm_reader *whole)
{
    size_t start = whole->offset;
    uint8_t id = 0;
    uint32_t size;
    TRY(reader_u8(whole, &id, d->err));
    if (id >= ARRAY_COUNT(sections))
        return wasm_fail(d->err, ST_INVALID, start, "malformed section id %u", id);
    TRY(reader_u32(whole, &size, d->err));
    if (size > reader_left(whole))
        return wasm_fail(d->err, ST_INVALID, start, "%s section: unexpected end",
                         sections[id].name);
    d->r = (struct wasm_reader){whole->bytes, whole->offset, whole->offset + size};
    whole->offset += size;
    TRY(sections[id].read(d));
    if (d->r.offset != whole->offset)
        return wasm_fail(d->err, ST_INVALID, d->r.offset, "%s section: size mismatch",
                         sections[id].name);
    return ST_OK;
}

/* What is left of a complete scope once its index spaces are gone. */
static enum status keep_body(struct decoder *d, struct scope *s, struct component_body *body)
{
    struct component_definition *definitions = NULL;
    uint32_t *types = NULL;
    TRY(scope_type(d, s, &body->type));
    TRY(parse_alloc(d, s->definitions_count, sizeof *definitions, &definitions));
    TRY(parse_alloc(d, s->counts[COMPONENT_SORT_TYPE], sizeof *types, &types));
    if (s->definitions_count)
        memcpy(definitions, s->definitions, s->definitions_count * sizeof *definitions);
    if (s->counts[COMPONENT_SORT_TYPE])
        memcpy(types, s->types, s->counts[COMPONENT_SORT_TYPE] * sizeof *types);
    body->definitions = definitions;
    body->definitions_count = s->definitions_count;
    body->types = types;
    memcpy(body->counts, s->counts, sizeof body->counts);
    return ST_OK;
}

static enum status read_body(struct decoder *d, struct scope *s, struct component_body *body)
{
    s->body = body;
    body->offset = d->r.offset;
    body->parent = s->parent ? s->parent->body : NULL;
    TRY(read_preamble(d));
    struct wasm_reader whole = d->r;
    while (whole.offset < whole.end) TRY(read_section(d, &whole));
    d->r = whole;
    return keep_body(d, s, body);
}

static enum status parse_body(struct decoder *d, struct component_body **ret)
{
    struct component_body *body = NULL;
    struct scope *s = NULL;
    if (++d->bodies_count > COMPONENT_COUNT_MAX)
        return wasm_fail(d->err, ST_LIMIT, d->r.offset, "more than %u components",
                         COMPONENT_COUNT_MAX);
    TRY(parse_alloc(d, 1, sizeof *body, &body));
    TRY(scope_open(d, SCOPE_COMPONENT, &s));
    enum status st = read_body(d, s, body);
    scope_close(d, s);
    *ret = body;
    return st;
}

enum status parse_section_component(struct decoder *d)
{
    struct component_body *body = NULL;
    struct component_definition def = {.kind = COMPONENT_DEFINE_COMPONENT,
                                       .sort = COMPONENT_SORT_COMPONENT,
                                       .offset = d->r.offset};
    TRY(parse_body(d, &body));
    TRY(add_entry(d, COMPONENT_SORT_COMPONENT, body->type));
    def.body = body;
    return add_definition(d, &def);
}

/* ---- the whole ---- */

static enum status parse_all(struct decoder *d)
{
    struct component_full *full = d->full;
    struct component_body *root = NULL;
    TRY(type_store_init(&full->store, &full->arena, SIZE_MAX, d->err));
    full->store.work_max = COMPONENT_WORK_MAX;
    TRY(parse_body(d, &root));
    full->c.root = root;
    full->c.types = &full->store.t;
    full->c.modules = full->modules;
    return ST_OK;
}

bool component_is(const uint8_t *bytes, size_t size_bytes)
{
    return size_bytes >= 8 && memcmp(bytes, magic, 4) == 0 && bytes[6] == version[2] &&
           bytes[7] == version[3];
}

enum status component_decode(const uint8_t *bytes, size_t size_bytes, uint32_t threads,
                             struct component **ret, struct error *err)
{
    struct error unwanted;
    if (!err) err = &unwanted;
    if (size_bytes > COMPONENT_BYTES_MAX)
        return wasm_fail(err, ST_LIMIT, 0, "component of %zu bytes, the limit is %u", size_bytes,
                         COMPONENT_BYTES_MAX);
    struct component_full *full = calloc(1, sizeof *full);
    if (!full) return wasm_fail_memory(err, 0);
    size_t cap = size_bytes * COMPONENT_BYTES_FACTOR + COMPONENT_BYTES_BASE;
    arena_init(&full->arena, cap < COMPONENT_ARENA_MAX ? cap : COMPONENT_ARENA_MAX);
    full->c.bytes = bytes;
    full->c.size_bytes = size_bytes;
    struct decoder d = {.full = full,
                        .store = &full->store,
                        .err = err,
                        .threads = threads,
                        .r = {bytes, 0, size_bytes}};
    enum status st = parse_all(&d);
    if (st) {
        component_free(&full->c);
        return st;
    }
    *ret = &full->c;
    return ST_OK;
}

void component_free(struct component *c)
{
    if (!c) return;
    struct component_full *full = (struct component_full *)c;
    for (uint32_t i = 0; i < c->modules_count; i++)
        wasm_module_free((struct wasm_module *)full->modules[i].module);
    for (uint32_t i = 0; i < full->owned_count; i++) wasm_module_free(full->owned[i]);
    free(full->modules);
    free(full->owned);
    type_store_done(&full->store);
    arena_done(&full->arena);
    free(full);
}
