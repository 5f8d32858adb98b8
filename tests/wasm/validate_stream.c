/* Reads modules from standard input, each behind its length as a 32-bit little-endian number, and
 * writes a line for each: "ok", or the status and the error's text. What the scripts beside it
 * compare with other validators' verdicts. */
#include <stdio.h>
#include <stdlib.h>

#include "wasm/wasm.h"

static void judge(const unsigned char *bytes, size_t size)
{
    struct wasm_module *m = NULL;
    struct error err = {0};
    enum status st = wasm_module_decode(bytes, size, 1, &m, &err);
    if (st)
        printf("%s %s\n", status_name(st), err.text);
    else
        puts("ok");
    wasm_module_free(m);
}

int main(void)
{
    unsigned char head[4];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        size_t size =
            (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        /* Exactly the module's size, so that a sanitizer sees a read past its end. */
        unsigned char *bytes = malloc(size ? size : 1);
        if (!bytes || fread(bytes, 1, size, stdin) != size) return 1;
        judge(bytes, size);
        free(bytes);
    }
    return 0;
}
