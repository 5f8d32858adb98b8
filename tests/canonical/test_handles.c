/* Tables of handles: resources of guests and of the host, lent, moved, dropped, and gone behind a
 * request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "state.h"
#include "world.h"

/* Component 1 defines R, 2 and 3 use it. */
static struct guests {
    uint32_t r, other;
    uint32_t new_1, drop_1, rep_1, new_other;  /* in 1 */
    uint32_t make_2, consume_2, use_2, both_2; /* 1's functions in 2 */
    uint32_t drop_2, pass_2;                   /* pass: of 3, which gets a borrow */
    uint32_t drop_3, use_3, drop_other_2;
    unsigned destroyed, destroyed_rep, used_rep;
    bool keep_borrow;
} g;

static bool destructor(struct world *w, struct value *v)
{
    (void)w;
    g.destroyed++;
    g.destroyed_rep = v[0].i32;
    return true;
}

static bool make(struct world *w, struct value *v)
{
    return world_import(w, g.new_1, v);
}

static bool consume(struct world *w, struct value *v)
{
    return world_import(w, g.drop_1, v);
}

static bool use(struct world *w, struct value *v)
{
    (void)w;
    g.used_rep = v[0].i32;
    return true;
}

static bool both(struct world *w, struct value *v)
{
    (void)w;
    g.used_rep = v[0].i32;
    return true;
}

/* Gets a borrow, lends it on to its definer, and drops it if it is well-behaved. */
static bool pass(struct world *w, struct value *v)
{
    uint32_t borrow = v[0].i32;
    struct value again[1] = {{.i32 = borrow}};
    if (!world_import(w, g.use_3, again)) return false;
    again[0].i32 = borrow;
    return g.keep_borrow || world_import(w, g.drop_3, again);
}

static struct world *start(void)
{
    struct world *w = world_new();
    memset(&g, 0, sizeof g);
    uint32_t c1 = world_component(w, 0), c2 = world_component(w, 0), c3 = world_component(w, 0);
    struct artifact_canon_options o1 = world_options(w, c1, CANON_MEMORY_NONE, CANON_UTF8);
    struct artifact_canon_options o2 = o1, o3 = o1;
    o2.component = c2;
    o3.component = c3;
    g.r = world_resource(w, c1, "", "R", world_code_add(w, destructor));
    g.other = world_resource(w, c1, "", "S", 0);
    g.new_1 = world_builtin(w, CANON_RESOURCE_NEW, g.r, c1);
    g.drop_1 = world_builtin(w, CANON_RESOURCE_DROP, g.r, c1);
    g.rep_1 = world_builtin(w, CANON_RESOURCE_REP, g.r, c1);
    g.new_other = world_builtin(w, CANON_RESOURCE_NEW, g.other, c1);
    g.drop_2 = world_builtin(w, CANON_RESOURCE_DROP, g.r, c2);
    g.drop_3 = world_builtin(w, CANON_RESOURCE_DROP, g.r, c3);
    g.drop_other_2 = world_builtin(w, CANON_RESOURCE_DROP, g.other, c2);
    uint32_t t_make = world_type(w, "func(rep: u32) -> own<R>");
    uint32_t t_consume = world_type(w, "func(r: own<R>)");
    uint32_t t_use = world_type(w, "func(r: borrow<R>)");
    uint32_t t_both = world_type(w, "func(a: borrow<R>, b: own<R>)");
    uint32_t l_use = world_lift(w, t_use, world_code_add(w, use), o1);
    g.make_2 = world_lower(w, t_make, world_lift(w, t_make, world_code_add(w, make), o1), o2);
    g.consume_2 =
        world_lower(w, t_consume, world_lift(w, t_consume, world_code_add(w, consume), o1), o2);
    g.use_2 = world_lower(w, t_use, l_use, o2);
    g.use_3 = world_lower(w, t_use, l_use, o3);
    g.both_2 = world_lower(w, t_both, world_lift(w, t_both, world_code_add(w, both), o1), o2);
    g.pass_2 = world_lower(w, t_use, world_lift(w, t_use, world_code_add(w, pass), o3), o2);
    world_start(w, NULL, 0, NULL);
    return w;
}

static uint32_t call(struct world *w, uint32_t canon, uint32_t parameter)
{
    struct value v[2] = {{.i32 = parameter}};
    assert_string_equal(world_call(w, canon, v), "");
    return v[0].i32;
}

