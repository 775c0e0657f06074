/* diff.c - what a commit lets through that was not, and the other way round.
 *
 * For each VPC that changed: the traffic inside it, and in both directions
 * between it and whoever it peers with, before or after.  Ends of before and
 * after are joined by name (addresses may have moved), so that each pair of
 * former and present class is one joint class; traffic of a pair of joint
 * classes is compared as sets, and what differs is told by labels. */
#include "model/reach/engine.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "model/base/text.h"

#define NO_CLASS UINT32_MAX
enum { ORIGINS_MAX = 12 };

/* A VPC that takes part, as it was and as it is; null: not there. */
struct party {
    const struct tn_net_vpc *vpc[2];
};

/* Ends that had one class and have one class. */
struct joint {
    uint32_t class[2];
    const char *label[2];
    const struct tn_net_port **ports; /* Of each end, as it is, or was; by
                                         name. */
    size_t n_ends;
};

/* One side of a flow. */
struct joined {
    const struct party *party;
    struct tn_ends ends[2];
    struct joint *joints;
    size_t n_joints;
    struct tn_map totals[2]; /* Label to number of ports. */
};

/* A difference while it is collected. */
struct entry {
    struct tn_reach_difference d;
    TN_VEC(const struct tn_net_port *) from, to;
    size_t total_from, total_to;
};

struct diff {
    struct tn_arena *arena;
    struct tn_pool *pool;
    const struct tn_reach_changes *changes;
    TN_VEC(struct entry *) entries;
    struct tn_map by_key;
    size_t n_flows;
};

/* ---- joining ends ---------------------------------------------------------
 */

/* The same end before and after: its own address by family, others by what
 * they are. */
static int
identity_cmp(const struct tn_end *a, const struct tn_end *b)
{
    int c = strcmp(a->e.port->name, b->e.port->name);
    if (c == 0) {
        c = (a->e.kind > b->e.kind) - (a->e.kind < b->e.kind);
    }
    if (c == 0 && a->e.kind == TN_REACH_OWN) {
        return a->e.first.family - b->e.first.family;
    }
    if (c == 0) {
        c = tn_addr_cmp(&a->e.first, &b->e.first);
    }
    return c ? c : tn_addr_cmp(&a->e.last, &b->e.last);
}

static int
identity_pointer_cmp(const void *a, const void *b)
{
    return identity_cmp(*(const struct tn_end *const *) a,
                        *(const struct tn_end *const *) b);
}

static const struct tn_end **
by_identity(struct tn_arena *arena, const struct tn_ends *ends)
{
    const struct tn_end **list =
        tn_new_n(arena, const struct tn_end *, ends->n + 1);
    for (size_t i = 0; i < ends->n; i++) {
        list[i] = &ends->items[i];
    }
    if (ends->n) {
        qsort(list, ends->n, sizeof *list, identity_pointer_cmp);
    }
    return list;
}

/* An end of before, of after, or of both. */
struct pair {
    const struct tn_end *end[2];
};

static uint32_t
class_of(const struct tn_end *end)
{
    return end ? end->class : NO_CLASS;
}

static int
pair_cmp(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    for (size_t i = 0; i < 2; i++) {
        uint32_t p = class_of(x->end[i]), q = class_of(y->end[i]);
        if (p != q) {
            return p < q ? -1 : 1;
        }
    }
    const struct tn_end *p = x->end[1] ? x->end[1] : x->end[0];
    const struct tn_end *q = y->end[1] ? y->end[1] : y->end[0];
    return identity_cmp(p, q);
}

static struct pair *
pairs_of(struct tn_arena *arena, const struct joined *j, size_t *n)
{
    const struct tn_end **b = by_identity(arena, &j->ends[0]);
    const struct tn_end **a = by_identity(arena, &j->ends[1]);
    size_t i = 0, k = 0, nb = j->ends[0].n, na = j->ends[1].n;
    struct pair *pairs = tn_new_n(arena, struct pair, nb + na + 1);
    *n = 0;
    while (i < nb || k < na) {
        int c = i == nb ? 1 : k == na ? -1 : identity_cmp(b[i], a[k]);
        pairs[(*n)++] =
            (struct pair){{c <= 0 ? b[i] : NULL, c >= 0 ? a[k] : NULL}};
        i += c <= 0;
        k += c >= 0;
    }
    if (*n) {
        qsort(pairs, *n, sizeof *pairs, pair_cmp);
    }
    return pairs;
}

