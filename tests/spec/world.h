/* The instances of one script as one program: who imports from whom, what is left out and why, and
 * the compiled, running outcome.
 *
 * A script may import a memory or table that has grown since. Matching is on current sizes then,
 * which are known only by running what comes before; world_link() does that, and starts again with
 * what it has measured. */
#ifndef SPEC_WORLD_H
#define SPEC_WORLD_H

#include "runtime/runtime.h"
#include "suite.h"
#include "wasm/program.h"
#include "wasm/wasm.h"

enum place {
    PLACE_MISSING, /* not reached */
    PLACE_LINKED,
    PLACE_SKIPPED, /* needs what is not compiled, or imports from one that does */
    PLACE_BROKEN   /* refused though it should not be, or imports from one that was */
};

struct world_instance {
    enum place place;
    enum skip skip;
    uint32_t number; /* in the program */
};

/* What became of a command's module. */
struct world_module {
    struct wasm_module *module; /* NULL where there is none or it was refused */
    enum status status;         /* of decoding or linking */
    bool skipped;               /* `unlinkable` that depends on a skipped instance */
    enum skip skip;
    char text[200];
};

struct world_name {
    struct name name;
    uint32_t instance; /* of the script */
};

struct world_growth {
    uint32_t command; /* for this one */
    enum wasm_external kind;
    uint32_t index; /* in the program */
    uint64_t size;  /* pages or elements */
};

struct world {
    const struct script *script;
    const struct suite_options *options;
    bool all; /* leave nothing out: for looking at links only */
    struct arena arena;
    struct buffer spectest_bytes;
    struct wasm_module *spectest;
    struct world_module *modules; /* one a command */
    struct world_instance *instances;
    struct world_name *names;
    uint32_t names_count;
    struct world_growth *growths;
    uint32_t growths_count;
    uint32_t linking; /* the command */

    struct program_builder *builder;
    const struct program *program;
    struct module *module; /* compiled; owns its artifact */
    struct instance *instance;
};

NODISCARD enum status world_open(struct world *w, const struct script *s,
                                 const struct suite_options *options, struct error *err);
void world_done(struct world *w);

/* Decodes, links, compiles and makes the one instance, in which nothing was run. */
NODISCARD enum status world_link(struct world *w, struct error *err);

/* Whether an unlinkable module was refused, for the reason that the script gives. */
bool world_is_refused(const struct command *c, const struct world_module *m);

/* Links every module, whatever it needs, and runs nothing. */
NODISCARD enum status world_link_all(struct world *w, struct error *err);

/* execute.c: goes through the commands before `end` in the running world. */
void world_execute(struct world *w, uint32_t end, struct report *r);

#endif
