/* nft.h - the packet rules of one VPC namespace: security groups, protection
 * against spoofing, peering.
 *
 * Two tables of a VPC namespace are ours alone, "inet tenet" and "bridge
 * tenet", and always replaced as a whole in one transaction: there is no
 * instant without rules.  Tables of other names are foreign and not touched.
 *
 *     render (pure) -> ruleset --apply--> kernel --observe--> ruleset
 *
 * A ruleset is a text in the language of nft(8) and, of the same text, a view
 * as attributes (one per chain, set and port), which is what a plan compares
 * and shows.  The view of what is rendered and the view of what the kernel
 * lists are made by the same function, so that equal rules are equal
 * attributes.
 *
 * Listing is slow, hence observe() does not list in the common case: it hashes
 * the raw dump of the tables and asks which text is known to become that hash.
 * The kernel itself tells: after each apply (if the kernel's generation number
 * proves that nobody else wrote meanwhile), or in a scratch namespace of the
 * session.  What was learned is remembered in the cache directory, for this
 * kernel and this libnftables; the file is safe to delete.
 *
 * What the rules need from the netlink part of the driver, in the namespace:
 *   - net.bridge.bridge-nf-call-iptables and -ip6tables are 1 (conntrack sees
 *     bridged packets only through br_netfilter), forwarding is on;
 *   - ports have unicast flooding off: a bridged frame to a MAC address that is
 *     no local port's can leave by the tunnel only;
 *   - remote ports have permanent neighbour entries: gateways ask for nothing
 *     through a tunnel but for what subnets name as 'sought', and the answers
 *     go to all hosts that a tunnel floods to;
 *   - bridges do no duplicate address detection (accept_dad 0): every host has
 *     the same gateway, link-local address included, and without that address
 *     a gateway asks for no neighbour;
 *   - the VPC's own bridges, tunnels, port interfaces and links are the only
 *     ones that may forward: whatever comes from another interface is dropped.
 */
#ifndef TN_KERNEL_NFT_H
#define TN_KERNEL_NFT_H

#include "drivers/driver.h"

/* The link-local address of every gateway: neighbour discovery needs one. */
extern const struct tn_addr tn_nft_gateway_local;

/* The interfaces of one subnet in the namespace. */
struct tn_nft_subnet {
    const char *bridge;
    const char *tunnel;       /* Null: this host has no tunnel for it. */
    const char *const *ports; /* By index of the subnet's ports: the interface
                                 on the bridge; null: on another host. */
    const struct tn_cidr *sought; /* Virtual addresses for which routers ask the
                                     ports of all hosts; sorted, disjoint. */
    size_t n_sought;
};

/* All that the rules of one VPC on one host follow from.  Arrays are parallel
 * to those of 'vpc'; a port is local if its interface is given. */
struct tn_nft_input {
    const struct tn_net_vpc *vpc;
    const struct tn_nft_subnet *subnets; /* vpc->n_subnets */
    const char *const *links; /* vpc->n_peerings: this side's interface; null:
                                 the peering is not realised on this host. */
};

/* Rules as text and as attributes.  Plain data; everything in one arena. */
struct tn_nft_ruleset {
    const char *text;            /* Only the two table blocks, or "". */
    struct tn_digest digest;     /* Of 'text'. */
    const struct tn_attr *attrs; /* Sorted by name; change in place. */
    size_t n_attrs;
};

/* What observe() found. */
struct tn_nft_observed {
    bool present; /* At least one of our tables is there. */
    bool same;    /* 'want' was given and this is just what it becomes; then
                     'rules' is 'want'. */
    const struct tn_nft_ruleset *rules; /* Null if not present.  'text' can be
                                           given to apply() again. */
    const char *const *foreign;         /* "ip filter": other tables, sorted. */
    size_t n_foreign;
};

/* Pure and deterministic: new in 'arena'.  Cannot fail: all names are RFC 1123
 * labels and interface names without quotes or blanks. */
const struct tn_nft_ruleset *tn_nft_render(struct tn_arena *arena,
                                           const struct tn_nft_input *input);

/* The view of a text in the form that render() and the kernel's listing have;
 * 'text' is copied.  Unknown lines are kept as they are. */
const struct tn_nft_ruleset *tn_nft_view(struct tn_arena *arena,
                                         const char *text);

/* A session: what was learned, and the scratch namespace once it was needed.
 * Several threads may observe with it at the same time. */
struct tn_nft;

/* 'env' is borrowed for the call and may be null: no cache file. */
enum tn_code tn_nft_new(const struct tn_driver_env *env, struct tn_nft **out,
                        struct tn_error *err) TN_MUST_USE;
/* Writes what was learned to the cache; accepts null. */
void tn_nft_free(struct tn_nft *nft);

/* Closes what is still open in namespaces and keeps them alive. */
void tn_nft_settle(struct tn_nft *nft);

/* In all of these 'netns' is an open file of the network namespace.  The
 * calling thread visits it and is back on return; if it could not come back,
 * the process ends, for nothing it would do then could be trusted. */

/* Replaces our two tables by 'rules' in one transaction (null, or an empty
 * text: removes them).  On a refusal nothing has changed and 'err' holds the
 * words of nft or of the kernel. */
enum tn_code tn_nft_apply(struct tn_nft *nft, int netns,
                          const struct tn_nft_ruleset *rules,
                          struct tn_error *err) TN_MUST_USE;

/* Reads our two tables and the names of the foreign ones.  'want' (may be null)
 * must outlive 'arena' when it is returned as the result.  Lists text only if
 * the tables are not what 'want' becomes. */
enum tn_code tn_nft_observe(struct tn_nft *nft, int netns,
                            const struct tn_nft_ruleset *want,
                            struct tn_arena *arena, struct tn_nft_observed *out,
                            struct tn_error *err) TN_MUST_USE;

#endif
