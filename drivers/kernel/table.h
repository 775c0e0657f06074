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
    uint32_t xdp; /* The program that is attached; 0: none. */
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
    uint8_t tos;
    const char *note; /* Null: a plain route. */
    uint32_t table;   /* Of those that are not in the main one. */
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

/* A policy rule that is none of those that every namespace begins with. */
struct tn_k_seen_rule {
    const char *text; /* "ipv4 100: from 10.0.0.0/8 lookup 7" */
};

/* A table of routes, other than the main one and the kernel's own, in which
 * some policy rule looks. */
struct tn_k_seen_lookup {
    uint8_t family;
    uint32_t table;
};

/* The rules that every namespace begins with, but for the one that leads to a
 * table that is empty: without them nothing is delivered or routed. */
enum tn_k_base_rule {
    TN_K_RULE_LOCAL,
    TN_K_RULE_MAIN,
    TN_K_RULE_LOCAL6,
    TN_K_RULE_MAIN6,
    TN_K_BASE_RULES
};

/* A queueing discipline that somebody chose: those that the kernel chooses have
 * no handle. */
struct tn_k_seen_qdisc {
    uint32_t index; /* Of the link. */
    char kind[16];  /* "clsact" */
};

struct tn_k_table {
    struct tn_arena *arena;
    uint32_t top_index; /* Of all links, those not kept as well. */
    TN_VEC(struct tn_k_seen_link) links;
    TN_VEC(struct tn_k_seen_addr) addrs;
    TN_VEC(struct tn_k_seen_route) routes;
    TN_VEC(struct tn_k_seen_neigh) neighs;
    TN_VEC(struct tn_k_seen_fdb) fdb;
    TN_VEC(struct tn_k_seen_route) other_routes; /* In other tables. */
    TN_VEC(struct tn_k_seen_rule) rules;
    TN_VEC(struct tn_k_seen_lookup) lookups; /* Each once. */
    unsigned base_rules, base_known; /* Those that are there, and those of which
                                        that is known; by bit. */
    TN_VEC(struct tn_k_seen_qdisc) qdiscs;
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

/* table_hook.c: what leads packets other ways. */
enum tn_code tn_k_table_rules(struct tn_k_table *t, struct tn_k_sock *sock,
                              struct tn_error *err) TN_MUST_USE;
/* The routes of tables in which the rules, which come first, look. */
enum tn_code tn_k_table_other_routes(struct tn_k_table *t,
                                     struct tn_k_sock *sock,
                                     struct tn_error *err) TN_MUST_USE;
enum tn_code tn_k_table_qdiscs(struct tn_k_table *t, struct tn_k_sock *sock,
                               struct tn_error *err) TN_MUST_USE;
/* Family, priority and table of a base rule, and its name: "ipv4/main". */
struct tn_k_base_rule_is {
    const char *name;
    uint8_t family, table;
    uint32_t priority;
};
extern const struct tn_k_base_rule_is tn_k_base_rules[TN_K_BASE_RULES];
static inline bool
tn_k_lacks_rule(const struct tn_k_table *t, enum tn_k_base_rule rule)
{
    return (t->base_known & ~t->base_rules & 1u << rule) != 0;
}
/* Of a message about a rule: which base rule it is, or TN_K_BASE_RULES, and for
 * others its text, new in 'arena'; null: of no family of ours. */
enum tn_k_base_rule tn_k_rule_read(struct tn_arena *arena,
                                   const struct nlmsghdr *msg,
                                   const char **text);
/* Of a message about a queueing discipline; false: the kernel chose it. */
bool tn_k_qdisc_read(const struct nlmsghdr *msg, struct tn_k_seen_qdisc *out);

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
