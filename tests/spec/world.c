#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/file.h"
#include "instance.h"

#define WORLD_ARENA_BYTES_MAX    (256u << 20)
#define WORLD_ARTIFACT_BYTES_MAX (512u << 20)
#define WORLD_MEMORY_BYTES_MAX   (1ull << 40) /* declared, not touched */
#define WORLD_MEASURES_MAX       16u
#define WORLD_GROWTHS_MAX        1024u

static const struct name spectest_name = {"spectest", 8};

/* The first proposal that keeps a module out of the program; false when it can be compiled. */
static bool features_skip(uint32_t features, enum skip *ret)
{
    if (features & WASM_FEATURE_GC)
        *ret = SKIP_GC;
    else if (features & WASM_FEATURE_FUNCTION_REFS)
        *ret = SKIP_FUNCTION_REFS;
    else if (features & WASM_FEATURE_EXCEPTIONS)
        *ret = SKIP_EXCEPTIONS;
    else
        return false;
    return true;
}

static bool name_equal(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    return a_bytes == b_bytes && memcmp(a, b, a_bytes) == 0;
}

static void decode_all(struct world *w)
{
    for (uint32_t i = 0; i < w->script->commands_count; i++) {
        const struct command *c = &w->script->commands[i];
        struct world_module *m = &w->modules[i];
        if (c->verb != VERB_INSTANTIATE && c->verb != VERB_TRAPPING && c->verb != VERB_UNLINKABLE)
            continue;
        struct error err = {0};
        m->status = wasm_module_decode(c->bytes, c->size_bytes, 1, &m->module, &err);
        snprintf(m->text, sizeof m->text, "%.190s", err.text);
    }
}

enum status world_open(struct world *w, const struct script *s, const struct suite_options *options,
                       struct error *err)
{
    memset(w, 0, sizeof *w);
    w->script = s;
    w->options = options;
    arena_init(&w->arena, WORLD_ARENA_BYTES_MAX);
    buffer_init(&w->spectest_bytes, WASM_PAGE_BYTES);
    w->modules = arena_array(&w->arena, struct world_module, s->commands_count);
    w->instances = arena_array(&w->arena, struct world_instance, s->instances_count);
    w->names = arena_array(&w->arena, struct world_name, s->commands_count);
    w->growths = arena_array(&w->arena, struct world_growth, WORLD_GROWTHS_MAX);
    if (!w->modules || !w->instances || !w->names || !w->growths)
        return error_set(err, ST_NO_MEMORY, "world");
    char path[4096];
    snprintf(path, sizeof path, "%s/spectest.wasm", options->folder);
    enum status st = file_read(path, &w->spectest_bytes, err);
    if (!st)
        st = wasm_module_decode(w->spectest_bytes.data, w->spectest_bytes.size_bytes, 1,
                                &w->spectest, err);
    if (!st) decode_all(w);
    return st;
}

/* Drops all that world_link() made. */
static void unlink_all(struct world *w)
{
    instance_free(w->instance);
    if (w->module) module_free(w->module);
    if (w->builder) program_builder_free(w->builder);
    w->instance = NULL;
    w->module = NULL;
    w->builder = NULL;
    w->program = NULL;
    w->names_count = 0;
    if (w->instances) memset(w->instances, 0, w->script->instances_count * sizeof *w->instances);
}

void world_done(struct world *w)
{
    unlink_all(w);
    for (uint32_t i = 0; w->modules && i < w->script->commands_count; i++)
        if (w->modules[i].module) wasm_module_free(w->modules[i].module);
    if (w->spectest) wasm_module_free(w->spectest);
    buffer_done(&w->spectest_bytes);
    arena_done(&w->arena);
}

/* The instance that is registered under `name`, or NULL. */
static const struct world_instance *find_registered(const struct world *w, struct wasm_name name)
{
    for (uint32_t i = w->names_count; i-- > 0;) {
        const struct name *n = &w->names[i].name;
        if (name_equal(n->bytes, n->size_bytes, name.text, name.size_bytes))
            return &w->instances[w->names[i].instance];
    }
    return NULL;
}

