/* Which faults are traps, and what a guest was doing when it trapped.
 *
 * At a stop only addresses are gathered, on the host's stack or none, because the guest's frames
 * are overwritten as soon as C code runs on the fiber again. They become functions and offsets
 * afterwards. */
#include "instance.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- faults ---- */

/* Signal context from here on: reads only. */
static uint32_t kind_of_access(const struct instance *i, uintptr_t address, bool in_function)
{
    const struct slot *s = &i->slot;
    uintptr_t stack_low = (uintptr_t)s->stack_low;
    if (address >= stack_low - SLOT_STACK_GUARD_BYTES && address < stack_low)
        return TRAP_STACK_EXHAUSTED;
    uintptr_t base = (uintptr_t)s->base;
    const struct module *m = i->module;
    if (!in_function || address < base || address >= base + m->lanes_count * SLOT_LANE_BYTES)
        return TRAP_NONE;
    size_t memory = (address - base) / SLOT_LANE_BYTES;
    uint64_t offset = (address - base) % SLOT_LANE_BYTES;
    /* Inside a memory nothing may fault: that would be the system's failure, not the guest's. */
    if (memory < m->memories_count && offset < *slot_memory_size(s, memory)) return TRAP_NONE;
    return TRAP_MEMORY_BOUNDS;
}

bool trap_on_fault(const struct fault *fault)
{
    if (fault->signal == SIGSEGV && slot_unseal_at(fault->address)) return true;
    struct instance *i = (struct instance *)guest_current;
    if (!i || !i->guest.entry) return false;
    const struct module *m = i->module;
    uintptr_t offset = fault->pc - (uintptr_t)m->code;
    if (offset >= m->code_bytes) return false;
    bool in_function = artifact_find_func(m->artifact, (uint32_t)offset) != NULL;
    uint32_t kind = TRAP_NONE;
    switch (fault->signal) {
    case SIGSEGV:
    case SIGBUS: kind = kind_of_access(i, fault->address, in_function); break;
    /* Generated code checks before it divides and has no other way to these signals, so they mean
     * a bug of the compiler's: one that costs this guest its call, not its neighbours theirs. */
    case SIGILL: kind = in_function ? TRAP_UNREACHABLE : TRAP_NONE; break;
    case SIGFPE: kind = in_function ? TRAP_DIVIDE_BY_ZERO : TRAP_NONE; break;
    default: break;
    }
    if (kind == TRAP_NONE) return false;
    guest_context_stop(fault->ucontext, &i->guest, (uint64_t)kind << 32);
    return true;
}

/* ---- the walk ---- */

/* [address, address + bytes) is on the fiber's stack, below the entry that is being stopped. */
#define ON_STACK(low, high, address, bytes)                                                        \
    ((address) >= (low) && (address) % sizeof(uintptr_t) == 0 && (address) <= (high) - (bytes))

/* Follows the chain of frame pointers, which are data of a guest that went wrong: each must lie on
 * the stack and above the one before. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined"))) void
trap_stopped(struct guest_state *state)
{
    struct instance *i = (struct instance *)state;
    uintptr_t low = (uintptr_t)i->slot.stack_low, high = (uintptr_t)state->entry;
    uint32_t count = 0;
    i->stop_pcs[count++] = state->stop_pc;
    i->stop_pcs_cut = false;
    i->stop_top = 0;
    if (state->stop_is_fault && ON_STACK(low, high, state->stop_sp, sizeof(uintptr_t)))
        i->stop_top = *(const uintptr_t *)state->stop_sp;
    uintptr_t frame = state->stop_fp;
    while (ON_STACK(low, high, frame, 2 * sizeof(uintptr_t))) {
        const uintptr_t *words = (const uintptr_t *)frame;
        if (count == TRAP_FRAMES_MAX) {
            i->stop_pcs_cut = true;
            break;
        }
        i->stop_pcs[count++] = words[1];
        if (words[0] <= frame) break;
        frame = words[0];
    }
    i->stop_pcs_count = count;
}

/* ---- the description ---- */

