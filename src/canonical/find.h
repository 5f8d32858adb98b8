/* What a host offers, to be looked through. Private to the module. */
#ifndef CANONICAL_FIND_H
#define CANONICAL_FIND_H

#include "state.h"

struct finding {
    const struct canonical_interface *const *interfaces;
    size_t interfaces_count;
};

const struct canonical_resource *find_resource(const struct finding *f, const char *interface,
                                               const char *name);

#endif
