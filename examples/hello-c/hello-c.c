/* The smallest app: a CGI program that says hello. */
#include <stdio.h>

int main(void)
{
    fputs("content-type: text/plain\n\nHello from C\n", stdout);
    return 0;
}
