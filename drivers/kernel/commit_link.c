/* commit_link.c - bridges and tunnels, and what all links have in common.
 *
 * We choose the index of a link when we make it, so that what follows in the
 * same batch (addresses, entries, ports of a bridge) can refer to it.  The
 * group, our mark, is part of the request that makes it; the alias, for people,
 * comes with the next. */
#include "drivers/kernel/commit.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>

enum { VXLAN_TTL = 64 };

/* Attributes of a bridge's port by option bit. */
static const struct {
    uint16_t option, attr;
} port_options[] = {
    {TN_K_OPT_LEARNING, IFLA_BRPORT_LEARNING},
    {TN_K_OPT_FLOOD, IFLA_BRPORT_UNICAST_FLOOD},
    {TN_K_OPT_MCAST_FLOOD, IFLA_BRPORT_MCAST_FLOOD},
    {TN_K_OPT_BCAST_FLOOD, IFLA_BRPORT_BCAST_FLOOD},
    {TN_K_OPT_NEIGH_SUPPRESS, IFLA_BRPORT_NEIGH_SUPPRESS},
    {TN_K_OPT_HAIRPIN, IFLA_BRPORT_MODE},
    {TN_K_OPT_ISOLATED, IFLA_BRPORT_ISOLATED},
    {TN_K_OPT_GUARD, IFLA_BRPORT_GUARD},
    {TN_K_OPT_LOCKED, IFLA_BRPORT_LOCKED},
};

/* Those of a new bridge, and of a port that was just added to one. */
enum {
    FRESH_BRIDGE_OPTIONS = TN_K_OPT_SNOOPING,
    FRESH_PORT_OPTIONS = TN_K_OPT_LEARNING | TN_K_OPT_FLOOD |
                         TN_K_OPT_MCAST_FLOOD | TN_K_OPT_BCAST_FLOOD,
};

void
tn_k_link_begin(const struct tn_k_emit *e, struct tn_k_batch *b, uint32_t index,
                uint16_t flags, enum tn_k_turn turn)
{
    struct ifinfomsg ifi = {
        .ifi_index = (int) index,
        .ifi_flags = turn == TN_K_UP ? IFF_UP : 0,
        .ifi_change = turn == TN_K_KEEP ? 0 : IFF_UP,
    };
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = RTM_NEWLINK,
                          .flags = flags,
                          .header = &ifi,
                          .header_size = sizeof ifi,
                          .step = e->step,
                      });
}

void
tn_k_put_alias(const struct tn_k_emit *e, struct tn_k_batch *b,
               const char *text)
{
    char alias[256];
    snprintf(alias, sizeof alias, "%s%s", e->c->s->mark, text);
    tn_k_put(b, IFLA_IFALIAS, alias, strlen(alias));
}

static void
put_port_options(struct tn_k_batch *b, uint16_t before, uint16_t after)
{
    uint16_t differ = before ^ after;
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_SLAVE_KIND, "bridge");
    size_t data = tn_k_nest(b, IFLA_INFO_SLAVE_DATA);
    for (size_t i = 0; i < TN_ARRAY_SIZE(port_options); i++) {
        if (differ & port_options[i].option) {
            tn_k_put_u8(b, port_options[i].attr,
                        (after & port_options[i].option) != 0);
        }
    }
    if (before & TN_K_OPT_BLOCKED) {
        tn_k_put_u8(b, IFLA_BRPORT_STATE, BR_STATE_FORWARDING);
    }
    tn_k_nest_end(b, data);
    tn_k_nest_end(b, info);
}

/* Only those that differ: a kernel without VLAN filtering refuses even to be
 * told that it should be off. */
static void
put_bridge_options(struct tn_k_batch *b, uint16_t before, uint16_t after)
{
    uint16_t differ = before ^ after;
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_KIND, "bridge");
    size_t data = tn_k_nest(b, IFLA_INFO_DATA);
    if (differ & TN_K_OPT_STP) {
        tn_k_put_u32(b, IFLA_BR_STP_STATE, (after & TN_K_OPT_STP) != 0);
    }
    if (differ & TN_K_OPT_SNOOPING) {
        tn_k_put_u8(b, IFLA_BR_MCAST_SNOOPING,
                    (after & TN_K_OPT_SNOOPING) != 0);
    }
    if (differ & TN_K_OPT_VLAN) {
        tn_k_put_u8(b, IFLA_BR_VLAN_FILTERING, (after & TN_K_OPT_VLAN) != 0);
    }
    tn_k_nest_end(b, data);
    tn_k_nest_end(b, info);
}

/* Enslaving is a request of its own: options of a port are accepted only once
 * it is one.  Returns the options that the port has then. */
static uint16_t
change_master(const struct tn_k_emit *e, const struct tn_k_link_change *l)
{
    if (!l->before) {
        return FRESH_PORT_OPTIONS;
    }
    if (strcmp(l->before->master, l->after->master) == 0) {
        return l->before->options;
    }
    struct tn_k_batch *b = tn_k_lane(e->c, l->space, l->level);
    tn_k_link_begin(e, b, l->index, 0, TN_K_KEEP);
    tn_k_put_u32(b, IFLA_MASTER, tn_k_space_index(l->space, l->after->master));
    tn_k_msg_end(b);
    return FRESH_PORT_OPTIONS;
}

