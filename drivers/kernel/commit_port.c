/* commit_port.c - ports: a pair of interfaces with one end elsewhere, or an
 * interface that is there already and moves into the VPC for as long as the
 * port exists. */
#include "drivers/kernel/commit.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

/* Default routes of several ports in one namespace differ by metric. */
enum { FAR_METRIC = 1024 };

/* IN6_ADDR_GEN_MODE_NONE of <linux/if_link.h>: no link-local address. */
enum { NO_LINK_LOCAL = 1 };

static const char *
name_of(const struct tn_k_port *o)
{
    return o->full_name ? o->full_name : o->link.name + 2;
}

/* "port/web1 in web/eth0", or "port/web1 was tap0": see observe_port.c. */
static const char *
alias_of(const struct tn_k_emit *e, const struct tn_k_port *o)
{
    return o->netns ? tn_arena_printf(e->c->arena, "port/%s in %s/%s",
                                      name_of(o), o->netns, o->interface)
                    : tn_arena_printf(e->c->arena, "port/%s was %s", name_of(o),
                                      o->interface);
}

/* Entries of the bridge's table on the port: those of 'o', less those that
 * 'was' has already. */
static void
change_entries(const struct tn_k_emit *e, struct tn_k_fdb_request r,
               const struct tn_k_port *was, const struct tn_k_port *o)
{
    size_t n_was =
        was && strcmp(was->link.master, o->link.master) == 0 ? was->n_fdb : 0;
    r.flags = NTF_MASTER;
    for (int adding = 1; adding >= 0; adding--) {
        const struct tn_k_port *these = adding ? o : was;
        const struct tn_k_port *those = adding ? was : o;
        size_t n_these = adding ? o->n_fdb : n_was;
        size_t n_those = adding ? n_was : o->n_fdb;
        r.add = adding != 0;
        r.nl_flags = adding ? NLM_F_CREATE | NLM_F_REPLACE : 0;
        for (size_t i = 0; i < n_these; i++) {
            size_t j = 0;
            while (j < n_those &&
                   tn_mac_cmp(&those->fdb[j], &these->fdb[i]) != 0) {
                j++;
            }
            if (j == n_those) {
                r.mac = these->fdb[i];
                tn_k_put_fdb(e, &r);
            }
        }
    }
}

static void
change_routers(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
               const struct tn_k_port *was, const struct tn_k_port *o)
{
    struct tn_k_route_request r = {.space = t->space,
                                   .level = t->level,
                                   .index = t->index,
                                   .metric = FAR_METRIC + t->index};
    for (size_t i = 0; was && i < was->n_routers; i++) {
        size_t j = 0;
        while (j < o->n_routers &&
               o->routers[j].family != was->routers[i].family) {
            j++;
        }
        if (j == o->n_routers) {
            r.to = (struct tn_cidr){{was->routers[i].family, {0}}, 0};
            r.via = was->routers[i];
            tn_k_put_route(e, &r);
        }
    }
    r.add = true;
    r.flags = NLM_F_CREATE | NLM_F_REPLACE;
    for (size_t i = 0; i < o->n_routers; i++) {
        r.to = (struct tn_cidr){{o->routers[i].family, {0}}, 0};
        r.via = o->routers[i];
        tn_k_put_route(e, &r);
    }
}

static bool
has_ipv6(const struct tn_k_port *o)
{
    for (size_t i = 0; i < o->n_addrs; i++) {
        if (o->addrs[i].addr.family == TN_AF_IPV6) {
            return true;
        }
    }
    return false;
}

/* Without an IPv6 address of its own an interface needs no link-local one. */
static void
put_no_link_local(struct tn_k_batch *b)
{
    size_t spec = tn_k_nest(b, IFLA_AF_SPEC);
    size_t inet6 = tn_k_nest(b, AF_INET6);
    tn_k_put_u8(b, IFLA_INET6_ADDR_GEN_MODE, NO_LINK_LOCAL);
    tn_k_nest_end(b, inet6);
    tn_k_nest_end(b, spec);
}

