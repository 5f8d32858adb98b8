/* Numbers and layouts of WASI preview 1, as its witx files fix them. */
#ifndef WASI_PREVIEW1_ABI_H
#define WASI_PREVIEW1_ABI_H

#include <stdint.h>

enum wasi_errno {
    WASI_OK = 0,
    WASI_E2BIG,
    WASI_EACCES,
    WASI_EADDRINUSE,
    WASI_EADDRNOTAVAIL,
    WASI_EAFNOSUPPORT,
    WASI_EAGAIN,
    WASI_EALREADY,
    WASI_EBADF,
    WASI_EBADMSG,
    WASI_EBUSY,
    WASI_ECANCELED,
    WASI_ECHILD,
    WASI_ECONNABORTED,
    WASI_ECONNREFUSED,
    WASI_ECONNRESET,
    WASI_EDEADLK,
    WASI_EDESTADDRREQ,
    WASI_EDOM,
    WASI_EDQUOT,
    WASI_EEXIST,
    WASI_EFAULT,
    WASI_EFBIG,
    WASI_EHOSTUNREACH,
    WASI_EIDRM,
    WASI_EILSEQ,
    WASI_EINPROGRESS,
    WASI_EINTR,
    WASI_EINVAL,
    WASI_EIO,
    WASI_EISCONN,
    WASI_EISDIR,
    WASI_ELOOP,
    WASI_EMFILE,
    WASI_EMLINK,
    WASI_EMSGSIZE,
    WASI_EMULTIHOP,
    WASI_ENAMETOOLONG,
    WASI_ENETDOWN,
    WASI_ENETRESET,
    WASI_ENETUNREACH,
    WASI_ENFILE,
    WASI_ENOBUFS,
    WASI_ENODEV,
    WASI_ENOENT,
    WASI_ENOEXEC,
    WASI_ENOLCK,
    WASI_ENOLINK,
    WASI_ENOMEM,
    WASI_ENOMSG,
    WASI_ENOPROTOOPT,
    WASI_ENOSPC,
    WASI_ENOSYS,
    WASI_ENOTCONN,
    WASI_ENOTDIR,
    WASI_ENOTEMPTY,
    WASI_ENOTRECOVERABLE,
    WASI_ENOTSOCK,
    WASI_ENOTSUP,
    WASI_ENOTTY,
    WASI_ENXIO,
    WASI_EOVERFLOW,
    WASI_EOWNERDEAD,
    WASI_EPERM,
    WASI_EPIPE,
    WASI_EPROTO,
    WASI_EPROTONOSUPPORT,
    WASI_EPROTOTYPE,
    WASI_ERANGE,
    WASI_EROFS,
    WASI_ESPIPE,
    WASI_ESRCH,
    WASI_ESTALE,
    WASI_ETIMEDOUT,
    WASI_ETXTBSY,
    WASI_EXDEV,
    WASI_ENOTCAPABLE,
};

#define RIGHT_FD_DATASYNC             (1ull << 0)
#define RIGHT_FD_READ                 (1ull << 1)
#define RIGHT_FD_SEEK                 (1ull << 2)
#define RIGHT_FD_FDSTAT_SET_FLAGS     (1ull << 3)
#define RIGHT_FD_SYNC                 (1ull << 4)
#define RIGHT_FD_TELL                 (1ull << 5)
#define RIGHT_FD_WRITE                (1ull << 6)
#define RIGHT_FD_ADVISE               (1ull << 7)
#define RIGHT_FD_ALLOCATE             (1ull << 8)
#define RIGHT_PATH_CREATE_DIRECTORY   (1ull << 9)
#define RIGHT_PATH_CREATE_FILE        (1ull << 10)
#define RIGHT_PATH_LINK_SOURCE        (1ull << 11)
#define RIGHT_PATH_LINK_TARGET        (1ull << 12)
#define RIGHT_PATH_OPEN               (1ull << 13)
#define RIGHT_FD_READDIR              (1ull << 14)
#define RIGHT_PATH_READLINK           (1ull << 15)
#define RIGHT_PATH_RENAME_SOURCE      (1ull << 16)
#define RIGHT_PATH_RENAME_TARGET      (1ull << 17)
#define RIGHT_PATH_FILESTAT_GET       (1ull << 18)
#define RIGHT_PATH_FILESTAT_SET_SIZE  (1ull << 19)
#define RIGHT_PATH_FILESTAT_SET_TIMES (1ull << 20)
#define RIGHT_FD_FILESTAT_GET         (1ull << 21)
#define RIGHT_FD_FILESTAT_SET_SIZE    (1ull << 22)
#define RIGHT_FD_FILESTAT_SET_TIMES   (1ull << 23)
#define RIGHT_PATH_SYMLINK            (1ull << 24)
#define RIGHT_PATH_REMOVE_DIRECTORY   (1ull << 25)
#define RIGHT_PATH_UNLINK_FILE        (1ull << 26)
#define RIGHT_POLL_FD_READWRITE       (1ull << 27)
#define RIGHT_SOCK_SHUTDOWN           (1ull << 28)
#define RIGHT_SOCK_ACCEPT             (1ull << 29)
#define RIGHTS_ALL                    ((1ull << 30) - 1)

/* The rights that mean something on each kind of descriptor. */
#define RIGHTS_OF_STREAM                                                                           \
    (RIGHT_FD_READ | RIGHT_FD_WRITE | RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_FILESTAT_GET |          \
     RIGHT_POLL_FD_READWRITE)
