/* traffic.h - sets of traffic: which protocols, to which ports.
 *
 * Exact: the destination ports of TCP, UDP and SCTP as intervals, ICMP (for
 * IPv4 and ICMPv6 alike) and all other protocols as one bit each, which is as
 * finely as rules can tell.  Values are constant once made; results are new in
 * the arena given, or one of the operands. */
#ifndef TN_REACH_TRAFFIC_H
#define TN_REACH_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/text.h"
#include "model/kinds/kinds.h"

/* Both inclusive. */
struct tn_port_span {
    uint16_t first, last;
};

enum tn_ported { TN_PORTED_TCP, TN_PORTED_UDP, TN_PORTED_SCTP, TN_N_PORTED };

struct tn_traffic {
    const struct tn_port_span *spans[TN_N_PORTED]; /* Ascending; between two is
                                                      at least one port. */
    uint32_t n[TN_N_PORTED];
    bool icmp;
    bool other; /* Every protocol that is none of the others. */
};

/* Static: nothing, and everything. */
extern const struct tn_traffic tn_traffic_none, tn_traffic_all;

/* One protocol; 'ports' (in any order, overlapping or not) restrict it if
 * there are any.  ICMP and 'any' have no ports: 'any' with ports is those of
 * TCP, UDP and SCTP. */
const struct tn_traffic *tn_traffic_of(struct tn_arena *arena,
                                       enum tn_protocol protocol,
                                       const struct tn_vrange *ports, size_t n);

const struct tn_traffic *tn_traffic_or(struct tn_arena *arena,
                                       const struct tn_traffic *a,
                                       const struct tn_traffic *b);
const struct tn_traffic *tn_traffic_and(struct tn_arena *arena,
                                        const struct tn_traffic *a,
                                        const struct tn_traffic *b);
/* What is in 'a' and not in 'b'. */
const struct tn_traffic *tn_traffic_minus(struct tn_arena *arena,
                                          const struct tn_traffic *a,
                                          const struct tn_traffic *b);

bool tn_traffic_is_none(const struct tn_traffic *t);
bool tn_traffic_eq(const struct tn_traffic *a, const struct tn_traffic *b);
/* A total order, for sorting. */
int tn_traffic_cmp(const struct tn_traffic *a, const struct tn_traffic *b);
bool tn_traffic_within(const struct tn_traffic *inner,
                       const struct tn_traffic *outer);
bool tn_traffic_overlap(const struct tn_traffic *a, const struct tn_traffic *b);
/* 'port' is passed over for ICMP and for TN_PROTO_ANY, which asks for the
 * protocols that have no name. */
bool tn_traffic_has(const struct tn_traffic *t, enum tn_protocol protocol,
                    uint16_t port);
uint64_t tn_traffic_hash(const struct tn_traffic *t);

/* "tcp 22, 80-90; udp; icmp", "anything", "nothing": appended. */
void tn_traffic_print(struct tn_text *out, const struct tn_traffic *t);

/* Reads what tn_traffic_print wrote, also with '/' for the blank and '+' for
 * "; " ("tcp/5432+icmp"): what policies and options say.  False if it is none;
 * '*out' is new in 'arena'. */
bool tn_traffic_parse(struct tn_arena *arena, const char *text,
                      const struct tn_traffic **out) TN_MUST_USE;

#endif
