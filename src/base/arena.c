#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#define ARENA_ALIGN       16u
#define ARENA_BLOCK_BYTES (64u * 1024u)

struct arena_block {
    struct arena_block *next;
    size_t size_bytes; /* of data */
    size_t used_bytes;
    size_t pad;
    unsigned char data[];
};

_Static_assert(sizeof(struct arena_block) % ARENA_ALIGN == 0, "data must stay aligned");

void arena_init(struct arena *a, size_t cap_bytes)
{
    *a = (struct arena){.cap_bytes = cap_bytes};
}

void arena_done(struct arena *a)
{
    struct arena_block *block = a->blocks;
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    a->blocks = NULL;
    a->used_bytes = 0;
}

/* A large request gets a block of its own behind the current one, which stays in use. */
static struct arena_block *arena_block_for(struct arena *a, size_t need)
{
    struct arena_block *first = a->blocks;
    if (first && first->size_bytes - first->used_bytes >= need) return first;
    size_t size = need > ARENA_BLOCK_BYTES ? need : ARENA_BLOCK_BYTES;
    size_t total;
    if (!checked_add_size(size, sizeof(struct arena_block), &total)) return NULL;
    struct arena_block *block = calloc(1, total);
    if (!block) return NULL;
    block->size_bytes = size;
    if (first && need > ARENA_BLOCK_BYTES) {
        block->next = first->next;
        first->next = block;
    } else {
        block->next = first;
        a->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    size_t need;
    if (!checked_align_size(size_bytes ? size_bytes : 1, ARENA_ALIGN, &need)) return NULL;
    if (a->used_bytes > a->cap_bytes || need > a->cap_bytes - a->used_bytes) return NULL;
    struct arena_block *block = arena_block_for(a, need);
    if (!block) return NULL;
    void *p = block->data + block->used_bytes;
    block->used_bytes += need;
    a->used_bytes += need;
    return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t element_bytes)
{
    size_t size;
    if (!checked_mul_size(count, element_bytes, &size)) return NULL;
    return arena_alloc(a, size);
}

char *arena_copy_string(struct arena *a, const char *text, size_t length)
{
    size_t size;
    if (!checked_add_size(length, 1, &size)) return NULL;
    char *copy = arena_alloc(a, size);
    if (copy && length) memcpy(copy, text, length);
    return copy;
}
