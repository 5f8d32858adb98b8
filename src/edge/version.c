/* Versions: what an app runs. */
#include <stdlib.h>

#include "app.h"
#include "artifact/artifact.h"
#include "runtime/runtime.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

#define EXPORT_FUNC 0u
#define PAGE_BYTES  65536u

/* Said at once rather than at the first request. */
static enum status check_memory(const struct artifact *a, uint64_t bytes_max, struct error *err)
{
    size_t count;
    const struct artifact_memory *memories = artifact_section(a, ARTIFACT_MEMORIES, &count);
    uint64_t pages = 0;
    for (size_t i = 0; i < count; i++) pages += memories[i].pages_min;
    if (pages <= bytes_max / PAGE_BYTES) return ST_OK;
    return error_set(err, ST_LIMIT,
                     "memories of %llu MiB at the start are above the limit of %llu MiB "
                     "(--memory MIB allows more)",
                     (unsigned long long)(pages >> 4), (unsigned long long)(bytes_max >> 20));
}

static bool is_component(const struct artifact *a)
{
    size_t count;
    artifact_section(a, ARTIFACT_COMPONENTS, &count);
    return count > 0;
}

static enum status link_component(struct app_version *v, struct artifact *take_artifact,
                                  struct error *err)
{
    v->is_component = true;
    if (!component_find_handler(take_artifact, &v->lift))
        return error_set(err, ST_INVALID,
                         "this component does not export wasi:http/incoming-handler@0.2: it "
                         "cannot answer requests (a command can be run with \"mayfly run\")");
    return module_new(take_artifact, wasi_component_set(), 1, &v->module, err);
}

static enum status link_command(struct app_version *v, struct artifact *take_artifact,
                                struct error *err)
{
    const struct artifact_export *start =
        artifact_find_export(take_artifact, "_start", EXPORT_FUNC);
    if (!start)
        return error_set(err, ST_INVALID,
                         "exports no \"_start\": not a WASI command (a reactor or a library "
                         "cannot answer requests; build it with a main function)");
    v->start_func = start->index;
    size_t sets_count;
    const struct host_set *sets = wasi_preview1_sets(&sets_count);
    return module_new(take_artifact, sets, sets_count, &v->module, err);
}

enum status app_version_new(struct artifact *take_artifact, uint64_t memory_bytes_max,
                            struct app_version **ret, struct error *err)
{
    struct app_version *v = calloc(1, sizeof *v);
    enum status st = v ? ST_OK : error_set(err, ST_NO_MEMORY, "out of memory");
    if (!st) st = check_memory(take_artifact, memory_bytes_max, err);
    if (!st)
        st = is_component(take_artifact) ? link_component(v, take_artifact, err)
                                         : link_command(v, take_artifact, err);
    if (st) {
        artifact_close(take_artifact);
        free(v);
        return st;
    }
    *ret = v;
    return ST_OK;
}

void app_version_free(struct app_version *v)
{
    if (!v) return;
    module_free(v->module);
    free(v);
}

enum status edge_check(struct artifact *take_artifact, const struct edge_limits *limits,
                       enum edge_kind *ret, struct error *err)
{
    struct app_version *v;
    uint64_t bytes = limits->memory_bytes_max;
    enum status st =
        app_version_new(take_artifact, bytes ? bytes : INSTANCE_MEMORY_BYTES_DEFAULT, &v, err);
    if (st) return st;
    *ret = v->is_component ? EDGE_COMPONENT : EDGE_COMMAND;
    app_version_free(v);
    return ST_OK;
}
