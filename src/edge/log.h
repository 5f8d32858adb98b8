/* The log: one line a write, "key=value" fields, nothing of a guest's or a client's bytes
 * unescaped. Private to edge. */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "edge/edge.h"

/* Begins a line: time, level, app, request id. */
void log_begin(struct buffer *line, const char *level, const char *app, uint64_t request_id);

/* " key=value", quoted and escaped when the value is not a plain word. */
void log_field(struct buffer *line, const char *key, const char *value, size_t size);
void log_field_text(struct buffer *line, const char *key, const char *value);
void log_field_number(struct buffer *line, const char *key, uint64_t value);

/* Where lines go. Nothing waits for a reader that is slow: what the descriptor does not take at
 * once is lost, and the next line that is taken says how many were. Regular files are written to as
 * long as that takes. */
struct log_sink {
    int fd;
    bool is_socket;
    bool torn;     /* the last line was taken in part */
    uint64_t lost; /* lines, since the last one that was taken */
};

/* `fd` is borrowed. */
void log_sink_init(struct log_sink *sink, int fd);

/* Ends the line and writes it. */
void log_end(struct buffer *line, struct log_sink *sink);

#endif
