/* sysctl.h - how a VPC's namespace treats packets. */
#ifndef TN_KERNEL_SYSCTL_H
#define TN_KERNEL_SYSCTL_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* The text that stands for "all as they should be": the wanted value of the
 * attribute "sysctls". */
const char *tn_k_sysctls_wanted(void);

/* Reads those of the namespace that the calling thread is in.  If all are as
 * they should be, '*out' is tn_k_sysctls_wanted(); else a text, new in 'arena',
 * that names those that differ. */
enum tn_code tn_k_sysctls_read(struct tn_arena *arena, const char **out,
                               struct tn_error *err) TN_MUST_USE;

/* Sets all of them.  TN_EUNSUPPORTED if the kernel lacks one. */
enum tn_code tn_k_sysctls_write(struct tn_error *err) TN_MUST_USE;

/* Whether links that are made in that namespace from now on take part in IPv6
 * themselves: those of ours that have addresses.  Ports of bridges need not, so
 * that they do not is what is wanted at rest. */
enum tn_code tn_k_sysctl_new_links(bool ipv6, struct tn_error *err) TN_MUST_USE;

#endif
