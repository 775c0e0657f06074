/* observe_entry.c - entries of tables: addresses, forwarding, neighbours,
 * routes.
 *
 * Ours become resources unless they are part of one already (addresses of
 * bridges, entries of ports, routes of peerings); what others added in a
 * namespace of ours is shown as foreign. */
#include "drivers/kernel/observe.h"

#include <stdlib.h>
#include <string.h>

static void
foreign_addresses(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    for (size_t i = 0; i < t->addrs.n; i++) {
        const struct tn_k_seen_addr *a = &t->addrs.items[i];
        if (a->protocol == TN_K_PROTOCOL || a->by_kernel ||
            t->by_name[a->rank]->loopback) {
            continue;
        }
        struct tn_k_address *o = tn_new(v->w->list.arena, struct tn_k_address);
        o->o = tn_k_watch_object(v, TN_K_OBJ_ADDRESS);
        o->link = v->names[a->rank];
        o->addr = a->addr;
        tn_k_watch_add(v->w, &o->o, false);
    }
}

/* Entries of one MAC address on one link begin at 'i': one resource.  Returns
 * where the next begin. */
static size_t
forwarding_entry(struct tn_k_watch_vpc *v, size_t i)
{
    const struct tn_k_table *t = &v->space->table;
    const struct tn_k_seen_fdb *first = &t->fdb.items[i];
    struct tn_k_fdb *o = tn_new(v->w->list.arena, struct tn_k_fdb);
    bool ours = false, bare = false;
    o->o = tn_k_watch_object(v, TN_K_OBJ_FDB);
    o->o.parent = v->keys[first->rank];
    o->vxlan = v->names[first->rank];
    o->mac = first->mac;
    o->tunnel = v->tunnels[first->rank] ? v->tunnels[first->rank] : "none";
    for (; i < t->fdb.n; i++) {
        const struct tn_k_seen_fdb *f = &t->fdb.items[i];
        if (f->rank != first->rank || tn_mac_cmp(&f->mac, &first->mac) != 0) {
            break;
        }
        ours |= f->ours;
        if (f->bridged) {
            o->bridged = true;
        } else {
            o->vtep = f->vtep;
            bare |= !f->ours;
        }
    }
    o->bare = ours && bare;
    tn_k_watch_add(v->w, &o->o, ours);
    return i;
}

/* Flood entries belong to tunnels, our static ones on ports to ports. */
static bool
is_part_of_link(const struct tn_k_watch_vpc *v, const struct tn_k_seen_fdb *f)
{
    const struct tn_k_seen_link *l = v->space->table.by_name[f->rank];
    return l->type == TN_K_TYPE_VXLAN
               ? tn_mac_is_zero(&f->mac)
               : f->ours && f->bridged && l->link.name[0] == TN_K_PORT &&
                     l->link.name[1] == '-';
}

static void
forwarding_entries(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    for (size_t i = 0; i < t->fdb.n;) {
        if (is_part_of_link(v, &t->fdb.items[i])) {
            i++;
        } else {
            i = forwarding_entry(v, i);
        }
    }
}

static void
neighbours(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    for (size_t i = 0; i < t->neighs.n; i++) {
        const struct tn_k_seen_neigh *n = &t->neighs.items[i];
        struct tn_k_neighbour *o =
            tn_new(v->w->list.arena, struct tn_k_neighbour);
        o->o = tn_k_watch_object(v, TN_K_OBJ_NEIGHBOUR);
        o->o.parent = v->keys[n->rank];
        o->bridge = v->names[n->rank];
        o->addr = n->addr;
        o->mac = n->mac;
        o->permanent = n->permanent;
        tn_k_watch_add(v->w, &o->o, n->ours);
    }
}

static bool
is_part_of_peering(const struct tn_k_watch_vpc *v,
                   const struct tn_k_seen_route *r)
{
    const struct tn_k_seen_link *l =
        tn_k_table_by_index(&v->space->table, r->index);
    return l && r->protocol == TN_K_PROTOCOL && v->ends[l->rank];
}

static void
routes(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    for (size_t i = 0; i < t->routes.n; i++) {
        const struct tn_k_seen_route *r = &t->routes.items[i];
        if (is_part_of_peering(v, r)) {
            continue;
        }
        struct tn_k_route *o = tn_new(v->w->list.arena, struct tn_k_route);
        o->o = tn_k_watch_object(v, TN_K_OBJ_ROUTE);
        o->to = r->to;
        o->via = r->via;
        const struct tn_k_seen_link *l = tn_k_table_by_index(t, r->index);
        o->link = l ? v->names[l->rank] : "none";
        o->metric = r->metric;
        o->note = r->note;
        o->tos = r->tos;
        tn_k_watch_add(v->w, &o->o, r->protocol == TN_K_PROTOCOL && !r->tos);
    }
}

/* Ours are in the main table only. */
static void
other_routes(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    for (size_t i = 0; i < t->other_routes.n; i++) {
        const struct tn_k_seen_route *r = &t->other_routes.items[i];
        struct tn_k_route *o = tn_new(v->w->list.arena, struct tn_k_route);
        const struct tn_k_seen_link *l = tn_k_table_by_index(t, r->index);
        o->o = tn_k_watch_object(v, TN_K_OBJ_ROUTE);
        o->to = r->to;
        o->via = r->via;
        o->link = l ? v->names[l->rank] : "none";
        o->metric = r->metric;
        o->note = r->note;
        o->tos = r->tos;
        o->table = r->table;
        tn_k_watch_add(v->w, &o->o, false);
    }
}

static void
add_hook(struct tn_k_watch_vpc *v, const char *kind, const char *name)
{
    struct tn_k_hook *o = tn_new(v->w->list.arena, struct tn_k_hook);
    o->o = tn_k_watch_object(v, TN_K_OBJ_HOOK);
    o->kind = kind;
    o->name = name;
    tn_k_watch_add(v->w, &o->o, false);
}

/* What others made packets meet: rules of routing, and what hangs on links of
 * ours.  Links of theirs are foreign as a whole. */
static void
hooks(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    struct tn_arena *arena = v->w->list.arena;
    for (size_t i = 0; i < t->rules.n; i++) {
        add_hook(v, "policy-rule",
                 tn_arena_strdup(arena, t->rules.items[i].text));
    }
    for (size_t i = 0; i < t->qdiscs.n; i++) {
        const struct tn_k_seen_qdisc *q = &t->qdiscs.items[i];
        const struct tn_k_seen_link *l = tn_k_table_by_index(t, q->index);
        if (l && tn_k_link_ours(l)) {
            add_hook(
                v, "qdisc",
                tn_arena_printf(arena, "%s/%s", v->names[l->rank], q->kind));
        }
    }
    for (size_t i = 0; i < t->links.n; i++) {
        const struct tn_k_seen_link *l = t->by_name[i];
        if (l->xdp && tn_k_link_ours(l)) {
            add_hook(v, "xdp",
                     tn_arena_printf(arena, "%s/program %u", v->names[l->rank],
                                     l->xdp));
        }
    }
}

void
tn_k_watch_entries(struct tn_k_watch_vpc *v)
{
    foreign_addresses(v);
    forwarding_entries(v);
    neighbours(v);
    routes(v);
    other_routes(v);
    hooks(v);
}
