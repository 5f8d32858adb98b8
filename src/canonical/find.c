/* What stands behind a canonical definition, and what is near when nothing does. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "find.h"

#define NAME_BYTES_MAX  96u /* of names that are compared for nearness */
#define TYPE_BYTES_MAX  65536u
#define QUOTE_BYTES_MAX 300 /* of a type in an error */

/* How many insertions, removals and replacements lead from one to the other. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_BYTES_MAX + 1];
    size_t length_a = strnlen(a, NAME_BYTES_MAX), length_b = strnlen(b, NAME_BYTES_MAX);
    for (size_t k = 0; k <= length_b; k++) row[k] = (unsigned)k;
    for (size_t j = 1; j <= length_a; j++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)j;
        for (size_t k = 1; k <= length_b; k++) {
            unsigned above = row[k];
            unsigned least = diagonal + (a[j - 1] != b[k - 1]);
            if (above + 1 < least) least = above + 1;
            if (row[k - 1] + 1 < least) least = row[k - 1] + 1;
            row[k] = least;
            diagonal = above;
        }
    }
    return row[length_b];
}

static bool serves(const struct canonical_interface *have, const struct interface_name *wanted)
{
    return strcmp(have->name, wanted->name) == 0 &&
           canonical_version_serves(have->version, wanted->version);
}

/* The interface of the list that is named most like it; NULL of an empty list. */
static const struct canonical_interface *nearest_interface(const struct finding *f,
                                                           const struct interface_name *wanted)
{
    const struct canonical_interface *best = NULL;
    unsigned best_distance = UINT32_MAX;
    for (size_t k = 0; k < f->interfaces_count; k++) {
        unsigned d = 2 * distance(f->interfaces[k]->name, wanted->name);
        if (d == 0 && strcmp(f->interfaces[k]->version, wanted->version) != 0) d = 1;
        if (d >= best_distance) continue;
        best = f->interfaces[k];
        best_distance = d;
    }
    return best;
}

static enum status no_interface(const struct finding *f, const char *interface, const char *name,
                                struct error *err)
{
    struct interface_name wanted;
    interface_split(interface, &wanted);
    const struct canonical_interface *near = nearest_interface(f, &wanted);
    if (!near) return error_set(err, ST_NOT_FOUND, "\"%s\" \"%s\"", interface, name);
    return error_set(err, ST_NOT_FOUND, "\"%s\" \"%s\", the nearest interface is \"%s%s%s\"",
                     interface, name, near->name, *near->version ? "@" : "", near->version);
}

static enum status no_name(const char *interface, const char *name, const char *near,
                           struct error *err)
{
    if (!near) return error_set(err, ST_NOT_FOUND, "\"%s\" \"%s\"", interface, name);
    return error_set(err, ST_NOT_FOUND, "\"%s\" \"%s\", the nearest name is \"%s\"", interface,
                     name, near);
}

/* Several interfaces of the list may have the same name, with parts of it each. */
static const struct canonical_function *find_function(const struct finding *f,
                                                      const struct interface_name *wanted,
                                                      const char *name, bool *ret_interface)
{
    *ret_interface = false;
    for (size_t k = 0; k < f->interfaces_count; k++) {
        const struct canonical_interface *in = f->interfaces[k];
        if (!serves(in, wanted)) continue;
        *ret_interface = true;
        for (size_t j = 0; j < in->functions_count; j++)
            if (strcmp(in->functions[j].entry.name, name) == 0) return &in->functions[j];
    }
    return NULL;
}

static const char *nearest_function(const struct finding *f, const struct interface_name *wanted,
                                    const char *name)
{
    const char *best = NULL;
    unsigned best_distance = UINT32_MAX;
    for (size_t k = 0; k < f->interfaces_count; k++) {
        const struct canonical_interface *in = f->interfaces[k];
        for (size_t j = 0; serves(in, wanted) && j < in->functions_count; j++) {
            unsigned d = distance(in->functions[j].entry.name, name);
            if (d >= best_distance) continue;
            best = in->functions[j].entry.name;
            best_distance = d;
        }
    }
    return best;
}

static enum status lookup(const struct finding *f, const char *interface, const char *name,
                          const struct canonical_function **ret, struct error *err)
{
    struct interface_name wanted;
    bool has_interface;
    interface_split(interface, &wanted);
    *ret = find_function(f, &wanted, name, &has_interface);
    if (*ret) return ST_OK;
    return has_interface ? no_name(interface, name, nearest_function(f, &wanted, name), err)
                         : no_interface(f, interface, name, err);
}

