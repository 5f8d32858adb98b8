/* wasi:http/types: error-code. */
#include "http.h"

const struct io_domain io_domain_http = {"http"};

const char *wasi_http_error_name(enum wasi_http_error error)
{
    static const char *const names[WASI_HTTP_ERRORS] = {
        [WASI_HTTP_DNS_TIMEOUT] = "DNS-timeout",
        [WASI_HTTP_DNS_ERROR] = "DNS-error",
        [WASI_HTTP_DESTINATION_NOT_FOUND] = "destination-not-found",
        [WASI_HTTP_DESTINATION_UNAVAILABLE] = "destination-unavailable",
        [WASI_HTTP_DESTINATION_IP_PROHIBITED] = "destination-IP-prohibited",
        [WASI_HTTP_DESTINATION_IP_UNROUTABLE] = "destination-IP-unroutable",
        [WASI_HTTP_CONNECTION_REFUSED] = "connection-refused",
        [WASI_HTTP_CONNECTION_TERMINATED] = "connection-terminated",
        [WASI_HTTP_CONNECTION_TIMEOUT] = "connection-timeout",
        [WASI_HTTP_CONNECTION_READ_TIMEOUT] = "connection-read-timeout",
        [WASI_HTTP_CONNECTION_WRITE_TIMEOUT] = "connection-write-timeout",
        [WASI_HTTP_CONNECTION_LIMIT_REACHED] = "connection-limit-reached",
        [WASI_HTTP_TLS_PROTOCOL_ERROR] = "TLS-protocol-error",
        [WASI_HTTP_TLS_CERTIFICATE_ERROR] = "TLS-certificate-error",
        [WASI_HTTP_TLS_ALERT_RECEIVED] = "TLS-alert-received",
        [WASI_HTTP_REQUEST_DENIED] = "HTTP-request-denied",
        [WASI_HTTP_REQUEST_LENGTH_REQUIRED] = "HTTP-request-length-required",
        [WASI_HTTP_REQUEST_BODY_SIZE] = "HTTP-request-body-size",
        [WASI_HTTP_REQUEST_METHOD_INVALID] = "HTTP-request-method-invalid",
        [WASI_HTTP_REQUEST_URI_INVALID] = "HTTP-request-URI-invalid",
        [WASI_HTTP_REQUEST_URI_TOO_LONG] = "HTTP-request-URI-too-long",
        [WASI_HTTP_REQUEST_HEADER_SECTION_SIZE] = "HTTP-request-header-section-size",
        [WASI_HTTP_REQUEST_HEADER_SIZE] = "HTTP-request-header-size",
        [WASI_HTTP_REQUEST_TRAILER_SECTION_SIZE] = "HTTP-request-trailer-section-size",
        [WASI_HTTP_REQUEST_TRAILER_SIZE] = "HTTP-request-trailer-size",
        [WASI_HTTP_RESPONSE_INCOMPLETE] = "HTTP-response-incomplete",
        [WASI_HTTP_RESPONSE_HEADER_SECTION_SIZE] = "HTTP-response-header-section-size",
        [WASI_HTTP_RESPONSE_HEADER_SIZE] = "HTTP-response-header-size",
        [WASI_HTTP_RESPONSE_BODY_SIZE] = "HTTP-response-body-size",
        [WASI_HTTP_RESPONSE_TRAILER_SECTION_SIZE] = "HTTP-response-trailer-section-size",
        [WASI_HTTP_RESPONSE_TRAILER_SIZE] = "HTTP-response-trailer-size",
        [WASI_HTTP_RESPONSE_TRANSFER_CODING] = "HTTP-response-transfer-coding",
        [WASI_HTTP_RESPONSE_CONTENT_CODING] = "HTTP-response-content-coding",
        [WASI_HTTP_RESPONSE_TIMEOUT] = "HTTP-response-timeout",
        [WASI_HTTP_UPGRADE_FAILED] = "HTTP-upgrade-failed",
        [WASI_HTTP_PROTOCOL_ERROR] = "HTTP-protocol-error",
        [WASI_HTTP_LOOP_DETECTED] = "loop-detected",
        [WASI_HTTP_CONFIGURATION_ERROR] = "configuration-error",
        [WASI_HTTP_INTERNAL_ERROR] = "internal-error",
    };
    return error < WASI_HTTP_ERRORS ? names[error] : "unknown";
}

/* Payloads are records of options, or options: all zero is none everywhere. */
void put_error_code(uint8_t *at, enum wasi_http_error error)
{
    at[0] = (uint8_t)error;
}
