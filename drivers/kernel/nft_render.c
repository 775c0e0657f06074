/* nft_render.c - the ruleset of a VPC namespace: see nft.h.
 *
 * This file has the frame of "table inet tenet": what is let through between
 * bridges and links.  nft_group.c adds security groups to it, nft_bridge.c
 * makes "table bridge tenet".
 *
 * The forward hook has two base chains, because 'accept' ends only the chain it
 * stands in: 'egress' asks whether the sender may send, and what it accepts
 * goes on to 'ingress', which asks whether the receiver may receive.  So the
 * chains of either direction are final, none has to return through two levels,
 * and the kernel's check of jumps walks ports x groups and never their square.
 *
 * The sender is known by its MAC address, which the bridge table has checked.
 * The receiver of a bridged packet is known by its MAC address, whatever the
 * packet says inside; the receiver of a routed one (its MAC address is still
 * the gateway's) by its destination address; nft_claim.c says who judges what
 * is no local port's own.
 *
 * Links carry one half of a conversation only when an end of it is on another
 * host: the way there crosses the sender's host, the way back the receiver's.
 * So the link rules are stateless and symmetric, and 'ct state invalid' is not
 * asked of what comes from a link. */
#include "drivers/kernel/nft_render.h"

#include <stdio.h>

#include "drivers/kernel/nft_prefix.h"

/* A blank line between two objects. */
static void
separate(struct tn_nft_render *r)
{
    if (r->text.n && r->text.s[r->text.n - 1] == '\n' &&
        (r->text.n < 2 || r->text.s[r->text.n - 2] == '}')) {
        tn_text_addc(&r->text, '\n');
    }
}

void
tn_nft_set_begin(struct tn_nft_render *r, const char *what, const char *name,
                 const char *type)
{
    separate(r);
    tn_text_addf(&r->text, "\t%s %s {\n\t\t%s %s\n", what, name,
                 strchr(type, '@') ? "typeof" : "type", type);
    r->open = false;
}

void
tn_nft_set_flag_interval(struct tn_nft_render *r)
{
    tn_text_add(&r->text, "\t\tflags interval\n");
}

void
tn_nft_set_element(struct tn_nft_render *r, const char *fmt, ...)
{
    tn_text_add(&r->text, r->open ? ",\n\t\t\t     " : "\t\telements = { ");
    r->open = true;
    va_list ap;
    va_start(ap, fmt);
    tn_text_vaddf(&r->text, fmt, ap);
    va_end(ap);
}

void
tn_nft_set_end(struct tn_nft_render *r)
{
    tn_text_add(&r->text, r->open ? " }\n\t}\n" : "\t}\n");
    r->open = false;
}

void
tn_nft_chain_begin(struct tn_nft_render *r, const char *fmt, ...)
{
    separate(r);
    tn_text_add(&r->text, "\tchain ");
    va_list ap;
    va_start(ap, fmt);
    tn_text_vaddf(&r->text, fmt, ap);
    va_end(ap);
    tn_text_add(&r->text, " {\n");
}

void
tn_nft_rule(struct tn_nft_render *r, const char *fmt, ...)
{
    tn_text_add(&r->text, "\t\t");
    va_list ap;
    va_start(ap, fmt);
    tn_text_vaddf(&r->text, fmt, ap);
    va_end(ap);
    tn_text_addc(&r->text, '\n');
}

void
tn_nft_chain_end(struct tn_nft_render *r)
{
    tn_text_add(&r->text, "\t}\n");
}

const char *
tn_nft_prefix(const struct tn_cidr *c, char buf[TN_CIDR_TEXT])
{
    if (c->len == tn_addr_bits(&c->addr)) {
        return tn_addr_format(&c->addr, buf);
    }
    return tn_cidr_format(c, buf);
}

bool
tn_nft_own(const struct tn_net_port *port, const struct tn_cidr *c)
{
    return c->len == tn_addr_bits(&c->addr) &&
           (tn_addr_cmp(&c->addr, &port->address) == 0 ||
            tn_addr_cmp(&c->addr, &port->address6) == 0);
}

