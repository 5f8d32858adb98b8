/* What the tests of the runtime share: instances of the blob, calls into it, and cmocka. */
#ifndef TESTS_RUNTIME_RIG_H
#define TESTS_RUNTIME_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blob.h"
#include "instance.h"
#include "runtime/runtime.h"

/* What "env" "host" does; NULL: gives the sum of its parameters. */
extern enum host_result (*rig_host)(struct instance *i, struct value *values);

/* cmocka's group setup: the runtime is ready on this thread, rig_module is linked. */
int rig_setup(void **state);
int rig_teardown(void **state);
extern struct module *rig_module;

/* How the runtime asks for private pages in this process: RIG_PAGES=entries or =unknown in the
 * environment, otherwise PAGES_BEST. Tests that change it put this back. */
extern enum pages_method rig_pages;

struct module *rig_link(struct artifact *take_artifact);
struct instance *rig_instance(void);
struct instance *rig_instance_of(const struct module *m, const struct instance_config *config);

void rig_assert_zero(const void *start, size_t size_bytes);

/* An instance of rig_module is as new: every byte of memory, context and stack. */
void rig_assert_fresh(struct instance *i);

/* (a, b) → result, for functions of type ii:i and ":". A call that is suspended here may only be
 * cancelled: its values are gone. */
enum call_result rig_try(struct instance *i, uint32_t func, uint32_t a, uint32_t b, uint32_t *ret);
uint32_t rig_call(struct instance *i, uint32_t func, uint32_t a, uint32_t b); /* must return */
void rig_trap(struct instance *i, uint32_t func, uint32_t a, uint32_t b, enum trap_kind kind);

/* Helper `number` called from guest code. */
enum call_result rig_try_helper(struct instance *i, enum helper number, const uint64_t p[5],
                                uint64_t *ret);
#define HELP(i, number, ...) rig_help((i), HELPER_##number, (const uint64_t[5]){__VA_ARGS__})
uint64_t rig_help(struct instance *i, enum helper number, const uint64_t p[5]);
#define HELP_TRAPS(i, kind, number, ...)                                                           \
    rig_help_traps((i), HELPER_##number, (const uint64_t[5]){__VA_ARGS__}, (kind))
void rig_help_traps(struct instance *i, enum helper number, const uint64_t p[5],
                    enum trap_kind kind);

/* Runs `run` in a child process; the signal that killed it, or its exit code, negated. */
int rig_child_signal(void (*run)(struct instance *i), struct instance *i);

#endif
