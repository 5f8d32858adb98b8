/* Puts components together for the tests, out of hexadecimal text and of numbers. Any failure (no
 * memory, bad text) ends the test program. */
#ifndef COMPONENT_BUILDER_H
#define COMPONENT_BUILDER_H

#include "base/buffer.h"
#include "component/component.h"

#define BUILDER_DEPTH_MAX 128

struct builder {
    struct buffer out[BUILDER_DEPTH_MAX]; /* the open sections, the outermost first */
    uint8_t ids[BUILDER_DEPTH_MAX];
    unsigned depth;
};

void builder_init(struct builder *b); /* the preamble is there */
void builder_done(struct builder *b);

/* "41 00 0b": pairs of hexadecimal digits, spaces ignored; 'text' in single quotes is a name with
 * its length. */
void builder_hex(struct builder *b, const char *hex);
void builder_u32(struct builder *b, uint32_t value);
void builder_type(struct builder *b, uint32_t index); /* a type index as a value type */
void builder_repeat(struct builder *b, uint32_t count, const char *hex);
void builder_name(struct builder *b, const char *text);
void builder_preamble(struct builder *b); /* of a component */

/* Between these the contents are written without their length, which end puts before them. Nested
 * components are sections too. */
void builder_section(struct builder *b, uint8_t id);
void builder_section_end(struct builder *b);
void builder_section_hex(struct builder *b, uint8_t id, const char *hex);

/* Decodes a copy of exactly the component's size, so that a sanitizer sees what reads past it. */
enum status builder_decode(const struct builder *b, struct error *err);

/* The same, the component being the caller's, over the builder's own bytes. */
struct component *builder_decode_keep(const struct builder *b);

/* Fails the test when the outcome is not `expected` (NULL: accepted; otherwise what the error's
 * text must contain). `status` is compared as well. */
void builder_expect(const struct builder *b, enum status status, const char *expected,
                    const char *what);

#endif
