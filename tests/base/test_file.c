#include "cmocka_all.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/mayfly-test-file-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t entries_in_folder(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.') count++;
    closedir(dir);
    return count;
}

static void reads_up_to_the_cap_and_not_past(void **state)
{
    (void)state;
    struct error err;
    static const size_t sizes[] = {0, 1, 255, 256, 262143, 262144, 262145, 600000};
    char *bytes = malloc(600000);
    assert_non_null(bytes);
    for (size_t i = 0; i < 600000; i++) bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        size_t size = sizes[i];
        assert_int_equal(file_write_atomic(path_of("f"), bytes, size, &err), ST_OK);
        struct buffer b;
        buffer_init(&b, size);
        assert_int_equal(file_read(path_of("f"), &b, &err), ST_OK);
        assert_int_equal(b.size_bytes, size);
        if (size) assert_memory_equal(b.data, bytes, size);
        buffer_done(&b);
        if (!size) continue;
        buffer_init(&b, size - 1);
        assert_int_equal(file_read(path_of("f"), &b, &err), ST_LIMIT);
        assert_non_null(strstr(err.text, "larger than the limit"));
        buffer_done(&b);
    }
    free(bytes);
    unlink(path_of("f"));
}

static void reading_appends(void **state)
{
    (void)state;
    struct error err;
    struct buffer b;
    buffer_init(&b, 6);
    assert_int_equal(file_write_atomic(path_of("f"), "fly", 3, &err), ST_OK);
    assert_int_equal(buffer_append_string(&b, "may"), ST_OK);
    assert_int_equal(file_read(path_of("f"), &b, &err), ST_OK);
    assert_memory_equal(b.data, "mayfly", 6);
    assert_int_equal(file_read(path_of("f"), &b, &err), ST_LIMIT);
    buffer_done(&b);
    unlink(path_of("f"));
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct buffer b;
    buffer_init(&b, 100);
    assert_int_equal(file_read(path_of("missing"), &b, &err), ST_NOT_FOUND);
    assert_non_null(strstr(err.text, "missing"));
    assert_int_equal(file_read(folder, &b, &err), ST_IO);
    assert_non_null(strstr(err.text, "is a folder"));
    assert_int_equal(file_read("", &b, &err), ST_NOT_FOUND);
    buffer_done(&b);
}

static void an_endless_file_stops_at_the_cap(void **state)
{
    (void)state;
    struct error err;
    struct buffer b;
    buffer_init(&b, 1000);
    assert_int_equal(file_read("/dev/zero", &b, &err), ST_LIMIT);
    assert_int_equal(b.size_bytes, 1000);
    buffer_done(&b);
}

static void writing_replaces_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(file_write_atomic(path_of("f"), "first", 5, &err), ST_OK);
    assert_int_equal(file_write_atomic(path_of("f"), "second", 6, &err), ST_OK);
    assert_int_equal(entries_in_folder(), 1);
    struct buffer b;
    buffer_init(&b, 100);
    assert_int_equal(file_read(path_of("f"), &b, &err), ST_OK);
    assert_int_equal(b.size_bytes, 6);
    buffer_done(&b);
    struct stat info;
    assert_int_equal(stat(path_of("f"), &info), 0);
    mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
    unlink(path_of("f"));
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(mkdir(path_of("d"), 0700), 0);
    assert_int_not_equal(file_write_atomic(path_of("d"), "x", 1, &err), ST_OK);
    assert_int_equal(entries_in_folder(), 1);
    rmdir(path_of("d"));
    assert_int_equal(file_write_atomic(path_of("no/f"), "x", 1, &err), ST_NOT_FOUND);
    char path[PATH_MAX + 1];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(file_write_atomic(path, "x", 1, &err), ST_LIMIT);
    assert_int_equal(entries_in_folder(), 0);
}

static void folders_are_made_on_the_way(void **state)
{
    (void)state;
    struct error err;
    struct stat info;
    assert_int_equal(file_make_folders(path_of("a/b//c/"), &err), ST_OK);
    assert_int_equal(stat(path_of("a/b/c"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(file_make_folders(path_of("a/b/c"), &err), ST_OK);
    assert_int_equal(file_write_atomic(path_of("a/f"), "x", 1, &err), ST_OK);
    assert_int_equal(file_make_folders(path_of("a/f"), &err), ST_EXISTS);
    assert_int_equal(file_make_folders(path_of("a/f/g"), &err), ST_NOT_FOUND);
    assert_int_equal(file_make_folders("", &err), ST_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_up_to_the_cap_and_not_past),
        cmocka_unit_test(reading_appends),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(an_endless_file_stops_at_the_cap),
        cmocka_unit_test(writing_replaces_and_leaves_nothing_behind),
        cmocka_unit_test(a_failed_write_leaves_nothing_behind),
        cmocka_unit_test(folders_are_made_on_the_way),
    };
    return cmocka_run_group_tests_name("base/file", tests, make_folder, remove_folder);
}
