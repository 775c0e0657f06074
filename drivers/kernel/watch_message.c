/* watch_message.c - a message of the kernel: does observe() see what it says,
 * and whom does it concern?
 *
 * The rules of what counts are those of table.c and observe*.c, which read
 * dumps of the same messages.  A key is told where the message alone gives it
 * away; who is told the scope only will find the rest. */
#include "drivers/kernel/watch.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netconf.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "drivers/kernel/table.h"

/* A message being looked at. */
struct heard {
    struct tn_watch *w;
    const struct tn_k_watched *space;
    const struct nlmsghdr *msg;
};

static void
say(const struct heard *h, const struct tn_event *event)
{
    struct tn_event e = *event;
    e.writer = h->msg->nlmsg_pid;
    tn_k_events_add(h->w, &e);
}

static const char *
link_kind(const char *name)
{
    static const struct {
        char prefix;
        const char *kind;
    } kinds[] = {{TN_K_BRIDGE, "bridge"},
                 {TN_K_VXLAN, "vxlan"},
                 {TN_K_PORT, "port"},
                 {TN_K_LINK, "peering"}};
    for (size_t i = 0; i < TN_ARRAY_SIZE(kinds); i++) {
        if (name[0] == kinds[i].prefix && name[1] == '-') {
            return kinds[i].kind;
        }
    }
    return "link";
}

static const char *
link_key(const struct heard *h, const char *name)
{
    return tn_arena_printf(h->w->scratch, "%s/%s/%s", h->space->scope,
                           link_kind(name), name);
}

static bool
is_role(const struct tn_k_heard_link *l, char prefix)
{
    return l->name[0] == prefix && l->name[1] == '-';
}

static const struct tn_k_end *
end_of(const struct tn_k_watched *space, const char *interface)
{
    for (size_t i = 0; i < space->ends.n; i++) {
        if (strcmp(space->ends.items[i].interface, interface) == 0) {
            return &space->ends.items[i];
        }
    }
    return NULL;
}

/* --- links --------------------------------------------------------------- */

static bool
in_the_way(const struct tn_watch *w, const struct tn_k_seen_link *seen)
{
    if (seen->type != TN_K_TYPE_VXLAN || seen->port != w->plan.vxlan_port) {
        return false;
    }
    for (size_t i = 0; i < w->plan.vnis.n; i++) {
        if (w->plan.vnis.items[i] == seen->vni) {
            return true;
        }
    }
    return false;
}

struct link_news {
    const char *name;
    enum tn_event_type type;
    bool in_the_way; /* A tunnel of others. */
    uint32_t index;
};

static void
say_link(const struct heard *h, const struct link_news *news)
{
    static const char *const verbs[] = {[TN_EVENT_CHANGED] = "changed",
                                        [TN_EVENT_GONE] = "deleted",
                                        [TN_EVENT_APPEARED] = "appeared"};
    const struct tn_k_watched *s = h->space;
    struct tn_event e = {.type = news->type,
                         .what =
                             tn_arena_printf(h->w->scratch, "link %s %s",
                                             news->name, verbs[news->type])};
    if (s->scope) {
        e.scope = s->scope;
        e.key = strcmp(news->name, "lo") == 0
                    ? tn_arena_printf(h->w->scratch, "%s/netns", s->scope)
                    : link_key(h, news->name);
        say(h, &e);
    }
    const struct tn_k_end *end = end_of(s, news->name);
    if (end) {
        e.scope = end->scope;
        e.key = end->key;
        say(h, &e);
    }
    if (s->underlay &&
        (news->in_the_way || news->index == h->w->underlay_index)) {
        e.scope = "";
        e.key = NULL;
        say(h, &e);
    }
}

static void
link_there(const struct heard *h, struct tn_k_watched *space)
{
    struct tn_k_seen_link seen;
    tn_k_table_parse_link(h->w->scratch, h->msg, &seen);
    if (seen.loopback && !space->scope && !space->underlay) {
        return;
    }
    struct tn_k_heard_link was = tn_k_watched_hear(space, h->msg, &seen);
    const struct tn_k_heard_link *is =
        tn_k_watched_link(space, seen.link.index);
    struct link_news news = {is->name, TN_EVENT_CHANGED,
                             in_the_way(h->w, &seen), is->index};
    if (was.index && was.state == is->state) {
        return;
    }
    if (!was.index) {
        news.type = TN_EVENT_APPEARED;
    } else if (strcmp(was.name, is->name) != 0) {
        struct link_news old = {was.name, TN_EVENT_GONE, false, is->index};
        say_link(h, &old);
        news.type = TN_EVENT_APPEARED;
    }
    say_link(h, &news);
}

