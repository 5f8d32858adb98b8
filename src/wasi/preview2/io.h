/* wasi:io for the other interfaces: streams over `struct wasi_stream`, pollables, errors, waiting.
 *
 * A stream's ops are those of preview 1 (wasi.h), so an embedder's stream serves both, and one
 * waiter knows them all. Where more is to be said there is a `struct io_stream_extra`.
 *
 * Failures: an operation of a stream that answers neither ST_OK, ST_WOULD_BLOCK nor ST_CLOSED gives
 * the guest "last-operation-failed" with an error resource; the stream is closed from then on. */
#ifndef WASI_PREVIEW2_IO_H
#define WASI_PREVIEW2_IO_H

#include "object.h"
#include "wasi/wasi.h"

#define IO_READ_BYTES_MAX     65536u /* of one read */
#define IO_WRITE_BYTES_MAX    65536u /* what check-write permits at most */
#define IO_BLOCKING_BYTES_MAX 4096u  /* blocking-write-and-flush: fixed by wasi:io */
#define IO_POLLABLES_MAX      4096u  /* of one poll: a trap beyond */
#define IO_ERROR_TEXT_MAX     160u

/* ---- errors ---- */

/* `domain` says whose error codes `code` is of; its address is its identity. */
struct io_failure {
    const struct io_domain *domain;
    uint32_t code;
    char text[IO_ERROR_TEXT_MAX]; /* to-debug-string */
};

struct io_domain {
    const char *name;
};

struct io_error {
    struct io_object object;
    struct io_failure failure;
};

extern const struct io_class io_error_class;
extern const struct io_domain
    io_domain_filesystem; /* codes: enum filesystem_error (filesystem.h) */

/* ---- streams ---- */

/* All may be NULL. `context` is the stream's.
 * flush:   ST_OK when all that was written has left; ST_WOULD_BLOCK.
 * budget:  how many bytes write() could take now; without it IO_WRITE_BYTES_MAX while it is ready.
 * failure: fills *ret, which holds a plain text already, after an operation failed with `st`.
 * done:    the stream is dropped. */
struct io_stream_extra {
    enum status (*flush)(void *context);
    uint64_t (*budget)(void *context);
    void (*failure)(void *context, enum status st, struct io_failure *ret);
    void (*done)(struct wasi_preview2 *p, void *context);
};

struct io_input {
    struct io_object object;
    struct wasi_stream stream; /* read, ready; without ops it is closed */
    const struct io_stream_extra *extra;
    bool closed;
};

/* What a write was permitted but the stream did not take is held here until it does; what is still
 * held when the guest drops the stream is lost. A stream that must not lose any has a budget. */
struct io_output {
    struct io_object object;
    struct wasi_stream stream; /* write, ready */
    const struct io_stream_extra *extra;
    uint8_t *held; /* from the pool, IO_WRITE_BYTES_MAX; NULL: nothing */
    uint32_t held_at, held_end;
    uint32_t permit;      /* by the last check-write */
    enum status deferred; /* met while nobody could be told; for the next operation */
    bool closed;
    bool flushing;
};

extern const struct io_class io_input_class, io_output_class, io_pollable_class;

/* size_bytes: at least that of the struct, more to have something of one's own behind it. The
 * stream's context may be set afterwards. NULL: HOST_TRAP, with the text set. */
NODISCARD struct io_input *io_input_new(struct canonical_call *c, const struct wasi_stream *stream,
                                        const struct io_stream_extra *extra, size_t size_bytes,
                                        struct io_object *parent);
NODISCARD struct io_output *io_output_new(struct canonical_call *c,
                                          const struct wasi_stream *stream,
                                          const struct io_stream_extra *extra, size_t size_bytes,
                                          struct io_object *parent);

/* Pushes what is held. ST_OK: nothing is left and the stream says that it is flushed;
 * ST_WOULD_BLOCK: wait for &o->stream, WASI_WRITE; ST_CLOSED; a failure. For wasi:http, when a body
 * is finished. */
enum status io_output_flush(struct wasi_preview2 *p, struct io_output *o);

/* ---- waiting ---- */

/* One reason to go on: a stream (then the direction counts), or a time of the monotonic clock. */
struct io_wait {
    const struct wasi_stream *stream; /* NULL: only the time */
    enum wasi_direction direction;
    uint64_t deadline_ns; /* WASI_WAIT_FOREVER: only the stream */
};

/* HOST_OK: look again; it may be too early. HOST_CANCEL. Guest pointers are to be derived again. */
enum host_result io_wait(struct canonical_call *c, const struct io_wait *wait);

struct io_pollable {
    struct io_object object; /* the parent is what it is about */
    /* True: ready. Otherwise *wait, which is {NULL, 0, WASI_WAIT_FOREVER}, is to say what for. */
    bool (*look)(struct wasi_preview2 *p, struct io_pollable *pollable, struct io_wait *wait);
    uint64_t deadline_ns; /* for look() */
};

/* A new pollable as an own handle. False: HOST_TRAP. */
NODISCARD bool io_pollable_give(struct canonical_call *c,
                                bool (*look)(struct wasi_preview2 *p, struct io_pollable *pollable,
                                             struct io_wait *wait),
                                uint64_t deadline_ns, struct io_object *parent, uint32_t *ret);

/* Always ready. */
bool io_look_ready(struct wasi_preview2 *p, struct io_pollable *pollable, struct io_wait *wait);

#endif
