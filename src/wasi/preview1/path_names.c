/* Making, moving and removing names. Each acts on the last component of a path in its pinned parent
 * folder (path.c); none of these calls of the host follows a link there. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

#define MODE_NEW_FOLDER 0777 /* less the process's umask */

/* A name about to be changed: the parent, and the path that parent.last points into. */
struct place {
    struct path path;
    struct path_parent parent;
};

/* Takes folder v[fd] and path v[text], v[text + 1]. On success the caller closes place->parent. */
static enum wasi_errno place_open(const struct call *c, uint32_t fd, uint32_t text, uint64_t rights,
                                  struct place *ret)
{
    struct wasi_fd *folder;
    enum wasi_errno e = fd_get_folder(c, c->v[fd].i32, rights, &folder);
    if (!e) e = path_take(c, c->v[text].i32, c->v[text + 1].i32, &ret->path);
    if (!e && folder->read_only) e = WASI_EROFS;
    if (!e) e = path_parent_open(folder->host, &ret->path, &ret->parent);
    return e;
}

static enum wasi_errno finish(int result)
{
    return result ? errno_now() : WASI_OK;
}

static enum wasi_errno path_create_directory(struct call *c)
{
    struct place place;
    enum wasi_errno e = place_open(c, 0, 1, RIGHT_PATH_CREATE_DIRECTORY, &place);
    if (e) return e;
    e = finish(mkdirat(place.parent.fd, place.parent.last, MODE_NEW_FOLDER));
    path_parent_close(&place.parent);
    return e;
}

static enum wasi_errno path_remove_directory(struct call *c)
{
    struct place place;
    enum wasi_errno e = place_open(c, 0, 1, RIGHT_PATH_REMOVE_DIRECTORY, &place);
    if (e) return e;
    e = finish(unlinkat(place.parent.fd, place.parent.last, AT_REMOVEDIR));
    path_parent_close(&place.parent);
    return e;
}

static enum wasi_errno path_unlink_file(struct call *c)
{
    struct place place;
    enum wasi_errno e = place_open(c, 0, 1, RIGHT_PATH_UNLINK_FILE, &place);
    if (e) return e;
    e = finish(unlinkat(place.parent.fd, place.parent.last, 0));
    path_parent_close(&place.parent);
    return e;
}

static enum wasi_errno path_rename(struct call *c)
{
    struct place from, to;
    enum wasi_errno e = place_open(c, 0, 1, RIGHT_PATH_RENAME_SOURCE, &from);
    if (e) return e;
    e = place_open(c, 3, 4, RIGHT_PATH_RENAME_TARGET, &to);
    if (!e) {
        e = finish(renameat(from.parent.fd, from.parent.last, to.parent.fd, to.parent.last));
        path_parent_close(&to.parent);
    }
    path_parent_close(&from.parent);
    return e;
}

/* A relative target is stored as it is: where it leads is checked whenever a guest follows it. An
 * absolute one could only serve to lead another program of the host astray. */
static enum wasi_errno path_symlink(struct call *c)
{
    struct path target;
    struct place place;
    enum wasi_errno e = path_take(c, c->v[0].i32, c->v[1].i32, &target);
    if (!e) e = place_open(c, 2, 3, RIGHT_PATH_SYMLINK, &place);
    if (e) return e;
    e = finish(symlinkat(target.text, place.parent.fd, place.parent.last));
    path_parent_close(&place.parent);
    return e;
}

/* linkat(2) of what a descriptor points at. The plain way (AT_EMPTY_PATH) needs a capability; the
 * one through /proc does not. */
static enum wasi_errno link_followed(int folder, const char *path, const struct path_parent *to)
{
    int fd;
    enum wasi_errno e = path_open_beneath(folder, path, O_PATH, 0, &fd);
    if (e) return e;
    char name[sizeof "/proc/self/fd/" + 3 * sizeof fd];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    e = finish(linkat(AT_FDCWD, name, to->fd, to->last, AT_SYMLINK_FOLLOW));
    close(fd);
    return e;
}

static enum wasi_errno link_plain(int folder, struct path *path, const struct path_parent *to)
{
    struct path_parent from;
    enum wasi_errno e = path_parent_open(folder, path, &from);
    if (e) return e;
    e = finish(linkat(from.fd, from.last, to->fd, to->last, 0));
    path_parent_close(&from);
    return e;
}

static enum wasi_errno path_link(struct call *c)
{
    struct wasi_fd *folder;
    struct path source;
    struct place to;
    enum wasi_errno e = fd_get_folder(c, c->v[0].i32, RIGHT_PATH_LINK_SOURCE, &folder);
    if (!e) e = path_take(c, c->v[2].i32, c->v[3].i32, &source);
    if (!e && folder->read_only) e = WASI_EROFS; /* a second name could be written through */
    if (!e) e = place_open(c, 4, 5, RIGHT_PATH_LINK_TARGET, &to);
    if (e) return e;
    /* A '/' behind the name makes linkat(2) follow it, so that case must not reach it unchecked. */
    bool follow =
        (c->v[1].i32 & LOOKUP_SYMLINK_FOLLOW) || source.text[strlen(source.text) - 1] == '/';
    e = follow ? link_followed(folder->host, source.text, &to.parent)
               : link_plain(folder->host, &source, &to.parent);
    path_parent_close(&to.parent);
    return e;
}

PREVIEW1_FUNCTION(path_create_directory)
PREVIEW1_FUNCTION(path_remove_directory)
PREVIEW1_FUNCTION(path_unlink_file)
PREVIEW1_FUNCTION(path_rename)
PREVIEW1_FUNCTION(path_symlink)
PREVIEW1_FUNCTION(path_link)

const struct host_function preview1_path_names_functions[] = {
    PREVIEW1_ENTRY(path_create_directory, "iii:i"), PREVIEW1_ENTRY(path_remove_directory, "iii:i"),
    PREVIEW1_ENTRY(path_unlink_file, "iii:i"),      PREVIEW1_ENTRY(path_rename, "iiiiii:i"),
    PREVIEW1_ENTRY(path_symlink, "iiiii:i"),        PREVIEW1_ENTRY(path_link, "iiiiiii:i"),
};
