#include "artifact/artifact_writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "artifact_internal.h"
#include "base/checked.h"
#include "base/sha256.h"

static enum status append_failed(enum status st, struct error *err)
{
    return st == ST_LIMIT ? error_set(err, ST_LIMIT, "artifact: larger than its limit")
                          : error_set(err, st, "artifact");
}

/* Appends the parts, each at its alignment from `start`, and enters them in *header. */
static enum status append_parts(struct artifact_header *header, size_t start,
                                const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT],
                                struct buffer *file, struct error *err)
{
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        size_t align = section_shapes[i].align_bytes;
        size_t size = file->size_bytes - start;
        enum status st = buffer_append_zeros(file, (align - size % align) % align);
        header->sections[i].offset = file->size_bytes - start;
        header->sections[i].size_bytes = parts[i].size_bytes;
        if (!st && parts[i].size_bytes)
            st = buffer_append(file, parts[i].bytes, parts[i].size_bytes);
        if (st) return append_failed(st, err);
        if (file->size_bytes - start > ARTIFACT_BYTES_MAX) return append_failed(ST_LIMIT, err);
    }
    return ST_OK;
}

static size_t whole_bytes(const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT])
{
    size_t bytes = sizeof(struct artifact_header);
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        size_t align = section_shapes[i].align_bytes;
        bytes = (bytes + align - 1) / align * align + parts[i].size_bytes;
    }
    return bytes;
}

void artifact_digest(const uint8_t *bytes, size_t size_bytes, uint8_t digest[32])
{
    struct artifact_section_entry code;
    assert(size_bytes >= sizeof(struct artifact_header));
    memcpy(&code, bytes + offsetof(struct artifact_header, sections[ARTIFACT_CODE]), sizeof code);
    /* A section in a place that is wrong is left in. */
    if (code.offset < sizeof(struct artifact_header) ||
        !range_within(code.offset, code.size_bytes, size_bytes))
        code = (struct artifact_section_entry){size_bytes, 0};
    uint64_t behind = code.offset + code.size_bytes;
    sha256_joined(bytes + DIGEST_START, code.offset - DIGEST_START, bytes + behind,
                  size_bytes - behind, digest);
}

static enum status write_parts(const struct artifact_header *header,
                               const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT],
                               bool draft, struct buffer *file, struct error *err)
{
    assert(header && parts && file);
    const size_t start = file->size_bytes;
    struct artifact_header h = *header;
    memset(h.digest, 0, sizeof h.digest);
    memset(h.code_digest, 0, sizeof h.code_digest);
    memcpy(h.magic, ARTIFACT_MAGIC, sizeof h.magic);
    h.format = ARTIFACT_FORMAT;
    h.header_bytes = sizeof h;
    size_t total = sizeof h + ARTIFACT_SECTIONS_COUNT * (size_t)ARTIFACT_PAGE;
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) total += parts[i].size_bytes;
    if (total > ARTIFACT_BYTES_MAX) return append_failed(ST_LIMIT, err);

    enum status st = buffer_reserve(file, whole_bytes(parts));
    if (!st) st = buffer_append(file, &h, sizeof h);
    if (st) return append_failed(st, err);
    st = append_parts(&h, start, parts, file, err);
    if (st) return st;
    uint8_t *bytes = file->data + start;
    if (!draft) sha256(parts[ARTIFACT_CODE].bytes, parts[ARTIFACT_CODE].size_bytes, h.code_digest);
    memcpy(bytes, &h, sizeof h);
    if (draft) return ST_OK;
    artifact_digest(bytes, file->size_bytes - start, h.digest);
    memcpy(bytes, &h, sizeof h);
    return ST_OK;
}

enum status artifact_write(const struct artifact_header *header,
                           const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT],
                           struct buffer *file, struct error *err)
{
    return write_parts(header, parts, false, file, err);
}

enum status artifact_write_draft(const struct artifact_header *header,
                                 const struct artifact_part parts[ARTIFACT_SECTIONS_COUNT],
                                 struct buffer *file, struct error *err)
{
    return write_parts(header, parts, true, file, err);
}

/* The extents with their places in the image; the caller frees. */
static struct artifact_extent *place_extents(const struct artifact_image *image)
{
    struct artifact_extent *placed =
        calloc(image->extents_count ? image->extents_count : 1, sizeof *placed);
    if (!placed) return NULL;
    uint64_t image_bytes = 0;
    for (size_t i = 0; i < image->extents_count; i++) {
        placed[i] = image->extents[i];
        placed[i].image_offset = image_bytes;
        image_bytes += placed[i].size_bytes;
    }
    assert(image_bytes == image->bytes.size_bytes);
    return placed;
}

/* The memories with the sizes that they have come to; the caller frees. */
static struct artifact_memory *grow_memories(const struct artifact *a, const uint64_t *pages,
                                             size_t *ret_count)
{
    const struct artifact_memory *memories = artifact_section(a, ARTIFACT_MEMORIES, ret_count);
    struct artifact_memory *grown = calloc(*ret_count ? *ret_count : 1, sizeof *grown);
    for (size_t i = 0; grown && i < *ret_count; i++) {
        grown[i] = memories[i];
        if (!pages) continue;
        assert(pages[i] >= grown[i].pages_min && pages[i] <= grown[i].pages_max);
        grown[i].pages_min = pages[i];
    }
    return grown;
}

enum status artifact_write_image(const struct artifact *a, const struct artifact_image *image,
                                 struct buffer *file, struct error *err)
{
    assert(a && image && file && (image->extents || !image->extents_count));
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT];
    struct artifact_header h = *artifact_header(a);
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        parts[i].bytes = a->map + h.sections[i].offset;
        parts[i].size_bytes = h.sections[i].size_bytes;
    }
    size_t memories_count;
    struct artifact_extent *placed = place_extents(image);
    struct artifact_memory *grown = grow_memories(a, image->memory_pages, &memories_count);
    enum status st = ST_OK;
    if (!placed || !grown) st = error_set(err, ST_NO_MEMORY, "artifact: image");
    parts[ARTIFACT_EXTENTS] = (struct artifact_part){placed, image->extents_count * sizeof *placed};
    parts[ARTIFACT_MEMORIES] = (struct artifact_part){grown, memories_count * sizeof *grown};
    parts[ARTIFACT_IMAGE] = image->bytes;
    h.flags |= ARTIFACT_INITIALISED;
    if (image->started) h.flags |= ARTIFACT_STARTED;
    if (!st) st = artifact_write(&h, parts, file, err);
    free(placed);
    free(grown);
    return st;
}
