/* Lookups in an artifact's sorted tables: what a trap report and a linking host ask. */
#include <assert.h>
#include <string.h>

#include "artifact/artifact.h"

const char *trap_kind_text(enum trap_kind kind)
{
    static const char *const texts[TRAP_KINDS_COUNT] = {
        [TRAP_NONE] = "no trap",
        [TRAP_UNREACHABLE] = "unreachable",
        [TRAP_MEMORY_BOUNDS] = "out of bounds memory access",
        [TRAP_TABLE_BOUNDS] = "out of bounds table access",
        [TRAP_NULL_ELEMENT] = "uninitialized element",
        [TRAP_TYPE_MISMATCH] = "indirect call type mismatch",
        [TRAP_DIVIDE_BY_ZERO] = "integer divide by zero",
        [TRAP_INTEGER_OVERFLOW] = "integer overflow",
        [TRAP_BAD_CONVERSION] = "invalid conversion to integer",
        [TRAP_STACK_EXHAUSTED] = "call stack exhausted",
        [TRAP_NULL_REFERENCE] = "null reference",
        [TRAP_HOST] = "host function refused",
        [TRAP_EXIT] = "exit",
        [TRAP_CANCEL] = "cancelled",
        [TRAP_CPU_LIMIT] = "cpu time limit reached",
    };
    return (unsigned)kind < TRAP_KINDS_COUNT ? texts[kind] : "unknown trap";
}

const struct artifact_func *artifact_find_func(const struct artifact *a, uint32_t code_offset)
{
    size_t low = 0, high;
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, NULL);
    const uint32_t *order = artifact_section(a, ARTIFACT_FUNC_ORDER, &high);
    while (low < high) { /* the answer, if any, is the last that begins at or before the offset */
        size_t middle = low + (high - low) / 2;
        if (funcs[order[middle]].code_offset <= code_offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low) return NULL;
    const struct artifact_func *f = &funcs[order[low - 1]];
    return code_offset - f->code_offset < f->code_size ? f : NULL;
}

bool artifact_find_wasm_offset(const struct artifact *a, uint32_t code_offset, uint32_t *ret)
{
    size_t low = 0, high;
    const struct artifact_address *rows = artifact_section(a, ARTIFACT_ADDRESSES, &high);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].code_offset <= code_offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || !rows[low - 1].wasm_offset) return false;
    *ret = rows[low - 1].wasm_offset;
    return true;
}

bool artifact_find_line(const struct artifact *a, uint32_t instance, uint32_t wasm_offset,
                        const char **ret_file, uint32_t *ret_line)
{
    size_t low = 0, high;
    const struct artifact_line *rows = artifact_section(a, ARTIFACT_LINES, &high);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct artifact_line *r = &rows[middle];
        if (r->instance < instance || (r->instance == instance && r->wasm_offset <= wasm_offset))
            low = middle + 1;
        else
            high = middle;
    }
    if (!low) return false;
    const struct artifact_line *r = &rows[low - 1];
    if (r->instance != instance || !r->file) return false;
    *ret_file = artifact_string(a, r->file);
    *ret_line = r->line;
    return true;
}

const struct artifact_export *artifact_find_export(const struct artifact *a, const char *name,
                                                   uint32_t kind)
{
    assert(name);
    size_t count;
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    const struct artifact_export *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct artifact_export *x = &exports[i];
        if (x->kind != kind || (found && x->instance < found->instance)) continue;
        if (!strcmp(artifact_string(a, x->name), name)) found = x;
    }
    return found;
}
