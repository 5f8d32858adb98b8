/* wasi:io/error */
#include "state.h"

const struct io_class io_error_class = IO_CLASS("error", NULL);
const struct io_domain io_domain_filesystem = {"filesystem"};

static enum host_result to_debug_string(struct canonical_call *c, struct value *v)
{
    const struct io_error *e = canonical_borrowed(c, &io_error_class.resource, v[0].i32);
    struct call_list text;
    if (!e || !call_put_text(c, e->failure.text, &text)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[1].i32, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &text);
    return HOST_OK;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[method]error.to-debug-string", "func(self: borrow<error>) -> string",
                       to_debug_string),
};

static const struct canonical_resource *const resources[] = {&io_error_class.resource};

const struct canonical_interface io_error_interface = {
    "wasi:io/error",        PREVIEW2_VERSION, functions,
    ARRAY_COUNT(functions), resources,        ARRAY_COUNT(resources),
};
