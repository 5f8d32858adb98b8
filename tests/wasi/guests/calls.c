/* Every function of preview 1, imported and called as it is. Prints a line a call.
 *
 * Expects: folder "/" (fd 3) with host.txt = "hello host" and a link "out" to "..", the argument
 * "one" (and "all" for what Node's WASI does not do right), variable KEY=value, and the input "from
 * stdin". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int
raise_signal(int signal);

#define ROOT 3
#define ALL  ((__wasi_rights_t)0x0fffffff) /* all but those of sockets */

static const char *name_of(__wasi_errno_t e)
{
    static const char *const names[] = {
        "SUCCESS",  "2BIG",        "ACCES",    "ADDRINUSE", "ADDRNOTAVAIL", "AFNOSUPPORT",
        "AGAIN",    "ALREADY",     "BADF",     "BADMSG",    "BUSY",         "CANCELED",
        "CHILD",    "CONNABORTED", "REFUSED",  "CONNRESET", "DEADLK",       "DESTADDRREQ",
        "DOM",      "DQUOT",       "EXIST",    "FAULT",     "FBIG",         "HOSTUNREACH",
        "IDRM",     "ILSEQ",       "PROGRESS", "INTR",      "INVAL",        "IO",
        "ISCONN",   "ISDIR",       "LOOP",     "MFILE",     "MLINK",        "MSGSIZE",
        "MULTIHOP", "TOOLONG",     "NETDOWN",  "NETRESET",  "NETUNREACH",   "NFILE",
        "NOBUFS",   "NODEV",       "NOENT",    "NOEXEC",    "NOLCK",        "NOLINK",
        "NOMEM",    "NOMSG",       "NOPROTO",  "NOSPC",     "NOSYS",        "NOTCONN",
        "NOTDIR",   "NOTEMPTY",    "NOTRECOV", "NOTSOCK",   "NOTSUP",       "NOTTY",
        "NXIO",     "OVERFLOW",    "OWNER",    "PERM",      "PIPE",         "PROTO",
        "PROTOSUP", "PROTOTYPE",   "RANGE",    "ROFS",      "SPIPE",        "SRCH",
        "STALE",    "TIMEDOUT",    "TXTBSY",   "XDEV",      "NOTCAPABLE",
    };
    return e < sizeof names / sizeof *names ? names[e] : "?";
}

#define SHOW(call) printf("%s: %s\n", #call, name_of(call))

static char data[256];
static __wasi_size_t size;
static __wasi_fd_t fd;
static __wasi_filestat_t st;
static __wasi_fdstat_t fdstat;
static __wasi_filesize_t at;
static uint32_t word; /* for results whose C type varies between versions of the libc */

static __wasi_iovec_t *into(size_t length)
{
    static __wasi_iovec_t iov;
    memset(data, 0, sizeof data);
    iov.buf = (uint8_t *)data;
    iov.buf_len = length;
    return &iov;
}

static __wasi_ciovec_t *from(const char *text)
{
    static __wasi_ciovec_t iov;
    iov.buf = (const uint8_t *)text;
    iov.buf_len = strlen(text);
    return &iov;
}

static __wasi_errno_t open_at(const char *path, __wasi_oflags_t oflags, __wasi_rights_t rights,
                              __wasi_fdflags_t flags)
{
    return __wasi_path_open(ROOT, 0, path, oflags, rights, rights, flags, &fd);
}

static void lists(void)
{
    static char *pointers[16];
    __wasi_size_t count;
    SHOW(__wasi_args_sizes_get(&count, &size));
    printf("  more than one: %d\n", count > 1 && size > count);
    SHOW(__wasi_args_get((uint8_t **)pointers, (uint8_t *)data));
    printf("  %s\n", pointers[1]);
    SHOW(__wasi_environ_sizes_get(&count, &size));
    printf("  %zu variables, %zu bytes\n", (size_t)count, (size_t)size);
    SHOW(__wasi_environ_get((uint8_t **)pointers, (uint8_t *)data));
    printf("  %s\n", pointers[0]);
}

static void clocks_and_random(void)
{
    __wasi_timestamp_t a, b;
    SHOW(__wasi_clock_res_get(__WASI_CLOCKID_REALTIME, &a));
    printf("  finer than a second: %d\n", a > 0 && a < 1000000000);
    SHOW(__wasi_clock_res_get(__WASI_CLOCKID_MONOTONIC, &a));
    SHOW(__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &a));
    printf("  after 2020: %d\n", a > 1577836800000000000u);
    SHOW(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &a));
    SHOW(__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &b));
    printf("  forwards: %d\n", b >= a);
    SHOW(__wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &a));
    SHOW(__wasi_clock_time_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, 1, &b));
    SHOW(__wasi_clock_res_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, &b));
    SHOW(__wasi_random_get((uint8_t *)data, 32));
    int zeros = 0;
    for (int k = 0; k < 32; k++) zeros += data[k] == 0;
    printf("  random: %d\n", zeros < 8);
    SHOW(__wasi_sched_yield());
}

