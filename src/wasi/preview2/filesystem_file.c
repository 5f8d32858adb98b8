/* wasi:filesystem: files of the host, errors, answers. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filesystem.h"
#include "preview1/path.h"

/* ---- errors ---- */

/* Behind each of preview 1's: the error plus 1; 0 for those that a file system never gives. */
#define MAP(from, to) [WASI_E##from] = FILESYSTEM_##to + 1

static const uint8_t errors[] = {
    MAP(ACCES, ACCESS),
    MAP(AGAIN, WOULD_BLOCK),
    MAP(ALREADY, ALREADY),
    MAP(BADF, BAD_DESCRIPTOR),
    MAP(BUSY, BUSY),
    MAP(DEADLK, DEADLOCK),
    MAP(DQUOT, QUOTA),
    MAP(EXIST, EXIST),
    MAP(FBIG, FILE_TOO_LARGE),
    MAP(ILSEQ, ILLEGAL_BYTE_SEQUENCE),
    MAP(INPROGRESS, IN_PROGRESS),
    MAP(INTR, INTERRUPTED),
    MAP(INVAL, INVALID),
    MAP(IO, IO),
    MAP(ISDIR, IS_DIRECTORY),
    MAP(LOOP, LOOP),
    MAP(MLINK, TOO_MANY_LINKS),
    MAP(MSGSIZE, MESSAGE_SIZE),
    MAP(NAMETOOLONG, NAME_TOO_LONG),
    MAP(NODEV, NO_DEVICE),
    MAP(NOENT, NO_ENTRY),
    MAP(NOLCK, NO_LOCK),
    MAP(NOMEM, INSUFFICIENT_MEMORY),
    MAP(MFILE, INSUFFICIENT_MEMORY),
    MAP(NFILE, INSUFFICIENT_MEMORY),
    MAP(NOSPC, INSUFFICIENT_SPACE),
    MAP(NOTDIR, NOT_DIRECTORY),
    MAP(NOTEMPTY, NOT_EMPTY),
    MAP(NOTRECOVERABLE, NOT_RECOVERABLE),
    MAP(NOTSUP, UNSUPPORTED),
    MAP(NOTTY, NO_TTY),
    MAP(NXIO, NO_SUCH_DEVICE),
    MAP(OVERFLOW, OVERFLOW),
    MAP(PERM, NOT_PERMITTED),
    MAP(PIPE, PIPE),
    MAP(ROFS, READ_ONLY),
    MAP(SPIPE, INVALID_SEEK),
    MAP(TXTBSY, TEXT_FILE_BUSY),
    MAP(XDEV, CROSS_DEVICE),
};

enum filesystem_error filesystem_error_of_wasi(unsigned number)
{
    if (number == WASI_OK) return FILESYSTEM_OK;
    if (number >= ARRAY_COUNT(errors) || !errors[number]) return FILESYSTEM_IO;
    return (enum filesystem_error)(errors[number] - 1);
}

enum filesystem_error filesystem_error_of(int number)
{
    return filesystem_error_of_wasi(errno_to_wasi(number));
}

enum descriptor_type descriptor_type_of(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFBLK: return DESCRIPTOR_BLOCK_DEVICE;
    case S_IFCHR: return DESCRIPTOR_CHARACTER_DEVICE;
    case S_IFDIR: return DESCRIPTOR_DIRECTORY;
    case S_IFIFO: return DESCRIPTOR_FIFO;
    case S_IFLNK: return DESCRIPTOR_SYMBOLIC_LINK;
    case S_IFREG: return DESCRIPTOR_REGULAR_FILE;
    case S_IFSOCK: return DESCRIPTOR_SOCKET;
    default: return DESCRIPTOR_UNKNOWN;
    }
}

/* ---- answers ---- */

enum host_result filesystem_answer(struct canonical_call *c, uint32_t at, enum filesystem_error e)
{
    uint8_t *ret = call_place(c, at, 2, 1);
    if (!ret) return HOST_TRAP;
    if (e == FILESYSTEM_OK) return HOST_OK;
    ret[0] = 1;
    ret[1] = (uint8_t)e;
    return HOST_OK;
}

enum host_result filesystem_fail(struct canonical_call *c, uint32_t at, uint32_t size_bytes,
                                 uint32_t align_bytes, enum filesystem_error e)
{
    uint8_t *ret = call_place(c, at, size_bytes, align_bytes);
    if (!ret) return HOST_TRAP;
    ret[0] = 1;
    ret[align_bytes] = (uint8_t)e;
    return HOST_OK;
}

enum host_result filesystem_answer_own(struct canonical_call *c, uint32_t at, void *object)
{
    uint32_t handle;
    if (!object || !io_call_own(c, object, &handle)) return HOST_TRAP;
    uint8_t *ret = call_place(c, at, 8, 4);
    if (!ret) return HOST_TRAP;
    put_u32(ret + sizeof handle, handle);
    return HOST_OK;
}

/* ---- files and descriptors ---- */

enum filesystem_error filesystem_file_new(struct wasi_preview2 *p, int fd, bool owned,
                                          struct filesystem_file **ret)
{
    struct filesystem_file *file = NULL;
    if (p->descriptors_count < WASI_DESCRIPTORS_MAX) file = io_pool_take(&p->pool, sizeof *file);
    if (!file) {
        if (owned) close(fd);
        return FILESYSTEM_INSUFFICIENT_MEMORY;
    }
    p->descriptors_count++;
    *file = (struct filesystem_file){fd, 1, owned};
    *ret = file;
    return FILESYSTEM_OK;
}

void filesystem_file_unref(struct wasi_preview2 *p, struct filesystem_file *file)
{
    if (--file->refs) return;
    if (file->owned) close(file->fd);
    p->descriptors_count--;
    io_pool_give(&p->pool, file, sizeof *file);
}

static void descriptor_done(struct wasi_preview2 *p, struct io_object *o)
{
    filesystem_file_unref(p, ((struct filesystem_descriptor *)o)->file);
}

const struct io_class filesystem_descriptor_class = IO_CLASS("descriptor", descriptor_done);

struct filesystem_descriptor *
filesystem_descriptor_new(struct canonical_call *c, struct filesystem_file *file, bool is_folder)
{
    struct filesystem_descriptor *d = io_call_new(c, &filesystem_descriptor_class, sizeof *d, NULL);
    if (!d) {
        filesystem_file_unref(call_state(c), file);
        return NULL;
    }
    d->file = file;
    d->is_folder = is_folder;
    return d;
}

struct filesystem_descriptor *filesystem_self(struct canonical_call *c, const struct value *v)
{
    return canonical_borrowed(c, &filesystem_descriptor_class.resource, v[0].i32);
}
