/* render_group.c - security groups as port groups and ACLs.
 *
 * All ports of a VPC are in the guard "all", which lets nothing in; those with
 * rules for what leaves are in the guard "out" as well, which lets nothing out.
 * Above these, the ACLs of each security group let through what its rules say.
 * Which ports a group has stands at the ports, so that a port that comes or
 * goes changes no ACL.  A remote group is the set of addresses that OVN keeps
 * for each port group by itself ("$NAME_ip4", "$NAME_ip6").
 *
 * Passing OVN's own flows: neighbour discovery, and answers of established
 * connections. */
#include <string.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/render.h"
#include "model/base/cleanup.h"
#include "model/base/digest.h"

enum { OPEN = 900, CLOSED = 1000, EXCEPT = 1001, ALLOWED = 1002, NEVER = 2000 };

static const char all[] = "all", out[] = "out";

static const char *
group_key(const struct tn_ovn_render *r, const char *group)
{
    return tn_arena_printf(r->arena, "%s/group/%s", r->vpc->scope, group);
}

static const char *
set_name(const struct tn_ovn_render *r, const char *key)
{
    return tn_ovs_set_id(r->arena, r->device->instance, key);
}

static bool
is_judged(const struct tn_net_port *port)
{
    bool judged = false;
    for (size_t i = 0; !judged && i < port->n_groups; i++) {
        judged = port->groups[i]->has_egress;
    }
    return judged;
}

void
tn_ovn_port_groups(const struct tn_ovn_render *r, struct tn_ovs_draft *d,
                   const struct tn_net_port *port)
{
    tn_ovs_draft_add(d, "groups", r->closed);
    if (is_judged(port)) {
        tn_ovs_draft_add(d, "groups", r->judged);
    }
    for (size_t i = 0; i < port->n_groups; i++) {
        tn_ovs_draft_add(d, "groups", group_key(r, port->groups[i]->name));
    }
}

struct acl {
    const struct tn_ovs_kind *kind;
    const char *group; /* Key of it. */
    const char *name;
    int priority;
    bool leaves;
    const char *action;
    struct tn_origin origin;
};

static void
add_acl(struct tn_ovn_render *r, const struct acl *a, const char *match)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, a->kind, r->vpc->scope, a->name);
    tn_ovs_draft_add(&d, "priority",
                     tn_arena_printf(r->arena, "%d", a->priority));
    tn_ovs_draft_add(&d, "direction", a->leaves ? "from-lport" : "to-lport");
    tn_ovs_draft_add(&d, "match",
                     tn_arena_printf(r->arena, "%s == @%s && %s",
                                     a->leaves ? "inport" : "outport",
                                     set_name(r, a->group), match));
    tn_ovs_draft_add(&d, "action", a->action);
    tn_ovs_draft_add(&d, "group", a->group);
    tn_ovn_add(r, &d, a->group, a->origin);
}

static const char *
add_group(struct tn_ovn_render *r, const struct tn_ovs_kind *kind,
          const char *name, struct tn_origin origin)
{
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, r->arena, kind, r->vpc->scope, name);
    tn_ovs_draft_add(&d, "name", set_name(r, d.r.key));
    return tn_ovn_add(r, &d, NULL, origin);
}

/* ---- what a rule matches ---- */

static void
match_ports(struct tn_text *t, const struct tn_net_rule *rule, const char *name)
{
    tn_text_addf(t, " && %s", name);
    for (size_t i = 0; i < rule->n_ports; i++) {
        const struct tn_vrange *v = &rule->ports[i];
        tn_text_add(t, i ? " || " : " && (");
        if (v->first == v->last) {
            tn_text_addf(t, "%s.dst == %u", name, v->first);
        } else {
            tn_text_addf(t, "%u <= %s.dst <= %u", v->first, name, v->last);
        }
    }
    tn_text_add(t, rule->n_ports ? ")" : "");
}

static void
match_protocol(struct tn_text *t, const struct tn_net_rule *rule,
               unsigned family)
{
    switch (rule->protocol) {
    case TN_PROTO_ANY:
        return;
    case TN_PROTO_ICMP:
        tn_text_add(t, family == TN_AF_IPV4   ? " && icmp4"
                       : family == TN_AF_IPV6 ? " && icmp6"
                                              : " && (icmp4 || icmp6)");
        return;
    case TN_PROTO_TCP:
        match_ports(t, rule, "tcp");
        return;
    case TN_PROTO_UDP:
        match_ports(t, rule, "udp");
        return;
    case TN_PROTO_SCTP:
        match_ports(t, rule, "sctp");
        return;
    }
}

/* 'family' TN_AF_NONE: both at once. */
static const char *
match(const struct tn_ovn_render *r, const struct tn_net_rule *rule,
      unsigned family)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    const char *ip = family == TN_AF_IPV4   ? "ip4"
                     : family == TN_AF_IPV6 ? "ip6"
                                            : "ip";
    const char *end = rule->direction == TN_INGRESS ? "src" : "dst";
    char text[TN_CIDR_TEXT];
    if (rule->remote_group) {
        tn_text_addf(&t, "%s.%s == $%s_%s", ip, end,
                     set_name(r, group_key(r, rule->remote_group->name)), ip);
    } else if (rule->remote.addr.family != TN_AF_NONE && rule->remote.len) {
        tn_text_addf(&t, "%s.%s == %s", ip, end,
                     tn_cidr_format(&rule->remote, text));
    } else {
        tn_text_add(&t, ip);
    }
    match_protocol(&t, rule, family);
    return tn_arena_strndup(r->arena, tn_text_str(&t), t.n);
}

