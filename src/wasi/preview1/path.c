/* Guest paths, and how they are kept beneath their folder.
 *
 * A guest's path is never resolved by walking it here: between two steps another process could
 * exchange a folder for a link. openat2(2) with RESOLVE_BENEATH resolves it whole, and refuses
 * absolute paths and links, ".." above the folder, and the magic links of /proc. Operations that
 * have no such flavour act, by a name without '/', on a parent folder that was opened that way. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

/* The kernel gives up with EAGAIN when a rename crosses the resolution of a ".."; a guest may try
 * to provoke that for ever. */
#define RESOLVE_TRIES_MAX 64u

enum wasi_errno path_take(const struct call *c, uint32_t offset, uint32_t length, struct path *ret)
{
    uint8_t *at;
    if (!call_slice(c, offset, length, &at)) return WASI_EFAULT;
    if (length >= sizeof ret->text) return WASI_ENAMETOOLONG;
    memcpy(ret->text, at, length);
    ret->text[length] = '\0';
    if (strlen(ret->text) != length) return WASI_EINVAL;
    if (length == 0) return WASI_ENOENT;
    return ret->text[0] == '/' ? WASI_EPERM : WASI_OK;
}

enum wasi_errno path_open_beneath(int folder, const char *path, int flags, mode_t mode, int *ret_fd)
{
    flags |= O_CLOEXEC;
    if (!(flags & O_PATH)) flags |= O_NOCTTY; /* not together */
    struct open_how how = {
        .flags = (unsigned)flags, .mode = mode, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (unsigned tries = 0; tries < RESOLVE_TRIES_MAX; tries++) {
        long fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
        if (fd >= 0) {
            *ret_fd = (int)fd;
            return WASI_OK;
        }
        if (errno != EAGAIN && errno != EINTR) break;
    }
    return errno == EXDEV ? WASI_EPERM : errno_now(); /* EXDEV: it leads out */
}

enum wasi_errno path_parent_open(int folder, struct path *path, struct path_parent *ret)
{
    char *text = path->text;
    size_t length = strlen(text);
    bool slash = text[length - 1] == '/';
    while (length && text[length - 1] == '/') length--;
    text[length] = '\0'; /* not empty: the path is relative */
    char *cut = memrchr(text, '/', length);
    /* One '/' tells the kernel as much as many; it replaces the first of them. */
    if (slash) memcpy(text + length, "/", sizeof "/");
    *ret = (struct path_parent){folder, false, text};
    if (!cut) return WASI_OK;
    ret->last = cut + 1;
    ret->owned = true;
    *cut = '\0';
    return path_open_beneath(folder, text, O_PATH | O_DIRECTORY, 0, &ret->fd);
}

void path_parent_close(struct path_parent *parent)
{
    if (parent->owned) close(parent->fd);
}
