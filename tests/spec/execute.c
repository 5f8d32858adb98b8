#include <stdio.h>
#include <string.h>

#include "artifact/artifact.h"
#include "value.h"
#include "world.h"

/* The suite's words for each trap. */
static const char *const trap_texts[TRAP_KINDS_COUNT][3] = {
    [TRAP_UNREACHABLE] = {"unreachable"},
    [TRAP_MEMORY_BOUNDS] = {"out of bounds memory access"},
    [TRAP_TABLE_BOUNDS] = {"out of bounds table access", "undefined element"},
    [TRAP_NULL_ELEMENT] = {"uninitialized element"},
    [TRAP_TYPE_MISMATCH] = {"indirect call type mismatch"},
    [TRAP_DIVIDE_BY_ZERO] = {"integer divide by zero"},
    [TRAP_INTEGER_OVERFLOW] = {"integer overflow"},
    [TRAP_BAD_CONVERSION] = {"invalid conversion to integer"},
    [TRAP_STACK_EXHAUSTED] = {"call stack exhausted"},
    [TRAP_NULL_REFERENCE] = {"null reference", "null function reference"},
};

/* One command as it is checked. `report` is NULL while only the effects are wanted. */
struct check {
    struct world *world;
    struct report *report;
    const struct command *command;
};

static void fail(const struct check *k, const char *fmt, ...) PRINTF(2, 3);
static void fail(const struct check *k, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (k->report) report_fail(k->report, k->world->script->path, k->command->line, "%s", text);
}

static void pass(const struct check *k)
{
    if (k->report) report_pass(k->report);
}

static const char *result_text(const struct check *k, enum call_result result)
{
    if (result == CALL_TRAPPED) return trap_kind_text(instance_trap(k->world->instance)->kind);
    return result == CALL_RETURNED ? "returned" : "exited or suspended";
}

static bool is_trap(const struct check *k, enum call_result result, const char *want)
{
    if (result != CALL_TRAPPED) return false;
    uint32_t kind = instance_trap(k->world->instance)->kind;
    for (size_t i = 0; kind < TRAP_KINDS_COUNT && i < ARRAY_COUNT(trap_texts[0]); i++) {
        const char *text = trap_texts[kind][i];
        if (text && strncmp(want, text, strlen(text)) == 0) return true;
    }
    return false;
}

/* ---- exports ---- */

struct target {
    uint32_t index;        /* program index of the function or global */
    const char *signature; /* of the function, or the global's letter */
    char letter[2];
    uint32_t params_count, results_count;
};

/* The artifact must list the same export as the module does. Its names end at a NUL. */
static bool artifact_agrees(const struct world *w, uint32_t number, const struct wasm_export *e,
                            uint32_t index)
{
    if (strlen(e->name.text) != e->name.size_bytes) return true;
    const struct artifact *a = module_artifact(w->module);
    size_t count;
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    for (size_t i = 0; i < count; i++)
        if (exports[i].instance == number && exports[i].kind == e->kind &&
            strcmp(artifact_string(a, exports[i].name), e->name.text) == 0)
            return exports[i].index == index;
    return false;
}

static void describe(const struct world *w, bool is_get, struct target *t)
{
    const struct artifact *a = module_artifact(w->module);
    size_t count;
    if (is_get) {
        const struct artifact_global *globals = artifact_section(a, ARTIFACT_GLOBALS, &count);
        t->letter[0] = (char)globals[t->index].type;
        return;
    }
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, &count);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &count);
    const struct artifact_type *type = &types[funcs[t->index].type];
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, &count);
    t->signature = codes + type->signature;
    t->params_count = type->params_count;
    t->results_count = type->results_count;
}

static bool find_target(const struct check *k, struct target *ret)
{
    const struct command *c = k->command;
    const struct world *w = k->world;
    uint32_t number = w->instances[c->instance].number;
    const struct program_instance *p = &w->program->instances[number];
    enum wasm_external kind = c->is_get ? WASM_EXT_GLOBAL : WASM_EXT_FUNC;
    for (uint32_t i = 0; i < p->module->exports_count; i++) {
        const struct wasm_export *e = &p->module->exports[i];
        if (e->kind != kind || e->name.size_bytes != c->field.size_bytes ||
            memcmp(e->name.text, c->field.bytes, c->field.size_bytes) != 0)
            continue;
        *ret = (struct target){.index = c->is_get ? p->globals[e->index] : p->funcs[e->index]};
        if (!artifact_agrees(w, number, e, ret->index)) break;
        describe(w, c->is_get, ret);
        return true;
    }
    fail(k, "no export \"%s\"", c->field.bytes);
    return false;
}

