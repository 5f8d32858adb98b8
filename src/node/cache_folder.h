/* The folder of compiled artifacts, bounded in size. Writers rename whole files into place, so
 * several processes may use it at once. */
#ifndef NODE_CACHE_FOLDER_H
#define NODE_CACHE_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The path of file `name` in the folder, which is made (mode 0700) if it is not there. It must
 * belong to this user and be writable by nobody else: what lies in it is run.
 * Errors: ST_DENIED, ST_NOT_FOUND (neither XDG_CACHE_HOME nor HOME is set), ST_IO. */
NODISCARD enum status cache_folder_path(const char *name, char *path, size_t size_bytes,
                                        struct error *err);

/* Marks a file as used now. */
void cache_folder_touch(const char *path);

/* Removes the least recently used files until at most `bytes_max` and `files_max` are left. */
void cache_folder_trim(uint64_t bytes_max, size_t files_max);

#endif
