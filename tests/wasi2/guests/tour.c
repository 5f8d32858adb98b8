/* A tour of what a command in C may do without changing a file, printed so that two hosts can be
 * compared. Expects host.txt, link, out and folder/ in "/", KEY in its environment and something on
 * its standard input. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *outcome(int result)
{
    return result < 0 ? strerror(errno) : "done";
}

static void surroundings(int argc, char **argv)
{
    printf("arguments: %d", argc - 1);
    for (int k = 1; k < argc; k++) printf(" [%s]", argv[k]);
    printf("\nKEY: %s\nPATH: %s\n", getenv("KEY"), getenv("PATH") ? "leaked" : "none");
    printf("terminals: %d %d %d\n", isatty(0), isatty(1), isatty(2));
    fprintf(stderr, "to stderr\n");
}

static void content(void)
{
    char text[64] = "";
    FILE *file = fopen("/host.txt", "r");
    if (!file) {
        printf("host.txt: %s\n", strerror(errno));
        return;
    }
    printf("fgets: %s\n", fgets(text, sizeof text, file));
    printf("fseek: %d", fseek(file, -4, SEEK_END));
    printf(" ftell: %ld", ftell(file));
    printf(" fread: %zu %s\n", fread(text, 1, 4, file), text);
    printf("at the end: %zu %d\n", fread(text, 1, 4, file), feof(file) != 0);
    printf("pread: %zd %.3s\n", pread(fileno(file), text, 3, 2), text);
    printf("pread beyond: %zd\n", pread(fileno(file), text, 3, 1000));
    printf("write: %s\n", outcome((int)write(fileno(file), "x", 1)));
    fclose(file);
}

static void large(void)
{
    static char bytes[10000];
    int fd = open("/folder/large", O_RDONLY);
    unsigned long sum = 0;
    ssize_t got, total = 0;
    while ((got = read(fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t k = 0; k < got; k++) sum = sum * 31 + (unsigned char)bytes[k];
        total += got;
    }
    printf("large: %zd bytes, sum %lx\n", total, sum);
    printf("lseek: %d", (int)lseek(fd, 123456, SEEK_SET));
    printf(" %zd %02x\n", read(fd, bytes, 1), (unsigned char)bytes[0]);
    close(fd);
}

static void metadata(void)
{
    struct stat st;
    char text[64] = "";
    printf("stat: %s", outcome(stat("/host.txt", &st)));
    printf(" %lld bytes, regular %d, %lld s, links %d\n", (long long)st.st_size,
           S_ISREG(st.st_mode), (long long)st.st_mtim.tv_sec, (int)st.st_nlink);
    printf("stat folder: %s", outcome(stat("/folder", &st)));
    printf(" folder %d\n", S_ISDIR(st.st_mode));
    printf("lstat: %s", outcome(lstat("/link", &st)));
    printf(" link %d\n", S_ISLNK(st.st_mode));
    printf("readlink: %zd", readlink("/link", text, sizeof text));
    printf(" %s\n", text);
    printf("access: %s, %s\n", outcome(access("/link", R_OK)), "");
    struct stat again;
    stat("/link", &st);
    stat("/host.txt", &again);
    printf("same file: %d\n", st.st_ino == again.st_ino && st.st_dev == again.st_dev);
}

static int entry_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void listing(const char *path)
{
    struct dirent **list;
    int count = scandir(path, &list, NULL, entry_order);
    printf("%s: %d", path, count);
    for (int k = 0; k < count && k < 12; k++) {
        printf(" %s", list[k]->d_name);
        if (list[k]->d_type == DT_DIR) printf("/");
        if (list[k]->d_type == DT_LNK) printf("@");
    }
    printf("\n");
}

static void refusals(void)
{
    printf("missing: %s\n", outcome(open("/missing", O_RDONLY)));
    printf("a file as folder: %s\n", outcome(open("/host.txt/x", O_RDONLY)));
    printf("create: %s\n", outcome(open("/new", O_CREAT | O_WRONLY, 0644)));
    printf("open to write: %s\n", outcome(open("/host.txt", O_WRONLY)));
    printf("truncate: %s\n", outcome(open("/host.txt", O_RDWR | O_TRUNC)));
    printf("mkdir: %s\n", outcome(mkdir("/new", 0777)));
    printf("rmdir: %s\n", outcome(rmdir("/folder")));
    printf("unlink: %s\n", outcome(unlink("/host.txt")));
    printf("rename: %s\n", outcome(rename("/host.txt", "/folder/x")));
    printf("symlink: %s\n", outcome(symlink("host.txt", "/new")));
    printf("link: %s\n", outcome(link("/host.txt", "/new")));
    printf("out: %s\n", outcome(open("/out/secret", O_RDONLY)));
    printf("up: %s\n", outcome(open("/../secret", O_RDONLY)));
    printf("a link itself: %s\n", outcome(open("/link", O_RDONLY | O_NOFOLLOW)));
}

static double seconds(const struct timespec *t)
{
    return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

static void clocks(void)
{
    struct timespec before, after, wall, pause = {0, 20000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    printf("nanosleep: %s\n", outcome(nanosleep(&pause, NULL)));
    clock_gettime(CLOCK_MONOTONIC, &after);
    double slept = seconds(&after) - seconds(&before);
    printf("slept: %d\n", slept >= 0.02 && slept < 10);
    clock_gettime(CLOCK_REALTIME, &wall);
    printf("this century: %d\n", wall.tv_sec > 1700000000);
    struct timespec resolution;
    printf("resolution: %s", outcome(clock_getres(CLOCK_MONOTONIC, &resolution)));
    printf(" %ld\n", resolution.tv_nsec);
}

static void randomness(void)
{
    char a[64] = {0}, b[64] = {0};
    printf("getentropy: %s", outcome(getentropy(a, sizeof a)));
    printf(", %s", outcome(getentropy(b, sizeof b)));
    printf(", differ: %d\n", memcmp(a, b, sizeof a) != 0);
}

static void input(void)
{
    struct pollfd p = {.fd = 0, .events = POLLIN};
    printf("poll: %d", poll(&p, 1, 10000));
    printf(" %d\n", (p.revents & POLLIN) != 0);
    char text[256];
    size_t got = fread(text, 1, sizeof text, stdin);
    printf("stdin: %zu %.*s\n", got, (int)got, text);
    printf("eof: %d\n", feof(stdin) != 0);
}

int main(int argc, char **argv)
{
    surroundings(argc, argv);
    content();
    large();
    metadata();
    listing("/");
    listing("/folder");
    refusals();
    clocks();
    randomness();
    input();
    return argc > 1 ? atoi(argv[1]) : 0;
}
