#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static const char *const reasons[SKIPS_COUNT] = {
    [SKIP_GC] = "need GC",
    [SKIP_FUNCTION_REFS] = "need typed function references",
    [SKIP_EXCEPTIONS] = "need exceptions",
    [SKIP_LEGACY] = "need legacy exceptions",
    [SKIP_TEXT] = "are malformed as text, which only the text parser sees",
    [SKIP_TEXT_KEPT] = "are malformed as text, which the text parser let pass",
    [SKIP_LIMIT] = "are valid definitions past a limit of the implementation",
    [SKIP_DEAD_LOAD] = "need conforming mode: the trap of an unused load",
    [SKIP_NAN_BITS] = "need conforming mode: the bits of a NaN",
};

struct report *report_new(void)
{
    struct report *r =
        mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    return r;
}

void report_pass(struct report *r)
{
    r->passed++;
}

void report_skip(struct report *r, enum skip reason)
{
    r->skipped[reason]++;
}

void report_fail(struct report *r, const char *path, uint32_t line, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->failed++;
    printf("FAIL %s:%u: %s\n", path, line, text);
    fflush(stdout);
}

void report_fail_silently(struct report *r)
{
    r->failed++;
}

void report_print(struct report *r)
{
    unsigned skipped = 0;
    for (int i = 0; i < SKIPS_COUNT; i++) {
        if (r->skipped[i]) printf("skipped: %u that %s\n", r->skipped[i], reasons[i]);
        skipped += r->skipped[i];
    }
    if (r->preemptions) printf("preempted: %u times\n", r->preemptions);
    printf("%u passed, %u failed, %u skipped\n", r->passed, r->failed, skipped);
}
