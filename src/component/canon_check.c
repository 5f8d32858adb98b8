/* What must hold of a canonical definition (CanonicalABI "canonopt Validation", "canon lift",
 * "canon lower" and what follows them), and the type of the core function that it makes. */
#include <stdio.h>
#include <string.h>

#include "component/canonical.h"
#include "decode.h"

#define CONTEXT_SLOTS 2u

/* Options that a kind of definition can have, besides string-encoding and memory. */
enum allowed { MAY_REALLOC = 1, MAY_ASYNC = 2, MAY_POST_RETURN = 4, MAY_CALLBACK = 8 };

/* Signatures of the built-in functions: parameters, ':', results; i for i32, l for i64. NULL where
 * it depends on a type. */
static const struct rules {
    const char *signature;
    unsigned allowed;
} all_rules[COMPONENT_CANON_KINDS] = {
    [COMPONENT_CANON_LIFT] = {NULL, MAY_REALLOC | MAY_ASYNC | MAY_POST_RETURN | MAY_CALLBACK},
    [COMPONENT_CANON_LOWER] = {NULL, MAY_REALLOC | MAY_ASYNC},
    [COMPONENT_CANON_RESOURCE_NEW] = {"i:i", 0},
    [COMPONENT_CANON_RESOURCE_DROP] = {"i:", 0},
    [COMPONENT_CANON_RESOURCE_REP] = {"i:i", 0},
    [COMPONENT_CANON_BACKPRESSURE_INC] = {":", 0},
    [COMPONENT_CANON_BACKPRESSURE_DEC] = {":", 0},
    [COMPONENT_CANON_TASK_RETURN] = {NULL, 0},
    [COMPONENT_CANON_TASK_CANCEL] = {":", 0},
    [COMPONENT_CANON_CONTEXT_GET] = {":i", 0},
    [COMPONENT_CANON_CONTEXT_SET] = {"i:", 0},
    [COMPONENT_CANON_SUBTASK_CANCEL] = {"i:i", 0},
    [COMPONENT_CANON_SUBTASK_DROP] = {"i:", 0},
    [COMPONENT_CANON_STREAM_NEW] = {":l", 0},
    [COMPONENT_CANON_STREAM_READ] = {"iii:i", MAY_REALLOC | MAY_ASYNC},
    [COMPONENT_CANON_STREAM_WRITE] = {"iii:i", MAY_REALLOC | MAY_ASYNC},
    [COMPONENT_CANON_STREAM_CANCEL_READ] = {"i:i", 0},
    [COMPONENT_CANON_STREAM_CANCEL_WRITE] = {"i:i", 0},
    [COMPONENT_CANON_STREAM_DROP_READABLE] = {"i:", 0},
    [COMPONENT_CANON_STREAM_DROP_WRITABLE] = {"i:", 0},
    [COMPONENT_CANON_FUTURE_NEW] = {":l", 0},
    [COMPONENT_CANON_FUTURE_READ] = {"ii:i", MAY_REALLOC | MAY_ASYNC},
    [COMPONENT_CANON_FUTURE_WRITE] = {"ii:i", MAY_REALLOC | MAY_ASYNC},
    [COMPONENT_CANON_FUTURE_CANCEL_READ] = {"i:i", 0},
    [COMPONENT_CANON_FUTURE_CANCEL_WRITE] = {"i:i", 0},
    [COMPONENT_CANON_FUTURE_DROP_READABLE] = {"i:", 0},
    [COMPONENT_CANON_FUTURE_DROP_WRITABLE] = {"i:", 0},
    [COMPONENT_CANON_ERROR_CONTEXT_NEW] = {"ii:i", MAY_REALLOC},
    [COMPONENT_CANON_ERROR_CONTEXT_DEBUG_MESSAGE] = {"ii:", MAY_REALLOC},
    [COMPONENT_CANON_ERROR_CONTEXT_DROP] = {"i:", 0},
    [COMPONENT_CANON_WAITABLE_SET_NEW] = {":i", 0},
    [COMPONENT_CANON_WAITABLE_SET_WAIT] = {"ii:i", 0},
    [COMPONENT_CANON_WAITABLE_SET_POLL] = {"ii:i", 0},
    [COMPONENT_CANON_WAITABLE_SET_DROP] = {"i:", 0},
    [COMPONENT_CANON_WAITABLE_JOIN] = {"ii:", 0},
    [COMPONENT_CANON_THREAD_INDEX] = {":i", 0},
    [COMPONENT_CANON_THREAD_NEW_INDIRECT] = {"ii:i", 0},
    [COMPONENT_CANON_THREAD_RESUME_LATER] = {"i:", 0},
    [COMPONENT_CANON_THREAD_SUSPEND] = {":i", 0},
    [COMPONENT_CANON_THREAD_YIELD] = {":i", 0},
    [COMPONENT_CANON_THREAD_SUSPEND_THEN_RESUME] = {"i:i", 0},
    [COMPONENT_CANON_THREAD_YIELD_THEN_RESUME] = {"i:i", 0},
    [COMPONENT_CANON_THREAD_SUSPEND_THEN_PROMOTE] = {"i:i", 0},
    [COMPONENT_CANON_THREAD_YIELD_THEN_PROMOTE] = {"i:i", 0},
};

