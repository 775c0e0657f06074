/* table.c - see table.h. */
#include "drivers/kernel/table.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* IFA_PROTO values of addresses that the kernel made (since 5.18). */
enum { KERNEL_LOOPBACK = 1, KERNEL_RA = 2, KERNEL_LINK_LOCAL = 3 };

static int
cmp_name(const void *a, const void *b)
{
    const struct tn_k_seen_link *const *x = a, *const *y = b;
    return strcmp((*x)->link.name, (*y)->link.name);
}

static size_t
slot_of(const struct tn_k_table *t, uint32_t index)
{
    return (size_t) (index * 2654435761u) & (t->n_slots - 1);
}

/* Order by name, lookup by index, names of masters. */
static void
build_index(struct tn_k_table *t)
{
    size_t n = t->links.n;
    t->n_slots = 16;
    while (t->n_slots < 2 * n) {
        t->n_slots *= 2;
    }
    t->slots = tn_new_n(t->arena, uint32_t, t->n_slots);
    t->by_name = tn_new_n(t->arena, struct tn_k_seen_link *, n + 1);
    for (size_t i = 0; i < n; i++) {
        t->by_name[i] = &t->links.items[i];
        size_t s = slot_of(t, t->links.items[i].link.index);
        while (t->slots[s]) {
            s = (s + 1) & (t->n_slots - 1);
        }
        t->slots[s] = (uint32_t) i + 1;
    }
    if (n) {
        qsort(t->by_name, n, sizeof(struct tn_k_seen_link *), cmp_name);
    }
    for (size_t i = 0; i < n; i++) {
        struct tn_k_seen_link *l = t->by_name[i];
        l->rank = (uint32_t) i;
        if (l->master_index) {
            const struct tn_k_seen_link *m =
                tn_k_table_by_index(t, l->master_index);
            l->link.master = m ? m->link.name : "unknown";
            if (m && !m->link.up) { /* Ports of such a bridge have to be. */
                l->link.options &= (uint16_t) ~TN_K_OPT_BLOCKED;
            }
        }
    }
}

bool
tn_k_has_settings(const struct tn_k_seen_link *l, const char *mark)
{
    bool ours =
        l->group == TN_K_GROUP || strncmp(l->alias, mark, strlen(mark)) == 0;
    return ours && l->link.name[1] == '-' &&
           ((l->type == TN_K_TYPE_BRIDGE && l->link.name[0] == TN_K_BRIDGE) ||
            (l->type == TN_K_TYPE_VETH && l->link.name[0] == TN_K_LINK));
}

struct tn_k_seen_link *
tn_k_table_by_index(const struct tn_k_table *t, uint32_t index)
{
    if (!t->slots) {
        return NULL;
    }
    for (size_t s = slot_of(t, index); t->slots[s];
         s = (s + 1) & (t->n_slots - 1)) {
        struct tn_k_seen_link *l = &t->links.items[t->slots[s] - 1];
        if (l->link.index == index) {
            return l;
        }
    }
    return NULL;
}

