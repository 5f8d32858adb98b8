/* Runs one instance of a generated module and prints what can be seen of it, in the lines that
 * diff_runner.c describes. */
#ifndef DIFFERENTIAL_SESSION_H
#define DIFFERENTIAL_SESSION_H

#include "runtime/runtime.h"

/* What the modules import: functions that print what they are given. */
extern const struct host_set session_hosts;

/* Instantiates, calls every exported function with several rows of arguments, and shows memories
 * and globals; to stdout, up to "end". */
void session_run(struct instance *i);

#endif
