/* WASI preview 1 ("wasi_snapshot_preview1") as host functions for the runtime, and WASI 0.2 as
 * interfaces for the canonical ABI.
 *
 * An embedder links a module with wasi_preview1_sets(), makes a `struct wasi_preview1` for each
 * instance out of a config, and lets instance_config.context point at a `struct wasi_context` that
 * names it. That is the whole rule: whatever functions of this module are linked, the instance's
 * context is a `struct wasi_context`, alive until the instance was freed or reset.
 *
 * What the config does not grant does not exist: no stream, folder, socket, argument or variable
 * comes from the process. Time, randomness and waiting go through the config too, so that tests
 * need no wall clock and a server no thread for a guest that waits.
 *
 * Files: a guest reaches what lies beneath its preopened folders and nothing else, whatever "..",
 * absolute paths, symbolic links or races it tries; the kernel resolves each path in one step
 * (openat2 with RESOLVE_BENEATH).
 *
 * Owner: state and instance belong to one thread. The embedder ignores SIGPIPE. */
#ifndef WASI_WASI_H
#define WASI_WASI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/error.h"
#include "runtime/runtime.h"

#define WASI_ARGS_MAX           4096u /* ST_LIMIT from wasi_preview1_new() beyond */
#define WASI_ARGS_BYTES_MAX     (1u << 20)
#define WASI_ENV_MAX            4096u
#define WASI_ENV_BYTES_MAX      (1u << 20)
#define WASI_PREOPENS_MAX       64u
#define WASI_SOCKETS_MAX        64u
#define WASI_FDS_MAX            1024u        /* open at once: EMFILE */
#define WASI_IOVECS_MAX         1024u        /* of one read or write: EINVAL */
#define WASI_PATH_BYTES_MAX     4096u        /* with the NUL: ENAMETOOLONG */
#define WASI_SUBSCRIPTIONS_MAX  256u         /* of one poll_oneoff: EINVAL */
#define WASI_RANDOM_CHUNK_BYTES (256u << 10) /* random_get yields after each */

/* ---- streams ---- */

enum wasi_direction {
    WASI_READ,
    WASI_WRITE,
};

/* What fd_fdstat_get says that a stream is; the values of preview 1's `filetype`. */
enum wasi_filetype {
    WASI_FILETYPE_UNKNOWN = 0,
    WASI_FILETYPE_BLOCK_DEVICE = 1,
    WASI_FILETYPE_CHARACTER_DEVICE = 2,
    WASI_FILETYPE_DIRECTORY = 3,
    WASI_FILETYPE_REGULAR_FILE = 4,
    WASI_FILETYPE_SOCKET_DGRAM = 5,
    WASI_FILETYPE_SOCKET_STREAM = 6,
    WASI_FILETYPE_SYMBOLIC_LINK = 7,
};

/* No operation suspends; none keeps the pointer that it gets.
 * read:  ST_OK and 1 … size_bytes bytes in *ret_bytes; ST_WOULD_BLOCK; ST_CLOSED at the end (the
 *        guest reads 0 bytes). Anything else is the guest's EIO.
 * write: the same; ST_CLOSED when nobody reads (EPIPE). May take a part.
 * ready: ST_OK when that direction would not block, with the bytes to be had when they are known,
 *        otherwise 1; ST_WOULD_BLOCK; ST_CLOSED (ready as well, and the peer is gone). NULL:
 * always. A NULL read or write: the guest has no right to. */
struct wasi_stream_ops {
    enum status (*read)(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes);
    enum status (*write)(void *context, const void *bytes, size_t size_bytes, size_t *ret_bytes);
    enum status (*ready)(void *context, enum wasi_direction direction, uint64_t *ret_bytes);
};

struct wasi_stream {
    const struct wasi_stream_ops *ops; /* NULL: there is no such stream; the guest sees EBADF */
    void *context;
    int fd; /* for wasi_waiter_poll() and fstat(2); -1: none */
    enum wasi_filetype filetype;
};

