/* nft_bridge.c - "table bridge tenet": who may speak as whom.
 *
 * Stateless, at prerouting, before br_netfilter shows the packet to conntrack.
 * A port may use its own MAC address and its own and allowed addresses, in
 * Ethernet, ARP, IPv4, IPv6 and ND alike; frames that are none of these, tagged
 * ones among them, are dropped, and so is every frame from an interface of the
 * bridge that is neither a port nor a tunnel of ours.
 *
 * The number of rules does not depend on the number of ports: what is allowed
 * is in sets of (interface . value).  An allowed prefix never covers a gateway.
 *
 * Gateways have one address and MAC on every host.  So what is said to them,
 * of them or by them in ARP and ND stays on its host: it crosses no tunnel.
 * But for addresses that are sought they ask the ports of all hosts.  The
 * answer cannot be sent to the host that asked, for it is to all gateways
 * alike: it is made a broadcast where the port sends it, and each gateway that
 * knows the address, or has asked, learns from it.
 *
 * Raw offsets: the target of a solicitation or advertisement is @th,64,128, its
 * first option @th,192,8 (type) and @th,208,48 (link-layer address).  A load
 * past the end of the packet ends the rule without a match. */
#include "drivers/kernel/nft_render.h"

#include <stdio.h>
#include <stdlib.h>

#include "drivers/kernel/nft_prefix.h"

#define TYPE_TARGET "iifname . @th,64,128"

const struct tn_addr tn_nft_gateway_local = {TN_AF_IPV6,
                                             {0xfe, 0x80, [15] = 1}};

/* Values of sets made with 'typeof @th,...' are written as numbers. */
static const char *
number(struct tn_arena *arena, const uint8_t *b, size_t n)
{
    char *s = tn_arena_alloc(arena, 2 * n + 3), *p = s;
    size_t i = 0;
    while (i + 1 < n && !b[i]) {
        i++;
    }
    p += sprintf(p, "0x%x", b[i++]);
    for (; i < n; i++) {
        p += sprintf(p, "%02x", b[i]);
    }
    return s;
}

static struct tn_addr
link_local(const struct tn_mac *mac)
{
    const uint8_t *m = mac->b;
    return (struct tn_addr){
        TN_AF_IPV6,
        {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3],
         m[4], m[5]},
    };
}

static int
by_address(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

/* Of all subnets, each once; for IPv6 also the link-local ones. */
static void
gateways(struct tn_nft_render *r, unsigned family, bool as_number)
{
    const struct tn_net_vpc *vpc = r->in->vpc;
    TN_VEC(struct tn_addr) list = {0};
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        const struct tn_addr of[] = {s->gateway, s->gateway6,
                                     link_local(&s->gateway_mac),
                                     tn_nft_gateway_local};
        bool has6 =
            s->gateway.family == TN_AF_IPV6 || s->gateway6.family == TN_AF_IPV6;
        for (size_t k = 0; k < (has6 ? TN_ARRAY_SIZE(of) : 2); k++) {
            if (of[k].family == family) {
                *tn_vec_push(r->arena, &list) = of[k];
            }
        }
    }
    if (list.n) {
        qsort(list.items, list.n, sizeof *list.items, by_address);
    }
    for (size_t i = 0; i < list.n; i++) {
        char buf[TN_ADDR_TEXT];
        const struct tn_addr *a = &list.items[i];
        if (i == 0 || tn_addr_cmp(a, a - 1) != 0) {
            tn_nft_set_element(r, "%s",
                               as_number ? number(r->arena, a->b, 16)
                                         : tn_addr_format(a, buf));
        }
    }
    tn_nft_set_end(r);
}

static void
sets_of_gateways(struct tn_nft_render *r)
{
    tn_nft_set_begin(r, "set", "gateways-4", "ipv4_addr");
    gateways(r, TN_AF_IPV4, false);
    if (r->has6) {
        tn_nft_set_begin(r, "set", "gateways-6", "ipv6_addr");
        gateways(r, TN_AF_IPV6, false);
        tn_nft_set_begin(r, "set", "gateway-targets", "@th,64,128");
        gateways(r, TN_AF_IPV6, true);
    }
}

