#include "unit_lines.h"

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
    struct unit_row a = {(uint32_t)row->address, row->ends_sequence ? 0 : row->line};
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
            return error_set(err, ST_INTERNAL, "linker: line table of an object cannot be read");
    return ST_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct unit_row *x = a, *y = b;
    if (x->code_offset != y->code_offset) return x->code_offset < y->code_offset ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static void sort_rows(struct unit_row *rows, size_t count)
{
    size_t i = 1;
    while (i < count && rows[i - 1].code_offset <= rows[i].code_offset) i++;
    if (i < count) qsort(rows, count, sizeof *rows, compare_rows);
}

/* Of rows at one address a known origin wins over none, then the later one; a row that says what
 * the one before it says is dropped. Rows below `first` belong to another function. */
static void add_row(struct buffer *to, size_t first, struct unit_row row)
{
    struct unit_row *rows = (void *)to->data;
    size_t count = to->size_bytes / sizeof row;
    if (count > first && rows[count - 1].code_offset == row.code_offset) {
        if (!row.line) return;
        to->size_bytes -= sizeof row;
        count--;
    }
    if (count > first ? rows[count - 1].line == row.line : !row.line) return;
    buffer_append(to, &row, sizeof row);
}

/* A table's sequence covers a whole section: what has no debug information there (trampolines)
 * would be taken for the function before it. So a function's last row ends with the function. */
static void merge_rows(const struct unit_symbol *symbols, size_t symbols_count,
                       const struct unit_row *rows, size_t count, struct buffer *to)
{
    size_t row = 0;
    for (size_t i = 0; i < symbols_count && !to->failed; i++) {
        const struct unit_symbol *s = &symbols[i];
        uint32_t end = s->offset + s->size_bytes;
        size_t first = to->size_bytes / sizeof *rows;
        if (s->kind == UNIT_TRAMPOLINE) continue;
        while (row < count && rows[row].code_offset < s->offset) row++;
        for (; row < count && rows[row].code_offset < end; row++) add_row(to, first, rows[row]);
        add_row(to, first, (struct unit_row){end, 0});
    }
}

enum status unit_lines(const struct object *object, const struct unit_symbol *symbols,
                       size_t symbols_count, struct buffer *rows, struct error *err)
{
    struct buffer all;
    buffer_init(&all, UNIT_BYTES_MAX);
    enum status st = collect_object(object, &all, err);
    if (!st && all.failed) st = error_set(err, ST_NO_MEMORY, "linker: line table");
    if (!st) {
        struct unit_row *raw = (void *)all.data;
        size_t count = all.size_bytes / sizeof *raw;
        sort_rows(raw, count);
        merge_rows(symbols, symbols_count, raw, count, rows);
    }
    buffer_done(&all);
    return st;
}
