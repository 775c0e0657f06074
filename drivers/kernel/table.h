/* table.h - what the dumps of one namespace say, before anything is made of it.
 *
 * Compact records in the order of arrival, and an index of the links.  What the
 * kernel makes by itself and nobody could want (connected routes, the local
 * table, learned neighbours, multicast filters) is dropped on arrival, but for
 * its addresses: a tunnel may start at one that a router advertised.  Links
 * that are about to vanish with a namespace count as gone. */
#ifndef TN_KERNEL_TABLE_H
#define TN_KERNEL_TABLE_H

#include "drivers/kernel/nl.h"
#include "drivers/kernel/object.h"
#include "drivers/kernel/sysctl.h"

enum tn_k_type {
    TN_K_TYPE_OTHER,
    TN_K_TYPE_BRIDGE,
    TN_K_TYPE_VXLAN,
    TN_K_TYPE_VETH,
};

struct tn_k_seen_link {
    struct tn_k_link link; /* 'master' is set by the index. */
    enum tn_k_type type;
    const char *type_name; /* "" if the kernel does not say. */
    const char *alias;     /* "" if none. */
    uint32_t group, master_index;
    uint32_t peer_index; /* veth: of the other end, in its namespace. */
    bool loopback;
    bool dying; /* veth: the namespace of the other end is being destroyed. */
    struct tn_mac mac;
    uint32_t vni;
    uint16_t port;
    struct tn_addr local;
    uint32_t rank; /* Place by name. */
    struct tn_k_link_settings settings;
};

/* Addresses, neighbours and forwarding entries are sorted by link once they
 * have all been read; those of links that are gone are dropped. */
struct tn_k_seen_addr {
    uint32_t rank; /* Link, by its place. */
    struct tn_cidr addr;
    uint8_t protocol;
    bool by_kernel; /* It made the address itself. */
};

/* Reads a message about an address (RTM_NEWADDR, RTM_DELADDR): all of '*out'
 * but its rank. */
void tn_k_address_read(const struct nlmsghdr *msg, struct tn_k_seen_addr *out);

struct tn_k_seen_route {
    struct tn_cidr to;
    struct tn_addr via;
    uint32_t index, metric;
    uint8_t protocol;
    const char *note; /* Null: a plain route. */
};

struct tn_k_seen_neigh {
    uint32_t rank;
    struct tn_addr addr;
    struct tn_mac mac;
    bool ours, permanent;
};

struct tn_k_seen_fdb {
    uint32_t rank;
    struct tn_mac mac;
    struct tn_addr vtep;
    bool ours, bridged;
};

struct tn_k_table {
    struct tn_arena *arena;
    uint32_t top_index; /* Of all links, those not kept as well. */
    TN_VEC(struct tn_k_seen_link) links;
    TN_VEC(struct tn_k_seen_addr) addrs;
    TN_VEC(struct tn_k_seen_route) routes;
    TN_VEC(struct tn_k_seen_neigh) neighs;
    TN_VEC(struct tn_k_seen_fdb) fdb;
    struct tn_k_seen_link **by_name; /* links.n */
    uint32_t *slots;                 /* Hash by index: place in links + 1. */
    size_t n_slots;
    uint32_t *addr_start, *fdb_start; /* By rank: where a link's begin; one more
                                         than there are links. */
};

/* Reads the links and indexes them; the former content is forgotten. */
enum tn_code tn_k_table_links(struct tn_k_table *t, struct tn_arena *arena,
                              struct tn_k_sock *sock,
                              struct tn_error *err) TN_MUST_USE;
/* Each reads one more thing; the links come first. */
enum tn_code tn_k_table_addrs(struct tn_k_table *t, struct tn_k_sock *sock,
                              struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_table_routes(struct tn_k_table *t, struct tn_k_sock *sock,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_table_neighs(struct tn_k_table *t, struct tn_k_sock *sock,
                               struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_table_fdb(struct tn_k_table *t, struct tn_k_sock *sock,
                            struct tn_error *err) TN_MUST_USE;

/* Is it a bridge of ours, or an end of a peering: what has addresses, and
 * settings that we mind?  'mark' begins our aliases. */
bool tn_k_has_settings(const struct tn_k_seen_link *l, const char *mark);

/* Null if there is none. */
struct tn_k_seen_link *tn_k_table_by_index(const struct tn_k_table *t,
                                           uint32_t index);
struct tn_k_seen_link *tn_k_table_by_name(const struct tn_k_table *t,
                                          const char *name);

/* table_link.c: one message of a dump of links. */
void tn_k_table_parse_link(struct tn_arena *arena, const struct nlmsghdr *msg,
                           struct tn_k_seen_link *out);

#endif
