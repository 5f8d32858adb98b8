/* The texts of a component's sections, each of them once. */
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "component_tables.h"

#define STRINGS_FIRST 256u /* a power of two, as all capacities */

/* Names are hostile: a digest, so that they cannot be made to meet. */
static uint32_t hash(const char *text)
{
    uint8_t digest[SHA256_BYTES];
    uint32_t word;
    sha256(text, strlen(text), digest);
    memcpy(&word, digest, sizeof word);
    return word;
}

/* Where the text at `offset`, or an equal one, has its place. */
static uint32_t *find_place(uint32_t *table, uint32_t capacity, const struct buffer *texts,
                            uint32_t offset)
{
    const char *text = (const char *)texts->data + offset;
    uint32_t at = hash(text) & (capacity - 1);
    while (table[at] && strcmp((const char *)texts->data + table[at], text))
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static enum status grow(struct component_tables *t, struct error *err)
{
    if (t->strings_count * 2 < t->strings_capacity) return ST_OK;
    uint32_t capacity = t->strings_capacity ? t->strings_capacity * 2 : STRINGS_FIRST;
    uint32_t *table = calloc(capacity, sizeof *table);
    if (!table) return error_set(err, ST_NO_MEMORY, "component: names");
    for (uint32_t i = 0; i < t->strings_capacity; i++)
        if (t->strings[i])
            *find_place(table, capacity, COMPONENT_PART(t, ARTIFACT_WIT_STRINGS), t->strings[i]) =
                t->strings[i];
    free(t->strings);
    t->strings = table;
    t->strings_capacity = capacity;
    return ST_OK;
}

static void append_text(struct buffer *texts, struct wasm_name name)
{
    for (uint32_t done = 0; done < name.size_bytes;) {
        const char *from = name.text + done, *nul = memchr(from, 0, name.size_bytes - done);
        uint32_t run = nul ? (uint32_t)(nul - from) : name.size_bytes - done;
        buffer_append(texts, from, run);
        if (nul) buffer_append(texts, "\xc0\x80", 2);
        done += nul ? run + 1 : run;
    }
    buffer_append(texts, "", 1);
}

enum status component_string(struct component_tables *t, struct wasm_name name, uint32_t *ret,
                             struct error *err)
{
    struct buffer *texts = COMPONENT_PART(t, ARTIFACT_WIT_STRINGS);
    *ret = 0;
    if (!name.size_bytes) return ST_OK;
    enum status st = grow(t, err);
    if (st) return st;
    size_t size = texts->size_bytes;
    append_text(texts, name);
    if (texts->failed) return component_full(texts, err);
    uint32_t *place = find_place(t->strings, t->strings_capacity, texts, (uint32_t)size);
    if (*place) {
        texts->size_bytes = size;
    } else {
        *place = (uint32_t)size;
        t->strings_count++;
    }
    *ret = *place;
    return ST_OK;
}
