#include "type_store.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, ST_NO_MEMORY, "out of memory");
}

enum status type_store_work(struct type_store *s, uint64_t steps, struct error *err)
{
    s->work += steps;
    if (s->work <= s->work_max) return ST_OK;
    return error_set(err, ST_LIMIT, "more than %llu steps of comparing types and names",
                     (unsigned long long)s->work_max);
}

enum status type_store_init(struct type_store *s, struct arena *arena, size_t cap_bytes,
                            struct error *err)
{
    *s = (struct type_store){.arena = arena, .work_max = UINT64_MAX};
    buffer_init(&s->key, cap_bytes);
    enum status st = ST_OK;
    for (enum component_kind kind = COMPONENT_NONE; kind <= COMPONENT_ERROR_CONTEXT && !st;
         kind++) {
        uint32_t entry;
        struct component_type type = {.kind = kind};
        st = type_store_add(s, &type, &entry, err);
    }
    if (st) type_store_done(s);
    return st;
}

void type_store_done(struct type_store *s)
{
    free(s->entries);
    byte_map_done(&s->equal);
    buffer_done(&s->key);
    *s = (struct type_store){0};
}

/* ---- what follows from a type's parts ---- */

static void take_part(const struct type_store *s, struct component_type *t, uint32_t part)
{
    const struct component_type *p = &s->entries[part];
    if (part == COMPONENT_TYPE_NONE) return;
    t->has_borrow |= p->has_borrow;
    t->has_resource |= p->has_resource;
    if (p->depth + 1 > t->depth) t->depth = p->depth + 1;
    t->size = p->size > COMPONENT_TYPE_SIZE_MAX - t->size ? COMPONENT_TYPE_SIZE_MAX + 1
                                                          : t->size + p->size;
}

static void take_items(const struct type_store *s, struct component_type *t,
                       const struct component_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count && t->size <= COMPONENT_TYPE_SIZE_MAX; i++)
        if (items[i].entity.type)
            take_part(s, t, items[i].entity.type);
        else
            t->size++;
}

static enum status take_parts(const struct type_store *s, struct component_type *t,
                              struct error *err)
{
    t->has_borrow = t->kind == COMPONENT_BORROW;
    t->has_resource = t->kind == COMPONENT_RESOURCE;
    t->depth = 0;
    t->size = 1;
    take_part(s, t, t->element);
    take_part(s, t, t->other);
    for (uint32_t i = 0; i < t->fields_count && t->size <= COMPONENT_TYPE_SIZE_MAX; i++)
        take_part(s, t, t->fields[i].type);
    take_items(s, t, t->imports, t->imports_count);
    take_items(s, t, t->exports, t->exports_count);
    if (t->size > COMPONENT_TYPE_SIZE_MAX)
        return error_set(err, ST_LIMIT, "effective type size exceeds the limit of %u",
                         COMPONENT_TYPE_SIZE_MAX);
    if (t->depth > COMPONENT_TYPE_DEPTH_MAX)
        return error_set(err, ST_LIMIT, "type nesting is too deep, the limit is %u",
                         COMPONENT_TYPE_DEPTH_MAX);
    return ST_OK;
}

/* ---- identity ---- */

static void key_number(struct buffer *key, uint32_t number)
{
    buffer_append(key, &number, sizeof number);
}

