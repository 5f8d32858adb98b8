#include "guest_lines.h"

#include <stdlib.h>
#include <string.h>

#include "dwarf_line.h"

#define SECTION_CODE     10u
#define MODULE_HEADER    8u
#define DIRECTORIES_MAX  (1u << 20)
#define FILES_MAX        (1u << 20)
#define PATHS_SLOTS_LOG2 16u /* of the table that finds equal paths again */
#define PATHS_PROBES_MAX 64u
#define FILE_UNSEEN      UINT32_MAX
#define FIRST_BODY_MIN   2u /* of the Code section: its count and the first body's size */

/* One file of the unit at hand. */
struct unit_file {
    uint64_t directory;
    struct dwarf_bytes name;
    uint32_t string; /* once it was used; FILE_UNSEEN before */
};

struct lines {
    struct linker *l;
    struct buffer rows;        /* struct artifact_line, of the instance at hand */
    struct buffer directories; /* struct dwarf_bytes, of the unit at hand */
    struct buffer files;       /* struct unit_file */
    uint32_t *paths;           /* hash table of string offsets, 0 where free */
    uint32_t instance;
    uint16_t version;
    bool in_dead_sequence;
    size_t path_bytes_left;         /* of GUEST_LINES_PATHS_BYTES_MAX */
    size_t code_offset, code_bytes; /* contents of the Code section */
};

/* ---- paths ---- */

/* A path that is there already, or a new string. When the table is crowded around its place, the
 * path is stored once more: that costs bytes, not time. */
static uint32_t intern_path(struct lines *g, const char *path, size_t size_bytes)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < size_bytes; i++) hash = (hash ^ (uint8_t)path[i]) * 1099511628211u;
    const struct buffer *strings = &g->l->parts[ARTIFACT_STRINGS];
    size_t mask = ((size_t)1 << PATHS_SLOTS_LOG2) - 1;
    for (size_t n = 0; n < PATHS_PROBES_MAX; n++) {
        uint32_t *slot = &g->paths[(hash + n) & mask];
        if (!*slot) {
            *slot = linker_add_string(g->l, path, size_bytes);
            return strings->failed ? 0 : *slot;
        }
        const char *known = (const char *)strings->data + *slot;
        if (!strncmp(known, path, size_bytes) && !known[size_bytes]) return *slot;
    }
    return linker_add_string(g->l, path, size_bytes);
}

static size_t join(char *path, size_t at, struct dwarf_bytes text)
{
    size_t left = GUEST_LINES_PATH_MAX - at;
    size_t size = text.size_bytes < left ? text.size_bytes : left;
    if (size) memcpy(path + at, text.bytes, size);
    return at + size;
}

/* "directory/name"; the directory of the compilation itself is left out, so that paths are as they
 * were given to the compiler. */
static uint32_t file_string(struct lines *g, uint64_t file)
{
    const uint32_t first = g->version < 5; /* numbers start at 1 before DWARF 5 */
    struct unit_file *files = (void *)g->files.data;
    const struct dwarf_bytes *directories = (const void *)g->directories.data;
    if (file < first || file - first >= g->files.size_bytes / sizeof *files) return 0;
    struct unit_file *f = &files[file - first];
    if (f->string != FILE_UNSEEN) return f->string;

    char path[GUEST_LINES_PATH_MAX];
    size_t size = 0, count = g->directories.size_bytes / sizeof *directories;
    bool absolute = f->name.size_bytes && f->name.bytes[0] == '/';
    if (!absolute && f->directory && f->directory - first < count) {
        size = join(path, size, directories[f->directory - first]);
        size = join(path, size, (struct dwarf_bytes){(const uint8_t *)"/", 1});
    }
    size = join(path, size, f->name);
    f->string = 0;
    if (size && size <= g->path_bytes_left) {
        g->path_bytes_left -= size;
        f->string = intern_path(g, path, size);
    }
    return f->string;
}

static bool add_directory(void *context, struct dwarf_bytes text)
{
    struct lines *g = context;
    return g->directories.size_bytes / sizeof text < DIRECTORIES_MAX &&
           !buffer_append(&g->directories, &text, sizeof text);
}

static bool add_file(void *context, uint64_t directory, struct dwarf_bytes text)
{
    struct lines *g = context;
    struct unit_file f = {directory, text, FILE_UNSEEN};
    return g->files.size_bytes / sizeof f < FILES_MAX && !buffer_append(&g->files, &f, sizeof f);
}

/* ---- rows ---- */

/* Addresses are offsets into the contents of the Code section (DWARF for WebAssembly §2). The
 * sequences of functions that the guest's linker has thrown away begin at 0 or at a tombstone. */
static bool collect_row(void *context, const struct dwarf_line_row *row)
{
    struct lines *g = context;
    if (row->starts_sequence)
        g->in_dead_sequence = row->address < FIRST_BODY_MIN || row->address >= g->code_bytes;
    if (g->in_dead_sequence || row->address > g->code_bytes) return true;
    size_t count = g->rows.size_bytes / sizeof(struct artifact_line);
    size_t kept = g->l->parts[ARTIFACT_LINES].size_bytes / sizeof(struct artifact_line);
    if (kept + count >= GUEST_LINES_ROWS_MAX) return false;
    struct artifact_line line = {
        .instance = (uint32_t)count, /* for now: keeps the order of rows at one offset */
        .wasm_offset = (uint32_t)(g->code_offset + row->address),
        .file = row->ends_sequence || !row->line ? 0 : file_string(g, row->file),
    };
    if (line.file) line.line = row->line;
    return !buffer_append(&g->rows, &line, sizeof line);
}

