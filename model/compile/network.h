/* network.h - intent with every decision made, before any device is known.
 *
 * What compile produces and drivers render: VPCs whose numbers, addresses and
 * memberships are settled, and devices with the VPCs that concern them.  Plain
 * constant data, sorted by name throughout, in one arena. */
#ifndef TN_COMPILE_NETWORK_H
#define TN_COMPILE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/digest.h"
#include "model/base/error.h"
#include "model/base/net.h"
#include "model/inventory/inventory.h"
#include "model/kinds/kinds.h"

struct tn_pin; /* lock.h */
struct tn_net_vpc;

/* A security rule: 'any' of everything that is not set. */
struct tn_net_rule {
    enum tn_direction direction;
    enum tn_protocol protocol;
    const struct tn_vrange *ports; /* Destination ports; none: all. */
    size_t n_ports;
    struct tn_cidr remote; /* Family TN_AF_NONE: not by prefix. */
    const struct tn_net_group *remote_group; /* Null: not by group. */
    struct tn_origin origin;
};

/* A security group as used inside one VPC.  A group that only serves as a
 * remote group is here too. */
struct tn_net_group {
    const char *name;
    const struct tn_net_rule *rules; /* In the order of the document. */
    size_t n_rules;
    bool has_egress;               /* Else: everything out is allowed. */
    const struct tn_addr *members; /* Addresses of its ports in this VPC. */
    size_t n_members;              /* Sorted, both families. */
    struct tn_origin origin;
};

struct tn_net_port {
    const char *name; /* Unique in the tenant. */
    const struct tn_host *host;
    struct tn_mac mac;
    struct tn_addr address;        /* Family TN_AF_NONE: none of that kind. */
    struct tn_addr address6;       /* IPv6 of a dual-stack subnet. */
    const struct tn_cidr *allowed; /* Further source prefixes: its own
                                      allowedAddresses, and 'to' of the static
                                      routes whose 'via' it holds. */
    size_t n_allowed;
    const struct tn_net_group *const *groups;
    size_t n_groups;
    const char *netns;     /* Null: 'interface' exists already. */
    const char *interface; /* Far end's name or the existing interface. */
    const char *vif;       /* On hosts of an NSX: what it calls the interface;
                              equal to 'interface'.  Null: not given. */
    bool default_route;    /* The namespace's default route leads here. */
    struct tn_origin origin;
};

/* What workloads of a subnet are told by DHCP, besides what follows from the
 * network: the address of their port, the gateway, the MTU, and the routes of
 * the VPC whose 'subnet' it is. */
struct tn_net_dhcp {
    uint32_t lease_time;               /* Seconds, not 0. */
    const struct tn_addr *dns_servers; /* As given, of either family. */
    size_t n_dns_servers;
    const struct tn_addr *ntp_servers; /* As given, IPv4. */
    size_t n_ntp_servers;
    const char *domain; /* Null: none. */
    enum tn_ra ra;      /* TN_RA_NONE if the subnet has no IPv6.  With SLAAC
                           and stateless, the ports' IPv6 addresses are those
                           that follow from prefix and MAC (EUI-64). */
    struct tn_origin origin;
};

struct tn_net_subnet {
    const char *name;
    uint32_t vni;
    uint32_t mtu;
    struct tn_cidr cidr;             /* IPv4 or IPv6. */
    struct tn_cidr cidr6;            /* Family TN_AF_NONE: single stack. */
    struct tn_addr gateway;          /* Of 'cidr'. */
    struct tn_addr gateway6;         /* Of 'cidr6'. */
    struct tn_mac gateway_mac;       /* The same on every host. */
    const struct tn_net_port *ports; /* On all hosts, sorted by name. */
    size_t n_ports;
    const struct tn_net_dhcp *dhcp; /* Null: workloads are not served. */
    size_t n_dhcp;                  /* Of 'dhcp': 1 or 0. */
    struct tn_origin origin;
};

struct tn_net_route {
    struct tn_cidr to;
    struct tn_addr via;
    const struct tn_net_subnet *subnet; /* The one 'via' is in. */
    struct tn_origin origin;
};

/* One side of a peering granted by both. */
struct tn_net_peering {
    const struct tn_net_vpc *peer;
    const struct tn_cidr *exports; /* Ours that the peer reaches; sorted. */
    size_t n_exports;
    const struct tn_cidr *imports; /* The peer's that we reach; sorted. */
    size_t n_imports;
    bool first; /* True on the side whose "tenant/vpc" sorts first: the two
                   ends of the link differ by this. */
    struct tn_origin origin;
};

struct tn_net_external;

/* A VPC in an external network, by the operator's word. */
struct tn_net_outside {
    const struct tn_net_external *network;
    const char *scope;                /* "tenant/vpc" */
    struct tn_addr address, address6; /* Of its router there; family
                                         TN_AF_NONE: none of that kind. */
    const struct tn_cidr *prefixes;   /* Of it, that are known there; sorted. */
    size_t n_prefixes;
    struct tn_origin origin;
};

/* A network that is not ours, of an engine that can be in it.  No two of all
 * VPCs in external networks have overlapping prefixes, and nothing gets from
 * one to another by way of them. */