struct tn_k_seen_link *
tn_k_table_by_name(const struct tn_k_table *t, const char *name)
{
    size_t low = 0, high = t->by_name ? t->links.n : 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(t->by_name[mid]->link.name, name);
        if (c == 0) {
            return t->by_name[mid];
        }
        if (c < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* Where the records of each link begin; they are sorted by rank. */
#define BUILD_STARTS(t, vec, start)                                            \
    do {                                                                       \
        (start) = tn_new_n((t)->arena, uint32_t, (t)->links.n + 1);            \
        size_t at_ = 0;                                                        \
        for (size_t r_ = 0; r_ <= (t)->links.n; r_++) {                        \
            while (at_ < (vec)->n && (vec)->items[at_].rank < r_) {            \
                at_++;                                                         \
            }                                                                  \
            (start)[r_] = (uint32_t) at_;                                      \
        }                                                                      \
    } while (0)

static void
reset_links(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->links.n = 0;
    t->top_index = 0;
}

static void
each_link(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    if (msg->nlmsg_type != RTM_NEWLINK) {
        return;
    }
    struct tn_k_seen_link *l = tn_vec_push(t->arena, &t->links);
    tn_k_table_parse_link(t->arena, msg, l);
    if (l->link.index > t->top_index) {
        t->top_index = l->link.index;
    }
    if (l->dying) {
        t->links.n--;
    }
}

enum tn_code
tn_k_table_links(struct tn_k_table *t, struct tn_arena *arena,
                 struct tn_k_sock *sock, struct tn_error *err)
{
    struct {
        struct ifinfomsg ifi;
        struct nlattr head;
        uint32_t mask;
    } request = {
        .head = {8, IFLA_EXT_MASK},
        .mask = RTEXT_FILTER_SKIP_STATS,
    };
    *t = (struct tn_k_table){.arena = arena};
    struct tn_k_dump dump = {RTM_GETLINK, &request,  sizeof request,
                             reset_links, each_link, t};
    enum tn_code code = tn_k_sock_dump(sock, &dump, "links", err);
    if (code == TN_OK) {
        build_index(t);
    }
    return code;
}

static void
reset_addrs(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->addrs.n = 0;
}

void
tn_k_address_read(const struct nlmsghdr *msg, struct tn_k_seen_addr *out)
{
    const struct ifaddrmsg *ifa = NLMSG_DATA(msg);
    *out = (struct tn_k_seen_addr){.addr = {.len = ifa->ifa_prefixlen}};
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *ifa, left)
    {
        switch (tn_k_attr_type(a)) {
        case IFA_LOCAL:
            tn_k_attr_addr(&out->addr.addr, a);
            break;
        case IFA_ADDRESS: /* The other end's, if there is IFA_LOCAL too. */
            if (!tn_addr_present(&out->addr.addr)) {
                tn_k_attr_addr(&out->addr.addr, a);
            }
            break;
        case IFA_PROTO:
            out->protocol = tn_k_attr_u8(a);
            break;
        default:
            break;
        }
    }
    out->by_kernel = out->protocol == KERNEL_LOOPBACK ||
                     out->protocol == KERNEL_RA ||
                     out->protocol == KERNEL_LINK_LOCAL;
}

static void
each_addr(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    const struct ifaddrmsg *ifa = NLMSG_DATA(msg);
    const struct tn_k_seen_link *link = tn_k_table_by_index(t, ifa->ifa_index);
    if (msg->nlmsg_type != RTM_NEWADDR || !link) {
        return;
    }
    struct tn_k_seen_addr seen;
    tn_k_address_read(msg, &seen);
    seen.rank = link->rank;
    *tn_vec_push(t->arena, &t->addrs) = seen;
}

static int
cmp_addr(const void *a, const void *b)
{
    const struct tn_k_seen_addr *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    return tn_cidr_cmp(&x->addr, &y->addr);
}

enum tn_code
tn_k_table_addrs(struct tn_k_table *t, struct tn_k_sock *sock,
                 struct tn_error *err)
{
    struct ifaddrmsg request = {0};
    struct tn_k_dump dump = {RTM_GETADDR, &request,  sizeof request,
                             reset_addrs, each_addr, t};
    enum tn_code code = tn_k_sock_dump(sock, &dump, "addresses", err);
    if (code == TN_OK) {
        if (t->addrs.n) {
            qsort(t->addrs.items, t->addrs.n, sizeof *t->addrs.items, cmp_addr);
        }
        BUILD_STARTS(t, &t->addrs, t->addr_start);
    }
    return code;
}

/* A dump of one family appends to that of the other: an interrupted one forgets
 * its own only. */
struct route_dump {
    struct tn_k_table *t;
    size_t start, other_start;
};

static void
reset_routes(void *ctx)
{
    struct route_dump *d = ctx;
    d->t->routes.n = d->start;
    d->t->other_routes.n = d->other_start;
}

static const char *
route_note(const struct rtmsg *rtm)
{
    switch (rtm->rtm_type) {
    case RTN_UNICAST:
        return NULL;
    case RTN_BLACKHOLE:
        return "blackhole";
    case RTN_UNREACHABLE:
        return "unreachable";
    case RTN_PROHIBIT:
        return "prohibit";
    case RTN_LOCAL:
        return "local";
    case RTN_THROW:
        return "throw";
    case RTN_NAT:
    case RTN_BROADCAST:
    case RTN_ANYCAST:
    case RTN_MULTICAST:
    default:
        return "special";
    }
}

static void
route_attr(struct tn_k_seen_route *seen, const struct nlattr *a)
{
    switch (tn_k_attr_type(a)) {
    case RTA_DST:
        tn_k_attr_addr(&seen->to.addr, a);
        break;
    case RTA_GATEWAY:
        tn_k_attr_addr(&seen->via, a);
        break;
    case RTA_VIA: {
        const struct rtvia *via = tn_k_attr_data(a);
        if (via->rtvia_family == AF_INET6 && tn_k_attr_len(a) >= 18) {
            seen->via.family = TN_AF_IPV6;
            memcpy(seen->via.b, via->rtvia_addr, 16);
        }
        break;
    }
    case RTA_OIF:
        seen->index = tn_k_attr_u32(a);
        break;
    case RTA_PRIORITY:
        seen->metric = tn_k_attr_u32(a);
        break;
    case RTA_TABLE:
        seen->table = tn_k_attr_u32(a);
        break;
    case RTA_MULTIPATH:
        seen->note = "several paths";
        break;
    default:
        break;
    }
}

static void
each_route(void *ctx, const struct nlmsghdr *msg)
{
    struct route_dump *d = ctx;
    const struct rtmsg *rtm = NLMSG_DATA(msg);
    if (msg->nlmsg_type != RTM_NEWROUTE || (rtm->rtm_flags & RTM_F_CLONED) ||
        rtm->rtm_protocol == RTPROT_KERNEL || rtm->rtm_protocol == RTPROT_RA) {
        return;
    }
    struct tn_k_seen_route seen = {
        .to = {{rtm->rtm_family == AF_INET ? TN_AF_IPV4 : TN_AF_IPV6, {0}},
               rtm->rtm_dst_len},
        .protocol = rtm->rtm_protocol,
        .tos = rtm->rtm_tos,
        .note = route_note(rtm),
        .table = rtm->rtm_table,
    };
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *rtm, left)
    {
        route_attr(&seen, a);
    }
    /* What IPv6 calls 1024 is the default. */
    if (rtm->rtm_family == AF_INET6 && seen.metric == 1024) {
        seen.metric = 0;
    }
    bool gone = seen.index && !tn_k_table_by_index(d->t, seen.index);
    if (seen.table == RT_TABLE_MAIN && !gone) {
        *tn_vec_push(d->t->arena, &d->t->routes) = seen;
    } else if (!gone) {
        *tn_vec_push(d->t->arena, &d->t->other_routes) = seen;
    }
}

