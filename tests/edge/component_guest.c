/* A component that answers by its path: what the edge promises to guests of wasi:http, and guests
 * that misbehave. Only what is under "/same/" is also put to other hosts. */
#define WASI_HTTP_OWN_HANDLER
#include <stdio.h>

#include "wasi_http.h"

WASI_IMPORT("wasi:clocks/monotonic-clock", "subscribe-duration")
wasi_handle monotonic_subscribe_duration(uint64_t ns);
WASI_IMPORT("wasi:cli/stdout", "get-stdout") wasi_handle cli_get_stdout(void);
WASI_IMPORT("wasi:cli/stderr", "get-stderr") wasi_handle cli_get_stderr(void);

struct exchange {
    struct wasi_http_request request;
    struct wasi_http_response response;
    const char *query; /* behind '?', or "" */
};

static int requests; /* of this instance */

static void say(struct exchange *x, const char *text)
{
    wasi_http_response_text(&x->response, text);
}

static void say_number(struct exchange *x, const char *name, long number)
{
    char text[96];
    snprintf(text, sizeof text, "%s %ld\n", name, number);
    say(x, text);
}

static void say_line(struct exchange *x, const char *name, const char *value, size_t size)
{
    say(x, name);
    say(x, ": ");
    wasi_http_response_write(&x->response, value, size);
    say(x, "\n");
}

static void nap(uint64_t ms)
{
    wasi_handle pollable = monotonic_subscribe_duration(ms * 1000000u);
    wasi_pollable_block(pollable);
    wasi_pollable_drop(pollable);
}

/* ---- what every host does alike ---- */

static void do_hello(struct exchange *x)
{
    wasi_http_response_field(&x->response, "Content-Type", "text/plain");
    say(x, "hello\n");
}

static void do_show(struct exchange *x)
{
    const char *authority = wasi_http_request_authority(&x->request);
    say_line(x, "method", wasi_http_request_method(&x->request),
             strlen(wasi_http_request_method(&x->request)));
    say_line(x, "path", wasi_http_request_path(&x->request),
             strlen(wasi_http_request_path(&x->request)));
    say_line(x, "authority", authority, strlen(authority));
    struct wasi_scheme_option scheme;
    wasi_incoming_request_scheme(x->request.handle, &scheme);
    say_number(x, "scheme", scheme.is_some ? scheme.scheme.which : -1);
}

/* Fields that clients and hosts add by themselves are not of interest. */
static void do_fields(struct exchange *x)
{
    size_t count;
    const struct wasi_field *fields = wasi_http_request_fields(&x->request, &count);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name.size < 2 || memcmp(fields[i].name.data, "x-", 2)) continue;
        wasi_http_response_write(&x->response, fields[i].name.data, fields[i].name.size);
        say_line(x, "", fields[i].value.data, fields[i].value.size);
    }
}

static void do_find(struct exchange *x)
{
    const char *value = wasi_http_request_field(&x->request, x->query);
    say(x, value ? value : "none");
}

static void do_copy(struct exchange *x)
{
    static char piece[65536];
    const char *length = wasi_http_request_field(&x->request, "content-length");
    if (length && *x->query == 'l')
        wasi_http_response_field(&x->response, "content-length", length);
    ptrdiff_t got;
    wasi_http_response_begin(&x->response);
    while ((got = wasi_http_request_read(&x->request, piece, sizeof piece)) > 0)
        if (wasi_http_response_write(&x->response, piece, (size_t)got)) return;
    if (got < 0) __builtin_trap();
}

static void do_splice(struct exchange *x)
{
    struct wasi_stream_size_result moved;
    if (wasi_http_request_open(&x->request)) __builtin_trap();
    wasi_http_response_begin(&x->response);
    do {
        wasi_output_stream_blocking_splice(x->response.stream, x->request.stream, 65536, &moved);
    } while (!moved.is_error);
    if (moved.failure.which != WASI_STREAM_CLOSED) __builtin_trap();
}

