/* The smallest component for wasi:http: says hello. */
#include "wasi_http.h"

void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response)
{
    (void)request;
    wasi_http_response_field(response, "content-type", "text/plain");
    wasi_http_response_text(response, "Hello from a component in C\n");
}
