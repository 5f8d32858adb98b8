/* A trap as text for people. */
#include <string.h>

#include "instance.h"

/* Names come out of the guest: this much of one is printed. */
#define TRAP_NAME_BYTES_MAX 200u

/* Names are hostile: a newline must not forge a line of a log, nor an escape reach a terminal. */
static void append_clean(struct buffer *b, const char *text)
{
    size_t length = strnlen(text, TRAP_NAME_BYTES_MAX + 1);
    bool cut = length > TRAP_NAME_BYTES_MAX;
    if (cut) length = TRAP_NAME_BYTES_MAX;
    for (size_t k = 0; k < length; k++) {
        unsigned char c = (unsigned char)text[k];
        uint8_t clean = c < 0x20 || c == 0x7f ? '?' : c;
        buffer_append(b, &clean, 1);
    }
    if (cut) buffer_append_string(b, "...");
}

static void append_function(struct buffer *b, const struct module *m, const struct artifact_func *f)
{
    const char *instance_name = f->instance < m->instances_count
                                    ? artifact_string(m->artifact, m->instances[f->instance].name)
                                    : "";
    if (m->instances_count > 1 && *instance_name) {
        append_clean(b, instance_name);
        buffer_append_string(b, "!");
    }
    if (f->name)
        append_clean(b, artifact_string(m->artifact, f->name));
    else
        buffer_printf(b, "function %u", f->index);
}

enum status trap_print(const struct instance *i, struct buffer *text)
{
    const struct module *m = i->module;
    const struct trap *trap = &i->trap;
    buffer_printf(text, "wasm trap: %s", trap_kind_text(trap->kind));
    if (trap->text[0]) {
        buffer_append_string(text, ": ");
        append_clean(text, trap->text);
    }
    buffer_append_string(text, "\n");
    for (uint32_t k = 0; k < trap->frames_count; k++) {
        const struct trap_frame *frame = &trap->frames[k];
        const struct artifact_func *f = &m->funcs[frame->func];
        buffer_append_string(text, "    at ");
        append_function(text, m, f);
        const char *file;
        uint32_t line;
        if (frame->wasm_offset &&
            artifact_find_line(m->artifact, f->instance, frame->wasm_offset, &file, &line)) {
            buffer_append_string(text, " (");
            append_clean(text, file);
            buffer_printf(text, ":%u)", line);
        }
        if (frame->wasm_offset) buffer_printf(text, "  0x%x", frame->wasm_offset);
        buffer_append_string(text, "\n");
    }
    if (trap->frames_cut) buffer_append_string(text, "    ...\n");
    return text->failed ? ST_LIMIT : ST_OK;
}
