/* The canon section: reading canonical definitions. What must hold of them is in canon_check.c. */
#include <string.h>

#include "decode.h"

/* What follows the byte of a canonical definition, in this order. */
enum operand {
    TAKES_RESULT = 1 << 0,
    TAKES_RESOURCE = 1 << 1,
    TAKES_STREAM = 1 << 2,
    TAKES_FUTURE = 1 << 3,
    TAKES_SLOT = 1 << 4, /* i32 and a number */
    TAKES_ASYNC = 1 << 5,
    TAKES_CANCELLABLE = 1 << 6,
    TAKES_MEMORY = 1 << 7,
    TAKES_CORE_TYPE_AND_TABLE = 1 << 8,
    TAKES_OPTIONS = 1 << 9,
};

static const struct form {
    const char *name;
    uint8_t byte;
    unsigned operands;
} forms[COMPONENT_CANON_KINDS] = {
    [COMPONENT_CANON_LIFT] = {"lift", 0x00, 0},
    [COMPONENT_CANON_LOWER] = {"lower", 0x01, 0},
    [COMPONENT_CANON_RESOURCE_NEW] = {"resource.new", 0x02, TAKES_RESOURCE},
    [COMPONENT_CANON_RESOURCE_DROP] = {"resource.drop", 0x03, TAKES_RESOURCE},
    [COMPONENT_CANON_RESOURCE_REP] = {"resource.rep", 0x04, TAKES_RESOURCE},
    [COMPONENT_CANON_TASK_CANCEL] = {"task.cancel", 0x05, 0},
    [COMPONENT_CANON_SUBTASK_CANCEL] = {"subtask.cancel", 0x06, TAKES_ASYNC},
    [COMPONENT_CANON_TASK_RETURN] = {"task.return", 0x09, TAKES_RESULT | TAKES_OPTIONS},
    [COMPONENT_CANON_CONTEXT_GET] = {"context.get", 0x0a, TAKES_SLOT},
    [COMPONENT_CANON_CONTEXT_SET] = {"context.set", 0x0b, TAKES_SLOT},
    [COMPONENT_CANON_THREAD_YIELD] = {"thread.yield", 0x0c, TAKES_CANCELLABLE},
    [COMPONENT_CANON_SUBTASK_DROP] = {"subtask.drop", 0x0d, 0},
    [COMPONENT_CANON_STREAM_NEW] = {"stream.new", 0x0e, TAKES_STREAM},
    [COMPONENT_CANON_STREAM_READ] = {"stream.read", 0x0f, TAKES_STREAM | TAKES_OPTIONS},
    [COMPONENT_CANON_STREAM_WRITE] = {"stream.write", 0x10, TAKES_STREAM | TAKES_OPTIONS},
    [COMPONENT_CANON_STREAM_CANCEL_READ] = {"stream.cancel-read", 0x11, TAKES_STREAM | TAKES_ASYNC},
    [COMPONENT_CANON_STREAM_CANCEL_WRITE] = {"stream.cancel-write", 0x12,
                                             TAKES_STREAM | TAKES_ASYNC},
    [COMPONENT_CANON_STREAM_DROP_READABLE] = {"stream.drop-readable", 0x13, TAKES_STREAM},
    [COMPONENT_CANON_STREAM_DROP_WRITABLE] = {"stream.drop-writable", 0x14, TAKES_STREAM},
    [COMPONENT_CANON_FUTURE_NEW] = {"future.new", 0x15, TAKES_FUTURE},
    [COMPONENT_CANON_FUTURE_READ] = {"future.read", 0x16, TAKES_FUTURE | TAKES_OPTIONS},
    [COMPONENT_CANON_FUTURE_WRITE] = {"future.write", 0x17, TAKES_FUTURE | TAKES_OPTIONS},
    [COMPONENT_CANON_FUTURE_CANCEL_READ] = {"future.cancel-read", 0x18, TAKES_FUTURE | TAKES_ASYNC},
    [COMPONENT_CANON_FUTURE_CANCEL_WRITE] = {"future.cancel-write", 0x19,
                                             TAKES_FUTURE | TAKES_ASYNC},
    [COMPONENT_CANON_FUTURE_DROP_READABLE] = {"future.drop-readable", 0x1a, TAKES_FUTURE},
    [COMPONENT_CANON_FUTURE_DROP_WRITABLE] = {"future.drop-writable", 0x1b, TAKES_FUTURE},
    [COMPONENT_CANON_ERROR_CONTEXT_NEW] = {"error-context.new", 0x1c, TAKES_OPTIONS},
    [COMPONENT_CANON_ERROR_CONTEXT_DEBUG_MESSAGE] = {"error-context.debug-message", 0x1d,
                                                     TAKES_OPTIONS},
    [COMPONENT_CANON_ERROR_CONTEXT_DROP] = {"error-context.drop", 0x1e, 0},
    [COMPONENT_CANON_WAITABLE_SET_NEW] = {"waitable-set.new", 0x1f, 0},
    [COMPONENT_CANON_WAITABLE_SET_WAIT] = {"waitable-set.wait", 0x20,
                                           TAKES_CANCELLABLE | TAKES_MEMORY},
    [COMPONENT_CANON_WAITABLE_SET_POLL] = {"waitable-set.poll", 0x21,
                                           TAKES_CANCELLABLE | TAKES_MEMORY},
    [COMPONENT_CANON_WAITABLE_SET_DROP] = {"waitable-set.drop", 0x22, 0},
    [COMPONENT_CANON_WAITABLE_JOIN] = {"waitable.join", 0x23, 0},
    [COMPONENT_CANON_BACKPRESSURE_INC] = {"backpressure.inc", 0x24, 0},
    [COMPONENT_CANON_BACKPRESSURE_DEC] = {"backpressure.dec", 0x25, 0},
    [COMPONENT_CANON_THREAD_INDEX] = {"thread.index", 0x26, 0},
    [COMPONENT_CANON_THREAD_NEW_INDIRECT] = {"thread.new-indirect", 0x27,
                                             TAKES_CORE_TYPE_AND_TABLE},
    [COMPONENT_CANON_THREAD_RESUME_LATER] = {"thread.resume-later", 0x28, 0},
    [COMPONENT_CANON_THREAD_SUSPEND] = {"thread.suspend", 0x29, TAKES_CANCELLABLE},
    [COMPONENT_CANON_THREAD_SUSPEND_THEN_RESUME] = {"thread.suspend-then-resume", 0x2a,
                                                    TAKES_CANCELLABLE},
    [COMPONENT_CANON_THREAD_YIELD_THEN_RESUME] = {"thread.yield-then-resume", 0x2b,
                                                  TAKES_CANCELLABLE},
    [COMPONENT_CANON_THREAD_SUSPEND_THEN_PROMOTE] = {"thread.suspend-then-promote", 0x2c,
                                                     TAKES_CANCELLABLE},
    [COMPONENT_CANON_THREAD_YIELD_THEN_PROMOTE] = {"thread.yield-then-promote", 0x2d,
                                                   TAKES_CANCELLABLE},
};

