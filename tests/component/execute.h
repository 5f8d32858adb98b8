/* A component, compiled and instantiated in this process, whose exports are called with values as
 * text (tests/canonical/values.h). */
#ifndef TESTS_COMPONENT_EXECUTE_H
#define TESTS_COMPONENT_EXECUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codegen/codegen.h"

struct executed;

/* Once a process. */
NODISCARD enum status executed_init(struct error *err);

/* Of instances that are made from then on; they go on at once. 0, as at first: no slices. */
void executed_set_slice(uint64_t ns);

/* *ret is there also when its initialisation trapped: executed_trap() then says why. */
NODISCARD enum status executed_new(const uint8_t *bytes, size_t size_bytes,
                                   enum codegen_level level, struct executed **ret,
                                   struct error *err);
void executed_free(struct executed *e); /* legal on NULL */

/* Calls export `name` of the component itself with values, parted by spaces; its result is appended
 * as text. False: executed_trap(). */
NODISCARD bool executed_call(struct executed *e, const char *name, const char *args,
                             struct buffer *result);

/* The text that executed_call() gives for result `value`. */
NODISCARD bool executed_result(struct executed *e, const char *name, const char *value,
                               struct buffer *result);

/* Why the last call did not return, "" when it did; valid until the next. */
const char *executed_trap(const struct executed *e);

/* The same as trap_print() has it, with the way there. */
void executed_print_trap(const struct executed *e, struct buffer *text);

#endif
