/* Names of imports and exports (Explainer.md "Import and Export Definitions", Binary.md
 * "externname"): what they may look like, and when two of them are too much alike. */
#include <string.h>

#include "decode.h"

/* A part of a name under work. */
struct span {
    const char *at, *end;
};

static bool take_text(struct span *s, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(s->end - s->at) < size || memcmp(s->at, text, size) != 0) return false;
    s->at += size;
    return true;
}

/* Takes up to the first `stop`, which is dropped; false when there is none. */
static bool take_until(struct span *s, char stop, struct span *ret)
{
    const char *found = memchr(s->at, stop, (size_t)(s->end - s->at));
    if (!found) return false;
    *ret = (struct span){s->at, found};
    s->at = found + 1;
    return true;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Words joined by hyphens, each in one case; the first begins with a letter. */
static bool name_is_kebab(const char *text, size_t size_bytes)
{
    bool lower = false, upper = false, empty = true;
    if (!size_bytes || is_digit(text[0])) return false;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] == '-') {
            if (empty) return false;
            lower = upper = false;
            empty = true;
            continue;
        }
        lower |= is_lower(text[i]);
        upper |= is_upper(text[i]);
        if (!is_lower(text[i]) && !is_upper(text[i]) && !is_digit(text[i])) return false;
        if (lower && upper) return false;
        empty = false;
    }
    return !empty;
}

static bool span_is_kebab(struct span s, bool lower_only)
{
    for (const char *c = s.at; lower_only && c < s.end; c++)
        if (is_upper(*c)) return false;
    return name_is_kebab(s.at, (size_t)(s.end - s.at));
}

/* ---- versions: semver 2.0 ---- */

static bool take_version_number(struct span *s)
{
    const char *start = s->at;
    while (s->at < s->end && is_digit(*s->at)) s->at++;
    size_t digits = (size_t)(s->at - start);
    return digits >= 1 && digits <= 19 && !(digits > 1 && *start == '0');
}

/* Identifiers joined by dots, up to `stop` or the end. */
static bool take_identifiers(struct span *s, char stop, bool leading_zeros)
{
    for (;;) {
        const char *start = s->at;
        bool number = true;
        while (s->at < s->end && *s->at != '.' && *s->at != stop) {
            if (!is_digit(*s->at)) number = false;
            if (!is_lower(*s->at) && !is_upper(*s->at) && !is_digit(*s->at) && *s->at != '-')
                return false;
            s->at++;
        }
        size_t size = (size_t)(s->at - start);
        if (!size || (number && size > 1 && *start == '0' && !leading_zeros)) return false;
        if (s->at == s->end || *s->at == stop) return true;
        s->at++;
    }
}

static bool is_version(struct span s)
{
    for (int i = 0; i < 3; i++) {
        if (i && !take_text(&s, ".")) return false;
        if (!take_version_number(&s)) return false;
    }
    if (take_text(&s, "-") && !take_identifiers(&s, '+', false)) return false;
    if (take_text(&s, "+") && !take_identifiers(&s, '\0', true)) return false;
    return s.at == s.end;
}

/* ---- package and interface names ---- */

/* "namespace:package" and, when `projection`, "/name"; the version is what follows an '@'. */
static bool is_package_name(struct span s, bool projection, bool range)
{
    struct span part, version = {NULL, NULL}, whole = s;
    if (take_until(&whole, '@', &part)) {
        version = whole;
        s.end = part.end;
    }
    if (!take_until(&s, ':', &part) || !span_is_kebab(part, true)) return false;
    if (projection) {
        if (!take_until(&s, '/', &part) || !span_is_kebab(part, true)) return false;
        if (!span_is_kebab(s, false)) return false;
    } else if (!span_is_kebab(s, true)) {
        return false;
    }
    if (!version.at) return true;
    if (!range) return is_version(version);
    if (version.end - version.at == 1 && *version.at == '*') return true;
    if (!take_text(&version, "{") || version.end == version.at || version.end[-1] != '}')
        return false;
    version.end--;
    struct span lower = version;
    if (take_text(&version, ">=")) {
        if (!take_until(&version, ' ', &lower)) return is_version(version);
        if (!is_version((struct span){lower.at, lower.end})) return false;
    }
    return take_text(&version, "<") && is_version(version);
}

