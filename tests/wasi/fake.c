#include "fake.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/artifact.h"

struct instance {
    struct fake *fake;
};

/* ---- what the runtime would do ---- */

bool guest_slice(const struct instance *i, uint32_t memory, uint64_t offset, uint64_t length,
                 uint8_t **ret)
{
    assert_int_equal(memory, 0);
    if (offset > FAKE_MEMORY_BYTES || length > FAKE_MEMORY_BYTES - offset) return false;
    *ret = i->fake->memory + offset;
    return true;
}

void *instance_context(const struct instance *i)
{
    return &i->fake->context;
}

void instance_set_exit(struct instance *i, uint32_t code)
{
    i->fake->exit_code = code;
}

void instance_set_trap_text(struct instance *i, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(i->fake->trap_text, sizeof i->fake->trap_text, fmt, ap);
    va_end(ap);
}

/* ---- the embedder ---- */

static uint64_t monotonic(void *context)
{
    return ((struct fake *)context)->monotonic_ns;
}

static uint64_t realtime(void *context)
{
    return ((struct fake *)context)->realtime_ns;
}

static void fill(void *context, void *bytes, size_t size_bytes)
{
    struct fake *f = context;
    for (size_t k = 0; k < size_bytes; k++) {
        f->random_state = f->random_state * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)bytes)[k] = (uint8_t)(f->random_state >> 56);
    }
}

static bool wait_fake(void *context, struct instance *instance, const struct wasi_wait *waits,
                      size_t count, uint64_t deadline_ns)
{
    struct fake *f = context;
    (void)instance;
    (void)waits;
    f->waits++;
    f->waits_count_last = count;
    f->deadline_last = deadline_ns;
    assert_true(f->waits < 1000000);
    if (f->cancel) return false;
    if (deadline_ns == WASI_WAIT_FOREVER || deadline_ns <= f->monotonic_ns) return true;
    uint64_t step = deadline_ns - f->monotonic_ns;
    if (f->wakes_too_early && step > 1) step = step / 2;
    f->monotonic_ns += step;
    f->realtime_ns += step;
    return true;
}

static bool blocked(struct fake_stream *s)
{
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
    if (blocked(s)) return ST_WOULD_BLOCK;
    if (s->closed) return ST_CLOSED;
    size_t size = s->step_max && size_bytes > s->step_max ? s->step_max : size_bytes;
    size_t room = sizeof s->output - s->output_bytes;
    if (room == 0) return ST_WOULD_BLOCK;
    if (size > room) size = room;
    memcpy(s->output + s->output_bytes, bytes, size);
    s->output_bytes += size;
    *ret_bytes = size;
    return ST_OK;
}

static enum status stream_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes)
{
    struct fake_stream *s = context;
    if (s->failure) return s->failure;
    if (blocked(s)) return ST_WOULD_BLOCK;
    if (direction == WASI_READ && s->input_bytes == 0) return ST_CLOSED;
    if (direction == WASI_WRITE && s->closed) return ST_CLOSED;
    *ret_bytes = direction == WASI_READ ? s->input_bytes : 1;
    return ST_OK;
}

struct wasi_preview1_config fake_config(struct fake *f)
{
    static const struct wasi_stream_ops in = {stream_read, NULL, stream_ready};
    static const struct wasi_stream_ops out = {NULL, stream_write, stream_ready};
    static struct clock clocks;
    static struct random_source random;
    clocks = (struct clock){monotonic, realtime, f};
    random = (struct random_source){fill, f};
    return (struct wasi_preview1_config){
        .stdio = {{&in, &f->streams[0], -1, WASI_FILETYPE_UNKNOWN},
                  {&out, &f->streams[1], -1, WASI_FILETYPE_CHARACTER_DEVICE},
                  {&out, &f->streams[2], -1, WASI_FILETYPE_UNKNOWN}},
        .clock = &clocks,
        .random = &random,
        .waiter = {wait_fake, f},
    };
}

void fake_init(struct fake *f, const struct wasi_preview1_config *config)
{
    struct error err = {.text = ""};
    f->memory = calloc(1, FAKE_MEMORY_BYTES);
    assert_non_null(f->memory);
    if (wasi_preview1_new(config, &f->context.preview1, &err)) fail_msg("%s", err.text);
}

