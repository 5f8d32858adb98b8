#include "damage.h"

#include "../base/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "sample.h"

enum status damage_open(const uint8_t *bytes, size_t size_bytes, struct error *err)
{
    struct artifact *a = NULL;
    *err = (struct error){0};
    enum status st = artifact_open_bytes(bytes, size_bytes, &a, err);
    if (st)
        assert_null(a);
    else
        artifact_close(a);
    return st;
}

void damage_each(const struct buffer *file, const struct damage *damages, size_t count)
{
    const struct artifact_header *h = (const void *)file->data;
    uint8_t *copy = malloc(file->size_bytes);
    assert_non_null(copy);
    for (size_t i = 0; i < count; i++) {
        const struct damage *d = &damages[i];
        struct error err;
        size_t at = d->field;
        if (d->element != WHOLE)
            at += h->sections[d->section].offset + d->element * d->element_bytes;
        memcpy(copy, file->data, file->size_bytes);
        memcpy(copy + at, &d->value, d->field_bytes < 8 ? d->field_bytes : 8);
        sample_fix_digest(copy, file->size_bytes);
        enum status st = damage_open(copy, file->size_bytes, &err);
        enum status expected = *d->text ? d->status : ST_OK;
        if (st != expected || !strstr(err.text, d->text))
            print_error("damage %zu (\"%s\") gives %s: %s\n", i, d->text, status_name(st),
                        err.text);
        assert_int_equal(st, expected);
        assert_non_null(strstr(err.text, d->text));
    }
    free(copy);
}
