/* An instance without an engine: what WASI's host functions need of the runtime, over a memory of
 * its own, so that each function can be called with any parameters. Also a clock, a waiter and
 * streams that tests steer. */
#ifndef TESTS_WASI_FAKE_H
#define TESTS_WASI_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preview1/abi.h"
#include "wasi/wasi.h"

#define FAKE_MEMORY_BYTES 0x20000u

/* Places in the guest's memory that tests use. */
#define AT_PATH   0x1000u
#define AT_PATH2  0x4000u
#define AT_IOVECS 0x7000u
#define AT_DATA   0xa000u
#define AT_RET    0x18000u
#define AT_RET2   0x18100u

struct fake_stream {
    const char *input; /* what is left to read */
    size_t input_bytes;
    unsigned blocks; /* so often the next operations answer ST_WOULD_BLOCK */
    size_t step_max; /* bytes an operation moves at most; 0: any number */
    bool closed;
    enum status failure;
    char output[4096];
    size_t output_bytes;
};

struct fake {
    uint8_t *memory; /* its own allocation, so that a sanitizer sees each byte beyond */
    struct wasi_context context;
    uint64_t monotonic_ns, realtime_ns;
    uint64_t random_state;
    unsigned waits; /* calls of the waiter */
    size_t waits_count_last;
    uint64_t deadline_last;
    bool cancel;          /* what the waiter answers */
    bool wakes_too_early; /* the waiter does not move the clock all the way */
    uint32_t exit_code;
    char trap_text[256];
    enum host_result result; /* of the last call */
    struct fake_stream streams[3];
};

/* A config with fake stdio, clock, random source and waiter. */
struct wasi_preview1_config fake_config(struct fake *f);

void fake_init(struct fake *f, const struct wasi_preview1_config *config);
void fake_done(struct fake *f);

/* Calls a function by name with parameters in order; its errno. */
uint32_t fake_call(struct fake *f, const char *name, size_t count, const uint64_t *parameters);
#define CALL(f, name, ...)                                                                         \
    fake_call((f), (name), sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t),             \
              (const uint64_t[]){__VA_ARGS__})

const struct host_function *fake_find(const char *name);

/* ---- the guest's memory ---- */

uint64_t fake_put(struct fake *f, uint32_t offset, const void *bytes, size_t size_bytes);
uint64_t fake_text(struct fake *f, uint32_t offset, const char *text); /* its length */
uint32_t fake_u32(const struct fake *f, uint32_t offset);
uint64_t fake_u64(const struct fake *f, uint32_t offset);
void fake_iovec(struct fake *f, uint32_t index, uint32_t offset, uint32_t length); /* AT_IOVECS */

/* ---- shorthands: an errno, or the descriptor in *ret ---- */

uint32_t fake_open(struct fake *f, uint32_t folder, const char *path, uint32_t lookup,
                   uint32_t open_flags, uint64_t rights, uint32_t fd_flags, uint32_t *ret);
uint32_t fake_write(struct fake *f, uint32_t fd, const char *text);
uint32_t fake_read(struct fake *f, uint32_t fd, uint32_t size, char *ret); /* NUL-terminated */

/* ---- folders on the host ---- */

/* A fresh folder below /tmp; its path in `ret`. */
void tree_new(char ret[64]);
void tree_remove(const char *path);
void tree_file(const char *root, const char *name, const char *text);
void tree_folder(const char *root, const char *name);
void tree_link(const char *root, const char *name, const char *target);
int tree_open(const char *root, const char *name); /* O_RDONLY | O_DIRECTORY */

#endif