static void call_traps(struct world *w, uint32_t canon, uint32_t parameter, const char *text)
{
    struct value v[2] = {{.i32 = parameter}};
    assert_string_equal(world_call(w, canon, v), text);
}

static void test_places(void **state)
{
    (void)state;
    struct world *w = start();
    assert_int_equal(call(w, g.new_1, 100), 1);
    assert_int_equal(call(w, g.new_1, 200), 2);
    assert_int_equal(call(w, g.new_1, 300), 3);
    call(w, g.drop_1, 2);
    assert_int_equal(g.destroyed_rep, 200);
    assert_int_equal(call(w, g.new_1, 400), 2);
    assert_int_equal(call(w, g.rep_1, 2), 400);
    call(w, g.drop_1, 1);
    call(w, g.drop_1, 2);
    call(w, g.drop_1, 3);
    assert_int_equal(call(w, g.new_1, 1), 3);
    assert_int_equal(call(w, g.new_1, 2), 2);
    assert_int_equal(call(w, g.new_1, 3), 1);
    assert_int_equal(call(w, g.new_1, 4), 4);
    world_free(w);
}

static void test_unknown(void **state)
{
    (void)state;
    struct world *w = start();
    call_traps(w, g.drop_1, 5, "unknown handle index 5");
    call_traps(w, g.rep_1, 5, "unknown handle index 5");
    call_traps(w, g.drop_1, 0, "unknown handle index 0");
    call_traps(w, g.drop_1, UINT32_MAX, "unknown handle index 4294967295");
    assert_int_equal(call(w, g.new_1, 1), 1);
    call(w, g.drop_1, 1);
    call_traps(w, g.drop_1, 1, "unknown handle index 1");
    call_traps(w, g.use_2, 3, "unknown handle index 3");
    call_traps(w, g.consume_2, 1, "unknown handle index 1");
    world_free(w);
}

static void test_types(void **state)
{
    (void)state;
    static const char text[] = "handle index 1 used with the wrong type, expected guest-defined "
                               "resource but found a different guest-defined resource";
    struct world *w = start();
    assert_int_equal(call(w, g.new_other, 1), 1);
    call_traps(w, g.drop_1, 1, text);
    call_traps(w, g.rep_1, 1, text);
    call(w, g.make_2, 7);
    call_traps(w, g.drop_other_2, 1, text);
    world_free(w);
}

static void test_moves(void **state)
{
    (void)state;
    struct world *w = start();
    assert_int_equal(call(w, g.make_2, 7), 1);
    assert_int_equal(call(w, g.make_2, 8), 2);
    call_traps(w, g.rep_1, 1, "unknown handle index 1"); /* it moved out */
    call(w, g.use_2, 1);
    assert_int_equal(g.used_rep, 7);
    call(w, g.use_2, 1);
    call(w, g.consume_2, 1);
    assert_int_equal(g.destroyed_rep, 7);
    assert_int_equal(call(w, g.make_2, 9), 1);
    call(w, g.drop_2, 2); /* the definer's destructor, from elsewhere */
    assert_int_equal(g.destroyed, 2);
    assert_int_equal(g.destroyed_rep, 8);
    world_free(w);
}

/* A handle that one parameter borrows cannot be given away by another. */
static void test_lent(void **state)
{
    (void)state;
    struct world *w = start();
    call(w, g.make_2, 7);
    call(w, g.make_2, 8);
    struct value v[2] = {{.i32 = 1}, {.i32 = 2}};
    assert_string_equal(world_call(w, g.both_2, v), "");
    assert_int_equal(g.used_rep, 7);
    v[0].i32 = v[1].i32 = 1;
    assert_string_equal(world_call(w, g.both_2, v), "cannot remove owned resource while borrowed");
    assert_int_equal(w->instance.canonical->lends_count, 0);
    world_free(w);
}

static void test_borrowed(void **state)
{
    (void)state;
    struct world *w = start();
    call(w, g.make_2, 7);
    call(w, g.pass_2, 1);
    assert_int_equal(g.used_rep, 7);
    call(w, g.pass_2, 1);
    assert_int_equal(g.destroyed, 0); /* dropping a borrow destroys nothing */
    g.keep_borrow = true;
    call_traps(w, g.pass_2, 1, "borrow handles still remain at the end of the call");
    world_free(w);
}

