/* The one set of results that functions of Mayfly return, and the text that goes with a failure.
 *
 * An error belongs to a call: the caller passes a `struct error`, the callee fills it and returns
 * the same status. There is no global error. Safe on every thread. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

#include "base/compiler.h"

enum status {
    ST_OK = 0,
    ST_INVALID,     /* input breaks the rules of its format */
    ST_UNSUPPORTED, /* input is right, but asks for what is not there */
    ST_LIMIT,       /* a named limit was reached */
    ST_NOT_FOUND,
    ST_EXISTS,
    ST_DENIED,  /* not granted */
    ST_CORRUPT, /* a file of ours does not verify */
    ST_NO_MEMORY,
    ST_IO,
    ST_USAGE, /* the caller's arguments are wrong */
    ST_TIMEOUT,
    ST_WOULD_BLOCK, /* not a failure: ask again when the source is ready */
    ST_CLOSED,      /* the peer is gone, or the stream has ended */
    ST_TRAP,        /* a guest trapped */
    ST_INTERNAL,    /* a bug of ours */
};

#define ERROR_TEXT_MAX 1024

struct error {
    enum status status;
    char text[ERROR_TEXT_MAX]; /* one line: control characters become '?' */
};

/* Fills *err (when not NULL) and returns `status`, so that a caller can `return error_set(…)`.
 * The arguments must not point into err->text. */
enum status error_set(struct error *err, enum status status, const char *fmt, ...) PRINTF(3, 4);
enum status error_set_va(struct error *err, enum status status, const char *fmt, va_list ap)
    PRINTF(3, 0);

/* As error_set(ST_IO or what fits, …), with ": " and strerror(number) behind the text. */
enum status error_set_errno(struct error *err, int number, const char *fmt, ...) PRINTF(3, 4);

/* Puts "<fmt…>: " before the text that is there; returns err->status. */
enum status error_prefix(struct error *err, const char *fmt, ...) PRINTF(2, 3);

/* The analyzer does not look into another file: without this it follows paths on which a failure
 * returns ST_OK. */
#if defined(__clang_analyzer__) && !defined(BASE_ERROR_DEFINED_HERE)
static inline enum status error_is_failure(enum status status)
{
    if (status == ST_OK) __builtin_unreachable();
    return status;
}
#define error_set(...)       error_is_failure(error_set(__VA_ARGS__))
#define error_set_errno(...) error_is_failure(error_set_errno(__VA_ARGS__))
#define error_prefix(...)    error_is_failure(error_prefix(__VA_ARGS__))
#endif

/* The status in lower case with hyphens, such as "not-found". Static storage. */
const char *status_name(enum status status);

#endif
