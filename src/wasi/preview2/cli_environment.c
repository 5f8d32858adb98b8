/* wasi:cli/environment and wasi:cli/exit */
#include "state.h"

static struct canonical_text whole(const char *text)
{
    return (struct canonical_text){text, strlen(text)};
}

/* ---- environment ---- */

static struct canonical_text argument(const struct wasi_preview2 *p, size_t k, UNUSED uint32_t part)
{
    return whole(p->config.args[k]);
}

static struct canonical_text variable(const struct wasi_preview2 *p, size_t k, uint32_t part)
{
    const char *text = p->config.env[k], *value = strchrnul(text, '=');
    if (part) return whole(*value ? value + 1 : value);
    return (struct canonical_text){text, (size_t)(value - text)};
}

static enum host_result
put_texts(struct canonical_call *c, struct value *v, size_t count, uint32_t width,
          struct canonical_text (*text)(const struct wasi_preview2 *p, size_t k, uint32_t part))
{
    struct call_list list;
    if (!call_put_texts(c, count, width, text, &list)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[0].i32, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &list);
    return HOST_OK;
}

static enum host_result get_environment(struct canonical_call *c, struct value *v)
{
    return put_texts(c, v, call_state(c)->config.env_count, 2, variable);
}

static enum host_result get_arguments(struct canonical_call *c, struct value *v)
{
    return put_texts(c, v, call_state(c)->config.args_count, 1, argument);
}

static enum host_result initial_cwd(struct canonical_call *c, struct value *v)
{
    const char *cwd = call_state(c)->config.initial_cwd;
    struct call_list text = {0, 0};
    if (cwd && !call_put_text(c, cwd, &text)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[0].i32, 12, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = cwd != NULL;
    put_list(ret + sizeof(uint32_t), &text);
    return HOST_OK;
}

static const struct canonical_function environment_functions[] = {
    CANONICAL_FUNCTION("get-environment", "func() -> list<tuple<string, string>>", get_environment),
    CANONICAL_FUNCTION("get-arguments", "func() -> list<string>", get_arguments),
    CANONICAL_FUNCTION("initial-cwd", "func() -> option<string>", initial_cwd),
};

const struct canonical_interface cli_environment_interface = {
    "wasi:cli/environment",
    PREVIEW2_VERSION,
    environment_functions,
    ARRAY_COUNT(environment_functions),
    NULL,
    0,
};

/* ---- exit ---- */

static enum host_result exit_by_result(struct canonical_call *c, struct value *v)
{
    if (v[0].i32 > 1) return call_trap(c, "exit: neither ok nor error");
    instance_set_exit(c->instance, v[0].i32);
    return HOST_EXIT;
}

static enum host_result exit_with_code(struct canonical_call *c, struct value *v)
{
    instance_set_exit(c->instance, v[0].i32 & 0xff);
    return HOST_EXIT;
}

static const struct canonical_function exit_functions[] = {
    CANONICAL_FUNCTION("exit", "func(status: result)", exit_by_result),
    CANONICAL_FUNCTION("exit-with-code", "func(status-code: u8)", exit_with_code),
};

const struct canonical_interface cli_exit_interface = {
    "wasi:cli/exit", PREVIEW2_VERSION, exit_functions, ARRAY_COUNT(exit_functions), NULL, 0,
};
