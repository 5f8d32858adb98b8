/* The artifact's reader. The first byte chooses: 0, the rest is a file, whose identity and digest
 * are put right so that the checks behind them are reached; else the rest is cut into sections that
 * the writer puts together. What opens is looked through from end to end. */
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact_writer.h"
#include "base/sha256.h"

#define FILE_BYTES_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static void read_all(const void *bytes, size_t size_bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size_bytes; i++) sum += ((const uint8_t *)bytes)[i];
    sink = sum;
}

static void read_string(const struct artifact *a, uint32_t offset)
{
    sink = strlen(artifact_string(a, offset));
}

static void look_up(const struct artifact *a, uint32_t code_offset)
{
    uint32_t wasm_offset, line;
    const char *file;
    const struct artifact_func *f = artifact_find_func(a, code_offset);
    if (f) read_string(a, f->name);
    if (f && (code_offset < f->code_offset || code_offset - f->code_offset >= f->code_size))
        abort();
    if (artifact_find_wasm_offset(a, code_offset, &wasm_offset) &&
        artifact_find_line(a, f ? f->instance : 0, wasm_offset, &file, &line))
        sink = strlen(file);
}

static void walk_names(const struct artifact *a)
{
    size_t count;
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, &count);
    for (size_t i = 0; i < count; i++) {
        read_string(a, funcs[i].name);
        look_up(a, funcs[i].code_offset);
        look_up(a, funcs[i].code_offset + funcs[i].code_size);
    }
    const struct artifact_import *imports = artifact_section(a, ARTIFACT_IMPORTS, &count);
    for (size_t i = 0; i < count; i++) {
        read_string(a, imports[i].module);
        read_string(a, imports[i].field);
    }
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    for (size_t i = 0; i < count; i++) {
        const struct artifact_export *x =
            artifact_find_export(a, artifact_string(a, exports[i].name), exports[i].kind);
        if (!x || x->kind != exports[i].kind) abort();
    }
    const struct artifact_line *lines = artifact_section(a, ARTIFACT_LINES, &count);
    for (size_t i = 0; i < count; i++) {
        const char *file;
        uint32_t line;
        bool known = artifact_find_line(a, lines[i].instance, lines[i].wasm_offset, &file, &line);
        if (known != (lines[i].file != 0)) abort();
    }
}

/* Parts come before what is made of them, and lie within it. */
static void walk_types(const struct artifact *a)
{
    size_t count;
    const struct artifact_wit_type *types = artifact_section(a, ARTIFACT_WIT_TYPES, &count);
    const struct artifact_wit_field *fields = artifact_section(a, ARTIFACT_WIT_FIELDS, NULL);
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < types[i].fields_count; k++) {
            const struct artifact_wit_field *f = &fields[types[i].fields_first + k];
            sink = strlen(artifact_wit_string(a, f->name));
            if (f->type >= i) abort();
            if (types[i].kind == WIT_RECORD &&
                f->offset + types[f->type].size_bytes > types[i].size_bytes)
                abort();
        }
}

static void walk_component(const struct artifact *a)
{
    size_t count;
    const struct artifact_canon *canons = artifact_section(a, ARTIFACT_CANONS, &count);
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, NULL);
    const struct artifact_wit_type *types = artifact_section(a, ARTIFACT_WIT_TYPES, NULL);
    const struct artifact_lift *lifts = artifact_section(a, ARTIFACT_LIFTS, NULL);
    for (size_t i = 0; i < count; i++) {
        sink = funcs[canons[i].func].type + strlen(artifact_wit_string(a, canons[i].interface)) +
               strlen(artifact_wit_string(a, canons[i].name));
        if (canons[i].kind == CANON_LOWER_LIFTED) sink = lifts[canons[i].lift].type;
    }
    const struct artifact_component_export *exports =
        artifact_section(a, ARTIFACT_COMPONENT_EXPORTS, &count);
    for (size_t i = 0; i < count; i++)
        if (types[lifts[exports[i].lift].type].kind != WIT_FUNC) abort();
    walk_types(a);
}

static void walk(const struct artifact *a)
{
    size_t size;
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        (void)artifact_section(a, i, NULL);
        read_all(artifact_section(a, i, NULL), artifact_header(a)->sections[i].size_bytes);
        if (artifact_file_offset(a, i) + artifact_header(a)->sections[i].size_bytes >
            ARTIFACT_BYTES_MAX)
            abort();
    }
    const uint8_t *code = artifact_code(a, &size);
    read_all(code, size);
    for (uint32_t at = 0; at < size; at += 1 + (uint32_t)size / 64) look_up(a, at);
    look_up(a, UINT32_MAX);
    const uint8_t *rodata = artifact_rodata(a, &size);
    read_all(rodata, size);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &size);
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, NULL);
    for (size_t i = 0; i < size; i++)
        if (strlen(codes + types[i].signature) !=
            1 + (size_t)types[i].params_count + types[i].results_count)
            abort();
    walk_names(a);
    walk_component(a);
}

static void open_and_walk(const uint8_t *bytes, size_t size_bytes)
{
    struct artifact *a = NULL;
    struct error err;
    if (artifact_open_bytes(bytes, size_bytes, &a, &err)) {
        if (a || !err.text[0]) abort();
        return;
    }
    walk(a);
    artifact_close(a);
}

static void fuzz_file(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (!copy) return;
    memcpy(copy, data, size);
    if (size >= sizeof(struct artifact_header)) {
        struct artifact_header *h = (void *)copy;
        memcpy(h->magic, ARTIFACT_MAGIC, sizeof h->magic);
        h->format = ARTIFACT_FORMAT;
        h->header_bytes = sizeof *h;
        memset(h->engine, 0, sizeof h->engine);
        memcpy(h->engine, ARTIFACT_ENGINE, strlen(ARTIFACT_ENGINE));
        artifact_digest(copy, size, h->digest);
    }
    open_and_walk(copy, size);
    free(copy);
}

/* Each section: two bytes of length, then that many bytes. */
static void fuzz_parts(uint8_t mode, const uint8_t *data, size_t size)
{
    struct artifact_header h = {.engine = ARTIFACT_ENGINE, .cpu_level = 2};
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT] = {0};
    struct buffer file;
    struct error err;
    h.flags = mode & 1 ? ARTIFACT_INITIALISED : 0;
    h.context_bytes = (uint64_t)ARTIFACT_PAGE << (mode >> 4);
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT && size >= 2; i++) {
        size_t length = data[0] | (size_t)data[1] << 8;
        if (length > size - 2) length = size - 2;
        parts[i] = (struct artifact_part){data + 2, length};
        data += 2 + length;
        size -= 2 + length;
    }
    buffer_init(&file, FILE_BYTES_MAX);
    if (!artifact_write(&h, parts, &file, &err)) open_and_walk(file.data, file.size_bytes);
    buffer_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    if (data[0])
        fuzz_parts(data[0], data + 1, size - 1);
    else
        fuzz_file(data + 1, size - 1);
    return 0;
}
