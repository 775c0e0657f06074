/* large.c - see large.h.
 *
 * The allocator keeps such blocks like any other: what is freed is used again
 * without a fault, and leaks are found as usual.  The kernel is only advised;
 * without huge pages everything works as well, but slower. */
#include "model/base/large.h"

#include <stdlib.h>
#include <sys/mman.h>

void *
tn_large_alloc(size_t size)
{
    void *p = aligned_alloc(TN_LARGE_PAGE, size);
    if (p) {
        (void) madvise(p, size, MADV_HUGEPAGE);
    }
    return p;
}
