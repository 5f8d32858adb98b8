/* Decodes and validates arbitrary bytes as a module. Of an accepted one, every body and constant
 * expression is read once more as the code generator does, which must end where the decoder said,
 * and a program is made of two instances of it. */
#include <stdlib.h>

#include "wasm/instr.h"
#include "wasm/program.h"
#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct wasm_module *m, size_t offset, size_t end)
{
    struct wasm_reader r = {m->bytes, offset, end};
    struct wasm_instr in;
    struct error err;
    do {
        if (wasm_instr_next(&r, &in, &err)) abort();
    } while (r.offset < end);
    if (in.op != WASM_OP_END || r.offset != end) abort();
}

static void read_expr(const struct wasm_module *m, const struct wasm_expr *e)
{
    read_again(m, e->offset, e->offset + e->size_bytes);
}

static void read_all(const struct wasm_module *m)
{
    for (uint32_t i = m->imported_funcs_count; i < m->funcs_count; i++)
        read_again(m, m->funcs[i].body_offset, m->funcs[i].body_end);
    for (uint32_t i = m->imported_globals_count; i < m->globals_count; i++)
        read_expr(m, &m->globals[i].init);
    for (uint32_t i = 0; i < m->tables_count; i++)
        if (m->tables[i].has_init) read_expr(m, &m->tables[i].init);
    for (uint32_t i = 0; i < m->elements_count; i++) {
        const struct wasm_element_segment *s = &m->elements[i];
        if (s->mode == WASM_ACTIVE) read_expr(m, &s->offset);
        for (uint32_t k = 0; s->exprs && k < s->count; k++) read_expr(m, &s->exprs[k]);
    }
    for (uint32_t i = 0; i < m->datas_count; i++)
        if (m->datas[i].mode == WASM_ACTIVE) read_expr(m, &m->datas[i].offset);
}

/* The second instance is served by the first where the names fit. */
static void link_twice(const struct wasm_module *m)
{
    struct program_builder *b = NULL;
    const struct program *p = NULL;
    struct error err;
    uint32_t instance;
    if (program_builder_new(&b, &err)) return;
    if (!program_builder_add(b, m, NULL, 0, true, &instance, &err)) {
        const struct program_namespace spaces[] = {{"", 0, instance}, {"a", 1, instance}};
        if (!program_builder_add(b, m, spaces, 2, true, &instance, &err) &&
            program_builder_finish(b, &p, &err))
            abort();
    }
    program_builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wasm_module *m = NULL;
    struct error err;
    if (wasm_module_decode(data, size, 1, &m, &err)) return 0;
    read_all(m);
    link_twice(m);
    wasm_module_free(m);
    return 0;
}
