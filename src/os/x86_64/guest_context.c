/* The C half of guest entry on x86-64: prepared stacks, signal contexts, and the stubs' places. */
#include <assert.h>
#include <stddef.h>
#include <ucontext.h>

#include "os/guest_entry.h"

#include "guest_offsets.h"

#define OFFSET_IS(field, offset)                                                                   \
    static_assert(offsetof(struct guest_state, field) == (offset), "guest_offsets.h: " #field)

OFFSET_IS(stack_limit, GUEST_STACK_LIMIT);
OFFSET_IS(helpers, GUEST_HELPERS);
OFFSET_IS(entry, GUEST_ENTRY);
OFFSET_IS(stop_stack, GUEST_STOP_STACK);
OFFSET_IS(stopped, GUEST_STOPPED);
OFFSET_IS(stop_code, GUEST_STOP_CODE);
OFFSET_IS(stop_pc, GUEST_STOP_PC);
OFFSET_IS(stop_fp, GUEST_STOP_FP);
OFFSET_IS(stop_sp, GUEST_STOP_SP);
OFFSET_IS(overflow_code, GUEST_OVERFLOW_CODE);
OFFSET_IS(wide_vectors, GUEST_WIDE_VECTORS);
OFFSET_IS(stop_is_fault, GUEST_STOP_IS_FAULT);

_Thread_local struct guest_state *guest_current;

extern const uint8_t guest_stubs_value[], guest_stubs_traps[], guest_stub_stop[];
extern const uint8_t guest_stop[], guest_stack_bottom[];

const void *guest_stub(enum guest_stub_kind kind, uint32_t number)
{
    assert(number < GUEST_STUBS_MAX);
    switch (kind) {
    case GUEST_STUB_VALUE: return guest_stubs_value + (size_t)number * GUEST_STUB_BYTES;
    case GUEST_STUB_TRAPS: return guest_stubs_traps + (size_t)number * GUEST_STUB_BYTES;
    case GUEST_STUB_STOP: break;
    }
    return guest_stub_stop;
}

/* The order is that of RESTORE_CALLEE in guest_entry.S. */
struct switch_frame {
    uint32_t mxcsr;
    uint16_t fpucw;
    uint16_t pad;
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t return_address;
};

void *guest_stack_prepare(void *stack_high, void (*entry)(void *), void *argument)
{
    /* At guest_stack_bottom the stack pointer is stack_high, aligned for its call. */
    assert((uintptr_t)stack_high % 16 == 0);
    struct switch_frame *frame = (struct switch_frame *)stack_high - 1;
    *frame = (struct switch_frame){
        .mxcsr = GUEST_MXCSR,
        .fpucw = GUEST_FPUCW,
        .r12 = (uintptr_t)argument,
        .rbx = (uintptr_t)entry,
        .return_address = (uintptr_t)guest_stack_bottom,
    };
    return frame;
}

static uintptr_t context_register(const void *ucontext, int number)
{
    const ucontext_t *c = ucontext;
    return (uintptr_t)c->uc_mcontext.gregs[number];
}

struct guest_registers guest_context_registers(const void *ucontext)
{
    return (struct guest_registers){
        .pc = context_register(ucontext, REG_RIP),
        .sp = context_register(ucontext, REG_RSP),
        .fp = context_register(ucontext, REG_RBP),
    };
}

void guest_context_stop(void *ucontext, struct guest_state *state, uint64_t stop_code)
{
    struct guest_registers registers = guest_context_registers(ucontext);
    state->stop_code = stop_code;
    state->stop_pc = registers.pc;
    state->stop_fp = registers.fp;
    state->stop_sp = registers.sp;
    state->stop_is_fault = 1;
    ucontext_t *c = ucontext;
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)guest_stop;
}

bool guest_wide_vectors(void)
{
    return __builtin_cpu_supports("avx");
}
