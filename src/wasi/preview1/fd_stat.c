/* What is known about an open descriptor, and what keeps it: times, size, syncing. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define NS_PER_S 1000000000ull

static uint64_t time_ns(const struct timespec *t)
{
    /* Preview 1 has no times before 1970. */
    return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

enum wasi_filetype filetype_of_mode(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFBLK: return WASI_FILETYPE_BLOCK_DEVICE;
    case S_IFCHR: return WASI_FILETYPE_CHARACTER_DEVICE;
    case S_IFDIR: return WASI_FILETYPE_DIRECTORY;
    case S_IFREG: return WASI_FILETYPE_REGULAR_FILE;
    case S_IFSOCK: return WASI_FILETYPE_SOCKET_STREAM;
    case S_IFLNK: return WASI_FILETYPE_SYMBOLIC_LINK;
    default: return WASI_FILETYPE_UNKNOWN; /* FIFO */
    }
}

void filestat_fill(struct wasi_filestat *ret, const struct stat *st)
{
    *ret = (struct wasi_filestat){
        .device = st->st_dev,
        .inode = st->st_ino,
        .filetype = filetype_of_mode(st->st_mode),
        .links = st->st_nlink,
        .size = (uint64_t)st->st_size,
        .atim = time_ns(&st->st_atim),
        .mtim = time_ns(&st->st_mtim),
        .ctim = time_ns(&st->st_ctim),
    };
}

static enum wasi_errno time_take(uint64_t ns, bool given, bool now, struct timespec *ret)
{
    if (given && now) return WASI_EINVAL;
    ret->tv_sec = 0;
    ret->tv_nsec = now ? UTIME_NOW : UTIME_OMIT;
    if (given) {
        ret->tv_sec = (time_t)(ns / NS_PER_S);
        ret->tv_nsec = (long)(ns % NS_PER_S);
    }
    return WASI_OK;
}

enum wasi_errno times_take(uint64_t atim_ns, uint64_t mtim_ns, uint32_t flags,
                           struct timespec ret[2])
{
    if (flags & ~FSTFLAGS_ALL) return WASI_EINVAL;
    enum wasi_errno e = time_take(atim_ns, flags & FSTFLAG_ATIM, flags & FSTFLAG_ATIM_NOW, &ret[0]);
    return e ? e : time_take(mtim_ns, flags & FSTFLAG_MTIM, flags & FSTFLAG_MTIM_NOW, &ret[1]);
}

static enum wasi_errno fd_filestat_get(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, RIGHT_FD_FILESTAT_GET, &entry);
    if (e) return e;
    struct wasi_filestat filestat = {.filetype = entry->filetype};
    struct stat st;
    if (entry->host >= 0) {
        if (fstat(entry->host, &st)) return errno_now();
        filestat_fill(&filestat, &st);
        filestat.filetype = entry->filetype;
    }
    return call_put(c, c->v[1].i32, &filestat, sizeof filestat);
}

/* A descriptor of the kinds that have contents on a disk, and that may be changed. */
static enum wasi_errno fd_get_changeable(const struct call *c, uint64_t rights,
                                         struct wasi_fd **ret)
{
    enum wasi_errno e = fd_get(c, c->v[0].i32, rights, ret);
    if (!e && (*ret)->read_only) e = WASI_EROFS;
    return e;
}

static enum wasi_errno fd_filestat_set_size(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get_changeable(c, RIGHT_FD_FILESTAT_SET_SIZE, &entry);
    if (e) return e;
    if (c->v[1].i64 > INT64_MAX) return WASI_EINVAL;
    return ftruncate(entry->host, (off_t)c->v[1].i64) ? errno_now() : WASI_OK;
}

static enum wasi_errno fd_filestat_set_times(struct call *c)
{
    struct wasi_fd *entry;
    struct timespec times[2];
    enum wasi_errno e = fd_get_changeable(c, RIGHT_FD_FILESTAT_SET_TIMES, &entry);
    if (!e) e = times_take(c->v[1].i64, c->v[2].i64, c->v[3].i32, times);
    if (e) return e;
    /* By the empty path, because a folder's descriptor may be O_PATH. */
    return utimensat(entry->host, "", times, AT_EMPTY_PATH) ? errno_now() : WASI_OK;
}

static enum wasi_errno fd_allocate(struct call *c)
{
    uint64_t offset = c->v[1].i64, length = c->v[2].i64;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get_changeable(c, RIGHT_FD_ALLOCATE, &entry);
    if (e) return e;
    if (offset > INT64_MAX || length == 0 || length > INT64_MAX) return WASI_EINVAL;
    return fallocate(entry->host, 0, (off_t)offset, (off_t)length) ? errno_now() : WASI_OK;
}

static enum wasi_errno fd_advise(struct call *c)
{
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    uint64_t offset = c->v[1].i64, length = c->v[2].i64;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, RIGHT_FD_ADVISE, &entry);
    if (e) return e;
    if (c->v[3].i32 >= ARRAY_COUNT(advices)) return WASI_EINVAL;
    if (offset > INT64_MAX || length > INT64_MAX) return WASI_EINVAL;
    return errno_to_wasi(
        posix_fadvise(entry->host, (off_t)offset, (off_t)length, advices[c->v[3].i32]));
}

/* A folder's descriptor may be O_PATH, which cannot be synced; one for reading can. */
static enum wasi_errno sync_with(struct call *c, uint64_t rights, int (*sync_fd)(int fd))
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, rights, &entry);
    if (e) return e;
    if (entry->kind != FD_FOLDER) return sync_fd(entry->host) ? errno_now() : WASI_OK;
    int fd = openat(entry->host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno_now();
    e = sync_fd(fd) ? errno_now() : WASI_OK;
    close(fd);
    return e;
}

static enum wasi_errno fd_sync(struct call *c)
{
    return sync_with(c, RIGHT_FD_SYNC, fsync);
}

static enum wasi_errno fd_datasync(struct call *c)
{
    return sync_with(c, RIGHT_FD_DATASYNC, fdatasync);
}

PREVIEW1_FUNCTION(fd_filestat_get)
PREVIEW1_FUNCTION(fd_filestat_set_size)
PREVIEW1_FUNCTION(fd_filestat_set_times)
PREVIEW1_FUNCTION(fd_allocate)
PREVIEW1_FUNCTION(fd_advise)
PREVIEW1_FUNCTION(fd_sync)
PREVIEW1_FUNCTION(fd_datasync)

const struct host_function preview1_fd_stat_functions[] = {
    PREVIEW1_ENTRY(fd_filestat_get, "ii:i"),
    PREVIEW1_ENTRY(fd_filestat_set_size, "il:i"),
    PREVIEW1_ENTRY(fd_filestat_set_times, "illi:i"),
    PREVIEW1_ENTRY(fd_allocate, "ill:i"),
    PREVIEW1_ENTRY(fd_advise, "illi:i"),
    PREVIEW1_ENTRY(fd_sync, "i:i"),
    PREVIEW1_ENTRY(fd_datasync, "i:i"),
};
