/* The frame of a batch: LLVM context, types, attributes, debug information, declarations. */
#include "emit_module.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define CALLCONV_TAIL 18u /* llvm::CallingConv::Tail; the C API has no name for it */

/* The stack's guard is SLOT_STACK_GUARD_BYTES, so that frames below this need no probes. */
#define STACK_PROBE_BYTES "65536"

#define TRIPLE "x86_64-unknown-linux-gnu"
#define DATA_LAYOUT                                                                                \
    "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"

static void init_types(struct emitter *e)
{
    struct emit_types *t = &e->types;
    LLVMContextRef c = e->context;
    t->void_ = LLVMVoidTypeInContext(c);
    t->ptr = LLVMPointerTypeInContext(c, 0);
    t->metadata = LLVMMetadataTypeInContext(c);
    t->i1 = LLVMInt1TypeInContext(c);
    t->i8 = LLVMInt8TypeInContext(c);
    t->i16 = LLVMInt16TypeInContext(c);
    t->i32 = LLVMInt32TypeInContext(c);
    t->i64 = LLVMInt64TypeInContext(c);
    t->f32 = LLVMFloatTypeInContext(c);
    t->f64 = LLVMDoubleTypeInContext(c);
    t->v128 = LLVMVectorType(t->i8, 16);
    t->v8i16 = LLVMVectorType(t->i16, 8);
    t->v4i32 = LLVMVectorType(t->i32, 4);
    t->v2i64 = LLVMVectorType(t->i64, 2);
    t->v4f32 = LLVMVectorType(t->f32, 4);
    t->v2f64 = LLVMVectorType(t->f64, 2);
    t->v8i8 = LLVMVectorType(t->i8, 8);
    t->v4i16 = LLVMVectorType(t->i16, 4);
    t->v2i32 = LLVMVectorType(t->i32, 2);
    t->v2f32 = LLVMVectorType(t->f32, 2);
    t->value = LLVMArrayType2(t->i64, sizeof(struct value) / 8);
}

static LLVMMetadataRef md_string(struct emitter *e, const char *text)
{
    return LLVMMDStringInContext2(e->context, text, strlen(text));
}

/* Type-based alias tags: guest memory, context and host page are disjoint. */
static void init_alias(struct emitter *e)
{
    static const char *const names[EMIT_ALIAS_COUNT] = {"memory", "context", "host page"};
    LLVMMetadataRef root_name = md_string(e, "slot");
    LLVMMetadataRef root = LLVMMDNodeInContext2(e->context, &root_name, 1);
    LLVMMetadataRef zero = LLVMValueAsMetadata(emit_i64(e, 0));
    LLVMMetadataRef one = LLVMValueAsMetadata(emit_i64(e, 1));
    for (int i = 0; i < EMIT_ALIAS_COUNT; i++) {
        LLVMMetadataRef type_parts[3] = {md_string(e, names[i]), root, zero};
        LLVMMetadataRef type = LLVMMDNodeInContext2(e->context, type_parts, 3);
        LLVMMetadataRef tag_parts[4] = {type, type, zero, one};
        size_t parts_count = i == EMIT_ALIAS_HOST_PAGE ? 4 : 3; /* the last: constant memory */
        LLVMMetadataRef tag = LLVMMDNodeInContext2(e->context, tag_parts, parts_count);
        e->alias_tags[i] = LLVMMetadataAsValue(e->context, tag);
    }
    e->invariant = LLVMMetadataAsValue(e->context, LLVMMDNodeInContext2(e->context, NULL, 0));
    e->alias_kind = LLVMGetMDKindIDInContext(e->context, "tbaa", 4);
    e->invariant_kind = LLVMGetMDKindIDInContext(e->context, "invariant.load", 14);
}

static LLVMAttributeRef attribute(struct emitter *e, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    assert(kind);
    return LLVMCreateEnumAttribute(e->context, kind, 0);
}

static void init_debug(struct emitter *e)
{
    static const char *const producer = "mayfly";
    e->debug = LLVMCreateDIBuilder(e->module);
    e->debug_file = LLVMDIBuilderCreateFile(e->debug, "wasm", 4, "", 0);
    e->debug_unit = LLVMDIBuilderCreateCompileUnit(
        e->debug, LLVMDWARFSourceLanguageC99, e->debug_file, producer, strlen(producer), !e->fast,
        "", 0, 0, "", 0, LLVMDWARFEmissionLineTablesOnly, 0, false, false, "", 0, "", 0);
    e->debug_type =
        LLVMDIBuilderCreateSubroutineType(e->debug, e->debug_file, NULL, 0, LLVMDIFlagZero);
    LLVMAddModuleFlag(e->module, LLVMModuleFlagBehaviorWarning, "Debug Info Version", 18,
                      LLVMValueAsMetadata(emit_i32(e, LLVMDebugMetadataVersion())));
    LLVMAddModuleFlag(e->module, LLVMModuleFlagBehaviorWarning, "Dwarf Version", 13,
                      LLVMValueAsMetadata(emit_i32(e, 4)));
}

unsigned emit_callconv(const struct program *program)
{
    return program->features & WASM_FEATURE_TAIL_CALL ? CALLCONV_TAIL : (unsigned)LLVMCCallConv;
}

