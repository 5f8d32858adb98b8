/* The way from the runtime into a body and back: guest memory, waiting. */
#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "state.h"

/* Which of the program's memories a pointer of the calling instance means. A preview 1 command is
 * one module, whose exported memory is the program's first. */
static uint32_t guest_memory(const struct instance *instance)
{
    (void)instance;
    return 0;
}

enum host_result call_run(call_body *body, struct instance *instance, struct value *values)
{
    const struct wasi_context *context = instance_context(instance);
    if (!context || !context->preview1) {
        instance_set_trap_text(instance, "WASI preview 1 was called without a state to act on");
        return HOST_TRAP;
    }
    struct call c = {context->preview1, instance, values, HOST_OK};
    enum wasi_errno e = body(&c);
    if (c.result != HOST_OK) return c.result;
    values[0].i32 = (uint32_t)e;
    return HOST_OK;
}

bool call_slice(const struct call *c, uint32_t offset, uint64_t length, uint8_t **ret)
{
    return guest_slice(c->instance, guest_memory(c->instance), offset, length, ret);
}

bool call_can_put(const struct call *c, uint32_t offset, uint64_t length)
{
    uint8_t *at;
    return call_slice(c, offset, length, &at);
}

enum wasi_errno call_put(const struct call *c, uint32_t offset, const void *bytes,
                         size_t size_bytes)
{
    uint8_t *at;
    if (!call_slice(c, offset, size_bytes, &at)) return WASI_EFAULT;
    memcpy(at, bytes, size_bytes);
    return WASI_OK;
}

enum wasi_errno call_put_u32(const struct call *c, uint32_t offset, uint32_t value)
{
    return call_put(c, offset, &value, sizeof value);
}

enum wasi_errno call_put_u64(const struct call *c, uint32_t offset, uint64_t value)
{
    return call_put(c, offset, &value, sizeof value);
}

enum wasi_errno call_take_iovecs(const struct call *c, uint32_t offset, uint32_t count,
                                 struct guest_iovec *list)
{
    if (count > WASI_IOVECS_MAX) return WASI_EINVAL;
    uint8_t *at;
    if (!call_slice(c, offset, (uint64_t)count * GUEST_IOVEC_BYTES, &at)) return WASI_EFAULT;
    _Static_assert(sizeof *list == GUEST_IOVEC_BYTES, "copied as they are");
    memcpy(list, at, (size_t)count * GUEST_IOVEC_BYTES);
    uint64_t sum = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (!call_can_put(c, list[k].offset, list[k].length)) return WASI_EFAULT;
        sum += list[k].length;
    }
    return sum > UINT32_MAX ? WASI_EINVAL : WASI_OK;
}

enum wasi_errno call_map_iovecs(const struct call *c, const struct guest_iovec *list,
                                uint32_t count, struct iovec *ret)
{
    assert(count <= WASI_IOVECS_MAX);
    for (uint32_t k = 0; k < count; k++) {
        uint8_t *at;
        if (!call_slice(c, list[k].offset, list[k].length, &at)) return WASI_EFAULT;
        ret[k] = (struct iovec){at, list[k].length};
    }
    return WASI_OK;
}

bool call_wait(struct call *c, const struct wasi_wait *waits, size_t count, uint64_t deadline_ns)
{
    const struct wasi_waiter *waiter = &c->p->config.waiter;
    if (waiter->wait(waiter->context, c->instance, waits, count, deadline_ns)) return true;
    c->result = HOST_CANCEL;
    return false;
}

bool call_wait_stream(struct call *c, const struct wasi_stream *stream,
                      enum wasi_direction direction)
{
    struct wasi_wait wait = {stream, direction};
    return call_wait(c, &wait, 1, WASI_WAIT_FOREVER);
}
