/* Values on their way from one component instance into another: lifted out of one side and lowered
 * into the other in one step, with nothing in between. Private to the module. */
#ifndef CANONICAL_CROSS_H
#define CANONICAL_CROSS_H

#include "side.h"

struct crossing {
    struct side from, to;
    struct borrow_scope *scope; /* of the call that borrows are for; NULL: there may be none */
    uint64_t work;              /* elements since the last pause */
};

/* A value in memory: "load" and "store". Both places hold the type's size and are aligned. */
NODISCARD bool cross_memory(struct crossing *x, uint32_t type, const uint8_t *from, uint8_t *to);

/* A value as core values: "lift_flat" and "lower_flat". `from` and `to` do not overlap. */
NODISCARD bool cross_flat(struct crossing *x, uint32_t type, const struct value *from,
                          struct value *to);

#endif