void fake_done(struct fake *f)
{
    wasi_preview1_free(f->context.preview1);
    f->context.preview1 = NULL;
    free(f->memory);
    f->memory = NULL;
}

const struct host_function *fake_find(const char *name)
{
    size_t count;
    const struct host_set *sets = wasi_preview1_sets(&count);
    for (size_t s = 0; s < count; s++)
        for (size_t k = 0; k < sets[s].count; k++)
            if (strcmp(sets[s].functions[k].name, name) == 0) return &sets[s].functions[k];
    fail_msg("no function %s", name);
    return NULL;
}

uint32_t fake_call(struct fake *f, const char *name, size_t count, const uint64_t *parameters)
{
    const struct host_function *function = fake_find(name);
    struct value values[16];
    struct instance instance = {f};
    memset(values, 0xa5, sizeof values);
    size_t k = 0;
    for (const char *type = function->signature; *type != ':'; type++, k++) {
        assert_true(k < count);
        if (*type == 'i')
            values[k].i32 = (uint32_t)parameters[k];
        else
            values[k].i64 = parameters[k];
    }
    assert_int_equal(k, count);
    f->result = function->call(&instance, values);
    return values[0].i32;
}

uint64_t fake_put(struct fake *f, uint32_t offset, const void *bytes, size_t size_bytes)
{
    assert_true(offset + size_bytes <= FAKE_MEMORY_BYTES);
    memcpy(f->memory + offset, bytes, size_bytes);
    return size_bytes;
}

uint64_t fake_text(struct fake *f, uint32_t offset, const char *text)
{
    return fake_put(f, offset, text, strlen(text));
}

uint32_t fake_u32(const struct fake *f, uint32_t offset)
{
    uint32_t value;
    memcpy(&value, f->memory + offset, sizeof value);
    return value;
}

uint64_t fake_u64(const struct fake *f, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, f->memory + offset, sizeof value);
    return value;
}

void fake_iovec(struct fake *f, uint32_t index, uint32_t offset, uint32_t length)
{
    const uint32_t pair[2] = {offset, length};
    fake_put(f, AT_IOVECS + index * (uint32_t)sizeof pair, pair, sizeof pair);
}

uint32_t fake_open(struct fake *f, uint32_t folder, const char *path, uint32_t lookup,
                   uint32_t open_flags, uint64_t rights, uint32_t fd_flags, uint32_t *ret)
{
    uint64_t length = fake_text(f, AT_PATH, path);
    uint32_t e = CALL(f, "path_open", folder, lookup, AT_PATH, length, open_flags, rights,
                      RIGHTS_ALL, fd_flags, AT_RET);
    if (!e) *ret = fake_u32(f, AT_RET);
    return e;
}

uint32_t fake_write(struct fake *f, uint32_t fd, const char *text)
{
    fake_iovec(f, 0, AT_DATA, (uint32_t)fake_text(f, AT_DATA, text));
    return CALL(f, "fd_write", fd, AT_IOVECS, 1, AT_RET);
}

uint32_t fake_read(struct fake *f, uint32_t fd, uint32_t size, char *ret)
{
    fake_iovec(f, 0, AT_DATA, size);
    uint32_t e = CALL(f, "fd_read", fd, AT_IOVECS, 1, AT_RET);
    if (e) return e;
    uint32_t got = fake_u32(f, AT_RET);
    assert_true(got <= size);
    memcpy(ret, f->memory + AT_DATA, got);
    ret[got] = '\0';
    return 0;
}

/* ---- folders on the host ---- */

void tree_new(char ret[64])
{
    strcpy(ret, "/tmp/mayfly-wasi-XXXXXX");
    assert_non_null(mkdtemp(ret));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void tree_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void join(char ret[512], const char *root, const char *name)
{
    assert_true(snprintf(ret, 512, "%s/%s", root, name) < 512);
}

void tree_file(const char *root, const char *name, const char *text)
{
    char path[512];
    join(path, root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void tree_folder(const char *root, const char *name)
{
    char path[512];
    join(path, root, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

void tree_link(const char *root, const char *name, const char *target)
{
    char path[512];
    join(path, root, name);
    assert_int_equal(symlink(target, path), 0);
}

int tree_open(const char *root, const char *name)
{
    char path[512];
    join(path, root, name);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}