const char *component_canon_name(enum component_canon_kind kind)
{
    return (size_t)kind < COMPONENT_CANON_KINDS ? forms[kind].name : "unknown";
}

/* ---- options ---- */

static enum status set_encoding(struct decoder *d, struct component_options *o, bool *has,
                                enum component_encoding encoding, size_t offset)
{
    static const char *const names[] = {"utf8", "utf16", "latin1-utf16"};
    if (*has)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "canonical encoding option `%s` conflicts with option `%s`",
                         names[o->encoding], names[encoding]);
    o->encoding = encoding;
    *has = true;
    return ST_OK;
}

static enum status set_once(struct decoder *d, bool *has, const char *name, size_t offset)
{
    if (*has)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "canonical option `%s` is specified more than once", name);
    *has = true;
    return ST_OK;
}

static enum status parse_option(struct decoder *d, struct component_options *o, bool *has_encoding)
{
    size_t start = d->r.offset;
    uint8_t byte = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    switch (byte) {
    case 0x00:
    case 0x01:
    case 0x02: return set_encoding(d, o, has_encoding, byte, start);
    case 0x03:
        TRY(set_once(d, &o->has_memory, "memory", start));
        return parse_index(d, COMPONENT_SORT_CORE_MEMORY, &o->memory);
    case 0x04:
        TRY(set_once(d, &o->has_realloc, "realloc", start));
        return parse_index(d, COMPONENT_SORT_CORE_FUNC, &o->realloc);
    case 0x05:
        TRY(set_once(d, &o->has_post_return, "post-return", start));
        return parse_index(d, COMPONENT_SORT_CORE_FUNC, &o->post_return);
    case 0x06: return set_once(d, &o->is_async, "async", start);
    case 0x07:
        TRY(set_once(d, &o->has_callback, "callback", start));
        return parse_index(d, COMPONENT_SORT_CORE_FUNC, &o->callback);
    case 0x08:
    case 0x09:
        return wasm_fail(d->err, ST_UNSUPPORTED, start,
                         "the canonical options `gc` and `core-type` are not supported");
    default: return parse_bad_byte(d, "canonical option");
    }
}

static enum status parse_options(struct decoder *d, struct component_options *o)
{
    uint32_t count;
    bool has_encoding = false;
    TRY(reader_count(&d->r, COMPONENT_OPTIONS_MAX, "canonical options", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_option(d, o, &has_encoding));
    return ST_OK;
}

/* ---- definitions ---- */

static enum status parse_slot(struct decoder *d, struct component_canon *c)
{
    uint8_t type = 0;
    TRY(reader_u8(&d->r, &type, d->err));
    if (type == 0x7e)
        return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset - 1,
                         "context slots of i64 are not supported");
    if (type != 0x7f) return parse_bad_byte(d, "context slot type");
    return reader_u32(&d->r, &c->immediate, d->err);
}

