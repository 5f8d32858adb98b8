/* The canonical ABI at run time: how components call each other and the host ("CanonicalABI.md" of
 * the component model; words in quotes are its own).
 *
 * A component's core code calls out through canonical definitions (artifact/component_tables.h):
 * host functions of an interface, lifted functions of another component instance, or what creates
 * and drops handles. All of them are served here, out of the types that were settled at deploy.
 *
 * A `struct canonical` is what an instance of a component has beside its memories: a table of
 * handles for each component instance, and whether each may be entered and left. It belongs to one
 * runtime instance (instance_config.canonical) and to its thread.
 *
 * Whatever a guest passes is checked: handles, pointers, lengths, alignment, discriminants, text. A
 * rule that is broken ends the guest with a trap whose text says which. */
#ifndef CANONICAL_CANONICAL_H
#define CANONICAL_CANONICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/artifact.h"
#include "base/compiler.h"
#include "base/error.h"
#include "runtime/runtime.h"

#define CANONICAL_HANDLES_MAX      65536u      /* of one component instance; then a trap */
#define CANONICAL_LENDS_MAX        65536u      /* handles that calls under way use, each use */
#define CANONICAL_STRING_BYTES_MAX (64u << 20) /* that is transcoded for a host function */
#define CANONICAL_INTERFACES_MAX   256u

struct buffer;
struct canonical;
struct canonical_interface;

/* ---- life ---- */

/* The state for instances of `m`, one at a time. `interfaces` are those that canonical_find() was
 * asked with when `m` was linked; they and `m` outlive it. `host` is what host functions find in
 * canonical_call.host. Success: *ret is the caller's, ended by canonical_free(). For a core module
 * *ret is NULL. Errors: ST_NO_MEMORY, ST_CORRUPT (the artifact's types). */
NODISCARD enum status canonical_new(const struct module *m,
                                    const struct canonical_interface *const *interfaces,
                                    size_t interfaces_count, void *host, struct canonical **ret,
                                    struct error *err);

/* Back to the state after canonical_new(), with another `host`: every handle is gone, and what the
 * guest still owned of the host's was dropped with the host of before, the newest first. Not while
 * a call of the instance is suspended: behind instance_reset() or instance_free(), which end one.
 * No heap: tables keep their capacity. */
void canonical_clear(struct canonical *c, void *host);
void canonical_free(struct canonical *c); /* clears; legal on NULL */

/* True when no handle is in any table, so that the state is that of a fresh instance: what a
 * snapshot has to ask. */
bool canonical_is_fresh(const struct canonical *c);

/* ---- what a host offers ---- */

/* A resource type of the host; its address is its identity. `rep` is the host's object.
 * `drop`: the guest has no handle to it any more; NULL: nothing is to be done. `refuse_drop`: asked
 * when a guest drops it (not by canonical_clear()); a text ends the guest with that trap ("resource
 * has children"), NULL lets it be dropped. */
struct canonical_resource {
    const char *name; /* "output-stream" */
    void (*drop)(void *host, void *rep);
    const char *(*refuse_drop)(void *host, void *rep);
};

/* A call of a host function. */
struct canonical_call {
    struct instance *instance;
    struct canonical *canonical;
    void *host;
    const struct artifact_canon *canon; /* NULL from the outside */
    const struct artifact_canon_options *options;
};

/* `values` are the flattened parameters; where results do not fit one flat value, the last of them
 * is the pointer to leave them at (canonical_out()), otherwise the result goes to values[0].
 * Returns HOST_OK, HOST_CANCEL when instance_suspend() said so, HOST_EXIT, or HOST_TRAP when a
 * function below returned false, or after instance_set_trap_text(). */
struct canonical_function {
    struct host_function entry; /* by CANONICAL_FUNCTION */
    const char *type; /* as component_type_print() gives it: what a component must import it as */
    enum host_result (*call)(struct canonical_call *c, struct value *values);
};

#define CANONICAL_FUNCTION(name, type, call) {{"", (name), NULL, canonical_enter}, (type), (call)}
enum host_result canonical_enter(struct instance *i, struct value *values);

struct canonical_interface {
    const char *name;    /* "wasi:io/streams", or "" for functions that belong to none */
    const char *version; /* the newest that is known: "0.2.12" */
    const struct canonical_function *functions;
    size_t functions_count;
    const struct canonical_resource *const *resources;
    size_t resources_count;
};

/* Whether version `wanted` of an interface may be served by `have`: the same track of semantic
 * versions (0.2.x, 1.x), whatever the rest of it. */
bool canonical_version_serves(const char *have, const char *wanted);

/* For host_set.canon: the host function behind a definition, out of `interfaces`; those that stay
 * within the component are served without. Errors: ST_NOT_FOUND (names the import, and the nearest
 * that there is), ST_INVALID (another core type). */
