/* commit_entry.c - requests for addresses, forwarding entries, neighbours and
 * routes, each with our mark: IFA_PROTO, NTF_EXT_LEARNED, NDA_PROTOCOL,
 * rtm_protocol. */
#include "drivers/kernel/commit.h"

#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t
family_of(const struct tn_addr *a)
{
    return a->family == TN_AF_IPV4 ? AF_INET : AF_INET6;
}

static void
put_address(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
            const struct tn_cidr *addr, bool add)
{
    struct tn_k_batch *b = tn_k_lane(e->c, t->space, t->level);
    bool ipv6 = addr->addr.family == TN_AF_IPV6;
    struct ifaddrmsg ifa = {
        .ifa_family = family_of(&addr->addr),
        .ifa_prefixlen = addr->len,
        .ifa_index = t->index,
    };
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = add ? RTM_NEWADDR : RTM_DELADDR,
                          .flags = add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
                          .header = &ifa,
                          .header_size = sizeof ifa,
                          .step = e->step,
                          .tolerance = add ? TN_K_STRICT : TN_K_GONE_IS_FINE,
                      });
    tn_k_put_addr(b, IFA_LOCAL, &addr->addr);
    tn_k_put_addr(b, IFA_ADDRESS, &addr->addr);
    if (add) {
        tn_k_put_u8(b, IFA_PROTO, TN_K_PROTOCOL);
        if (ipv6) {
            tn_k_put_u32(b, IFA_FLAGS, IFA_F_NODAD);
        }
    }
    tn_k_msg_end(b);
}

/* Where secondaries are not promoted (a port's namespace, which is not ours to
 * tune), removing an IPv4 address takes along those that were added to its
 * prefix later: what stays is put again. */
static void
restore_addrs(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
              const struct tn_cidr *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (addrs[i].addr.family == TN_AF_IPV4) {
            put_address(e, t, &addrs[i], true);
        }
    }
}

void
tn_k_change_addrs(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
                  const struct tn_cidr *before, size_t n_before,
                  const struct tn_cidr *after, size_t n_after)
{
    bool removed = false;
    for (int adding = 1; adding >= 0; adding--) {
        const struct tn_cidr *these = adding ? after : before;
        const struct tn_cidr *those = adding ? before : after;
        size_t n_these = adding ? n_after : n_before;
        size_t n_those = adding ? n_before : n_after;
        for (size_t i = 0, j = 0; i < n_these; i++) {
            while (j < n_those && tn_cidr_cmp(&those[j], &these[i]) < 0) {
                j++;
            }
            if (j == n_those || tn_cidr_cmp(&those[j], &these[i]) != 0) {
                put_address(e, t, &these[i], adding != 0);
                removed |= !adding && these[i].addr.family == TN_AF_IPV4;
            }
        }
    }
    if (removed) {
        restore_addrs(e, t, after, n_after);
    }
}

/* RTA_VIA: a next hop of another family. */
static void
put_via(struct tn_k_batch *b, const struct tn_addr *via)
{
    unsigned char value[sizeof(struct rtvia) + 16] = {0};
    uint16_t family = AF_INET6;
    memcpy(value, &family, sizeof family);
    memcpy(value + sizeof(struct rtvia), via->b, 16);
    tn_k_put(b, RTA_VIA, value, sizeof value);
}

void
tn_k_put_route(const struct tn_k_emit *e, const struct tn_k_route_request *r)
{
    struct tn_k_batch *b = tn_k_lane(e->c, r->space, r->level);
    struct rtmsg rtm = {
        .rtm_family = family_of(&r->to.addr),
        .rtm_dst_len = r->to.len,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = TN_K_PROTOCOL,
        .rtm_scope = r->add ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
        .rtm_type = r->add ? RTN_UNICAST : 0,
    };
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = r->add ? RTM_NEWROUTE : RTM_DELROUTE,
                          .flags = r->flags,
                          .header = &rtm,
                          .header_size = sizeof rtm,
                          .step = e->step,
                          .tolerance = r->add ? TN_K_STRICT : TN_K_GONE_IS_FINE,
                      });
    if (r->to.len) {
        tn_k_put_addr(b, RTA_DST, &r->to.addr);
    }
    if (tn_addr_present(&r->via)) {
        if (r->via.family == r->to.addr.family) {
            tn_k_put_addr(b, RTA_GATEWAY, &r->via);
        } else {
            put_via(b, &r->via);
        }
    }
    if (r->index) {
        tn_k_put_u32(b, RTA_OIF, r->index);
    }
    if (r->metric) {
        tn_k_put_u32(b, RTA_PRIORITY, r->metric);
    }
    tn_k_msg_end(b);
}

void
tn_k_put_fdb(const struct tn_k_emit *e, const struct tn_k_fdb_request *r)
{
    struct tn_k_batch *b = tn_k_lane(e->c, r->space, r->level);
    struct ndmsg nd = {
        .ndm_family = AF_BRIDGE,
        .ndm_ifindex = (int32_t) r->index,
        .ndm_state = r->add ? NUD_NOARP | NUD_REACHABLE : 0,
        .ndm_flags = r->flags,
    };
    if (r->add) {
        nd.ndm_flags |= NTF_EXT_LEARNED;
    }
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = r->add ? RTM_NEWNEIGH : RTM_DELNEIGH,
                          .flags = r->nl_flags,
                          .header = &nd,
                          .header_size = sizeof nd,
                          .step = e->step,
                          .tolerance = r->add ? TN_K_STRICT : TN_K_GONE_IS_FINE,
                      });
    tn_k_put(b, NDA_LLADDR, r->mac.b, sizeof r->mac.b);
    if (tn_addr_present(&r->vtep)) {
        tn_k_put_addr(b, NDA_DST, &r->vtep);
    }
    tn_k_msg_end(b);
}

