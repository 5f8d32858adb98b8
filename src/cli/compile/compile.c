#include "compile/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "artifact/artifact.h"
#include "artifact/artifact_writer.h"
#include "base/clock.h"
#include "base/file.h"
#include "codegen/codegen.h"
#include "runtime/runtime.h"
#include "wasm/program.h"
#include "wasm/wasm.h"

/* The serve half has no outside world to offer before a request: an import that is called while
 * the instance is initialised ends the deploy. */
static enum host_result import_denied(struct instance *instance, UNUSED struct value *values)
{
    instance_set_trap_text(instance, "no import can be called while the module is initialised");
    return HOST_TRAP;
}

/* One such function for each import of the artifact; the strings are the artifact's. */
static enum status denied_imports(const struct artifact *a, struct host_set *ret, struct error *err)
{
    size_t count, funcs_count, types_count, codes_count;
    const struct artifact_import *imports = artifact_section(a, ARTIFACT_IMPORTS, &count);
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, &funcs_count);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &types_count);
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, &codes_count);
    struct host_function *functions = calloc(count + 1, sizeof *functions);
    if (!functions) return error_set(err, ST_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        functions[i] = (struct host_function){
            .module = artifact_string(a, imports[i].module),
            .name = artifact_string(a, imports[i].field),
            .signature = codes + types[funcs[imports[i].func].type].signature,
            .call = import_denied,
        };
    }
    *ret = (struct host_set){functions, count};
    return ST_OK;
}

static enum status run_inits(struct instance *instance, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (instance_init(instance, (uint32_t)i) == CALL_RETURNED) continue;
        const struct trap *trap = instance_trap(instance);
        return error_set(err, ST_INVALID, "the module cannot be instantiated: %s",
                         trap_kind_text(trap->kind));
    }
    return ST_OK;
}

/* Runs what initialises the module's instances and writes the artifact with the outcome as image.
 */
static enum status freeze(const struct module *module, struct buffer *file, struct error *err)
{
    const struct artifact *a = module_artifact(module);
    struct instance_config config = {.memory_bytes_max = SLOT_MEMORY_BYTES_MAX};
    struct instance *instance = NULL;
    struct buffer extents, image;
    size_t count;
    artifact_section(a, ARTIFACT_INSTANCES, &count);
    buffer_init(&extents, ARTIFACT_BYTES_MAX);
    buffer_init(&image, ARTIFACT_BYTES_MAX);
    enum status st = instance_new(module, &config, &instance, err);
    if (!st) st = run_inits(instance, count, err);
    if (!st) st = instance_freeze(instance, &extents, &image, err);
    if (!st) {
        struct artifact_part part = {image.data, image.size_bytes};
        st = artifact_write_image(a, (const struct artifact_extent *)extents.data,
                                  extents.size_bytes / sizeof(struct artifact_extent), &part, file,
                                  err);
    }
    instance_free(instance);
    buffer_done(&extents);
    buffer_done(&image);
    return st;
}

/* `bare` is an artifact without image; *file receives the one with it. */
static enum status initialise(const struct buffer *bare, struct buffer *file, struct error *err)
{
    struct artifact *artifact = NULL;
    struct module *module = NULL;
    struct host_set imports = {0};
    enum status st = runtime_init(err);
    if (!st) st = runtime_thread_init(err);
    if (!st) st = artifact_open_bytes(bare->data, bare->size_bytes, &artifact, err);
    if (!st) st = denied_imports(artifact, &imports, err);
    if (!st) {
        st = module_new(artifact, &imports, 1, &module, err);
        if (st) artifact_close(artifact);
    }
    if (!st) st = freeze(module, file, err);
    if (module) module_free(module);
    free((void *)imports.functions);
    return st;
}

static enum status generate(const struct wasm_module *m, const struct cli_compile_options *options,
                            struct buffer *bare, struct codegen_stats *stats, struct error *err)
{
    struct codegen_options codegen = {
        .level = (enum codegen_level)options->level,
        .conforming = options->conforming,
        .cpu_level = options->cpu_level,
        .threads = options->threads,
    };
    struct program_builder *builder = NULL;
    const struct program *program;
    uint32_t instance;
    enum status st = program_builder_new(&builder, err);
    if (st) return st;
    st = program_builder_add(builder, m, NULL, 0, true, &instance, err);
    if (!st) st = program_builder_finish(builder, &program, err);
    if (!st) st = codegen_compile(program, &codegen, bare, stats, err);
    program_builder_free(builder);
    return st;
}

static void print_stats(const char *name, const struct codegen_stats *s, uint64_t elapsed_ns,
                        size_t file_bytes)
{
    double seconds = (double)elapsed_ns / 1e9;
    fprintf(stderr,
            "%s: %u functions (%u at the fast level for their size), %.2f MB of wasm code to %.2f "
            "MB of machine code, artifact %.2f MB, %.3f s, %.2f MB/s\n",
            name, s->functions, s->functions_lowered, (double)s->wasm_code_bytes / 1e6,
            (double)s->code_bytes / 1e6, (double)file_bytes / 1e6, seconds,
            (double)s->wasm_code_bytes / 1e6 / seconds);
}

enum status compile_module(const char *name, const struct buffer *wasm,
                           const struct cli_compile_options *options, const char *out, bool stats,
                           struct error *err)
{
    uint64_t start = clock_monotonic_ns(clock_system());
    struct codegen_stats codegen_stats = {0};
    struct wasm_module *module = NULL;
    struct buffer bare, file;
    buffer_init(&bare, ARTIFACT_BYTES_MAX);
    buffer_init(&file, ARTIFACT_BYTES_MAX);
    enum status st = wasm_module_decode(wasm->data, wasm->size_bytes, &module, err);
    if (!st) st = generate(module, options, &bare, &codegen_stats, err);
    if (!st) st = initialise(&bare, &file, err);
    if (st)
        error_prefix(err, "%s", name);
    else
        st = file_write_atomic(out, file.data, file.size_bytes, err);
    if (!st && stats)
        print_stats(name, &codegen_stats, clock_monotonic_ns(clock_system()) - start,
                    file.size_bytes);
    wasm_module_free(module);
    buffer_done(&bare);
    buffer_done(&file);
    return st;
}
