#include "rig.h"

#include "compiled.h"

#include "artifact/artifact.h"
#include "base/file.h"
#include "wasm/program.h"

static struct error err;

struct module *compile(const void *bytes, size_t size_bytes, const struct codegen_options *options)
{
    struct wasm_module *wasm = NULL;
    MUST(wasm_module_decode(bytes, size_bytes, 1, &wasm, &err));
    struct program_builder *builder = NULL;
    MUST(program_builder_new(&builder, &err));
    uint32_t which;
    MUST(program_builder_add(builder, wasm, NULL, 0, true, &which, &err));
    const struct program *program = NULL;
    MUST(program_builder_finish(builder, &program, &err));
    struct buffer file;
    buffer_init(&file, FILE_BYTES_MAX);
    struct codegen_stats stats = {0};
    MUST(codegen_compile(program, options, &file, &stats, &err));
    struct artifact *a = NULL;
    MUST(artifact_open_bytes(file.data, file.size_bytes, &a, &err));
    buffer_done(&file);
    program_builder_free(builder);
    wasm_module_free(wasm);
    return rig_link(a);
}

struct module *compile_file(const char *path, const struct codegen_options *options)
{
    struct buffer bytes;
    buffer_init(&bytes, FILE_BYTES_MAX);
    MUST(file_read(path, &bytes, &err));
    struct module *m = compile(bytes.data, bytes.size_bytes, options);
    buffer_done(&bytes);
    return m;
}
