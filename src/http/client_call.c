/* A call's life: begun, resolved, handed to libcurl, ended; and what its owner asks of it. */
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- buffers ---- */

size_t call_buffer_put(struct http_client *c, struct call_buffer *b, const void *bytes, size_t size)
{
    if (!b->data) b->data = client_take_buffer(c);
    if (!b->data) return 0;
    size_t held = call_buffer_size(b), room = HTTP_CLIENT_BODY_BYTES - held;
    if (size > room) size = room;
    if (size > HTTP_CLIENT_BODY_BYTES - b->end) {
        memmove(b->data, b->data + b->start, held);
        b->start = 0;
        b->end = held;
    }
    memcpy(b->data + b->end, bytes, size);
    b->end += size;
    return size;
}

size_t call_buffer_get(struct call_buffer *b, void *bytes, size_t size)
{
    size_t held = call_buffer_size(b);
    if (size > held) size = held;
    if (!size) return 0;
    memcpy(bytes, b->data + b->start, size);
    b->start += size;
    if (b->start == b->end) b->start = b->end = 0;
    return size;
}

static void drop_buffer(struct http_client *c, struct call_buffer *b)
{
    if (b->data) client_give_buffer(c, b->data);
    *b = (struct call_buffer){0};
}

/* ---- time, and news ---- */

void call_wake(struct http_call *call)
{
    if (call->on_event) loop_defer(call->client->loop, &call->change_task);
}

static void on_change(void *context)
{
    struct http_call *call = context;
    call->on_event(call->context);
}

void call_restart_timer(struct http_call *call)
{
    struct loop *loop = call->client->loop;
    bool held_up = (call->phase == CALL_SENDING && call->send_paused) ||
                   (call->phase == CALL_RECEIVING && call->receive_paused);
    if (call->phase == CALL_ENDED) return;
    if (held_up)
        loop_timer_stop(loop, &call->timer);
    else
        loop_timer_start(loop, &call->timer, loop_now_ns(loop) + call->timeouts_ns[call->phase]);
}

void call_enter(struct http_call *call, enum call_phase phase)
{
    if (call->phase >= phase) return;
    call->phase = phase;
    call_restart_timer(call);
}

static void on_late(void *context)
{
    static const enum http_call_error errors[] = {
        [CALL_STARTING] = HTTP_CALL_CONNECT_TIMEOUT,
        [CALL_CONNECTING] = HTTP_CALL_CONNECT_TIMEOUT,
        [CALL_SENDING] = HTTP_CALL_READ_TIMEOUT,
        [CALL_RECEIVING] = HTTP_CALL_READ_TIMEOUT,
    };
    struct http_call *call = context;
    bool resolving = call->waiter.next;
    call_end(call, resolving ? HTTP_CALL_DNS_TIMEOUT : errors[call->phase]);
}

/* ---- the end ---- */

void call_end(struct http_call *call, enum http_call_error error)
{
    struct http_client *c = call->client;
    if (call->phase == CALL_ENDED) return;
    call->phase = CALL_ENDED;
    call->error = error;
    loop_timer_stop(c->loop, &call->timer);
    loop_task_cancel(&call->start_task);
    dns_cancel(&call->waiter);
    if (call->easy) {
        curl_multi_remove_handle(c->multi, call->easy);
        client_give_handle(c, call);
        call->easy = NULL;
    }
    drop_buffer(c, &call->out);
    call_wake(call);
}

void http_call_end(struct http_call *call)
{
    if (!call) return;
    call->on_event = NULL;
    call_end(call, HTTP_CALL_CUT);
    loop_task_cancel(&call->change_task);
    drop_buffer(call->client, &call->in);
    curl_slist_free_all(call->fields);
    curl_slist_free_all(call->resolve);
    curl_slist_free_all(call->trailers);
    buffer_done(&call->text);
    free(call->target);
    call->client->calls_count--;
    client_give_call(call->client, call);
}

/* ---- the beginning ---- */

