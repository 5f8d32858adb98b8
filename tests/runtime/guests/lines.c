/* A guest with DWARF: the test looks for these lines in a trap's report. */
static int *volatile nowhere = (int *)0x7fff0000;

__attribute__((noinline)) static int read_nowhere(int offset)
{
    return nowhere[offset]; /* line 6 */
}

__attribute__((export_name("lines"))) int lines(int a, int b)
{
    int sum = read_nowhere(a); /* line 11 */
    return sum + b;
}
