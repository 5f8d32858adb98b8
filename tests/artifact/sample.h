/* A small artifact with something in every section, for tests to look at and to damage. */
#ifndef TESTS_ARTIFACT_SAMPLE_H
#define TESTS_ARTIFACT_SAMPLE_H

#include "artifact/artifact_writer.h"

#define SAMPLE_CONTEXT_BYTES 8192u

/* The file's bytes; `level` is header.level, for two that differ. The caller ends *file. */
void sample_write(struct buffer *file, bool with_image, uint32_t level);

/* Puts the digest right after a change. */
void sample_fix_digest(uint8_t *bytes, size_t size_bytes);

#endif