static void preopens(void)
{
    __wasi_prestat_t prestat;
    SHOW(__wasi_fd_prestat_get(ROOT, &prestat));
    printf("  tag %d, %zu bytes\n", prestat.tag, (size_t)prestat.u.dir.pr_name_len);
    memset(data, 0, sizeof data);
    SHOW(__wasi_fd_prestat_dir_name(ROOT, (uint8_t *)data, 1));
    printf("  %s\n", data);
    SHOW(__wasi_fd_prestat_get(4, &prestat));
}

static void files(void)
{
    SHOW(open_at("new", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, ALL, 0));
    SHOW(__wasi_fd_write(fd, from("hello world"), 1, &size));
    printf("  %zu\n", (size_t)size);
    SHOW(__wasi_fd_pwrite(fd, from("HELL"), 1, 0, &size));
    SHOW(__wasi_fd_tell(fd, &at));
    printf("  at %llu\n", at);
    SHOW(__wasi_fd_seek(fd, -5, __WASI_WHENCE_CUR, &at));
    printf("  at %llu\n", at);
    SHOW(__wasi_fd_read(fd, into(100), 1, &size));
    printf("  \"%s\"\n", data);
    SHOW(__wasi_fd_pread(fd, into(5), 1, 2, &size));
    printf("  \"%s\"\n", data);
    SHOW(__wasi_fd_seek(fd, -1, __WASI_WHENCE_SET, &at));
    SHOW(__wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_SEQUENTIAL));
    SHOW(__wasi_fd_allocate(fd, 0, 20));
    SHOW(__wasi_fd_sync(fd));
    SHOW(__wasi_fd_datasync(fd));
    SHOW(__wasi_fd_filestat_get(fd, &st));
    printf("  type %d, %llu bytes, %llu links\n", st.filetype, st.size, st.nlink);
    SHOW(__wasi_fd_filestat_set_size(fd, 8));
    SHOW(__wasi_fd_filestat_set_times(fd, 1000000000, 2000000000,
                                      __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    SHOW(__wasi_fd_filestat_get(fd, &st));
    printf("  %llu bytes, times %llu %llu\n", st.size, st.atim, st.mtim);
    SHOW(__wasi_fd_filestat_set_times(fd, 1, 1, __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_ATIM_NOW));
    SHOW(__wasi_fd_fdstat_get(fd, &fdstat));
    printf("  type %d, flags %d\n", fdstat.fs_filetype, fdstat.fs_flags & __WASI_FDFLAGS_APPEND);
    SHOW(__wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
    SHOW(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    SHOW(__wasi_fd_write(fd, from("+"), 1, &size));
    SHOW(__wasi_fd_tell(fd, &at));
    printf("  at %llu\n", at);
    SHOW(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0));
    SHOW(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_WRITE, 0));
    SHOW(__wasi_fd_write(fd, from("x"), 1, &size));
    __wasi_fd_t other = fd;
    SHOW(open_at("host.txt", 0, __WASI_RIGHTS_FD_READ, 0));
    SHOW(__wasi_fd_renumber(fd, other));
    SHOW(__wasi_fd_read(other, into(100), 1, &size));
    printf("  \"%s\"\n", data);
    SHOW(__wasi_fd_close(other));
    SHOW(__wasi_fd_close(other));
    SHOW(__wasi_fd_read(other, into(100), 1, &size));
}

static void names(void)
{
    SHOW(__wasi_path_create_directory(ROOT, "folder"));
    SHOW(__wasi_path_create_directory(ROOT, "folder"));
    SHOW(__wasi_path_rename(ROOT, "new", ROOT, "folder/moved"));
    SHOW(__wasi_path_link(ROOT, 0, "folder/moved", ROOT, "hard"));
    SHOW(__wasi_path_symlink("folder/moved", ROOT, "soft"));
    memset(data, 0, sizeof data);
    SHOW(__wasi_path_readlink(ROOT, "soft", (uint8_t *)data, 100, &size));
    printf("  \"%s\"\n", data);
    SHOW(__wasi_path_filestat_get(ROOT, 0, "soft", &st));
    printf("  type %d\n", st.filetype);
    SHOW(__wasi_path_filestat_get(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "soft", &st));
    printf("  type %d, %llu links\n", st.filetype, st.nlink);
    SHOW(__wasi_path_filestat_set_times(ROOT, 0, "hard", 5000000000, 6000000000,
                                        __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    SHOW(__wasi_path_filestat_get(ROOT, 0, "folder/moved", &st));
    printf("  times %llu %llu\n", st.atim, st.mtim);
    SHOW(__wasi_path_remove_directory(ROOT, "folder"));
    SHOW(__wasi_path_unlink_file(ROOT, "folder"));
    SHOW(__wasi_path_unlink_file(ROOT, "folder/moved"));
    SHOW(__wasi_path_remove_directory(ROOT, "hard"));
    SHOW(__wasi_path_remove_directory(ROOT, "folder"));
    SHOW(__wasi_path_unlink_file(ROOT, "missing"));
    SHOW(open_at("hard/x", 0, __WASI_RIGHTS_FD_READ, 0));
}

/* What Node allows, or lacks. */
static void beyond_node(void)
{
    SHOW(open_at("soft", 0, __WASI_RIGHTS_FD_READ, 0));
    SHOW(open_at("..", 0, __WASI_RIGHTS_FD_READ, 0));
    SHOW(open_at("/etc/passwd", 0, __WASI_RIGHTS_FD_READ, 0));
    SHOW(__wasi_path_open(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, "out", 0, __WASI_RIGHTS_FD_READ,
                          0, 0, &fd));
    SHOW(__wasi_path_create_directory(ROOT, "out/made-by-guest"));
    SHOW(__wasi_path_rename(ROOT, "host.txt", ROOT, "../host.txt"));
    SHOW(__wasi_path_symlink("/etc", ROOT, "etc"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void listing(void)
{
    char *list[16];
    int count = 0;
    __wasi_dircookie_t cookie = 0;
    for (;;) {
        __wasi_errno_t e = __wasi_fd_readdir(ROOT, (uint8_t *)data, 64, cookie, &size);
        if (e) printf("fd_readdir: %s\n", name_of(e));
        __wasi_dirent_t entry;
        if (e || size < sizeof entry) break;
        memcpy(&entry, data, sizeof entry);
        if (sizeof entry + entry.d_namlen > size) break;
        if (data[sizeof entry] != '.') /* not all hosts have "." and ".." */
            list[count++] = strndup(data + sizeof entry, entry.d_namlen);
        cookie = entry.d_next;
    }
    qsort(list, count, sizeof *list, by_name);
    for (int k = 0; k < count; k++) printf("  %s\n", list[k]);
}

static void polling(void)
{
    __wasi_subscription_t in[3] = {
        {.userdata = 7,
         .u = {.tag = __WASI_EVENTTYPE_CLOCK,
               .u.clock = {.id = __WASI_CLOCKID_MONOTONIC, .timeout = 20000000}}},
    };
    __wasi_event_t out[3];
    __wasi_timestamp_t before, after;
    (void)!__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &before);
    SHOW(__wasi_poll_oneoff(in, out, 1, &size));
    (void)!__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &after);
    printf("  %zu event, user %llu, %s, type %d, slept %d\n", (size_t)size, out[0].userdata,
           name_of(out[0].error), out[0].type, after - before >= 20000000);
    SHOW(__wasi_poll_oneoff(in, out, 0, &size));
    in[0] = (__wasi_subscription_t){
        .userdata = 8, .u = {.tag = __WASI_EVENTTYPE_FD_READ, .u.fd_read.file_descriptor = 0}};
    SHOW(__wasi_poll_oneoff(in, out, 1, &size));
    printf("  %zu event, user %llu, %s, type %d\n", (size_t)size, out[0].userdata,
           name_of(out[0].error), out[0].type);
    SHOW(__wasi_fd_read(0, into(100), 1, &size));
    printf("  \"%s\"\n", data);
    SHOW(__wasi_fd_read(0, into(100), 1, &size));
    printf("  %zu bytes\n", (size_t)size);
}

static void sockets(void)
{
    SHOW(__wasi_sock_accept(0, 0, &fd));
    SHOW(__wasi_sock_recv(1, into(10), 1, 0, &size, (void *)&word));
    SHOW(__wasi_sock_send(1, from("x"), 1, 0, &size));
    SHOW(__wasi_sock_shutdown(1, __WASI_SDFLAGS_RD));
    SHOW(__wasi_sock_shutdown(99, __WASI_SDFLAGS_RD));
}

int main(int argc, char **argv)
{
    (void)argv;
    lists();
    clocks_and_random();
    preopens();
    files();
    names();
    listing();
    polling();
    if (argc > 2) {
        beyond_node();
        sockets();
        printf("proc_raise(none): %s\n", name_of((__wasi_errno_t)raise_signal(0)));
    }
    fflush(stdout);
    __wasi_proc_exit(42);
}