#define RIGHTS_OF_SOCKET (RIGHTS_OF_STREAM | RIGHT_SOCK_SHUTDOWN | RIGHT_SOCK_ACCEPT)
#define RIGHTS_OF_FILE                                                                             \
    (RIGHTS_OF_STREAM | RIGHT_FD_DATASYNC | RIGHT_FD_SEEK | RIGHT_FD_SYNC | RIGHT_FD_TELL |        \
     RIGHT_FD_ADVISE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE |                            \
     RIGHT_FD_FILESTAT_SET_TIMES)
#define RIGHTS_OF_FOLDER                                                                           \
    (RIGHT_FD_FDSTAT_SET_FLAGS | RIGHT_FD_SYNC | RIGHT_FD_DATASYNC | RIGHT_FD_READDIR |            \
     RIGHT_FD_FILESTAT_GET | RIGHT_FD_FILESTAT_SET_TIMES | RIGHT_PATH_CREATE_DIRECTORY |           \
     RIGHT_PATH_CREATE_FILE | RIGHT_PATH_LINK_SOURCE | RIGHT_PATH_LINK_TARGET | RIGHT_PATH_OPEN |  \
     RIGHT_PATH_READLINK | RIGHT_PATH_RENAME_SOURCE | RIGHT_PATH_RENAME_TARGET |                   \
     RIGHT_PATH_FILESTAT_GET | RIGHT_PATH_FILESTAT_SET_SIZE | RIGHT_PATH_FILESTAT_SET_TIMES |      \
     RIGHT_PATH_SYMLINK | RIGHT_PATH_REMOVE_DIRECTORY | RIGHT_PATH_UNLINK_FILE)

#define FDFLAG_APPEND   (1u << 0)
#define FDFLAG_DSYNC    (1u << 1)
#define FDFLAG_NONBLOCK (1u << 2)
#define FDFLAG_RSYNC    (1u << 3)
#define FDFLAG_SYNC     (1u << 4)
#define FDFLAGS_ALL     ((1u << 5) - 1)

#define OFLAG_CREAT     (1u << 0)
#define OFLAG_DIRECTORY (1u << 1)
#define OFLAG_EXCL      (1u << 2)
#define OFLAG_TRUNC     (1u << 3)
#define OFLAGS_ALL      ((1u << 4) - 1)

#define LOOKUP_SYMLINK_FOLLOW (1u << 0)

#define FSTFLAG_ATIM     (1u << 0)
#define FSTFLAG_ATIM_NOW (1u << 1)
#define FSTFLAG_MTIM     (1u << 2)
#define FSTFLAG_MTIM_NOW (1u << 3)
#define FSTFLAGS_ALL     ((1u << 4) - 1)

#define RIFLAG_PEEK           (1u << 0)
#define RIFLAG_WAITALL        (1u << 1)
#define ROFLAG_DATA_TRUNCATED (1u << 0)
#define SDFLAG_RD             (1u << 0)
#define SDFLAG_WR             (1u << 1)

#define SUBCLOCKFLAG_ABSTIME (1u << 0)
#define EVENTRWFLAG_HANGUP   (1u << 0)
#define PREOPENTYPE_DIR      0u
#define DIRENT_BYTES         24u /* the name follows */
#define GUEST_IOVEC_BYTES    8u

enum wasi_whence {
    WHENCE_SET,
    WHENCE_CUR,
    WHENCE_END,
};

enum wasi_clock_id {
    CLOCK_ID_REALTIME,
    CLOCK_ID_MONOTONIC,
    CLOCK_ID_PROCESS_CPU,
    CLOCK_ID_THREAD_CPU,
};

enum wasi_event_type {
    EVENT_CLOCK,
    EVENT_FD_READ,
    EVENT_FD_WRITE,
};

/* Little-endian, as the only host that the engine runs on: these are copied as they are. */
struct wasi_fdstat {
    uint8_t filetype;
    uint8_t pad0;
    uint16_t flags;
    uint32_t pad1;
    uint64_t rights, inheriting;
};

struct wasi_filestat {
    uint64_t device, inode;
    uint64_t filetype; /* one byte and padding */
    uint64_t links, size;
    uint64_t atim, mtim, ctim; /* ns */
};

struct wasi_dirent {
    uint64_t next, inode;
    uint32_t name_bytes;
    uint32_t filetype; /* one byte and padding */
};

struct wasi_prestat {
    uint32_t type; /* one byte and padding */
    uint32_t name_bytes;
};

struct wasi_subscription {
    uint64_t userdata;
    uint8_t type;
    uint8_t pad0[7];
    uint32_t id; /* a clock's or a descriptor */
    uint32_t pad1;
    uint64_t timeout, precision;
    uint16_t flags;
    uint8_t pad2[6];
};

struct wasi_event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint8_t pad0[5];
    uint64_t bytes;
    uint16_t flags;
    uint8_t pad1[6];
};

_Static_assert(sizeof(struct wasi_fdstat) == 24, "preview 1 layout");
_Static_assert(sizeof(struct wasi_filestat) == 64, "preview 1 layout");
_Static_assert(sizeof(struct wasi_dirent) == DIRENT_BYTES, "preview 1 layout");
_Static_assert(sizeof(struct wasi_prestat) == 8, "preview 1 layout");
_Static_assert(sizeof(struct wasi_subscription) == 48, "preview 1 layout");
_Static_assert(sizeof(struct wasi_event) == 32, "preview 1 layout");

#endif
