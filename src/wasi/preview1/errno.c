/* The host's error numbers in preview 1's. */
#include <errno.h>

#include "state.h"

#define SAME(name) [E##name] = WASI_E##name

static const uint8_t errno_table[] = {
    SAME(2BIG),        SAME(ACCES),
    SAME(ADDRINUSE),   SAME(ADDRNOTAVAIL),
    SAME(AFNOSUPPORT), SAME(AGAIN),
    SAME(ALREADY),     SAME(BADF),
    SAME(BADMSG),      SAME(BUSY),
    SAME(CANCELED),    SAME(CHILD),
    SAME(CONNABORTED), SAME(CONNREFUSED),
    SAME(CONNRESET),   SAME(DEADLK),
    SAME(DESTADDRREQ), SAME(DOM),
    SAME(DQUOT),       SAME(EXIST),
    SAME(FAULT),       SAME(FBIG),
    SAME(HOSTUNREACH), SAME(IDRM),
    SAME(ILSEQ),       SAME(INPROGRESS),
    SAME(INTR),        SAME(INVAL),
    SAME(IO),          SAME(ISCONN),
    SAME(ISDIR),       SAME(LOOP),
    SAME(MFILE),       SAME(MLINK),
    SAME(MSGSIZE),     SAME(MULTIHOP),
    SAME(NAMETOOLONG), SAME(NETDOWN),
    SAME(NETRESET),    SAME(NETUNREACH),
    SAME(NFILE),       SAME(NOBUFS),
    SAME(NODEV),       SAME(NOENT),
    SAME(NOEXEC),      SAME(NOLCK),
    SAME(NOLINK),      SAME(NOMEM),
    SAME(NOMSG),       SAME(NOPROTOOPT),
    SAME(NOSPC),       SAME(NOSYS),
    SAME(NOTCONN),     SAME(NOTDIR),
    SAME(NOTEMPTY),    SAME(NOTRECOVERABLE),
    SAME(NOTSOCK),     SAME(NOTSUP),
    SAME(NOTTY),       SAME(NXIO),
    SAME(OVERFLOW),    SAME(OWNERDEAD),
    SAME(PERM),        SAME(PIPE),
    SAME(PROTO),       SAME(PROTONOSUPPORT),
    SAME(PROTOTYPE),   SAME(RANGE),
    SAME(ROFS),        SAME(SPIPE),
    SAME(SRCH),        SAME(STALE),
    SAME(TIMEDOUT),    SAME(TXTBSY),
    SAME(XDEV),
};

enum wasi_errno errno_to_wasi(int number)
{
    if (number == 0) return WASI_OK;
    if (number < 0 || (size_t)number >= sizeof errno_table || !errno_table[number]) return WASI_EIO;
    return (enum wasi_errno)errno_table[number];
}

enum wasi_errno errno_now(void)
{
    return errno_to_wasi(errno);
}
