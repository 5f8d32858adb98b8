/* Several threads at one piece of work. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <stdint.h>

#define THREADS_MAX 64u

/* How many threads `wanted` means: 0 is one a core; at most THREADS_MAX. */
uint32_t threads_count(uint32_t wanted);

/* Runs run(context) on `count` threads, the calling one among them, and comes back when all have
 * returned. On fewer where the system has no more. */
void threads_run(uint32_t count, void *(*run)(void *context), void *context);

#endif
