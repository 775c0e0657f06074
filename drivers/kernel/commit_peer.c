/* commit_peer.c - links between two VPCs.
 *
 * The pair belongs to the first side: making that makes both ends, deleting it
 * deletes both.  The second side furnishes its end, and strips it; without an
 * alias an end is nothing yet.  Addresses wait until both ends exist, routes
 * until both are up. */
#include "drivers/kernel/commit.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>

static void
put_pair(const struct tn_k_emit *e, const struct tn_k_peering *o,
         struct tn_k_space *space, struct tn_k_space *peer_space)
{
    struct tn_session *s = e->c->s;
    uint32_t index = tn_k_space_new_index(s, space, o->link.name);
    uint32_t peer_index = tn_k_space_new_index(s, peer_space, o->link.name);
    struct tn_k_batch *b = tn_k_lane(e->c, space, 0);
    struct ifinfomsg peer = {.ifi_index = (int) peer_index};
    tn_k_link_begin(e, b, index, NLM_F_CREATE | NLM_F_EXCL, TN_K_KEEP);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put_u32(b, IFLA_MTU, o->link.mtu);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_KIND, "veth");
    size_t data = tn_k_nest(b, IFLA_INFO_DATA);
    size_t nest = tn_k_nest_header(b, VETH_INFO_PEER, &peer, sizeof peer);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put_u32(b, IFLA_MTU, o->link.mtu);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_u32(b, IFLA_NET_NS_FD, (uint32_t) peer_space->fd);
    tn_k_nest_end(b, nest);
    tn_k_nest_end(b, data);
    tn_k_nest_end(b, info);
    tn_k_msg_end(b);
}

static void
put_import(const struct tn_k_emit *e, const struct tn_k_peering *o,
           const struct tn_k_addr_target *t, const struct tn_cidr *to, bool add)
{
    struct tn_k_route_request r = {
        .space = t->space,
        .level = 2,
        .add = add,
        .to = *to,
        .index = t->index,
    };
    if (add) {
        r.flags = NLM_F_CREATE | NLM_F_REPLACE;
        r.via = o->via;
    }
    tn_k_put_route(e, &r);
}

static void
change_imports(const struct tn_k_emit *e, const struct tn_k_peering *was,
               const struct tn_k_peering *o, const struct tn_k_addr_target *t)
{
    for (size_t i = 0; i < o->n_routes; i++) {
        put_import(e, o, t, &o->routes[i], true);
    }
    for (size_t i = 0, j = 0; was && i < was->n_routes; i++) {
        while (j < o->n_routes &&
               tn_cidr_cmp(&o->routes[j], &was->routes[i]) < 0) {
            j++;
        }
        if (j == o->n_routes ||
            tn_cidr_cmp(&o->routes[j], &was->routes[i]) != 0) {
            put_import(e, o, t, &was->routes[i], false);
        }
    }
}

static void
furnish(const struct tn_k_emit *e, const struct tn_k_peering *was,
        const struct tn_k_peering *o, const struct tn_k_addr_target *t)
{
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = t->space,
                            .level = 1,
                            .index = t->index,
                            .before = was ? &was->link : NULL,
                            .after = &o->link,
                            .alias = tn_arena_printf(e->c->arena, "peering/%s",
                                                     o->peer_scope),
                        });
    if (!was) {
        tn_k_raise_link(e, t->space, 1, t->index);
    }
    struct tn_cidr none = {0};
    const struct tn_cidr *had = was ? &was->address : &none;
    tn_k_change_addrs(e, t, had, tn_addr_present(&had->addr), &o->address,
                      tn_addr_present(&o->address.addr));
    change_imports(e, was, o, t);
}

/* What the other side had when it was observed, if it had an end: the pair is
 * made anew, and nobody but us knows that its end went too. */
static size_t
routes_seen(struct tn_arena *arena, const struct tn_k_space *space,
            const char *link, const struct tn_cidr **out)
{
    const struct tn_k_table *t = &space->table;
    const struct tn_k_seen_link *l = tn_k_table_by_name(t, link);
    struct tn_cidr *routes = tn_new_n(arena, struct tn_cidr, t->routes.n + 1);
    size_t n = 0;
    for (size_t i = 0; l && i < t->routes.n; i++) {
        if (t->routes.items[i].index == l->link.index &&
            t->routes.items[i].protocol == TN_K_PROTOCOL) {
            routes[n++] = t->routes.items[i].to;
        }
    }
    *out = routes;
    return n;
}

