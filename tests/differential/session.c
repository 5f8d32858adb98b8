#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/artifact.h"
#include "base/sha256.h"
#include "value.h"
#include "wasm/wasm.h"

#define ARGUMENT_ROWS 6u
#define VALUES_MAX    64u

/* ---- arguments ---- */

static const uint64_t integers[] = {0,          42,         0x80000000,         0xffffffffffffffff,
                                    0x7fffffff, 0x80000001, 0x8000000080000000, 1};
static const double floats[] = {0.0, 1.5, -1.0, 1e10, -0.0, 3.25e-5, -9.3e18, 0.0 / 0.0 * -1};

/* Argument `index` of row `row`: the same for every level. */
static struct value argument(char type, unsigned row, unsigned index)
{
    struct value v = {0};
    unsigned at = (row * 3 + index * 5) % (unsigned)ARRAY_COUNT(integers);
    switch (type) {
    case 'i': v.i32 = (uint32_t)integers[at]; break;
    case 'l': v.i64 = integers[at]; break;
    case 'f': v.f32 = (float)floats[at]; break;
    case 'd': v.f64 = floats[at]; break;
    default: break; /* references are null */
    }
    if (type == 'f' && v.f32 != v.f32) v.i32 = 0x7fc00000;
    if (type == 'd' && v.f64 != v.f64) v.i64 = 0x7ff8000000000000;
    return v;
}

static void print_value(char type, const struct value *v)
{
    char text[VALUE_TEXT_MAX];
    if (type == 'f' && v->f32 != v->f32)
        fputs(" f32:nan", stdout);
    else if (type == 'd' && v->f64 != v->f64)
        fputs(" f64:nan", stdout);
    else if (type == 'r')
        fputs(v->i32 ? " ref" : " null", stdout);
    else {
        value_print(type, v, text);
        printf(" %s", text);
    }
}

static void print_name(const char *name)
{
    putchar('"');
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c <= ' ' || c == '%' || c >= 0x7f)
            printf("%%%02x", c);
        else
            putchar(c);
    }
}

/* ---- what the modules import ---- */

static enum host_result log_value(char type, const struct value *values)
{
    fputs("log", stdout);
    print_value(type, values);
    putchar('\n');
    return HOST_OK;
}

static enum host_result log_i32(struct instance *i, struct value *values)
{
    (void)i;
    return log_value('i', values);
}

static enum host_result log_i64(struct instance *i, struct value *values)
{
    (void)i;
    return log_value('l', values);
}

static enum host_result log_f32(struct instance *i, struct value *values)
{
    (void)i;
    return log_value('f', values);
}

static enum host_result log_f64(struct instance *i, struct value *values)
{
    (void)i;
    return log_value('d', values);
}

static enum host_result log_v128(struct instance *i, struct value *values)
{
    (void)i;
    return log_value('v', values);
}

static const struct host_function host_functions[] = {
    {"fuzzing-support", "log-i32", "i:", log_i32},   {"fuzzing-support", "log-i64", "l:", log_i64},
    {"fuzzing-support", "log-f32", "f:", log_f32},   {"fuzzing-support", "log-f64", "d:", log_f64},
    {"fuzzing-support", "log-v128", "v:", log_v128},
};

const struct host_set session_hosts = {host_functions, ARRAY_COUNT(host_functions), NULL};

/* ---- one instance ---- */

/* "trap KIND", in classes that V8 tells apart as well. */
static void print_trap(const struct instance *i)
{
    static const char *const kinds[TRAP_KINDS_COUNT] = {
        [TRAP_UNREACHABLE] = "unreachable", [TRAP_MEMORY_BOUNDS] = "memory",
        [TRAP_TABLE_BOUNDS] = "table",      [TRAP_NULL_ELEMENT] = "signature",
        [TRAP_TYPE_MISMATCH] = "signature", [TRAP_DIVIDE_BY_ZERO] = "divide",
        [TRAP_INTEGER_OVERFLOW] = "range",  [TRAP_BAD_CONVERSION] = "range",
        [TRAP_STACK_EXHAUSTED] = "stack",   [TRAP_NULL_REFERENCE] = "null",
    };
    uint32_t kind = instance_trap(i)->kind;
    const char *name = kind < TRAP_KINDS_COUNT ? kinds[kind] : NULL;
    printf(" trap %s\n", name ? name : "unexpected");
}

