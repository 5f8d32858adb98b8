/* The C half of preemption on x86-64: signal frames and the saved state. */
#include "os/guest_interrupt.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "os/guest_entry.h"

#include "interrupt_offsets.h"

#define FXSAVE_BYTES   512u
#define SW_RESERVED    464u        /* in the FXSAVE area: what the kernel says of the rest */
#define XSTATE_MAGIC   0x46505853u /* its first word when an XSAVE area follows */
#define SELECTORS_MASK 0xffffu

#define REGISTER(offset) ((offset) / sizeof(uint64_t))
#define IRET(number)     (REGISTER(INTERRUPT_IRET) + (number))

static_assert(offsetof(struct guest_interrupt, vectors) == INTERRUPT_VECTORS,
              "interrupt_offsets.h: vectors");

extern const uint8_t guest_stop[], guest_switched[];

/* struct _fpx_sw_bytes of the kernel's sigcontext. */
struct sw_reserved {
    uint32_t magic, extended_bytes;
    uint64_t features;
    uint32_t xstate_bytes;
};

static bool take_vectors(struct guest_interrupt *save, const void *fpstate)
{
    struct sw_reserved sw;
    memcpy(&sw, (const uint8_t *)fpstate + SW_RESERVED, sizeof sw);
    bool extended = sw.magic == XSTATE_MAGIC;
    size_t size = extended ? sw.xstate_bytes : FXSAVE_BYTES;
    if (size > sizeof save->vectors) return false;
    memcpy(save->vectors, fpstate, size);
    save->registers[REGISTER(INTERRUPT_XSAVE)] = extended;
    return true;
}

static void take_registers(struct guest_interrupt *save, const greg_t *from)
{
    static const struct {
        uint8_t to, from;
    } map[] = {
        {REGISTER(INTERRUPT_RAX), REG_RAX},
        {REGISTER(INTERRUPT_RBX), REG_RBX},
        {REGISTER(INTERRUPT_RCX), REG_RCX},
        {REGISTER(INTERRUPT_RDX), REG_RDX},
        {REGISTER(INTERRUPT_RSI), REG_RSI},
        {REGISTER(INTERRUPT_RDI), REG_RDI},
        {REGISTER(INTERRUPT_RBP), REG_RBP},
        {REGISTER(INTERRUPT_R8), REG_R8},
        {REGISTER(INTERRUPT_R9), REG_R9},
        {REGISTER(INTERRUPT_R10), REG_R10},
        {REGISTER(INTERRUPT_R11), REG_R11},
        {REGISTER(INTERRUPT_R12), REG_R12},
        {REGISTER(INTERRUPT_R13), REG_R13},
        {REGISTER(INTERRUPT_R14), REG_R14},
        {REGISTER(INTERRUPT_R15), REG_R15},
        {IRET(0), REG_RIP},
        {IRET(2), REG_EFL},
        {IRET(3), REG_RSP},
    };
    for (size_t k = 0; k < ARRAY_COUNT(map); k++)
        save->registers[map[k].to] = (uint64_t)from[map[k].from];
    uint16_t ss;
    __asm__("movw %%ss, %0" : "=r"(ss));
    save->registers[IRET(1)] = (uint64_t)from[REG_CSGSFS] & SELECTORS_MASK;
    save->registers[IRET(4)] = ss;
}

bool guest_interrupt_take(struct guest_interrupt *save, void *ucontext, void *host_sp)
{
    ucontext_t *c = ucontext;
    if (!take_vectors(save, c->uc_mcontext.fpregs)) return false;
    take_registers(save, c->uc_mcontext.gregs);
    c->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)host_sp;
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)guest_switched;
    return true;
}

void guest_interrupt_stop(struct guest_interrupt *save, struct guest_state *state,
                          uint64_t stop_code)
{
    state->stop_code = stop_code;
    state->stop_pc = save->registers[IRET(0)];
    state->stop_fp = save->registers[REGISTER(INTERRUPT_RBP)];
    state->stop_sp = save->registers[IRET(3)];
    state->stop_is_fault = 1;
    save->registers[IRET(0)] = (uintptr_t)guest_stop;
}
