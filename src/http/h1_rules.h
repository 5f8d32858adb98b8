/* Every reason for which a request is refused: status, stable name, and what the client is told. */
#ifndef HTTP_H1_RULES_H
#define HTTP_H1_RULES_H

#define H1_RULES(R)                                                                                \
    R(REQUEST_LINE, 400, "request-line", "a request line is METHOD SP TARGET SP VERSION")          \
    R(METHOD, 400, "method", "a method is a token")                                                \
    R(METHOD_LENGTH, 501, "method-length", "no method is that long")                               \
    R(METHOD_CONNECT, 501, "method-connect", "this server is no proxy")                            \
    R(TARGET, 400, "target", "a target is a path, an http URL, or * with OPTIONS")                 \
    R(TARGET_LENGTH, 414, "target-length", "the request target is too long")                       \
    R(VERSION, 400, "version", "a version is HTTP/ digit . digit")                                 \
    R(VERSION_UNSUPPORTED, 505, "version-unsupported", "only HTTP/1.0 and HTTP/1.1 are spoken")    \
    R(BARE_LF, 400, "bare-lf", "lines end in CR LF, not in LF")                                    \
    R(BARE_CR, 400, "bare-cr", "CR stands only before LF")                                         \
    R(FIELD_COLON, 400, "field-colon", "a field line is a name, a colon and a value")              \
    R(FIELD_NAME, 400, "field-name", "a field name is a token directly before its colon")          \
    R(FIELD_VALUE, 400, "field-value", "a field value has no control characters")                  \
    R(FIELD_FOLD, 400, "field-fold", "a field line does not begin with white space")               \
    R(FIELD_COUNT, 431, "field-count", "too many fields")                                          \
    R(HEAD_SIZE, 431, "head-size", "the head is too large")                                        \
    R(HEAD_TIMEOUT, 408, "head-timeout", "the head took too long")                                 \
    R(HEAD_TRUNCATED, 400, "head-truncated", "the connection ended within the head")               \
    R(HOST_MISSING, 400, "host-missing", "HTTP/1.1 needs a Host field")                            \
    R(HOST_DUPLICATE, 400, "host-duplicate", "one Host field, not several")                        \
    R(HOST, 400, "host", "Host is a name or address, and maybe a port")                            \
    R(HOST_MISMATCH, 400, "host-mismatch", "the target names another host than the Host field")    \
    R(TE_WITH_CL, 400, "te-with-cl", "Transfer-Encoding and Content-Length exclude each other")    \
    R(TE_DUPLICATE, 400, "te-duplicate", "one Transfer-Encoding field, not several")               \
    R(TE_VERSION, 400, "te-version", "HTTP/1.0 has no Transfer-Encoding")                          \
    R(TE, 400, "te", "the only transfer coding is exactly chunked")                                \
    R(TE_UNSUPPORTED, 501, "te-unsupported", "the only transfer coding is chunked")                \
    R(CL_DUPLICATE, 400, "cl-duplicate", "one Content-Length field, not several")                  \
    R(CL, 400, "cl", "Content-Length is one number in decimal digits")                             \
    R(BODY_SIZE, 413, "body-size", "the body is too large")                                        \
    R(BODY_TIMEOUT, 408, "body-timeout", "the body came too slowly")                               \
    R(BODY_TRUNCATED, 400, "body-truncated", "the connection ended within the body")               \
    R(CONNECTION, 400, "connection", "Connection is a list of tokens")                             \
    R(EXPECT, 417, "expect", "the only expectation is 100-continue")                               \
    R(CHUNK_SIZE, 400, "chunk-size", "a chunk begins with its size in hex digits")                 \
    R(CHUNK_EXTENSION, 400, "chunk-extension", "a chunk extension is ;name or ;name=value")        \
    R(CHUNK_EXTENSION_SIZE, 400, "chunk-extension-size", "the chunk extensions are too large")     \
    R(CHUNK_END, 400, "chunk-end", "a chunk ends in CR LF, right behind its data")                 \
    R(TRAILER, 400, "trailer", "a trailer field is a name, a colon and a value")                   \
    R(TRAILER_FORBIDDEN, 400, "trailer-forbidden", "that field may not stand in a trailer")        \
    R(TRAILER_SIZE, 431, "trailer-size", "the trailer is too large")

enum h1_rule {
    H1_RULE_NONE = 0,
#define R(id, status, name, text) H1_RULE_##id,
    H1_RULES(R)
#undef R
};

int h1_rule_status(enum h1_rule rule);
const char *h1_rule_name(enum h1_rule rule);
const char *h1_rule_text(enum h1_rule rule);

#endif