static void
set_of_macs(struct tn_nft_render *r)
{
    char mac[TN_MAC_TEXT];
    tn_nft_set_begin(r, "set", "macs", "ifname . ether_addr");
    for (size_t i = 0; i < r->n_ports; i++) {
        tn_nft_set_element(r, "\"%s\" . %s", r->ports[i].interface,
                           tn_mac_format(&r->ports[i].port->mac, mac));
    }
    tn_nft_set_end(r);
    if (!r->has6) {
        return;
    }
    tn_nft_set_begin(r, "set", "option-macs", "iifname . @th,208,48");
    for (size_t i = 0; i < r->n_ports; i++) {
        if (r->ports[i].has6) {
            tn_nft_set_element(r, "\"%s\" . %s", r->ports[i].interface,
                               number(r->arena, r->ports[i].port->mac.b, 6));
        }
    }
    tn_nft_set_end(r);
}

static void
sources_4(struct tn_nft_render *r)
{
    tn_nft_set_begin(r, "set", "sources-4", "ifname . ipv4_addr");
    for (size_t i = 0; i < r->n_ports; i++) {
        char buf[TN_ADDR_TEXT];
        const struct tn_net_port *p = r->ports[i].port;
        if (p->address.family == TN_AF_IPV4) {
            tn_nft_set_element(r, "\"%s\" . %s", r->ports[i].interface,
                               tn_addr_format(&p->address, buf));
        }
    }
    tn_nft_set_end(r);
}

enum form { AS_ADDRESS, AS_TARGET };

static void
element_6(struct tn_nft_render *r, enum form form, const char *interface,
          const struct tn_addr *a)
{
    char buf[TN_ADDR_TEXT];
    tn_nft_set_element(r, "\"%s\" . %s", interface,
                       form == AS_TARGET ? number(r->arena, a->b, 16)
                                         : tn_addr_format(a, buf));
}

static void
sources_6(struct tn_nft_render *r, enum form form)
{
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_nft_port *p = &r->ports[i];
        const struct tn_addr *of[2] = {&p->port->address, &p->port->address6};
        for (size_t k = 0; k < 2; k++) {
            if (of[k]->family == TN_AF_IPV6) {
                element_6(r, form, p->interface, of[k]);
            }
        }
    }
}

static void
links_6(struct tn_nft_render *r, enum form form)
{
    for (size_t i = 0; i < r->n_ports; i++) {
        if (r->ports[i].has6) {
            struct tn_addr a = link_local(&r->ports[i].port->mac);
            element_6(r, form, r->ports[i].interface, &a);
        }
    }
}

static void
sets_6(struct tn_nft_render *r)
{
    tn_nft_set_begin(r, "set", "sources-6", "ifname . ipv6_addr");
    sources_6(r, AS_ADDRESS);
    tn_nft_set_end(r);
    tn_nft_set_begin(r, "set", "links-6", "ifname . ipv6_addr");
    links_6(r, AS_ADDRESS);
    tn_nft_set_end(r);
    tn_nft_set_begin(r, "set", "targets", TYPE_TARGET);
    sources_6(r, AS_TARGET);
    links_6(r, AS_TARGET);
    tn_nft_set_end(r);
}

static void
element_net(struct tn_nft_render *r, enum form form, const char *interface,
            const struct tn_cidr *c)
{
    if (form == AS_TARGET && c->len < 128) {
        struct tn_addr last = tn_cidr_last(c);
        tn_nft_set_element(r, "\"%s\" . %s-%s", interface,
                           number(r->arena, c->addr.b, 16),
                           number(r->arena, last.b, 16));
    } else if (form == AS_TARGET) {
        element_6(r, form, interface, &c->addr);
    } else {
        char buf[TN_CIDR_TEXT];
        tn_nft_set_element(r, "\"%s\" . %s", interface, tn_nft_prefix(c, buf));
    }
}

