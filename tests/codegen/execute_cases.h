/* Functions in text with the results that they must have, at every level and in both modes. */
#ifndef TESTS_CODEGEN_EXECUTE_CASES_H
#define TESTS_CODEGEN_EXECUTE_CASES_H

#include <stdint.h>

#include "artifact/artifact.h"

/* `run` is exported: (i64, i64) → i64. */
struct execute_case {
    const char *name, *text;
    uint64_t a, b, result;
    enum trap_kind trap; /* TRAP_NONE: it returns `result` */
};

extern const struct execute_case execute_cases[];
extern const size_t execute_cases_count;

#endif
