/* The artifact's header: versions, digest, and where the sections lie. */
#include <string.h>

#include "artifact/artifact_writer.h"
#include "artifact_internal.h"
#include "base/checked.h"
#include "base/sha256.h"

#define LEVEL_MAX 2u /* enum codegen_level */
#define FLAGS_ALL ((uint32_t)(ARTIFACT_INITIALISED | ARTIFACT_CONFORMING | ARTIFACT_STARTED))

const struct section_shape section_shapes[ARTIFACT_SECTIONS_COUNT] = {
    [ARTIFACT_CODE] = {"code", 1, ARTIFACT_PAGE},
    [ARTIFACT_RODATA] = {"rodata", 1, ARTIFACT_PAGE},
    [ARTIFACT_FUNCS] = {"functions", sizeof(struct artifact_func), 8},
    [ARTIFACT_FUNC_ORDER] = {"function order", sizeof(uint32_t), 8},
    [ARTIFACT_TYPES] = {"types", sizeof(struct artifact_type), 8},
    [ARTIFACT_TYPE_CODES] = {"type codes", 1, 8},
    [ARTIFACT_IMPORTS] = {"imports", sizeof(struct artifact_import), 8},
    [ARTIFACT_EXPORTS] = {"exports", sizeof(struct artifact_export), 8},
    [ARTIFACT_INSTANCES] = {"instances", sizeof(struct artifact_instance), 8},
    [ARTIFACT_MEMORIES] = {"memories", sizeof(struct artifact_memory), 8},
    [ARTIFACT_TABLES] = {"tables", sizeof(struct artifact_table), 8},
    [ARTIFACT_GLOBALS] = {"globals", sizeof(struct artifact_global), 8},
    [ARTIFACT_DATAS] = {"data segments", sizeof(struct artifact_data), 8},
    [ARTIFACT_ELEMENTS] = {"element segments", sizeof(struct artifact_element), 8},
    [ARTIFACT_ADDRESSES] = {"addresses", sizeof(struct artifact_address), 8},
    [ARTIFACT_LINES] = {"lines", sizeof(struct artifact_line), 8},
    [ARTIFACT_STRINGS] = {"strings", 1, 8},
    [ARTIFACT_EXTENTS] = {"extents", sizeof(struct artifact_extent), 8},
    [ARTIFACT_IMAGE] = {"image", 1, ARTIFACT_PAGE},
    [ARTIFACT_COMPONENTS] = {"component instances", sizeof(struct artifact_component), 8},
    [ARTIFACT_CANONS] = {"canonical definitions", sizeof(struct artifact_canon), 8},
    [ARTIFACT_LIFTS] = {"lifted functions", sizeof(struct artifact_lift), 8},
    [ARTIFACT_RESOURCES] = {"resources", sizeof(struct artifact_resource), 8},
    [ARTIFACT_COMPONENT_EXPORTS] = {"component exports", sizeof(struct artifact_component_export),
                                    8},
    [ARTIFACT_WIT_TYPES] = {"WIT types", sizeof(struct artifact_wit_type), 8},
    [ARTIFACT_WIT_FIELDS] = {"WIT fields", sizeof(struct artifact_wit_field), 8},
    [ARTIFACT_WIT_STRINGS] = {"WIT strings", 1, 8},
};

static enum status verify_identity(const struct artifact *a, bool draft, struct error *err)
{
    const struct artifact_header *h = artifact_header(a);
    if (memcmp(h->magic, ARTIFACT_MAGIC, sizeof h->magic))
        return error_set(err, ST_CORRUPT, "artifact: wrong magic, not an artifact");
    if (h->format != ARTIFACT_FORMAT)
        return error_set(err, ST_UNSUPPORTED,
                         "artifact: format %u, this build reads %u; compile anew", h->format,
                         ARTIFACT_FORMAT);
    if (h->header_bytes != sizeof *h)
        return error_set(err, ST_CORRUPT, "artifact: header of %u bytes", h->header_bytes);
    uint8_t digest[SHA256_BYTES] = {0};
    if (!draft) artifact_digest(a->map, a->map_bytes, digest);
    if (memcmp(digest, h->digest, sizeof digest))
        return error_set(err, ST_CORRUPT, "artifact: wrong digest, the file is damaged");
    if (!memchr(h->engine, 0, sizeof h->engine))
        return error_set(err, ST_CORRUPT, "artifact: engine version without an end");
    if (strcmp(h->engine, ARTIFACT_ENGINE))
        return error_set(err, ST_UNSUPPORTED,
                         "artifact: made by engine %s, this is %s; compile anew", h->engine,
                         ARTIFACT_ENGINE);
    return ST_OK;
}

