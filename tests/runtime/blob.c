#include "blob.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact_writer.h"

static_assert(HOST_PAGE == SLOT_HOST_PAGE, "blob_offsets.h");
static_assert(HELPER_TRAP == (int)HELPER_trap, "blob_offsets.h");
static_assert(HELPER_IMPORT_CALL == (int)HELPER_import_call, "blob_offsets.h");

static_assert(offsetof(struct blob_registers, flags) == BLOB_FLAGS, "blob_offsets.h");
static_assert(offsetof(struct blob_registers, mxcsr) == BLOB_CONTROLS, "blob_offsets.h");
static_assert(offsetof(struct blob_registers, vectors) == BLOB_VECTORS, "blob_offsets.h");

extern const uint8_t blob_start[], blob_end[], blob_tramp_void[], blob_tramp_ii_i[];
extern const uint8_t blob_tramp_helper[];
#define X(name, type) extern const uint8_t blob_##name[], blob_##name##_end[];
BLOB_FUNCTIONS(X)
#undef X

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct error must_error = {0};                                                             \
        if (call) {                                                                                \
            fprintf(stderr, "%s: %s\n", #call, must_error.text);                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Strings: "" at 0, then each function's name, then whatever imports need. */
struct strings {
    char text[4096];
    size_t size;
};

static uint32_t add_string(struct strings *s, const char *text)
{
    size_t length = strlen(text) + 1;
    assert(s->size + length <= sizeof s->text);
    memcpy(s->text + s->size, text, length);
    s->size += length;
    return (uint32_t)(s->size - length);
}

struct parts {
    struct strings strings;
    struct artifact_func funcs[BLOB_FUNCTIONS_COUNT];
    uint32_t order[BLOB_FUNCTIONS_COUNT - 1];
    struct artifact_address addresses[BLOB_FUNCTIONS_COUNT];
    struct artifact_line lines[BLOB_FUNCTIONS_COUNT];
    struct artifact_import imports[64];
};

/* Function k is at wasm offset 0x100 * k and line k of blob.c. */
static void describe_functions(struct parts *p)
{
    static const struct {
        const char *name;
        const uint8_t *start, *end;
        uint32_t type;
    } rows[] = {
#define X(name, type) {#name, blob_##name, blob_##name##_end, type},
        BLOB_FUNCTIONS(X)
#undef X
    };
    uint32_t file = add_string(&p->strings, "src/blob.c");
    for (uint32_t k = 1; k < BLOB_FUNCTIONS_COUNT; k++) {
        uint32_t start = (uint32_t)(rows[k - 1].start - blob_start);
        p->funcs[k] = (struct artifact_func){
            .code_offset = start,
            .code_size = (uint32_t)(rows[k - 1].end - rows[k - 1].start),
            .type = rows[k - 1].type,
            .index = k - 1,
            .name = k == BLOB_divide ? 0 : add_string(&p->strings, rows[k - 1].name),
        };
        p->order[k - 1] = k;
        p->addresses[k] = (struct artifact_address){start, 0x100 * k};
        p->lines[k] = (struct artifact_line){
            .wasm_offset = 0x100 * k, .file = k == BLOB_add ? 0 : file, .line = k};
    }
}

static const char signatures[] = ":\0ii:i\0illlll:l";
static const struct artifact_instance instance = {.init_func = BLOB_init};
static const struct artifact_table tables[] = {
    {10, 200, BLOB_TABLE_SIZE_0, BLOB_TABLE_0, 100, 0},
    {5, 50, BLOB_TABLE_SIZE_1, BLOB_TABLE_1, 50, 0},
};
static const struct artifact_global globals[] = {
    {BLOB_GLOBAL_0, 'i', 1, {0}},
    {BLOB_GLOBAL_1, 'l', 1, {0}},
};

/* Read-only data: element segment 0, then data segment 0. */
static const struct {
    uint32_t elements[3];
    char data[sizeof BLOB_DATA];
} rodata = {{11, 12, 13}, BLOB_DATA};
static const struct artifact_data data = {sizeof rodata.elements, sizeof BLOB_DATA - 1,
                                          BLOB_DATA_DROPPED};
static const struct artifact_element elements[] = {
    {3, BLOB_ELEM_DROPPED, 0, 0},
    {2, 0, 1, BLOB_ELEMENTS_1},
};

static uint32_t code_offset(const uint8_t *code)
{
    return (uint32_t)(code - blob_start);
}

#define PART(object) {&(object), sizeof(object)}

static struct artifact *finish(const struct parts *p, const struct artifact_part imports,
                               const struct blob_options *options)
{
    const struct artifact_type types[BLOB_TYPES_COUNT] = {
        {0, code_offset(blob_tramp_void), 0, 0},
        {2, code_offset(blob_tramp_ii_i), 2, 1},
        {7, code_offset(blob_tramp_helper), 6, 1},
    };
    const uint32_t pages_min = options->memory_0_pages_min ? options->memory_0_pages_min : 1;
    const uint32_t pages_max = options->memory_0_pages_max ? options->memory_0_pages_max : 4;
    const struct artifact_memory memories[] = {
        {pages_min, pages_max, BLOB_MEMORY_SIZE_0, 0},
        {0, 2, BLOB_MEMORY_SIZE_1, 1},
    };
    const struct artifact_export export = {.name = p->funcs[BLOB_add].name, .index = BLOB_add};
    const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT] = {
        [ARTIFACT_CODE] = {blob_start, code_offset(blob_end)},
        [ARTIFACT_RODATA] = PART(rodata),
        [ARTIFACT_FUNCS] = PART(p->funcs),
        [ARTIFACT_FUNC_ORDER] = PART(p->order),
        [ARTIFACT_TYPES] = PART(types),
        [ARTIFACT_TYPE_CODES] = PART(signatures),
        [ARTIFACT_IMPORTS] = imports,
        [ARTIFACT_EXPORTS] = PART(export),
        [ARTIFACT_INSTANCES] = PART(instance),
        [ARTIFACT_MEMORIES] = PART(memories),
        [ARTIFACT_TABLES] = PART(tables),
        [ARTIFACT_GLOBALS] = PART(globals),
        [ARTIFACT_DATAS] = PART(data),
        [ARTIFACT_ELEMENTS] = PART(elements),
        [ARTIFACT_ADDRESSES] = {p->addresses + 1, sizeof p->addresses - sizeof p->addresses[0]},
        [ARTIFACT_LINES] = {p->lines + 1, sizeof p->lines - sizeof p->lines[0]},
        [ARTIFACT_STRINGS] = {p->strings.text, p->strings.size},
    };
    const struct artifact_header header = {.engine = ARTIFACT_ENGINE,
                                           .cpu_level = options->cpu_level ? options->cpu_level : 2,
                                           .context_bytes = BLOB_CONTEXT_BYTES};
    struct buffer file;
    buffer_init(&file, 1 << 20);
    struct artifact *a = NULL;
    MUST(artifact_write(&header, parts, &file, &must_error));
    MUST(artifact_open_bytes(file.data, file.size_bytes, &a, &must_error));
    buffer_done(&file);
    return a;
}

struct artifact *blob_artifact(const struct blob_options *options)
{
    static const struct blob_import host = {"env", "host", BLOB_host};
    static const struct blob_options defaults;
    if (!options) options = &defaults;
    const struct blob_import *imports = options->imports ? options->imports : &host;
    size_t count = options->imports ? options->imports_count : 1;

    struct parts *p = calloc(1, sizeof *p);
    assert(p && count <= ARRAY_COUNT(p->imports));
    add_string(&p->strings, "");
    describe_functions(p);
    for (size_t k = 0; k < count; k++) {
        uint32_t module = add_string(&p->strings, imports[k].module);
        uint32_t field = add_string(&p->strings, imports[k].field);
        p->imports[k] = (struct artifact_import){module, field, imports[k].func};
    }
    const struct artifact_part part = {p->imports, count * sizeof p->imports[0]};
    struct artifact *a = finish(p, part, options);
    free(p);
    return a;
}

struct artifact *blob_with_image(const struct artifact *a, const struct buffer *extents,
                                 const struct buffer *image)
{
    struct buffer file;
    buffer_init(&file, 4 << 20);
    struct artifact *with = NULL;
    const struct artifact_image frozen = {
        .extents = (const struct artifact_extent *)extents->data,
        .extents_count = extents->size_bytes / sizeof(struct artifact_extent),
        .bytes = {image->data, image->size_bytes},
    };
    MUST(artifact_write_image(a, &frozen, &file, &must_error));
    MUST(artifact_open_bytes(file.data, file.size_bytes, &with, &must_error));
    buffer_done(&file);
    return with;
}
