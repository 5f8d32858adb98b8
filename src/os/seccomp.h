/* Filters of system calls (seccomp), and what else a process gives up for good.
 *
 * A filter is a list of what a kind of process needs; everything else ends the process. Before
 * that, a callback may say which call it was. Linux; the list is by name, so it holds for any
 * processor. */
#ifndef OS_SECCOMP_H
#define OS_SECCOMP_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

enum seccomp_profile {
    SECCOMP_WORKER,   /* serves: sockets that it was given or accepted, memory, time, its log */
    SECCOMP_COMPILER, /* computes with threads, on descriptors that it was given */
    SECCOMP_CLIENT,   /* a worker that connects to others by TCP and UDP as well */
};

#define SECCOMP_EXIT_CODE 159 /* of a process that made a forbidden call: 128 + SIGSYS */

/* Runs inside a signal handler: async-signal-safe. `number` is the system call. */
typedef void seccomp_violation(int number);

/* For the calling thread, and those that it starts later; cannot be undone. Also sets no_new_privs.
 * `violation` may be NULL. The process should have one thread. In builds with sanitizers, which
 * make calls of their own, only what is never right is forbidden: new programs, sockets, files.
 * Errors: ST_UNSUPPORTED (the system has no seccomp), ST_NO_MEMORY. */
NODISCARD enum status seccomp_apply(enum seccomp_profile profile, seccomp_violation *violation,
                                    struct error *err);

/* True in builds with sanitizers. */
bool seccomp_is_partial(void);

/* "socket" for SYS_socket; "unknown" for a number that is none. Copied into `name`. */
#define SECCOMP_NAME_MAX 64
void seccomp_call_name(int number, char name[SECCOMP_NAME_MAX]);

/* No core dumps, no debugger of the same user, no way to more rights by execve(). The memory of the
 * process is then its own. */
NODISCARD enum status process_harden(struct error *err);

#endif
