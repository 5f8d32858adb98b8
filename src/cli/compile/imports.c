#include "compile/imports.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "canonical/canonical.h"
#include "component/print.h"
#include "wasi/wasi_http.h"
#include "wasm/program.h"

#define LIST_BYTES_MAX 850u /* then the others are counted */

/* The imports that are refused for the same reason. */
struct refusals {
    struct buffer text;
    uint32_t count, listed;
};

struct checker {
    const struct plan *plan;
    struct wasm_name *names; /* of resources */
    struct refusals missing, mistyped;
    struct wasm_name missing_interface; /* the last: one entry for all of its functions */
};

static void refuse(struct refusals *r, const char *why)
{
    size_t size = strlen(why) + 2;
    r->count++;
    if (r->listed + 1 != r->count || r->text.size_bytes + size > LIST_BYTES_MAX) return;
    buffer_printf(&r->text, "%s%s", r->listed ? "; " : "", why);
    r->listed++;
}

static enum status refusals_error(struct refusals *r, enum status status, const char *what,
                                  struct error *err)
{
    if (r->listed < r->count)
        buffer_printf(&r->text, "%s%u more", r->listed ? "; and " : "", r->count - r->listed);
    return error_set(err, status, "%s: %.*s", what, (int)r->text.size_bytes,
                     (const char *)r->text.data);
}

/* A NUL ends a name here, as it would in the artifact. */
static enum status put_text(struct buffer *text, struct wasm_name name, size_t *ret_at)
{
    *ret_at = text->size_bytes;
    buffer_append(text, name.text, name.size_bytes);
    return buffer_append(text, "", 1);
}

static bool same_name(struct wasm_name a, struct wasm_name b)
{
    return a.size_bytes == b.size_bytes && !memcmp(a.text, b.text, a.size_bytes);
}

static enum status check_function(struct checker *c, const struct plan_canon *canon,
                                  struct buffer *text, struct error *err)
{
    size_t count, interface, name, type;
    const struct canonical_interface *const *hosts = wasi_component_interfaces(&count);
    const struct canonical_function *function;
    put_text(text, canon->host.interface, &interface);
    put_text(text, canon->host.name, &name);
    type = text->size_bytes;
    component_type_print(c->plan->types, canon->type, c->names, c->plan->resources_count, text);
    buffer_append(text, "", 1);
    if (text->failed) return error_set(err, ST_LIMIT, "an import's type is too long");
    const char *at = (const char *)text->data;
    struct error why;
    enum status st =
        canonical_lookup(hosts, count, at + interface, at + name, at + type, &function, &why);
    if (st == ST_INVALID) refuse(&c->mistyped, why.text);
    if (st != ST_NOT_FOUND) return ST_OK;
    if (!c->missing_interface.text || !same_name(c->missing_interface, canon->host.interface))
        refuse(&c->missing, why.text);
    c->missing_interface = canon->host.interface;
    return ST_OK;
}

static enum status check_all(struct checker *c, const struct program *program, struct error *err)
{
    enum status st = ST_OK;
    struct buffer text;
    buffer_init(&text, COMPONENT_TEXT_BYTES_MAX);
    for (uint32_t i = 0; i < program->hosts_count && !st; i++) {
        const struct plan_canon *canon = &c->plan->canons[program->hosts[i].canon];
        buffer_clear(&text);
        if (canon->kind == COMPONENT_CANON_LOWER && canon->lift == PLAN_NONE)
            st = check_function(c, canon, &text, err);
    }
    buffer_done(&text);
    if (!st && c->missing.count)
        st = refusals_error(&c->missing, ST_NOT_FOUND, "imports that no host has", err);
    else if (!st && c->mistyped.count)
        st = refusals_error(&c->mistyped, ST_INVALID, "imports of another type", err);
    return st;
}

enum status imports_check(const struct plan *plan, const struct program *program, struct error *err)
{
    struct checker c = {.plan = plan, .names = component_plan_names(plan)};
    if (!c.names) return error_set(err, ST_NO_MEMORY, "out of memory");
    buffer_init(&c.missing.text, 2 * LIST_BYTES_MAX);
    buffer_init(&c.mistyped.text, 2 * LIST_BYTES_MAX);
    enum status st = check_all(&c, program, err);
    buffer_done(&c.missing.text);
    buffer_done(&c.mistyped.text);
    free(c.names);
    return st;
}
