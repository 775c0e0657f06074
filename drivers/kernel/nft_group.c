/* nft_group.c - security groups: chains of groups and ports, and the maps that
 * lead from a packet to the chains of its port.
 *
 * A group has one chain per direction, shared by all its ports.  A port's chain
 * jumps through its groups and drops what none accepted; a port without rules
 * needs no chain.  Only what concerns a port of this host is rendered, and the
 * members of a group only if one of those rules names it.
 *
 * One rule of the intent becomes one line, or two when it is bound to both
 * families by a remote group, and as many more as it has ranges of ports. */
#include "drivers/kernel/nft_render.h"

#include <stdlib.h>

#include "drivers/kernel/nft_prefix.h"
#include "model/base/map.h"

/* The ports of a rule; ranges that touch are merged, as the kernel would refuse
 * or merge them itself. */
static size_t
merged(struct tn_arena *arena, const struct tn_net_rule *rule,
       struct tn_vrange **out)
{
    size_t room = rule->n_ports ? rule->n_ports : 1;
    struct tn_vrange *v = tn_new_n(arena, struct tn_vrange, room);
    size_t n = 0;
    for (size_t i = 0; i < rule->n_ports; i++) {
        struct tn_vrange range = rule->ports[i];
        size_t k = n++;
        while (k && v[k - 1].first > range.first) {
            v[k] = v[k - 1];
            k--;
        }
        v[k] = range;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && v[i].first <= v[kept - 1].last + 1u) {
            if (v[i].last > v[kept - 1].last) {
                v[kept - 1].last = v[i].last;
            }
        } else {
            v[kept++] = v[i];
        }
    }
    *out = v;
    return kept;
}

/* "tcp dport { 22, 80 } " or "tcp dport 8000-8100 ". */
static const char *
dports(struct tn_arena *arena, const char *proto,
       const struct tn_net_rule *rule)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_addf(&t, "%s dport %s", proto, rule->n_ports > 1 ? "{ " : "");
    for (size_t i = 0; i < rule->n_ports; i++) {
        const struct tn_vrange *range = &rule->ports[i];
        tn_text_addf(&t, "%s%u", i ? ", " : "", range->first);
        if (range->last != range->first) {
            tn_text_addf(&t, "-%u", range->last);
        }
    }
    tn_text_add(&t, rule->n_ports > 1 ? " } " : " ");
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static const char *
protocol(struct tn_arena *arena, const struct tn_net_rule *rule,
         unsigned family)
{
    const char *name = NULL;
    switch (rule->protocol) {
    case TN_PROTO_ANY:
        return "";
    case TN_PROTO_ICMP:
        return family == TN_AF_IPV4   ? "meta l4proto icmp "
               : family == TN_AF_IPV6 ? "meta l4proto ipv6-icmp "
                                      : "meta l4proto { icmp, ipv6-icmp } ";
    case TN_PROTO_TCP:
        name = "tcp";
        break;
    case TN_PROTO_UDP:
        name = "udp";
        break;
    case TN_PROTO_SCTP:
        name = "sctp";
        break;
    }
    return rule->n_ports ? dports(arena, name, rule)
                         : tn_arena_printf(arena, "meta l4proto %s ", name);
}

/* The remote end: sources of what comes in, destinations of what goes out. */
static const char *
end_of(const struct tn_net_rule *rule)
{
    return rule->direction == TN_INGRESS ? "saddr" : "daddr";
}

static bool
has_members(const struct tn_net_group *group, unsigned family)
{
    for (size_t i = 0; i < group->n_members; i++) {
        if (group->members[i].family == family) {
            return true;
        }
    }
    return false;
}

static void
rule_of_cidr(struct tn_nft_render *r, const struct tn_net_rule *rule)
{
    unsigned family = rule->remote.addr.family;
    const char *ip = family == TN_AF_IPV4 ? "ip" : "ip6";
    const char *proto = protocol(r->arena, rule, family);
    char buf[TN_CIDR_TEXT];
    if (rule->remote.len) {
        tn_nft_rule(r, "%s %s %s %saccept", ip, end_of(rule),
                    tn_nft_prefix(&rule->remote, buf), proto);
    } else if (rule->protocol == TN_PROTO_ICMP) {
        tn_nft_rule(r, "%saccept", proto);
    } else {
        tn_nft_rule(r, "meta nfproto %s %saccept",
                    family == TN_AF_IPV4 ? "ipv4" : "ipv6", proto);
    }
}

