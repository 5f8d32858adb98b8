/* args_* and environ_*: two lists of strings that work alike. */
#include <string.h>

#include "state.h"

static enum wasi_errno sizes_get(struct call *c, size_t count, uint32_t bytes)
{
    if (!call_can_put(c, c->v[1].i32, sizeof bytes)) return WASI_EFAULT;
    enum wasi_errno e = call_put_u32(c, c->v[0].i32, (uint32_t)count);
    return e ? e : call_put_u32(c, c->v[1].i32, bytes);
}

/* Pointers to v[0], the strings themselves to v[1]. */
static enum wasi_errno list_get(struct call *c, const char *const *list, size_t count,
                                uint32_t bytes)
{
    uint32_t text_offset = c->v[1].i32;
    uint8_t *pointers, *text;
    if (!call_slice(c, c->v[0].i32, count * sizeof text_offset, &pointers)) return WASI_EFAULT;
    if (!call_slice(c, text_offset, bytes, &text)) return WASI_EFAULT;
    for (size_t k = 0; k < count; k++) {
        size_t size = strlen(list[k]) + 1;
        memcpy(pointers + k * sizeof text_offset, &text_offset, sizeof text_offset);
        memcpy(text, list[k], size);
        text += size;
        text_offset += (uint32_t)size;
    }
    return WASI_OK;
}

static enum wasi_errno args_sizes_get(struct call *c)
{
    return sizes_get(c, c->p->config.args_count, c->p->args_bytes);
}

static enum wasi_errno args_get(struct call *c)
{
    return list_get(c, c->p->config.args, c->p->config.args_count, c->p->args_bytes);
}

/* What was not made before the guest ran is made now. */
static bool env_ready(struct call *c)
{
    struct wasi_preview1_config *config = &c->p->config;
    if (!config->env_make) return true;
    struct wasi_env made;
    if (config->env_make(config->env_make_context, &made)) return false;
    if (made.count > WASI_ENV_MAX || made.bytes > WASI_ENV_BYTES_MAX) return false;
    config->env_make = NULL;
    config->env = made.strings;
    config->env_count = made.count;
    config->env_bytes = made.bytes;
    c->p->env_bytes = (uint32_t)made.bytes;
    return true;
}

static enum wasi_errno environ_sizes_get(struct call *c)
{
    if (!env_ready(c)) return WASI_ENOMEM;
    return sizes_get(c, c->p->config.env_count, c->p->env_bytes);
}

/* The same for strings that stand one behind the other. */
static enum wasi_errno block_get(struct call *c, const char *const *list, size_t count,
                                 uint32_t bytes)
{
    uint32_t text_offset = c->v[1].i32;
    uint8_t *pointers, *text;
    if (!call_slice(c, c->v[0].i32, count * sizeof text_offset, &pointers)) return WASI_EFAULT;
    if (!call_slice(c, text_offset, bytes, &text)) return WASI_EFAULT;
    for (size_t k = 0; k < count; k++) {
        uint32_t offset = text_offset + (uint32_t)(list[k] - list[0]);
        memcpy(pointers + k * sizeof offset, &offset, sizeof offset);
    }
    memcpy(text, list[0], bytes);
    return WASI_OK;
}

static enum wasi_errno environ_get(struct call *c)
{
    if (!env_ready(c)) return WASI_ENOMEM;
    const struct wasi_preview1_config *config = &c->p->config;
    if (config->env_bytes)
        return block_get(c, config->env, config->env_count, (uint32_t)config->env_bytes);
    return list_get(c, c->p->config.env, c->p->config.env_count, c->p->env_bytes);
}

PREVIEW1_FUNCTION(args_sizes_get)
PREVIEW1_FUNCTION(args_get)
PREVIEW1_FUNCTION(environ_sizes_get)
PREVIEW1_FUNCTION(environ_get)

const struct host_function preview1_args_functions[] = {
    PREVIEW1_ENTRY(args_sizes_get, "ii:i"),
    PREVIEW1_ENTRY(args_get, "ii:i"),
    PREVIEW1_ENTRY(environ_sizes_get, "ii:i"),
    PREVIEW1_ENTRY(environ_get, "ii:i"),
};
