/* nft_world.h - the world of nft_fixture.h as real namespaces, for root tests.
 *
 * Everything lives in a mount namespace of the test's process: the names in
 * /run/netns are seen by nobody else, and whatever way the test ends, nothing
 * of it stays. */
#ifndef TN_KERNEL_NFT_WORLD_H
#define TN_KERNEL_NFT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "v1", "v2" are the VPC's namespaces on the hosts, "lab" the peer's on host
 * 1; guests have the names of their ports and one interface "eth0".  Rules are
 * applied in all three. */
void tn_nft_world_new(void);

/* Opens a namespace by name; to be closed. */
int tn_nft_world_netns(const char *name);
/* Runs a shell command that must succeed. */
void tn_nft_world_run(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* Does a conversation from a guest come about?  'to' is the guest that
 * answers, 'address' how it is called. */
struct tn_nft_flow {
    const char *from, *to, *address;
    enum { TN_FLOW_TCP, TN_FLOW_UDP, TN_FLOW_PING } what;
    int port;
    size_t size; /* Of the message; 0: a few bytes. */
};
bool tn_nft_world_flows(const struct tn_nft_flow *flow);

/* Sends a frame out of eth0 of 'from'; true if 'to' receives it within a
 * moment: a frame that ends with the same TN_FRAME_MARK bytes. */
enum { TN_FRAME_MARK = 12 };
bool tn_nft_world_frame(const char *from, const char *to, const uint8_t *frame,
                        size_t n);

#endif