/* `from_origin` is where the instruction stands, counted from the function's origin; 0: unknown.
 * A return address belongs to the call before it; the next instruction may be another function's.
 * Padding, trampolines and C code are left out. */
static void add_frame(struct instance *i, uintptr_t pc, bool is_return, uint32_t from_origin)
{
    const struct module *m = i->module;
    struct trap *trap = &i->trap;
    uintptr_t offset = pc - (uintptr_t)m->code - (is_return ? 1 : 0);
    if (offset >= m->code_bytes) return;
    const struct artifact_func *f = artifact_find_func(m->artifact, (uint32_t)offset);
    if (!f) return;
    if (trap->frames_count == TRAP_FRAMES_MAX) {
        trap->frames_cut = true;
        return;
    }
    uint32_t wasm_offset = from_origin ? f->wasm_origin + from_origin : 0;
    if (!wasm_offset) {
        uint32_t found;
        if (artifact_find_wasm_offset(m->artifact, (uint32_t)offset, &found)) wasm_offset = found;
    }
    trap->frames[trap->frames_count++] =
        (struct trap_frame){.func = (uint32_t)(f - m->funcs), .wasm_offset = wasm_offset};
}

/* At its first instruction a function has not saved the frame pointer yet, so that the chain starts
 * with its caller's caller; its caller's address is on top of the stack. */
static bool at_prologue(const struct instance *i, uintptr_t pc)
{
    const struct module *m = i->module;
    uintptr_t offset = pc - (uintptr_t)m->code;
    if (offset >= m->code_bytes) return false;
    const struct artifact_func *f = artifact_find_func(m->artifact, (uint32_t)offset);
    return f && f->code_offset == offset;
}

void trap_describe(struct instance *i, uint32_t kind)
{
    struct trap *trap = &i->trap;
    trap->kind = i->cancelled ? TRAP_CANCEL : kind;
    if (!i->trap_goes_on) {
        trap->frames_count = 0;
        trap->frames_cut = false;
    }
    i->trap_goes_on = false;
    trap->frames_cut |= i->stop_pcs_cut;
    if (kind != TRAP_HOST) trap->text[0] = 0;
    bool is_fault = i->guest.stop_is_fault;
    for (uint32_t k = 0; k < i->stop_pcs_count; k++) {
        uint32_t from_origin = k == 0 ? (uint32_t)i->guest.stop_code : 0;
        add_frame(i, i->stop_pcs[k], k > 0 || !is_fault, from_origin);
        if (k == 0 && is_fault && i->stop_top && at_prologue(i, i->stop_pcs[0]))
            add_frame(i, i->stop_top, true, 0);
    }
}

void trap_set_plain(struct instance *i, uint32_t kind)
{
    i->trap.kind = kind;
    i->trap.frames_count = 0;
    i->trap.frames_cut = false;
    i->trap.text[0] = 0;
    i->trap_goes_on = false;
}

enum call_result instance_refuse(struct instance *i, const char *text)
{
    trap_set_plain(i, TRAP_HOST);
    instance_set_trap_text(i, "%s", text);
    return CALL_TRAPPED;
}

bool instance_pause(struct instance *i)
{
    uint32_t kind = i->cancelled ? (uint32_t)TRAP_CANCEL : preempt_point(i);
    if (kind) trap_set_plain(i, kind);
    return kind == TRAP_NONE;
}

const struct trap *instance_trap(const struct instance *i)
{
    return &i->trap;
}

void instance_set_trap_text(struct instance *i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(i->trap.text, sizeof i->trap.text, fmt, ap);
    va_end(ap);
}

void instance_set_exit(struct instance *i, uint32_t code)
{
    i->exit_code = code;
}

uint32_t instance_exit_code(const struct instance *i)
{
    return i->exit_code;
}