static void test_limit(void **state)
{
    (void)state;
    struct world *w = start();
    for (uint32_t k = 1; k < CANONICAL_HANDLES_MAX; k++) assert_int_equal(call(w, g.new_1, k), k);
    call_traps(w, g.new_1, 0, "more than 65535 handles");
    call(w, g.drop_1, 500);
    assert_int_equal(call(w, g.new_1, 0), 500);
    world_free(w);
}

/* So many borrows of one handle in one call, and one more. */
static void test_lends_limit(void **state)
{
    (void)state;
    struct world *w = start();
    struct canonical *c = w->instance.canonical;
    call(w, g.make_2, 7);
    struct handle *lent = handle_find(c, &w->instance, 2, 1, &w->resources[g.r]);
    assert_non_null(lent);
    for (uint32_t k = 0; k < CANONICAL_LENDS_MAX; k++)
        assert_true(handle_lend(c, &w->instance, (struct handle_ref){2, 1}, lent));
    assert_false(handle_lend(c, &w->instance, (struct handle_ref){2, 1}, lent));
    assert_string_equal(w->trap.text, "more than 65536 handles are lent");
    lends_end(c, 0);
    assert_int_equal(lent->lends, 0);
    world_free(w);
}

/* ---- resources of the host ---- */

static struct host {
    int order[64];
    unsigned dropped;
    void *seen[4];
} h;

static void drop(void *host, void *rep)
{
    struct host *of = host;
    if (of->dropped < sizeof of->order / sizeof *of->order) of->order[of->dropped] = *(int *)rep;
    of->dropped++;
}

static const char *refuse_drop(void *host, void *rep)
{
    (void)host;
    return *(int *)rep == 66 ? "resource has children" : NULL;
}

static const struct canonical_resource pipe_type = {"pipe", drop, refuse_drop};
static const struct canonical_resource tap_type = {"tap", drop, NULL};
static int objects[] = {0, 1, 2, 3, 4, 66};

static enum host_result host_new(struct canonical_call *c, struct value *v)
{
    return canonical_own(c, &pipe_type, &objects[v[0].i32], &v[0].i32) ? HOST_OK : HOST_TRAP;
}

static enum host_result host_use(struct canonical_call *c, struct value *v)
{
    h.seen[0] = canonical_borrowed(c, &pipe_type, v[0].i32);
    return h.seen[0] ? HOST_OK : HOST_TRAP;
}

static enum host_result host_take(struct canonical_call *c, struct value *v)
{
    h.seen[0] = canonical_taken(c, &pipe_type, v[0].i32);
    return h.seen[0] ? HOST_OK : HOST_TRAP;
}

static enum host_result host_both(struct canonical_call *c, struct value *v)
{
    h.seen[0] = canonical_borrowed(c, &pipe_type, v[0].i32);
    if (!h.seen[0]) return HOST_TRAP;
    h.seen[1] = canonical_taken(c, &pipe_type, v[1].i32);
    return h.seen[1] ? HOST_OK : HOST_TRAP;
}

static enum host_result host_wrong(struct canonical_call *c, struct value *v)
{
    return canonical_borrowed(c, &tap_type, v[0].i32) ? HOST_OK : HOST_TRAP;
}

static const struct canonical_function pipe_functions[] = {
    CANONICAL_FUNCTION("new", NULL, host_new),     CANONICAL_FUNCTION("use", NULL, host_use),
    CANONICAL_FUNCTION("take", NULL, host_take),   CANONICAL_FUNCTION("both", NULL, host_both),
    CANONICAL_FUNCTION("wrong", NULL, host_wrong),
};
static const struct canonical_resource *const pipe_resources[] = {&pipe_type, &tap_type};
static const struct canonical_interface pipes = {"a:b/pipes", "1.0.0",        pipe_functions,
                                                 5,           pipe_resources, 2};
static const struct canonical_interface *const interfaces[] = {&pipes};

static struct imports {
    uint32_t new_1, use_1, take_1, both_1, wrong_1, drop_1, new_2, drop_2, give_1;
    bool lend_on;
    uint32_t use_2, borrow_1;
} m;

static bool take_and_keep(struct world *w, struct value *v)
{
    (void)w;
    (void)v;
    return true;
}

/* Component 2 uses a borrow of the host's resource that 1 lent to it. */
static bool borrow_and_use(struct world *w, struct value *v)
{
    struct value again[1] = {v[0]};
    return world_import(w, m.use_2, again) && world_import(w, m.drop_2, v);
}