void
tn_k_change_link(const struct tn_k_emit *e, const struct tn_k_link_change *l)
{
    const struct tn_k_link *was = l->before;
    uint16_t options = l->is_port ? change_master(e, l) : 0;
    struct tn_k_batch *b = tn_k_lane(e->c, l->space, l->level);
    bool mtu = !was || was->mtu != l->after->mtu;
    bool state = was && was->up != l->after->up;
    bool ports = l->is_port && options != l->after->options;
    bool bridge = !l->is_port && was && was->options != l->after->options;
    if (!mtu && !state && !ports && !bridge && !l->alias) {
        return;
    }
    enum tn_k_turn turn = l->after->up ? TN_K_UP : TN_K_DOWN;
    tn_k_link_begin(e, b, l->index, 0, was ? turn : TN_K_KEEP);
    if (mtu) {
        tn_k_put_u32(b, IFLA_MTU, l->after->mtu);
    }
    if (l->alias) {
        tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
        tn_k_put_alias(e, b, l->alias);
    }
    if (ports) {
        put_port_options(b, options, l->after->options);
    } else if (bridge) {
        put_bridge_options(b, was->options, l->after->options);
    }
    tn_k_msg_end(b);
}

void
tn_k_raise_link(const struct tn_k_emit *e, struct tn_k_space *space, int level,
                uint32_t index)
{
    struct tn_k_batch *b = tn_k_lane(e->c, space, level);
    tn_k_link_begin(e, b, index, 0, TN_K_UP);
    tn_k_msg_end(b);
}

/* "bridge/b-front": the alias of a link that is known by its own name. */
static const char *
alias_of(const struct tn_k_emit *e, const char *kind, const char *name)
{
    return tn_arena_printf(e->c->arena, "%s/%s", kind, name);
}

/* What is needed again of the mark when a link is changed: all of it, if it is
 * not or no longer in our group. */
static const char *
alias_again(const struct tn_k_emit *e, const struct tn_k_link *was,
            const char *kind)
{
    const struct tn_step *step = &e->c->steps[e->step];
    bool foreign = step->before && step->before->owner == TN_FOREIGN;
    return foreign || was->leaving ? alias_of(e, kind, was->name) : NULL;
}

enum tn_code
tn_k_create_bridge(const struct tn_k_emit *e, const struct tn_k_bridge *o,
                   struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = tn_k_new_links(space, true, err);
    }
    if (code != TN_OK) {
        return code;
    }
    struct tn_k_batch *b = tn_k_lane(e->c, space, 0);
    uint32_t index = tn_k_space_new_index(e->c->s, space, o->link.name);
    tn_k_link_begin(e, b, index, NLM_F_CREATE | NLM_F_EXCL, TN_K_KEEP);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put(b, IFLA_ADDRESS, o->mac.b, sizeof o->mac.b);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
    put_bridge_options(b, FRESH_BRIDGE_OPTIONS, o->link.options);
    tn_k_msg_end(b);
    /* The MTU comes after: only then does the bridge keep it when ports go. */
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .index = index,
                            .after = &o->link,
                            .alias = alias_of(e, "bridge", o->link.name),
                        });
    *tn_vec_push(e->c->arena, &e->c->low) = e->step;
    return TN_OK;
}

void
tn_k_raise_bridges(struct tn_k_commit *c)
{
    for (size_t i = 0; i < c->low.n; i++) {
        struct tn_k_emit e = {c, c->low.items[i]};
        const struct tn_k_bridge *o = c->steps[e.step].after->native;
        struct tn_k_space *space = tn_map_get(&c->s->spaces, o->o.ns);
        uint32_t index = space ? tn_k_space_index(space, o->link.name) : 0;
        if (index && c->outcomes[e.step] == TN_STEP_DONE) {
            tn_k_raise_link(&e, space, 0, index);
            tn_k_change_addrs(&e, &(struct tn_k_addr_target){space, 0, index},
                              NULL, 0, o->addrs, o->n_addrs);
        }
    }
    c->low.n = 0;
}

static enum tn_code
known_index(const struct tn_k_space *space, const struct tn_k_link *link,
            uint32_t *index, struct tn_error *err)
{
    *index = tn_k_space_index(space, link->name);
    return *index ? TN_OK
                  : tn_fail(err, TN_ESTALE, 0, "interface %s is not there",
                            link->name);
}

enum tn_code
tn_k_update_bridge(const struct tn_k_emit *e, const struct tn_k_bridge *was,
                   const struct tn_k_bridge *o, struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    uint32_t index = 0;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = known_index(space, &o->link, &index, err);
    }
    if (code != TN_OK) {
        return code;
    }
    if (tn_mac_cmp(&was->mac, &o->mac) != 0) {
        struct tn_k_batch *b = tn_k_lane(e->c, space, 0);
        tn_k_link_begin(e, b, index, 0, TN_K_KEEP);
        tn_k_put(b, IFLA_ADDRESS, o->mac.b, sizeof o->mac.b);
        tn_k_msg_end(b);
        /* The kernel drops all neighbours of a link that changes its own. */
        tn_k_restore_neighbours(e, space, o->link.name);
    }
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .index = index,
                            .before = &was->link,
                            .after = &o->link,
                            .alias = alias_again(e, &was->link, "bridge"),
                        });
    tn_k_change_addrs(e, &(struct tn_k_addr_target){space, 0, index},
                      was->addrs, was->n_addrs, o->addrs, o->n_addrs);
    return TN_OK;
}

