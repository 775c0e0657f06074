/* ends.c - addresses into classes.
 *
 * Prefixes nest or are disjoint, so all prefixes that have an address are known
 * by the closest of them.  The prefixes that rules, routes, peerings and ports
 * name are flattened into stretches that know their closest prefix; an address
 * is looked up by bisection, and a network behind a port is divided where a
 * stretch begins.  Such networks are divided at single addresses too: those of
 * ports, of gateways and of members of groups.
 *
 * Two ends are of one class if they agree in all that flow.c asks for: subnet,
 * groups, closest prefix and membership, and, where they are more than a port's
 * own address, in the port itself. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

struct stretch {
    struct tn_addr start;
    uint32_t node; /* Number of its closest prefix, from 1; 0: none. */
};

struct tn_cuts {
    struct tn_arena *arena;
    TN_VEC(struct tn_cidr) prefixes;
    TN_VEC(struct stretch) stretches;
    TN_VEC(struct tn_addr) points;
    TN_VEC(const struct tn_net_group *) groups; /* That rules name. */
    struct tn_map sets; /* Memberships as text to their number. */
};

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

static bool
next_addr(const struct tn_addr *a, struct tn_addr *out)
{
    return tn_addr_add(a, 1, out);
}

static struct tn_addr
previous(const struct tn_addr *a)
{
    struct tn_addr p = *a;
    for (size_t i = tn_addr_size(a); i-- > 0;) {
        if (p.b[i]--) {
            break;
        }
    }
    return p;
}

static void
add_prefixes(struct tn_cuts *cuts, const struct tn_cidr *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (tn_addr_present(&list[i].addr)) {
            *tn_vec_push(cuts->arena, &cuts->prefixes) = list[i];
        }
    }
}

static void
add_point(struct tn_cuts *cuts, const struct tn_addr *a)
{
    if (tn_addr_present(a)) {
        *tn_vec_push(cuts->arena, &cuts->points) = *a;
    }
}

static void
add_groups(struct tn_cuts *cuts, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_groups; i++) {
        for (size_t k = 0; k < vpc->groups[i].n_rules; k++) {
            const struct tn_net_rule *rule = &vpc->groups[i].rules[k];
            add_prefixes(cuts, &rule->remote, 1);
            if (rule->remote_group) {
                *tn_vec_push(cuts->arena, &cuts->groups) = rule->remote_group;
            }
        }
    }
}

static bool
has_networks(const struct tn_net_vpc *vpc)
{
    return vpc->n_routes || tn_vpc_has_claims(vpc);
}

static void
add_vpc(struct tn_cuts *cuts, const struct tn_net_vpc *vpc, bool points)
{
    add_groups(cuts, vpc);
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        const struct tn_net_subnet *s = &vpc->subnets[i];
        add_prefixes(cuts, &s->cidr, 1);
        add_prefixes(cuts, &s->cidr6, 1);
        add_point(cuts, &s->gateway);
        add_point(cuts, &s->gateway6);
        for (size_t k = 0; k < s->n_ports; k++) {
            const struct tn_net_port *p = &s->ports[k];
            add_prefixes(cuts, p->allowed, p->n_allowed);
            if (points) {
                add_point(cuts, &p->address);
                add_point(cuts, &p->address6);
            }
        }
    }
    for (size_t i = 0; i < vpc->n_routes; i++) {
        add_prefixes(cuts, &vpc->routes[i].to, 1);
    }
    size_t n_taken = 0;
    const struct tn_cidr *taken = tn_outside_cuts(vpc, &n_taken);
    add_prefixes(cuts, taken, n_taken);
    for (size_t i = 0; i < vpc->n_peerings; i++) {
        const struct tn_net_peering *p = &vpc->peerings[i];
        add_prefixes(cuts, p->exports, p->n_exports);
        add_prefixes(cuts, p->imports, p->n_imports);
    }
}

static int
pointer_cmp(const void *a, const void *b)
{
    const struct tn_net_group *const *x = a, *const *y = b;
    return (*x > *y) - (*x < *y);
}