/* A stream over a file descriptor of the process, which the caller keeps and closes. Reading never
 * blocks; writing may, when the descriptor is in blocking mode and its reader is slow. */
struct wasi_stream wasi_stream_fd(int fd);

/* ---- waiting ---- */

struct wasi_wait {
    const struct wasi_stream *stream;
    enum wasi_direction direction;
};

#define WASI_WAIT_FOREVER UINT64_MAX

/* Waits until one of `waits` may be ready or the config's monotonic clock has reached
 * `deadline_ns`; a deadline of 0 only gives others their turn. Returning too early is harmless: the
 * caller looks again. `count` is at most WASI_SUBSCRIPTIONS_MAX, and 0 for a plain sleep.
 * False: the call was cancelled (instance_suspend() has returned false). */
struct wasi_waiter {
    bool (*wait)(void *context, struct instance *instance, const struct wasi_wait *waits,
                 size_t count, uint64_t deadline_ns);
    void *context;
};

/* Blocks the thread in ppoll(2) on the streams' fd (one with fd -1 counts as ready). `clock` is the
 * config's and is borrowed. */
struct wasi_waiter wasi_waiter_poll(const struct clock *clock);

/* ---- preview 1 ---- */

struct wasi_preopen {
    int fd;                 /* a folder, borrowed; O_PATH is enough */
    const char *guest_name; /* such as "/" or "/data" */
    bool read_only;         /* what would change anything below it gives EROFS */
};

struct wasi_env {
    const char *const *strings; /* "NAME=value" */
    size_t count;
    size_t bytes; /* of all, with NULs: they stand one behind the other from strings[0] on */
};

/* All pointers are borrowed and stay valid until wasi_preview1_free(). */
struct wasi_preview1_config {
    const char *const *args; /* with the program's name first */
    size_t args_count;
    const char *const *env; /* "NAME=value" */
    size_t env_count;
    size_t env_bytes; /* when the strings stand one behind the other from env[0] on: of all, with
                         NULs; else 0 */
    /* Instead of the three: called once, when the guest first asks, if it ever does. */
    enum status (*env_make)(void *context, struct wasi_env *ret);
    void *env_make_context;
    struct wasi_stream stdio[3];         /* in, out, err */
    const struct wasi_preopen *preopens; /* fds 3, 4, … */
    size_t preopens_count;
    const int *sockets; /* listening or connected, the fds that follow; set to O_NONBLOCK */
    size_t sockets_count;
    const struct clock *clock;
    const struct random_source *random;
    struct wasi_waiter waiter;
    uint64_t clock_resolution_ns;           /* 0: 1 */
    uint64_t (*cpu_time_ns)(void *context); /* process and thread CPU clocks; NULL: ENOTSUP */
    void *cpu_time_context;
};

/* For cpu_time_ns, with any context: the CPU time of the calling thread. */
uint64_t wasi_cpu_time_thread_ns(void *context);

struct wasi_preview1;

/* What instance_config.context points at. */
struct wasi_context {
    struct wasi_preview1 *preview1;
    void *embedder; /* the embedder's own */
};

/* Success: *ret is the caller's, ended by wasi_preview1_free().
 * Errors: ST_LIMIT (says which), ST_USAGE (a folder or socket that is none), ST_NO_MEMORY. */
NODISCARD enum status wasi_preview1_new(const struct wasi_preview1_config *config,
                                        struct wasi_preview1 **ret, struct error *err);

/* As if `p` was freed and made anew for another instance, without the heap. On failure, with the
 * same errors, it may only be reused or freed. Not while a call of the instance is suspended. */
NODISCARD enum status wasi_preview1_reuse(struct wasi_preview1 *p,
                                          const struct wasi_preview1_config *config,
                                          struct error *err);

/* Closes what the guest opened, and grants nothing any more until wasi_preview1_reuse(). */
void wasi_preview1_clear(struct wasi_preview1 *p);