/* ---- groups ---- */

/* Rules that say the same are one. */
static void
render_rule(struct tn_ovn_render *r, const struct tn_net_group *group,
            const struct tn_net_rule *rule, unsigned family)
{
    char hex[TN_DIGEST_HEX];
    const char *text = match(r, rule, family);
    const char *key = group_key(r, group->name);
    const struct tn_digest digest = tn_digest_of(text, strlen(text));
    const struct acl a = {
        .kind = &tn_ovn_acl,
        .group = key,
        .name = tn_arena_printf(r->arena, "%s/%s/%.12s", group->name,
                                rule->direction == TN_INGRESS ? "in" : "out",
                                tn_digest_hex(&digest, hex)),
        .priority = ALLOWED,
        .leaves = rule->direction == TN_EGRESS,
        .action = "allow-related",
        .origin = rule->origin,
    };
    const char *name =
        tn_arena_printf(r->arena, "%s/acl/%s", r->vpc->scope, a.name);
    for (size_t i = r->list.n; i > 0; i--) {
        const struct tn_resource *o = &r->list.items[i - 1];
        if (!tn_streq(o->parent, key)) {
            break;
        }
        if (strcmp(o->key, name) == 0) {
            return;
        }
    }
    add_acl(r, &a, text);
}

static void
render_group(struct tn_ovn_render *r, const struct tn_net_group *group)
{
    add_group(r, &tn_ovn_group, group->name, group->origin);
    for (size_t i = 0; i < group->n_rules; i++) {
        const struct tn_net_rule *rule = &group->rules[i];
        if (rule->remote.addr.family != TN_AF_NONE) {
            render_rule(r, group, rule, rule->remote.addr.family);
        } else if (rule->remote_group) {
            render_rule(r, group, rule, TN_AF_IPV4);
            render_rule(r, group, rule, TN_AF_IPV6);
        } else {
            render_rule(r, group, rule, TN_AF_NONE);
        }
    }
}

/* The gateway answers echo whatever may leave, and who may ask for an address
 * must be able to. */
static void
render_exceptions(struct tn_ovn_render *r)
{
    const struct tn_net_vpc *vpc = r->vpc;
    TN_CLEANUP(tn_cleanup_text) struct tn_text four = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text six = {0};
    bool dhcp = false;
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        const struct tn_addr *both[] = {&s->gateway, &s->gateway6};
        for (size_t k = 0; k < TN_ARRAY_SIZE(both); k++) {
            struct tn_text *t = both[k]->family == TN_AF_IPV4 ? &four : &six;
            if (tn_addr_present(both[k])) {
                tn_text_addf(t, "%s%s", t->n ? ", " : "",
                             tn_ovn_addr(r->arena, both[k]));
            }
        }
        dhcp = dhcp || s->dhcp;
    }
    struct acl a = {&tn_ovn_filter, r->judged,       "out/gateway4", EXCEPT,
                    true,           "allow-related", vpc->origin};
    if (four.n) {
        add_acl(r, &a,
                tn_arena_printf(r->arena, "icmp4.type == 8 && ip4.dst == {%s}",
                                tn_text_str(&four)));
    }
    a.name = "out/gateway6";
    if (six.n) {
        add_acl(r, &a,
                tn_arena_printf(r->arena,
                                "icmp6.type == 128 && ip6.dst == {%s}",
                                tn_text_str(&six)));
    }
    a.name = "out/dhcp";
    if (dhcp) {
        add_acl(r, &a,
                "((ip4 && udp.src == 68 && udp.dst == 67) || (ip6 && udp.src "
                "== 546 && udp.dst == 547))");
    }
}

void
tn_ovn_render_groups(struct tn_ovn_render *r)
{
    const struct tn_net_vpc *vpc = r->vpc;
    r->closed = add_group(r, &tn_ovn_guard, all, vpc->origin);
    struct acl a = {&tn_ovn_filter, r->closed, "all/in",   CLOSED,
                    false,          "drop",    vpc->origin};
    add_acl(r, &a, "ip");
    /* Says what OVN would do anyway, but by a flow with a memory: without any,
     * a switch forgets what it let out, and drops the answers. */
    a.name = "all/out";
    a.priority = OPEN;
    a.leaves = true;
    a.action = "allow-related";
    add_acl(r, &a, "ip");
    a.action = "drop";
    a.name = "all/no-dhcp-server";
    a.priority = NEVER;
    add_acl(r, &a,
            "((ip4 && udp.src == 67 && udp.dst == 68) || (ip6 && udp.src == "
            "547 && udp.dst == 546))");
    r->judged = add_group(r, &tn_ovn_guard, out, vpc->origin);
    a = (struct acl){&tn_ovn_filter, r->judged, "out/out",  CLOSED,
                     true,           "drop",    vpc->origin};
    add_acl(r, &a, "ip");
    render_exceptions(r);
    for (size_t i = 0; i < vpc->n_groups; i++) {
        render_group(r, &vpc->groups[i]);
    }
}
