/* caps.h - the daemon keeps the privileges that it uses, and no others.
 *
 * A service manager may have taken the rest away already (tenet.service does);
 * started by hand as root, or in a container, there is nobody else to do it. */
#ifndef TN_DAEMON_CAPS_H
#define TN_DAEMON_CAPS_H

#include "model/base/error.h"

/* Leaves the calling thread, and all that it starts or executes from now on,
 * what the kernel driver needs of what it has: CAP_NET_ADMIN (links, routes,
 * rules), CAP_SYS_ADMIN (network namespaces and their mounts),
 * CAP_NET_BROADCAST (events of other namespaces) and CAP_NET_RAW (probes by
 * ICMP).  Sets no_new_privs, empties the ambient and inheritable sets.
 *
 * 'source' is the address of the intent repository, or null.  If it is a
 * directory of this machine that somebody else owns, CAP_DAC_OVERRIDE is kept
 * as well: status commits are written into it.
 *
 * To be called before the first thread is started; again is harmless.  Nothing
 * is ever gained: a caller without privileges keeps none, and that is no
 * error. */
enum tn_code tn_caps_limit(const char *source,
                           struct tn_error *err) TN_MUST_USE;

#endif
