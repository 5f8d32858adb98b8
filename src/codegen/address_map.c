#include "address_map.h"

/* Rows of neighbouring functions may meet at one address: there, what is known wins. A row that
 * says what the one before it says is dropped. */
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

/* Where the offsets count from that the symbol's rows name. */
static uint32_t origin_of(const struct linker *l, const struct linker_placed *p,
                          const struct unit_symbol *s)
{
    uint32_t index;
    if (s->kind != UNIT_FUNC || !linker_index(p, s->kind, s->number, &index)) return 0;
    return linker_origin(l->program, index);
}

static void add_unit(struct linker *l, const struct linker_placed *p)
{
    const struct unit *u = &p->unit;
    struct buffer *map = &l->parts[ARTIFACT_ADDRESSES];
    uint32_t row = 0, count = u->header->rows_count;
    for (uint32_t i = 0; i < u->header->symbols_count; i++) {
        const struct unit_symbol *s = &u->symbols[i];
        uint32_t end = s->offset + s->size_bytes, origin = origin_of(l, p, s);
        while (row < count && u->rows[row].code_offset < s->offset) row++;
        for (; row < count && u->rows[row].code_offset <= end; row++) {
            uint32_t line = u->rows[row].line;
            if (u->rows[row].code_offset == end && line) break; /* the next function's */
            add_row(map, (struct artifact_address){
                             .code_offset = (uint32_t)(p->code_offset + u->rows[row].code_offset),
                             .wasm_offset = line ? origin + line : 0,
                         });
        }
    }
}

void address_map_build(struct linker *l)
{
    for (size_t i = 0; i < l->units_count && !l->parts[ARTIFACT_ADDRESSES].failed; i++)
        add_unit(l, &l->units[i]);
}
