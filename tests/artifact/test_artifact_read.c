/* What a reader sees of a sound artifact, and how opening fails for reasons outside of it. */
#include "../base/cmocka_all.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sha256.h"
#include "sample.h"

static struct artifact *open_sample(bool with_image)
{
    struct buffer file;
    struct artifact *a = NULL;
    struct error err;
    sample_write(&file, with_image, 1);
    assert_int_equal(artifact_open_bytes(file.data, file.size_bytes, &a, &err), ST_OK);
    buffer_done(&file);
    return a;
}

static void test_sections(void **state)
{
    (void)state;
    struct artifact *a = open_sample(true);
    static const size_t counts[ARTIFACT_SECTIONS_COUNT] = {
        [ARTIFACT_CODE] = 5000,    [ARTIFACT_RODATA] = 600, [ARTIFACT_FUNCS] = 5,
        [ARTIFACT_FUNC_ORDER] = 4, [ARTIFACT_TYPES] = 3,    [ARTIFACT_TYPE_CODES] = 9,
        [ARTIFACT_IMPORTS] = 1,    [ARTIFACT_EXPORTS] = 4,  [ARTIFACT_INSTANCES] = 1,
        [ARTIFACT_MEMORIES] = 1,   [ARTIFACT_TABLES] = 1,   [ARTIFACT_GLOBALS] = 2,
        [ARTIFACT_DATAS] = 2,      [ARTIFACT_ELEMENTS] = 2, [ARTIFACT_ADDRESSES] = 4,
        [ARTIFACT_LINES] = 3,      [ARTIFACT_STRINGS] = 60, [ARTIFACT_EXTENTS] = 3,
        [ARTIFACT_IMAGE] = 16384,
    };
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++) {
        size_t count;
        assert_non_null(artifact_section(a, i, &count));
        assert_int_equal(count, counts[i]);
    }
    assert_int_equal(artifact_header(a)->wasm_bytes, 1234);
    assert_string_equal(artifact_header(a)->engine, ARTIFACT_ENGINE);
    artifact_close(a);
}

/* Rodata lies right behind the code's last page, both hold what was written, and code cannot be
 * written to: the kernel's own list of mappings says so. */
static void test_mapping(void **state)
{
    (void)state;
    struct artifact *a = open_sample(true);
    size_t code_bytes, rodata_bytes;
    const uint8_t *code = artifact_code(a, &code_bytes);
    const uint8_t *rodata = artifact_rodata(a, &rodata_bytes);
    assert_int_equal(code_bytes, 5000);
    assert_int_equal(rodata_bytes, 600);
    assert_ptr_equal(rodata, code + 2 * ARTIFACT_PAGE);
    assert_int_equal(code[4999], 0xcc);
    assert_int_equal(rodata[255], 255);

    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned seen = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long long start, end;
        char modes[5];
        if (sscanf(line, "%llx-%llx %4s", &start, &end, modes) != 3) continue;
        if ((uintptr_t)code >= start && (uintptr_t)code < end) {
            assert_string_equal(modes, "r-xp");
            seen++;
        }
        if ((uintptr_t)rodata >= start && (uintptr_t)rodata < end) {
            assert_string_equal(modes, "r--p");
            seen++;
        }
    }
    fclose(maps);
    assert_int_equal(seen, 2);
    artifact_close(a);
}

/* The inode of the file behind an address. */
static unsigned long inode_at(const void *address)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long found = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long long start, end;
        unsigned long inode;
        if (sscanf(line, "%llx-%llx %*s %*s %*s %lu", &start, &end, &inode) != 3) continue;
        if ((uintptr_t)address >= start && (uintptr_t)address < end) found = inode;
    }
    fclose(maps);
    return found;
}

static struct artifact *open_other_code(void)
{
    struct buffer file;
    struct artifact *a = NULL;
    struct error err;
    sample_write(&file, true, 1);
    struct artifact_header *h = (void *)file.data;
    const struct artifact_section_entry *code = &h->sections[ARTIFACT_CODE];
    file.data[code->offset + 20] = 0x90;
    sha256(file.data + code->offset, code->size_bytes, h->code_digest);
    sample_fix_digest(file.data, file.size_bytes);
    assert_int_equal(artifact_open_bytes(file.data, file.size_bytes, &a, &err), ST_OK);
    buffer_done(&file);
    return a;
}

/* Two files of equal code: it is mapped out of one of them, for as long as either is open. */
static void test_shared_code(void **state)
{
    (void)state;
    struct artifact *one = open_sample(false), *two = open_sample(true);
    struct artifact *other = open_other_code();
    unsigned long inode = inode_at(artifact_code(one, NULL));
    assert_int_not_equal(inode, 0);
    assert_int_equal(inode_at(artifact_code(two, NULL)), inode);
    assert_int_not_equal(inode_at(artifact_rodata(two, NULL)), inode);
    assert_int_not_equal(inode_at(artifact_code(other, NULL)), inode);
    assert_int_equal(artifact_code(other, NULL)[20], 0x90);
    artifact_close(one);
    assert_int_equal(artifact_code(two, NULL)[20], 0xcc);
    assert_int_equal(artifact_rodata(two, NULL)[255], 255);
    struct artifact *three = open_sample(true);
    assert_int_equal(inode_at(artifact_code(three, NULL)), inode);
    artifact_close(two);
    artifact_close(other);
    assert_int_equal(artifact_code(three, NULL)[4999], 0xcc);
    artifact_close(three);
    struct artifact *four = open_sample(true);
    assert_int_not_equal(inode_at(artifact_code(four, NULL)), inode);
    artifact_close(four);
}

