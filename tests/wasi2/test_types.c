/* The type that each host function says it has, against those of a component that imports them all,
 * made by the component tools from WASI's own WIT files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "canonical/canonical.h"
#include "component/component.h"
#include "component/print.h"
#include "wasi/wasi.h"

/* Behind feature gates of the WIT files, which the tools leave out. */
static const char *const gated[] = {"wasi:clocks/timezone", "network-error-code"};

struct world {
    struct buffer bytes, text;
    struct component *component;
};

static int setup(void **state)
{
    static struct world w;
    struct error err = {.text = ""};
    const char *path = getenv("MAYFLY_WASI2_ALL");
    if (!path) return -1;
    buffer_init(&w.bytes, 1 << 20);
    buffer_init(&w.text, 1 << 20);
    if (file_read(path, &w.bytes, &err) ||
        component_decode(w.bytes.data, w.bytes.size_bytes, 1, &w.component, &err)) {
        printf("%s: %s\n", path, err.text);
        return -1;
    }
    if (component_world_print(w.component, &w.text)) return -1;
    buffer_append(&w.text, "", 1);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    component_free(w->component);
    buffer_done(&w->bytes);
    buffer_done(&w->text);
    return 0;
}

static const struct canonical_interface *find_interface(const char *name, size_t name_bytes)
{
    size_t count;
    const struct canonical_interface *const *list = wasi_preview2_interfaces(&count);
    for (size_t k = 0; k < count; k++)
        if (strlen(list[k]->name) == name_bytes && !memcmp(list[k]->name, name, name_bytes))
            return list[k];
    return NULL;
}

static bool has_resource(const struct canonical_interface *interface, const char *name)
{
    for (size_t k = 0; k < interface->resources_count; k++)
        if (!strcmp(interface->resources[k]->name, name)) return true;
    return false;
}

static const struct canonical_function *find_function(const struct canonical_interface *interface,
                                                      const char *name)
{
    for (size_t k = 0; k < interface->functions_count; k++)
        if (!strcmp(interface->functions[k].entry.name, name)) return &interface->functions[k];
    return NULL;
}

static void check_line(const struct canonical_interface *interface, char *line)
{
    static const char resource[] = "  resource ";
    if (!strncmp(line, resource, sizeof resource - 1)) {
        if (!has_resource(interface, line + sizeof resource - 1))
            fail_msg("%s: no%s", interface->name, line);
        return;
    }
    char *cut = strstr(line, ": ");
    assert_non_null(cut);
    *cut = '\0';
    const struct canonical_function *f = find_function(interface, line + 2);
    if (!f) fail_msg("%s: no function%s", interface->name, line);
    assert_string_equal(f->type, cut + 2);
}

/* Whatever can be imported is there, with that very type. */
static void test_imports_are_there(void **state)
{
    struct world *w = *state;
    char *text = strdup((const char *)w->text.data), *rest = text;
    const struct canonical_interface *interface = NULL;
    unsigned functions = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (!strncmp(line, "import ", 7)) {
            interface = find_interface(line + 7, strcspn(line + 7, "@"));
            if (!interface) fail_msg("no interface %s", line + 7);
        } else if (*line == ' ') {
            assert_non_null(interface);
            check_line(interface, line);
            functions++;
        }
    }
    assert_true(functions > 100);
    free(text);
}

static bool is_gated(const char *name)
{
    for (size_t k = 0; k < ARRAY_COUNT(gated); k++)
        if (!strcmp(gated[k], name)) return true;
    return false;
}

static bool is_imported(const struct world *w, const char *interface, const char *name)
{
    char header[128], entry[128];
    snprintf(header, sizeof header, "import %s", interface);
    snprintf(entry, sizeof entry, "\n  %s: ", name);
    for (const char *at = (const char *)w->text.data; (at = strstr(at, header)); at++) {
        if (at[strlen(header)] != '@' && at[strlen(header)] != '\n') continue;
        const char *end = strstr(at + 1, "\nimport "), *found = strstr(at, entry);
        if (found && (!end || found < end)) return true;
    }
    return false;
}

/* Nothing is there under a name that no component imports. */
static void test_functions_are_imported(void **state)
{
    size_t count;
    const struct canonical_interface *const *list = wasi_preview2_interfaces(&count);
    for (size_t k = 0; k < count; k++) {
        const char *interface = list[k]->name;
        if (!strcmp(interface, "wasi:config/runtime")) interface = "wasi:config/store";
        for (size_t f = 0; f < list[k]->functions_count; f++) {
            const char *name = list[k]->functions[f].entry.name;
            if (is_gated(interface) || is_gated(name)) continue;
            if (!is_imported(*state, interface, name)) fail_msg("%s %s", interface, name);
        }
    }
}

/* Guests of each version mix them. */
static void test_versions(void **state)
{
    static const char *const served[] = {"0.2.0", "0.2.3", "0.2.10", "0.2.12", "0.2.99"};
    static const char *const others[] = {"0.1.0", "0.3.0", "1.2.0"};
    (void)state;
    const struct canonical_interface *io = find_interface("wasi:io/streams", 15);
    assert_non_null(io);
    for (size_t k = 0; k < ARRAY_COUNT(served); k++)
        assert_true(canonical_version_serves(io->version, served[k]));
    for (size_t k = 0; k < ARRAY_COUNT(others); k++)
        assert_false(canonical_version_serves(io->version, others[k]));
    const struct canonical_interface *config = find_interface("wasi:config/store", 17);
    assert_true(canonical_version_serves(config->version, "0.2.0-draft"));
    assert_true(canonical_version_serves(config->version, "0.2.0-rc.1"));
    const struct canonical_interface *logging = find_interface("wasi:logging/logging", 20);
    assert_true(canonical_version_serves(logging->version, ""));
    assert_true(canonical_version_serves(logging->version, "0.1.0-draft"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports_are_there),
        cmocka_unit_test(test_functions_are_imported),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