bool call_may_reach(struct http_call *call, const struct client_address *address)
{
    return call->private_allowed || client_address_is_public(address);
}

/* Those that may not be reached are not tried. */
static bool keep_reachable(struct http_call *call)
{
    struct dns_addresses *a = &call->addresses;
    size_t kept = 0;
    for (size_t i = 0; i < a->count; i++)
        if (call_may_reach(call, &a->list[i])) a->list[kept++] = a->list[i];
    a->count = kept;
    return kept > 0;
}

static void connect_to(struct http_call *call)
{
    struct http_client *c = call->client;
    if (!keep_reachable(call)) {
        call_end(call, HTTP_CALL_ADDRESS_PROHIBITED);
        return;
    }
    call->easy = client_take_handle(c);
    if (!call->easy || !call_set_options(call) || curl_multi_add_handle(c->multi, call->easy)) {
        call_end(call, HTTP_CALL_INTERNAL);
        return;
    }
    client_drive(c);
}

static void on_resolved(struct dns_waiter *w, enum http_call_error error,
                        const struct dns_addresses *addresses)
{
    struct http_call *call = (struct http_call *)((char *)w - offsetof(struct http_call, waiter));
    if (error) {
        call_end(call, error);
        return;
    }
    call->addresses = *addresses;
    connect_to(call);
}

static void on_start(void *context)
{
    struct http_call *call = context;
    call_enter(call, CALL_CONNECTING);
    if (call->address.family) {
        call->addresses = (struct dns_addresses){{call->address}, 1};
        connect_to(call);
    } else if (dns_find(call->client->dns, call->host, &call->waiter, &call->addresses)) {
        connect_to(call);
    }
}

static uint64_t timeout_of(uint32_t given_ms, uint32_t default_ms)
{
    return (given_ms ? given_ms : default_ms) * NS_PER_MS;
}

static struct http_call *call_new(struct http_client *c, const struct http_call_config *request)
{
    struct http_call *call = client_take_call(c);
    if (!call) return NULL;
    call->client = c;
    call->on_event = request->on_event;
    call->context = request->context;
    call->waiter.done = on_resolved;
    call->timeouts_ns[CALL_CONNECTING] = timeout_of(request->connect_ms, HTTP_CLIENT_CONNECT_MS);
    call->timeouts_ns[CALL_SENDING] = timeout_of(request->first_byte_ms, HTTP_CLIENT_FIRST_BYTE_MS);
    call->timeouts_ns[CALL_RECEIVING] =
        timeout_of(request->between_bytes_ms, HTTP_CLIENT_BETWEEN_BYTES_MS);
    buffer_init(&call->text, HTTP_CLIENT_HEAD_BYTES_MAX);
    loop_task_init(&call->start_task, on_start, call);
    loop_task_init(&call->change_task, on_change, call);
    loop_timer_init(&call->timer, on_late, call);
    c->calls_count++;
    return call;
}

enum http_call_error http_call_new(struct http_client *c, const struct http_call_config *config,
                                   struct http_call **ret)
{
    struct http_call *call = c->calls_count < HTTP_CLIENT_CALLS_MAX ? call_new(c, config) : NULL;
    if (!call) return HTTP_CALL_LIMIT;
    enum http_call_error error = call_keep_request(call, config);
    if (error) {
        http_call_end(call);
        return error;
    }
    loop_defer(c->loop, &call->start_task);
    *ret = call;
    return HTTP_CALL_OK;
}

/* ---- the request's body ---- */

static void go_on(struct http_call *call)
{
    if (!call->easy) return;
    curl_easy_pause(call->easy, (call->receive_paused ? CURLPAUSE_RECV : 0) |
                                    (call->send_paused ? CURLPAUSE_SEND : 0));
}

static void send_on(struct http_call *call)
{
    if (!call->send_paused) return;
    call->send_paused = false;
    call_restart_timer(call);
    go_on(call);
}

static bool takes_body(const struct http_call *call)
{
    return call->phase != CALL_ENDED && !call->finished;
}

