/* What guests may send requests to. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "outbound.h"

static enum status bad(const char *text, const char *why, struct error *err)
{
    return error_set(err, ST_USAGE, "\"%s\" is no host that can be granted: %s", text, why);
}

static bool is_host_character(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_' || c == '*' || c == ':';
}

static enum status parse_port(const char *text, const char *digits, uint16_t *ret,
                              struct error *err)
{
    char *end;
    unsigned long port = strtoul(digits, &end, 10);
    if (!isdigit((unsigned char)*digits) || *end || port == 0 || port > 65535)
        return bad(text, "the port is not a number from 1 to 65535", err);
    *ret = (uint16_t)port;
    return ST_OK;
}

/* An address of IPv6 stands in brackets when a port follows. */
static enum status parse_host(const char *text, const char *host, struct outbound_grant *ret,
                              struct error *err)
{
    const char *end, *port = NULL;
    if (*host == '[') {
        end = strchr(++host, ']');
        if (!end || (end[1] && end[1] != ':')) return bad(text, "a bracket is not closed", err);
        if (end[1]) port = end + 2;
    } else {
        end = strchr(host, ':');
        if (end && strchr(end + 1, ':')) end = NULL;
        if (end) port = end + 1;
        if (!end) end = host + strlen(host);
    }
    ret->host = host;
    ret->host_size = (size_t)(end - host);
    if (!ret->host_size) return bad(text, "there is no host", err);
    for (const char *c = host; c < end; c++) {
        if (!is_host_character(*c)) return bad(text, "a character does not belong there", err);
        if (*c == '*' && (c != host || (ret->host_size > 1 && c[1] != '.')))
            return bad(text, "\"*\" stands alone or before the first dot", err);
    }
    return port ? parse_port(text, port, &ret->port, err) : ST_OK;
}

enum status outbound_grant_parse(const char *text, struct outbound_grant *ret, struct error *err)
{
    const char *equals = strchr(text, '='), *host = equals ? equals + 1 : text;
    *ret = (struct outbound_grant){0};
    if (equals == text) return bad(text, "there is no app before \"=\"", err);
    if (equals) {
        ret->app = text;
        ret->app_size = (size_t)(equals - text);
    }
    return parse_host(text, host, ret, err);
}

static bool host_fits(const struct outbound_grant *g, const char *host, size_t size)
{
    if (g->host_size == 1 && *g->host == '*') return true;
    if (*g->host != '*') return size == g->host_size && !strncasecmp(host, g->host, size);
    size_t tail = g->host_size - 1; /* ".example.com" */
    return size > tail && !strncasecmp(host + size - tail, g->host + 1, tail);
}

bool outbound_grant_fits(const struct outbound_grant *g, const char *app, const char *host,
                         size_t host_size, uint16_t port, bool is_scheme_port)
{
    if (g->app && (strlen(app) != g->app_size || memcmp(app, g->app, g->app_size) != 0))
        return false;
    if (g->port ? g->port != port : !is_scheme_port) return false;
    return host_fits(g, host, host_size);
}
