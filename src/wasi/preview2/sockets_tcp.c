/* wasi:sockets/{tcp,tcp-create-socket} */
#include "sockets.h"

const struct io_class sockets_tcp_class = IO_CLASS("tcp-socket", NULL);

static enum host_result method(struct canonical_call *c, struct value *v)
{
    return sockets_no_object(c, &sockets_tcp_class, v);
}

static enum host_result create(struct canonical_call *c, struct value *v)
{
    if (v[0].i32 > 1) return call_trap(c, "there is no such family of addresses");
    return sockets_deny(c, v[1].i32);
}

#define METHOD(name, parameters, of)                                                               \
    CANONICAL_FUNCTION("[method]tcp-socket." name, SOCKETS_METHOD("tcp-socket", parameters, of),   \
                       method)
#define PLAIN(name, of)                                                                            \
    CANONICAL_FUNCTION("[method]tcp-socket." name, "func(self: borrow<tcp-socket>) -> " of, method)

static const struct canonical_function functions[] = {
    METHOD("start-bind", ", network: borrow<network>, local-address: " SOCKETS_ADDRESS, "_"),
    METHOD("finish-bind", "", "_"),
    METHOD("start-connect", ", network: borrow<network>, remote-address: " SOCKETS_ADDRESS, "_"),
    METHOD("finish-connect", "", "tuple<own<input-stream>, own<output-stream>>"),
    METHOD("start-listen", "", "_"),
    METHOD("finish-listen", "", "_"),
    METHOD("accept", "", "tuple<own<tcp-socket>, own<input-stream>, own<output-stream>>"),
    METHOD("local-address", "", SOCKETS_ADDRESS),
    METHOD("remote-address", "", SOCKETS_ADDRESS),
    PLAIN("is-listening", "bool"),
    PLAIN("address-family", SOCKETS_FAMILY),
    METHOD("set-listen-backlog-size", ", value: u64", "_"),
    METHOD("keep-alive-enabled", "", "bool"),
    METHOD("set-keep-alive-enabled", ", value: bool", "_"),
    METHOD("keep-alive-idle-time", "", "u64"),
    METHOD("set-keep-alive-idle-time", ", value: u64", "_"),
    METHOD("keep-alive-interval", "", "u64"),
    METHOD("set-keep-alive-interval", ", value: u64", "_"),
    METHOD("keep-alive-count", "", "u32"),
    METHOD("set-keep-alive-count", ", value: u32", "_"),
    METHOD("hop-limit", "", "u8"),
    METHOD("set-hop-limit", ", value: u8", "_"),
    METHOD("receive-buffer-size", "", "u64"),
    METHOD("set-receive-buffer-size", ", value: u64", "_"),
    METHOD("send-buffer-size", "", "u64"),
    METHOD("set-send-buffer-size", ", value: u64", "_"),
    PLAIN("subscribe", "own<pollable>"),
    METHOD("shutdown", ", shutdown-type: enum{receive, send, both}", "_"),
};

static const struct canonical_resource *const resources[] = {&sockets_tcp_class.resource};

const struct canonical_interface sockets_tcp_interface = {
    "wasi:sockets/tcp", PREVIEW2_VERSION, functions, ARRAY_COUNT(functions), resources, 1,
};

static const struct canonical_function create_functions[] = {
    CANONICAL_FUNCTION("create-tcp-socket",
                       "func(address-family: " SOCKETS_FAMILY
                       ") -> result<own<tcp-socket>, " SOCKETS_ERROR ">",
                       create),
};

const struct canonical_interface sockets_tcp_create_interface = {
    "wasi:sockets/tcp-create-socket",
    PREVIEW2_VERSION,
    create_functions,
    ARRAY_COUNT(create_functions),
    NULL,
    0,
};
