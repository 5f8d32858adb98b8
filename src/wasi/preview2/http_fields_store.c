/* Fields: rules, entries, walking through them. */
#include <stdlib.h>

#include "http_fields.h"

/* ---- rules ---- */

bool text_is_token(const char *text, size_t size_bytes)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < size_bytes; i++) {
        char c = text[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain && (c == '\0' || !strchr(others, c))) return false;
    }
    return size_bytes > 0;
}

/* RFC 9110 §5.5: no control characters but tabs. */
bool field_value_is_valid(const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

char field_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_name(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    if (a_bytes != b_bytes) return false;
    for (size_t i = 0; i < a_bytes; i++)
        if (field_lower(a[i]) != field_lower(b[i])) return false;
    return true;
}

/* What belongs to the connection, which is the host's. */
bool field_is_forbidden(const char *name, size_t size_bytes)
{
    static const char *const names[] = {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "upgrade",    "host",       "http2-settings",     "transfer-encoding",
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        if (same_name(name, size_bytes, names[i], strlen(names[i]))) return true;
    return false;
}

/* ---- entries ---- */

static size_t entry_bytes(const struct field_entry *e)
{
    return sizeof *e + e->name_bytes + e->value_bytes;
}

/* Few are larger than what the pool has pieces for. */
static struct field_entry *entry_take(struct wasi_preview2 *p, size_t size_bytes)
{
    return size_bytes <= IO_PIECE_BYTES_MAX ? io_pool_take(&p->pool, size_bytes)
                                            : malloc(size_bytes);
}

static void entry_give(struct wasi_preview2 *p, struct field_entry *e)
{
    size_t size_bytes = entry_bytes(e);
    if (size_bytes <= IO_PIECE_BYTES_MAX)
        io_pool_give(&p->pool, e, size_bytes);
    else
        free(e);
}

static void entries_clear(struct wasi_preview2 *p, struct http_fields *f)
{
    struct field_entry *next;
    for (struct field_entry *e = f->first; e; e = next) {
        next = e->next;
        entry_give(p, e);
    }
    f->first = f->last = NULL;
    f->count = f->bytes = 0;
}

static void fields_done(struct wasi_preview2 *p, struct io_object *o)
{
    entries_clear(p, (struct http_fields *)o);
}

const struct io_class http_fields_class = IO_CLASS("fields", fields_done);

bool fields_add(struct canonical_call *c, struct http_fields *f, struct wasi_http_text name,
                struct wasi_http_text value)
{
    size_t bytes = name.size_bytes + value.size_bytes;
    if (bytes > WASI_HTTP_FIELDS_BYTES_MAX - f->bytes || f->count == WASI_HTTP_FIELDS_MAX)
        return canonical_trap(c, "fields are larger than %u KiB, or more than %u",
                              WASI_HTTP_FIELDS_BYTES_MAX >> 10, WASI_HTTP_FIELDS_MAX);
    struct field_entry *e = entry_take(call_state(c), sizeof *e + bytes);
    if (!e) return canonical_trap(c, "no room for fields");
    *e = (struct field_entry){NULL, (uint32_t)name.size_bytes, (uint32_t)value.size_bytes};
    memcpy(e->bytes, name.data, name.size_bytes);
    memcpy(e->bytes + name.size_bytes, value.data, value.size_bytes);
    if (f->last)
        f->last->next = e;
    else
        f->first = e;
    f->last = e;
    f->count++;
    f->bytes += (uint32_t)bytes;
    return true;
}

void fields_delete(struct wasi_preview2 *p, struct http_fields *f, struct canonical_text name)
{
    struct field_entry **link = &f->first, *last = NULL;
    while (*link) {
        struct field_entry *e = *link;
        if (same_name(e->bytes, e->name_bytes, name.bytes, name.size_bytes)) {
            *link = e->next;
            f->count--;
            f->bytes -= e->name_bytes + e->value_bytes;
            entry_give(p, e);
        } else {
            last = e;
            link = &e->next;
        }
    }
    f->last = last;
}

/* ---- walking ---- */

void fields_cursor(const struct http_fields *f, struct field_cursor *ret)
{
    *ret = (struct field_cursor){f, f->first, 0};
}

bool fields_next(struct field_cursor *cursor, struct wasi_http_field *ret)
{
    const struct http_fields *f = cursor->fields;
    if (!f->view) {
        const struct field_entry *e = cursor->entry;
        if (!e) return false;
        *ret = (struct wasi_http_field){{e->bytes, e->name_bytes},
                                        {e->bytes + e->name_bytes, e->value_bytes}};
        cursor->entry = e->next;
        return true;
    }
    for (size_t count = f->view->count(f->view_context); cursor->index < count;) {
        *ret = f->view->get(f->view_context, cursor->index++);
        if (!field_is_forbidden(ret->name.data, ret->name.size_bytes)) return true;
    }
    return false;
}

bool fields_next_of(struct field_cursor *cursor, struct canonical_text name,
                    struct wasi_http_field *ret)
{
    while (fields_next(cursor, ret))
        if (same_name(ret->name.data, ret->name.size_bytes, name.bytes, name.size_bytes))
            return true;
    return false;
}

bool fields_gather(const struct http_fields *f,
                   struct wasi_http_field ret[WASI_HTTP_SENT_FIELDS_MAX], size_t *count)
{
    struct field_cursor cursor;
    struct wasi_http_field field;
    fields_cursor(f, &cursor);
    for (*count = 0; fields_next(&cursor, &field); ret[(*count)++] = field)
        if (*count == WASI_HTTP_SENT_FIELDS_MAX) return false;
    return true;
}

struct http_fields *fields_view(struct canonical_call *c, const struct wasi_http_fields *view,
                                void *context, struct io_object *parent)
{
    struct http_fields *f = io_call_new(c, &http_fields_class, sizeof *f, parent);
    if (!f) return NULL;
    f->view = view;
    f->view_context = context;
    f->immutable = true;
    return f;
}

static size_t alias_count(void *context)
{
    const struct http_fields *f = context;
    return f->count;
}

/* From the front each time: aliases are short and rare. */
static struct wasi_http_field alias_get(void *context, size_t index)
{
    const struct field_entry *e = ((const struct http_fields *)context)->first;
    while (index--) e = e->next;
    return (struct wasi_http_field){{e->bytes, e->name_bytes},
                                    {e->bytes + e->name_bytes, e->value_bytes}};
}

static const struct wasi_http_fields alias = {alias_count, alias_get};

struct http_fields *fields_alias(struct canonical_call *c, struct http_fields *f,
                                 struct io_object *parent)
{
    if (f->view) return fields_view(c, f->view, f->view_context, parent);
    return fields_view(c, &alias, f, parent);
}

/* What has come in shows its names in lower case: every host does so. */
bool fields_are_lowered(const struct http_fields *f)
{
    return f->view && f->view != &alias;
}
