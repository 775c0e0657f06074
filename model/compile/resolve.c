/* resolve.c - a valid tenant's documents into the network's own structs.
 *
 * Everything is copied into 'keep': documents are dropped when their tenant is
 * done.  A failed tenant gives no network, but all that others must know of it
 * (what it claims, what it grants, what it is called) as far as it was read. */
#include "model/compile/intent.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"
#include "model/kinds/pack.h"

enum { DHCP_LEASE_DEFAULT = 3600 };

struct resolve {
    struct tn_intent *in;
    struct tn_part *part;
    struct tn_arena *keep;
};

static struct tn_origin
origin_of(const struct resolve *r, const struct tn_intent_file *file,
          struct tn_pos at)
{
    return (struct tn_origin){r->part->paths[file->index], at.line, at.column};
}

static int
cidr_cmp(const void *a, const void *b)
{
    return tn_cidr_cmp(a, b);
}

static int
addr_cmp(const void *a, const void *b)
{
    return tn_addr_cmp(a, b);
}

/* Sorted, without repetition. */
static size_t
cidrs_sort(struct tn_cidr *items, size_t n)
{
    if (n > 1) {
        qsort(items, n, sizeof *items, cidr_cmp);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || tn_cidr_cmp(&items[kept - 1], &items[i]) != 0) {
            items[kept++] = items[i];
        }
    }
    return kept;
}

/* ---- security groups ---------------------------------------------------- */

struct group_list {
    TN_VEC(struct tn_intent_group *) list;
};

static void
group_use(struct resolve *r, struct group_list *l, const char *name,
          const struct tn_intent_vpc *vpc)
{
    struct tn_intent_group *g = tn_map_get(&r->in->group_map, name);
    if (g && g->used_in != vpc) {
        g->used_in = vpc;
        *tn_vec_push(r->in->arena, &l->list) = g;
    }
}

static int
group_cmp(const void *a, const void *b)
{
    const struct tn_intent_group *x = *(struct tn_intent_group *const *) a;
    const struct tn_intent_group *y = *(struct tn_intent_group *const *) b;
    return strcmp(x->doc->meta.name.v, y->doc->meta.name.v);
}

/* The groups of the VPC's ports, and those that their rules name, and so on:
 * a rule must never lose its remote group. */
static void
groups_find(struct resolve *r, const struct tn_intent_vpc *vpc,
            struct group_list *l)
{
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_intent_subnet *s = &vpc->subnets[i];
        for (size_t k = 0; k < s->ports.n; k++) {
            const struct tn_intent_port *p = s->ports.items[k];
            for (size_t g = 0; p->host && g < p->doc->security_groups.n; g++) {
                group_use(r, l, p->doc->security_groups.items[g].v, vpc);
            }
        }
    }
    for (size_t i = 0; i < l->list.n; i++) {
        const struct tn_security_group *doc = l->list.items[i]->doc;
        for (size_t k = 0; k < doc->rules.n; k++) {
            if (doc->rules.items[k].remote_group.v) {
                group_use(r, l, doc->rules.items[k].remote_group.v, vpc);
            }
        }
    }
    if (l->list.n > 1) {
        qsort(l->list.items, l->list.n, sizeof(struct tn_intent_group *),
              group_cmp);
    }
    for (size_t i = 0; i < l->list.n; i++) {
        l->list.items[i]->used_as = (uint32_t) i;
    }
}

static void
rules_fill(struct resolve *r, const struct tn_intent_group *g,
           struct tn_net_group *groups)
{
    struct tn_net_group *out = &groups[g->used_as];
    struct tn_net_rule *rules =
        tn_new_n(r->keep, struct tn_net_rule, g->doc->rules.n);
    for (size_t i = 0; i < g->doc->rules.n; i++) {
        const struct tn_rule *doc = &g->doc->rules.items[i];
        struct tn_net_rule *rule = &rules[i];
        rule->direction = doc->direction.v;
        rule->protocol = doc->protocol.v;
        rule->remote = doc->remote_cidr.v;
        rule->origin = origin_of(r, g->file, doc->at);
        if (doc->ports.n) {
            struct tn_vrange *ports =
                tn_new_n(r->keep, struct tn_vrange, doc->ports.n);
            memcpy(ports, doc->ports.items, doc->ports.n * sizeof *ports);
            rule->ports = ports;
            rule->n_ports = doc->ports.n;
        }
        if (doc->remote_group.v) {
            const struct tn_intent_group *remote =
                tn_map_get(&r->in->group_map, doc->remote_group.v);
            rule->remote_group = &groups[remote->used_as];
        }
        out->has_egress |= rule->direction == TN_EGRESS;
    }
    out->rules = rules;
    out->n_rules = g->doc->rules.n;
}

