/* What is not a function of a module: thunks of host imports, trampolines from the host into
 * guest code, and init functions. */
#include <assert.h>
#include <stdio.h>

#include "emit_module.h"
#include "layout.h"

#define NAME_BYTES_MAX 24u

static const struct wasm_type type_empty = {.composite = WASM_FUNC_TYPE};

static void set_call(struct function_emitter *f, LLVMValueRef call)
{
    LLVMSetInstructionCallConv(call, f->e->callconv);
    LLVMAddCallSiteAttribute(call, 1, f->e->swiftself);
    LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, f->e->nounwind);
    if (f->e->strict) LLVMAddCallSiteAttribute(call, EMIT_ON_FUNCTION, f->e->strictfp);
}

/* ---- thunks ---- */

/* Results of a thunk: from `values` to where the caller expects them. */
static void thunk_return(struct function_emitter *f, LLVMValueRef values)
{
    bool through_memory = f->type->results_count > EMIT_RESULTS_DIRECT_MAX;
    if (through_memory) f->results = LLVMGetParam(f->fn, 1);
    for (uint32_t i = 0; i < f->type->results_count; i++) {
        LLVMTypeRef type = emit_type(f->e, f->type->results[i]);
        LLVMValueRef value = LLVMBuildLoad2(f->builder, type, emit_value_pointer(f, values, i), "");
        if (through_memory)
            LLVMBuildStore(f->builder, value, emit_value_pointer(f, f->results, i));
        else
            emit_push(f, value);
    }
    if (through_memory)
        LLVMBuildRetVoid(f->builder);
    else
        emit_return(f);
}

enum status emit_thunk(struct emitter *e, uint32_t func, struct error *err)
{
    const struct program_func *pf = &e->program->funcs[func];
    const struct wasm_type *type = emit_program_type(e->program, pf->type_id);
    char name[NAME_BYTES_MAX];
    snprintf(name, sizeof name, "f%u", e->numbers[func]);
    LLVMValueRef fn = emit_define(e, name, emit_function_type(e, type), e->callconv);
    struct function_emitter f;
    enum status st = emit_open(&f, e, fn, name, err);
    if (st) return st;
    f.type = type;
    uint32_t count =
        type->params_count > type->results_count ? type->params_count : type->results_count;
    uint32_t first_param = type->results_count > EMIT_RESULTS_DIRECT_MAX ? 2 : 1;
    LLVMValueRef values = emit_alloca_values(&f, count);
    for (uint32_t i = 0; i < type->params_count; i++)
        LLVMBuildStore(f.builder, LLVMGetParam(fn, first_param + i),
                       emit_value_pointer(&f, values, i));
    LLVMValueRef args[2] = {emit_i32(e, func), values};
    emit_helper(&f, HELPER_import_call, args, 2);
    thunk_return(&f, values);
    emit_close(&f);
    return ST_OK;
}

/* ---- trampolines ---- */

void emit_trampoline(struct emitter *e, uint32_t type_id, uint32_t number)
{
    const struct wasm_type *type = type_id ? emit_program_type(e->program, type_id) : &type_empty;
    char name[NAME_BYTES_MAX];
    snprintf(name, sizeof name, "t%u", number);
    LLVMTypeRef ptr = e->types.ptr;
    LLVMTypeRef params[3] = {ptr, ptr, ptr};
    LLVMValueRef fn =
        emit_define(e, name, LLVMFunctionType(e->types.void_, params, 3, false), LLVMCCallConv);
    struct function_emitter f;
    if (emit_open(&f, e, fn, name, NULL)) return;
    LLVMValueRef values = LLVMGetParam(fn, 2);
    LLVMValueRef args[WASM_PARAMS_MAX + 2];
    uint32_t count = 0;
    args[count++] = f.base;
    if (type->results_count > EMIT_RESULTS_DIRECT_MAX) args[count++] = values;
    for (uint32_t i = 0; i < type->params_count; i++)
        args[count++] = LLVMBuildLoad2(f.builder, emit_type(e, type->params[i]),
                                       emit_value_pointer(&f, values, i), "");
    LLVMValueRef call = LLVMBuildCall2(f.builder, emit_function_type(e, type), LLVMGetParam(fn, 1),
                                       args, count, "");
    set_call(&f, call);
    if (type->results_count == 1)
        LLVMBuildStore(f.builder, call, values);
    else if (type->results_count <= EMIT_RESULTS_DIRECT_MAX)
        for (uint32_t i = 0; i < type->results_count; i++)
            LLVMBuildStore(f.builder, LLVMBuildExtractValue(f.builder, call, i, ""),
                           emit_value_pointer(&f, values, i));
    LLVMBuildRetVoid(f.builder);
    emit_close(&f);
}

/* ---- init functions (Core §4.5.4) ---- */

LLVMValueRef emit_constant_expr(struct function_emitter *f, struct wasm_expr expr)
{
    struct wasm_reader r = {f->module->bytes, expr.offset, expr.offset + expr.size_bytes};
    for (;;) {
        struct wasm_instr instr;
        if (wasm_instr_next(&r, &instr, f->err)) return NULL;
        if (instr.op == WASM_OP_END) return emit_pop(f);
        if (f->stack_capacity - f->stack_count < 2) return NULL;
        emit_at(f, instr.offset);
        if (!emit_instruction(f, &instr)) return NULL;
    }
}

