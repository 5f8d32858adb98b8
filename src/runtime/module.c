#include "module.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define SECTION(m, id, field)                                                                      \
    ((m)->field = artifact_section((m)->artifact, (id), &(m)->field##_count))

static void take_sections(struct module *m)
{
    SECTION(m, ARTIFACT_FUNCS, funcs);
    SECTION(m, ARTIFACT_TYPES, types);
    SECTION(m, ARTIFACT_INSTANCES, instances);
    SECTION(m, ARTIFACT_MEMORIES, memories);
    SECTION(m, ARTIFACT_TABLES, tables);
    SECTION(m, ARTIFACT_GLOBALS, globals);
    SECTION(m, ARTIFACT_DATAS, datas);
    SECTION(m, ARTIFACT_ELEMENTS, elements);
    SECTION(m, ARTIFACT_EXTENTS, extents);
    m->header = artifact_header(m->artifact);
    m->code = artifact_code(m->artifact, &m->code_bytes);
    m->rodata = artifact_rodata(m->artifact, &m->rodata_bytes);
    m->image = artifact_section(m->artifact, ARTIFACT_IMAGE, &m->image_bytes);
    m->lanes_count = m->memories_count ? m->memories_count : 1;
    m->initialised = m->header->flags & ARTIFACT_INITIALISED;
    m->started = m->header->flags & ARTIFACT_STARTED;
}

/* The eight bytes of the image at context offset `offset`: zero where no extent covers them. */
static uint64_t image_word(const struct module *m, int64_t offset)
{
    uint64_t word = 0;
    for (size_t k = 0; k < m->extents_count; k++) {
        const struct artifact_extent *e = &m->extents[k];
        if (offset < e->slot_offset) continue;
        uint64_t at = (uint64_t)(offset - e->slot_offset);
        if (!range_within(at, sizeof word, e->size_bytes)) continue;
        if (!range_within(e->image_offset, e->size_bytes, m->image_bytes)) continue;
        memcpy(&word, m->image + e->image_offset + at, sizeof word);
    }
    return word;
}

/* How large each memory of a fresh instance is. */
static enum status measure_memories(struct module *m, struct error *err)
{
    m->memory_bytes = calloc(m->lanes_count, sizeof *m->memory_bytes);
    if (!m->memory_bytes) return error_set(err, ST_NO_MEMORY, "module");
    for (size_t k = 0; k < m->memories_count; k++) {
        const struct artifact_memory *memory = &m->memories[k];
        uint64_t bytes = m->initialised ? image_word(m, memory->size_offset)
                                        : memory->pages_min * MEMORY_PAGE_BYTES;
        if (memory->pages_min > SLOT_MEMORY_BYTES_MAX / MEMORY_PAGE_BYTES ||
            memory->pages_max > SLOT_MEMORY_BYTES_MAX / MEMORY_PAGE_BYTES ||
            bytes > memory->pages_max * MEMORY_PAGE_BYTES || bytes % MEMORY_PAGE_BYTES != 0)
            return error_set(err, ST_CORRUPT, "size of memory %zu", k);
        m->memory_bytes[k] = bytes;
        if (!checked_add_u64(m->memory_bytes_sum, bytes, &m->memory_bytes_sum))
            return error_set(err, ST_CORRUPT, "size of all memories");
    }
    return ST_OK;
}

enum status module_new(struct artifact *take_artifact, const struct host_set *sets,
                       size_t sets_count, struct module **ret, struct error *err)
{
    assert(take_artifact && ret);
    struct module *m = calloc(1, sizeof *m);
    if (!m) return error_set(err, ST_NO_MEMORY, "module");
    m->artifact = take_artifact;
    take_sections(m);
    enum status st = measure_memories(m, err);
    if (!st) st = module_link(m, sets, sets_count, err);
    if (st) {
        m->artifact = NULL;
        module_free(m);
        return st;
    }
    *ret = m;
    return ST_OK;
}

void module_free(struct module *m)
{
    if (!m) return;
    artifact_close(m->artifact);
    free(m->memory_bytes);
    free(m->imports);
    free(m);
}

const struct artifact *module_artifact(const struct module *m)
{
    return m->artifact;
}
