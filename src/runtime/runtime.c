#include "runtime/runtime.h"

#include "instance.h"
#include "os/fault.h"
#include "os/pages.h"

enum status runtime_init(struct error *err)
{
    enum status st = host_page_fd() < 0 ? host_page_init(err) : ST_OK;
    if (!st) st = fault_install(trap_on_fault, err);
    return st;
}

enum status runtime_thread_init(struct error *err)
{
    pages_prepare();
    return fault_thread_init(err);
}
