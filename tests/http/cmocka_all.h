/* What cmocka.h needs before it, in the order it needs it. */
#ifndef TESTS_HTTP_CMOCKA_ALL_H
#define TESTS_HTTP_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
