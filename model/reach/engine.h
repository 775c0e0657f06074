/* engine.h - what the parts of the engine share; for model/reach/ only.
 *
 * packet.c says what happens to one packet, by the rules of the data plane.
 * ends.c divides addresses into classes of which one packet stands for all.
 * flow.c joins the two: all traffic between two classes. */
#ifndef TN_REACH_ENGINE_H
#define TN_REACH_ENGINE_H

#include "model/reach/reach.h"

/* ---- one packet: packet.c ------------------------------------------------ */

/* Where a VPC sends an address: by the longest prefix; of equal ones subnets
 * come first, then static routes, then peers. */
enum tn_hop_kind { TN_HOP_NONE, TN_HOP_SUBNET, TN_HOP_STATIC, TN_HOP_PEER };
struct tn_hop {
    enum tn_hop_kind kind;
    const struct tn_net_subnet *subnet; /* Of a static route: of its 'via'. */
    const struct tn_net_route *route;
    const struct tn_net_peering *peering;
};
struct tn_hop tn_hop_find(const struct tn_net_vpc *vpc,
                          const struct tn_addr *a);

/* The other VPC's side of a peering; null if it has none. */
const struct tn_net_peering *tn_peering_back(const struct tn_net_vpc *vpc,
                                             const struct tn_net_peering *p);
bool tn_cidrs_have(const struct tn_cidr *cidrs, size_t n,
                   const struct tn_addr *a);

/* The subnet whose array the port is in; null if none. */
const struct tn_net_subnet *tn_subnet_of(const struct tn_net_vpc *vpc,
                                         const struct tn_net_port *port);
bool tn_subnet_covers(const struct tn_net_subnet *subnet,
                      const struct tn_addr *a);
bool tn_port_owns(const struct tn_net_port *port, const struct tn_addr *a);
/* Another address that it may use: one it is allowed, and no gateway. */
bool tn_port_may_use(const struct tn_net_vpc *vpc,
                     const struct tn_net_port *port, const struct tn_addr *a);
/* The gateway that an address is; null if none. */
const struct tn_net_subnet *tn_gateway_of(const struct tn_net_vpc *vpc,
                                          const struct tn_addr *a);

/* Who gets what a subnet's bridge sends to 'a': the port that owns it, else
 * all that are allowed it (whichever answers first).  Returns how many; at most
 * 'room' are written. */
size_t tn_holders(const struct tn_net_subnet *subnet, const struct tn_addr *a,
                  const struct tn_net_port **out, size_t room);

/* Ports of one host and subnet that could hold 'a': its owner if there is one
 * on some host, else those whose further prefixes cover it most closely.  What
 * is routed to 'a' as its next hop is judged by their groups on that host. */
size_t tn_claims(const struct tn_net_subnet *subnet, const struct tn_host *host,
                 const struct tn_addr *a, const struct tn_net_port **out,
                 size_t room);

/* Addresses that no VPC carries: multicast, loopback, link-local. */
bool tn_addr_never(const struct tn_addr *a);
extern const struct tn_cidr tn_never[];
extern const size_t tn_n_never;

/* True if the rule is about packets whose other end is 'remote'. */
bool tn_rule_covers(const struct tn_net_rule *rule,
                    const struct tn_addr *remote);
/* True if some group of the port has egress rules: only they let out. */
bool tn_port_restricted(const struct tn_net_port *port);

/* ---- what is outside: outside.c ------------------------------------------
 */

/* The network with the external networks of VPCs as subnets of them, with one
 * port each; the network itself if there are none.  Null of null. */
const struct tn_network *tn_outside_view(struct tn_arena *arena,
                                         const struct tn_network *network);
/* Is it such a port? */
bool tn_is_outside(const struct tn_net_port *port);
/* Of a VPC in an external network: is the address that of some VPC in one? */
bool tn_outside_taken(const struct tn_net_vpc *vpc, const struct tn_addr *a);
/* All such prefixes; null, '*n' 0: the VPC is in none. */
const struct tn_cidr *tn_outside_cuts(const struct tn_net_vpc *vpc, size_t *n);

/* isolation_external.c: what is wrong with external networks, and of VPCs in
 * them; returns how many. */
size_t tn_outside_prove(struct tn_arena *arena,
                        const struct tn_network *network,
                        const struct tn_reach_violation **out);

/* Follows one packet and says why; 'holder' (may be null) which of several
 * ports with the address gets it. */
