/* A compile job reads hostile bytes, so it runs in a child that can do nothing but compute: limits
 * of memory, processor time, files and their sizes, a filter of system calls, a deadline. The
 * parent, which looks at none of those bytes, opens the files before and puts the outcome into its
 * place afterwards, as a whole. */
#ifndef CLI_COMPILE_CONFINE_H
#define CLI_COMPILE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define COMPILE_DEADLINE_S_DEFAULT 600u
#define COMPILE_DEADLINE_S_MAX     86400u
#define COMPILE_MEMORY_BYTES_MAX   (8ull << 30) /* that is written to */
#define COMPILE_ADDRESS_BYTES_MAX  (4ull << 40) /* slots are large reservations of address space */
#define COMPILE_FILES_MAX          64u

struct confine_job {
    const char *name; /* of the input, for messages */
    const char *out;  /* path of the outcome; NULL: there is none */
    uint32_t deadline_s;
    /* Runs in the child, which writes the outcome to `out_fd`. Returns an exit code. */
    int (*run)(void *context, int out_fd);
    /* Runs in the parent meanwhile; false, after a message: there is to be no outcome. NULL: none.
     */
    bool (*meanwhile)(void *context);
    void *context;
};

/* Returns the child's exit code, or CLI_FAILED after a message. */
int confine_run(const struct confine_job *job);

#endif
