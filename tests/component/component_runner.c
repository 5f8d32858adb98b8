/* component_runner FOLDER SKIPS [--plan] [--only NAME]
 *
 * Decodes and validates every component of the component model's suite, as converted into FOLDER by
 * convert.mjs: what the suite says is malformed or invalid must be refused, all else accepted.
 * SKIPS lists, one a line as "PATH:LINE reason", what cannot be looked at; an entry that is not
 * needed is a failure. Ends with "N passed, N failed, N skipped" and exit code 1 when anything
 * failed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "component/component.h"
#include "component/plan.h"

#define SCRIPT_BYTES_MAX (64u * 1024u * 1024u)
#define SKIPS_MAX        256u

struct skip {
    const char *place, *reason;
    bool used;
};

struct runner {
    const char *folder;
    bool plan;
    struct skip skips[SKIPS_MAX];
    unsigned skips_count;
    unsigned passed, failed, skipped, refused;
    char path[256]; /* of the .wast file under work */
};

static void fail(struct runner *r, unsigned line, const char *what, const char *text)
{
    r->failed++;
    printf("FAIL %s:%u: %s: %s\n", r->path, line, what, text);
}

static bool is_skipped(struct runner *r, unsigned line)
{
    char place[300];
    snprintf(place, sizeof place, "%s:%u", r->path, line);
    for (unsigned i = 0; i < r->skips_count; i++) {
        if (strcmp(r->skips[i].place, place) != 0) continue;
        r->skips[i].used = true;
        r->skipped++;
        printf("skip %s: %s\n", place, r->skips[i].reason);
        return true;
    }
    return false;
}

/* A component that takes part in instantiation: its plan can be made. */
static void check_plan(struct runner *r, unsigned line, const struct component *c)
{
    struct error err = {0};
    struct plan *plan = NULL;
    if (plan_new(c, &plan, &err))
        fail(r, line, "no plan", err.text);
    else
        r->passed++;
    plan_free(plan);
}

static void check(struct runner *r, unsigned line, const char *verb, const uint8_t *bytes,
                  size_t size, const char *text)
{
    struct component *c = NULL;
    struct error err = {0};
    enum status st = component_decode(bytes, size, 1, &c, &err);
    bool bad = !strcmp(verb, "invalid") || !strcmp(verb, "malformed") || !strcmp(verb, "quoted");
    if (bad && (st == ST_INVALID || st == ST_UNSUPPORTED || st == ST_LIMIT)) {
        r->passed++;
        if (getenv("COMPONENT_TEXTS"))
            printf("%s:%u: wanted %s\n    got %s\n", r->path, line, text, err.text);
    } else if (bad) {
        if (!is_skipped(r, line)) fail(r, line, "not refused, expected", text);
    } else if (st) {
        if (!is_skipped(r, line)) fail(r, line, status_name(st), err.text);
    } else {
        r->passed++;
        if (r->plan && strcmp(verb, "define") != 0) check_plan(r, line, c);
    }
    component_free(c);
}

/* Text with %xx for bytes, in place. */
static void unescape(char *text)
{
    char *to = text;
    for (char *from = text; *from; from++) {
        unsigned byte = 0;
        if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
            *to++ = byte ? (char)byte : '?';
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

static void run_line(struct runner *r, const char *text, const struct buffer *binary)
{
    char verb[32] = "", rest[1024] = "";
    unsigned line = 0, instance = 0;
    size_t offset = 0, size = 0;
    if (sscanf(text, "%31s %u", verb, &line) != 2) return fail(r, 0, "not a command", text);
    const char *quote = strchr(text, '"');
    if (quote) snprintf(rest, sizeof rest, "%s", quote + 1);
    unescape(rest);
    if (!strcmp(verb, "refused")) {
        r->refused++;
    } else if (!strcmp(verb, "unreadable")) {
        if (!is_skipped(r, line)) fail(r, line, "the text parser refuses it", rest);
    } else if (!strcmp(verb, "instantiate") || !strcmp(verb, "trapping")) {
        if (sscanf(text, "%*s %*u %u %zu %zu", &instance, &offset, &size) != 3)
            return fail(r, line, "not a command", text);
        check(r, line, verb, binary->data + offset, size, rest);
    } else if (strcmp(verb, "invoke") != 0 && strcmp(verb, "return") != 0 &&
               strcmp(verb, "trap") != 0) {
        if (sscanf(text, "%*s %*u %zu %zu", &offset, &size) != 2)
            return fail(r, line, "not a command", text);
        check(r, line, verb, binary->data + offset, size, rest);
    }
}

static bool read_file(struct runner *r, const char *name, const char *suffix, struct buffer *ret)
{
    char path[4096];
    struct error err;
    snprintf(path, sizeof path, "%s/%s%s", r->folder, name, suffix);
    buffer_init(ret, SCRIPT_BYTES_MAX);
    if (file_read(path, ret, &err)) {
        fail(r, 0, path, err.text);
        return false;
    }
    buffer_append(ret, "", 1);
    return !ret->failed;
}

static void run_script(struct runner *r, const char *name)
{
    struct buffer text = {0}, binary = {0};
    if (read_file(r, name, ".script", &text) && read_file(r, name, ".bin", &binary)) {
        char *rest = (char *)text.data, *line = strsep(&rest, "\n");
        const char *path = strrchr(line, ' ');
        snprintf(r->path, sizeof r->path, "%s", path ? path + 1 : name);
        while ((line = strsep(&rest, "\n")) && *line) run_line(r, line, &binary);
    }
    buffer_done(&text);
    buffer_done(&binary);
}

static void read_skips(struct runner *r, char *text)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        if (!*line || *line == '#' || r->skips_count == SKIPS_MAX) continue;
        struct skip *s = &r->skips[r->skips_count++];
        s->place = strsep(&line, " ");
        s->reason = line ? line : "";
    }
}

int main(int argc, char **argv)
{
    struct runner r = {0};
    const char *only = NULL;
    struct buffer index = {0}, skips;
    struct error err;
    if (argc < 3) return 2;
    r.folder = argv[1];
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "--plan")) r.plan = true;
        if (!strcmp(argv[i], "--only") && i + 1 < argc) only = argv[++i];
    }
    buffer_init(&skips, SCRIPT_BYTES_MAX);
    if (file_read(argv[2], &skips, &err) || buffer_append(&skips, "", 1)) return 2;
    read_skips(&r, (char *)skips.data);
    if (!read_file(&r, "index", "", &index)) return 2;
    char *rest = (char *)index.data;
    for (char *name; (name = strsep(&rest, "\n")) && *name;)
        if (!only || strcmp(only, name) == 0) run_script(&r, name);
    for (unsigned i = 0; i < r.skips_count && !only; i++)
        if (!r.skips[i].used) fail(&r, 0, "skip is not needed", r.skips[i].place);
    buffer_done(&index);
    buffer_done(&skips);
    printf("%u texts that only the text parser refuses\n", r.refused);
    printf("%u passed, %u failed, %u skipped\n", r.passed, r.failed, r.skipped);
    return r.failed ? 1 : 0;
}
