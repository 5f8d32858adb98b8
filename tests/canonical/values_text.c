#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "values.h"

static const struct artifact_wit_type *type_at(const struct values *s, uint32_t type)
{
    return &s->side.c->types[type];
}

static const struct artifact_wit_field *field_at(const struct values *s,
                                                 const struct artifact_wit_type *t, uint32_t k)
{
    return &s->side.c->fields[t->fields_first + k];
}

static const char *field_name(const struct values *s, const struct artifact_wit_type *t, uint32_t k)
{
    return artifact_wit_string(s->side.c->artifact, field_at(s, t, k)->name);
}

void val_free(struct val *v)
{
    for (uint32_t k = 0; k < v->count; k++) val_free(&v->items[k]);
    free(v->items);
    free((void *)(uintptr_t)v->text.bytes);
    *v = (struct val){0};
}

/* ---- parsing ---- */

struct parsing {
    struct values *s;
    const char *at;
};

static bool parse(struct parsing *p, uint32_t type, struct val *ret);

static bool bad(struct parsing *p, const char *what)
{
    p->s->fault = what;
    return false;
}

static bool take(struct parsing *p, char c)
{
    if (*p->at != c) return false;
    p->at++;
    return true;
}

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

static char take_byte(struct parsing *p)
{
    if (p->at[0] == '%' && hex(p->at[1]) >= 0 && hex(p->at[2]) >= 0) {
        p->at += 3;
        return (char)(hex(p->at[-2]) << 4 | hex(p->at[-1]));
    }
    return *p->at++;
}

static void take_word(struct parsing *p, char *word, size_t size)
{
    size_t k = 0;
    while (isalnum((unsigned char)*p->at) || (*p->at && strchr("-_.+:", *p->at)))
        if (k + 1 < size)
            word[k++] = *p->at++;
        else
            p->at++;
    word[k] = 0;
}

static void without_underscores(char *word)
{
    char *to = word;
    for (const char *from = word; *from; from++)
        if (*from != '_') *to++ = *from;
    *to = 0;
}

static bool parse_number(struct parsing *p, const struct artifact_wit_type *t, struct val *ret)
{
    char word[400], *end;
    take_word(p, word, sizeof word);
    without_underscores(word);
    const char *digits = word[0] == '-' || word[0] == '+' ? word + 1 : word;
    if (t->kind == WIT_F32 || t->kind == WIT_F64) {
        bool is_nan = strncmp(digits, "nan", 3) == 0;
        float f = is_nan ? 0 : strtof(word, &end);
        double d = is_nan ? 0 : strtod(word, &end);
        uint32_t f_bits = 0x7fc00000;
        uint64_t d_bits = 0x7ff8000000000000;
        if (!is_nan) memcpy(&f_bits, &f, sizeof f);
        if (!is_nan) memcpy(&d_bits, &d, sizeof d);
        ret->bits = t->kind == WIT_F32 ? f_bits : d_bits;
        return is_nan || (end != word && !*end) || bad(p, "not a float");
    }
    ret->bits = strtoull(digits, &end, 0);
    if (word[0] == '-') ret->bits = 0 - ret->bits;
    if (t->kind == WIT_S32 || t->kind == WIT_S16 || t->kind == WIT_S8) {
        unsigned unused = 64 - 8 * t->size_bytes;
        ret->bits = (uint64_t)((int64_t)(ret->bits << unused) >> unused);
    }
    return (end != digits && !*end) || bad(p, "not a number");
}

static bool parse_text(struct parsing *p, struct val *ret, bool quoted)
{
    char *bytes = malloc(strlen(p->at) + 1);
    size_t size = 0;
    assert(bytes);
    while (*p->at && *p->at != (quoted ? '"' : '\'') && *p->at != ' ') bytes[size++] = take_byte(p);
    take(p, quoted ? '"' : '\'');
    ret->text = (struct canonical_text){bytes, size};
    return true;
}

