/* intent.h - a tenant's documents, indexed; the working state of its compile.
 *
 * Stages fill it in order: read (files to documents), intent (index), validate
 * (references and rules), identify (addresses), resolve (to the part).  It
 * lives in arenas of the tenant that are freed once the part is made. */
#ifndef TN_COMPILE_INTENT_H
#define TN_COMPILE_INTENT_H

#include "model/base/digest.h"
#include "model/base/map.h"
#include "model/compile/part.h"
#include "model/compile/repository.h"
#include "model/compile/store.h"

/* What all tenants' compiles read and none writes. */
struct tn_world {
    const struct tn_settings *settings;
    const char *environment;
    const struct tn_inventory *inventory;
    struct tn_map hosts;     /* Name to const struct tn_host. */
    struct tn_map elsewhere; /* Name of a host that only other environments
                                have, to the name of one of those. */
    const char *const *host_names;           /* Of the inventory, sorted. */
    const struct tn_net_external *externals; /* Of this environment. */
    size_t n_externals;
    uint32_t vni_from, vni_to;
    struct tn_mac mac_prefix;  /* First three octets. */
    const struct tn_pin *pins; /* Status ref; by tenant, object. */
    size_t n_pins;
    struct tn_digest digest; /* Of all the above but the pins. */
};

/* One file; 'docs' are those that could be decoded. */
struct tn_intent_file {
    const char *path;
    struct tn_oid id;
    size_t bytes;
    struct tn_document *docs;
    size_t n_docs;
    bool holes;            /* Some document could not even be named. */
    bool parsed;           /* Read and parsed in this run. */
    bool clean;            /* No finding: may be cached. */
    struct tn_chunk chunk; /* Of the documents in the cache; size 0: none. */
    struct tn_diags diags;
    TN_VEC(const char *)
    broken;         /* "<kind slug>/<name>" of documents that were
                       named but not decoded. */
    uint32_t index; /* In tn_intent.files and tn_part.paths. */
};

struct tn_intent_port;
struct tn_intent_vpc;

struct tn_intent_subnet {
    const struct tn_subnet *doc;
    struct tn_intent_vpc *vpc;
    struct tn_addr gateway, gateway6;
    struct tn_mac gateway_mac;
    TN_VEC(struct tn_intent_port *) ports; /* By name. */
};

struct tn_intent_vpc {
    const struct tn_vpc *doc;
    const struct tn_intent_file *file;
    struct tn_intent_subnet *subnets; /* By name; doc->subnets.n of them. */
    uint32_t mtu_limit; /* What the underlay of all its hosts carries. */
    const struct tn_host *host; /* The first of its ports that tells what must
                                   carry it; null: anything can. */
};

struct tn_intent_port {
    const struct tn_port *doc;
    const struct tn_intent_file *file;
    struct tn_intent_subnet *subnet; /* Null: there is none. */
    const struct tn_host *host;      /* Null: in another environment. */
    struct tn_pin pin;               /* What is pinned for it. */
    bool established;                /* By the status ref. */
    uint64_t attach;                 /* Hash of host, namespace, interface. */
    uint32_t order;                  /* By files and lines. */
    struct tn_mac mac;
    struct tn_addr address, address6;
};

struct tn_intent_group {
    const struct tn_security_group *doc;
    const struct tn_intent_file *file;
    const void *used_in; /* resolve's own. */
    uint32_t used_as;
};

struct tn_intent_peering {
    const struct tn_peering *doc;
    const struct tn_intent_file *file;
};

struct tn_intent {
    const struct tn_world *world;
    const char *tenant;     /* Name. */
    const char *path;       /* "tenants/<tenant>" */
    struct tn_arena *arena; /* Of this state. */
    struct tn_arena *keep;  /* Of the part and the network. */
    struct tn_diags *diags;
    bool holes; /* Something could not be read: what is not found may be
                   there, so references are not judged. */
    struct tn_map broken; /* Names of documents that were not decoded. */

    struct tn_intent_file *files; /* By path. */
    size_t n_files;
    const struct tn_pin *lock; /* tenet.lock, by object. */
    size_t n_lock;
    const char *lock_path;
    const struct tn_pin *pins; /* Status ref's of this tenant, by object. */
    size_t n_pins;

