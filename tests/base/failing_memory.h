/* Allocations that fail when a test says so. The linker's --wrap puts them in place of the C
 * library's: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray. */
#ifndef TESTS_BASE_FAILING_MEMORY_H
#define TESTS_BASE_FAILING_MEMORY_H

#include <stdbool.h>

/* The allocation after so many successful ones fails; the ones behind it succeed. Below 0: none. */
extern long failing_memory_countdown;
extern bool failing_memory_failed; /* set when it has; for the test to clear */

#endif
