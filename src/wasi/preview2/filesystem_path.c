/* wasi:filesystem: what paths lead to. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filesystem.h"
#include "preview1/path.h"

/* ---- paths ---- */

/* Copies a guest's path, checked. False: HOST_TRAP; *ret_error may still refuse it. */
static bool take_path(struct canonical_call *c, const struct value *v, struct path *ret,
                      enum filesystem_error *ret_error)
{
    struct canonical_text text;
    if (!canonical_text(c, v[0].i32, v[1].i32, &text)) return false;
    *ret_error = FILESYSTEM_OK;
    if (text.size_bytes == 0) *ret_error = FILESYSTEM_NO_ENTRY;
    if (text.size_bytes >= sizeof ret->text) *ret_error = FILESYSTEM_NAME_TOO_LONG;
    if (*ret_error != FILESYSTEM_OK) return true;
    memcpy(ret->text, text.bytes, text.size_bytes);
    ret->text[text.size_bytes] = '\0';
    if (strlen(ret->text) != text.size_bytes) *ret_error = FILESYSTEM_INVALID;
    if (ret->text[0] == '/') *ret_error = FILESYSTEM_NOT_PERMITTED;
    return true;
}

static enum filesystem_error open_beneath(const struct filesystem_descriptor *d,
                                          const struct path *path, int flags, int *ret)
{
    if (!d->is_folder) return FILESYSTEM_NOT_DIRECTORY;
    return filesystem_error_of_wasi(path_open_beneath(d->file->fd, path->text, flags, 0, ret));
}

#define PATH_FOLLOW 1u /* flags path-flags */

/* What v[1] (flags), v[2], v[3] name, looked at. False: HOST_TRAP. */
static bool stat_path(struct canonical_call *c, const struct value *v, struct stat *ret,
                      enum filesystem_error *ret_error)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    struct path path;
    int fd;
    if (!d || !take_path(c, v + 2, &path, ret_error)) return false;
    int flags = O_PATH | (v[1].i32 & PATH_FOLLOW ? 0 : O_NOFOLLOW);
    if (*ret_error == FILESYSTEM_OK) *ret_error = open_beneath(d, &path, flags, &fd);
    if (*ret_error != FILESYSTEM_OK) return true;
    if (fstat(fd, ret)) *ret_error = filesystem_error_of(errno);
    close(fd);
    return true;
}

static enum filesystem_error stat_descriptor(const struct filesystem_descriptor *d,
                                             struct stat *ret)
{
    return fstat(d->file->fd, ret) ? filesystem_error_of(errno) : FILESYSTEM_OK;
}

/* ---- stat ---- */

#define STAT_RESULT_BYTES 104u /* result<descriptor-stat, error-code> */

/* option<datetime>; times before 1970 cannot be told. */
static void put_time(uint8_t *at, const struct timespec *time)
{
    if (time->tv_sec < 0) return;
    at[0] = 1;
    put_u64(at + 8, (uint64_t)time->tv_sec);
    put_u32(at + 16, (uint32_t)time->tv_nsec);
}

static enum host_result answer_stat(struct canonical_call *c, uint32_t at, const struct stat *st,
                                    enum filesystem_error e)
{
    if (e != FILESYSTEM_OK) return filesystem_fail(c, at, STAT_RESULT_BYTES, 8, e);
    uint8_t *ret = call_place(c, at, STAT_RESULT_BYTES, 8);
    if (!ret) return HOST_TRAP;
    ret[8] = (uint8_t)descriptor_type_of(st->st_mode);
    put_u64(ret + 16, st->st_nlink);
    put_u64(ret + 24, (uint64_t)st->st_size);
    put_time(ret + 32, &st->st_atim);
    put_time(ret + 56, &st->st_mtim);
    put_time(ret + 80, &st->st_ctim);
    return HOST_OK;
}

enum host_result descriptor_stat(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    struct stat st;
    if (!d) return HOST_TRAP;
    enum filesystem_error e = stat_descriptor(d, &st);
    return answer_stat(c, v[1].i32, &st, e);
}

enum host_result descriptor_stat_at(struct canonical_call *c, struct value *v)
{
    struct stat st;
    enum filesystem_error e;
    if (!stat_path(c, v, &st, &e)) return HOST_TRAP;
    return answer_stat(c, v[4].i32, &st, e);
}

