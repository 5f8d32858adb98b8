/* Writes artifacts: from their parts, and anew with an image. Build half only. */
#ifndef ARTIFACT_ARTIFACT_WRITER_H
#define ARTIFACT_ARTIFACT_WRITER_H

#include "artifact/artifact.h"
#include "base/buffer.h"

struct artifact_part {
    const void *bytes; /* borrowed */
    size_t size_bytes;
};

/* `header` gives engine, cpu_level, level, flags, features, wasm_bytes and context_bytes; the rest
 * of it is filled in here. Appends the file to *file, whose cap bounds it. The same parts give the
 * same bytes. Errors: ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status artifact_write(const struct artifact_header *header,
                                     const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT],
                                     struct buffer *file, struct error *err);

/* The same without digests, which take a while: for this process to open again and to write anew.
 * artifact_open() refuses such a file. */
NODISCARD enum status
artifact_write_draft(const struct artifact_header *header,
                     const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT], struct buffer *file,
                     struct error *err);

/* What artifact_header.digest has to be for these bytes, of which there is at least a header. */
void artifact_digest(const uint8_t *bytes, size_t size_bytes, uint8_t digest[32]);

/* As artifact_open_bytes(), for what artifact_write_draft() has written. */
NODISCARD enum status artifact_open_draft(const void *bytes, size_t size_bytes,
                                          struct artifact **ret, struct error *err);

/* The state of an instance that has been initialised. */
struct artifact_image {
    const struct artifact_extent *extents; /* ascending; image_offset is filled in */
    size_t extents_count;
    struct artifact_part bytes;   /* of the extents, one after the other */
    const uint64_t *memory_pages; /* the size that each memory has come to; NULL: as declared */
    bool started;                 /* start functions were run too */
};

/* The same artifact with another image. Sets ARTIFACT_INITIALISED. Errors as artifact_write(). */
NODISCARD enum status artifact_write_image(const struct artifact *a,
                                           const struct artifact_image *image, struct buffer *file,
                                           struct error *err);

#endif
