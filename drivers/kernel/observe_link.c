/* observe_link.c - links by their role.
 *
 * What a link is for follows from its type and its name; whose it is follows
 * from its group.  A link that has one of our names but another type stands in
 * the way: it is shown under the key of what we would put there. */
#include "drivers/kernel/observe.h"

#include <stdlib.h>
#include <string.h>

const struct tn_cidr *
tn_k_watch_addrs(struct tn_k_watch *w, const struct tn_k_table *t,
                 const struct tn_k_seen_link *l, size_t *n)
{
    size_t first = t->addr_start[l->rank], end = t->addr_start[l->rank + 1];
    struct tn_cidr *out = NULL;
    *n = 0;
    for (size_t i = first; i < end; i++) {
        if (t->addrs.items[i].protocol == TN_K_PROTOCOL) {
            if (!out) {
                out = tn_new_n(w->list.arena, struct tn_cidr, end - i);
            }
            out[(*n)++] = t->addrs.items[i].addr;
        }
    }
    return out;
}

struct tn_k_link
tn_k_watch_link(const struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    struct tn_k_link link = l->link;
    if (l->master_index) {
        const struct tn_k_seen_link *m =
            tn_k_table_by_index(&v->space->table, l->master_index);
        link.master = m ? v->names[m->rank] : "unknown";
    }
    return link;
}

static void
watch_bridge(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    struct tn_k_bridge *o = tn_new(v->w->list.arena, struct tn_k_bridge);
    o->o = tn_k_watch_object(v, TN_K_OBJ_BRIDGE);
    o->link = tn_k_watch_link(v, l);
    o->mac = l->mac;
    o->addrs = tn_k_watch_addrs(v->w, &v->space->table, l, &o->n_addrs);
    v->keys[l->rank] = tn_k_watch_add(v->w, &o->o, tn_k_link_ours(l));
}

/* The destinations of frames that have none: entries of the zero MAC. */
static void
flood_list(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
           struct tn_k_vxlan *o)
{
    const struct tn_k_table *t = &v->space->table;
    size_t first = t->fdb_start[l->rank], end = t->fdb_start[l->rank + 1];
    struct tn_addr *flood = NULL;
    for (size_t i = first; i < end; i++) {
        const struct tn_k_seen_fdb *f = &t->fdb.items[i];
        if (!tn_mac_is_zero(&f->mac)) {
            break;
        }
        if (!flood) {
            flood = tn_new_n(v->w->list.arena, struct tn_addr, end - i);
        }
        flood[o->n_flood++] = f->vtep;
    }
    o->flood = flood;
}

static void
watch_vxlan(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    struct tn_k_vxlan *o = tn_new(v->w->list.arena, struct tn_k_vxlan);
    o->o = tn_k_watch_object(v, TN_K_OBJ_VXLAN);
    o->link = tn_k_watch_link(v, l);
    o->vni = l->vni;
    o->port = l->port;
    o->local = l->local;
    o->tunnel = tn_k_tunnel(v->w->list.arena, o->vni, &o->local, o->port);
    v->tunnels[l->rank] = o->tunnel;
    flood_list(v, l, o);
    v->keys[l->rank] = tn_k_watch_add(v->w, &o->o, tn_k_link_ours(l));
}

/* The scope that a link leads to; null if it does not say. */
static const char *
peer_by_alias(const struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    size_t n_mark = strlen(v->w->s->mark), n_kind = strlen("peering/");
    if (strncmp(l->alias, v->w->s->mark, n_mark) != 0 ||
        strncmp(l->alias + n_mark, "peering/", n_kind) != 0) {
        return NULL;
    }
    return l->alias + n_mark + n_kind;
}

static bool
is_import(const struct tn_k_seen_route *route, const struct tn_k_seen_link *l)
{
    return route->index == l->link.index && route->protocol == TN_K_PROTOCOL;
}

/* An end whose namespace on the other side is gone, or is another one now, is
 * about to go too.  Of a namespace that was not to be read we cannot say. */
static bool
is_orphan(const struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
          const char *peer_ns)
{
    const struct tn_scope *scope = v->w->scope;
    return !(scope && scope->names) && tn_k_link_ours(l) &&
           !tn_k_space_joins(v->w->s, l, peer_ns, NULL);
}

static void
watch_peering(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
              const char *name)
{
    struct tn_arena *arena = v->w->list.arena;
    const struct tn_k_table *t = &v->space->table;
    const char *peer = peer_by_alias(v, l);
    v->ends[l->rank] = true;
    if (peer &&
        is_orphan(v, l, tn_k_netns_name(arena, v->w->s->device, peer))) {
        return;
    }
    struct tn_k_peering *o = tn_new(arena, struct tn_k_peering);
    o->o = tn_k_watch_object(v, TN_K_OBJ_PEERING);
    o->link = tn_k_watch_link(v, l);
    if (strcmp(name, l->link.name) != 0) {
        o->renamed = v->names[l->rank];
        memcpy(o->link.name, name, strlen(name) + 1);
    }
    o->peer_scope = "unknown";
    if (peer) {
        o->peer_scope = tn_arena_strdup(arena, peer);
        o->peer_ns = tn_k_netns_name(arena, v->w->s->device, peer);
        o->second = strcmp(v->scope, peer) > 0;
    }
    if (o->second) {
        o->o.parent =
            tn_arena_printf(arena, "%s/peering/%s", peer, o->link.name);
    }
    size_t n = 0;
    const struct tn_cidr *addrs = tn_k_watch_addrs(v->w, t, l, &n);
    if (n) {
        o->address = addrs[0];
    }
    struct tn_cidr *routes = tn_new_n(arena, struct tn_cidr, t->routes.n + 1);
    for (size_t i = 0; i < t->routes.n; i++) {
        if (is_import(&t->routes.items[i], l)) {
            o->via = t->routes.items[i].via;
            routes[o->n_routes++] = t->routes.items[i].to;
        }
    }
    if (o->n_routes) {
        qsort(routes, o->n_routes, sizeof *routes, tn_k_cmp_cidr);
    }
    o->routes = routes;
    if (!peer && tn_k_link_ours(l)) {
        *tn_vec_push(arena, &v->w->bare) = o;
    } else {
        tn_k_watch_add(v->w, &o->o, tn_k_link_ours(l));
    }
}

