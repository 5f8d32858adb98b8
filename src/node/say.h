/* Messages of a node on standard error. Private to node. */
#ifndef NODE_SAY_H
#define NODE_SAY_H

#include "base/compiler.h"
#include "base/error.h"

/* "mayfly: <text>\n", in one write. */
void node_say(const char *fmt, ...) PRINTF(1, 2);

#endif