static void
rule_of_ports(struct tn_nft_render *r, const struct tn_net_rule *rule)
{
    if (rule->remote.addr.family != TN_AF_NONE) {
        rule_of_cidr(r, rule);
    } else if (!rule->remote_group) {
        tn_nft_rule(r, "%saccept", protocol(r->arena, rule, TN_AF_NONE));
    } else {
        for (unsigned f = TN_AF_IPV4; f <= TN_AF_IPV6; f += 2) {
            if (has_members(rule->remote_group, f)) {
                tn_nft_rule(r, "%s %s @members-%s-%u %saccept",
                            f == TN_AF_IPV4 ? "ip" : "ip6", end_of(rule),
                            rule->remote_group->name, f,
                            protocol(r->arena, rule, f));
            }
        }
    }
}

/* A set of ranges of its own would be empty for a moment whenever the rules are
 * loaded anew: single ports become one rule, and each range another. */
static void
rule_of_intent(struct tn_nft_render *r, const struct tn_net_rule *rule)
{
    struct tn_vrange *v;
    size_t n = merged(r->arena, rule, &v), singles = 0;
    struct tn_net_rule part = *rule;
    struct tn_vrange *single = tn_new_n(r->arena, struct tn_vrange, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        if (v[i].first == v[i].last) {
            single[singles++] = v[i];
        }
    }
    part.ports = single;
    part.n_ports = singles;
    if (singles || n == 0) {
        rule_of_ports(r, &part);
    }
    for (size_t i = 0; i < n; i++) {
        if (v[i].first != v[i].last) {
            part.ports = &v[i];
            part.n_ports = 1;
            rule_of_ports(r, &part);
        }
    }
}

static void
group_chain(struct tn_nft_render *r, const struct tn_net_group *group,
            enum tn_direction direction)
{
    tn_nft_chain_begin(r, "group-%s-%s", group->name,
                       direction == TN_INGRESS ? "in" : "out");
    for (size_t i = 0; i < group->n_rules; i++) {
        if (group->rules[i].direction == direction) {
            rule_of_intent(r, &group->rules[i]);
        }
    }
    tn_nft_chain_end(r);
}

static void
members(struct tn_nft_render *r, const struct tn_net_group *group)
{
    for (unsigned f = TN_AF_IPV4; f <= TN_AF_IPV6; f += 2) {
        if (!has_members(group, f)) {
            continue;
        }
        const char *name =
            tn_arena_printf(r->arena, "members-%s-%u", group->name, f);
        char buf[TN_ADDR_TEXT];
        tn_nft_set_begin(r, "set", name,
                         f == TN_AF_IPV4 ? "ipv4_addr" : "ipv6_addr");
        for (size_t i = 0; i < group->n_members; i++) {
            if (group->members[i].family == f) {
                tn_nft_set_element(r, "%s",
                                   tn_addr_format(&group->members[i], buf));
            }
        }
        tn_nft_set_end(r);
    }
}

struct used {
    TN_VEC(const struct tn_net_group *) groups;
    struct tn_map names;
};