/* Counts the ports of the joint that the label does not have yet. */
static void
total_add(struct tn_arena *arena, struct tn_map *totals, const char *label,
          const struct joint *joint)
{
    uintptr_t n = (uintptr_t) tn_map_get(totals, label);
    for (size_t i = 0; i < joint->n_ends; i++) {
        const char *name = joint->ports[i]->name;
        char *key = tn_arena_printf(arena, "%s|%s", label, name);
        n += tn_map_put(totals, key, totals) == NULL;
    }
    tn_map_put(totals, label, (void *) n);
}

static void
joint_add(struct tn_arena *arena, struct joint *joint, const struct pair *pair)
{
    const struct tn_end *end = pair->end[1] ? pair->end[1] : pair->end[0];
    if (joint->n_ends == 0) {
        for (size_t i = 0; i < 2; i++) {
            joint->class[i] = class_of(pair->end[i]);
            joint->label[i] =
                pair->end[i] ? tn_end_label(arena, pair->end[i]) : NULL;
        }
    }
    joint->ports[joint->n_ends++] = end->e.port;
}

static void
joints_make(struct tn_arena *arena, struct joined *j)
{
    size_t n = 0;
    struct pair *pairs = pairs_of(arena, j, &n);
    const struct tn_net_port **ports =
        tn_new_n(arena, const struct tn_net_port *, n + 1);
    j->joints = tn_new_n(arena, struct joint, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 ||
            class_of(pairs[i].end[0]) != class_of(pairs[i - 1].end[0]) ||
            class_of(pairs[i].end[1]) != class_of(pairs[i - 1].end[1])) {
            j->joints[j->n_joints++].ports = &ports[i];
        }
        joint_add(arena, &j->joints[j->n_joints - 1], &pairs[i]);
    }
    for (size_t w = 0; w < 2; w++) {
        tn_map_init(&j->totals[w], arena, 0);
        for (size_t i = 0; i < j->n_joints; i++) {
            if (j->joints[i].label[w]) {
                total_add(arena, &j->totals[w], j->joints[i].label[w],
                          &j->joints[i]);
            }
        }
    }
}

static void
joined_make(struct diff *d, const struct tn_cuts *cuts, bool hosts,
            struct joined *j)
{
    for (size_t w = 0; w < 2; w++) {
        if (j->party->vpc[w]) {
            tn_ends_list(d->arena, cuts, j->party->vpc[w], &j->ends[w]);
        }
        tn_ends_class(d->arena, &j->ends[w], hosts);
    }
    joints_make(d->arena, j);
}

/* ---- differences -----------------------------------------------------------
 */

/* All that a difference is made from: 'which' network has the traffic. */
struct found {
    struct joined *from, *to;
    const struct joint *a, *b;
    const struct tn_traffic *traffic;
    unsigned which; /* 1: it widens. */
    struct tn_flows *flows;
};

static bool
same_origin(const struct tn_origin *a, const struct tn_origin *b)
{
    return a->line == b->line && a->column == b->column &&
           tn_streq(a->path, b->path);
}

/* The lines that decide for one pair of ports. */
static void
explain(struct diff *d, const struct found *f, const struct tn_end *from,
        const struct tn_end *to, struct tn_reach_difference *out)
{
    struct tn_reach_part part;
    struct tn_origin *list = tn_new_n(d->arena, struct tn_origin, ORIGINS_MAX);
    size_t n = 0;
    tn_reach_trace(
        &(struct tn_reach_trace){
            .arena = d->arena,
            .vpc = f->from->party->vpc[f->which],
            .port = from->e.port,
            .from = from->e.first,
            .to = to->e.first,
            .holder = to->e.port,
            .traffic = f->traffic,
        },
        &part);
    for (size_t i = 0; i < part.n_steps && n < ORIGINS_MAX; i++) {
        const struct tn_reach_step *s = &part.steps[i];
        bool tells =
            s->role == TN_REACH_INGRESS || s->role == TN_REACH_EGRESS ||
            s->role == TN_REACH_EXPORT || s->role == TN_REACH_IMPORT ||
            (s->role == TN_REACH_ROUTE && to->e.kind == TN_REACH_BEHIND);
        for (size_t k = 0; k < n && tells; k++) {
            tells = !same_origin(&list[k], &s->at);
        }
        if (tells && s->at.path) {
            list[n++] = s->at;
        }
    }
    if (n == 0) {
        list[n++] = to->e.port->origin;
    }
    out->origins = list;
    out->n_origins = n;
}

