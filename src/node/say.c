#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void node_say(const char *fmt, ...)
{
    static const char prefix[] = "mayfly: ";
    char line[ERROR_TEXT_MAX + 512];
    int length = snprintf(line, sizeof line, "%s", prefix);
    va_list ap;
    va_start(ap, fmt);
    int more = vsnprintf(line + length, sizeof line - (size_t)length - 1, fmt, ap);
    va_end(ap);
    if (more < 0) return;
    size_t size = (size_t)length + (size_t)more;
    if (size > sizeof line - 2) size = sizeof line - 2;
    line[size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, size);
    (void)ignored;
}
