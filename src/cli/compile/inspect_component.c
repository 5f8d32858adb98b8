#include <stdio.h>

#include "compile/inspect.h"
#include "component/print.h"

#define WORLD_BYTES_MAX (16u << 20)

static void print_summary(const char *name, const struct component *c)
{
    size_t functions = 0;
    for (uint32_t i = 0; i < c->modules_count; i++) functions += c->modules[i].module->funcs_count;
    printf("%s: WebAssembly component, %zu bytes\n", name, c->size_bytes);
    printf("core modules: %u, %zu functions\n", c->modules_count, functions);
}

enum status inspect_component(const char *name, const struct buffer *wasm, struct error *err)
{
    struct component *c = NULL;
    struct buffer text;
    buffer_init(&text, WORLD_BYTES_MAX);
    enum status st = component_decode(wasm->data, wasm->size_bytes, 1, &c, err);
    if (!st) st = component_world_print(c, &text);
    if (st && c) error_set(err, st, "its world is too large to be printed");
    if (st) {
        error_prefix(err, "%s", name);
    } else {
        print_summary(name, c);
        fwrite(text.data, 1, text.size_bytes, stdout);
    }
    component_free(c);
    buffer_done(&text);
    return st;
}