static void
link_gone(const struct heard *h, struct tn_k_watched *space)
{
    struct tn_k_seen_link seen;
    tn_k_table_parse_link(h->w->scratch, h->msg, &seen);
    struct link_news news = {seen.link.name, TN_EVENT_GONE,
                             in_the_way(h->w, &seen), seen.link.index};
    tn_k_watched_forget(space, seen.link.index);
    say_link(h, &news);
}

uint64_t
tn_k_watch_port_options(const struct nlattr *nest)
{
    static const bool counts[] = {
        [IFLA_BRPORT_LEARNING] = true,       [IFLA_BRPORT_UNICAST_FLOOD] = true,
        [IFLA_BRPORT_MCAST_FLOOD] = true,    [IFLA_BRPORT_BCAST_FLOOD] = true,
        [IFLA_BRPORT_NEIGH_SUPPRESS] = true, [IFLA_BRPORT_MODE] = true,
        [IFLA_BRPORT_ISOLATED] = true,       [IFLA_BRPORT_GUARD] = true,
        [IFLA_BRPORT_LOCKED] = true,
    };
    uint64_t options = 1;
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, nest, left)
    {
        size_t type = (size_t) tn_k_attr_type(a);
        if (type < TN_ARRAY_SIZE(counts) && counts[type]) {
            /* Two bits each: what was said, and that it was. */
            options |= (2ull | (tn_k_attr_u8(a) != 0)) << (2 * (type % 31) + 1);
        }
    }
    return options;
}

/* What a bridge says of a port: its options, as no other message does. */
static void
bridge_port(const struct heard *h, const struct tn_k_watched *space)
{
    const struct ifinfomsg *ifi = NLMSG_DATA(h->msg);
    struct tn_k_heard_link *l =
        tn_k_watched_link(space, (uint32_t) ifi->ifi_index);
    const struct nlattr *a;
    int left;
    if (!l || !space->scope) {
        return; /* Its own message is still to come. */
    }
    TN_K_EACH_ATTR_OF(a, h->msg, sizeof *ifi, left)
    {
        uint64_t options = tn_k_attr_type(a) == IFLA_PROTINFO
                               ? tn_k_watch_port_options(a)
                               : l->options;
        if (options != l->options) {
            l->options = options;
            struct link_news news = {l->name, TN_EVENT_CHANGED, false,
                                     l->index};
            say_link(h, &news);
        }
    }
}

static void
link_message(const struct heard *h, struct tn_k_watched *space)
{
    const struct ifinfomsg *ifi = NLMSG_DATA(h->msg);
    bool gone = h->msg->nlmsg_type == RTM_DELLINK;
    if (ifi->ifi_family == AF_BRIDGE) {
        if (!gone) {
            bridge_port(h, space);
        }
    } else if (gone) {
        link_gone(h, space);
    } else {
        link_there(h, space);
    }
}

/* --- addresses ----------------------------------------------------------- */

struct address {
    uint32_t index;
    struct tn_cidr at;
    uint8_t protocol;
    const char *verb;
};

static void
underlay_address(const struct heard *h, const struct address *a)
{
    if (tn_addr_cmp(&a->at.addr, &h->w->plan.address) != 0) {
        return;
    }
    if (h->msg->nlmsg_type == RTM_NEWADDR) {
        h->w->underlay_index = a->index;
    }
    char text[TN_CIDR_TEXT];
    struct tn_event e = {
        .type = TN_EVENT_CHANGED,
        .scope = "",
        .what = tn_arena_printf(h->w->scratch, "underlay address %s %s",
                                tn_cidr_format(&a->at, text), a->verb)};
    say(h, &e);
}

static void
say_address(const struct heard *h, const struct address *a)
{
    const struct tn_k_watched *s = h->space;
    const struct tn_k_heard_link *l = tn_k_watched_link(s, a->index);
    bool ours = a->protocol == TN_K_PROTOCOL;
    char text[TN_CIDR_TEXT];
    struct tn_event e = {
        .type = TN_EVENT_CHANGED,
        .what = tn_arena_printf(h->w->scratch, "address %s of %s %s",
                                tn_cidr_format(&a->at, text),
                                l ? l->name : "a link", a->verb)};
    if (s->underlay) {
        underlay_address(h, a);
    }
    if (s->scope && (ours || !(l && l->loopback))) {
        e.scope = s->scope;
        e.key = !l     ? NULL
                : ours ? link_key(h, l->name)
                       : tn_arena_printf(h->w->scratch, "%s/address/%s/%s",
                                         s->scope, l->name, text);
        say(h, &e);
    }
    const struct tn_k_end *end = l && ours ? end_of(s, l->name) : NULL;
    if (end) {
        e.scope = end->scope;
        e.key = end->key;
        say(h, &e);
    }
}

