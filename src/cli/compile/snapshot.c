#include "compile/snapshot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "artifact/artifact_writer.h"
#include "base/clock.h"
#include "canonical/canonical.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

#define NS_PER_MS        1000000u
#define WASM_PAGE        65536u
#define REPORT_BYTES_MAX 700u
#define EXPORT_FUNC      0u

/* Run where a module exports them, in this order, behind the start functions. In a component it is
 * the component's to call them. */
static const char *const initialisers[] = {"_initialize", "wizer.initialize"};

/* Interfaces of WASI 0.2 that tell the time. */
static const char *const clocks[] = {"wasi:clocks/monotonic-clock", "wasi:clocks/wall-clock"};

/* ---- imports ---- */

/* What one attempt to initialise has asked for and did not get. */
struct attempt {
    bool denied, has_handles;
    const struct artifact_canon *canon; /* NULL: an import of a core module */
};

static enum host_result denied(struct instance *instance, UNUSED struct value *values)
{
    struct wasi_context *context = instance_context(instance);
    struct attempt *attempt = context->embedder;
    attempt->denied = true;
    attempt->canon = instance_canon(instance);
    instance_set_trap_text(instance,
                           "this import cannot be called while the module is initialised");
    return HOST_TRAP;
}

/* Clocks are granted, as to modules. */
static bool is_clock(const struct artifact *a, const struct artifact_canon *canon)
{
    const char *interface = artifact_wit_string(a, canon->interface);
    const char *name = artifact_wit_string(a, canon->name);
    for (size_t i = 0; i < ARRAY_COUNT(clocks); i++) {
        size_t length = strlen(clocks[i]);
        if (!strncmp(interface, clocks[i], length) &&
            (!interface[length] || interface[length] == '@'))
            return !strcmp(name, "now") || !strcmp(name, "resolution");
    }
    return false;
}

/* What a component imports has to be there, though it is not to be called yet. */
static enum status snapshot_canon(const struct artifact *a, const struct artifact_canon *canon,
                                  const struct host_function **ret, struct error *err)
{
    static const struct host_function function = {.call = denied};
    enum status st = wasi_component_set()->canon(a, canon, ret, err);
    if (!st && canon->kind == CANON_LOWER_HOST && !is_clock(a, canon)) *ret = &function;
    return st;
}

static bool is_granted(const struct host_set *sets, size_t sets_count, const char *module,
                       const char *name, const char *signature)
{
    if (!strcmp(name, "random_get")) return false;
    for (size_t s = 0; s < sets_count; s++) {
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct host_function *f = &sets[s].functions[i];
            if (!strcmp(f->name, name) && !strcmp(f->module, module))
                return !strcmp(f->signature, signature);
        }
    }
    return false;
}

/* A function that refuses for each import that is not granted; its strings are the artifact's. */
static enum status deny_rest(const struct artifact *a, const struct host_set *sets,
                             size_t sets_count, struct host_set *ret, struct error *err)
{
    size_t count;
    const struct artifact_import *imports = artifact_section(a, ARTIFACT_IMPORTS, &count);
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, NULL);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, NULL);
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, NULL);
    struct host_function *functions = calloc(count + 1, sizeof *functions);
    if (!functions) return error_set(err, ST_NO_MEMORY, "out of memory");
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct host_function f = {
            .module = artifact_string(a, imports[i].module),
            .name = artifact_string(a, imports[i].field),
            .signature = codes + types[funcs[imports[i].func].type].signature,
            .call = denied,
        };
        if (!is_granted(sets, sets_count, f.module, f.name, f.signature)) functions[used++] = f;
    }
    *ret = (struct host_set){functions, used, snapshot_canon};
    return ST_OK;
}

