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

enum symbol_kind { SYMBOL_UNKNOWN, SYMBOL_FUNC, SYMBOL_INIT, SYMBOL_TRAMPOLINE };

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

static enum symbol_kind parse_symbol(const char *name, uint32_t *ret_index)
{
    if (!strncmp(name, "init", 4) && parse_index(name + 4, ret_index)) return SYMBOL_INIT;
    if (name[0] == 'f' && parse_index(name + 1, ret_index)) return SYMBOL_FUNC;
    if (name[0] == 't' && parse_index(name + 1, ret_index)) return SYMBOL_TRAMPOLINE;
    return SYMBOL_UNKNOWN;
}

/* Where the symbol `name` is recorded, or NULL when the program has no such thing. */
static struct linker_symbol *find_symbol(const struct linker *l, const char *name)
{
    uint32_t index;
    switch (parse_symbol(name, &index)) {
    case SYMBOL_FUNC: return index && index < l->program->funcs_count ? &l->funcs[index] : NULL;
    case SYMBOL_INIT: return index < l->program->instances_count ? &l->inits[index] : NULL;
    case SYMBOL_TRAMPOLINE:
        return index < l->program->types_count || !index ? &l->trampolines[index] : NULL;
    default: return NULL;
    }
}

/* ---- placement ---- */

static enum status place_section(struct linker *l, struct object_section *s, struct error *err)
{
    struct buffer *b = &l->parts[s->place == OBJECT_CODE ? ARTIFACT_CODE : ARTIFACT_RODATA];
    size_t size = b->size_bytes;
    size_t padding = (size_t)(-(uint64_t)size & (s->align_bytes - 1));
    enum status st = buffer_append_zeros(b, padding);
    if (!st && s->place == OBJECT_CODE && padding) memset(b->data + size, CODE_FILL, padding);
    s->placed_offset = b->size_bytes;
    if (!st) st = buffer_append(b, s->bytes, s->size_bytes);
    return st ? linker_check_parts(l, err) : ST_OK;
}

static enum status record_symbol(struct linker *l, const struct object *o, const Elf64_Sym *symbol,
                                 struct error *err)
{
    const char *name = object_symbol_name(o, symbol);
    const struct object_section *s = object_symbol_section(o, symbol);
    struct linker_symbol *known = find_symbol(l, name);
    if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !known)
        return linker_bad(err, "object defines the symbol \"%s\"", name);
    if (known->size_bytes) return linker_bad(err, "\"%s\" is defined twice", name);
    if (!s || s->place != OBJECT_CODE || !symbol->st_size ||
        !range_within(symbol->st_value, symbol->st_size, s->size_bytes))
        return linker_bad(err, "\"%s\" does not lie in code", name);
    known->code_offset = (uint32_t)(s->placed_offset + symbol->st_value);
    known->size_bytes = (uint32_t)symbol->st_size;
    return ST_OK;
}

static enum status place_object(struct linker *l, struct object *o, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 1; !st && i < o->sections_count; i++)
        if (o->sections[i].place != OBJECT_DROPPED) st = place_section(l, &o->sections[i], err);
    uint64_t total =
        l->parts[ARTIFACT_CODE].size_bytes + (uint64_t)l->parts[ARTIFACT_RODATA].size_bytes;
    if (!st && total > LINKER_CODE_MAX)
        return error_set(err, ST_LIMIT, "machine code larger than %llu bytes", LINKER_CODE_MAX);
    for (size_t i = 0; !st && i < o->symbols_count; i++) {
        const Elf64_Sym *symbol = &o->symbols[i];
        bool local = ELF64_ST_BIND(symbol->st_info) == STB_LOCAL &&
                     ELF64_ST_TYPE(symbol->st_info) != STT_FUNC;
        if (symbol->st_shndx != SHN_UNDEF && !local) st = record_symbol(l, o, symbol, err);
    }
    return st;
}

/* Code begins with filling, rodata with the function table, which is filled in once all functions
 * are placed. */
