#include "common/component_hosts.h"

#include <assert.h>

#include "canonical/canonical.h"
#include "wasi/wasi.h"
#include "wasi/wasi_http.h"

const struct canonical_interface *const *component_hosts(size_t *ret_count)
{
    static const struct canonical_interface *all[CANONICAL_INTERFACES_MAX];
    size_t base_count, http_count, count = 0;
    const struct canonical_interface *const *base = wasi_preview2_interfaces(&base_count);
    const struct canonical_interface *const *http = wasi_http_interfaces(&http_count);
    assert(base_count + http_count <= CANONICAL_INTERFACES_MAX);
    for (size_t k = 0; k < base_count; k++) all[count++] = base[k];
    for (size_t k = 0; k < http_count; k++) all[count++] = http[k];
    *ret_count = count;
    return all;
}

enum status component_hosts_canon(const struct artifact *a, const struct artifact_canon *canon,
                                  const struct host_function **ret, struct error *err)
{
    size_t count;
    const struct canonical_interface *const *interfaces = component_hosts(&count);
    return canonical_find(interfaces, count, a, canon, ret, err);
}
