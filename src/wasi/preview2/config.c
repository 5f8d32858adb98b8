/* wasi:config/store, and wasi:config/runtime, as it was called before. What is not granted is not
 * there; nothing can fail. There are drafts only, which promise nothing to each other, and are
 * alike: without a version here they are all served. */
#include "state.h"

/* The value; NULL: there is none. */
static const char *find(const struct wasi_preview2 *p, const struct canonical_text *key)
{
    for (size_t k = 0; k < p->config.values_count; k++) {
        const char *text = p->config.values[k];
        size_t key_bytes = strcspn(text, "=");
        if (key_bytes == key->size_bytes && !memcmp(text, key->bytes, key_bytes))
            return text + key_bytes + 1;
    }
    return NULL;
}

static enum host_result get(struct canonical_call *c, struct value *v)
{
    struct canonical_text key;
    struct call_list text = {0, 0};
    if (!canonical_text(c, v[0].i32, v[1].i32, &key)) return HOST_TRAP;
    const char *value = find(call_state(c), &key);
    if (value && !call_put_text(c, value, &text)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[2].i32, 16, 4);
    if (!ret) return HOST_TRAP;
    ret[4] = value != NULL;
    put_list(ret + 8, &text);
    return HOST_OK;
}

static struct canonical_text key_or_value(const struct wasi_preview2 *p, size_t k, uint32_t part)
{
    const char *text = p->config.values[k];
    size_t key_bytes = strcspn(text, "=");
    if (!part) return (struct canonical_text){text, key_bytes};
    return (struct canonical_text){text + key_bytes + 1, strlen(text + key_bytes + 1)};
}

static enum host_result get_all(struct canonical_call *c, struct value *v)
{
    struct call_list list;
    if (!call_put_texts(c, call_state(c)->config.values_count, 2, key_or_value, &list))
        return HOST_TRAP;
    uint8_t *ret = call_place(c, v[0].i32, 16, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret + 4, &list);
    return HOST_OK;
}

#define ERROR "variant{upstream(string), io(string)}"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("get", "func(key: string) -> result<option<string>, " ERROR ">", get),
    CANONICAL_FUNCTION("get-all", "func() -> result<list<tuple<string, string>>, " ERROR ">",
                       get_all),
};

const struct canonical_interface config_store_interface = {
    "wasi:config/store", "", functions, ARRAY_COUNT(functions), NULL, 0,
};

const struct canonical_interface config_runtime_interface = {
    "wasi:config/runtime", "", functions, ARRAY_COUNT(functions), NULL, 0,
};
