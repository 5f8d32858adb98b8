/* component_execute FOLDER SKIPS LEVEL [--only NAME] [--texts] [--sliced]
 *
 * Runs the component model's suite, as converted into FOLDER by convert.mjs (script.mjs describes
 * it), outside of async/: every component is compiled at LEVEL (fast, optimised), instantiated, and
 * called with values as text. SKIPS is as for component_runner: one "PATH:LINE reason" a line; a
 * line that instantiates stands for all that follows with that instance. With --sliced guests are
 * interrupted as often as may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "execute.h"
#include "runtime/runtime.h"

#define SCRIPT_BYTES_MAX (64u * 1024u * 1024u)
#define SKIPS_MAX        256u
#define INSTANCES_MAX    4096u
#define TEXT_BYTES_MAX   (1u << 20)

struct skip {
    const char *place, *reason;
    bool used;
};

struct runner {
    const char *folder, *path;
    enum codegen_level level;
    bool texts;
    struct skip skips[SKIPS_MAX];
    unsigned skips_count;
    struct executed *instances[INSTANCES_MAX];
    bool skipped_instances[INSTANCES_MAX];
    unsigned passed, failed, skipped;
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
    for (unsigned k = 0; k < r->skips_count; k++) {
        if (strcmp(r->skips[k].place, place) != 0) continue;
        r->skips[k].used = true;
        r->skipped++;
        printf("skip %s: %s\n", place, r->skips[k].reason);
        return true;
    }
    return false;
}

/* The suite's words for a trap, of which ours have to hold the gist. */
static bool is_trap(const char *wanted, const char *got)
{
    if (strncmp(wanted, "wasm trap: ", 11) == 0) wanted += 11;
    if (strcmp(wanted, "wasm `unreachable` instruction executed") == 0) wanted = "unreachable";
    return strstr(got, wanted) != NULL;
}

static void instantiate(struct runner *r, unsigned line, unsigned number, const uint8_t *bytes,
                        size_t size, const char *trap)
{
    struct error err = {0};
    struct executed *e = NULL;
    if (number >= INSTANCES_MAX) return fail(r, line, "too many instances", "");
    if (is_skipped(r, line)) {
        r->skipped_instances[number] = true;
        return;
    }
    enum status st = executed_new(bytes, size, r->level, &e, &err);
    r->instances[number] = e;
    const char *got = st ? "" : executed_trap(e);
    if (st) {
        fail(r, line, "no instance", err.text);
        r->skipped_instances[number] = true;
    } else if (!trap && *got) {
        fail(r, line, "instantiation trapped", got);
    } else if (trap && (!*got || !is_trap(trap, got))) {
        fail(r, line, *got ? "another trap at instantiation" : "no trap at instantiation", got);
    } else {
        r->passed++;
    }
}

static void check_return(struct runner *r, unsigned line, struct executed *e, const char *name,
                         const char *args, const char *wanted)
{
    struct buffer got, expected;
    buffer_init(&got, TEXT_BYTES_MAX);
    buffer_init(&expected, TEXT_BYTES_MAX);
    if (!executed_call(e, name, args, &got))
        fail(r, line, "trapped", executed_trap(e));
    else if (!wanted)
        r->passed++;
    else if (!executed_result(e, name, wanted, &expected))
        fail(r, line, "not a value", wanted);
    else if (got.size_bytes != expected.size_bytes ||
             (got.size_bytes && memcmp(got.data, expected.data, got.size_bytes) != 0))
        fail(r, line, "another value", got.data ? (const char *)got.data : "");
    else
        r->passed++;
    buffer_done(&got);
    buffer_done(&expected);
}

