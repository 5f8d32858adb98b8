/* wasi:filesystem: what is in a folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "filesystem.h"

#define BATCH_BYTES 4096u

struct entries {
    struct io_object object;
    struct filesystem_file *file; /* a description of its own: the position is not shared */
    uint8_t *batch;               /* of getdents64(2), from the pool */
    uint32_t at, end;
};

static void entries_done(struct wasi_preview2 *p, struct io_object *o)
{
    struct entries *e = (struct entries *)o;
    if (e->file) filesystem_file_unref(p, e->file);
    io_pool_give(&p->pool, e->batch, BATCH_BYTES);
}

const struct io_class filesystem_entries_class = IO_CLASS("directory-entry-stream", entries_done);

static enum filesystem_error open_entries(struct wasi_preview2 *p,
                                          const struct filesystem_descriptor *d, struct entries *e)
{
    if (!d->is_folder) return FILESYSTEM_NOT_DIRECTORY;
    int fd = openat(d->file->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return filesystem_error_of(errno);
    enum filesystem_error error = filesystem_file_new(p, fd, true, &e->file);
    if (error != FILESYSTEM_OK) return error;
    e->batch = io_pool_take(&p->pool, BATCH_BYTES);
    return e->batch ? FILESYSTEM_OK : FILESYSTEM_INSUFFICIENT_MEMORY;
}

enum host_result descriptor_read_directory(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    if (!d) return HOST_TRAP;
    struct entries *e = io_call_new(c, &filesystem_entries_class, sizeof *e, NULL);
    if (!e) return HOST_TRAP;
    enum filesystem_error error = open_entries(call_state(c), d, e);
    if (error == FILESYSTEM_OK) return filesystem_answer_own(c, v[1].i32, e);
    io_object_end(call_state(c), e);
    return filesystem_fail(c, v[1].i32, 8, 4, error);
}

/* ---- read-directory-entry ---- */

#define ENTRY_RESULT_BYTES 20u /* result<option<directory-entry>, error-code> */

static bool is_listed(const struct dirent64 *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* NULL in *ret behind the last. The entry is valid until the next call. */
static enum filesystem_error next_entry(struct entries *e, const struct dirent64 **ret)
{
    for (;;) {
        while (e->at < e->end) {
            const struct dirent64 *entry = (const struct dirent64 *)(e->batch + e->at);
            e->at += entry->d_reclen;
            if (!is_listed(entry)) continue;
            *ret = entry;
            return FILESYSTEM_OK;
        }
        ssize_t got = getdents64(e->file->fd, e->batch, BATCH_BYTES);
        if (got < 0 && errno != ENOENT) return filesystem_error_of(errno);
        if (got <= 0) break; /* ENOENT: removed meanwhile */
        e->at = 0;
        e->end = (uint32_t)got;
    }
    *ret = NULL;
    return FILESYSTEM_OK;
}

/* Some file systems leave the type to stat(2). */
static enum descriptor_type entry_type(const struct entries *e, const struct dirent64 *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN) return descriptor_type_of((uint32_t)DTTOIF(entry->d_type));
    if (fstatat(e->file->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) return DESCRIPTOR_UNKNOWN;
    return descriptor_type_of(st.st_mode);
}

enum host_result entries_read(struct canonical_call *c, struct value *v)
{
    struct entries *e = canonical_borrowed(c, &filesystem_entries_class.resource, v[0].i32);
    const struct dirent64 *entry = NULL;
    struct call_list name = {0, 0};
    if (!e) return HOST_TRAP;
    enum filesystem_error error = next_entry(e, &entry);
    if (error == FILESYSTEM_OK && entry && !text_is_utf8(entry->d_name, strlen(entry->d_name)))
        error = FILESYSTEM_ILLEGAL_BYTE_SEQUENCE;
    if (error != FILESYSTEM_OK) return filesystem_fail(c, v[1].i32, ENTRY_RESULT_BYTES, 4, error);
    if (entry && !call_put_text(c, entry->d_name, &name)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[1].i32, ENTRY_RESULT_BYTES, 4);
    if (!ret) return HOST_TRAP;
    if (!entry) return HOST_OK;
    ret[4] = 1;
    ret[8] = (uint8_t)entry_type(e, entry);
    put_list(ret + 12, &name);
    return HOST_OK;
}
