/* Calls WASI 0.2 as a component does, without preview 1 between: right and wrong, by the name of
 * its first argument. Versions are mixed: clocks of 0.2.5, random of 0.2.0, all else of 0.2.12. */
#include <stdbool.h>
#include <stdint.h>

#define IMPORT(interface, name) __attribute__((import_module(interface), import_name(name)))
#define IO                      "wasi:io/streams@0.2.12"
#define FS                      "wasi:filesystem/types@0.2.12"
#define CLOCK                   "wasi:clocks/monotonic-clock@0.2.5"
#define OUT                     "[method]output-stream."
#define INPUT                   "[method]input-stream."
#define HEAP                    300000u
#define CHUNK                   4096u

struct bytes {
    const char *at;
    uint32_t size;
};

struct list {
    void *at;
    uint32_t count;
};

/* result<…, stream-error>, with the payloads of both kinds of alignment. */
struct stream_result {
    uint8_t is_error;
    uint32_t first, second;
};

struct stream_result_u64 {
    uint8_t is_error;
    uint64_t value;
};

IMPORT("wasi:cli/environment@0.2.12", "get-arguments") void get_arguments(struct list *);
IMPORT("wasi:cli/environment@0.2.12", "initial-cwd") void initial_cwd(uint32_t *);
IMPORT("wasi:cli/stdin@0.2.12", "get-stdin") uint32_t get_stdin(void);
IMPORT("wasi:cli/stdout@0.2.12", "get-stdout") uint32_t get_stdout(void);
IMPORT("wasi:cli/exit@0.2.12", "exit-with-code") void exit_with_code(uint32_t);
IMPORT("wasi:cli/exit@0.2.12", "exit") void exit_by_result(uint32_t);
IMPORT("wasi:cli/terminal-stdout@0.2.12", "get-terminal-stdout") void get_terminal(uint32_t *);

IMPORT(IO, OUT "check-write") void check_write(uint32_t, struct stream_result_u64 *);
IMPORT(IO, OUT "write") void write(uint32_t, const char *, uint32_t, struct stream_result *);
IMPORT(IO, OUT "blocking-write-and-flush")
void write_and_flush(uint32_t, const char *, uint32_t, struct stream_result *);
IMPORT(IO, OUT "flush") void flush(uint32_t, struct stream_result *);
IMPORT(IO, OUT "blocking-flush") void blocking_flush(uint32_t, struct stream_result *);
IMPORT(IO, OUT "write-zeroes") void write_zeroes(uint32_t, uint64_t, struct stream_result *);
IMPORT(IO, OUT "blocking-splice")
void blocking_splice(uint32_t, uint32_t, uint64_t, struct stream_result_u64 *);
IMPORT(IO, OUT "subscribe") uint32_t output_subscribe(uint32_t);
IMPORT(IO, INPUT "blocking-read") void blocking_read(uint32_t, uint64_t, struct stream_result *);
IMPORT(IO, INPUT "subscribe") uint32_t input_subscribe(uint32_t);
IMPORT(IO, "[resource-drop]output-stream") void drop_output(uint32_t);
IMPORT(IO, "[resource-drop]input-stream") void drop_input(uint32_t);
IMPORT("wasi:io/poll@0.2.12", "[method]pollable.block") void block(uint32_t);
IMPORT("wasi:io/poll@0.2.12", "[resource-drop]pollable") void drop_pollable(uint32_t);
IMPORT("wasi:io/poll@0.2.12", "poll") void poll(const uint32_t *, uint32_t, struct list *);
IMPORT("wasi:io/poll@0.2.5", "poll") void poll_older(const uint32_t *, uint32_t, struct list *);
IMPORT("wasi:io/poll@0.2.5", "[resource-drop]pollable") void drop_pollable_older(uint32_t);

IMPORT(CLOCK, "now") uint64_t now(void);
IMPORT(CLOCK, "subscribe-duration") uint32_t subscribe_duration(uint64_t);
IMPORT("wasi:random/random@0.2.0", "get-random-bytes") void random_bytes(uint64_t, struct list *);
IMPORT("wasi:random/insecure-seed@0.2.0", "insecure-seed") void insecure_seed(uint64_t *);
IMPORT("wasi:config/store@0.2.0-rc.1", "get") void config_get(const char *, uint32_t, uint32_t *);
IMPORT("wasi:logging/logging", "log")
void write_log(uint32_t, const char *, uint32_t, const char *, uint32_t);

