#include "module_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define BUILDER_BYTES_MAX (600u * 1024u * 1024u)

/* Which buffer is written to: that of the open body, when one is. */
static struct buffer *target(struct module_builder *b)
{
    return b->body.cap_bytes ? &b->body : &b->out;
}

static void put(struct module_builder *b, const void *bytes, size_t size)
{
    if (buffer_append(target(b), bytes, size)) abort();
}

void builder_init(struct module_builder *b)
{
    *b = (struct module_builder){0};
    buffer_init(&b->out, BUILDER_BYTES_MAX);
    put(b, "\0asm\1\0\0\0", 8);
}

void builder_done(struct module_builder *b)
{
    buffer_done(&b->out);
    buffer_done(&b->body);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    abort();
}

void builder_hex(struct module_builder *b, const char *hex)
{
    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        builder_byte(b, (uint8_t)(digit(hex[0]) << 4 | digit(hex[1])));
        hex += 2;
    }
}

void builder_byte(struct module_builder *b, uint8_t byte)
{
    put(b, &byte, 1);
}

void builder_u64(struct module_builder *b, uint64_t value)
{
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        builder_byte(b, value ? byte | 0x80 : byte);
    } while (value);
}

void builder_u32(struct module_builder *b, uint32_t value)
{
    builder_u64(b, value);
}

/* Signed: bit 6 of the last byte must be clear. */
void builder_heap_index(struct module_builder *b, uint32_t index)
{
    while (index >= 0x40) {
        builder_byte(b, (uint8_t)(index & 0x7f) | 0x80);
        index >>= 7;
    }
    builder_byte(b, (uint8_t)index);
}

void builder_repeat(struct module_builder *b, uint32_t count, const char *hex)
{
    size_t start = target(b)->size_bytes;
    if (!count) return;
    builder_hex(b, hex);
    size_t size = target(b)->size_bytes - start;
    if (buffer_reserve(target(b), size * count)) abort();
    for (uint32_t i = 1; i < count; i++) put(b, target(b)->data + start, size);
}

void builder_name(struct module_builder *b, const char *text)
{
    builder_u32(b, (uint32_t)strlen(text));
    put(b, text, strlen(text));
}

/* A length of fixed width is put before the contents afterwards. */
static void put_length(struct buffer *out, size_t at)
{
    uint8_t room[5] = {0};
    size_t size = out->size_bytes - at;
    if (buffer_append(out, room, sizeof room)) abort();
    memmove(out->data + at + sizeof room, out->data + at, size);
    for (size_t i = 0; i < sizeof room; i++) {
        uint8_t more = i + 1 < sizeof room ? 0x80 : 0;
        out->data[at + i] = (uint8_t)((size >> (7 * i) & 0x7f) | more);
    }
}

void builder_section(struct module_builder *b, uint8_t id)
{
    builder_byte(b, id);
    b->section_at = b->out.size_bytes;
}

void builder_section_end(struct module_builder *b)
{
    put_length(&b->out, b->section_at);
}

void builder_body(struct module_builder *b)
{
    buffer_init(&b->body, BUILDER_BYTES_MAX);
}

void builder_body_end(struct module_builder *b)
{
    struct buffer body = b->body;
    b->body = (struct buffer){0};
    builder_u32(b, (uint32_t)body.size_bytes);
    put(b, body.data, body.size_bytes);
    buffer_done(&body);
}

void builder_section_hex(struct module_builder *b, uint8_t id, const char *hex)
{
    builder_section(b, id);
    builder_hex(b, hex);
    builder_section_end(b);
}

void builder_init_rich(struct module_builder *b)
{
    builder_init(b);
    builder_section_hex(b, 1, "03 60 00 00  60 01 7f 01 7e  60 01 7f 00");
    builder_section_hex(b, 2, "03 01 6d 01 66 00 01  01 6d 01 67 03 7f 00  00 00 02 00 01");
    builder_section_hex(b, 3, "02 00 00");
    builder_section_hex(b, 4, "01 70 01 02 05");
    builder_section_hex(b, 5, "01 04 03");
    builder_section_hex(b, 13, "01 00 02");
    builder_section_hex(b, 6, "01 7e 01 42 05 0b");
    builder_section_hex(b, 7, "02 01 65 00 01  03 6d 65 6d 02 01");
    builder_section_hex(b, 8, "02");
    builder_section_hex(b, 9, "01 00 41 00 0b 02 00 02");
    builder_section_hex(b, 12, "01");
    builder_section_hex(b, 10, "02  02 00 0b  08 02 02 7f 01 7d 01 01 0b");
    builder_section_hex(b, 11, "01 02 00 41 08 0b 03 78 79 7a");
    builder_section(b, 0);
    builder_name(b, "name");
    builder_hex(b, "00 04 03 61 70 70  01 0b 02 00 03 69 6d 70 02 03 72 75 6e");
    builder_section_end(b);
    builder_section(b, 0);
    builder_name(b, "other");
    builder_hex(b, "01 02 03");
    builder_section_end(b);
}

void builder_functions(struct module_builder *b, uint32_t count)
{
    builder_section_hex(b, 1, "01 60 00 00");
    builder_section(b, 3);
    builder_u32(b, count);
    builder_repeat(b, count, "00");
    builder_section_end(b);
}

enum status builder_decode(const struct module_builder *b, struct error *err)
{
    struct wasm_module *m = NULL;
    uint8_t *bytes = malloc(b->out.size_bytes);
    if (!bytes) abort();
    memcpy(bytes, b->out.data, b->out.size_bytes);
    enum status st = wasm_module_decode(bytes, b->out.size_bytes, 1, &m, err);
    wasm_module_free(m);
    free(bytes);
    return st;
}

struct wasm_module *builder_decode_keep(const struct module_builder *b)
{
    struct wasm_module *m = NULL;
    struct error err = {0};
    if (wasm_module_decode(b->out.data, b->out.size_bytes, 1, &m, &err)) fail_msg("%s", err.text);
    return m;
}

void builder_expect(const struct module_builder *b, enum status status, const char *expected,
                    const char *what)
{
    struct error err = {0};
    enum status st = builder_decode(b, &err);
    const char *text = st ? err.text : "accepted";
    if (st != status || (expected && !strstr(text, expected)))
        fail_msg("%s: expected %s \"%s\", got %s \"%s\"", what, status_name(status),
                 expected ? expected : "", status_name(st), text);
}
