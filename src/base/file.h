/* Whole files: read with a cap, written so that a reader sees the old bytes or the new ones. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Appends the contents of the file at `path` to *b, whose cap bounds it.
 * Errors: ST_NOT_FOUND, ST_DENIED, ST_IO, ST_LIMIT (larger than the buffer's cap). Blocks. */
NODISCARD enum status file_read(const char *path, struct buffer *b, struct error *err);

/* Writes a temporary file beside `path`, syncs it and renames it into place.
 * On failure no file is left behind. Blocks. */
NODISCARD enum status file_write_atomic(const char *path, const void *bytes, size_t size_bytes,
                                        struct error *err);

/* Writes to an open file, without syncing it: for what carries a digest, so that a file that was
 * not written whole is found out. Errors: ST_IO and what fits errno. Blocks. */
NODISCARD enum status file_write_fd(int fd, const void *bytes, size_t size_bytes,
                                    struct error *err);

/* mkdir -p with mode 0700. Errors: ST_EXISTS when something else stands at `path`, ST_DENIED,
 * ST_NOT_FOUND (empty path), ST_IO. */
NODISCARD enum status file_make_folders(const char *path, struct error *err);

#endif