/* The one character of a text. */
static bool parse_char(struct parsing *p, struct val *ret)
{
    struct val text = {0};
    uint8_t utf16[4];
    if (!take(p, '\'') || !parse_text(p, &text, false)) return bad(p, "not a char");
    const uint8_t *from = (const uint8_t *)text.text.bytes;
    struct text_piece piece = {from, from + 1, from + text.text.size_bytes, utf16, false, NULL};
    text_convert(&piece, TEXT_UTF8, TEXT_UTF16);
    uint32_t first = (uint32_t)(utf16[0] | utf16[1] << 8);
    ret->bits = first;
    if (piece.to == utf16 + 4)
        ret->bits =
            0x10000 + ((first - 0xd800) << 10) + (uint32_t)(utf16[2] | utf16[3] << 8) - 0xdc00;
    val_free(&text);
    return !piece.fault || bad(p, piece.fault);
}

static struct val *add_item(struct val *v)
{
    struct val *items = realloc(v->items, (v->count + 1) * sizeof *items);
    assert(items);
    v->items = items;
    items[v->count] = (struct val){0};
    return &items[v->count++];
}

static bool parse_items(struct parsing *p, const struct artifact_wit_type *t, struct val *ret)
{
    if (!take(p, '[')) return bad(p, "not a list");
    while (!take(p, ']'))
        if ((ret->count && !take(p, ',')) || !parse(p, t->element, add_item(ret)))
            return bad(p, p->s->fault ? p->s->fault : "not a list");
    return true;
}

static bool parse_record(struct parsing *p, const struct artifact_wit_type *t, struct val *ret)
{
    bool tuple = *p->at == '(';
    char name[200];
    if (!take(p, tuple ? '(' : '{')) return bad(p, "not a record");
    for (uint32_t k = 0; k < t->fields_count; k++) {
        if (k && !take(p, ',')) return bad(p, "a field is missing");
        if (!tuple) {
            const char *wanted = field_name(p->s, t, k);
            size_t size = strlen(wanted);
            if (strncmp(p->at, wanted, size) != 0) return bad(p, "another field");
            p->at += size;
            if (!take(p, ':')) return bad(p, "a field has no value");
        }
        if (!parse(p, field_at(p->s, t, k)->type, add_item(ret))) return false;
    }
    (void)name;
    return take(p, tuple ? ')' : '}') || bad(p, "too many fields");
}

static bool find_case(struct parsing *p, const struct artifact_wit_type *t, const char *word,
                      uint64_t *ret)
{
    if (strcmp(word, "err") == 0) word = "error";
    for (uint32_t k = 0; k < t->fields_count; k++)
        if (strcmp(field_name(p->s, t, k), word) == 0) {
            *ret = k;
            return true;
        }
    return bad(p, "no such case");
}

static bool parse_variant(struct parsing *p, const struct artifact_wit_type *t, struct val *ret)
{
    char word[200];
    take_word(p, word, sizeof word);
    if (!find_case(p, t, word, &ret->bits)) return false;
    uint32_t type = t->kind == WIT_VARIANT ? field_at(p->s, t, (uint32_t)ret->bits)->type : 0;
    if (!type) return true;
    if (!take(p, '(')) return bad(p, "a payload is missing");
    return parse(p, type, add_item(ret)) && (take(p, ')') || bad(p, "a payload has no end"));
}

static bool parse_flags(struct parsing *p, const struct artifact_wit_type *t, struct val *ret)
{
    if (!take(p, '{')) return bad(p, "not flags");
    while (!take(p, '}')) {
        char word[200];
        uint64_t flag;
        take(p, ',');
        take_word(p, word, sizeof word);
        if (!find_case(p, t, word, &flag)) return false;
        ret->bits |= UINT64_C(1) << flag;
    }
    return true;
}