static enum status check_type(const char *interface, const struct canonical_function *function,
                              const char *type, struct error *err)
{
    if (!function->type || strcmp(type, function->type) == 0) return ST_OK;
    return error_set(err, ST_INVALID, "\"%s\" \"%s\" %.*s, which is %.*s", interface,
                     function->entry.name, QUOTE_BYTES_MAX, type, QUOTE_BYTES_MAX, function->type);
}

enum status canonical_lookup(const struct canonical_interface *const *interfaces,
                             size_t interfaces_count, const char *interface, const char *name,
                             const char *type, const struct canonical_function **ret,
                             struct error *err)
{
    const struct finding f = {interfaces, interfaces_count};
    enum status st = lookup(&f, interface, name, ret, err);
    return st ? st : check_type(interface, *ret, type, err);
}

static enum status find_host(const struct finding *f, const struct artifact *a,
                             const struct artifact_canon *canon, const struct host_function **ret,
                             struct error *err)
{
    const char *interface = artifact_wit_string(a, canon->interface);
    const char *name = artifact_wit_string(a, canon->name);
    const struct canonical_function *function;
    enum status st = lookup(f, interface, name, &function, err);
    if (st) return st;
    struct buffer text;
    buffer_init(&text, TYPE_BYTES_MAX);
    wit_print(a, canon->type, &text);
    buffer_append(&text, "", 1);
    st = text.failed ? error_set(err, ST_NO_MEMORY, "the type of \"%s\"", name)
                     : check_type(interface, function, (const char *)text.data, err);
    buffer_done(&text);
    if (!st) *ret = &function->entry;
    return st;
}

const struct canonical_resource *find_resource(const struct finding *f, const char *interface,
                                               const char *name)
{
    struct interface_name wanted;
    interface_split(interface, &wanted);
    for (size_t k = 0; k < f->interfaces_count; k++) {
        const struct canonical_interface *in = f->interfaces[k];
        if (!serves(in, &wanted)) continue;
        for (size_t j = 0; j < in->resources_count; j++)
            if (strcmp(in->resources[j]->name, name) == 0) return in->resources[j];
    }
    return NULL;
}

static enum status check_resource(const struct finding *f, const struct artifact *a,
                                  const struct artifact_canon *canon, struct error *err)
{
    size_t count;
    const struct artifact_resource *r = artifact_section(a, ARTIFACT_RESOURCES, &count);
    if (canon->resource >= count) return error_set(err, ST_CORRUPT, "resource of an import");
    r += canon->resource;
    if (r->component != COMPONENT_HOST) return ST_OK;
    const char *interface = artifact_wit_string(a, r->interface);
    const char *name = artifact_wit_string(a, r->name);
    if (find_resource(f, interface, name)) return ST_OK;
    return no_interface(f, interface, name, err);
}

enum status canonical_find(const struct canonical_interface *const *interfaces,
                           size_t interfaces_count, const struct artifact *a,
                           const struct artifact_canon *canon, const struct host_function **ret,
                           struct error *err)
{
    const struct finding f = {interfaces, interfaces_count};
    enum status st;
    switch ((enum canon_kind)canon->kind) {
    case CANON_LOWER_HOST: return find_host(&f, a, canon, ret, err);
    case CANON_LOWER_LIFTED: *ret = &lower_lifted_function; return ST_OK;
    case CANON_RESOURCE_NEW: *ret = &resource_new_function; return ST_OK;
    case CANON_RESOURCE_REP: *ret = &resource_rep_function; return ST_OK;
    case CANON_RESOURCE_DROP:
        st = check_resource(&f, a, canon, err);
        if (!st) *ret = &resource_drop_function;
        return st;
    case CANON_UNSUPPORTED: *ret = &unsupported_function; return ST_OK;
    case CANON_KINDS_COUNT: break;
    }
    return error_set(err, ST_CORRUPT, "kind %u of a canonical definition", canon->kind);
}

const struct artifact_component_export *canonical_find_export(const struct artifact *a,
                                                              const char *interface,
                                                              const char *version, const char *name)
{
    size_t count;
    const struct artifact_component_export *exports =
        artifact_section(a, ARTIFACT_COMPONENT_EXPORTS, &count);
    for (size_t k = 0; k < count; k++) {
        struct interface_name have;
        interface_split(artifact_wit_string(a, exports[k].interface), &have);
        if (strcmp(have.name, interface) == 0 && canonical_version_serves(have.version, version) &&
            strcmp(artifact_wit_string(a, exports[k].name), name) == 0)
            return &exports[k];
    }
    return NULL;
}