static void
groups_settle(struct tn_cuts *cuts, bool points)
{
    size_t kept = 0;
    if (cuts->groups.n) {
        qsort(cuts->groups.items, cuts->groups.n, sizeof *cuts->groups.items,
              pointer_cmp);
    }
    for (size_t i = 0; i < cuts->groups.n; i++) {
        const struct tn_net_group *g = cuts->groups.items[i];
        if (kept && cuts->groups.items[kept - 1] == g) {
            continue;
        }
        cuts->groups.items[kept++] = g;
        for (size_t k = 0; points && k < g->n_members; k++) {
            add_point(cuts, &g->members[k]);
        }
    }
    cuts->groups.n = kept;
}

static void
points_settle(struct tn_cuts *cuts)
{
    size_t kept = 0;
    struct tn_addr *p = cuts->points.items;
    if (cuts->points.n) {
        qsort(p, cuts->points.n, sizeof *p, addr_cmp);
    }
    for (size_t i = 0; i < cuts->points.n; i++) {
        if (kept == 0 || tn_addr_cmp(&p[kept - 1], &p[i]) != 0) {
            p[kept++] = p[i];
        }
    }
    cuts->points.n = kept;
}

static void
emit(struct tn_cuts *cuts, const struct tn_addr *start, uint32_t node)
{
    size_t n = cuts->stretches.n;
    if (n && tn_addr_cmp(&cuts->stretches.items[n - 1].start, start) == 0) {
        cuts->stretches.items[n - 1].node = node;
    } else {
        *tn_vec_push(cuts->arena, &cuts->stretches) =
            (struct stretch){*start, node};
    }
}

/* Ends the prefixes of the stack that 'next' (null: nothing more) is not in. */
static size_t
leave(struct tn_cuts *cuts, const uint32_t *stack, size_t depth,
      const struct tn_cidr *next)
{
    while (depth) {
        const struct tn_cidr *top = &cuts->prefixes.items[stack[depth - 1] - 1];
        struct tn_addr last, after;
        if (next && tn_cidr_within(next, top)) {
            break;
        }
        last = tn_cidr_last(top);
        depth--;
        if (next_addr(&last, &after)) {
            emit(cuts, &after, depth ? stack[depth - 1] : 0);
        }
    }
    return depth;
}

static void
flatten(struct tn_cuts *cuts)
{
    uint32_t stack[256];
    size_t depth = 0, kept = 0;
    struct tn_cidr *p = cuts->prefixes.items;
    if (cuts->prefixes.n) {
        qsort(p, cuts->prefixes.n, sizeof *p, cidr_cmp);
    }
    for (size_t i = 0; i < cuts->prefixes.n; i++) {
        if (kept == 0 || tn_cidr_cmp(&p[kept - 1], &p[i]) != 0) {
            p[kept++] = p[i];
        }
    }
    cuts->prefixes.n = kept;
    for (unsigned f = TN_AF_IPV4, i = 0; f <= TN_AF_IPV6; f += 2) {
        struct tn_addr zero = {.family = (uint8_t) f};
        emit(cuts, &zero, 0);
        for (; i < kept && p[i].addr.family == f; i++) {
            depth = leave(cuts, stack, depth, &p[i]);
            emit(cuts, &p[i].addr, i + 1);
            stack[depth++] = i + 1;
        }
        depth = leave(cuts, stack, depth, NULL);
    }
}

