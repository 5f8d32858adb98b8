/* Makes and ends the state of an instance, and lists all functions. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Checks the limits on a list of strings and sums their sizes, NULs included. */
static enum status measure(const char *const *list, size_t count, size_t count_max,
                           uint32_t bytes_max, const char *what, uint32_t *ret, struct error *err)
{
    if (count > count_max)
        return error_set(err, ST_LIMIT, "%zu %s, at most %zu", count, what, count_max);
    size_t sum = 0;
    for (size_t k = 0; k < count; k++) {
        sum += strlen(list[k]) + 1;
        if (sum > bytes_max)
            return error_set(err, ST_LIMIT, "%s of more than %u bytes", what, bytes_max);
    }
    *ret = (uint32_t)sum;
    return ST_OK;
}

static enum status measure_env(struct wasi_preview1 *p, const struct wasi_preview1_config *config,
                               struct error *err)
{
    p->env_bytes = (uint32_t)config->env_bytes;
    if (config->env_bytes && config->env_bytes <= WASI_ENV_BYTES_MAX &&
        config->env_count <= WASI_ENV_MAX)
        return ST_OK;
    return measure(config->env, config->env_count, WASI_ENV_MAX, WASI_ENV_BYTES_MAX,
                   "environment variables", &p->env_bytes, err);
}

static void add_stdio(struct wasi_preview1 *p, uint32_t fd, const struct wasi_stream *stream)
{
    struct wasi_fd *entry = &p->fds[fd];
    if (!stream->ops) return;
    uint64_t rights = RIGHTS_OF_STREAM;
    if (!stream->ops->read) rights &= ~RIGHT_FD_READ;
    if (!stream->ops->write) rights &= ~RIGHT_FD_WRITE;
    *entry = (struct wasi_fd){.kind = FD_STREAM,
                              .filetype = stream->filetype,
                              .host = stream->fd,
                              .list = -1,
                              .rights = rights,
                              .stream = *stream};
}

static enum status add_entry(struct wasi_preview1 *p, const struct wasi_fd *entry,
                             struct error *err)
{
    uint32_t fd;
    enum wasi_errno e = fd_add(p, entry, &fd);
    if (e == WASI_OK) return ST_OK;
    return error_set(err, e == WASI_EMFILE ? ST_LIMIT : ST_NO_MEMORY, "descriptors of a guest");
}

static enum status add_preopen(struct wasi_preview1 *p, const struct wasi_preopen *preopen,
                               struct error *err)
{
    struct stat st;
    if (fstat(preopen->fd, &st) || !S_ISDIR(st.st_mode))
        return error_set(err, ST_USAGE, "\"%s\" is not a folder", preopen->guest_name);
    if (strlen(preopen->guest_name) >= WASI_PATH_BYTES_MAX)
        return error_set(err, ST_LIMIT, "name of a folder of more than %u bytes",
                         WASI_PATH_BYTES_MAX - 1);
    struct wasi_fd entry = {.kind = FD_FOLDER,
                            .filetype = WASI_FILETYPE_DIRECTORY,
                            .read_only = preopen->read_only,
                            .host = preopen->fd,
                            .list = -1,
                            .rights = RIGHTS_OF_FOLDER,
                            .inheriting = RIGHTS_ALL,
                            .preopen_name = preopen->guest_name};
    return add_entry(p, &entry, err);
}

static enum status add_socket(struct wasi_preview1 *p, int fd, struct error *err)
{
    int type;
    socklen_t size = sizeof type;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
        return error_set_errno(err, errno, "socket %d", fd);
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK)) return error_set_errno(err, errno, "socket %d", fd);
    enum wasi_filetype filetype =
        type == SOCK_STREAM ? WASI_FILETYPE_SOCKET_STREAM : WASI_FILETYPE_SOCKET_DGRAM;
    struct wasi_fd entry = {.kind = FD_SOCKET,
                            .filetype = filetype,
                            .host = fd,
                            .list = -1,
                            .rights = RIGHTS_OF_SOCKET,
                            .inheriting = RIGHTS_OF_SOCKET,
                            .stream = socket_stream(fd, filetype)};
    return add_entry(p, &entry, err);
}

static enum status fill(struct wasi_preview1 *p, const struct wasi_preview1_config *config,
                        struct error *err)
{
    enum status st = measure(config->args, config->args_count, WASI_ARGS_MAX, WASI_ARGS_BYTES_MAX,
                             "arguments", &p->args_bytes, err);
    if (!st) st = measure_env(p, config, err);
    if (!st && config->preopens_count > WASI_PREOPENS_MAX)
        st = error_set(err, ST_LIMIT, "%zu folders, at most %u", config->preopens_count,
                       WASI_PREOPENS_MAX);
    if (!st && config->sockets_count > WASI_SOCKETS_MAX)
        st = error_set(err, ST_LIMIT, "%zu sockets, at most %u", config->sockets_count,
                       WASI_SOCKETS_MAX);

    /* Folders start at 3 and follow each other whatever stdio is there: guests look for them by
     * counting up until EBADF. So stdio is put in last, over placeholders. */
    for (uint32_t k = 0; k < 3; k++) p->fds[k].kind = FD_STREAM;
    for (size_t k = 0; !st && k < config->preopens_count; k++)
        st = add_preopen(p, &config->preopens[k], err);
    for (size_t k = 0; !st && k < config->sockets_count; k++)
        st = add_socket(p, config->sockets[k], err);
    for (uint32_t k = 0; k < 3; k++) p->fds[k].kind = FD_FREE;
    for (uint32_t k = 0; !st && k < 3; k++) add_stdio(p, k, &config->stdio[k]);
    return st;
}

void wasi_preview1_clear(struct wasi_preview1 *p)
{
    for (uint32_t k = 0; k < p->fds_count; k++) fd_release(&p->fds[k]);
    if (p->fds != p->fds_inline) free(p->fds);
    p->fds = p->fds_inline;
    p->fds_count = FDS_INLINE;
}

enum status wasi_preview1_reuse(struct wasi_preview1 *p, const struct wasi_preview1_config *config,
                                struct error *err)
{
    if (!config->clock || !config->random || !config->waiter.wait)
        return error_set(err, ST_USAGE, "WASI needs a clock, a random source and a waiter");
    wasi_preview1_clear(p);
    p->config = *config;
    return fill(p, config, err);
}

enum status wasi_preview1_new(const struct wasi_preview1_config *config, struct wasi_preview1 **ret,
                              struct error *err)
{
    struct wasi_preview1 *p = calloc(1, sizeof *p);
    if (!p) return error_set(err, ST_NO_MEMORY, "state of a guest");
    p->fds = p->fds_inline;
    p->fds_count = FDS_INLINE;
    enum status st = wasi_preview1_reuse(p, config, err);
    if (st) {
        wasi_preview1_free(p);
        return st;
    }
    *ret = p;
    return ST_OK;
}

void wasi_preview1_free(struct wasi_preview1 *p)
{
    if (!p) return;
    wasi_preview1_clear(p);
    free(p);
}

#define SET(name) {preview1_##name##_functions, ARRAY_COUNT(preview1_##name##_functions), NULL}

const struct host_set *wasi_preview1_sets(size_t *ret_count)
{
    static const struct host_set sets[] = {
        SET(args),   SET(clock),     SET(process),   SET(fd),         SET(fd_io), SET(fd_stat),
        SET(folder), SET(path_open), SET(path_stat), SET(path_names), SET(poll),  SET(socket),
    };
    *ret_count = ARRAY_COUNT(sets);
    return sets;
}