/* With polls and without blocking calls. */
static void do_poll(struct exchange *x)
{
    struct wasi_stream_size_result room;
    struct wasi_stream_result result;
    struct wasi_bytes ready;
    wasi_http_response_begin(&x->response);
    wasi_http_request_open(&x->request);
    for (;;) {
        wasi_handle in = wasi_input_stream_subscribe(x->request.stream);
        wasi_poll(&in, 1, &ready);
        wasi_pollable_drop(in);
        wasi_input_stream_read(x->request.stream, 4096, &result);
        if (result.is_error) break;
        char *at = result.bytes.data;
        for (size_t left = result.bytes.size; left;) {
            wasi_handle out = wasi_output_stream_subscribe(x->response.stream);
            wasi_poll(&out, 1, &ready);
            wasi_pollable_drop(out);
            wasi_output_stream_check_write(x->response.stream, &room);
            if (room.is_error) __builtin_trap();
            size_t piece = room.size < left ? (size_t)room.size : left;
            struct wasi_stream_result wrote;
            wasi_output_stream_write(x->response.stream, at, piece, &wrote);
            if (wrote.is_error) __builtin_trap();
            at += piece;
            left -= piece;
        }
    }
    if (result.failure.which != WASI_STREAM_CLOSED) __builtin_trap();
    wasi_output_stream_blocking_flush(x->response.stream, &result);
}

static void do_count(struct exchange *x)
{
    char piece[4096];
    size_t total = 0, sum = 0;
    ptrdiff_t got;
    while ((got = wasi_http_request_read(&x->request, piece, sizeof piece)) > 0) {
        total += (size_t)got;
        for (ptrdiff_t i = 0; i < got; i++) sum = sum * 31 + (unsigned char)piece[i];
    }
    say_number(x, "bytes", (long)total);
    say_number(x, "sum", (long)sum);
}

static void do_status(struct exchange *x)
{
    x->response.status = atoi(x->query);
    wasi_http_response_field(&x->response, "x-status", x->query);
    if (atoi(x->query) != 204 && atoi(x->query) != 304) say(x, "body\n");
}

static void do_reply_fields(struct exchange *x)
{
    wasi_http_response_field(&x->response, "Set-Cookie", "a=1; Path=/");
    wasi_http_response_field(&x->response, "Set-Cookie", "b=2");
    wasi_http_response_field(&x->response, "X-Mixed-Case", "Value, with; punctuation=\"yes\"");
    wasi_http_response_field(&x->response, "x-empty", "");
    wasi_http_response_field(&x->response, "cache-control", "max-age=60");
    wasi_http_response_field(&x->response, "location", "/elsewhere?x=%20y");
    say(x, "fields\n");
}

static void say_result(struct exchange *x, const char *what, struct wasi_header_result r)
{
    static const char *const names[] = {"invalid-syntax", "forbidden", "immutable"};
    say_line(x, what, r.is_error ? names[r.error] : "ok",
             strlen(r.is_error ? names[r.error] : "ok"));
}

static void say_values(struct exchange *x, wasi_handle fields, const char *name)
{
    struct wasi_bytes values;
    wasi_fields_get(fields, name, strlen(name), &values);
    const struct wasi_bytes *value = (const struct wasi_bytes *)(const void *)values.data;
    say_number(x, name, (long)values.size);
    for (size_t i = 0; i < values.size; i++) say_line(x, "  value", value[i].data, value[i].size);
}