static enum tn_code
dump_routes(struct tn_k_table *t, struct tn_k_sock *sock, uint8_t family,
            uint32_t table, struct tn_error *err)
{
    struct {
        struct rtmsg rtm;
        struct nlattr head;
        uint32_t table;
    } request = {
        .rtm = {.rtm_family = family},
        .head = {8, RTA_TABLE},
        .table = table,
    };
    struct route_dump d = {t, t->routes.n, t->other_routes.n};
    struct tn_k_dump dump = {RTM_GETROUTE, &request,   sizeof request,
                             reset_routes, each_route, &d};
    return tn_k_sock_dump(sock, &dump, "routes", err);
}

enum tn_code
tn_k_table_routes(struct tn_k_table *t, struct tn_k_sock *sock,
                  struct tn_error *err)
{
    enum tn_code code = dump_routes(t, sock, AF_INET, RT_TABLE_MAIN, err);
    return code == TN_OK ? dump_routes(t, sock, AF_INET6, RT_TABLE_MAIN, err)
                         : code;
}

enum tn_code
tn_k_table_other_routes(struct tn_k_table *t, struct tn_k_sock *sock,
                        struct tn_error *err)
{
    for (size_t i = 0; i < t->lookups.n; i++) {
        const struct tn_k_seen_lookup *l = &t->lookups.items[i];
        struct tn_error local = {0};
        enum tn_code code = dump_routes(t, sock, l->family, l->table, &local);
        /* A table without routes is not there. */
        if (code != TN_OK && code != TN_ENOENT) {
            if (err) {
                *err = local;
            }
            return code;
        }
    }
    return TN_OK;
}

static void
reset_neighs(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->neighs.n = 0;
}

