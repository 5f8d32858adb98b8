/* Calls: from a request to the end of its response. Curl is only called at the end of a turn, so
 * that owners may call from anywhere. */
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "text.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- life ---- */

void call_free(struct http_call *call)
{
    struct http_client *c = call->client;
    if (call->easy) {
        curl_multi_remove_handle(c->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->fields);
    curl_slist_free_all(call->resolve);
    curl_slist_free_all(call->trailers_out);
    loop_timer_stop(c->loop, &call->timer);
    loop_task_cancel(&call->task);
    if (call->previous)
        call->previous->next = call->next;
    else
        c->calls = call->next;
    if (call->next) call->next->previous = call->previous;
    c->calls_count--;
    buffer_done(&call->out);
    buffer_done(&call->head);
    buffer_done(&call->body);
    free(call->path);
    free(call);
}

static void timer_start(struct http_call *call, uint32_t wait_ms)
{
    struct loop *loop = call->client->loop;
    loop_timer_start(loop, &call->timer, loop_now_ns(loop) + wait_ms * NS_PER_MS);
}

void call_notify(struct http_call *call)
{
    if (call->head_done && call->state == CALL_RUNNING) timer_start(call, call->between_bytes_ms);
    loop_defer(call->client->loop, &call->task);
}

void call_fail(struct http_call *call, enum http_call_error error)
{
    if (!call->failed) call->error = error;
    call->failed = true;
    call->state = CALL_DONE;
    loop_timer_stop(call->client->loop, &call->timer);
    loop_defer(call->client->loop, &call->task);
}

static enum http_call_error error_of(const struct http_call *call, CURLcode result)
{
    if (call->prohibited) return HTTP_CALL_ADDRESS_PROHIBITED;
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_CALL_DNS_ERROR;
    case CURLE_COULDNT_CONNECT: return HTTP_CALL_REFUSED;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_CALL_CONNECT_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER: return HTTP_CALL_TLS_PROTOCOL;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM: return HTTP_CALL_TLS_CERTIFICATE;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_ABORTED_BY_CALLBACK: return HTTP_CALL_TERMINATED;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return HTTP_CALL_PROTOCOL;
    default: return HTTP_CALL_INTERNAL;
    }
}

void call_done(struct http_call *call, CURLcode result)
{
    if (result != CURLE_OK) {
        call_fail(call, error_of(call, result));
        return;
    }
    call->body_done = true;
    call->state = CALL_DONE;
    loop_timer_stop(call->client->loop, &call->timer);
    loop_defer(call->client->loop, &call->task);
}

static void on_late(void *context)
{
    struct http_call *call = context;
    if (call->body_paused) return; /* its owner is late, not the server */
    call_fail(call, call->state == CALL_RESOLVING ? HTTP_CALL_DNS_TIMEOUT : HTTP_CALL_READ_TIMEOUT);
}

void call_resolved(struct http_call *call, const char *addresses)
{
    if (call->state != CALL_RESOLVING) return;
    if (addresses) call->resolve = curl_slist_append(NULL, addresses);
    call->state = CALL_STARTING;
    loop_defer(call->client->loop, &call->task);
}

/* ---- steps ---- */

static void start(struct http_call *call)
{
    call->state = CALL_RUNNING;
    if (!call_configure(call) || curl_multi_add_handle(call->client->multi, call->easy))
        call_fail(call, HTTP_CALL_INTERNAL);
    else
        timer_start(call, call->first_byte_ms);
}

/* The easy handle goes when curl is through: its connection is free for others then. */
static void release(struct http_call *call)
{
    if (!call->easy) return;
    curl_multi_remove_handle(call->client->multi, call->easy);
    curl_easy_cleanup(call->easy);
    call->easy = NULL;
}

static bool unpause(struct http_call *call)
{
    bool upload =
        call->upload_paused && (call->out_at < call->out.size_bytes || call->finished || call->cut);
    bool body = call->body_paused && call->body_at == call->body.size_bytes;
    if (!upload && !body) return false;
    if (upload) call->upload_paused = false;
    if (body) call->body_paused = false;
    int still =
        (call->upload_paused ? CURLPAUSE_SEND : 0) | (call->body_paused ? CURLPAUSE_RECV : 0);
    curl_easy_pause(call->easy, still);
    return true;
}

