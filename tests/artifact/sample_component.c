#include "sample_component.h"

#include <assert.h>
#include <string.h>

#include "artifact/artifact_writer.h"

#define CODE_BYTES 4096u
#define CONTEXT    4096u

static uint8_t code[CODE_BYTES], rodata[16];

/* Core types; all have a trampoline at 4000. */
enum { C_NONE, C_I, C_I_I, C_REALLOC, C_II, C_TO_I, C_COUNT };
static const char type_codes[] = ":\0i:\0i:i\0iiii:i\0ii:\0:i";
static const struct artifact_type types[C_COUNT] = {
    {0, 4000, 0, 0}, {2, 4000, 1, 0},  {5, 4000, 1, 1},
    {9, 4000, 4, 1}, {16, 4000, 2, 0}, {20, 4000, 0, 1},
};

#define FUNC(number, core_type) [number] = {16 * (number), 16, core_type, 0, (number), 0, 0}
static const struct artifact_func funcs[F_COUNT] = {
    FUNC(F_HOST, C_II),  FUNC(F_LIFTED, C_II), FUNC(F_NEW, C_I_I),         FUNC(F_DROP, C_I),
    FUNC(F_REP, C_I_I),  FUNC(F_LATER, C_I),   FUNC(F_REALLOC, C_REALLOC), FUNC(F_GET, C_TO_I),
    FUNC(F_MANY, C_I_I), FUNC(F_FREE, C_I),    FUNC(F_INIT, C_NONE),
};
static uint32_t order[F_COUNT - 1];
static const struct artifact_instance instances[] = {{.init_func = F_INIT}};
static const struct artifact_memory memories[] = {
    {.pages_min = 1, .pages_max = 65536, .size_offset = -8},
    {.pages_min = 1, .pages_max = 65536, .size_offset = -16, .is64 = 1},
};

static const char wit_strings[] = "\0a\0b\0c\0test:host/log@1.0.0\0log\0thing";
enum { S_A = 1, S_B = 3, S_C = 5, S_INTERFACE = 7, S_LOG = 27, S_THING = 31 };

static const struct artifact_wit_field fields[] = {
    {S_A, T_U8, 0},     {S_B, T_U32, 4},      {S_C, T_STRING, 8}, /* record */
    {S_A, 0, 0},        {S_B, T_STRING, 0},   {S_C, T_U32, 0},    /* variant */
    {S_A, 0, 0},        {S_B, 0, 0},                              /* enum */
    {S_A, 0, 0},        {S_B, 0, 0},          {S_C, 0, 0},        /* flags */
    {S_A, T_STRING, 0},                                           /* log */
    {S_A, T_RECORD, 0}, {S_A, T_VARIANT, 16}, {S_A, T_ENUM, 28},  {S_A, T_FLAGS, 29},
    {S_A, T_LIST, 32},  {S_A, T_FIXED, 40},   {S_A, T_OWN, 44},   {S_A, T_BORROW, 48}, /* params */
    {S_A, T_RECORD, 0}, {S_A, T_VARIANT, 0},  {S_A, T_ENUM, 0},   {S_A, T_FLAGS, 0},
    {S_A, T_LIST, 0},   {S_A, T_FIXED, 0},    {S_A, T_OWN, 0},    {S_A, T_BORROW, 0}, /* many */
};

