/* parallel.c - a counter and some threads that draw from it. */
#include "reconciler/apply/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_THREADS = 64 };

struct pool {
    tn_parallel_fn *fn;
    void *context;
    size_t n;
    atomic_size_t next;
};

static void *
draw(void *p)
{
    struct pool *pool = p;
    for (;;) {
        size_t i = atomic_fetch_add(&pool->next, 1);
        if (i >= pool->n) {
            return NULL;
        }
        pool->fn(pool->context, i);
    }
}

void
tn_parallel(size_t n, unsigned threads, tn_parallel_fn *fn, void *context)
{
    struct pool pool = {.fn = fn, .context = context, .n = n};
    pthread_t helper[MAX_THREADS];
    size_t started = 0, wanted = threads < n ? threads : n;
    while (started + 1 < wanted && started < MAX_THREADS &&
           pthread_create(&helper[started], NULL, draw, &pool) == 0) {
        started++;
    }
    draw(&pool);
    for (size_t i = 0; i < started; i++) {
        pthread_join(helper[i], NULL);
    }
}