static int compare_lines(const void *a, const void *b)
{
    const struct artifact_line *x = a, *y = b;
    if (x->wasm_offset != y->wasm_offset) return x->wasm_offset < y->wasm_offset ? -1 : 1;
    return (x->instance > y->instance) - (x->instance < y->instance);
}

static bool is_sorted(const struct artifact_line *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (rows[i - 1].wasm_offset > rows[i].wasm_offset) return false;
    return true;
}

/* Appends the instance's rows, sorted, to LINES: of rows at one offset a known source wins over
 * none, then the later one; a row that says what the one before it says is dropped. */
static void append_rows(struct lines *g)
{
    struct artifact_line *rows = (void *)g->rows.data;
    size_t count = g->rows.size_bytes / sizeof *rows;
    struct buffer *out = &g->l->parts[ARTIFACT_LINES];
    size_t first = out->size_bytes / sizeof *rows;
    if (!is_sorted(rows, count)) qsort(rows, count, sizeof *rows, compare_lines);
    for (size_t i = 0; i < count && !out->failed; i++) {
        rows[i].instance = g->instance;
        struct artifact_line *last = (void *)out->data;
        size_t have = out->size_bytes / sizeof *rows;
        if (have > first && last[have - 1].wasm_offset == rows[i].wasm_offset) {
            if (!rows[i].file) continue;
            out->size_bytes -= sizeof *rows;
            have--;
        }
        bool same = have > first
                        ? last[have - 1].file == rows[i].file && last[have - 1].line == rows[i].line
                        : !rows[i].file;
        if (!same) buffer_append(out, &rows[i], sizeof rows[i]);
    }
}

static void collect_unit(struct lines *g, const struct dwarf_line_unit *unit)
{
    const struct dwarf_line_names names = {add_directory, add_file, g};
    const struct dwarf_line_visitor visitor = {NULL, collect_row, g};
    buffer_clear(&g->directories);
    buffer_clear(&g->files);
    g->version = unit->version;
    g->in_dead_sequence = true;
    if (dwarf_line_read_names(unit, &names) && !dwarf_line_run(unit, &visitor)) return;
}

/* ---- modules ---- */

/* Finds the contents of the Code section in a module that has been decoded, so is well-formed. */
static bool find_code(const struct wasm_module *m, size_t *ret_offset, size_t *ret_bytes)
{
    size_t at = MODULE_HEADER;
    while (at < m->size_bytes) {
        uint8_t id = m->bytes[at++];
        uint64_t size = 0;
        unsigned shift = 0;
        for (; at < m->size_bytes && shift < 35; shift += 7) {
            uint8_t byte = m->bytes[at++];
            size |= (uint64_t)(byte & 0x7f) << shift;
            if (!(byte & 0x80)) break;
        }
        if (size > m->size_bytes - at) return false;
        *ret_offset = at;
        *ret_bytes = (size_t)size;
        if (id == SECTION_CODE) return true;
        at += (size_t)size;
    }
    return false;
}

static struct dwarf_bytes custom_bytes(const struct wasm_module *m, const char *name)
{
    const struct wasm_custom *c = wasm_module_custom(m, name);
    if (!c) return (struct dwarf_bytes){NULL, 0};
    return (struct dwarf_bytes){m->bytes + c->offset, c->size_bytes};
}

static void collect_instance(struct lines *g, uint32_t instance)
{
    const struct wasm_module *m = g->l->program->instances[instance].module;
    const struct dwarf_line_sections sections = {
        .line = custom_bytes(m, ".debug_line"),
        .line_str = custom_bytes(m, ".debug_line_str"),
        .str = custom_bytes(m, ".debug_str"),
    };
    struct dwarf_line_unit unit;
    size_t at = 0;
    if (!sections.line.size_bytes || !find_code(m, &g->code_offset, &g->code_bytes)) return;
    g->instance = instance;
    buffer_clear(&g->rows);
    while (dwarf_line_next(&sections, &at, &unit)) collect_unit(g, &unit);
    append_rows(g);
}

void guest_lines_build(struct linker *l)
{
    struct lines g = {.l = l, .path_bytes_left = GUEST_LINES_PATHS_BYTES_MAX};
    g.paths = calloc((size_t)1 << PATHS_SLOTS_LOG2, sizeof *g.paths);
    buffer_init(&g.rows, ARTIFACT_BYTES_MAX);
    buffer_init(&g.directories, ARTIFACT_BYTES_MAX);
    buffer_init(&g.files, ARTIFACT_BYTES_MAX);
    for (uint32_t i = 0; g.paths && i < l->program->instances_count; i++) collect_instance(&g, i);
    buffer_done(&g.rows);
    buffer_done(&g.directories);
    buffer_done(&g.files);
    free(g.paths);
}
