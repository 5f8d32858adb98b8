#include "os/fiber.h"

#include <assert.h>

#include "os/guest_entry.h"
#include "os/guest_interrupt.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#endif

#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

void fiber_init(struct fiber *f, void *stack_low, size_t stack_bytes)
{
    *f = (struct fiber){.stack_low = stack_low, .stack_bytes = stack_bytes, .finished = true};
#ifdef FIBER_TSAN
    f->fiber_shadow = __tsan_create_fiber(0);
#endif
}

void fiber_done(struct fiber *f)
{
    if (!f->stack_low) return;
    assert(f->finished);
#ifdef FIBER_ASAN
    __asan_unpoison_memory_region(f->stack_low, f->stack_bytes);
#endif
#ifdef FIBER_TSAN
    __tsan_destroy_fiber(f->fiber_shadow);
#endif
    *f = (struct fiber){0};
}

/* Part of their callers in every build: ThreadSanitizer counts functions entered and left, per
 * fiber. */
#define INLINE static inline __attribute__((always_inline))

/* Before a switch from the host to the fiber, and after the one back. */
INLINE void announce_entry(struct fiber *f)
{
    (void)f;
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&f->host_fake_stack, f->stack_low, f->stack_bytes);
#endif
#ifdef FIBER_TSAN
    f->host_shadow = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->fiber_shadow, 0);
#endif
}

INLINE void confirm_return(struct fiber *f)
{
    (void)f;
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->host_fake_stack, NULL, NULL);
#endif
}

/* After a switch that enters the fiber, and before one that leaves it. */
INLINE void confirm_entry(struct fiber *f)
{
    (void)f;
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->fiber_fake_stack, &f->host_stack_low, &f->host_stack_bytes);
#endif
}

INLINE void announce_return(struct fiber *f, bool for_good)
{
    (void)f;
    (void)for_good;
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(for_good ? NULL : &f->fiber_fake_stack, f->host_stack_low,
                                   f->host_stack_bytes);
    if (for_good) f->fiber_fake_stack = NULL;
#endif
#ifdef FIBER_TSAN
    __tsan_switch_to_fiber(f->host_shadow, 0);
#endif
}

static void fiber_main(void *argument)
{
    struct fiber *f = argument;
    confirm_entry(f);
    f->run(f->argument);
    f->finished = true;
    announce_return(f, true);
    guest_switch(&f->fiber_sp, f->host_sp);
    __builtin_unreachable();
}

static bool enter(struct fiber *f)
{
    announce_entry(f);
    guest_switch(&f->host_sp, f->fiber_sp);
    confirm_return(f);
    return f->finished;
}

/* Generated code confirms nothing, so that is done before it goes on. */
static bool enter_interrupted(struct fiber *f)
{
    const struct guest_interrupt *save = f->interrupted;
    f->interrupted = NULL;
    announce_entry(f);
    confirm_entry(f);
    guest_interrupt_resume(&f->host_sp, save);
    confirm_return(f);
    return f->finished;
}

bool fiber_start(struct fiber *f, void (*run)(void *argument), void *argument)
{
    assert(f->finished);
    f->run = run;
    f->argument = argument;
    f->finished = false;
    f->fiber_sp = guest_stack_prepare(f->stack_low + f->stack_bytes, fiber_main, f);
    return enter(f);
}

bool fiber_resume(struct fiber *f)
{
    assert(!f->finished);
    return f->interrupted ? enter_interrupted(f) : enter(f);
}

bool fiber_interrupt(struct fiber *f, struct guest_interrupt *save, void *ucontext)
{
    if (!guest_interrupt_take(save, ucontext, f->host_sp)) return false;
    announce_return(f, false);
    f->interrupted = save;
    return true;
}

void fiber_leave(struct fiber *f)
{
    announce_return(f, false);
    guest_switch(&f->fiber_sp, f->host_sp);
    confirm_entry(f);
}
