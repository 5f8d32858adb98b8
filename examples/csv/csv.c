/* Turns the CSV in the request's body into JSON lines while it arrives, in constant memory.
 *
 *     curl -T table.csv http://127.0.0.1:8080/csv/
 *
 * The first record names the fields; each further one becomes an object on a line of its own, all
 * values strings. RFC 4180 with the usual liberties: LF and CR end a record as CRLF does, empty
 * lines are skipped, and a quote inside an unquoted field stands for itself. Fields beyond the
 * header are named column_N, missing ones are left out. Bytes that are no UTF-8 become U+FFFD.
 *
 * Values are never held: they go from one fixed buffer to another. Only the header is kept. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_BYTES         65536u
#define OUT_BYTES        65536u
#define HEADER_BYTES_MAX 65536u /* of names, as they are written out */
#define COLUMNS_MAX      4096u

enum place { FIELD_START, UNQUOTED, QUOTED, QUOTE_IN_QUOTED };

struct parser {
    enum place place;
    bool in_header;
    bool record_open; /* something of this record was seen */
    bool value_open;  /* the value's first quote is out */
    uint32_t column;
    unsigned utf8_left;    /* continuation bytes still to come */
    unsigned char utf8[4]; /* of the character that is being read */
    unsigned utf8_have;
    unsigned char utf8_low, utf8_high; /* what the next byte may be */
    uint64_t records;
};

static unsigned char in[IN_BYTES];
static unsigned char out[OUT_BYTES];
static size_t out_size;
static char names[HEADER_BYTES_MAX];
static size_t names_size;
static uint32_t name_start[COLUMNS_MAX + 1]; /* name i is names[start[i]] to names[start[i+1]] */
static uint32_t columns;

static void refuse(const char *status, const char *reason)
{
    printf("Status: %s\nContent-Type: text/plain\n\n%s\n", status, reason);
    fflush(stdout);
    exit(0);
}

static void flush_out(void)
{
    for (size_t done = 0; done < out_size;) {
        ssize_t put = write(STDOUT_FILENO, out + done, out_size - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) exit(1); /* the client is gone */
        done += (size_t)put;
    }
    out_size = 0;
}

/* Header text goes to the names, everything else out. */
static void emit(const struct parser *p, const void *bytes, size_t size)
{
    if (p->in_header) {
        if (size > HEADER_BYTES_MAX - names_size)
            refuse("413 Content Too Large", "the header row is over 64 KiB");
        memcpy(names + names_size, bytes, size);
        names_size += size;
        return;
    }
    if (size > OUT_BYTES - out_size) flush_out();
    if (size > OUT_BYTES) exit(1); /* no caller has that much */
    memcpy(out + out_size, bytes, size);
    out_size += size;
}

static void emit_name(const struct parser *p)
{
    emit(p, p->column ? "," : "{", 1);
    uint32_t i = p->column;
    if (i < columns && name_start[i + 1] > name_start[i]) {
        emit(p, "\"", 1);
        emit(p, names + name_start[i], name_start[i + 1] - name_start[i]);
        emit(p, "\":\"", 3);
    } else {
        char name[32];
        int length = snprintf(name, sizeof name, "\"column_%u\":\"", i + 1);
        emit(p, name, (size_t)length);
    }
}

static void open_value(struct parser *p)
{
    if (p->value_open) return;
    if (!p->in_header) emit_name(p);
    p->value_open = p->record_open = true;
}

static void utf8_replace(struct parser *p)
{
    emit(p, "\xef\xbf\xbd", 3);
    p->utf8_left = p->utf8_have = 0;
}

/* The first byte of a character above U+007F; Unicode 15, table 3-7. */
static void utf8_begin(struct parser *p, unsigned char c)
{
    p->utf8_low = 0x80;
    p->utf8_high = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) {
        p->utf8_left = 1;
    } else if (c >= 0xe0 && c <= 0xef) {
        p->utf8_left = 2;
        if (c == 0xe0) p->utf8_low = 0xa0;
        if (c == 0xed) p->utf8_high = 0x9f;
    } else if (c >= 0xf0 && c <= 0xf4) {
        p->utf8_left = 3;
        if (c == 0xf0) p->utf8_low = 0x90;
        if (c == 0xf4) p->utf8_high = 0x8f;
    } else {
        utf8_replace(p);
        return;
    }
    p->utf8[0] = c;
    p->utf8_have = 1;
}

