/* caps.h - giving up privileges of the kernel, without a library. */
#ifndef TN_BASE_CAPS_H
#define TN_BASE_CAPS_H

#include <stdint.h>

/* The bit of a capability (CAP_NET_ADMIN, ...). */
#define TN_CAP_BIT(cap) (UINT64_C(1) << (cap))

/* Leaves the calling thread, of what is permitted to it, what is in 'keep': as
 * permitted and effective; nothing stays inheritable.  Nothing is gained, ever.
 * 0, or -1 with errno set.  Safe between fork and exec; with no_new_privs what
 * is executed has no more, also as root. */
int tn_caps_cut(uint64_t keep);

#endif
