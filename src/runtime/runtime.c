#include "runtime/runtime.h"

#include "instance.h"
#include "os/fault.h"
#include "os/pages.h"
#include "os/ticker.h"
#include "preempt.h"

enum status runtime_init(struct error *err)
{
    enum status st = host_page_fd() < 0 ? host_page_init(err) : ST_OK;
    if (!st) st = fault_install(trap_on_fault, err);
    if (!st) st = ticker_install(preempt_on_tick, err);
    return st;
}

enum status runtime_thread_init(struct error *err)
{
    pages_prepare();
    enum status st = fault_thread_init(err);
    return st ? st : ticker_thread_init(err);
}
