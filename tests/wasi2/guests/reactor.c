/* Both at a time: libc over preview 1 through the adapter for reactors, and an export and an import
 * of WASI 0.2's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((import_module("wasi:random/random@0.2.0"),
               import_name("get-random-u64"))) unsigned long long
random_u64(void);

static int initialised;

__attribute__((constructor)) static void initialise(void)
{
    initialised = 42;
}

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t size)
{
    (void)old_size;
    (void)align;
    return realloc(old, size);
}

__attribute__((export_name("wasi:cli/run@0.2.12#run"))) int run(void)
{
    char text[32] = "";
    FILE *file = fopen("/host.txt", "r");
    if (file) {
        (void)!fgets(text, sizeof text, file);
        fclose(file);
    }
    printf("initialised: %d\nrandom: %d\nfile: %s\n", initialised, random_u64() != random_u64(),
           text);
    printf("KEY: %s\n", getenv("KEY") ? getenv("KEY") : "none");
    fflush(stdout);
    return strcmp(text, "hello host") != 0;
}
