/* [constructor], [method] and [static]: what such names ask of the function that has them, and of
 * the resource that they speak of. */
#include "decode.h"

enum status annotated_register(struct decoder *d, struct name_context *names, struct wasm_name name,
                               uint32_t entry)
{
    uint64_t before = names->names.steps;
    if (byte_map_find(&names->names, name.text, name.size_bytes)) return ST_OK;
    if (!byte_map_add(&names->names, name.text, name.size_bytes, entry) ||
        !number_map_put(&names->entries, entry, names->names.entries_count))
        return wasm_fail_memory(d->err, d->r.offset);
    return parse_work(d, names->names.steps - before);
}

/* That the resource is known here, by this name. */
static enum status check_resource(struct decoder *d, const struct name_context *names,
                                  struct wasm_name name, uint32_t entry, size_t offset)
{
    uint32_t place = number_map_get(&names->entries, entry);
    if (!place)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: resource used in function does not have a name in this context",
                         name.text);
    const struct byte_map_entry *e = &names->names.entries[place - 1];
    struct wasm_name known = {(const char *)e->key, (uint32_t)e->size_bytes};
    if (names_equal(known, extern_name_resource(name))) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, offset,
                     "`%s`: function does not match expected resource name `%.*s`", name.text,
                     (int)known.size_bytes, known.text);
}

static enum status check_constructor(struct decoder *d, const struct name_context *names,
                                     struct wasm_name name, const struct component_type *func,
                                     size_t offset)
{
    if (!func->element)
        return wasm_fail(d->err, ST_INVALID, offset, "`%s`: function should return one value",
                         name.text);
    const struct component_type *result = type_at(d->store, func->element);
    if (result->kind == COMPONENT_RESULT) result = type_at(d->store, result->element);
    if (result->kind != COMPONENT_OWN)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: function should return `(own $T)` or `(result (own $T))`",
                         name.text);
    return check_resource(d, names, name, result->element, offset);
}

static enum status check_method(struct decoder *d, const struct name_context *names,
                                struct wasm_name name, const struct component_type *func,
                                size_t offset)
{
    static const struct wasm_name self = {"self", 4};
    if (!func->fields_count)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: function should have at least one argument", name.text);
    if (!names_equal(func->fields[0].name, self))
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: function should have a first argument called `self`", name.text);
    const struct component_type *type = type_at(d->store, func->fields[0].type);
    if (type->kind != COMPONENT_BORROW)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "`%s`: function should take a first argument of `(borrow $T)`", name.text);
    return check_resource(d, names, name, type->element, offset);
}

enum status annotated_check(struct decoder *d, struct name_context *names, struct wasm_name name,
                            const struct component_entity *entity, size_t offset)
{
    enum extern_name_kind kind = extern_name_kind(name);
    if (kind != NAME_CONSTRUCTOR && kind != NAME_METHOD && kind != NAME_STATIC) return ST_OK;
    if (entity->sort != COMPONENT_SORT_FUNC)
        return wasm_fail(d->err, ST_INVALID, offset, "`%s` is not a func", name.text);
    const struct component_type *func = type_at(d->store, entity->type);
    if (kind == NAME_CONSTRUCTOR) return check_constructor(d, names, name, func, offset);
    if (kind == NAME_METHOD) return check_method(d, names, name, func, offset);
    struct wasm_name resource = extern_name_resource(name);
    if (byte_map_find(&names->names, resource.text, resource.size_bytes)) return ST_OK;
    return wasm_fail(d->err, ST_INVALID, offset,
                     "`%s`: static resource name is not known in this context", name.text);
}
