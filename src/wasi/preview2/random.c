/* wasi:random. What calls itself insecure comes from the same source: there is none that is cheaper
 * and not worse. Without a source, as in a snapshot that many instances start from, all of it
 * traps: what seemed random would be the same for all. */
#include "state.h"

static const struct random_source *source(struct canonical_call *c)
{
    const struct random_source *random = call_state(c)->config.random;
    if (!random) call_trap(c, "randomness cannot be had while the component is initialised");
    return random;
}

/* Much of it takes long enough for others to want their turn. */
static bool fill(struct canonical_call *c, const struct random_source *random, uint8_t *bytes,
                 uint32_t size_bytes)
{
    while (size_bytes) {
        uint32_t piece = size_bytes;
        if (piece > WASI_RANDOM_CHUNK_BYTES) piece = WASI_RANDOM_CHUNK_BYTES;
        random_fill(random, bytes, piece);
        bytes += piece;
        size_bytes -= piece;
        if (size_bytes && !instance_pause(c->instance)) return false;
    }
    return true;
}

static enum host_result random_bytes(struct canonical_call *c, struct value *v)
{
    const struct random_source *random = source(c);
    if (!random) return HOST_TRAP;
    if (v[0].i64 > WASI_RANDOM_BYTES_MAX) {
        canonical_trap(c, "more than %u random bytes at once", WASI_RANDOM_BYTES_MAX);
        return HOST_TRAP;
    }
    struct call_list list = {.count = (uint32_t)v[0].i64};
    uint8_t *bytes;
    if (!canonical_allocate(c, list.count, 1, &list.at, &bytes)) return HOST_TRAP;
    if (!fill(c, random, bytes, list.count)) return HOST_STOPPED;
    uint8_t *ret = call_place(c, v[1].i32, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &list);
    return HOST_OK;
}

static enum host_result random_u64(struct canonical_call *c, struct value *v)
{
    const struct random_source *random = source(c);
    if (!random) return HOST_TRAP;
    random_fill(random, &v[0].i64, sizeof v[0].i64);
    return HOST_OK;
}

static enum host_result seed(struct canonical_call *c, struct value *v)
{
    const struct random_source *random = source(c);
    if (!random) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[0].i32, 16, 8);
    if (!ret) return HOST_TRAP;
    random_fill(random, ret, 16);
    return HOST_OK;
}

static const struct canonical_function random_functions[] = {
    CANONICAL_FUNCTION("get-random-bytes", "func(len: u64) -> list<u8>", random_bytes),
    CANONICAL_FUNCTION("get-random-u64", "func() -> u64", random_u64),
};

static const struct canonical_function insecure_functions[] = {
    CANONICAL_FUNCTION("get-insecure-random-bytes", "func(len: u64) -> list<u8>", random_bytes),
    CANONICAL_FUNCTION("get-insecure-random-u64", "func() -> u64", random_u64),
};

static const struct canonical_function seed_functions[] = {
    CANONICAL_FUNCTION("insecure-seed", "func() -> tuple<u64, u64>", seed),
};

const struct canonical_interface random_interface = {
    "wasi:random/random",
    PREVIEW2_VERSION,
    random_functions,
    ARRAY_COUNT(random_functions),
    NULL,
    0,
};

const struct canonical_interface random_insecure_interface = {
    "wasi:random/insecure",
    PREVIEW2_VERSION,
    insecure_functions,
    ARRAY_COUNT(insecure_functions),
    NULL,
    0,
};

const struct canonical_interface random_seed_interface = {
    "wasi:random/insecure-seed",
    PREVIEW2_VERSION,
    seed_functions,
    ARRAY_COUNT(seed_functions),
    NULL,
    0,
};