struct tn_reach_trace {
    struct tn_arena *arena;
    const struct tn_net_vpc *vpc;
    const struct tn_net_port *port; /* The sender. */
    struct tn_addr from, to;
    const struct tn_net_port *holder;
    const struct tn_traffic *traffic; /* What is asked for. */
};
void tn_reach_trace(const struct tn_reach_trace *t, struct tn_reach_part *out);

/* ---- sets that are the same are the same pointer: pool.c ----------------- */

struct tn_pool;
struct tn_pool *tn_pool_new(struct tn_arena *arena);
struct tn_arena *tn_pool_arena(const struct tn_pool *pool);
const struct tn_traffic *tn_pool_take(struct tn_pool *pool,
                                      const struct tn_traffic *t);
/* Of sets from the pool; remembered. */
const struct tn_traffic *tn_pool_and(struct tn_pool *pool,
                                     const struct tn_traffic *a,
                                     const struct tn_traffic *b);
const struct tn_traffic *tn_pool_or(struct tn_pool *pool,
                                    const struct tn_traffic *a,
                                    const struct tn_traffic *b);
const struct tn_traffic *tn_pool_minus(struct tn_pool *pool,
                                       const struct tn_traffic *a,
                                       const struct tn_traffic *b);

/* ---- classes: ends.c ------------------------------------------------------
 */

/* Where the prefixes of some VPCs begin and end; with 'points' (and always if
 * there are networks behind ports), single addresses of ports too. */
struct tn_cuts;
struct tn_cuts *tn_cuts_new(struct tn_arena *arena,
                            const struct tn_net_vpc *const *vpcs, size_t n,
                            bool points);
/* The last address from 'a' to 'last' that is as 'a' is. */
struct tn_addr tn_cuts_end(const struct tn_cuts *cuts, const struct tn_addr *a,
                           const struct tn_addr *last);

struct tn_end {
    struct tn_reach_end e;
    const struct tn_net_route *route; /* Of TN_REACH_BEHIND. */
    struct tn_cidr prefix;            /* That it is a part of; labels. */
    uint32_t node;                    /* The closest prefix of the cuts. */
    uint64_t members;                 /* Of which groups it is a member. */
    bool sends, receives;
    uint32_t mark; /* Given by a caller: never in one class with others. */
    uint32_t class;
};

struct tn_ends {
    const struct tn_net_vpc *vpc;
    struct tn_end *items; /* By class. */
    size_t n;
    uint32_t *first; /* Of each class, and one more. */
    uint32_t n_classes;
};

/* The ends of 'vpc', not in classes yet. */
void tn_ends_list(struct tn_arena *arena, const struct tn_cuts *cuts,
                  const struct tn_net_vpc *vpc, struct tn_ends *out);
/* Sorts them into classes; 'hosts': ends of different hosts differ. */
void tn_ends_class(struct tn_arena *arena, struct tn_ends *ends, bool hosts);
/* True if what a packet meets depends on the host it is sent from. */
bool tn_vpc_has_claims(const struct tn_net_vpc *vpc);
/* "group app", "groups app+mon", "without a group", "172.16.0.0/24 behind r1",
 * "r1 as 10.0.0.0/8"; of a VPC: new in 'arena'. */
const char *tn_end_label(struct tn_arena *arena, const struct tn_end *end);

/* ---- traffic between classes: flow.c --------------------------------------
 */

struct tn_flows {
    struct tn_pool *pool;
    struct tn_ends *from, *to; /* The same object inside one VPC. */
    struct tn_flow_side *sides[2];
};
void tn_flows_init(struct tn_flows *flows, struct tn_pool *pool,
                   struct tn_ends *from, struct tn_ends *to);
/* All that arrives from ends of class 'a' of 'from' at ends of class 'b' of
 * 'to', of other ports: from the pool.  '*answered' may be null. */
const struct tn_traffic *tn_flow(struct tn_flows *flows, uint32_t a, uint32_t b,
                                 bool *answered);
/* Pairs of ends of two classes that are not of one port. */
size_t tn_flow_pairs(const struct tn_flows *flows, uint32_t a, uint32_t b);
/* Two such ends; false if there are none. */
bool tn_flow_example(const struct tn_flows *flows, uint32_t a, uint32_t b,
                     const struct tn_end **from, const struct tn_end **to);

/* The engine itself: reach.c. */
struct tn_reach {
    struct tn_arena *arena;
    const struct tn_network *network;
};

/* changes.c: the same prefixes in the same order. */
bool tn_reach_same_cidrs(const struct tn_cidr *a, size_t n,
                         const struct tn_cidr *b, size_t m);

#endif
