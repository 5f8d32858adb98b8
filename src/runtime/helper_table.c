/* Helpers on tables and element segments (Core §4.4.6). Bounds come before any write. */
#include <string.h>

#include "base/checked.h"
#include "helpers.h"
#include "instance.h"

#define GROW_FAILED    UINT64_MAX
#define PIECE_ELEMENTS (16u << 10) /* as many bytes as of a memory */

/* Elements [at, at + length) of a table, or NULL when they are not all inside it. */
static uint32_t *table_range(const struct instance *i, uint32_t table, uint64_t at, uint64_t length)
{
    assert(table < i->module->tables_count);
    if (!range_within(at, length, *slot_table_size(&i->slot, table))) return NULL;
    return (uint32_t *)(i->slot.base + i->module->tables[table].elements_offset) + at;
}

static void fill(uint32_t *elements, uint64_t length, uint32_t element)
{
    for (uint64_t k = 0; k < length; k++) elements[k] = element;
}

/* Long operations go piece by piece, so that they can be preempted like code in a loop. */
static uint64_t piece_of(uint64_t length)
{
    return length < PIECE_ELEMENTS ? length : PIECE_ELEMENTS;
}

/* memmove() in pieces, from the end that keeps overlapping ranges whole. */
static uint32_t move_pieces(uint32_t *to, const uint32_t *from, uint64_t length)
{
    bool backwards = to > from && to < from + length;
    uint32_t kind = TRAP_NONE;
    while (length && !kind) {
        uint64_t piece = piece_of(length);
        length -= piece;
        if (backwards) {
            memmove(to + length, from + length, piece * sizeof *to);
        } else {
            memmove(to, from, piece * sizeof *to);
            to += piece;
            from += piece;
        }
        kind = preempt_point(running_instance());
    }
    return kind;
}

uint64_t helper_table_grow(uint32_t table, uint64_t delta, uint32_t element)
{
    struct instance *i = running_instance();
    assert(table < i->module->tables_count);
    uint32_t *size = slot_table_size(&i->slot, table);
    uint32_t old = *size, capacity = i->module->tables[table].capacity;
    if (old > capacity || delta > capacity - old) return GROW_FAILED;
    *size = old + (uint32_t)delta;
    uint32_t *added = table_range(i, table, old, delta);
    assert(added);
    fill(added, delta, element);
    return old;
}

uint32_t helper_table_fill(uint32_t table, uint64_t at, uint32_t element, uint64_t length)
{
    uint32_t *to = table_range(running_instance(), table, at, length);
    if (!to) return TRAP_TABLE_BOUNDS;
    uint32_t kind = TRAP_NONE;
    while (length && !kind) {
        uint64_t piece = piece_of(length);
        fill(to, piece, element);
        to += piece;
        length -= piece;
        kind = preempt_point(running_instance());
    }
    return kind;
}

uint32_t helper_table_copy(uint32_t to_table, uint32_t from_table, uint64_t to, uint64_t from,
                           uint64_t length)
{
    struct instance *i = running_instance();
    uint32_t *target = table_range(i, to_table, to, length);
    const uint32_t *source = table_range(i, from_table, from, length);
    if (!target || !source) return TRAP_TABLE_BOUNDS;
    return move_pieces(target, source, length);
}

uint32_t helper_table_init(uint32_t table, uint32_t segment, uint64_t to, uint64_t from,
                           uint64_t length)
{
    struct instance *i = running_instance();
    assert(segment < i->module->elements_count);
    const struct artifact_element *e = &i->module->elements[segment];
    bool dropped = e->dropped_offset != 0 && i->slot.base[e->dropped_offset] != 0;
    uint32_t *target = table_range(i, table, to, length);
    if (!target || !range_within(from, length, dropped ? 0 : e->count)) return TRAP_TABLE_BOUNDS;
    const uint8_t *home = e->in_context ? i->slot.base : i->module->rodata;
    const uint32_t *source = (const uint32_t *)(home + e->elements_offset);
    return move_pieces(target, source + from, length);
}

uint64_t helper_elem_drop(uint32_t segment)
{
    struct instance *i = running_instance();
    assert(segment < i->module->elements_count);
    int32_t dropped_offset = i->module->elements[segment].dropped_offset;
    if (dropped_offset) i->slot.base[dropped_offset] = 1;
    return 0;
}
