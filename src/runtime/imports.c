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

static void refuse_text(struct refusals *r, const char *entry)
{
    size_t size = strlen(entry) + (r->listed ? 2 : 0);
    r->count++;
    if (r->text.size_bytes + size > IMPORTS_TEXT_BYTES_MAX || r->listed + 1 != r->count) return;
    if (!buffer_printf(&r->text, "%s%s", r->listed ? "; " : "", entry)) r->listed++;
}

static void refuse(struct refusals *r, const struct module *m, const struct artifact_import *import,
                   const struct host_function *other)
{
    struct buffer entry;
    buffer_init(&entry, 2 * IMPORTS_TEXT_BYTES_MAX);
    buffer_printf(&entry, "\"%s\" \"%s\" ", artifact_string(m->artifact, import->module),
                  artifact_string(m->artifact, import->field));
    print_signature(&entry, module_signature(m, import->func));
    if (other) {
        buffer_append_string(&entry, ", which is ");
        print_signature(&entry, other->signature);
    }
    buffer_append(&entry, "", 1);
    if (entry.failed)
        r->count++;
    else
        refuse_text(r, (const char *)entry.data);
    buffer_done(&entry);
}

struct linking {
    const struct host_set *sets;
    size_t sets_count;
    const struct artifact_import *imports;
    size_t imports_count;
    const struct artifact_canon *canons;
    size_t canons_count;
    struct refusals missing, mistyped;
};

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

/* Program functions that are imports, by name or by canonical definition. */
static enum status imports_allocate(struct module *m, const struct linking *l, struct error *err)
{
    size_t count = l->imports_count + l->canons_count;
    if (count == 0) return ST_OK;
    uint32_t first = UINT32_MAX, last = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t func =
            k < l->imports_count ? l->imports[k].func : l->canons[k - l->imports_count].func;
        if (func == 0 || func >= m->funcs_count)
            return error_set(err, ST_CORRUPT, "function of import %zu", k);
        first = func < first ? func : first;
        last = func > last ? func : last;
    }
    m->imports_first = first;
    m->imports_count = last - first + 1;
    m->imports = calloc(m->imports_count, sizeof *m->imports);
    return m->imports ? ST_OK : error_set(err, ST_NO_MEMORY, "%zu imports", count);
}

static void link_names(struct module *m, struct linking *l)
{
    for (size_t k = 0; k < l->imports_count; k++) {
        const struct artifact_import *import = &l->imports[k];
        const struct host_function *host =
            find_host(l->sets, l->sets_count, artifact_string(m->artifact, import->module),
                      artifact_string(m->artifact, import->field));
        if (!host)
            refuse(&l->missing, m, import, NULL);
        else if (strcmp(host->signature, module_signature(m, import->func)) != 0)
            refuse(&l->mistyped, m, import, host);
        else
            m->imports[import->func - m->imports_first].function = host;
    }
}

/* Of the first set that knows canonical definitions. */
static enum status link_canon(struct module *m, struct linking *l,
                              const struct artifact_canon *canon, struct error *err)
{
    struct module_import *import = &m->imports[canon->func - m->imports_first];
    for (size_t s = 0; s < l->sets_count; s++) {
        if (!l->sets[s].canon) continue;
        import->canon = canon;
        return l->sets[s].canon(m->artifact, canon, &import->function, err);
    }
    return error_set(err, ST_NOT_FOUND, "a component");
}

static enum status link_canons(struct module *m, struct linking *l, struct error *err)
{
    for (size_t k = 0; k < l->canons_count; k++) {
        struct error why;
        enum status st = link_canon(m, l, &l->canons[k], &why);
        if (st && st != ST_NOT_FOUND && st != ST_INVALID) {
            if (err) *err = why;
            return st;
        }
        if (st) refuse_text(st == ST_INVALID ? &l->mistyped : &l->missing, why.text);
    }
    return ST_OK;
}

enum status module_link(struct module *m, const struct host_set *sets, size_t sets_count,
                        struct error *err)
{
    struct linking l = {.sets = sets, .sets_count = sets_count};
    l.imports = artifact_section(m->artifact, ARTIFACT_IMPORTS, &l.imports_count);
    l.canons = artifact_section(m->artifact, ARTIFACT_CANONS, &l.canons_count);
    enum status st = imports_allocate(m, &l, err);
    if (st) return st;
    buffer_init(&l.missing.text, 2 * IMPORTS_TEXT_BYTES_MAX);
    buffer_init(&l.mistyped.text, 2 * IMPORTS_TEXT_BYTES_MAX);
    link_names(m, &l);
    st = link_canons(m, &l, err);
    if (!st && l.missing.count)
        st = refusals_error(&l.missing, ST_NOT_FOUND, "imports that are not granted", err);
    else if (!st && l.mistyped.count)
        st = refusals_error(&l.mistyped, ST_INVALID, "imports of another type", err);
    buffer_done(&l.missing.text);
    buffer_done(&l.mistyped.text);
    return st;
}
