/* The bytes that say what an index is of. */
#include "decode.h"

enum status parse_core_sort(struct decoder *d, const char *what, enum component_sort *ret)
{
    uint8_t byte = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    switch (byte) {
    case 0x00: *ret = COMPONENT_SORT_CORE_FUNC; return ST_OK;
    case 0x01: *ret = COMPONENT_SORT_CORE_TABLE; return ST_OK;
    case 0x02: *ret = COMPONENT_SORT_CORE_MEMORY; return ST_OK;
    case 0x03: *ret = COMPONENT_SORT_CORE_GLOBAL; return ST_OK;
    case 0x04: *ret = COMPONENT_SORT_CORE_TAG; return ST_OK;
    case 0x10: *ret = COMPONENT_SORT_CORE_TYPE; return ST_OK;
    case 0x11: *ret = COMPONENT_SORT_CORE_MODULE; return ST_OK;
    case 0x12: *ret = COMPONENT_SORT_CORE_INSTANCE; return ST_OK;
    default: return parse_bad_byte(d, what);
    }
}

enum status parse_sort(struct decoder *d, const char *what, enum component_sort *ret)
{
    uint8_t byte = 0;
    TRY(reader_u8(&d->r, &byte, d->err));
    switch (byte) {
    case 0x00: return parse_core_sort(d, what, ret);
    case 0x01: *ret = COMPONENT_SORT_FUNC; return ST_OK;
    case 0x02:
        return wasm_fail(d->err, ST_UNSUPPORTED, d->r.offset - 1, "values are not supported");
    case 0x03: *ret = COMPONENT_SORT_TYPE; return ST_OK;
    case 0x04: *ret = COMPONENT_SORT_COMPONENT; return ST_OK;
    case 0x05: *ret = COMPONENT_SORT_INSTANCE; return ST_OK;
    default: return parse_bad_byte(d, what);
    }
}
