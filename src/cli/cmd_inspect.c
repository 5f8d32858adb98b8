/* mayfly inspect: modules are explained by mayfly-compile, which decodes them; artifacts here. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/buffer.h"
#include "canonical/canonical.h"
#include "commands.h"
#include "common/cli.h"
#include "compiler_process.h"
#include "node/program_file.h"

#define TYPE_BYTES_MAX (64u << 10) /* of a function, printed */

static const char help[] =
    "usage: mayfly inspect FILE\n"
    "\n"
    "Says what a module (.wasm) or an artifact (.mfa) imports and exports, how much memory it\n"
    "asks for, how large its parts are and which features of WebAssembly it uses; of a component\n"
    "the WIT world: every function that it imports and exports, with its type.\n"
    "\n"
    "Exit codes: 0 done, 1 the file is bad (one line says why), 2 wrong arguments.\n";

static const char *const kind_names[] = {"func", "table", "memory", "global", "tag"};

static void print_signature(const struct artifact *a, uint32_t func)
{
    size_t count;
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, &count);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &count);
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, &count);
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'i', "i32"}, {'l', "i64"},  {'f', "f32"},
                 {'d', "f64"}, {'v', "v128"}, {'r', "ref"}};
    const char *separator = "";
    printf(" (");
    for (const char *c = codes + types[funcs[func].type].signature; *c; c++) {
        if (*c == ':') {
            printf(") -> (");
            separator = "";
            continue;
        }
        for (size_t i = 0; i < ARRAY_COUNT(names); i++)
            if (names[i].letter == *c) printf("%s%s", separator, names[i].name);
        separator = ", ";
    }
    printf(")\n");
}

static void print_string(const struct artifact *a, uint32_t offset)
{
    putchar('"');
    for (const char *c = artifact_string(a, offset); *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\')
            printf("\\%02x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void print_imports(const struct artifact *a)
{
    size_t count;
    const struct artifact_import *imports = artifact_section(a, ARTIFACT_IMPORTS, &count);
    printf("imports: %zu\n", count);
    for (size_t i = 0; i < count; i++) {
        printf("  ");
        print_string(a, imports[i].module);
        putchar(' ');
        print_string(a, imports[i].field);
        printf(" func");
        print_signature(a, imports[i].func);
    }
}

static void print_exports(const struct artifact *a)
{
    size_t count;
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    printf("exports: %zu\n", count);
    for (size_t i = 0; i < count; i++) {
        printf("  ");
        print_string(a, exports[i].name);
        printf(" %s", kind_names[exports[i].kind]);
        if (exports[i].kind == 0)
            print_signature(a, exports[i].index);
        else
            putchar('\n');
    }
}

/* "import wasi:io/streams@0.2.6#[method]input-stream.read: func(…)" */
static void print_component_func(const struct artifact *a, const char *what, uint32_t interface,
                                 uint32_t name, uint32_t type)
{
    struct buffer text;
    buffer_init(&text, TYPE_BYTES_MAX);
    canonical_type_print(a, type, &text);
    printf("%s %s%s%s: %.*s%s\n", what, artifact_wit_string(a, interface), interface ? "#" : "",
           artifact_wit_string(a, name), (int)text.size_bytes, (const char *)text.data,
           text.failed ? "…" : "");
    buffer_done(&text);
}

/* Core imports and exports are the component's own affair. */
static void print_component(const struct artifact *a)
{
    size_t canons_count, exports_count, lifts_count, instances_count;
    const struct artifact_canon *canons = artifact_section(a, ARTIFACT_CANONS, &canons_count);
    const struct artifact_lift *lifts = artifact_section(a, ARTIFACT_LIFTS, &lifts_count);
    const struct artifact_component_export *exports =
        artifact_section(a, ARTIFACT_COMPONENT_EXPORTS, &exports_count);
    (void)artifact_section(a, ARTIFACT_INSTANCES, &instances_count);
    printf("component: %zu core instances, initialisation %s\n", instances_count,
           artifact_header(a)->flags & ARTIFACT_STARTED ? "done" : "left to every instance");
    for (size_t i = 0; i < canons_count; i++)
        if (canons[i].kind == CANON_LOWER_HOST)
            print_component_func(a, "import", canons[i].interface, canons[i].name, canons[i].type);
    for (size_t i = 0; i < exports_count; i++)
        print_component_func(a, "export", exports[i].interface, exports[i].name,
                             lifts[exports[i].lift].type);
}

static void print_artifact(const char *path, const struct artifact *a)
{
    const struct artifact_header *h = artifact_header(a);
    size_t code, rodata, count;
    artifact_code(a, &code);
    artifact_rodata(a, &rodata);
    artifact_section(a, ARTIFACT_COMPONENTS, &count);
    printf("%s: mayfly artifact, engine %s, from %s of %" PRIu64 " bytes\n", path, h->engine,
           count ? "core modules" : "a module", h->wasm_bytes);
    printf("code: %zu bytes for x86-64-v%u, %s, %s mode\n", code, h->cpu_level,
           cli_level_name((enum cli_level)h->level),
           h->flags & ARTIFACT_CONFORMING ? "conforming" : "default");
    artifact_section(a, ARTIFACT_FUNCS, &count);
    printf("functions: %zu\n", count ? count - 1 : 0);
    printf("read-only data: %zu bytes\n", rodata);
    artifact_section(a, ARTIFACT_IMAGE, &count);
    printf("image: %zu bytes, context of %" PRIu64 " bytes\n", count, h->context_bytes);
    const struct artifact_memory *memories = artifact_section(a, ARTIFACT_MEMORIES, &count);
    for (size_t i = 0; i < count; i++)
        printf("memory %zu: %" PRIu64 " to %" PRIu64 " pages%s\n", i, memories[i].pages_min,
               memories[i].pages_max, memories[i].is64 ? ", 64-bit" : "");
    artifact_section(a, ARTIFACT_LINES, &count);
    printf("debug lines: %zu\n", count);
    artifact_section(a, ARTIFACT_COMPONENTS, &count);
    if (count) {
        print_component(a);
        return;
    }
    print_imports(a);
    print_exports(a);
}

static int inspect_artifact(const char *path)
{
    struct artifact *a = NULL;
    struct error err;
    if (artifact_open(path, &a, &err)) {
        error_prefix(&err, "%s", path);
        return cli_fail(&err);
    }
    print_artifact(path, a);
    artifact_close(a);
    return CLI_OK;
}

int cmd_inspect(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int id;
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (id != 'h') return cli_bad_option("inspect", id, argv);
        fputs(help, stdout);
        return CLI_OK;
    }
    if (optind + 1 != argc) return cli_usage_error("inspect", "one file is needed");
    const char *path = argv[optind];
    enum program_file_kind kind;
    struct error err;
    if (program_file_kind(path, &kind, &err)) return cli_fail(&err);
    if (kind == PROGRAM_FILE_ARTIFACT) return inspect_artifact(path);
    return compiler_exec((const char *const[]){"--inspect", "--", path, NULL});
}
