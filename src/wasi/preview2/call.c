/* What host functions share: traps, results in guest memory, text. */
#include "state.h"

enum host_result call_trap(struct canonical_call *c, const char *text)
{
    canonical_trap(c, "%s", text);
    return HOST_TRAP;
}

uint8_t *call_place(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                    uint32_t align_bytes)
{
    uint8_t *place;
    if (!canonical_out(c, at, size_bytes, align_bytes, &place)) return NULL;
    memset(place, 0, size_bytes);
    return place;
}

bool call_put_bytes(struct canonical_call *c, const void *bytes, size_t size_bytes,
                    struct call_list *ret)
{
    uint8_t *place;
    ret->count = (uint32_t)size_bytes;
    if (!canonical_allocate(c, ret->count, 1, &ret->at, &place)) return false;
    if (size_bytes) memcpy(place, bytes, size_bytes);
    return true;
}

bool call_put_text(struct canonical_call *c, const char *text, struct call_list *ret)
{
    return canonical_put_text(c, text, strlen(text), &ret->at, &ret->count);
}

bool call_put_texts(struct canonical_call *c, size_t count, uint32_t width,
                    struct canonical_text (*text)(const struct wasi_preview2 *p, size_t k,
                                                  uint32_t part),
                    struct call_list *ret)
{
    const uint32_t pair_bytes = 2 * sizeof(uint32_t);
    uint8_t *place;
    ret->count = (uint32_t)count;
    uint32_t size = ret->count * width * pair_bytes;
    if (!canonical_allocate(c, size, sizeof(uint32_t), &ret->at, &place)) return false;
    for (uint32_t n = 0; n < ret->count * width; n++) {
        struct canonical_text t = text(call_state(c), n / width, n % width);
        struct call_list piece;
        if (!canonical_put_text(c, t.bytes, t.size_bytes, &piece.at, &piece.count)) return false;
        /* Making room ran guest code, which may have moved its memory. */
        if (!canonical_bytes(c, ret->at + n * pair_bytes, pair_bytes, &place)) return false;
        put_list(place, &piece);
    }
    return true;
}

uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The bytes that follow a lead byte, and the range of the first of them (Unicode §3.9, table 3-7);
 * 0 for a byte that leads nothing. */
static unsigned followers(uint8_t lead, uint8_t *low, uint8_t *high)
{
    *low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) return 1;
    if (lead >= 0xe0 && lead <= 0xef) return 2;
    return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

bool text_is_utf8(const char *text, size_t size_bytes)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + size_bytes;
    uint64_t word;
    while (at < end) {
        for (; (size_t)(end - at) >= sizeof word; at += sizeof word) { /* most text is ASCII */
            memcpy(&word, at, sizeof word);
            if (word & UINT64_C(0x8080808080808080)) break;
        }
        if (at == end) break;
        uint8_t lead = *at++, low, high;
        if (lead < 0x80) continue;
        unsigned count = followers(lead, &low, &high);
        if (!count || count > (size_t)(end - at)) return false;
        for (; count; count--, low = 0x80, high = 0xbf, at++)
            if (*at < low || *at > high) return false;
    }
    return true;
}
