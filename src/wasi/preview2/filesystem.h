/* What wasi:filesystem is made of. Everything is read-only: what would change a file or a folder is
 * refused with read-only, or with bad-descriptor where a descriptor would have to be open for
 * writing. Paths are resolved by the kernel beneath their folder, as in preview 1. */
#ifndef WASI_PREVIEW2_FILESYSTEM_H
#define WASI_PREVIEW2_FILESYSTEM_H

#include "state.h"

enum filesystem_error { /* the values of enum error-code */
                        FILESYSTEM_ACCESS,
                        FILESYSTEM_WOULD_BLOCK,
                        FILESYSTEM_ALREADY,
                        FILESYSTEM_BAD_DESCRIPTOR,
                        FILESYSTEM_BUSY,
                        FILESYSTEM_DEADLOCK,
                        FILESYSTEM_QUOTA,
                        FILESYSTEM_EXIST,
                        FILESYSTEM_FILE_TOO_LARGE,
                        FILESYSTEM_ILLEGAL_BYTE_SEQUENCE,
                        FILESYSTEM_IN_PROGRESS,
                        FILESYSTEM_INTERRUPTED,
                        FILESYSTEM_INVALID,
                        FILESYSTEM_IO,
                        FILESYSTEM_IS_DIRECTORY,
                        FILESYSTEM_LOOP,
                        FILESYSTEM_TOO_MANY_LINKS,
                        FILESYSTEM_MESSAGE_SIZE,
                        FILESYSTEM_NAME_TOO_LONG,
                        FILESYSTEM_NO_DEVICE,
                        FILESYSTEM_NO_ENTRY,
                        FILESYSTEM_NO_LOCK,
                        FILESYSTEM_INSUFFICIENT_MEMORY,
                        FILESYSTEM_INSUFFICIENT_SPACE,
                        FILESYSTEM_NOT_DIRECTORY,
                        FILESYSTEM_NOT_EMPTY,
                        FILESYSTEM_NOT_RECOVERABLE,
                        FILESYSTEM_UNSUPPORTED,
                        FILESYSTEM_NO_TTY,
                        FILESYSTEM_NO_SUCH_DEVICE,
                        FILESYSTEM_OVERFLOW,
                        FILESYSTEM_NOT_PERMITTED,
                        FILESYSTEM_PIPE,
                        FILESYSTEM_READ_ONLY,
                        FILESYSTEM_INVALID_SEEK,
                        FILESYSTEM_TEXT_FILE_BUSY,
                        FILESYSTEM_CROSS_DEVICE,
                        FILESYSTEM_ERRORS_COUNT,
                        FILESYSTEM_OK = FILESYSTEM_ERRORS_COUNT /* no error */
};

enum descriptor_type {
    DESCRIPTOR_UNKNOWN,
    DESCRIPTOR_BLOCK_DEVICE,
    DESCRIPTOR_CHARACTER_DEVICE,
    DESCRIPTOR_DIRECTORY,
    DESCRIPTOR_FIFO,
    DESCRIPTOR_SYMBOLIC_LINK,
    DESCRIPTOR_REGULAR_FILE,
    DESCRIPTOR_SOCKET,
};

/* A file of the host, open for as long as a descriptor or a stream needs it; from the pool. */
struct filesystem_file {
    int fd;
    uint32_t refs;
    bool owned; /* closed with the last of them; otherwise a preopened folder */
};

struct filesystem_descriptor {
    struct io_object object;
    struct filesystem_file *file;
    bool is_folder;
};

extern const struct io_class filesystem_descriptor_class, filesystem_entries_class;

/* ---- errors ---- */

struct stat;
enum filesystem_error filesystem_error_of(int number);           /* of an errno of the host */
enum filesystem_error filesystem_error_of_wasi(unsigned number); /* of preview 1's */
const char *filesystem_error_name(enum filesystem_error e);
enum descriptor_type descriptor_type_of(uint32_t mode);

/* ---- answers; the place of a payload is as far behind the result as that is aligned ---- */

/* result<_, error-code>; FILESYSTEM_OK: ok */
enum host_result filesystem_answer(struct canonical_call *c, uint32_t at, enum filesystem_error e);

/* error(e) of a result of that size and alignment. */
enum host_result filesystem_fail(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                                 uint32_t align_bytes, enum filesystem_error e);

/* result<own<…>, error-code> for a fresh object. */
enum host_result filesystem_answer_own(struct canonical_call *c, uint32_t at, void *object);

/* ---- descriptors ---- */

/* Takes `fd`, which is closed on failure if it is owned. */
enum filesystem_error filesystem_file_new(struct wasi_preview2 *p, int fd, bool owned,
                                          struct filesystem_file **ret);
void filesystem_file_unref(struct wasi_preview2 *p, struct filesystem_file *file);

/* A descriptor over a file, whose reference it takes, also on failure. NULL: HOST_TRAP. */
NODISCARD struct filesystem_descriptor *
filesystem_descriptor_new(struct canonical_call *c, struct filesystem_file *file, bool is_folder);

/* v[0]; NULL: HOST_TRAP. */
NODISCARD struct filesystem_descriptor *filesystem_self(struct canonical_call *c,
                                                        const struct value *v);

/* ---- functions of descriptors; the table is in filesystem.c ---- */

#define DESCRIPTOR_FUNCTION(name) enum host_result name(struct canonical_call *c, struct value *v)

DESCRIPTOR_FUNCTION(descriptor_read);
DESCRIPTOR_FUNCTION(descriptor_read_via_stream);
DESCRIPTOR_FUNCTION(descriptor_read_directory);
DESCRIPTOR_FUNCTION(entries_read);
DESCRIPTOR_FUNCTION(descriptor_stat);
DESCRIPTOR_FUNCTION(descriptor_stat_at);
DESCRIPTOR_FUNCTION(descriptor_metadata_hash);
DESCRIPTOR_FUNCTION(descriptor_metadata_hash_at);
DESCRIPTOR_FUNCTION(descriptor_is_same_object);
DESCRIPTOR_FUNCTION(descriptor_open_at);
DESCRIPTOR_FUNCTION(descriptor_readlink_at);
DESCRIPTOR_FUNCTION(descriptor_change_path); /* create-directory-at, unlink-file-at, … */
DESCRIPTOR_FUNCTION(descriptor_set_times_at);
DESCRIPTOR_FUNCTION(descriptor_link_at);
DESCRIPTOR_FUNCTION(descriptor_rename_at);
DESCRIPTOR_FUNCTION(descriptor_symlink_at);

#endif