static void
collect_claims(struct tn_nft_render *r)
{
    size_t n = r->in->vpc->n_subnets;
    r->claimed4 = tn_new_n(r->arena, struct tn_nft_claimed, n ? n : 1);
    r->claimed6 = tn_new_n(r->arena, struct tn_nft_claimed, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        tn_nft_find_claims(r, i, TN_AF_IPV4, &r->claimed4[i]);
        tn_nft_find_claims(r, i, TN_AF_IPV6, &r->claimed6[i]);
        r->nets4 = r->nets4 || r->claimed4[i].parts.n;
        r->nets6 = r->nets6 || r->claimed6[i].parts.n;
    }
}

static void
collect(struct tn_nft_render *r)
{
    const struct tn_net_vpc *vpc = r->in->vpc;
    size_t n = 0;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        n += vpc->subnets[i].n_ports;
    }
    r->ports = tn_new_n(r->arena, struct tn_nft_port, n ? n : 1);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *subnet = &vpc->subnets[i];
        const struct tn_nft_subnet *names = &r->in->subnets[i];
        for (size_t k = 0; names->tunnel && k < names->n_sought; k++) {
            bool four = names->sought[k].addr.family == TN_AF_IPV4;
            r->sought4 = r->sought4 || four;
            r->sought6 = r->sought6 || !four;
        }
        bool has6 = subnet->cidr.addr.family == TN_AF_IPV6 ||
                    subnet->cidr6.addr.family == TN_AF_IPV6;
        r->has6 = r->has6 || has6;
        r->n_tunnels += names->tunnel != NULL;
        for (size_t k = 0; k < subnet->n_ports; k++) {
            if (names->ports[k]) {
                r->ports[r->n_ports++] = (struct tn_nft_port){
                    &subnet->ports[k],
                    names->ports[k],
                    names->bridge,
                    has6,
                };
            }
        }
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        r->n_links += r->in->links[i] != NULL;
    }
    collect_claims(r);
}

static void
link_prefixes(struct tn_nft_render *r, const char *whose, const char *link,
              const struct tn_cidr *list, size_t n)
{
    struct tn_cidr *outer = tn_new_n(r->arena, struct tn_cidr, n ? n : 1);
    n = tn_nft_outermost(list, n, outer);
    for (unsigned f = TN_AF_IPV4; f <= TN_AF_IPV6; f += 2) {
        char name[64], buf[TN_CIDR_TEXT];
        snprintf(name, sizeof name, "%s-%s-%u", link, whose, f);
        tn_nft_set_begin(r, "set", name,
                         f == TN_AF_IPV4 ? "ipv4_addr" : "ipv6_addr");
        tn_nft_set_flag_interval(r);
        for (size_t i = 0; i < n; i++) {
            if (outer[i].addr.family == f) {
                tn_nft_set_element(r, "%s", tn_nft_prefix(&outer[i], buf));
            }
        }
        tn_nft_set_end(r);
    }
}

static void
link_chain(struct tn_nft_render *r, const char *link, const char *source,
           const char *destination, const char *suffix)
{
    tn_nft_chain_begin(r, "%s-%s", link, suffix);
    tn_nft_rule(r, "ip saddr @%s-%s-4 ip daddr @%s-%s-4 accept", link, source,
                link, destination);
    tn_nft_rule(r, "ip6 saddr @%s-%s-6 ip6 daddr @%s-%s-6 accept", link, source,
                link, destination);
    tn_nft_rule(r, "ct state related meta l4proto { icmp, ipv6-icmp } accept");
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
links(struct tn_nft_render *r)
{
    const struct tn_net_vpc *vpc = r->in->vpc;
    for (unsigned out = 0; out < 2; out++) {
        tn_nft_set_begin(r, "map", out ? "links-out" : "links-in",
                         "ifname : verdict");
        for (size_t i = 0; i < vpc->n_peerings; i++) {
            const char *link = r->in->links[i];
            if (link) {
                tn_nft_set_element(r, "\"%s\" : goto %s-%s", link, link,
                                   out ? "out" : "in");
            }
        }
        tn_nft_set_end(r);
    }
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        const char *link = r->in->links[i];
        if (!link) {
            continue;
        }
        tn_text_addf(&r->text, "\n\t# peering with %s\n", p->peer->scope);
        link_prefixes(r, "ours", link, p->exports, p->n_exports);
        link_prefixes(r, "theirs", link, p->imports, p->n_imports);
        link_chain(r, link, "theirs", "ours", "in");
        link_chain(r, link, "ours", "theirs", "out");
    }
}

