/* The Nth allocation fails, for every N: an error or a trap, nothing leaked, nothing half done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "world.h"

static long allocations_left = -1; /* -1: as many as wanted */

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool may_allocate(void)
{
    if (allocations_left < 0) return true;
    if (allocations_left == 0) return false;
    allocations_left--;
    return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    return may_allocate() ? __real_realloc(old, size) : NULL;
}

static unsigned dropped;

static void drop(void *host, void *rep)
{
    (void)host;
    (void)rep;
    dropped++;
}

static const struct canonical_resource thing = {.name = "thing", .drop = drop};
static int object;

static enum host_result make(struct canonical_call *c, struct value *v)
{
    return canonical_own(c, &thing, &object, &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result use(struct canonical_call *c, struct value *v)
{
    return canonical_borrowed(c, &thing, v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result text(struct canonical_call *c, struct value *v)
{
    struct canonical_text t;
    return canonical_text(c, v[0].i32, v[1].i32, &t) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function functions[] = {
    CANONICAL_FUNCTION("make", NULL, make),
    CANONICAL_FUNCTION("use", NULL, use),
    CANONICAL_FUNCTION("text", NULL, text),
};
static const struct canonical_resource *const resources[] = {&thing};
static const struct canonical_interface interface = {"t:t/t", "", functions, 3, resources, 1};
static const struct canonical_interface *const interfaces[] = {&interface};

static struct world *build(void)
{
    struct world *w = world_new();
    world_memory(w, 4096);
    world_resource(w, COMPONENT_HOST, "t:t/t", "thing", 0);
    struct artifact_canon_options o = world_options(w, 0, 0, CANON_UTF16);
    world_lower_host(w, "func() -> own<thing>", "t:t/t", "make", o);
    world_lower_host(w, "func(t: borrow<thing>)", "t:t/t", "use", o);
    world_lower_host(w, "func(s: string)", "t:t/t", "text", o);
    w->interfaces = interfaces;
    w->interfaces_count = 1;
    return w;
}

static void test_new(void **state)
{
    (void)state;
    struct world *w = build();
    long n = 0;
    for (;; n++) {
        struct canonical *c = NULL;
        struct error err = {0};
        allocations_left = n;
        enum status st = world_try(w, &c, &err);
        allocations_left = -1;
        if (!st) {
            canonical_free(c);
            break;
        }
        assert_int_equal(st, ST_NO_MEMORY);
        assert_null(c);
    }
    assert_true(n > 3);
    world_free(w);
}

/* Each call: a handle, its use, a text; `failed` counts those that trapped. */
static unsigned run(struct world *w)
{
    unsigned failed = 0;
    for (unsigned k = 0; k < 40; k++) {
        struct value v[2] = {{.i32 = 0}};
        failed += *world_call(w, 0, v) != 0;
        v[0].i32 = 1;
        failed += *world_call(w, 1, v) != 0;
        v[0].i32 = 16;
        v[1].i32 = 4 * k;
        failed += *world_call(w, 2, v) != 0;
    }
    return failed;
}

static void test_calls(void **state)
{
    (void)state;
    long n = 0;
    for (unsigned failed = 1; failed; n++) {
        struct world *w = build();
        world_start(w, interfaces, 1, NULL);
        allocations_left = n;
        failed = run(w);
        uint32_t live = w->instance.canonical->components[0].handles.live;
        dropped = 0;
        canonical_clear(w->instance.canonical, NULL);
        assert_int_equal(dropped, live);
        allocations_left = 0; /* once warm, a request allocates nothing */
        if (!failed) assert_int_equal(run(w), 0);
        allocations_left = -1;
        world_free(w);
    }
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new),
        cmocka_unit_test(test_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
