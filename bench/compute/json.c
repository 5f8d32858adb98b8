/* A recursive JSON parser into a tree, over a document of some megabytes. */
#include "kernel.h"

#include <stdbool.h>
#include <string.h>

#define TEXT_BYTES_MAX (6u << 20)
#define ITEMS          26000u
#define NODES_MAX      600000u

enum kind { KIND_NULL, KIND_BOOL, KIND_NUMBER, KIND_STRING, KIND_ARRAY, KIND_OBJECT };

struct node {
    enum kind kind;
    struct node *first, *next;
    const char *text; /* a string's, or a member's name */
    uint32_t length;
    double number;
};

static char text[TEXT_BYTES_MAX];
static size_t text_size;
static struct node nodes[NODES_MAX];
static uint32_t node_count;
static char strings[TEXT_BYTES_MAX];
static size_t strings_size;

static void kernel_setup(void)
{
    char *at = text;
    at += sprintf(at, "[");
    for (uint32_t i = 0; i < ITEMS; i++)
        at += sprintf(at,
                      "%s{\"id\": %u, \"name\": \"user \\u00e9 %u\", \"score\": %u.%ue-3,\n"
                      "  \"tags\": [\"a\\n\", \"bb\", \"quote \\\"\"], \"active\": %s, \"parent\": "
                      "null, \"at\": {\"x\": -%u, \"y\": %u}}",
                      i ? "," : "", i, kernel_random() % 100000, kernel_random() % 1000,
                      kernel_random() % 1000, i % 3 ? "true" : "false", kernel_random() % 1000,
                      kernel_random() % 1000);
    at += sprintf(at, "]");
    text_size = (size_t)(at - text);
}

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r') p++;
    return p;
}

static uint32_t hex4(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

static const char *parse_string(const char *p, const char **ret, uint32_t *length)
{
    char *out = strings + strings_size;
    char *from = out;
    while (*p != '"') {
        if (*p != '\\') {
            *out++ = *p++;
            continue;
        }
        switch (p[1]) {
        case 'n': *out++ = '\n'; break;
        case 't': *out++ = '\t'; break;
        case 'r': *out++ = '\r'; break;
        case 'u':
            out = put_utf8(out, hex4(p + 2));
            p += 4;
            break;
        default: *out++ = p[1];
        }
        p += 2;
    }
    *ret = from;
    *length = (uint32_t)(out - from);
    strings_size += *length;
    return p + 1;
}

static const char *parse_number(const char *p, double *ret)
{
    bool negative = *p == '-';
    if (negative) p++;
    double value = 0;
    while (*p >= '0' && *p <= '9') value = value * 10 + (*p++ - '0');
    if (*p == '.') {
        double unit = 0.1;
        for (p++; *p >= '0' && *p <= '9'; unit /= 10) value += unit * (*p++ - '0');
    }
    if ((*p | 0x20) == 'e') {
        bool small = *++p == '-';
        if (small || *p == '+') p++;
        int exponent = 0;
        while (*p >= '0' && *p <= '9') exponent = exponent * 10 + (*p++ - '0');
        while (exponent--) value = small ? value / 10 : value * 10;
    }
    *ret = negative ? -value : value;
    return p;
}

static const char *parse(const char *p, struct node **ret);

static const char *parse_members(const char *p, struct node *parent, char end)
{
    struct node **last = &parent->first;
    p = skip_space(p);
    while (*p != end) {
        const char *name = NULL;
        uint32_t length = 0;
        if (end == '}') {
            p = parse_string(p + 1, &name, &length);
            p = skip_space(skip_space(p) + 1);
        }
        p = parse(p, last);
        if (name) {
            (*last)->text = name;
            (*last)->length = length;
        }
        last = &(*last)->next;
        p = skip_space(p);
        if (*p == ',') p = skip_space(p + 1);
    }
    return p + 1;
}

static const char *parse(const char *p, struct node **ret)
{
    if (node_count == NODES_MAX) abort();
    struct node *n = &nodes[node_count++];
    *n = (struct node){.kind = KIND_NULL};
    *ret = n;
    switch (*p) {
    case '{': n->kind = KIND_OBJECT; return parse_members(p + 1, n, '}');
    case '[': n->kind = KIND_ARRAY; return parse_members(p + 1, n, ']');
    case '"': n->kind = KIND_STRING; return parse_string(p + 1, &n->text, &n->length);
    case 't':
        n->kind = KIND_BOOL;
        n->number = 1;
        return p + 4;
    case 'f': n->kind = KIND_BOOL; return p + 5;
    case 'n': return p + 4;
    default: n->kind = KIND_NUMBER; return parse_number(p, &n->number);
    }
}

static double sum_of(const struct node *n)
{
    double sum = n->number + (double)n->length;
    for (const struct node *child = n->first; child; child = child->next) sum += sum_of(child);
    return sum;
}

static double kernel_run(void)
{
    node_count = 0;
    strings_size = 0;
    struct node *top;
    if (parse(text, &top) != text + text_size) abort();
    return sum_of(top) + node_count + (double)strings_size;
}

KERNEL_MAIN("json")
