/* Inside preview 1: the state of an instance, its descriptor table, and what a host function works
 * with. Every function of preview 1 is a body `enum wasi_errno name(struct call *c)`, wrapped by
 * PREVIEW1_FUNCTION() into what the runtime calls. */
#ifndef WASI_PREVIEW1_STATE_H
#define WASI_PREVIEW1_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "abi.h"
#include "artifact/artifact.h" /* struct value */
#include "path.h"
#include "wasi/wasi.h"

#define FDS_INLINE 8u /* enough for a request without files: no second allocation */

enum fd_kind {
    FD_FREE,
    FD_STREAM, /* stdio, and device or FIFO below a preopened folder */
    FD_FILE,   /* regular */
    FD_FOLDER,
    FD_SOCKET,
};

struct wasi_fd {
    enum fd_kind kind;
    enum wasi_filetype filetype;
    uint32_t flags;       /* FDFLAG_ */
    bool owned;           /* `host` is closed with it */
    bool read_only;       /* below a read-only preopened folder */
    int host;             /* -1: a stream of the embedder's */
    int list;             /* FD_FOLDER: a description of its own for reading entries; -1: not yet */
    uint64_t list_cookie; /* where `list` stands */
    uint64_t rights, inheriting;
    struct wasi_stream stream; /* FD_STREAM, FD_SOCKET */
    const char *preopen_name;  /* NULL: opened by the guest */
};

struct wasi_preview1 {
    struct wasi_preview1_config config; /* stdio and preopens have moved into the table */
    uint32_t args_bytes, env_bytes;     /* with NULs */
    struct wasi_fd *fds;                /* fds_inline or malloc()ed */
    uint32_t fds_count;                 /* size of the table */
    struct wasi_fd fds_inline[FDS_INLINE];
};

/* One call of a host function. */
struct call {
    struct wasi_preview1 *p;
    struct instance *instance;
    struct value *v;         /* parameters */
    enum host_result result; /* HOST_OK: the body's errno is the guest's result */
};

typedef enum wasi_errno call_body(struct call *c);

enum host_result call_run(call_body *body, struct instance *instance, struct value *values);

#define PREVIEW1_FUNCTION(name)                                                                    \
    static enum host_result host_##name(struct instance *instance, struct value *values)           \
    {                                                                                              \
        return call_run(name, instance, values);                                                   \
    }
#define PREVIEW1_ENTRY(name, type) {"wasi_snapshot_preview1", #name, type, host_##name}

/* The tables, one a file. */
extern const struct host_function preview1_args_functions[4];
extern const struct host_function preview1_clock_functions[2];
extern const struct host_function preview1_process_functions[4];
extern const struct host_function preview1_fd_functions[7];
extern const struct host_function preview1_fd_io_functions[6];
extern const struct host_function preview1_fd_stat_functions[7];
extern const struct host_function preview1_folder_functions[1];
extern const struct host_function preview1_path_open_functions[1];
extern const struct host_function preview1_path_stat_functions[3];
extern const struct host_function preview1_path_names_functions[6];
extern const struct host_function preview1_poll_functions[1];
extern const struct host_function preview1_socket_functions[4];

/* ---- guest memory ---- */

/* [offset, offset + length) of the calling instance's memory, or false: answer WASI_EFAULT. To be
 * derived again after call_wait(). */
NODISCARD bool call_slice(const struct call *c, uint32_t offset, uint64_t length, uint8_t **ret);

/* For results: checked before the effect, so that a bad pointer changes nothing. */
NODISCARD bool call_can_put(const struct call *c, uint32_t offset, uint64_t length);
NODISCARD enum wasi_errno call_put(const struct call *c, uint32_t offset, const void *bytes,
                                   size_t size_bytes);
NODISCARD enum wasi_errno call_put_u32(const struct call *c, uint32_t offset, uint32_t value);
NODISCARD enum wasi_errno call_put_u64(const struct call *c, uint32_t offset, uint64_t value);

struct guest_iovec {
    uint32_t offset, length;
};

/* Copies an array of iovecs out of the guest, each of them checked; their sum fits in 32 bits.
 * `list` has WASI_IOVECS_MAX elements. A copy, because reading may overwrite the guest's array. */
NODISCARD enum wasi_errno call_take_iovecs(const struct call *c, uint32_t offset, uint32_t count,
                                           struct guest_iovec *list);

/* As pointers, valid as long as a slice; `ret` has WASI_IOVECS_MAX elements. */
struct iovec;
NODISCARD enum wasi_errno call_map_iovecs(const struct call *c, const struct guest_iovec *list,
                                          uint32_t count, struct iovec *ret);

/* ---- waiting ---- */

/* False: cancelled; c->result says so and the body returns at once, with any errno. */
NODISCARD bool call_wait(struct call *c, const struct wasi_wait *waits, size_t count,
                         uint64_t deadline_ns);
NODISCARD bool call_wait_stream(struct call *c, const struct wasi_stream *stream,
                                enum wasi_direction direction);

/* ---- errno ---- */

enum wasi_errno errno_now(void); /* of errno; see path.h for errno_to_wasi() */

/* ---- the descriptor table ---- */

/* The open descriptor `fd` if it has all of `rights`, else WASI_EBADF or WASI_ENOTCAPABLE. The
 * pointer is valid until fd_add(). */
NODISCARD enum wasi_errno fd_get(const struct call *c, uint32_t fd, uint64_t rights,
                                 struct wasi_fd **ret);

/* The same for folders: WASI_ENOTDIR for others. */
NODISCARD enum wasi_errno fd_get_folder(const struct call *c, uint32_t fd, uint64_t rights,
                                        struct wasi_fd **ret);

/* Puts *entry at the lowest free number. On failure what it holds stays the caller's:
 * WASI_EMFILE, WASI_ENOMEM. */
NODISCARD enum wasi_errno fd_add(struct wasi_preview1 *p, const struct wasi_fd *entry,
                                 uint32_t *ret);
void fd_release(struct wasi_fd *entry); /* closes and leaves FD_FREE */

enum wasi_filetype filetype_of_mode(mode_t mode);
struct wasi_stream socket_stream(int fd, enum wasi_filetype filetype);

/* ---- files ---- */

void filestat_fill(struct wasi_filestat *ret, const struct stat *st);

/* Two timespecs for utimensat(2) out of guest times and FSTFLAG_s; WASI_EINVAL. */
NODISCARD enum wasi_errno times_take(uint64_t atim_ns, uint64_t mtim_ns, uint32_t flags,
                                     struct timespec ret[2]);

/* ---- paths ---- */

/* The parent folder of a path, pinned, and its last component, with one '/' behind it when the path
 * had any. `last` points into the path. */
struct path_parent {
    int fd;
    bool owned;
    const char *last;
};

/* Copies a guest's path. WASI_EFAULT, WASI_ENAMETOOLONG, WASI_EINVAL (a NUL inside), WASI_ENOENT
 * (empty); WASI_EPERM for an absolute one, since it names nothing beneath a folder. */
NODISCARD enum wasi_errno path_take(const struct call *c, uint32_t offset, uint32_t length,
                                    struct path *ret);

NODISCARD enum wasi_errno path_parent_open(int folder, struct path *path, struct path_parent *ret);
void path_parent_close(struct path_parent *parent);

#endif