void emitter_init(struct emitter *e, const struct program *program, const struct layout *layout,
                  const struct codegen_options *options, enum codegen_level level,
                  const uint32_t *numbers)
{
    *e = (struct emitter){.program = program,
                          .layout = layout,
                          .options = options,
                          .numbers = numbers,
                          .level = level,
                          .fast = level == CODEGEN_FAST,
                          .strict = options->conforming,
                          .cpu_level = options->cpu_level};
    e->callconv = emit_callconv(program);
    e->context = LLVMContextCreate();
    LLVMContextSetDiscardValueNames(e->context, true);
    e->module = LLVMModuleCreateWithNameInContext("wasm", e->context);
    LLVMSetTarget(e->module, TRIPLE);
    LLVMSetDataLayout(e->module, DATA_LAYOUT);
    e->builder = LLVMCreateBuilderInContext(e->context);
    init_types(e);
    init_alias(e);
    init_debug(e);
    e->fp_rounding = LLVMMetadataAsValue(e->context, md_string(e, "round.tonearest"));
    e->fp_exceptions = LLVMMetadataAsValue(e->context, md_string(e, "fpexcept.maytrap"));
    e->swiftself = attribute(e, "swiftself");
    e->strictfp = attribute(e, "strictfp");
    e->noreturn = attribute(e, "noreturn");
    e->cold = attribute(e, "cold");
    e->nounwind = attribute(e, "nounwind");
    e->noinline = attribute(e, "noinline");
}

void emitter_finish(struct emitter *e)
{
    LLVMDIBuilderFinalize(e->debug);
}

void emitter_done(struct emitter *e)
{
    if (e->debug) LLVMDisposeDIBuilder(e->debug);
    if (e->builder) LLVMDisposeBuilder(e->builder);
    if (e->module) LLVMDisposeModule(e->module);
    if (e->context) LLVMContextDispose(e->context);
    *e = (struct emitter){0};
}

LLVMTypeRef emit_type(const struct emitter *e, struct wasm_valtype type)
{
    switch (type.kind) {
    case WASM_I64: return e->types.i64;
    case WASM_F32: return e->types.f32;
    case WASM_F64: return e->types.f64;
    case WASM_V128: return e->types.v128;
    default: return e->types.i32; /* and references */
    }
}

const struct wasm_type *emit_program_type(const struct program *p, uint32_t type_id)
{
    const struct program_type *t = &p->types[type_id];
    return &t->module->types[t->type];
}

LLVMTypeRef emit_function_type(const struct emitter *e, const struct wasm_type *type)
{
    LLVMTypeRef params[WASM_PARAMS_MAX + 2];
    LLVMTypeRef results[EMIT_RESULTS_DIRECT_MAX];
    uint32_t count = 0;
    params[count++] = e->types.ptr;
    if (type->results_count > EMIT_RESULTS_DIRECT_MAX) params[count++] = e->types.ptr;
    for (uint32_t i = 0; i < type->params_count; i++)
        params[count++] = emit_type(e, type->params[i]);
    LLVMTypeRef result = e->types.void_;
    if (type->results_count == 1) {
        result = emit_type(e, type->results[0]);
    } else if (type->results_count && type->results_count <= EMIT_RESULTS_DIRECT_MAX) {
        for (uint32_t i = 0; i < type->results_count; i++)
            results[i] = emit_type(e, type->results[i]);
        result = LLVMStructTypeInContext(e->context, results, type->results_count, false);
    }
    return LLVMFunctionType(result, params, count, false);
}

static void add_text_attribute(struct emitter *e, LLVMValueRef fn, const char *key,
                               const char *value)
{
    LLVMAddAttributeAtIndex(fn, EMIT_ON_FUNCTION,
                            LLVMCreateStringAttribute(e->context, key, (unsigned)strlen(key), value,
                                                      (unsigned)strlen(value)));
}

LLVMValueRef emit_declare(struct emitter *e, uint32_t func)
{
    char name[16];
    int length = snprintf(name, sizeof name, "f%u", e->numbers[func]);
    assert(length > 0 && (size_t)length < sizeof name);
    LLVMValueRef fn = LLVMGetNamedFunction(e->module, name);
    if (fn) return fn;
    const struct wasm_type *type = emit_program_type(e->program, e->program->funcs[func].type_id);
    fn = LLVMAddFunction(e->module, name, emit_function_type(e, type));
    LLVMSetVisibility(fn, LLVMHiddenVisibility);
    LLVMSetFunctionCallConv(fn, e->callconv);
    LLVMAddAttributeAtIndex(fn, 1, e->swiftself);
    LLVMAddAttributeAtIndex(fn, EMIT_ON_FUNCTION, e->nounwind);
    return fn;
}

LLVMValueRef emit_define(struct emitter *e, const char *name, LLVMTypeRef type, unsigned callconv)
{
    LLVMValueRef fn = LLVMGetNamedFunction(e->module, name);
    if (!fn) fn = LLVMAddFunction(e->module, name, type);
    LLVMSetVisibility(fn, LLVMHiddenVisibility);
    LLVMSetFunctionCallConv(fn, callconv);
    LLVMAddAttributeAtIndex(fn, 1, e->swiftself);
    LLVMAddAttributeAtIndex(fn, EMIT_ON_FUNCTION, e->nounwind);
    if (e->strict) LLVMAddAttributeAtIndex(fn, EMIT_ON_FUNCTION, e->strictfp);
    /* Backtraces and the address map take every function for one of the program's. */
    LLVMAddAttributeAtIndex(fn, EMIT_ON_FUNCTION, e->noinline);
    add_text_attribute(e, fn, "frame-pointer", "all");
    add_text_attribute(e, fn, "no-builtins", "");
    add_text_attribute(e, fn, "disable-tail-calls", "true");
    add_text_attribute(e, fn, "probe-stack", "inline-asm");
    add_text_attribute(e, fn, "stack-probe-size", STACK_PROBE_BYTES);
    LLVMSetAlignment(fn, 16);
    return fn;
}
