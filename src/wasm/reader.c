#include "reader.h"

#include <stdio.h>
#include <string.h>

enum status wasm_fail(struct error *err, enum status status, size_t offset, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(err, status, "offset 0x%zx: %s", offset, text);
}

enum status wasm_fail_memory(struct error *err, size_t offset)
{
    return wasm_fail(err, ST_NO_MEMORY, offset, "out of memory");
}

static enum status reader_ended(const struct wasm_reader *r, struct error *err)
{
    return wasm_fail(err, ST_INVALID, r->end, "unexpected end");
}

enum status reader_u8(struct wasm_reader *r, uint8_t *ret, struct error *err)
{
    if (r->offset >= r->end) return reader_ended(r, err);
    *ret = r->bytes[r->offset++];
    return ST_OK;
}

/* Reads an integer of at most `bits` bits in at most ceil(bits / 7) bytes. A signed one comes back
 * sign-extended. The last byte's bits beyond `bits` must be zeros, or copies of the sign. */
static inline enum status reader_leb(struct wasm_reader *r, unsigned bits, bool is_signed,
                                     uint64_t *ret, struct error *err)
{
    size_t start = r->offset;
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (r->offset >= r->end) return reader_ended(r, err);
        uint8_t byte = r->bytes[r->offset++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        unsigned left = bits - shift; /* bits of the value that this byte may hold */
        if (left > 7) {
            if (byte & 0x80) continue;
            if (is_signed && (byte & 0x40)) value |= ~(uint64_t)0 << (shift + 7);
            break;
        }
        if (byte & 0x80)
            return wasm_fail(err, ST_INVALID, start, "integer representation too long");
        uint8_t unused = (uint8_t)(0x7f & ~((1u << left) - 1));
        bool negative = is_signed && (byte >> (left - 1) & 1);
        if ((byte & unused) != (negative ? unused : 0))
            return wasm_fail(err, ST_INVALID, start, "integer too large");
        if (negative && shift + left < 64) value |= ~(uint64_t)0 << (shift + left);
        break;
    }
    *ret = value;
    return ST_OK;
}

enum status reader_u32_long(struct wasm_reader *r, uint32_t *ret, struct error *err)
{
    uint64_t value = 0;
    TRY(reader_leb(r, 32, false, &value, err));
    *ret = (uint32_t)value;
    return ST_OK;
}

enum status reader_u64(struct wasm_reader *r, uint64_t *ret, struct error *err)
{
    return reader_leb(r, 64, false, ret, err);
}

enum status reader_s32(struct wasm_reader *r, int32_t *ret, struct error *err)
{
    uint64_t value = 0;
    TRY(reader_leb(r, 32, true, &value, err));
    *ret = (int32_t)(uint32_t)value;
    return ST_OK;
}

enum status reader_s33(struct wasm_reader *r, int64_t *ret, struct error *err)
{
    uint64_t value = 0;
    TRY(reader_leb(r, 33, true, &value, err));
    *ret = (int64_t)value;
    return ST_OK;
}

enum status reader_s64(struct wasm_reader *r, int64_t *ret, struct error *err)
{
    uint64_t value = 0;
    TRY(reader_leb(r, 64, true, &value, err));
    *ret = (int64_t)value;
    return ST_OK;
}

enum status reader_bytes(struct wasm_reader *r, size_t size_bytes, const uint8_t **ret,
                         struct error *err)
{
    if (size_bytes > reader_left(r)) return reader_ended(r, err);
    *ret = r->bytes + r->offset;
    r->offset += size_bytes;
    return ST_OK;
}

enum status reader_count(struct wasm_reader *r, uint32_t max, const char *what, uint32_t *ret,
                         struct error *err)
{
    size_t start = r->offset;
    uint32_t count;
    TRY(reader_u32(r, &count, err));
    if (count > reader_left(r))
        return wasm_fail(err, ST_INVALID, start, "%u %s: length out of bounds", count, what);
    if (count > max)
        return wasm_fail(err, ST_LIMIT, start, "%u %s, the limit is %u", count, what, max);
    *ret = count;
    return ST_OK;
}

enum status reader_name(struct wasm_reader *r, const uint8_t **ret, uint32_t *ret_size,
                        struct error *err)
{
    size_t start = r->offset;
    uint32_t size;
    TRY(reader_u32(r, &size, err));
    if (size > reader_left(r))
        return wasm_fail(err, ST_INVALID, start, "name of %u bytes: length out of bounds", size);
    if (size > WASM_NAME_BYTES_MAX)
        return wasm_fail(err, ST_LIMIT, start, "name of %u bytes, the limit is %u", size,
                         WASM_NAME_BYTES_MAX);
    TRY(reader_bytes(r, size, ret, err));
    if (!utf8_valid(*ret, size))
        return wasm_fail(err, ST_INVALID, start, "malformed UTF-8 encoding in a name");
    *ret_size = size;
    return ST_OK;
}

/* Length of the well-formed sequence at the front, 0 when there is none. */
static size_t utf8_sequence(const uint8_t *b, size_t left)
{
    uint8_t lead = b[0];
    if (lead < 0x80) return 1;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || left < length) return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (b[1] < low || b[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((b[i] & 0xc0) != 0x80) return 0;
    return length;
}

bool utf8_valid(const uint8_t *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes;) {
        size_t length = utf8_sequence(bytes + i, size_bytes - i);
        if (!length) return false;
        i += length;
    }
    return true;
}
