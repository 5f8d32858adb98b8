/* Modules out of text and objects out of C, for the tests of layout and linker. */
#ifndef TESTS_CODEGEN_LINK_FIXTURE_H
#define TESTS_CODEGEN_LINK_FIXTURE_H

#include "artifact/artifact.h"
#include "base/buffer.h"
#include "layout.h"
#include "linker.h"
#include "wasm/program.h"

/* A program of one instance of one module. */
struct link_program {
    struct buffer wasm;
    struct wasm_module *module;
    struct program_builder *builder;
    const struct program *program;
};

/* Assembles WebAssembly text with wat2wasm. */
void link_assemble(struct buffer *wasm, const char *text);
void link_program_from_text(struct link_program *p, const char *text);
/* Takes the bytes of a module. */
void link_program_from_bytes(struct link_program *p, struct buffer *take_wasm);
void link_program_done(struct link_program *p);

/* Compiles C with clang-19; `flags` go behind those that every object gets. */
void link_object(struct buffer *object, const char *source, const char *flags);

/* Compiles and links C for wasm32-wasi; `name` is the source's path below a fresh folder, from
 * which the compiler runs. */
void link_guest(struct buffer *wasm, const char *name, const char *source, const char *flags);

/* Links objects for `p`; *artifact is opened from the file's bytes on success, and the file goes to
 * *ret_file when that is not NULL. */
enum status link_program(const struct link_program *p, const struct buffer *objects,
                         size_t objects_count, struct artifact **ret_artifact,
                         struct buffer *ret_file, struct error *err);

#endif
