/* Two component instances and a function of the second that the first calls: "func(a: T) -> T",
 * which gives back what it got. For tests of how values cross. */
#ifndef TESTS_CANONICAL_PAIR_H
#define TESTS_CANONICAL_PAIR_H

#include "base/buffer.h"
#include "values.h"
#include "world.h"

#define PAIR_TEXT_MAX (1u << 20)

struct pair {
    struct world *w;
    uint32_t type; /* T */
    uint32_t func; /* the function's type */
    uint32_t lift, lower;
    struct values caller, callee;
    struct buffer seen;   /* what the callee found its parameter to be */
    struct buffer result; /* what the caller got back */
    char trap[256];
    bool hostile; /* the callee's realloc gives anything, so what arrives need not be a value */
};

/* Types may be added to p->w before pair_start(); memory 0 is the caller's, 1 the callee's. */
void pair_init(struct pair *p, size_t memory_bytes, enum canon_encoding caller,
               enum canon_encoding callee);
void pair_start(struct pair *p, uint32_t type);
void pair_done(struct pair *p);

/* Calls with a value as text, whose words are in p->seen and p->result afterwards, NUL-terminated,
 * when there was no trap. False: p->trap says which. */
bool pair_call(struct pair *p, const char *text);

/* Calls with flat parameters as they are; results are left in `values` and not looked at. */
bool pair_call_flat(struct pair *p, struct value *values);

#endif