/* Goes on for as long as the guest is only preempted. */
static enum call_result finish(const struct check *k, enum call_result result)
{
    while (result == CALL_PREEMPTED) {
        if (k->report) k->report->preemptions++;
        result = instance_resume(k->world->instance);
    }
    return result;
}

/* ---- actions ---- */

struct outcome {
    enum call_result result;
    const char *types; /* letters of the results */
    uint32_t count;
    struct value values[SCRIPT_VALUES_MAX];
};

/* Performs the command's call or read; false when it could not, which is reported. */
static bool act(const struct check *k, struct outcome *ret)
{
    static struct target t; /* its letter outlives the call */
    const struct command *c = k->command;
    memset(ret, 0, sizeof *ret);
    if (!find_target(k, &t)) return false;
    if (c->is_get) {
        instance_global_get(k->world->instance, t.index, &ret->values[0]);
        ret->types = t.letter;
        ret->count = 1;
        return true;
    }
    if (t.params_count != c->args_count || t.results_count > SCRIPT_VALUES_MAX) {
        fail(k, "\"%s\" has type %s", c->field.bytes, t.signature);
        return false;
    }
    for (uint32_t i = 0; i < c->args_count; i++) {
        if (value_parse(c->args[i], &ret->values[i])) continue;
        fail(k, "argument %s", c->args[i]);
        return false;
    }
    ret->types = t.signature + t.params_count + 1;
    ret->count = t.results_count;
    ret->result = finish(k, instance_call(k->world->instance, t.index, ret->values));
    return true;
}

/* What the engine promises in conforming mode only. The suite says in a function's name that it
 * looks for the folding that would show. */
static bool is_tolerated(const struct check *k, const struct outcome *o, enum skip *ret)
{
    const struct command *c = k->command;
    if (!k->world->options->plain || o->result != CALL_RETURNED) return false;
    *ret = c->verb == VERB_TRAP ? SKIP_DEAD_LOAD : SKIP_NAN_BITS;
    return c->verb == VERB_TRAP ? strcmp(c->text.bytes, "out of bounds memory access") == 0
                                : strstr(c->field.bytes, "no_fold") != NULL;
}

static bool values_match(const struct check *k, const struct outcome *o)
{
    for (uint32_t i = 0; i < o->count && i < k->command->wants_count; i++)
        if (!value_matches(k->command->wants[i], o->types[i], &o->values[i],
                           k->world->program->funcs_count))
            return false;
    return o->count == k->command->wants_count;
}

static void fail_values(const struct check *k, const struct outcome *o)
{
    const struct command *c = k->command;
    char text[400] = "";
    size_t at = 0;
    for (uint32_t i = 0; i < o->count && at + VALUE_TEXT_MAX + 1 < sizeof text; i++) {
        text[at++] = ' ';
        value_print(o->types[i], &o->values[i], text + at);
        at += strlen(text + at);
    }
    char wants[400] = "";
    at = 0;
    for (uint32_t i = 0; i < c->wants_count && at < sizeof wants; i++)
        at += (size_t)snprintf(wants + at, sizeof wants - at, " %s", c->wants[i]);
    fail(k, "\"%s\": expected%s, got%s", c->field.bytes, wants, text);
}

static bool is_as_expected(const struct check *k, const struct outcome *o)
{
    switch (k->command->verb) {
    case VERB_INVOKE: return o->result == CALL_RETURNED;
    case VERB_RETURN: return o->result == CALL_RETURNED && values_match(k, o);
    case VERB_TRAP:
    case VERB_EXHAUSTION: return is_trap(k, o->result, k->command->text.bytes);
    default: return false; /* an exception */
    }
}

