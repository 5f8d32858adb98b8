/* What is known about a name: path_filestat_get, path_filestat_set_times, path_readlink. */
#include <fcntl.h>
#include <unistd.h>

#include "state.h"

/* Opens what v[text], v[text + 1] names, only to point at it; a last link itself unless followed.
 */
static enum wasi_errno point_at(const struct call *c, int folder, uint32_t text, bool follow,
                                int *ret_fd)
{
    struct path path;
    enum wasi_errno e = path_take(c, c->v[text].i32, c->v[text + 1].i32, &path);
    if (e) return e;
    return path_open_beneath(folder, path.text, O_PATH | (follow ? 0 : O_NOFOLLOW), 0, ret_fd);
}

static enum wasi_errno path_filestat_get(struct call *c)
{
    struct wasi_fd *folder;
    int fd;
    enum wasi_errno e = fd_get_folder(c, c->v[0].i32, RIGHT_PATH_FILESTAT_GET, &folder);
    if (!e) e = point_at(c, folder->host, 2, c->v[1].i32 & LOOKUP_SYMLINK_FOLLOW, &fd);
    if (e) return e;
    struct stat st;
    e = fstat(fd, &st) ? errno_now() : WASI_OK;
    close(fd);
    if (e) return e;
    struct wasi_filestat filestat;
    filestat_fill(&filestat, &st);
    return call_put(c, c->v[4].i32, &filestat, sizeof filestat);
}

static enum wasi_errno path_filestat_set_times(struct call *c)
{
    struct wasi_fd *folder;
    struct timespec times[2];
    int fd;
    enum wasi_errno e = fd_get_folder(c, c->v[0].i32, RIGHT_PATH_FILESTAT_SET_TIMES, &folder);
    if (!e) e = times_take(c->v[4].i64, c->v[5].i64, c->v[6].i32, times);
    if (!e && folder->read_only) e = WASI_EROFS;
    if (!e) e = point_at(c, folder->host, 2, c->v[1].i32 & LOOKUP_SYMLINK_FOLLOW, &fd);
    if (e) return e;
    e = utimensat(fd, "", times, AT_EMPTY_PATH) ? errno_now() : WASI_OK;
    close(fd);
    return e;
}

static enum wasi_errno read_target(int fd, char text[WASI_PATH_BYTES_MAX], uint32_t *ret_bytes)
{
    struct stat st;
    if (fstat(fd, &st)) return errno_now();
    if (!S_ISLNK(st.st_mode)) return WASI_EINVAL; /* readlinkat(2) would say ENOENT */
    ssize_t size = readlinkat(fd, "", text, WASI_PATH_BYTES_MAX);
    if (size < 0) return errno_now();
    *ret_bytes = (uint32_t)size;
    return WASI_OK;
}

/* A target longer than the guest's buffer is cut, as readlink(2) does. */
static enum wasi_errno path_readlink(struct call *c)
{
    uint32_t room = c->v[4].i32;
    struct wasi_fd *folder;
    int fd;
    enum wasi_errno e = fd_get_folder(c, c->v[0].i32, RIGHT_PATH_READLINK, &folder);
    if (e) return e;
    if (!call_can_put(c, c->v[3].i32, room)) return WASI_EFAULT;
    if (!call_can_put(c, c->v[5].i32, sizeof room)) return WASI_EFAULT;
    e = point_at(c, folder->host, 1, false, &fd);
    if (e) return e;

    char text[WASI_PATH_BYTES_MAX];
    uint32_t size = 0;
    e = read_target(fd, text, &size);
    close(fd);
    if (e) return e;
    uint32_t used = size < room ? size : room;
    e = call_put(c, c->v[3].i32, text, used);
    return e ? e : call_put_u32(c, c->v[5].i32, used);
}

PREVIEW1_FUNCTION(path_filestat_get)
PREVIEW1_FUNCTION(path_filestat_set_times)
PREVIEW1_FUNCTION(path_readlink)

const struct host_function preview1_path_stat_functions[] = {
    PREVIEW1_ENTRY(path_filestat_get, "iiiii:i"),
    PREVIEW1_ENTRY(path_filestat_set_times, "iiiilli:i"),
    PREVIEW1_ENTRY(path_readlink, "iiiiii:i"),
};
