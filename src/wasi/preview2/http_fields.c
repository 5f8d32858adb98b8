/* wasi:http/types: fields. */
#include "http_fields.h"

/* ---- rules ---- */

enum header_error {
    HEADER_INVALID_SYNTAX,
    HEADER_FORBIDDEN,
    HEADER_IMMUTABLE,
    HEADER_OK, /* none */
};

static enum header_error check_name(const struct http_fields *f, struct canonical_text name)
{
    if (f->immutable) return HEADER_IMMUTABLE;
    if (!text_is_token(name.bytes, name.size_bytes)) return HEADER_INVALID_SYNTAX;
    return field_is_forbidden(name.bytes, name.size_bytes) ? HEADER_FORBIDDEN : HEADER_OK;
}

/* ---- the interface ---- */

static struct http_fields *borrowed(struct canonical_call *c, uint32_t handle)
{
    return canonical_borrowed(c, &http_fields_class.resource, handle);
}

static enum host_result put_header_result(struct canonical_call *c, uint32_t at,
                                          enum header_error error)
{
    uint8_t *ret = call_place(c, at, 2, 1);
    if (!ret) return HOST_TRAP;
    ret[0] = error != HEADER_OK;
    if (error != HEADER_OK) ret[1] = (uint8_t)error;
    return HOST_OK;
}

