/* threads_test.c - every item is done exactly once, however many there are. */
#include "drivers/kernel/threads.h"

#include <criterion/criterion.h>
#include <stdatomic.h>

enum { MOST = 1000 };

struct done {
    atomic_int times[MOST];
    atomic_int busy[TN_K_WORKERS];
    atomic_int overlaps;
};

static void
count(void *ctx, size_t worker, size_t i)
{
    struct done *done = ctx;
    int others = atomic_fetch_add(&done->busy[worker], 1);
    atomic_fetch_add(&done->overlaps, others);
    atomic_fetch_add(&done->times[i], 1);
    atomic_fetch_add(&done->busy[worker], -1);
}

Test(threads, each_item_is_done_once)
{
    static const size_t rows[] = {0, 1, 2, 7, 8, 9, MOST};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct done done = {0};
        tn_k_each(rows[r], count, &done);
        cr_assert_eq(done.overlaps, 0, "workers overlap");
        for (size_t i = 0; i < MOST; i++) {
            cr_assert_eq(done.times[i], i < rows[r], "%zu of %zu", i, rows[r]);
        }
    }
}
