/* Runs artifacts: slots, instances, calls into guest code and out of it, traps.
 *
 * A `struct module` is an artifact linked with host functions; it may be shared by threads. A
 * `struct instance` lives in a slot (artifact/artifact.h draws it) and belongs to one thread. Guest
 * code runs on the instance's own guarded stack, so that a call can be suspended inside a host
 * function and resumed later; host functions run on that stack as well, with at least
 * INSTANCE_HOST_STACK_BYTES of room.
 *
 * Signals: runtime_init() installs handlers for SIGSEGV, SIGBUS, SIGILL and SIGFPE. A fault is a
 * trap only when its PC is inside a function of the running artifact and its address inside the
 * running slot's reservation; any other goes to the handler that was there before. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

struct artifact;
struct artifact_canon;
struct artifact_extent;
struct canonical; /* canonical/canonical.h */
struct instance;
struct module;
struct value; /* artifact/artifact.h */

#define INSTANCE_STACK_BYTES_DEFAULT  (1u << 20)
#define INSTANCE_STACK_BYTES_MAX      (64u << 20)
#define INSTANCE_HOST_STACK_BYTES     (256u << 10) /* below the guest's share */
#define INSTANCE_MEMORY_BYTES_DEFAULT (128ull << 20)
#define INSTANCE_CALL_DEPTH_MAX       64u /* guest → host → guest … */
#define TRAP_FRAMES_MAX               64u

/* Installs the signal handlers, once a process, before other threads run guests. Called again it
 * only takes back the handlers that others replaced meanwhile (cmocka does at every test). Every
 * thread that will run guests then calls runtime_thread_init(), which gives it an alternate signal
 * stack. */
NODISCARD enum status runtime_init(struct error *err);
NODISCARD enum status runtime_thread_init(struct error *err);

/* ---- host functions ---- */

enum host_result {
    HOST_OK,
    HOST_TRAP,    /* instance_set_trap_text() has said why; ends the call as TRAP_HOST */
    HOST_EXIT,    /* instance_set_exit() has given the code; ends the call as TRAP_EXIT */
    HOST_CANCEL,  /* instance_suspend() returned false */
    HOST_STOPPED, /* a nested instance_call() did not return, or instance_pause() returned false:
                     what ended that ends this call, frames and all */
};

/* Takes parameters from `values` and leaves results there. Guest memory is reached through
 * guest_slice() only. */
struct host_function {
    const char *module, *name;
    const char *signature; /* as artifact_type: "iiii:i" */
    enum host_result (*call)(struct instance *instance, struct value *values);
};

/* A component's imports are known by the canonical definitions that make them: `canon`, where a set
 * has it, gives the host function behind one, whose `module`, `name` and `signature` are not looked
 * at; it has checked what there is to check. Errors: ST_NOT_FOUND, ST_INVALID, which module_new()
 * lists like those of names. */
struct host_set {
    const struct host_function *functions;
    size_t count;
    enum status (*canon)(const struct artifact *a, const struct artifact_canon *canon,
                         const struct host_function **ret, struct error *err);
};

/* Links `artifact` with the functions of all `sets`. Functions outlive the module.
 * Success: *ret is the caller's, ended by module_free(); it owns the artifact from then on.
 * Errors: ST_NOT_FOUND (lists every import that no set has, with its type), ST_INVALID (lists those
 * that a set has with another type), ST_NO_MEMORY; then the artifact stays the caller's. */
NODISCARD enum status module_new(struct artifact *take_artifact, const struct host_set *sets,
                                 size_t sets_count, struct module **ret, struct error *err);
void module_free(struct module *m); /* no instance may be left */
const struct artifact *module_artifact(const struct module *m);

/* For a host function, before it does anything else: itself, and the canonical definition through
 * which it is called, NULL when it was imported by name. */
const struct host_function *instance_host_function(const struct instance *i);
const struct artifact_canon *instance_canon(const struct instance *i);

/* ---- instances ---- */

/* Preemption: a guest that runs for longer than its slice comes back as CALL_PREEMPTED, wherever it
 * is; one that has used up its CPU time ends with TRAP_CPU_LIMIT. Nothing of this costs generated
 * code anything: a timer of the thread interrupts it. Slices are of real time; of CPU time, what
 * the thread itself did not get from the system is not counted (to within a slice). */
#define INSTANCE_SLICE_NS_MIN 20000u

/* Of the calling thread: `patience_ns` is asked when a slice is over, inside of a signal handler,
 * for how long nobody else will want the processor; so long the guest goes on, unless a tick
 * (os/ticker.h) comes before. 0: it is preempted, as it always is without a function (NULL). */
void runtime_set_patience(uint64_t (*patience_ns)(void *context), void *context);

/* Of the calling thread, whose guests' slices begin at `since_ns` of the monotonic clock, when
 * others began to wait, rather than when they begin to run; at least half of it is a guest's own.
 * 0: slices begin with the run. */
void runtime_set_slice_begin(uint64_t since_ns);

struct instance_config {
    uint64_t memory_bytes_max;   /* of all memories together; 0: the default */
    uint32_t stack_bytes;        /* the guest's share; 0: the default */
    uint64_t slice_ns;           /* 0: never preempted */
    uint64_t cpu_ns_max;         /* since birth or reset; 0: no limit */
    void *context;               /* for host functions: instance_context() */
    struct canonical *canonical; /* of a component: instance_canonical() */
    bool sealable;               /* instance_unseal() */
};

/* A fresh instance: image mapped, nothing run. With ARTIFACT_INITIALISED, instance_init() is a
 * no-op. Errors: ST_LIMIT (declared memories pass the configured maximum), ST_NO_MEMORY. */
NODISCARD enum status instance_new(const struct module *m, const struct instance_config *config,
                                   struct instance **ret, struct error *err);
