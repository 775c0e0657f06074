/* cache_pack.h - parts and networks as bytes. */
#ifndef TN_COMPILE_CACHE_PACK_H
#define TN_COMPILE_CACHE_PACK_H

#include "model/compile/part.h"
#include "model/kinds/pack.h"

/* Changes whenever bytes would be read differently. */
uint64_t tn_cache_layout_id(void);

/* 'out' holds a multiple of 8 bytes before and after.  Behind it belong the
 * large arrays. */
void tn_part_pack(struct tn_text *out, const struct tn_part *part);
enum { TN_PART_RUNS = 2 };
/* These; borrowed from the part. */
void tn_part_runs(const struct tn_part *part,
                  struct tn_bytes out[TN_PART_RUNS]);
/* Points into the input, which is aligned to 8; 'out' has no network and no
 * places. */
bool tn_part_unpack(struct tn_unpacker *unpacker,
                    struct tn_part *out) TN_MUST_USE;

/* One VPC, without what is settled later (VNIs, peerings).  Hosts are written
 * as their place in the inventory. */
void tn_net_pack(struct tn_text *out, const struct tn_net_vpc *vpc,
                 const struct tn_inventory *inventory);
/* Reads 'n' bytes; points into them. */
bool tn_net_unpack(struct tn_arena *arena, const void *bytes, size_t n,
                   const char *tenant, const struct tn_inventory *inventory,
                   struct tn_net_vpc *out) TN_MUST_USE;

#endif
