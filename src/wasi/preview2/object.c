/* The pool and the life of objects. */
#include "object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_POISON 1
#endif
#endif

/* Pieces that nobody has are inaccessible under AddressSanitizer. */
#ifdef POOL_POISON
#include <sanitizer/asan_interface.h>
#define poison(at, size)   __asan_poison_memory_region((at), (size))
#define unpoison(at, size) __asan_unpoison_memory_region((at), (size))
#else
#define poison(at, size)   ((void)(at), (void)(size))
#define unpoison(at, size) ((void)(at), (void)(size))
#endif

#define BLOCK_BYTES 16384u

/* ---- memory ---- */

struct io_pool_block {
    struct io_pool_block *next;
    size_t size_bytes; /* of `bytes` */
    _Alignas(16) uint8_t bytes[];
};

static const uint32_t class_bytes[IO_POOL_CLASSES] = {64, 128, 256, 512, 4096, IO_PIECE_BYTES_MAX};

static unsigned class_of(size_t size_bytes)
{
    unsigned k = 0;
    while (class_bytes[k] < size_bytes) k++;
    return k;
}

static void use_block(struct io_pool *pool, struct io_pool_block *block)
{
    pool->current = block;
    pool->at = block->bytes;
    pool->end = block->bytes + block->size_bytes;
}

/* A block with room for `size_bytes`: one that an earlier instance needed, or a new one. */
static bool next_block(struct io_pool *pool, size_t size_bytes)
{
    struct io_pool_block **place = pool->current ? &pool->current->next : &pool->blocks;
    for (struct io_pool_block **at = place; *at; at = &(*at)->next) {
        struct io_pool_block *block = *at;
        if (block->size_bytes < size_bytes) continue;
        *at = block->next; /* moved to the front of those that are unused */
        block->next = *place;
        *place = block;
        use_block(pool, block);
        return true;
    }
    size_t bytes = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    if (bytes > IO_POOL_BYTES_MAX - pool->blocks_bytes) return false;
    struct io_pool_block *block = malloc(sizeof *block + bytes);
    if (!block) return false;
    *block = (struct io_pool_block){.next = *place, .size_bytes = bytes};
    *place = block;
    pool->blocks_bytes += bytes;
    poison(block->bytes, bytes);
    use_block(pool, block);
    return true;
}

void *io_pool_take(struct io_pool *pool, size_t size_bytes)
{
    assert(size_bytes <= IO_PIECE_BYTES_MAX);
    unsigned k = class_of(size_bytes);
    void *piece = pool->free[k];
    if (piece) {
        unpoison(piece, class_bytes[k]);
        memcpy(&pool->free[k], piece, sizeof pool->free[k]);
        return piece;
    }
    if ((size_t)(pool->end - pool->at) < class_bytes[k] && !next_block(pool, class_bytes[k]))
        return NULL;
    piece = pool->at;
    pool->at += class_bytes[k];
    unpoison(piece, class_bytes[k]);
    return piece;
}

void io_pool_give(struct io_pool *pool, void *piece, size_t size_bytes)
{
    if (!piece) return;
    unsigned k = class_of(size_bytes);
    memcpy(piece, &pool->free[k], sizeof pool->free[k]);
    pool->free[k] = piece;
    poison(piece, class_bytes[k]);
}

static void keep_blocks(struct io_pool *pool, size_t kept_bytes_max)
{
    struct io_pool_block **at = &pool->blocks;
    size_t kept = 0;
    while (*at) {
        struct io_pool_block *block = *at;
        if (kept + block->size_bytes <= kept_bytes_max) {
            kept += block->size_bytes;
            poison(block->bytes, block->size_bytes);
            at = &block->next;
            continue;
        }
        *at = block->next;
        unpoison(block->bytes, block->size_bytes);
        free(block);
    }
    struct io_pool_block *first = pool->blocks;
    *pool = (struct io_pool){.blocks = first, .blocks_bytes = kept};
    if (first) use_block(pool, first);
}

void io_pool_clear(struct io_pool *pool)
{
    keep_blocks(pool, IO_POOL_KEEP_BYTES);
}

void io_pool_done(struct io_pool *pool)
{
    keep_blocks(pool, 0);
}

/* ---- objects ---- */

void *io_object_new(struct wasi_preview2 *p, const struct io_class *class, size_t size_bytes,
                    struct io_object *parent)
{
    assert(size_bytes >= sizeof(struct io_object));
    struct io_object *o = io_pool_take(&p->pool, size_bytes);
    if (!o) return NULL;
    memset(o, 0, size_bytes);
    o->class = class;
    o->size_bytes = (uint32_t)size_bytes;
    o->parent = parent;
    if (parent) parent->children++;
    o->next = p->objects;
    if (o->next) o->next->previous = o;
    p->objects = o;
    return o;
}

/* Gives back the memory of an object that is over, and of parents that have waited for it. */
static void release(struct wasi_preview2 *p, struct io_object *o)
{
    while (o && o->dropped && !o->children) {
        struct io_object *parent = o->parent;
        if (o->previous)
            o->previous->next = o->next;
        else
            p->objects = o->next;
        if (o->next) o->next->previous = o->previous;
        io_pool_give(&p->pool, o, o->size_bytes);
        if (parent) parent->children--;
        o = parent;
    }
}

void io_object_end(struct wasi_preview2 *p, void *object)
{
    struct io_object *o = object;
    if (!o) return;
    assert(!o->dropped);
    o->dropped = true;
    if (o->class->done) o->class->done(p, o);
    release(p, o);
}

void io_objects_clear(struct wasi_preview2 *p)
{
    /* Children are newer than their parents, so each one that is met has none. */
    while (p->objects) io_object_end(p, p->objects);
    io_pool_clear(&p->pool);
}

void io_object_drop(void *host, void *rep)
{
    io_object_end(host, rep);
}

const char *io_object_refuse(UNUSED void *host, void *rep)
{
    const struct io_object *o = rep;
    return o->children ? "a resource is dropped before what was made from it" : NULL;
}

/* ---- in host functions ---- */

void *io_call_new(struct canonical_call *c, const struct io_class *class, size_t size_bytes,
                  struct io_object *parent)
{
    void *o = io_object_new(call_state(c), class, size_bytes, parent);
    if (!o) call_trap(c, "there is no room for more resources");
    return o;
}

bool io_call_own(struct canonical_call *c, void *object, uint32_t *ret)
{
    struct io_object *o = object;
    if (canonical_own(c, &o->class->resource, o, ret)) return true;
    io_object_end(call_state(c), o);
    return false;
}