static enum status parse_thread_start(struct decoder *d, struct component_canon *c)
{
    static const uint8_t params[] = {WASM_I32};
    uint32_t index;
    size_t start = d->r.offset;
    TRY(parse_index(d, COMPONENT_SORT_CORE_TYPE, &index));
    const struct core_type *type = d->scope->core_types[index];
    const struct wasm_type *t = type->is_module ? NULL : &type->module->types[0];
    if (!t || t->composite != WASM_FUNC_TYPE || t->params_count != 1 || t->results_count ||
        t->params[0].kind != params[0])
        return wasm_fail(d->err, ST_INVALID, start,
                         "start function of a thread must take one `i32` and return nothing");
    start = d->r.offset;
    TRY(parse_index(d, COMPONENT_SORT_CORE_TABLE, &c->immediate));
    const struct core_extern *table = &d->scope->core[COMPONENT_SORT_CORE_TABLE][c->immediate];
    const struct wasm_table *tt = &table->module->tables[table->index];
    if (tt->element.heap != WASM_HEAP_FUNC || !tt->element.nullable)
        return wasm_fail(d->err, ST_INVALID, start,
                         "the table of thread starts must be of funcref");
    return ST_OK;
}

static enum status parse_operands(struct decoder *d, unsigned operands, struct component_canon *c)
{
    if (operands & TAKES_RESULT) TRY(parse_result_list(d, &c->type));
    if (operands & TAKES_RESOURCE) TRY(parse_type_of(d, COMPONENT_RESOURCE, &c->type));
    if (operands & TAKES_STREAM) TRY(parse_type_of(d, COMPONENT_STREAM, &c->type));
    if (operands & TAKES_FUTURE) TRY(parse_type_of(d, COMPONENT_FUTURE, &c->type));
    if (operands & TAKES_SLOT) TRY(parse_slot(d, c));
    if (operands & TAKES_ASYNC) TRY(parse_bool(d, &c->is_async));
    if (operands & TAKES_CANCELLABLE) TRY(parse_bool(d, &c->cancellable));
    if (operands & TAKES_MEMORY) {
        TRY(parse_index(d, COMPONENT_SORT_CORE_MEMORY, &c->options.memory));
        c->options.has_memory = true;
    }
    if (operands & TAKES_CORE_TYPE_AND_TABLE) TRY(parse_thread_start(d, c));
    if (operands & TAKES_OPTIONS) TRY(parse_options(d, &c->options));
    return ST_OK;
}

static enum status parse_lift(struct decoder *d, struct component_canon *c)
{
    uint8_t zero = 0;
    TRY(reader_u8(&d->r, &zero, d->err));
    if (zero) return parse_bad_byte(d, "canonical function lift");
    TRY(parse_index(d, COMPONENT_SORT_CORE_FUNC, &c->func));
    TRY(parse_options(d, &c->options));
    return parse_type_of(d, COMPONENT_FUNC, &c->type);
}

static enum status parse_lower(struct decoder *d, struct component_canon *c)
{
    uint8_t zero = 0;
    TRY(reader_u8(&d->r, &zero, d->err));
    if (zero) return parse_bad_byte(d, "canonical function lower");
    TRY(parse_index(d, COMPONENT_SORT_FUNC, &c->func));
    c->type = d->scope->funcs[c->func];
    return parse_options(d, &c->options);
}

static enum status parse_parts(struct decoder *d, struct component_canon *c)
{
    uint8_t byte = 0;
    uint32_t kind = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    while (kind < COMPONENT_CANON_KINDS && forms[kind].byte != byte) kind++;
    if (kind == COMPONENT_CANON_KINDS) return parse_bad_byte(d, "canonical function");
    c->kind = kind;
    if (kind == COMPONENT_CANON_LIFT) return parse_lift(d, c);
    if (kind == COMPONENT_CANON_LOWER) return parse_lower(d, c);
    return parse_operands(d, forms[kind].operands, c);
}

static enum status parse_canon(struct decoder *d)
{
    struct component_canon *c = NULL;
    struct component_definition def = {.kind = COMPONENT_CANON, .offset = d->r.offset};
    TRY(parse_alloc(d, 1, sizeof *c, &c));
    TRY(parse_parts(d, c));
    TRY(canon_check(d, c, def.offset));
    def.canon = c;
    if (c->kind == COMPONENT_CANON_LIFT) {
        def.sort = COMPONENT_SORT_FUNC;
        TRY(add_entry(d, COMPONENT_SORT_FUNC, c->type));
    } else {
        struct core_extern what = {.kind = WASM_EXT_FUNC, .signature = &c->signature};
        def.sort = COMPONENT_SORT_CORE_FUNC;
        TRY(add_core(d, COMPONENT_SORT_CORE_FUNC, &what));
    }
    return add_definition(d, &def);
}

enum status parse_section_canons(struct decoder *d)
{
    uint32_t count;
    TRY(reader_count(&d->r, COMPONENT_DEFINITIONS_MAX, "canonical functions", &count, d->err));
    for (uint32_t i = 0; i < count; i++) TRY(parse_canon(d));
    return ST_OK;
}
