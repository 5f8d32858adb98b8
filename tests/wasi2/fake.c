#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake fake;
struct value fake_result;

/* ---- what the canonical ABI and the runtime would do ---- */

enum host_result canonical_enter(UNUSED struct instance *i, UNUSED struct value *values)
{
    fail();
    return HOST_TRAP;
}

bool canonical_trap(UNUSED struct canonical_call *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(fake.trap_text, sizeof fake.trap_text, fmt, ap);
    va_end(ap);
    return false;
}

bool canonical_bytes(struct canonical_call *c, uint32_t at, uint32_t size_bytes, uint8_t **ret)
{
    *ret = fake.memory;
    if (at > FAKE_MEMORY_BYTES || size_bytes > FAKE_MEMORY_BYTES - at)
        return canonical_trap(c, "out of bounds");
    *ret += at;
    return true;
}

bool canonical_out(struct canonical_call *c, uint32_t at, uint32_t size_bytes, uint32_t align_bytes,
                   uint8_t **ret)
{
    *ret = NULL;
    if (at % align_bytes) return canonical_trap(c, "misaligned");
    return canonical_bytes(c, at, size_bytes, ret);
}

bool canonical_list(struct canonical_call *c, uint32_t at, uint32_t count, uint32_t element_bytes,
                    uint32_t align_bytes, const uint8_t **ret)
{
    uint64_t size = (uint64_t)count * element_bytes;
    uint8_t *place = NULL;
    if (size > FAKE_MEMORY_BYTES) return canonical_trap(c, "out of bounds");
    if (!canonical_out(c, at, (uint32_t)size, align_bytes, &place)) return false;
    *ret = place;
    return true;
}

bool canonical_text(struct canonical_call *c, uint32_t at, uint32_t units,
                    struct canonical_text *ret)
{
    uint8_t *place = NULL;
    if (!canonical_bytes(c, at, units, &place)) return false;
    if (!text_is_utf8((char *)place, units)) return canonical_trap(c, "not UTF-8");
    *ret = (struct canonical_text){(char *)place, units};
    return true;
}

bool canonical_allocate(struct canonical_call *c, uint32_t size_bytes, uint32_t align_bytes,
                        uint32_t *ret_at, uint8_t **ret)
{
    if (fake.no_heap) return canonical_trap(c, "realloc");
    *ret_at = (fake.heap_at + align_bytes - 1) & ~(align_bytes - 1);
    if (!canonical_out(c, *ret_at, size_bytes, align_bytes, ret)) return false;
    fake.heap_at = *ret_at + size_bytes;
    return true;
}

bool canonical_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                        uint32_t *ret_at, uint32_t *ret_units)
{
    uint8_t *place;
    assert_true(text_is_utf8(text, size_bytes));
    *ret_units = (uint32_t)size_bytes;
    if (!canonical_allocate(c, *ret_units, 1, ret_at, &place)) return false;
    memcpy(place, text, size_bytes);
    return true;
}

bool canonical_own(struct canonical_call *c, const struct canonical_resource *type, void *rep,
                   uint32_t *ret)
{
    for (uint32_t k = 1; k < FAKE_HANDLES_MAX; k++) {
        if (fake.handles[k].type) continue;
        fake.handles[k] = (struct fake_handle){type, rep};
        if (k >= fake.handles_end) fake.handles_end = k + 1;
        *ret = k;
        return true;
    }
    return canonical_trap(c, "too many handles");
}

void *canonical_borrowed(struct canonical_call *c, const struct canonical_resource *type,
                         uint32_t handle)
{
    if (handle < FAKE_HANDLES_MAX && fake.handles[handle].type == type)
        return fake.handles[handle].rep;
    canonical_trap(c, "no such handle");
    return NULL;
}

void *canonical_taken(struct canonical_call *c, const struct canonical_resource *type,
                      uint32_t handle)
{
    void *rep = canonical_borrowed(c, type, handle);
    if (rep) fake.handles[handle].type = NULL;
    return rep;
}

void instance_set_exit(UNUSED struct instance *i, uint32_t code)
{
    fake.exit_code = code;
}

bool instance_pause(UNUSED struct instance *i)
{
    fake.pauses++;
    return !fake.cancel;
}

/* Of preview 1, with which the paths of files are shared; never called. */
bool guest_slice(UNUSED const struct instance *i, UNUSED uint32_t memory, UNUSED uint64_t offset,
                 UNUSED uint64_t length, UNUSED uint8_t **ret)
{
    fail();
    return false;
}

