/* wasi:filesystem/{types,preopens}: the small functions, and the tables. */
#include "filesystem.h"

/* ---- what says nothing, or refuses ---- */

static enum host_result get_flags(struct canonical_call *c, struct value *v)
{
    if (!filesystem_self(c, v)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[1].i32, 2, 1);
    if (!ret) return HOST_TRAP;
    ret[1] = 1; /* read */
    return HOST_OK;
}

static enum host_result get_type(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    if (!d) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[1].i32, 2, 1);
    if (!ret) return HOST_TRAP;
    ret[1] = d->is_folder ? DESCRIPTOR_DIRECTORY : DESCRIPTOR_REGULAR_FILE;
    return HOST_OK;
}

static enum host_result advise(struct canonical_call *c, struct value *v)
{
    if (!filesystem_self(c, v)) return HOST_TRAP;
    if (v[3].i32 > 5) return call_trap(c, "there is no such advice");
    return filesystem_answer(c, v[4].i32, FILESYSTEM_OK);
}

static enum host_result sync_nothing(struct canonical_call *c, struct value *v)
{
    return filesystem_self(c, v) ? filesystem_answer(c, v[1].i32, FILESYSTEM_OK) : HOST_TRAP;
}

/* No descriptor is open for writing. */
static enum filesystem_error not_writable(const struct filesystem_descriptor *d)
{
    return d->is_folder ? FILESYSTEM_IS_DIRECTORY : FILESYSTEM_BAD_DESCRIPTOR;
}

static enum host_result set_size(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    return d ? filesystem_answer(c, v[2].i32, not_writable(d)) : HOST_TRAP;
}

static enum host_result set_times(struct canonical_call *c, struct value *v)
{
    if (!filesystem_self(c, v)) return HOST_TRAP;
    if (v[1].i32 > 2 || v[4].i32 > 2) return call_trap(c, "there is no such new-timestamp");
    return filesystem_answer(c, v[7].i32, FILESYSTEM_READ_ONLY);
}

static enum host_result write_bytes(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    uint8_t *bytes;
    if (!d || !canonical_bytes(c, v[1].i32, v[2].i32, &bytes)) return HOST_TRAP;
    return filesystem_fail(c, v[4].i32, 16, 8, not_writable(d));
}

static enum host_result write_via_stream(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    return d ? filesystem_fail(c, v[2].i32, 8, 4, not_writable(d)) : HOST_TRAP;
}

static enum host_result append_via_stream(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    return d ? filesystem_fail(c, v[1].i32, 8, 4, not_writable(d)) : HOST_TRAP;
}

/* ---- errors of streams ---- */

static enum host_result error_code(struct canonical_call *c, struct value *v)
{
    const struct io_error *e = canonical_borrowed(c, &io_error_class.resource, v[0].i32);
    if (!e) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[1].i32, 2, 1);
    if (!ret) return HOST_TRAP;
    if (e->failure.domain != &io_domain_filesystem) return HOST_OK;
    ret[0] = 1;
    ret[1] = (uint8_t)e->failure.code;
    return HOST_OK;
}

/* In the order of enum filesystem_error; the second is for filesystem_error_name(). */
#define ERRORS(X, S)                                                                               \
    X("access")                                                                                    \
    S X("would-block") S X("already") S X("bad-descriptor") S X("busy") S X("deadlock")            \
        S X("quota") S X("exist") S X("file-too-large") S X("illegal-byte-sequence")               \
            S X("in-progress") S X("interrupted") S X("invalid") S X("io") S X("is-directory")     \
                S X("loop") S X("too-many-links") S X("message-size") S X("name-too-long")         \
                    S X("no-device") S X("no-entry") S X("no-lock") S X("insufficient-memory")     \
                        S X("insufficient-space") S X("not-directory") S X("not-empty")            \
                            S X("not-recoverable") S X("unsupported") S X("no-tty")                \
                                S X("no-such-device") S X("overflow") S X("not-permitted")         \
                                    S X("pipe") S X("read-only") S X("invalid-seek")               \
                                        S X("text-file-busy") S X("cross-device")
#define SAME(text)   text
#define LISTED(text) text,

const char *filesystem_error_name(enum filesystem_error e)
{
    static const char *const names[] = {ERRORS(LISTED, )};
    _Static_assert(ARRAY_COUNT(names) == FILESYSTEM_ERRORS_COUNT, "a name for each");
    return (unsigned)e < ARRAY_COUNT(names) ? names[e] : "ok";
}

/* ---- types ---- */

#define ERROR    "enum{" ERRORS(SAME, ", ") "}"
#define DATETIME "record{seconds: u64, nanoseconds: u32}"
#define TYPE                                                                                       \
    "enum{unknown, block-device, character-device, directory, fifo, symbolic-link, regular-file, " \
    "socket}"
#define FLAGS                                                                                      \
    "flags{read, write, file-integrity-sync, data-integrity-sync, requested-write-sync, "          \
    "mutate-directory}"
#define PATH_FLAGS "flags{symlink-follow}"
#define OPEN_FLAGS "flags{create, directory, exclusive, truncate}"
#define STAT                                                                                       \
    "record{type: " TYPE ", link-count: u64, size: u64, data-access-timestamp: option<" DATETIME   \
    ">, data-modification-timestamp: option<" DATETIME                                             \
    ">, status-change-timestamp: option<" DATETIME ">}"
#define NEW_TIME  "variant{no-change, now, timestamp(" DATETIME ")}"
#define NEW_TIMES ", data-access-timestamp: " NEW_TIME ", data-modification-timestamp: " NEW_TIME
#define ADVICE    "enum{normal, sequential, random, will-need, dont-need, no-reuse}"
#define HASH      "record{lower: u64, upper: u64}"

