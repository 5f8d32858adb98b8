/* What can be done once for all instances is done here: the module is instantiated, its start
 * function, "_initialize" and "wizer.initialize" are run, and the outcome is frozen as the image.
 *
 * The guest has no outside capability meanwhile: no arguments, variables, folders or input, and no
 * randomness, which would be the same in every instance. Only clocks, and messages to standard
 * error. A guest that traps or takes too long fails the deploy. */
#ifndef CLI_COMPILE_SNAPSHOT_H
#define CLI_COMPILE_SNAPSHOT_H

#include "base/buffer.h"
#include "base/error.h"

#define SNAPSHOT_CPU_MS_MAX 10000u

/* `bare` is an artifact without image; the one with it is appended to *file. Without `start` only
 * globals and active segments are in it, and start functions are left to every instance. */
NODISCARD enum status snapshot(const struct buffer *bare, bool start, struct buffer *file,
                               struct error *err);

#endif
