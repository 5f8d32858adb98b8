/* Core modules and core instances. */
#include <string.h>

#include "decode.h"

static enum status keep_module(struct decoder *d, struct wasm_module *module, size_t start)
{
    struct component_full *full = d->full;
    enum status st = GROW(d, full->modules, full->modules_capacity, full->c.modules_count + 1);
    if (st) {
        wasm_module_free(module);
        return st;
    }
    full->modules[full->c.modules_count++] =
        (struct component_module){start, d->r.end - start, module};
    return ST_OK;
}

enum status parse_section_core_module(struct decoder *d)
{
    struct component_module_type *type = NULL;
    struct wasm_module *module = NULL;
    size_t start = d->r.offset;
    if (d->full->c.modules_count >= COMPONENT_MODULES_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "more than %u core modules",
                         COMPONENT_MODULES_MAX);
    struct component_definition def = {.kind = COMPONENT_DEFINE_MODULE,
                                       .sort = COMPONENT_SORT_CORE_MODULE,
                                       .offset = start,
                                       .target = d->full->c.modules_count};
    TRY(parse_alloc(d, 1, sizeof *type, &type));
    if (wasm_module_decode(d->r.bytes + start, d->r.end - start, d->threads, &module, d->err))
        return parse_module_error(d, start);
    d->r.offset = d->r.end;
    TRY(keep_module(d, module, start));
    TRY(module_type_of(d, module, start, type));
    TRY(add_module(d, type));
    return add_definition(d, &def);
}

/* ---- instantiation ---- */

static enum status parse_core_args(struct decoder *d, struct component_definition *def)
{
    struct component_arg *args = NULL;
    struct byte_map seen = {0};
    uint8_t byte = 0;
    TRY(reader_count(&d->r, COMPONENT_ARGS_MAX, "arguments", &def->args_count, d->err));
    TRY(parse_alloc(d, def->args_count, sizeof *args, &args));
    enum status st = ST_OK;
    for (uint32_t i = 0; i < def->args_count && !st; i++) {
        size_t start = d->r.offset;
        st = parse_name(d, &args[i].name);
        if (!st && byte_map_find(&seen, args[i].name.text, args[i].name.size_bytes))
            st = wasm_fail(d->err, ST_INVALID, start,
                           "duplicate module instantiation argument named `%s`", args[i].name.text);
        if (!st && !byte_map_add(&seen, args[i].name.text, args[i].name.size_bytes, 0))
            st = wasm_fail_memory(d->err, start);
        if (!st) st = reader_u8(&d->r, &byte, d->err);
        if (!st && byte != 0x12) st = parse_bad_byte(d, "instantiation arg kind");
        args[i].sort = COMPONENT_SORT_CORE_INSTANCE;
        if (!st) st = parse_index(d, COMPONENT_SORT_CORE_INSTANCE, &args[i].index);
    }
    if (!st) st = parse_work(d, seen.steps);
    byte_map_done(&seen);
    def->args = args;
    return st;
}

static const struct component_arg *find_arg(const struct component_definition *def,
                                            struct wasm_name name)
{
    for (uint32_t i = 0; i < def->args_count; i++)
        if (names_equal(def->args[i].name, name)) return &def->args[i];
    return NULL;
}

static enum status fail_mismatch(struct decoder *d, const struct wasm_import *import,
                                 const struct core_extern *given, const struct core_extern *wanted,
                                 size_t offset)
{
    if (given->kind != wanted->kind)
        return wasm_fail(d->err, ST_INVALID, offset, "import `%s::%s`: expected %s, found %s",
                         import->module.text, import->field.text, wasm_external_name(wanted->kind),
                         wasm_external_name(given->kind));
    if (given->kind != WASM_EXT_FUNC)
        return wasm_fail(d->err, ST_INVALID, offset, "import `%s::%s`: mismatch of %s types",
                         import->module.text, import->field.text, wasm_external_name(given->kind));
    char a[160], b[160];
    core_func_print(given, a, sizeof a);
    core_func_print(wanted, b, sizeof b);
    return wasm_fail(d->err, ST_INVALID, offset,
                     "import `%s::%s`: type mismatch, expected: (func) %s, found %s",
                     import->module.text, import->field.text, b, a);
}

