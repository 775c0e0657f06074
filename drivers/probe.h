/* probe.h - one question to the network that a device carries.
 *
 * A probe starts at a port, in the namespace that the port is attached to;
 * where the far end is no namespace of this host (the tap of a machine), it
 * starts at the gateway of the port's subnet instead, in the VPC.  A driver
 * runs no command for it and resolves no name. */
#ifndef TN_DRIVERS_PROBE_H
#define TN_DRIVERS_PROBE_H

#include <stdint.h>

#include "model/compile/network.h"

enum tn_probe_protocol {
    TN_PROBE_ICMP, /* An echo is answered. */
    TN_PROBE_TCP,  /* A connection is accepted. */
};

struct tn_probe {
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet; /* Of 'from'. */
    const struct tn_net_port *from;     /* On a host of the device. */
    struct tn_addr to;
    enum tn_probe_protocol protocol;
    uint16_t port; /* TCP; else 0. */
};

enum tn_probe_result {
    TN_PROBE_IMPOSSIBLE, /* It could not be run: says nothing. */
    TN_PROBE_FAILED,     /* No answer, or a refusal. */
    TN_PROBE_PASSED,
};

enum { TN_PROBE_REASON = 160 };

struct tn_probe_outcome {
    enum tn_probe_result result;
    uint32_t rtt_us;              /* If it passed. */
    char reason[TN_PROBE_REASON]; /* In a few words; empty if it passed. */
};

#endif
