#include "address_map.h"

#include <stdlib.h>
#include <string.h>

#include "dwarf_line.h"

/* Collects rows of one object's tables. */
struct collector {
    const struct object *object;
    const struct object_section *section; /* .debug_line */
    size_t relocation; /* operands come in ascending order, and so do relocations */
    struct buffer *rows;
};

/* In an object, set_address holds zeros and a relocation says where. */
static bool resolve_address(void *context, size_t operand, uint64_t *address)
{
    struct collector *c = context;
    const struct object_section *s = c->section;
    while (c->relocation < s->relocations_count && s->relocations[c->relocation].r_offset < operand)
        c->relocation++;
    if (c->relocation == s->relocations_count) return false;
    const Elf64_Rela *r = &s->relocations[c->relocation];
    uint64_t symbol = ELF64_R_SYM(r->r_info);
    if (r->r_offset != operand || ELF64_R_TYPE(r->r_info) != R_X86_64_64 ||
        symbol >= c->object->symbols_count)
        return false;
    const struct object_section *code =
        object_symbol_section(c->object, &c->object->symbols[symbol]);
    if (!code || code->place != OBJECT_CODE) return false;
    *address = code->placed_offset + c->object->symbols[symbol].st_value + (uint64_t)r->r_addend;
    return true;
}

static bool collect_row(void *context, const struct dwarf_line_row *row)
{
    struct collector *c = context;
    struct artifact_address a = {(uint32_t)row->address, row->ends_sequence ? 0 : row->line};
    return !buffer_append(c->rows, &a, sizeof a);
}

static enum status collect_object(const struct object *o, struct buffer *rows, struct error *err)
{
    const struct object_section *s = object_find_section(o, ".debug_line");
    if (!s) return ST_OK;
    struct collector c = {o, s, 0, rows};
    const struct dwarf_line_visitor visitor = {resolve_address, collect_row, &c};
    const struct dwarf_line_sections sections = {.line = {s->bytes, s->size_bytes}};
    struct dwarf_line_unit unit;
    size_t at = 0;
    while (dwarf_line_next(&sections, &at, &unit))
        if (!dwarf_line_run(&unit, &visitor) && !rows->failed)
            return linker_bad(err, "line table of an object cannot be read");
    return ST_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct artifact_address *x = a, *y = b;
    if (x->code_offset != y->code_offset) return x->code_offset < y->code_offset ? -1 : 1;
    return (x->wasm_offset > y->wasm_offset) - (x->wasm_offset < y->wasm_offset);
}

static void sort_rows(struct artifact_address *rows, size_t count)
{
    size_t i = 1;
    while (i < count && rows[i - 1].code_offset <= rows[i].code_offset) i++;
    if (i < count) qsort(rows, count, sizeof *rows, compare_rows);
}

/* Of rows at one address a known origin wins over none, then the later one; a row that says what
 * the one before it says is dropped. */
static void add_row(struct buffer *map, struct artifact_address row)
{
    struct artifact_address *rows = (void *)map->data;
    size_t count = map->size_bytes / sizeof row;
    if (count && rows[count - 1].code_offset == row.code_offset) {
        if (!row.wasm_offset) return;
        map->size_bytes -= sizeof row;
        count--;
    }
    if (count ? rows[count - 1].wasm_offset == row.wasm_offset : !row.wasm_offset) return;
    buffer_append(map, &row, sizeof row);
}

/* A table's sequence covers a whole section: what has no debug information there (trampolines)
 * would be taken for the function before it. So a function's last row ends with the function. */
static void merge_rows(struct linker *l, const struct artifact_address *rows, size_t count)
{
    const struct artifact_func *funcs = (const void *)l->parts[ARTIFACT_FUNCS].data;
    const uint32_t *order = (const void *)l->parts[ARTIFACT_FUNC_ORDER].data;
    size_t ends = l->parts[ARTIFACT_FUNC_ORDER].size_bytes / sizeof *order, row = 0;
    struct buffer *map = &l->parts[ARTIFACT_ADDRESSES];
    for (size_t i = 0; i < ends && !map->failed; i++) {
        const struct artifact_func *f = &funcs[order[i]];
        uint32_t end = f->code_offset + f->code_size;
        while (row < count && rows[row].code_offset < f->code_offset) row++;
        for (; row < count && rows[row].code_offset < end; row++) add_row(map, rows[row]);
        add_row(map, (struct artifact_address){end, 0});
    }
}

enum status address_map_build(struct linker *l, struct error *err)
{
    struct buffer rows;
    buffer_init(&rows, ARTIFACT_BYTES_MAX);
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < l->objects_count; i++)
        st = collect_object(&l->objects[i], &rows, err);
    if (!st && rows.failed) st = error_set(err, ST_NO_MEMORY, "linker: address map");
    if (!st) {
        struct artifact_address *all = (void *)rows.data;
        size_t count = rows.size_bytes / sizeof *all;
        sort_rows(all, count);
        merge_rows(l, all, count);
    }
    buffer_done(&rows);
    return st;
}