static void
each_neigh(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    const struct ndmsg *nd = NLMSG_DATA(msg);
    const struct tn_k_seen_link *link =
        tn_k_table_by_index(t, (uint32_t) nd->ndm_ifindex);
    if (msg->nlmsg_type != RTM_NEWNEIGH || nd->ndm_state == NUD_NOARP ||
        !link) {
        return;
    }
    struct tn_k_seen_neigh seen = {
        .rank = link->rank,
        .permanent = (nd->ndm_state & NUD_PERMANENT) != 0,
    };
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *nd, left)
    {
        switch (tn_k_attr_type(a)) {
        case NDA_DST:
            tn_k_attr_addr(&seen.addr, a);
            break;
        case NDA_LLADDR:
            tn_k_attr_copy(seen.mac.b, a, sizeof seen.mac.b);
            break;
        case NDA_PROTOCOL:
            seen.ours = tn_k_attr_u8(a) == TN_K_PROTOCOL;
            break;
        default:
            break;
        }
    }
    if (seen.ours || seen.permanent) {
        *tn_vec_push(t->arena, &t->neighs) = seen;
    }
}

enum tn_code
tn_k_table_neighs(struct tn_k_table *t, struct tn_k_sock *sock,
                  struct tn_error *err)
{
    struct ndmsg request = {0};
    struct tn_k_dump dump = {RTM_GETNEIGH, &request,   sizeof request,
                             reset_neighs, each_neigh, t};
    return tn_k_sock_dump(sock, &dump, "neighbours", err);
}

static void
reset_fdb(void *ctx)
{
    struct tn_k_table *t = ctx;
    t->fdb.n = 0;
}

/* False: an entry that a bridge has learned, or has for its own addresses. */
static bool
fdb_counts(const struct tn_k_table *t, const struct ndmsg *nd,
           const struct tn_k_seen_fdb *seen, const struct tn_k_seen_link *link)
{
    if (seen->ours) {
        return true;
    }
    if (!seen->bridged) {
        return link->type == TN_K_TYPE_VXLAN;
    }
    if (!(nd->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
        tn_mac_cmp(&seen->mac, &link->mac) == 0) {
        return false;
    }
    const struct tn_k_seen_link *master =
        tn_k_table_by_index(t, link->master_index);
    return !master || tn_mac_cmp(&seen->mac, &master->mac) != 0;
}

static void
each_fdb(void *ctx, const struct nlmsghdr *msg)
{
    struct tn_k_table *t = ctx;
    const struct ndmsg *nd = NLMSG_DATA(msg);
    if (msg->nlmsg_type != RTM_NEWNEIGH || nd->ndm_family != AF_BRIDGE) {
        return;
    }
    const struct tn_k_seen_link *link =
        tn_k_table_by_index(t, (uint32_t) nd->ndm_ifindex);
    if (!link) {
        return;
    }
    struct tn_k_seen_fdb seen = {
        .rank = link->rank,
        .ours = (nd->ndm_flags & NTF_EXT_LEARNED) != 0,
    };
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *nd, left)
    {
        switch (tn_k_attr_type(a)) {
        case NDA_LLADDR:
            tn_k_attr_copy(seen.mac.b, a, sizeof seen.mac.b);
            break;
        case NDA_DST:
            tn_k_attr_addr(&seen.vtep, a);
            break;
        case NDA_MASTER:
            seen.bridged = true;
            break;
        default:
            break;
        }
    }
    if (!tn_mac_is_multicast(&seen.mac) && fdb_counts(t, nd, &seen, link)) {
        *tn_vec_push(t->arena, &t->fdb) = seen;
    }
}

static int
cmp_fdb(const void *a, const void *b)
{
    const struct tn_k_seen_fdb *x = a, *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    int c = memcmp(&x->mac, &y->mac, sizeof x->mac);
    if (c == 0 && x->bridged != y->bridged) {
        c = x->bridged ? 1 : -1;
    }
    return c != 0 ? c : tn_addr_cmp(&x->vtep, &y->vtep);
}

enum tn_code
tn_k_table_fdb(struct tn_k_table *t, struct tn_k_sock *sock,
               struct tn_error *err)
{
    struct ndmsg request = {.ndm_family = AF_BRIDGE};
    struct tn_k_dump dump = {RTM_GETNEIGH, &request, sizeof request,
                             reset_fdb,    each_fdb, t};
    enum tn_code code = tn_k_sock_dump(sock, &dump, "forwarding entries", err);
    if (code == TN_OK) {
        if (t->fdb.n) {
            qsort(t->fdb.items, t->fdb.n, sizeof *t->fdb.items, cmp_fdb);
        }
        BUILD_STARTS(t, &t->fdb, t->fdb_start);
    }
    return code;
}
