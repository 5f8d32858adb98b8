/* Places code and read-only data and resolves what refers to them. The tables around them are
 * built in linker_sections.c, address_map.c and guest_lines.c. */
#include "linker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "address_map.h"
#include "base/checked.h"
#include "guest_lines.h"
#include "linker_state.h"

#define CODE_FILL        0xcc /* int3: what lies between functions traps */
#define CODE_ALIGN_BYTES 16u  /* also what keeps offset 0 from being a function's */

bool linker_index(const struct linker_placed *p, uint32_t kind, uint32_t number, uint32_t *ret)
{
    const struct linker_unit *from = p->from;
    const uint32_t *table = kind == UNIT_FUNC         ? from->funcs
                            : kind == UNIT_TRAMPOLINE ? from->types
                                                      : NULL;
    uint32_t count = kind == UNIT_FUNC ? from->funcs_count : from->types_count;
    if (table && number >= count) return false;
    *ret = table ? table[number] : number;
    return true;
}

/* Where a symbol is recorded, or NULL when the program has no such thing. */
static struct linker_symbol *find_symbol(const struct linker *l, const struct linker_placed *p,
                                         uint32_t kind, uint32_t number)
{
    uint32_t index;
    if (!linker_index(p, kind, number, &index)) return NULL;
    switch (kind) {
    case UNIT_FUNC: return index && index < l->program->funcs_count ? &l->funcs[index] : NULL;
    case UNIT_INIT: return index < l->program->instances_count ? &l->inits[index] : NULL;
    case UNIT_TRAMPOLINE:
        return index < l->program->types_count || !index ? &l->trampolines[index] : NULL;
    default: return NULL;
    }
}

/* ---- placement ---- */

static enum status place_bytes(struct linker *l, enum artifact_section section, uint32_t align,
                               const uint8_t *bytes, uint32_t size_bytes, uint64_t *ret_offset,
                               struct error *err)
{
    struct buffer *b = &l->parts[section];
    size_t size = b->size_bytes, padding = (size_t)(-(uint64_t)size & (align - 1));
    enum status st = buffer_append_zeros(b, padding);
    if (!st && section == ARTIFACT_CODE && padding) memset(b->data + size, CODE_FILL, padding);
    *ret_offset = b->size_bytes;
    if (!st) st = buffer_append(b, bytes, size_bytes);
    return st ? linker_check_parts(l, err) : ST_OK;
}

static enum status record_symbol(struct linker *l, const struct linker_placed *p,
                                 const struct unit_symbol *symbol, struct error *err)
{
    struct linker_symbol *known = find_symbol(l, p, symbol->kind, symbol->number);
    const char *prefix = unit_symbol_prefix(symbol->kind);
    if (!known)
        return linker_bad(err, "object defines the symbol \"%s%u\"", prefix, symbol->number);
    if (known->size_bytes)
        return linker_bad(err, "\"%s%u\" is defined twice", prefix, symbol->number);
    known->code_offset = (uint32_t)(p->code_offset + symbol->offset);
    known->size_bytes = symbol->size_bytes;
    return ST_OK;
}

static enum status place_unit(struct linker *l, struct linker_placed *p, struct error *err)
{
    if (!unit_open(&p->unit, p->from->bytes, p->from->size_bytes))
        return linker_bad(err, "a unit of code is damaged");
    const struct unit_header *h = p->unit.header;
    enum status st = place_bytes(l, ARTIFACT_CODE, h->code_align, p->unit.code, h->code_bytes,
                                 &p->code_offset, err);
    if (!st)
        st = place_bytes(l, ARTIFACT_RODATA, h->rodata_align, p->unit.rodata, h->rodata_bytes,
                         &p->rodata_offset, err);
    uint64_t total =
        l->parts[ARTIFACT_CODE].size_bytes + (uint64_t)l->parts[ARTIFACT_RODATA].size_bytes;
    if (!st && total > LINKER_CODE_MAX)
        return error_set(err, ST_LIMIT, "machine code larger than %llu bytes", LINKER_CODE_MAX);
    for (uint32_t i = 0; !st && i < h->symbols_count; i++)
        st = record_symbol(l, p, &p->unit.symbols[i], err);
    return st;
}

/* Room for the code at once, which is the largest part by far; what is too large is said later. */
static enum status reserve_code(struct linker *l)
{
    uint64_t bytes = ARTIFACT_PAGE;
    for (size_t i = 0; i < l->units_count; i++) bytes += l->units[i].from->size_bytes;
    return bytes <= LINKER_CODE_MAX ? buffer_reserve(&l->parts[ARTIFACT_CODE], bytes) : ST_OK;
}

