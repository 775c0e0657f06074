/* changed.c - what of a VPC a commit changes: object by object.
 *
 * An object is what policies see of it: what compile made of it, and its
 * document.  Both are compared with what was applied, by name and content;
 * where a document stands and how it is written is nobody's business, so that
 * moving, sorting and commenting change nothing.  Ports and groups are found by
 * name, rules and routes by what they say, as they have no names. */
#include "reconciler/policy/work.h"

#include <string.h>

/* ---- finding ------------------------------------------------------------ */

const struct tn_net_subnet *
tn_vpc_subnet(const struct tn_net_vpc *vpc, const char *name)
{
    for (size_t i = 0; vpc && i < vpc->n_subnets; i++) {
        if (strcmp(vpc->subnets[i].name, name) == 0) {
            return &vpc->subnets[i];
        }
    }
    return NULL;
}

static const struct tn_net_port *
subnet_port(const struct tn_net_subnet *subnet, const char *name)
{
    size_t lo = 0, hi = subnet->n_ports; /* By name. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(subnet->ports[mid].name, name);
        if (c == 0) {
            return &subnet->ports[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

const struct tn_net_port *
tn_vpc_port(const struct tn_net_vpc *vpc, const char *name)
{
    const struct tn_net_port *port = NULL;
    for (size_t i = 0; vpc && !port && i < vpc->n_subnets; i++) {
        port = subnet_port(&vpc->subnets[i], name);
    }
    return port;
}

const struct tn_net_group *
tn_vpc_group(const struct tn_net_vpc *vpc, const char *name)
{
    for (size_t i = 0; vpc && i < vpc->n_groups; i++) {
        if (strcmp(vpc->groups[i].name, name) == 0) {
            return &vpc->groups[i];
        }
    }
    return NULL;
}

/* ---- content as compiled ------------------------------------------------ */

static bool
same_cidrs(const struct tn_cidr *a, size_t n, const struct tn_cidr *b, size_t m)
{
    for (size_t i = 0; n == m && i < n; i++) {
        if (tn_cidr_cmp(&a[i], &b[i]) != 0) {
            return false;
        }
    }
    return n == m;
}

static bool
same_group_name(const struct tn_net_group *a, const struct tn_net_group *b)
{
    return a == b || (a && b && strcmp(a->name, b->name) == 0);
}

/* A subnet without its ports. */
static bool
same_subnet(const struct tn_net_subnet *a, const struct tn_net_subnet *b)
{
    return strcmp(a->name, b->name) == 0 && a->mtu == b->mtu &&
           tn_cidr_cmp(&a->cidr, &b->cidr) == 0 &&
           tn_cidr_cmp(&a->cidr6, &b->cidr6) == 0 &&
           tn_addr_cmp(&a->gateway, &b->gateway) == 0 &&
           tn_addr_cmp(&a->gateway6, &b->gateway6) == 0 &&
           tn_mac_cmp(&a->gateway_mac, &b->gateway_mac) == 0;
}

static bool
same_host(const struct tn_host *a, const struct tn_host *b)
{
    return a == b || (a && b && strcmp(a->raw.name, b->raw.name) == 0);
}

static bool
same_port(const struct tn_net_port *a, const struct tn_net_port *b)
{
    if (strcmp(a->name, b->name) != 0 || a->n_groups != b->n_groups ||
        tn_addr_cmp(&a->address, &b->address) != 0 ||
        tn_addr_cmp(&a->address6, &b->address6) != 0 ||
        tn_mac_cmp(&a->mac, &b->mac) != 0 || !same_host(a->host, b->host) ||
        !same_cidrs(a->allowed, a->n_allowed, b->allowed, b->n_allowed)) {
        return false;
    }
    for (size_t i = 0; i < a->n_groups; i++) {
        if (!same_group_name(a->groups[i], b->groups[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_rule(const struct tn_net_rule *a, const struct tn_net_rule *b)
{
    if (a->direction != b->direction || a->protocol != b->protocol ||
        a->n_ports != b->n_ports || tn_cidr_cmp(&a->remote, &b->remote) != 0 ||
        !same_group_name(a->remote_group, b->remote_group)) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (a->ports[i].first != b->ports[i].first ||
            a->ports[i].last != b->ports[i].last) {
            return false;
        }
    }
    return true;
}

static bool
same_group(const struct tn_net_group *a, const struct tn_net_group *b)
{
    for (size_t i = 0; a->n_rules == b->n_rules && i < a->n_rules; i++) {
        if (!same_rule(&a->rules[i], &b->rules[i])) {
            return false;
        }
    }
    return a->n_rules == b->n_rules && a->has_egress == b->has_egress &&
           strcmp(a->name, b->name) == 0;
}

static bool
same_route(const struct tn_net_route *a, const struct tn_net_route *b)
{
    return tn_cidr_cmp(&a->to, &b->to) == 0 &&
           tn_addr_cmp(&a->via, &b->via) == 0;
}

static bool
same_peering(const struct tn_net_peering *a, const struct tn_net_peering *b)
{
    return strcmp(a->peer->scope, b->peer->scope) == 0 &&
           same_cidrs(a->exports, a->n_exports, b->exports, b->n_exports) &&
           same_cidrs(a->imports, a->n_imports, b->imports, b->n_imports);
}

static bool
same_peerings(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    for (size_t i = 0; a->n_peerings == b->n_peerings && i < a->n_peerings;
         i++) {
        if (!same_peering(&a->peerings[i], &b->peerings[i])) {
            return false;
        }
    }
    return a->n_peerings == b->n_peerings;
}

/* By the operator's word, which no document of the VPC has. */
static bool
same_outside(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    const struct tn_net_outside *x = a->external, *y = b->external;
    if (!x || !y) {
        return x == y;
    }
    return strcmp(x->network->name, y->network->name) == 0 &&
           tn_addr_cmp(&x->address, &y->address) == 0 &&
           tn_addr_cmp(&x->address6, &y->address6) == 0 &&
           same_cidrs(x->prefixes, x->n_prefixes, y->prefixes, y->n_prefixes);
}

/* What the document of a VPC says, as compiled. */
static bool
same_body(const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    if (a->encapsulation != b->encapsulation || a->n_subnets != b->n_subnets ||
        a->n_routes != b->n_routes || !same_outside(a, b)) {
        return false;
    }
    for (size_t i = 0; i < a->n_subnets; i++) {
        if (!same_subnet(&a->subnets[i], &b->subnets[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_routes; i++) {
        if (!same_route(&a->routes[i], &b->routes[i])) {
            return false;
        }
    }
    return true;
}

static bool
same_ports(const struct tn_net_subnet *a, const struct tn_net_subnet *b)
{
    for (size_t i = 0; a->n_ports == b->n_ports && i < a->n_ports; i++) {
        if (!same_port(&a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    return a->n_ports == b->n_ports;
}

/* Images are hashes of all but what depends on others, in one world. */
bool
tn_same_vpc(const struct tn_net_vpc *a, const struct tn_net_vpc *b,
            bool same_world)
{
    if (a == b) {
        return true;
    }
    if (!same_peerings(a, b) || !same_outside(a, b)) {
        return false;
    }
    if (same_world && a->image && a->image == b->image) {
        return true;
    }
    if (a->n_groups != b->n_groups || !same_body(a, b)) {
        return false;
    }
    for (size_t i = 0; i < a->n_groups; i++) {
        if (!same_group(&a->groups[i], &b->groups[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_subnets; i++) {
        if (!same_ports(&a->subnets[i], &b->subnets[i])) {
            return false;
        }
    }
    return true;
}

/* ---- documents ---------------------------------------------------------- */

/* A document, by kind and name, and where it stood and stands. */
struct document {
    enum tn_kind kind;
    const char *name, *from, *to;
};

static bool
document_changed(struct tn_judgement *j, struct tn_past *past,
                 const struct document *d)
{
    if (tn_streq(d->from, d->to) &&
        (!d->to || !tn_map_get(&past->files, d->to))) {
        return false;
    }
    const struct tn_digest *a =
        tn_docs_content(&past->docs, d->from, d->kind, d->name);
    const struct tn_digest *b =
        tn_docs_content(&j->docs, d->to, d->kind, d->name);
    return !a || !b || !tn_digest_eq(a, b);
}

static bool
vpc_document_changed(struct tn_judgement *j, struct tn_past *past,
                     const struct tn_net_vpc *a, const struct tn_net_vpc *b)
{
    return document_changed(j, past,
                            &(struct document){TN_KIND_VPC, b->name,
                                               a->origin.path, b->origin.path});
}

static bool
port_document_changed(struct tn_judgement *j, struct tn_past *past,
                      const struct tn_net_port *a, const struct tn_net_port *b)
{
    return document_changed(j, past,
                            &(struct document){TN_KIND_PORT, b->name,
                                               a->origin.path, b->origin.path});
}

static bool
group_document_changed(struct tn_judgement *j, struct tn_past *past,
                       const struct tn_net_group *a,
                       const struct tn_net_group *b)
{
    return document_changed(j, past,
                            &(struct document){TN_KIND_SECURITY_GROUP, b->name,
                                               a->origin.path, b->origin.path});
}

bool
tn_changed_documents(struct tn_judgement *j, struct tn_past *past,
                     const struct tn_net_vpc *before,
                     const struct tn_net_vpc *after)
{
    if (vpc_document_changed(j, past, before, after)) {
        return true;
    }
    for (size_t i = 0; i < after->n_groups; i++) {
        const struct tn_net_group *b = &after->groups[i];
        const struct tn_net_group *a = tn_vpc_group(before, b->name);
        if (!a || group_document_changed(j, past, a, b)) {
            return true;
        }
    }
    for (size_t s = 0; s < after->n_subnets; s++) {
        for (size_t i = 0; i < after->subnets[s].n_ports; i++) {
            const struct tn_net_port *b = &after->subnets[s].ports[i];
            const struct tn_net_port *a = tn_vpc_port(before, b->name);
            if (!a || port_document_changed(j, past, a, b)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- objects ------------------------------------------------------------ */

/* Nothing to compare with, or no need to? */
static bool
is_whole(const struct tn_judgement *j, const struct tn_touch *t)
{
    return j->whole || t->whole || j->in->n_pasts == 0;
}

bool
tn_changed_vpc(struct tn_judgement *j, const struct tn_touch *t)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_vpc *a = t->was[i];
        changed = !a || !same_body(a, t->after) ||
                  vpc_document_changed(j, &j->pasts[i], a, t->after);
    }
    return changed;
}

bool
tn_changed_subnet(const struct tn_judgement *j, const struct tn_touch *t,
                  const struct tn_net_subnet *subnet)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_subnet *a = tn_vpc_subnet(t->was[i], subnet->name);
        changed = !a || !same_subnet(a, subnet);
    }
    return changed;
}

bool
tn_changed_port(struct tn_judgement *j, const struct tn_touch *t,
                const struct tn_net_port *port)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_port *a = tn_vpc_port(t->was[i], port->name);
        changed = !a || !same_port(a, port) ||
                  port_document_changed(j, &j->pasts[i], a, port);
    }
    return changed;
}

bool
tn_changed_allowed(const struct tn_judgement *j, const struct tn_touch *t,
                   const struct tn_net_port *port,
                   const struct tn_cidr *allowed)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_port *a = tn_vpc_port(t->was[i], port->name);
        changed = true;
        for (size_t k = 0; a && changed && k < a->n_allowed; k++) {
            changed = tn_cidr_cmp(&a->allowed[k], allowed) != 0;
        }
    }
    return changed;
}

bool
tn_changed_group(struct tn_judgement *j, const struct tn_touch *t,
                 const struct tn_net_group *group)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_group *a = tn_vpc_group(t->was[i], group->name);
        changed = !a || !same_group(a, group) ||
                  group_document_changed(j, &j->pasts[i], a, group);
    }
    return changed;
}

static bool
is_member(const struct tn_net_port *port, const struct tn_net_group *group)
{
    for (size_t i = 0; i < port->n_groups; i++) {
        if (same_group_name(port->groups[i], group)) {
            return true;
        }
    }
    return false;
}

/* Has the group a port that it had not? */
static bool
has_newcomers(const struct tn_net_vpc *before, const struct tn_net_vpc *after,
              const struct tn_net_group *group)
{
    for (size_t s = 0; s < after->n_subnets; s++) {
        for (size_t i = 0; i < after->subnets[s].n_ports; i++) {
            const struct tn_net_port *b = &after->subnets[s].ports[i];
            if (!is_member(b, group)) {
                continue;
            }
            const struct tn_net_port *a = tn_vpc_port(before, b->name);
            if (!a || !is_member(a, group)) {
                return true;
            }
        }
    }
    return false;
}

bool
tn_changed_rule(const struct tn_judgement *j, const struct tn_touch *t,
                const struct tn_net_group *group,
                const struct tn_net_rule *rule)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_group *a = tn_vpc_group(t->was[i], group->name);
        changed = true;
        for (size_t k = 0; a && changed && k < a->n_rules; k++) {
            changed = !same_rule(&a->rules[k], rule);
        }
        changed = changed || has_newcomers(t->was[i], t->after, group);
    }
    return changed;
}

bool
tn_changed_route(const struct tn_judgement *j, const struct tn_touch *t,
                 const struct tn_net_route *route)
{
    bool changed = is_whole(j, t);
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_net_vpc *a = t->was[i];
        changed = true;
        for (size_t k = 0; a && changed && k < a->n_routes; k++) {
            changed = !same_route(&a->routes[k], route);
        }
    }
    return changed;
}

bool
tn_changed_tenant(struct tn_judgement *j, const struct tn_tenant_result *tenant)
{
    bool changed = j->whole || j->in->n_pasts == 0 || !tenant->tenant;
    for (size_t i = 0; !changed && i < j->in->n_pasts; i++) {
        const struct tn_tenant_result *a =
            tn_network_tenant(j->pasts[i].network, tenant->name);
        changed =
            !a || !a->tenant ||
            document_changed(j, &j->pasts[i],
                             &(struct document){TN_KIND_TENANT,
                                                tenant->tenant->meta.name.v,
                                                a->tenant->meta.path,
                                                tenant->tenant->meta.path});
    }
    return changed;
}
