/* A linked artifact: what every instance of it shares. Immutable after module_new(). */
#ifndef RUNTIME_MODULE_H
#define RUNTIME_MODULE_H

#include "artifact/artifact.h"
#include "runtime/runtime.h"

#define MEMORY_PAGE_BYTES 65536u

struct module_import {
    const struct host_function *function;
    const struct artifact_canon *canon;
};

struct module {
    struct artifact *artifact;
    const struct artifact_header *header;
    const uint8_t *code, *rodata, *image;
    size_t code_bytes, rodata_bytes, image_bytes;

    const struct artifact_func *funcs;
    const struct artifact_type *types;
    const struct artifact_instance *instances;
    const struct artifact_memory *memories;
    const struct artifact_table *tables;
    const struct artifact_global *globals;
    const struct artifact_data *datas;
    const struct artifact_element *elements;
    const struct artifact_extent *extents;
    size_t funcs_count, types_count, instances_count, memories_count, tables_count, globals_count;
    size_t datas_count, elements_count, extents_count;

    size_t lanes_count;        /* memories, at least one */
    uint64_t *memory_bytes;    /* of each memory, in a fresh instance */
    uint64_t memory_bytes_sum; /* of all */
    bool initialised;          /* the image holds what the init functions do */
    bool started;

    /* Of program function imports_first + k, zero where that is no import. */
    struct module_import *imports;
    uint32_t imports_first, imports_count;
};

static inline const struct module_import *module_import(const struct module *m, uint32_t func)
{
    uint32_t k = func - m->imports_first;
    return k < m->imports_count ? &m->imports[k] : NULL;
}

static inline const char *module_signature(const struct module *m, uint32_t func)
{
    const char *codes = artifact_section(m->artifact, ARTIFACT_TYPE_CODES, &(size_t){0});
    return codes + m->types[m->funcs[func].type].signature;
}

/* imports.c: fills m->imports. Errors as module_new(). */
NODISCARD enum status module_link(struct module *m, const struct host_set *sets, size_t sets_count,
                                  struct error *err);

#endif
