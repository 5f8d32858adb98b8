/* bench_canonical COMPONENT [ROUNDS]: what calls through the canonical ABI cost. COMPONENT is
 * bench/canonical.wat in binary. Prints a line for each kind of call and size of what it passes:
 *   call name=text size=1024 ns=… */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "base/file.h"
#include "canonical/canonical.h"
#include "codegen/codegen.h"
#include "codegen/component_program.h"
#include "component/component.h"
#include "component/plan.h"

#define FILE_BYTES_MAX (16u << 20)
#define CALLS          100000u
#define BYTES_A_ROUND  (64u << 20)

static const struct canonical_resource thing = {.name = "thing"};
static int the_thing;

static enum host_result host_nothing(struct canonical_call *c, struct value *values)
{
    (void)c;
    values[0].i32++;
    return HOST_OK;
}

static enum host_result host_use(struct canonical_call *c, struct value *values)
{
    return canonical_borrowed(c, &thing, values[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result host_make(struct canonical_call *c, struct value *values)
{
    return canonical_own(c, &thing, &the_thing, &values[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result host_text(struct canonical_call *c, struct value *values)
{
    struct canonical_text text;
    return canonical_text(c, values[0].i32, values[1].i32, &text) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("nothing", "func(a: u32) -> u32", host_nothing),
    CANONICAL_FUNCTION("use", "func(t: borrow<thing>)", host_use),
    CANONICAL_FUNCTION("make", "func() -> own<thing>", host_make),
    CANONICAL_FUNCTION("text", "func(s: string)", host_text),
};
static const struct canonical_resource *const resources[] = {&thing};
static const struct canonical_interface host = {"bench:host/host", "", functions, 4, resources, 1};
static const struct canonical_interface *const hosts[] = {&host};

static enum status find(const struct artifact *a, const struct artifact_canon *canon,
                        const struct host_function **ret, struct error *err)
{
    return canonical_find(hosts, 1, a, canon, ret, err);
}

static void must(enum status st, const struct error *err)
{
    if (!st) return;
    fprintf(stderr, "bench_canonical: %s\n", err->text);
    exit(1);
}

static struct module *compile(const char *path)
{
    struct error err = {0};
    struct buffer wasm, file;
    struct component *component;
    struct plan *plan;
    struct component_program *program;
    struct codegen_stats stats;
    struct artifact *artifact;
    struct module *module;
    buffer_init(&wasm, FILE_BYTES_MAX);
    buffer_init(&file, FILE_BYTES_MAX);
    must(file_read(path, &wasm, &err), &err);
    must(component_decode(wasm.data, wasm.size_bytes, 0, &component, &err), &err);
    must(plan_new(component, &plan, &err), &err);
    must(component_program_new(plan, &program, &err), &err);
    const struct codegen_options options = {.level = CODEGEN_OPTIMISED,
                                            .cpu_level = 2,
                                            .threads = 1,
                                            .component_parts = component_program_parts(program)};
    must(codegen_compile(component_program_program(program), &options, &file, &stats, &err), &err);
    must(artifact_open_bytes(file.data, file.size_bytes, &artifact, &err), &err);
    const struct host_set set = {.canon = find};
    must(module_new(artifact, &set, 1, &module, &err), &err);
    component_program_free(program);
    plan_free(plan);
    component_free(component);
    buffer_done(&wasm);
    buffer_done(&file);
    return module;
}

static void call(struct instance *i, const char *name, uint32_t a, uint32_t b)
{
    struct error err = {0};
    struct value values[16] = {{.i32 = a}, {.i32 = b}};
    const struct artifact_component_export *export =
        canonical_find_export(module_artifact(instance_module(i)), "", "", name);
    if (!export) must(error_set(&err, ST_NOT_FOUND, "no export %s", name), &err);
    if (canonical_call_lift(i, export->lift, values) != CALL_RETURNED ||
        canonical_returned(i, export->lift, values) != CALL_RETURNED)
        must(error_set(&err, ST_TRAP, "%s: %s", name, instance_trap(i)->text), &err);
}

static void measure(struct instance *i, const char *name, uint32_t size, unsigned rounds)
{
    uint32_t calls = size > 1024 ? BYTES_A_ROUND / size : CALLS;
    double best = 1e30;
    for (unsigned k = 0; k < rounds; k++) {
        uint64_t begin_ns = clock_monotonic_ns(clock_system());
        call(i, name, calls, size);
        double ns = (double)(clock_monotonic_ns(clock_system()) - begin_ns) / calls;
        if (ns < best) best = ns;
    }
    printf("call name=%s size=%u ns=%.1f\n", name, size, best);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    static const uint32_t sizes[] = {0, 16, 1024, 65536, 1u << 20};
    static const char *const sized[] = {"host-text", "text", "text16", "bytes"};
    if (argc < 2) return 2;
    unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 7;
    must(runtime_init(&err), &err);
    must(runtime_thread_init(&err), &err);
    struct module *module = compile(argv[1]);
    struct canonical *canonical;
    struct instance *i;
    must(canonical_new(module, hosts, 1, NULL, &canonical, &err), &err);
    const struct instance_config config = {.canonical = canonical};
    must(instance_new(module, &config, &i, &err), &err);
    if (instance_init_all(i) != CALL_RETURNED) return 1;
    call(i, "fill", 1u << 20, 0);
    measure(i, "nothing", 0, rounds);
    measure(i, "use", 0, rounds);
    measure(i, "make-drop", 0, rounds);
    measure(i, "number", 0, rounds);
    for (unsigned n = 0; n < sizeof sized / sizeof *sized; n++)
        for (unsigned k = 0; k < sizeof sizes / sizeof *sizes; k++)
            if (strcmp(sized[n], "text16") != 0 || sizes[k] < 1u << 20)
                measure(i, sized[n], sizes[k], rounds);
    canonical_free(canonical);
    instance_free(i);
    module_free(module);
    return 0;
}
