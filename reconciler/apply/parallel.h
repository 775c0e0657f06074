/* parallel.h - the same work on many things, by a few threads. */
#ifndef TN_APPLY_PARALLEL_H
#define TN_APPLY_PARALLEL_H

#include <stddef.h>

/* Works on item 'i' of what 'context' is; called from several threads, each
 * item once. */
typedef void tn_parallel_fn(void *context, size_t i);

/* Calls 'fn' for 0 .. n-1 on at most 'threads' threads (the calling one among
 * them) and returns when all are done.  If no thread can be had the calling
 * thread does the work alone. */
void tn_parallel(size_t n, unsigned threads, tn_parallel_fn *fn, void *context);

#endif
