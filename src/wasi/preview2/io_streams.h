/* What both halves of wasi:io/streams share. */
#ifndef WASI_PREVIEW2_IO_STREAMS_H
#define WASI_PREVIEW2_IO_STREAMS_H

#include "state.h"

/* Results of "result<…, stream-error>" stand at v[…]: their size, and where the payload is. */
struct stream_result {
    uint32_t size_bytes, align_bytes, payload;
};

extern const struct stream_result stream_result_unit, stream_result_u64, stream_result_list;

/* Answers with ok(_), and with ok(value). */
enum host_result stream_ok(struct canonical_call *c, uint32_t at);
enum host_result stream_ok_u64(struct canonical_call *c, uint32_t at, uint64_t value);

/* Answers with what `st` means: ST_CLOSED or a failure, which `extra` may know more about. */
enum host_result stream_fail(struct canonical_call *c, uint32_t at, const struct stream_result *as,
                             const struct wasi_stream *stream, const struct io_stream_extra *extra,
                             enum status st);

/* One step; ST_OK with at least a byte, ST_WOULD_BLOCK, ST_CLOSED, a failure. Closes behind the
 * last two. */
enum status input_read(struct io_input *in, void *bytes, size_t size_bytes, size_t *ret_bytes);
/* ST_OK when a read would not block. */
enum status input_ready(const struct io_input *in);

/* How many bytes may be written now: ST_OK with at least one; ST_WOULD_BLOCK, with 0. */
enum status output_check(struct wasi_preview2 *p, struct io_output *o, uint64_t *ret);
/* Takes all of them, which output_check() has allowed. */
enum status output_put(struct wasi_preview2 *p, struct io_output *o, const void *bytes,
                       size_t size_bytes);

/* The functions of output-stream, which stand in io_output.c. */
enum host_result output_check_write(struct canonical_call *c, struct value *v);
enum host_result output_write(struct canonical_call *c, struct value *v);
enum host_result output_write_and_flush(struct canonical_call *c, struct value *v);
enum host_result output_flush(struct canonical_call *c, struct value *v);
enum host_result output_blocking_flush(struct canonical_call *c, struct value *v);
enum host_result output_subscribe(struct canonical_call *c, struct value *v);
enum host_result output_write_zeroes(struct canonical_call *c, struct value *v);
enum host_result output_write_zeroes_and_flush(struct canonical_call *c, struct value *v);
enum host_result output_splice(struct canonical_call *c, struct value *v);
enum host_result output_blocking_splice(struct canonical_call *c, struct value *v);

#endif