static struct tn_net_group *
groups_new(struct resolve *r, const struct tn_intent_vpc *vpc, size_t *n)
{
    struct group_list l = {0};
    groups_find(r, vpc, &l);
    struct tn_net_group *groups =
        tn_new_n(r->keep, struct tn_net_group, l.list.n);
    for (size_t i = 0; i < l.list.n; i++) {
        const struct tn_intent_group *g = l.list.items[i];
        groups[i].name = tn_arena_strdup(r->keep, g->doc->meta.name.v);
        groups[i].origin = origin_of(r, g->file, g->doc->meta.at);
        rules_fill(r, g, groups);
    }
    *n = l.list.n;
    return groups;
}

/* Runs 'count' times over the ports of each group: first to count, then to
 * write. */
static void
members_walk(struct resolve *r, const struct tn_intent_vpc *vpc,
             struct tn_net_group *groups, struct tn_addr **out)
{
    for (size_t i = 0; i < vpc->doc->subnets.n; i++) {
        const struct tn_intent_subnet *s = &vpc->subnets[i];
        for (size_t k = 0; k < s->ports.n; k++) {
            const struct tn_intent_port *p = s->ports.items[k];
            for (size_t g = 0; p->host && g < p->doc->security_groups.n; g++) {
                const struct tn_intent_group *group = tn_map_get(
                    &r->in->group_map, p->doc->security_groups.items[g].v);
                struct tn_net_group *net = &groups[group->used_as];
                if (out) {
                    out[group->used_as][net->n_members] = p->address;
                }
                net->n_members++;
                if (tn_addr_present(&p->address6)) {
                    if (out) {
                        out[group->used_as][net->n_members] = p->address6;
                    }
                    net->n_members++;
                }
            }
        }
    }
}

static void
members_fill(struct resolve *r, const struct tn_intent_vpc *vpc,
             struct tn_net_group *groups, size_t n)
{
    struct tn_addr **out = tn_new_n(r->in->arena, struct tn_addr *, n);
    members_walk(r, vpc, groups, NULL);
    for (size_t i = 0; i < n; i++) {
        out[i] = tn_new_n(r->keep, struct tn_addr, groups[i].n_members);
        groups[i].members = out[i];
        groups[i].n_members = 0;
    }
    members_walk(r, vpc, groups, out);
    for (size_t i = 0; i < n; i++) {
        if (groups[i].n_members > 1) {
            qsort(out[i], groups[i].n_members, sizeof **out, addr_cmp);
        }
    }
}

/* ---- ports and subnets -------------------------------------------------- */

static void
allowed_fill(struct resolve *r, const struct tn_intent_port *p,
             struct tn_net_port *out)
{
    const struct tn_port *doc = p->doc;
    const struct tn_vpc *vpc = p->subnet->vpc->doc;
    if (doc->allowed_addresses.n == 0 && vpc->routes.n == 0) {
        return;
    }
    TN_VEC(struct tn_cidr) list = {0};
    for (size_t i = 0; i < doc->allowed_addresses.n; i++) {
        *tn_vec_push(r->in->arena, &list) = doc->allowed_addresses.items[i].v;
    }
    for (size_t i = 0; i < vpc->routes.n; i++) {
        const struct tn_route *route = &vpc->routes.items[i];
        if (tn_addr_cmp(&route->via.v, &p->address) == 0 ||
            tn_addr_cmp(&route->via.v, &p->address6) == 0) {
            *tn_vec_push(r->in->arena, &list) = route->to.v;
        }
    }
    out->n_allowed = cidrs_sort(list.items, list.n);
    if (list.items && out->n_allowed) {
        struct tn_cidr *copy =
            tn_new_n(r->keep, struct tn_cidr, out->n_allowed);
        memcpy(copy, list.items, out->n_allowed * sizeof *copy);
        out->allowed = copy;
    }
}

