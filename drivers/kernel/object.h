/* object.h - what the kernel driver makes resources of.
 *
 * One struct per kind: the driver's own form, built by render from intent and
 * by observe from dumps.  tn_k_resource() turns it into a resource; because
 * both sides go through the same function, equal objects have equal text.
 *
 * Every struct begins with 'struct tn_k_object', so that the pointer in
 * resource.native can be read as one.  All pointers go to the arena of the
 * state, except 'ns', which may also belong to the session.
 *
 * Keys are "<scope>/<kind>/<name in the kernel>": what the kernel itself tells
 * objects apart by.  A renamed port is another object; a port whose MAC changes
 * is the same one. */
#ifndef TN_KERNEL_OBJECT_H
#define TN_KERNEL_OBJECT_H

#include "drivers/kernel/names.h"
#include "drivers/kernel/nft.h"
#include "drivers/resource.h"
#include "model/base/net.h"

enum tn_k_kind {
    TN_K_NETNS,
    TN_K_NETNS_STRAY, /* A namespace of ports that has lost its ports. */
    TN_K_OBJ_BRIDGE,
    TN_K_OBJ_VXLAN,
    TN_K_OBJ_PORT,
    TN_K_OBJ_PEERING,
    TN_K_OBJ_FDB,
    TN_K_OBJ_NEIGHBOUR,
    TN_K_OBJ_ROUTE,
    TN_K_OBJ_LINK,    /* Foreign link; also one of ours of unknown purpose. */
    TN_K_OBJ_ADDRESS, /* Foreign address. */
    TN_K_OBJ_RULES,   /* Our two tables of packet rules. */
    TN_K_OBJ_TABLE,   /* Foreign table of packet rules. */
    TN_K_OBJ_HOOK,    /* What else of others leads packets astray. */
};

/* Order of creation.  The rules of the firewall (nft.h) are loaded before
 * anything can send. */
enum tn_k_rank {
    TN_K_RANK_NETNS = 10,
    TN_K_RANK_NFT = 15,
    TN_K_RANK_BRIDGE = 20,
    TN_K_RANK_VXLAN = 30,
    TN_K_RANK_PORT = 40,
    TN_K_RANK_PEERING = 50,
    TN_K_RANK_PEERING_END = 51, /* The second side: the first makes both. */
    TN_K_RANK_FDB = 60,
    TN_K_RANK_NEIGHBOUR = 62,
    TN_K_RANK_ROUTE = 64,
    TN_K_RANK_TAP = 90, /* May not exist yet: all else comes first. */
};

struct tn_k_object {
    enum tn_k_kind kind;
    const char *ns;     /* Name of the VPC's namespace. */
    const char *scope;  /* "tenant/vpc" */
    const char *parent; /* Key of what takes it along; null: nothing. */
};

struct tn_k_netns {
    struct tn_k_object o;
    const char *sysctls; /* The shared text of all that are as they should be,
                            or the list of those that are. */
};

/* What a link has in common.  'index' is 0 in rendered objects. */
struct tn_k_link {
    char name[TN_K_IFNAME];
    uint32_t index;
    uint32_t mtu;
    bool up;
    bool leaving;       /* Ours by half: a deletion was begun and not completed,
                           or somebody took its group or alias. */
    uint16_t options;   /* TN_K_OPT_*: of a bridge or of a bridge's port. */
    const char *master; /* Name of the bridge, or "none". */
};

/* Options by bit; a table in attrs.c has their names. */
enum tn_k_option {
    TN_K_OPT_STP = 1u << 0,
    TN_K_OPT_SNOOPING = 1u << 1,
    TN_K_OPT_VLAN = 1u << 2,
    TN_K_OPT_LEARNING = 1u << 3,
    TN_K_OPT_FLOOD = 1u << 4,
    TN_K_OPT_MCAST_FLOOD = 1u << 5,
    TN_K_OPT_BCAST_FLOOD = 1u << 6,
    TN_K_OPT_NEIGH_SUPPRESS = 1u << 7,
    TN_K_OPT_HAIRPIN = 1u << 8,
    TN_K_OPT_ISOLATED = 1u << 9,
    TN_K_OPT_GUARD = 1u << 10,
    TN_K_OPT_LOCKED = 1u << 11,
    TN_K_OPT_VXLAN_LEARNING = 1u << 12,
    TN_K_OPT_VXLAN_PROXY = 1u << 13,
    TN_K_OPT_BLOCKED = 1u << 14, /* A port that runs and does not forward. */
};

/* The options that are set on our links of each sort; all others are not. */
enum {
    TN_K_BRIDGE_OPTIONS = 0,
    TN_K_PORT_OPTIONS = TN_K_OPT_MCAST_FLOOD | TN_K_OPT_BCAST_FLOOD,
    TN_K_VXLAN_OPTIONS = TN_K_PORT_OPTIONS | TN_K_OPT_NEIGH_SUPPRESS,
};

