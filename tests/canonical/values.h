/* WIT values as trees and as text, for tests: parsed from WAVE-like words, lowered into guest
 * memory and lifted out of it by the letter of CanonicalABI.md, one value at a time. Nothing of it
 * is shared with src/canonical's own way, which it is compared with; strings and "realloc" alone go
 * through the module.
 *
 * Text: 42, -1.5, true, 'x', "text", [1,2], (1,2), {a:1}, case, case(1), some(1), none, ok, err(1),
 * nan; bytes in texts may stand as %xx. */
#ifndef TESTS_CANONICAL_VALUES_H
#define TESTS_CANONICAL_VALUES_H

#include "side.h"

struct val {
    uint64_t bits; /* integers (sign extended), bool, char, float bits, case, flags, handle */
    struct canonical_text text;
    struct val *items; /* of lists and records; of variants the payload */
    uint32_t count;
};

struct values {
    struct side side;
    const char *fault; /* why the last call returned false, when no trap's text does */
};

void val_free(struct val *v);

/* Reads a value of `type` at *text, which is moved behind it. */
NODISCARD bool val_parse(struct values *s, uint32_t type, const char **text, struct val *ret);

/* Appends the value's text; all NaNs are "nan". */
struct buffer;
void val_print(const struct values *s, uint32_t type, const struct val *v, struct buffer *text);

/* "load", "lift_flat", "store", "lower_flat" */
NODISCARD bool val_load(struct values *s, uint32_t type, uint32_t at, struct val *ret);
NODISCARD bool val_lift(struct values *s, uint32_t type, const struct value *flat, struct val *ret);
NODISCARD bool val_store(struct values *s, uint32_t type, const struct val *v, uint32_t at);
NODISCARD bool val_lower(struct values *s, uint32_t type, const struct val *v, struct value *flat);

/* The parameters of function type `type` from the words of `text`, and its result as text. */
NODISCARD bool val_lower_params(struct values *s, uint32_t type, const char *text,
                                struct value *flat);
NODISCARD bool val_lift_result(struct values *s, uint32_t type, const struct value *flat,
                               struct val *ret);

#endif