static void
entry_begin(struct diff *d, const struct found *f, struct entry *e)
{
    const struct tn_net_vpc *from = f->from->party->vpc[f->which];
    const struct tn_net_vpc *to = f->to->party->vpc[f->which];
    const struct tn_end *x = NULL, *y = NULL;
    e->d.tenant = from->tenant;
    e->d.from =
        tn_arena_printf(d->arena, "%s %s", from->scope, f->a->label[f->which]);
    e->d.to =
        tn_arena_printf(d->arena, "%s %s", to->scope, f->b->label[f->which]);
    e->d.from_vpc = from->scope;
    e->d.to_vpc = to->scope;
    e->d.traffic = f->traffic;
    e->d.widens = f->which == 1;
    e->d.crosses = strcmp(from->tenant, to->tenant) != 0;
    e->total_from = (uintptr_t) tn_map_get(&f->from->totals[f->which],
                                           f->a->label[f->which]);
    e->total_to =
        (uintptr_t) tn_map_get(&f->to->totals[f->which], f->b->label[f->which]);
    if (tn_flow_example(f->flows, f->a->class[f->which],
                        f -> b -> class[f->which], &x, &y)) {
        explain(d, f, x, y, &e->d);
    }
    const struct tn_net_port *p = f->a->ports[0], *q = f->b->ports[0];
    for (size_t i = 0; i < f->b->n_ends && strcmp(p->name, q->name) == 0; i++) {
        q = f->b->ports[i];
    }
    for (size_t i = 0; i < f->a->n_ends && strcmp(p->name, q->name) == 0; i++) {
        p = f->a->ports[i];
    }
    e->d.example = tn_arena_printf(d->arena, "%s/%s -> %s/%s", from->tenant,
                                   p->name, to->tenant, q->name);
}

static struct entry *
entry_of(struct diff *d, const struct found *f)
{
    char *key = tn_arena_printf(
        d->arena, "%s %s|%s %s|%u|%p", f->from->party->vpc[f->which]->scope,
        f->a->label[f->which], f->to->party->vpc[f->which]->scope,
        f->b->label[f->which], f->which, (const void *) f->traffic);
    struct entry *e = tn_map_get(&d->by_key, key);
    if (!e) {
        e = tn_new(d->arena, struct entry);
        entry_begin(d, f, e);
        tn_map_put(&d->by_key, key, e);
        *tn_vec_push(d->arena, &d->entries) = e;
    }
    return e;
}

/* How many of the ends from '*at' on are of one port. */
static size_t
run_of(const struct joint *j, size_t *at)
{
    size_t first = (*at)++;
    while (*at < j->n_ends &&
           strcmp(j->ports[*at]->name, j->ports[first]->name) == 0) {
        (*at)++;
    }
    return *at - first;
}

/* Pairs of ends of two joint classes, those of one port left out. */
static size_t
pairs_between(const struct found *f)
{
    size_t n = f->a->n_ends * f->b->n_ends;
    for (size_t i = 0, k = 0; f->from->party == f->to->party &&
                              i < f->a->n_ends && k < f->b->n_ends;) {
        int c = strcmp(f->a->ports[i]->name, f->b->ports[k]->name);
        size_t x = c <= 0 ? run_of(f->a, &i) : 0;
        size_t y = c >= 0 ? run_of(f->b, &k) : 0;
        n -= x * y;
    }
    return n;
}

