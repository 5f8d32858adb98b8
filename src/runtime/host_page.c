/* The page of pointers to entry stubs that stands in every slot, and the table of what the stubs
 * call. One physical page for the whole process, which nobody can write any more. */
#include <unistd.h>

#include "helpers.h"
#include "instance.h"

static_assert(HELPERS_COUNT <= GUEST_STUBS_MAX, "more helpers than stubs");
static_assert(HELPERS_COUNT * sizeof(void *) <= ARTIFACT_PAGE, "more helpers than the page holds");

#define STUB_KIND_TRAPS    GUEST_STUB_TRAPS
#define STUB_KIND_VALUE    GUEST_STUB_VALUE
#define STUB_KIND_NORETURN GUEST_STUB_STOP

static const uint8_t helper_kinds[HELPERS_COUNT] = {
#define HELPER(name, kind, result, parameters) STUB_KIND_##kind,
#include "artifact/helpers.def"
#undef HELPER
};

/* Its stub stops without C. */
void helper_trap(uint64_t kind_and_offset)
{
    (void)kind_and_offset;
    __builtin_trap();
}

const void *const host_page_helpers[GUEST_STUBS_MAX] = {
#define HELPER(name, kind, result, parameters) (const void *)helper_##name,
#include "artifact/helpers.def"
#undef HELPER
};

static int page_fd = -1;

int host_page_fd(void)
{
    return page_fd;
}

enum status host_page_init(struct error *err)
{
    const void *stubs[HELPERS_COUNT];
    for (uint32_t k = 0; k < HELPERS_COUNT; k++) stubs[k] = guest_stub(helper_kinds[k], k);
    return vm_sealed_page("mayfly-helpers", stubs, sizeof stubs, &page_fd, err);
}
