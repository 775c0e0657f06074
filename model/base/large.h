/* large.h - memory for what is large: huge pages, where the kernel has them.
 *
 * Filling a fresh small page costs less than the fault that brings it. */
#ifndef TN_BASE_LARGE_H
#define TN_BASE_LARGE_H

#include <stddef.h>

#include "model/base/attr.h"

enum {
    TN_LARGE_PAGE = 2 * 1024 * 1024,
    TN_LARGE_LEAST = TN_LARGE_PAGE / 4, /* Worth it from this size on. */
};

/* 'size' in whole pages of this kind. */
static inline size_t
tn_large_round(size_t size)
{
    const size_t rest = TN_LARGE_PAGE - 1;
    return (size + rest) & ~rest;
}

/* 'size' bytes, a multiple of such a page, to be freed by free(); not
 * initialised.  Null if there is no memory. */
void *tn_large_alloc(size_t size) TN_MUST_USE;

#endif