static void test_image(void **state)
{
    (void)state;
    struct artifact *a = open_sample(true);
    uint64_t offset = artifact_file_offset(a, ARTIFACT_IMAGE);
    assert_int_equal(offset % ARTIFACT_PAGE, 0);
    uint8_t *page = mmap(NULL, 4 * ARTIFACT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                         artifact_fd(a), (off_t)offset);
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(page[0], 1);
    assert_int_equal(page[4 * ARTIFACT_PAGE - 1], 4);
    page[0] = 9; /* private: the artifact stays as it is */
    munmap(page, 4 * ARTIFACT_PAGE);
    assert_int_equal(((const uint8_t *)artifact_section(a, ARTIFACT_IMAGE, NULL))[0], 1);
    artifact_close(a);
}

static void test_find_func(void **state)
{
    (void)state;
    struct artifact *a = open_sample(false);
    const struct artifact_func *funcs = artifact_section(a, ARTIFACT_FUNCS, NULL);
    static const struct {
        uint32_t at;
        int func; /* -1: none */
    } cases[] = {
        {0, -1},   {15, -1},  {16, 2},    {63, 2},    {64, 4},    {79, 4},
        {80, -1},  {511, -1}, {512, 1},   {611, 1},   {612, -1},  {4199, -1},
        {4200, 3}, {4263, 3}, {4264, -1}, {4300, -1}, {4999, -1}, {UINT32_MAX, -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct artifact_func *f = artifact_find_func(a, cases[i].at);
        assert_ptr_equal(f, cases[i].func < 0 ? NULL : &funcs[cases[i].func]);
    }
    artifact_close(a);
}

static void test_find_offset_and_line(void **state)
{
    (void)state;
    struct artifact *a = open_sample(false);
    static const uint32_t offsets[][2] = {{15, 0},  {16, 90}, {29, 90},  {30, 95},
                                          {63, 95}, {64, 0},  {4199, 0}, {4200, 120}};
    for (size_t i = 0; i < ARRAY_COUNT(offsets); i++) {
        uint32_t found = 0;
        assert_int_equal(artifact_find_wasm_offset(a, offsets[i][0], &found), offsets[i][1] != 0);
        assert_int_equal(found, offsets[i][1]);
    }
    static const uint32_t rows[][3] = {{0, 87, 0}, {0, 88, 7}, {0, 93, 7}, {0, 94, 8},
                                       {0, 98, 8}, {0, 99, 0}, {1, 94, 0}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *file = NULL;
        uint32_t line = 0;
        assert_int_equal(artifact_find_line(a, rows[i][0], rows[i][1], &file, &line),
                         rows[i][2] != 0);
        assert_int_equal(line, rows[i][2]);
        if (line) assert_string_equal(file, "src/add.c");
    }
    artifact_close(a);
}

static void test_find_export(void **state)
{
    (void)state;
    struct artifact *a = open_sample(false);
    const struct artifact_export *x = artifact_find_export(a, "add", 0);
    assert_non_null(x);
    assert_int_equal(x->index, 2);
    assert_int_equal(artifact_find_export(a, "add", 1)->index, 0);
    assert_int_equal(artifact_find_export(a, "hello", 2)->index, 0);
    assert_null(artifact_find_export(a, "add", 2));
    assert_null(artifact_find_export(a, "ad", 0));
    assert_null(artifact_find_export(a, "", 0));
    artifact_close(a);
}

static void test_paths(void **state)
{
    (void)state;
    char folder[] = "/tmp/mayfly-artifact-XXXXXX", path[64], link_path[64];
    struct buffer file;
    struct artifact *a = NULL;
    struct error err;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.mfa", folder);
    snprintf(link_path, sizeof link_path, "%s/link.mfa", folder);
    sample_write(&file, true, 1);
    assert_int_equal(artifact_open(path, &a, &err), ST_NOT_FOUND);
    assert_int_equal(file_write_atomic(path, file.data, file.size_bytes, &err), ST_OK);
    assert_int_equal(artifact_open(path, &a, &err), ST_OK);
    artifact_close(a);
    a = NULL;
    assert_int_equal(symlink(path, link_path), 0);
    assert_int_equal(artifact_open(link_path, &a, &err), ST_DENIED);
    assert_non_null(strstr(err.text, "symbolic link"));
    unlink(link_path);
    assert_int_equal(mkfifo(link_path, 0600), 0);
    assert_int_equal(artifact_open(link_path, &a, &err), ST_CORRUPT); /* and does not hang */
    assert_int_equal(artifact_open(folder, &a, &err), ST_CORRUPT);
    assert_int_equal(file_write_atomic(path, "", 0, &err), ST_OK);
    assert_int_equal(artifact_open(path, &a, &err), ST_CORRUPT);
    assert_non_null(strstr(err.text, path));
    assert_null(a);
    unlink(path);
    unlink(link_path);
    rmdir(folder);
    buffer_done(&file);
}

static void test_memory_file_is_sealed(void **state)
{
    (void)state;
    struct artifact *a = open_sample(false);
    assert_int_equal(write(artifact_fd(a), "x", 1), -1);
    assert_int_equal(ftruncate(artifact_fd(a), 0), -1);
    assert_int_equal(fcntl(artifact_fd(a), F_GET_SEALS),
                     F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    artifact_close(a);
    artifact_close(NULL);
}

static void test_trap_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRAP_KINDS_COUNT; i++) {
        assert_non_null(trap_kind_text(i));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(trap_kind_text(i), trap_kind_text(k));
    }
    assert_string_equal(trap_kind_text(TRAP_MEMORY_BOUNDS), "out of bounds memory access");
    assert_string_equal(trap_kind_text(TRAP_KINDS_COUNT), "unknown trap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_shared_code),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_find_func),
        cmocka_unit_test(test_find_offset_and_line),
        cmocka_unit_test(test_find_export),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_memory_file_is_sealed),
        cmocka_unit_test(test_trap_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