static void do_rules(struct exchange *x)
{
    struct wasi_header_result r;
    struct wasi_bytes two[] = {{"1", 1}, {"2", 1}}, bad[] = {{"3", 1}, {"a\nb", 3}};
    wasi_handle f = wasi_fields_new();
    wasi_fields_append(f, "X-One", 5, "a", 1, &r);
    say_result(x, "append", r);
    wasi_fields_append(f, "x-one", 5, "b", 1, &r);
    say_result(x, "append in another case", r);
    say_values(x, f, "X-ONE");
    wasi_fields_set(f, "x-two", 5, two, 2, &r);
    say_result(x, "set", r);
    say_values(x, f, "x-two");
    wasi_fields_set(f, "x-two", 5, bad, 2, &r);
    say_result(x, "set with a bad value", r);
    say_values(x, f, "x-two");
    wasi_fields_delete(f, "X-Two", 5, &r);
    say_result(x, "delete", r);
    say_values(x, f, "x-two");
    wasi_fields_append(f, "a b", 3, "c", 1, &r);
    say_result(x, "a name with a space", r);
    wasi_fields_append(f, "", 0, "c", 1, &r);
    say_result(x, "an empty name", r);
    wasi_fields_append(f, "x", 1, "a\r\nb: c", 7, &r);
    say_result(x, "a value that splits", r);
    wasi_fields_append(f, "Host", 4, "a", 1, &r);
    say_result(x, "host", r);
    wasi_fields_append(f, "Connection", 10, "close", 5, &r);
    say_result(x, "connection", r);
    wasi_fields_append(f, "keep-alive", 10, "1", 1, &r);
    say_result(x, "keep-alive", r);
    say_number(x, "has", wasi_fields_has(f, "X-one", 5));
    say_number(x, "has not", wasi_fields_has(f, "x-three", 7));
    wasi_handle own = wasi_incoming_request_headers(x->request.handle);
    wasi_fields_append(own, "x", 1, "y", 1, &r);
    say_result(x, "the request's", r);
}

static void do_clone(struct exchange *x)
{
    struct wasi_header_result r;
    wasi_handle f = wasi_fields_new();
    wasi_fields_append(f, "x-one", 5, "a", 1, &r);
    wasi_fields_append(f, "X-One", 5, "b", 1, &r);
    struct wasi_bytes entries;
    wasi_handle copy = wasi_fields_clone(f);
    wasi_fields_append(copy, "x-four", 6, "d", 1, &r);
    wasi_fields_entries(copy, &entries);
    say_number(x, "entries of the clone", (long)entries.size);
    wasi_fields_entries(f, &entries);
    say_number(x, "entries", (long)entries.size);
}

static void do_flood(struct exchange *x)
{
    static char piece[65536];
    size_t left = (size_t)atol(x->query);
    memset(piece, 'f', sizeof piece);
    wasi_http_response_begin(&x->response);
    while (left) {
        size_t size = left < sizeof piece ? left : sizeof piece;
        if (wasi_http_response_write(&x->response, piece, size)) return;
        left -= size;
    }
}

/* Nothing was ever asked of the body. */
static void do_bodiless(struct exchange *x)
{
    wasi_handle head = wasi_outgoing_response_new(x->response.fields);
    wasi_response_outparam_set(x->response.outparam, false, head, 0, 0, 0, 0, 0, 0);
    x->response.fields = 0;
}

static void do_fresh(struct exchange *x)
{
    say_number(x, "requests", ++requests);
}

/* ---- beyond ---- */

static void do_piecewise(struct exchange *x)
{
    for (int i = 0; i < 3; i++) {
        say_number(x, "piece", i);
        nap(100);
    }
}

static void do_log(struct exchange *x)
{
    struct wasi_stream_result r;
    wasi_handle out = cli_get_stdout(), err = cli_get_stderr();
    wasi_output_stream_blocking_write_and_flush(out, "to stdout\n", 10, &r);
    wasi_output_stream_blocking_write_and_flush(err, "to stderr\nunended", 17, &r);
    say(x, "logged\n");
}

