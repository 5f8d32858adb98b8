#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/file.h"

#define SCRIPT_BYTES_MAX (64u << 20)
#define SCRIPT_WORDS_MAX (3 * SCRIPT_VALUES_MAX)

static const char *const verbs[VERBS_COUNT] = {
    [VERB_DEFINE] = "define",
    [VERB_INSTANTIATE] = "instantiate",
    [VERB_TRAPPING] = "trapping",
    [VERB_UNLINKABLE] = "unlinkable",
    [VERB_INVALID] = "invalid",
    [VERB_MALFORMED] = "malformed",
    [VERB_QUOTED] = "quoted",
    [VERB_REFUSED] = "refused",
    [VERB_UNREADABLE] = "unreadable",
    [VERB_REGISTER] = "register",
    [VERB_INVOKE] = "invoke",
    [VERB_RETURN] = "return",
    [VERB_TRAP] = "trap",
    [VERB_EXHAUSTION] = "exhaustion",
    [VERB_EXCEPTION] = "exception",
};

/* The words of a line, taken one after the other. */
struct words {
    struct script *script;
    const char *list[SCRIPT_WORDS_MAX];
    uint32_t count, next;
    bool bad;
};

static const char *take(struct words *w)
{
    if (w->next < w->count) return w->list[w->next++];
    w->bad = true;
    return "";
}

static uint32_t take_number(struct words *w)
{
    const char *word = take(w);
    char *end;
    unsigned long value = strtoul(word, &end, 10);
    if (end == word || *end || value > UINT32_MAX) w->bad = true;
    return (uint32_t)value;
}

static uint32_t take_instance(struct words *w)
{
    uint32_t instance = take_number(w);
    if (instance >= SCRIPT_INSTANCES_MAX) w->bad = true;
    if (!w->bad && instance >= w->script->instances_count)
        w->script->instances_count = instance + 1;
    return instance;
}

static struct name take_text(struct words *w)
{
    const char *word = take(w);
    struct name ret = {"", 0};
    if (*word == '"')
        word++;
    else
        w->bad = true;
    char *bytes = arena_alloc(&w->script->arena, strlen(word) + 1);
    if (w->bad || !bytes) return ret;
    ret.bytes = bytes;
    while (*word) {
        unsigned byte = (unsigned char)*word++;
        if (byte == '%' && sscanf(word, "%2x", &byte) == 1) word += 2;
        bytes[ret.size_bytes++] = (char)byte;
    }
    return ret;
}

static void take_module(struct words *w, struct command *c)
{
    uint32_t offset = take_number(w);
    c->size_bytes = take_number(w);
    if (!range_within(offset, c->size_bytes, w->script->binary.size_bytes)) w->bad = true;
    if (!w->bad) c->bytes = w->script->binary.data + offset;
}

/* The words up to `end`, or to the line's end when it is NULL. */
static const char *const *take_values(struct words *w, const char *end, uint32_t *ret_count)
{
    uint32_t first = w->next;
    while (w->next < w->count && !(end && strcmp(w->list[w->next], end) == 0)) w->next++;
    uint32_t count = w->next - first;
    const char **values = arena_array(&w->script->arena, const char *, count);
    if (!values || count > SCRIPT_VALUES_MAX) {
        w->bad = true;
        return NULL;
    }
    memcpy(values, w->list + first, count * sizeof *values);
    *ret_count = count;
    return values;
}

static void take_action(struct words *w, struct command *c)
{
    if (c->verb != VERB_INVOKE) c->is_get = strcmp(take(w), "get") == 0;
    c->instance = take_instance(w);
    c->field = take_text(w);
    c->args = take_values(w, "->", &c->args_count);
    if (c->verb == VERB_INVOKE) return;
    take(w);
    if (c->verb == VERB_RETURN)
        c->wants = take_values(w, NULL, &c->wants_count);
    else
        c->text = take_text(w);
}

static void parse_command(struct words *w, struct command *c)
{
    const char *verb = take(w);
    while (c->verb < VERBS_COUNT && strcmp(verb, verbs[c->verb]) != 0) c->verb++;
    c->line = take_number(w);
    switch (c->verb) {
    case VERB_DEFINE: take_module(w, c); break;
    case VERB_INSTANTIATE:
    case VERB_TRAPPING:
        c->instance = take_instance(w);
        take_module(w, c);
        if (c->verb == VERB_TRAPPING) c->text = take_text(w);
        break;
    case VERB_UNLINKABLE:
    case VERB_INVALID:
    case VERB_MALFORMED:
    case VERB_QUOTED:
        take_module(w, c);
        c->text = take_text(w);
        break;
    case VERB_REFUSED: c->text = take_text(w); break;
    case VERB_REGISTER:
    case VERB_UNREADABLE:
        c->instance = take_instance(w);
        c->field = take_text(w);
        break;
    case VERB_INVOKE:
    case VERB_RETURN:
    case VERB_TRAP:
    case VERB_EXHAUSTION:
    case VERB_EXCEPTION: take_action(w, c); break;
    default: w->bad = true;
    }
}

static bool parse_line(struct script *s, char *line, struct command *c)
{
    struct words w = {.script = s};
    char *rest = line;
    for (char *word; (word = strsep(&rest, " "));) {
        if (w.count == SCRIPT_WORDS_MAX) return false;
        w.list[w.count++] = word;
    }
    parse_command(&w, c);
    return !w.bad;
}

static enum status parse(struct script *s, char *text, struct error *err)
{
    uint32_t lines = 0;
    for (const char *p = text; *p; p++) lines += *p == '\n';
    s->commands = arena_array(&s->arena, struct command, lines);
    if (!s->commands) return error_set(err, ST_NO_MEMORY, "script");
    char *rest = text;
    char *first = strsep(&rest, "\n");
    char *path = strrchr(first, ' ');
    if (strncmp(first, "spec ", 5) != 0) return error_set(err, ST_CORRUPT, "not a script");
    s->path = path + 1;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        if (!parse_line(s, line, &s->commands[s->commands_count++]))
            return error_set(err, ST_CORRUPT, "line %u", s->commands_count + 1);
    }
    return ST_OK;
}

enum status script_read(const char *folder, const char *name, struct script *ret, struct error *err)
{
    struct script s = {0};
    arena_init(&s.arena, 4 * (size_t)SCRIPT_BYTES_MAX);
    buffer_init(&s.binary, SCRIPT_BYTES_MAX);
    struct buffer text;
    buffer_init(&text, SCRIPT_BYTES_MAX);
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.bin", folder, name);
    enum status st = file_read(path, &s.binary, err);
    snprintf(path, sizeof path, "%s/%s.script", folder, name);
    if (!st) st = file_read(path, &text, err);
    if (!st) {
        char *copy = arena_copy_string(&s.arena, (const char *)text.data, text.size_bytes);
        st = copy ? parse(&s, copy, err) : error_set(err, ST_NO_MEMORY, "script");
        if (st) error_prefix(err, "%s", path);
    }
    buffer_done(&text);
    if (st)
        script_done(&s);
    else
        *ret = s;
    return st;
}

void script_done(struct script *s)
{
    buffer_done(&s->binary);
    arena_done(&s->arena);
}
