/* Core definitions across modules: what a module imports and exports, and what fits where (Core
 * §4.5.3 "Import Matching"). */
#include <stdio.h>
#include <string.h>

#include "decode.h"

/* ---- imports and exports of a module or module type ---- */

static struct core_extern import_extern(const struct wasm_module *m, const struct wasm_import *i)
{
    return (struct core_extern){.kind = i->kind, .module = m, .index = i->index};
}

const struct wasm_import *module_type_import(const struct component_module_type *t, uint32_t i,
                                             struct core_extern *ret)
{
    const struct wasm_import *import = &t->module->imports[i];
    *ret = import_extern(t->module, import);
    return import;
}

struct wasm_name module_type_export(const struct component_module_type *t, uint32_t i,
                                    struct core_extern *ret)
{
    if (t->is_type) {
        const struct wasm_import *import = &t->module->imports[t->imports_count + i];
        *ret = import_extern(t->module, import);
        return import->field;
    }
    const struct wasm_export *export = &t->module->exports[i];
    *ret = (struct core_extern){.kind = export->kind, .module = t->module, .index = export->index};
    return export->name;
}

enum status core_instance_find(struct decoder *d, const struct core_instance *instance,
                               struct wasm_name name, struct core_extern *ret, bool *ret_found)
{
    uint32_t count = instance->type ? instance->type->exports_count : instance->count;
    *ret_found = false;
    for (uint32_t i = 0; i < count && !*ret_found; i++) {
        if (instance->type) {
            *ret_found = names_equal(module_type_export(instance->type, i, ret), name);
        } else {
            *ret = instance->exports[i].what;
            *ret_found = names_equal(instance->exports[i].name, name);
        }
    }
    return type_store_work(d->store, count, d->err);
}

/* ---- matching ---- */

static uint32_t func_type(const struct core_extern *f)
{
    return f->module->funcs[f->index].type;
}

/* A type that a function without any declared supertype or group can have. */
static bool type_is_plain(const struct wasm_type *t)
{
    return t->composite == WASM_FUNC_TYPE && t->final && !t->has_super && t->group_count == 1;
}

static bool kinds_are(const struct wasm_valtype *types, uint32_t types_count, const uint8_t *kinds,
                      uint32_t count)
{
    if (types_count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (types[i].kind != kinds[i]) return false;
    return true;
}

bool core_func_is(const struct core_extern *f, const uint8_t *params, uint32_t params_count,
                  const uint8_t *results, uint32_t results_count)
{
    if (!f->module) {
        const struct component_signature *s = f->signature;
        return s->params_count == params_count && s->results_count == results_count &&
               (!params_count || memcmp(s->params, params, params_count) == 0) &&
               (!results_count || memcmp(s->results, results, results_count) == 0);
    }
    const struct wasm_type *t = &f->module->types[func_type(f)];
    return kinds_are(t->params, t->params_count, params, params_count) &&
           kinds_are(t->results, t->results_count, results, results_count);
}

static size_t print_kinds(char *text, size_t size, const uint8_t *kinds, uint32_t count)
{
    size_t at = 0;
    for (uint32_t i = 0; i < count && at + 8 < size; i++) {
        struct wasm_valtype type = {.kind = kinds[i]};
        char name[16];
        wasm_valtype_print(type, name, sizeof name);
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", name);
    }
    return at;
}

void core_func_print(const struct core_extern *f, char *text, size_t size_bytes)
{
    uint8_t kinds[64];
    const struct wasm_type *t = f->module ? &f->module->types[func_type(f)] : NULL;
    uint32_t params = t ? t->params_count : f->signature->params_count, results = 0, i;
    if (params > 32) params = 32;
    for (i = 0; i < params; i++) kinds[i] = t ? t->params[i].kind : f->signature->params[i];
    results = t ? t->results_count : f->signature->results_count;
    if (results > 32) results = 32;
    for (i = 0; i < results; i++)
        kinds[params + i] = t ? t->results[i].kind : f->signature->results[i];
    snprintf(text, size_bytes, "[");
    size_t at = 1;
    at += print_kinds(text + at, size_bytes - at, kinds, params);
    at += (size_t)snprintf(text + at, size_bytes - at, "] -> [");
    if (at < size_bytes) at += print_kinds(text + at, size_bytes - at, kinds + params, results);
    if (at < size_bytes) snprintf(text + at, size_bytes - at, "]");
}

static bool funcs_match(const struct core_extern *a, const struct core_extern *b)
{
    if (a->module && b->module)
        return wasm_type_matches(a->module, func_type(a), b->module, func_type(b));
    if (!b->module) {
        const struct component_signature *s = b->signature;
        return core_func_is(a, s->params, s->params_count, s->results, s->results_count);
    }
    const struct component_signature *s = a->signature;
    return type_is_plain(&b->module->types[func_type(b)]) &&
           core_func_is(b, s->params, s->params_count, s->results, s->results_count);
}

static bool limits_match(struct wasm_limits a, struct wasm_limits b)
{
    if (a.is64 != b.is64 || a.min < b.min) return false;
    return !b.has_max || (a.has_max && a.max <= b.max);
}

static bool valtypes_are_same(const struct wasm_module *am, struct wasm_valtype a,
                              const struct wasm_module *bm, struct wasm_valtype b)
{
    return wasm_valtype_matches(am, a, bm, b) && wasm_valtype_matches(bm, b, am, a);
}

bool core_extern_matches(const struct core_extern *a, const struct core_extern *b)
{
    if (a->kind != b->kind) return false;
    if (a->kind == WASM_EXT_FUNC) return funcs_match(a, b);
    const struct wasm_module *am = a->module, *bm = b->module;
    switch (a->kind) {
    case WASM_EXT_TABLE: {
        const struct wasm_table *at = &am->tables[a->index], *bt = &bm->tables[b->index];
        return valtypes_are_same(am, at->element, bm, bt->element) &&
               limits_match(at->limits, bt->limits);
    }
    case WASM_EXT_MEMORY:
        return limits_match(am->memories[a->index].limits, bm->memories[b->index].limits);
    case WASM_EXT_GLOBAL: {
        const struct wasm_global *ag = &am->globals[a->index], *bg = &bm->globals[b->index];
        if (ag->mutable != bg->mutable) return false;
        return ag->mutable ? valtypes_are_same(am, ag->type, bm, bg->type)
                           : wasm_valtype_matches(am, ag->type, bm, bg->type);
    }
    case WASM_EXT_TAG:
        return wasm_type_equal(am, am->tags[a->index].type, bm, bm->tags[b->index].type);
    default: return false;
    }
}
