/* sock_*: a listening socket and a connected pair, granted by the embedder. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake.h"

#define STREAM_FD   3
#define DATAGRAM_FD 4
#define LISTEN_FD   5

struct place {
    struct fake f;
    int stream[2], datagram[2];
    int listener;
    struct sockaddr_un address;
    socklen_t address_bytes;
};

static int setup(void **state)
{
    static struct place place;
    struct place *p = &place;
    memset(p, 0, sizeof *p);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->stream), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, p->datagram), 0);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->address.sun_family = AF_UNIX;
    /* An empty name: the kernel picks an abstract one. */
    assert_int_equal(bind(p->listener, (struct sockaddr *)&p->address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(p->listener, 4), 0);
    p->address_bytes = sizeof p->address;
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&p->address, &p->address_bytes),
                     0);
    const int given[] = {p->stream[0], p->datagram[0], p->listener};
    struct wasi_preview1_config config = fake_config(&p->f);
    config.sockets = given;
    config.sockets_count = 3;
    fake_init(&p->f, &config);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    fake_done(&p->f);
    close(p->stream[0]);
    close(p->stream[1]);
    close(p->datagram[0]);
    close(p->datagram[1]);
    close(p->listener);
    return 0;
}

static uint32_t receive(struct place *p, uint32_t fd, uint32_t size, uint32_t flags)
{
    memset(p->f.memory + AT_DATA, 0, 64);
    fake_iovec(&p->f, 0, AT_DATA, size / 2);
    fake_iovec(&p->f, 1, AT_DATA + size / 2, size - size / 2);
    return CALL(&p->f, "sock_recv", fd, AT_IOVECS, 2, flags, AT_RET, AT_RET2);
}

static void expect_data(struct place *p, const char *text)
{
    assert_int_equal(fake_u32(&p->f, AT_RET), strlen(text));
    assert_memory_equal(p->f.memory + AT_DATA, text, strlen(text));
}

static void sending_and_receiving(void **state)
{
    struct place *p = *state;
    char text[16];
    assert_int_equal(send(p->stream[1], "hello", 5, 0), 5);
    assert_int_equal(receive(p, STREAM_FD, 4, RIFLAG_PEEK), WASI_OK);
    expect_data(p, "hell");
    assert_int_equal(receive(p, STREAM_FD, 16, 0), WASI_OK);
    expect_data(p, "hello");
    assert_int_equal(fake_u32(&p->f, AT_RET2) & 0xffff, 0);
    fake_text(&p->f, AT_DATA, "answer");
    fake_iovec(&p->f, 0, AT_DATA, 6);
    assert_int_equal(CALL(&p->f, "sock_send", STREAM_FD, AT_IOVECS, 1, 0, AT_RET), WASI_OK);
    assert_int_equal(fake_u32(&p->f, AT_RET), 6);
    assert_int_equal(recv(p->stream[1], text, sizeof text, 0), 6);
    assert_int_equal(CALL(&p->f, "sock_send", STREAM_FD, AT_IOVECS, 1, 1, AT_RET), WASI_EINVAL);
    assert_int_equal(receive(p, STREAM_FD, 4, 4), WASI_EINVAL);
    /* Plain reading and writing work on it too. */
    assert_int_equal(fake_write(&p->f, STREAM_FD, "plain"), WASI_OK);
    assert_int_equal(recv(p->stream[1], text, sizeof text, 0), 5);
    assert_int_equal(send(p->stream[1], "x", 1, 0), 1);
    assert_int_equal(fake_read(&p->f, STREAM_FD, 8, text), WASI_OK);
    assert_string_equal(text, "x");
    assert_int_equal(CALL(&p->f, "fd_fdstat_get", STREAM_FD, AT_RET), WASI_OK);
    assert_int_equal(p->f.memory[AT_RET], WASI_FILETYPE_SOCKET_STREAM);
}

