/* nft_raw.h - a hash of what the kernel dumps of a table.
 *
 * Pure: fed with netlink messages, it knows nothing of sockets.  Two dumps have
 * one hash if and only if they are the same rules: what the kernel numbers by
 * itself (handles, use counts, counters) is left out, chains and sets are in
 * the order of their names, elements in no order, rules in their own. */
#ifndef TN_KERNEL_NFT_RAW_H
#define TN_KERNEL_NFT_RAW_H

#include "model/base/arena.h"
#include "model/base/digest.h"

struct tn_nft_raw;

/* A set that was seen and whose elements must be asked for. */
struct tn_nft_raw_set {
    uint8_t family;
    const char *table, *name;
};

/* New in 'arena'. */
struct tn_nft_raw *tn_nft_raw_new(struct tn_arena *arena);

/* Takes the payload of a message (after the netlink header): 'type' is one of
 * NFT_MSG_NEWTABLE, NEWCHAIN, NEWRULE, NEWSET, NEWSETELEM.  False if the bytes
 * are not well-formed, in which case nothing of them may be trusted.  Tables
 * other than ours are noted as foreign and objects in them ignored. */
bool tn_nft_raw_add(struct tn_nft_raw *raw, int type, const void *payload,
                    size_t n) TN_MUST_USE;

/* Of our tables, in the order seen. */
const struct tn_nft_raw_set *tn_nft_raw_sets(const struct tn_nft_raw *raw,
                                             size_t *n);
/* "ip filter": sorted. */
const char *const *tn_nft_raw_foreign(struct tn_nft_raw *raw, size_t *n);
/* Which of our tables were seen. */
bool tn_nft_raw_has(const struct tn_nft_raw *raw, uint8_t family);

struct tn_digest tn_nft_raw_digest(struct tn_nft_raw *raw);
/* Of the table of one family alone. */
struct tn_digest tn_nft_raw_part(struct tn_nft_raw *raw, uint8_t family);

#endif