static void
set_of_nets(struct tn_nft_render *r, const char *name, unsigned family,
            enum form form)
{
    tn_nft_set_begin(r, "set", name,
                     form == AS_TARGET      ? TYPE_TARGET
                     : family == TN_AF_IPV4 ? "ifname . ipv4_addr"
                                            : "ifname . ipv6_addr");
    tn_nft_set_flag_interval(r);
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_net_port *p = r->ports[i].port;
        struct tn_cidr *list =
            tn_new_n(r->arena, struct tn_cidr, p->n_allowed ? p->n_allowed : 1);
        size_t n = tn_nft_outermost(p->allowed, p->n_allowed, list);
        for (size_t k = 0; k < n; k++) {
            if (list[k].addr.family == family && !tn_nft_own(p, &list[k])) {
                element_net(r, form, r->ports[i].interface, &list[k]);
            }
        }
    }
    tn_nft_set_end(r);
}

static void
element_target(struct tn_nft_render *r, const struct tn_cidr *c)
{
    struct tn_addr last = tn_cidr_last(c);
    if (c->len == 128) {
        tn_nft_set_element(r, "%s", number(r->arena, c->addr.b, 16));
    } else {
        tn_nft_set_element(r, "%s-%s", number(r->arena, c->addr.b, 16),
                           number(r->arena, last.b, 16));
    }
}

static void
set_of_sought(struct tn_nft_render *r, const char *name, unsigned family)
{
    tn_nft_set_begin(r, "set", name,
                     family == TN_AF_IPV4 ? "ipv4_addr" : "@th,64,128");
    tn_nft_set_flag_interval(r);
    for (size_t i = 0; i < r->in->vpc->n_subnets; i++) {
        const struct tn_nft_subnet *s = &r->in->subnets[i];
        for (size_t k = 0; k < s->n_sought; k++) {
            char buf[TN_CIDR_TEXT];
            if (s->sought[k].addr.family != family) {
                continue;
            }
            if (family == TN_AF_IPV4) {
                tn_nft_set_element(r, "%s", tn_nft_prefix(&s->sought[k], buf));
            } else {
                element_target(r, &s->sought[k]);
            }
        }
    }
    tn_nft_set_end(r);
}

static void
chain_prerouting(struct tn_nft_render *r)
{
    tn_nft_set_begin(r, "map", "speakers", "ifname : verdict");
    for (size_t i = 0; i < r->n_ports; i++) {
        tn_nft_set_element(r, "\"%s\" : goto port", r->ports[i].interface);
    }
    for (size_t i = 0; i < r->in->vpc->n_subnets; i++) {
        if (r->in->subnets[i].tunnel) {
            tn_nft_set_element(r, "\"%s\" : goto tunnel",
                               r->in->subnets[i].tunnel);
        }
    }
    tn_nft_set_end(r);
    tn_nft_chain_begin(r, "prerouting");
    tn_nft_rule(r, "type filter hook prerouting priority filter; policy drop;");
    tn_nft_rule(r, "iifname vmap @speakers");
    tn_nft_chain_end(r);
}