static enum status find_equal(struct type_store *s, struct component_type *t, uint32_t own,
                              struct error *err)
{
    t->equal = own;
    if (t->kind == COMPONENT_INSTANCE || t->kind == COMPONENT_COMPONENT) return ST_OK;
    struct buffer *key = &s->key;
    buffer_clear(key);
    key_number(key, (uint32_t)t->kind | (uint32_t)t->is_async << 8);
    key_number(key, s->entries[t->element].equal);
    key_number(key, s->entries[t->other].equal);
    key_number(key, t->length);
    key_number(key, t->resource);
    for (uint32_t i = 0; i < t->fields_count; i++) {
        key_number(key, s->entries[t->fields[i].type].equal);
        key_number(key, t->fields[i].name.size_bytes);
        if (t->fields[i].name.size_bytes)
            buffer_append(key, t->fields[i].name.text, t->fields[i].name.size_bytes);
    }
    if (key->failed) return no_memory(err);
    uint64_t before = s->equal.steps;
    const struct byte_map_entry *found = byte_map_find(&s->equal, key->data, key->size_bytes);
    if (found) {
        t->equal = found->value;
    } else {
        uint8_t *copy = arena_alloc(s->arena, key->size_bytes);
        if (!copy) return no_memory(err);
        memcpy(copy, key->data, key->size_bytes);
        if (!byte_map_add(&s->equal, copy, key->size_bytes, own)) return no_memory(err);
    }
    return type_store_work(s, s->equal.steps - before + t->fields_count, err);
}

/* Room for one more entry, zeroed. */
static enum status grow(struct type_store *s, struct error *err)
{
    if (s->t.count >= COMPONENT_TYPES_MAX)
        return error_set(err, ST_LIMIT, "more than %u types", COMPONENT_TYPES_MAX);
    if (s->t.count < s->capacity) return ST_OK;
    uint32_t capacity = s->capacity ? s->capacity * 2 : 64;
    struct component_type *entries = reallocarray(s->entries, capacity, sizeof *entries);
    if (!entries) return no_memory(err);
    memset(entries + s->capacity, 0, (capacity - s->capacity) * sizeof *entries);
    s->entries = entries;
    s->t.entries = entries;
    s->capacity = capacity;
    return ST_OK;
}

enum status type_store_add(struct type_store *s, const struct component_type *type, uint32_t *ret,
                           struct error *err)
{
    struct component_type t = *type;
    enum status st = grow(s, err);
    if (!st) st = take_parts(s, &t, err);
    if (!st) st = type_store_work(s, 1u + t.fields_count + t.imports_count + t.exports_count, err);
    if (!st && t.has_resource && t.bound_imports_count + t.bound_exports_count > 0)
        st = type_find_free(s, &t, &t.has_resource, err);
    if (!st) st = layout_settle(s, &t, err);
    if (!st) st = find_equal(s, &t, s->t.count, err);
    if (st) return st;
    s->entries[s->t.count] = t;
    *ret = s->t.count++;
    return ST_OK;
}

enum status type_store_again(struct type_store *s, uint32_t type, uint32_t *ret, struct error *err)
{
    enum status st = grow(s, err);
    if (!st) st = type_store_work(s, 1, err);
    if (st) return st;
    s->entries[s->t.count] = s->entries[type];
    *ret = s->t.count++;
    return ST_OK;
}

enum status type_store_add_resource(struct type_store *s, uint32_t *ret, struct error *err)
{
    struct component_type type = {.kind = COMPONENT_RESOURCE, .resource = ++s->t.resources_count};
    return type_store_add(s, &type, ret, err);
}

const char *component_kind_name(enum component_kind kind)
{
    static const char *const names[] = {
        "none",          "bool",   "s8",       "u8",       "s16",       "u16",    "s32",
        "u32",           "s64",    "u64",      "f32",      "f64",       "char",   "string",
        "error-context", "record", "variant",  "list",     "list",      "tuple",  "flags",
        "enum",          "option", "result",   "map",      "own",       "borrow", "stream",
        "future",        "func",   "resource", "instance", "component",
    };
    return (size_t)kind < ARRAY_COUNT(names) ? names[kind] : "unknown";
}

const char *component_sort_name(enum component_sort sort)
{
    static const char *const names[COMPONENT_SORTS] = {
        "core func", "core table",  "core memory",   "core global", "core tag",
        "core type", "core module", "core instance", "func",        "value",
        "type",      "component",   "instance",
    };
    return (size_t)sort < COMPONENT_SORTS ? names[sort] : "unknown";
}