/* Digests of the form sha256-<base64>, separated by spaces. */
static bool is_integrity(struct span s)
{
    do {
        if (!take_text(&s, "sha256-") && !take_text(&s, "sha384-") && !take_text(&s, "sha512-"))
            return false;
        const char *start = s.at;
        while (s.at < s.end && (is_lower(*s.at) || is_upper(*s.at) || is_digit(*s.at) ||
                                *s.at == '+' || *s.at == '/'))
            s.at++;
        if (s.at == start) return false;
        for (int i = 0; i < 2; i++) (void)take_text(&s, "=");
    } while (take_text(&s, " "));
    return s.at == s.end;
}

static bool ends_in_integrity(struct span s)
{
    struct span digests;
    if (s.at == s.end) return true;
    return take_text(&s, ",integrity=<") && take_until(&s, '>', &digests) &&
           is_integrity(digests) && s.at == s.end;
}

static bool is_dependency(struct span s)
{
    struct span inner;
    if (take_text(&s, "integrity=<"))
        return take_until(&s, '>', &inner) && is_integrity(inner) && s.at == s.end;
    if (take_text(&s, "url=<"))
        return take_until(&s, '>', &inner) &&
               !memchr(inner.at, '<', (size_t)(inner.end - inner.at)) && ends_in_integrity(s);
    if (take_text(&s, "locked-dep=<"))
        return take_until(&s, '>', &inner) && is_package_name(inner, false, false) &&
               ends_in_integrity(s);
    /* A range has '>' in it. */
    if (take_text(&s, "unlocked-dep=<") && s.end > s.at && s.end[-1] == '>')
        return is_package_name((struct span){s.at, s.end - 1}, false, true);
    return false;
}

/* ---- the name as a whole ---- */

static bool begins(struct wasm_name name, const char *text)
{
    struct span s = {name.text, name.text + name.size_bytes};
    return take_text(&s, text);
}

enum extern_name_kind extern_name_kind(struct wasm_name name)
{
    if (begins(name, "[constructor]")) return NAME_CONSTRUCTOR;
    if (begins(name, "[method]")) return NAME_METHOD;
    if (begins(name, "[static]")) return NAME_STATIC;
    if (memchr(name.text, '=', name.size_bytes)) return NAME_DEPENDENCY;
    if (memchr(name.text, ':', name.size_bytes)) return NAME_INTERFACE;
    return NAME_LABEL;
}

struct wasm_name extern_name_resource(struct wasm_name name)
{
    const char *at = memchr(name.text, ']', name.size_bytes), *end = name.text + name.size_bytes;
    if (!at) return name;
    at++;
    const char *dot = memchr(at, '.', (size_t)(end - at));
    return (struct wasm_name){at, (uint32_t)((dot ? dot : end) - at)};
}

static bool is_annotated(struct wasm_name name, bool dotted)
{
    struct span s = {name.text, name.text + name.size_bytes}, part;
    if (!take_until(&s, ']', &part)) return false;
    if (dotted && (!take_until(&s, '.', &part) || !span_is_kebab(part, false))) return false;
    return span_is_kebab(s, false);
}

static bool name_is_valid(struct wasm_name name)
{
    struct span s = {name.text, name.text + name.size_bytes};
    switch (extern_name_kind(name)) {
    case NAME_LABEL: return span_is_kebab(s, false);
    case NAME_CONSTRUCTOR: return is_annotated(name, false);
    case NAME_METHOD:
    case NAME_STATIC: return is_annotated(name, true);
    case NAME_INTERFACE: return is_package_name(s, true, false);
    case NAME_DEPENDENCY: return is_dependency(s);
    }
    return false;
}

enum name_attribute { ATTRIBUTE_IMPLEMENTS, ATTRIBUTE_VERSION_SUFFIX, ATTRIBUTE_EXTERNAL_ID };

static enum status parse_attribute(struct decoder *d, struct extern_name *name)
{
    static const char *const names[] = {"implements", "version-suffix", "external-id"};
    size_t start = d->r.offset;
    uint8_t kind = 0;
    TRY(reader_u8(&d->r, &kind, d->err));
    if (kind >= ARRAY_COUNT(names)) return parse_bad_byte(d, "name option");
    if (kind == ATTRIBUTE_VERSION_SUFFIX)
        return wasm_fail(d->err, ST_UNSUPPORTED, start,
                         "version suffixes of names are not supported");
    struct wasm_name *ret = kind == ATTRIBUTE_IMPLEMENTS ? &name->implements : &name->external_id;
    if (ret->text)
        return wasm_fail(d->err, ST_INVALID, start, "duplicate '%s' option in name", names[kind]);
    TRY(parse_name(d, ret));
    if (kind != ATTRIBUTE_IMPLEMENTS) return ST_OK;
    if (extern_name_kind(*ret) != NAME_INTERFACE || !name_is_valid(*ret))
        return wasm_fail(d->err, ST_INVALID, start,
                         "`%s` must be an interface: it is not a valid name", ret->text);
    if (extern_name_kind(name->name) != NAME_LABEL)
        return wasm_fail(d->err, ST_INVALID, start, "name `%s` is not valid with `implements`",
                         name->name.text);
    return ST_OK;
}