static void
differs(struct diff *d, const struct found *f)
{
    size_t pairs = pairs_between(f);
    if (pairs == 0) {
        return;
    }
    struct entry *e = entry_of(d, f);
    e->d.n_pairs += pairs;
    for (size_t i = 0; i < f->a->n_ends; i++) {
        *tn_vec_push(d->arena, &e->from) = f->a->ports[i];
    }
    for (size_t i = 0; i < f->b->n_ends; i++) {
        *tn_vec_push(d->arena, &e->to) = f->b->ports[i];
    }
}

static const struct tn_traffic *
traffic_of(struct tn_flows *flows, const struct joint *a, const struct joint *b,
           unsigned which)
{
    if (a->class[which] == NO_CLASS || b->class[which] == NO_CLASS) {
        return &tn_traffic_none;
    }
    return tn_flow(flows, a->class[which], b -> class[which], NULL);
}

static void
compare(struct diff *d, struct joined *from, struct joined *to)
{
    struct tn_flows flows[2];
    for (size_t w = 0; w < 2; w++) {
        if (from->party->vpc[w] && to->party->vpc[w]) {
            tn_flows_init(&flows[w], d->pool, &from->ends[w], &to->ends[w]);
        }
    }
    for (size_t i = 0; i < from->n_joints; i++) {
        for (size_t k = 0; k < to->n_joints; k++) {
            const struct joint *a = &from->joints[i], *b = &to->joints[k];
            const struct tn_traffic *t[2];
            for (unsigned w = 0; w < 2; w++) {
                t[w] = traffic_of(&flows[w], a, b, w);
            }
            for (unsigned w = 0; w < 2 && t[0] != t[1]; w++) {
                struct found f = {from, to, a, b, NULL, w, &flows[w]};
                f.traffic = tn_pool_minus(d->pool, t[w], t[!w]);
                if (f.traffic != &tn_traffic_none) {
                    differs(d, &f);
                }
            }
        }
    }
    d->n_flows++;
}

static void
pair_diff(struct diff *d, const struct party *v, const struct party *p)
{
    const struct tn_net_vpc *vpcs[4] = {0};
    size_t n = 0;
    bool hosts = false;
    for (size_t w = 0; w < 2; w++) {
        if (v->vpc[w]) {
            vpcs[n++] = v->vpc[w];
        }
        if (p != v && p->vpc[w]) {
            vpcs[n++] = p->vpc[w];
        }
    }
    for (size_t i = 0; i < n; i++) {
        hosts = hosts || tn_vpc_has_claims(vpcs[i]);
    }
    struct tn_cuts *cuts = tn_cuts_new(d->arena, vpcs, n, false);
    struct joined a = {.party = v}, b = {.party = p};
    joined_make(d, cuts, hosts, &a);
    if (p == v) {
        compare(d, &a, &a);
        return;
    }
    joined_make(d, cuts, hosts, &b);
    compare(d, &a, &b);
    compare(d, &b, &a);
}

/* ---- which VPCs -------------------------------------------------------------
 */

