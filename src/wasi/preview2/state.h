/* Inside WASI 0.2: the state of an instance, which host functions find as canonical_call.host, and
 * the small tools that they share. */
#ifndef WASI_PREVIEW2_STATE_H
#define WASI_PREVIEW2_STATE_H

#include <string.h>

#include "artifact/artifact.h" /* struct value */
#include "io.h"
#include "object.h"
#include "wasi/wasi.h"

struct wasi_http_state; /* http.h */

struct wasi_preview2 {
    struct wasi_preview2_config config;
    struct io_pool pool;
    struct io_object *objects;    /* all that are alive, the newest first */
    uint64_t now_ns;              /* the time as the guest saw it last */
    uint32_t now_calls;           /* that it is still shown */
    uint32_t descriptors_count;   /* WASI_DESCRIPTORS_MAX */
    struct wasi_http_state *http; /* of wasi:http, which makes, clears and frees it */
};

static inline struct wasi_preview2 *call_state(const struct canonical_call *c)
{
    return c->host;
}

/* ---- results ---- */

/* Ends the guest with this text. */
enum host_result call_trap(struct canonical_call *c, const char *text);

/* Results in memory: the place at `at`, zeroed, so that padding and unused payloads say nothing.
 * NULL: HOST_TRAP. */
NODISCARD uint8_t *call_place(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                              uint32_t align_bytes);

static inline uint32_t take_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* A list or string in guest memory: its two words go to a result's place, to be asked for after. */
struct call_list {
    uint32_t at, count;
};

/* Copies host bytes into room made by the guest. False: HOST_TRAP. */
NODISCARD bool call_put_bytes(struct canonical_call *c, const void *bytes, size_t size_bytes,
                              struct call_list *ret);
NODISCARD bool call_put_text(struct canonical_call *c, const char *text, struct call_list *ret);

static inline void put_list(uint8_t *at, const struct call_list *list)
{
    put_u32(at, list->at);
    put_u32(at + sizeof(uint32_t), list->count);
}

/* list<string> and list<tuple<string, string>>: `count` times `width` texts; text(…, k, part, …)
 * gives each. False: HOST_TRAP. */
NODISCARD bool call_put_texts(struct canonical_call *c, size_t count, uint32_t width,
                              struct canonical_text (*text)(const struct wasi_preview2 *p, size_t k,
                                                            uint32_t part),
                              struct call_list *ret);

/* ---- clocks ---- */

/* The monotonic clock, in full precision. */
uint64_t state_now_ns(const struct wasi_preview2 *p);
uint64_t add_saturating(uint64_t a, uint64_t b);

/* ---- text ---- */

bool text_is_utf8(const char *text, size_t size_bytes);

/* ---- interfaces, one a file or a package ---- */

#define PREVIEW2_VERSION "0.2.12"

extern const struct canonical_interface io_error_interface, io_poll_interface, io_streams_interface;
extern const struct canonical_interface clocks_wall_interface, clocks_monotonic_interface,
    clocks_timezone_interface;
extern const struct canonical_interface random_interface, random_insecure_interface,
    random_seed_interface;
extern const struct canonical_interface cli_environment_interface, cli_exit_interface,
    cli_stdin_interface, cli_stdout_interface, cli_stderr_interface;
extern const struct canonical_interface cli_terminal_input_interface, cli_terminal_output_interface,
    cli_terminal_stdin_interface, cli_terminal_stdout_interface, cli_terminal_stderr_interface;
extern const struct canonical_interface filesystem_types_interface, filesystem_preopens_interface;
extern const struct canonical_interface sockets_network_interface,
    sockets_instance_network_interface, sockets_tcp_interface, sockets_tcp_create_interface,
    sockets_udp_interface, sockets_udp_create_interface, sockets_lookup_interface;
extern const struct canonical_interface logging_interface;
extern const struct canonical_interface config_store_interface, config_runtime_interface;

#endif
