/* path_open. */
#include <fcntl.h>
#include <unistd.h>

#include "state.h"

#define MODE_NEW_FILE 0666 /* less the process's umask */

/* The rights that need a descriptor open for reading, and for writing. */
#define RIGHTS_READING (RIGHT_FD_READ | RIGHT_FD_READDIR)
#define RIGHTS_WRITING (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE)

struct open_request {
    uint32_t folder;
    uint32_t lookup_flags, open_flags, fd_flags;
    uint64_t rights, inheriting;
    bool read_only;
};

/* What the folder has to allow for this request. */
static uint64_t rights_needed(const struct open_request *r)
{
    uint64_t needed = RIGHT_PATH_OPEN;
    if (r->open_flags & OFLAG_CREAT) needed |= RIGHT_PATH_CREATE_FILE;
    if (r->open_flags & OFLAG_TRUNC) needed |= RIGHT_PATH_FILESTAT_SET_SIZE;
    return needed;
}

static enum wasi_errno request_check(const struct call *c, struct open_request *r, int *ret_folder)
{
    struct wasi_fd *folder;
    enum wasi_errno e = fd_get_folder(c, r->folder, rights_needed(r), &folder);
    if (e) return e;
    if ((r->open_flags & ~OFLAGS_ALL) || (r->fd_flags & ~FDFLAGS_ALL)) return WASI_EINVAL;
    if ((r->open_flags & OFLAG_CREAT) && (r->open_flags & OFLAG_DIRECTORY)) return WASI_EINVAL;
    /* Guests ask for "all", bits that are no right included. */
    r->rights &= RIGHTS_ALL;
    r->inheriting &= RIGHTS_ALL;
    if ((r->rights | r->inheriting) & ~folder->inheriting) return WASI_ENOTCAPABLE;
    /* A folder has none of a file's rights; only asking to write is an error, the kernel's. */
    if (r->open_flags & OFLAG_DIRECTORY) r->rights &= RIGHTS_OF_FOLDER | RIGHT_FD_WRITE;
    r->read_only = folder->read_only;
    if (r->read_only &&
        ((r->rights & RIGHTS_WRITING) || (r->open_flags & (OFLAG_CREAT | OFLAG_TRUNC))))
        return WASI_EROFS;
    *ret_folder = folder->host;
    return WASI_OK;
}

static int host_flags(const struct open_request *r)
{
    /* O_NONBLOCK: opening a FIFO must not wait for its other end. */
    int flags = O_NONBLOCK;
    if (r->rights & RIGHTS_WRITING)
        flags |= r->rights & RIGHTS_READING ? O_RDWR : O_WRONLY;
    else
        flags |= O_RDONLY;
    if (!(r->lookup_flags & LOOKUP_SYMLINK_FOLLOW)) flags |= O_NOFOLLOW;
    if (r->open_flags & OFLAG_CREAT) flags |= O_CREAT;
    if (r->open_flags & OFLAG_DIRECTORY) flags |= O_DIRECTORY;
    if (r->open_flags & OFLAG_EXCL) flags |= O_EXCL;
    if (r->open_flags & OFLAG_TRUNC) flags |= O_TRUNC;
    if (r->fd_flags & FDFLAG_APPEND) flags |= O_APPEND;
    if (r->fd_flags & FDFLAG_DSYNC) flags |= O_DSYNC;
    if (r->fd_flags & (FDFLAG_RSYNC | FDFLAG_SYNC)) flags |= O_SYNC;
    return flags;
}

/* Takes the fresh descriptor `fd` into the table. */
static enum wasi_errno adopt(struct call *c, const struct open_request *r, int fd, uint32_t *ret)
{
    struct stat st;
    if (fstat(fd, &st)) return errno_now();
    struct wasi_fd entry = {.kind = FD_STREAM,
                            .filetype = filetype_of_mode(st.st_mode),
                            .flags = r->fd_flags,
                            .owned = true,
                            .read_only = r->read_only,
                            .host = fd,
                            .list = -1,
                            .rights = r->rights & RIGHTS_OF_STREAM,
                            .stream = wasi_stream_fd(fd)};
    if (S_ISREG(st.st_mode)) {
        entry.kind = FD_FILE;
        entry.rights = r->rights & RIGHTS_OF_FILE;
    } else if (S_ISDIR(st.st_mode)) {
        entry.kind = FD_FOLDER;
        entry.rights = r->rights & RIGHTS_OF_FOLDER;
        entry.inheriting = r->inheriting;
        entry.list = fd; /* nobody shares it */
    }
    return fd_add(c->p, &entry, ret);
}

static enum wasi_errno path_open(struct call *c)
{
    const struct value *v = c->v;
    struct open_request r = {.folder = v[0].i32,
                             .lookup_flags = v[1].i32,
                             .open_flags = v[4].i32,
                             .rights = v[5].i64,
                             .inheriting = v[6].i64,
                             .fd_flags = v[7].i32};
    struct path path;
    int folder = -1, host = -1;
    uint32_t fd = 0;
    enum wasi_errno e = request_check(c, &r, &folder);
    if (!e && !call_can_put(c, v[8].i32, sizeof fd)) e = WASI_EFAULT;
    if (!e) e = path_take(c, v[2].i32, v[3].i32, &path);
    if (e) return e;
    mode_t mode = r.open_flags & OFLAG_CREAT ? MODE_NEW_FILE : 0;
    e = path_open_beneath(folder, path.text, host_flags(&r), mode, &host);
    if (e) return e;
    e = adopt(c, &r, host, &fd);
    if (e) {
        close(host);
        return e;
    }
    return call_put_u32(c, v[8].i32, fd);
}

PREVIEW1_FUNCTION(path_open)

const struct host_function preview1_path_open_functions[] = {
    PREVIEW1_ENTRY(path_open, "iiiiillii:i"),
};
