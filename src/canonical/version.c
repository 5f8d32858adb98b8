/* Names of interfaces and what their versions promise. */
#include <string.h>

#include "state.h"

#define NUMBER_MAX 999999999u

struct version {
    uint32_t major, minor, patch;
    const char *pre; /* behind '-', or "" */
};

static bool take_number(const char **text, uint32_t *ret)
{
    const char *at = *text;
    uint32_t n = 0;
    for (; *at >= '0' && *at <= '9' && n <= NUMBER_MAX / 10; at++)
        n = 10 * n + (uint32_t)(*at - '0');
    if (at == *text) return false;
    *text = at;
    *ret = n;
    return true;
}

static bool take_dot(const char **text)
{
    if (**text != '.') return false;
    ++*text;
    return true;
}

static bool version_read(const char *text, struct version *v)
{
    if (!take_number(&text, &v->major) || !take_dot(&text) || !take_number(&text, &v->minor) ||
        !take_dot(&text) || !take_number(&text, &v->patch))
        return false;
    v->pre = text;
    return *text == 0 || *text == '-' || *text == '+';
}

/* What comes before a release promises nothing to anyone else. */
bool canonical_version_serves(const char *have, const char *wanted)
{
    struct version h, w;
    if (!*have || !*wanted || strcmp(have, wanted) == 0) return true;
    if (!version_read(have, &h) || !version_read(wanted, &w)) return false;
    if (*h.pre == '-' || *w.pre == '-' || h.major != w.major) return false;
    if (h.major > 0) return true;
    return h.minor == w.minor && (h.minor > 0 || h.patch == w.patch);
}

void interface_split(const char *text, struct interface_name *ret)
{
    const char *at = strchr(text, '@');
    size_t length = at ? (size_t)(at - text) : strlen(text);
    if (length >= sizeof ret->name) length = sizeof ret->name - 1;
    memcpy(ret->name, text, length);
    ret->name[length] = 0;
    ret->version = at ? at + 1 : "";
}
