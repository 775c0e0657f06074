/* sysctl.h - how a VPC's namespace treats packets. */
#ifndef TN_KERNEL_SYSCTL_H
#define TN_KERNEL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* The text that stands for "all as they should be": the wanted value of the
 * attribute "sysctls". */
const char *tn_k_sysctls_wanted(void);

/* A setting of a single link, which others can change one by one.  The kernel
 * tells it with the link: no file need be read. */
struct tn_k_link_sysctl {
    const char *family; /* "ipv4" */
    const char *name;
    uint8_t place;  /* In IFLA_INET_CONF or IFLA_INET6_CONF. */
    uint8_t wanted; /* Of our bridges and ends of peerings. */
};
enum { TN_K_LINK_SYSCTLS = 7 };
extern const struct tn_k_link_sysctl tn_k_link_sysctls[TN_K_LINK_SYSCTLS];

/* Values by place in that table, larger ones as 255. */
struct tn_k_link_settings {
    uint8_t v[TN_K_LINK_SYSCTLS];
};

/* Reads those of the namespace that the calling thread is in.  If all are as
 * they should be, '*out' is tn_k_sysctls_wanted(); else a text, new in 'arena',
 * that names those that differ. */
enum tn_code tn_k_sysctls_read(struct tn_arena *arena, const char **out,
                               struct tn_error *err) TN_MUST_USE;

/* Sets all of them.  TN_EUNSUPPORTED if the kernel lacks one. */
enum tn_code tn_k_sysctls_write(struct tn_error *err) TN_MUST_USE;

/* Adds to 'text', which tn_k_sysctls_read() gave, those of the link that
 * differ: new in 'arena' if there are any. */
const char *tn_k_link_sysctls_add(struct tn_arena *arena, const char *text,
                                  const char *link,
                                  const struct tn_k_link_settings *have);

/* Sets those of the link that differ.  What fails is seen when the link is
 * looked at the next time. */
void tn_k_link_sysctls_write(const char *link,
                             const struct tn_k_link_settings *have);

/* Whether links that are made in that namespace from now on take part in IPv6
 * themselves: those of ours that have addresses.  Ports of bridges need not, so
 * that they do not is what is wanted at rest. */
enum tn_code tn_k_sysctl_new_links(bool ipv6, struct tn_error *err) TN_MUST_USE;

#endif
