#include "sample.h"

#include <assert.h>
#include <string.h>

#include "base/sha256.h"

#define CODE_BYTES   5000u /* two pages, the second not full */
#define RODATA_BYTES 600u

static uint8_t code[CODE_BYTES], rodata[RODATA_BYTES];

/* Offsets into `strings`. */
enum { S_EMPTY, S_INIT = 1, S_ADD = 8, S_WASI = 12, S_WRITE = 35, S_MODULE = 44, S_FILE = 50 };
static const char strings[] = "\0(init)\0add\0wasi_snapshot_preview1\0fd_write\0hello\0src/add.c";

/* Functions are deliberately not in the order of their code. */
static const struct artifact_func funcs[] = {
    {0},
    {.code_offset = 512, .code_size = 100, .type = 1, .name = S_WRITE},
    {.code_offset = 16, .code_size = 48, .type = 1, .index = 1, .name = S_ADD},
    {.code_offset = 4200, .code_size = 64, .type = 2, .index = 2},
    {.code_offset = 64, .code_size = 16, .type = 0, .name = S_INIT},
};
static const uint32_t order[] = {2, 4, 1, 3};

static const char type_codes[] = ":\0ii:i\0:";
static const struct artifact_type types[] = {
    {.signature = 0, .trampoline_offset = 4300},
    {.signature = 2, .trampoline_offset = 4400, .params_count = 2, .results_count = 1},
    {.signature = 7, .trampoline_offset = 4300},
};
static const struct artifact_import imports[] = {{S_WASI, S_WRITE, 1}};
static const struct artifact_export exports[] = {
    {.name = S_ADD, .kind = 0, .index = 2},
    {.name = S_ADD, .kind = 1, .index = 0},
    {.name = S_MODULE, .kind = 2, .index = 0},
    {.name = S_FILE, .kind = 3, .index = 1},
};
static const struct artifact_instance instances[] = {
    {.init_func = 4, .start_func = 3, .name = S_MODULE},
};
static const struct artifact_memory memories[] = {
    {.pages_min = 2, .pages_max = 65536, .size_offset = -8},
};
static const struct artifact_table tables[] = {
    {.min = 4, .max = 20, .size_offset = -12, .elements_offset = -512, .capacity = 10},
};
static const struct artifact_global globals[] = {
    {.offset = -16, .type = 'i', .mutable = 1},
    {.offset = -32, .type = 'v'},
};
static const struct artifact_data datas[] = {{256, 100, -40}, {256, 0, 0}};
static const struct artifact_element elements[] = {
    {.count = 3, .dropped_offset = -41, .in_context = 0, .elements_offset = 128},
    {.count = 2, .dropped_offset = -42, .in_context = 1, .elements_offset = -128},
};
static const struct artifact_address addresses[] = {{16, 90}, {30, 95}, {64, 0}, {4200, 120}};
static const struct artifact_line lines[] = {{0, 88, S_FILE, 7}, {0, 94, S_FILE, 8}, {0, 99, 0, 0}};
static const struct artifact_extent extents[] = {
    {-(int64_t)ARTIFACT_PAGE, ARTIFACT_PAGE, 0},
    {0, ARTIFACT_PAGE, ARTIFACT_PAGE},
    {3 * (int64_t)ARTIFACT_PAGE, 2 * ARTIFACT_PAGE, 2 * ARTIFACT_PAGE},
};
static uint8_t image[4 * ARTIFACT_PAGE];

#define PART(a) {(a), sizeof(a)}

void sample_write(struct buffer *file, bool with_image, uint32_t level)
{
    struct artifact_header h = {
        .engine = ARTIFACT_ENGINE,
        .cpu_level = 2,
        .level = level,
        .flags = with_image ? (uint32_t)ARTIFACT_INITIALISED : 0,
        .wasm_bytes = 1234,
        .context_bytes = SAMPLE_CONTEXT_BYTES,
    };
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT] = {
        [ARTIFACT_CODE] = PART(code),           [ARTIFACT_RODATA] = PART(rodata),
        [ARTIFACT_FUNCS] = PART(funcs),         [ARTIFACT_FUNC_ORDER] = PART(order),
        [ARTIFACT_TYPES] = PART(types),         [ARTIFACT_TYPE_CODES] = PART(type_codes),
        [ARTIFACT_IMPORTS] = PART(imports),     [ARTIFACT_EXPORTS] = PART(exports),
        [ARTIFACT_INSTANCES] = PART(instances), [ARTIFACT_MEMORIES] = PART(memories),
        [ARTIFACT_TABLES] = PART(tables),       [ARTIFACT_GLOBALS] = PART(globals),
        [ARTIFACT_DATAS] = PART(datas),         [ARTIFACT_ELEMENTS] = PART(elements),
        [ARTIFACT_ADDRESSES] = PART(addresses), [ARTIFACT_LINES] = PART(lines),
        [ARTIFACT_STRINGS] = PART(strings),
    };
    memset(code, 0xcc, sizeof code);
    for (size_t i = 0; i < sizeof image; i++) image[i] = (uint8_t)(i / ARTIFACT_PAGE + 1);
    for (size_t i = 0; i < sizeof rodata; i++) rodata[i] = (uint8_t)i;
    if (with_image) {
        parts[ARTIFACT_EXTENTS] = (struct artifact_part)PART(extents);
        parts[ARTIFACT_IMAGE] = (struct artifact_part)PART(image);
    }
    struct error err;
    buffer_init(file, 1 << 20);
    enum status st = artifact_write(&h, parts, file, &err);
    assert(!st);
    (void)st;
}

void sample_fix_digest(uint8_t *bytes, size_t size_bytes)
{
    struct artifact_header *h = (void *)bytes;
    artifact_digest(bytes, size_bytes, h->digest);
}
