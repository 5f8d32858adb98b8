/* What components may import, whichever command runs them: WASI 0.2 with HTTP. */
#ifndef CLI_COMMON_COMPONENT_HOSTS_H
#define CLI_COMMON_COMPONENT_HOSTS_H

#include <stddef.h>

#include "base/error.h"

struct artifact;
struct artifact_canon;
struct canonical_interface;
struct host_function;

/* For canonical_find() and canonical_new(); static storage. From one thread at first. */
const struct canonical_interface *const *component_hosts(size_t *ret_count);

/* For host_set.canon. */
enum status component_hosts_canon(const struct artifact *a, const struct artifact_canon *canon,
                                  const struct host_function **ret, struct error *err);

#endif
