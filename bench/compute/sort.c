/* Quicksort of records through a comparison function, as qsort(3) does it: indirect calls. */
#include "kernel.h"

#include <string.h>

#define COUNT 300000u

struct record {
    uint32_t key;
    uint32_t value;
};

typedef int compare_function(const void *left, const void *right);

static struct record original[COUNT], records[COUNT];

static void kernel_setup(void)
{
    for (uint32_t i = 0; i < COUNT; i++) original[i] = (struct record){kernel_random() % 100000, i};
}

static int by_key(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->value < b->value ? -1 : a->value > b->value;
}

static int by_value_down(const void *left, const void *right)
{
    const struct record *a = left, *b = right;
    return a->value > b->value ? -1 : a->value < b->value;
}

static compare_function *volatile orders[] = {by_key, by_value_down};

static void swap(struct record *a, struct record *b)
{
    struct record keep = *a;
    *a = *b;
    *b = keep;
}

static void sort(struct record *r, uint32_t count, compare_function *compare)
{
    while (count > 12) {
        struct record pivot = r[count / 2];
        uint32_t low = 0, high = count - 1;
        for (;;) {
            while (compare(&r[low], &pivot) < 0) low++;
            while (compare(&r[high], &pivot) > 0) high--;
            if (low >= high) break;
            swap(&r[low++], &r[high--]);
        }
        sort(r, high + 1, compare);
        r += high + 1;
        count -= high + 1;
    }
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k && compare(&r[k - 1], &r[k]) > 0; k--) swap(&r[k - 1], &r[k]);
}

static double kernel_run(void)
{
    memcpy(records, original, sizeof records);
    double sum = 0;
    for (int order = 0; order < 2; order++) {
        sort(records, COUNT, orders[order]);
        for (uint32_t i = 0; i < COUNT; i += 1000) sum += (double)records[i].key * (double)i;
    }
    return sum;
}

KERNEL_MAIN("sort")
