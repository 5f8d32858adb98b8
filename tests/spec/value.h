/* Values and patterns of the test scripts, written as words (see script.mjs). */
#ifndef SPEC_VALUE_H
#define SPEC_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"

#define VALUE_TEXT_MAX 80

/* How host references cross into the guest: null is 0, (ref.extern n) is n + 1. */

/* The bits of `word`; false when it is no value of the types that the engine compiles. */
bool value_parse(const char *word, struct value *ret);

/* Whether `value`, a result of a function type's letter `type`, is what `pattern` asks for. */
bool value_matches(const char *pattern, char type, const struct value *value, uint32_t funcs_count);

/* `value` in the notation of the scripts. */
void value_print(char type, const struct value *value, char text[VALUE_TEXT_MAX]);

#endif
