/* The descriptor table, and the functions that act on descriptors themselves. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

enum wasi_errno fd_get(const struct call *c, uint32_t fd, uint64_t rights, struct wasi_fd **ret)
{
    const struct wasi_preview1 *p = c->p;
    if (fd >= p->fds_count || p->fds[fd].kind == FD_FREE) return WASI_EBADF;
    struct wasi_fd *entry = &p->fds[fd];
    if ((entry->rights & rights) != rights) return WASI_ENOTCAPABLE;
    *ret = entry;
    return WASI_OK;
}

enum wasi_errno fd_get_folder(const struct call *c, uint32_t fd, uint64_t rights,
                              struct wasi_fd **ret)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, fd, 0, &entry);
    if (e) return e;
    if (entry->kind != FD_FOLDER) return WASI_ENOTDIR;
    return fd_get(c, fd, rights, ret);
}

/* Doubles the table, up to WASI_FDS_MAX. */
static enum wasi_errno table_grow(struct wasi_preview1 *p)
{
    assert(p->fds_count >= FDS_INLINE);
    if (p->fds_count >= WASI_FDS_MAX) return WASI_EMFILE;
    uint32_t count = p->fds_count * 2;
    if (count > WASI_FDS_MAX) count = WASI_FDS_MAX;
    struct wasi_fd *fds = calloc(count, sizeof *fds);
    if (!fds) return WASI_ENOMEM;
    memcpy(fds, p->fds, p->fds_count * sizeof *fds);
    /* The inline table is the next guest's: entries have moved out of it, not been copied. */
    if (p->fds == p->fds_inline)
        memset(p->fds_inline, 0, sizeof p->fds_inline);
    else
        free(p->fds);
    p->fds = fds;
    p->fds_count = count;
    return WASI_OK;
}

enum wasi_errno fd_add(struct wasi_preview1 *p, const struct wasi_fd *entry, uint32_t *ret)
{
    uint32_t fd = 0;
    while (fd < p->fds_count && p->fds[fd].kind != FD_FREE) fd++;
    if (fd == p->fds_count) {
        enum wasi_errno e = table_grow(p);
        if (e) return e;
    }
    p->fds[fd] = *entry;
    *ret = fd;
    return WASI_OK;
}

void fd_release(struct wasi_fd *entry)
{
    if (entry->kind == FD_FREE) return;
    if (entry->list >= 0 && entry->list != entry->host) close(entry->list);
    if (entry->owned) close(entry->host);
    *entry = (struct wasi_fd){.kind = FD_FREE, .host = -1, .list = -1};
}

static enum wasi_errno fd_close(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (!e) fd_release(entry);
    return e;
}

/* Moves `from` over `to`; both are open before, and only `to` afterwards. */
static enum wasi_errno fd_renumber(struct call *c)
{
    struct wasi_fd *from, *to;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &from);
    if (!e) e = fd_get(c, c->v[1].i32, 0, &to);
    if (e || from == to) return e;
    fd_release(to);
    *to = *from;
    *from = (struct wasi_fd){.kind = FD_FREE, .host = -1, .list = -1};
    return WASI_OK;
}

static enum wasi_errno fd_fdstat_get(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    struct wasi_fdstat stat = {.filetype = (uint8_t)entry->filetype,
                               .flags = (uint16_t)entry->flags,
                               .rights = entry->rights,
                               .inheriting = entry->inheriting};
    return call_put(c, c->v[1].i32, &stat, sizeof stat);
}

/* Of an open file only O_APPEND can change; the kernel ignores the synchronous flags. O_NONBLOCK is
 * kept here: descriptors of the host are shared with others, whom it must not surprise. */
static enum wasi_errno fd_fdstat_set_flags(struct call *c)
{
    uint32_t flags = c->v[1].i32;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, RIGHT_FD_FDSTAT_SET_FLAGS, &entry);
    if (e) return e;
    if (flags & ~FDFLAGS_ALL) return WASI_EINVAL;
    uint32_t changed = flags ^ entry->flags;
    if (changed & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC)) return WASI_ENOTSUP;
    if (changed & FDFLAG_APPEND) {
        if (entry->kind != FD_FILE) return WASI_ENOTSUP;
        int now = fcntl(entry->host, F_GETFL);
        if (now < 0) return errno_now();
        now = flags & FDFLAG_APPEND ? now | O_APPEND : now & ~O_APPEND;
        if (fcntl(entry->host, F_SETFL, now)) return errno_now();
    }
    entry->flags = flags;
    return WASI_OK;
}

static enum wasi_errno fd_fdstat_set_rights(struct call *c)
{
    uint64_t rights = c->v[1].i64, inheriting = c->v[2].i64;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    if ((rights & ~entry->rights) || (inheriting & ~entry->inheriting)) return WASI_ENOTCAPABLE;
    entry->rights = rights;
    entry->inheriting = inheriting;
    return WASI_OK;
}

static enum wasi_errno fd_prestat_get(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    if (!entry->preopen_name) return WASI_EBADF;
    struct wasi_prestat stat = {PREOPENTYPE_DIR, (uint32_t)strlen(entry->preopen_name)};
    return call_put(c, c->v[1].i32, &stat, sizeof stat);
}

static enum wasi_errno fd_prestat_dir_name(struct call *c)
{
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get(c, c->v[0].i32, 0, &entry);
    if (e) return e;
    if (!entry->preopen_name) return WASI_EBADF;
    size_t length = strlen(entry->preopen_name);
    if (!call_can_put(c, c->v[1].i32, c->v[2].i32)) return WASI_EFAULT;
    if (length > c->v[2].i32) return WASI_ENAMETOOLONG;
    return call_put(c, c->v[1].i32, entry->preopen_name, length);
}

PREVIEW1_FUNCTION(fd_close)
PREVIEW1_FUNCTION(fd_renumber)
PREVIEW1_FUNCTION(fd_fdstat_get)
PREVIEW1_FUNCTION(fd_fdstat_set_flags)
PREVIEW1_FUNCTION(fd_fdstat_set_rights)
PREVIEW1_FUNCTION(fd_prestat_get)
PREVIEW1_FUNCTION(fd_prestat_dir_name)

const struct host_function preview1_fd_functions[] = {
    PREVIEW1_ENTRY(fd_close, "i:i"),
    PREVIEW1_ENTRY(fd_renumber, "ii:i"),
    PREVIEW1_ENTRY(fd_fdstat_get, "ii:i"),
    PREVIEW1_ENTRY(fd_fdstat_set_flags, "ii:i"),
    PREVIEW1_ENTRY(fd_fdstat_set_rights, "ill:i"),
    PREVIEW1_ENTRY(fd_prestat_get, "ii:i"),
    PREVIEW1_ENTRY(fd_prestat_dir_name, "iii:i"),
};