static const char *signature_of(const struct artifact *a, uint32_t func)
{
    size_t count;
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, &count);
    const struct artifact_type *types = artifact_section(a, ARTIFACT_TYPES, &count);
    const char *codes = artifact_section(a, ARTIFACT_TYPE_CODES, &count);
    return codes + types[funcs[func].type].signature;
}

/* binaryen's modules count down while they loop and recurse; this winds them up again. */
static void reset_hang_limit(struct instance *i)
{
    const struct artifact *a = module_artifact(instance_module(i));
    const struct artifact_export *e = artifact_find_export(a, "hangLimitInitializer", 0);
    struct value values[1];
    if (e) (void)instance_call(i, e->index, values);
}

static void call_export(struct instance *i, const char *name, uint32_t func, unsigned row)
{
    struct value values[VALUES_MAX] = {0};
    const char *signature = signature_of(module_artifact(instance_module(i)), func);
    const char *results = strchr(signature, ':') + 1;
    if (strchr(signature, 'v') || strlen(signature) > VALUES_MAX) return;
    reset_hang_limit(i);
    /* What it logs comes first. */
    for (unsigned at = 0; signature[at] != ':'; at++) values[at] = argument(signature[at], row, at);
    struct value args[VALUES_MAX];
    memcpy(args, values, sizeof args);
    enum call_result result = instance_call(i, func, values);
    fputs("call ", stdout);
    print_name(name);
    printf(" %s", signature);
    for (unsigned at = 0; signature[at] != ':'; at++) print_value(signature[at], &args[at]);
    fputs(" ->", stdout);
    if (result == CALL_TRAPPED) {
        print_trap(i);
        return;
    }
    for (unsigned at = 0; results[at]; at++) print_value(results[at], &values[at]);
    putchar('\n');
}

static void print_memories(const struct instance *i)
{
    size_t count;
    artifact_section(module_artifact(instance_module(i)), ARTIFACT_MEMORIES, &count);
    for (uint32_t memory = 0; memory < count; memory++) {
        uint64_t size = guest_memory_bytes(i, memory);
        uint8_t *bytes;
        uint8_t digest[SHA256_BYTES];
        char hex[SHA256_HEX];
        if (!guest_slice(i, memory, 0, size, &bytes)) abort();
        sha256(bytes, size, digest);
        sha256_hex(digest, hex);
        printf("memory %llu %s\n", (unsigned long long)size / WASM_PAGE_BYTES, hex);
    }
}

/* The exported globals that JavaScript can read. */
static void print_globals(const struct instance *i)
{
    const struct artifact *a = module_artifact(instance_module(i));
    size_t count, ignored;
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    const struct artifact_global *globals = artifact_section(a, ARTIFACT_GLOBALS, &ignored);
    for (size_t e = 0; e < count; e++) {
        if (exports[e].kind != WASM_EXT_GLOBAL) continue;
        char type = (char)globals[exports[e].index].type;
        if (type == 'v' || type == 'r') continue;
        struct value value;
        instance_global_get(i, exports[e].index, &value);
        fputs("global ", stdout);
        print_name(artifact_string(a, exports[e].name));
        print_value(type, &value);
        putchar('\n');
    }
}

void session_run(struct instance *i)
{
    fputs("instantiate", stdout);
    if (instance_init_all(i) != CALL_RETURNED) {
        print_trap(i);
        puts("end");
        return;
    }
    puts(" ok");
    size_t count;
    const struct artifact *a = module_artifact(instance_module(i));
    const struct artifact_export *exports = artifact_section(a, ARTIFACT_EXPORTS, &count);
    for (size_t e = 0; e < count; e++)
        for (unsigned row = 0; exports[e].kind == 0 && row < ARGUMENT_ROWS; row++)
            call_export(i, artifact_string(a, exports[e].name), exports[e].index, row);
    print_memories(i);
    print_globals(i);
    puts("end");
}
