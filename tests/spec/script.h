/* Reads what convert.mjs wrote of one .wast file: NAME.script and NAME.bin (the format is described
 * in script.mjs). Everything lives in the script's arena until script_done(). */
#ifndef SPEC_SCRIPT_H
#define SPEC_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define SCRIPT_INSTANCES_MAX 4096u
#define SCRIPT_VALUES_MAX    64u

enum verb {
    VERB_DEFINE,
    VERB_INSTANTIATE,
    VERB_TRAPPING, /* instantiation traps */
    VERB_UNLINKABLE,
    VERB_INVALID,
    VERB_MALFORMED,
    VERB_QUOTED, /* malformed text that became bytes nevertheless */
    VERB_REFUSED,
    VERB_UNREADABLE,
    VERB_REGISTER,
    VERB_INVOKE,
    VERB_RETURN,
    VERB_TRAP,
    VERB_EXHAUSTION,
    VERB_EXCEPTION,
    VERBS_COUNT
};

struct name {
    const char *bytes; /* NUL-terminated behind `size_bytes` */
    size_t size_bytes;
};

struct command {
    enum verb verb;
    uint32_t line;
    uint32_t instance;    /* where the verb has one */
    const uint8_t *bytes; /* the module, where the verb has one */
    size_t size_bytes;
    bool is_get; /* of a global, instead of a call */
    struct name field;
    struct name text;                 /* the expected message */
    uint32_t args_count, wants_count; /* values and patterns as words: see value.h */
    const char *const *args, *const *wants;
};

struct script {
    struct arena arena;
    struct buffer binary;
    const char *path; /* of the .wast file in its suite */
    uint32_t commands_count, instances_count;
    struct command *commands;
};

/* Reads `folder`/`name`.script and .bin. On failure there is nothing to undo. */
NODISCARD enum status script_read(const char *folder, const char *name, struct script *ret,
                                  struct error *err);
void script_done(struct script *s);

#endif
