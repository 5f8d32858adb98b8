/* spec_runner validate|fast|optimised|aggressive FOLDER [--only NAME] [--jobs N] [--plain]
 *             [--cpu 2|3] [--stats] [--slice-ns N] [--save FOLDER]
 *
 * Runs the core test suite, as converted into FOLDER by convert.mjs. Each file runs in a process of
 * its own, so that a crash or a hang is one failure. Ends with "N passed, N failed, N skipped" and
 * exit code 1 when anything failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "suite.h"

#define FILES_MAX       1024u
#define JOBS_MAX        64u
#define FILE_SECONDS    240u
#define SCRIPT_NAME_MAX 128

struct job {
    pid_t pid;
    const char *name;
};

static void run_file(const struct suite_options *options, const char *name, struct report *report)
{
    struct script script;
    struct error err;
    if (script_read(options->folder, name, &script, &err)) {
        report_fail(report, name, 0, "%s", err.text);
        return;
    }
    if (options->validate)
        suite_validate(&script, options, report);
    else
        suite_execute(&script, options, report);
    script_done(&script);
}

static void start(struct job *job, const struct suite_options *options, const char *name,
                  struct report *report)
{
    fflush(stdout);
    job->name = name;
    job->pid = fork();
    if (job->pid < 0) {
        perror("fork");
        exit(2);
    }
    if (job->pid == 0) {
        alarm(FILE_SECONDS);
        run_file(options, name, report);
        fflush(stdout);
        exit(0); /* not _exit(): sanitizers look for leaks */
    }
}

/* Waits for one child; its job is free again. */
static void wait_one(struct job *jobs, struct report *report)
{
    int status;
    pid_t pid = wait(&status);
    if (pid < 0) {
        perror("wait");
        exit(2);
    }
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].pid != pid) continue;
        jobs[i].pid = 0;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            report_fail(report, jobs[i].name, 0, "takes more than %u s", FILE_SECONDS);
        else if (WIFSIGNALED(status))
            report_fail(report, jobs[i].name, 0, "crashed: %s", strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status))
            report_fail(report, jobs[i].name, 0, "exit code %d", WEXITSTATUS(status));
    }
}

static void run_all(const struct suite_options *options, char *index, const char *only,
                    unsigned jobs_max, struct report *report)
{
    struct job jobs[JOBS_MAX] = {0};
    unsigned running = 0;
    for (char *rest = index, *name; (name = strsep(&rest, "\n")) && *name;) {
        if (only && strcmp(only, name) != 0) continue;
        if (running == jobs_max) {
            wait_one(jobs, report);
            running--;
        }
        unsigned slot = 0;
        while (jobs[slot].pid) slot++;
        start(&jobs[slot], options, name, report);
        running++;
    }
    for (; running > 0; running--) wait_one(jobs, report);
}

static int usage(void)
{
    fputs("usage: spec_runner validate|fast|optimised|aggressive FOLDER [--only NAME] [--jobs N] "
          "[--plain] [--cpu 2|3] [--stats] [--slice-ns N] "
          "[--save FOLDER]\n",
          stderr);
    return 2;
}

static bool parse_mode(const char *mode, struct suite_options *options)
{
    options->validate = strcmp(mode, "validate") == 0;
    if (strcmp(mode, "optimised") == 0)
        options->level = CODEGEN_OPTIMISED;
    else if (strcmp(mode, "aggressive") == 0)
        options->level = CODEGEN_AGGRESSIVE;
    else if (strcmp(mode, "fast") != 0 && !options->validate)
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct suite_options options = {.level = CODEGEN_FAST, .cpu_level = 3};
    const char *only = NULL;
    unsigned jobs = 2;
    if (argc < 3 || !parse_mode(argv[1], &options)) return usage();
    options.folder = argv[2];
    for (int i = 3; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--only") == 0 && more)
            only = argv[++i];
        else if (strcmp(argv[i], "--jobs") == 0 && more)
            jobs = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--cpu") == 0 && more)
            options.cpu_level = (uint32_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--slice-ns") == 0 && more)
            options.slice_ns = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--save") == 0 && more)
            options.save = argv[++i];
        else if (strcmp(argv[i], "--plain") == 0)
            options.plain = true;
        else if (strcmp(argv[i], "--stats") == 0)
            options.stats = true;
        else
            return usage();
    }
    if (jobs < 1 || jobs > JOBS_MAX) return usage();

    struct report *report = report_new();
    struct buffer index;
    struct error err;
    char path[4096];
    buffer_init(&index, FILES_MAX * SCRIPT_NAME_MAX);
    snprintf(path, sizeof path, "%s/index", options.folder);
    if (file_read(path, &index, &err) || buffer_append(&index, "", 1)) {
        fprintf(stderr, "spec_runner: %s\n", err.text);
        return 2;
    }
    run_all(&options, (char *)index.data, only, jobs, report);
    report_print(report);
    buffer_done(&index);
    return report->failed > 0;
}
