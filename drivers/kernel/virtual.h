/* virtual.h - addresses of a subnet that are no port's own, and yet some port's
 * to hold: how the routers of all hosts find them.  Pure. */
#ifndef TN_KERNEL_VIRTUAL_H
#define TN_KERNEL_VIRTUAL_H

#include "model/base/arena.h"
#include "model/compile/network.h"

/* An address that no port but 'port' may use: routers know it like an own
 * one. */
struct tn_k_held {
    struct tn_addr addr;
    const struct tn_net_port *port;
};

struct tn_k_virtual {
    const struct tn_k_held *held; /* By address. */
    size_t n_held;
    const struct tn_cidr *sought; /* Who has one of these is to be asked, on
                                     all hosts: sorted, disjoint. */
    size_t n_sought;
    bool contested; /* Of 'sought', several ports may use some: who has it may
                       change without a commit. */
};

/* What ports of the subnet, wherever they are, may use besides their own
 * addresses and inside of the subnet.  Left out are gateways, own addresses of
 * ports, and what is behind a port: a prefix that a static route leads to by
 * it.  All zero in a subnet without 'allowed'.  New in 'arena'. */
void tn_k_virtual_find(struct tn_arena *arena, const struct tn_net_vpc *vpc,
                       const struct tn_net_subnet *subnet,
                       struct tn_k_virtual *out);

#endif
