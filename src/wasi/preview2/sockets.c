/* wasi:sockets/{network,instance-network,ip-name-lookup} */
#include "sockets.h"

const struct io_class sockets_network_class = IO_CLASS("network", NULL);
static const struct io_class lookup_class = IO_CLASS("resolve-address-stream", NULL);

enum host_result sockets_deny(struct canonical_call *c, uint32_t at)
{
    uint8_t *ret = call_place(c, at, 8, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = 1;
    ret[4] = SOCKETS_ACCESS_DENIED;
    return HOST_OK;
}

enum host_result sockets_no_object(struct canonical_call *c, const struct io_class *class,
                                   const struct value *v)
{
    if (!canonical_borrowed(c, &class->resource, v[0].i32)) return HOST_TRAP;
    return call_trap(c, "a socket where there are none");
}

/* ---- network ---- */

/* No stream of a socket exists that could have failed. */
static enum host_result network_error_code(struct canonical_call *c, struct value *v)
{
    if (!canonical_borrowed(c, &io_error_class.resource, v[0].i32)) return HOST_TRAP;
    return call_place(c, v[1].i32, 2, 1) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function network_functions[] = {
    CANONICAL_FUNCTION("network-error-code",
                       "func(err: borrow<error>) -> option<" SOCKETS_ERROR ">", network_error_code),
};

static const struct canonical_resource *const network_resources[] = {
    &sockets_network_class.resource};

const struct canonical_interface sockets_network_interface = {
    "wasi:sockets/network",         PREVIEW2_VERSION,  network_functions,
    ARRAY_COUNT(network_functions), network_resources, 1,
};

/* ---- instance-network ---- */

static enum host_result instance_network(struct canonical_call *c, struct value *v)
{
    struct io_object *network = io_call_new(c, &sockets_network_class, sizeof *network, NULL);
    return network && io_call_own(c, network, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function instance_network_functions[] = {
    CANONICAL_FUNCTION("instance-network", "func() -> own<network>", instance_network),
};

const struct canonical_interface sockets_instance_network_interface = {
    "wasi:sockets/instance-network",
    PREVIEW2_VERSION,
    instance_network_functions,
    ARRAY_COUNT(instance_network_functions),
    NULL,
    0,
};

/* ---- ip-name-lookup ---- */

static enum host_result resolve_addresses(struct canonical_call *c, struct value *v)
{
    struct canonical_text name;
    if (!canonical_borrowed(c, &sockets_network_class.resource, v[0].i32)) return HOST_TRAP;
    if (!canonical_text(c, v[1].i32, v[2].i32, &name)) return HOST_TRAP;
    return sockets_deny(c, v[3].i32);
}

static enum host_result lookup_method(struct canonical_call *c, struct value *v)
{
    return sockets_no_object(c, &lookup_class, v);
}

static const struct canonical_function lookup_functions[] = {
    CANONICAL_FUNCTION("resolve-addresses",
                       "func(network: borrow<network>, name: string) -> "
                       "result<own<resolve-address-stream>, " SOCKETS_ERROR ">",
                       resolve_addresses),
    CANONICAL_FUNCTION("[method]resolve-address-stream.resolve-next-address",
                       SOCKETS_METHOD("resolve-address-stream", "",
                                      "option<variant{ipv4(" SOCKETS_IPV4 "), ipv6(" SOCKETS_IPV6
                                      ")}>"),
                       lookup_method),
    CANONICAL_FUNCTION("[method]resolve-address-stream.subscribe",
                       "func(self: borrow<resolve-address-stream>) -> own<pollable>",
                       lookup_method),
};

static const struct canonical_resource *const lookup_resources[] = {&lookup_class.resource};

const struct canonical_interface sockets_lookup_interface = {
    "wasi:sockets/ip-name-lookup", PREVIEW2_VERSION, lookup_functions,
    ARRAY_COUNT(lookup_functions), lookup_resources, 1,
};
