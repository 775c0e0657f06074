/* nft_fixture.h - a small world for the tests of nft*.
 *
 * VPC acme/web on two hosts, with a dual-stack subnet "front" and a dual-stack
 * subnet "back", peered with corp/lab.  Host 1 has all ports but "y" and "z".
 *
 *     front  a: web   w: web   b: db   e: no group   z: web (host 2)
 *     back   c: db    d: jail  r: web, a router for 172.16.0.0/16   y: db
 *            (host 2)
 *     lab    q: web of corp
 *
 *     web    in: tcp 80 and 8000-8100, udp 53, icmp, from anybody
 *     db     in: tcp 5432 from group web; icmp from 10.0.0.0/24
 *            and fd00:0:0:1::/64
 *     jail   in: icmp; out: tcp 80 to 10.0.0.0/24 and icmp to group web
 */
#ifndef TN_KERNEL_NFT_FIXTURE_H
#define TN_KERNEL_NFT_FIXTURE_H

#include "drivers/kernel/nft.h"

/* Inputs of host 1, host 2, and of the peer on host 1. */
extern const struct tn_nft_input tn_nft_host1, tn_nft_host2, tn_nft_lab;

/* Host 1, where "a" and "z" may use 10.0.0.70 and fd00:0:0:1::70, and "r" some
 * more of its subnet: all of that is sought.  In 'arena'. */
const struct tn_nft_input *tn_nft_sought(struct tn_arena *arena);

/* A VPC of 'n' ports on this host; each in a group of its own with 'rules'
 * rules.  In 'arena'. */
const struct tn_nft_input *tn_nft_many(struct tn_arena *arena, unsigned n,
                                       unsigned rules);

#endif