static void
chain_port(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "port");
    tn_nft_rule(r, "iifname . ether saddr != @macs drop");
    tn_nft_rule(r,
                "ether type vmap { ip : goto port-4, arp : goto port-arp%s "
                "}",
                r->has6 ? ", ip6 : goto port-6" : "");
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
chain_arp(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "port-arp");
    tn_nft_rule(r, "iifname . arp saddr ether != @macs drop");
    tn_nft_rule(r, "iifname . arp saddr ip @sources-4 accept");
    tn_nft_rule(r, "arp operation request arp saddr ip 0.0.0.0 accept");
    if (r->nets4) {
        tn_nft_rule(r, "arp saddr ip @gateways-4 drop");
        if (r->sought4) {
            tn_nft_rule(r, "arp operation reply arp daddr ip @gateways-4 "
                           "arp saddr ip @sought-4 "
                           "iifname . arp saddr ip @nets-4 "
                           "ether daddr set ff:ff:ff:ff:ff:ff accept");
        }
        tn_nft_rule(r, "iifname . arp saddr ip @nets-4 accept");
    }
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
chain_4(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "port-4");
    tn_nft_rule(r, "udp sport 67 drop");
    tn_nft_rule(r, "iifname . ip saddr @sources-4 accept");
    if (r->nets4) {
        tn_nft_rule(r, "ip saddr @gateways-4 drop");
        tn_nft_rule(r, "iifname . ip saddr @nets-4 accept");
    }
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
chains_6(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "source-6");
    tn_nft_rule(r, "iifname . ip6 saddr @sources-6 return");
    if (r->nets6) {
        tn_nft_rule(r, "ip6 saddr @gateways-6 drop");
        tn_nft_rule(r, "iifname . ip6 saddr @nets-6 return");
    }
    tn_nft_rule(r, "meta l4proto ipv6-icmp iifname . ip6 saddr @links-6 "
                   "return");
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);

    tn_nft_chain_begin(r, "target");
    tn_nft_rule(r, TYPE_TARGET " @targets accept");
    if (r->nets6) {
        tn_nft_rule(r, "@th,64,128 @gateway-targets drop");
        tn_nft_rule(r, TYPE_TARGET " @target-nets accept");
    }
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);

    tn_nft_chain_begin(r, "solicit");
    tn_nft_rule(r, "ip6 saddr :: goto target");
    tn_nft_rule(r, "jump source-6");
    tn_nft_rule(r, "@th,192,8 != 0x1 drop");
    tn_nft_rule(r, "iifname . @th,208,48 != @option-macs drop");
    tn_nft_rule(r, "accept");
    tn_nft_chain_end(r);

    tn_nft_chain_begin(r, "advertise");
    tn_nft_rule(r, "jump source-6");
    tn_nft_rule(r, "@th,192,8 != 0x2 drop");
    tn_nft_rule(r, "iifname . @th,208,48 != @option-macs drop");
    if (r->nets6 && r->sought6) {
        tn_nft_rule(
            r,
            "ip6 daddr @gateways-6 "
            "@th,64,128 != @gateway-targets @th,64,128 @sought-6 " TYPE_TARGET
            " @target-nets "
            "ether daddr set 33:33:00:00:00:01 accept");
    }
    tn_nft_rule(r, "goto target");
    tn_nft_chain_end(r);

    tn_nft_chain_begin(r, "port-6");
    tn_nft_rule(r, "icmpv6 type vmap { nd-router-advert : drop, "
                   "nd-neighbor-solicit : goto solicit, "
                   "nd-neighbor-advert : goto advertise, "
                   "nd-redirect : drop }");
    tn_nft_rule(r, "udp sport 547 drop");
    tn_nft_rule(r, "icmpv6 type { mld-listener-report, mld-listener-done, "
                   "mld2-listener-report } ip6 saddr :: accept");
    tn_nft_rule(r, "jump source-6");
    tn_nft_rule(r, "accept");
    tn_nft_chain_end(r);
}

/* Both ways: what speaks of a gateway stays on its host. */
static void
gateway_rules_4(struct tn_nft_render *r, const char *match)
{
    tn_nft_rule(r, "%sarp daddr ip @gateways-4 drop", match);
    tn_nft_rule(r, "%sarp saddr ip @gateways-4 drop", match);
}

static void
gateway_rules_6(struct tn_nft_render *r, const char *match)
{
    if (r->has6) {
        tn_nft_rule(r,
                    "%sicmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } "
                    "@th,64,128 @gateway-targets drop",
                    match);
    }
}

/* The gateway of another host asks for what is sought, and is answered: by a
 * broadcast, which is as good as if it were to this one alone. */