struct tn_net_external {
    const char *name;
    const char *physical; /* The wire, in bridge mappings of the chassis. */
    uint16_t vlan;        /* 0: untagged. */
    struct tn_cidr cidr;  /* IPv4 or IPv6. */
    struct tn_cidr cidr6; /* Family TN_AF_NONE: single stack. */
    struct tn_addr gateway, gateway6;     /* Routers outside. */
    const struct tn_host *cloud;          /* Driver ovn. */
    const struct tn_host *const *chassis; /* Members of it, the preferred one
                                             first; at least one. */
    size_t n_chassis;
    const struct tn_net_outside *vpcs; /* Who may be in it, by scope. */
    size_t n_vpcs;
    struct tn_origin origin;
};

struct tn_net_vpc {
    const char *scope; /* "tenant/vpc": names it everywhere. */
    const char *tenant, *name;
    enum tn_encapsulation encapsulation;
    const struct tn_net_subnet *subnets;
    size_t n_subnets;
    const struct tn_net_group *groups;
    size_t n_groups;
    const struct tn_net_route *routes; /* By prefix. */
    size_t n_routes;
    const struct tn_net_peering *peerings; /* By the peer's scope. */
    size_t n_peerings;
    const char *external_name; /* As the document says; null: none. */
    struct tn_origin external_origin;
    const struct tn_net_outside *external; /* Null: it is in none, or in one
                                              that this environment has not. */
    struct tn_origin origin;
    uint64_t image; /* A hash of all the above but VNIs and peerings, which
                       depend on other tenants: equal ones of two networks of
                       the same world say the same.  0: not known. */
};

/* One driver endpoint and what concerns it.
 *
 * A host with an engine of its own has the VPCs with a port on it, and those
 * directly peered with one of them.  A cloud (driver ovn) has the VPCs with a
 * port on one of its members, and their direct peers; no port is on the host
 * of the cloud itself.  A member of a cloud (host->cloud is set) has the VPCs
 * with a port on it and no others: the cloud connects them, the member's
 * driver makes the interfaces of ports and the settings of the chassis. */
struct tn_device {
    const char *name; /* The host's name. */
    const struct tn_host *host;
    const struct tn_net_vpc *const *vpcs; /* By scope. */
    size_t n_vpcs;
    const struct tn_host *const *members; /* Of a cloud: its hypervisors, all
                                             of the inventory, by name. */
    size_t n_members;
    size_t n_networks; /* Subnets, and VPCs as their routers, of all VPCs of
                          the device; also where it is cut down to some. */
    const struct tn_device *whole; /* Where it is cut down: the device with all
                                      its VPCs; null: it is whole. */
    const char *instance; /* settings.meta.name: in all ownership marks. */
    uint16_t vxlan_port;
    const struct tn_net_external *externals; /* All of the network. */
    size_t n_externals;
};

/* A tenant as compile saw it. */
struct tn_tenant_result {
    const char *name;
    bool failed; /* Has errors: none of its VPCs are in here, and
                    what devices hold of it must stay as it is. */
    size_t n_vpcs, n_subnets, n_ports;
    const struct tn_tenant *tenant; /* Null if it could not be read. */
};

struct tn_network {
    struct tn_digest world; /* Of settings, inventory and environment. */
    const struct tn_settings *settings;
    const struct tn_inventory *inventory;
    const struct tn_device *devices; /* One per host of the inventory that has
                                        a driver, sorted by name. */
    size_t n_devices;
    const struct tn_net_vpc *const *vpcs; /* By scope. */
    size_t n_vpcs;
    const struct tn_net_external *externals; /* Of this environment: with
                                                chassis in it; by name. */
    size_t n_externals;
    const struct tn_tenant_result *tenants; /* By name. */
    size_t n_tenants;
    const char *const *held_scopes; /* "tenant/vpc", sorted: what devices hold
                                       under these scopes must stay as it is,
                                       whatever 'vpcs' says.  All VPCs known of
                                       failed tenants (a scope that nobody can
                                       name any more is covered by 'failed' of
                                       its tenant: hold by tenant too), the
                                       VPCs of healthy tenants that peer with
                                       one of those, and both sides of a
                                       peering between tenants whose prefixes
                                       came to overlap. */
    size_t n_held;
    const struct tn_pin *pins; /* Every identifier in use: what 'tenet lock'
                                  and the status ref's allocations hold.  By
                                  tenant, object.  Those of failed tenants are
                                  kept as they were given. */
    size_t n_pins;
};

/* The VPC of that scope, the tenant of that name; null if there is none, or no
 * network. */
const struct tn_net_vpc *tn_network_vpc(const struct tn_network *network,
                                        const char *scope);
const struct tn_tenant_result *
tn_network_tenant(const struct tn_network *network, const char *name);

struct tn_text;

/* Appends everything of the network as text, one object a line, names and
 * places included: equal networks print equally and nothing else does. */
void tn_network_print(struct tn_text *out, const struct tn_network *network);
/* The same for one VPC. */
void tn_net_vpc_print(struct tn_text *out, const struct tn_net_vpc *vpc);

#endif