static struct world *start_host(void)
{
    struct world *w = world_new();
    memset(&m, 0, sizeof m);
    memset(&h, 0, sizeof h);
    uint32_t c1 = world_component(w, 0), c2 = world_component(w, 0);
    struct artifact_canon_options o1 = world_options(w, c1, CANON_MEMORY_NONE, CANON_UTF8);
    struct artifact_canon_options o2 = o1;
    o2.component = c2;
    uint32_t pipe = world_resource(w, COMPONENT_HOST, "a:b/pipes@1.2.0", "pipe", 0);
    m.new_1 = world_lower_host(w, "func(n: u32) -> own<pipe>", "a:b/pipes@1.0.0", "new", o1);
    m.new_2 = world_lower_host(w, "func(n: u32) -> own<pipe>", "a:b/pipes@1.0.0", "new", o2);
    m.use_1 = world_lower_host(w, "func(p: borrow<pipe>)", "a:b/pipes@1.0.0", "use", o1);
    m.use_2 = world_lower_host(w, "func(p: borrow<pipe>)", "a:b/pipes@1.0.0", "use", o2);
    m.take_1 = world_lower_host(w, "func(p: own<pipe>)", "a:b/pipes@1.0.0", "take", o1);
    m.both_1 = world_lower_host(w, "func(p: own<pipe>)", "a:b/pipes@1.0.0", "both", o1);
    m.wrong_1 = world_lower_host(w, "func(p: own<pipe>)", "a:b/pipes@1.0.0", "wrong", o1);
    m.drop_1 = world_builtin(w, CANON_RESOURCE_DROP, pipe, c1);
    m.drop_2 = world_builtin(w, CANON_RESOURCE_DROP, pipe, c2);
    uint32_t t = world_type(w, "func(p: own<pipe>)");
    m.give_1 = world_lower(w, t, world_lift(w, t, world_code_add(w, take_and_keep), o2), o1);
    t = world_type(w, "func(p: borrow<pipe>)");
    m.borrow_1 = world_lower(w, t, world_lift(w, t, world_code_add(w, borrow_and_use), o2), o1);
    world_start(w, interfaces, 1, &h);
    return w;
}

static void test_host_resources(void **state)
{
    (void)state;
    struct world *w = start_host();
    assert_int_equal(call(w, m.new_1, 1), 1);
    assert_int_equal(call(w, m.new_1, 2), 2);
    call(w, m.use_1, 2);
    assert_ptr_equal(h.seen[0], &objects[2]);
    call(w, m.drop_1, 2);
    assert_int_equal(h.dropped, 1);
    assert_int_equal(h.order[0], 2);
    call_traps(w, m.use_1, 2, "unknown handle index 2");
    call_traps(w, m.wrong_1, 1,
               "handle index 1 used with the wrong type, expected tap but found pipe");
    call(w, m.take_1, 1);
    assert_ptr_equal(h.seen[0], &objects[1]);
    assert_int_equal(h.dropped, 1); /* what was taken is the host's */
    call_traps(w, m.drop_1, 1, "unknown handle index 1");
    assert_true(canonical_is_fresh(w->instance.canonical));
    world_free(w);
}

static void test_host_lends(void **state)
{
    (void)state;
    struct world *w = start_host();
    call(w, m.new_1, 1);
    call(w, m.new_1, 2);
    struct value v[2] = {{.i32 = 1}, {.i32 = 1}};
    assert_string_equal(world_call(w, m.both_1, v), "cannot remove owned resource while borrowed");
    assert_int_equal(w->instance.canonical->lends_count, 0);
    v[0].i32 = 1;
    v[1].i32 = 2;
    assert_string_equal(world_call(w, m.both_1, v), "");
    call(w, m.borrow_1, 1);
    assert_ptr_equal(h.seen[0], &objects[1]);
    assert_int_equal(h.dropped, 0);
    call(w, m.drop_1, 1);
    assert_int_equal(h.dropped, 1);
    world_free(w);
}

/* A borrow is not to be given away as owned. */
static bool give_borrow_away(struct world *w, struct value *v)
{
    return world_import(w, m.take_1, v);
}

static void test_borrow_is_not_own(void **state)
{
    (void)state;
    struct world *w = start_host();
    call(w, m.new_1, 1);
    w->codes[w->lifts[w->canons[m.borrow_1].lift].func - 1] = give_borrow_away;
    w->canons[m.take_1].options.component = 2;
    call_traps(w, m.borrow_1, 1, "cannot lift own resource from a borrow");
    world_free(w);
}

