/* Shared by the reader's and the writer's files; not for other modules. */
#ifndef ARTIFACT_ARTIFACT_INTERNAL_H
#define ARTIFACT_ARTIFACT_INTERNAL_H

#include "artifact/artifact.h"

struct artifact {
    int fd;             /* -1 until opened */
    const uint8_t *map; /* the whole file, read-only; NULL until mapped */
    size_t map_bytes;
    uint8_t *code; /* code and rodata once more: R+X, and R behind it; NULL until mapped */
    size_t code_map_bytes;

    /* shared_code.c: where the code is mapped from */
    int code_fd; /* another artifact's file, a descriptor of our own; -1: this one's */
    uint64_t code_offset;
    struct artifact *next_shared;
    bool joined;
};

static inline int artifact_code_fd(const struct artifact *a)
{
    return a->code_fd < 0 ? a->fd : a->code_fd;
}

/* Settles code_fd and code_offset: when an artifact with the same code is open in this process, its
 * file's, so that code is in the page cache once, however many files hold it. */
NODISCARD enum status shared_code_join(struct artifact *a, struct error *err);
void shared_code_leave(struct artifact *a); /* legal on one that has not joined */

/* What every section is made of. */
struct section_shape {
    const char *name;
    uint32_t element_bytes;
    uint32_t align_bytes;
};
extern const struct section_shape section_shapes[ARTIFACT_SECTIONS_COUNT];

/* Everything between the header's first byte and artifact_open()'s success: magic, versions,
 * digest, and every bound of every section. Reads a->map only. A draft has no digest, but zeros. */
NODISCARD enum status artifact_verify(const struct artifact *a, bool draft, struct error *err);

/* Header and sections' places; artifact_verify() begins with it. */
NODISCARD enum status artifact_verify_header(const struct artifact *a, bool draft,
                                             struct error *err);

/* Where the digest's range begins. */
#define DIGEST_START offsetof(struct artifact_header, engine)

#endif