/* The x86-64 micro-architecture levels of the psABI, as far as code generation makes use of them.
 */
static bool cpu_has_level(uint32_t level)
{
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
              __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    if (level == 2) return v2;
    return v2 && __builtin_cpu_supports("avx") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
           __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("movbe");
}

static enum status verify_options(const struct artifact_header *h, struct error *err)
{
    if (h->cpu_level != 2 && h->cpu_level != 3)
        return error_set(err, ST_CORRUPT, "artifact: CPU level %u", h->cpu_level);
    if (h->level > LEVEL_MAX)
        return error_set(err, ST_CORRUPT, "artifact: compile level %u", h->level);
    if (h->flags & ~FLAGS_ALL)
        return error_set(err, ST_CORRUPT, "artifact: unknown flags 0x%x", h->flags & ~FLAGS_ALL);
    if (!h->context_bytes || h->context_bytes % ARTIFACT_PAGE ||
        h->context_bytes > SLOT_CONTEXT_BYTES_MAX)
        return error_set(err, ST_CORRUPT, "artifact: context of %llu bytes",
                         (unsigned long long)h->context_bytes);
    if (!cpu_has_level(h->cpu_level))
        return error_set(err, ST_UNSUPPORTED,
                         "artifact: needs a CPU of level x86-64-v%u; compile with --cpu 2",
                         h->cpu_level);
    return ST_OK;
}

/* Sections lie in the order of their numbers, do not overlap, and the last ends the file. */
static enum status verify_sections(const struct artifact *a, struct error *err)
{
    const struct artifact_header *h = artifact_header(a);
    uint64_t end = sizeof *h;
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        const struct artifact_section_entry *e = &h->sections[i];
        const struct section_shape *shape = &section_shapes[i];
        if (!range_within(e->offset, e->size_bytes, a->map_bytes))
            return error_set(err, ST_CORRUPT, "artifact: section %s is outside of the file",
                             shape->name);
        if (e->offset % shape->align_bytes || e->size_bytes % shape->element_bytes)
            return error_set(err, ST_CORRUPT, "artifact: section %s has a wrong shape",
                             shape->name);
        if (e->offset < end)
            return error_set(err, ST_CORRUPT, "artifact: section %s overlaps another", shape->name);
        end = e->offset + e->size_bytes;
    }
    if (end != a->map_bytes) return error_set(err, ST_CORRUPT, "artifact: bytes behind the image");
    const struct artifact_section_entry *code = &h->sections[ARTIFACT_CODE];
    uint64_t code_end = code->offset + code->size_bytes;
    if (!code->size_bytes) return error_set(err, ST_CORRUPT, "artifact: section code is empty");
    if (h->sections[ARTIFACT_RODATA].offset !=
        (code_end + ARTIFACT_PAGE - 1) / ARTIFACT_PAGE * ARTIFACT_PAGE)
        return error_set(err, ST_CORRUPT, "artifact: section rodata is not right behind the code");
    if (h->sections[ARTIFACT_IMAGE].size_bytes % ARTIFACT_PAGE)
        return error_set(err, ST_CORRUPT, "artifact: section image has a wrong shape");
    return ST_OK;
}

static enum status verify_code(const struct artifact *a, struct error *err)
{
    const struct artifact_header *h = artifact_header(a);
    const struct artifact_section_entry *code = &h->sections[ARTIFACT_CODE];
    uint8_t digest[SHA256_BYTES];
    sha256(a->map + code->offset, code->size_bytes, digest);
    if (memcmp(digest, h->code_digest, sizeof digest))
        return error_set(err, ST_CORRUPT, "artifact: wrong digest of the code");
    return ST_OK;
}

enum status artifact_verify_header(const struct artifact *a, bool draft, struct error *err)
{
    enum status st = verify_identity(a, draft, err);
    if (!st) st = verify_options(artifact_header(a), err);
    if (!st) st = verify_sections(a, err);
    if (!st && !draft) st = verify_code(a, err);
    return st;
}
