/* Slots that are not in use, for AddressSanitizer. */
#include "slot.h"

#ifdef SLOT_POISON
#include <sanitizer/asan_interface.h>

/* Of large memories the beginning: poison takes an eighth of it. */
#define POISON_BYTES_MAX (4ull << 20)

/* Memory that was grown into is inaccessible after a reset in any build. */
static void mark(const struct slot *s, bool asleep)
{
    const struct module *m = s->module;
    struct {
        uint8_t *start;
        size_t size_bytes;
    } parts[2 + SLOT_LANES_MAX] = {{s->base - m->header->context_bytes, m->header->context_bytes},
                                   {s->stack_low, s->stack_bytes}};
    size_t count = 2;
    for (size_t k = 0; k < m->memories_count; k++, count++) {
        parts[count].start = slot_lane(s, k);
        parts[count].size_bytes = m->memory_bytes[k];
    }
    for (size_t k = 0; k < count; k++) {
        size_t bytes = parts[k].size_bytes;
        if (bytes > POISON_BYTES_MAX && k != 1) bytes = POISON_BYTES_MAX;
        if (asleep)
            __asan_poison_memory_region(parts[k].start, bytes);
        else
            __asan_unpoison_memory_region(parts[k].start, bytes);
    }
    ((struct slot *)(uintptr_t)s)->asleep = asleep;
}

void slot_sleep(struct slot *s)
{
    mark(s, true);
}

void slot_wake(const struct slot *s)
{
    if (s->asleep) mark(s, false);
}
#endif
