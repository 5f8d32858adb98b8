/* Signs transactions with Ed25519. The secret stays here: 32 bytes in hexadecimal in the variable
 * SIGN_SEED. A component for wasi:http.
 *
 *   GET  /   the public key
 *   POST /   a transaction, of any bytes: its signature, by which everybody who has the public key
 *            sees that it was signed here and has not changed since */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "ed25519.h"
#include "wasi_http.h"

#define TRANSACTION_BYTES_MAX 65536u

static uint8_t transaction[TRANSACTION_BYTES_MAX + 1];

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_seed(uint8_t seed[32])
{
    const char *text = getenv("SIGN_SEED");
    if (!text || strlen(text) != 64) return 0;
    for (int i = 0; i < 32; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return 0;
        seed[i] = (uint8_t)(high << 4 | low);
    }
    return 1;
}

static void write_hex(const uint8_t *bytes, size_t size_bytes, char *text)
{
    for (size_t i = 0; i < size_bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void refuse(struct wasi_http_response *response, int status, const char *why)
{
    char text[128];
    response->status = (uint16_t)status;
    snprintf(text, sizeof text, "{\"error\":\"%s\"}\n", why);
    wasi_http_response_field(response, "content-type", "application/json");
    if (status == 405) wasi_http_response_field(response, "allow", "GET, POST");
    wasi_http_response_text(response, text);
}

/* Returns how many bytes there are, more than TRANSACTION_BYTES_MAX for too many, or -1. */
static ptrdiff_t read_transaction(struct wasi_http_request *request)
{
    size_t size = 0;
    while (size < sizeof transaction) {
        ptrdiff_t got =
            wasi_http_request_read(request, transaction + size, sizeof transaction - size);
        if (got < 0) return -1;
        if (!got) break;
        size += (size_t)got;
    }
    return (ptrdiff_t)size;
}

void wasi_http_handle(struct wasi_http_request *request, struct wasi_http_response *response)
{
    uint8_t seed[32], key[ED25519_KEY_BYTES], signature[ED25519_SIGNATURE_BYTES];
    char key_text[2 * sizeof key + 1], signature_text[2 * sizeof signature + 1], text[320];
    const char *method = wasi_http_request_method(request);
    int signs = !strcmp(method, "POST");
    if (!signs && strcmp(method, "GET") != 0) return refuse(response, 405, "GET or POST");
    if (!read_seed(seed)) return refuse(response, 503, "SIGN_SEED is not 64 hexadecimal digits");

    ptrdiff_t size = signs ? read_transaction(request) : 0;
    if (size < 0) return refuse(response, 400, "the transaction broke off");
    if (signs && !size) return refuse(response, 400, "no transaction");
    if (size > (ptrdiff_t)TRANSACTION_BYTES_MAX) return refuse(response, 413, "more than 64 KiB");

    ed25519_public_key(seed, key);
    write_hex(key, sizeof key, key_text);
    if (signs) {
        ed25519_sign(seed, key, transaction, (size_t)size, signature);
        write_hex(signature, sizeof signature, signature_text);
        snprintf(text, sizeof text, "{\"public_key\":\"%s\",\"signature\":\"%s\"}\n", key_text,
                 signature_text);
    } else {
        snprintf(text, sizeof text, "{\"public_key\":\"%s\"}\n", key_text);
    }
    wasi_http_response_field(response, "content-type", "application/json");
    wasi_http_response_field(response, "cache-control", "no-store");
    wasi_http_response_text(response, text);
}