static void
port_fill(struct resolve *r, const struct tn_intent_port *p,
          const struct tn_net_group *groups, struct tn_net_port *out)
{
    const struct tn_port *doc = p->doc;
    size_t n = doc->security_groups.n;
    *out = (struct tn_net_port){
        .name = tn_arena_strdup(r->keep, doc->meta.name.v),
        .host = p->host,
        .mac = p->mac,
        .address = p->address,
        .address6 = p->address6,
        .origin = origin_of(r, p->file, doc->meta.at),
    };
    allowed_fill(r, p, out);
    if (doc->attach.netns.v) {
        out->netns = tn_arena_strdup(r->keep, doc->attach.netns.v);
        out->default_route = doc->attach.default_route.at.line == 0 ||
                             doc->attach.default_route.v;
    }
    out->interface = tn_arena_strdup(r->keep, tn_intent_interface(doc));
    out->vif = doc->attach.vif.v ? out->interface : NULL;
    if (n) {
        const struct tn_net_group **list =
            tn_new_n(r->keep, const struct tn_net_group *, n);
        for (size_t i = 0; i < n; i++) {
            const struct tn_intent_group *g =
                tn_map_get(&r->in->group_map, doc->security_groups.items[i].v);
            list[i] = &groups[g->used_as];
        }
        out->groups = list;
        out->n_groups = n;
    }
}

static int
group_pointer_cmp(const void *a, const void *b)
{
    const struct tn_net_group *x = *(const struct tn_net_group *const *) a;
    const struct tn_net_group *y = *(const struct tn_net_group *const *) b;
    return strcmp(x->name, y->name);
}

static const struct tn_addr *
addrs_copy(struct resolve *r, const struct tn_vaddr *items, size_t n)
{
    struct tn_addr *out = n ? tn_new_n(r->keep, struct tn_addr, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        out[i] = items[i].v;
    }
    return out;
}

static void
dhcp_fill(struct resolve *r, const struct tn_intent_subnet *s,
          struct tn_net_subnet *out)
{
    const struct tn_dhcp *doc = &s->doc->dhcp;
    if (!tn_intent_serves_dhcp(s->doc)) {
        return;
    }
    struct tn_net_dhcp *dhcp = tn_new(r->keep, struct tn_net_dhcp);
    *dhcp = (struct tn_net_dhcp){
        .lease_time = doc->lease_time.at.line ? (uint32_t) doc->lease_time.v
                                              : DHCP_LEASE_DEFAULT,
        .dns_servers =
            addrs_copy(r, doc->dns_servers.items, doc->dns_servers.n),
        .n_dns_servers = doc->dns_servers.n,
        .ntp_servers =
            addrs_copy(r, doc->ntp_servers.items, doc->ntp_servers.n),
        .n_ntp_servers = doc->ntp_servers.n,
        .domain =
            doc->domain.v ? tn_arena_strdup(r->keep, doc->domain.v) : NULL,
        .ra = s->doc->cidr.v.addr.family == TN_AF_IPV6 || s->doc->cidr6.at.line
                  ? doc->ra.v
                  : TN_RA_NONE,
        .origin = origin_of(r, s->vpc->file, doc->at),
    };
    out->dhcp = dhcp;
    out->n_dhcp = 1;
}

static void
subnet_fill(struct resolve *r, const struct tn_intent_subnet *s,
            const struct tn_net_group *groups, struct tn_net_subnet *out)
{
    const struct tn_subnet *doc = s->doc;
    *out = (struct tn_net_subnet){
        .name = tn_arena_strdup(r->keep, doc->name.v),
        .mtu = doc->mtu.at.line ? (uint32_t) doc->mtu.v : s->vpc->mtu_limit,
        .cidr = doc->cidr.v,
        .gateway = s->gateway,
        .gateway_mac = s->gateway_mac,
        .origin = origin_of(r, s->vpc->file, doc->at),
    };
    if (doc->cidr6.at.line) {
        out->cidr6 = doc->cidr6.v;
        out->gateway6 = s->gateway6;
    }
    dhcp_fill(r, s, out);
    struct tn_net_port *ports =
        tn_new_n(r->keep, struct tn_net_port, s->ports.n);
    for (size_t i = 0; i < s->ports.n; i++) {
        if (!s->ports.items[i]->host) {
            continue;
        }
        struct tn_net_port *p = &ports[out->n_ports++];
        port_fill(r, s->ports.items[i], groups, p);
        if (p->n_groups > 1) {
            qsort((void *) (uintptr_t) p->groups, p->n_groups,
                  sizeof(struct tn_net_group *), group_pointer_cmp);
        }
    }
    out->ports = ports;
}

