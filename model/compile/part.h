/* part.h - what one tenant gives to the whole, and all that others need of it.
 *
 * A part is made from a tenant's documents alone (and settings, inventory and
 * pins), so it can be kept in the cache and used again as long as those are
 * equal.  What crosses tenants (VNIs, attachments on a host, peerings) is
 * settled afterwards from the parts of all tenants, each run anew.
 *
 * The large arrays hold no pointers: they are loaded by copying. */
#ifndef TN_COMPILE_PART_H
#define TN_COMPILE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/diag.h"
#include "model/compile/lock.h"
#include "model/compile/network.h"

/* A place with its path as an index of tn_part.paths. */
struct tn_part_at {
    uint32_t path, line, column;
};

/* Where a number comes from, the strongest first. */
enum tn_claim_source { TN_CLAIM_GIVEN, TN_CLAIM_PINNED, TN_CLAIM_DERIVED };

/* A subnet's claim to a VNI.  In the order of VPCs and their subnets. */
struct tn_vni_claim {
    uint64_t hash;    /* Home in the pool. */
    uint32_t vni;     /* Given or pinned; derived: 0 until it is settled. */
    uint8_t source;   /* enum tn_claim_source */
    bool established; /* The status ref pins this very number for it. */
    uint16_t zero;
};

/* A port's claim to an interface of a host: a hash of host, namespace and
 * interface.  The lowest bit tells whether the status ref knows the port. */
#define TN_ATTACH_ESTABLISHED UINT64_C(1)

struct tn_part_vpc {
    const char *name;
    const struct tn_cidr *cidrs; /* And of its external network. */
    size_t n_cidrs;
    const struct tn_cidr *routes; /* Prefixes of its static routes. */
    size_t n_routes;
    size_t n_subnets; /* So many claims are its. */
    const char *host; /* One that tells what carries its packets; null: it has
                         no port, or anything can. */
};

/* One side's word about a peering. */
struct tn_part_offer {
    const char *vpc;
    const char *peer_tenant, *peer_vpc;
    const struct tn_cidr *exports; /* Sorted. */
    size_t n_exports;
    struct tn_origin at;
};

/* A reference that found nothing in its own tenant. */
struct tn_part_missing {
    size_t finding; /* Of the part; gets a hint if another tenant has it. */
    const char *name;
    bool group; /* Of a security group; else of a VPC. */
};

struct tn_part {
    const char *tenant;
    bool failed;
    size_t n_files, n_vpcs, n_subnets, n_ports;
    const struct tn_vni_claim *claims;
    size_t n_claims;
    const uint64_t *attaches; /* In the order of files. */
    size_t n_attaches;
    const struct tn_part_vpc *vpcs;     /* By name; those that could be read. */
    const struct tn_part_offer *offers; /* By vpc, peer tenant, peer VPC. */
    size_t n_offers;
    const char *const *groups; /* Names of security groups, sorted. */
    size_t n_groups;
    const struct tn_pin *other_pins; /* Of ports in other environments; of a
                                        failed tenant: all. */
    size_t n_other_pins;
    const char *doc; /* The Tenant document, packed; null: not read. */
    size_t n_doc;
    const char *doc_path;
    struct tn_diag *findings; /* Of this tenant alone. */
    size_t n_findings;

    /* Not in the cache with the above. */
    const char *const *paths;
    size_t n_paths;
    const struct tn_part_at *claim_at; /* Places of claims and attaches; null */
    const struct tn_part_at *attach_at; /* if the part is from the cache. */
    const uint64_t *fresh;  /* Of the attaches those that the index does not */
    size_t n_fresh;         /* know: null and 0 if the part is from it. */
    bool wanted;            /* Set if such a place was asked for. */
    uint32_t *vnis;         /* n_claims, settled. */
    struct tn_net_vpc *net; /* n_vpcs, by name; null if failed or not loaded.
                               VNIs and peerings are filled in later. */
    const struct tn_part_missing *missing;
    size_t n_missing;
    size_t n_errors; /* Findings that are errors, even past the bound. */
};

/* A place of the part as others know places; 'at' is one of the arrays above.
 * Unknown for a part from the cache, which must then be compiled anew. */
static inline struct tn_origin
tn_part_origin(struct tn_part *part, const struct tn_part_at *at, size_t i)
{
    if (!at) {
        part->wanted = true;
        return (struct tn_origin){0};
    }
    return (struct tn_origin){part->paths[at[i].path], at[i].line,
                              at[i].column};
}

#endif