/* The kind of resource that has such a name; "link" if none. */
static const char *
kind_by_name(const char *name)
{
    if (name[0] == '\0' || name[1] != '-') {
        return "link";
    }
    switch (name[0]) {
    case TN_K_BRIDGE:
        return "bridge";
    case TN_K_VXLAN:
        return "vxlan";
    case TN_K_PORT:
        return "port";
    case TN_K_LINK:
        return "peering";
    default:
        return "link";
    }
}

/* An end of a peering under the name that it should have: its own, or, if
 * somebody renamed it and nothing else has that name, the former.  Null: it is
 * none, or does not say. */
static const char *
end_name(const struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
         char name[TN_K_IFNAME])
{
    const char *peer = tn_k_link_ours(l) ? peer_by_alias(v, l) : NULL;
    if (l->type != TN_K_TYPE_VETH || !peer) {
        return NULL;
    }
    tn_k_link_name(v->scope, peer, name);
    const struct tn_k_seen_link *other =
        tn_k_table_by_name(&v->space->table, name);
    return !other || other == l ? name : NULL;
}

static void
watch_other(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    struct tn_k_foreign *o = tn_new(v->w->list.arena, struct tn_k_foreign);
    o->o = tn_k_watch_object(v, TN_K_OBJ_LINK);
    o->link = tn_k_watch_link(v, l);
    o->key_kind = kind_by_name(l->link.name);
    o->type = tn_arena_strdup(v->w->list.arena, l->type_name);
    o->vni = l->type == TN_K_TYPE_VXLAN ? l->vni : 0;
    if (tn_k_link_ours(l)) {
        tn_k_watch_far_name(v, l, &o->netns, &o->interface);
    }
    tn_k_watch_add(v->w, &o->o, tn_k_link_ours(l));
}

static void
watch_link(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    const char *kind = kind_by_name(l->link.name);
    char name[TN_K_IFNAME];
    if (strcmp(kind, "bridge") == 0 && l->type == TN_K_TYPE_BRIDGE) {
        watch_bridge(v, l);
    } else if (strcmp(kind, "vxlan") == 0 && l->type == TN_K_TYPE_VXLAN) {
        watch_vxlan(v, l);
    } else if (end_name(v, l, name)) {
        watch_peering(v, l, name);
    } else if (strcmp(kind, "peering") == 0 && l->type == TN_K_TYPE_VETH) {
        watch_peering(v, l, l->link.name);
    } else if (strcmp(kind, "port") == 0 && l->type != TN_K_TYPE_BRIDGE &&
               l->type != TN_K_TYPE_VXLAN) {
        tn_k_watch_port(v, l);
    } else if (tn_k_link_ours(l) && tn_k_watch_moved_in(v, l)) {
        tn_k_watch_port(v, l); /* To be given back, not to be destroyed. */
    } else {
        watch_other(v, l);
    }
}

/* Somebody took our group from it, but its alias is ours, so it is no stranger;
 * or the other way round.  An end of a peering without alias is not furnished
 * yet. */
static bool
has_lost_mark(const struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    bool group = l->group == TN_K_GROUP;
    bool alias = strncmp(l->alias, v->w->s->mark, strlen(v->w->s->mark)) == 0;
    return group != alias && !l->loopback &&
           (alias || strcmp(kind_by_name(l->link.name), "peering") != 0);
}

void
tn_k_watch_links(struct tn_k_watch_vpc *v)
{
    const struct tn_k_table *t = &v->space->table;
    v->names = tn_new_n(v->w->list.arena, const char *, t->links.n + 1);
    v->keys = tn_new_n(v->w->list.arena, const char *, t->links.n + 1);
    v->tunnels = tn_new_n(v->w->list.arena, const char *, t->links.n + 1);
    v->ends = tn_new_n(v->w->list.arena, bool, t->links.n + 1);
    for (size_t i = 0; i < t->links.n; i++) {
        v->names[i] =
            tn_arena_strdup(v->w->list.arena, t->by_name[i]->link.name);
    }
    for (size_t i = 0; i < t->links.n; i++) {
        struct tn_k_seen_link *l = t->by_name[i];
        l->link.leaving = l->link.leaving || has_lost_mark(v, l);
    }
    for (size_t i = 0; i < t->links.n; i++) {
        if (!t->by_name[i]->loopback) {
            watch_link(v, t->by_name[i]);
        }
    }
}
