#include "base/threads.h"

#include <assert.h>
#include <pthread.h>
#include <unistd.h>

uint32_t threads_count(uint32_t wanted)
{
    if (!wanted) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        wanted = cores > 0 ? (uint32_t)cores : 1;
    }
    return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

void threads_run(uint32_t count, void *(*run)(void *context), void *context)
{
    pthread_t others[THREADS_MAX];
    uint32_t started = 0;
    assert(count <= THREADS_MAX);
    while (started + 1 < count && !pthread_create(&others[started], NULL, run, context)) started++;
    run(context);
    for (uint32_t i = 0; i < started; i++) pthread_join(others[i], NULL);
}