/* Code begins with filling, rodata with the function table, which is filled in once all functions
 * are placed. */
static enum status place_all(struct linker *l, struct error *err)
{
    struct buffer *code = &l->parts[ARTIFACT_CODE];
    uint64_t table_bytes =
        (uint64_t)l->layout->functable_count * sizeof(struct linker_functable_entry);
    enum status st = reserve_code(l);
    if (!st) st = buffer_append_zeros(code, CODE_ALIGN_BYTES);
    if (!st) memset(code->data, CODE_FILL, CODE_ALIGN_BYTES);
    if (!st) st = buffer_append_zeros(&l->parts[ARTIFACT_RODATA], table_bytes);
    if (st) return linker_check_parts(l, err);
    for (size_t i = 0; !st && i < l->units_count; i++) st = place_unit(l, &l->units[i], err);
    if (st) return st;
    /* At least one byte of filling behind the last function: its end is an offset of the code. */
    size_t size = code->size_bytes;
    st = buffer_append_zeros(code, 1);
    if (!st) st = buffer_align(code, ARTIFACT_PAGE);
    if (st) return linker_check_parts(l, err);
    memset(code->data + size, CODE_FILL, code->size_bytes - size);
    return ST_OK;
}

/* ---- symbols ---- */

static enum status check_defined(const struct linker *l, struct error *err)
{
    const struct program *p = l->program;
    for (uint32_t i = 1; i < p->funcs_count; i++)
        if (!l->funcs[i].size_bytes) return linker_bad(err, "\"f%u\" is not defined", i);
    for (uint32_t i = 0; i < p->instances_count; i++)
        if (!l->inits[i].size_bytes) return linker_bad(err, "\"init%u\" is not defined", i);
    if (!l->trampolines[0].size_bytes) return linker_bad(err, "\"t0\" is not defined");
    for (uint32_t i = 0; i < p->instances_count; i++) {
        const struct program_instance *in = &p->instances[i];
        for (uint32_t k = 0; k < in->module->exports_count; k++) {
            const struct wasm_export *x = &in->module->exports[k];
            uint32_t type = x->kind == WASM_EXT_FUNC ? p->funcs[in->funcs[x->index]].type_id : 0;
            if (!l->trampolines[type].size_bytes)
                return linker_bad(err, "\"t%u\", of an export, is not defined", type);
        }
        if (!in->module->has_start) continue;
        uint32_t type = p->funcs[in->funcs[in->module->start]].type_id;
        if (!l->trampolines[type].size_bytes)
            return linker_bad(err, "\"t%u\", of a start function, is not defined", type);
    }
    return ST_OK;
}

static void fill_functable(struct linker *l)
{
    struct linker_functable_entry *table = (void *)l->parts[ARTIFACT_RODATA].data;
    for (uint32_t i = 0; i < l->layout->functable_count; i++) {
        bool real = i && i < l->program->funcs_count;
        table[i].type_id = real ? l->program->funcs[i].type_id : LAYOUT_TYPE_ID_NONE;
        table[i].code_offset = real ? (int32_t)l->funcs[i].code_offset : 0;
    }
}

/* ---- relocations ---- */

/* Addresses here count from the code's first byte; rodata follows the code's last page. */
static enum status resolve(const struct linker *l, const struct linker_placed *p,
                           const struct unit_relocation *r, uint64_t *ret, struct error *err)
{
    uint64_t rodata = l->parts[ARTIFACT_CODE].size_bytes;
    const struct linker_symbol *known;
    switch (r->target) {
    case UNIT_TO_CODE: *ret = p->code_offset; return ST_OK;
    case UNIT_TO_RODATA: *ret = rodata + p->rodata_offset; return ST_OK;
    case UNIT_TO_CODESTART: *ret = 0; return ST_OK;
    case UNIT_TO_FUNCTABLE: *ret = rodata; return ST_OK;
    default:
        known = find_symbol(l, p, r->target, r->number);
        if (!known || !known->size_bytes)
            return linker_bad(err, "undefined symbol \"%s%u\" is not one that objects may use",
                              unit_symbol_prefix(r->target), r->number);
        *ret = known->code_offset;
        return ST_OK;
    }
}

static enum status relocate(struct linker *l, const struct linker_placed *p,
                            const struct unit_relocation *r, struct error *err)
{
    struct buffer *b = &l->parts[r->in_rodata ? ARTIFACT_RODATA : ARTIFACT_CODE];
    uint64_t at = r->offset + (r->in_rodata ? p->rodata_offset : p->code_offset);
    uint64_t place = at + (r->in_rodata ? l->parts[ARTIFACT_CODE].size_bytes : 0), target = 0;
    enum status st = resolve(l, p, r, &target, err);
    if (st) return st;
    int64_t value = (int64_t)(target + (uint64_t)r->addend - place);
    if (r->size_bytes == sizeof(uint32_t) && (value < INT32_MIN || value > INT32_MAX))
        return linker_bad(err, "a relocation does not reach");
    memcpy(b->data + at, &value, r->size_bytes); /* little-endian, as x86-64 */
    return ST_OK;
}

