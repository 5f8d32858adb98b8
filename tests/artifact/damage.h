/* Artifacts with one field wrong at a time, the digest put right. */
#ifndef TESTS_ARTIFACT_DAMAGE_H
#define TESTS_ARTIFACT_DAMAGE_H

#include <stddef.h>

#include "artifact/artifact.h"
#include "base/buffer.h"

#define WHOLE UINT32_MAX /* instead of an element: the header */

struct damage {
    uint32_t section, element;
    size_t element_bytes, field, field_bytes;
    uint64_t value;
    enum status status;
    const char *text;
};

#define FIELD_BYTES(type, field) sizeof(((struct type *)NULL)->field)
#define HEADER(name, to, st, words)                                                                \
    {0,                                                                                            \
     WHOLE,                                                                                        \
     0,                                                                                            \
     offsetof(struct artifact_header, name),                                                       \
     FIELD_BYTES(artifact_header, name),                                                           \
     (uint64_t)(to),                                                                               \
     st,                                                                                           \
     words}
#define SECTION(number, name, to, words)                                                           \
    {0,                                                                                            \
     WHOLE,                                                                                        \
     0,                                                                                            \
     offsetof(struct artifact_header, sections) +                                                  \
         (number) * sizeof(struct artifact_section_entry) +                                        \
         offsetof(struct artifact_section_entry, name),                                            \
     8,                                                                                            \
     (uint64_t)(to),                                                                               \
     ST_CORRUPT,                                                                                   \
     words}
#define ENTRY(number, type, at, name, to, words)                                                   \
    {number,                                                                                       \
     at,                                                                                           \
     sizeof(struct type),                                                                          \
     offsetof(struct type, name),                                                                  \
     FIELD_BYTES(type, name),                                                                      \
     (uint64_t)(to),                                                                               \
     ST_CORRUPT,                                                                                   \
     words}
#define BYTE(number, at, to, words) {number, at, 1, 0, 1, to, ST_CORRUPT, words}

/* Opens and closes; *err says why it cannot be opened. */
enum status damage_open(const uint8_t *bytes, size_t size_bytes, struct error *err);

/* Each damage in turn, on a copy of *file: the status and text that it says come out; an empty text
 * means that the artifact is still sound. */
void damage_each(const struct buffer *file, const struct damage *damages, size_t count);

#endif