static bool init_globals(struct function_emitter *f)
{
    const struct wasm_module *m = f->module;
    for (uint32_t i = m->imported_globals_count; i < m->globals_count; i++) {
        LLVMValueRef value = emit_constant_expr(f, m->globals[i].init);
        if (!value) return false;
        emit_context_store(f, value, f->e->layout->globals[f->facts.instance->globals[i]]);
    }
    return true;
}

static void init_memories(struct function_emitter *f)
{
    const struct wasm_module *m = f->module;
    for (uint32_t i = m->imported_memories_count; i < m->memories_count; i++) {
        uint64_t bytes = m->memories[i].limits.min * WASM_PAGE_BYTES;
        emit_context_store(f, emit_i64(f->e, bytes),
                           f->e->layout->memory_sizes[f->facts.instance->memories[i]]);
    }
}

static bool init_tables(struct function_emitter *f)
{
    const struct wasm_module *m = f->module;
    for (uint32_t i = m->imported_tables_count; i < m->tables_count; i++) {
        uint32_t table = f->facts.instance->tables[i];
        uint64_t min = m->tables[i].limits.min;
        emit_context_store(f, emit_i32(f->e, (uint32_t)min),
                           f->e->layout->tables[table].size_offset);
        if (!m->tables[i].has_init) continue;
        LLVMValueRef value = emit_constant_expr(f, m->tables[i].init);
        if (!value) return false;
        LLVMValueRef args[4] = {emit_i32(f->e, table), emit_i64(f->e, 0), value,
                                emit_i64(f->e, min)};
        emit_helper(f, HELPER_table_fill, args, 4);
    }
    return true;
}

/* Elements that are not constant references are computed into the context. */
static bool init_computed_elements(struct function_emitter *f)
{
    const struct wasm_module *m = f->module;
    for (uint32_t s = 0; s < m->elements_count; s++) {
        const struct layout_element *l =
            &f->e->layout->elements[f->facts.instance->elements_first + s];
        const struct wasm_element_segment *segment = &m->elements[s];
        if (!l->in_context || !segment->exprs) continue;
        for (uint32_t i = 0; i < l->count; i++) {
            LLVMValueRef value = emit_constant_expr(f, segment->exprs[i]);
            if (!value) return false;
            emit_context_store(f, value, l->elements_offset + 4 * (int64_t)i);
        }
    }
    return true;
}

static bool apply_segment(struct function_emitter *f, enum helper init, enum helper drop,
                          uint32_t target, uint32_t segment, struct wasm_expr offset,
                          uint64_t count)
{
    LLVMValueRef at = emit_constant_expr(f, offset);
    if (!at) return false;
    at = LLVMBuildZExt(f->builder, at, f->t->i64, "");
    LLVMValueRef args[5] = {emit_i32(f->e, target), emit_i32(f->e, segment), at, emit_i64(f->e, 0),
                            emit_i64(f->e, count)};
    emit_helper(f, init, args, 5);
    emit_helper(f, drop, &args[1], 1);
    return true;
}

static bool init_segments(struct function_emitter *f)
{
    const struct wasm_module *m = f->module;
    for (uint32_t s = 0; s < m->elements_count; s++) {
        const struct wasm_element_segment *e = &m->elements[s];
        if (e->mode == WASM_ACTIVE &&
            !apply_segment(f, HELPER_table_init, HELPER_elem_drop,
                           f->facts.instance->tables[e->table],
                           f->facts.instance->elements_first + s, e->offset, e->count))
            return false;
    }
    uint32_t many;
    for (uint32_t s = 0; s < m->datas_count; s++) {
        if (emit_constant_datas(f, s, &many)) return false;
        s += many;
        if (s == m->datas_count) break;
        const struct wasm_data_segment *d = &m->datas[s];
        if (d->mode == WASM_ACTIVE &&
            !apply_segment(f, HELPER_memory_init, HELPER_data_drop,
                           f->facts.instance->memories[d->memory],
                           f->facts.instance->datas_first + s, d->offset, d->bytes_size))
            return false;
    }
    return true;
}

static bool init_within_limit(const struct wasm_module *m)
{
    uint64_t steps = (uint64_t)m->globals_count + m->elements_count + m->datas_count;
    for (uint32_t s = 0; s < m->elements_count; s++)
        if (m->elements[s].exprs) steps += m->elements[s].count;
    return steps <= EMIT_INIT_STEPS_MAX;
}

enum status emit_init(struct emitter *e, uint32_t instance, struct error *err)
{
    char name[NAME_BYTES_MAX];
    snprintf(name, sizeof name, "init%u", instance);
    const struct wasm_module *m = e->program->instances[instance].module;
    if (!init_within_limit(m))
        return error_set(err, ST_LIMIT, "more than %u computed elements, globals and segments",
                         EMIT_INIT_STEPS_MAX);
    LLVMValueRef fn = emit_define(e, name, emit_function_type(e, &type_empty), e->callconv);
    struct function_emitter f;
    enum status st = emit_open(&f, e, fn, name, err);
    if (st) return st;
    f.facts = facts_of(e->program, e->layout, instance);
    f.module = m;
    f.type = &type_empty;
    init_memories(&f);
    if (!init_globals(&f) || !init_tables(&f) || !init_computed_elements(&f) || !init_segments(&f))
        st = error_set(err, ST_UNSUPPORTED, "offset 0x%zx: constant expression not supported yet",
                       f.offset);
    emit_at(&f, 0);
    emit_locate(&f);
    LLVMBuildRetVoid(f.builder);
    emit_close(&f);
    return st;
}
