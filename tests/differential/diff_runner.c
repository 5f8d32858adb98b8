/* diff_runner fast|optimised|aggressive[-plain] FOLDER COUNT [--jobs N] [--first N]
 *
 * Compiles and runs FOLDER/N.wasm for each N below COUNT, and writes what it sees to
 * FOLDER/N.LEVEL: one line an event, which compare.mjs replays in V8. Each module runs in a process
 * of its own; a module's file is whole only when it ends with "end".
 *
 *   instantiate ok | trap KIND
 *   call "export SIGNATURE value… -> value… | trap KIND
 *   log value
 *   memory PAGES SHA-256
 *   global "export value
 *   end
 *
 * All of it comes four times, and must be the same each time: a fresh instance, the same one after
 * a reset, an instance of the artifact with an image of the initialised state, and that after a
 * reset.
 *
 * Every exported function is called with several rows of arguments, all in one instance. Values are
 * written as in tests/spec/script.mjs; every NaN is "nan", a reference "null" or "ref". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "artifact/artifact_writer.h"
#include "base/file.h"
#include "codegen/codegen.h"
#include "session.h"
#include "wasm/program.h"
#include "wasm/wasm.h"

#define JOBS_MAX           64u
#define MODULE_BYTES_MAX   (16u << 20)
#define COMPILED_BYTES_MAX (64u << 20)
#define MODULE_SECONDS     60u
#define MEMORY_BYTES_MAX   (1ull << 32)

static enum codegen_level level = CODEGEN_FAST;
static bool plain; /* not conforming: as guests are compiled by default */
static const char *const level_names[] = {"fast", "optimised", "aggressive"};
static const char *mode; /* the level as it was named: the ending of what is written */

static enum status compile(const struct buffer *wasm, struct buffer *file, struct error *err)
{
    struct wasm_module *module = NULL;
    struct program_builder *builder = NULL;
    const struct program *program;
    struct codegen_stats stats;
    struct codegen_options options = {
        .level = level, .conforming = !plain, .cpu_level = 3, .threads = 1};
    uint32_t instance;
    enum status st = wasm_module_decode(wasm->data, wasm->size_bytes, 1, &module, err);
    if (!st) st = program_builder_new(&builder, err);
    if (!st) st = program_builder_add(builder, module, NULL, 0, true, &instance, err);
    if (!st) st = program_builder_finish(builder, &program, err);
    if (!st) st = codegen_compile(program, &options, file, &stats, err);
    if (builder) program_builder_free(builder);
    if (module) wasm_module_free(module);
    return st;
}

static enum status open_module(const struct buffer *file, struct module **ret, struct error *err)
{
    struct artifact *artifact = NULL;
    enum status st = artifact_open_bytes(file->data, file->size_bytes, &artifact, err);
    if (!st) st = module_new(artifact, &session_hosts, 1, ret, err);
    if (st) artifact_close(artifact);
    return st;
}

/* A fresh instance, and the same one again after a reset: no difference may be seen. */
static enum status run_twice(const struct module *module, struct error *err)
{
    struct instance *instance = NULL;
    struct instance_config config = {.memory_bytes_max = MEMORY_BYTES_MAX};
    enum status st = instance_new(module, &config, &instance, err);
    if (!st) {
        session_run(instance);
        st = instance_reset(instance, NULL, err);
    }
    if (!st) session_run(instance);
    instance_free(instance);
    return st;
}

static enum status freeze(const struct instance *instance, const struct artifact *a,
                          struct buffer *file, struct error *err)
{
    uint64_t pages[WASM_MEMORIES_MAX] = {0};
    struct buffer extents, bytes;
    for (uint32_t i = 0; i < WASM_MEMORIES_MAX; i++)
        pages[i] = guest_memory_bytes(instance, i) / WASM_PAGE_BYTES;
    buffer_init(&extents, COMPILED_BYTES_MAX);
    buffer_init(&bytes, COMPILED_BYTES_MAX);
    enum status st = instance_freeze(instance, &extents, &bytes, err);
    struct artifact_image image = {
        .extents = (const struct artifact_extent *)extents.data,
        .extents_count = extents.size_bytes / sizeof(struct artifact_extent),
        .bytes = {bytes.data, bytes.size_bytes},
        .memory_pages = pages,
        .started = true,
    };
    if (!st) st = artifact_write_image(a, &image, file, err);
    buffer_done(&extents);
    buffer_done(&bytes);
    return st;
}