IMPORT("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket")
void create_tcp_socket(uint32_t, uint32_t *);
IMPORT("wasi:sockets/instance-network@0.2.12", "instance-network") uint32_t get_network(void);
IMPORT("wasi:sockets/ip-name-lookup@0.2.12", "resolve-addresses")
void resolve(uint32_t, const char *, uint32_t, uint32_t *);
IMPORT("wasi:sockets/network@0.2.12", "[resource-drop]network") void drop_network(uint32_t);
IMPORT("wasi:filesystem/preopens@0.2.12", "get-directories") void directories(struct list *);
IMPORT(FS, "[method]descriptor.get-type") void get_type(uint32_t, uint8_t *);
IMPORT(FS, "[method]descriptor.create-directory-at")
void create_directory(uint32_t, const char *, uint32_t, uint8_t *);

static _Alignas(16) char heap[HEAP];
static uint32_t heap_at, out;
static bool misaligned_realloc;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, uint32_t old_size,
                                                                uint32_t align, uint32_t size)
{
    (void)old;
    (void)old_size;
    heap_at = (heap_at + align - 1) & ~(align - 1);
    if (size > HEAP - heap_at) __builtin_trap();
    void *at = heap + heap_at + misaligned_realloc;
    heap_at += size;
    return at;
}

static uint32_t length(const char *text)
{
    uint32_t n = 0;
    while (text[n]) n++;
    return n;
}

static bool is(const struct bytes *a, const char *b)
{
    if (a->size != length(b)) return false;
    for (uint32_t k = 0; k < a->size; k++)
        if (a->at[k] != b[k]) return false;
    return true;
}

static void say(const char *text)
{
    struct stream_result result;
    write_and_flush(out, text, length(text), &result);
    if (result.is_error) exit_with_code(100);
}

static void say_number(const char *text, uint64_t number)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = '\0';
    *--at = '\n';
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    say(text);
    say(at);
}

/* ---- right ---- */

static void run_write(void)
{
    static char bytes[CHUNK];
    struct stream_result_u64 room;
    struct stream_result result;
    for (uint32_t k = 0; k < CHUNK; k++) bytes[k] = (char)('a' + k % 26);
    for (uint32_t left = 200000; left;) {
        check_write(out, &room);
        if (room.is_error) exit_with_code(101);
        uint32_t size = room.value < CHUNK ? (uint32_t)room.value : CHUNK;
        if (size > left) size = left;
        if (!size) {
            uint32_t pollable = output_subscribe(out);
            block(pollable);
            drop_pollable(pollable);
            continue;
        }
        write(out, bytes, size, &result);
        if (result.is_error) exit_with_code(102);
        left -= size;
    }
    flush(out, &result);
    blocking_flush(out, &result);
    write_zeroes(out, 3, &result);
    blocking_flush(out, &result);
}

static void run_splice(void)
{
    struct stream_result_u64 moved;
    uint32_t in = get_stdin();
    do blocking_splice(out, in, 1000, &moved);
    while (!moved.is_error);
    drop_input(in);
}

static void run_poll(void)
{
    uint64_t start = now();
    uint32_t pollables[3] = {subscribe_duration(60000000000u), subscribe_duration(20000000),
                             subscribe_duration(50000000000u)};
    struct list ready;
    poll_older(pollables, 3, &ready);
    say_number("ready: ", ready.count);
    say_number("first: ", *(uint32_t *)ready.at);
    say_number("waited: ", now() - start >= 20000000);
    for (int k = 0; k < 3; k++) drop_pollable_older(pollables[k]);
}

static void run_echo(void)
{
    uint32_t in = get_stdin(), pollable = input_subscribe(in);
    struct stream_result result;
    struct list ready;
    for (;;) {
        poll(&pollable, 1, &ready);
        blocking_read(in, 100, &result);
        if (result.is_error) break;
        struct stream_result written;
        write_and_flush(out, (const char *)(uintptr_t)result.first, result.second, &written);
        heap_at = 0;
    }
    drop_pollable(pollable);
    drop_input(in);
}

