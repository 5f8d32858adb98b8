#include "object.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define bad(err, ...) error_set((err), ST_INTERNAL, "linker: " __VA_ARGS__)

#ifndef SHT_X86_64_UNWIND
#define SHT_X86_64_UNWIND 0x70000001
#endif

static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static enum status check_header(const struct object_file *from, struct error *err)
{
    const void *bytes = from->bytes;
    const Elf64_Ehdr *e = bytes;
    if ((uintptr_t)bytes % sizeof(uint64_t)) return bad(err, "object is not aligned");
    if (from->size_bytes < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
        e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_ident[EI_DATA] != ELFDATA2LSB ||
        e->e_type != ET_REL || e->e_machine != EM_X86_64)
        return bad(err, "not an x86-64 object");
    if (e->e_shoff % sizeof(uint64_t) || e->e_shentsize != sizeof(Elf64_Shdr) ||
        !range_within(e->e_shoff, sizeof(Elf64_Shdr), from->size_bytes))
        return bad(err, "object without sections");
    return ST_OK;
}

/* Above 65279 sections the true numbers are in section 0 (the ELF specification's escape). */
static enum status section_headers(const struct object_file *from, const Elf64_Shdr **ret,
                                   size_t *ret_count, size_t *ret_names, struct error *err)
{
    const void *start = from->bytes;
    const Elf64_Ehdr *e = start;
    const void *table = from->bytes + e->e_shoff;
    const Elf64_Shdr *headers = table;
    uint64_t count = e->e_shnum ? e->e_shnum : headers[0].sh_size;
    uint64_t names = e->e_shstrndx == SHN_XINDEX ? headers[0].sh_link : e->e_shstrndx;
    if (count > from->size_bytes ||
        !range_within(e->e_shoff, count * sizeof *headers, from->size_bytes) || names >= count)
        return bad(err, "object's section headers are cut");
    for (size_t i = 1; i < count; i++)
        if (headers[i].sh_type != SHT_NOBITS &&
            !range_within(headers[i].sh_offset, headers[i].sh_size, from->size_bytes))
            return bad(err, "section %zu is cut", i);
    *ret = headers;
    *ret_count = (size_t)count;
    *ret_names = (size_t)names;
    return ST_OK;
}

/* The name at `offset` of string table `table`; "" when it is not there. */
static const char *name_in(const uint8_t *bytes, const Elf64_Shdr *table, uint64_t offset)
{
    if (offset >= table->sh_size) return "";
    const char *name = (const char *)bytes + table->sh_offset + offset;
    return memchr(name, 0, table->sh_size - offset) ? name : "";
}

static enum status classify(struct object_section *s, const Elf64_Shdr *h, struct error *err)
{
    if (!(h->sh_flags & SHF_ALLOC) || !h->sh_size || h->sh_type == SHT_NOTE ||
        h->sh_type == SHT_X86_64_UNWIND || starts_with(s->name, ".eh_frame"))
        return ST_OK;
    if (h->sh_flags & (SHF_WRITE | SHF_TLS) || h->sh_type != SHT_PROGBITS)
        return bad(err, "section %s cannot be part of an artifact", s->name);
    if (h->sh_addralign & (h->sh_addralign - 1) || h->sh_addralign > ARTIFACT_PAGE)
        return bad(err, "section %s wants an alignment of %llu", s->name,
                   (unsigned long long)h->sh_addralign);
    if (h->sh_flags & SHF_EXECINSTR && starts_with(s->name, ".text"))
        s->place = OBJECT_CODE;
    else if (!(h->sh_flags & SHF_EXECINSTR) && starts_with(s->name, ".rodata"))
        s->place = OBJECT_RODATA;
    else
        return bad(err, "section %s has no place in an artifact", s->name);
    return ST_OK;
}

static enum status take_relocations(struct object *o, const uint8_t *bytes, const Elf64_Shdr *h,
                                    struct error *err)
{
    if (h->sh_info >= o->sections_count || h->sh_entsize != sizeof(Elf64_Rela) ||
        h->sh_offset % sizeof(uint64_t))
        return bad(err, "relocations of an unknown shape");
    struct object_section *s = &o->sections[h->sh_info];
    if (s->relocations) return bad(err, "section %s has two relocation tables", s->name);
    const void *table = bytes + h->sh_offset;
    s->relocations = table;
    s->relocations_count = h->sh_size / sizeof(Elf64_Rela);
    return ST_OK;
}

static enum status take_symbols(struct object *o, const uint8_t *bytes, const Elf64_Shdr *headers,
                                const Elf64_Shdr *h, struct error *err)
{
    if (h->sh_link >= o->sections_count || h->sh_entsize != sizeof(Elf64_Sym) ||
        h->sh_offset % sizeof(uint64_t) || o->symbols)
        return bad(err, "symbols of an unknown shape");
    const void *table = bytes + h->sh_offset;
    o->symbols = table;
    o->symbols_count = h->sh_size / sizeof(Elf64_Sym);
    o->names = (const char *)bytes + headers[h->sh_link].sh_offset;
    o->names_bytes = headers[h->sh_link].sh_size;
    if (!o->names_bytes || o->names[o->names_bytes - 1])
        return bad(err, "symbol names without an end");
    return ST_OK;
}

enum status object_init(struct object *o, const struct object_file *from, struct error *err)
{
    const Elf64_Shdr *headers = NULL;
    size_t count = 0, names = 0;
    *o = (struct object){0};
    enum status st = check_header(from, err);
    if (!st) st = section_headers(from, &headers, &count, &names, err);
    if (st) return st;
    o->sections = calloc(count + 1, sizeof *o->sections);
    if (!o->sections) return error_set(err, ST_NO_MEMORY, "linker: sections");
    o->sections_count = count;
    for (size_t i = 1; !st && i < count; i++) {
        struct object_section *s = &o->sections[i];
        s->name = name_in(from->bytes, &headers[names], headers[i].sh_name);
        s->bytes = headers[i].sh_type == SHT_NOBITS ? NULL : from->bytes + headers[i].sh_offset;
        s->size_bytes = headers[i].sh_size;
        s->align_bytes = headers[i].sh_addralign ? headers[i].sh_addralign : 1;
        st = classify(s, &headers[i], err);
    }
    for (size_t i = 1; !st && i < count; i++) {
        if (headers[i].sh_type == SHT_RELA) st = take_relocations(o, from->bytes, &headers[i], err);
        if (headers[i].sh_type == SHT_SYMTAB)
            st = take_symbols(o, from->bytes, headers, &headers[i], err);
        if (headers[i].sh_type == SHT_SYMTAB_SHNDX || headers[i].sh_type == SHT_REL)
            st = bad(err, "section %s is of an unknown kind", o->sections[i].name);
    }
    if (st) object_done(o);
    return st;
}

void object_done(struct object *o)
{
    free(o->sections);
    *o = (struct object){0};
}

const char *object_symbol_name(const struct object *o, const Elf64_Sym *symbol)
{
    return symbol->st_name < o->names_bytes ? o->names + symbol->st_name : "";
}

const struct object_section *object_symbol_section(const struct object *o, const Elf64_Sym *symbol)
{
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= o->sections_count) return NULL;
    const struct object_section *s = &o->sections[symbol->st_shndx];
    return s->place == OBJECT_DROPPED ? NULL : s;
}

const struct object_section *object_find_section(const struct object *o, const char *name)
{
    for (size_t i = 1; i < o->sections_count; i++)
        if (!strcmp(o->sections[i].name, name)) return &o->sections[i];
    return NULL;
}
