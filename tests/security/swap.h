/* Swap space for a test that wants pages to be swapped out. */
#ifndef TESTS_SECURITY_SWAP_H
#define TESTS_SECURITY_SWAP_H

/* NULL: there is swap now, the system's own or a small file below /tmp, which goes when this
 * process ends, however it does. Otherwise the reason why there is none. Once a process. */
const char *swap_want(void);

/* How much of this process is swapped out. */
unsigned long swap_used_kib(void);

#endif
