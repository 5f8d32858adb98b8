/* Source lines of guests, as clang's DWARF tells them, and what hostile DWARF does: nothing. */
#include "../base/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "guest_lines.h"
#include "link_fixture.h"

static const char source[] = "int twice(int);\n"
                             "__attribute__((noinline)) int twice(int x)\n"
                             "{\n"
                             "    return x + x;\n"
                             "}\n"
                             "__attribute__((export_name(\"run\"))) int run(int *p)\n"
                             "{\n"
                             "    *p = twice(*p);\n"
                             "#line 900 \"other/made.c\"\n"
                             "    return twice(*p);\n"
                             "}\n"
                             "__attribute__((noinline)) static int dead(int x)\n"
                             "{\n"
                             "    return x * 3;\n"
                             "}\n"
                             "int dead_too(int x) { return dead(x); }\n";

static void lines_init(struct linker *l, const struct program *p)
{
    *l = (struct linker){.program = p};
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++)
        buffer_init(&l->parts[i], ARTIFACT_BYTES_MAX);
    buffer_append(&l->parts[ARTIFACT_STRINGS], "", 1);
}

static void lines_done(struct linker *l)
{
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) buffer_done(&l->parts[i]);
}

/* What the artifact's reader will insist on. */
static void check_rows(const struct linker *l)
{
    const struct buffer *lines = &l->parts[ARTIFACT_LINES];
    const struct buffer *strings = &l->parts[ARTIFACT_STRINGS];
    const struct artifact_line *rows = (const void *)lines->data;
    assert_false(lines->failed || strings->failed);
    assert_int_equal(strings->data[strings->size_bytes - 1], 0);
    for (size_t i = 0; i < lines->size_bytes / sizeof *rows; i++) {
        assert_true(rows[i].instance < l->program->instances_count);
        assert_true(rows[i].file < strings->size_bytes);
        if (i && rows[i].instance == rows[i - 1].instance)
            assert_true(rows[i].wasm_offset > rows[i - 1].wasm_offset);
    }
}

/* The line of the last row at or before `offset`; 0: none. */
static uint32_t line_at(const struct linker *l, size_t offset, const char **ret_file)
{
    const struct buffer *lines = &l->parts[ARTIFACT_LINES];
    const struct artifact_line *rows = (const void *)lines->data;
    uint32_t line = 0;
    for (size_t i = 0; i < lines->size_bytes / sizeof *rows && rows[i].wasm_offset <= offset; i++) {
        line = rows[i].line;
        *ret_file = (const char *)l->parts[ARTIFACT_STRINGS].data + rows[i].file;
    }
    return line;
}

static uint32_t export_func(const struct wasm_module *m, const char *name)
{
    for (uint32_t i = 0; i < m->exports_count; i++)
        if (!strcmp(m->exports[i].name.text, name)) return m->exports[i].index;
    fail();
    return 0;
}

/* Every offset of `run`'s body belongs to line 8 or 900 or to the lines of its braces, and both
 * files are met. */
static void check_run(const char *flags)
{
    struct buffer wasm;
    struct link_program p;
    struct linker l;
    link_guest(&wasm, "lib/guest.c", source, flags);
    link_program_from_bytes(&p, &wasm);
    lines_init(&l, p.program);
    guest_lines_build(&l);
    check_rows(&l);
    assert_true(l.parts[ARTIFACT_LINES].size_bytes > 0);
    unsigned own = 0, made = 0;
    const struct wasm_func *f = &p.module->funcs[export_func(p.module, "run")];
    for (size_t at = f->body_offset; at < f->body_end; at++) {
        const char *file = "";
        uint32_t line = line_at(&l, at, &file);
        if (line >= 900) {
            assert_true(line <= 901);
            assert_string_equal(file, "other/made.c");
            made++;
        } else if (line) {
            assert_true(line >= 6 && line <= 8);
            assert_string_equal(file, "lib/guest.c");
            own++;
        }
    }
    assert_true(own > 4 && made > 4);
    lines_done(&l);
    link_program_done(&p);
}

static void test_dwarf_versions(void **state)
{
    (void)state;
    check_run("-O0 -g -gdwarf-4");
    check_run("-O0 -g -gdwarf-5");
    check_run("-O1 -g -gdwarf-5");
    check_run("-O1 -gline-tables-only -gdwarf-4");
    check_run("-O1 -g -gdwarf-3");
    check_run("-O1 -g -gdwarf-2");
}

static void test_no_dwarf(void **state)
{
    (void)state;
    struct buffer wasm;
    struct link_program p;
    struct linker l;
    link_guest(&wasm, "guest.c", source, "-O1");
    link_program_from_bytes(&p, &wasm);
    lines_init(&l, p.program);
    guest_lines_build(&l);
    assert_int_equal(l.parts[ARTIFACT_LINES].size_bytes, 0);
    lines_done(&l);
    link_program_done(&p);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Random bytes of the debugging sections changed, many times over: never a crash, never rows that
 * the reader would refuse. */
static void test_hostile(void **state)
{
    (void)state;
    struct buffer wasm;
    struct link_program p;
    static const char *const sections[] = {".debug_line", ".debug_line_str", ".debug_str"};
    link_guest(&wasm, "lib/guest.c", source, "-O0 -g -gdwarf-5");
    link_program_from_bytes(&p, &wasm);
    uint32_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        const struct wasm_custom *c = wasm_module_custom(p.module, sections[round % 8 < 6 ? 0 : 1]);
        struct linker l;
        uint8_t undo[8];
        uint32_t at[8];
        assert_non_null(c);
        for (unsigned i = 0; i < 8; i++) {
            at[i] = (uint32_t)(c->offset + next_random(&seed) % c->size_bytes);
            undo[i] = p.wasm.data[at[i]];
            if (i <= round % 8) p.wasm.data[at[i]] = (uint8_t)next_random(&seed);
        }
        lines_init(&l, p.program);
        guest_lines_build(&l);
        check_rows(&l);
        lines_done(&l);
        for (unsigned i = 8; i--;) p.wasm.data[at[i]] = undo[i];
    }
    link_program_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dwarf_versions),
        cmocka_unit_test(test_no_dwarf),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