/* The same with the initialised instance as the artifact's image, as it is deployed. What traps as
 * it is instantiated has none. */
static enum status run_frozen(const struct module *module, struct error *err)
{
    struct instance *instance = NULL;
    struct module *frozen = NULL;
    struct buffer file;
    struct instance_config config = {.memory_bytes_max = MEMORY_BYTES_MAX};
    buffer_init(&file, COMPILED_BYTES_MAX);
    enum status st = instance_new(module, &config, &instance, err);
    bool sound = !st && instance_init_all(instance) == CALL_RETURNED;
    if (sound) st = freeze(instance, module_artifact(module), &file, err);
    if (sound && !st) st = open_module(&file, &frozen, err);
    if (sound && !st) st = run_twice(frozen, err);
    instance_free(instance);
    if (frozen) module_free(frozen);
    buffer_done(&file);
    return st;
}

static enum status run_module(const char *path, struct error *err)
{
    struct buffer wasm, file;
    struct module *module = NULL;
    buffer_init(&wasm, MODULE_BYTES_MAX);
    buffer_init(&file, COMPILED_BYTES_MAX);
    enum status st = file_read(path, &wasm, err);
    if (!st) st = compile(&wasm, &file, err);
    if (!st) st = open_module(&file, &module, err);
    if (!st) st = run_twice(module, err);
    if (!st) st = run_frozen(module, err);
    if (module) module_free(module);
    buffer_done(&file);
    buffer_done(&wasm);
    return st;
}

/* In a process of its own. */
static void run_child(const char *folder, unsigned number)
{
    char path[4096];
    struct error err = {0};
    alarm(MODULE_SECONDS);
    snprintf(path, sizeof path, "%s/%u.%s", folder, number, mode);
    if (!freopen(path, "w", stdout)) _exit(2);
    snprintf(path, sizeof path, "%s/%u.wasm", folder, number);
    enum status st = runtime_init(&err);
    if (!st) st = runtime_thread_init(&err);
    if (!st) st = run_module(path, &err);
    if (st) printf("error %s: %s\n", status_name(st), err.text);
    fflush(stdout);
    exit(0); /* not _exit(): sanitizers look for leaks */
}

static void wait_one(unsigned *crashes)
{
    int status;
    if (wait(&status) < 0 || status == 0) return;
    (*crashes)++;
    if (WIFSIGNALED(status))
        fprintf(stderr, "diff_runner: a module crashed: %s\n", strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "diff_runner: a module's process ended with %d\n", WEXITSTATUS(status));
}

static int run_all(const char *folder, unsigned first, unsigned count, unsigned jobs)
{
    unsigned crashes = 0, running = 0;
    for (unsigned n = first; n < first + count; n++) {
        if (running == jobs) {
            wait_one(&crashes);
            running--;
        }
        pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            return 2;
        }
        if (pid == 0) run_child(folder, n);
        running++;
    }
    for (; running > 0; running--) wait_one(&crashes);
    return crashes > 0;
}

static int usage(void)
{
    fputs("usage: diff_runner fast|optimised|aggressive[-plain] FOLDER COUNT [--jobs N] [--first "
          "N]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned jobs = 2, first = 0;
    if (argc < 4) return usage();
    mode = argv[1];
    size_t length = strcspn(mode, "-");
    plain = strcmp(mode + length, "-plain") == 0;
    while (strlen(level_names[level]) != length || strncmp(mode, level_names[level], length) != 0)
        if (++level > CODEGEN_AGGRESSIVE) return usage();
    for (int i = 4; i + 1 < argc; i += 2) {
        unsigned value = (unsigned)atoi(argv[i + 1]);
        if (strcmp(argv[i], "--jobs") == 0)
            jobs = value;
        else if (strcmp(argv[i], "--first") == 0)
            first = value;
        else
            return usage();
    }
    if (jobs < 1 || jobs > JOBS_MAX) return usage();
    return run_all(argv[2], first, (unsigned)atoi(argv[3]), jobs);
}