static enum status place_all(struct linker *l, const struct linker_object *objects,
                             struct error *err)
{
    struct buffer *code = &l->parts[ARTIFACT_CODE];
    uint64_t table_bytes =
        (uint64_t)l->layout->functable_count * sizeof(struct linker_functable_entry);
    enum status st = buffer_append_zeros(code, CODE_ALIGN_BYTES);
    if (!st) memset(code->data, CODE_FILL, CODE_ALIGN_BYTES);
    if (!st) st = buffer_append_zeros(&l->parts[ARTIFACT_RODATA], table_bytes);
    if (st) return linker_check_parts(l, err);
    for (size_t i = 0; !st && i < l->objects_count; i++) {
        st = object_init(&l->objects[i], &objects[i], err);
        if (!st) st = place_object(l, &l->objects[i], err);
    }
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
static uint64_t section_address(const struct linker *l, const struct object_section *s)
{
    return s->placed_offset + (s->place == OBJECT_RODATA ? l->parts[ARTIFACT_CODE].size_bytes : 0);
}

static enum status resolve(const struct linker *l, const struct object *o, const Elf64_Sym *symbol,
                           uint64_t *ret, struct error *err)
{
    const char *name = object_symbol_name(o, symbol);
    if (symbol->st_shndx != SHN_UNDEF) {
        const struct object_section *s = object_symbol_section(o, symbol);
        if (!s) return linker_bad(err, "relocation against \"%s\", which is not placed", name);
        *ret = section_address(l, s) + symbol->st_value;
        return ST_OK;
    }
    if (!strcmp(name, "codestart")) {
        *ret = 0;
    } else if (!strcmp(name, "functable")) {
        *ret = l->parts[ARTIFACT_CODE].size_bytes;
    } else {
        const struct linker_symbol *known = find_symbol(l, name);
        if (!known || !known->size_bytes)
            return linker_bad(err, "undefined symbol \"%s\" is not one that objects may use", name);
        *ret = known->code_offset;
    }
    return ST_OK;
}

static enum status relocate(struct linker *l, const struct object *o,
                            const struct object_section *s, const Elf64_Rela *r, struct error *err)
{
    uint32_t kind = (uint32_t)ELF64_R_TYPE(r->r_info);
    uint64_t symbol = ELF64_R_SYM(r->r_info), target = 0;
    size_t size = kind == R_X86_64_PC64 ? sizeof(uint64_t) : sizeof(uint32_t);
    if (kind != R_X86_64_PC32 && kind != R_X86_64_PLT32 && kind != R_X86_64_PC64)
        return linker_bad(err, "relocation of kind %u in %s", kind, s->name);
    if (symbol >= o->symbols_count || !range_within(r->r_offset, size, s->size_bytes))
        return linker_bad(err, "relocation in %s is out of bounds", s->name);
    enum status st = resolve(l, o, &o->symbols[symbol], &target, err);
    if (st) return st;
    uint64_t place = section_address(l, s) + r->r_offset;
    int64_t value = (int64_t)(target + (uint64_t)r->r_addend - place);
    if (size == sizeof(uint32_t) && (value < INT32_MIN || value > INT32_MAX))
        return linker_bad(err, "relocation in %s does not reach", s->name);
    struct buffer *b = &l->parts[s->place == OBJECT_CODE ? ARTIFACT_CODE : ARTIFACT_RODATA];
    memcpy(b->data + s->placed_offset + r->r_offset, &value, size); /* little-endian, as x86-64 */
    return ST_OK;
}

static enum status relocate_all(struct linker *l, struct error *err)
{
    enum status st = ST_OK;
    for (size_t i = 0; !st && i < l->objects_count; i++) {
        const struct object *o = &l->objects[i];
        for (size_t k = 1; !st && k < o->sections_count; k++) {
            const struct object_section *s = &o->sections[k];
            if (s->place == OBJECT_DROPPED) continue;
            for (size_t n = 0; !st && n < s->relocations_count; n++)
                st = relocate(l, o, s, &s->relocations[n], err);
        }
    }
    return st;
}

/* ---- the whole ---- */

static enum status linker_init(struct linker *l, const struct layout *layout,
                               const struct codegen_options *options, size_t objects_count,
                               struct error *err)
{
    const struct program *p = layout->program;
    *l = (struct linker){.layout = layout, .program = p, .options = options};
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++)
        buffer_init(&l->parts[i], ARTIFACT_BYTES_MAX);
    if (objects_count > LINKER_OBJECTS_MAX)
        return error_set(err, ST_LIMIT, "linker: more than %u objects", LINKER_OBJECTS_MAX);
    l->objects = calloc(objects_count + 1, sizeof *l->objects);
    l->objects_count = objects_count;
    l->funcs = calloc((size_t)p->funcs_count + 1, sizeof *l->funcs);
    l->inits = calloc((size_t)p->instances_count + 1, sizeof *l->inits);
    l->trampolines = calloc((size_t)p->types_count + 1, sizeof *l->trampolines);
    if (!l->objects || !l->funcs || !l->inits || !l->trampolines)
        return error_set(err, ST_NO_MEMORY, "linker");
    return ST_OK;
}

static void linker_done(struct linker *l)
{
    for (size_t i = 0; l->objects && i < l->objects_count; i++) object_done(&l->objects[i]);
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) buffer_done(&l->parts[i]);
    free(l->objects);
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
    struct artifact_header h = {
        .engine = ARTIFACT_ENGINE,
        .cpu_level = l->options->cpu_level,
        .level = l->options->level,
        .flags = l->options->conforming ? (uint32_t)ARTIFACT_CONFORMING : 0,
        .features = l->program->features,
        .wasm_bytes = program_wasm_bytes(l->program),
        .context_bytes = l->layout->context_bytes,
    };
    return artifact_write(&h, parts, file, err);
}

enum status linker_link(const struct layout *layout, const struct codegen_options *options,
                        const struct linker_object *objects, size_t objects_count,
                        struct buffer *file, struct linker_stats *ret_stats, struct error *err)
{
    assert(layout && options && file && ret_stats && (objects || !objects_count));
    struct linker l;
    enum status st = linker_init(&l, layout, options, objects_count, err);
    if (!st) st = place_all(&l, objects, err);
    if (!st) st = check_defined(&l, err);
    if (!st) {
        fill_functable(&l);
        st = relocate_all(&l, err);
    }
    if (!st) st = linker_build_sections(&l, err);
    if (!st) st = address_map_build(&l, err);
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
