/* The sections of a component: what is sound opens, what is not is refused by name. */
#include "../base/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "sample.h"
#include "sample_component.h"

#define TYPE(at, name, to, words) ENTRY(ARTIFACT_WIT_TYPES, artifact_wit_type, at, name, to, words)
#define FIELD(at, name, to, words)                                                                 \
    ENTRY(ARTIFACT_WIT_FIELDS, artifact_wit_field, at, name, to, words)
#define CANON(at, name, to, words) ENTRY(ARTIFACT_CANONS, artifact_canon, at, name, to, words)
#define LIFT(at, name, to, words)  ENTRY(ARTIFACT_LIFTS, artifact_lift, at, name, to, words)
#define OPTION(section, type, at, name, to, words)                                                 \
    {section,                                                                                      \
     at,                                                                                           \
     sizeof(struct type),                                                                          \
     offsetof(struct type, options) + offsetof(struct artifact_canon_options, name),               \
     FIELD_BYTES(artifact_canon_options, name),                                                    \
     (uint64_t)(to),                                                                               \
     ST_CORRUPT,                                                                                   \
     words}
#define FOLLOWS "is not what follows from its parts"

enum { HOST, LIFTED, NEW, DROP, REP, LATER };

static const struct damage damages[] = {
    SECTION(ARTIFACT_COMPONENTS, size_bytes, 0, "a component that there is not"),
    SECTION(ARTIFACT_COMPONENTS, size_bytes, 3, "wrong shape"),
    SECTION(ARTIFACT_COMPONENTS, size_bytes, 4, "resource 1 is of no component instance"),
    SECTION(ARTIFACT_RESOURCES, size_bytes, 16, "WIT type 11 is a handle of no resource"),
    SECTION(ARTIFACT_LIFTS, size_bytes, 32, "canonical definition 1 calls no lifted function"),
    SECTION(ARTIFACT_WIT_TYPES, size_bytes, 0, "no WIT types"),
    SECTION(ARTIFACT_WIT_TYPES, size_bytes, 36, "WIT fields of no type"),
    SECTION(ARTIFACT_WIT_FIELDS, size_bytes, 0, "WIT type 4 has its fields elsewhere"),
    SECTION(ARTIFACT_WIT_FIELDS, size_bytes, 324, "WIT type 14 has its fields elsewhere"),
    SECTION(ARTIFACT_WIT_STRINGS, size_bytes, 0, "WIT strings do not begin"),
    SECTION(ARTIFACT_WIT_STRINGS, size_bytes, 36, "WIT strings do not begin"),
    BYTE(ARTIFACT_WIT_STRINGS, 0, 'x', "WIT strings do not begin"),

    ENTRY(ARTIFACT_COMPONENTS, artifact_component, 0, parent, 0, "instance 0 has a wrong parent"),
    ENTRY(ARTIFACT_COMPONENTS, artifact_component, 1, parent, 1, "instance 1 has a wrong parent"),
    ENTRY(ARTIFACT_COMPONENTS, artifact_component, 1, parent, COMPONENT_HOST, "wrong parent"),

    TYPE(T_NONE, kind, WIT_U8, "WIT type 0 is not none"),
    TYPE(T_U8, kind, WIT_NONE, "WIT type 1 has an unknown kind"),
    TYPE(T_U8, kind, WIT_KINDS_COUNT, "WIT type 1 has an unknown kind"),
    TYPE(T_U8, kind, WIT_STREAM, "WIT type 1 has an unknown kind"),
    TYPE(T_U8, kind, WIT_U16, "WIT type 1 " FOLLOWS),
    TYPE(T_U8, size_bytes, 2, "WIT type 1 " FOLLOWS),
    TYPE(T_U8, align_bytes, 0, "WIT type 1 " FOLLOWS),
    TYPE(T_U8, flags, WIT_HAS_CHECK, "WIT type 1 " FOLLOWS),
    TYPE(T_U8, element, 1, "WIT type 1 " FOLLOWS),
    TYPE(T_STRING, flags, WIT_HAS_CHECK, "WIT type 3 " FOLLOWS),
    TYPE(T_STRING, flat_count, 1, "WIT type 3 " FOLLOWS),
    TYPE(T_STRING, fields_count, 1, "WIT type 3 has fields"),
    TYPE(T_RECORD, fields_count, 0, "WIT type 4 is a record without fields"),
    TYPE(T_RECORD, fields_count, UINT32_MAX, "WIT type 4 has its fields elsewhere"),
    TYPE(T_RECORD, fields_first, 1, "WIT type 4 has its fields elsewhere"),
    TYPE(T_RECORD, size_bytes, 12, "WIT type 4 " FOLLOWS),
    TYPE(T_RECORD, size_bytes, UINT32_MAX, "WIT type 4 " FOLLOWS),
    TYPE(T_RECORD, flat_count, WIT_FLAT_MANY, "WIT type 4 " FOLLOWS),
    TYPE(T_RECORD, flags, WIT_HAS_POINTER, "WIT type 4 " FOLLOWS),
    TYPE(T_VARIANT, discriminant_bytes, 4, "WIT type 5 " FOLLOWS),
    TYPE(T_VARIANT, payload_offset, 1, "WIT type 5 " FOLLOWS),
    TYPE(T_VARIANT, flat_count, 2, "WIT type 5 " FOLLOWS),
    TYPE(T_ENUM, discriminant_bytes, 0, "WIT type 6 " FOLLOWS),
    TYPE(T_ENUM, flags, 0, "WIT type 6 " FOLLOWS),
    TYPE(T_FLAGS, flags, 0, "WIT type 7 " FOLLOWS),
    TYPE(T_LIST, element, T_LIST, "WIT type 8 is a list of nothing"),
    TYPE(T_LIST, element, T_LOG, "WIT type 8 is a list of nothing"),
    TYPE(T_LIST, element, 0, "WIT type 8 is a list of nothing"),
    TYPE(T_LIST, element, UINT32_MAX, "WIT type 8 is a list of nothing"),
    TYPE(T_LIST, length, 1, "WIT type 8 " FOLLOWS),
    TYPE(T_FIXED, length, 0, "WIT type 9 has a wrong length"),
    TYPE(T_FIXED, length, UINT32_MAX, "WIT type 9 has a wrong length"),
    TYPE(T_FIXED, length, 5, "WIT type 9 " FOLLOWS),
    TYPE(T_OWN, element, 2, "WIT type 10 is a handle of no resource"),
    TYPE(T_LOG, element, T_LOG, "WIT type 12 has a result of no type"),
    TYPE(T_LOG, params_record, T_RECORD, "WIT type 12 has another record of parameters"),
    TYPE(T_LOG, flags, WIT_HAS_POINTER | WIT_HAS_CHECK | WIT_IS_ASYNC, ""),
    TYPE(T_LOG, flat_results, 1, "WIT type 12 " FOLLOWS),
    TYPE(T_MANY, params_record, 0, "WIT type 14 has another record of parameters"),
    TYPE(T_MANY, params_record, T_RECORD, "WIT type 14 has another record of parameters"),
    TYPE(T_MANY, params_record, UINT32_MAX, "WIT type 14 has another record of parameters"),

    FIELD(0, name, 37, "WIT type 4 has a name elsewhere"),
    FIELD(0, type, 0, "WIT type 4 has a field of no type"),
    FIELD(0, type, T_RECORD, "WIT type 4 has a field of no type"),
    FIELD(1, type, T_U8, "WIT type 4 has a field at a wrong offset"),
    FIELD(1, offset, 1, "WIT type 4 has a field at a wrong offset"),
    FIELD(3, type, T_VARIANT, "WIT type 5 has a case of no type"),
    FIELD(3, offset, 4, "WIT type 5 has a case of no type"),
    FIELD(4, type, 0, "WIT type 5 " FOLLOWS),
    FIELD(6, type, T_U8, "WIT type 6 has a case of no type"),
    FIELD(8, type, T_U8, "WIT type 7 has a flag with a type"),
    FIELD(11, type, 0, "WIT type 12 has a parameter of no type"),
    FIELD(11, offset, 1, "WIT type 12 has a parameter of no type"),
    FIELD(20, type, T_VARIANT, "WIT type 14 has another record of parameters"),

    CANON(HOST, func, 0, "canonical definition 0 names no function"),
    CANON(HOST, func, F_INIT, "canonical definition 0 names no function"),
    CANON(LIFTED, func, F_HOST, "canonical definitions are not sorted at 1"),
    CANON(HOST, kind, CANON_KINDS_COUNT, "canonical definition 0 has an unknown kind"),
    CANON(HOST, kind, CANON_RESOURCE_NEW, "canonical definition 0 has what its kind has not"),
    CANON(HOST, type, 0, "canonical definition 0 has no function type"),
    CANON(HOST, type, T_STRING, "canonical definition 0 has no function type"),
    CANON(HOST, type, T_COUNT, "canonical definition 0 has no function type"),
    CANON(HOST, type, T_GET, "canonical definition 0 is of another core type"),
    CANON(HOST, resource, 1, "canonical definition 0 has a resource"),
    CANON(HOST, lift, 1, "canonical definition 0 calls nothing"),
    CANON(HOST, interface, 37, "canonical definition 0 calls nothing"),
    CANON(HOST, name, 37, "canonical definition 0 calls nothing"),
    CANON(LIFTED, lift, 2, "canonical definition 1 calls no lifted function"),
    CANON(LIFTED, name, 1, "canonical definition 1 calls no lifted function"),
    CANON(NEW, resource, 2, "canonical definition 2 has no resource"),
    CANON(NEW, resource, 0, "canonical definition 2 is of another's resource"),
    CANON(REP, resource, 0, "canonical definition 4 is of another's resource"),
    CANON(NEW, kind, CANON_RESOURCE_DROP, "canonical definition 2 is of another core type"),
    CANON(LATER, type, T_LOG, "canonical definition 5 has what its kind has not"),
    CANON(LATER, name, 37, "canonical definition 5 has no name"),
    CANON(NEW, type, T_LOG, "canonical definition 2 has what its kind has not"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, component, 2, "is of no component instance"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, memory, 1, "0 has no 32-bit memory"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, memory, 2, "0 has no 32-bit memory"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, memory, CANON_MEMORY_NONE, "a wrong realloc"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, realloc, F_FREE, "0 has a wrong realloc"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, realloc, F_COUNT, "0 has a wrong realloc"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, realloc, 0, ""),
    OPTION(ARTIFACT_CANONS, artifact_canon, LIFTED, realloc, 0, "1 needs a realloc"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, post_return, F_FREE, "0 has a post-return"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, callback, F_FREE, "definition 0 is async"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, is_async, 1, "definition 0 is async"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, encoding, 3, "0 has an unknown encoding"),
    OPTION(ARTIFACT_CANONS, artifact_canon, HOST, pad, 1, "0: padding is not zero"),

    LIFT(0, func, 0, "lifted function 0 is of another core type"),
    LIFT(0, func, F_INIT, "lifted function 0 is of another core type"),
    LIFT(0, func, F_MANY, "lifted function 0 is of another core type"),
    LIFT(0, type, T_LOG, "lifted function 0 is of another core type"),
    LIFT(0, type, T_U32, "lifted function 0 has no type"),
    OPTION(ARTIFACT_LIFTS, artifact_lift, 0, component, 2, "lifted function 0 is of no component"),
    OPTION(ARTIFACT_LIFTS, artifact_lift, 0, realloc, F_REALLOC, "a wrong realloc"),
    OPTION(ARTIFACT_LIFTS, artifact_lift, 0, post_return, F_GET, "a wrong post-return"),
    OPTION(ARTIFACT_LIFTS, artifact_lift, 1, post_return, 0, ""),
    OPTION(ARTIFACT_LIFTS, artifact_lift, 1, realloc, 0, "lifted function 1 needs a realloc"),

    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 0, destructor, F_FREE, "a wrong destructor"),
    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 1, destructor, F_GET, "a wrong destructor"),
    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 1, destructor, UINT32_MAX, "a wrong destructor"),
    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 1, component, 2, "is of no component instance"),
    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 0, name, 37, "resource 0 has its name elsewhere"),
    ENTRY(ARTIFACT_RESOURCES, artifact_resource, 1, name, 1, "resource 1 has its name elsewhere"),
    ENTRY(ARTIFACT_COMPONENT_EXPORTS, artifact_component_export, 0, lift, 2, "0 names nothing"),
    ENTRY(ARTIFACT_COMPONENT_EXPORTS, artifact_component_export, 0, name, 37, "0 names nothing"),
    ENTRY(ARTIFACT_COMPONENT_EXPORTS, artifact_component_export, 0, interface, 37, "names nothing"),
};

