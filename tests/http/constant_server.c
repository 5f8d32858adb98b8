/* A server that answers every request with the same 200: for measuring the server itself.
 * usage: constant_server HOST:PORT */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "os/loop.h"

static void on_request(void *context, struct http_exchange *x)
{
    static const char body[] = "hello, world\n";
    static const struct http_field field = {{"Content-Type", 12}, {"text/plain", 10}};
    (void)context;
    size_t taken;
    struct error err;
    if (http_respond_head(x, 200, &field, 1, &err) ||
        http_respond_body(x, body, sizeof body - 1, &taken)) {
        http_exchange_abort(x);
        return;
    }
    http_respond_end(x);
}

static void on_abort(void *context, struct http_exchange *x, enum http_abort reason)
{
    (void)context;
    (void)x;
    (void)reason;
}

static void on_signal(void *context, int number)
{
    (void)number;
    loop_stop(context);
}

int main(int argc, char **argv)
{
    static const struct http_handler handler = {.on_request = on_request, .on_abort = on_abort};
    static const int signals[] = {SIGINT, SIGTERM};
    struct error err;
    struct loop *loop;
    struct http_server *server;
    struct loop_signals watch;
    struct http_config config;
    struct http_listen listen;
    char host[64];
    uint16_t port;
    http_config_init(&config);
    enum status st =
        http_listen_parse(argc > 1 ? argv[1] : "127.0.0.1:0", host, sizeof host, &listen, &err);
    if (!st) st = loop_new(clock_system(), &loop, &err);
    if (!st) st = http_server_new(loop, &config, &handler, NULL, &server, &err);
    if (!st) st = http_server_listen(server, &listen, &port, &err);
    if (!st) st = loop_signals_open(loop, &watch, signals, 2, on_signal, loop, &err);
    if (st) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("listening on http://%s:%u\n", host, (unsigned)port);
    fflush(stdout);
    st = loop_run(loop, &err);
    http_server_free(server);
    loop_signals_close(&watch);
    loop_free(loop);
    return st != ST_OK;
}
