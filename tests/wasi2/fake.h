/* A guest without an engine: what WASI 0.2's host functions need of the canonical ABI and of the
 * runtime, over a memory and a table of handles of its own, so that each function can be called
 * with any flat values. Also a clock, a waiter and streams that tests steer. */
#ifndef TESTS_WASI2_FAKE_H
#define TESTS_WASI2_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preview2/state.h"

#define FAKE_MEMORY_BYTES 0x100000u
#define FAKE_HEAP         0x20000u /* where the guest's realloc makes room */
#define FAKE_HANDLES_MAX  6000u

/* Places in the guest's memory that tests use. */
#define AT_RET  0x100u
#define AT_TEXT 0x1000u
#define AT_DATA 0x4000u

struct fake_stream {
    const char *input; /* what is left to read */
    size_t input_bytes;
    unsigned blocks; /* so often the next operations answer ST_WOULD_BLOCK */
    bool stuck;      /* they all do, until a wait ends it */
    size_t step_max; /* bytes an operation moves at most; 0: any number */
    unsigned steps;  /* that many more may take something when `limited` */
    bool limited;
    enum status failure;
    char output[200000];
    size_t output_bytes;
    unsigned flushes; /* calls of flush that answer ST_WOULD_BLOCK first */
    uint64_t budget;  /* 0: none is told */
    bool done;
};

struct fake_handle {
    const struct canonical_resource *type; /* NULL: free */
    void *rep;
};

struct fake {
    uint8_t *memory; /* its own allocation, so that a sanitizer sees each byte beyond */
    uint32_t heap_at;
    bool no_heap; /* realloc traps */
    struct fake_handle handles[FAKE_HANDLES_MAX];
    uint32_t handles_end; /* behind the last that ever was */
    struct wasi_preview2 *state;
    uint64_t monotonic_ns, realtime_ns;
    unsigned clock_reads;
    uint64_t random_state;
    unsigned waits;  /* calls of the waiter */
    unsigned pauses; /* of instance_pause() */
    size_t waits_count_last;
    struct wasi_wait wait_last;
    uint64_t deadline_last;
    bool cancel; /* what the waiter answers */
    uint32_t exit_code;
    char trap_text[256];
    struct fake_stream streams[3];
};

extern struct fake fake;

/* A config with fake stdio, clock, random source and waiter. */
struct wasi_preview2_config fake_config(void);

/* For cmocka: a fresh `fake` with fake_config(). */
int fake_setup(void **state);
int fake_teardown(void **state);
void fake_config_set(const struct wasi_preview2_config *config); /* another one for it */

/* Calls "interface#name", such as "wasi:io/poll#poll", with flat values in order, each a uint64_t;
 * what it has left in values[0] is in fake_result. */
enum host_result fake_call(const char *name, size_t count, const uint64_t *parameters);
extern struct value fake_result;
#define CALL(name, ...)                                                                            \
    fake_call((name), sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t),                  \
              (const uint64_t[]){__VA_ARGS__})
#define OK(name, ...)    assert_int_equal(CALL(name, __VA_ARGS__), HOST_OK)
#define TRAPS(name, ...) assert_int_equal(CALL(name, __VA_ARGS__), HOST_TRAP)

const struct canonical_function *fake_find(const char *name);

/* resource.drop: false is a trap. */
bool fake_drop(uint32_t handle);
unsigned fake_handles(void); /* how many are there */

/* A call as host functions get it, for functions that are not in an interface. */
struct canonical_call fake_outside(void);

/* ---- the guest's memory ---- */

void fake_put(uint32_t at, const void *bytes, size_t size_bytes);
uint32_t fake_text(uint32_t at, const char *text); /* its length */
uint8_t fake_u8(uint32_t at);
uint32_t fake_u32(uint32_t at);
uint64_t fake_u64(uint32_t at);
/* The string or list<u8> whose two words are at `at`, equal to `text`. */
void fake_expect_text(uint32_t at, const char *text);

/* ---- shorthands ---- */

uint32_t fake_stdin(void);
uint32_t fake_output(unsigned fd);

#endif
