/* Inputs that attackers send, and what must come of each. */
#ifndef TESTS_HTTP_HOSTILE_CASES_H
#define TESTS_HTTP_HOSTILE_CASES_H

#include <stdbool.h>
#include <stddef.h>

struct hostile_case {
    const char *input;
    size_t size;
    bool finish;         /* the client then closes its side */
    const char *outcome; /* as rig_outcome() writes it */
};

extern const struct hostile_case hostile_cases[];
extern const size_t hostile_case_count;

#endif