enum status http_call_writable(const struct http_call *call, size_t *room)
{
    *room = 0;
    if (!takes_body(call)) return ST_CLOSED;
    *room = HTTP_CLIENT_BODY_BYTES - call_buffer_size(&call->out);
    return *room ? ST_OK : ST_WOULD_BLOCK;
}

enum status http_call_write(struct http_call *call, const void *bytes, size_t size, size_t *taken)
{
    *taken = 0;
    if (!takes_body(call)) return ST_CLOSED;
    if (call->has_length && size > call->length - call->written) {
        call_end(call, HTTP_CALL_BODY_SIZE);
        return ST_INVALID;
    }
    if (!size) return ST_OK;
    /* With HEAD, a body is none on the wire. */
    *taken = call->is_head ? size : call_buffer_put(call->client, &call->out, bytes, size);
    call->written += *taken;
    if (!*taken) return ST_WOULD_BLOCK;
    send_on(call);
    return ST_OK;
}

enum status http_call_finish(struct http_call *call, const struct http_field *trailers,
                             size_t count)
{
    if (!takes_body(call)) return ST_CLOSED;
    if (call->has_length && call->written < call->length && !call->is_head) {
        call_end(call, HTTP_CALL_BODY_SIZE);
        return ST_INVALID;
    }
    if (count > HTTP_CLIENT_FIELDS_MAX) return ST_LIMIT;
    for (size_t i = 0; i < count && !call->has_length; i++)
        if (call_trailer_allowed(trailers[i].name) && !call_add_line(&call->trailers, &trailers[i]))
            return ST_NO_MEMORY;
    call->finished = true;
    send_on(call);
    return ST_OK;
}

void http_call_cut(struct http_call *call)
{
    if (!call->finished) call_end(call, HTTP_CALL_CUT);
}

/* ---- the response ---- */

enum status http_call_head(const struct http_call *call, int *status, enum http_call_error *error)
{
    *status = call->status;
    *error = call->error;
    if (call->head_done) return ST_OK;
    return call->phase == CALL_ENDED ? ST_IO : ST_WOULD_BLOCK;
}

enum http_call_error http_call_failure(const struct http_call *call)
{
    return call->phase == CALL_ENDED ? call->error : HTTP_CALL_OK;
}

void http_call_destination(const struct http_call *call, struct http_slice *ret_host,
                           uint16_t *ret_port)
{
    *ret_host = (struct http_slice){call->host, strlen(call->host)};
    *ret_port = call->port;
}

size_t http_call_field_count(const struct http_call *call)
{
    return call->head_count;
}

struct http_field http_call_field(const struct http_call *call, size_t index)
{
    const struct call_field *f = &call->received[index];
    const char *text = (const char *)call->text.data;
    return (struct http_field){{text + f->name_at, f->name_size},
                               {text + f->value_at, f->value_size}};
}

size_t http_call_trailer_count(const struct http_call *call)
{
    return call->phase == CALL_ENDED && !call->error ? call->received_count - call->head_count : 0;
}

struct http_field http_call_trailer(const struct http_call *call, size_t index)
{
    return http_call_field(call, call->head_count + index);
}

static void receive_on(struct http_call *call)
{
    if (!call->receive_paused ||
        call_buffer_size(&call->in) + CURL_MAX_WRITE_SIZE > HTTP_CLIENT_BODY_BYTES)
        return;
    call->receive_paused = false;
    call_restart_timer(call);
    go_on(call);
}

enum status http_call_readable(const struct http_call *call, size_t *size)
{
    *size = call_buffer_size(&call->in);
    if (*size) return ST_OK;
    if (call->phase != CALL_ENDED) return ST_WOULD_BLOCK;
    return call->error ? ST_IO : ST_CLOSED;
}

enum status http_call_read(struct http_call *call, void *bytes, size_t capacity, size_t *size)
{
    enum status st = http_call_readable(call, size);
    if (st) return st;
    *size = call_buffer_get(&call->in, bytes, capacity);
    receive_on(call);
    return ST_OK;
}
