#include "program_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/file.h"
#include "base/sha256.h"
#include "cache_folder.h"
#include "compiler_process.h"

enum status program_file_kind(const char *path, enum program_file_kind *ret, struct error *err)
{
    static const unsigned char module[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const unsigned char component[8] = {0, 'a', 's', 'm', 13, 0, 1, 0};
    unsigned char head[8];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, errno, "%s", path);
    ssize_t got = read(fd, head, sizeof head);
    int number = errno;
    close(fd);
    if (got < 0) return error_set_errno(err, number, "%s", path);
    if (got == sizeof head && !memcmp(head, ARTIFACT_MAGIC, sizeof head))
        *ret = PROGRAM_FILE_ARTIFACT;
    else if (got == sizeof head && !memcmp(head, component, sizeof head))
        *ret = PROGRAM_FILE_COMPONENT;
    else if (got >= 4 && !memcmp(head, module, 4))
        *ret = PROGRAM_FILE_MODULE; /* perhaps truncated or of another version: it will be said */
    else
        return error_set(err, ST_INVALID, "%s: neither a WebAssembly module nor a mayfly artifact",
                         path);
    return ST_OK;
}

/* The name under which the outcome is kept: everything that the code depends on. */
static void cache_key(const struct buffer *wasm, const struct cli_compile_options *options,
                      char hex[SHA256_HEX])
{
    uint8_t digest[SHA256_BYTES];
    char text[SHA256_HEX + 128];
    sha256(wasm->data, wasm->size_bytes, digest);
    sha256_hex(digest, hex);
    int length = snprintf(text, sizeof text, "%s %s %s %d %u", hex, ARTIFACT_ENGINE,
                          cli_level_name(options->level), options->conforming, options->cpu_level);
    sha256(text, (size_t)length, digest);
    sha256_hex(digest, hex);
}

static enum status compile_into_cache(const char *path, const char *cached,
                                      const struct cli_compile_options *options,
                                      struct artifact **ret, struct error *err)
{
    enum status st = compiler_run(path, cached, options, err);
    if (!st) st = artifact_open(cached, ret, err);
    if (!st) cache_folder_trim(PROGRAM_CACHE_BYTES_MAX, PROGRAM_CACHE_FILES_MAX);
    return st;
}

static enum status open_module(const char *path, const struct cli_compile_options *options,
                               struct artifact **ret, bool *ret_compiled, struct error *err)
{
    char cached[PATH_MAX], name[SHA256_HEX + 4], hex[SHA256_HEX];
    struct buffer wasm;
    buffer_init(&wasm, CLI_WASM_BYTES_MAX);
    enum status st = file_read(path, &wasm, err);
    if (!st) {
        cache_key(&wasm, options, hex);
        snprintf(name, sizeof name, "%s.mfa", hex);
        st = cache_folder_path(name, cached, sizeof cached, err);
    }
    buffer_done(&wasm);
    if (st) return st;
    struct error ignored; /* a cached file that does not open is compiled anew */
    if (!artifact_open(cached, ret, &ignored)) {
        cache_folder_touch(cached);
        return ST_OK;
    }
    *ret_compiled = true;
    return compile_into_cache(path, cached, options, ret, err);
}

enum status program_file_open(const char *path, const struct cli_compile_options *options,
                              struct artifact **ret, bool *ret_compiled, struct error *err)
{
    enum program_file_kind kind;
    *ret_compiled = false;
    enum status st = program_file_kind(path, &kind, err);
    if (st) return st;
    switch (kind) {
    case PROGRAM_FILE_MODULE: return open_module(path, options, ret, ret_compiled, err);
    case PROGRAM_FILE_ARTIFACT: break;
    case PROGRAM_FILE_COMPONENT:
        return error_set(err, ST_UNSUPPORTED,
                         "%s: is a component; this version runs core modules (WASI preview 1 "
                         "commands) only",
                         path);
    }
    st = artifact_open(path, ret, err);
    return st ? error_prefix(err, "%s", path) : ST_OK;
}
