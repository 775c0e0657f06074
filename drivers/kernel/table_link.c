/* table_link.c - one link of a dump, with what bridges and tunnels say of
 * themselves (IFLA_INFO_DATA) and of their ports (IFLA_INFO_SLAVE_DATA). */
#include "drivers/kernel/table.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

/* Attribute to option; an attribute of value 0 clears, else sets. */
struct option_row {
    uint16_t attr, option;
};

static const struct option_row bridge_rows[] = {
    {IFLA_BR_STP_STATE, TN_K_OPT_STP},
    {IFLA_BR_MCAST_SNOOPING, TN_K_OPT_SNOOPING},
    {IFLA_BR_VLAN_FILTERING, TN_K_OPT_VLAN},
};

static const struct option_row port_rows[] = {
    {IFLA_BRPORT_LEARNING, TN_K_OPT_LEARNING},
    {IFLA_BRPORT_UNICAST_FLOOD, TN_K_OPT_FLOOD},
    {IFLA_BRPORT_MCAST_FLOOD, TN_K_OPT_MCAST_FLOOD},
    {IFLA_BRPORT_BCAST_FLOOD, TN_K_OPT_BCAST_FLOOD},
    {IFLA_BRPORT_NEIGH_SUPPRESS, TN_K_OPT_NEIGH_SUPPRESS},
    {IFLA_BRPORT_MODE, TN_K_OPT_HAIRPIN},
    {IFLA_BRPORT_ISOLATED, TN_K_OPT_ISOLATED},
    {IFLA_BRPORT_GUARD, TN_K_OPT_GUARD},
    {IFLA_BRPORT_LOCKED, TN_K_OPT_LOCKED},
};

static const struct option_row vxlan_rows[] = {
    {IFLA_VXLAN_LEARNING, TN_K_OPT_VXLAN_LEARNING},
    {IFLA_VXLAN_PROXY, TN_K_OPT_VXLAN_PROXY},
};

static bool
is_set(const struct nlattr *a)
{
    return nla_len(a) == 4 ? nla_get_u32(a) != 0
                           : nla_len(a) >= 1 && nla_get_u8(a) != 0;
}

static uint16_t
option_of(const struct nlattr *a, const struct option_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].attr == nla_type(a)) {
            return is_set(a) ? rows[i].option : 0;
        }
    }
    return 0;
}

static uint16_t
options_of(const struct nlattr *data, const struct option_row *rows, size_t n)
{
    uint16_t options = 0;
    const struct nlattr *a;
    int left;
    nla_for_each_nested(a, data, left)
    {
        options |= option_of(a, rows, n);
    }
    return options;
}

static void
parse_vxlan(const struct nlattr *data, struct tn_k_seen_link *out)
{
    const struct nlattr *a;
    int left;
    nla_for_each_nested(a, data, left)
    {
        switch (nla_type(a)) {
        case IFLA_VXLAN_ID:
            out->vni = nla_get_u32(a);
            break;
        case IFLA_VXLAN_PORT:
            out->port =
                (uint16_t) ((nla_get_u16(a) & 0xff) << 8 | nla_get_u16(a) >> 8);
            break;
        case IFLA_VXLAN_LOCAL:
            out->local.family = TN_AF_IPV4;
            nla_memcpy(out->local.b, a, 4);
            break;
        case IFLA_VXLAN_LOCAL6:
            out->local.family = TN_AF_IPV6;
            nla_memcpy(out->local.b, a, 16);
            break;
        default:
            out->link.options |=
                option_of(a, vxlan_rows, TN_ARRAY_SIZE(vxlan_rows));
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
    nla_for_each_nested(a, info, left)
    {
        switch (nla_type(a)) {
        case IFLA_INFO_KIND:
            parse_kind(arena, nla_get_string(a), out);
            break;
        case IFLA_INFO_DATA:
            if (out->type == TN_K_TYPE_BRIDGE) {
                out->link.options |=
                    options_of(a, bridge_rows, TN_ARRAY_SIZE(bridge_rows));
            } else if (out->type == TN_K_TYPE_VXLAN) {
                parse_vxlan(a, out);
            }
            break;
        case IFLA_INFO_SLAVE_KIND:
            slave = nla_get_string(a);
            break;
        case IFLA_INFO_SLAVE_DATA:
            if (strcmp(slave, "bridge") == 0) {
                out->link.options |=
                    options_of(a, port_rows, TN_ARRAY_SIZE(port_rows));
            }
            break;
        default:
            break;
        }
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
    const struct nlattr *a;
    int left;
    nlmsg_for_each_attr(a, (struct nlmsghdr *) (uintptr_t) msg, sizeof *ifi,
                        left)
    {
        switch (nla_type(a)) {
        case IFLA_IFNAME:
            nla_strlcpy(out->link.name, a, sizeof out->link.name);
            break;
        case IFLA_MTU:
            out->link.mtu = nla_get_u32(a);
            break;
        case IFLA_GROUP:
            out->group = nla_get_u32(a);
            out->link.leaving = out->group >> 16 == TN_K_GROUP;
            break;
        case IFLA_MASTER:
            out->master_index = nla_get_u32(a);
            break;
        case IFLA_LINK:
            out->peer_index = nla_get_u32(a);
            break;
        case IFLA_IFALIAS:
            out->alias =
                tn_arena_strndup(arena, nla_data(a), (size_t) nla_len(a));
            break;
        case IFLA_ADDRESS:
            nla_memcpy(out->mac.b, a, sizeof out->mac.b);
            break;
        case IFLA_LINKINFO:
            parse_info(arena, a, out);
            break;
        default:
            break;
        }
    }
}
