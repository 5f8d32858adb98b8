/* Helpers on memories and data segments (Core §4.4.7). Bounds come before any write. */
#include <string.h>

#include "base/checked.h"
#include "helpers.h"
#include "instance.h"

#define GROW_FAILED UINT64_MAX

/* Two microseconds of copying, unless each page is touched for the first time: there are virtual
 * machines on which that takes 10 µs a page. */
#define PIECE_BYTES (64u << 10)

/* [at, at + length) of a memory, or NULL when that is not all inside it. */
static uint8_t *memory_range(const struct instance *i, uint32_t memory, uint64_t at,
                             uint64_t length)
{
    uint8_t *range;
    return guest_slice(i, memory, at, length, &range) ? range : NULL;
}

uint64_t helper_memory_grow(uint32_t memory, uint64_t delta_pages)
{
    struct instance *i = running_instance();
    assert(memory < i->module->memories_count);
    const struct artifact_memory *m = &i->module->memories[memory];
    uint64_t *size = slot_memory_size(&i->slot, memory);
    uint64_t old_bytes = *size, old_pages = old_bytes / MEMORY_PAGE_BYTES;
    if (delta_pages == 0) return old_pages;
    if (old_pages > m->pages_max || delta_pages > m->pages_max - old_pages) return GROW_FAILED;
    uint64_t more_bytes = delta_pages * MEMORY_PAGE_BYTES; /* pages_max is at most a lane's */
    if (more_bytes > i->memory_bytes_max - i->memory_bytes) {
        i->memory_refused = true;
        return GROW_FAILED;
    }
    uint8_t *end = slot_lane(&i->slot, memory) + old_bytes;
    if (!vm_allow(&i->slot.reservation, end, more_bytes)) return GROW_FAILED;
    *size = old_bytes + more_bytes;
    i->memory_bytes += more_bytes;
    return old_pages;
}

/* Long operations go piece by piece, so that they can be preempted like code in a loop. */
static uint64_t piece_of(uint64_t length)
{
    return length < PIECE_BYTES ? length : PIECE_BYTES;
}

/* memmove() in pieces, from the end that keeps overlapping ranges whole. */
static uint32_t move_pieces(uint8_t *to, const uint8_t *from, uint64_t length)
{
    bool backwards = to > from && to < from + length;
    uint32_t kind = TRAP_NONE;
    while (length && !kind) {
        uint64_t piece = piece_of(length);
        length -= piece;
        if (backwards) {
            memmove(to + length, from + length, piece);
        } else {
            memmove(to, from, piece);
            to += piece;
            from += piece;
        }
        kind = preempt_point(running_instance());
    }
    return kind;
}

uint32_t helper_memory_fill(uint32_t memory, uint64_t at, uint32_t byte, uint64_t length)
{
    uint8_t *to = memory_range(running_instance(), memory, at, length);
    if (!to) return TRAP_MEMORY_BOUNDS;
    uint32_t kind = TRAP_NONE;
    while (length && !kind) {
        uint64_t piece = piece_of(length);
        memset(to, (int)(byte & 0xff), piece);
        to += piece;
        length -= piece;
        kind = preempt_point(running_instance());
    }
    return kind;
}

uint32_t helper_memory_copy(uint32_t to_memory, uint32_t from_memory, uint64_t to, uint64_t from,
                            uint64_t length)
{
    struct instance *i = running_instance();
    uint8_t *target = memory_range(i, to_memory, to, length);
    const uint8_t *source = memory_range(i, from_memory, from, length);
    if (!target || !source) return TRAP_MEMORY_BOUNDS;
    return move_pieces(target, source, length);
}

static bool is_dropped(const struct instance *i, int32_t dropped_offset)
{
    return dropped_offset != 0 && i->slot.base[dropped_offset] != 0;
}

uint32_t helper_memory_init(uint32_t memory, uint32_t segment, uint64_t to, uint64_t from,
                            uint64_t length)
{
    struct instance *i = running_instance();
    assert(segment < i->module->datas_count);
    const struct artifact_data *data = &i->module->datas[segment];
    uint64_t size = is_dropped(i, data->dropped_offset) ? 0 : data->size_bytes;
    uint8_t *target = memory_range(i, memory, to, length);
    if (!target || !range_within(from, length, size)) return TRAP_MEMORY_BOUNDS;
    return move_pieces(target, i->module->rodata + data->rodata_offset + from, length);
}

uint64_t helper_data_drop(uint32_t segment)
{
    struct instance *i = running_instance();
    assert(segment < i->module->datas_count);
    int32_t dropped_offset = i->module->datas[segment].dropped_offset;
    if (dropped_offset) i->slot.base[dropped_offset] = 1;
    return 0;
}
