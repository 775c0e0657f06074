/* cleanup.h - owned locals that free themselves.
 *
 *     TN_CLEANUP(tn_cleanup_free) char *buf = NULL;
 *     TN_CLEANUP(tn_cleanup_fd) int fd = -1;
 *     ...
 *     *out = TN_TAKE(buf);        moves ownership out: 'buf' is null now
 *
 * Declared and initialised on one line.  Not for arena objects, which go with
 * their arena. */
#ifndef TN_BASE_CLEANUP_H
#define TN_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/base/attr.h"

/* Yields the pointer and nulls the variable. */
#define TN_TAKE(p)                                                             \
    __extension__({                                                            \
        __typeof__(p) tn_taken_ = (p);                                         \
        (p) = NULL;                                                            \
        tn_taken_;                                                             \
    })

static inline void
tn_cleanup_free(void *p)
{
    free(*(void **) p);
}

static inline void
tn_cleanup_fd(const int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static inline void
tn_cleanup_file(FILE **f)
{
    if (*f) {
        fclose(*f);
    }
}

#endif
