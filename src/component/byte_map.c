#include "byte_map.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 16u

static uint64_t hash_bytes(const uint8_t *bytes, size_t size_bytes)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ size_bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        h = (h ^ bytes[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 29;
    }
    return h ^ h >> 32;
}

void byte_map_done(struct byte_map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct byte_map){0};
}

static uint32_t *slot_of(struct byte_map *map, const void *key, size_t size_bytes, uint64_t hash)
{
    uint32_t mask = map->slots_count - 1, at = (uint32_t)hash & mask;
    for (;; at = (at + 1) & mask) {
        map->steps++;
        uint32_t *slot = &map->slots[at];
        if (!*slot) return slot;
        const struct byte_map_entry *e = &map->entries[*slot - 1];
        if (e->hash == hash && e->size_bytes == size_bytes && memcmp(e->key, key, size_bytes) == 0)
            return slot;
    }
}

const struct byte_map_entry *byte_map_find(struct byte_map *map, const void *key, size_t size_bytes)
{
    if (!map->slots_count) return NULL;
    uint32_t slot = *slot_of(map, key, size_bytes, hash_bytes(key, size_bytes));
    return slot ? &map->entries[slot - 1] : NULL;
}

static bool grow_slots(struct byte_map *map)
{
    uint32_t count = map->slots_count ? map->slots_count * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return false;
    free(map->slots);
    map->slots = slots;
    map->slots_count = count;
    for (uint32_t i = 0; i < map->entries_count; i++) {
        const struct byte_map_entry *e = &map->entries[i];
        *slot_of(map, e->key, e->size_bytes, e->hash) = i + 1;
    }
    return true;
}

bool byte_map_add(struct byte_map *map, const void *key, size_t size_bytes, uint32_t value)
{
    if (map->entries_count == map->entries_capacity) {
        uint32_t capacity = map->entries_capacity ? map->entries_capacity * 2 : SLOTS_FIRST / 2;
        struct byte_map_entry *entries = reallocarray(map->entries, capacity, sizeof *map->entries);
        if (!entries) return false;
        map->entries = entries;
        map->entries_capacity = capacity;
    }
    if ((map->entries_count + 1) * 2 > map->slots_count && !grow_slots(map)) return false;
    uint64_t hash = hash_bytes(key, size_bytes);
    uint32_t *slot = slot_of(map, key, size_bytes, hash);
    map->entries[map->entries_count] = (struct byte_map_entry){key, size_bytes, hash, value};
    *slot = ++map->entries_count;
    return true;
}

void number_map_done(struct number_map *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct number_map){0};
}

/* Which numbers meet in one place depends on where the map lies, which hostile input cannot know.
 */
static uint32_t number_slot(const struct number_map *map, const uint32_t *keys,
                            uint32_t slots_count, uint32_t key)
{
    uint64_t h = (uint64_t)(uintptr_t)map * 0x9e3779b97f4a7c15u ^ key;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    uint32_t mask = slots_count - 1, at = (uint32_t)(h ^ h >> 33) & mask;
    while (keys[at] && keys[at] != key) at = (at + 1) & mask;
    return at;
}

uint32_t number_map_get(const struct number_map *map, uint32_t key)
{
    if (!map->slots_count) return 0;
    uint32_t at = number_slot(map, map->keys, map->slots_count, key);
    return map->keys[at] ? map->values[at] : 0;
}

static bool number_map_grow(struct number_map *map)
{
    uint32_t count = map->slots_count ? map->slots_count * 2 : SLOTS_FIRST;
    uint32_t *keys = calloc(count, sizeof *keys), *values = calloc(count, sizeof *values);
    if (!keys || !values) {
        free(keys);
        free(values);
        return false;
    }
    for (uint32_t i = 0; i < map->slots_count; i++) {
        if (!map->keys[i]) continue;
        uint32_t at = number_slot(map, keys, count, map->keys[i]);
        keys[at] = map->keys[i];
        values[at] = map->values[i];
    }
    free(map->keys);
    free(map->values);
    map->keys = keys;
    map->values = values;
    map->slots_count = count;
    return true;
}

bool number_map_put(struct number_map *map, uint32_t key, uint32_t value)
{
    if ((map->count + 1) * 2 > map->slots_count && !number_map_grow(map)) return false;
    uint32_t at = number_slot(map, map->keys, map->slots_count, key);
    if (!map->keys[at]) map->count++;
    map->keys[at] = key;
    map->values[at] = value;
    return true;
}
