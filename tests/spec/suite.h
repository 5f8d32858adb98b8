/* What spec_runner does with one script. Each function runs in a process of its own, may take the
 * whole of it down, and leaves nothing behind but counts and lines. */
#ifndef SPEC_SUITE_H
#define SPEC_SUITE_H

#include "codegen/codegen.h"
#include "report.h"
#include "script.h"

struct suite_options {
    const char *folder; /* of the converted scripts */
    bool validate;      /* decode only; otherwise execute, compiled at `level` */
    enum codegen_level level;
    uint32_t cpu_level; /* 2 or 3 */
    bool plain;         /* compile without `conforming`, for looking only */
    bool stats;         /* print compile times of each file */
    const char *save;   /* folder for the artifacts, or NULL */
    uint64_t slice_ns;  /* guests are preempted after so long; 1: at any tick. 0: never */
};

/* Decodes every module: the malformed and invalid ones must be refused, all others accepted; then
 * links them, GC and exceptions included: the unlinkable ones must be refused. */
void suite_validate(const struct script *script, const struct suite_options *options,
                    struct report *report);

/* Links all modules into one program, compiles it, and goes through the script. */
void suite_execute(const struct script *script, const struct suite_options *options,
                   struct report *report);

#endif
