/* Primitive values of the binary format (Core §5.2): bytes, LEB128 integers, names, types.
 * For this module, and for `component`, whose format is made of the same values.
 *
 * Each function reads at r->offset and moves on. On failure it says where and why in *err, and the
 * reader is not to be used further. */
#ifndef WASM_READER_H
#define WASM_READER_H

#include "wasm/instr.h"
#include "wasm/wasm.h"

/* Returns the status of `call` from the calling function when it is a failure. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum status try_status = (call);                                                           \
        if (__builtin_expect(try_status != ST_OK, 0)) return try_status;                           \
    } while (0)

/* Fills *err with "offset 0x…: <fmt…>" and returns `status`. */
enum status wasm_fail(struct error *err, enum status status, size_t offset, const char *fmt, ...)
    PRINTF(4, 5);

/* Out of memory while reading at `offset`. */
enum status wasm_fail_memory(struct error *err, size_t offset);

NODISCARD enum status reader_u8(struct wasm_reader *r, uint8_t *ret, struct error *err);
NODISCARD enum status reader_u32_long(struct wasm_reader *r, uint32_t *ret, struct error *err);
NODISCARD enum status reader_u64(struct wasm_reader *r, uint64_t *ret, struct error *err);
NODISCARD enum status reader_s32(struct wasm_reader *r, int32_t *ret, struct error *err);
NODISCARD enum status reader_s33(struct wasm_reader *r, int64_t *ret, struct error *err);
NODISCARD enum status reader_s64(struct wasm_reader *r, int64_t *ret, struct error *err);

/* Moves over `size_bytes` and gives their start. */
NODISCARD enum status reader_bytes(struct wasm_reader *r, size_t size_bytes, const uint8_t **ret,
                                   struct error *err);

/* A vector's length: at most `max` (named `what` in the ST_LIMIT error), and no more entries than
 * bytes are left, since each takes one at least. So what is allocated for a vector is in proportion
 * to the module. */
NODISCARD enum status reader_count(struct wasm_reader *r, uint32_t max, const char *what,
                                   uint32_t *ret, struct error *err);

/* A name's bytes, checked to be UTF-8. Borrowed from the module: not NUL-terminated. */
NODISCARD enum status reader_name(struct wasm_reader *r, const uint8_t **ret, uint32_t *ret_size,
                                  struct error *err);

/* A value type, a storage type, a reference type (Core §5.3). Type indices are not looked up. */
NODISCARD enum status reader_valtype(struct wasm_reader *r, struct wasm_valtype *ret,
                                     struct error *err);
NODISCARD enum status reader_storage_type(struct wasm_reader *r, struct wasm_valtype *ret,
                                          struct error *err);
NODISCARD enum status reader_reftype(struct wasm_reader *r, struct wasm_valtype *ret,
                                     struct error *err);

/* A heap type, as the reference type (ref null? heap). */
NODISCARD enum status reader_heap(struct wasm_reader *r, bool nullable, struct wasm_valtype *ret,
                                  struct error *err);
NODISCARD enum status reader_block_type(struct wasm_reader *r, struct wasm_block_type *ret,
                                        struct error *err);

/* True when the bytes are well-formed UTF-8 (Unicode §3.9, table 3-7). */
bool utf8_valid(const uint8_t *bytes, size_t size_bytes);

static inline size_t reader_left(const struct wasm_reader *r)
{
    return r->end - r->offset;
}

NODISCARD static inline enum status reader_u32(struct wasm_reader *r, uint32_t *ret,
                                               struct error *err)
{
    if (__builtin_expect(r->offset < r->end, 1)) {
        uint8_t byte = r->bytes[r->offset];
        if (byte < 0x80) {
            r->offset++;
            *ret = byte;
            return ST_OK;
        }
    }
    return reader_u32_long(r, ret, err);
}

#endif