NODISCARD enum status canonical_find(const struct canonical_interface *const *interfaces,
                                     size_t interfaces_count, const struct artifact *a,
                                     const struct artifact_canon *canon,
                                     const struct host_function **ret, struct error *err);

/* The same by names and the text of the function's type, before there is an artifact. `interface`
 * with its version. Errors: ST_NOT_FOUND, ST_INVALID (another type). */
NODISCARD enum status canonical_lookup(const struct canonical_interface *const *interfaces,
                                       size_t interfaces_count, const char *interface,
                                       const char *name, const char *type,
                                       const struct canonical_function **ret, struct error *err);

/* Appends the text of a type of ARTIFACT_WIT_TYPES, as component_type_print() gives it; a failure
 * shows in text->failed. */
void canonical_type_print(const struct artifact *a, uint32_t type, struct buffer *text);

/* ---- for host functions; false: the guest is to be ended with HOST_TRAP ----
 *
 * Those that run guest code or look at long text may give the processor away meanwhile: other
 * guests and the loop run, and what the host keeps elsewhere may have changed behind them. */

/* Guest memory: [at, at + size_bytes), valid until guest code runs again or the call is suspended.
 * canonical_out() checks alignment as well: the place of a result. canonical_list() is the elements
 * of a list, of `element_bytes` each. */
NODISCARD bool canonical_bytes(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                               uint8_t **ret);
NODISCARD bool canonical_out(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                             uint32_t align_bytes, uint8_t **ret);
NODISCARD bool canonical_list(struct canonical_call *c, uint32_t at, uint32_t count,
                              uint32_t element_bytes, uint32_t align_bytes, const uint8_t **ret);

/* "load_string": UTF-8, checked; in place for CANON_UTF8, otherwise in a buffer of `c`'s canonical
 * that lasts until the next call of this function but one. Not NUL-terminated. */
struct canonical_text {
    const char *bytes;
    size_t size_bytes;
};
NODISCARD bool canonical_text(struct canonical_call *c, uint32_t at, uint32_t units,
                              struct canonical_text *ret);

/* A char's value, checked. */
NODISCARD bool canonical_char(struct canonical_call *c, uint32_t bits);

/* Room in guest memory, by the guest's "realloc", which runs guest code: what slices there were are
 * to be derived again. */
NODISCARD bool canonical_allocate(struct canonical_call *c, uint32_t size_bytes,
                                  uint32_t align_bytes, uint32_t *ret_at, uint8_t **ret);

/* "store_string" of valid UTF-8, which is not in guest memory; runs guest code. */
NODISCARD bool canonical_put_text(struct canonical_call *c, const char *text, size_t size_bytes,
                                  uint32_t *ret_at, uint32_t *ret_units);

/* A new owned handle for the caller. On failure `rep` stays the host's. */
NODISCARD bool canonical_own(struct canonical_call *c, const struct canonical_resource *type,
                             void *rep, uint32_t *ret);

/* What a handle stands for: "lift_borrow", for as long as this call takes, and "lift_own", which
 * takes the handle away without dropping. NULL: a trap. */
NODISCARD void *canonical_borrowed(struct canonical_call *c, const struct canonical_resource *type,
                                   uint32_t handle);
NODISCARD void *canonical_taken(struct canonical_call *c, const struct canonical_resource *type,
                                uint32_t handle);

/* Ends the guest with a trap of that text; false. */
bool canonical_trap(struct canonical_call *c, const char *fmt, ...) PRINTF(2, 3);

/* ---- calling a component from outside ---- */

/* The function that the outermost component exports: `name` of `interface`, in any version that
 * canonical_version_serves() finds fit for `version`; or NULL. */
const struct artifact_component_export *canonical_find_export(const struct artifact *a,
                                                              const char *interface,
                                                              const char *version,
                                                              const char *name);

/* A handle, owned by the guest that `lift` belongs to, to be passed as a parameter. Errors:
 * ST_LIMIT, ST_NO_MEMORY. */
NODISCARD enum status canonical_give(struct canonical *c, uint32_t lift,
                                     const struct canonical_resource *type, void *rep,
                                     uint32_t *ret, struct error *err);

/* Calls core function of `lift` with flat values, as instance_call() does: it may come back as
 * suspended or preempted, and instance_resume() goes on. When it has returned and its results were
 * read, canonical_returned() runs "post-return", which may come back likewise; `values` are the
 * core function's results. After a trap an instance refuses every call. */
enum call_result canonical_call_lift(struct instance *i, uint32_t lift, struct value *values);
enum call_result canonical_returned(struct instance *i, uint32_t lift, struct value *values);

/* For the parameters and results of such a call, between calls: a call as host functions have it,
 * with the options of `lift`. canonical_allocate() and canonical_put_text() are not for it: they
 * would run guest code outside of a call. */
struct canonical_call canonical_outside(struct instance *i, uint32_t lift);

#endif
