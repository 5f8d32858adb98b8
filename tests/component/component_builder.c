#include "component_builder.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define BYTES_MAX ((size_t)64 << 20)

static struct buffer *top(struct builder *b)
{
    return &b->out[b->depth];
}

static void put(struct builder *b, const void *bytes, size_t size)
{
    if (size && buffer_append(top(b), bytes, size)) abort();
}

void builder_preamble(struct builder *b)
{
    builder_hex(b, "00 61 73 6d 0d 00 01 00");
}

void builder_init(struct builder *b)
{
    memset(b, 0, sizeof *b);
    buffer_init(top(b), BYTES_MAX);
    builder_preamble(b);
}

void builder_done(struct builder *b)
{
    for (unsigned i = 0; i < BUILDER_DEPTH_MAX; i++) buffer_done(&b->out[i]);
}

void builder_hex(struct builder *b, const char *hex)
{
    while (*hex) {
        unsigned byte = 0;
        if (isspace((unsigned char)*hex)) {
            hex++;
        } else if (*hex == '\'') {
            const char *end = strchr(hex + 1, '\'');
            if (!end) abort();
            builder_u32(b, (uint32_t)(end - hex - 1));
            put(b, hex + 1, (size_t)(end - hex - 1));
            hex = end + 1;
        } else {
            if (sscanf(hex, "%2x", &byte) != 1) abort();
            put(b, &(uint8_t){(uint8_t)byte}, 1);
            hex += 2;
        }
    }
}

void builder_u32(struct builder *b, uint32_t value)
{
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        if (value) byte |= 0x80;
        put(b, &byte, 1);
    } while (value);
}

void builder_type(struct builder *b, uint32_t index)
{
    do {
        uint8_t byte = index & 0x7f;
        index >>= 7;
        bool more = index || byte & 0x40;
        if (more) byte |= 0x80;
        put(b, &byte, 1);
        if (!more) return;
    } while (true);
}

void builder_repeat(struct builder *b, uint32_t count, const char *hex)
{
    for (uint32_t i = 0; i < count; i++) builder_hex(b, hex);
}

void builder_name(struct builder *b, const char *text)
{
    builder_u32(b, (uint32_t)strlen(text));
    put(b, text, strlen(text));
}

void builder_section(struct builder *b, uint8_t id)
{
    if (b->depth + 1 == BUILDER_DEPTH_MAX) abort();
    b->ids[++b->depth] = id;
    buffer_init(top(b), BYTES_MAX);
}

void builder_section_end(struct builder *b)
{
    struct buffer contents = *top(b);
    *top(b) = (struct buffer){0};
    uint8_t id = b->ids[b->depth--];
    put(b, &id, 1);
    builder_u32(b, (uint32_t)contents.size_bytes);
    put(b, contents.data, contents.size_bytes);
    buffer_done(&contents);
}

void builder_section_hex(struct builder *b, uint8_t id, const char *hex)
{
    builder_section(b, id);
    builder_hex(b, hex);
    builder_section_end(b);
}

enum status builder_decode(const struct builder *b, struct error *err)
{
    struct component *c = NULL;
    uint8_t *copy = malloc(b->out[0].size_bytes);
    if (!copy) abort();
    memcpy(copy, b->out[0].data, b->out[0].size_bytes);
    enum status st = component_decode(copy, b->out[0].size_bytes, 1, &c, err);
    component_free(c);
    free(copy);
    return st;
}

struct component *builder_decode_keep(const struct builder *b)
{
    struct component *c = NULL;
    struct error err = {0};
    if (component_decode(b->out[0].data, b->out[0].size_bytes, 1, &c, &err))
        fail_msg("%s", err.text);
    return c;
}

void builder_expect(const struct builder *b, enum status status, const char *expected,
                    const char *what)
{
    struct error err = {0};
    enum status st = builder_decode(b, &err);
    if (st != status || (expected && !strstr(err.text, expected)))
        fail_msg("%s: expected %s \"%s\", got %s \"%s\"", what, status_name(status),
                 expected ? expected : "", status_name(st), err.text);
    if (st && strncmp(err.text, "offset 0x", 9) != 0) fail_msg("%s: no offset: %s", what, err.text);
}