void instance_free(struct instance *i); /* legal on NULL, and on a suspended or trapped one */

/* Back to the state after instance_new(): memory, context, stack, trap; for any state but running.
 * The cheap way to the next fresh instance. */
NODISCARD enum status instance_reset(struct instance *i, void *context, struct error *err);

/* Before a reset or the end: gives memory back to the system that the guest took and its slot does
 * not keep, for at most 0.2 ms; a guest that had grown to its limit has milliseconds' worth of it.
 * False: there is more, call again (instance_reset() and instance_free() would do the rest in one
 * piece). A suspended call ends first, as by instance_cancel(). The instance may then only be
 * shrunk further, reset or freed. */
NODISCARD bool instance_shrink(struct instance *i);

/* Pages that the instances of a sealable slot do not write may be read-only until one does. The
 * system takes no notice of that and fails: to be called before it is to store something in a
 * guest's memory, or in a frame of the guest's stack that is larger than a page. False: the system
 * has no memory for it. */
NODISCARD bool instance_unseal(struct instance *i);

void *instance_context(const struct instance *i);
struct canonical *instance_canonical(const struct instance *i);
const struct module *instance_module(const struct instance *i);

/* ---- calls ---- */

enum call_result {
    CALL_RETURNED,
    CALL_TRAPPED,   /* see instance_trap(); the instance may only be reset or freed, or, in tests of
                       the core specification, called again */
    CALL_EXITED,    /* instance_exit_code() */
    CALL_SUSPENDED, /* inside instance_suspend(): instance_resume() goes on */
    CALL_PREEMPTED, /* its slice is over: instance_resume() goes on */
};

/* Runs program instance `which`'s init function (globals, active segments) or its start function;
 * a no-op CALL_RETURNED where there is none. */
enum call_result instance_init(struct instance *i, uint32_t which);
enum call_result instance_start(struct instance *i, uint32_t which);

/* Init and start of all program instances in order. Where it comes back as suspended or preempted,
 * instance_resume() goes on with it and with what is still to be done. */
enum call_result instance_init_all(struct instance *i);

/* Calls program function `func`: parameters from `values`, results into it (at least as many
 * elements as the larger of the two), which must stay there until the call has ended, suspended or
 * not. From a host function of the same instance it is a nested call on the same stack. */
enum call_result instance_call(struct instance *i, uint32_t func, struct value *values);

/* Goes on with a suspended or preempted call. */
enum call_result instance_resume(struct instance *i);

/* The CPU time that calls of this instance have taken since its birth or reset; 0 with neither a
 * slice nor a limit. */
uint64_t instance_cpu_ns(const struct instance *i);

/* Ends a suspended or preempted call: a host function that waits sees instance_suspend() return
 * false, frees what it holds and returns HOST_CANCEL. The result is then CALL_TRAPPED with
 * TRAP_CANCEL. */
enum call_result instance_cancel(struct instance *i);

/* For host functions only: leaves the fiber, so that the outermost instance_call() or
 * instance_resume() returns CALL_SUSPENDED, and returns when resumed: true to go on, false when the
 * call was cancelled. Slices must be derived again afterwards. */
NODISCARD bool instance_suspend(struct instance *i);

/* For host functions in long work, between two pieces of it: gives the processor away when the
 * slice is over. Slices of guest memory stay valid. False: the guest may not go on; HOST_STOPPED.
 */
NODISCARD bool instance_pause(struct instance *i);

/* For who calls guests from outside: a call that is refused before it began. CALL_TRAPPED, with
 * TRAP_HOST and the text. */
enum call_result instance_refuse(struct instance *i, const char *text);

/* ---- traps ---- */

struct trap_frame {
    uint32_t func;        /* program function */
    uint32_t wasm_offset; /* 0: unknown */
};

struct trap {
    uint32_t kind;         /* enum trap_kind */
    uint32_t frames_count; /* innermost first */
    bool frames_cut;       /* there were more */
    struct trap_frame frames[TRAP_FRAMES_MAX];
    char text[256]; /* of TRAP_HOST, otherwise empty */
};

const struct trap *instance_trap(const struct instance *i);

/* Appends "wasm trap: out of bounds memory access\n" and one line a frame:
 * "    at parse_row (src/csv.c:41)  0x1f3a\n". */
enum status trap_print(const struct instance *i, struct buffer *text);

void instance_set_trap_text(struct instance *i, const char *fmt, ...) PRINTF(2, 3);
void instance_set_exit(struct instance *i, uint32_t code);
uint32_t instance_exit_code(const struct instance *i);

/* ---- guest state from the host ---- */

/* The one way into guest memory: *ret points at [offset, offset + length) of program memory
 * `memory`, or false when that is not all inside its current size. Valid until anything may grow
 * the memory, suspend, or run guest code. A length of 0 at offset <= size is inside. */
NODISCARD bool guest_slice(const struct instance *i, uint32_t memory, uint64_t offset,
                           uint64_t length, uint8_t **ret);
uint64_t guest_memory_bytes(const struct instance *i, uint32_t memory);  /* current size */
uint64_t guest_table_elements(const struct instance *i, uint32_t table); /* current size */

/* True when memory.grow failed since birth or reset because of instance_config.memory_bytes_max. */
bool instance_memory_refused(const struct instance *i);

void instance_global_get(const struct instance *i, uint32_t global, struct value *ret);
void instance_global_set(struct instance *i, uint32_t global, const struct value *value);

/* Freezes the current memories and context as an image for artifact_write_image(): appends the
 * extents (page multiples, ascending, all-zero pages left out) and their bytes. */
NODISCARD enum status instance_freeze(const struct instance *i, struct buffer *extents,
                                      struct buffer *image, struct error *err);

#endif
