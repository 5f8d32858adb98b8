/* Inside wasi:http: what the interface of fields does with them. */
#ifndef WASI_PREVIEW2_HTTP_FIELDS_H
#define WASI_PREVIEW2_HTTP_FIELDS_H

#include "http.h"

bool field_value_is_valid(const char *text, size_t size_bytes);

/* What belongs to the connection, which is the host's. */
bool field_is_forbidden(const char *name, size_t size_bytes);

char field_lower(char c);

/* What has come in shows its names in lower case: every host does so. */
bool fields_are_lowered(const struct http_fields *f);

/* False: HOST_TRAP, for there are too many or they are too large. */
NODISCARD bool fields_add(struct canonical_call *c, struct http_fields *f,
                          struct wasi_http_text name, struct wasi_http_text value);

void fields_delete(struct wasi_preview2 *p, struct http_fields *f, struct canonical_text name);

/* The next field of that name, in any case. */
bool fields_next_of(struct field_cursor *cursor, struct canonical_text name,
                    struct wasi_http_field *ret);

#endif