static void read_signature(const char *text, struct component_signature *ret)
{
    for (; *text != ':'; text++)
        ret->params[ret->params_count++] = *text == 'i' ? WASM_I32 : WASM_I64;
    for (text++; *text; text++)
        ret->results[ret->results_count++] = *text == 'i' ? WASM_I32 : WASM_I64;
}

/* A definition while it is checked. */
struct check {
    struct decoder *d;
    struct component_canon *c;
    size_t offset;
};

static const struct core_extern *core_func(const struct check *k, uint32_t index)
{
    return &k->d->scope->core[COMPONENT_SORT_CORE_FUNC][index];
}

static enum status check_func(struct check *k, uint32_t index, const char *option,
                              const char *signature)
{
    struct component_signature s = {0};
    read_signature(signature, &s);
    if (core_func_is(core_func(k, index), s.params, s.params_count, s.results, s.results_count))
        return ST_OK;
    return wasm_fail(k->d->err, ST_INVALID, k->offset,
                     "canonical option `%s` uses a core function with an incorrect signature",
                     option);
}

static enum status refuse(struct check *k, bool has, const char *option)
{
    const char *name = component_canon_name(k->c->kind);
    if (!has) return ST_OK;
    if (k->c->kind == COMPONENT_CANON_LOWER) name = "lowerings";
    return wasm_fail(k->d->err, ST_INVALID, k->offset,
                     "canonical option `%s` cannot be specified for %s", option, name);
}

static enum status require(struct check *k, bool needed, bool has, const char *option)
{
    if (!needed || has) return ST_OK;
    return wasm_fail(k->d->err, ST_INVALID, k->offset, "canonical option `%s` is required", option);
}

static enum status check_memory(struct check *k)
{
    const struct component_options *o = &k->c->options;
    if (!o->has_memory) return ST_OK;
    const struct core_extern *m = &k->d->scope->core[COMPONENT_SORT_CORE_MEMORY][o->memory];
    if (!m->module->memories[m->index].limits.is64) return ST_OK;
    return wasm_fail(k->d->err, ST_UNSUPPORTED, k->offset,
                     "canonical definitions over 64-bit memories are not supported");
}

/* What holds of options whatever they are for. */
static enum status check_options(struct check *k)
{
    const struct component_options *o = &k->c->options;
    unsigned allowed = all_rules[k->c->kind].allowed;
    TRY(refuse(k, o->has_realloc && !(allowed & MAY_REALLOC), "realloc"));
    TRY(refuse(k, o->is_async && !(allowed & MAY_ASYNC), "async"));
    TRY(refuse(k, o->has_post_return && !(allowed & MAY_POST_RETURN), "post-return"));
    TRY(refuse(k, o->has_callback && !(allowed & MAY_CALLBACK), "callback"));
    TRY(check_memory(k));
    if (o->has_realloc) TRY(check_func(k, o->realloc, "realloc", "iiii:i"));
    if (o->has_realloc && !o->has_memory)
        return wasm_fail(k->d->err, ST_INVALID, k->offset,
                         "canonical option `realloc` requires `memory` to also be specified");
    if (o->has_callback && !o->is_async)
        return wasm_fail(k->d->err, ST_INVALID, k->offset,
                         "canonical option `callback` requires `async` to also be specified");
    if (o->has_post_return && o->is_async)
        return wasm_fail(k->d->err, ST_INVALID, k->offset,
                         "canonical option `post-return` cannot be specified with `async`");
    return o->has_callback ? check_func(k, o->callback, "callback", "iii:i") : ST_OK;
}

static enum status require_both(struct check *k, bool memory, bool realloc)
{
    TRY(require(k, memory || realloc, k->c->options.has_memory, "memory"));
    return require(k, realloc, k->c->options.has_realloc, "realloc");
}

/* ---- lift and lower ---- */

static enum status check_async(struct check *k)
{
    if (!k->c->options.is_async || type_at(k->d->store, k->c->type)->is_async) return ST_OK;
    return wasm_fail(k->d->err, ST_INVALID, k->offset,
                     "the `async` canonical option requires an async function type");
}

static enum status check_post_return(struct check *k)
{
    struct component_signature s = k->c->signature;
    if (!k->c->options.has_post_return) return ST_OK;
    if (core_func_is(core_func(k, k->c->options.post_return), s.results, s.results_count, NULL, 0))
        return ST_OK;
    return wasm_fail(k->d->err, ST_INVALID, k->offset,
                     "canonical option `post-return` uses a core function with an incorrect "
                     "signature");
}

