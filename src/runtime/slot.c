#include "slot.h"

#include <assert.h>
#include <stdlib.h>

#include "base/checked.h"

static uint8_t *stack_area(const struct slot *s)
{
    return slot_lane(s, s->module->lanes_count);
}

void slot_write_sizes(struct slot *s)
{
    const struct module *m = s->module;
    if (m->initialised) return;
    for (size_t k = 0; k < m->memories_count; k++) *slot_memory_size(s, k) = m->memory_bytes[k];
    for (size_t k = 0; k < m->tables_count; k++)
        *slot_table_size(s, k) = (uint32_t)m->tables[k].min;
}

/* An extent belongs into the context or into the initial size of one memory. */
static bool extent_fits(const struct module *m, const struct artifact_extent *e)
{
    if (e->size_bytes % ARTIFACT_PAGE != 0 || e->slot_offset % (int64_t)ARTIFACT_PAGE != 0)
        return false;
    if (!range_within(e->image_offset, e->size_bytes, m->image_bytes)) return false;
    uint64_t context_bytes = m->header->context_bytes;
    if (e->slot_offset < 0)
        return e->slot_offset >= -(int64_t)context_bytes &&
               e->size_bytes <= (uint64_t)-e->slot_offset;
    uint64_t memory = (uint64_t)e->slot_offset / SLOT_LANE_BYTES;
    uint64_t offset = (uint64_t)e->slot_offset % SLOT_LANE_BYTES;
    return memory < m->memories_count &&
           range_within(offset, e->size_bytes, m->memory_bytes[memory]);
}

static enum status map_image(struct slot *s, struct error *err)
{
    const struct module *m = s->module;
    uint64_t image = artifact_file_offset(m->artifact, ARTIFACT_IMAGE);
    enum status st = ST_OK;
    for (size_t k = 0; !st && k < m->extents_count; k++) {
        const struct artifact_extent *e = &m->extents[k];
        if (!extent_fits(m, e)) return error_set(err, ST_CORRUPT, "extent %zu of the image", k);
        st = vm_map_private(&s->reservation, s->base + e->slot_offset, e->size_bytes,
                            artifact_fd(m->artifact), image + e->image_offset, err);
    }
    return st;
}

static enum status map_parts(struct slot *s, int host_page_fd, struct error *err)
{
    const struct module *m = s->module;
    const struct vm_reservation *r = &s->reservation;
    uint64_t context_bytes = m->header->context_bytes;
    enum status st =
        vm_map_shared(r, s->base + SLOT_HOST_PAGE, ARTIFACT_PAGE, host_page_fd, 0, err);
    if (!st) st = vm_map_zero(r, s->base - context_bytes, context_bytes, err);
    if (!st) st = vm_map_zero(r, s->stack_low, s->stack_bytes, err);
    for (size_t k = 0; !st && k < m->memories_count; k++)
        if (!vm_allow(r, slot_lane(s, k), m->memory_bytes[k]))
            st = error_set(err, ST_NO_MEMORY, "memory %zu", k);
    if (!st) st = map_image(s, err);
    /* A huge page would make pages private that nobody wrote, without a fault of this thread
     * (os/pages.h), and a slot larger than its guest. */
    uint8_t *low = s->base - context_bytes;
    vm_small_pages(r, low, (size_t)(s->stack_low + s->stack_bytes - low));
    return st;
}

enum status slot_init(struct slot *s, const struct module *m, size_t stack_bytes, int host_page_fd,
                      struct error *err)
{
    assert(stack_bytes % VM_PAGE == 0);
    *s = (struct slot){.module = m, .stack_bytes = stack_bytes};
    size_t bytes;
    if (!checked_mul_size(m->lanes_count, SLOT_LANE_BYTES, &bytes) ||
        !checked_add_size(bytes, SLOT_LOW_BYTES + 2 * SLOT_STACK_GUARD_BYTES + stack_bytes, &bytes))
        return error_set(err, ST_LIMIT, "%zu memories", m->memories_count);
    s->back = calloc(SLOT_BACK_MAX(m), sizeof *s->back);
    if (!s->back) return error_set(err, ST_NO_MEMORY, "slot");
    enum status st = vm_reserve(bytes, &s->reservation, err);
    if (st) {
        slot_done(s);
        return st;
    }
    s->base = s->reservation.start + SLOT_LOW_BYTES;
    s->stack_low = stack_area(s) + SLOT_STACK_GUARD_BYTES;
    st = map_parts(s, host_page_fd, err);
    if (st) {
        slot_done(s);
        return st;
    }
    slot_write_sizes(s);
    slot_sleep(s);
    return ST_OK;
}

void slot_done(struct slot *s)
{
    if (s->base) slot_wake(s);
    slot_forget_seal(s);
    vm_release(&s->reservation);
    free(s->pages);
    free(s->back);
    *s = (struct slot){0};
}