/* ---- identity ---- */

#define HASH_RESULT_BYTES 24u /* result<metadata-hash-value, error-code> */

/* Spreads a number over 64 bits, one to one. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    x *= 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

/* `lower` is the file, which guests take for its inode; `upper` changes with its content. */
static enum host_result answer_hash(struct canonical_call *c, uint32_t at, const struct stat *st,
                                    enum filesystem_error e)
{
    if (e != FILESYSTEM_OK) return filesystem_fail(c, at, HASH_RESULT_BYTES, 8, e);
    uint8_t *ret = call_place(c, at, HASH_RESULT_BYTES, 8);
    if (!ret) return HOST_TRAP;
    uint64_t file = mix(st->st_ino ^ mix(st->st_dev + 1));
    uint64_t changed = mix((uint64_t)st->st_mtim.tv_sec) ^ (uint64_t)st->st_mtim.tv_nsec;
    put_u64(ret + 8, file);
    put_u64(ret + 16, mix(file ^ mix(changed ^ mix((uint64_t)st->st_size))));
    return HOST_OK;
}

enum host_result descriptor_metadata_hash(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    struct stat st;
    if (!d) return HOST_TRAP;
    enum filesystem_error e = stat_descriptor(d, &st);
    return answer_hash(c, v[1].i32, &st, e);
}

enum host_result descriptor_metadata_hash_at(struct canonical_call *c, struct value *v)
{
    struct stat st;
    enum filesystem_error e;
    if (!stat_path(c, v, &st, &e)) return HOST_TRAP;
    return answer_hash(c, v[4].i32, &st, e);
}

enum host_result descriptor_is_same_object(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v), *other = NULL;
    struct stat a, b;
    if (d) other = filesystem_self(c, v + 1);
    if (!other) return HOST_TRAP;
    v[0].i32 = !fstat(d->file->fd, &a) && !fstat(other->file->fd, &b) && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
    return HOST_OK;
}

/* ---- open-at ---- */

enum open_flag { OPEN_CREATE = 1, OPEN_DIRECTORY = 2, OPEN_TRUNCATE = 8 }; /* flags open-flags */
enum descriptor_flag { DESCRIPTOR_WRITE = 2 };                             /* descriptor-flags */

struct opening {
    struct path path;
    uint32_t path_flags, open_flags, flags;
};

/* Regular files and folders only: anything else could block, or is no part of a bundle. */
static enum filesystem_error open_path(struct wasi_preview2 *p,
                                       const struct filesystem_descriptor *d,
                                       const struct opening *o, struct filesystem_file **ret,
                                       bool *ret_is_folder)
{
    struct stat st;
    int fd, host = O_RDONLY | O_NONBLOCK;
    if (!(o->path_flags & PATH_FOLLOW)) host |= O_NOFOLLOW;
    if (o->open_flags & OPEN_DIRECTORY) host |= O_DIRECTORY;
    if (d->is_folder &&
        ((o->open_flags & (OPEN_CREATE | OPEN_TRUNCATE)) || (o->flags & DESCRIPTOR_WRITE)))
        return FILESYSTEM_READ_ONLY;
    enum filesystem_error e = open_beneath(d, &o->path, host, &fd);
    if (e != FILESYSTEM_OK) return e;
    if (fstat(fd, &st))
        e = filesystem_error_of(errno);
    else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        e = FILESYSTEM_UNSUPPORTED;
    if (e != FILESYSTEM_OK) {
        close(fd);
        return e;
    }
    *ret_is_folder = S_ISDIR(st.st_mode);
    return filesystem_file_new(p, fd, true, ret);
}

enum host_result descriptor_open_at(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    struct opening o;
    enum filesystem_error e;
    struct filesystem_file *file;
    bool is_folder;
    if (!d || !take_path(c, v + 2, &o.path, &e)) return HOST_TRAP;
    o.path_flags = v[1].i32;
    o.open_flags = v[4].i32;
    o.flags = v[5].i32;
    if (e == FILESYSTEM_OK) e = open_path(call_state(c), d, &o, &file, &is_folder);
    if (e != FILESYSTEM_OK) return filesystem_fail(c, v[6].i32, 8, 4, e);
    return filesystem_answer_own(c, v[6].i32, filesystem_descriptor_new(c, file, is_folder));
}