/* One byte of a value, escaped for JSON. */
static void put(struct parser *p, unsigned char c)
{
    open_value(p);
    if (p->utf8_left) {
        if (c >= p->utf8_low && c <= p->utf8_high) {
            p->utf8[p->utf8_have++] = c;
            p->utf8_low = 0x80;
            p->utf8_high = 0xbf;
            if (--p->utf8_left == 0) {
                emit(p, p->utf8, p->utf8_have);
                p->utf8_have = 0;
            }
            return;
        }
        utf8_replace(p);
    }
    if (c >= 0x80) {
        utf8_begin(p, c);
    } else if (c == '"' || c == '\\') {
        emit(p, (unsigned char[]){'\\', c}, 2);
    } else if (c == '\n') {
        emit(p, "\\n", 2);
    } else if (c == '\r') {
        emit(p, "\\r", 2);
    } else if (c == '\t') {
        emit(p, "\\t", 2);
    } else if (c < 0x20) {
        char text[8];
        emit(p, text, (size_t)snprintf(text, sizeof text, "\\u%04x", c));
    } else {
        emit(p, &c, 1);
    }
}

static void end_field(struct parser *p)
{
    open_value(p);
    if (p->utf8_left) utf8_replace(p);
    p->value_open = false;
    p->place = FIELD_START;
    p->column++;
    if (!p->in_header) {
        emit(p, "\"", 1);
    } else {
        if (p->column > COLUMNS_MAX) refuse("413 Content Too Large", "over 4096 columns");
        name_start[p->column] = (uint32_t)names_size;
    }
}

static void end_record(struct parser *p)
{
    if (!p->record_open) return; /* an empty line */
    end_field(p);
    p->record_open = false;
    if (p->in_header) {
        columns = p->column;
        p->in_header = false;
        static const char head[] = "Content-Type: application/x-ndjson\n\n";
        emit(p, head, sizeof head - 1);
    } else {
        emit(p, "}\n", 2);
        p->records++;
    }
    p->column = 0;
}

/* Outside quotes: a separator, the end of a record, or text. */
static void take_plain(struct parser *p, unsigned char c)
{
    if (c == ',') {
        end_field(p);
    } else if (c == '\n' || c == '\r') {
        end_record(p);
    } else {
        p->place = UNQUOTED;
        put(p, c);
    }
}

static void take(struct parser *p, unsigned char c)
{
    switch (p->place) {
    case FIELD_START:
        if (c == '"') {
            p->place = QUOTED;
            open_value(p);
        } else {
            take_plain(p, c);
        }
        break;
    case UNQUOTED: take_plain(p, c); break;
    case QUOTED:
        if (c == '"')
            p->place = QUOTE_IN_QUOTED;
        else
            put(p, c);
        break;
    case QUOTE_IN_QUOTED:
        p->place = QUOTED;
        if (c == '"')
            put(p, c);
        else
            take_plain(p, c);
        break;
    }
}

static bool is_plain_text(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != ',' && c != '\\';
}

/* Runs of ordinary characters, nearly all of a table, are copied whole. */
static void take_all(struct parser *p, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t end = i;
        if (p->value_open && !p->utf8_left && (p->place == UNQUOTED || p->place == QUOTED))
            while (end < size && is_plain_text(bytes[end])) end++;
        if (end > i) emit(p, bytes + i, end - i);
        if (end < size) take(p, bytes[end++]);
        i = end;
    }
}

static size_t read_some(size_t at)
{
    for (;;) {
        ssize_t got = read(STDIN_FILENO, in + at, IN_BYTES - at);
        if (got >= 0) return (size_t)got;
        if (errno == EINTR) continue;
        perror("csv: reading the body");
        exit(1);
    }
}

/* A byte order mark is no part of the first name. It may arrive in pieces. */
static size_t skip_mark(size_t *size)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    while (*size < sizeof mark && !memcmp(in, mark, *size)) {
        size_t got = read_some(*size);
        if (!got) return 0;
        *size += got;
    }
    return *size >= sizeof mark && !memcmp(in, mark, sizeof mark) ? sizeof mark : 0;
}

int main(void)
{
    const char *method = getenv("REQUEST_METHOD");
    if (!method || (strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0)) {
        fputs("Status: 405 Method Not Allowed\nAllow: POST, PUT\nContent-Type: text/plain\n\n"
              "POST or PUT a CSV table here and get JSON lines back.\n",
              stdout);
        return 0;
    }
    static struct parser p = {.in_header = true};
    size_t size = read_some(0);
    size_t skip = size ? skip_mark(&size) : 0;
    while (size) {
        take_all(&p, in + skip, size - skip);
        if (size < IN_BYTES && !p.in_header) flush_out(); /* the sender pauses: hand over */
        skip = 0;
        size = read_some(0);
    }
    if (p.place == QUOTED) fputs("csv: the table ends inside a quoted field\n", stderr);
    end_record(&p);
    if (p.in_header) refuse("400 Bad Request", "no header row");
    flush_out();
    fprintf(stderr, "csv: %llu records\n", (unsigned long long)p.records);
    return 0;
}