static int
route_cmp(const void *a, const void *b)
{
    const struct tn_net_route *x = a, *y = b;
    int c = tn_cidr_cmp(&x->to, &y->to);
    return c ? c : tn_addr_cmp(&x->via, &y->via);
}

static void
routes_fill(struct resolve *r, const struct tn_intent_vpc *vpc,
            struct tn_net_vpc *out)
{
    size_t n = vpc->doc->routes.n;
    struct tn_net_route *routes = tn_new_n(r->keep, struct tn_net_route, n);
    for (size_t i = 0; i < n; i++) {
        const struct tn_route *doc = &vpc->doc->routes.items[i];
        struct tn_net_route *route = &routes[i];
        route->to = doc->to.v;
        route->via = doc->via.v;
        route->origin = origin_of(r, vpc->file, doc->at);
        for (size_t k = 0; k < out->n_subnets && !route->subnet; k++) {
            const struct tn_net_subnet *s = &out->subnets[k];
            if (tn_cidr_contains(&s->cidr, &doc->via.v) ||
                tn_cidr_contains(&s->cidr6, &doc->via.v)) {
                route->subnet = s;
            }
        }
    }
    if (n > 1) {
        qsort(routes, n, sizeof *routes, route_cmp);
    }
    out->routes = routes;
    out->n_routes = n;
}

static void
vpc_fill(struct resolve *r, const struct tn_intent_vpc *vpc,
         struct tn_net_vpc *out)
{
    size_t n_groups = 0, n = vpc->doc->subnets.n;
    struct tn_net_group *groups = groups_new(r, vpc, &n_groups);
    struct tn_net_subnet *subnets = tn_new_n(r->keep, struct tn_net_subnet, n);
    *out = (struct tn_net_vpc){
        .scope = tn_arena_printf(r->keep, "%s/%s", r->part->tenant,
                                 vpc->doc->meta.name.v),
        .tenant = r->part->tenant,
        .encapsulation = vpc->doc->encapsulation.v,
        .subnets = subnets,
        .n_subnets = n,
        .groups = groups,
        .n_groups = n_groups,
        .origin = origin_of(r, vpc->file, vpc->doc->meta.at),
    };
    out->name = out->scope + strlen(r->part->tenant) + 1;
    if (vpc->doc->external_network.v) {
        out->external_name =
            tn_arena_strdup(r->keep, vpc->doc->external_network.v);
        out->external_origin =
            origin_of(r, vpc->file, vpc->doc->external_network.at);
    }
    members_fill(r, vpc, groups, n_groups);
    for (size_t i = 0; i < n; i++) {
        subnet_fill(r, &vpc->subnets[i], groups, &subnets[i]);
    }
    routes_fill(r, vpc, out);
}

/* ---- what others need --------------------------------------------------- */

/* Prefixes that no peer may export to the VPC: its own, and those of the
 * external network that it is in. */
static struct tn_cidr *
cidrs_new(struct resolve *r, const struct tn_vpc *doc, size_t *n_out)
{
    const struct tn_settings *s = r->in->world->settings;
    struct tn_cidr *cidrs = tn_new_n(r->keep, struct tn_cidr, doc->cidrs.n + 2);
    size_t n = 0;
    for (; n < doc->cidrs.n; n++) {
        cidrs[n] = doc->cidrs.items[n].v;
    }
    for (size_t i = 0; i < s->external_networks.n; i++) {
        const struct tn_external *e = &s->external_networks.items[i];
        if (tn_streq(e->name.v, doc->external_network.v)) {
            cidrs[n++] = e->cidr.v;
            cidrs[n] = e->cidr6.v;
            n += e->cidr6.at.line != 0;
        }
    }
    *n_out = n;
    return cidrs;
}