/* ---- readlink-at ---- */

#define READLINK_RESULT_BYTES 12u /* result<string, error-code> */

/* NUL-terminated. Where an absolute link leads is the host's business. */
static enum filesystem_error read_link(const struct filesystem_descriptor *d,
                                       const struct path *path, struct path *ret)
{
    struct stat st;
    int fd;
    enum filesystem_error e = open_beneath(d, path, O_PATH | O_NOFOLLOW, &fd);
    if (e != FILESYSTEM_OK) return e;
    ssize_t size = -1;
    if (!fstat(fd, &st) && !S_ISLNK(st.st_mode))
        e = FILESYSTEM_INVALID; /* readlinkat(2) would say ENOENT */
    else if ((size = readlinkat(fd, "", ret->text, sizeof ret->text - 1)) < 0)
        e = filesystem_error_of(errno);
    close(fd);
    if (e != FILESYSTEM_OK) return e;
    ret->text[size] = '\0';
    if (ret->text[0] == '/') return FILESYSTEM_NOT_PERMITTED;
    return text_is_utf8(ret->text, (size_t)size) ? FILESYSTEM_OK : FILESYSTEM_ILLEGAL_BYTE_SEQUENCE;
}

enum host_result descriptor_readlink_at(struct canonical_call *c, struct value *v)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    struct path path, target;
    enum filesystem_error e;
    struct call_list text;
    if (!d || !take_path(c, v + 1, &path, &e)) return HOST_TRAP;
    if (e == FILESYSTEM_OK) e = read_link(d, &path, &target);
    if (e != FILESYSTEM_OK) return filesystem_fail(c, v[3].i32, READLINK_RESULT_BYTES, 4, e);
    if (!call_put_text(c, target.text, &text)) return HOST_TRAP;
    uint8_t *ret = call_place(c, v[3].i32, READLINK_RESULT_BYTES, 4);
    if (!ret) return HOST_TRAP;
    put_list(ret + 4, &text);
    return HOST_OK;
}

/* ---- what would change something: only the parameters are looked at ---- */

static enum host_result refuse(struct canonical_call *c, const struct value *v, uint32_t at)
{
    const struct filesystem_descriptor *d = filesystem_self(c, v);
    if (!d) return HOST_TRAP;
    return filesystem_answer(c, at, d->is_folder ? FILESYSTEM_READ_ONLY : FILESYSTEM_NOT_DIRECTORY);
}

static bool path_is_valid(struct canonical_call *c, const struct value *v)
{
    struct canonical_text text;
    return canonical_text(c, v[0].i32, v[1].i32, &text);
}

enum host_result descriptor_change_path(struct canonical_call *c, struct value *v)
{
    return path_is_valid(c, v + 1) ? refuse(c, v, v[3].i32) : HOST_TRAP;
}

enum host_result descriptor_set_times_at(struct canonical_call *c, struct value *v)
{
    if (!path_is_valid(c, v + 2)) return HOST_TRAP;
    if (v[4].i32 > 2 || v[7].i32 > 2) return call_trap(c, "there is no such new-timestamp");
    return refuse(c, v, v[10].i32);
}

enum host_result descriptor_link_at(struct canonical_call *c, struct value *v)
{
    if (!path_is_valid(c, v + 2) || !filesystem_self(c, v + 4)) return HOST_TRAP;
    return path_is_valid(c, v + 5) ? refuse(c, v, v[7].i32) : HOST_TRAP;
}

enum host_result descriptor_rename_at(struct canonical_call *c, struct value *v)
{
    if (!path_is_valid(c, v + 1) || !filesystem_self(c, v + 3)) return HOST_TRAP;
    return path_is_valid(c, v + 4) ? refuse(c, v, v[6].i32) : HOST_TRAP;
}

enum host_result descriptor_symlink_at(struct canonical_call *c, struct value *v)
{
    if (!path_is_valid(c, v + 1) || !path_is_valid(c, v + 3)) return HOST_TRAP;
    return refuse(c, v, v[5].i32);
}