/* Where a module stands by its own features and by what it imports from. */
static enum place module_place(const struct world *w, const struct wasm_module *m, enum skip *skip)
{
    if (!w->all && features_skip(m->features, skip)) return PLACE_SKIPPED;
    for (uint32_t i = 0; i < m->imports_count; i++) {
        const struct world_instance *from = find_registered(w, m->imports[i].module);
        if (!from || from->place == PLACE_LINKED) continue;
        *skip = from->skip;
        return from->place == PLACE_SKIPPED ? PLACE_SKIPPED : PLACE_BROKEN;
    }
    return PLACE_LINKED;
}

static enum status add(struct world *w, const struct wasm_module *m, uint32_t *ret_number,
                       struct error *err)
{
    struct program_namespace *spaces =
        calloc((size_t)w->names_count + 1, sizeof(struct program_namespace));
    if (!spaces) return error_set(err, ST_NO_MEMORY, "namespaces");
    size_t count = 0;
    if (m != w->spectest)
        spaces[count++] =
            (struct program_namespace){spectest_name.bytes, spectest_name.size_bytes, 0};
    for (uint32_t i = 0; i < w->names_count; i++) {
        const struct world_instance *instance = &w->instances[w->names[i].instance];
        if (instance->place != PLACE_LINKED) continue;
        spaces[count++] = (struct program_namespace){w->names[i].name.bytes,
                                                     w->names[i].name.size_bytes, instance->number};
    }
    enum status st = program_builder_add(w->builder, m, spaces, count, false, ret_number, err);
    free(spaces);
    return st;
}

static void link_module(struct world *w, uint32_t at)
{
    const struct command *c = &w->script->commands[at];
    struct world_module *m = &w->modules[at];
    if (!m->module) {
        if (c->verb != VERB_UNLINKABLE) w->instances[c->instance].place = PLACE_BROKEN;
        if (c->verb != VERB_UNLINKABLE && strncmp(w->script->path, "legacy/", 7) == 0)
            w->instances[c->instance] = (struct world_instance){PLACE_SKIPPED, SKIP_LEGACY, 0};
        return;
    }
    uint32_t number = 0;
    enum skip skip = SKIP_GC;
    enum place place = module_place(w, m->module, &skip);
    if (place == PLACE_LINKED) {
        struct error err = {0};
        m->status = add(w, m->module, &number, &err);
        snprintf(m->text, sizeof m->text, "%.190s", err.text);
        if (m->status) place = PLACE_BROKEN;
    }
    m->skipped = place == PLACE_SKIPPED;
    m->skip = skip;
    if (c->verb != VERB_UNLINKABLE)
        w->instances[c->instance] = (struct world_instance){place, skip, number};
}

/* program_size_callback: the sizes measured for the command that is being linked. */
static uint64_t measured_size(void *context, enum wasm_external kind, uint32_t index)
{
    const struct world *w = context;
    for (uint32_t i = 0; i < w->growths_count; i++) {
        const struct world_growth *g = &w->growths[i];
        if (g->command == w->linking && g->kind == kind && g->index == index) return g->size;
    }
    return 0;
}

static bool was_measured(const struct world *w, uint32_t command)
{
    for (uint32_t i = 0; i < w->growths_count; i++)
        if (w->growths[i].command == command) return true;
    return false;
}

/* Links commands in order. Returns the first whose module may only be refused for want of current
 * sizes, or commands_count when all is done. */
static uint32_t link_commands(struct world *w)
{
    for (uint32_t i = 0; i < w->script->commands_count; i++) {
        const struct command *c = &w->script->commands[i];
        if (c->verb == VERB_REGISTER) {
            w->names[w->names_count++] = (struct world_name){c->field, c->instance};
        } else if (c->verb == VERB_UNREADABLE) {
            w->instances[c->instance].place = PLACE_BROKEN;
        } else if (c->verb == VERB_INSTANTIATE || c->verb == VERB_TRAPPING ||
                   c->verb == VERB_UNLINKABLE) {
            w->linking = i;
            program_builder_set_size(w->builder, was_measured(w, i) ? measured_size : NULL, w);
            link_module(w, i);
            if (c->verb == VERB_INSTANTIATE && !w->all && w->modules[i].module &&
                w->modules[i].status == ST_INVALID && !was_measured(w, i))
                return i;
        }
    }
    return w->script->commands_count;
}

