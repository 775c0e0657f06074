/* net.h - addresses, prefixes and MAC addresses as plain values.
 *
 * IPv4 in dotted decimal without leading zeros, IPv6 as RFC 4291 reads and
 * RFC 5952 prints, MAC as six colon-separated octets, lower case.  A value
 * with family TN_AF_NONE is absent. */
#ifndef TN_BASE_NET_H
#define TN_BASE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/attr.h"

enum tn_family { TN_AF_NONE = 0, TN_AF_IPV4 = 4, TN_AF_IPV6 = 6 };

struct tn_addr {
    uint8_t family; /* enum tn_family */
    uint8_t b[16];  /* Network order; IPv4 uses the first four. */
};

struct tn_cidr {
    struct tn_addr addr; /* Host bits are zero after tn_cidr_parse. */
    uint8_t len;
};

struct tn_mac {
    uint8_t b[6];
};

/* Longest text with its NUL. */
enum { TN_ADDR_TEXT = 46, TN_CIDR_TEXT = 50, TN_MAC_TEXT = 18 };

bool tn_addr_parse(const char *s, struct tn_addr *out) TN_MUST_USE;
/* Returns 'buf'. */
const char *tn_addr_format(const struct tn_addr *a, char buf[TN_ADDR_TEXT]);
int tn_addr_cmp(const struct tn_addr *a, const struct tn_addr *b);
static inline bool
tn_addr_present(const struct tn_addr *a)
{
    return a->family != TN_AF_NONE;
}
/* 4 or 16 bytes; 32 or 128 bits. */
size_t tn_addr_size(const struct tn_addr *a);
unsigned tn_addr_bits(const struct tn_addr *a);
bool tn_addr_is_multicast(const struct tn_addr *a);
/* The address 'offset' further; false on overflow of the family's space. */
bool tn_addr_add(const struct tn_addr *a, uint64_t offset,
                 struct tn_addr *out) TN_MUST_USE;

/* Why a prefix was refused. */
enum tn_cidr_error {
    TN_CIDR_OK,
    TN_CIDR_SYNTAX,    /* Not ADDRESS/LENGTH. */
    TN_CIDR_HOST_BITS, /* 10.0.0.1/24: '*out' holds what was meant, masked. */
};
enum tn_cidr_error tn_cidr_parse(const char *s, struct tn_cidr *out);
const char *tn_cidr_format(const struct tn_cidr *c, char buf[TN_CIDR_TEXT]);
/* By family, address, then length: parents sort before what they contain. */
int tn_cidr_cmp(const struct tn_cidr *a, const struct tn_cidr *b);
/* What is absent contains nothing, is in nothing and overlaps nothing. */
bool tn_cidr_contains(const struct tn_cidr *c, const struct tn_addr *a);
bool tn_cidr_within(const struct tn_cidr *inner, const struct tn_cidr *outer);
bool tn_cidr_overlap(const struct tn_cidr *a, const struct tn_cidr *b);
/* Addresses in the prefix, saturated at UINT64_MAX. */
uint64_t tn_cidr_count(const struct tn_cidr *c);
/* Last address: for IPv4 the broadcast address. */
struct tn_addr tn_cidr_last(const struct tn_cidr *c);
struct tn_cidr tn_cidr_of_addr(const struct tn_addr *a); /* /32 or /128 */

bool tn_mac_parse(const char *s, struct tn_mac *out) TN_MUST_USE;
const char *tn_mac_format(const struct tn_mac *m, char buf[TN_MAC_TEXT]);
int tn_mac_cmp(const struct tn_mac *a, const struct tn_mac *b);
/* Group bit set: multicast or broadcast. */
bool tn_mac_is_multicast(const struct tn_mac *m);
bool tn_mac_is_zero(const struct tn_mac *m);

#endif
