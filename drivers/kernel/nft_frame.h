/* nft_frame.h - raw frames for the root tests. */
#ifndef TN_KERNEL_NFT_FRAME_H
#define TN_KERNEL_NFT_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum tn_frame_kind {
    TN_FRAME_ECHO,        /* ICMP or ICMPv6 echo request 'from' -> 'to'. */
    TN_FRAME_DHCP,        /* UDP 67 -> 68 (547 -> 546). */
    TN_FRAME_ARP_REPLY,   /* "'claim' is at 'claim_mac'", asked by 'to'. */
    TN_FRAME_ARP_REQUEST, /* Sender 'claim' at 'claim_mac', asks for 'to'. */
    TN_FRAME_NA,          /* Target 'claim', option 'claim_mac'. */
    TN_FRAME_NS,          /* Asks for 'claim'; option 'claim_mac'. */
    TN_FRAME_RA,
    TN_FRAME_REDIRECT,
    TN_FRAME_LLDP, /* Another ethertype. */
};

struct tn_frame {
    enum tn_frame_kind kind;
    const char *mac_to, *mac_from; /* Ethernet. */
    const char *from, *to;         /* Addresses of the packet. */
    const char *claim, *claim_mac;
    int vlan; /* 0: untagged. */
};

/* Builds the frame; ends in bytes that depend on 'mark'.  Returns its size. */
size_t tn_frame_build(const struct tn_frame *f, unsigned mark,
                      uint8_t out[512]);

#endif
