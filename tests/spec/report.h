/* Counts what passed, failed and was skipped, and prints a line a failure. The counts lie in memory
 * that child processes share: each file of the suite is run in a process of its own. */
#ifndef SPEC_REPORT_H
#define SPEC_REPORT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"

enum skip {
    SKIP_GC,
    SKIP_FUNCTION_REFS,
    SKIP_EXCEPTIONS,
    SKIP_LEGACY,    /* legacy exceptions, refused by name */
    SKIP_TEXT,      /* malformed text: it has no binary form to refuse */
    SKIP_TEXT_KEPT, /* malformed text that the text parser turned into a valid module */
    SKIP_LIMIT,     /* valid, but past a named limit of the implementation */
    SKIP_DEAD_LOAD, /* plain mode may leave out a load whose value nobody uses, and its trap */
    SKIP_NAN_BITS,  /* plain mode may leave a signalling NaN as it is */
    SKIPS_COUNT
};

struct report {
    atomic_uint passed, failed, skipped[SKIPS_COUNT];
    atomic_uint preemptions; /* not among the checks */
};

/* The counts, all zero, in memory that forks share; ends the program when there is none. */
struct report *report_new(void);

void report_pass(struct report *r);
void report_skip(struct report *r, enum skip reason);

/* "FAIL path:line: text", one line. */
void report_fail(struct report *r, const char *path, uint32_t line, const char *fmt, ...)
    PRINTF(4, 5);

/* A failure that follows from one that was printed. */
void report_fail_silently(struct report *r);

/* The skipped by reason, then "N passed, N failed, N skipped". */
void report_print(struct report *r);

#endif