static void
use(struct tn_nft_render *r, struct used *used,
    const struct tn_net_group *group)
{
    if (!tn_map_put(&used->names, group->name, used)) {
        *tn_vec_push(r->arena, &used->groups) = group;
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct tn_net_group *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void
sort(struct used *used)
{
    if (used->groups.n) {
        qsort(used->groups.items, used->groups.n, sizeof *used->groups.items,
              by_name);
    }
}

void
tn_nft_render_groups(struct tn_nft_render *r)
{
    struct used local = {0}, remote = {0};
    tn_map_init(&local.names, r->arena, r->in->vpc->n_groups);
    tn_map_init(&remote.names, r->arena, r->in->vpc->n_groups);
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_net_port *port = r->ports[i].port;
        for (size_t k = 0; k < port->n_groups; k++) {
            use(r, &local, port->groups[k]);
        }
    }
    sort(&local);
    for (size_t i = 0; i < local.groups.n; i++) {
        const struct tn_net_group *group = local.groups.items[i];
        for (size_t k = 0; k < group->n_rules; k++) {
            if (group->rules[k].remote_group) {
                use(r, &remote, group->rules[k].remote_group);
            }
        }
    }
    sort(&remote);
    for (size_t i = 0; i < remote.groups.n; i++) {
        members(r, remote.groups.items[i]);
    }
    for (size_t i = 0; i < local.groups.n; i++) {
        group_chain(r, local.groups.items[i], TN_INGRESS);
        if (local.groups.items[i]->has_egress) {
            group_chain(r, local.groups.items[i], TN_EGRESS);
        }
    }
}

static bool
restricted(const struct tn_net_port *port)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        if (port->groups[i]->has_egress) {
            return true;
        }
    }
    return false;
}

static void
port_chains(struct tn_nft_render *r, const struct tn_net_port *port)
{
    if (port->n_groups) {
        tn_nft_chain_begin(r, "port-%s-in", port->name);
        for (size_t i = 0; i < port->n_groups; i++) {
            tn_nft_rule(r, "jump group-%s-in", port->groups[i]->name);
        }
        tn_nft_rule(r, "drop");
        tn_nft_chain_end(r);
    }
    if (restricted(port)) {
        tn_nft_chain_begin(r, "port-%s-out", port->name);
        for (size_t i = 0; i < port->n_groups; i++) {
            if (port->groups[i]->has_egress) {
                tn_nft_rule(r, "jump group-%s-out", port->groups[i]->name);
            }
        }
        tn_nft_rule(r, "drop");
        tn_nft_chain_end(r);
    }
}

/* "goto port-web-in", or "drop" where no group could accept. */
static const char *
verdict_in(struct tn_arena *arena, const struct tn_net_port *port)
{
    return port->n_groups
               ? tn_arena_printf(arena, "goto port-%s-in", port->name)
               : "drop";
}

static void
map_by_mac(struct tn_nft_render *r)
{
    char mac[TN_MAC_TEXT];
    tn_nft_set_begin(r, "map", "senders", "ifname . ether_addr : verdict");
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_nft_port *p = &r->ports[i];
        if (restricted(p->port)) {
            tn_nft_set_element(r, "\"%s\" . %s : goto port-%s-out", p->bridge,
                               tn_mac_format(&p->port->mac, mac),
                               p->port->name);
        }
    }
    tn_nft_set_end(r);
    tn_nft_set_begin(r, "map", "receivers", "ifname . ether_addr : verdict");
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_nft_port *p = &r->ports[i];
        tn_nft_set_element(r, "\"%s\" . %s : %s", p->bridge,
                           tn_mac_format(&p->port->mac, mac),
                           verdict_in(r->arena, p->port));
    }
    tn_nft_set_end(r);
}

static const struct tn_nft_claimed *
claimed_in(const struct tn_nft_render *r, size_t subnet, unsigned family)
{
    return family == TN_AF_IPV4 ? &r->claimed4[subnet] : &r->claimed6[subnet];
}

static void
map_by_address(struct tn_nft_render *r, unsigned family)
{
    tn_nft_set_begin(r, "map",
                     family == TN_AF_IPV4 ? "receivers-4" : "receivers-6",
                     family == TN_AF_IPV4 ? "ifname . ipv4_addr : verdict"
                                          : "ifname . ipv6_addr : verdict");
    for (size_t i = 0; i < r->n_ports; i++) {
        const struct tn_nft_port *p = &r->ports[i];
        const struct tn_addr *of[2] = {&p->port->address, &p->port->address6};
        for (size_t k = 0; k < 2; k++) {
            char buf[TN_ADDR_TEXT];
            if (of[k]->family == family) {
                tn_nft_set_element(r, "\"%s\" . %s : %s", p->bridge,
                                   tn_addr_format(of[k], buf),
                                   verdict_in(r->arena, p->port));
            }
        }
    }
    for (size_t s = 0; s < r->in->vpc->n_subnets; s++) {
        const struct tn_nft_elsewhere *e = &claimed_in(r, s, family)->elsewhere;
        for (size_t i = 0; i < e->n; i++) {
            char buf[TN_ADDR_TEXT];
            tn_nft_set_element(r, "\"%s\" . %s : accept",
                               r->in->subnets[s].bridge,
                               tn_addr_format(&e->items[i], buf));
        }
    }
    tn_nft_set_end(r);
}

