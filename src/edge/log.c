#include "log.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

void log_begin(struct buffer *line, const char *level, const char *app, uint64_t request_id)
{
    uint64_t now_ns = clock_realtime_ns(clock_system());
    time_t seconds = (time_t)(now_ns / 1000000000u);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char time_text[32];
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_clear(line);
    buffer_printf(line, "%s.%03uZ %s", time_text, (unsigned)(now_ns / 1000000u % 1000u), level);
    if (app) buffer_printf(line, " app=%s request=%016" PRIx64, app, request_id);
}

static bool is_plain(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
    }
    return size > 0;
}

void log_field(struct buffer *line, const char *key, const char *value, size_t size)
{
    buffer_printf(line, " %s=", key);
    if (is_plain(value, size)) {
        buffer_append(line, value, size);
        return;
    }
    buffer_append(line, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)value[i];
        if (c == '"' || c == '\\')
            buffer_printf(line, "\\%c", c);
        else if (c == '\n')
            buffer_append(line, "\\n", 2);
        else if (c == '\t')
            buffer_append(line, "\\t", 2);
        else if (c < ' ' || c == 0x7f)
            buffer_printf(line, "\\x%02x", c);
        else
            buffer_append(line, &c, 1);
    }
    buffer_append(line, "\"", 1);
}

void log_field_text(struct buffer *line, const char *key, const char *value)
{
    log_field(line, key, value, strlen(value));
}

void log_field_number(struct buffer *line, const char *key, uint64_t value)
{
    buffer_printf(line, " %s=%" PRIu64, key, value);
}

void log_end(struct buffer *line, int fd)
{
    /* A line that grew past the buffer's cap keeps what fitted. */
    if (line->size_bytes == line->cap_bytes) line->size_bytes--;
    line->failed = false;
    buffer_append(line, "\n", 1);
    ssize_t ignored = write(fd, line->data, line->size_bytes);
    (void)ignored;
}
