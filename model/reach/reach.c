/* reach.c - the engine's front: names to places, and the matrix.
 *
 * Names are looked up by bisection: everything in a network is sorted. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

struct tn_reach *
tn_reach_new(struct tn_arena *arena, const struct tn_network *network)
{
    struct tn_reach *reach = tn_new(arena, struct tn_reach);
    *reach = (struct tn_reach){arena, tn_outside_view(arena, network)};
    return reach;
}

const struct tn_network *
tn_reach_network(const struct tn_reach *reach)
{
    return reach->network;
}

/* The number of the first VPC whose scope is not before "tenant/name". */
static size_t
vpc_at(const struct tn_network *network, const char *tenant, const char *name)
{
    size_t lo = 0, hi = network->n_vpcs, len = strlen(tenant);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const char *scope = network->vpcs[mid]->scope;
        int c = strncmp(scope, tenant, len);
        if (c == 0) {
            c = (unsigned char) scope[len] - (unsigned char) '/';
        }
        if (c == 0) {
            c = strcmp(scope + len + 1, name);
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

const struct tn_net_vpc *
tn_reach_vpc(const struct tn_reach *reach, const char *tenant, const char *vpc)
{
    const struct tn_network *n = reach->network;
    size_t at = vpc_at(n, tenant, vpc);
    if (at < n->n_vpcs && strcmp(n->vpcs[at]->tenant, tenant) == 0 &&
        strcmp(n->vpcs[at]->name, vpc) == 0) {
        return n->vpcs[at];
    }
    return NULL;
}

static int
name_cmp(const void *key, const void *item)
{
    return strcmp(key, ((const struct tn_net_port *) item)->name);
}

static const struct tn_net_port *
port_in(const struct tn_net_vpc *vpc, const char *port)
{
    const struct tn_net_port *found = NULL;
    for (size_t i = 0; i < vpc->n_subnets && !found; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        found = s->n_ports ? bsearch(port, s->ports, s->n_ports,
                                     sizeof *s->ports, name_cmp)
                           : NULL;
    }
    return found;
}

const struct tn_net_port *
tn_reach_port(const struct tn_reach *reach, const char *tenant,
              const char *port, const struct tn_net_vpc **vpc)
{
    const struct tn_network *n = reach->network;
    for (size_t i = vpc_at(n, tenant, ""); i < n->n_vpcs; i++) {
        if (strcmp(n->vpcs[i]->tenant, tenant) != 0) {
            break;
        }
        const struct tn_net_port *p = port_in(n->vpcs[i], port);
        if (p) {
            if (vpc) {
                *vpc = n->vpcs[i];
            }
            return p;
        }
    }
    return NULL;
}

/* ---- places ---------------------------------------------------------------
 */

static bool
parse_prefix(const char *s, struct tn_cidr *out)
{
    struct tn_addr a;
    if (tn_addr_parse(s, &a)) {
        *out = tn_cidr_of_addr(&a);
        return true;
    }
    return tn_cidr_parse(s, out) == TN_CIDR_OK;
}

/* True if the port has an own address of the prefix. */
static bool
is_of(const struct tn_net_port *port, const struct tn_cidr *prefix)
{
    return tn_cidr_contains(prefix, &port->address) ||
           tn_cidr_contains(prefix, &port->address6);
}

/* The only VPC with a port of that address, or with ports of that prefix. */
static enum tn_code
find_owner(const struct tn_reach *reach, const char *text,
           struct tn_reach_place *out, struct tn_error *err)
{
    const struct tn_network *n = reach->network;
    const struct tn_cidr *prefix = &out->prefix;
    bool single = prefix->len == tn_addr_bits(&prefix->addr);
    for (size_t i = 0; i < n->n_vpcs; i++) {
        const struct tn_net_vpc *vpc = n->vpcs[i];
        for (size_t s = 0; s < vpc->n_subnets; s++) {
            const struct tn_net_subnet *subnet = &vpc->subnets[s];
            bool may = tn_cidr_overlap(&subnet->cidr, prefix) ||
                       tn_cidr_overlap(&subnet->cidr6, prefix);
            for (size_t p = 0; may && p < subnet->n_ports; p++) {
                if (!is_of(&subnet->ports[p], prefix)) {
                    continue;
                }
                if (out->vpc && out->vpc != vpc) {
                    return tn_fail(err, TN_EINTENT, 0,
                                   "%s and %s both have a port with %s: write "
                                   "%s/%s or %s/%s",
                                   out->vpc->scope, vpc->scope, text,
                                   out->vpc->scope, text, vpc->scope, text);
                }
                out->vpc = vpc;
                out->port = single ? &subnet->ports[p] : NULL;
            }
        }
    }
    return out->vpc ? TN_OK
                    : tn_fail(err, TN_ENOENT, 0, "no port has %s", text);
}

static enum tn_code
parse_name(const struct tn_reach *reach, const char *tenant, const char *rest,
           struct tn_reach_place *out, struct tn_error *err)
{
    char vpc[128];
    const char *slash = strchr(rest, '/');
    if (!slash) {
        out->port = tn_reach_port(reach, tenant, rest, &out->vpc);
        return out->port ? TN_OK
                         : tn_fail(err, TN_ENOENT, 0,
                                   "tenant %s has no port %s (a prefix of a "
                                   "VPC is TENANT/VPC/PREFIX)",
                                   tenant, rest);
    }
    if ((size_t) (slash - rest) >= sizeof vpc) {
        return tn_fail(err, TN_ENOENT, 0, "no VPC has so long a name");
    }
    memcpy(vpc, rest, (size_t) (slash - rest));
    vpc[slash - rest] = '\0';
    out->vpc = tn_reach_vpc(reach, tenant, vpc);
    if (!out->vpc) {
        return tn_fail(err, TN_ENOENT, 0, "there is no VPC %s/%s", tenant, vpc);
    }
    if (!parse_prefix(slash + 1, &out->prefix)) {
        return tn_fail(err, TN_EINTENT, 0, "'%s' is no address or prefix",
                       slash + 1);
    }
    return TN_OK;
}

enum tn_code
tn_reach_place_parse(const struct tn_reach *reach, const char *text,
                     const struct tn_net_vpc *seen_from,
                     struct tn_reach_place *out, struct tn_error *err)
{
    struct tn_reach_place place = {0};
    enum tn_code code = TN_OK;
    char tenant[128];
    const char *slash = strchr(text, '/');
    if (parse_prefix(text, &place.prefix)) {
        if (!seen_from) { /* Else it is wherever that VPC routes it. */
            code = find_owner(reach, text, &place, err);
        }
    } else if (!slash || (size_t) (slash - text) >= sizeof tenant) {
        code = tn_fail(err, TN_EINTENT, 0,
                       "'%s' is neither TENANT/PORT nor TENANT/VPC/PREFIX nor "
                       "an address",
                       text);
    } else {
        memcpy(tenant, text, (size_t) (slash - text));
        tenant[slash - text] = '\0';
        code = parse_name(reach, tenant, slash + 1, &place, err);
    }
    if (code == TN_OK) {
        *out = place;
    }
    return code;
}

const char *
tn_reach_verdict_word(enum tn_reach_verdict verdict)
{
    static const char *const words[] = {"no", "one-way", "yes"};
    return words[verdict];
}

const char *
tn_reach_role_word(enum tn_reach_role role)
{
    static const char *const words[] = {
        "source", "egress", "route",   "export",
        "import", "holder", "ingress", "return",
    };
    return words[role];
}

/* ---- matrix ---------------------------------------------------------------
 */

static const struct tn_reach_end *const *
ends_of(struct tn_arena *arena, const struct tn_ends *ends, uint32_t class,
        struct tn_reach_class *out)
{
    uint32_t first = ends->first[class], n = ends->first[class + 1] - first;
    const struct tn_reach_end **list =
        tn_new_n(arena, const struct tn_reach_end *, n);
    out->n_ports = 0;
    for (uint32_t i = 0; i < n; i++) {
        list[i] = &ends->items[first + i].e;
        out->n_ports += i == 0 || list[i]->port != list[i - 1]->port;
    }
    out->n_ends = n;
    return list;
}

static void
classes_add(struct tn_arena *arena, const struct tn_ends *ends,
            struct tn_reach_class *out)
{
    for (uint32_t i = 0; i < ends->n_classes; i++) {
        const struct tn_end *end = &ends->items[ends->first[i]];
        out[i].ends = ends_of(arena, ends, i, &out[i]);
        out[i].label = tn_arena_printf(arena, "%s %s", ends->vpc->scope,
                                       tn_end_label(arena, end));
    }
}

struct cells {
    TN_VEC(struct tn_reach_cell) list;
};

static void
cells_fill(struct tn_arena *arena, struct tn_flows *flows, uint32_t to_offset,
           struct cells *out)
{
    for (uint32_t a = 0; a < flows->from->n_classes; a++) {
        for (uint32_t b = 0; b < flows->to->n_classes; b++) {
            bool answered;
            const struct tn_traffic *t = tn_flow(flows, a, b, &answered);
            if (t != &tn_traffic_none) {
                *tn_vec_push(arena, &out->list) =
                    (struct tn_reach_cell){a, b + to_offset, answered, t};
            }
        }
    }
}

void
tn_reach_matrix_between(struct tn_reach *reach, const struct tn_net_vpc *from,
                        const struct tn_net_vpc *to,
                        struct tn_reach_matrix *out)
{
    struct tn_arena *arena = reach->arena;
    const struct tn_net_vpc *vpcs[2] = {from, to};
    bool one = from == to, hosts = tn_vpc_has_claims(to);
    struct tn_cuts *cuts = tn_cuts_new(arena, vpcs, one ? 1 : 2, false);
    struct tn_ends *ends = tn_new_n(arena, struct tn_ends, 2);
    struct tn_flows flows;
    struct cells cells = {0};
    for (size_t i = 0; i < (one ? 1 : 2); i++) {
        tn_ends_list(arena, cuts, vpcs[i], &ends[i]);
        tn_ends_class(arena, &ends[i], hosts);
    }
    size_t offset = one ? 0 : ends[0].n_classes;
    size_t n = ends[0].n_classes + (one ? 0 : ends[1].n_classes);
    struct tn_reach_class *classes =
        tn_new_n(arena, struct tn_reach_class, n + 1);
    classes_add(arena, &ends[0], classes);
    if (!one) {
        classes_add(arena, &ends[1], classes + offset);
    }
    tn_flows_init(&flows, tn_pool_new(arena), &ends[0], &ends[one ? 0 : 1]);
    cells_fill(arena, &flows, (uint32_t) offset, &cells);
    *out = (struct tn_reach_matrix){
        .classes = classes,
        .n_classes = n,
        .cells = cells.list.items,
        .n_cells = cells.list.n,
    };
}

void
tn_reach_matrix(struct tn_reach *reach, const struct tn_net_vpc *vpc,
                struct tn_reach_matrix *out)
{
    tn_reach_matrix_between(reach, vpc, vpc, out);
}
