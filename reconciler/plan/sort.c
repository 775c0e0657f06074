/* sort.c - sorting by number in linear time: least significant byte first.
 *
 * Plans sort by rank, of which there are few, so most bytes are the same
 * everywhere and cost one look.  Equal numbers keep their order. */
#include "reconciler/plan/work.h"

#include <string.h>

enum { BYTES = 8, VALUES = 256 };

/* One pass; false if all have the same byte, and nothing was moved. */
static bool
pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
    size_t start[VALUES] = {0};
    for (size_t i = 0; i < n; i++) {
        start[from[i] >> shift & 0xff]++;
    }
    if (start[from[0] >> shift & 0xff] == n) {
        return false;
    }
    size_t sum = 0;
    for (size_t v = 0; v < VALUES; v++) {
        size_t count = start[v];
        start[v] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[start[from[i] >> shift & 0xff]++] = from[i];
    }
    return true;
}

void
tn_work_sort(struct tn_arena *arena, uint64_t *keys, size_t n,
             unsigned first_byte)
{
    if (n < 2) {
        return;
    }
    uint64_t *from = keys, *to = tn_arena_alloc(arena, n * sizeof *to);
    for (unsigned byte = first_byte; byte < BYTES; byte++) {
        if (pass(from, to, n, byte * 8)) {
            uint64_t *other = from;
            from = to;
            to = other;
        }
    }
    if (from != keys) {
        memcpy(keys, from, n * sizeof *keys);
    }
}
