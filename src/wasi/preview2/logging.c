/* wasi:logging/logging. It is imported with and without a version, of drafts only: without one here
 * it serves them all. */
#include "state.h"

static size_t cut_at(const char *text, size_t size_bytes, size_t bytes_max)
{
    if (size_bytes <= bytes_max) return size_bytes;
    size_bytes = bytes_max;
    while (size_bytes && ((uint8_t)text[size_bytes] & 0xc0) == 0x80) size_bytes--;
    return size_bytes;
}

static enum host_result write_log(struct canonical_call *c, struct value *v)
{
    const struct wasi_log_sink *sink = &call_state(c)->config.log;
    struct canonical_text topic, message;
    if (v[0].i32 > WASI_LOG_CRITICAL) return call_trap(c, "log: there is no such level");
    if (!canonical_text(c, v[1].i32, v[2].i32, &topic)) return HOST_TRAP;
    if (!canonical_text(c, v[3].i32, v[4].i32, &message)) return HOST_TRAP;
    if (!sink->write) return HOST_OK;
    topic.size_bytes = cut_at(topic.bytes, topic.size_bytes, WASI_LOG_TOPIC_BYTES_MAX);
    message.size_bytes = cut_at(message.bytes, message.size_bytes, WASI_LOG_MESSAGE_BYTES_MAX);
    sink->write(sink->context, (enum wasi_log_level)v[0].i32, topic.bytes, topic.size_bytes,
                message.bytes, message.size_bytes);
    return HOST_OK;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("log",
                       "func(level: enum{trace, debug, info, warn, error, critical}, "
                       "context: string, message: string)",
                       write_log),
};

const struct canonical_interface logging_interface = {
    "wasi:logging/logging", "", functions, ARRAY_COUNT(functions), NULL, 0,
};