static enum status check_import(struct decoder *d, const struct component_definition *def,
                                const struct component_module_type *type, uint32_t i)
{
    struct core_extern wanted, given = {0};
    bool found = false;
    const struct wasm_import *import = module_type_import(type, i, &wanted);
    const struct component_arg *arg = find_arg(def, import->module);
    TRY(parse_work(d, def->args_count + 1u));
    if (!arg)
        return wasm_fail(d->err, ST_INVALID, def->offset,
                         "missing module instantiation argument named `%s`", import->module.text);
    TRY(parse_at(d, def->offset,
                 core_instance_find(d, &d->scope->core_instances[arg->index], import->field, &given,
                                    &found)));
    if (!found)
        return wasm_fail(d->err, ST_INVALID, def->offset,
                         "module instantiation argument `%s` does not export an item named `%s`",
                         import->module.text, import->field.text);
    if (core_extern_matches(&given, &wanted)) return ST_OK;
    return fail_mismatch(d, import, &given, &wanted, def->offset);
}

static enum status parse_instantiate(struct decoder *d, struct component_definition *def,
                                     struct core_instance *ret)
{
    def->kind = COMPONENT_INSTANTIATE_MODULE;
    TRY(parse_index(d, COMPONENT_SORT_CORE_MODULE, &def->target));
    TRY(parse_core_args(d, def));
    const struct component_module_type *type = d->scope->modules[def->target];
    for (uint32_t i = 0; i < type->imports_count; i++) TRY(check_import(d, def, type, i));
    ret->type = type;
    return ST_OK;
}

static enum status parse_bag_export(struct decoder *d, struct byte_map *seen,
                                    struct component_arg *arg, struct core_export *ret)
{
    size_t start = d->r.offset;
    TRY(parse_name(d, &arg->name));
    if (byte_map_find(seen, arg->name.text, arg->name.size_bytes))
        return wasm_fail(d->err, ST_INVALID, start, "export name `%s` already defined",
                         arg->name.text);
    if (!byte_map_add(seen, arg->name.text, arg->name.size_bytes, 0))
        return wasm_fail_memory(d->err, start);
    start = d->r.offset;
    TRY(parse_core_sort(d, "core export kind", &arg->sort));
    if (arg->sort > COMPONENT_SORT_CORE_TAG)
        return wasm_fail(d->err, ST_INVALID, start, "a core instance cannot export a %s",
                         component_sort_name(arg->sort));
    TRY(parse_index(d, arg->sort, &arg->index));
    ret->name = arg->name;
    ret->what = d->scope->core[arg->sort][arg->index];
    return ST_OK;
}

static enum status parse_core_bag(struct decoder *d, struct component_definition *def,
                                  struct core_instance *ret)
{
    struct component_arg *args = NULL;
    struct core_export *exports = NULL;
    struct byte_map seen = {0};
    def->kind = COMPONENT_CORE_BAG;
    TRY(reader_count(&d->r, COMPONENT_ARGS_MAX, "exports", &def->args_count, d->err));
    TRY(parse_alloc(d, def->args_count, sizeof *args, &args));
    TRY(parse_alloc(d, def->args_count, sizeof *exports, &exports));
    enum status st = ST_OK;
    for (uint32_t i = 0; i < def->args_count && !st; i++)
        st = parse_bag_export(d, &seen, &args[i], &exports[i]);
    if (!st) st = parse_work(d, seen.steps);
    byte_map_done(&seen);
    def->args = args;
    *ret = (struct core_instance){.count = def->args_count, .exports = exports};
    return st;
}

static enum status parse_core_instance(struct decoder *d)
{
    struct core_instance instance = {0};
    struct component_definition def = {.sort = COMPONENT_SORT_CORE_INSTANCE, .offset = d->r.offset};
    uint8_t form = 0;
    TRY(reader_u8(&d->r, &form, d->err));
    if (form > 1) return parse_bad_byte(d, "core instance");
    TRY(form ? parse_core_bag(d, &def, &instance) : parse_instantiate(d, &def, &instance));
    TRY(add_core_instance(d, &instance));
    return add_definition(d, &def);
}

enum status parse_section_core_instances(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "core instances", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_core_instance(d));
    return ST_OK;
}
