/* wasi:cli/{stdin,stdout,stderr} and the terminals that they may be */
#include "state.h"

/* ---- streams ---- */

static enum host_result get_stdin(struct canonical_call *c, struct value *v)
{
    const struct wasi_stream *stream = &call_state(c)->config.stdio[0];
    struct io_input *in = io_input_new(c, stream, NULL, sizeof *in, NULL);
    return in && io_call_own(c, in, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result get_output(struct canonical_call *c, struct value *v, unsigned fd)
{
    const struct wasi_stream *stream = &call_state(c)->config.stdio[fd];
    struct io_output *out = io_output_new(c, stream, NULL, sizeof *out, NULL);
    return out && io_call_own(c, out, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result get_stdout(struct canonical_call *c, struct value *v)
{
    return get_output(c, v, 1);
}

static enum host_result get_stderr(struct canonical_call *c, struct value *v)
{
    return get_output(c, v, 2);
}

#define INTERFACE(symbol, name, functions)                                                         \
    const struct canonical_interface symbol = {                                                    \
        name, PREVIEW2_VERSION, functions, ARRAY_COUNT(functions), NULL, 0,                        \
    }

static const struct canonical_function stdin_functions[] = {
    CANONICAL_FUNCTION("get-stdin", "func() -> own<input-stream>", get_stdin)};
static const struct canonical_function stdout_functions[] = {
    CANONICAL_FUNCTION("get-stdout", "func() -> own<output-stream>", get_stdout)};
static const struct canonical_function stderr_functions[] = {
    CANONICAL_FUNCTION("get-stderr", "func() -> own<output-stream>", get_stderr)};

INTERFACE(cli_stdin_interface, "wasi:cli/stdin", stdin_functions);
INTERFACE(cli_stdout_interface, "wasi:cli/stdout", stdout_functions);
INTERFACE(cli_stderr_interface, "wasi:cli/stderr", stderr_functions);

/* ---- terminals: that there is one is all that they say ---- */

static const struct io_class terminal_input_class = IO_CLASS("terminal-input", NULL);
static const struct io_class terminal_output_class = IO_CLASS("terminal-output", NULL);

static enum host_result get_terminal(struct canonical_call *c, struct value *v, unsigned fd)
{
    const struct wasi_stream *stream = &call_state(c)->config.stdio[fd];
    bool is_terminal = stream->ops && stream->filetype == WASI_FILETYPE_CHARACTER_DEVICE;
    uint32_t handle = 0;
    if (is_terminal) {
        const struct io_class *class = fd ? &terminal_output_class : &terminal_input_class;
        struct io_object *o = io_call_new(c, class, sizeof *o, NULL);
        if (!o || !io_call_own(c, o, &handle)) return HOST_TRAP;
    }
    uint8_t *ret = call_place(c, v[0].i32, 8, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = is_terminal;
    put_u32(ret + sizeof handle, handle);
    return HOST_OK;
}

static enum host_result get_terminal_stdin(struct canonical_call *c, struct value *v)
{
    return get_terminal(c, v, 0);
}

static enum host_result get_terminal_stdout(struct canonical_call *c, struct value *v)
{
    return get_terminal(c, v, 1);
}

static enum host_result get_terminal_stderr(struct canonical_call *c, struct value *v)
{
    return get_terminal(c, v, 2);
}

static const struct canonical_function terminal_stdin_functions[] = {CANONICAL_FUNCTION(
    "get-terminal-stdin", "func() -> option<own<terminal-input>>", get_terminal_stdin)};
static const struct canonical_function terminal_stdout_functions[] = {CANONICAL_FUNCTION(
    "get-terminal-stdout", "func() -> option<own<terminal-output>>", get_terminal_stdout)};
static const struct canonical_function terminal_stderr_functions[] = {CANONICAL_FUNCTION(
    "get-terminal-stderr", "func() -> option<own<terminal-output>>", get_terminal_stderr)};

INTERFACE(cli_terminal_stdin_interface, "wasi:cli/terminal-stdin", terminal_stdin_functions);
INTERFACE(cli_terminal_stdout_interface, "wasi:cli/terminal-stdout", terminal_stdout_functions);
INTERFACE(cli_terminal_stderr_interface, "wasi:cli/terminal-stderr", terminal_stderr_functions);

static const struct canonical_resource *const terminal_input_resources[] = {
    &terminal_input_class.resource};
static const struct canonical_resource *const terminal_output_resources[] = {
    &terminal_output_class.resource};

const struct canonical_interface cli_terminal_input_interface = {
    "wasi:cli/terminal-input", PREVIEW2_VERSION, NULL, 0, terminal_input_resources, 1};
const struct canonical_interface cli_terminal_output_interface = {
    "wasi:cli/terminal-output", PREVIEW2_VERSION, NULL, 0, terminal_output_resources, 1};
