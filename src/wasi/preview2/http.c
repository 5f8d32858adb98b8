/* wasi:http: its tables, the objects of a request, and what several files need. */
#include <assert.h>

#include "http.h"

/* ---- shared ---- */

/* On a trap the object stays among those of the state, which end with the instance. */
void *http_taken(struct canonical_call *c, const struct io_class *class, uint32_t handle)
{
    struct io_object *o = canonical_taken(c, &class->resource, handle);
    if (!o || !o->children) return o;
    canonical_trap(c, "%s is given away while it has children", class->resource.name);
    return NULL;
}

bool http_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                   struct call_list *ret)
{
    return canonical_put_text(c, text, size_bytes, &ret->at, &ret->count);
}

enum host_result put_own_result(struct canonical_call *c, uint32_t at, bool is_error,
                                uint32_t handle)
{
    uint8_t *ret = call_place(c, at, 8, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = is_error;
    put_u32(ret + 4, handle);
    return HOST_OK;
}

enum host_result put_text_option(struct canonical_call *c, uint32_t at, struct wasi_http_text text)
{
    struct call_list list = {0};
    if (text.size_bytes && !http_put_text(c, text.data, text.size_bytes, &list)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, 12, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = text.size_bytes > 0;
    put_list(ret + 4, &list);
    return HOST_OK;
}

/* The case of `known` that `text` is, or the count of them. */
static uint8_t find_case(const char *const *known, size_t count, struct wasi_http_text text)
{
    uint8_t which = 0;
    while (which < count && (strlen(known[which]) != text.size_bytes ||
                             memcmp(known[which], text.data, text.size_bytes) != 0))
        which++;
    return which;
}

enum host_result put_method(struct canonical_call *c, uint32_t at, struct wasi_http_text method)
{
    static const char *const known[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    struct call_list other = {0};
    uint8_t which = find_case(known, ARRAY_COUNT(known), method);
    if (which == ARRAY_COUNT(known) && !http_put_text(c, method.data, method.size_bytes, &other))
        return HOST_TRAP;
    uint8_t *ret = call_place(c, at, 12, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = which;
    put_list(ret + 4, &other);
    return HOST_OK;
}

enum host_result put_scheme(struct canonical_call *c, uint32_t at, struct wasi_http_text scheme)
{
    static const char *const known[] = {"http", "https"};
    struct call_list other = {0};
    uint8_t which = find_case(known, ARRAY_COUNT(known), scheme);
    bool is_other = scheme.size_bytes && which == ARRAY_COUNT(known);
    if (is_other && !http_put_text(c, scheme.data, scheme.size_bytes, &other)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, 16, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = scheme.size_bytes > 0;
    if (ret[0]) ret[4] = which;
    put_list(ret + 8, &other);
    return HOST_OK;
}

/* ---- the embedder's side ---- */

static enum status open_state(struct wasi_preview2 *p, struct error *err)
{
    if (p->http) return ST_OK;
    p->http = io_pool_take(&p->pool, sizeof *p->http);
    if (!p->http) return error_set(err, ST_NO_MEMORY, "no room for a request");
    *p->http = (struct wasi_http_state){0};
    return ST_OK;
}

enum status wasi_http_begin(struct wasi_preview2 *p, const struct wasi_http_exchange *x,
                            void **ret_request, void **ret_outparam, struct error *err)
{
    enum status st = open_state(p, err);
    if (st) return st;
    p->http->exchange = *x;
    *ret_request =
        io_object_new(p, &incoming_request_class, sizeof(struct http_incoming_request), NULL);
    *ret_outparam = io_object_new(p, &response_outparam_class, sizeof(struct io_object), NULL);
    if (*ret_request && *ret_outparam) return ST_OK;
    return error_set(err, ST_NO_MEMORY, "no room for a request");
}

enum status wasi_http_grant(struct wasi_preview2 *p, const struct wasi_http_client *client,
                            struct error *err)
{
    enum status st = open_state(p, err);
    if (!st) p->http->client = *client;
    return st;
}

/* ---- wasi:http/types ---- */

static const struct canonical_resource *const resources[] = {
    &http_fields_class.resource,
    &incoming_request_class.resource,
    &incoming_body_class.resource,
    &future_trailers_class.resource,
    &outgoing_response_class.resource,
    &outgoing_body_class.resource,
    &response_outparam_class.resource,
    &request_options_class.resource,
    &outgoing_request_class.resource,
    &incoming_response_class.resource,
    &future_incoming_response_class.resource,
};

#define FUNCTIONS_MAX 64u

/* The table of all files' functions, made when it is first asked for. */
static struct canonical_function functions[FUNCTIONS_MAX];

const struct canonical_interface *const *wasi_http_interfaces(size_t *ret_count)
{
    static const struct http_functions *const parts[] = {
        &http_fields_functions,   &http_request_functions,       &http_body_functions,
        &http_response_functions, &http_options_functions,       &http_outgoing_functions,
        &http_client_functions,   &http_outgoing_body_functions,
    };
    static struct canonical_interface types = {
        "wasi:http/types", PREVIEW2_VERSION, functions, 0, resources, ARRAY_COUNT(resources)};
    static const struct canonical_interface *const all[] = {&types, &http_outgoing_handler};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts) && !types.functions_count; i++) {
        assert(count + parts[i]->count <= FUNCTIONS_MAX);
        memcpy(functions + count, parts[i]->functions, parts[i]->count * sizeof *functions);
        count += parts[i]->count;
    }
    if (count) types.functions_count = count;
    *ret_count = ARRAY_COUNT(all);
    return all;
}
