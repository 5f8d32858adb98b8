/* Modules of guests that are compiled on the spot. */
#ifndef TESTS_RUNTIME_COMPILED_H
#define TESTS_RUNTIME_COMPILED_H

#include <stddef.h>

#include "base/error.h"
#include "codegen/codegen.h"

struct module;

#define FILE_BYTES_MAX ((size_t)16 << 20)

/* For calls that end in a struct error * named `err`. */
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if (call) fail_msg("%s: %s", #call, err.text);                                             \
    } while (0)

struct module *compile(const void *bytes, size_t size_bytes, const struct codegen_options *options);
struct module *compile_file(const char *path, const struct codegen_options *options);

#endif
