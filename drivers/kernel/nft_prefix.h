/* nft_prefix.h - prefixes of several owners as disjoint prefixes.
 *
 * Allowed source prefixes of ports may nest and may be shared (a router holds
 * 0.0.0.0/0, a virtual address belongs to two).  A set of intervals must be
 * disjoint.  Here the longest prefix wins, and equal ones have all owners. */
#ifndef TN_KERNEL_NFT_PREFIX_H
#define TN_KERNEL_NFT_PREFIX_H

#include "model/base/arena.h"
#include "model/base/net.h"

struct tn_nft_claim {
    struct tn_cidr prefix;
    const void *owner; /* Borrowed. */
};

/* A part of the address space and who claims it most precisely. */
struct tn_nft_part {
    struct tn_cidr prefix;
    const struct tn_nft_claim *claims; /* All with one prefix, as given. */
    size_t n_claims;
};

struct tn_nft_parts {
    struct tn_nft_part *items;
    size_t n, cap;
};

/* Sorts 'claims' (stable by prefix) and appends the parts to 'out', in the
 * order of addresses; the parts point into 'claims'. */
void tn_nft_partition(struct tn_arena *arena, struct tn_nft_claim *claims,
                      size_t n, struct tn_nft_parts *out);

/* Copies 'in' without the prefixes that lie in another one, sorted; returns
 * how many. */
size_t tn_nft_outermost(const struct tn_cidr *in, size_t n,
                        struct tn_cidr *out);

#endif
