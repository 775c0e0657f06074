/* threads.h - the same work on many namespaces at once. */
#ifndef TN_KERNEL_THREADS_H
#define TN_KERNEL_THREADS_H

#include <stddef.h>

enum { TN_K_WORKERS = 8 };

typedef void tn_k_each_fn(void *ctx, size_t worker, size_t i);

/* Calls 'fn' for each of 0 .. n-1, in any order, on as many threads as there
 * are processors, at most TN_K_WORKERS; the calling thread is one of them.
 * 'worker' tells them apart: calls with the same one, below TN_K_WORKERS, never
 * overlap.  Returns when all are done.  Threads may end up in any network
 * namespace. */
void tn_k_each(size_t n, tn_k_each_fn *fn, void *ctx);

#endif