/* ND is untracked by conntrack; a routed packet never has hop limit 255. */
#define ND_PASSES                                                              \
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "                 \
    "ip6 hoplimit 255 accept"

static void
chain_egress(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "egress");
    tn_nft_rule(r, "type filter hook forward priority filter - 10; "
                   "policy drop;");
    if (r->n_links) {
        tn_nft_rule(r, "iifname vmap @links-in");
    }
    tn_nft_rule(r, "ct state vmap { invalid : drop, established : accept, "
                   "related : accept }");
    if (r->has6) {
        tn_nft_rule(r, ND_PASSES);
        tn_nft_rule(r, "icmpv6 type { nd-router-solicit, nd-router-advert, "
                       "nd-redirect } drop");
    }
    tn_nft_rule(r, "meta pkttype { broadcast, multicast } drop");
    tn_nft_rule(r, "ip daddr 224.0.0.0/3 drop");
    if (r->has6) {
        tn_nft_rule(r, "ip6 daddr ff00::/8 drop");
    }
    tn_nft_rule(r, "iifname . ether saddr vmap @senders");
    tn_nft_rule(r, "iifname @bridges accept");
    tn_nft_chain_end(r);
}

static void
chain_ingress(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "ingress");
    tn_nft_rule(r, "type filter hook forward priority filter; policy drop;");
    if (r->n_links) {
        tn_nft_rule(r, "oifname vmap @links-out");
    }
    tn_nft_rule(r, "ct state established,related accept");
    if (r->has6) {
        tn_nft_rule(r, ND_PASSES);
    }
    tn_nft_rule(r, "oifname . ether daddr vmap @receivers");
    tn_nft_rule(r, "oifname . ip daddr vmap @receivers-4");
    if (r->has6) {
        tn_nft_rule(r, "oifname . ip6 daddr vmap @receivers-6");
    }
    if (r->nets4) {
        tn_nft_rule(r, "oifname . ip daddr vmap @receivers-nets-4");
    }
    if (r->nets6) {
        tn_nft_rule(r, "oifname . ip6 daddr vmap @receivers-nets-6");
    }
    tn_nft_rule(r, "oifname @bridges accept");
    tn_nft_chain_end(r);
}

static void
chain_input(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "input");
    tn_nft_rule(r, "type filter hook input priority filter; policy drop;");
    tn_nft_rule(r, "ct state established,related accept");
    if (r->has6 || r->n_links) {
        tn_nft_rule(r, ND_PASSES);
    }
    tn_nft_rule(r, "iifname @bridges icmp type echo-request accept");
    if (r->has6) {
        tn_nft_rule(r, "iifname @bridges icmpv6 type echo-request accept");
    }
    tn_nft_chain_end(r);
}

static void
table_inet(struct tn_nft_render *r)
{
    const struct tn_net_vpc *vpc = r->in->vpc;
    tn_text_add(&r->text, "table inet tenet {\n");
    tn_nft_set_begin(r, "set", "bridges", "ifname");
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        tn_nft_set_element(r, "\"%s\"", r->in->subnets[i].bridge);
    }
    tn_nft_set_end(r);
    tn_nft_render_groups(r);
    tn_nft_render_maps(r);
    if (r->n_links) {
        links(r);
    }
    chain_egress(r);
    chain_ingress(r);
    chain_input(r);
    tn_text_add(&r->text, "}\n\n");
}

const struct tn_nft_ruleset *
tn_nft_render(struct tn_arena *arena, const struct tn_nft_input *input)
{
    struct tn_nft_render r = {.arena = arena, .in = input};
    collect(&r);
    tn_text_addf(&r.text, "# %s\n", input->vpc->scope);
    table_inet(&r);
    tn_nft_render_bridge(&r);
    const struct tn_nft_ruleset *set = tn_nft_view(arena, tn_text_str(&r.text));
    tn_text_done(&r.text);
    return set;
}