static void run(void *context)
{
    struct http_call *call = context;
    if (call->ended) {
        if (!call->resolving) call_free(call);
        return;
    }
    if (call->state == CALL_RESOLVING) return;
    if (call->state == CALL_STARTING) start(call);
    if (call->state == CALL_RUNNING) (void)unpause(call);
    if (call->state == CALL_DONE) release(call);
    call->on_event(call->context);
}

/* A call that is still with c-ares begins and ends with its answer. */
void http_call_end(struct http_call *call)
{
    if (!call) return;
    call->ended = true;
    loop_timer_stop(call->client->loop, &call->timer);
    loop_defer(call->client->loop, &call->task);
}

/* ---- beginning ---- */

static char *text_copy(struct http_slice text)
{
    char *copy = malloc(text.size + 1);
    if (!copy) return NULL;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static bool list_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer;
}

/* "Name: value", or "Name;", which curl takes for a field without a value. */
static bool list_add_field(struct curl_slist **list, const struct http_field *f)
{
    struct buffer line;
    buffer_init(&line, HTTP_CLIENT_HEAD_BYTES_MAX);
    buffer_append(&line, f->name.data, f->name.size);
    buffer_append(&line, f->value.size ? ": " : ";", f->value.size ? 2 : 1);
    buffer_append(&line, f->value.data, f->value.size);
    buffer_append(&line, "", 1);
    bool added = !line.failed && list_add(list, (const char *)line.data);
    buffer_done(&line);
    return added;
}

static bool name_is(const struct http_field *f, const char *lower)
{
    return f->name.size == strlen(lower) &&
           text_equals_lower((const uint8_t *)f->name.data, lower, f->name.size);
}

static bool take_length(struct http_call *call, struct http_slice value)
{
    uint64_t length = 0;
    if (!value.size || value.size > 18 || call->has_length) return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return false;
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    call->has_length = true;
    call->length_left = length;
    return true;
}

/* Nothing that curl would add by itself. */
static bool take_fields(struct http_call *call, const struct http_call_config *config)
{
    bool has_accept = false;
    if (!list_add(&call->fields, "Expect:")) return false;
    for (size_t i = 0; i < config->fields_count; i++) {
        const struct http_field *f = &config->fields[i];
        has_accept = has_accept || name_is(f, "accept");
        bool taken = name_is(f, "content-length") ? take_length(call, f->value)
                                                  : list_add_field(&call->fields, f);
        if (!taken) return false;
    }
    return has_accept || list_add(&call->fields, "Accept:");
}

static enum status fill(struct http_call *call, const struct http_call_config *config,
                        struct error *err)
{
    if (config->host.size > HTTP_CLIENT_HOST_BYTES_MAX || !config->host.size)
        return error_set(err, ST_INVALID, "the host's name is too long");
    if (config->method.size > HTTP_METHOD_BYTES_MAX ||
        config->path.size > HTTP_CLIENT_URL_BYTES_MAX)
        return error_set(err, ST_LIMIT, "the request's target is too long");
    memcpy(call->host, config->host.data, config->host.size);
    memcpy(call->method, config->method.data, config->method.size);
    call->port = config->port;
    call->is_https = config->is_https;
    call->private_allowed = config->private_allowed;
    call->connect_ms = config->connect_ms ? config->connect_ms : HTTP_CLIENT_CONNECT_MS;
    call->first_byte_ms = config->first_byte_ms ? config->first_byte_ms : HTTP_CLIENT_FIRST_BYTE_MS;
    call->between_bytes_ms =
        config->between_bytes_ms ? config->between_bytes_ms : HTTP_CLIENT_BETWEEN_BYTES_MS;
    call->on_event = config->on_event;
    call->context = config->context;
    call->path = text_copy(config->path);
    if (!call->path) return error_set(err, ST_NO_MEMORY, "out of memory");
    return take_fields(call, config)
               ? ST_OK
               : error_set(err, ST_INVALID, "the request's fields cannot be sent");
}