static void
put_vxlan_info(struct tn_k_batch *b, const struct tn_k_vxlan *o)
{
    size_t info = tn_k_nest(b, IFLA_LINKINFO);
    tn_k_put_str(b, IFLA_INFO_KIND, "vxlan");
    size_t data = tn_k_nest(b, IFLA_INFO_DATA);
    uint16_t port = htons(o->port);
    tn_k_put_u32(b, IFLA_VXLAN_ID, o->vni);
    tn_k_put_addr(
        b, o->local.family == TN_AF_IPV4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6,
        &o->local);
    tn_k_put(b, IFLA_VXLAN_PORT, &port, sizeof port);
    tn_k_put_u8(b, IFLA_VXLAN_LEARNING, 0);
    tn_k_put_u8(b, IFLA_VXLAN_TTL, VXLAN_TTL);
    tn_k_nest_end(b, data);
    tn_k_nest_end(b, info);
}

/* Entries of the zero MAC: added with APPEND, removed one by one. */
static void
change_flood(const struct tn_k_emit *e, struct tn_k_fdb_request r,
             const struct tn_k_vxlan *was, const struct tn_k_vxlan *o)
{
    size_t n_was = was ? was->n_flood : 0;
    r.flags = NTF_SELF;
    for (int adding = 1; adding >= 0; adding--) {
        const struct tn_k_vxlan *these = adding ? o : was;
        const struct tn_k_vxlan *those = adding ? was : o;
        size_t n_these = adding ? o->n_flood : n_was;
        size_t n_those = adding ? n_was : o->n_flood;
        r.add = adding != 0;
        r.nl_flags = adding ? NLM_F_CREATE | NLM_F_APPEND : 0;
        for (size_t i = 0, j = 0; i < n_these; i++) {
            while (j < n_those &&
                   tn_addr_cmp(&those->flood[j], &these->flood[i]) < 0) {
                j++;
            }
            if (j == n_those ||
                tn_addr_cmp(&those->flood[j], &these->flood[i]) != 0) {
                r.vtep = these->flood[i];
                tn_k_put_fdb(e, &r);
            }
        }
    }
}

enum tn_code
tn_k_create_vxlan(const struct tn_k_emit *e, const struct tn_k_vxlan *o,
                  struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = tn_k_commit_space(e->c, e->c->s->underlay->name,
                                 &e->c->s->underlay, err);
    }
    if (code == TN_OK) {
        code = tn_k_new_links(space, false, err);
    }
    if (code != TN_OK) {
        return code;
    }
    uint32_t index = tn_k_space_new_index(e->c->s, space, o->link.name);
    struct tn_k_batch *b = tn_k_lane(e->c, e->c->s->underlay, 0);
    tn_k_link_begin(e, b, index, NLM_F_CREATE | NLM_F_EXCL, TN_K_KEEP);
    tn_k_put_u32(b, IFLA_NET_NS_FD, (uint32_t) space->fd);
    tn_k_put_str(b, IFLA_IFNAME, o->link.name);
    tn_k_put_u32(b, IFLA_MTU, o->link.mtu);
    tn_k_put_u32(b, IFLA_GROUP, TN_K_GROUP);
    tn_k_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
    tn_k_put_u32(b, IFLA_MASTER, tn_k_space_index(space, o->link.master));
    put_vxlan_info(b, o);
    tn_k_msg_end(b);
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .level = 1,
                            .index = index,
                            .after = &o->link,
                            .alias = alias_of(e, "vxlan", o->link.name),
                            .is_port = true,
                        });
    tn_k_raise_link(e, space, 1, index);
    change_flood(
        e,
        (struct tn_k_fdb_request){.space = space, .level = 1, .index = index},
        NULL, o);
    return TN_OK;
}

enum tn_code
tn_k_update_vxlan(const struct tn_k_emit *e, const struct tn_k_vxlan *was,
                  const struct tn_k_vxlan *o, struct tn_error *err)
{
    struct tn_k_space *space = NULL;
    uint32_t index = 0;
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &space, err);
    if (code == TN_OK) {
        code = known_index(space, &o->link, &index, err);
    }
    if (code != TN_OK) {
        return code;
    }
    tn_k_change_link(e, &(struct tn_k_link_change){
                            .space = space,
                            .index = index,
                            .before = &was->link,
                            .after = &o->link,
                            .alias = alias_again(e, &was->link, "vxlan"),
                            .is_port = true,
                        });
    change_flood(e, (struct tn_k_fdb_request){.space = space, .index = index},
                 was, o);
    return TN_OK;
}
