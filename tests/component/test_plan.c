/* The plan of the component of sample.c. */
#include "../base/cmocka_all.h"

#include <string.h>

#include "component/plan.h"
#include "component_builder.h"
#include "sample.h"

struct fixture {
    struct builder b;
    struct component *c;
    struct plan *p;
};

static int setup(void **state)
{
    static struct fixture f;
    struct error err;
    builder_init(&f.b);
    builder_hex(&f.b, sample_hex + SAMPLE_PREAMBLE_DIGITS);
    f.c = builder_decode_keep(&f.b);
    assert_int_equal(plan_new(f.c, &f.p, &err), ST_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    plan_free(f->p);
    component_free(f->c);
    builder_done(&f->b);
    return 0;
}

static const struct plan *plan_of(void **state)
{
    return ((struct fixture *)*state)->p;
}

static void component_instances_come_in_order(void **state)
{
    const struct plan *p = plan_of(state);
    assert_int_equal(p->components_count, 3);
    assert_int_equal(p->components[0].parent, PLAN_NONE);
    assert_int_equal(p->components[1].parent, 0);
    assert_int_equal(p->components[2].parent, 0);
    assert_ptr_equal(p->components[1].body, p->components[2].body);
}

static void core_instances_come_in_order(void **state)
{
    /* $l; of each $Counter $d and $m; $main */
    static const uint32_t modules[] = {2, 0, 1, 0, 1, 3}, owners[] = {0, 1, 1, 2, 2, 0};
    const struct plan *p = plan_of(state);
    assert_int_equal(p->instances_count, ARRAY_COUNT(modules));
    for (uint32_t i = 0; i < p->instances_count; i++) {
        assert_int_equal(p->instances[i].module, modules[i]);
        assert_int_equal(p->instances[i].component, owners[i]);
    }
}

static void imports_are_resolved(void **state)
{
    const struct plan *p = plan_of(state);
    const struct plan_core *first = p->instances[2].imports, *second = p->instances[4].imports,
                           *main = p->instances[5].imports;
    assert_int_equal(p->canons[first[0].canon].kind, COMPONENT_CANON_RESOURCE_NEW);
    assert_int_equal(p->canons[first[1].canon].kind, COMPONENT_CANON_LOWER);
    assert_int_equal(first[2].canon, PLAN_NONE);
    assert_int_equal(first[2].instance, 1);
    assert_string_equal(first[2].name.text, "drop");
    assert_int_equal(second[2].instance, 3);
    assert_int_not_equal(first[0].canon, second[0].canon);
    assert_int_equal(main[4].canon, PLAN_NONE);
    assert_int_equal(main[4].instance, 0);
    assert_string_equal(main[4].name.text, "mem");
}

static void lowered_functions_know_what_they_call(void **state)
{
    const struct plan *p = plan_of(state);
    const struct plan_core *main = p->instances[5].imports;
    const struct plan_canon *make1 = &p->canons[main[0].canon], *make2 = &p->canons[main[1].canon],
                            *write = &p->canons[main[3].canon],
                            *log = &p->canons[p->instances[2].imports[1].canon];
    assert_int_equal(make1->component, 0);
    assert_int_equal(p->lifts[make1->lift].component, 1);
    assert_int_equal(p->lifts[make2->lift].component, 2);
    assert_int_equal(p->lifts[make1->lift].func.instance, 2);
    assert_string_equal(p->lifts[make1->lift].func.name.text, "make");
    assert_int_equal(log->component, 1);
    assert_int_equal(p->lifts[log->lift].component, 0);
    assert_int_equal(write->lift, PLAN_NONE);
    assert_string_equal(write->host.interface.text, "wasi:io/streams@0.2.6");
    assert_string_equal(write->host.name.text, "[method]out.write");
    assert_int_equal(write->options.encoding, COMPONENT_UTF16);
    assert_true(write->options.has_memory);
    assert_int_equal(write->options.memory.instance, 0);
    assert_int_equal(write->signature.params_count, 3);
    assert_int_equal(write->signature.results_count, 0);
}

static uint32_t resource_of(const struct plan *p, uint32_t handle)
{
    return p->types->entries[p->types->entries[handle].element].resource;
}

static void each_instance_has_its_own_resource(void **state)
{
    const struct plan *p = plan_of(state);
    const struct plan_core *main = p->instances[5].imports;
    const struct component_type *make1 = &p->types->entries[p->canons[main[0].canon].type],
                                *make2 = &p->types->entries[p->canons[main[1].canon].type];
    uint32_t r1 = resource_of(p, make1->element), r2 = resource_of(p, make2->element);
    assert_int_equal(p->resources_count, 3);
    assert_int_not_equal(r1, r2);
    assert_int_not_equal(make1->equal, make2->equal);
    assert_int_equal(p->resources[r1 - 1].component, 1);
    assert_int_equal(p->resources[r2 - 1].component, 2);
    assert_true(p->resources[r1 - 1].has_destructor);
    assert_int_equal(p->resources[r1 - 1].destructor.instance, 1);
    assert_int_equal(p->resources[r2 - 1].destructor.instance, 3);
    const struct plan_canon *drop = &p->canons[main[2].canon];
    assert_int_equal(drop->kind, COMPONENT_CANON_RESOURCE_DROP);
    assert_int_equal(p->types->entries[drop->type].resource, r1);
}

static void resources_of_the_host_have_names(void **state)
{
    const struct plan *p = plan_of(state);
    const struct plan_resource *out = &p->resources[0];
    assert_int_equal(out->component, PLAN_NONE);
    assert_string_equal(out->host.interface.text, "wasi:io/streams@0.2.6");
    assert_string_equal(out->host.name.text, "out");
    assert_false(out->has_destructor);
}

static void exports_are_found_by_track(void **state)
{
    const struct plan *p = plan_of(state);
    const struct plan_export *handle =
        plan_find_export(p, "wasi:http/incoming-handler@0.2.0", "handle");
    const struct plan_export *get = plan_find_export(p, "wasi:http/incoming-handler", "get");
    assert_int_equal(p->exports_count, 2);
    assert_non_null(handle);
    assert_string_equal(handle->interface.text, "wasi:http/incoming-handler@0.2.6");
    assert_int_equal(p->lifts[handle->lift].component, 0);
    assert_true(p->lifts[handle->lift].options.has_realloc);
    assert_string_equal(p->lifts[handle->lift].options.realloc.name.text, "realloc");
    assert_non_null(get);
    assert_int_equal(get->lift, PLAN_NONE);
    assert_string_equal(get->host.interface.text, "wasi:cli/stdout@0.2.4");
    assert_null(plan_find_export(p, "wasi:http/incoming-handler@0.3.0", "handle"));
    assert_null(plan_find_export(p, "wasi:http/handler", "handle"));
    assert_null(plan_find_export(p, "wasi:http/incoming-handler@0.2.6", "other"));
}

static void versions_of_one_track_match(void **state)
{
    (void)state;
    assert_true(plan_interface_matches("a:b/c@0.2.12", "a:b/c@0.2.0"));
    assert_true(plan_interface_matches("a:b/c@1.9.0", "a:b/c@1.2.3"));
    assert_true(plan_interface_matches("a:b/c", "a:b/c@1.2.3"));
    assert_true(plan_interface_matches("a:b/c@1.2.3", "a:b/c"));
    assert_true(plan_interface_matches("", ""));
    assert_false(plan_interface_matches("a:b/c@0.2.12", "a:b/c@0.3.0"));
    assert_false(plan_interface_matches("a:b/c@1.0.0", "a:b/c@10.0.0"));
    assert_false(plan_interface_matches("a:b/c@0.2.0", "a:b/c@0.20.0"));
    assert_false(plan_interface_matches("a:b/c@0.0.1", "a:b/c@0.0.2"));
    assert_false(plan_interface_matches("a:b/c@0.3.0-rc-1", "a:b/c@0.3.0"));
    assert_false(plan_interface_matches("a:b/c@1.0.0", "a:b/d@1.0.0"));
    assert_false(plan_interface_matches("a:b/c", "a:b/cc"));
}

/* 2^40 instances, in a few hundred bytes. */
static void instances_are_bounded(void **state)
{
    struct builder b;
    struct plan *p = NULL;
    struct error err = {0};
    (void)state;
    builder_init(&b);
    builder_section_hex(&b, 4, "00 61 73 6d 0d 00 01 00");
    for (uint32_t i = 0; i < 40; i++) {
        builder_section(&b, 4);
        builder_preamble(&b);
        builder_section(&b, 6);
        builder_hex(&b, "01 04 02 01");
        builder_u32(&b, i);
        builder_section_end(&b);
        builder_section_hex(&b, 5, "02 00 00 00 00 00 00");
        builder_section_end(&b);
    }
    builder_section_hex(&b, 5, "01 00 28 00");
    struct component *c = builder_decode_keep(&b);
    assert_int_equal(plan_new(c, &p, &err), ST_LIMIT);
    assert_non_null(strstr(err.text, "more than 1000 components"));
    component_free(c);
    builder_done(&b);
}

static void what_no_host_has_is_refused(void **state)
{
    struct builder b;
    struct plan *p = NULL;
    struct error err = {0};
    (void)state;
    builder_init(&b);
    builder_section_hex(&b, 7, "01 41 00");
    builder_section_hex(&b, 10, "01 00 'part' 04 00");
    struct component *c = builder_decode_keep(&b);
    assert_int_equal(plan_new(c, &p, &err), ST_UNSUPPORTED);
    assert_non_null(strstr(err.text, "`part` is a component"));
    component_free(c);
    builder_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(component_instances_come_in_order),
        cmocka_unit_test(core_instances_come_in_order),
        cmocka_unit_test(imports_are_resolved),
        cmocka_unit_test(lowered_functions_know_what_they_call),
        cmocka_unit_test(each_instance_has_its_own_resource),
        cmocka_unit_test(resources_of_the_host_have_names),
        cmocka_unit_test(exports_are_found_by_track),
        cmocka_unit_test(versions_of_one_track_match),
        cmocka_unit_test(instances_are_bounded),
        cmocka_unit_test(what_no_host_has_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
