#define BASE_ERROR_DEFINED_HERE
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Texts quote names out of hostile input: a newline there must not forge a log line, nor an escape
 * reach a terminal. */
static void error_make_one_line(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f) *c = '?';
}

enum status error_set_va(struct error *err, enum status status, const char *fmt, va_list ap)
{
    if (!err) return status;
    err->status = status;
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    error_make_one_line(err->text);
    return status;
}

enum status error_set(struct error *err, enum status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    error_set_va(err, status, fmt, ap);
    va_end(ap);
    return status;
}

static enum status status_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR: return ST_NOT_FOUND;
    case EACCES:
    case EPERM: return ST_DENIED;
    case EEXIST: return ST_EXISTS;
    case ENOMEM: return ST_NO_MEMORY;
    default: return ST_IO;
    }
}

enum status error_set_errno(struct error *err, int number, const char *fmt, ...)
{
    enum status status = status_of_errno(number);
    if (!err) return status;
    va_list ap;
    va_start(ap, fmt);
    error_set_va(err, status, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(number));
    return status;
}

enum status error_prefix(struct error *err, const char *fmt, ...)
{
    if (!err) return ST_INTERNAL;
    char text[ERROR_TEXT_MAX];
    memcpy(text, err->text, sizeof text);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", text);
    error_make_one_line(err->text);
    return err->status;
}

const char *status_name(enum status status)
{
    switch (status) {
    case ST_OK: return "ok";
    case ST_INVALID: return "invalid";
    case ST_UNSUPPORTED: return "unsupported";
    case ST_LIMIT: return "limit";
    case ST_NOT_FOUND: return "not-found";
    case ST_EXISTS: return "exists";
    case ST_DENIED: return "denied";
    case ST_CORRUPT: return "corrupt";
    case ST_NO_MEMORY: return "no-memory";
    case ST_IO: return "io";
    case ST_USAGE: return "usage";
    case ST_TIMEOUT: return "timeout";
    case ST_WOULD_BLOCK: return "would-block";
    case ST_CLOSED: return "closed";
    case ST_TRAP: return "trap";
    case ST_INTERNAL: return "internal";
    }
    return "unknown";
}
