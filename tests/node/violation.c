/* Loaded into a node by LD_PRELOAD: a signal makes a process of it ask the system for what no
 * worker may, as a guest would that had got out. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From SIGRTMIN's neighbourhood, by number, for kill(1) and node know no other names. */
enum { SIGNAL_SOCKET = 50, SIGNAL_OPEN, SIGNAL_EXEC, SIGNAL_MOUNT };

/* Of files the worker only hears that it has no right to them. */
static void opened(long result)
{
    if (result >= 0) raise(SIGKILL);
}

static void on_signal(int number)
{
    static char program[] = "/bin/true";
    static char *const argv[] = {program, NULL};
    if (number == SIGNAL_SOCKET)
        syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    else if (number == SIGNAL_OPEN)
        opened(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0));
    else if (number == SIGNAL_EXEC)
        syscall(SYS_execve, program, argv, NULL);
    else
        syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL);
}

__attribute__((constructor)) static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    for (int number = SIGNAL_SOCKET; number <= SIGNAL_MOUNT; number++)
        sigaction(number, &action, NULL);
}
