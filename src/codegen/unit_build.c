/* Makes a unit of an object: places its sections, resolves names to kinds and numbers, keeps what
 * is left to relocate. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "unit.h"
#include "unit_lines.h"

#define CODE_FILL 0xcc /* int3: what lies between functions traps */

#define bad(err, ...) error_set((err), ST_INTERNAL, "linker: " __VA_ARGS__)

struct builder {
    struct object object;
    struct unit_header header;
    struct buffer symbols, relocations, rows, code, rodata;
};

/* ---- names ---- */

static bool parse_index(const char *digits, uint32_t *ret)
{
    uint64_t v = 0;
    if (!*digits || (*digits == '0' && digits[1])) return false;
    for (; *digits; digits++) {
        if (*digits < '0' || *digits > '9') return false;
        v = v * 10 + (uint64_t)(*digits - '0');
        if (v > UINT32_MAX) return false;
    }
    *ret = (uint32_t)v;
    return true;
}

static bool parse_symbol(const char *name, uint32_t *ret_kind, uint32_t *ret_number)
{
    for (uint32_t kind = 0; kind < UNIT_SYMBOL_KINDS; kind++) {
        const char *prefix = unit_symbol_prefix(kind);
        size_t length = strlen(prefix);
        if (strncmp(name, prefix, length) || !parse_index(name + length, ret_number)) continue;
        *ret_kind = kind;
        return true;
    }
    return false;
}

/* ---- placement ---- */

static void place_section(struct builder *b, struct object_section *s)
{
    bool is_code = s->place == OBJECT_CODE;
    struct buffer *to = is_code ? &b->code : &b->rodata;
    uint32_t *align = is_code ? &b->header.code_align : &b->header.rodata_align;
    size_t size = to->size_bytes, padding = (size_t)(-(uint64_t)size & (s->align_bytes - 1));
    if (s->align_bytes > *align) *align = (uint32_t)s->align_bytes;
    if (!buffer_append_zeros(to, padding) && is_code && padding)
        memset(to->data + size, CODE_FILL, padding);
    s->placed_offset = to->size_bytes;
    buffer_append(to, s->bytes, s->size_bytes);
}

static enum status add_symbol(struct builder *b, const Elf64_Sym *symbol, struct error *err)
{
    const struct object *o = &b->object;
    const char *name = object_symbol_name(o, symbol);
    const struct object_section *s = object_symbol_section(o, symbol);
    struct unit_symbol u;
    if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !parse_symbol(name, &u.kind, &u.number))
        return bad(err, "object defines the symbol \"%s\"", name);
    if (!s || s->place != OBJECT_CODE || !symbol->st_size ||
        !range_within(symbol->st_value, symbol->st_size, s->size_bytes))
        return bad(err, "\"%s\" does not lie in code", name);
    u.offset = (uint32_t)(s->placed_offset + symbol->st_value);
    u.size_bytes = (uint32_t)symbol->st_size;
    buffer_append(&b->symbols, &u, sizeof u);
    return ST_OK;
}

static int compare_symbols(const void *a, const void *b)
{
    const struct unit_symbol *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum status add_symbols(struct builder *b, struct error *err)
{
    const struct object *o = &b->object;
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < o->symbols_count; i++) {
        const Elf64_Sym *symbol = &o->symbols[i];
        bool local = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL &&
                     ELF64_ST_TYPE(symbol->st_info) != STT_FUNC;
        if (symbol->st_shndx != SHN_UNDEF && !local) st = add_symbol(b, symbol, err);
    }
    struct unit_symbol *symbols = (void *)b->symbols.data;
    size_t count = b->symbols.size_bytes / sizeof *symbols;
    if (count) qsort(symbols, count, sizeof *symbols, compare_symbols);
    for (size_t i = 1; !st && i < count; i++)
        if (symbols[i].offset < symbols[i - 1].offset + symbols[i - 1].size_bytes)
            st = bad(err, "functions of an object overlap");
    return st;
}

/* ---- relocations ---- */

static enum status set_target(const struct object *o, const Elf64_Sym *symbol,
                              struct unit_relocation *u, struct error *err)
{
    const char *name = object_symbol_name(o, symbol);
    uint32_t kind;
    if (symbol->st_shndx != SHN_UNDEF) {
        const struct object_section *s = object_symbol_section(o, symbol);
        if (!s) return bad(err, "relocation against \"%s\", which is not placed", name);
        u->target = s->place == OBJECT_CODE ? UNIT_TO_CODE : UNIT_TO_RODATA;
        u->addend += (int64_t)(s->placed_offset + symbol->st_value);
    } else if (!strcmp(name, "codestart")) {
        u->target = UNIT_TO_CODESTART;
    } else if (!strcmp(name, "functable")) {
        u->target = UNIT_TO_FUNCTABLE;
    } else if (parse_symbol(name, &kind, &u->number)) {
        u->target = (uint8_t)kind;
    } else {
        return bad(err, "undefined symbol \"%s\" is not one that objects may use", name);
    }
    return ST_OK;
}

