/* Reads components from standard input, each behind its length as a 32-bit little-endian number,
 * and writes a line for each: "ok", or the status and the error's text. Of a valid one a plan is
 * made as well, which may fail only by name. What validate_oracle.mjs compares with wasm-tools'
 * verdicts. */
#include <stdio.h>
#include <stdlib.h>

#include "component/component.h"
#include "component/plan.h"

static void judge(const unsigned char *bytes, size_t size)
{
    struct component *c = NULL;
    struct plan *plan = NULL;
    struct error err = {0};
    enum status st = component_decode(bytes, size, 1, &c, &err);
    if (st)
        printf("%s %s\n", status_name(st), err.text);
    else if ((st = plan_new(c, &plan, &err)) && st != ST_UNSUPPORTED && st != ST_LIMIT)
        printf("plan: %s %s\n", status_name(st), err.text);
    else
        puts("ok");
    plan_free(plan);
    component_free(c);
}

int main(void)
{
    unsigned char head[4];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        size_t size =
            (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        /* Exactly the component's size, so that a sanitizer sees a read past its end. */
        unsigned char *bytes = malloc(size ? size : 1);
        if (!bytes || fread(bytes, 1, size, stdin) != size) return 1;
        judge(bytes, size);
        free(bytes);
    }
    return 0;
}
