/* observe_port.c - ports: an interface here, its other end somewhere else.
 *
 * The alias of the interface says where: "port/<name> in <netns>/<interface>",
 * or "port/<name> was <interface>" of an interface that we moved here.  Without
 * it (a crash came between the two requests that make a port) the wanted state
 * may still tell. */
#include "drivers/kernel/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of where the port's other end is. */
struct where {
    const char *full_name, *netns, *interface; /* Null: not known. */
};

/* Splits at the first 'by'; the rest, or null. */
static char *
split(char *s, const char *by)
{
    char *p = strstr(s, by);
    if (!p) {
        return NULL;
    }
    *p = '\0';
    return p + strlen(by);
}

static struct where
where_by_alias(struct tn_arena *arena, const char *mark, const char *alias)
{
    struct where w = {0};
    size_t n_mark = strlen(mark), n_kind = strlen("port/");
    if (strncmp(alias, mark, n_mark) != 0 ||
        strncmp(alias + n_mark, "port/", n_kind) != 0) {
        return w;
    }
    char *name = tn_arena_strdup(arena, alias + n_mark + n_kind);
    w.full_name = name;
    char *was = split(name, " was ");
    if (was) {
        w.interface = was;
        return w;
    }
    char *in = split(name, " in ");
    if (in) {
        w.netns = in;
        w.interface = split(in, "/");
    }
    return w;
}

static struct where
where_by_want(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    char key[TN_K_IFNAME + 160];
    struct where w = {0};
    snprintf(key, sizeof key, "%s/port/%s", v->scope, l->link.name);
    const struct tn_resource *r =
        v->w->want ? tn_state_get(v->w->want, key) : NULL;
    if (r) {
        const struct tn_k_port *o = r->native;
        w = (struct where){o->full_name, o->netns, o->interface};
    }
    return w;
}

/* The other end, if it is in the namespace it should be in. */
static const struct tn_k_seen_link *
far_link(const struct tn_k_table *t, const struct tn_k_seen_link *l)
{
    const struct tn_k_seen_link *far = tn_k_table_by_index(t, l->peer_index);
    return far && far->type == TN_K_TYPE_VETH &&
                   far->peer_index == l->link.index
               ? far
               : NULL;
}

static void
default_routes(struct tn_arena *arena, const struct tn_k_table *t,
               const struct tn_k_seen_link *far, struct tn_k_port *o)
{
    struct tn_addr *routers = tn_new_n(arena, struct tn_addr, 2);
    for (size_t i = 0; i < t->routes.n && o->n_routers < 2; i++) {
        const struct tn_k_seen_route *r = &t->routes.items[i];
        if (r->index == far->link.index && r->protocol == TN_K_PROTOCOL &&
            r->to.len == 0) {
            routers[o->n_routers++] = r->via;
        }
    }
    qsort(routers, o->n_routers, sizeof *routers, tn_k_cmp_addr);
    o->routers = routers;
}

static void
watch_far_end(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
              const struct where *where, struct tn_k_port *o)
{
    struct tn_arena *arena = v->w->list.arena;
    const struct tn_k_space *space = tn_k_space_seen(v->w->s, where->netns);
    const struct tn_k_seen_link *far =
        space ? far_link(&space->table, l) : NULL;
    if (!far) {
        return;
    }
    o->netns = tn_arena_strdup(arena, where->netns);
    o->interface = tn_arena_strdup(arena, far->link.name);
    o->mac = far->mac;
    o->far_index = far->link.index;
    o->far_mtu = far->link.mtu;
    o->far_up = far->link.up;
    o->addrs = tn_k_watch_addrs(v->w, &space->table, far, &o->n_addrs);
    default_routes(arena, &space->table, far, o);
}

static void
static_entries(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
               struct tn_k_port *o)
{
    const struct tn_k_table *t = &v->space->table;
    size_t first = t->fdb_start[l->rank], end = t->fdb_start[l->rank + 1];
    struct tn_mac *macs = NULL;
    for (size_t i = first; i < end; i++) {
        if (t->fdb.items[i].ours && t->fdb.items[i].bridged) {
            if (!macs) {
                macs = tn_new_n(v->w->list.arena, struct tn_mac, end - i);
            }
            macs[o->n_fdb++] = t->fdb.items[i].mac;
        }
    }
    o->fdb = macs;
}

const char *
tn_k_watch_alias_netns(struct tn_arena *arena, const char *mark,
                       const char *alias)
{
    return where_by_alias(arena, mark, alias).netns;
}

bool
tn_k_watch_moved_in(const struct tn_k_watch_vpc *v,
                    const struct tn_k_seen_link *l)
{
    struct where where =
        where_by_alias(v->w->list.arena, v->w->s->mark, l->alias);
    return where.interface && !where.netns;
}

void
tn_k_watch_far_name(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l,
                    const char **netns, const char **interface)
{
    struct where where =
        where_by_alias(v->w->list.arena, v->w->s->mark, l->alias);
    const struct tn_k_space *space = l->type == TN_K_TYPE_VETH && where.netns
                                         ? tn_k_space_seen(v->w->s, where.netns)
                                         : NULL;
    const struct tn_k_seen_link *far =
        space ? far_link(&space->table, l) : NULL;
    if (far) {
        *netns = where.netns;
        *interface = tn_arena_strdup(v->w->list.arena, far->link.name);
    }
}

void
tn_k_watch_port(struct tn_k_watch_vpc *v, const struct tn_k_seen_link *l)
{
    struct tn_k_port *o = tn_new(v->w->list.arena, struct tn_k_port);
    struct where where =
        where_by_alias(v->w->list.arena, v->w->s->mark, l->alias);
    if (!where.interface) {
        where = where_by_want(v, l);
    }
    o->o = tn_k_watch_object(v, TN_K_OBJ_PORT);
    o->link = tn_k_watch_link(v, l);
    o->full_name = where.full_name;
    static_entries(v, l, o);
    if (l->type == TN_K_TYPE_VETH && (where.netns || !where.interface)) {
        o->netns = "unknown";
        o->interface = "unknown";
        if (where.netns) {
            watch_far_end(v, l, &where, o);
        }
    } else {
        o->interface = where.interface ? where.interface : "unknown";
    }
    tn_k_watch_add(v->w, &o->o, tn_k_link_ours(l));
}