static void do_forbidden(struct exchange *x)
{
    static const char *const names[] = {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "host",
        "HTTP2-Settings",
        "Transfer-Encoding",
        "te",
        "trailer",
        "content-length",
        "x-connection",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct wasi_header_result r;
        struct wasi_fields_result list;
        struct wasi_bytes value = {"1", 1};
        struct wasi_field field = {{(char *)names[i], strlen(names[i])}, value};
        wasi_handle f = wasi_fields_new();
        wasi_fields_append(f, names[i], strlen(names[i]), "1", 1, &r);
        bool append = r.is_error && r.error == WASI_HEADER_FORBIDDEN;
        wasi_fields_set(f, names[i], strlen(names[i]), &value, 1, &r);
        bool set = r.is_error && r.error == WASI_HEADER_FORBIDDEN;
        wasi_fields_delete(f, names[i], strlen(names[i]), &r);
        bool delete = r.is_error && r.error == WASI_HEADER_FORBIDDEN;
        wasi_fields_from_list(&field, 1, &list);
        bool from_list = list.is_error && list.error == WASI_HEADER_FORBIDDEN;
        if (append != set || set != delete || delete != from_list) __builtin_trap();
        say_number(x, names[i], append);
    }
}

static void do_log_much(struct exchange *x)
{
    struct wasi_stream_result r;
    wasi_handle err = cli_get_stderr();
    for (int i = 0; i < 100; i++)
        wasi_output_stream_blocking_write_and_flush(
            err, "a line of sixty-four bytes, of which there are a hundred or so.\n", 64, &r);
    say(x, "logged\n");
}

static void open_body(struct exchange *x, const char *length)
{
    if (length) wasi_http_response_field(&x->response, "content-length", length);
    wasi_http_response_begin(&x->response);
}

static void close_response(struct exchange *x)
{
    x->response.fields = 0;
    x->response.body = 0;
}

static void do_none(struct exchange *x)
{
    close_response(x);
}

static void do_error(struct exchange *x)
{
    wasi_response_outparam_set(x->response.outparam, true, WASI_ERROR_DNS_TIMEOUT, 0, 0, 0, 0, 0,
                               0);
    close_response(x);
}

static void do_twice(struct exchange *x)
{
    wasi_handle other = wasi_outgoing_response_new(wasi_fields_new());
    say(x, "once\n");
    wasi_response_outparam_set(x->response.outparam, false, other, 0, 0, 0, 0, 0, 0);
}

/* Drops the body before it is whole; "late" when some of it is with the client. */
static void do_drop(struct exchange *x)
{
    open_body(x, NULL);
    say(x, "half\n");
    if (*x->query) nap(100);
    wasi_output_stream_drop(x->response.stream);
    wasi_outgoing_body_drop(x->response.body);
    close_response(x);
}

static void do_keep(struct exchange *x)
{
    open_body(x, NULL);
    say(x, "half\n");
    close_response(x);
}

static void do_short(struct exchange *x)
{
    struct wasi_http_result result;
    open_body(x, "100");
    say(x, "short\n");
    if (*x->query) nap(100);
    wasi_output_stream_drop(x->response.stream);
    wasi_outgoing_body_finish(x->response.body, false, 0, &result);
    if (!result.is_error || result.error.which != WASI_ERROR_HTTP_RESPONSE_BODY_SIZE)
        __builtin_trap();
    close_response(x);
}

static void do_long(struct exchange *x)
{
    struct wasi_stream_result result;
    open_body(x, "4");
    wasi_output_stream_blocking_write_and_flush(x->response.stream, "too long", 8, &result);
    if (!result.is_error) __builtin_trap();
    close_response(x);
}

static void do_trap(struct exchange *x)
{
    (void)x;
    __builtin_trap();
}

static void do_trap_body(struct exchange *x)
{
    say(x, "half\n");
    if (*x->query) nap(100);
    __builtin_trap();
}

static void do_trap_finished(struct exchange *x)
{
    say(x, "whole\n");
    wasi_http_response_end(&x->response);
    __builtin_trap();
}

static void do_spin(struct exchange *x)
{
    (void)x;
    for (volatile int i = 0;; i++) {
    }
}

static void do_memory(struct exchange *x)
{
    while (__builtin_wasm_memory_grow(0, 256) != (size_t)-1) {
    }
    do_trap(x);
}

static void do_wait(struct exchange *x)
{
    (void)x;
    nap(60000);
}

