#include <stdlib.h>
#include <string.h>

#include "types.h"

#define TYPE_MAP_SLOTS_MIN 64u

bool grow_items(void **items, uint32_t *capacity, uint32_t needed, size_t item_bytes)
{
    if (needed <= *capacity) return true;
    size_t larger = *capacity ? (size_t)*capacity * 2 : 16;
    if (larger < needed) larger = needed;
    if (larger > UINT32_MAX) larger = UINT32_MAX;
    void *moved = reallocarray(*items, larger, item_bytes);
    if (!moved) return false;
    memset((char *)moved + *capacity * item_bytes, 0, (larger - *capacity) * item_bytes);
    *items = moved;
    *capacity = (uint32_t)larger;
    return true;
}

void type_map_done(struct type_map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct type_map){0};
}

/* The slot that holds the key, or the free one where it belongs. A digest's bits are as good as a
 * hash's. */
static uint32_t *type_map_slot(const struct type_map *map, const struct type_digest *digest,
                               uint32_t position)
{
    uint32_t hash;
    memcpy(&hash, digest->bytes, sizeof hash);
    hash += position * 0x9e3779b1u;
    for (;; hash++) {
        uint32_t *slot = &map->slots[hash & (map->slots_count - 1)];
        if (!*slot) return slot;
        const struct type_map_entry *e = &map->entries[*slot - 1];
        if (e->position == position && !memcmp(&e->digest, digest, sizeof *digest)) return slot;
    }
}

static bool type_map_grow(struct type_map *map)
{
    if (map->entries_count < map->slots_count / 2) return true;
    uint32_t larger = map->slots_count ? map->slots_count * 2 : TYPE_MAP_SLOTS_MIN;
    uint32_t *slots = calloc(larger, sizeof *slots);
    if (!slots) return false;
    free(map->slots);
    map->slots = slots;
    map->slots_count = larger;
    for (uint32_t i = 0; i < map->entries_count; i++) {
        const struct type_map_entry *e = &map->entries[i];
        *type_map_slot(map, &e->digest, e->position) = i + 1;
    }
    return true;
}

enum status type_map_put(struct type_map *map, const struct type_digest *digest, uint32_t position,
                         uint32_t value, uint32_t *ret)
{
    if (!type_map_grow(map)) return ST_NO_MEMORY;
    uint32_t *slot = type_map_slot(map, digest, position);
    if (!*slot) {
        if (!GROW(map->entries, map->entries_capacity, map->entries_count + 1)) return ST_NO_MEMORY;
        map->entries[map->entries_count++] =
            (struct type_map_entry){.digest = *digest, .position = position, .value = value};
        *slot = map->entries_count;
    }
    *ret = map->entries[*slot - 1].value;
    return ST_OK;
}