static enum status add_relocation(struct builder *b, const struct object_section *s,
                                  const Elf64_Rela *r, struct error *err)
{
    const struct object *o = &b->object;
    uint32_t kind = (uint32_t)ELF64_R_TYPE(r->r_info);
    uint64_t symbol = ELF64_R_SYM(r->r_info);
    uint8_t size = kind == R_X86_64_PC64 ? sizeof(uint64_t) : sizeof(uint32_t);
    if (kind != R_X86_64_PC32 && kind != R_X86_64_PLT32 && kind != R_X86_64_PC64)
        return bad(err, "relocation of kind %u in %s", kind, s->name);
    if (symbol >= o->symbols_count || !range_within(r->r_offset, size, s->size_bytes))
        return bad(err, "relocation in %s is out of bounds", s->name);
    struct unit_relocation u = {
        .offset = (uint32_t)(s->placed_offset + r->r_offset),
        .in_rodata = s->place == OBJECT_RODATA,
        .size_bytes = size,
        .addend = r->r_addend,
    };
    enum status st = set_target(o, &o->symbols[symbol], &u, err);
    buffer_append(&b->relocations, &u, sizeof u);
    return st;
}

static enum status add_relocations(struct builder *b, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 1; !st && i < b->object.sections_count; i++) {
        const struct object_section *s = &b->object.sections[i];
        if (s->place == OBJECT_DROPPED) continue;
        for (size_t n = 0; !st && n < s->relocations_count; n++)
            st = add_relocation(b, s, &s->relocations[n], err);
    }
    return st;
}

/* ---- the whole ---- */

static enum status collect(struct builder *b, struct error *err)
{
    for (size_t i = 1; i < b->object.sections_count; i++)
        if (b->object.sections[i].place != OBJECT_DROPPED) place_section(b, &b->object.sections[i]);
    enum status st = add_symbols(b, err);
    if (!st) st = add_relocations(b, err);
    if (!st)
        st = unit_lines(&b->object, (const void *)b->symbols.data,
                        b->symbols.size_bytes / sizeof(struct unit_symbol), &b->rows, err);
    return st;
}

static enum status write_parts(struct builder *b, struct buffer *ret, struct error *err)
{
    struct buffer *parts[] = {&b->symbols, &b->relocations, &b->rows, &b->code, &b->rodata};
    uint64_t total = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        total += parts[i]->size_bytes;
        if (parts[i]->failed || total > UNIT_BYTES_MAX)
            return error_set(err, total > UNIT_BYTES_MAX / 2 ? ST_LIMIT : ST_NO_MEMORY,
                             "machine code of a batch of functions");
    }
    b->header.magic = UNIT_MAGIC;
    b->header.code_bytes = (uint32_t)b->code.size_bytes;
    b->header.rodata_bytes = (uint32_t)b->rodata.size_bytes;
    b->header.symbols_count = (uint32_t)(b->symbols.size_bytes / sizeof(struct unit_symbol));
    b->header.relocations_count =
        (uint32_t)(b->relocations.size_bytes / sizeof(struct unit_relocation));
    b->header.rows_count = (uint32_t)(b->rows.size_bytes / sizeof(struct unit_row));
    buffer_reserve(ret, sizeof b->header + total);
    buffer_append(ret, &b->header, sizeof b->header);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        buffer_append(ret, parts[i]->data, parts[i]->size_bytes);
    return ret->failed ? error_set(err, ST_NO_MEMORY, "linker") : ST_OK;
}

enum status unit_from_object(const struct object_file *object, uint32_t functions_lowered,
                             struct buffer *ret, struct error *err)
{
    assert(!ret->size_bytes);
    struct builder b = {.header = {.code_align = 1, .rodata_align = 1}};
    struct buffer *parts[] = {&b.symbols, &b.relocations, &b.rows, &b.code, &b.rodata};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) buffer_init(parts[i], UNIT_BYTES_MAX);
    b.header.functions_lowered = functions_lowered;
    enum status st = object_init(&b.object, object, err);
    if (!st) st = collect(&b, err);
    if (!st) st = write_parts(&b, ret, err);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) buffer_done(parts[i]);
    object_done(&b.object);
    return st;
}
