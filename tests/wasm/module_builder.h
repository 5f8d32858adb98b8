/* Puts modules together for the tests, out of hexadecimal text and of numbers. Any failure (no
 * memory, bad text) ends the test program. */
#ifndef MODULE_BUILDER_H
#define MODULE_BUILDER_H

#include "base/buffer.h"
#include "wasm/wasm.h"

struct module_builder {
    struct buffer out;
    size_t section_at; /* where the contents of the open section or body began */
    uint8_t section_id;
    struct buffer body;
};

void builder_init(struct module_builder *b); /* the preamble is there */

/* A whole module with an entry in every section: what test_decode.c looks up. */
void builder_init_rich(struct module_builder *b);
void builder_done(struct module_builder *b);

/* "41 00 0b": pairs of hexadecimal digits, spaces ignored. */
void builder_hex(struct module_builder *b, const char *hex);
void builder_u32(struct module_builder *b, uint32_t value);
void builder_u64(struct module_builder *b, uint64_t value);
void builder_heap_index(struct module_builder *b, uint32_t index); /* a type index as a heap type */
void builder_byte(struct module_builder *b, uint8_t byte);
void builder_repeat(struct module_builder *b, uint32_t count, const char *hex);
void builder_name(struct module_builder *b, const char *text);

/* Between these the contents are written without their length, which end puts before them. */
void builder_section(struct module_builder *b, uint8_t id);
void builder_section_end(struct module_builder *b);
void builder_body(struct module_builder *b); /* inside of a code section; not nested */
void builder_body_end(struct module_builder *b);

/* A whole section of hexadecimal text. */
void builder_section_hex(struct module_builder *b, uint8_t id, const char *hex);

/* The sections of types and functions: `count` without parameters and results. */
void builder_functions(struct module_builder *b, uint32_t count);

/* Decodes a copy of exactly the module's size, so that a sanitizer sees what reads past it.
 * *ret, which is not to be read from afterwards but through `builder_decode_keep`, is freed. */
enum status builder_decode(const struct module_builder *b, struct error *err);

/* The same, the module being the caller's, over the builder's own bytes. */
struct wasm_module *builder_decode_keep(const struct module_builder *b);

/* Fails the test when the outcome is not `expected` (NULL: accepted; otherwise what the error's
 * text must contain). `status` is compared as well. */
void builder_expect(const struct module_builder *b, enum status status, const char *expected,
                    const char *what);

#endif
