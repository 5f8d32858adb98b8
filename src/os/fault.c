#include "os/fault.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

#include "os/guest_entry.h"
#include "os/vm.h"

static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

/* Written before any guest runs, read by handlers. */
static fault_handler *fault_handle;
static struct sigaction fault_previous[ARRAY_COUNT(fault_signals)];

static const struct sigaction *previous_of(int number)
{
    size_t k = 0;
    while (k + 1 < ARRAY_COUNT(fault_signals) && fault_signals[k] != number) k++;
    return &fault_previous[k];
}

/* What the signal would have done without us. */
static void chain(int number, siginfo_t *info, void *ucontext)
{
    const struct sigaction *previous = previous_of(number);
    bool raised_by_processor = info->si_code > 0;
    if (previous->sa_flags & SA_SIGINFO) {
        previous->sa_sigaction(number, info, ucontext);
        return;
    }
    if (previous->sa_handler == SIG_IGN && !raised_by_processor) return;
    if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        previous->sa_handler(number);
        return;
    }
    /* The default is to die of it, with a core. A fault of the processor comes again when its
     * instruction is repeated (the system does not let it be ignored); a sent signal must be sent
     * again, and is delivered when this handler returns. */
    struct sigaction die = {.sa_handler = SIG_DFL};
    sigaction(number, &die, NULL);
    if (!raised_by_processor) raise(number);
}

static void on_fault(int number, siginfo_t *info, void *ucontext)
{
    int saved_errno = errno;
    if (info->si_code > 0) {
        const struct fault fault = {
            .signal = number,
            .address = (uintptr_t)info->si_addr,
            .pc = guest_context_registers(ucontext).pc,
            .ucontext = ucontext,
        };
        if (fault_handle(&fault)) {
            errno = saved_errno;
            return;
        }
    }
    chain(number, info, ucontext);
    errno = saved_errno;
}

static enum status install_one(size_t k, struct error *err)
{
    struct sigaction found;
    int number = fault_signals[k];
    if (sigaction(number, NULL, &found) != 0)
        return error_set_errno(err, errno, "signal %d", number);
    if ((found.sa_flags & SA_SIGINFO) && found.sa_sigaction == on_fault) return ST_OK;
    fault_previous[k] = found;
    struct sigaction ours = {
        .sa_sigaction = on_fault,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | (found.sa_flags & SA_NODEFER),
        .sa_mask = found.sa_mask,
    };
    if (sigaction(number, &ours, NULL) != 0)
        return error_set_errno(err, errno, "signal %d", number);
    return ST_OK;
}

enum status fault_install(fault_handler *handler, struct error *err)
{
    assert(handler && (!fault_handle || fault_handle == handler));
    fault_handle = handler;
    enum status st = ST_OK;
    for (size_t k = 0; !st && k < ARRAY_COUNT(fault_signals); k++) st = install_one(k, err);
    return st;
}

/* ---- alternate stacks ---- */

static pthread_key_t stack_key;
static pthread_once_t stack_key_once = PTHREAD_ONCE_INIT;
static bool stack_key_made;

static void stack_free(void *mapping)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(mapping, VM_PAGE + FAULT_STACK_BYTES);
}

static void stack_key_make(void)
{
    stack_key_made = pthread_key_create(&stack_key, stack_free) == 0;
}

enum status fault_thread_init(struct error *err)
{
    pthread_once(&stack_key_once, stack_key_make);
    if (!stack_key_made) return error_set(err, ST_NO_MEMORY, "no thread-specific key");
    if (pthread_getspecific(stack_key)) return ST_OK;
    uint8_t *mapping = mmap(NULL, VM_PAGE + FAULT_STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return error_set(err, ST_NO_MEMORY, "signal stack");
    const stack_t stack = {.ss_sp = mapping + VM_PAGE, .ss_size = FAULT_STACK_BYTES};
    if (mprotect(mapping, VM_PAGE, PROT_NONE) != 0 || sigaltstack(&stack, NULL) != 0 ||
        pthread_setspecific(stack_key, mapping) != 0) {
        int number = errno;
        stack_free(mapping);
        return error_set_errno(err, number, "signal stack");
    }
    return ST_OK;
}
