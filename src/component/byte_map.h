/* From strings of bytes to numbers. Private.
 *
 * Keys are borrowed: they must outlive the map. Hostile keys may collide; `steps` counts what
 * looking up has cost, so that the caller can bound it. */
#ifndef COMPONENT_BYTE_MAP_H
#define COMPONENT_BYTE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct byte_map_entry {
    const uint8_t *key;
    size_t size_bytes;
    uint64_t hash;
    uint32_t value;
};

struct byte_map {
    struct byte_map_entry *entries;
    uint32_t entries_count, entries_capacity;
    uint32_t *slots; /* entry + 1, or 0; a power of two of them, at most half in use */
    uint32_t slots_count;
    uint64_t steps;
};

void byte_map_done(struct byte_map *map);

/* The entry of the key, or NULL. */
const struct byte_map_entry *byte_map_find(struct byte_map *map, const void *key,
                                           size_t size_bytes);

/* Adds a key that is not there yet. False when memory is short: then nothing has changed. */
NODISCARD bool byte_map_add(struct byte_map *map, const void *key, size_t size_bytes,
                            uint32_t value);

/* From numbers to numbers; 0 stands for "not there" in both. A map stays where it was made. */
struct number_map {
    uint32_t *keys, *values;
    uint32_t count, slots_count;
};

void number_map_done(struct number_map *map);
uint32_t number_map_get(const struct number_map *map, uint32_t key);
NODISCARD bool number_map_put(struct number_map *map, uint32_t key, uint32_t value);

#endif