static void
chain_tunnel_arp(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "tunnel-arp");
    tn_nft_rule(r, "arp operation request arp daddr ip @gateways-4 drop");
    tn_nft_rule(r, "arp operation request arp daddr ip @sought-4 accept");
    tn_nft_rule(r, "arp saddr ip @gateways-4 drop");
    tn_nft_rule(r, "arp daddr ip != @gateways-4 accept");
    tn_nft_rule(r, "arp operation reply arp saddr ip @sought-4 "
                   "meta pkttype set host accept");
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
chain_tunnel(struct tn_nft_render *r)
{
    tn_nft_chain_begin(r, "tunnel");
    if (r->sought4) {
        tn_nft_rule(r, "ether type arp goto tunnel-arp");
    } else {
        gateway_rules_4(r, "");
    }
    gateway_rules_6(r, "");
    if (r->sought6) {
        tn_nft_rule(r, "icmpv6 type nd-neighbor-advert ip6 daddr @gateways-6 "
                       "@th,64,128 @sought-6 meta pkttype set host accept");
    }
    if (r->has6) {
        tn_nft_rule(r, "icmpv6 type { nd-router-advert, nd-redirect } drop");
    }
    tn_nft_rule(r, "ether type { ip, arp%s } accept", r->has6 ? ", ip6" : "");
    tn_nft_rule(r, "drop");
    tn_nft_chain_end(r);
}

static void
chains_tunnel(struct tn_nft_render *r)
{
    if (r->sought4) {
        chain_tunnel_arp(r);
    }
    chain_tunnel(r);

    tn_nft_set_begin(r, "set", "tunnels", "ifname");
    for (size_t i = 0; i < r->in->vpc->n_subnets; i++) {
        if (r->in->subnets[i].tunnel) {
            tn_nft_set_element(r, "\"%s\"", r->in->subnets[i].tunnel);
        }
    }
    tn_nft_set_end(r);

    tn_nft_chain_begin(r, "forward");
    tn_nft_rule(r, "type filter hook forward priority filter; policy accept;");
    if (r->sought4) {
        tn_nft_rule(r, "oifname @tunnels arp operation reply "
                       "arp saddr ip @sought-4 arp daddr ip @gateways-4 "
                       "accept");
    }
    gateway_rules_4(r, "oifname @tunnels ");
    gateway_rules_6(r, "oifname @tunnels ");
    tn_nft_chain_end(r);

    tn_nft_chain_begin(r, "output");
    tn_nft_rule(r, "type filter hook output priority filter; policy accept;");
    if (r->sought4) {
        tn_nft_rule(r, "oifname @tunnels arp operation request "
                       "arp daddr ip @sought-4 accept");
    }
    if (r->sought6) {
        tn_nft_rule(r, "oifname @tunnels icmpv6 type nd-neighbor-solicit "
                       "@th,64,128 @sought-6 accept");
    }
    tn_nft_rule(r, "oifname @tunnels ether daddr & 01:00:00:00:00:00 == "
                   "01:00:00:00:00:00 drop");
    gateway_rules_4(r, "oifname @tunnels ");
    gateway_rules_6(r, "oifname @tunnels ");
    tn_nft_chain_end(r);
}

void
tn_nft_render_bridge(struct tn_nft_render *r)
{
    tn_text_add(&r->text, "table bridge tenet {\n");
    sets_of_gateways(r);
    set_of_macs(r);
    sources_4(r);
    if (r->has6) {
        sets_6(r);
    }
    if (r->nets4) {
        set_of_nets(r, "nets-4", TN_AF_IPV4, AS_ADDRESS);
    }
    if (r->nets6) {
        set_of_nets(r, "nets-6", TN_AF_IPV6, AS_ADDRESS);
        set_of_nets(r, "target-nets", TN_AF_IPV6, AS_TARGET);
    }
    if (r->sought4) {
        set_of_sought(r, "sought-4", TN_AF_IPV4);
    }
    if (r->sought6) {
        set_of_sought(r, "sought-6", TN_AF_IPV6);
    }
    if (r->has6) {
        chains_6(r);
    }
    chain_arp(r);
    chain_4(r);
    chain_port(r);
    if (r->n_tunnels) {
        chains_tunnel(r);
    } else {
        tn_nft_chain_begin(r, "tunnel");
        tn_nft_rule(r, "drop");
        tn_nft_chain_end(r);
    }
    chain_prerouting(r);
    tn_text_add(&r->text, "}\n");
}
