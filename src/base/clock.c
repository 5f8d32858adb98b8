#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/compiler.h"

static uint64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t system_monotonic_ns(UNUSED void *context)
{
    return read_ns(CLOCK_MONOTONIC);
}

static uint64_t system_realtime_ns(UNUSED void *context)
{
    return read_ns(CLOCK_REALTIME);
}

static void system_fill(UNUSED void *context, void *bytes, size_t size_bytes)
{
    unsigned char *p = bytes;
    /* The system writes only where the process may, and pages of a guest that may become writable
     * on demand only the process itself (runtime/slot.h). */
    memset(bytes, 0, size_bytes);
    while (size_bytes) {
        ssize_t got = getrandom(p, size_bytes, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            abort(); /* no randomness is no state to go on in */
        }
        p += got;
        size_bytes -= (size_t)got;
    }
}

const struct clock *clock_system(void)
{
    static const struct clock system = {system_monotonic_ns, system_realtime_ns, NULL};
    return &system;
}

const struct random_source *random_system(void)
{
    static const struct random_source system = {system_fill, NULL};
    return &system;
}
