/* table_link.c - one link of a dump, with what bridges and tunnels say of
 * themselves (IFLA_INFO_DATA) and of their ports (IFLA_INFO_SLAVE_DATA). */
#include "drivers/kernel/table.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <string.h>
#include <sys/socket.h>

/* Option by attribute; an attribute of value 0 clears, else sets. */
static const uint16_t bridge_options[] = {
    [IFLA_BR_STP_STATE] = TN_K_OPT_STP,
    [IFLA_BR_MCAST_SNOOPING] = TN_K_OPT_SNOOPING,
    [IFLA_BR_VLAN_FILTERING] = TN_K_OPT_VLAN,
};

static const uint16_t port_options[] = {
    [IFLA_BRPORT_LEARNING] = TN_K_OPT_LEARNING,
    [IFLA_BRPORT_UNICAST_FLOOD] = TN_K_OPT_FLOOD,
    [IFLA_BRPORT_MCAST_FLOOD] = TN_K_OPT_MCAST_FLOOD,
    [IFLA_BRPORT_BCAST_FLOOD] = TN_K_OPT_BCAST_FLOOD,
    [IFLA_BRPORT_NEIGH_SUPPRESS] = TN_K_OPT_NEIGH_SUPPRESS,
    [IFLA_BRPORT_MODE] = TN_K_OPT_HAIRPIN,
    [IFLA_BRPORT_ISOLATED] = TN_K_OPT_ISOLATED,
    [IFLA_BRPORT_GUARD] = TN_K_OPT_GUARD,
    [IFLA_BRPORT_LOCKED] = TN_K_OPT_LOCKED,
};

static const uint16_t vxlan_options[] = {
    [IFLA_VXLAN_LEARNING] = TN_K_OPT_VXLAN_LEARNING,
    [IFLA_VXLAN_PROXY] = TN_K_OPT_VXLAN_PROXY,
};

static bool
is_set(const struct nlattr *a)
{
    return tn_k_attr_len(a) == 4
               ? tn_k_attr_u32(a) != 0
               : tn_k_attr_len(a) >= 1 && tn_k_attr_u8(a) != 0;
}

static uint16_t
option_of(const struct nlattr *a, const uint16_t *options, size_t n)
{
    size_t type = (size_t) tn_k_attr_type(a);
    return type < n && options[type] && is_set(a) ? options[type] : 0;
}

static uint16_t
options_of(const struct nlattr *data, const uint16_t *table, size_t n)
{
    uint16_t options = 0;
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, data, left)
    {
        options |= option_of(a, table, n);
    }
    return options;
}

static bool
is_blocked(const struct nlattr *data)
{
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, data, left)
    {
        if (tn_k_attr_type(a) == IFLA_BRPORT_STATE) {
            return tn_k_attr_u8(a) != BR_STATE_FORWARDING;
        }
    }
    return false;
}

static void
parse_vxlan(const struct nlattr *data, struct tn_k_seen_link *out)
{
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, data, left)
    {
        switch (tn_k_attr_type(a)) {
        case IFLA_VXLAN_ID:
            out->vni = tn_k_attr_u32(a);
            break;
        case IFLA_VXLAN_PORT:
            tn_k_attr_copy(&out->port, a, sizeof out->port);
            out->port = ntohs(out->port);
            break;
        case IFLA_VXLAN_LOCAL:
            out->local.family = TN_AF_IPV4;
            tn_k_attr_copy(out->local.b, a, 4);
            break;
        case IFLA_VXLAN_LOCAL6:
            out->local.family = TN_AF_IPV6;
            tn_k_attr_copy(out->local.b, a, 16);
            break;
        default:
            out->link.options |=
                option_of(a, vxlan_options, TN_ARRAY_SIZE(vxlan_options));
            break;
        }
    }
}

static void
parse_kind(struct tn_arena *arena, const char *kind, struct tn_k_seen_link *out)
{
    if (strcmp(kind, "bridge") == 0) {
        out->type = TN_K_TYPE_BRIDGE;
        out->type_name = "bridge";
    } else if (strcmp(kind, "vxlan") == 0) {
        out->type = TN_K_TYPE_VXLAN;
        out->type_name = "vxlan";
    } else if (strcmp(kind, "veth") == 0) {
        out->type = TN_K_TYPE_VETH;
        out->type_name = "veth";
    } else {
        out->type_name = tn_arena_strdup(arena, kind);
    }
}

/* The kernel writes the kind before the data, and the link's before the
 * port's. */
static void
parse_info(struct tn_arena *arena, const struct nlattr *info,
           struct tn_k_seen_link *out)
{
    const struct nlattr *a;
    const char *slave = "";
    int left;
    TN_K_EACH_ATTR_IN(a, info, left)
    {
        switch (tn_k_attr_type(a)) {
        case IFLA_INFO_KIND:
            parse_kind(arena, tn_k_attr_str(a), out);
            break;
        case IFLA_INFO_DATA:
            if (out->type == TN_K_TYPE_BRIDGE) {
                out->link.options |= options_of(a, bridge_options,
                                                TN_ARRAY_SIZE(bridge_options));
            } else if (out->type == TN_K_TYPE_VXLAN) {
                parse_vxlan(a, out);
            }
            break;
        case IFLA_INFO_SLAVE_KIND:
            slave = tn_k_attr_str(a);
            break;
        case IFLA_INFO_SLAVE_DATA:
            if (strcmp(slave, "bridge") == 0) {
                out->link.options |=
                    options_of(a, port_options, TN_ARRAY_SIZE(port_options)) |
                    (is_blocked(a) ? TN_K_OPT_BLOCKED : 0);
            }
            break;
        default:
            break;
        }
    }
}