static bool
is_touched(const struct tn_reach_changes *changes, const char *scope)
{
    size_t lo = 0, hi = changes->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct tn_reach_touched *t = &changes->items[mid];
        int c = strcmp((t->after ? t->after : t->before)->scope, scope);
        if (c == 0) {
            return true;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

/* What devices hold of such a VPC stays as it is, whatever the network says. */
static bool
is_held(const struct tn_network *network, const struct tn_net_vpc *vpc)
{
    for (size_t i = 0; i < network->n_tenants; i++) {
        if (network->tenants[i].failed &&
            strcmp(network->tenants[i].name, vpc->tenant) == 0) {
            return true;
        }
    }
    return tn_texts_has(network->held_scopes, network->n_held, vpc->scope);
}

/* The peers of a VPC, before and after; a pair of touched VPCs is that of the
 * first of the two. */
static void
touched_diff(struct diff *d, const struct tn_reach_touched *t)
{
    struct tn_map seen;
    struct party v = {{t->before, t->after}};
    const char *scope = (t->after ? t->after : t->before)->scope;
    if (is_held(d->changes->after, t->after ? t->after : t->before)) {
        return;
    }
    tn_map_init(&seen, d->arena, 0);
    pair_diff(d, &v, &v);
    for (size_t w = 0; w < 2; w++) {
        for (size_t i = 0; v.vpc[w] && i < v.vpc[w]->n_peerings; i++) {
            const struct tn_net_vpc *other = v.vpc[w]->peerings[i].peer;
            const char *peer = other->scope;
            if (tn_map_put(&seen, peer, d) ||
                is_held(d->changes->after, other) ||
                (is_touched(d->changes, peer) && strcmp(peer, scope) < 0)) {
                continue;
            }
            struct party p = {{tn_network_vpc(d->changes->before, peer),
                               tn_network_vpc(d->changes->after, peer)}};
            pair_diff(d, &v, &p);
        }
    }
}

static int
pointer_cmp(const void *a, const void *b)
{
    const struct tn_net_port *const *x = a, *const *y = b;
    return (*x > *y) - (*x < *y);
}

static size_t
distinct(const struct tn_net_port **ports, size_t n)
{
    size_t kept = 0;
    qsort(ports, n, sizeof *ports, pointer_cmp);
    for (size_t i = 0; i < n; i++) {
        kept += i == 0 || ports[i] != ports[i - 1];
    }
    return kept;
}

static int
difference_cmp(const void *a, const void *b)
{
    const struct tn_reach_difference *x = a, *y = b;
    int c = strcmp(x->tenant, y->tenant);
    c = c ? c : (int) y->widens - (int) x->widens;
    c = c ? c : strcmp(x->from, y->from);
    c = c ? c : strcmp(x->to, y->to);
    return c ? c : tn_traffic_cmp(x->traffic, y->traffic);
}

static void
finish(struct diff *d, struct tn_reach_diff *out)
{
    struct tn_reach_difference *items =
        tn_new_n(d->arena, struct tn_reach_difference, d->entries.n + 1);
    *out = (struct tn_reach_diff){
        .items = items,
        .n = d->entries.n,
        .n_vpcs = d->changes->n_vpcs,
        .n_touched = d->changes->n,
        .n_flows = d->n_flows,
    };
    for (size_t i = 0; i < d->entries.n; i++) {
        struct entry *e = d->entries.items[i];
        items[i] = e->d;
        items[i].n_from_ports = distinct(e->from.items, e->from.n);
        items[i].n_to_ports = distinct(e->to.items, e->to.n);
        items[i].whole = items[i].n_from_ports == e->total_from &&
                         items[i].n_to_ports == e->total_to;
        *(e->d.widens ? &out->n_widen : &out->n_narrow) += 1;
    }
    if (out->n) {
        qsort(items, out->n, sizeof *items, difference_cmp);
    }
}

/* The same with what is outside. */
static struct tn_reach_changes
changes_outside(struct tn_arena *arena, const struct tn_reach_changes *changes)
{
    struct tn_reach_changes out = *changes;
    struct tn_reach_touched *items =
        tn_new_n(arena, struct tn_reach_touched, changes->n);
    out.before = tn_outside_view(arena, changes->before);
    out.after = tn_outside_view(arena, changes->after);
    for (size_t i = 0; i < changes->n; i++) {
        const struct tn_reach_touched *t = &changes->items[i];
        items[i] = (struct tn_reach_touched){
            t->before ? tn_network_vpc(out.before, t->before->scope) : NULL,
            t->after ? tn_network_vpc(out.after, t->after->scope) : NULL,
        };
    }
    out.items = items;
    return out;
}

void
tn_reach_diff_of(struct tn_arena *arena, const struct tn_reach_changes *changes,
                 struct tn_reach_diff *out)
{
    const struct tn_reach_changes outside = changes_outside(arena, changes);
    struct diff d = {
        .arena = arena,
        .pool = tn_pool_new(arena),
        .changes = &outside,
    };
    tn_map_init(&d.by_key, arena, 0);
    for (size_t i = 0; i < outside.n; i++) {
        touched_diff(&d, &outside.items[i]);
    }
    finish(&d, out);
}

void
tn_reach_diff(struct tn_arena *arena, const struct tn_network *before,
              const struct tn_network *after, struct tn_reach_diff *out)
{
    struct tn_reach_changes changes;
    tn_reach_changes_find(arena, before, after, &changes);
    tn_reach_diff_of(arena, &changes, out);
}
