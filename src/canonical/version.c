/* Names of interfaces and what their versions promise. */
#include <stdio.h>
#include <string.h>

#include "state.h"

struct version {
    unsigned major, minor, patch;
    const char *pre; /* behind '-', or "" */
};

static bool version_read(const char *text, struct version *v)
{
    int end = 0;
    if (sscanf(text, "%9u.%9u.%9u%n", &v->major, &v->minor, &v->patch, &end) != 3) return false;
    v->pre = text + end;
    return *v->pre == 0 || *v->pre == '-' || *v->pre == '+';
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
