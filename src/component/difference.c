/* What sets two types apart that are not the same: the first difference, for messages. */
#include "decode.h"

/* `a` is what is given, `b` what is asked for. Whatever is returned is a failure. */
struct pair {
    struct decoder *d;
    const struct component_type *a, *b;
};

static enum status differ(struct decoder *d, uint32_t a, uint32_t b);

static bool same(const struct decoder *d, uint32_t a, uint32_t b)
{
    return types_are_equal(d->store, a, b);
}

static enum status fail_kinds(const struct pair *p)
{
    return error_set(p->d->err, ST_INVALID, "expected %s, found %s",
                     component_kind_name(p->b->kind), component_kind_name(p->a->kind));
}

/* A part that may be missing: "ok type", "result" … */
static enum status differ_optional(const struct pair *p, const char *what, uint32_t a, uint32_t b)
{
    if (!a) return error_set(p->d->err, ST_INVALID, "expected %s, but found none", what);
    if (!b) return error_set(p->d->err, ST_INVALID, "expected %s to not be present", what);
    differ(p->d, a, b);
    return error_prefix(p->d->err, "type mismatch in %s", what);
}

struct field_words {
    const char *many, *one; /* "fields", "record field" */
};

static enum status differ_field(const struct pair *p, const struct field_words *words, uint32_t i)
{
    const struct component_field *a = &p->a->fields[i], *b = &p->b->fields[i];
    struct error *err = p->d->err;
    if (!names_equal(a->name, b->name))
        return error_set(err, ST_INVALID, "expected %s named `%s`, found `%s`", words->one,
                         b->name.text, a->name.text);
    if (!a->type)
        return error_set(err, ST_INVALID, "expected %s `%s` to have a type, found none", words->one,
                         b->name.text);
    if (!b->type)
        return error_set(err, ST_INVALID, "expected %s `%s` to have no type", words->one,
                         b->name.text);
    differ(p->d, a->type, b->type);
    if (!b->name.text) return error_prefix(err, "type mismatch in %s %u", words->one, i);
    return error_prefix(err, "type mismatch in %s `%s`", words->one, b->name.text);
}

static bool fields_are_same(const struct pair *p, uint32_t i)
{
    const struct component_field *a = &p->a->fields[i], *b = &p->b->fields[i];
    return names_equal(a->name, b->name) && same(p->d, a->type, b->type);
}

/* ST_OK when no field differs. */
static enum status differ_fields(const struct pair *p, const struct field_words *words)
{
    if (p->a->fields_count != p->b->fields_count)
        return error_set(p->d->err, ST_INVALID, "expected %u %s, found %u", p->b->fields_count,
                         words->many, p->a->fields_count);
    for (uint32_t i = 0; i < p->a->fields_count; i++)
        if (!fields_are_same(p, i)) return differ_field(p, words, i);
    return ST_OK;
}

static enum status differ_funcs(const struct pair *p)
{
    static const struct field_words words = {"parameters", "function parameter"};
    if (p->a->is_async != p->b->is_async)
        return error_set(p->d->err, ST_INVALID, "expected %s function, found %s one",
                         p->b->is_async ? "an async" : "a sync",
                         p->a->is_async ? "an async" : "a sync");
    enum status st = differ_fields(p, &words);
    return st ? st : differ_optional(p, "result type", p->a->element, p->b->element);
}

static enum status differ_parts(const struct pair *p)
{
    static const struct field_words record = {"fields", "record field"},
                                    variant = {"cases", "variant case"},
                                    tuple = {"types", "tuple field"};
    const struct component_type *a = p->a, *b = p->b;
    switch (a->kind) {
    case COMPONENT_RECORD: return differ_fields(p, &record);
    case COMPONENT_VARIANT: return differ_fields(p, &variant);
    case COMPONENT_TUPLE: return differ_fields(p, &tuple);
    case COMPONENT_FLAGS:
    case COMPONENT_ENUM:
        return error_set(p->d->err, ST_INVALID, "mismatch in %s elements",
                         component_kind_name(a->kind));
    case COMPONENT_RESULT:
        if (!same(p->d, a->element, b->element))
            return differ_optional(p, "ok type", a->element, b->element);
        return differ_optional(p, "err type", a->other, b->other);
    case COMPONENT_FUNC: return differ_funcs(p);
    case COMPONENT_RESOURCE:
        return error_set(p->d->err, ST_INVALID, "resource types are not the same");
    case COMPONENT_FIXED_LIST:
        if (a->length != b->length)
            return error_set(p->d->err, ST_INVALID, "expected a list of %u elements, found %u",
                             b->length, a->length);
        return differ(p->d, a->element, b->element);
    default:
        if (!same(p->d, a->other, b->other)) return differ(p->d, a->other, b->other);
        if (!a->element || !b->element)
            return differ_optional(p, "element type", a->element, b->element);
        return differ(p->d, a->element, b->element);
    }
}

/* As deep as types are. */
static enum status differ(struct decoder *d, uint32_t a, uint32_t b)
{
    struct pair p = {d, type_at(d->store, a), type_at(d->store, b)};
    if (p.a->kind != p.b->kind) return fail_kinds(&p);
    return differ_parts(&p);
}

enum status type_difference(struct decoder *d, uint32_t a, uint32_t b)
{
    return differ(d, a, b);
}
