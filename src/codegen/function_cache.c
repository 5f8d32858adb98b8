#include "function_cache.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct generation {
    struct function_cache_entry *entries;
    uint32_t count;
    int data;
};

struct function_cache {
    struct generation generations[FUNCTION_CACHE_GENERATIONS];
    /* By key, over all generations: generation * FUNCTION_CACHE_ENTRIES_MAX + entry + 1, 0: empty.
     * At most half full. */
    uint32_t *slots;
    uint32_t slots_mask;
    int outbox;
    bool outbox_failed;
};

void function_cache_digest(const uint8_t key[SHA256_BYTES], const void *bytes, size_t size_bytes,
                           uint8_t digest[SHA256_BYTES])
{
    uint8_t both[2 * SHA256_BYTES];
    memcpy(both, key, SHA256_BYTES);
    sha256(bytes, size_bytes, both + SHA256_BYTES);
    sha256(both, sizeof both, digest);
}

/* How many bytes were there to be read. */
static size_t read_at(int fd, void *to, size_t size_bytes, uint64_t offset)
{
    size_t have = 0;
    while (have < size_bytes) {
        ssize_t got = pread(fd, (uint8_t *)to + have, size_bytes - have, (off_t)(offset + have));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        have += (size_t)got;
    }
    return have;
}

static enum status read_index(struct generation *g, int fd, struct error *err)
{
    struct stat info;
    if (fd < 0 || g->data < 0 || fstat(fd, &info)) return ST_OK;
    uint64_t count = (uint64_t)info.st_size / sizeof *g->entries;
    if (count > FUNCTION_CACHE_ENTRIES_MAX) count = FUNCTION_CACHE_ENTRIES_MAX;
    g->entries = calloc(count + 1, sizeof *g->entries);
    if (!g->entries) return error_set(err, ST_NO_MEMORY, "function cache");
    size_t bytes = read_at(fd, g->entries, count * sizeof *g->entries, 0);
    g->count = (uint32_t)(bytes / sizeof *g->entries);
    return ST_OK;
}

static const struct function_cache_entry *entry_of(const struct function_cache *c, uint32_t slot,
                                                   const struct generation **ret)
{
    *ret = &c->generations[(slot - 1) / FUNCTION_CACHE_ENTRIES_MAX];
    return &(*ret)->entries[(slot - 1) % FUNCTION_CACHE_ENTRIES_MAX];
}

/* The slot of `key`, or the empty one where it belongs. Keys are digests: any bits will do. */
static uint32_t *slot_of(const struct function_cache *c, const uint8_t key[SHA256_BYTES])
{
    uint32_t at;
    const struct generation *g;
    memcpy(&at, key, sizeof at);
    for (;; at++) {
        uint32_t *slot = &c->slots[at & c->slots_mask];
        if (!*slot || !memcmp(entry_of(c, *slot, &g)->key, key, SHA256_BYTES)) return slot;
    }
}

static enum status build_slots(struct function_cache *c, struct error *err)
{
    uint32_t total = 0, size = 64;
    for (unsigned i = 0; i < FUNCTION_CACHE_GENERATIONS; i++) total += c->generations[i].count;
    while (size < total * 2) size *= 2;
    c->slots = calloc(size, sizeof *c->slots);
    if (!c->slots) return error_set(err, ST_NO_MEMORY, "function cache");
    c->slots_mask = size - 1;
    /* Of entries of one key the last of the new generation counts. */
    for (unsigned i = FUNCTION_CACHE_GENERATIONS; i--;)
        for (uint32_t k = 0; k < c->generations[i].count; k++)
            *slot_of(c, c->generations[i].entries[k].key) = i * FUNCTION_CACHE_ENTRIES_MAX + k + 1;
    return ST_OK;
}

enum status function_cache_new(const struct function_cache_files *files,
                               struct function_cache **ret, struct error *err)
{
    struct function_cache *c = calloc(1, sizeof *c);
    if (!c) return error_set(err, ST_NO_MEMORY, "function cache");
    c->outbox = files->outbox;
    c->outbox_failed = files->outbox < 0;
    enum status st = ST_OK;
    for (unsigned i = 0; i < FUNCTION_CACHE_GENERATIONS; i++) {
        c->generations[i].data = files->data[i];
        if (!st) st = read_index(&c->generations[i], files->index[i], err);
    }
    if (!st) st = build_slots(c, err);
    if (st)
        function_cache_free(c);
    else
        *ret = c;
    return st;
}

void function_cache_free(struct function_cache *c)
{
    if (!c) return;
    for (unsigned i = 0; i < FUNCTION_CACHE_GENERATIONS; i++) free(c->generations[i].entries);
    free(c->slots);
    free(c);
}

bool function_cache_find(const struct function_cache *c, const uint8_t key[SHA256_BYTES],
                         struct buffer *unit)
{
    assert(!unit->size_bytes);
    uint8_t digest[SHA256_BYTES];
    const struct generation *g;
    uint32_t slot = *slot_of(c, key);
    if (!slot) return false;
    const struct function_cache_entry *e = entry_of(c, slot, &g);
    if (e->size_bytes > FUNCTION_CACHE_RECORD_BYTES_MAX || e->offset > INT64_MAX - e->size_bytes ||
        buffer_reserve(unit, e->size_bytes) ||
        read_at(g->data, unit->data, e->size_bytes, e->offset) != e->size_bytes)
        return false;
    function_cache_digest(key, unit->data, e->size_bytes, digest);
    if (memcmp(digest, e->digest, sizeof digest)) return false;
    unit->size_bytes = e->size_bytes;
    return true;
}

static bool write_all(int fd, const void *bytes, size_t size_bytes)
{
    const uint8_t *at = bytes;
    while (size_bytes) {
        ssize_t put = write(fd, at, size_bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        at += put;
        size_bytes -= (size_t)put;
    }
    return true;
}

unsigned function_cache_generation(const struct function_cache *c, const uint8_t key[SHA256_BYTES])
{
    const struct generation *g;
    uint32_t slot = *slot_of(c, key);
    assert(slot);
    (void)entry_of(c, slot, &g);
    return (unsigned)(g - c->generations);
}

void function_cache_put(struct function_cache *c, const uint8_t key[SHA256_BYTES], bool was_found,
                        const void *bytes, size_t size_bytes)
{
    struct function_cache_entry e = {.size_bytes = size_bytes};
    if (c->outbox_failed || size_bytes > FUNCTION_CACHE_RECORD_BYTES_MAX) return;
    if (was_found && function_cache_generation(c, key) == 0) return;
    memcpy(e.key, key, sizeof e.key);
    function_cache_digest(key, bytes, size_bytes, e.digest);
    c->outbox_failed =
        !write_all(c->outbox, &e, sizeof e) || !write_all(c->outbox, bytes, size_bytes);
}
