/* mayfly: the command line. One file a verb: cmd_<verb>.c. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "common/cli.h"

static const char help[] =
    "usage: mayfly VERB [options] …\n"
    "\n"
    "WebAssembly programs behind HTTP: a fresh sandbox for every request.\n"
    "\n"
    "  serve FILE|FOLDER   answer HTTP with a program, or with every NAME.wasm of a folder\n"
    "  run FILE [ARGS]     run a program here and now\n"
    "  compile FILE -o F   compile a module to an artifact (.mfa), ahead of time\n"
    "  inspect FILE        what a module or an artifact imports, exports and needs\n"
    "  version             print the version\n"
    "\n"
    "`mayfly VERB --help` explains a verb and its exit codes.\n";

static const struct {
    const char *verb;
    int (*command)(int argc, char **argv);
} commands[] = {
    {"serve", cmd_serve},
    {"run", cmd_run},
    {"compile", cmd_compile},
    {"inspect", cmd_inspect},
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs(help, stderr);
        return CLI_USAGE;
    }
    const char *verb = argv[1];
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        if (!strcmp(verb, commands[i].verb)) return commands[i].command(argc - 1, argv + 1);
    if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help")) {
        fputs(help, stdout);
        return CLI_OK;
    }
    if (!strcmp(verb, "--version") || !strcmp(verb, "version")) {
        puts("mayfly " MAYFLY_VERSION);
        return CLI_OK;
    }
    return cli_usage_error("", "unknown verb %s", verb);
}
