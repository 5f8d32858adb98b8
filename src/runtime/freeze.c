/* Freezing: the state of an instance as the image of its artifact. */
#include <string.h>

#include "instance.h"

/* Each extent is a mapping in every slot, so runs of zeros shorter than a gap stay inside one. The
 * gap widens until the extents are few enough. */
#define FREEZE_EXTENTS_MAX     256u
#define FREEZE_GAP_PAGES_FIRST 8u

static bool page_is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, ARTIFACT_PAGE - 1) == 0;
}

/* Adds the extents of [start, start + size_bytes) from the base. Reading is all it does to the
 * instance: pages that were never written stay the zero page or the file's. */
static enum status find_extents(const struct slot *s, int64_t start, uint64_t size_bytes,
                                uint64_t gap_pages, uint64_t *image_bytes, struct buffer *extents)
{
    struct artifact_extent run = {0};
    enum status st = ST_OK;
    for (uint64_t at = 0; !st && at < size_bytes; at += ARTIFACT_PAGE) {
        int64_t offset = start + (int64_t)at;
        if (page_is_zero(s->base + offset)) continue;
        uint64_t gap_bytes = (uint64_t)(offset - run.slot_offset) - run.size_bytes;
        if (run.size_bytes && gap_bytes <= gap_pages * ARTIFACT_PAGE) {
            run.size_bytes += gap_bytes + ARTIFACT_PAGE;
            continue;
        }
        if (run.size_bytes) {
            st = buffer_append(extents, &run, sizeof run);
            *image_bytes += run.size_bytes;
        }
        run = (struct artifact_extent){
            .slot_offset = offset, .size_bytes = ARTIFACT_PAGE, .image_offset = *image_bytes};
    }
    if (!st && run.size_bytes) {
        st = buffer_append(extents, &run, sizeof run);
        *image_bytes += run.size_bytes;
    }
    return st;
}

static enum status find_all(const struct instance *i, uint64_t gap_pages, uint64_t *image_bytes,
                            struct buffer *extents)
{
    const struct module *m = i->module;
    uint64_t context_bytes = m->header->context_bytes;
    *image_bytes = 0;
    enum status st = find_extents(&i->slot, -(int64_t)context_bytes, context_bytes, gap_pages,
                                  image_bytes, extents);
    for (size_t k = 0; !st && k < m->memories_count; k++)
        st = find_extents(&i->slot, (int64_t)(k * SLOT_LANE_BYTES), *slot_memory_size(&i->slot, k),
                          gap_pages, image_bytes, extents);
    return st;
}

enum status instance_freeze(const struct instance *i, struct buffer *extents, struct buffer *image,
                            struct error *err)
{
    assert(i->state == INSTANCE_IDLE);
    slot_wake(&i->slot);
    const size_t extents_before = extents->size_bytes;
    uint64_t gap_pages = FREEZE_GAP_PAGES_FIRST, image_bytes;
    size_t count;
    enum status st;
    do {
        extents->size_bytes = extents_before;
        st = find_all(i, gap_pages, &image_bytes, extents);
        if (st) return error_set(err, st, "extents of the image");
        count = (extents->size_bytes - extents_before) / sizeof(struct artifact_extent);
        gap_pages *= 2;
    } while (count > FREEZE_EXTENTS_MAX && gap_pages < SLOT_LANE_BYTES / ARTIFACT_PAGE);
    st = buffer_reserve(image, image_bytes);
    for (size_t k = 0; !st && k < count; k++) {
        struct artifact_extent e;
        memcpy(&e, extents->data + extents_before + k * sizeof e, sizeof e);
        st = buffer_append(image, i->slot.base + e.slot_offset, e.size_bytes);
    }
    return st ? error_set(err, st, "an image of more than %zu bytes", image->cap_bytes) : ST_OK;
}