static void do_nap(struct exchange *x)
{
    nap(300);
    say(x, "slept\n");
}

/* The client has its answer while the guest goes on, which may still look at the request. */
static void do_behind(struct exchange *x)
{
    struct wasi_stream_result r;
    char line[64];
    say(x, "answered\n");
    wasi_http_response_end(&x->response);
    nap(400);
    int size = snprintf(line, sizeof line, "behind %s\n", wasi_http_request_path(&x->request));
    wasi_output_stream_blocking_write_and_flush(cli_get_stderr(), line, (size_t)size, &r);
}

/* Written before the response is set. */
static void do_early(struct exchange *x)
{
    struct wasi_handle_result body, stream;
    struct wasi_stream_result wrote;
    struct wasi_http_result result;
    wasi_handle head = wasi_outgoing_response_new(x->response.fields);
    wasi_outgoing_response_body(head, &body);
    wasi_outgoing_body_write(body.handle, &stream);
    wasi_output_stream_blocking_write_and_flush(stream.handle, "early\n", 6, &wrote);
    wasi_output_stream_drop(stream.handle);
    if (*x->query) wasi_outgoing_body_finish(body.handle, false, 0, &result);
    wasi_response_outparam_set(x->response.outparam, false, head, 0, 0, 0, 0, 0, 0);
    if (!*x->query) wasi_outgoing_body_finish(body.handle, false, 0, &result);
    close_response(x);
}

static void do_once(struct exchange *x)
{
    struct wasi_handle_result r;
    wasi_incoming_request_consume(x->request.handle, &r);
    say_number(x, "consume", r.is_error);
    wasi_handle body = r.handle;
    wasi_incoming_request_consume(x->request.handle, &r);
    say_number(x, "consume again", r.is_error);
    wasi_incoming_body_stream(body, &r);
    say_number(x, "stream", r.is_error);
    wasi_incoming_body_stream(body, &r);
    say_number(x, "stream again", r.is_error);
    wasi_outgoing_body_write(x->response.body, &r);
    say_number(x, "write again", r.is_error);
}

static void do_parent(struct exchange *x)
{
    wasi_incoming_request_headers(x->request.handle);
    wasi_incoming_request_drop(x->request.handle);
}

static void do_unfinished(struct exchange *x)
{
    struct wasi_http_result result;
    say(x, "x");
    wasi_outgoing_body_finish(x->response.body, false, 0, &result);
}

/* Past WASI_HTTP_FIELDS_BYTES_MAX of one. */
static void do_fields_large(struct exchange *x)
{
    static char value[100 << 10];
    struct wasi_header_result r;
    wasi_handle f = wasi_fields_new();
    memset(value, 'v', sizeof value);
    wasi_fields_append(f, "x", 1, value, sizeof value, &r);
    if (r.is_error) return;
    wasi_fields_append(f, "x", 1, value, (size_t)atol(x->query), &r);
    say(x, "fits\n");
}

static void do_head_large(struct exchange *x)
{
    static char value[40 << 10];
    memset(value, 'v', sizeof value - 1);
    wasi_http_response_field(&x->response, "x-large", value);
    say(x, "too large\n");
}

static void do_bad_status(struct exchange *x)
{
    x->response.status = 102;
    say(x, "x");
}

static void do_bad_length(struct exchange *x)
{
    wasi_http_response_field(&x->response, "content-length", "many");
    say(x, "x");
}

/* ---- trailers ---- */

