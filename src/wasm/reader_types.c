#include "reader.h"

/* Type encodings (Core §5.3): abstract heap types and value types are single bytes with bit 6 set
 * and bit 7 clear, the negative numbers of one-byte s33; indices are the numbers from 0. */

#define BYTE_REF      0x64
#define BYTE_REF_NULL 0x63
#define BYTE_EMPTY    0x40

static bool abstract_heap(uint8_t byte, uint8_t *ret)
{
    switch (byte) {
    case 0x74: *ret = WASM_HEAP_NOEXN; return true;
    case 0x73: *ret = WASM_HEAP_NOFUNC; return true;
    case 0x72: *ret = WASM_HEAP_NOEXTERN; return true;
    case 0x71: *ret = WASM_HEAP_NONE; return true;
    case 0x70: *ret = WASM_HEAP_FUNC; return true;
    case 0x6f: *ret = WASM_HEAP_EXTERN; return true;
    case 0x6e: *ret = WASM_HEAP_ANY; return true;
    case 0x6d: *ret = WASM_HEAP_EQ; return true;
    case 0x6c: *ret = WASM_HEAP_I31; return true;
    case 0x6b: *ret = WASM_HEAP_STRUCT; return true;
    case 0x6a: *ret = WASM_HEAP_ARRAY; return true;
    case 0x69: *ret = WASM_HEAP_EXN; return true;
    default: return false;
    }
}

static bool number_kind(uint8_t byte, uint8_t *ret)
{
    switch (byte) {
    case 0x7f: *ret = WASM_I32; return true;
    case 0x7e: *ret = WASM_I64; return true;
    case 0x7d: *ret = WASM_F32; return true;
    case 0x7c: *ret = WASM_F64; return true;
    case 0x7b: *ret = WASM_V128; return true;
    default: return false;
    }
}

static bool is_index(uint8_t byte)
{
    return byte & 0x80 || byte < 0x40;
}

static enum status reader_type_index(struct wasm_reader *r, uint32_t *ret, struct error *err)
{
    size_t start = r->offset;
    int64_t index = 0;
    TRY(reader_s33(r, &index, err));
    if (index < 0) return wasm_fail(err, ST_INVALID, start, "malformed type index");
    *ret = (uint32_t)index;
    return ST_OK;
}

enum status reader_heap(struct wasm_reader *r, bool nullable, struct wasm_valtype *ret,
                        struct error *err)
{
    size_t start = r->offset;
    uint8_t byte = 0;
    TRY(reader_u8(r, &byte, err));
    *ret = (struct wasm_valtype){.kind = WASM_REF, .nullable = nullable};
    if (is_index(byte)) {
        r->offset = start;
        return reader_type_index(r, &ret->type, err);
    }
    if (!abstract_heap(byte, &ret->heap))
        return wasm_fail(err, ST_INVALID, start, "malformed heap type 0x%02x", byte);
    return ST_OK;
}

/* Reads a reference type whose first byte is `byte`, read before; *ret_found is false when it
 * starts none. */
static enum status reader_reftype_rest(struct wasm_reader *r, uint8_t byte,
                                       struct wasm_valtype *ret, bool *ret_found, struct error *err)
{
    *ret_found = true;
    if (byte == BYTE_REF || byte == BYTE_REF_NULL)
        return reader_heap(r, byte == BYTE_REF_NULL, ret, err);
    *ret = (struct wasm_valtype){.kind = WASM_REF, .nullable = true};
    *ret_found = abstract_heap(byte, &ret->heap);
    return ST_OK;
}

enum status reader_reftype(struct wasm_reader *r, struct wasm_valtype *ret, struct error *err)
{
    size_t start = r->offset;
    uint8_t byte = 0;
    bool found = false;
    TRY(reader_u8(r, &byte, err));
    TRY(reader_reftype_rest(r, byte, ret, &found, err));
    if (!found) return wasm_fail(err, ST_INVALID, start, "malformed reference type 0x%02x", byte);
    return ST_OK;
}

enum status reader_valtype(struct wasm_reader *r, struct wasm_valtype *ret, struct error *err)
{
    size_t start = r->offset;
    uint8_t byte = 0;
    bool found = false;
    TRY(reader_u8(r, &byte, err));
    *ret = (struct wasm_valtype){0};
    if (number_kind(byte, &ret->kind)) return ST_OK;
    TRY(reader_reftype_rest(r, byte, ret, &found, err));
    if (!found) return wasm_fail(err, ST_INVALID, start, "malformed value type 0x%02x", byte);
    return ST_OK;
}

enum status reader_storage_type(struct wasm_reader *r, struct wasm_valtype *ret, struct error *err)
{
    uint8_t byte = r->offset < r->end ? r->bytes[r->offset] : 0;
    if (byte != 0x78 && byte != 0x77) return reader_valtype(r, ret, err);
    r->offset++;
    *ret = (struct wasm_valtype){.kind = byte == 0x78 ? WASM_I8 : WASM_I16};
    return ST_OK;
}

enum status reader_block_type(struct wasm_reader *r, struct wasm_block_type *ret, struct error *err)
{
    uint8_t byte = r->offset < r->end ? r->bytes[r->offset] : BYTE_EMPTY ^ 1;
    *ret = (struct wasm_block_type){0};
    if (byte == BYTE_EMPTY && r->offset < r->end) {
        r->offset++;
        ret->form = WASM_BLOCK_EMPTY;
        return ST_OK;
    }
    if (is_index(byte)) {
        ret->form = WASM_BLOCK_TYPE;
        return reader_type_index(r, &ret->type, err);
    }
    ret->form = WASM_BLOCK_VALUE;
    return reader_valtype(r, &ret->value, err);
}