static void waiting(void **state)
{
    struct place *p = *state;
    p->f.cancel = true;
    receive(p, STREAM_FD, 4, 0);
    assert_int_equal(p->f.result, HOST_CANCEL);
    CALL(&p->f, "sock_accept", LISTEN_FD, 0, AT_RET);
    assert_int_equal(p->f.result, HOST_CANCEL);
    /* WAITALL: what is there is not enough. */
    assert_int_equal(send(p->stream[1], "ab", 2, 0), 2);
    receive(p, STREAM_FD, 4, RIFLAG_WAITALL);
    assert_int_equal(p->f.result, HOST_CANCEL);
    assert_int_equal(send(p->stream[1], "cdef", 4, 0), 4);
    assert_int_equal(receive(p, STREAM_FD, 4, RIFLAG_WAITALL), WASI_OK);
    expect_data(p, "cdef");
    /* … unless the peer is gone. */
    assert_int_equal(send(p->stream[1], "gh", 2, 0), 2);
    assert_int_equal(shutdown(p->stream[1], SHUT_WR), 0);
    assert_int_equal(receive(p, STREAM_FD, 4, RIFLAG_WAITALL), WASI_OK);
    expect_data(p, "gh");
    assert_int_equal(receive(p, STREAM_FD, 4, 0), WASI_OK);
    expect_data(p, "");
    assert_int_equal(CALL(&p->f, "fd_fdstat_set_flags", LISTEN_FD, FDFLAG_NONBLOCK), WASI_OK);
    assert_int_equal(CALL(&p->f, "sock_accept", LISTEN_FD, 0, AT_RET), WASI_EAGAIN);
    assert_int_equal(p->f.result, HOST_OK);
}

static void datagrams(void **state)
{
    struct place *p = *state;
    assert_int_equal(send(p->datagram[1], "datagram", 8, 0), 8);
    assert_int_equal(receive(p, DATAGRAM_FD, 4, RIFLAG_WAITALL), WASI_OK);
    expect_data(p, "data");
    assert_int_equal(fake_u32(&p->f, AT_RET2) & 0xffff, ROFLAG_DATA_TRUNCATED);
    assert_int_equal(CALL(&p->f, "fd_fdstat_get", DATAGRAM_FD, AT_RET), WASI_OK);
    assert_int_equal(p->f.memory[AT_RET], WASI_FILETYPE_SOCKET_DGRAM);
}

static void accepting(void **state)
{
    struct place *p = *state;
    char text[16];
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&p->address, p->address_bytes), 0);
    assert_int_equal(CALL(&p->f, "sock_accept", LISTEN_FD, FDFLAG_APPEND, AT_RET), WASI_EINVAL);
    assert_int_equal(CALL(&p->f, "sock_accept", LISTEN_FD, FDFLAG_NONBLOCK, AT_RET), WASI_OK);
    uint32_t fd = fake_u32(&p->f, AT_RET);
    assert_int_equal(fd, 6);
    assert_int_equal(receive(p, fd, 4, 0), WASI_EAGAIN);
    assert_int_equal(send(client, "hi", 2, 0), 2);
    assert_int_equal(receive(p, fd, 4, 0), WASI_OK);
    expect_data(p, "hi");
    assert_int_equal(CALL(&p->f, "sock_shutdown", fd, SDFLAG_WR), WASI_OK);
    assert_int_equal(recv(client, text, sizeof text, 0), 0);
    assert_int_equal(CALL(&p->f, "sock_shutdown", fd, 0), WASI_EINVAL);
    assert_int_equal(CALL(&p->f, "sock_shutdown", fd, 4), WASI_EINVAL);
    assert_int_equal(CALL(&p->f, "sock_shutdown", fd, SDFLAG_RD | SDFLAG_WR), WASI_OK);
    fake_text(&p->f, AT_DATA, "x");
    fake_iovec(&p->f, 0, AT_DATA, 1);
    assert_int_equal(CALL(&p->f, "sock_send", fd, AT_IOVECS, 1, 0, AT_RET), WASI_EPIPE);
    assert_int_equal(CALL(&p->f, "fd_close", fd), WASI_OK);
    close(client);
    assert_int_equal(CALL(&p->f, "sock_accept", STREAM_FD, 0, AT_RET), WASI_EINVAL);
}

static void not_sockets(void **state)
{
    struct place *p = *state;
    for (uint32_t fd = 0; fd < 3; fd++) {
        assert_int_equal(CALL(&p->f, "sock_accept", fd, 0, AT_RET), WASI_ENOTSOCK);
        assert_int_equal(receive(p, fd, 4, 0), WASI_ENOTSOCK);
        assert_int_equal(CALL(&p->f, "sock_send", fd, AT_IOVECS, 1, 0, AT_RET), WASI_ENOTSOCK);
        assert_int_equal(CALL(&p->f, "sock_shutdown", fd, 1), WASI_ENOTSOCK);
    }
    assert_int_equal(CALL(&p->f, "sock_shutdown", 99, 1), WASI_EBADF);
    assert_int_equal(CALL(&p->f, "fd_fdstat_set_rights", STREAM_FD, 0, 0), WASI_OK);
    assert_int_equal(receive(p, STREAM_FD, 4, 0), WASI_ENOTCAPABLE);
    assert_int_equal(CALL(&p->f, "sock_shutdown", STREAM_FD, 1), WASI_ENOTCAPABLE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(sending_and_receiving), TEST(waiting), TEST(datagrams), TEST(accepting),
        TEST(not_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