static void
address_message(const struct heard *h)
{
    const struct ifaddrmsg *ifa = NLMSG_DATA(h->msg);
    struct tn_k_seen_addr read;
    tn_k_address_read(h->msg, &read);
    const struct address seen = {
        .index = ifa->ifa_index,
        .at = read.addr,
        .protocol = read.protocol,
        .verb = h->msg->nlmsg_type == RTM_NEWADDR ? "added" : "deleted"};
    if (read.by_kernel && h->space->underlay) {
        underlay_address(h, &seen);
    } else if (!read.by_kernel) {
        say_address(h, &seen);
    }
}

/* --- routes -------------------------------------------------------------- */

struct route {
    struct tn_cidr to;
    uint32_t index, metric, table;
    uint8_t tos;
};

/* As observe() names it: what follows the prefix. */
static const char *
route_more(const struct heard *h, const struct route *r)
{
    struct tn_arena *arena = h->w->scratch;
    const char *s = "";
    if (r->metric) {
        s = tn_arena_printf(arena, " metric %u", r->metric);
    }
    if (r->tos) {
        s = tn_arena_printf(arena, "%s tos %u", s, r->tos);
    }
    if (r->table != RT_TABLE_MAIN) {
        s = tn_arena_printf(arena, "%s table %u", s, r->table);
    }
    return s;
}

static void
say_route(const struct heard *h, const struct route *r, bool ours)
{
    const struct tn_k_watched *s = h->space;
    const struct tn_k_heard_link *l = tn_k_watched_link(s, r->index);
    bool gone = h->msg->nlmsg_type == RTM_DELROUTE;
    char text[TN_CIDR_TEXT];
    tn_cidr_format(&r->to, text);
    struct tn_event e = {.type = gone ? TN_EVENT_GONE : TN_EVENT_APPEARED,
                         .what =
                             tn_arena_printf(h->w->scratch, "route to %s %s",
                                             text, gone ? "deleted" : "added")};
    if (s->scope && l && ours && is_role(l, TN_K_LINK)) {
        e.type = TN_EVENT_CHANGED;
        e.scope = s->scope;
        e.key = link_key(h, l->name);
        say(h, &e);
    } else if (s->scope) {
        e.scope = s->scope;
        e.key = tn_arena_printf(h->w->scratch, "%s/route/%s%s", s->scope, text,
                                route_more(h, r));
        say(h, &e);
    }
    const struct tn_k_end *end = l && ours ? end_of(s, l->name) : NULL;
    if (end) {
        e.type = TN_EVENT_CHANGED;
        e.scope = end->scope;
        e.key = end->key;
        say(h, &e);
    }
}

static void
route_message(const struct heard *h)
{
    const struct rtmsg *rtm = NLMSG_DATA(h->msg);
    struct route seen = {
        .to = {{rtm->rtm_family == AF_INET ? TN_AF_IPV4 : TN_AF_IPV6, {0}},
               rtm->rtm_dst_len},
        .table = rtm->rtm_table,
        .tos = rtm->rtm_tos};
    const struct nlattr *a;
    int left;
    if ((rtm->rtm_flags & RTM_F_CLONED) || rtm->rtm_protocol == RTPROT_KERNEL ||
        rtm->rtm_protocol == RTPROT_RA) {
        return;
    }
    TN_K_EACH_ATTR_OF(a, h->msg, sizeof *rtm, left)
    {
        switch (tn_k_attr_type(a)) {
        case RTA_DST:
            tn_k_attr_addr(&seen.to.addr, a);
            break;
        case RTA_OIF:
            seen.index = tn_k_attr_u32(a);
            break;
        case RTA_PRIORITY:
            seen.metric = tn_k_attr_u32(a);
            break;
        case RTA_TABLE:
            seen.table = tn_k_attr_u32(a);
            break;
        default:
            break;
        }
    }
    if (rtm->rtm_family == AF_INET6 && seen.metric == 1024) {
        seen.metric = 0; /* The default. */
    }
    if (seen.table == RT_TABLE_LOCAL) {
        return;
    }
    say_route(h, &seen,
              seen.table == RT_TABLE_MAIN &&
                  rtm->rtm_protocol == TN_K_PROTOCOL);
}