#define POINTER WIT_HAS_POINTER
#define CHECK   WIT_HAS_CHECK
#define HANDLE  WIT_HAS_HANDLE
static const struct artifact_wit_type wit_types[T_COUNT] = {
    /* kind, flags, discriminant, align, size, payload, flat, results, element, length, fields,
       record */
    [T_NONE] = {WIT_NONE, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    [T_U8] = {WIT_U8, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0},
    [T_U32] = {WIT_U32, 0, 0, 4, 4, 0, 1, 0, 0, 0, 0, 0, 0},
    [T_STRING] = {WIT_STRING, POINTER | CHECK, 0, 4, 8, 0, 2, 0, 0, 0, 0, 0, 0},
    [T_RECORD] = {WIT_RECORD, POINTER | CHECK, 0, 4, 16, 0, 4, 0, 0, 0, 0, 3, 0},
    [T_VARIANT] = {WIT_VARIANT, POINTER | CHECK, 1, 4, 12, 4, 3, 0, 0, 0, 3, 3, 0},
    [T_ENUM] = {WIT_ENUM, CHECK, 1, 1, 1, 1, 1, 0, 0, 0, 6, 2, 0},
    [T_FLAGS] = {WIT_FLAGS, CHECK, 0, 1, 1, 0, 1, 0, 0, 0, 8, 3, 0},
    [T_LIST] = {WIT_LIST, POINTER | CHECK, 0, 4, 8, 0, 2, 0, T_RECORD, 0, 11, 0, 0},
    [T_FIXED] = {WIT_FIXED_LIST, 0, 0, 1, 4, 0, 4, 0, T_U8, 4, 11, 0, 0},
    [T_OWN] = {WIT_OWN, HANDLE, 0, 4, 4, 0, 1, 0, 0, 0, 11, 0, 0},
    [T_BORROW] = {WIT_BORROW, HANDLE, 0, 4, 4, 0, 1, 0, 1, 0, 11, 0, 0},
    [T_LOG] = {WIT_FUNC, POINTER | CHECK, 0, 1, 0, 0, 2, 0, 0, 0, 11, 1, 0},
    [T_PARAMS] = {WIT_RECORD, POINTER | CHECK | HANDLE, 0, 4, 52, 0, WIT_FLAT_MANY, 0, 0, 0, 12, 8,
                  0},
    [T_MANY] = {WIT_FUNC, POINTER | CHECK | HANDLE, 0, 1, 0, 0, WIT_FLAT_MANY, 3, T_VARIANT, 0, 20,
                8, T_PARAMS},
    [T_GET] = {WIT_FUNC, 0, 0, 1, 0, 0, 0, 1, T_U32, 0, 28, 0, 0},
};

#define OPTIONS(of) {.component = (of), .memory = 0, .realloc = F_REALLOC, .encoding = CANON_UTF16}
#define BARE(of)    {.component = (of), .memory = CANON_MEMORY_NONE}
static const struct artifact_canon canons[] = {
    {F_HOST, CANON_LOWER_HOST, T_LOG, 0, S_INTERFACE, S_LOG, 0, OPTIONS(1)},
    {F_LIFTED, CANON_LOWER_LIFTED, T_MANY, 1, 0, 0, 0, OPTIONS(0)},
    {F_NEW, CANON_RESOURCE_NEW, 0, 0, 0, 0, 1, BARE(1)},
    {F_DROP, CANON_RESOURCE_DROP, 0, 0, 0, 0, 0, BARE(1)},
    {F_REP, CANON_RESOURCE_REP, 0, 0, 0, 0, 1, BARE(1)},
    {F_LATER, CANON_UNSUPPORTED, 0, 0, 0, S_LOG, 0, BARE(1)},
};
static const struct artifact_lift lifts[] = {
    {F_GET, T_GET, BARE(0)},
    {F_MANY, T_MANY, {.component = 1, .memory = 0, .realloc = F_REALLOC, .post_return = F_FREE}},
};
static const struct artifact_resource resources[] = {
    {COMPONENT_HOST, 0, S_INTERFACE, S_THING},
    {1, F_FREE, 0, 0},
};
static const struct artifact_component components[] = {{COMPONENT_HOST}, {0}};
static const struct artifact_component_export component_exports[] = {{S_INTERFACE, S_LOG, 0}};

#define PART(a) {(a), sizeof(a)}

void sample_component_write(struct buffer *file)
{
    struct artifact_header h = {
        .engine = ARTIFACT_ENGINE, .cpu_level = 2, .level = 1, .context_bytes = CONTEXT};
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT] = {
        [ARTIFACT_CODE] = PART(code),
        [ARTIFACT_RODATA] = PART(rodata),
        [ARTIFACT_FUNCS] = PART(funcs),
        [ARTIFACT_FUNC_ORDER] = PART(order),
        [ARTIFACT_TYPES] = PART(types),
        [ARTIFACT_TYPE_CODES] = PART(type_codes),
        [ARTIFACT_INSTANCES] = PART(instances),
        [ARTIFACT_MEMORIES] = PART(memories),
        [ARTIFACT_STRINGS] = {"", 1},
        [ARTIFACT_COMPONENTS] = PART(components),
        [ARTIFACT_CANONS] = PART(canons),
        [ARTIFACT_LIFTS] = PART(lifts),
        [ARTIFACT_RESOURCES] = PART(resources),
        [ARTIFACT_COMPONENT_EXPORTS] = PART(component_exports),
        [ARTIFACT_WIT_TYPES] = PART(wit_types),
        [ARTIFACT_WIT_FIELDS] = PART(fields),
        [ARTIFACT_WIT_STRINGS] = PART(wit_strings),
    };
    struct error err;
    memset(code, 0xcc, sizeof code);
    for (uint32_t i = 0; i + 1 < F_COUNT; i++) order[i] = i + 1;
    buffer_init(file, 1 << 20);
    enum status st = artifact_write(&h, parts, file, &err);
    assert(!st);
    (void)st;
}