static void check_action(const struct check *k)
{
    const struct command *c = k->command;
    struct outcome o;
    enum skip skip;
    if (!act(k, &o)) return;
    if (is_as_expected(k, &o)) {
        pass(k);
    } else if (is_tolerated(k, &o, &skip)) {
        if (k->report) report_skip(k->report, skip);
    } else if (c->verb == VERB_RETURN && o.result == CALL_RETURNED) {
        fail_values(k, &o);
    } else {
        fail(k, "\"%s\": expected %s, got: %s", c->field.bytes,
             c->verb == VERB_EXCEPTION ? "an exception"
             : c->text.bytes           ? c->text.bytes
                                       : "a return",
             result_text(k, o.result));
    }
}

/* ---- modules ---- */

static void check_instantiate(const struct check *k)
{
    const struct command *c = k->command;
    uint32_t number = k->world->instances[c->instance].number;
    enum call_result result = finish(k, instance_init(k->world->instance, number));
    if (result == CALL_RETURNED) result = finish(k, instance_start(k->world->instance, number));
    if (c->verb == VERB_INSTANTIATE ? result == CALL_RETURNED : is_trap(k, result, c->text.bytes))
        pass(k);
    else
        fail(k, "instantiation: expected %s, got: %s", c->text.bytes ? c->text.bytes : "success",
             result_text(k, result));
}

static void check_unlinkable(const struct check *k, const struct world_module *m)
{
    if (m->skipped && k->report)
        report_skip(k->report, m->skip);
    else if (m->skipped || world_is_refused(k->command, m))
        pass(k);
    else
        fail(k, "expected \"%s\" of linking, got %s %s", k->command->text.bytes,
             status_name(m->status), m->text);
}

/* Whether the command's instance is there; counts it as skipped or failed otherwise. */
static bool is_there(const struct check *k, const struct world_module *m)
{
    const struct command *c = k->command;
    const struct world_instance *i = &k->world->instances[c->instance];
    if (i->place == PLACE_LINKED) return true;
    if (!k->report) return false;
    if (i->place == PLACE_SKIPPED)
        report_skip(k->report, i->skip);
    else if (c->verb == VERB_INSTANTIATE || c->verb == VERB_TRAPPING)
        fail(k, "module refused: %s %s", status_name(m->status), m->text);
    else
        report_fail_silently(k->report);
    return false;
}

static void check_command(const struct check *k, const struct world_module *m)
{
    switch (k->command->verb) {
    case VERB_UNLINKABLE: check_unlinkable(k, m); break;
    case VERB_INSTANTIATE:
    case VERB_TRAPPING:
        if (is_there(k, m)) check_instantiate(k);
        break;
    case VERB_INVOKE:
    case VERB_RETURN:
    case VERB_TRAP:
    case VERB_EXHAUSTION:
    case VERB_EXCEPTION:
        if (is_there(k, m)) check_action(k);
        break;
    default: break; /* the business of suite_validate(), or done while linking */
    }
}

void world_execute(struct world *w, uint32_t end, struct report *r)
{
    struct check k = {.world = w, .report = r};
    (void)finish(&k, instance_init(w->instance, 0));
    for (uint32_t i = 0; i < end; i++) {
        k.command = &w->script->commands[i];
        check_command(&k, &w->modules[i]);
    }
}

/* ---- a whole script ---- */

/* Nothing runs: every check of execution counts as failed. */
static void fail_all(struct world *w, const struct error *err, struct report *r)
{
    report_fail(r, w->script->path, 0, "%s: %s", status_name(err->status), err->text);
    for (uint32_t i = 0; i < w->script->commands_count; i++) {
        enum verb verb = w->script->commands[i].verb;
        if (verb == VERB_RETURN || verb == VERB_TRAP || verb == VERB_EXHAUSTION)
            report_fail_silently(r);
    }
}

void suite_execute(const struct script *script, const struct suite_options *options,
                   struct report *r)
{
    struct world w;
    struct error err = {0};
    enum status st = runtime_init(&err);
    if (!st) st = runtime_thread_init(&err);
    if (st) {
        report_fail(r, script->path, 0, "%s", err.text);
        return;
    }
    st = world_open(&w, script, options, &err);
    if (!st) st = world_link(&w, &err);
    if (st)
        fail_all(&w, &err, r);
    else
        world_execute(&w, script->commands_count, r);
    world_done(&w);
}
