/* The log: one line a write, "key=value" fields, nothing of a guest's or a client's bytes
 * unescaped. Private to edge. */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

#include <stdint.h>

#include "base/buffer.h"
#include "edge/edge.h"

/* Begins a line: time, level, app, request id. */
void log_begin(struct buffer *line, const char *level, const char *app, uint64_t request_id);

/* " key=value", quoted and escaped when the value is not a plain word. */
void log_field(struct buffer *line, const char *key, const char *value, size_t size);
void log_field_text(struct buffer *line, const char *key, const char *value);
void log_field_number(struct buffer *line, const char *key, uint64_t value);

/* Ends the line and writes it; what the descriptor does not take is lost. */
void log_end(struct buffer *line, int fd);

#endif