/* --- neighbours and forwarding entries ----------------------------------- */

struct entry {
    struct tn_addr addr; /* Of a forwarding entry: the VTEP. */
    struct tn_mac mac;
    bool bridged, protocol;
};

static void
say_neighbour(const struct heard *h, const struct entry *n,
              const struct tn_k_heard_link *l)
{
    bool gone = h->msg->nlmsg_type == RTM_DELNEIGH;
    char text[TN_ADDR_TEXT];
    tn_addr_format(&n->addr, text);
    struct tn_event e = {
        .type = gone ? TN_EVENT_GONE : TN_EVENT_CHANGED,
        .scope = h->space->scope,
        .key = l ? tn_arena_printf(h->w->scratch, "%s/neighbour/%s/%s",
                                   h->space->scope, l->name, text)
                 : NULL,
        .what = tn_arena_printf(h->w->scratch, "neighbour %s %s", text,
                                gone ? "deleted" : "changed")};
    say(h, &e);
}

/* False: what a bridge has learned, or has for its own addresses. */
static bool
entry_counts(const struct heard *h, const struct ndmsg *nd,
             const struct entry *f, const struct tn_k_heard_link *l)
{
    if (tn_mac_is_multicast(&f->mac)) {
        return false;
    }
    if ((nd->ndm_flags & NTF_EXT_LEARNED) || !l) {
        return true;
    }
    if (!f->bridged) {
        return l->type == TN_K_TYPE_VXLAN;
    }
    if (!(nd->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
        tn_mac_cmp(&f->mac, &l->mac) == 0) {
        return false;
    }
    const struct tn_k_heard_link *master =
        tn_k_watched_link(h->space, l->master_index);
    return !master || tn_mac_cmp(&f->mac, &master->mac) != 0;
}

static void
say_entry(const struct heard *h, const struct entry *f, bool ours,
          const struct tn_k_heard_link *l)
{
    bool gone = h->msg->nlmsg_type == RTM_DELNEIGH;
    char mac[TN_MAC_TEXT];
    tn_mac_format(&f->mac, mac);
    struct tn_event e = {.type = TN_EVENT_CHANGED,
                         .scope = h->space->scope,
                         .what = tn_arena_printf(h->w->scratch,
                                                 "forwarding entry %s of %s %s",
                                                 mac, l ? l->name : "a link",
                                                 gone ? "deleted" : "changed")};
    if (l && (tn_mac_is_zero(&f->mac) ||
              (ours && f->bridged && is_role(l, TN_K_PORT)))) {
        e.key = link_key(h, l->name);
    } else if (l) {
        /* One resource for a tunnel's own entry and for the bridge's. */
        e.key = tn_arena_printf(h->w->scratch, "%s/fdb/%s/%s", h->space->scope,
                                l->name, mac);
    }
    say(h, &e);
}

static void
neighbour_message(const struct heard *h)
{
    const struct ndmsg *nd = NLMSG_DATA(h->msg);
    const struct tn_k_heard_link *l =
        tn_k_watched_link(h->space, (uint32_t) nd->ndm_ifindex);
    struct entry seen = {0};
    const struct nlattr *a;
    int left;
    if (!h->space->scope) {
        return;
    }
    TN_K_EACH_ATTR_OF(a, h->msg, sizeof *nd, left)
    {
        switch (tn_k_attr_type(a)) {
        case NDA_DST:
            tn_k_attr_addr(&seen.addr, a);
            break;
        case NDA_LLADDR:
            tn_k_attr_copy(seen.mac.b, a, sizeof seen.mac.b);
            break;
        case NDA_MASTER:
            seen.bridged = true;
            break;
        case NDA_PROTOCOL:
            seen.protocol = tn_k_attr_u8(a) == TN_K_PROTOCOL;
            break;
        default:
            break;
        }
    }
    if (nd->ndm_family == AF_BRIDGE) {
        if (entry_counts(h, nd, &seen, l)) {
            say_entry(h, &seen, (nd->ndm_flags & NTF_EXT_LEARNED) != 0, l);
        }
        return;
    }
    /* When one of others is deleted, the kernel first says that it has failed,
     * and only the writer tells that from one which got no answer. */
    bool by_hand = h->msg->nlmsg_pid != 0 && nd->ndm_state != NUD_NOARP;
    if (seen.protocol || by_hand || (nd->ndm_state & NUD_PERMANENT)) {
        say_neighbour(h, &seen, l);
    }
}

/* --- the rest ------------------------------------------------------------ */

/* The name of a link whose settings are observed; else null. */
static const char *
has_settings(const struct tn_k_watched *space, uint32_t index)
{
    const struct tn_k_heard_link *l = tn_k_watched_link(space, index);
    return l && (is_role(l, TN_K_BRIDGE) || is_role(l, TN_K_LINK)) ? l->name
                                                                   : NULL;
}

/* Settings of all interfaces, of those to come, and of single ones: of those
 * only that are observed. */
static void
setting_message(const struct heard *h)
{
    const struct nlattr *a;
    int left;
    if (!h->space->scope) {
        return;
    }
    TN_K_EACH_ATTR_OF(a, h->msg, sizeof(struct netconfmsg), left)
    {
        if (tn_k_attr_type(a) != NETCONFA_IFINDEX) {
            continue;
        }
        int32_t index = (int32_t) tn_k_attr_u32(a);
        bool whole =
            index == NETCONFA_IFINDEX_ALL || index == NETCONFA_IFINDEX_DEFAULT;
        const char *link =
            whole ? "the namespace" : has_settings(h->space, (uint32_t) index);
        if (link) {
            struct tn_event e = {
                .type = TN_EVENT_CHANGED,
                .scope = h->space->scope,
                .key =
                    tn_arena_printf(h->w->scratch, "%s/netns", h->space->scope),
                .what = tn_arena_printf(h->w->scratch, "a sysctl of %s changed",
                                        link)};
            say(h, &e);
        }
    }
}

static void
policy_message(const struct heard *h)
{
    const char *text = NULL, *scope = h->space->scope;
    if (!scope) {
        return;
    }
    struct tn_arena *arena = h->w->scratch;
    enum tn_k_base_rule base = tn_k_rule_read(arena, h->msg, &text);
    if (base == TN_K_BASE_RULES && !text) {
        return;
    }
    bool gone = h->msg->nlmsg_type == RTM_DELRULE;
    const char *name = text ? text : tn_k_base_rules[base].name;
    struct tn_event e = {
        .type = !text  ? TN_EVENT_CHANGED
                : gone ? TN_EVENT_GONE
                       : TN_EVENT_APPEARED,
        .scope = scope,
        .key = text ? tn_arena_printf(arena, "%s/policy-rule/%s", scope, text)
                    : tn_arena_printf(arena, "%s/netns", scope),
        .what = tn_arena_printf(arena, "policy rule %s %s", name,
                                gone ? "deleted" : "added")};
    say(h, &e);
}

static void
qdisc_message(const struct heard *h)
{
    struct tn_k_seen_qdisc seen;
    if (!h->space->scope || !tn_k_qdisc_read(h->msg, &seen)) {
        return;
    }
    const struct tn_k_heard_link *l = tn_k_watched_link(h->space, seen.index);
    if (!l || strcmp(link_kind(l->name), "link") == 0) {
        return; /* None of ours. */
    }
    struct tn_arena *arena = h->w->scratch;
    bool gone = h->msg->nlmsg_type == RTM_DELQDISC;
    struct tn_event e = {
        .type = gone ? TN_EVENT_GONE : TN_EVENT_APPEARED,
        .scope = h->space->scope,
        .key = tn_arena_printf(arena, "%s/qdisc/%s/%s", h->space->scope,
                               l->name, seen.kind),
        .what = tn_arena_printf(arena, "qdisc %s of %s %s", seen.kind, l->name,
                                gone ? "deleted" : "added")};
    say(h, &e);
}

void
tn_k_watch_route_message(struct tn_watch *w, struct tn_k_watched *space,
                         const struct nlmsghdr *msg)
{
    const struct heard h = {w, space, msg};
    switch (msg->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        link_message(&h, space);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        address_message(&h);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        route_message(&h);
        break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        neighbour_message(&h);
        break;
    case RTM_NEWNETCONF:
        setting_message(&h);
        break;
    case RTM_NEWRULE:
    case RTM_DELRULE:
        policy_message(&h);
        break;
    case RTM_NEWQDISC:
    case RTM_DELQDISC:
        qdisc_message(&h);
        break;
    default: /* The kernel's numbers, not ours. */
        break;
    }
}