static void
claims_fill(struct resolve *r)
{
    struct tn_intent *in = r->in;
    struct tn_vni_claim *claims =
        tn_new_n(r->keep, struct tn_vni_claim, in->n_subnets);
    struct tn_part_at *at = tn_new_n(r->keep, struct tn_part_at, in->n_subnets);
    struct tn_part_vpc *vpcs =
        tn_new_n(r->keep, struct tn_part_vpc, in->n_vpcs);
    size_t n = 0;
    for (size_t i = 0; i < in->n_vpcs; i++) {
        const struct tn_vpc *doc = in->vpcs[i].doc;
        size_t n_cidrs = 0;
        struct tn_cidr *cidrs = cidrs_new(r, doc, &n_cidrs);
        struct tn_cidr *routes =
            tn_new_n(r->keep, struct tn_cidr, doc->routes.n);
        for (size_t k = 0; k < doc->routes.n; k++) {
            routes[k] = doc->routes.items[k].to.v;
        }
        vpcs[i] = (struct tn_part_vpc){
            .name = tn_arena_strdup(r->keep, doc->meta.name.v),
            .cidrs = cidrs,
            .n_cidrs = n_cidrs,
            .routes = routes,
            .n_routes = doc->routes.n,
            .n_subnets = doc->subnets.n,
            .host = in->vpcs[i].host ? in->vpcs[i].host->raw.name : NULL,
        };
        for (size_t k = 0; k < doc->subnets.n; k++) {
            claims[n] = tn_identify_subnet(in, &in->vpcs[i].subnets[k], &at[n]);
            n++;
        }
    }
    r->part->vpcs = vpcs;
    r->part->n_vpcs = in->n_vpcs;
    r->part->claims = claims;
    r->part->claim_at = at;
    r->part->n_claims = n;
    r->part->n_subnets = n;
}

/* In the order of files, as the base counts them. */
static void
attaches_fill(struct resolve *r)
{
    struct tn_intent *in = r->in;
    uint32_t most = 0;
    for (size_t i = 0; i < in->n_ports; i++) {
        most = in->ports[i].order >= most ? in->ports[i].order + 1 : most;
    }
    const struct tn_intent_port **by =
        tn_new_n(in->arena, const struct tn_intent_port *, most);
    for (size_t i = 0; i < in->n_ports; i++) {
        by[in->ports[i].order] = &in->ports[i];
    }
    uint64_t *claims = tn_new_n(r->keep, uint64_t, in->n_ports);
    struct tn_part_at *at = tn_new_n(r->keep, struct tn_part_at, in->n_ports);
    size_t n = 0;
    for (size_t i = 0; i < most; i++) {
        const struct tn_intent_port *p = by[i];
        if (p && p->host) {
            claims[n] = p->attach & ~TN_ATTACH_ESTABLISHED;
            claims[n] |= p->established ? TN_ATTACH_ESTABLISHED : 0;
            at[n++] = tn_intent_place(p->file, p->doc->attach.at);
        }
    }
    r->part->attaches = r->part->fresh = claims;
    r->part->n_attaches = r->part->n_fresh = n;
    r->part->attach_at = at;
}

static void
ports_fill(struct resolve *r)
{
    struct tn_intent *in = r->in;
    TN_VEC(struct tn_pin) others = {0};
    attaches_fill(r);
    for (size_t i = 0; i < in->n_ports && !r->part->failed; i++) {
        const struct tn_intent_port *p = &in->ports[i];
        if (!p->host && p->subnet) {
            *tn_vec_push(r->keep, &others) = (struct tn_pin){
                .tenant = r->part->tenant,
                .object =
                    tn_arena_printf(r->keep, "port/%s", p->doc->meta.name.v),
                .mac = p->mac,
                .address = p->address,
                .address6 = p->address6,
            };
        }
    }
    r->part->n_ports = in->n_ports;
    r->part->other_pins = others.items;
    r->part->n_other_pins = others.n;
}

/* A failed tenant keeps the numbers it has. */
static void
pins_keep(struct resolve *r)
{
    const struct tn_intent *in = r->in;
    TN_VEC(struct tn_pin) all = {0};
    size_t a = 0, b = 0;
    while (a < in->n_pins || b < in->n_lock) {
        int c = a == in->n_pins ? 1
                : b == in->n_lock
                    ? -1
                    : strcmp(in->pins[a].object, in->lock[b].object);
        const struct tn_pin *from = c <= 0 ? &in->pins[a] : &in->lock[b];
        struct tn_pin pin = tn_intent_pin(in, from->object, NULL);
        pin.tenant = r->part->tenant;
        pin.object = tn_arena_strdup(r->keep, from->object);
        *tn_vec_push(r->keep, &all) = pin;
        a += c <= 0;
        b += c >= 0;
    }
    r->part->other_pins = all.items;
    r->part->n_other_pins = all.n;
}

