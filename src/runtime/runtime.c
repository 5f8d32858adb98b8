#include "runtime/runtime.h"

#include "instance.h"
#include "os/fault.h"

static bool runtime_ready;

enum status runtime_init(struct error *err)
{
    if (runtime_ready) return ST_OK;
    enum status st = host_page_init(err);
    if (!st) st = fault_install(trap_on_fault, err);
    if (!st) runtime_ready = true;
    return st;
}

enum status runtime_thread_init(struct error *err)
{
    return fault_thread_init(err);
}