/* The values of one family. */
static void
parse_family(const struct nlattr *family, const char *name, int type,
             struct tn_k_link_settings *out)
{
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, family, left)
    {
        for (size_t i = 0; tn_k_attr_type(a) == type && i < TN_K_LINK_SYSCTLS;
             i++) {
            const struct tn_k_link_sysctl *s = &tn_k_link_sysctls[i];
            int at = 4 * s->place;
            if (strcmp(s->family, name) == 0 && at + 4 <= tn_k_attr_len(a)) {
                uint32_t v;
                memcpy(&v, (const char *) tn_k_attr_data(a) + at, sizeof v);
                out->v[i] = v < UINT8_MAX ? (uint8_t) v : UINT8_MAX;
            }
        }
    }
}

/* What the link does not say (IPv6 needs an MTU) is as wanted. */
static void
parse_settings(const struct nlattr *families, struct tn_k_link_settings *out)
{
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_IN(a, families, left)
    {
        if (tn_k_attr_type(a) == AF_INET) {
            parse_family(a, "ipv4", IFLA_INET_CONF, out);
        } else if (tn_k_attr_type(a) == AF_INET6) {
            parse_family(a, "ipv6", IFLA_INET6_CONF, out);
        }
    }
}

/* The program in whatever place; if there are several, any. */
static uint32_t
xdp_program(const struct nlattr *xdp)
{
    const struct nlattr *a;
    int left;
    uint32_t attached = 0;
    TN_K_EACH_ATTR_IN(a, xdp, left)
    {
        switch (tn_k_attr_type(a)) {
        case IFLA_XDP_ATTACHED:
            attached = attached ? attached : tn_k_attr_u8(a);
            break;
        case IFLA_XDP_PROG_ID:
        case IFLA_XDP_DRV_PROG_ID:
        case IFLA_XDP_SKB_PROG_ID:
        case IFLA_XDP_HW_PROG_ID:
            return tn_k_attr_u32(a);
        default:
            break;
        }
    }
    return attached;
}

static void
parse_attr(struct tn_arena *arena, const struct nlattr *a,
           struct tn_k_seen_link *out)
{
    switch (tn_k_attr_type(a)) {
    case IFLA_IFNAME:
        tn_k_attr_copy(out->link.name, a, sizeof out->link.name - 1);
        break;
    case IFLA_MTU:
        out->link.mtu = tn_k_attr_u32(a);
        break;
    case IFLA_GROUP:
        out->group = tn_k_attr_u32(a);
        out->link.leaving = out->group >> 16 == TN_K_GROUP;
        break;
    case IFLA_MASTER:
        out->master_index = tn_k_attr_u32(a);
        break;
    case IFLA_LINK:
        out->peer_index = tn_k_attr_u32(a);
        break;
    case IFLA_LINK_NETNSID: /* None can be given to a dying one. */
        out->dying = tn_k_attr_u32(a) == (uint32_t) NETNSA_NSID_NOT_ASSIGNED;
        break;
    case IFLA_IFALIAS:
        out->alias = tn_arena_strndup(arena, tn_k_attr_data(a),
                                      (size_t) tn_k_attr_len(a));
        break;
    case IFLA_ADDRESS:
        tn_k_attr_copy(out->mac.b, a, sizeof out->mac.b);
        break;
    case IFLA_LINKINFO:
        parse_info(arena, a, out);
        break;
    case IFLA_AF_SPEC:
        parse_settings(a, &out->settings);
        break;
    case IFLA_XDP:
        out->xdp = xdp_program(a);
        break;
    default:
        break;
    }
}

void
tn_k_table_parse_link(struct tn_arena *arena, const struct nlmsghdr *msg,
                      struct tn_k_seen_link *out)
{
    const struct ifinfomsg *ifi = NLMSG_DATA(msg);
    *out = (struct tn_k_seen_link){
        .link = {.index = (uint32_t) ifi->ifi_index,
                 .up = (ifi->ifi_flags & IFF_UP) != 0,
                 .master = "none"},
        .loopback = ifi->ifi_type == ARPHRD_LOOPBACK,
        .type_name = "",
        .alias = "",
    };
    for (size_t i = 0; i < TN_K_LINK_SYSCTLS; i++) {
        out->settings.v[i] = tn_k_link_sysctls[i].wanted;
    }
    const struct nlattr *a;
    int left;
    TN_K_EACH_ATTR_OF(a, msg, sizeof *ifi, left)
    {
        parse_attr(arena, a, out);
    }
    if (!(ifi->ifi_flags & IFF_RUNNING)) {
        out->link.options &= (uint16_t) ~TN_K_OPT_BLOCKED; /* It has to be. */
    }
}
