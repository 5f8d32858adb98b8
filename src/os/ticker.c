#include "os/ticker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000u

static ticker_handler *ticker_handle; /* written before any thread has a timer */
static pthread_key_t timer_key;
static pthread_once_t timer_key_once = PTHREAD_ONCE_INIT;
static bool timer_key_made;

static _Thread_local timer_t thread_timer;
static _Thread_local bool thread_has_timer;

static int ticker_signal(void)
{
    return SIGRTMIN + 1;
}

static void on_tick(int number, siginfo_t *info, void *ucontext)
{
    (void)number;
    int saved_errno = errno;
    bool ours =
        info->si_code == SI_TIMER || (info->si_code == SI_TKILL && info->si_pid == getpid());
    if (ours) ticker_handle(ucontext);
    errno = saved_errno;
}

enum status ticker_install(ticker_handler *handler, struct error *err)
{
    assert(handler && (!ticker_handle || ticker_handle == handler));
    ticker_handle = handler;
    struct sigaction ours = {
        .sa_sigaction = on_tick,
        .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART,
    };
    if (sigaction(ticker_signal(), &ours, NULL) != 0)
        return error_set_errno(err, errno, "signal %d", ticker_signal());
    return ST_OK;
}

/* The thread's own storage is gone when keys are destroyed, so the value is a copy of the id. */
static void timer_free(void *value)
{
    timer_delete(*(timer_t *)value);
    free(value);
}

static void timer_key_make(void)
{
    timer_key_made = pthread_key_create(&timer_key, timer_free) == 0;
}

enum status ticker_thread_init(struct error *err)
{
    if (thread_has_timer) return ST_OK;
    pthread_once(&timer_key_once, timer_key_make);
    timer_t *kept = timer_key_made ? malloc(sizeof *kept) : NULL;
    if (!kept) return error_set(err, ST_NO_MEMORY, "no thread-specific timer");
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = ticker_signal(),
        ._sigev_un._tid = gettid(),
    };
    if (timer_create(CLOCK_MONOTONIC, &event, &thread_timer) != 0) {
        free(kept);
        return error_set_errno(err, errno, "timer of the thread");
    }
    *kept = thread_timer;
    thread_has_timer = pthread_setspecific(timer_key, kept) == 0;
    if (thread_has_timer) return ST_OK;
    timer_free(kept);
    return error_set(err, ST_NO_MEMORY, "no thread-specific timer");
}

void ticker_start(uint64_t delay_ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(delay_ns / NS_PER_S),
                     .tv_nsec = (long)(delay_ns % NS_PER_S)},
    };
    timer_settime(thread_timer, 0, &when, NULL);
}

void ticker_poke(pid_t thread)
{
    (void)tgkill(getpid(), thread, ticker_signal());
}
