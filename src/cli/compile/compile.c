#include "compile/compile.h"

#include <stdio.h>

#include "artifact/artifact.h"
#include "base/clock.h"
#include "base/file.h"
#include "codegen/codegen.h"
#include "codegen/function_cache.h"
#include "compile/input.h"
#include "compile/snapshot.h"

static enum status generate(const struct input *in, const struct cli_compile_options *options,
                            const struct compile_cache *cache, struct buffer *draft,
                            struct codegen_stats *stats, struct error *err)
{
    struct codegen_options codegen = {
        .verify_cache = cache->verify,
        .level = (enum codegen_level)options->level,
        .conforming = options->conforming,
        .cpu_level = options->cpu_level,
        .threads = options->threads,
        .component_parts = in->component_parts,
        .draft = true,
    };
    enum status st = ST_OK;
    if (cache->files) st = function_cache_new(cache->files, &codegen.cache, err);
    if (!st) st = codegen_compile(in->program, &codegen, draft, stats, err);
    function_cache_free(codegen.cache);
    return st;
}

struct times {
    uint64_t decode_ns, snapshot_ns;
};

static double ms(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void print_stats(const char *name, const struct codegen_stats *s, const struct times *t,
                        uint64_t elapsed_ns, size_t file_bytes)
{
    double seconds = (double)elapsed_ns / 1e9;
    fprintf(stderr,
            "%s: %u functions (%u at the fast level for their size), %.2f MB of wasm code to %.2f "
            "MB of machine code, artifact %.2f MB, %.3f s, %.2f MB/s\n",
            name, s->functions, s->functions_lowered, (double)s->wasm_code_bytes / 1e6,
            (double)s->code_bytes / 1e6, (double)file_bytes / 1e6, seconds,
            (double)s->wasm_code_bytes / 1e6 / seconds);
    fprintf(stderr, "%s: batches: %u, cached: %u\n", name, s->batches, s->batches_cached);
    fprintf(stderr,
            "%s: ms: decode %.1f, contents %.1f, plan %.1f, emit %.1f, llvm %.1f, link %.1f, "
            "initialise %.1f\n",
            name, ms(t->decode_ns), ms(s->content_ns), ms(s->plan_ns), ms(s->emit_ns),
            ms(s->llvm_ns), ms(s->link_ns), ms(t->snapshot_ns));
}

enum status compile_program(const char *name, const struct buffer *wasm,
                            const struct cli_compile_options *options,
                            const struct compile_cache *cache, int out_fd, bool stats,
                            struct error *err)
{
    uint64_t start = clock_monotonic_ns(clock_system());
    struct codegen_stats codegen_stats = {0};
    struct snapshot_outcome outcome = {0};
    struct times times = {0};
    struct input in;
    struct buffer file;
    buffer_init(&file, ARTIFACT_BYTES_MAX);
    enum status st = input_init(&in, wasm, options->threads, err);
    times.decode_ns = clock_monotonic_ns(clock_system()) - start;
    if (!st) st = generate(&in, options, cache, &file, &codegen_stats, err);
    uint64_t generated = clock_monotonic_ns(clock_system());
    if (!st) st = snapshot(&file, !options->no_start, &outcome, err);
    times.snapshot_ns = clock_monotonic_ns(clock_system()) - generated;
    if (st)
        error_prefix(err, "%s", name);
    else
        st = file_write_fd(out_fd, file.data, file.size_bytes, err);
    if (!st && stats)
        print_stats(name, &codegen_stats, &times, clock_monotonic_ns(clock_system()) - start,
                    file.size_bytes);
    if (!st && stats && *outcome.left)
        fprintf(stderr, "%s: initialisation is left to every instance: %s\n", name, outcome.left);
    input_done(&in);
    buffer_done(&file);
    return st;
}