static void
change_far_end(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
               const struct tn_k_port *was, const struct tn_k_port *o)
{
    struct tn_k_batch *b = tn_k_lane(e->c, t->space, t->level);
    enum tn_k_turn turn = o->far_up ? TN_K_UP : TN_K_DOWN;
    tn_k_link_begin(e, b, t->index, 0, was ? turn : TN_K_KEEP);
    if (!was) {
        tn_k_put_alias(e, b,
                       tn_arena_printf(e->c->arena, "port/%s of %s", name_of(o),
                                       o->o.scope));
        if (!has_ipv6(o)) {
            put_no_link_local(b);
        }
    } else {
        tn_k_put(b, IFLA_ADDRESS, o->mac.b, sizeof o->mac.b);
        tn_k_put_u32(b, IFLA_MTU, o->far_mtu);
    }
    tn_k_msg_end(b);
    if (!was) {
        tn_k_raise_link(e, t->space, t->level, t->index);
    }
    tn_k_change_addrs(e, t, was ? was->addrs : NULL, was ? was->n_addrs : 0,
                      o->addrs, o->n_addrs);
    change_routers(e, t, was, o);
}

static void
put_pair(const struct tn_k_emit *e, const struct tn_k_port *o,
         const struct tn_k_addr_target *near,
         const struct tn_k_addr_target *far)
{
    struct tn_k_batch *b = tn_k_lane(e->c, near->space, 0);
    struct ifinfomsg peer = {.ifi_index = (int) far->index};
    tn_k_link_begin(e, b, near->index, NLM_F_CREATE | NLM_F_EXCL, TN_K_KEEP);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put_u32(b, IFLA_MTU, o->link.mtu);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_MASTER, tn_k_space_index(near->space, o->link.master));
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_KIND, "veth");
    size_t data = tn_k_nest(b, IFLA_INFO_DATA);
    size_t nest = tn_k_nest_header(b, VETH_INFO_PEER, &peer, sizeof peer);
    tn_k_put_str(b, IFLA_IFNAME, o->interface);
    tn_k_put(b, IFLA_ADDRESS, o->mac.b, sizeof o->mac.b);
    tn_k_put_u32(b, IFLA_MTU, o->far_mtu);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_NET_NS_FD, (uint32_t) far->space->fd);
    tn_k_nest_end(b, nest);
    tn_k_nest_end(b, data);
    tn_k_nest_end(b, info);
    tn_k_msg_end(b);
}

static enum tn_code
create_pair(const struct tn_k_emit *e, const struct tn_k_port *o,
            struct tn_k_space *space, struct tn_error *err)
{
    struct tn_k_addr_target near = {.space = space}, far = {.level = 1};
    enum tn_code code =
        tn_k_ports_space(e, o->netns, o->o.scope, &far.space, err);
    if (code != TN_OK) {
        return code;
    }
    near.index = tn_k_space_new_index(e->c->s, space, o->link.name);
    far.index = tn_k_space_new_index(e->c->s, far.space, o->interface);
    put_pair(e, o, &near, &far);
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .index = near.index,
                            .after = &o->link,
                            .alias = alias_of(e, o),
                            .is_port = true,
                        });
    change_entries(
        e, (struct tn_k_fdb_request){.space = space, .index = near.index}, NULL,
        o);
    change_far_end(e, &far, NULL, o);
    tn_k_raise_link(e, space, 2, near.index);
    return TN_OK;
}

/* One request moves, renames and marks it, so that it is never in the VPC
 * without saying what it was. */