static enum status relocate_all(struct linker *l, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < l->units_count; i++) {
        const struct linker_placed *p = &l->units[i];
        for (uint32_t n = 0; !st && n < p->unit.header->relocations_count; n++)
            st = relocate(l, p, &p->unit.relocations[n], err);
    }
    return st;
}

/* ---- the whole ---- */

static enum status linker_init(struct linker *l, const struct layout *layout,
                               const struct codegen_options *options,
                               const struct linker_unit *units, size_t units_count,
                               struct error *err)
{
    const struct program *p = layout->program;
    *l = (struct linker){.layout = layout, .program = p, .options = options};
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++)
        buffer_init(&l->parts[i], ARTIFACT_BYTES_MAX);
    if (units_count > LINKER_UNITS_MAX)
        return error_set(err, ST_LIMIT, "linker: more than %u units", LINKER_UNITS_MAX);
    l->units = calloc(units_count + 1, sizeof *l->units);
    if (!l->units) return error_set(err, ST_NO_MEMORY, "linker");
    l->units_count = units_count;
    for (size_t i = 0; i < units_count; i++) l->units[i].from = &units[i];
    l->funcs = calloc((size_t)p->funcs_count + 1, sizeof *l->funcs);
    l->inits = calloc((size_t)p->instances_count + 1, sizeof *l->inits);
    l->trampolines = calloc((size_t)p->types_count + 1, sizeof *l->trampolines);
    if (!l->funcs || !l->inits || !l->trampolines) return error_set(err, ST_NO_MEMORY, "linker");
    return ST_OK;
}

static void linker_done(struct linker *l)
{
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) buffer_done(&l->parts[i]);
    free(l->units);
    free(l->funcs);
    free(l->inits);
    free(l->trampolines);
}

static uint64_t program_wasm_bytes(const struct program *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->instances_count; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = p->instances[k].module == p->instances[i].module;
        if (!seen) sum += p->instances[i].module->size_bytes;
    }
    return sum;
}

static enum status write_file(const struct linker *l, struct buffer *file, struct error *err)
{
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT];
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++)
        parts[i] = (struct artifact_part){l->parts[i].data, l->parts[i].size_bytes};
    for (unsigned i = 0; l->options->component_parts && i < ARTIFACT_COMPONENT_SECTIONS; i++)
        parts[ARTIFACT_COMPONENTS + i] = l->options->component_parts[i];
    struct artifact_header h = {
        .engine = ARTIFACT_ENGINE,
        .cpu_level = l->options->cpu_level,
        .level = l->options->level,
        .flags = l->options->conforming ? (uint32_t)ARTIFACT_CONFORMING : 0,
        .features = l->program->features,
        .wasm_bytes = program_wasm_bytes(l->program),
        .context_bytes = l->layout->context_bytes,
    };
    return l->options->draft ? artifact_write_draft(&h, parts, file, err)
                             : artifact_write(&h, parts, file, err);
}

enum status linker_link(const struct layout *layout, const struct codegen_options *options,
                        const struct linker_unit *units, size_t units_count, struct buffer *file,
                        struct linker_stats *ret_stats, struct error *err)
{
    assert(layout && options && file && ret_stats && (units || !units_count));
    struct linker l;
    enum status st = linker_init(&l, layout, options, units, units_count, err);
    if (!st) st = place_all(&l, err);
    if (!st) st = check_defined(&l, err);
    if (!st) {
        fill_functable(&l);
        st = relocate_all(&l, err);
    }
    if (!st) st = linker_build_sections(&l, err);
    if (!st) address_map_build(&l);
    if (!st && !options->no_lines) guest_lines_build(&l);
    if (!st) st = linker_check_parts(&l, err);
    if (!st) st = write_file(&l, file, err);
    if (!st)
        *ret_stats = (struct linker_stats){
            .code_bytes = l.parts[ARTIFACT_CODE].size_bytes,
            .rodata_bytes = l.parts[ARTIFACT_RODATA].size_bytes,
            .addresses_count =
                l.parts[ARTIFACT_ADDRESSES].size_bytes / sizeof(struct artifact_address),
            .lines_count = l.parts[ARTIFACT_LINES].size_bytes / sizeof(struct artifact_line),
        };
    linker_done(&l);
    return st;
}
