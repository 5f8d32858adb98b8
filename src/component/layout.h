/* Sizes and alignments of types, settled when an entry is made. Private. */
#ifndef COMPONENT_LAYOUT_H
#define COMPONENT_LAYOUT_H

#include "type_store.h"

/* Fills the layout of a type whose parts are in the store. Error: ST_INVALID when it is a value of
 * COMPONENT_VALUE_BYTES or more, with 32-bit or 64-bit memories. */
NODISCARD enum status layout_settle(const struct type_store *s, struct component_type *t,
                                    struct error *err);

#endif