static enum status link_module(struct artifact *take_artifact, struct host_function **ret_denied,
                               struct module **ret, struct error *err)
{
    size_t granted_count;
    const struct host_set *granted = wasi_preview1_sets(&granted_count);
    struct host_set *sets = calloc(granted_count + 1, sizeof *sets);
    if (!sets) return error_set(err, ST_NO_MEMORY, "out of memory");
    enum status st = deny_rest(take_artifact, granted, granted_count, &sets[0], err);
    memcpy(sets + 1, granted, granted_count * sizeof *sets);
    *ret_denied = (struct host_function *)sets[0].functions;
    if (!st) st = module_new(take_artifact, sets, granted_count + 1, ret, err);
    free(sets);
    return st;
}

/* ---- running ---- */

/* Why the deploy fails, with the backtrace in the same line. */
static enum status report(const struct instance *instance, const char *what,
                          enum call_result result, struct error *err)
{
    if (result == CALL_EXITED)
        return error_set(err, ST_INVALID, "%s: the module ended itself with code %u", what,
                         instance_exit_code(instance));
    struct buffer text;
    buffer_init(&text, REPORT_BYTES_MAX);
    trap_print(instance, &text);
    while (text.size_bytes && text.data[text.size_bytes - 1] == '\n') text.size_bytes--;
    for (size_t i = 0; i < text.size_bytes; i++)
        if (text.data[i] == '\n') text.data[i] = ' ';
    error_set(err, ST_INVALID, "%s: %.*s", what, (int)text.size_bytes, (const char *)text.data);
    buffer_done(&text);
    return ST_INVALID;
}

static enum status run_exports(struct instance *instance, const struct artifact *a,
                               struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(initialisers); i++) {
        const struct artifact_export *x = artifact_find_export(a, initialisers[i], EXPORT_FUNC);
        if (!x) continue;
        const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, NULL);
        const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, NULL);
        const struct artifact_type *type = &types[funcs[x->index].type];
        if (type->params_count || type->results_count)
            return error_set(err, ST_INVALID, "%s takes parameters or gives results",
                             initialisers[i]);
        struct value none[1];
        enum call_result result = instance_call(instance, x->index, none);
        if (result != CALL_RETURNED) return report(instance, initialisers[i], result, err);
    }
    return ST_OK;
}

static enum status run_all(struct instance *instance, const struct artifact *a, bool start,
                           struct error *err)
{
    size_t count;
    (void)artifact_section(a, ARTIFACT_INSTANCES, &count);
    for (uint32_t i = 0; i < count; i++) {
        enum call_result result = instance_init(instance, i);
        if (result == CALL_RETURNED && start) result = instance_start(instance, i);
        if (result != CALL_RETURNED)
            return report(instance, "the module cannot be instantiated", result, err);
    }
    size_t components_count;
    (void)artifact_section(a, ARTIFACT_COMPONENTS, &components_count);
    return start && !components_count ? run_exports(instance, a, err) : ST_OK;
}

/* ---- freezing ---- */

static enum status freeze(struct instance *instance, const struct artifact *a, bool started,
                          struct buffer *file, struct error *err)
{
    struct buffer extents, image;
    size_t memories_count;
    (void)artifact_section(a, ARTIFACT_MEMORIES, &memories_count);
    uint64_t *pages = calloc(memories_count + 1, sizeof *pages);
    if (!pages) return error_set(err, ST_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < memories_count; i++)
        pages[i] = guest_memory_bytes(instance, i) / WASM_PAGE;
    buffer_init(&extents, ARTIFACT_BYTES_MAX);
    buffer_init(&image, ARTIFACT_BYTES_MAX);
    enum status st = instance_freeze(instance, &extents, &image, err);
    if (!st) {
        struct artifact_image frozen = {
            .extents = (const struct artifact_extent *)extents.data,
            .extents_count = extents.size_bytes / sizeof(struct artifact_extent),
            .bytes = {image.data, image.size_bytes},
            .memory_pages = pages,
            .started = started,
        };
        st = artifact_write_image(a, &frozen, file, err);
    }
    buffer_done(&extents);
    buffer_done(&image);
    free(pages);
    return st;
}