static void check_trap(struct runner *r, unsigned line, struct executed *e, const char *name,
                       const char *args, const char *wanted)
{
    struct buffer got;
    buffer_init(&got, TEXT_BYTES_MAX);
    if (executed_call(e, name, args, &got))
        fail(r, line, "no trap, expected", wanted);
    else if (!is_trap(wanted, executed_trap(e)))
        fail(r, line, wanted, executed_trap(e));
    else
        r->passed++;
    buffer_clear(&got);
    if (r->texts) executed_print_trap(e, &got);
    if (r->texts) printf("%s:%u: %.*s", r->path, line, (int)got.size_bytes, (char *)got.data);
    buffer_done(&got);
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

/* `rest`: "field args…", and " -> …" behind it but for an invoke. */
static void run_call(struct runner *r, const char *verb, unsigned line, unsigned number, char *rest)
{
    struct executed *e = number < INSTANCES_MAX ? r->instances[number] : NULL;
    char *arrow = strstr(rest, " ->"), *wanted = arrow ? arrow + 3 : rest + strlen(rest);
    if (number < INSTANCES_MAX && r->skipped_instances[number]) {
        r->skipped++;
        return;
    }
    if (is_skipped(r, line)) return;
    if (!e) return fail(r, line, "no such instance", rest);
    if (arrow) *arrow = 0;
    while (*wanted == ' ') wanted++;
    char *args = strchr(rest, ' ');
    if (args) *args++ = 0;
    unescape(rest);
    if (strcmp(verb, "trap") == 0) {
        unescape(wanted);
        check_trap(r, line, e, rest, args ? args : "", *wanted == '"' ? wanted + 1 : wanted);
    } else {
        check_return(r, line, e, rest, args ? args : "", strcmp(verb, "return") ? NULL : wanted);
    }
}

static void run_line(struct runner *r, char *text, const struct buffer *binary)
{
    char verb[32] = "";
    unsigned line = 0, number = 0;
    size_t offset = 0, size = 0;
    char *quote = strchr(text, '"');
    if (sscanf(text, "%31s %u", verb, &line) != 2) return fail(r, 0, "not a command", text);
    bool trapping = strcmp(verb, "trapping") == 0;
    if (trapping || strcmp(verb, "instantiate") == 0) {
        if (sscanf(text, "%*s %*u %u %zu %zu", &number, &offset, &size) != 3)
            return fail(r, line, "not a command", text);
        if (trapping && quote) unescape(quote);
        instantiate(r, line, number, binary->data + offset, size,
                    trapping ? (quote ? quote + 1 : "") : NULL);
    } else if (strcmp(verb, "invoke") == 0 || strcmp(verb, "return") == 0 ||
               strcmp(verb, "trap") == 0) {
        if (sscanf(text, "%*s %*u %u", &number) != 1 || !quote)
            return fail(r, line, "not a command", text);
        run_call(r, verb, line, number, quote + 1);
    }
}

static bool read_file(struct runner *r, const char *name, const char *suffix, struct buffer *ret)
{
    char path[4096];
    struct error err;
    snprintf(path, sizeof path, "%s/%s%s", r->folder, name, suffix);
    buffer_init(ret, SCRIPT_BYTES_MAX);
    if (file_read(path, ret, &err)) {
        r->path = path;
        fail(r, 0, "not read", err.text);
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
        r->path = path ? path + 1 : name;
        if (strncmp(r->path, "async/", 6) != 0)
            while ((line = strsep(&rest, "\n")) && *line) run_line(r, line, &binary);
    }
    for (unsigned k = 0; k < INSTANCES_MAX; k++) {
        executed_free(r->instances[k]);
        r->instances[k] = NULL;
        r->skipped_instances[k] = false;
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

static bool read_options(struct runner *r, int argc, char **argv, const char **only)
{
    if (argc < 4) return false;
    r->level = strcmp(argv[3], "optimised") == 0 ? CODEGEN_OPTIMISED : CODEGEN_FAST;
    r->folder = argv[1];
    for (int k = 4; k < argc; k++) {
        if (!strcmp(argv[k], "--only") && k + 1 < argc) *only = argv[++k];
        if (!strcmp(argv[k], "--texts")) r->texts = true;
        if (!strcmp(argv[k], "--sliced")) executed_set_slice(INSTANCE_SLICE_NS_MIN);
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct runner r;
    const char *only = NULL;
    struct buffer index = {0}, skips;
    struct error err;
    if (!read_options(&r, argc, argv, &only) || executed_init(&err)) return 2;
    buffer_init(&skips, SCRIPT_BYTES_MAX);
    if (file_read(argv[2], &skips, &err) || buffer_append(&skips, "", 1)) return 2;
    read_skips(&r, (char *)skips.data);
    if (!read_file(&r, "index", "", &index)) return 2;
    char *rest = (char *)index.data;
    for (char *name; (name = strsep(&rest, "\n")) && *name;)
        if (!only || strcmp(only, name) == 0) run_script(&r, name);
    r.path = argv[2];
    for (unsigned k = 0; k < r.skips_count && !only; k++)
        if (!r.skips[k].used) fail(&r, 0, "skip is not needed", r.skips[k].place);
    buffer_done(&index);
    buffer_done(&skips);
    printf("%u passed, %u failed, %u skipped\n", r.passed, r.failed, r.skipped);
    return r.failed ? 1 : 0;
}