static enum tn_code
move_in(const struct tn_k_emit *e, const struct tn_k_port *o,
        struct tn_k_space *space, struct tn_error *err)
{
    struct tn_session *s = e->c->s;
    enum tn_code code =
        tn_k_commit_space(e->c, s->underlay->name, &s->underlay, err);
    if (code != TN_OK) {
        return code;
    }
    const struct tn_k_seen_link *l =
        tn_k_table_by_name(&s->underlay->table, o->interface);
    if (!l) {
        e->c->waits = true;
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "host %s has no interface %s for port %s",
                       s->device->name, o->interface, name_of(o));
    }
    uint32_t index = tn_k_space_new_index(s, space, o->link.name);
    struct tn_k_batch *b = tn_k_lane(e->c, s->underlay, 0);
    tn_k_link_begin(e, b, l->link.index, 0, TN_K_KEEP);
    tn_k_put_u32(b, IFLA_NET_NS_FD, (uint32_t) space->fd);
    tn_k_put_u32(b, IFLA_NEW_IFINDEX, index);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_alias(e, b, alias_of(e, o));
    tn_k_msg_end(b);
    struct tn_k_link outside = l->link;
    outside.master = "none";
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .level = 1,
                            .index = index,
                            .before = &outside,
                            .after = &o->link,
                            .alias = alias_of(e, o),
                            .is_port = true,
                        });
    change_entries(
        e,
        (struct tn_k_fdb_request){.space = space, .level = 1, .index = index},
        NULL, o);
    return TN_OK;
}

enum tn_code
tn_k_create_port(const struct tn_k_emit *e, const struct tn_k_port *o,
                 struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = tn_k_new_links(space, false, err);
    }
    if (code != TN_OK) {
        return code;
    }
    return o->netns ? create_pair(e, o, space, err) : move_in(e, o, space, err);
}

static bool
far_end_differs(const struct tn_k_port *a, const struct tn_k_port *b)
{
    if (a->far_mtu != b->far_mtu || a->far_up != b->far_up ||
        tn_mac_cmp(&a->mac, &b->mac) != 0 || a->n_addrs != b->n_addrs ||
        a->n_routers != b->n_routers) {
        return true;
    }
    for (size_t i = 0; i < a->n_addrs; i++) {
        if (tn_cidr_cmp(&a->addrs[i], &b->addrs[i]) != 0) {
            return true;
        }
    }
    for (size_t i = 0; i < a->n_routers; i++) {
        if (tn_addr_cmp(&a->routers[i], &b->routers[i]) != 0) {
            return true;
        }
    }
    return false;
}

enum tn_code
tn_k_update_port(const struct tn_k_emit *e, const struct tn_k_port *was,
                 const struct tn_k_port *o, struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code != TN_OK) {
        return code;
    }
    uint32_t index = tn_k_space_index(space, o->link.name);
    if (!index) {
        return tn_fail(err, TN_ESTALE, 0, "interface %s is not there",
                       o->link.name);
    }
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .index = index,
                            .before = &was->link,
                            .after = &o->link,
                            .alias = alias_of(e, o),
                            .is_port = true,
                        });
    change_entries(e, (struct tn_k_fdb_request){.space = space, .index = index},
                   was, o);
    if (!o->netns || !far_end_differs(was, o)) {
        return TN_OK;
    }
    struct tn_k_addr_target far = {.level = 1, .index = was->far_index};
    code = tn_k_commit_space(e->c, o->netns, &far.space, err);
    if (code == TN_OK) {
        change_far_end(e, &far, was, o);
    }
    return code;
}

enum tn_code
tn_k_return_port(const struct tn_k_emit *e, const struct tn_k_port *o,
                 struct tn_error *err)
{
    struct tn_session *s = e->c->s;
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_ENOENT) {
        return TN_OK;
    }
    if (code == TN_OK) {
        code = tn_k_commit_space(e->c, s->underlay->name, &s->underlay, err);
    }
    uint32_t index = code == TN_OK ? tn_k_space_index(space, o->link.name) : 0;
    if (index == 0) {
        return code;
    }
    struct tn_k_batch *b = tn_k_lane(e->c, space, 0);
    tn_k_link_begin(e, b, index, 0, TN_K_KEEP);
    tn_k_put_u32(b, IFLA_NET_NS_FD, (uint32_t) s->underlay->fd);
    if (strcmp(o->interface, "unknown") != 0) {
        tn_k_put_str(b, IFLA_IFNAME, o->interface);
    }
    tn_k_put_u32(b, IFLA_GROUP, 0);
    tn_k_put(b, IFLA_IFALIAS, "", 0);
    tn_k_msg_end(b);
    return TN_OK;
}
