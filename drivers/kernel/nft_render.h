/* nft_render.h - what the parts of the renderer share; for nft_*.c only. */
#ifndef TN_KERNEL_NFT_RENDER_H
#define TN_KERNEL_NFT_RENDER_H

#include "drivers/kernel/nft.h"
#include "drivers/kernel/nft_prefix.h"

/* A port of this host. */
struct tn_nft_port {
    const struct tn_net_port *port;
    const char *interface; /* On the bridge. */
    const char *bridge;
    bool has6; /* Its subnet carries IPv6. */
};

struct tn_nft_elsewhere {
    struct tn_addr *items;
    size_t n, cap;
};

/* What is routed to a subnet and judged here though no local port owns it, and
 * what of that is not: see nft_claim.c.  Owners are ports; null: nobody. */
struct tn_nft_claimed {
    struct tn_nft_parts parts; /* Each has some owner. */
    struct tn_nft_elsewhere elsewhere;
};

struct tn_nft_render {
    struct tn_arena *arena;
    const struct tn_nft_input *in;
    struct tn_text text;
    struct tn_nft_port *ports; /* Local ones: by subnet, then name. */
    size_t n_ports;
    bool has6;                                  /* The VPC carries IPv6. */
    bool nets4, nets6;                          /* Something is claimed. */
    bool sought4, sought6;                      /* Something is sought. */
    struct tn_nft_claimed *claimed4, *claimed6; /* By subnet. */
    size_t n_tunnels, n_links;
    bool open; /* Inside the braces of 'elements'. */
};

/* "set NAME {" with its type, "typeof ..." when it holds a raw offset. */
void tn_nft_set_begin(struct tn_nft_render *r, const char *what,
                      const char *name, const char *type);
void tn_nft_set_flag_interval(struct tn_nft_render *r);
void tn_nft_set_element(struct tn_nft_render *r, const char *fmt, ...)
    TN_PRINTF(2, 3);
void tn_nft_set_end(struct tn_nft_render *r);

void tn_nft_chain_begin(struct tn_nft_render *r, const char *fmt, ...)
    TN_PRINTF(2, 3);
void tn_nft_rule(struct tn_nft_render *r, const char *fmt, ...) TN_PRINTF(2, 3);
void tn_nft_chain_end(struct tn_nft_render *r);

/* "10.0.0.0/8"; a single address without its length. */
const char *tn_nft_prefix(const struct tn_cidr *c, char buf[TN_CIDR_TEXT]);

/* True if 'c' is just an address of the port. */
bool tn_nft_own(const struct tn_net_port *port, const struct tn_cidr *c);

/* Appends to 'out' what local ports claim in a subnet. */
void tn_nft_find_claims(struct tn_nft_render *r, size_t subnet, unsigned family,
                        struct tn_nft_claimed *out);

/* "table bridge tenet". */
void tn_nft_render_bridge(struct tn_nft_render *r);
/* The chains of groups and ports in "table inet tenet", and the maps that lead
 * to them. */
void tn_nft_render_maps(struct tn_nft_render *r);
void tn_nft_render_groups(struct tn_nft_render *r);

#endif
