/* Reading a unit: bounds before contents. */
#include <assert.h>

#include "base/checked.h"
#include "unit.h"

_Static_assert(sizeof(struct unit_header) % 8 == 0, "relocations hold 64-bit numbers");
_Static_assert(sizeof(struct unit_symbol) % 8 == 0, "relocations hold 64-bit numbers");
_Static_assert(sizeof(struct unit_relocation) == 24, "no padding: it is written as it is");

const char *unit_symbol_prefix(uint32_t kind)
{
    static const char *const prefixes[UNIT_SYMBOL_KINDS] = {"f", "init", "t"};
    return kind < UNIT_SYMBOL_KINDS ? prefixes[kind] : "?";
}

static bool is_alignment(uint32_t align)
{
    return align && !(align & (align - 1)) && align <= ARTIFACT_PAGE;
}

static bool check_symbols(const struct unit *u)
{
    const struct unit_header *h = u->header;
    uint64_t end = 0;
    for (uint32_t i = 0; i < h->symbols_count; i++) {
        const struct unit_symbol *s = &u->symbols[i];
        if (s->kind >= UNIT_SYMBOL_KINDS || !s->size_bytes || s->offset < end ||
            !range_within(s->offset, s->size_bytes, h->code_bytes))
            return false;
        end = (uint64_t)s->offset + s->size_bytes;
    }
    return true;
}

static bool check_relocations(const struct unit *u)
{
    const struct unit_header *h = u->header;
    for (uint32_t i = 0; i < h->relocations_count; i++) {
        const struct unit_relocation *r = &u->relocations[i];
        if (r->target >= UNIT_TARGETS || r->in_rodata > 1 ||
            (r->size_bytes != sizeof(uint32_t) && r->size_bytes != sizeof(uint64_t)) ||
            !range_within(r->offset, r->size_bytes, r->in_rodata ? h->rodata_bytes : h->code_bytes))
            return false;
    }
    return true;
}

static bool check_rows(const struct unit *u)
{
    const struct unit_header *h = u->header;
    for (uint32_t i = 0; i < h->rows_count; i++)
        if (u->rows[i].code_offset > h->code_bytes ||
            (i && u->rows[i].code_offset < u->rows[i - 1].code_offset))
            return false;
    return true;
}

bool unit_open(struct unit *u, const uint8_t *bytes, size_t size_bytes)
{
    assert((uintptr_t)bytes % sizeof(uint64_t) == 0);
    const struct unit_header *h = (const void *)bytes;
    if (size_bytes < sizeof *h || h->magic != UNIT_MAGIC || h->zero ||
        !is_alignment(h->code_align) || !is_alignment(h->rodata_align))
        return false;
    uint64_t at = sizeof *h; /* 32-bit counts of small elements: no overflow */
    u->header = h;
    u->symbols = (const void *)(bytes + at);
    at += (uint64_t)h->symbols_count * sizeof *u->symbols;
    u->relocations = (const void *)(bytes + (at <= size_bytes ? at : 0));
    at += (uint64_t)h->relocations_count * sizeof *u->relocations;
    u->rows = (const void *)(bytes + (at <= size_bytes ? at : 0));
    at += (uint64_t)h->rows_count * sizeof *u->rows;
    u->code = bytes + (at <= size_bytes ? at : 0);
    at += h->code_bytes;
    u->rodata = bytes + (at <= size_bytes ? at : 0);
    at += h->rodata_bytes;
    return at == size_bytes && check_symbols(u) && check_relocations(u) && check_rows(u);
}