static void test_sound(void **state)
{
    (void)state;
    struct buffer file;
    struct error err;
    sample_component_write(&file);
    enum status st = damage_open(file.data, file.size_bytes, &err);
    if (st) print_error("%s\n", err.text);
    assert_int_equal(st, ST_OK);
    buffer_done(&file);
}

static void test_fields(void **state)
{
    (void)state;
    struct buffer file;
    sample_component_write(&file);
    damage_each(&file, damages, ARRAY_COUNT(damages));
    buffer_done(&file);
}

/* Whatever a byte becomes, opening ends with an answer. */
static void test_bytes(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x10};
    struct buffer file;
    struct error err;
    sample_component_write(&file);
    const struct artifact_header *h = (const void *)file.data;
    size_t start = h->sections[ARTIFACT_COMPONENTS].offset, refused = 0, tries = 0;
    size_t end =
        h->sections[ARTIFACT_WIT_STRINGS].offset + h->sections[ARTIFACT_WIT_STRINGS].size_bytes;
    for (size_t at = start; at < end; at++)
        for (size_t i = 0; i < sizeof changes; i++) {
            file.data[at] ^= changes[i];
            sample_fix_digest(file.data, file.size_bytes);
            tries++;
            refused += damage_open(file.data, file.size_bytes, &err) != ST_OK;
            file.data[at] ^= changes[i];
        }
    assert_true(refused > tries / 2);
    buffer_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