/* Where a prefix leads that several ports may hold: through the groups of all
 * of them.  The chain is made when it is first needed. */
static const char *
verdict_shared(struct tn_nft_render *r, struct tn_text *chains,
               struct tn_map *known, const struct tn_nft_part *part)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text body = {0};
    struct tn_map seen;
    tn_map_init(&seen, r->arena, 0);
    for (size_t i = 0; i < part->n_claims; i++) {
        const struct tn_net_port *port = part->claims[i].owner;
        for (size_t k = 0; port && k < port->n_groups; k++) {
            const char *name = port->groups[k]->name;
            if (!tn_map_put(&seen, name, r)) {
                tn_text_addf(&body, "\t\tjump group-%s-in\n", name);
            }
        }
    }
    if (seen.n == 0) {
        return "drop";
    }
    const char *s = tn_arena_strdup(r->arena, tn_text_str(&body));
    const char *verdict = tn_map_get(known, s);
    if (!verdict) {
        char *name = tn_arena_printf(r->arena, "shared-%016llx-in",
                                     (unsigned long long) tn_hash64(s, body.n));
        tn_text_addf(chains, "\n\tchain %s {\n%s\t\tdrop\n\t}\n", name, s);
        char *made = tn_arena_printf(r->arena, "goto %s", name);
        tn_map_put(known, s, made);
        verdict = made;
    }
    return verdict;
}

/* The elements are rendered after the chains that they name. */
static void
map_of_nets(struct tn_nft_render *r, unsigned family, struct tn_map *known)
{
    struct tn_nft_render map = {.arena = r->arena, .in = r->in};
    tn_nft_set_begin(&map, "map",
                     family == TN_AF_IPV4 ? "receivers-nets-4"
                                          : "receivers-nets-6",
                     family == TN_AF_IPV4 ? "ifname . ipv4_addr : verdict"
                                          : "ifname . ipv6_addr : verdict");
    tn_nft_set_flag_interval(&map);
    for (size_t s = 0; s < r->in->vpc->n_subnets; s++) {
        const char *bridge = r->in->subnets[s].bridge;
        const struct tn_nft_parts *parts = &claimed_in(r, s, family)->parts;
        for (size_t i = 0; i < parts->n; i++) {
            const struct tn_nft_part *p = &parts->items[i];
            char buf[TN_CIDR_TEXT];
            const char *verdict = p->n_claims == 1
                                      ? verdict_in(r->arena, p->claims[0].owner)
                                      : verdict_shared(r, &r->text, known, p);
            tn_nft_set_element(&map, "\"%s\" . %s : %s", bridge,
                               tn_nft_prefix(&p->prefix, buf), verdict);
        }
    }
    tn_nft_set_end(&map);
    tn_text_addc(&r->text, '\n');
    tn_text_add(&r->text, tn_text_str(&map.text));
    tn_text_done(&map.text);
}

void
tn_nft_render_maps(struct tn_nft_render *r)
{
    for (size_t i = 0; i < r->n_ports; i++) {
        port_chains(r, r->ports[i].port);
    }
    map_by_mac(r);
    map_by_address(r, TN_AF_IPV4);
    if (r->has6) {
        map_by_address(r, TN_AF_IPV6);
    }
    struct tn_map known;
    tn_map_init(&known, r->arena, 0);
    if (r->nets4) {
        map_of_nets(r, TN_AF_IPV4, &known);
    }
    if (r->nets6) {
        map_of_nets(r, TN_AF_IPV6, &known);
    }
}