struct tn_k_bridge {
    struct tn_k_object o;
    struct tn_k_link link;
    struct tn_mac mac;
    const struct tn_cidr *addrs; /* With host bits; sorted. */
    size_t n_addrs;
};

struct tn_k_vxlan {
    struct tn_k_object o;
    struct tn_k_link link;
    uint32_t vni;
    uint16_t port;
    struct tn_addr local;
    const struct tn_addr *flood; /* VTEPs; sorted. */
    size_t n_flood;
    const char *tunnel; /* "vni 5000 from 192.0.2.1:4789" */
};

struct tn_k_port {
    struct tn_k_object o;
    struct tn_k_link link; /* Bridge side. */
    const char *full_name; /* Of the intent; null if observed. */
    const char *netns;     /* Null: an existing interface. */
    const char *interface; /* Far end's name, or the tap's own. */
    struct tn_mac mac;     /* Far end's. */
    uint32_t far_index, far_mtu;
    bool far_up;
    const struct tn_cidr *addrs; /* At the far end; sorted. */
    size_t n_addrs;
    const struct tn_addr *routers; /* Default routes at the far end. */
    size_t n_routers;
    const struct tn_mac *fdb; /* Static entries on the bridge side. */
    size_t n_fdb;
};

struct tn_k_peering {
    struct tn_k_object o;
    struct tn_k_link link;
    const char *peer_ns, *peer_scope;
    const char *renamed;          /* What somebody called it; null: nothing. */
    bool second;                  /* The link belongs to the other side. */
    struct tn_cidr address;       /* fe80::1/64 or fe80::2/64. */
    struct tn_addr via;           /* The other end's. */
    const struct tn_cidr *routes; /* Imports; sorted. */
    size_t n_routes;
};

struct tn_k_fdb {
    struct tn_k_object o;
    const char *vxlan; /* Link. */
    struct tn_mac mac;
    struct tn_addr vtep; /* Of the vxlan's own table; none if not there. */
    bool bridged;        /* The bridge's table has it on that link. */
    bool bare;           /* Somebody replaced it in the vxlan's own table: there
                            it has no mark, and cannot be given one. */
    const char *tunnel;  /* The vxlan's. */
};

struct tn_k_neighbour {
    struct tn_k_object o;
    const char *bridge;
    struct tn_addr addr;
    struct tn_mac mac;
    bool permanent;
};

struct tn_k_route {
    struct tn_k_object o;
    struct tn_cidr to;
    struct tn_addr via;
    const char *link; /* The interface that leads to 'via'. */
    uint32_t metric;  /* As the kernel stores it; 0 in rendered ones. */
    const char *note; /* Foreign ones: what else there is to say; or null. */
    uint32_t table;   /* Foreign ones: not in the main one; else 0. */
    uint8_t tos;      /* Foreign ones. */
};

struct tn_k_address {
    struct tn_k_object o;
    const char *link;
    struct tn_cidr addr;
};

/* A link that is not ours, or one of ours of unknown purpose. */
struct tn_k_foreign {
    struct tn_k_object o;
    struct tn_k_link link;
    const char *key_kind; /* "link", or the kind whose name it has. */
    const char *type;     /* "dummy", ...; "" if the kernel does not say. */
    uint32_t vni;         /* What it keeps us from using; 0: nothing. */
    const char *netns, *interface; /* So, too: its far end, if it is a port's
                                      that was renamed; null: nothing. */
};

struct tn_k_rules {
    struct tn_k_object o;
    const struct tn_nft_ruleset *rules;
};

struct tn_k_foreign_table {
    struct tn_k_object o;
    const char *name; /* "ip filter" */
};

struct tn_k_hook {
    struct tn_k_object o;
    const char *kind; /* "policy-rule", "qdisc", "xdp" */
    const char *name; /* "b-front/clsact"; all there is to say. */
};

struct tn_k_stray {
    struct tn_k_object o; /* 'ns' is the namespace of ports. */
};

/* Fills 'out' (kind, key, name, attributes, rank, claim) from the object, whose
 * owner and origin the caller sets.  'object' outlives 'out'. */
void tn_k_resource(struct tn_arena *arena, const struct tn_k_object *object,
                   struct tn_resource *out);

/* Resources being collected; items in 'arena'. */
struct tn_k_list {
    struct tn_arena *arena;
    TN_VEC(struct tn_resource) items;
};
/* 'object' is borrowed, and must last as long as the list's arena. */
/* Returns the resource's key. */
const char *tn_k_list_add(struct tn_k_list *list,
                          const struct tn_k_object *object, enum tn_owner owner,
                          struct tn_origin origin);

/* "vni 5000 from 192.0.2.1:4789": new in 'arena'. */
const char *tn_k_tunnel(struct tn_arena *arena, uint32_t vni,
                        const struct tn_addr *local, uint16_t port);

/* Comparisons for qsort. */
int tn_k_cmp_cidr(const void *a, const void *b);
int tn_k_cmp_addr(const void *a, const void *b);
int tn_k_cmp_mac(const void *a, const void *b);

#endif