#define METHOD(name, parameters, of, call)                                                         \
    CANONICAL_FUNCTION(                                                                            \
        "[method]descriptor." name,                                                                \
        "func(self: borrow<descriptor>" parameters ") -> result<" of ", " ERROR ">", call)

static const struct canonical_function types_functions[] = {
    METHOD("read-via-stream", ", offset: u64", "own<input-stream>", descriptor_read_via_stream),
    METHOD("write-via-stream", ", offset: u64", "own<output-stream>", write_via_stream),
    METHOD("append-via-stream", "", "own<output-stream>", append_via_stream),
    METHOD("advise", ", offset: u64, length: u64, advice: " ADVICE, "_", advise),
    METHOD("sync-data", "", "_", sync_nothing),
    METHOD("get-flags", "", FLAGS, get_flags),
    METHOD("get-type", "", TYPE, get_type),
    METHOD("set-size", ", size: u64", "_", set_size),
    METHOD("set-times", NEW_TIMES, "_", set_times),
    METHOD("read", ", length: u64, offset: u64", "tuple<list<u8>, bool>", descriptor_read),
    METHOD("write", ", buffer: list<u8>, offset: u64", "u64", write_bytes),
    METHOD("read-directory", "", "own<directory-entry-stream>", descriptor_read_directory),
    METHOD("sync", "", "_", sync_nothing),
    METHOD("create-directory-at", ", path: string", "_", descriptor_change_path),
    METHOD("stat", "", STAT, descriptor_stat),
    METHOD("stat-at", ", path-flags: " PATH_FLAGS ", path: string", STAT, descriptor_stat_at),
    METHOD("set-times-at", ", path-flags: " PATH_FLAGS ", path: string" NEW_TIMES, "_",
           descriptor_set_times_at),
    METHOD("link-at",
           ", old-path-flags: " PATH_FLAGS ", old-path: string, new-descriptor: "
           "borrow<descriptor>, new-path: string",
           "_", descriptor_link_at),
    METHOD("open-at",
           ", path-flags: " PATH_FLAGS ", path: string, open-flags: " OPEN_FLAGS ", flags: " FLAGS,
           "own<descriptor>", descriptor_open_at),
    METHOD("readlink-at", ", path: string", "string", descriptor_readlink_at),
    METHOD("remove-directory-at", ", path: string", "_", descriptor_change_path),
    METHOD("rename-at", ", old-path: string, new-descriptor: borrow<descriptor>, new-path: string",
           "_", descriptor_rename_at),
    METHOD("symlink-at", ", old-path: string, new-path: string", "_", descriptor_symlink_at),
    METHOD("unlink-file-at", ", path: string", "_", descriptor_change_path),
    CANONICAL_FUNCTION("[method]descriptor.is-same-object",
                       "func(self: borrow<descriptor>, other: borrow<descriptor>) -> bool",
                       descriptor_is_same_object),
    METHOD("metadata-hash", "", HASH, descriptor_metadata_hash),
    METHOD("metadata-hash-at", ", path-flags: " PATH_FLAGS ", path: string", HASH,
           descriptor_metadata_hash_at),
    CANONICAL_FUNCTION(
        "[method]directory-entry-stream.read-directory-entry",
        "func(self: borrow<directory-entry-stream>) -> result<option<record{type: " TYPE
        ", name: string}>, " ERROR ">",
        entries_read),
    CANONICAL_FUNCTION("filesystem-error-code", "func(err: borrow<error>) -> option<" ERROR ">",
                       error_code),
};

static const struct canonical_resource *const resources[] = {&filesystem_descriptor_class.resource,
                                                             &filesystem_entries_class.resource};

const struct canonical_interface filesystem_types_interface = {
    "wasi:filesystem/types",      PREVIEW2_VERSION, types_functions,
    ARRAY_COUNT(types_functions), resources,        ARRAY_COUNT(resources),
};

/* ---- preopens ---- */

#define PREOPEN_BYTES 12u /* tuple<own<descriptor>, string> */

static bool put_preopen(struct canonical_call *c, const struct wasi_preopen *preopen, uint32_t at)
{
    struct filesystem_file *file;
    struct call_list name;
    uint32_t handle;
    if (filesystem_file_new(call_state(c), preopen->fd, false, &file) != FILESYSTEM_OK) {
        call_trap(c, "there is no room for more descriptors");
        return false;
    }
    struct filesystem_descriptor *d = filesystem_descriptor_new(c, file, true);
    if (!d || !io_call_own(c, d, &handle)) return false;
    if (!call_put_text(c, preopen->guest_name, &name)) return false;
    uint8_t *place = call_place(c, at, PREOPEN_BYTES, 4);
    if (!place) return false;
    put_u32(place, handle);
    put_list(place + sizeof handle, &name);
    return true;
}

static enum host_result get_directories(struct canonical_call *c, struct value *v)
{
    const struct wasi_preview2_config *config = &call_state(c)->config;
    struct call_list list = {.count = (uint32_t)config->preopens_count};
    uint8_t *place;
    if (!canonical_allocate(c, list.count * PREOPEN_BYTES, 4, &list.at, &place)) return HOST_TRAP;
    for (uint32_t k = 0; k < list.count; k++)
        if (!put_preopen(c, &config->preopens[k], list.at + k * PREOPEN_BYTES)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[0].i32, 8, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret, &list);
    return HOST_OK;
}

static const struct canonical_function preopens_functions[] = {
    CANONICAL_FUNCTION("get-directories", "func() -> list<tuple<own<descriptor>, string>>",
                       get_directories),
};

const struct canonical_interface filesystem_preopens_interface = {
    "wasi:filesystem/preopens",
    PREVIEW2_VERSION,
    preopens_functions,
    ARRAY_COUNT(preopens_functions),
    NULL,
    0,
};