/* FOLDER/script.mfa: the last is the whole script. */
static enum status save(const struct world *w, const struct buffer *file, struct error *err)
{
    char path[4096];
    const char *name = strrchr(w->script->path, '/');
    snprintf(path, sizeof path, "%s/%s.mfa", w->options->save, name ? name + 1 : w->script->path);
    return file_write_atomic(path, file->data, file->size_bytes, err);
}

static enum status compile(struct world *w, struct error *err)
{
    struct codegen_options options = {
        .level = w->options->level,
        .conforming = !w->options->plain,
        .cpu_level = w->options->cpu_level,
        .threads = 1,
    };
    struct codegen_stats stats;
    struct buffer file;
    struct artifact *artifact = NULL;
    buffer_init(&file, WORLD_ARTIFACT_BYTES_MAX);
    enum status st = program_builder_finish(w->builder, &w->program, err);
    if (!st) st = codegen_compile(w->program, &options, &file, &stats, err);
    if (!st && w->options->save) st = save(w, &file, err);
    if (!st) st = artifact_open_bytes(file.data, file.size_bytes, &artifact, err);
    buffer_done(&file);
    if (st) return st;
    if (w->options->stats)
        printf("%s: %u functions, %llu bytes of wasm, emit %llu ms, llvm %llu ms, link %llu ms\n",
               w->script->path, stats.functions, (unsigned long long)stats.wasm_code_bytes,
               (unsigned long long)stats.emit_ns / 1000000,
               (unsigned long long)stats.llvm_ns / 1000000,
               (unsigned long long)stats.link_ns / 1000000);
    st = module_new(artifact, NULL, 0, &w->module, err);
    if (st) {
        artifact_close(artifact);
        return st;
    }
    struct instance_config config = {.memory_bytes_max = WORLD_MEMORY_BYTES_MAX};
    if (w->options->slice_ns) config.slice_ns = INSTANCE_SLICE_NS_MIN;
    st = instance_new(w->module, &config, &w->instance, err);
    /* Below the least that a host may ask for: most calls of the suite are shorter than that. */
    if (!st && w->options->slice_ns) w->instance->preempt.slice_ns = w->options->slice_ns;
    return st;
}

/* Runs what comes before `command` and notes the sizes of all tables and memories. */
static enum status measure(struct world *w, uint32_t command, struct error *err)
{
    enum status st = compile(w, err);
    if (st) return st;
    world_execute(w, command, NULL);
    for (uint32_t i = 0; i < w->program->tables_count + w->program->memories_count; i++) {
        bool is_table = i < w->program->tables_count;
        uint32_t index = is_table ? i : i - w->program->tables_count;
        if (w->growths_count == WORLD_GROWTHS_MAX)
            return error_set(err, ST_LIMIT, "tables and memories");
        w->growths[w->growths_count++] = (struct world_growth){
            command,
            is_table ? WASM_EXT_TABLE : WASM_EXT_MEMORY,
            index,
            is_table ? guest_table_elements(w->instance, index)
                     : guest_memory_bytes(w->instance, index) / WASM_PAGE_BYTES,
        };
    }
    return ST_OK;
}

bool world_is_refused(const struct command *c, const struct world_module *m)
{
    bool unknown = strncmp(c->text.bytes, "unknown import", 14) == 0;
    return m->status == (unknown ? ST_NOT_FOUND : ST_INVALID);
}

static enum status start_program(struct world *w, struct error *err)
{
    uint32_t spectest;
    unlink_all(w);
    enum status st = program_builder_new(&w->builder, err);
    return st ? st : add(w, w->spectest, &spectest, err);
}

enum status world_link_all(struct world *w, struct error *err)
{
    w->all = true;
    enum status st = start_program(w, err);
    if (!st) (void)link_commands(w);
    return st;
}

enum status world_link(struct world *w, struct error *err)
{
    for (uint32_t measures = 0; measures <= WORLD_MEASURES_MAX; measures++) {
        enum status st = start_program(w, err);
        if (st) return st;
        uint32_t stopped = link_commands(w);
        if (stopped == w->script->commands_count) return compile(w, err);
        st = measure(w, stopped, err);
        if (st) return st;
    }
    return error_set(err, ST_LIMIT, "more than %u grown imports", WORLD_MEASURES_MAX);
}
