#include "node/program_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "artifact/artifact.h"
#include "base/file.h"
#include "base/sha256.h"
#include "node/cache_folder.h"
#include "node/compiler.h"

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
        return error_set(err, ST_INVALID,
                         "%s: neither a WebAssembly module or component nor a mayfly artifact",
                         path);
    return ST_OK;
}

enum status program_file_digest(const char *path, char hex[SHA256_HEX], struct error *err)
{
    struct buffer wasm;
    buffer_init(&wasm, PROGRAM_WASM_BYTES_MAX);
    enum status st = file_read(path, &wasm, err);
    if (!st) {
        uint8_t digest[SHA256_BYTES];
        sha256(wasm.data, wasm.size_bytes, digest);
        sha256_hex(digest, hex);
    }
    buffer_done(&wasm);
    return st;
}

static enum status compile_into_cache(const char *path, const char *cached,
                                      const struct compiler_options *options, struct artifact **ret,
                                      struct error *err)
{
    enum status st = compiler_run(path, cached, options, err);
    if (!st) st = artifact_open(cached, ret, err);
    if (!st) cache_folder_trim(PROGRAM_CACHE_BYTES_MAX, PROGRAM_CACHE_FILES_MAX);
    return st;
}

static enum status open_module(const char *path, const struct compiler_options *options,
                               struct artifact **ret, bool *ret_compiled, struct error *err)
{
    char cached[PATH_MAX], name[COMPILER_CACHE_NAME_BYTES], hex[SHA256_HEX];
    enum status st = program_file_digest(path, hex, err);
    if (st) return st;
    compiler_cache_name(hex, options, name);
    st = cache_folder_path(name, cached, sizeof cached, err);
    if (st) return st;
    struct error ignored; /* a cached file that does not open is compiled anew */
    if (!artifact_open(cached, ret, &ignored)) {
        cache_folder_touch(cached);
        return ST_OK;
    }
    *ret_compiled = true;
    struct compiler_options same = *options;
    same.digest = hex;
    return compile_into_cache(path, cached, &same, ret, err);
}

enum status program_file_open(const char *path, const struct compiler_options *options,
                              struct artifact **ret, bool *ret_compiled, struct error *err)
{
    enum program_file_kind kind;
    *ret_compiled = false;
    enum status st = program_file_kind(path, &kind, err);
    if (st) return st;
    switch (kind) {
    case PROGRAM_FILE_MODULE:
    case PROGRAM_FILE_COMPONENT: return open_module(path, options, ret, ret_compiled, err);
    case PROGRAM_FILE_ARTIFACT: break;
    }
    st = artifact_open(path, ret, err);
    return st ? error_prefix(err, "%s", path) : ST_OK;
}
