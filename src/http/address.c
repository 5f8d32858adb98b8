/* Which addresses are of the public internet: what is not in the registries of special purposes
 * (RFC 6890). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/client.h"

struct range4 {
    uint32_t address; /* host order */
    uint8_t bits;
};

static bool is_public4(uint32_t address)
{
    static const struct range4 special[] = {
        {0x00000000, 8},  /* this network */
        {0x0a000000, 8},  /* private */
        {0x64400000, 10}, /* shared by carriers */
        {0x7f000000, 8},  /* this machine */
        {0xa9fe0000, 16}, /* link-local: instance metadata of clouds too */
        {0xac100000, 12}, /* private */
        {0xc0000000, 24}, /* protocol assignments */
        {0xc0000200, 24}, /* documentation */
        {0xc0586300, 24}, /* 6to4 relays */
        {0xc0a80000, 16}, /* private */
        {0xc6120000, 15}, /* benchmarks */
        {0xc6336400, 24}, /* documentation */
        {0xcb007100, 24}, /* documentation */
        {0xe0000000, 4},  /* multicast */
        {0xf0000000, 4},  /* reserved, broadcast */
    };
    for (size_t i = 0; i < ARRAY_COUNT(special); i++)
        if (((address ^ special[i].address) >> (32 - special[i].bits)) == 0) return false;
    return true;
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Only global unicast, 2000::/3, and what stands for a public IPv4 address. */
static bool is_public6(const uint8_t *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0, 0x64, 0xff, 0x9b};
    if (!memcmp(a, mapped, sizeof mapped) || !memcmp(a, translated, sizeof translated))
        return is_public4(word_at(a + 12));
    if ((a[0] & 0xe0) != 0x20) return false;
    uint32_t high = word_at(a);
    if (high == 0x20010db8) return false;                        /* documentation */
    if ((high & 0xfffffe00) == 0x20010000) return false;         /* protocol assignments, Teredo */
    if (high >> 16 == 0x2002) return is_public4(word_at(a + 2)); /* 6to4 */
    return high >> 20 != 0x3ff;                                  /* documentation */
}

bool http_address_is_public(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    switch (address->sa_family) {
    case AF_INET: memcpy(&v4, address, sizeof v4); return is_public4(ntohl(v4.sin_addr.s_addr));
    case AF_INET6: memcpy(&v6, address, sizeof v6); return is_public6(v6.sin6_addr.s6_addr);
    default: return false;
    }
}
