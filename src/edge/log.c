#include "log.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LOG_GAP_BYTES_MAX 128u /* "… warning lines_lost=…" */

static void begin(struct buffer *line, const char *level)
{
    uint64_t now_ns = clock_realtime_ns(clock_system());
    time_t seconds = (time_t)(now_ns / 1000000000u);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char time_text[32];
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    buffer_printf(line, "%s.%03uZ %s", time_text, (unsigned)(now_ns / 1000000u % 1000u), level);
}

void log_begin(struct buffer *line, const char *level, const char *app, uint64_t request_id)
{
    buffer_clear(line);
    begin(line, level);
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

void log_sink_init(struct log_sink *sink, int fd)
{
    struct stat about;
    *sink = (struct log_sink){.fd = fd};
    sink->is_socket = fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

/* How much of it was taken, in one call. */
static size_t put(const struct log_sink *sink, const void *bytes, size_t size)
{
    ssize_t taken = sink->is_socket ? send(sink->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : write(sink->fd, bytes, size);
    return taken > 0 ? (size_t)taken : 0;
}

/* Before the line: the end of one that was cut, and how many are missing. */
static void insert_gap(struct buffer *line, const struct log_sink *sink, struct buffer *ret)
{
    if (sink->torn) buffer_append(ret, "\n", 1);
    begin(ret, "warning");
    log_field_number(ret, "lines_lost", sink->lost);
    buffer_append(ret, "\n", 1);
    buffer_append(ret, line->data, line->size_bytes);
}

void log_end(struct buffer *line, struct log_sink *sink)
{
    /* A line that grew past the buffer's cap keeps what fitted. */
    if (line->size_bytes == line->cap_bytes) line->size_bytes--;
    line->failed = false;
    buffer_append(line, "\n", 1);
    if (!sink->lost) {
        size_t taken = put(sink, line->data, line->size_bytes);
        sink->lost = taken < line->size_bytes;
        sink->torn = sink->lost && taken;
        return;
    }
    struct buffer both;
    buffer_init(&both, line->size_bytes + LOG_GAP_BYTES_MAX);
    insert_gap(line, sink, &both);
    size_t taken = both.failed ? 0 : put(sink, both.data, both.size_bytes);
    sink->torn = taken ? taken < both.size_bytes : sink->torn;
    if (taken == both.size_bytes && taken)
        sink->lost = 0;
    else
        sink->lost++;
    buffer_done(&both);
}
