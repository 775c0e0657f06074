/* render_dhcp.c - what the controllers of OVN answer to DHCP, DHCPv6 and router
 * solicitations.
 *
 * Source: ovn-nb(5), DHCP_Options and Logical_Router_Port.ipv6_ra_configs. */
#include <string.h>

#include "drivers/ovsdb/ovn/kinds.h"
#include "drivers/ovsdb/ovn/render.h"
#include "model/base/cleanup.h"

/* "a" or "{a, b}"; null: none of that family. */
static const char *
list_of(struct tn_arena *arena, const struct tn_addr *list, size_t n,
        unsigned family)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (list[i].family == family) {
            tn_text_addf(&t, "%s%s", found++ ? ", " : "",
                         tn_ovn_addr(arena, &list[i]));
        }
    }
    return found == 0  ? NULL
           : found > 1 ? tn_arena_printf(arena, "{%s}", tn_text_str(&t))
                       : tn_arena_strdup(arena, tn_text_str(&t));
}

/* Static routes of the VPC through this subnet, and the default one, which
 * clients that take these take from nowhere else (RFC 3442). */
static const char *
routes_of(const struct tn_ovn_render *r, const struct tn_net_subnet *s)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < r->vpc->n_routes; i++) {
        const struct tn_net_route *route = &r->vpc->routes[i];
        if (route->subnet == s && route->to.addr.family == TN_AF_IPV4 &&
            route->to.len) {
            tn_text_addf(&t, "%s%s,%s", t.n ? ", " : "",
                         tn_ovn_cidr(r->arena, &route->to),
                         tn_ovn_addr(r->arena, &route->via));
        }
    }
    return t.n ? tn_arena_printf(r->arena, "{%s, 0.0.0.0/0,%s}",
                                 tn_text_str(&t),
                                 tn_ovn_addr(r->arena, &s->gateway))
               : NULL;
}

static void
put(struct tn_ovs_draft *d, const char *key, const char *value)
{
    if (value) {
        tn_ovs_draft_put(d, "options", key, value);
    }
}

static const char *
render_four(struct tn_ovn_render *r, const struct tn_net_subnet *s)
{
    struct tn_arena *arena = r->arena;
    const struct tn_net_dhcp *c = s->dhcp;
    struct tn_ovs_draft d;
    const char *gateway = tn_ovn_addr(arena, &s->gateway);
    tn_ovs_draft_begin(&d, arena, &tn_ovn_dhcp, r->vpc->scope,
                       tn_arena_printf(arena, "%s/4", s->name));
    tn_ovs_draft_add(&d, "cidr", tn_ovn_cidr(arena, &s->cidr));
    put(&d, "server_id", gateway);
    put(&d, "server_mac", tn_ovn_mac(arena, &s->gateway_mac));
    put(&d, "router", gateway);
    put(&d, "lease_time", tn_arena_printf(arena, "%u", c->lease_time));
    put(&d, "mtu", tn_arena_printf(arena, "%u", s->mtu));
    put(&d, "dns_server",
        list_of(arena, c->dns_servers, c->n_dns_servers, TN_AF_IPV4));
    put(&d, "ntp_server",
        list_of(arena, c->ntp_servers, c->n_ntp_servers, TN_AF_IPV4));
    put(&d, "domain_name",
        c->domain ? tn_arena_printf(arena, "\"%s\"", c->domain) : NULL);
    put(&d, "classless_static_route", routes_of(r, s));
    return tn_ovn_add(r, &d, NULL, c->origin);
}

static const char *
render_six(struct tn_ovn_render *r, const struct tn_net_subnet *s,
           const struct tn_cidr *cidr)
{
    struct tn_arena *arena = r->arena;
    const struct tn_net_dhcp *c = s->dhcp;
    struct tn_ovs_draft d;
    tn_ovs_draft_begin(&d, arena, &tn_ovn_dhcp, r->vpc->scope,
                       tn_arena_printf(arena, "%s/6", s->name));
    tn_ovs_draft_add(&d, "cidr", tn_ovn_cidr(arena, cidr));
    put(&d, "server_id", tn_ovn_mac(arena, &s->gateway_mac));
    put(&d, "dns_server",
        list_of(arena, c->dns_servers, c->n_dns_servers, TN_AF_IPV6));
    /* A name of several labels would be sent as one label with dots in it. */
    put(&d, "domain_search",
        c->domain && !strchr(c->domain, '.')
            ? tn_arena_printf(arena, "\"%s\"", c->domain)
            : NULL);
    put(&d, "dhcpv6_stateless", c->ra == TN_RA_STATELESS ? "true" : NULL);
    return tn_ovn_add(r, &d, NULL, c->origin);
}

void
tn_ovn_render_dhcp(struct tn_ovn_render *r, const struct tn_net_subnet *s,
                   const char **four, const char **six)
{
    bool serves6 =
        s->dhcp->ra == TN_RA_STATEFUL || s->dhcp->ra == TN_RA_STATELESS;
    bool only6 = s->cidr.addr.family == TN_AF_IPV6;
    if (!only6) {
        *four = render_four(r, s);
    }
    if (serves6 && (only6 || tn_addr_present(&s->cidr6.addr))) {
        *six = render_six(r, s, only6 ? &s->cidr : &s->cidr6);
    }
}

void
tn_ovn_render_ra(struct tn_ovs_draft *gateway, const struct tn_net_subnet *s)
{
    static const char *const modes[] = {
        [TN_RA_STATEFUL] = "dhcpv6_stateful",
        [TN_RA_STATELESS] = "dhcpv6_stateless",
        [TN_RA_SLAAC] = "slaac",
        [TN_RA_NONE] = NULL,
    };
    const struct tn_net_dhcp *c = s->dhcp;
    bool has6 =
        s->cidr.addr.family == TN_AF_IPV6 || tn_addr_present(&s->cidr6.addr);
    if (!c || !has6 || !modes[c->ra]) {
        return;
    }
    struct tn_arena *arena = gateway->arena;
    tn_ovs_draft_put(gateway, "ra", "address_mode", modes[c->ra]);
    tn_ovs_draft_put(gateway, "ra", "mtu",
                     tn_arena_printf(arena, "%u", s->mtu));
    tn_ovs_draft_put(gateway, "ra", "send_periodic", "true");
    for (size_t i = 0; i < c->n_dns_servers; i++) {
        if (c->dns_servers[i].family == TN_AF_IPV6) { /* It takes one. */
            tn_ovs_draft_put(gateway, "ra", "rdnss",
                             tn_ovn_addr(arena, &c->dns_servers[i]));
            break;
        }
    }
    if (c->domain) {
        tn_ovs_draft_put(gateway, "ra", "dnssl", c->domain);
    }
}
