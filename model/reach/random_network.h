/* random_network.h - small random networks, for the tests of reach.
 *
 * Made as structs, not from documents, so that also odd ones occur: allowed
 * prefixes that cover other ports, next hops that nobody has, exports that
 * differ in all ways. */
#ifndef TN_REACH_RANDOM_NETWORK_H
#define TN_REACH_RANDOM_NETWORK_H

#include "model/compile/network.h"

struct tn_random_options {
    unsigned seed;
    unsigned change; /* Another number: the same but for a few things. */
    bool networks;   /* Static routes and allowed addresses. */
};

/* New in 'arena'. */
const struct tn_network *
tn_random_network(struct tn_arena *arena,
                  const struct tn_random_options *options);

/* One packet, by a second implementation that walks rules as the data plane
 * has them.  True if it arrives at 'to'; 'port' is for protocols with ports. */
struct tn_naive_packet {
    const struct tn_net_vpc *vpc, *to_vpc;
    const struct tn_net_port *from, *to;
    struct tn_addr source, destination;
    enum tn_protocol protocol; /* TN_PROTO_ANY: one without a name. */
    uint16_t port;
};
bool tn_naive_arrives(const struct tn_naive_packet *p);
/* Can an answer find its way back? */
bool tn_naive_answered(const struct tn_naive_packet *p);

#endif
