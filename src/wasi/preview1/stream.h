/* Readiness of host descriptors, for streams of every kind over them. */
#ifndef WASI_PREVIEW1_STREAM_H
#define WASI_PREVIEW1_STREAM_H

#include "wasi/wasi.h"

/* wasi_stream_ops.ready of the descriptor that `context` is, as an intptr_t. */
enum status stream_fd_ready(void *context, enum wasi_direction direction, uint64_t *ret_bytes);

#endif
