/* What programs in C do, through wasi-libc. Expects what calls.c does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
    char text[64];
    FILE *file = fopen("/host.txt", "r");
    printf("fgets: %s\n", file ? fgets(text, sizeof text, file) : "none");
    if (file) fclose(file);
    file = fopen("/made.txt", "w+");
    if (!file) exit(1);
    fprintf(file, "%s %d\n%s\n", "line", 1, "line 2");
    rewind(file);
    while (fgets(text, sizeof text, file)) printf("read: %s", text);
    printf("ftell: %ld\n", ftell(file));
    fclose(file);
    file = fopen("/made.txt", "a");
    fputs("more\n", file);
    fclose(file);
    struct stat st;
    printf("stat: %d", stat("/made.txt", &st));
    printf(", %lld bytes, regular %d\n", (long long)st.st_size, S_ISREG(st.st_mode));
    printf("truncate: %d", truncate("/made.txt", 4));
    printf(" %d\n", stat("/made.txt", &st) ? -1 : (int)st.st_size);
    printf("fopen missing: %d\n", fopen("/missing", "r") ? 0 : errno == ENOENT);
}

static void names(void)
{
    char text[64] = "";
    printf("mkdir: %d\n", mkdir("/folder", 0777));
    printf("mkdir again: %d\n", mkdir("/folder", 0777) < 0 && errno == EEXIST);
    printf("rename: %d\n", rename("/made.txt", "/folder/moved.txt"));
    printf("link: %d\n", link("/folder/moved.txt", "/folder/hard.txt"));
    printf("symlink: %d\n", symlink("moved.txt", "/folder/soft.txt"));
    printf("readlink: %zd %s\n", readlink("/folder/soft.txt", text, sizeof text), text);
    struct stat st;
    printf("lstat: %d", lstat("/folder/soft.txt", &st));
    printf(" %d\n", S_ISLNK(st.st_mode));
    printf("stat: %d", stat("/folder/soft.txt", &st));
    printf(" links %d\n", (int)st.st_nlink);
    struct timespec times[2] = {{11, 0}, {22, 0}};
    printf("utimensat: %d", utimensat(AT_FDCWD, "/folder/hard.txt", times, 0));
    printf(" %d\n", stat("/folder/moved.txt", &st) ? -1 : (int)st.st_mtim.tv_sec);
    printf("access: %d %d\n", access("/folder/moved.txt", R_OK), access("/folder/none", R_OK));
    printf("rmdir: %d\n", rmdir("/folder") < 0 && errno == ENOTEMPTY);
}

static int entry_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void listing(bool all)
{
    for (int k = 0; k < 200; k++) {
        char name[64];
        snprintf(name, sizeof name, "/folder/%03d", k);
        FILE *file = fopen(name, "w");
        if (file) fclose(file);
    }
    struct dirent **list;
    int count = scandir("/folder", &list, NULL, entry_order), shown = 0;
    for (int k = 0; k < count; k++) shown += list[k]->d_name[0] != '.';
    printf("scandir: %d\n", shown);
    if (!all) return; /* Node's cookies do not survive removals */
    DIR *folder = opendir("/folder");
    int removed = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        if (e->d_name[0] == '.') continue;
        removed += unlinkat(dirfd(folder), e->d_name, 0) == 0;
    }
    closedir(folder);
    printf("removed while reading: %d\n", removed);
    printf("rmdir: %d\n", rmdir("/folder"));
}

static void descriptors(void)
{
    char text[16] = "";
    int fd = open("/host.txt", O_RDONLY);
    printf("lseek: %lld\n", (long long)lseek(fd, -4, SEEK_END));
    printf("read: %zd %s\n", read(fd, text, sizeof text - 1), text);
    printf("pread: %zd %.4s\n", pread(fd, text, 4, 0), text);
    printf("write: %d\n", write(fd, "x", 1) < 0 && errno == EBADF);
    printf("close: %d %d\n", close(fd), close(fd) < 0 && errno == EBADF);
    printf("isatty: %d\n", isatty(0));
    printf("O_EXCL: %d\n", open("/host.txt", O_CREAT | O_EXCL | O_WRONLY, 0666) < 0);
    printf("O_DIRECTORY: %d\n", open("/host.txt", O_DIRECTORY) < 0 && errno == ENOTDIR);
}

static void time_and_input(void)
{
    struct timespec a, b, pause = {0, 10000000};
    clock_gettime(CLOCK_MONOTONIC, &a);
    printf("nanosleep: %d\n", nanosleep(&pause, NULL));
    clock_gettime(CLOCK_MONOTONIC, &b);
    long long ns = (b.tv_sec - a.tv_sec) * 1000000000ll + (b.tv_nsec - a.tv_nsec);
    printf("slept: %d\n", ns >= 10000000);
    printf("time: %d\n", time(NULL) > 1577836800);
    unsigned char random[64] = {0};
    printf("getentropy: %d\n", getentropy(random, sizeof random));
    printf("sched_yield: %d\n", sched_yield());
    struct pollfd p = {.fd = 0, .events = POLLIN};
    printf("poll: %d", poll(&p, 1, 1000));
    printf(" %d\n", (p.revents & POLLIN) != 0);
    char text[64];
    printf("stdin: %s\n", fgets(text, sizeof text, stdin) ? text : "none");
    printf("end: %d\n", fgets(text, sizeof text, stdin) == NULL && feof(stdin));
}

int main(int argc, char **argv)
{
    printf("argument: %s\n", argc > 1 ? argv[1] : "none");
    printf("getenv: %s\n", getenv("KEY") ? getenv("KEY") : "none");
    printf("no HOME: %d\n", getenv("HOME") == NULL);
    files();
    names();
    listing(argc > 2);
    descriptors();
    time_and_input();
    fprintf(stderr, "to stderr\n");
    return 7;
}