static void run_small(void)
{
    uint32_t words[8] = {0};
    uint64_t seed[2] = {0};
    struct list list;
    random_bytes(16, &list);
    say_number("random: ", list.count);
    insecure_seed(seed);
    say_number("seed: ", seed[0] != seed[1]);
    initial_cwd(words);
    say_number("cwd: ", words[0] & 0xff);
    get_terminal(words);
    say_number("terminal: ", words[0] & 0xff);
    config_get("none", 4, words);
    say_number("config: ", words[1] & 0xff);
    create_tcp_socket(0, words);
    say_number("tcp: ", (words[0] & 0xff) * 100 + (words[1] & 0xff));
    uint32_t network = get_network();
    resolve(network, "localhost", 9, words);
    say_number("lookup: ", (words[0] & 0xff) * 100 + (words[1] & 0xff));
    drop_network(network);
    directories(&list);
    say_number("folders: ", list.count);
    if (list.count) {
        uint8_t pair[2];
        get_type(*(uint32_t *)list.at, pair);
        say_number("type: ", pair[1]);
        create_directory(*(uint32_t *)list.at, "new", 3, pair);
        say_number("create: ", (uint64_t)pair[0] * 100 + pair[1]);
    }
    write_log(3, "topic", 5, "it works", 8);
}

/* ---- wrong: each ends with a trap ---- */

static void wrong_parent_first(void)
{
    uint32_t in = get_stdin();
    (void)input_subscribe(in);
    drop_input(in);
}

static void wrong_dropped_twice(void)
{
    uint32_t in = get_stdin();
    drop_input(in);
    drop_input(in);
}

static void wrong_type(void)
{
    block(out);
}

static void wrong_handle(void)
{
    struct stream_result result;
    blocking_read(0xfffffff0u, 5, &result);
}

static void wrong_pointer(void)
{
    struct stream_result result;
    write_and_flush(out, (const char *)(uintptr_t)0xfffffff0u, 5, &result);
}

static void wrong_result(void)
{
    blocking_flush(out, (struct stream_result *)(uintptr_t)0xfffffff0u);
}

static void wrong_result_alignment(void)
{
    blocking_flush(out, (struct stream_result *)(heap + 1));
}

static void wrong_list_alignment(void)
{
    struct list ready;
    poll((const uint32_t *)(heap + 2), 1, &ready);
}

static void wrong_list_length(void)
{
    struct list ready;
    poll((const uint32_t *)heap, 0x40000001u, &ready);
}

static void wrong_empty_poll(void)
{
    struct list ready;
    poll((const uint32_t *)heap, 0, &ready);
}

static void wrong_write(void)
{
    struct stream_result result;
    write(out, heap, HEAP, &result);
}

static void wrong_text(void)
{
    write_log(0, "\xff", 1, "", 0);
}

static void wrong_level(void)
{
    write_log(6, "", 0, "", 0);
}

static void wrong_realloc(void)
{
    struct list list;
    misaligned_realloc = true;
    get_arguments(&list);
}

static void exit_7(void)
{
    exit_with_code(7);
}

static void exit_error(void)
{
    exit_by_result(1);
}

static const struct {
    const char *name;
    void (*run)(void);
} runs[] = {
    {"write", run_write},
    {"splice", run_splice},
    {"poll", run_poll},
    {"echo", run_echo},
    {"small", run_small},
    {"parent-first", wrong_parent_first},
    {"dropped-twice", wrong_dropped_twice},
    {"type", wrong_type},
    {"handle", wrong_handle},
    {"pointer", wrong_pointer},
    {"result", wrong_result},
    {"result-alignment", wrong_result_alignment},
    {"list-alignment", wrong_list_alignment},
    {"list-length", wrong_list_length},
    {"empty-poll", wrong_empty_poll},
    {"write-too-much", wrong_write},
    {"text", wrong_text},
    {"level", wrong_level},
    {"realloc", wrong_realloc},
    {"exit-7", exit_7},
    {"exit-error", exit_error},
};

__attribute__((export_name("wasi:cli/run@0.2.12#run"))) uint32_t run(void)
{
    struct list list;
    get_arguments(&list);
    const struct bytes *arguments = list.at;
    out = get_stdout();
    for (uint32_t k = 0; list.count > 1 && k < sizeof runs / sizeof *runs; k++) {
        if (!is(&arguments[1], runs[k].name)) continue;
        runs[k].run();
        drop_output(out);
        return 0;
    }
    return 1;
}