enum status http_call_new(struct http_client *c, const struct http_call_config *config,
                          struct http_call **ret, struct error *err)
{
    if (c->calls_count == HTTP_CLIENT_CALLS_MAX)
        return error_set(err, ST_LIMIT, "too many requests at a time");
    struct http_call *call = calloc(1, sizeof *call);
    if (!call) return error_set(err, ST_NO_MEMORY, "out of memory");
    call->client = c;
    call->next = c->calls;
    if (c->calls) c->calls->previous = call;
    c->calls = call;
    c->calls_count++;
    loop_task_init(&call->task, run, call);
    loop_timer_init(&call->timer, on_late, call);
    buffer_init(&call->out, HTTP_CLIENT_BODY_BYTES);
    buffer_init(&call->head, HTTP_CLIENT_HEAD_BYTES_MAX);
    buffer_init(&call->body, HTTP_CLIENT_BODY_BYTES);
    enum status st = fill(call, config, err);
    if (st) {
        call_free(call);
        return st;
    }
    timer_start(call, call->first_byte_ms);
    resolver_ask(call);
    *ret = call;
    return ST_OK;
}

/* ---- the request's body ---- */

enum status http_call_write(struct http_call *call, const void *bytes, size_t size, size_t *taken)
{
    *taken = 0;
    if (call->failed || call->cut || call->finished || call->state == CALL_DONE) return ST_CLOSED;
    if (call->has_length && size > call->length_left) return ST_INVALID;
    size_t room = call->out.cap_bytes - call->out.size_bytes;
    size_t take = size < room ? size : room;
    if (size && !take) return ST_WOULD_BLOCK;
    if (buffer_append(&call->out, bytes, take)) return ST_CLOSED;
    if (call->has_length) call->length_left -= take;
    *taken = take;
    loop_defer(call->client->loop, &call->task);
    return ST_OK;
}

bool http_call_writable(const struct http_call *call)
{
    return call->failed || call->state == CALL_DONE || call->out.size_bytes < call->out.cap_bytes;
}

enum status http_call_finish(struct http_call *call, const struct http_field *trailers,
                             size_t count)
{
    if (call->failed) return ST_CLOSED;
    if (call->has_length && call->length_left) return ST_INVALID;
    for (size_t i = 0; i < count; i++)
        if (trailers[i].value.size) (void)list_add_field(&call->trailers_out, &trailers[i]);
    call->finished = true;
    loop_defer(call->client->loop, &call->task);
    return ST_OK;
}

void http_call_cut(struct http_call *call)
{
    call->cut = true;
    if (call->state != CALL_DONE) call_fail(call, HTTP_CALL_TERMINATED);
}

/* ---- the response ---- */

enum status http_call_head(const struct http_call *call, int *status, enum http_call_error *error)
{
    if (call->head_done) {
        *status = call->status;
        return ST_OK;
    }
    if (!call->failed) return ST_WOULD_BLOCK;
    *error = call->error;
    return ST_IO;
}

static struct http_field field_of(const struct http_call *call, const struct call_field *f)
{
    const char *text = (const char *)call->head.data;
    return (struct http_field){{text + f->name, f->name_size}, {text + f->value, f->value_size}};
}

size_t http_call_field_count(const struct http_call *call)
{
    return call->in.count;
}

struct http_field http_call_field(const struct http_call *call, size_t index)
{
    return field_of(call, &call->in.list[index]);
}

size_t http_call_trailer_count(const struct http_call *call)
{
    return call->body_done ? call->trailers_in.count : 0;
}

struct http_field http_call_trailer(const struct http_call *call, size_t index)
{
    return field_of(call, &call->trailers_in.list[index]);
}

enum status http_call_read(struct http_call *call, void *bytes, size_t capacity, size_t *size)
{
    size_t there = call->body.size_bytes - call->body_at;
    *size = there < capacity ? there : capacity;
    if (!there) return call->body_done ? ST_CLOSED : call->failed ? ST_IO : ST_WOULD_BLOCK;
    memcpy(bytes, call->body.data + call->body_at, *size);
    call->body_at += *size;
    if (call->body_paused && *size == there) loop_defer(call->client->loop, &call->task);
    return ST_OK;
}

bool http_call_readable(const struct http_call *call)
{
    return call->body_at < call->body.size_bytes || call->body_done || call->failed;
}