struct tn_cuts *
tn_cuts_new(struct tn_arena *arena, const struct tn_net_vpc *const *vpcs,
            size_t n, bool points)
{
    struct tn_cuts *cuts = tn_new(arena, struct tn_cuts);
    cuts->arena = arena;
    tn_map_init(&cuts->sets, arena, 0);
    for (size_t i = 0; i < n; i++) {
        points = points || has_networks(vpcs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        add_vpc(cuts, vpcs[i], points);
    }
    add_prefixes(cuts, tn_never, tn_n_never);
    groups_settle(cuts, points);
    points_settle(cuts);
    flatten(cuts);
    return cuts;
}

/* The number of the stretch that has 'a'. */
static size_t
stretch_at(const struct tn_cuts *cuts, const struct tn_addr *a)
{
    size_t lo = 0, hi = cuts->stretches.n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (tn_addr_cmp(&cuts->stretches.items[mid].start, a) <= 0) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* The number of the first point that is not before 'a'. */
static size_t
point_at(const struct tn_cuts *cuts, const struct tn_addr *a)
{
    size_t lo = 0, hi = cuts->points.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tn_addr_cmp(&cuts->points.items[mid], a) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

struct tn_addr
tn_cuts_end(const struct tn_cuts *cuts, const struct tn_addr *a,
            const struct tn_addr *last)
{
    struct tn_addr end = *last;
    size_t s = stretch_at(cuts, a) + 1, p = point_at(cuts, a);
    if (s < cuts->stretches.n &&
        tn_addr_cmp(&cuts->stretches.items[s].start, &end) <= 0) {
        end = previous(&cuts->stretches.items[s].start);
    }
    if (p < cuts->points.n) {
        const struct tn_addr *point = &cuts->points.items[p];
        if (tn_addr_cmp(point, a) == 0) {
            end = *a;
        } else if (tn_addr_cmp(point, &end) <= 0) {
            end = previous(point);
        }
    }
    return end;
}

static uint64_t
members_of(struct tn_cuts *cuts, const struct tn_addr *a)
{
    size_t n = cuts->groups.n;
    char *set = tn_arena_alloc(cuts->arena, n + 1);
    bool some = false;
    for (size_t i = 0; i < n; i++) {
        const struct tn_net_group *g = cuts->groups.items[i];
        bool in = g->n_members && bsearch(a, g->members, g->n_members,
                                          sizeof *g->members, addr_cmp);
        set[i] = in ? '1' : '0';
        some = some || in;
    }
    set[n] = '\0';
    if (!some) {
        return 0;
    }
    void *known = tn_map_get(&cuts->sets, set);
    if (!known) {
        known = (void *) (uintptr_t) (cuts->sets.n + 1);
        tn_map_put(&cuts->sets, set, known);
    }
    return (uintptr_t) known;
}

/* ---- ends -----------------------------------------------------------------
 */

struct listing {
    struct tn_arena *arena;
    struct tn_cuts *cuts;
    const struct tn_net_vpc *vpc;
    const struct tn_net_subnet *subnet;
    const struct tn_net_port *port;
    TN_VEC(struct tn_end) list;
};

static void
push(struct listing *l, struct tn_end end)
{
    end.e.vpc = l->vpc;
    end.e.subnet = l->subnet;
    end.e.port = l->port;
    end.node = l->cuts->stretches.items[stretch_at(l->cuts, &end.e.first)].node;
    end.members = members_of(l->cuts, &end.e.first);
    *tn_vec_push(l->arena, &l->list) = end;
}

static void
push_own(struct listing *l, const struct tn_addr *a)
{
    if (tn_addr_present(a)) {
        push(l, (struct tn_end){
                    .e = {.kind = TN_REACH_OWN, .first = *a, .last = *a},
                    .prefix = tn_cidr_of_addr(a),
                    .sends = true,
                    .receives = true,
                });
    }
}

/* True if the port is one that a static route leads to. */
static bool
is_next_hop(const struct tn_net_route *route, const struct tn_net_port *port)
{
    const struct tn_net_port *holders[64];
    size_t n = tn_holders(route->subnet, &route->via, holders, 64);
    for (size_t i = 0; i < n && i < 64; i++) {
        if (holders[i] == port) {
            return true;
        }
    }
    return false;
}

/* What the route takes of its prefix, divided; the rest is for push_allowed. */
static void
push_behind(struct listing *l, const struct tn_net_route *route)
{
    struct tn_addr a = route->to.addr, last = tn_cidr_last(&route->to), end;
    do {
        end = tn_cuts_end(l->cuts, &a, &last);
        struct tn_end e = {
            .e = {.kind = TN_REACH_BEHIND, .first = a, .last = end},
            .route = route,
            .prefix = route->to,
            .sends = tn_port_may_use(l->vpc, l->port, &a),
            .receives = true,
        };
        if (tn_hop_find(l->vpc, &a).route == route && !tn_addr_never(&a) &&
            !tn_gateway_of(l->vpc, &a) && !tn_port_owns(l->port, &a)) {
            push(l, e);
        }
    } while (tn_addr_cmp(&end, &last) != 0 && next_addr(&end, &a));
}

static bool
somebody_owns(const struct tn_net_subnet *subnet, const struct tn_addr *a)
{
    for (size_t i = 0; i < subnet->n_ports; i++) {
        if (tn_port_owns(&subnet->ports[i], a)) {
            return true;
        }
    }
    return false;
}

static bool
is_behind(const struct listing *l, const struct tn_addr *a)
{
    const struct tn_net_route *r = tn_hop_find(l->vpc, a).route;
    return r && r->subnet == l->subnet && is_next_hop(r, l->port);
}

static void
push_allowed(struct listing *l, const struct tn_cidr *prefix)
{
    struct tn_addr a = prefix->addr, last = tn_cidr_last(prefix), end;
    do {
        end = tn_cuts_end(l->cuts, &a, &last);
        if (tn_port_owns(l->port, &a) || tn_addr_never(&a) ||
            !tn_port_may_use(l->vpc, l->port, &a) || is_behind(l, &a)) {
            continue;
        }
        push(l, (struct tn_end){
                    .e = {.kind = TN_REACH_ALLOWED, .first = a, .last = end},
                    .prefix = *prefix,
                    .sends = true,
                    .receives = tn_subnet_covers(l->subnet, &a) &&
                                tn_hop_find(l->vpc, &a).kind == TN_HOP_SUBNET &&
                                !somebody_owns(l->subnet, &a),
                });
    } while (tn_addr_cmp(&end, &last) != 0 && next_addr(&end, &a));
}

static void
list_port(struct listing *l)
{
    push_own(l, &l->port->address);
    push_own(l, &l->port->address6);
    for (size_t i = 0; i < l->vpc->n_routes; i++) {
        const struct tn_net_route *r = &l->vpc->routes[i];
        if (r->subnet == l->subnet && is_next_hop(r, l->port)) {
            push_behind(l, r);
        }
    }
    for (size_t i = 0; i < l->port->n_allowed; i++) {
        const struct tn_cidr *c = &l->port->allowed[i];
        bool inner = false;
        for (size_t k = 0; k < l->port->n_allowed && !inner; k++) {
            inner = k != i && tn_cidr_within(c, &l->port->allowed[k]);
        }
        if (!inner) {
            push_allowed(l, c);
        }
    }
}

void
tn_ends_list(struct tn_arena *arena, const struct tn_cuts *cuts,
             const struct tn_net_vpc *vpc, struct tn_ends *out)
{
    struct listing l = {
        .arena = arena,
        .cuts = (struct tn_cuts *) (uintptr_t) cuts,
        .vpc = vpc,
    };
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        l.subnet = &vpc->subnets[i];
        for (size_t k = 0; k < l.subnet->n_ports; k++) {
            l.port = &l.subnet->ports[k];
            list_port(&l);
        }
    }
    *out = (struct tn_ends){
        .vpc = vpc,
        .items = l.list.items,
        .n = l.list.n,
    };
}

bool
tn_vpc_has_claims(const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < vpc->n_subnets; i++) {
        for (size_t k = 0; k < vpc->subnets[i].n_ports; k++) {
            if (vpc->subnets[i].ports[k].n_allowed) {
                return true;
            }
        }
    }
    return false;
}

/* ---- classes --------------------------------------------------------------
 */

static int
number_cmp(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int
groups_cmp(const struct tn_net_port *a, const struct tn_net_port *b)
{
    int c = number_cmp(a->n_groups, b->n_groups);
    for (size_t i = 0; i < a->n_groups && !c; i++) {
        c = number_cmp((uintptr_t) a->groups[i], (uintptr_t) b->groups[i]);
    }
    return c;
}

/* Zero for ends of one class. */
static int
class_cmp(const struct tn_end *a, const struct tn_end *b, bool hosts)
{
    int c = number_cmp(a->e.first.family, b->e.first.family);
    c = c ? c : number_cmp(a->e.kind, b->e.kind);
    c = c ? c : number_cmp((uintptr_t) a->e.subnet, (uintptr_t) b->e.subnet);
    c = c ? c : groups_cmp(a->e.port, b->e.port);
    c = c ? c : number_cmp(a->node, b->node);
    c = c ? c : number_cmp(a->members, b->members);
    c = c ? c : number_cmp(a->mark, b->mark);
    c = c ? c : number_cmp(a->sends, b->sends);
    c = c ? c : number_cmp(a->receives, b->receives);
    c = c ? c : number_cmp((uintptr_t) a->route, (uintptr_t) b->route);
    if (!c && a->e.kind != TN_REACH_OWN) {
        c = number_cmp((uintptr_t) a->e.port, (uintptr_t) b->e.port);
        c = c ? c : tn_cidr_cmp(&a->prefix, &b->prefix);
    }
    if (!c && hosts) {
        c = strcmp(a->e.port->host->raw.name, b->e.port->host->raw.name);
    }
    return c;
}

static int
end_cmp(const void *pa, const void *pb, void *hosts)
{
    const struct tn_end *a = pa, *b = pb;
    int c = class_cmp(a, b, *(const bool *) hosts);
    c = c ? c : number_cmp((uintptr_t) a->e.port, (uintptr_t) b->e.port);
    return c ? c : tn_addr_cmp(&a->e.first, &b->e.first);
}

void
tn_ends_class(struct tn_arena *arena, struct tn_ends *ends, bool hosts)
{
    if (ends->n) {
        qsort_r(ends->items, ends->n, sizeof *ends->items, end_cmp, &hosts);
    }
    ends->first = tn_new_n(arena, uint32_t, ends->n + 1);
    ends->n_classes = 0;
    for (size_t i = 0; i < ends->n; i++) {
        if (i == 0 ||
            class_cmp(&ends->items[i - 1], &ends->items[i], hosts) != 0) {
            ends->first[ends->n_classes++] = (uint32_t) i;
        }
        ends->items[i].class = ends->n_classes - 1;
    }
    ends->first[ends->n_classes] = (uint32_t) ends->n;
}

const char *
tn_end_label(struct tn_arena *arena, const struct tn_end *end)
{
    const struct tn_net_port *port = end->e.port;
    char buf[TN_CIDR_TEXT];
    if (tn_is_outside(port)) {
        const char *name = end->e.vpc->external->network->name;
        return end->e.kind == TN_REACH_OWN
                   ? tn_arena_printf(arena, "gateway of external network %s",
                                     name)
               : end->e.kind == TN_REACH_ALLOWED
                   ? tn_arena_printf(arena, "external network %s", name)
                   : tn_arena_printf(arena, "%s behind external network %s",
                                     tn_cidr_format(&end->prefix, buf), name);
    }
    if (end->e.kind == TN_REACH_BEHIND) {
        return tn_arena_printf(arena, "%s behind %s",
                               tn_cidr_format(&end->prefix, buf), port->name);
    }
    if (end->e.kind == TN_REACH_ALLOWED) {
        return tn_arena_printf(arena, "%s as %s", port->name,
                               tn_cidr_format(&end->prefix, buf));
    }
    if (port->n_groups == 0) {
        return "ports without a group";
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_text_add(&t, port->n_groups > 1 ? "groups " : "group ");
    for (size_t i = 0; i < port->n_groups; i++) {
        tn_text_addf(&t, "%s%s", i ? "+" : "", port->groups[i]->name);
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}
