/* Every function with values that no compiler would pass, in any order: a trap or an answer, and
 * nothing else. Meant for the sanitizers; each round prints its seed when it fails. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"

#define ROUNDS         200u
#define CALLS          400u
#define PARAMETERS_MAX 20u

static uint64_t seed;

static uint64_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20;
}

static uint32_t some_handle(void)
{
    return (uint32_t)(dice() % (fake_handles() + 4));
}

static uint64_t some_value(void)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   3,
                                   255,
                                   256,
                                   UINT32_MAX,
                                   UINT64_MAX,
                                   INT64_MAX,
                                   0x80000000u,
                                   FAKE_MEMORY_BYTES,
                                   FAKE_MEMORY_BYTES - 1,
                                   FAKE_MEMORY_BYTES - 8,
                                   65536,
                                   4097};
    switch (dice() % 6) {
    case 0: return odd[dice() % ARRAY_COUNT(odd)];
    case 1: return AT_TEXT + 4 * (dice() % 64);
    case 2: return AT_RET;
    case 3: return dice() % 16;
    case 4: return some_handle();
    default: return dice();
    }
}

static const struct canonical_function *some_function(void)
{
    size_t count;
    const struct canonical_interface *const *list = wasi_preview2_interfaces(&count);
    for (;;) {
        const struct canonical_interface *interface = list[dice() % count];
        if (interface->functions_count)
            return &interface->functions[dice() % interface->functions_count];
    }
}

static void scribble(void)
{
    static const char *const texts[] = {"hello", "..", "/etc", "sub/../x", "\xff\xfe", "link"};
    const char *text = texts[dice() % ARRAY_COUNT(texts)];
    fake_put(AT_TEXT + 4 * (uint32_t)(dice() % 64), text, strlen(text));
    for (unsigned k = 0; k < 8; k++) {
        uint32_t handle = some_handle();
        fake_put(AT_TEXT + 4 * (uint32_t)(dice() % 64), &handle, sizeof handle);
    }
    fake.streams[0].input = "some input that there is";
    fake.streams[0].input_bytes = 24;
    fake.streams[dice() % 3].blocks = (unsigned)(dice() % 4);
    fake.streams[1 + dice() % 2].step_max = dice() % 7;
    fake.streams[dice() % 3].failure = dice() % 50 ? ST_OK : ST_IO;
    fake.streams[1].output_bytes = fake.streams[2].output_bytes = 0;
}

static void call_some(void)
{
    const struct canonical_function *f = some_function();
    struct canonical_call c = fake_outside();
    struct value values[PARAMETERS_MAX];
    for (unsigned k = 0; k < PARAMETERS_MAX; k++) values[k].i64 = some_value();
    /* Mostly what works, or all would end at the first check. */
    if (dice() % 2) values[0].i64 = some_handle();
    fake.trap_text[0] = '\0';
    fake.cancel = dice() % 10 == 0;
    fake.no_heap = dice() % 50 == 0;
    if (fake.heap_at > FAKE_MEMORY_BYTES / 2) fake.heap_at = FAKE_HEAP;
    enum host_result result = f->call(&c, values);
    if (result == HOST_TRAP && !fake.trap_text[0]) fail_msg("%s: no text", f->entry.name);
    if ((result == HOST_CANCEL || result == HOST_STOPPED) && !fake.cancel)
        fail_msg("%s: cancelled", f->entry.name);
}

static void round_of_calls(const struct wasi_preview2_config *config)
{
    fake_config_set(config);
    for (unsigned k = 0; k < CALLS; k++) {
        scribble();
        call_some();
        uint32_t handle = some_handle();
        if (handle && handle < FAKE_HANDLES_MAX && fake.handles[handle].type && dice() % 3 == 0)
            (void)fake_drop(handle);
    }
}

static void test_any_calls(void **state)
{
    (void)state;
    static const char *const env[] = {"A=1"};
    static const char *const values[] = {"hello=x"};
    int fd = open("tests/wasi2", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    const struct wasi_preopen preopens[] = {{.fd = fd, .guest_name = "/"}};
    struct wasi_preview2_config config = fake_config();
    config.env = config.args = env;
    config.env_count = config.args_count = 1;
    config.values = values;
    config.values_count = 1;
    config.preopens = preopens;
    config.preopens_count = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = round;
        round_of_calls(&config);
    }
    fake_config_set(&(struct wasi_preview2_config){0});
    assert_null(fake.state->objects);
    close(fd);
}

/* With all bits set, with none, and each result's place out of bounds or misaligned. */
static void test_extremes(void **state)
{
    static const uint64_t extremes[] = {
        0, UINT64_MAX, UINT32_MAX, INT32_MAX, 1, FAKE_MEMORY_BYTES, FAKE_MEMORY_BYTES - 1, 3};
    (void)state;
    size_t count;
    const struct canonical_interface *const *list = wasi_preview2_interfaces(&count);
    for (size_t k = 0; k < count; k++)
        for (size_t f = 0; f < list[k]->functions_count; f++)
            for (size_t x = 0; x < ARRAY_COUNT(extremes); x++) {
                struct canonical_call c = fake_outside();
                struct value values[PARAMETERS_MAX];
                for (unsigned p = 0; p < PARAMETERS_MAX; p++) values[p].i64 = extremes[x];
                (void)list[k]->functions[f].call(&c, values);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_calls, fake_setup, fake_teardown),
        cmocka_unit_test_setup_teardown(test_extremes, fake_setup, fake_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