static bool parse(struct parsing *p, uint32_t type, struct val *ret)
{
    const struct artifact_wit_type *t = type_at(p->s, type);
    switch ((enum wit_kind)t->kind) {
    case WIT_BOOL: {
        char word[16];
        take_word(p, word, sizeof word);
        ret->bits = strcmp(word, "true") == 0;
        return ret->bits || strcmp(word, "false") == 0 || bad(p, "not a bool");
    }
    case WIT_CHAR: return parse_char(p, ret);
    case WIT_STRING: return (take(p, '"') && parse_text(p, ret, true)) || bad(p, "not a string");
    case WIT_LIST:
    case WIT_FIXED_LIST: return parse_items(p, t, ret);
    case WIT_RECORD: return parse_record(p, t, ret);
    case WIT_VARIANT:
    case WIT_ENUM: return parse_variant(p, t, ret);
    case WIT_FLAGS: return parse_flags(p, t, ret);
    default: return parse_number(p, t, ret);
    }
}

bool val_parse(struct values *s, uint32_t type, const char **text, struct val *ret)
{
    struct parsing p = {s, *text};
    *ret = (struct val){0};
    s->fault = NULL;
    bool parsed = parse(&p, type, ret);
    if (!parsed) val_free(ret);
    *text = p.at;
    return parsed;
}

/* ---- printing ---- */

static void print_bytes(struct buffer *b, const char *bytes, size_t size)
{
    for (size_t k = 0; k < size; k++) {
        unsigned char c = (unsigned char)bytes[k];
        if (isalnum(c) || strchr("._$-", c))
            buffer_append(b, &c, 1);
        else
            buffer_printf(b, "%%%02x", c);
    }
}

static void print_float(struct buffer *b, uint64_t bits, bool is_double)
{
    float f = 0;
    double d = 0;
    uint32_t low = (uint32_t)bits;
    memcpy(&f, &low, sizeof f);
    memcpy(&d, &bits, sizeof d);
    if (!is_double) d = (double)f;
    if (d != d)
        buffer_append_string(b, "nan");
    else
        buffer_printf(b, "%a", d);
}

static void print_items(const struct values *s, const struct artifact_wit_type *t,
                        const struct val *v, struct buffer *b)
{
    bool list = t->kind == WIT_LIST || t->kind == WIT_FIXED_LIST;
    buffer_append_string(b, list ? "[" : "{");
    for (uint32_t k = 0; k < v->count; k++) {
        if (k) buffer_append_string(b, ",");
        if (!list) buffer_printf(b, "%s:", field_name(s, t, k));
        val_print(s, list ? t->element : field_at(s, t, k)->type, &v->items[k], b);
    }
    buffer_append_string(b, list ? "]" : "}");
}

void val_print(const struct values *s, uint32_t type, const struct val *v, struct buffer *b)
{
    const struct artifact_wit_type *t = type_at(s, type);
    switch ((enum wit_kind)t->kind) {
    case WIT_F32:
    case WIT_F64: print_float(b, v->bits, t->kind == WIT_F64); break;
    case WIT_STRING:
        buffer_append_string(b, "\"");
        print_bytes(b, v->text.bytes, v->text.size_bytes);
        buffer_append_string(b, "\"");
        break;
    case WIT_RECORD:
    case WIT_LIST:
    case WIT_FIXED_LIST: print_items(s, t, v, b); break;
    case WIT_VARIANT:
    case WIT_ENUM:
        buffer_append_string(b, field_name(s, t, (uint32_t)v->bits));
        if (!v->count) break;
        buffer_append_string(b, "(");
        val_print(s, field_at(s, t, (uint32_t)v->bits)->type, &v->items[0], b);
        buffer_append_string(b, ")");
        break;
    case WIT_S8:
    case WIT_S16:
    case WIT_S32:
    case WIT_S64: buffer_printf(b, "%lld", (long long)v->bits); break;
    case WIT_FLAGS: buffer_printf(b, "flags:%llx", (unsigned long long)v->bits); break;
    case WIT_OWN:
    case WIT_BORROW: buffer_append_string(b, "handle"); break;
    case WIT_CHAR: buffer_printf(b, "U+%llx", (unsigned long long)v->bits); break;
    default: buffer_printf(b, "%llu", (unsigned long long)v->bits); break;
    }
}