enum status parse_extern_name(struct decoder *d, struct extern_name *ret)
{
    uint8_t form = 0;
    *ret = (struct extern_name){0};
    TRY(reader_u8(&d->r, &form, d->err));
    if (form > 2) return parse_bad_byte(d, "component name");
    size_t start = d->r.offset;
    TRY(parse_name(d, &ret->name));
    if (ret->name.size_bytes > COMPONENT_NAME_BYTES_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "name of %u bytes, the limit is %u",
                         ret->name.size_bytes, COMPONENT_NAME_BYTES_MAX);
    if (!name_is_valid(ret->name))
        return wasm_fail(d->err, ST_INVALID, start,
                         "`%s` is not in kebab case: it is not a valid extern name",
                         ret->name.text);
    uint32_t attributes = 0;
    if (form == 2) TRY(reader_count(&d->r, UINT32_MAX, "name options", &attributes, d->err));
    for (uint32_t i = 0; i < attributes; i++) TRY(parse_attribute(d, ret));
    return ST_OK;
}

enum status parse_label(struct decoder *d, const char *what, struct wasm_name *ret)
{
    size_t start = d->r.offset;
    TRY(parse_name(d, ret));
    if (!ret->size_bytes)
        return wasm_fail(d->err, ST_INVALID, start, "%s name cannot be empty", what);
    if (ret->size_bytes > COMPONENT_NAME_BYTES_MAX)
        return wasm_fail(d->err, ST_LIMIT, start, "name of %u bytes, the limit is %u",
                         ret->size_bytes, COMPONENT_NAME_BYTES_MAX);
    if (!name_is_kebab(ret->text, ret->size_bytes))
        return wasm_fail(d->err, ST_INVALID, start, "%s name `%s` is not in kebab case", what,
                         ret->text);
    return ST_OK;
}

/* ---- uniqueness ---- */

/* What must differ from all other names of the list: the name in lower case without what stands in
 * brackets, except that a constructor may be called as its resource; "[method]a.a" is taken for
 * "a", which it may not stand beside. */
static size_t unique_key(struct wasm_name name, char *key)
{
    struct wasm_name resource = extern_name_resource(name);
    enum extern_name_kind kind = extern_name_kind(name);
    const char *at = name.text, *end = name.text + name.size_bytes;
    size_t size = 0;
    key[size++] = kind == NAME_CONSTRUCTOR ? 'c' : 'n';
    if (kind == NAME_CONSTRUCTOR || kind == NAME_METHOD || kind == NAME_STATIC) at = resource.text;
    if (kind == NAME_METHOD || kind == NAME_STATIC) {
        const char *member = resource.text + resource.size_bytes + 1;
        if ((size_t)(end - member) == resource.size_bytes &&
            strncasecmp(member, resource.text, resource.size_bytes) == 0)
            end = resource.text + resource.size_bytes;
    }
    for (; at < end; at++) key[size++] = is_upper(*at) ? (char)(*at - 'A' + 'a') : *at;
    return size;
}

enum status unique_add(struct decoder *d, struct byte_map *map, struct wasm_name name,
                       const char *what, size_t offset)
{
    char *key = NULL;
    TRY(parse_alloc(d, name.size_bytes + 2u, 1, &key));
    size_t size = unique_key(name, key);
    uint64_t before = map->steps;
    const struct byte_map_entry *found = byte_map_find(map, key, size);
    if (found)
        return wasm_fail(d->err, ST_INVALID, offset,
                         "%s name `%s` conflicts with previous name `%s`", what, name.text,
                         (const char *)found->key + 1);
    if (!byte_map_add(map, key, size, 0)) return wasm_fail_memory(d->err, offset);
    return parse_work(d, map->steps - before);
}
