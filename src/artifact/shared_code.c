/* Artifacts of equal code: what lies in files of their own is in memory once. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "artifact_internal.h"

#define HEADS_COUNT 1024u /* a power of two */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct artifact *heads[HEADS_COUNT]; /* artifacts that are open, by digest of their code */

static struct artifact **head_of(const struct artifact *a)
{
    const uint8_t *digest = artifact_header(a)->code_digest;
    return &heads[(digest[0] | (uint32_t)digest[1] << 8) % HEADS_COUNT];
}

static bool equal_code(const struct artifact *a, const struct artifact *b)
{
    const struct artifact_header *x = artifact_header(a), *y = artifact_header(b);
    return x->sections[ARTIFACT_CODE].size_bytes == y->sections[ARTIFACT_CODE].size_bytes &&
           !memcmp(x->code_digest, y->code_digest, sizeof x->code_digest);
}

/* A draft has no digest of its code. */
static bool is_draft(const struct artifact *a)
{
    static const uint8_t none[sizeof artifact_header(a)->code_digest];
    return !memcmp(artifact_header(a)->code_digest, none, sizeof none);
}

enum status shared_code_join(struct artifact *a, struct error *err)
{
    enum status st = ST_OK;
    a->code_offset = artifact_header(a)->sections[ARTIFACT_CODE].offset;
    if (is_draft(a)) return ST_OK;
    pthread_mutex_lock(&lock);
    struct artifact **head = head_of(a), *other = *head;
    while (other && !equal_code(a, other)) other = other->next_shared;
    if (other) {
        a->code_fd = fcntl(artifact_code_fd(other), F_DUPFD_CLOEXEC, 0);
        a->code_offset = other->code_offset;
        if (a->code_fd < 0) st = error_set_errno(err, errno, "artifact: file of the code");
    }
    if (!st) {
        a->next_shared = *head;
        *head = a;
        a->joined = true;
    }
    pthread_mutex_unlock(&lock);
    return st;
}

void shared_code_leave(struct artifact *a)
{
    if (!a->joined) return;
    pthread_mutex_lock(&lock);
    struct artifact **link = head_of(a);
    while (*link != a) link = &(*link)->next_shared;
    *link = a->next_shared;
    pthread_mutex_unlock(&lock);
    a->joined = false;
}
