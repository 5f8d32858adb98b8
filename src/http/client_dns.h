/* Inside the client: names to addresses, by c-ares on the loop. */
#ifndef HTTP_CLIENT_DNS_H
#define HTTP_CLIENT_DNS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "http/client.h"

/* An IPv4 or IPv6 address without a port. */
struct client_address {
    sa_family_t family; /* AF_UNSPEC: none */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    };
};

bool client_address_of(const struct sockaddr *from,
                       struct client_address *ret); /* false: another family */
bool client_address_parse(const char *text, struct client_address *ret);
void client_address_print(const struct client_address *address, char text[INET6_ADDRSTRLEN]);
bool client_address_is_public(const struct client_address *address);

struct dns;

struct dns_addresses {
    struct client_address list[HTTP_CLIENT_ADDRESSES_MAX];
    size_t count;
};

/* Whoever waits for a name. */
struct dns_waiter {
    struct dns_waiter *next, *previous; /* NULL: does not wait */
    void (*done)(struct dns_waiter *w, enum http_call_error error,
                 const struct dns_addresses *addresses);
};

/* Reads what is read from files. `resolver` may be NULL. */
NODISCARD enum status dns_new(struct loop *loop, const char *resolver, struct dns **ret,
                              struct error *err);
void dns_free(struct dns *d); /* legal on NULL */

/* True: *ret has the addresses that are known. False: done() will be called from the loop, or has
 * been, with an error. */
bool dns_find(struct dns *d, const char *host, struct dns_waiter *w, struct dns_addresses *ret);
void dns_cancel(struct dns_waiter *w); /* legal on one that does not wait */

/* Reads /etc/hosts for dns_new(). */
struct dns_host {
    struct dns_host *next;
    struct client_address address;
    char name[];
};
struct dns_host *dns_hosts_read(const char *path);

#endif
