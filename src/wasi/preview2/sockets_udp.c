/* wasi:sockets/{udp,udp-create-socket} */
#include "sockets.h"

const struct io_class sockets_udp_class = IO_CLASS("udp-socket", NULL);
static const struct io_class incoming_class = IO_CLASS("incoming-datagram-stream", NULL);
static const struct io_class outgoing_class = IO_CLASS("outgoing-datagram-stream", NULL);

static enum host_result method(struct canonical_call *c, struct value *v)
{
    return sockets_no_object(c, &sockets_udp_class, v);
}

static enum host_result incoming_method(struct canonical_call *c, struct value *v)
{
    return sockets_no_object(c, &incoming_class, v);
}

static enum host_result outgoing_method(struct canonical_call *c, struct value *v)
{
    return sockets_no_object(c, &outgoing_class, v);
}

static enum host_result create(struct canonical_call *c, struct value *v)
{
    if (v[0].i32 > 1) return call_trap(c, "there is no such family of addresses");
    return sockets_deny(c, v[1].i32);
}

#define METHOD(name, parameters, of)                                                               \
    CANONICAL_FUNCTION("[method]udp-socket." name, SOCKETS_METHOD("udp-socket", parameters, of),   \
                       method)

static const struct canonical_function functions[] = {
    METHOD("start-bind", ", network: borrow<network>, local-address: " SOCKETS_ADDRESS, "_"),
    METHOD("finish-bind", "", "_"),
    METHOD("stream", ", remote-address: option<" SOCKETS_ADDRESS ">",
           "tuple<own<incoming-datagram-stream>, own<outgoing-datagram-stream>>"),
    METHOD("local-address", "", SOCKETS_ADDRESS),
    METHOD("remote-address", "", SOCKETS_ADDRESS),
    CANONICAL_FUNCTION("[method]udp-socket.address-family",
                       "func(self: borrow<udp-socket>) -> " SOCKETS_FAMILY, method),
    METHOD("unicast-hop-limit", "", "u8"),
    METHOD("set-unicast-hop-limit", ", value: u8", "_"),
    METHOD("receive-buffer-size", "", "u64"),
    METHOD("set-receive-buffer-size", ", value: u64", "_"),
    METHOD("send-buffer-size", "", "u64"),
    METHOD("set-send-buffer-size", ", value: u64", "_"),
    CANONICAL_FUNCTION("[method]udp-socket.subscribe",
                       "func(self: borrow<udp-socket>) -> own<pollable>", method),
    CANONICAL_FUNCTION("[method]incoming-datagram-stream.receive",
                       SOCKETS_METHOD("incoming-datagram-stream", ", max-results: u64",
                                      "list<record{data: list<u8>, remote-address: " SOCKETS_ADDRESS
                                      "}>"),
                       incoming_method),
    CANONICAL_FUNCTION("[method]incoming-datagram-stream.subscribe",
                       "func(self: borrow<incoming-datagram-stream>) -> own<pollable>",
                       incoming_method),
    CANONICAL_FUNCTION("[method]outgoing-datagram-stream.check-send",
                       SOCKETS_METHOD("outgoing-datagram-stream", "", "u64"), outgoing_method),
    CANONICAL_FUNCTION("[method]outgoing-datagram-stream.send",
                       SOCKETS_METHOD("outgoing-datagram-stream",
                                      ", datagrams: list<record{data: list<u8>, remote-address: "
                                      "option<" SOCKETS_ADDRESS ">}>",
                                      "u64"),
                       outgoing_method),
    CANONICAL_FUNCTION("[method]outgoing-datagram-stream.subscribe",
                       "func(self: borrow<outgoing-datagram-stream>) -> own<pollable>",
                       outgoing_method),
};

static const struct canonical_resource *const resources[] = {
    &sockets_udp_class.resource, &incoming_class.resource, &outgoing_class.resource};

const struct canonical_interface sockets_udp_interface = {
    "wasi:sockets/udp",     PREVIEW2_VERSION, functions,
    ARRAY_COUNT(functions), resources,        ARRAY_COUNT(resources),
};

static const struct canonical_function create_functions[] = {
    CANONICAL_FUNCTION("create-udp-socket",
                       "func(address-family: " SOCKETS_FAMILY
                       ") -> result<own<udp-socket>, " SOCKETS_ERROR ">",
                       create),
};

const struct canonical_interface sockets_udp_create_interface = {
    "wasi:sockets/udp-create-socket",
    PREVIEW2_VERSION,
    create_functions,
    ARRAY_COUNT(create_functions),
    NULL,
    0,
};
