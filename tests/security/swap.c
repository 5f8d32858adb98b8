#include "swap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define PAGES      (32u << 8) /* 32 MiB */

/* The header of swap space, version 1 (mkswap(8), linux/swap.h). */
struct swap_header {
    char boot[1024];
    uint32_t version, last_page, bad_pages;
    char pad[PAGE_BYTES - 1024 - 12 - 10];
    char magic[10];
};
_Static_assert(sizeof(struct swap_header) == PAGE_BYTES, "the header is a page");

static bool system_has_swap(void)
{
    char line[256];
    int lines = 0;
    FILE *f = fopen("/proc/swaps", "r");
    while (f && fgets(line, sizeof line, f)) lines++;
    if (f) fclose(f);
    return lines > 1;
}

/* A swap file has no holes. */
static bool write_file(int fd)
{
    static struct swap_header header;
    static const char zeros[PAGE_BYTES];
    header = (struct swap_header){.version = 1, .last_page = PAGES - 1};
    memcpy(header.magic, "SWAPSPACE2", sizeof header.magic);
    bool ok = write(fd, &header, sizeof header) == (ssize_t)sizeof header;
    for (unsigned k = 1; ok && k < PAGES; k++)
        ok = write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros;
    return ok && fsync(fd) == 0;
}

/* A child that takes the file away again as soon as this process is gone. */
static bool guard(const char *path)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return false;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        char byte;
        setsid();
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
        for (int fd = 0; fd < 64; fd++)
            if (fd != ends[0]) close(fd);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
        }
        swapoff(path);
        unlink(path);
        _exit(0);
    }
    close(ends[0]); /* the other end stays open as long as this process is there */
    return true;
}

const char *swap_want(void)
{
    static char path[] = "/tmp/mayfly-test-swap-XXXXXX", why[128];
    if (system_has_swap()) return NULL;
    if (geteuid() != 0) return "the system has no swap, and only root may add some";
    int fd = mkstemp(path);
    if (fd < 0) return "the system has no swap, and /tmp takes no file";
    bool written = write_file(fd);
    close(fd);
    int failed = written ? swapon(path, 0) : -1, number = errno;
    if (failed || !guard(path)) {
        if (!failed) swapoff(path);
        unlink(path);
        snprintf(why, sizeof why, "the system has no swap and takes no file for it: %s",
                 strerror(number));
        return why;
    }
    return NULL;
}

unsigned long swap_used_kib(void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmSwap:", 7) == 0) kib = strtoul(line + 7, NULL, 10);
    if (f) fclose(f);
    return kib;
}
