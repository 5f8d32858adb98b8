#include "link_fixture.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cmocka_all.h"
#include "base/file.h"
#include "unit.h"

#define FILE_BYTES_MAX (64u << 20)

static void run(const char *command)
{
    int code = system(command);
    if (code) fail_msg("exit code %d of: %s", code, command);
}

/* Writes `source` to `name` below a fresh folder, runs the command (its %s: name, output), reads
 * the output. */
static void convert(struct buffer *output, const char *name, const char *source, const char *before,
                    const char *behind)
{
    char folder[] = "/tmp/mayfly-link-XXXXXX", path[256], parent[256], command[1024];
    struct error err;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(parent, sizeof parent, "%s", path);
    assert_int_equal(file_make_folders(dirname(parent), &err), ST_OK);
    assert_int_equal(file_write_atomic(path, source, strlen(source), &err), ST_OK);
    snprintf(command, sizeof command, "cd %s && %s %s -o out.bin %s", folder, before, name, behind);
    run(command);
    snprintf(path, sizeof path, "%s/out.bin", folder);
    buffer_init(output, FILE_BYTES_MAX);
    assert_int_equal(file_read(path, output, &err), ST_OK);
    snprintf(command, sizeof command, "rm -r %s", folder);
    run(command);
}

void link_program_from_bytes(struct link_program *p, struct buffer *take_wasm)
{
    struct error err;
    uint32_t instance;
    *p = (struct link_program){.wasm = *take_wasm};
    if (wasm_module_decode(p->wasm.data, p->wasm.size_bytes, 1, &p->module, &err))
        fail_msg("%s", err.text);
    assert_int_equal(program_builder_new(&p->builder, &err), ST_OK);
    if (program_builder_add(p->builder, p->module, NULL, 0, true, &instance, &err))
        fail_msg("%s", err.text);
    assert_int_equal(program_builder_finish(p->builder, &p->program, &err), ST_OK);
}

void link_assemble(struct buffer *wasm, const char *text)
{
    convert(wasm, "module.wat", text,
            "wat2wasm --enable-memory64 --enable-multi-memory --enable-tail-call"
            " --enable-extended-const --debug-names",
            "");
}

void link_program_from_text(struct link_program *p, const char *text)
{
    struct buffer wasm;
    link_assemble(&wasm, text);
    link_program_from_bytes(p, &wasm);
}

void link_program_done(struct link_program *p)
{
    program_builder_free(p->builder);
    wasm_module_free(p->module);
    buffer_done(&p->wasm);
}

void link_object(struct buffer *object, const char *source, const char *flags)
{
    convert(object, "object.c", source,
            "clang-19 -c -O2 -fPIC -fvisibility=hidden -fno-asynchronous-unwind-tables "
            "-fno-stack-protector -w",
            flags);
}

/* In two steps: clang as a linker's driver also runs the wasm-opt that it finds, which drops or
 * breaks DWARF. */
void link_guest(struct buffer *wasm, const char *name, const char *source, const char *flags)
{
    char behind[512];
    snprintf(behind, sizeof behind,
             "%s && wasm-ld-19 --no-entry out.bin -o linked && mv linked out.bin", flags);
    convert(wasm, name, source, "clang-19 --target=wasm32-wasi -c", behind);
}

enum status link_program(const struct link_program *p, const struct buffer *objects,
                         size_t objects_count, struct artifact **ret_artifact,
                         struct buffer *ret_file, struct error *err)
{
    struct linker_unit from[8];
    struct layout *layout = NULL;
    const struct codegen_options options = {.level = CODEGEN_OPTIMISED, .cpu_level = 2};
    struct linker_stats stats;
    struct buffer file;
    assert_true(objects_count <= ARRAY_COUNT(from));
    struct buffer units[ARRAY_COUNT(from)];
    enum status st = layout_new(p->program, &layout, err);
    for (size_t i = 0; i < objects_count; i++) {
        const struct object_file object = {objects[i].data, objects[i].size_bytes};
        buffer_init(&units[i], UNIT_BYTES_MAX);
        if (!st) st = unit_from_object(&object, 0, &units[i], err);
        from[i] = (struct linker_unit){.bytes = units[i].data, .size_bytes = units[i].size_bytes};
    }
    buffer_init(&file, FILE_BYTES_MAX);
    if (!st) st = linker_link(layout, &options, from, objects_count, &file, &stats, err);
    if (!st && ret_artifact)
        st = artifact_open_bytes(file.data, file.size_bytes, ret_artifact, err);
    layout_free(layout);
    for (size_t i = 0; i < objects_count; i++) buffer_done(&units[i]);
    if (!st && ret_file)
        *ret_file = file;
    else
        buffer_done(&file);
    return st;
}