/* A link must be there for what is added, and need not for what is removed:
 * then '*index' is 0. */
static enum tn_code
find_link(const struct tn_k_emit *e, const struct tn_k_object *o,
          const char *link, struct tn_k_addr_target *out, struct tn_error *err)
{
    enum tn_code code = tn_k_commit_space(e->c, o->ns, &out->space, err);
    out->level = 0;
    out->index = code == TN_OK ? tn_k_space_index(out->space, link) : 0;
    return code;
}

static enum tn_code
no_link(const char *link, struct tn_error *err)
{
    return tn_fail(err, TN_ESTALE, 0, "interface %s is not there", link);
}

/* The kernel does not let ours take over an entry of somebody else. */
static bool
was_bare(const struct tn_k_emit *e)
{
    const struct tn_resource *was = e->c->steps[e->step].before;
    const struct tn_k_object *o = was ? was->native : NULL;
    return o && o->kind == TN_K_OBJ_FDB &&
           ((const struct tn_k_fdb *) was->native)->bare;
}

enum tn_code
tn_k_set_fdb(const struct tn_k_emit *e, const struct tn_k_fdb *o, bool add,
             struct tn_error *err)
{
    struct tn_k_addr_target t;
    enum tn_code code = find_link(e, &o->o, o->vxlan, &t, err);
    if (code == TN_ENOENT && !add) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    if (t.index == 0) {
        return add ? no_link(o->vxlan, err) : TN_OK;
    }
    struct tn_k_fdb_request r = {
        .space = t.space, .add = add, .index = t.index, .mac = o->mac};
    if (add && was_bare(e)) {
        r.add = false;
        r.flags = NTF_SELF;
        tn_k_put_fdb(e, &r);
        r.add = true;
    }
    if (add && o->bridged && tn_addr_present(&o->vtep)) {
        /* Both tables by one request. */
        r.nl_flags = NLM_F_CREATE | NLM_F_REPLACE;
        r.flags = NTF_MASTER | NTF_SELF;
        r.vtep = o->vtep;
        tn_k_put_fdb(e, &r);
        return TN_OK;
    }
    r.nl_flags = add ? NLM_F_CREATE | NLM_F_REPLACE : 0;
    if (!add || o->bridged) {
        r.flags = NTF_MASTER;
        tn_k_put_fdb(e, &r);
    }
    if (!add || tn_addr_present(&o->vtep)) {
        r.flags = NTF_SELF;
        r.vtep = o->vtep;
        tn_k_put_fdb(e, &r);
    }
    return TN_OK;
}

static void
put_neighbour(const struct tn_k_emit *e, const struct tn_k_addr_target *t,
              const struct tn_addr *addr, const struct tn_mac *mac, bool add)
{
    struct tn_k_batch *b = tn_k_lane(e->c, t->space, t->level);
    struct ndmsg nd = {
        .ndm_family = family_of(addr),
        .ndm_ifindex = (int32_t) t->index,
        .ndm_state = add ? NUD_PERMANENT : 0,
    };
    tn_k_msg_begin(b, &(struct tn_k_msg){
                          .type = add ? RTM_NEWNEIGH : RTM_DELNEIGH,
                          .flags = add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
                          .header = &nd,
                          .header_size = sizeof nd,
                          .step = e->step,
                          .tolerance = add ? TN_K_STRICT : TN_K_GONE_IS_FINE,
                      });
    tn_k_put_addr(b, NDA_DST, addr);
    if (add) {
        tn_k_put(b, NDA_LLADDR, mac->b, sizeof mac->b);
        tn_k_put_u8(b, NDA_PROTOCOL, TN_K_PROTOCOL);
    }
    tn_k_msg_end(b);
}

enum tn_code
tn_k_set_neighbour(const struct tn_k_emit *e, const struct tn_k_neighbour *o,
                   bool add, struct tn_error *err)
{
    struct tn_k_addr_target t;
    enum tn_code code = find_link(e, &o->o, o->bridge, &t, err);
    if (code == TN_ENOENT && !add) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    if (t.index == 0) {
        return add ? no_link(o->bridge, err) : TN_OK;
    }
    put_neighbour(e, &t, &o->addr, &o->mac, add);
    return TN_OK;
}

void
tn_k_restore_neighbours(const struct tn_k_emit *e, struct tn_k_space *space,
                        const char *bridge)
{
    const struct tn_k_table *table = &space->table;
    const struct tn_k_seen_link *l = tn_k_table_by_name(table, bridge);
    for (size_t i = 0; l && i < table->neighs.n; i++) {
        const struct tn_k_seen_neigh *n = &table->neighs.items[i];
        if (n->rank == l->rank && n->ours) {
            put_neighbour(e,
                          &(struct tn_k_addr_target){space, 0, l->link.index},
                          &n->addr, &n->mac, true);
        }
    }
}

enum tn_code
tn_k_set_route(const struct tn_k_emit *e, const struct tn_k_route *o,
               enum tn_op op, struct tn_error *err)
{
    struct tn_k_route_request r = {.to = o->to};
    enum tn_code code = tn_k_commit_space(e->c, o->o.ns, &r.space, err);
    if (code == TN_ENOENT && op == TN_OP_DELETE) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return code;
    }
    r.metric = o->metric;
    r.add = op != TN_OP_DELETE;
    if (r.add) {
        r.via = o->via;
        r.index = tn_k_space_index(r.space, o->link);
        r.flags = NLM_F_CREATE;
        r.flags |= op == TN_OP_CREATE ? NLM_F_EXCL : NLM_F_REPLACE;
    }
    tn_k_put_route(e, &r);
    return TN_OK;
}
