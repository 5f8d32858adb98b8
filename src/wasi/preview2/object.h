/* Host resources of WASI 0.2: objects that a guest holds by handles (streams, pollables, errors,
 * descriptors; those of wasi:http too).
 *
 * Each begins with a `struct io_object` and lives in the pool of its state, which takes memory from
 * the heap only while it grows: once warm, requests run without. An object may be the child of
 * another one that it works on; a guest that drops a parent first is trapped. Where the host itself
 * ends them (wasi_preview2_clear()), order does not matter: a parent's memory stays until its last
 * child is gone. */
#ifndef WASI_PREVIEW2_OBJECT_H
#define WASI_PREVIEW2_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "canonical/canonical.h"

#define IO_POOL_BYTES_MAX  (16u << 20)  /* of one instance; then the guest is trapped */
#define IO_POOL_KEEP_BYTES (256u << 10) /* that the next instance finds */
#define IO_PIECE_BYTES_MAX (64u << 10)  /* of one object or buffer */

struct wasi_preview2;

/* ---- memory ---- */

#define IO_POOL_CLASSES 6u /* pieces of 64, 128, 256, 512, 4096 and 65536 bytes */

struct io_pool {
    struct io_pool_block *blocks, *current; /* those behind `current` are unused */
    uint8_t *at, *end;                      /* what is left of it */
    void *free[IO_POOL_CLASSES];
    size_t blocks_bytes;
};

/* Memory that is not zeroed, aligned to 16 bytes, or NULL; size_bytes up to IO_PIECE_BYTES_MAX. */
void *io_pool_take(struct io_pool *pool, size_t size_bytes);
void io_pool_give(struct io_pool *pool, void *piece, size_t size_bytes); /* NULL: nothing */
void io_pool_clear(struct io_pool *pool); /* all pieces are gone; keeps IO_POOL_KEEP_BYTES */
void io_pool_done(struct io_pool *pool);

/* ---- objects ---- */

struct io_object;

/* What a resource type of WIT is: `resource` is what the canonical ABI knows it by. */
struct io_class {
    struct canonical_resource resource;
    /* Releases what the object holds beside its memory. Must not suspend. NULL: nothing. */
    void (*done)(struct wasi_preview2 *p, struct io_object *o);
};

#define IO_CLASS(name, done) {{(name), io_object_drop, io_object_refuse}, (done)}
void io_object_drop(void *host, void *rep);
const char *io_object_refuse(void *host, void *rep);

struct io_object {
    const struct io_class *class;
    struct io_object *parent;          /* NULL: none */
    struct io_object *next, *previous; /* all of the state */
    uint32_t size_bytes;
    uint32_t children;
    bool dropped; /* only its memory is left, for the children's sake */
};

/* A zeroed object of size_bytes, the header included. NULL when the pool is at its end. */
void *io_object_new(struct wasi_preview2 *p, const struct io_class *class, size_t size_bytes,
                    struct io_object *parent);

/* Ends it, whoever owned it: done(), then its memory. Handles must be gone. Legal on NULL. */
void io_object_end(struct wasi_preview2 *p, void *object);

/* Ends all there are, and clears the pool. */
void io_objects_clear(struct wasi_preview2 *p);

/* ---- in host functions; NULL or false: return HOST_TRAP ---- */

/* io_object_new() that says in the trap's text that there is no room. */
NODISCARD void *io_call_new(struct canonical_call *c, const struct io_class *class,
                            size_t size_bytes, struct io_object *parent);

/* Gives the guest an own handle; when that fails the object is ended. */
NODISCARD bool io_call_own(struct canonical_call *c, void *object, uint32_t *ret);

#endif
