/* Links the imports of an artifact with host functions, and says what is missing. */
#include <stdlib.h>
#include <string.h>

#include "module.h"

/* Of a list of imports in an error: what passes it is counted only. */
#define IMPORTS_TEXT_BYTES_MAX 900u

static const char *type_name(char letter)
{
    switch (letter) {
    case 'i': return "i32";
    case 'l': return "i64";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    default: return "ref";
    }
}

/* "ii:i" as "(i32, i32) -> i32". */
static void print_signature(struct buffer *b, const char *signature)
{
    const char *colon = strchr(signature, ':');
    const char *results = colon ? colon + 1 : "";
    buffer_append_string(b, "(");
    for (const char *c = signature; *c && *c != ':'; c++)
        buffer_printf(b, "%s%s", c == signature ? "" : ", ", type_name(*c));
    buffer_append_string(b, ") -> ");
    size_t count = strlen(results);
    if (count != 1) buffer_append_string(b, "(");
    for (const char *c = results; *c; c++)
        buffer_printf(b, "%s%s", c == results ? "" : ", ", type_name(*c));
    if (count != 1) buffer_append_string(b, ")");
}

/* A list of imports that were refused, for one error. */
struct refusals {
    struct buffer text;
    uint32_t count, listed;
};

static void refuse(struct refusals *r, const struct module *m, const struct artifact_import *import,
                   const struct host_function *other)
{
    r->count++;
    struct buffer entry;
    buffer_init(&entry, 2 * IMPORTS_TEXT_BYTES_MAX);
    buffer_printf(&entry, "%s\"%s\" \"%s\" ", r->listed ? "; " : "",
                  artifact_string(m->artifact, import->module),
                  artifact_string(m->artifact, import->field));
    print_signature(&entry, module_signature(m, import->func));
    if (other) {
        buffer_append_string(&entry, ", which is ");
        print_signature(&entry, other->signature);
    }
    if (!entry.failed && r->text.size_bytes + entry.size_bytes <= IMPORTS_TEXT_BYTES_MAX &&
        r->listed + 1 == r->count && !buffer_append(&r->text, entry.data, entry.size_bytes))
        r->listed++;
    buffer_done(&entry);
}

static enum status refusals_error(struct refusals *r, enum status status, const char *what,
                                  struct error *err)
{
    if (r->listed < r->count)
        buffer_printf(&r->text, "%s%u more", r->listed ? "; and " : "", r->count - r->listed);
    return error_set(err, status, "%s: %.*s", what, (int)r->text.size_bytes,
                     (const char *)r->text.data);
}

/* Of the first set that has the name. */
static const struct host_function *find_host(const struct host_set *sets, size_t sets_count,
                                             const char *module, const char *name)
{
    for (size_t s = 0; s < sets_count; s++)
        for (size_t k = 0; k < sets[s].count; k++) {
            const struct host_function *f = &sets[s].functions[k];
            if (strcmp(f->name, name) == 0 && strcmp(f->module, module) == 0) return f;
        }
    return NULL;
}

static enum status imports_allocate(struct module *m, const struct artifact_import *imports,
                                    size_t count, struct error *err)
{
    if (count == 0) return ST_OK;
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t func = imports[k].func;
        if (func == 0 || func >= m->funcs_count)
            return error_set(err, ST_CORRUPT, "function of import %zu", k);
        first = func < first ? func : first;
        last = func > last ? func : last;
    }
    m->imports_first = first;
    m->imports_count = last - first + 1;
    m->imports = calloc(m->imports_count, sizeof(struct host_function *));
    return m->imports ? ST_OK : error_set(err, ST_NO_MEMORY, "%zu imports", count);
}

enum status module_link(struct module *m, const struct host_set *sets, size_t sets_count,
                        struct error *err)
{
    size_t count;
    const struct artifact_import *imports = artifact_section(m->artifact, ARTIFACT_IMPORTS, &count);
    enum status st = imports_allocate(m, imports, count, err);
    if (st) return st;
    struct refusals missing = {0}, mistyped = {0};
    buffer_init(&missing.text, 2 * IMPORTS_TEXT_BYTES_MAX);
    buffer_init(&mistyped.text, 2 * IMPORTS_TEXT_BYTES_MAX);
    for (size_t k = 0; k < count; k++) {
        const struct artifact_import *import = &imports[k];
        const struct host_function *host =
            find_host(sets, sets_count, artifact_string(m->artifact, import->module),
                      artifact_string(m->artifact, import->field));
        if (!host)
            refuse(&missing, m, import, NULL);
        else if (strcmp(host->signature, module_signature(m, import->func)) != 0)
            refuse(&mistyped, m, import, host);
        else
            m->imports[import->func - m->imports_first] = host;
    }
    if (missing.count)
        st = refusals_error(&missing, ST_NOT_FOUND, "imports that are not granted", err);
    else if (mistyped.count)
        st = refusals_error(&mistyped, ST_INVALID, "imports of another type", err);
    buffer_done(&missing.text);
    buffer_done(&mistyped.text);
    return st;
}