/* Closes what the guest opened. Legal on NULL; not while a call of the instance is suspended. */
void wasi_preview1_free(struct wasi_preview1 *p);

/* Everything for module_new(); static storage. */
const struct host_set *wasi_preview1_sets(size_t *ret_count);

/* ---- WASI 0.2 ----
 *
 * wasi:io, clocks, random, cli, filesystem, sockets (present, and denied), logging and config, in
 * all versions 0.2.x; wasi:http stands in http's part. An embedder links a component with
 * wasi_preview2_interfaces() and makes one state for each instance; it is the `host` of
 * canonical_new(). All files are read-only. */

#define WASI_CONFIG_VALUES_MAX     1024u       /* ST_LIMIT beyond */
#define WASI_LOG_MESSAGE_BYTES_MAX (64u << 10) /* the rest of a message is cut */
#define WASI_LOG_TOPIC_BYTES_MAX   1024u       /* likewise of its context */
#define WASI_RANDOM_BYTES_MAX      (1u << 20)  /* of one call, which traps beyond */
#define WASI_DESCRIPTORS_MAX       1024u       /* open at once: insufficient-memory */

enum wasi_log_level { /* the values of wasi:logging */
                      WASI_LOG_TRACE,
                      WASI_LOG_DEBUG,
                      WASI_LOG_INFO,
                      WASI_LOG_WARN,
                      WASI_LOG_ERROR,
                      WASI_LOG_CRITICAL,
};

/* UTF-8, not NUL-terminated; valid during the call. Must not suspend. */
struct wasi_log_sink {
    void (*write)(void *context, enum wasi_log_level level, const char *topic, size_t topic_bytes,
                  const char *message, size_t message_bytes);
    void *context;
};

/* All pointers are borrowed and stay valid until wasi_preview2_clear(). What is zero is not there:
 * no stream but one that is closed, no folder, no value, no log. Without a clock, a source of
 * randomness or a waiter, as when an instance is made for a snapshot, a guest that needs one is
 * trapped. */
struct wasi_preview2_config {
    const char *const *args; /* with the program's name first */
    size_t args_count;
    const char *const *env; /* "NAME=value" */
    size_t env_count;
    const char *initial_cwd;             /* NULL: none */
    struct wasi_stream stdio[3];         /* a WASI_FILETYPE_CHARACTER_DEVICE is a terminal */
    const struct wasi_preopen *preopens; /* read-only, whatever they say */
    size_t preopens_count;
    const struct clock *clock;
    const struct random_source *random;
    struct wasi_waiter waiter;
    uint64_t clock_resolution_ns; /* time is rounded down to it; 0: 1 */
    /* Asking for the monotonic time so often shows what was seen before, unless the guest has
     * waited meanwhile: language runtimes ask many times within one turn. 0: never. */
    uint32_t clock_calls_held;
    struct wasi_log_sink log;
    const char *const *values; /* "KEY=value", UTF-8, for wasi:config/store */
    size_t values_count;
};

struct wasi_preview2;
struct canonical_interface;

/* Errors: ST_LIMIT (says which), ST_USAGE (a folder that is none), ST_NO_MEMORY. */
NODISCARD enum status wasi_preview2_new(const struct wasi_preview2_config *config,
                                        struct wasi_preview2 **ret, struct error *err);

/* As if freed and made anew, without the heap; with the same errors. canonical_clear() comes
 * before. Not while a call of the instance is suspended. */
NODISCARD enum status wasi_preview2_reuse(struct wasi_preview2 *p,
                                          const struct wasi_preview2_config *config,
                                          struct error *err);

/* Ends what is left of the guest's objects and grants nothing any more. canonical_clear() comes
 * before. */
void wasi_preview2_clear(struct wasi_preview2 *p);
void wasi_preview2_free(struct wasi_preview2 *p); /* legal on NULL */

/* Everything for canonical_find(); static storage. */
const struct canonical_interface *const *wasi_preview2_interfaces(size_t *ret_count);

#endif