static enum status check_lift(struct check *k)
{
    struct component_canon *c = k->c;
    const struct component_types *types = &k->d->store->t;
    const struct component_type *func = &types->entries[c->type];
    struct component_call call;
    TRY(check_async(k));
    TRY(parse_work(k->d, func->size));
    component_call_of(types, c->type, true, &c->options, &call);
    c->signature = call.signature;
    bool params = component_params_layout(types, c->type).has_pointer;
    bool results = types->entries[func->element].layout.has_pointer && !c->options.is_async;
    TRY(require_both(k, params || results || call.results_in_memory,
                     params || call.params_in_memory));
    const struct component_signature *s = &c->signature;
    const struct core_extern *f = core_func(k, c->func);
    if (!core_func_is(f, s->params, s->params_count, s->results, s->results_count)) {
        struct core_extern wanted = {.kind = WASM_EXT_FUNC, .signature = s};
        char a[160], b[160];
        core_func_print(&wanted, a, sizeof a);
        core_func_print(f, b, sizeof b);
        return wasm_fail(k->d->err, ST_INVALID, k->offset,
                         "lowered types `%s` of the function do not match core types `%s`", a, b);
    }
    return check_post_return(k);
}

static enum status check_lower(struct check *k)
{
    struct component_canon *c = k->c;
    const struct component_types *types = &k->d->store->t;
    const struct component_type *func = &types->entries[c->type];
    struct component_call call;
    TRY(check_async(k));
    TRY(parse_work(k->d, func->size));
    component_call_of(types, c->type, false, &c->options, &call);
    c->signature = call.signature;
    bool memory = component_params_layout(types, c->type).has_pointer || call.params_in_memory ||
                  call.results_in_memory;
    return require_both(k, memory, types->entries[func->element].layout.has_pointer);
}

/* ---- built-in functions ---- */

static enum status check_task_return(struct check *k)
{
    struct component_signature *s = &k->c->signature;
    const struct component_type *result = type_at(k->d->store, k->c->type);
    bool in_memory = result->layout.flat_count > COMPONENT_FLAT_MAX;
    TRY(parse_work(k->d, result->size));
    if (in_memory)
        s->params[s->params_count++] = WASM_I32;
    else
        s->params_count =
            component_flatten(&k->d->store->t, k->c->type, s->params, COMPONENT_FLAT_MAX);
    return require_both(k, in_memory || result->layout.has_pointer, false);
}

static enum status check_local(struct check *k)
{
    if (number_map_get(&k->d->scope->local, type_at(k->d->store, k->c->type)->resource))
        return ST_OK;
    return wasm_fail(k->d->err, ST_INVALID, k->offset, "%s: the type is not a local resource",
                     component_canon_name(k->c->kind));
}

static enum status check_copy(struct check *k, bool is_read)
{
    uint32_t element = type_at(k->d->store, k->c->type)->element;
    bool has_pointer = type_at(k->d->store, element)->layout.has_pointer;
    return require_both(k, element != COMPONENT_TYPE_NONE, is_read && has_pointer);
}

static enum status check_kind(struct check *k)
{
    switch (k->c->kind) {
    case COMPONENT_CANON_LIFT: return check_lift(k);
    case COMPONENT_CANON_LOWER: return check_lower(k);
    case COMPONENT_CANON_TASK_RETURN: return check_task_return(k);
    case COMPONENT_CANON_RESOURCE_NEW:
    case COMPONENT_CANON_RESOURCE_REP: return check_local(k);
    case COMPONENT_CANON_STREAM_READ:
    case COMPONENT_CANON_FUTURE_READ: return check_copy(k, true);
    case COMPONENT_CANON_STREAM_WRITE:
    case COMPONENT_CANON_FUTURE_WRITE: return check_copy(k, false);
    case COMPONENT_CANON_ERROR_CONTEXT_NEW: return require_both(k, true, false);
    case COMPONENT_CANON_ERROR_CONTEXT_DEBUG_MESSAGE: return require_both(k, true, true);
    case COMPONENT_CANON_CONTEXT_GET:
    case COMPONENT_CANON_CONTEXT_SET:
        if (k->c->immediate < CONTEXT_SLOTS) return ST_OK;
        return wasm_fail(k->d->err, ST_INVALID, k->offset,
                         "immediate must be less than %u: context slot %u", CONTEXT_SLOTS,
                         k->c->immediate);
    default: return ST_OK;
    }
}

enum status canon_check(struct decoder *d, struct component_canon *c, size_t offset)
{
    struct check k = {d, c, offset};
    const char *signature = all_rules[c->kind].signature;
    if (signature) read_signature(signature, &c->signature);
    TRY(check_options(&k));
    return check_kind(&k);
}