/* What functions of the host find; of a component `canonical` as well. */
struct outside {
    struct wasi_context context;
    struct wasi_preview2 *preview2;
    struct canonical *canonical;
};

static enum status outside_init(struct outside *o, const struct module *module, struct error *err)
{
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_component_interfaces(&count);
    struct wasi_preview1_config preview1 = {
        .stdio = {{0}, wasi_stream_fd(2), wasi_stream_fd(2)},
        .clock = clock_system(),
        .random = random_system(),
        .waiter = wasi_waiter_poll(clock_system()),
    };
    struct wasi_preview2_config preview2 = {.clock = clock_system()};
    enum status st = wasi_preview1_new(&preview1, &o->context.preview1, err);
    if (!st) st = wasi_preview2_new(&preview2, &o->preview2, err);
    return st ? st : canonical_new(module, interfaces, count, o->preview2, &o->canonical, err);
}

static void outside_done(struct outside *o)
{
    canonical_free(o->canonical);
    wasi_preview2_free(o->preview2);
    wasi_preview1_free(o->context.preview1);
}

static enum status attempt(const struct module *module, bool start, struct attempt *attempt,
                           struct buffer *file, struct error *err)
{
    const struct artifact *a = module_artifact(module);
    struct outside outside = {.context.embedder = attempt};
    struct instance_config config = {
        .memory_bytes_max = SLOT_MEMORY_BYTES_MAX,
        .cpu_ns_max = (uint64_t)SNAPSHOT_CPU_MS_MAX * NS_PER_MS,
        .context = &outside.context,
    };
    struct instance *instance = NULL;
    enum status st = outside_init(&outside, module, err);
    config.canonical = outside.canonical;
    if (!st) st = instance_new(module, &config, &instance, err);
    if (!st) st = run_all(instance, a, start, err);
    if (!st && outside.canonical && !canonical_is_fresh(outside.canonical)) {
        attempt->has_handles = true;
        st = error_set(err, ST_INVALID, "handles are open when the component has started");
    }
    if (!st) st = freeze(instance, a, start, file, err);
    instance_free(instance);
    outside_done(&outside);
    return st;
}

static void explain(const struct artifact *a, const struct attempt *attempt,
                    struct snapshot_outcome *ret)
{
    if (attempt->has_handles) {
        snprintf(ret->left, sizeof ret->left, "handles are open behind it");
        return;
    }
    const char *interface = artifact_wit_string(a, attempt->canon->interface);
    snprintf(ret->left, sizeof ret->left, "it calls %s%s%s", interface, *interface ? "#" : "",
             artifact_wit_string(a, attempt->canon->name));
}

/* A component that asks the outside for something while it starts is left to start in every
 * instance, where it gets that; one that keeps handles, to have them in every instance. */
static enum status instantiate(const struct module *module, bool start, struct buffer *file,
                               struct snapshot_outcome *ret, struct error *err)
{
    struct attempt first = {0}, second = {0};
    enum status st = attempt(module, start, &first, file, err);
    if (!st || !start || !(first.has_handles || (first.denied && first.canon))) return st;
    explain(module_artifact(module), &first, ret);
    return attempt(module, false, &second, file, err);
}

enum status snapshot(struct buffer *file, bool start, struct snapshot_outcome *ret,
                     struct error *err)
{
    *ret = (struct snapshot_outcome){0};
    struct artifact *artifact = NULL;
    struct module *module = NULL;
    struct host_function *functions = NULL;
    enum status st = runtime_init(err);
    if (!st) st = runtime_thread_init(err);
    if (!st) st = artifact_open_draft(file->data, file->size_bytes, &artifact, err);
    if (st) return st;
    buffer_clear(file); /* the draft has been copied */
    st = link_module(artifact, &functions, &module, err);
    if (st)
        artifact_close(artifact);
    else
        st = instantiate(module, start, file, ret, err);
    if (module) module_free(module);
    free(functions);
    return st;
}