    const struct tn_tenant *doc;
    const struct tn_intent_file *doc_file;
    struct tn_intent_vpc *vpcs; /* Each by name. */
    size_t n_vpcs;
    struct tn_intent_port *ports;
    size_t n_ports;
    struct tn_intent_group *groups;
    size_t n_groups;
    struct tn_intent_peering *peerings;
    size_t n_peerings;
    size_t n_subnets, n_rules;
    struct tn_map vpc_map, port_map, group_map;
    TN_VEC(struct tn_part_missing) missing;
};

/* A place in one of the tenant's files. */
static inline struct tn_origin
tn_intent_at(const struct tn_intent_file *file, struct tn_pos at)
{
    return (struct tn_origin){file->path, at.line, at.column};
}

static inline struct tn_part_at
tn_intent_place(const struct tn_intent_file *file, struct tn_pos at)
{
    return (struct tn_part_at){file->index, at.line, at.column};
}

/* What the port attaches to by default, in its namespace. */
static inline const char *
tn_intent_interface(const struct tn_port *doc)
{
    return doc->attach.vif.v         ? doc->attach.vif.v
           : doc->attach.interface.v ? doc->attach.interface.v
                                     : "eth0";
}

/* Are workloads of the subnet served by DHCP? */
static inline bool
tn_intent_serves_dhcp(const struct tn_subnet *doc)
{
    return doc->dhcp.at.line &&
           (!doc->dhcp.enabled.at.line || doc->dhcp.enabled.v);
}

/* The one of 'pins' (sorted by object) for 'object'; null if there is none.
 */
const struct tn_pin *tn_pin_find(const struct tn_pin *pins, size_t n,
                                 const char *object);
/* The pins of one tenant among those of all. */
const struct tn_pin *tn_pins_of_tenant(const struct tn_pin *pins, size_t n,
                                       const char *tenant, size_t *n_out);
/* tenet.lock's word, completed by the status ref's; '*established' (may be
 * null) tells whether the latter knows the object.  No pin: zero. */
struct tn_pin tn_intent_pin(const struct tn_intent *in, const char *object,
                            bool *established);

/* Builds the index from 'files'; refuses duplicates, quotas, documents that
 * are in the wrong place. */
void tn_intent_index(struct tn_intent *in);

/* Rules on VPCs and their subnets, on ports, on groups and on peerings.  All
 * may run even after errors. */
void tn_validate_vpcs(struct tn_intent *in);
void tn_validate_ports(struct tn_intent *in);
void tn_validate_groups(struct tn_intent *in);
void tn_validate_peerings(struct tn_intent *in);
/* Are VPCs in external networks as both sides say?  After the ports. */
void tn_validate_externals(struct tn_intent *in);

/* The port's claim for tn_part.attaches; '*here' tells whether its host is in
 * this environment, else there is no such claim. */
uint64_t tn_intent_attach(const struct tn_intent *in, const struct tn_port *doc,
                          bool *here);
/* True if the port gives its namespace a default route. */
bool tn_intent_sets_default_route(const struct tn_port *doc);
/* Hash of the port's host and namespace. */
uint64_t tn_intent_namespace(const struct tn_port *doc);

/* Looks 'ref' up in 'map'; a finding if it is not there.  'kind' says which
 * documents the map holds. */
void *tn_validate_ref(struct tn_intent *in, const struct tn_intent_file *file,
                      const struct tn_vtext *ref, enum tn_kind kind,
                      const struct tn_map *map);

/* Addresses and MACs of the ports of all subnets. */
void tn_identify_ports(struct tn_intent *in);
/* VNIs that are given or pinned: outside the pool, or twice in this tenant. */
void tn_identify_subnets(struct tn_intent *in);
/* The VNI that a subnet claims; '*at' is where. */
struct tn_vni_claim tn_identify_subnet(const struct tn_intent *in,
                                       const struct tn_intent_subnet *subnet,
                                       struct tn_part_at *at);
/* The usable address that is the default gateway of a prefix. */
struct tn_addr tn_identify_gateway(const struct tn_cidr *cidr);
struct tn_mac tn_identify_gateway_mac(const struct tn_intent *in,
                                      const struct tn_intent_subnet *subnet);

/* Makes the part, in 'keep'.  Without a network if 'diags' has errors. */
void tn_resolve(struct tn_intent *in, struct tn_part *part);

#endif
