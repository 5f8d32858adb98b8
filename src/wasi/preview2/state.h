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
    bool clearing;                /* parents may go before children */
    uint64_t now_ns;              /* the time as the guest saw it last */
    uint32_t now_calls;           /* that it is still shown */
    struct wasi_http_state *http; /* of wasi:http, which makes, clears and frees it */
};

static inline struct wasi_preview2 *call_state(const struct canonical_call *c)
{
    return c->host;
}

/* ---- results ---- */

/* Ends the guest with this text. */
enum host_result call_trap(const struct canonical_call *c, const char *text);

/* Results in memory: the place at `at`, zeroed, so that padding and unused payloads say nothing.
 * NULL: HOST_TRAP. */
NODISCARD uint8_t *call_result(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                               uint32_t align_bytes);

static inline void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void put_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* A list<u8> in guest memory: its two words go to `ret`, which is derived after it. */
struct call_list {
    uint32_t at, count;
};

/* Copies host bytes into room made by the guest. False: HOST_TRAP. */
NODISCARD bool call_put_bytes(struct canonical_call *c, const void *bytes, size_t size_bytes,
                              struct call_list *ret);
NODISCARD bool call_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                             struct call_list *ret);

#endif
