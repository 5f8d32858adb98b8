/* Writing: the same parts give the same bytes, images are swapped in, limits are kept. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "sample.h"

static void test_deterministic(void **state)
{
    (void)state;
    struct buffer one, two, other;
    sample_write(&one, true, 1);
    sample_write(&two, true, 1);
    sample_write(&other, true, 2);
    assert_int_equal(one.size_bytes, two.size_bytes);
    assert_memory_equal(one.data, two.data, one.size_bytes);
    assert_memory_not_equal(one.data, other.data, sizeof(struct artifact_header));
    buffer_done(&one);
    buffer_done(&two);
    buffer_done(&other);
}

static struct artifact *open_buffer(const struct buffer *file)
{
    struct artifact *a = NULL;
    struct error err;
    assert_int_equal(artifact_open_bytes(file->data, file->size_bytes, &a, &err), ST_OK);
    return a;
}

/* Everything but the image is as before, byte for byte. */
static void test_image(void **state)
{
    (void)state;
    struct buffer file, second;
    struct error err;
    uint8_t pages[3 * ARTIFACT_PAGE];
    const struct artifact_extent extents[] = {
        {-8192, ARTIFACT_PAGE, 77},
        {65536, 2 * ARTIFACT_PAGE, 88},
    };
    const uint64_t memory_pages[] = {3};
    const struct artifact_image image = {extents, 2, {pages, sizeof pages}, memory_pages, true};
    memset(pages, 5, sizeof pages);
    sample_write(&file, false, 1);
    struct artifact *a = open_buffer(&file);
    assert_int_equal(artifact_header(a)->flags & ARTIFACT_INITIALISED, 0);
    buffer_init(&second, 1 << 20);
    buffer_append(&second, "12345678", 8); /* appends: what is there stays */
    assert_int_equal(artifact_write_image(a, &image, &second, &err), ST_OK);
    buffer_consume(&second, 8);
    struct artifact *b = open_buffer(&second);
    const uint32_t flags = ARTIFACT_INITIALISED | ARTIFACT_STARTED;
    assert_int_equal(artifact_header(b)->flags & flags, flags);
    const struct artifact_memory *memory = artifact_section(b, ARTIFACT_MEMORIES, NULL);
    assert_int_equal(memory->pages_min, 3);
    for (unsigned i = 0; i < ARTIFACT_EXTENTS; i++) {
        if (i == ARTIFACT_MEMORIES) continue;
        size_t x, y;
        const void *p = artifact_section(a, i, &x), *q = artifact_section(b, i, &y);
        assert_int_equal(x, y);
        assert_memory_equal(p, q, artifact_header(a)->sections[i].size_bytes);
    }
    const struct artifact_extent *e = artifact_section(b, ARTIFACT_EXTENTS, NULL);
    assert_int_equal(e[0].image_offset, 0);
    assert_int_equal(e[1].image_offset, ARTIFACT_PAGE);
    artifact_close(a);
    artifact_close(b);
    buffer_done(&file);
    buffer_done(&second);
}

/* Without a digest only who wrote it opens it; what is written anew has one. */
static void test_draft(void **state)
{
    (void)state;
    struct buffer file, anew;
    struct error err;
    struct artifact *a = NULL;
    sample_write(&file, false, 1);
    struct artifact_header h = *(const struct artifact_header *)(const void *)file.data;
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT];
    for (unsigned i = 0; i < ARTIFACT_SECTIONS_COUNT; i++)
        parts[i] =
            (struct artifact_part){file.data + h.sections[i].offset, h.sections[i].size_bytes};
    buffer_init(&anew, 1 << 20);
    assert_int_equal(artifact_write_draft(&h, parts, &anew, &err), ST_OK);
    assert_int_equal(artifact_open_bytes(anew.data, anew.size_bytes, &a, &err), ST_CORRUPT);
    assert_non_null(strstr(err.text, "digest"));
    assert_int_equal(artifact_open_draft(file.data, file.size_bytes, &a, &err), ST_CORRUPT);
    assert_int_equal(artifact_open_draft(anew.data, anew.size_bytes, &a, &err), ST_OK);
    buffer_done(&anew);
    const struct artifact_image none = {0};
    assert_int_equal(artifact_write_image(a, &none, &anew, &err), ST_OK);
    artifact_close(a);
    a = open_buffer(&anew);
    artifact_close(a);
    buffer_done(&anew);
    buffer_done(&file);
}

static void test_cap(void **state)
{
    (void)state;
    struct buffer file, small;
    struct error err;
    sample_write(&file, true, 1);
    struct artifact *a = open_buffer(&file);
    const struct artifact_image none = {0};
    size_t size = 0;
    buffer_init(&small, 1 << 20);
    assert_int_equal(artifact_write_image(a, &none, &small, &err), ST_OK);
    size = small.size_bytes;
    buffer_done(&small);
    buffer_init(&small, size);
    assert_int_equal(artifact_write_image(a, &none, &small, &err), ST_OK);
    buffer_done(&small);
    buffer_init(&small, size - 1);
    assert_int_equal(artifact_write_image(a, &none, &small, &err), ST_LIMIT);
    buffer_done(&small);
    artifact_close(a);
    buffer_done(&file);
}

static void test_too_large(void **state)
{
    (void)state;
    struct artifact_header h = {.engine = ARTIFACT_ENGINE};
    struct artifact_part parts[ARTIFACT_SECTIONS_COUNT] = {
        [ARTIFACT_CODE] = {"", ARTIFACT_BYTES_MAX / 2},
        [ARTIFACT_IMAGE] = {"", ARTIFACT_BYTES_MAX / 2},
    };
    struct buffer file;
    struct error err;
    buffer_init(&file, SIZE_MAX);
    assert_int_equal(artifact_write(&h, parts, &file, &err), ST_LIMIT); /* reads none of it */
    buffer_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deterministic), cmocka_unit_test(test_image),
        cmocka_unit_test(test_draft),         cmocka_unit_test(test_cap),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
