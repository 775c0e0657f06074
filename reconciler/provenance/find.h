/* find.h - what somebody means by a name: lines of intent.
 *
 * Looks in two places: in the network (tenants, VPCs, subnets, ports, groups,
 * routes, hosts by their names, numbers and addresses), and in what drivers
 * render from it (keys of plans, names of links, namespaces, claims).  No
 * driver is asked anything: their resources are plain data.
 *
 * A name may mean many things ("front" of every tenant, an address that two
 * VPCs have): all of them are found, and put together by the line that asked
 * for them, because that is what the question is after. */
#ifndef TN_PROVENANCE_FIND_H
#define TN_PROVENANCE_FIND_H

#include "drivers/resource.h"
#include "model/base/map.h"
#include "model/compile/network.h"

/* Something of that name.  Texts are borrowed from where it was found. */
struct tn_match {
    const char *device; /* That holds it; null: an object of the intent. */
    const char *kind, *name;
    const char *scope; /* "tenant/vpc"; "" if it is in none. */
    const char *key;   /* Of the resource; null for an object of the intent. */
    bool mentioned;    /* Only an attribute of it says so. */
};

/* All of them that one line asks for. */
struct tn_match_line {
    struct tn_origin at;
    TN_VEC(struct tn_match) matches;
};

struct tn_find {
    const char *query;  /* As the user wrote it. */
    const char *tenant; /* Only this tenant's; null: all. */
    const char *host;   /* Only what is on this host; null: all. */
    struct tn_arena *arena;
    /* Of tn_find_init(). */
    const char *text; /* Without what tools put around a name: 'ip link',
                         'ovn-nbctl'. */
    struct tn_addr addr;
    struct tn_cidr cidr;
    struct tn_mac mac;
    bool is_addr, is_cidr, is_mac, is_number;
    uint64_t number;
    /* Found so far. */
    struct tn_map by_place;
    TN_VEC(struct tn_match_line *) lines; /* In the order they were found. */
    size_t n_named; /* Matches that are not only mentioned. */
};

/* 'query', 'tenant', 'host' and 'arena' are set; the rest is zero. */
void tn_find_init(struct tn_find *find);
void tn_find_in_network(struct tn_find *find, const struct tn_network *network);
/* 'state' is what a driver rendered for 'device'. */
void tn_find_in_state(struct tn_find *find, const char *device,
                      const struct tn_state *state);
/* Sorts lines by place.  If anything bears the name itself, what only mentions
 * it is dropped. */
void tn_find_finish(struct tn_find *find);

/* The last line of the object that begins at 'at': what is indented below it, a
 * whole document, or that line alone where it is written in one. */
uint32_t tn_extent(const char *bytes, size_t n, struct tn_origin at);

#endif