void *instance_context(UNUSED const struct instance *i)
{
    fail();
    return NULL;
}

void instance_set_trap_text(UNUSED struct instance *i, UNUSED const char *fmt, ...)
{
    fail();
}

/* ---- the embedder ---- */

static uint64_t monotonic(UNUSED void *context)
{
    fake.clock_reads++;
    return fake.monotonic_ns;
}

static uint64_t realtime(UNUSED void *context)
{
    return fake.realtime_ns;
}

static void fill(UNUSED void *context, void *bytes, size_t size_bytes)
{
    for (size_t k = 0; k < size_bytes; k++) {
        fake.random_state = fake.random_state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[k] = (uint8_t)(fake.random_state >> 56);
    }
}

/* Time passes; what is stuck goes on. */
static bool wait_fake(UNUSED void *context, UNUSED struct instance *instance,
                      const struct wasi_wait *waits, size_t count, uint64_t deadline_ns)
{
    fake.waits++;
    fake.waits_count_last = count;
    if (count) fake.wait_last = waits[0];
    fake.deadline_last = deadline_ns;
    assert_true(fake.waits < 1000000);
    if (fake.cancel) return false;
    for (size_t k = 0; k < count; k++) {
        assert_non_null(waits[k].stream->context);
        ((struct fake_stream *)waits[k].stream->context)->stuck = false;
        ((struct fake_stream *)waits[k].stream->context)->limited = false;
    }
    if (deadline_ns != WASI_WAIT_FOREVER && deadline_ns > fake.monotonic_ns)
        fake.monotonic_ns = deadline_ns;
    return true;
}

static bool blocked(struct fake_stream *s)
{
    if (s->stuck) return true;
    if (s->blocks == 0) return false;
    s->blocks--;
    return true;
}

static enum status stream_read(void *context, void *bytes, size_t size_bytes, size_t *ret_bytes)
{
    struct fake_stream *s = context;
    if (s->failure) return s->failure;
    if (blocked(s)) return ST_WOULD_BLOCK;
    if (s->input_bytes == 0) return ST_CLOSED;
    size_t size = size_bytes < s->input_bytes ? size_bytes : s->input_bytes;
    if (s->step_max && size > s->step_max) size = s->step_max;
    memcpy(bytes, s->input, size);
    s->input += size;
    s->input_bytes -= size;
    *ret_bytes = size;
    return ST_OK;
}

static enum status stream_write(void *context, const void *bytes, size_t size_bytes,
                                size_t *ret_bytes)
{
    struct fake_stream *s = context;
    if (s->failure) return s->failure;
    if (blocked(s) || (s->limited && !s->steps)) return ST_WOULD_BLOCK;
    if (s->limited) s->steps--;
    size_t size = s->step_max && size_bytes > s->step_max ? s->step_max : size_bytes;
    assert_true(size <= sizeof s->output - s->output_bytes);
    memcpy(s->output + s->output_bytes, bytes, size);
    s->output_bytes += size;
    *ret_bytes = size;
    return ST_OK;
}

static enum status stream_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    struct fake_stream *s = context;
    if (s->failure) return s->failure;
    if (s->stuck || s->blocks) return ST_WOULD_BLOCK;
    if (direction == WASI_READ && s->input_bytes == 0) return ST_CLOSED;
    if (direction == WASI_WRITE && s->limited && !s->steps) return ST_WOULD_BLOCK;
    *ret_bytes = direction == WASI_READ ? s->input_bytes : 1;
    return ST_OK;
}

struct wasi_preview2_config fake_config(void)
{
    static const struct wasi_stream_ops in = {stream_read, NULL, stream_ready};
    static const struct wasi_stream_ops out = {NULL, stream_write, stream_ready};
    static const struct clock clocks = {monotonic, realtime, NULL};
    static const struct random_source random = {fill, NULL};
    return (struct wasi_preview2_config){
        .stdio = {{&in, &fake.streams[0], -1, WASI_FILETYPE_UNKNOWN},
                  {&out, &fake.streams[1], -1, WASI_FILETYPE_CHARACTER_DEVICE},
                  {&out, &fake.streams[2], -1, WASI_FILETYPE_UNKNOWN}},
        .clock = &clocks,
        .random = &random,
        .waiter = {wait_fake, NULL},
    };
}

