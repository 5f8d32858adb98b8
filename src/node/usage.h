/* What the workers have counted, for the supervisor. Private to node. */
#ifndef NODE_USAGE_H
#define NODE_USAGE_H

#include <stdint.h>

#include "deploy.h"

struct usage;

/* Of the segment that `workers_count` workers count in, which outlives it. NULL: out of memory. */
struct usage *usage_new(const void *segment, uint32_t workers_count);
void usage_free(struct usage *u); /* NULL is legal */

/* The app is gone: whoever gets its number starts from 0. */
void usage_forget(struct usage *u, uint32_t id);

/* Writes a line for each app that had requests, one for requests that no app answered, and their
 * sum, to standard error. */
void usage_print(const struct usage *u, const struct deploy *d);

#endif
