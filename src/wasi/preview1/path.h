/* What both WASIs need to reach files: paths beneath a folder, and the host's errors. */
#ifndef WASI_PREVIEW1_PATH_H
#define WASI_PREVIEW1_PATH_H

#include <sys/types.h>

#include "abi.h"
#include "wasi/wasi.h"

struct path {
    char text[WASI_PATH_BYTES_MAX];
};

/* openat2(2) beneath the folder: no component leads out of it. `flags` are O_ flags. */
NODISCARD enum wasi_errno path_open_beneath(int folder, const char *path, int flags, mode_t mode,
                                            int *ret_fd);

enum wasi_errno errno_to_wasi(int number);

#endif
