/* What wasi:sockets' interfaces share. The network is there and everything on it is denied: guests
 * get their data by wasi:http. So no socket ever exists, and a method is called with a handle that
 * is none: a trap. */
#ifndef WASI_PREVIEW2_SOCKETS_H
#define WASI_PREVIEW2_SOCKETS_H

#include "state.h"

#define SOCKETS_ACCESS_DENIED 1u /* of enum error-code */

extern const struct io_class sockets_network_class, sockets_tcp_class, sockets_udp_class;

/* "result<own<…>, error-code>" at `at`: access-denied. */
enum host_result sockets_deny(struct canonical_call *c, uint32_t at);

/* A method of a resource that cannot exist. */
enum host_result sockets_no_object(struct canonical_call *c, const struct io_class *class,
                                   const struct value *v);

/* ---- types ---- */

#define SOCKETS_ERROR                                                                              \
    "enum{unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, "       \
    "concurrency-conflict, not-in-progress, would-block, invalid-state, new-socket-limit, "        \
    "address-not-bindable, address-in-use, remote-unreachable, connection-refused, "               \
    "connection-reset, connection-aborted, datagram-too-large, name-unresolvable, "                \
    "temporary-resolver-failure, permanent-resolver-failure}"
#define SOCKETS_FAMILY "enum{ipv4, ipv6}"
#define SOCKETS_IPV4   "tuple<u8, u8, u8, u8>"
#define SOCKETS_IPV6   "tuple<u16, u16, u16, u16, u16, u16, u16, u16>"
#define SOCKETS_ADDRESS                                                                            \
    "variant{ipv4(record{port: u16, address: " SOCKETS_IPV4 "}), "                                 \
    "ipv6(record{port: u16, flow-info: u32, address: " SOCKETS_IPV6 ", scope-id: u32})}"

/* "func(self: borrow<name>, …) -> result<of, error-code>" */
#define SOCKETS_METHOD(self, parameters, of)                                                       \
    "func(self: borrow<" self ">" parameters ") -> result<" of ", " SOCKETS_ERROR ">"

#endif