static void test_refused_drop(void **state)
{
    (void)state;
    struct world *w = start_host();
    call(w, m.new_1, 5);
    call_traps(w, m.drop_1, 1, "resource has children");
    assert_int_equal(h.dropped, 0);
    canonical_clear(w->instance.canonical, &h);
    assert_int_equal(h.dropped, 1); /* at the end nobody is asked */
    world_free(w);
}

/* Behind a request: the newest first, over all tables, wherever they were moved meanwhile. */
static void test_clear(void **state)
{
    (void)state;
    struct world *w = start_host();
    struct canonical *c = w->instance.canonical;
    call(w, m.new_1, 1);
    call(w, m.new_2, 2);
    call(w, m.new_1, 3);
    call(w, m.new_2, 4);
    call(w, m.new_1, 0);
    call(w, m.give_1, 1); /* 1 is still the oldest */
    call(w, m.give_1, 3); /* and 0 the newest */
    call(w, m.drop_2, 2); /* 4 */
    assert_int_equal(h.dropped, 1);
    static const int order[] = {4, 0, 3, 2, 1};
    struct host next;
    memset(&next, 0, sizeof next);
    uint32_t capacity = c->components[2].handles.capacity;
    const struct handle *entries = c->components[2].handles.entries;
    canonical_clear(c, &next);
    assert_int_equal(h.dropped, 5);
    assert_memory_equal(h.order, order, sizeof order);
    assert_true(canonical_is_fresh(c));
    call_traps(w, m.use_1, 1, "unknown handle index 1");
    call_traps(w, m.drop_2, 3, "unknown handle index 3");
    assert_int_equal(c->components[2].handles.capacity, capacity);
    assert_ptr_equal(c->components[2].handles.entries, entries);
    assert_int_equal(call(w, m.new_2, 3), 1);
    world_free(w);
    assert_int_equal(h.dropped, 5);
    assert_int_equal(next.dropped, 1); /* with the new host */
}

/* Nothing of one request is there in the next, however it ended. */
static void test_requests(void **state)
{
    (void)state;
    struct world *w = start();
    for (unsigned round = 0; round < 100; round++) {
        g.keep_borrow = round % 2;
        assert_int_equal(call(w, g.make_2, 7), 1);
        struct value v[2] = {{.i32 = 1}};
        (void)world_call(w, g.pass_2, v);
        assert_int_equal(call(w, g.new_1, 9), 1);
        canonical_clear(w->instance.canonical, NULL);
        w->trap.kind = TRAP_NONE;
        call_traps(w, g.drop_2, 1, "unknown handle index 1");
        call_traps(w, g.drop_3, 1, "unknown handle index 1");
        call_traps(w, g.rep_1, 1, "unknown handle index 1");
    }
    world_free(w);
}

/* A handle given from outside is the component's whose function it is for. */
static void test_give(void **state)
{
    (void)state;
    struct world *w = start_host();
    struct error err;
    uint32_t handle = 0;
    assert_int_equal(
        canonical_give(w->instance.canonical, 0, &pipe_type, &objects[3], &handle, &err), ST_OK);
    assert_int_equal(handle, 1);
    call_traps(w, m.use_1, 1, "unknown handle index 1");
    call(w, m.use_2, 1);
    assert_ptr_equal(h.seen[0], &objects[3]);
    for (uint32_t k = 2; k < CANONICAL_HANDLES_MAX; k++)
        assert_int_equal(
            canonical_give(w->instance.canonical, 0, &tap_type, &objects[3], &handle, &err), ST_OK);
    assert_int_equal(
        canonical_give(w->instance.canonical, 0, &pipe_type, &objects[3], &handle, &err), ST_LIMIT);
    /* One that does not find room on its way stays where it was. */
    call(w, m.new_1, 2);
    call_traps(w, m.give_1, 1, "more than 65535 handles");
    w->trap.kind = TRAP_NONE;
    call(w, m.use_1, 1);
    world_free(w);
    assert_int_equal(h.dropped, CANONICAL_HANDLES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_lent),
        cmocka_unit_test(test_borrowed),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_lends_limit),
        cmocka_unit_test(test_host_resources),
        cmocka_unit_test(test_host_lends),
        cmocka_unit_test(test_borrow_is_not_own),
        cmocka_unit_test(test_refused_drop),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