static void
furnish_other_side(const struct tn_k_emit *e, const struct tn_k_peering *o,
                   struct tn_k_space *peer_space)
{
    struct tn_k_peering other = {
        .o = {TN_K_OBJ_PEERING, o->peer_ns, o->peer_scope, NULL},
        .link = o->link,
        .peer_scope = o->o.scope,
        .address = {o->via, o->address.len},
        .via = o->address.addr,
    };
    other.n_routes =
        routes_seen(e->c->arena, peer_space, o->link.name, &other.routes);
    struct tn_k_addr_target t = {peer_space, 1,
                                 tn_k_space_index(peer_space, o->link.name)};
    furnish(e, NULL, &other, &t);
}

/* Made in this commit, or seen with its other end in place: an end that has
 * lost the other is about to go. */
static bool
pair_exists(const struct tn_k_emit *e, const struct tn_k_peering *o,
            const struct tn_k_space *space)
{
    const char *name = o->link.name;
    const struct tn_k_seen_link *l = tn_k_table_by_name(&space->table, name);
    return tn_map_get(&space->made, name) ||
           (l && tn_k_space_joins(e->c->s, l, o->peer_ns, name));
}

enum tn_code
tn_k_create_peering(const struct tn_k_emit *e, const struct tn_k_peering *o,
                    struct tn_error *err)
{
    struct tn_k_addr_target t = {.level = 1};
    struct tn_k_space *peer_space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &t.space, err);
    if (code == TN_OK && !o->peer_ns) {
        code = tn_fail(err, TN_ESTALE, 0, "%s: where it leads is not known",
                       o->link.name);
    }
    if (code == TN_OK) {
        code = tn_k_commit_space(e->c, o->peer_ns, &peer_space, err);
    }
    if (code == TN_OK) {
        code = tn_k_new_links(t.space, true, err);
    }
    if (code == TN_OK) {
        code = tn_k_new_links(peer_space, true, err);
    }
    if (code != TN_OK) {
        return code;
    }
    if (!pair_exists(e, o, t.space)) {
        const struct tn_k_seen_link *had =
            tn_k_table_by_name(&peer_space->table, o->link.name);
        put_pair(e, o, t.space, peer_space);
        if (had && had->alias[0]) {
            furnish_other_side(e, o, peer_space);
        }
    }
    t.index = tn_k_space_index(t.space, o->link.name);
    furnish(e, NULL, o, &t);
    return TN_OK;
}

/* Under what name an end is, or was, seen. */
static const char *
name_seen(const struct tn_k_peering *o)
{
    return o->renamed ? o->renamed : o->link.name;
}

/* Gives an end its name back.  Older kernels let a link that is down only be
 * renamed, which loses its addresses and routes: they are all put again. */
static void
rename_end(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
           const char *name)
{
    struct tn_k_batch *b = tn_k_lane(e->c, t->space, 0);
    tn_k_link_begin(e, b, t->index, 0, TN_K_DOWN);
    tn_k_msg_end(b);
    tn_k_link_begin(e, b, t->index, 0, TN_K_KEEP);
    tn_k_put_str(b, IFLA_IFNAME, name);
    tn_k_msg_end(b);
    tn_k_raise_link(e, t->space, t->level, t->index);
    tn_k_space_note_index(e->c->s, t->space, name, t->index);
}

enum tn_code
tn_k_update_peering(const struct tn_k_emit *e, const struct tn_k_peering *was,
                    const struct tn_k_peering *o, struct tn_error *err)
{
    struct tn_k_addr_target t = {.level = 1};
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &t.space, err);
    if (code != TN_OK) {
        return code;
    }
    t.index = tn_k_space_index(t.space, name_seen(was));
    if (!t.index) {
        return tn_fail(err, TN_ESTALE, 0, "interface %s is not there",
                       o->link.name);
    }
    struct tn_k_peering bare = *was;
    if (strcmp(name_seen(was), name_seen(o)) != 0) {
        rename_end(e, &t, name_seen(o));
        bare.address = (struct tn_cidr){0};
    }
    furnish(e, &bare, o, &t);
    return TN_OK;
}

enum tn_code
tn_k_delete_peering(const struct tn_k_emit *e, const struct tn_k_peering *o,
                    struct tn_error *err)
{
    if (!o->second) {
        return tn_k_doom_link(e, o->o.ns, name_seen(o), err);
    }
    struct tn_k_addr_target t = {.level = 1};
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &t.space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    t.index = tn_k_space_index(t.space, name_seen(o));
    if (!t.index) {
        return TN_OK;
    }
    tn_k_change_addrs(e, &t, &o->address, tn_addr_present(&o->address.addr),
                      NULL, 0);
    struct tn_k_batch *b = tn_k_lane(e->c, t.space, 1);
    tn_k_link_begin(e, b, t.index, 0, TN_K_DOWN);
    tn_k_put(b, IFLA_IFALIAS, "", 0);
    tn_k_msg_end(b);
    return TN_OK;
}
