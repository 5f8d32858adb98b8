/* mayfly compile: hands its arguments to mayfly-compile, which explains and checks them. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "compiler_process.h"

static const char help[] =
    "usage: mayfly compile [options] IN.wasm -o OUT.mfa\n"
    "\n"
    "Compiles a WebAssembly module or component to an artifact, which `mayfly run` and\n"
    "`mayfly serve` start at once. An artifact holds machine code: it runs on this version of\n"
    "mayfly and on CPUs that have what it was compiled for, and is refused elsewhere.\n"
    "\n"
    "  -o FILE         where the artifact goes\n"
    "%s"
    "  --threads N     compile on N threads (default: one a core)\n"
    "  --deadline S    give up after so many seconds (default: 600)\n"
    "  --no-start      do not run the module's initialisers now, but in every instance\n"
    "  --stats         print sizes and times to standard error\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit codes: 0 done, 1 the module is bad or could not be compiled (one line says where and\n"
    "why), 2 wrong arguments.\n";

int cmd_compile(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (strcmp(argv[i], "--help") && strcmp(argv[i], "-h")) continue;
        printf(help, cli_compile_options_help);
        return CLI_OK;
    }
    return compiler_exec((const char *const *)argv + 1);
}
