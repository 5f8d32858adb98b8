#include "compile/inspect.h"

#include <inttypes.h>
#include <stdio.h>

#include "wasm/wasm.h"

#define TYPE_TEXT_MAX 64u

static const char *const feature_names[] = {
    "gc",
    "function-references",
    "exceptions",
    "tail-call",
    "memory64",
    "multi-memory",
    "simd",
    "relaxed-simd",
    "extended-const",
    "bulk-memory",
    "reference-types",
    "multi-value",
};

/* Names come from the module: what is not printable ASCII or would end the line is escaped. */
static void print_name(struct wasm_name name)
{
    putchar('"');
    for (uint32_t i = 0; i < name.size_bytes; i++) {
        unsigned char c = (unsigned char)name.text[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            printf("\\%02x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_types(const struct wasm_valtype *types, uint32_t count)
{
    putchar('(');
    for (uint32_t i = 0; i < count; i++) {
        char text[TYPE_TEXT_MAX];
        wasm_valtype_print(types[i], text, sizeof text);
        printf("%s%s", i ? ", " : "", text);
    }
    putchar(')');
}

static void print_limits(struct wasm_limits limits, const char *unit)
{
    printf(" %" PRIu64, limits.min);
    if (limits.has_max) printf(" to %" PRIu64, limits.max);
    printf(" %s%s", unit, limits.is64 ? ", 64-bit" : "");
}

static void print_external(const struct wasm_module *m, enum wasm_external kind, uint32_t index)
{
    char text[TYPE_TEXT_MAX];
    printf(" %s", wasm_external_name(kind));
    switch (kind) {
    case WASM_EXT_FUNC: {
        const struct wasm_type *type = &m->types[m->funcs[index].type];
        putchar(' ');
        print_types(type->params, type->params_count);
        printf(" -> ");
        print_types(type->results, type->results_count);
        break;
    }
    case WASM_EXT_TABLE:
        wasm_valtype_print(m->tables[index].element, text, sizeof text);
        printf(" of %s,", text);
        print_limits(m->tables[index].limits, "elements");
        break;
    case WASM_EXT_MEMORY: print_limits(m->memories[index].limits, "pages"); break;
    case WASM_EXT_GLOBAL:
        wasm_valtype_print(m->globals[index].type, text, sizeof text);
        printf(" %s%s", m->globals[index].mutable ? "mutable " : "", text);
        break;
    case WASM_EXT_TAG: break;
    }
    putchar('\n');
}

static void print_summary(const char *name, const struct wasm_module *m)
{
    size_t code = 0, data = 0;
    for (uint32_t i = m->imported_funcs_count; i < m->funcs_count; i++)
        code += m->funcs[i].body_end - m->funcs[i].body_offset;
    for (uint32_t i = 0; i < m->datas_count; i++) data += m->datas[i].bytes_size;
    printf("%s: WebAssembly module, %zu bytes\n", name, m->size_bytes);
    printf("functions: %u, %u imported, %zu bytes of code\n", m->funcs_count,
           m->imported_funcs_count, code);
    printf("data: %u segments, %zu bytes\n", m->datas_count, data);
    for (uint32_t i = 0; i < m->memories_count; i++) {
        printf("memory %u:", i);
        print_limits(m->memories[i].limits, "pages");
        putchar('\n');
    }
    for (uint32_t i = 0; i < m->tables_count; i++) {
        printf("table %u:", i);
        print_limits(m->tables[i].limits, "elements");
        putchar('\n');
    }
    printf("features:");
    for (size_t i = 0; i < ARRAY_COUNT(feature_names); i++)
        if (m->features & 1u << i) printf(" %s", feature_names[i]);
    printf("%s\n", m->features ? "" : " none beyond 1.0");
    printf("debug lines: %s\n", wasm_module_custom(m, ".debug_line") ? "yes (DWARF)" : "no");
}

enum status inspect_module(const char *name, const struct buffer *wasm, struct error *err)
{
    struct wasm_module *m = NULL;
    if (wasm_module_decode(wasm->data, wasm->size_bytes, 1, &m, err))
        return error_prefix(err, "%s", name);
    print_summary(name, m);
    printf("imports: %u\n", m->imports_count);
    for (uint32_t i = 0; i < m->imports_count; i++) {
        printf("  ");
        print_name(m->imports[i].module);
        putchar(' ');
        print_name(m->imports[i].field);
        print_external(m, m->imports[i].kind, m->imports[i].index);
    }
    printf("exports: %u\n", m->exports_count);
    for (uint32_t i = 0; i < m->exports_count; i++) {
        printf("  ");
        print_name(m->exports[i].name);
        print_external(m, m->exports[i].kind, m->exports[i].index);
    }
    wasm_module_free(m);
    return ST_OK;
}
