#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/component_program.h"
#include "component/component.h"
#include "component/plan.h"
#include "execute.h"
#include "values.h"

#define ARTIFACT_TEXT_MAX (64u << 20)
#define MEMORY_BYTES_MAX  (64u << 20)

static uint64_t slice_ns;

void executed_set_slice(uint64_t ns)
{
    slice_ns = ns;
}

struct executed {
    struct module *module;
    struct instance *instance;
    struct canonical *canonical;
    char trap[400];
};

static enum status find(const struct artifact *a, const struct artifact_canon *canon,
                        const struct host_function **ret, struct error *err)
{
    return canonical_find(NULL, 0, a, canon, ret, err);
}

enum status executed_init(struct error *err)
{
    enum status st = runtime_init(err);
    return st ? st : runtime_thread_init(err);
}

/* ---- birth ---- */

static enum status compile_plan(const struct plan *plan, enum codegen_level level,
                                struct buffer *file, struct error *err)
{
    struct component_program *program = NULL;
    struct codegen_stats stats;
    enum status st = component_program_new(plan, &program, err);
    if (st) return st;
    const struct codegen_options options = {.level = level,
                                            .conforming = true,
                                            .cpu_level = 2,
                                            .threads = 1,
                                            .component_parts = component_program_parts(program)};
    st = codegen_compile(component_program_program(program), &options, file, &stats, err);
    component_program_free(program);
    return st;
}

/* Leaves *file empty for a component without core modules, which cannot be called. */
static enum status compile(const uint8_t *bytes, size_t size_bytes, enum codegen_level level,
                           struct buffer *file, struct error *err)
{
    struct component *component = NULL;
    struct plan *plan = NULL;
    enum status st = component_decode(bytes, size_bytes, 1, &component, err);
    if (!st) st = plan_new(component, &plan, err);
    if (!st && plan->instances_count) st = compile_plan(plan, level, file, err);
    plan_free(plan);
    component_free(component);
    return st;
}

static void note_trap(struct executed *e)
{
    const struct trap *trap = instance_trap(e->instance);
    snprintf(e->trap, sizeof e->trap, "%s",
             trap->kind == TRAP_HOST || trap->kind == TRAP_NONE ? trap->text
                                                                : trap_kind_text(trap->kind));
    if (!*e->trap) snprintf(e->trap, sizeof e->trap, "a trap without text");
}

static enum call_result go_on(struct executed *e, enum call_result result)
{
    while (result == CALL_PREEMPTED) result = instance_resume(e->instance);
    return result;
}

static enum status make_instance(struct executed *e, struct error *err)
{
    enum status st = canonical_new(e->module, NULL, 0, NULL, &e->canonical, err);
    const struct instance_config config = {
        .memory_bytes_max = MEMORY_BYTES_MAX, .slice_ns = slice_ns, .canonical = e->canonical};
    if (!st) st = instance_new(e->module, &config, &e->instance, err);
    if (!st && go_on(e, instance_init_all(e->instance)) != CALL_RETURNED) note_trap(e);
    return st;
}

static enum status make_module(struct executed *e, const struct buffer *file, struct error *err)
{
    struct artifact *artifact = NULL;
    const struct host_set set = {.canon = find};
    enum status st = artifact_open_bytes(file->data, file->size_bytes, &artifact, err);
    if (st) return st;
    st = module_new(artifact, &set, 1, &e->module, err);
    if (st) artifact_close(artifact);
    return st;
}

enum status executed_new(const uint8_t *bytes, size_t size_bytes, enum codegen_level level,
                         struct executed **ret, struct error *err)
{
    struct executed *e = calloc(1, sizeof *e);
    struct buffer file;
    if (!e) return error_set(err, ST_NO_MEMORY, "component");
    buffer_init(&file, ARTIFACT_TEXT_MAX);
    enum status st = compile(bytes, size_bytes, level, &file, err);
    bool has_code = file.size_bytes > 0;
    if (!st && has_code) st = make_module(e, &file, err);
    buffer_done(&file);
    if (!st && has_code) st = make_instance(e, err);
    if (st)
        executed_free(e);
    else
        *ret = e;
    return st;
}

void executed_free(struct executed *e)
{
    if (!e) return;
    canonical_free(e->canonical);
    instance_free(e->instance);
    module_free(e->module);
    free(e);
}

const char *executed_trap(const struct executed *e)
{
    return e->trap;
}

void executed_print_trap(const struct executed *e, struct buffer *text)
{
    if (e->instance) trap_print(e->instance, text);
}

/* ---- calls ---- */

static bool find_lift(struct executed *e, const char *name, uint32_t *ret)
{
    snprintf(e->trap, sizeof e->trap, "no core module");
    if (!e->module) return false;
    const struct artifact_component_export *x =
        canonical_find_export(module_artifact(e->module), "", "", name);
    snprintf(e->trap, sizeof e->trap, "no export %s", name);
    if (!x) return false;
    e->trap[0] = 0;
    *ret = x->lift;
    return true;
}

static struct values values_of(struct executed *e, uint32_t lift)
{
    return (struct values){.side = {.c = e->canonical,
                                    .i = e->instance,
                                    .options = &e->canonical->lifts[lift].options,
                                    .with_host = true,
                                    .outside = true}};
}

static bool explain(struct executed *e, const struct values *s)
{
    if (s->fault)
        snprintf(e->trap, sizeof e->trap, "%s", s->fault);
    else
        note_trap(e);
    return false;
}

static bool finish(struct executed *e, struct values *s, uint32_t lift, struct value *flat,
                   struct buffer *result)
{
    struct val v = {0};
    uint32_t type = e->canonical->lifts[lift].type;
    uint32_t result_type = e->canonical->types[type].element;
    bool lifted = val_lift_result(s, type, flat, &v);
    if (lifted && result_type) val_print(s, result_type, &v, result);
    val_free(&v);
    if (!lifted) return explain(e, s);
    if (go_on(e, canonical_returned(e->instance, lift, flat)) != CALL_RETURNED)
        return explain(e, s);
    buffer_append(result, "", 1);
    return true;
}

bool executed_call(struct executed *e, const char *name, const char *args, struct buffer *result)
{
    uint32_t lift;
    struct value flat[WIT_FLAT_PARAMS];
    memset(flat, 0, sizeof flat);
    if (!find_lift(e, name, &lift)) return false;
    struct values s = values_of(e, lift);
    if (!val_lower_params(&s, e->canonical->lifts[lift].type, args, flat)) return explain(e, &s);
    if (go_on(e, canonical_call_lift(e->instance, lift, flat)) != CALL_RETURNED)
        return explain(e, &s);
    return finish(e, &s, lift, flat, result);
}

bool executed_result(struct executed *e, const char *name, const char *value, struct buffer *result)
{
    uint32_t lift;
    struct val v = {0};
    if (!find_lift(e, name, &lift)) return false;
    struct values s = values_of(e, lift);
    uint32_t type = e->canonical->types[e->canonical->lifts[lift].type].element;
    if (!type) return !*value && !buffer_append(result, "", 1);
    if (!val_parse(&s, type, &value, &v)) return false;
    val_print(&s, type, &v, result);
    val_free(&v);
    buffer_append(result, "", 1);
    return *value == 0;
}
