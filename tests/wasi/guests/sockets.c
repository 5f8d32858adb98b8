/* Accepts a connection on descriptor 3 and answers what comes, until its end, in upper case; then
 * looks at the connection on descriptor 4 and answers there. */
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

static char data[64];
static __wasi_iovec_t in;
static __wasi_ciovec_t out;

static __wasi_iovec_t *into(size_t size)
{
    in = (__wasi_iovec_t){(uint8_t *)data, size};
    return &in;
}

static __wasi_ciovec_t *from(size_t size)
{
    out = (__wasi_ciovec_t){(const uint8_t *)data, size};
    return &out;
}

static int answer(__wasi_fd_t fd)
{
    __wasi_size_t got, sent;
    uint32_t flags = 0;
    do {
        if (__wasi_sock_recv(fd, into(sizeof data), 1, 0, &got, (void *)&flags)) return 2;
        for (size_t k = 0; k < got; k++)
            if (data[k] >= 'a' && data[k] <= 'z') data[k] -= 32;
        if (got && (__wasi_sock_send(fd, from(got), 1, 0, &sent) || sent != got)) return 3;
    } while (got);
    return __wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR) ? 4 : 0;
}

int main(void)
{
    __wasi_fd_t fd;
    __wasi_size_t got;
    uint32_t flags = 0;
    if (__wasi_sock_accept(3, 0, &fd)) return 1;
    int result = answer(fd);
    if (result) return result;
    if (__wasi_fd_close(fd)) return 5;
    if (__wasi_sock_recv(4, into(4), 1, __WASI_RIFLAGS_RECV_PEEK | __WASI_RIFLAGS_RECV_WAITALL,
                         &got, (void *)&flags))
        return 6;
    printf("peeked: %.*s\n", (int)got, data);
    result = answer(4);
    printf("done: %d\n", result);
    return result;
}
