#include <string.h>

#include "suite.h"
#include "wasm/wasm.h"
#include "world.h"

/* The scripts below legacy/ use exception instructions that were never standardised: what holds
 * them must be refused by name. */
static bool is_legacy(const struct script *s)
{
    return strncmp(s->path, "legacy/", 7) == 0;
}

static void check_refused(const struct script *s, const struct command *c, enum status st,
                          const struct error *err, struct report *r)
{
    if (st == ST_INVALID || st == ST_UNSUPPORTED || st == ST_LIMIT) {
        report_pass(r);
    } else if (st == ST_OK && c->verb == VERB_QUOTED) {
        report_skip(r, SKIP_TEXT_KEPT);
    } else {
        report_fail(r, s->path, c->line, "%s module, expected \"%s\", got %s %s",
                    c->verb == VERB_INVALID ? "invalid" : "malformed", c->text.bytes,
                    status_name(st), st ? err->text : "");
    }
}

static void check_accepted(const struct script *s, const struct command *c, enum status st,
                           const struct error *err, struct report *r)
{
    if (is_legacy(s) && c->verb != VERB_DEFINE) {
        if (st == ST_UNSUPPORTED || st == ST_OK)
            report_pass(r);
        else
            report_fail(r, s->path, c->line, "legacy exceptions: %s", err->text);
    } else if (st == ST_OK) {
        report_pass(r);
    } else if (st == ST_LIMIT && c->verb == VERB_DEFINE) {
        report_skip(r, SKIP_LIMIT);
    } else {
        report_fail(r, s->path, c->line, "valid module refused: %s: %s", status_name(st),
                    err->text);
    }
}

static void decode(const struct script *s, const struct command *c, struct report *r)
{
    struct wasm_module *module = NULL;
    struct error err = {0};
    enum status st = wasm_module_decode(c->bytes, c->size_bytes, 1, &module, &err);
    if (c->verb == VERB_INVALID || c->verb == VERB_MALFORMED || c->verb == VERB_QUOTED)
        check_refused(s, c, st, &err, r);
    else
        check_accepted(s, c, st, &err, r);
    if (!st) wasm_module_free(module);
}

/* A module that imports what has grown by then can be linked by running only: suite_execute(). */
static bool may_have_grown(const struct wasm_module *m)
{
    return m->imported_memories_count + m->imported_tables_count > 0;
}

static void check_link(const struct script *s, const struct command *c,
                       const struct world_module *m, struct report *r)
{
    if (!m->module) return;
    if (c->verb == VERB_UNLINKABLE) {
        if (world_is_refused(c, m))
            report_pass(r);
        else
            report_fail(r, s->path, c->line, "expected \"%s\" of linking, got %s %s", c->text.bytes,
                        status_name(m->status), m->text);
    } else if (m->status && !(m->status == ST_INVALID && may_have_grown(m->module))) {
        report_fail(r, s->path, c->line, "linking: %s %s", status_name(m->status), m->text);
    }
}

static void link_all(const struct script *s, const struct suite_options *options, struct report *r)
{
    struct world w;
    struct error err = {0};
    enum status st = world_open(&w, s, options, &err);
    if (!st) st = world_link_all(&w, &err);
    if (st) report_fail(r, s->path, 0, "%s", err.text);
    for (uint32_t i = 0; i < s->commands_count && !st; i++)
        check_link(s, &s->commands[i], &w.modules[i], r);
    world_done(&w);
}

void suite_validate(const struct script *s, const struct suite_options *options, struct report *r)
{
    for (uint32_t i = 0; i < s->commands_count; i++) {
        const struct command *c = &s->commands[i];
        if (c->bytes)
            decode(s, c, r);
        else if (c->verb == VERB_REFUSED)
            report_skip(r, SKIP_TEXT);
        else if (c->verb == VERB_UNREADABLE)
            report_fail(r, s->path, c->line, "the text parser refuses it: %s", c->field.bytes);
    }
    if (!is_legacy(s)) link_all(s, options, r);
}
