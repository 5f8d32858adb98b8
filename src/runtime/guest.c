/* The host's view of a guest's memories and globals. */
#include <string.h>

#include "base/checked.h"
#include "instance.h"

bool guest_slice(const struct instance *i, uint32_t memory, uint64_t offset, uint64_t length,
                 uint8_t **ret)
{
    if (memory >= i->module->memories_count) return false;
    slot_wake(&i->slot);
    if (!range_within(offset, length, *slot_memory_size(&i->slot, memory))) return false;
    *ret = slot_lane(&i->slot, memory) + offset;
    return true;
}

bool instance_memory_refused(const struct instance *i)
{
    return i->memory_refused;
}

uint64_t guest_memory_bytes(const struct instance *i, uint32_t memory)
{
    slot_wake(&i->slot);
    return memory < i->module->memories_count ? *slot_memory_size(&i->slot, memory) : 0;
}

uint64_t guest_table_elements(const struct instance *i, uint32_t table)
{
    slot_wake(&i->slot);
    return table < i->module->tables_count ? *slot_table_size(&i->slot, table) : 0;
}

static size_t type_bytes(uint8_t letter)
{
    switch (letter) {
    case 'l':
    case 'd': return 8;
    case 'v': return 16;
    default: return 4;
    }
}

void instance_global_get(const struct instance *i, uint32_t global, struct value *ret)
{
    assert(global < i->module->globals_count);
    const struct artifact_global *g = &i->module->globals[global];
    slot_wake(&i->slot);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->v128, i->slot.base + g->offset, type_bytes(g->type));
}

void instance_global_set(struct instance *i, uint32_t global, const struct value *value)
{
    assert(global < i->module->globals_count);
    const struct artifact_global *g = &i->module->globals[global];
    slot_wake(&i->slot);
    memcpy(i->slot.base + g->offset, value->v128, type_bytes(g->type));
}