int fake_setup(UNUSED void **state)
{
    struct error err = {.text = ""};
    memset(&fake, 0, sizeof fake);
    fake.memory = calloc(1, FAKE_MEMORY_BYTES);
    fake.heap_at = FAKE_HEAP;
    fake.monotonic_ns = 1000;
    fake.realtime_ns = UINT64_C(1700000000123456789);
    struct wasi_preview2_config config = fake_config();
    if (!fake.memory || wasi_preview2_new(&config, &fake.state, &err)) return -1;
    return 0;
}

static void drop_all(void)
{
    for (uint32_t k = fake.handles_end; k-- > 1;) {
        struct fake_handle h = fake.handles[k];
        fake.handles[k].type = NULL;
        if (h.type && h.type->drop) h.type->drop(fake.state, h.rep);
    }
}

int fake_teardown(UNUSED void **state)
{
    drop_all();
    wasi_preview2_free(fake.state);
    free(fake.memory);
    return 0;
}

void fake_config_set(const struct wasi_preview2_config *config)
{
    struct error err = {.text = ""};
    drop_all();
    if (wasi_preview2_reuse(fake.state, config, &err)) fail_msg("%s", err.text);
}

const struct canonical_function *fake_find(const char *name)
{
    size_t count, length = strcspn(name, "#");
    const struct canonical_interface *const *list = wasi_preview2_interfaces(&count);
    for (size_t k = 0; k < count; k++) {
        if (strlen(list[k]->name) != length || memcmp(list[k]->name, name, length) != 0) continue;
        for (size_t f = 0; f < list[k]->functions_count; f++)
            if (!strcmp(list[k]->functions[f].entry.name, name + length + 1))
                return &list[k]->functions[f];
    }
    fail_msg("no function %s", name);
    return NULL;
}

struct canonical_call fake_outside(void)
{
    return (struct canonical_call){.host = fake.state};
}

enum host_result fake_call(const char *name, size_t count, const uint64_t *parameters)
{
    const struct canonical_function *function = fake_find(name);
    struct canonical_call c = fake_outside();
    struct value values[20];
    memset(values, 0xa5, sizeof values);
    for (size_t k = 0; k < count; k++) values[k].i64 = parameters[k];
    fake.trap_text[0] = '\0';
    enum host_result result = function->call(&c, values);
    assert_true(result != HOST_TRAP || fake.trap_text[0]);
    fake_result = values[0];
    return result;
}

bool fake_drop(uint32_t handle)
{
    assert_true(handle < FAKE_HANDLES_MAX && fake.handles[handle].type);
    struct fake_handle h = fake.handles[handle];
    if (h.type->refuse_drop && h.type->refuse_drop(fake.state, h.rep)) return false;
    fake.handles[handle].type = NULL;
    if (h.type->drop) h.type->drop(fake.state, h.rep);
    return true;
}

unsigned fake_handles(void)
{
    unsigned count = 0;
    for (uint32_t k = 1; k < fake.handles_end; k++) count += fake.handles[k].type != NULL;
    return count;
}

/* ---- memory ---- */

void fake_put(uint32_t at, const void *bytes, size_t size_bytes)
{
    assert_true(at + size_bytes <= FAKE_MEMORY_BYTES);
    memcpy(fake.memory + at, bytes, size_bytes);
}

uint32_t fake_text(uint32_t at, const char *text)
{
    fake_put(at, text, strlen(text));
    return (uint32_t)strlen(text);
}

uint8_t fake_u8(uint32_t at)
{
    return fake.memory[at];
}

uint32_t fake_u32(uint32_t at)
{
    return take_u32(fake.memory + at);
}

uint64_t fake_u64(uint32_t at)
{
    uint64_t value;
    memcpy(&value, fake.memory + at, sizeof value);
    return value;
}

void fake_expect_text(uint32_t at, const char *text)
{
    uint32_t place = fake_u32(at), size = fake_u32(at + 4);
    assert_int_equal(size, strlen(text));
    assert_true(place <= FAKE_MEMORY_BYTES && size <= FAKE_MEMORY_BYTES - place);
    assert_memory_equal(fake.memory + place, text, size);
}

uint32_t fake_stdin(void)
{
    OK("wasi:cli/stdin#get-stdin", 0);
    return fake_result.i32;
}

uint32_t fake_output(unsigned fd)
{
    OK(fd == 1 ? "wasi:cli/stdout#get-stdout" : "wasi:cli/stderr#get-stderr", 0);
    return fake_result.i32;
}
