/* The control channel between supervisor and worker: records with a text and perhaps a descriptor,
 * over a socket that keeps packets apart. Private to node.
 *
 * Records to send are gathered into packets, which leave at the end of the loop's turn, or when the
 * other side has read enough. Order is kept. */
#ifndef NODE_CHANNEL_H
#define NODE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/loop.h"

#define CHANNEL_PACKET_BYTES    16384u
#define CHANNEL_TEXT_BYTES_MAX  4096u
#define CHANNEL_QUEUE_BYTES_MAX (64u << 20) /* not read by the other side; then it is given up */
#define CHANNEL_READS_PER_TURN  64u

enum channel_kind {
    /* to a worker */
    CHANNEL_APP = 1,  /* id, generation, flags, name: known from now on, or has a new version */
    CHANNEL_REMOVE,   /* id */
    CHANNEL_ARTIFACT, /* id, generation, descriptor: verified */
    CHANNEL_FAIL,     /* id, generation, reason: no artifact */
    CHANNEL_LISTEN,   /* all apps were told: accept connections */
    CHANNEL_DRAIN,    /* accept no more, end requests, then exit */
    /* to the supervisor */
    CHANNEL_READY,     /* listens */
    CHANNEL_NEED,      /* id, generation: asks for an artifact */
    CHANNEL_VIOLATION, /* id: the system call that the filter forbade; the worker ends */
};

enum channel_flag { CHANNEL_APP_DEFAULT = 1 }; /* answers what nobody else claims */

struct channel_record {
    uint16_t kind;
    uint16_t text_bytes; /* behind the record, padded to 4 */
    uint32_t id, generation, flags;
};

struct channel_packet;

struct channel {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_task flush_task;
    struct channel_packet *first, *last; /* to send */
    size_t queued_bytes;
    bool blocked, broken;
    /* `text` is NUL-terminated and borrowed, `fd` (or -1) is the callee's. */
    void (*received)(void *context, const struct channel_record *record, const char *text, int fd);
    /* Once: the other side is gone. May close the channel. */
    void (*closed)(void *context);
    void *context;
};

/* `take_fd` is one end of a SOCK_SEQPACKET pair. Errors: ST_IO. */
NODISCARD enum status channel_open(struct channel *c, struct loop *loop, int take_fd,
                                   void (*received)(void *, const struct channel_record *,
                                                    const char *, int),
                                   void (*closed)(void *), void *context, struct error *err);
void channel_close(struct channel *c); /* legal on a zeroed or closed one */

/* Takes what has arrived, from a side that may have ended already. */
void channel_receive_all(struct channel *c);

/* `text` may be NULL; `take_fd` -1 or a descriptor, which is closed when it was sent. What cannot
 * be sent any more is dropped: closed() tells. */
void channel_send(struct channel *c, enum channel_kind kind, uint32_t id, uint32_t generation,
                  uint32_t flags, const char *text, int take_fd);

#endif
