/* What can be done once for all instances is done here: the module is instantiated, its start
 * function, "_initialize" and "wizer.initialize" are run, and the outcome is frozen as the image.
 *
 * The guest has no outside capability meanwhile: no arguments, variables, folders or input, and no
 * randomness, which would be the same in every instance. Only clocks, and messages to standard
 * error. A guest that traps or takes too long fails the deploy.
 *
 * Of a component only the start functions of its core modules are run. When they call something
 * outside, or end with handles open, they are left to every instance, which is what the component
 * model says; only the image is then of one that has not started. */
#ifndef CLI_COMPILE_SNAPSHOT_H
#define CLI_COMPILE_SNAPSHOT_H

#include "base/buffer.h"
#include "base/error.h"

#define SNAPSHOT_CPU_MS_MAX 10000u

struct snapshot_outcome {
    char left[256]; /* why start functions are left to every instance; empty: they are not */
};

/* *file holds a draft (artifact_writer.h) without image, and then the artifact with it; on failure
 * nothing of use. Without `start` only globals and active segments are in it, and start functions
 * are left to every instance. */
NODISCARD enum status snapshot(struct buffer *file, bool start, struct snapshot_outcome *ret,
                               struct error *err);

#endif