static int
offer_cmp(const void *a, const void *b)
{
    const struct tn_part_offer *x = a, *y = b;
    int c = strcmp(x->vpc, y->vpc);
    if (c == 0) {
        c = strcmp(x->peer_tenant, y->peer_tenant);
    }
    return c ? c : strcmp(x->peer_vpc, y->peer_vpc);
}

static void
offers_fill(struct resolve *r)
{
    struct tn_intent *in = r->in;
    struct tn_part_offer *offers =
        tn_new_n(r->keep, struct tn_part_offer, in->n_peerings);
    for (size_t i = 0; i < in->n_peerings; i++) {
        const struct tn_intent_peering *p = &in->peerings[i];
        const struct tn_peering *doc = p->doc;
        struct tn_cidr *exports =
            tn_new_n(r->keep, struct tn_cidr, doc->export.n);
        for (size_t k = 0; k < doc->export.n; k++) {
            exports[k] = doc->export.items[k].v;
        }
        offers[i] = (struct tn_part_offer){
            .vpc = tn_arena_strdup(r->keep, doc->vpc.v),
            .peer_tenant = doc->peer_tenant.v
                               ? tn_arena_strdup(r->keep, doc->peer_tenant.v)
                               : r->part->tenant,
            .peer_vpc = tn_arena_strdup(r->keep, doc->peer_vpc.v),
            .exports = exports,
            .n_exports = cidrs_sort(exports, doc->export.n),
            .at = origin_of(r, p->file, doc->meta.at),
        };
    }
    if (in->n_peerings > 1) {
        qsort(offers, in->n_peerings, sizeof *offers, offer_cmp);
    }
    r->part->offers = offers;
    r->part->n_offers = in->n_peerings;
}

static void
names_fill(struct resolve *r)
{
    struct tn_intent *in = r->in;
    const char **paths = tn_new_n(r->keep, const char *, in->n_files);
    for (size_t i = 0; i < in->n_files; i++) {
        paths[i] = tn_arena_strdup(r->keep, in->files[i].path);
    }
    r->part->paths = paths;
    r->part->n_paths = in->n_files;
    r->part->n_files = in->n_files;
    const char **groups = tn_new_n(r->keep, const char *, in->n_groups);
    for (size_t i = 0; i < in->n_groups; i++) {
        groups[i] = tn_arena_strdup(r->keep, in->groups[i].doc->meta.name.v);
    }
    r->part->groups = groups;
    r->part->n_groups = in->n_groups;
}

/* Packed, because nothing else would copy all of a document. */
static void
doc_fill(struct resolve *r)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    if (r->in->doc) {
        struct tn_document doc = {
            .kind = TN_KIND_TENANT,
            .meta = &r->in->doc->meta,
            .as.tenant = r->in->doc,
        };
        tn_document_pack(&text, &doc);
        r->part->doc = tn_arena_strndup(r->keep, tn_text_str(&text), text.n);
        r->part->n_doc = text.n;
        r->part->doc_path = r->part->paths[r->in->doc_file->index];
    }
}

static void
missing_fill(struct resolve *r)
{
    size_t n = r->in->missing.n;
    struct tn_part_missing *list = tn_new_n(r->keep, struct tn_part_missing, n);
    for (size_t i = 0; i < n; i++) {
        list[i] = r->in->missing.items[i];
        list[i].name = tn_arena_strdup(r->keep, list[i].name);
    }
    r->part->missing = list;
    r->part->n_missing = n;
}

void
tn_resolve(struct tn_intent *in, struct tn_part *part)
{
    struct resolve r = {in, part, in->keep};
    *part = (struct tn_part){
        .tenant = tn_arena_strdup(in->keep, in->tenant),
        .failed = in->diags->n_errors > 0,
        .n_errors = in->diags->n_errors,
        .findings = in->diags->list.items,
        .n_findings = in->diags->list.n,
    };
    names_fill(&r);
    doc_fill(&r);
    claims_fill(&r);
    offers_fill(&r);
    ports_fill(&r);
    missing_fill(&r);
    if (part->failed) {
        pins_keep(&r);
        return;
    }
    struct tn_net_vpc *net = tn_new_n(in->keep, struct tn_net_vpc, in->n_vpcs);
    for (size_t i = 0; i < in->n_vpcs; i++) {
        vpc_fill(&r, &in->vpcs[i], &net[i]);
    }
    part->net = net;
}