static void do_trailers_in(struct exchange *x)
{
    struct wasi_future_result r;
    char piece[1024];
    ptrdiff_t got;
    long total = 0;
    if (!*x->query)
        while ((got = wasi_http_request_read(&x->request, piece, sizeof piece)) > 0) total += got;
    else
        wasi_http_request_open(&x->request);
    wasi_input_stream_drop(x->request.stream);
    wasi_handle future = wasi_incoming_body_finish(x->request.body);
    wasi_handle pollable = wasi_future_trailers_subscribe(future);
    wasi_pollable_block(pollable);
    wasi_pollable_drop(pollable);
    wasi_future_trailers_get(future, &r);
    say_number(x, "body", total);
    say_number(x, "some", r.is_some);
    say_number(x, "error", r.outer.value.is_error);
    say_number(x, "trailers", r.outer.value.trailers.is_some);
    if (r.outer.value.trailers.is_some) {
        struct wasi_bytes entries;
        wasi_fields_entries(r.outer.value.trailers.fields, &entries);
        const struct wasi_field *f = (const struct wasi_field *)(const void *)entries.data;
        for (size_t i = 0; i < entries.size; i++) {
            wasi_http_response_write(&x->response, f[i].name.data, f[i].name.size);
            say_line(x, "", f[i].value.data, f[i].value.size);
        }
        wasi_fields_drop(r.outer.value.trailers.fields);
    }
    wasi_future_trailers_get(future, &r);
    say_number(x, "taken", r.outer.is_taken);
}

static void do_trailers_out(struct exchange *x)
{
    struct wasi_header_result r;
    struct wasi_http_result result;
    wasi_handle f = wasi_fields_new();
    wasi_fields_append(f, "x-checksum", 10, "abc", 3, &r);
    wasi_fields_append(f, "content-type", 12, "no/trailer", 10, &r);
    say(x, "body\n");
    wasi_output_stream_drop(x->response.stream);
    wasi_outgoing_body_finish(x->response.body, true, f, &result);
    if (result.is_error) __builtin_trap();
    close_response(x);
}

/* ---- which ---- */

static const struct {
    const char *path;
    void (*run)(struct exchange *x);
} answers[] = {
    {"/same/hello", do_hello},
    {"/same/show", do_show},
    {"/same/fields", do_fields},
    {"/same/find", do_find},
    {"/same/copy", do_copy},
    {"/same/splice", do_splice},
    {"/same/poll", do_poll},
    {"/same/count", do_count},
    {"/same/status", do_status},
    {"/same/reply-fields", do_reply_fields},
    {"/same/rules", do_rules},
    {"/same/flood", do_flood},
    {"/same/bodiless", do_bodiless},
    {"/same/fresh", do_fresh},
    {"/same/piecewise", do_piecewise},
    {"/same/nap", do_nap},
    {"/same/early", do_early},
    {"/clone", do_clone},
    {"/forbidden", do_forbidden},
    {"/log-much", do_log_much},
    {"/log", do_log},
    {"/none", do_none},
    {"/error", do_error},
    {"/twice", do_twice},
    {"/drop", do_drop},
    {"/keep", do_keep},
    {"/short", do_short},
    {"/long", do_long},
    {"/trap", do_trap},
    {"/trap-body", do_trap_body},
    {"/trap-finished", do_trap_finished},
    {"/spin", do_spin},
    {"/memory", do_memory},
    {"/wait", do_wait},
    {"/behind", do_behind},
    {"/once", do_once},
    {"/parent", do_parent},
    {"/unfinished", do_unfinished},
    {"/fields-large", do_fields_large},
    {"/head-large", do_head_large},
    {"/bad-status", do_bad_status},
    {"/bad-length", do_bad_length},
    {"/trailers-in", do_trailers_in},
    {"/trailers-out", do_trailers_out},
};

void wasi_incoming_handler_handle(wasi_handle take_request, wasi_handle take_outparam)
{
    struct exchange x = {
        .request = {.handle = take_request},
        .response = {.outparam = take_outparam, .fields = wasi_fields_new(), .status = 200}};
    const char *path = wasi_http_request_path(&x.request);
    size_t size = strcspn(path, "?");
    x.query = path[size] ? path + size + 1 : "";
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (strlen(answers[i].path) != size || memcmp(answers[i].path, path, size)) continue;
        answers[i].run(&x);
        wasi_http_response_end(&x.response);
        return;
    }
    x.response.status = 404;
    say(&x, "no such path\n");
    wasi_http_response_end(&x.response);
}
