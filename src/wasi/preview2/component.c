/* All that a component may import: WASI 0.2 with HTTP. */
#include <assert.h>
#include <string.h>

#include "canonical/canonical.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

const struct canonical_interface *const *wasi_component_interfaces(size_t *ret_count)
{
    static const struct canonical_interface *all[CANONICAL_INTERFACES_MAX];
    size_t base_count, http_count;
    const struct canonical_interface *const *base = wasi_preview2_interfaces(&base_count);
    const struct canonical_interface *const *http = wasi_http_interfaces(&http_count);
    assert(base_count + http_count <= CANONICAL_INTERFACES_MAX);
    memcpy(all, base, base_count * sizeof *all);
    memcpy(all + base_count, http, http_count * sizeof *all);
    *ret_count = base_count + http_count;
    return all;
}

static enum status find_host(const struct artifact *a, const struct artifact_canon *canon,
                             const struct host_function **ret, struct error *err)
{
    size_t count;
    const struct canonical_interface *const *interfaces = wasi_component_interfaces(&count);
    return canonical_find(interfaces, count, a, canon, ret, err);
}

const struct host_set *wasi_component_set(void)
{
    static const struct host_set set = {.canon = find_host};
    return &set;
}