static enum host_result call_constructor(struct canonical_call *c, struct value *v)
{
    void *f = io_call_new(c, &http_fields_class, sizeof(struct http_fields), NULL);
    return f && io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

/* Checks and adds one of the guest's. False: HOST_TRAP. */
static bool add_checked(struct canonical_call *c, struct http_fields *f, struct canonical_text name,
                        const uint8_t *value, uint32_t value_bytes, enum header_error *ret)
{
    *ret = check_name(f, name);
    if (*ret == HEADER_OK && !field_value_is_valid((const char *)value, value_bytes))
        *ret = HEADER_INVALID_SYNTAX;
    if (*ret != HEADER_OK) return true;
    return fields_add(c, f, (struct wasi_http_text){name.bytes, name.size_bytes},
                      (struct wasi_http_text){(const char *)value, value_bytes});
}

static bool add_listed(struct canonical_call *c, struct http_fields *f, uint32_t at,
                       enum header_error *ret)
{
    uint8_t *entry, *value;
    uint32_t words[4];
    struct canonical_text name;
    if (!canonical_bytes(c, at, sizeof words, &entry)) return false;
    memcpy(words, entry, sizeof words);
    return canonical_text(c, words[0], words[1], &name) &&
           canonical_bytes(c, words[2], words[3], &value) &&
           add_checked(c, f, name, value, words[3], ret);
}

static enum host_result call_from_list(struct canonical_call *c, struct value *v)
{
    uint32_t at = v[0].i32, count = v[1].i32, ret_at = v[2].i32, handle = 0;
    const uint8_t *elements;
    enum header_error error = HEADER_OK;
    if (!canonical_list(c, at, count, 16, 4, &elements)) return HOST_TRAP;
    struct http_fields *f = io_call_new(c, &http_fields_class, sizeof *f, NULL);
    if (!f) return HOST_TRAP;
    for (uint32_t i = 0; i < count && error == HEADER_OK; i++) {
        if (!add_listed(c, f, at + 16 * i, &error)) {
            io_object_end(call_state(c), f);
            return HOST_TRAP;
        }
    }
    if (error != HEADER_OK)
        io_object_end(call_state(c), f);
    else if (!io_call_own(c, f, &handle))
        return HOST_TRAP;
    uint8_t *ret = call_place(c, ret_at, 8, 4);
    if (!ret) return HOST_TRAP;
    ret[0] = error != HEADER_OK;
    put_u32(ret + 4, error != HEADER_OK ? (uint32_t)error : handle);
    return HOST_OK;
}

/* A list's words at `at`, in memory that was made for it. */
static bool put_element(struct canonical_call *c, uint32_t at, struct call_list list)
{
    uint8_t *place;
    if (!canonical_bytes(c, at, 8, &place)) return false;
    put_list(place, &list);
    return true;
}

static enum host_result call_get(struct canonical_call *c, struct value *v)
{
    uint32_t name_at = v[1].i32, name_units = v[2].i32, ret_at = v[3].i32;
    struct http_fields *f = borrowed(c, v[0].i32);
    struct canonical_text name;
    struct field_cursor cursor;
    struct wasi_http_field field;
    struct call_list all = {0};
    uint8_t *place;
    if (!f || !canonical_text(c, name_at, name_units, &name)) return HOST_TRAP;
    fields_cursor(f, &cursor);
    while (fields_next_of(&cursor, name, &field)) all.count++;
    if (all.count && !canonical_allocate(c, 8 * all.count, 4, &all.at, &place)) return HOST_TRAP;
    fields_cursor(f, &cursor);
    for (uint32_t i = 0; i < all.count; i++) {
        struct call_list one;
        if (!canonical_text(c, name_at, name_units, &name)) return HOST_TRAP;
        fields_next_of(&cursor, name, &field);
        if (!call_put_bytes(c, field.value.data, field.value.size_bytes, &one) ||
            !put_element(c, all.at + 8 * i, one))
            return HOST_TRAP;
    }
    uint8_t *ret = call_place(c, ret_at, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &all);
    return HOST_OK;
}

static enum host_result call_has(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = borrowed(c, v[0].i32);
    struct canonical_text name;
    struct field_cursor cursor;
    struct wasi_http_field field;
    if (!f || !canonical_text(c, v[1].i32, v[2].i32, &name)) return HOST_TRAP;
    fields_cursor(f, &cursor);
    v[0].i32 = fields_next_of(&cursor, name, &field);
    return HOST_OK;
}

/* What is there stays when any of the new values is wrong. */
static enum host_result call_set(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = borrowed(c, v[0].i32);
    uint32_t at = v[3].i32, count = v[4].i32, ret_at = v[5].i32;
    struct canonical_text name;
    const uint8_t *elements;
    enum header_error error;
    if (!f || !canonical_text(c, v[1].i32, v[2].i32, &name) ||
        !canonical_list(c, at, count, 8, 4, &elements))
        return HOST_TRAP;
    error = check_name(f, name);
    for (int pass = 0; pass < 2 && error == HEADER_OK; pass++) {
        if (pass == 1) fields_delete(call_state(c), f, name);
        for (uint32_t i = 0; i < count && error == HEADER_OK; i++) {
            uint32_t words[2];
            uint8_t *value;
            memcpy(words, elements + 8 * (size_t)i, sizeof words);
            if (!canonical_bytes(c, words[0], words[1], &value)) return HOST_TRAP;
            if (pass == 0 && !field_value_is_valid((const char *)value, words[1]))
                error = HEADER_INVALID_SYNTAX;
            if (pass == 1 && !add_checked(c, f, name, value, words[1], &error)) return HOST_TRAP;
        }
    }
    return put_header_result(c, ret_at, error);
}

static enum host_result call_delete(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = borrowed(c, v[0].i32);
    struct canonical_text name;
    if (!f || !canonical_text(c, v[1].i32, v[2].i32, &name)) return HOST_TRAP;
    enum header_error error = check_name(f, name);
    if (error == HEADER_OK) fields_delete(call_state(c), f, name);
    return put_header_result(c, v[3].i32, error);
}

static enum host_result call_append(struct canonical_call *c, struct value *v)
{
    struct http_fields *f = borrowed(c, v[0].i32);
    struct canonical_text name;
    uint8_t *value;
    enum header_error error;
    if (!f || !canonical_text(c, v[1].i32, v[2].i32, &name) ||
        !canonical_bytes(c, v[3].i32, v[4].i32, &value) ||
        !add_checked(c, f, name, value, v[4].i32, &error))
        return HOST_TRAP;
    return put_header_result(c, v[5].i32, error);
}

static bool put_name(struct canonical_call *c, const struct http_fields *f,
                     struct wasi_http_text name, struct call_list *ret)
{
    char text[256];
    if (!fields_are_lowered(f) || name.size_bytes > sizeof text)
        return http_put_text(c, name.data, name.size_bytes, ret);
    for (size_t i = 0; i < name.size_bytes; i++) text[i] = field_lower(name.data[i]);
    return http_put_text(c, text, name.size_bytes, ret);
}

static bool put_entry(struct canonical_call *c, const struct http_fields *f,
                      const struct wasi_http_field *field, uint32_t at)
{
    struct call_list name, value;
    return put_name(c, f, field->name, &name) &&
           call_put_bytes(c, field->value.data, field->value.size_bytes, &value) &&
           put_element(c, at, name) && put_element(c, at + 8, value);
}

static enum host_result call_entries(struct canonical_call *c, struct value *v)
{
    uint32_t ret_at = v[1].i32;
    struct http_fields *f = borrowed(c, v[0].i32);
    struct field_cursor cursor;
    struct wasi_http_field field;
    struct call_list all = {0};
    uint8_t *place;
    if (!f) return HOST_TRAP;
    fields_cursor(f, &cursor);
    while (fields_next(&cursor, &field)) all.count++;
    if (all.count && !canonical_allocate(c, 16 * all.count, 4, &all.at, &place)) return HOST_TRAP;
    fields_cursor(f, &cursor);
    for (uint32_t i = 0; fields_next(&cursor, &field); i++)
        if (!put_entry(c, f, &field, all.at + 16 * i)) return HOST_TRAP;
    uint8_t *ret = call_place(c, ret_at, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &all);
    return HOST_OK;
}

static enum host_result call_clone(struct canonical_call *c, struct value *v)
{
    struct http_fields *from = borrowed(c, v[0].i32);
    struct field_cursor cursor;
    struct wasi_http_field field;
    if (!from) return HOST_TRAP;
    struct http_fields *f = io_call_new(c, &http_fields_class, sizeof *f, NULL);
    if (!f) return HOST_TRAP;
    fields_cursor(from, &cursor);
    while (fields_next(&cursor, &field)) {
        if (!fields_add(c, f, field.name, field.value)) {
            io_object_end(call_state(c), f);
            return HOST_TRAP;
        }
        for (uint32_t i = 0; fields_are_lowered(from) && i < f->last->name_bytes; i++)
            f->last->bytes[i] = field_lower(f->last->bytes[i]);
    }
    return io_call_own(c, f, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

#define HEADER_RESULT "result<_, " TYPE_HEADER_ERROR ">"

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("[constructor]fields", "func() -> own<fields>", call_constructor),
    CANONICAL_FUNCTION("[static]fields.from-list",
                       "func(entries: list<tuple<string, list<u8>>>) -> "
                       "result<own<fields>, " TYPE_HEADER_ERROR ">",
                       call_from_list),
    CANONICAL_FUNCTION("[method]fields.get",
                       "func(self: borrow<fields>, name: string) -> list<list<u8>>", call_get),
    CANONICAL_FUNCTION("[method]fields.has", "func(self: borrow<fields>, name: string) -> bool",
                       call_has),
    CANONICAL_FUNCTION(
        "[method]fields.set",
        "func(self: borrow<fields>, name: string, value: list<list<u8>>) -> " HEADER_RESULT,
        call_set),
    CANONICAL_FUNCTION("[method]fields.delete",
                       "func(self: borrow<fields>, name: string) -> " HEADER_RESULT, call_delete),
    CANONICAL_FUNCTION(
        "[method]fields.append",
        "func(self: borrow<fields>, name: string, value: list<u8>) -> " HEADER_RESULT, call_append),
    CANONICAL_FUNCTION("[method]fields.entries",
                       "func(self: borrow<fields>) -> list<tuple<string, list<u8>>>", call_entries),
    CANONICAL_FUNCTION("[method]fields.clone", "func(self: borrow<fields>) -> own<fields>",
                       call_clone),
};

const struct http_functions http_fields_functions = {functions, ARRAY_COUNT(functions)};
