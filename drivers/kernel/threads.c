/* threads.c - a counter, and some threads that draw from it.
 *
 * More threads than processors would only wait for each other: most of the work
 * is the kernel's, and part of it is done under a lock of the whole machine. */
#include "drivers/kernel/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct pool {
    tn_k_each_fn *fn;
    void *ctx;
    size_t n;
    atomic_size_t next, workers;
};

static void *
draw(void *arg)
{
    struct pool *pool = arg;
    size_t worker = atomic_fetch_add(&pool->workers, 1);
    for (size_t i; (i = atomic_fetch_add(&pool->next, 1)) < pool->n;) {
        pool->fn(pool->ctx, worker, i);
    }
    return NULL;
}

static size_t
processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < TN_K_WORKERS ? (size_t) n : TN_K_WORKERS;
}

void
tn_k_each(size_t n, tn_k_each_fn *fn, void *ctx)
{
    struct pool pool = {.fn = fn, .ctx = ctx, .n = n};
    pthread_t helpers[TN_K_WORKERS];
    size_t most = processors(), started = 0;
    most = most < n ? most : n;
    /* Fewer helpers only take longer. */
    while (started + 1 < most &&
           pthread_create(&helpers[started], NULL, draw, &pool) == 0) {
        started++;
    }
    draw(&pool);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helpers[i], NULL);
    }
}
