/* reach.h - probes (drivers/probe.h) by sockets made inside namespaces. */
#ifndef TN_KERNEL_REACH_H
#define TN_KERNEL_REACH_H

#include "drivers/driver.h"

/* The driver's member. */
void tn_k_reach(struct tn_session *session, const struct tn_probe *probes,
                size_t n, unsigned timeout_ms,
                struct tn_probe_outcome *outcomes);

#endif
