/* fd_readdir.
 *
 * Cookies are the host file system's own: d_off of getdents64(2), which names the place behind an
 * entry and survives changes to the folder. "." and ".." are entries like any other. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define HOST_ENTRIES_BYTES 8192u

struct listing {
    int fd;
    uint8_t *at; /* in the guest */
    uint32_t used, size;
    uint64_t root_inode; /* of a preopened folder, otherwise 0 */
};

/* A guest's folder is its root: what lies above has no name and no number. */
static uint64_t entry_inode(const struct listing *l, const struct dirent64 *entry)
{
    if (l->root_inode && strcmp(entry->d_name, "..") == 0) return l->root_inode;
    return entry->d_ino;
}

/* Some file systems leave the type to stat(2). */
static enum wasi_filetype entry_type(const struct listing *l, const struct dirent64 *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN) return filetype_of_mode((mode_t)DTTOIF(entry->d_type));
    if (fstatat(l->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) return WASI_FILETYPE_UNKNOWN;
    return filetype_of_mode(st.st_mode);
}

static void put_cut(struct listing *l, const void *bytes, size_t size_bytes)
{
    uint32_t room = l->size - l->used;
    uint32_t size = size_bytes < room ? (uint32_t)size_bytes : room;
    memcpy(l->at + l->used, bytes, size);
    l->used += size;
}

/* An entry that does not fit is cut, which fills the buffer: so the guest knows that there is
 * more. False when the buffer is full. */
static bool put_entry(struct listing *l, const struct dirent64 *entry)
{
    size_t name_bytes = strlen(entry->d_name);
    struct wasi_dirent dirent = {.next = (uint64_t)entry->d_off,
                                 .inode = entry_inode(l, entry),
                                 .name_bytes = (uint32_t)name_bytes,
                                 .filetype = entry_type(l, entry)};
    put_cut(l, &dirent, sizeof dirent);
    put_cut(l, entry->d_name, name_bytes);
    return l->used < l->size;
}

/* Opens the entry's own description for listing where it has none yet: preopened descriptors are
 * shared with other instances, and their position with them. */
static enum wasi_errno list_open(struct wasi_fd *entry, uint64_t cookie)
{
    if (entry->list < 0) {
        entry->list = openat(entry->host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (entry->list < 0) return errno_now();
        entry->list_cookie = 0;
    }
    if (cookie > INT64_MAX) return WASI_EINVAL;
    /* Also for cookie 0, because rewinding is what makes new entries visible. */
    if (cookie != entry->list_cookie || cookie == 0)
        if (lseek(entry->list, (off_t)cookie, SEEK_SET) < 0) return errno_now();
    return WASI_OK;
}

static enum wasi_errno list(struct wasi_fd *entry, struct listing *l, uint64_t cookie)
{
    _Alignas(struct dirent64) char host[HOST_ENTRIES_BYTES];
    l->fd = entry->list;
    while (l->used < l->size) {
        ssize_t got = getdents64(entry->list, host, sizeof host);
        if (got < 0) return errno == ENOENT ? WASI_OK : errno_now(); /* ENOENT: removed meanwhile */
        if (got == 0) break;
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *next = (const struct dirent64 *)(host + at);
            if (!put_entry(l, next)) {
                /* The description stands behind this batch; the next call has to seek. */
                entry->list_cookie = UINT64_MAX;
                return WASI_OK;
            }
            cookie = (uint64_t)next->d_off;
            at += next->d_reclen;
        }
        entry->list_cookie = cookie;
    }
    return WASI_OK;
}

static enum wasi_errno fd_readdir(struct call *c)
{
    struct listing l = {.size = c->v[2].i32};
    uint64_t cookie = c->v[3].i64;
    struct wasi_fd *entry;
    enum wasi_errno e = fd_get_folder(c, c->v[0].i32, RIGHT_FD_READDIR, &entry);
    if (e) return e;
    if (!call_slice(c, c->v[1].i32, l.size, &l.at)) return WASI_EFAULT;
    if (!call_can_put(c, c->v[4].i32, sizeof l.used)) return WASI_EFAULT;
    if (entry->preopen_name) {
        struct stat st;
        if (fstat(entry->host, &st)) return errno_now();
        l.root_inode = st.st_ino;
    }
    e = list_open(entry, cookie);
    if (!e) e = list(entry, &l, cookie);
    return e ? e : call_put_u32(c, c->v[4].i32, l.used);
}

PREVIEW1_FUNCTION(fd_readdir)

const struct host_function preview1_folder_functions[] = {
    PREVIEW1_ENTRY(fd_readdir, "iiili:i"),
};
