/* vpc.c - kind: Vpc, a routed network of a tenant with its subnets.
 *
 * Checks what one document can tell: that gateways lie in their subnets and
 * that families fit.  Overlaps and routes' next hops need the defaults that
 * compile applies, and are found there. */
#include "model/kinds/field.h"

enum {
    SUBNET_LEN_IPV4 = 30,
    SUBNET_LEN_IPV6 = 126,
    SLAAC_LEN = 64,
    MTU_IPV6 = 1280,
};

static const char *const encapsulations[] = {
    [TN_ENCAP_VXLAN] = "vxlan",
    [TN_ENCAP_GENEVE] = "geneve",
    [TN_ENCAP_GRE] = "gre",
};

static const char *const ra_modes[] = {
    [TN_RA_STATEFUL] = "dhcpv6-stateful",
    [TN_RA_STATELESS] = "dhcpv6-stateless",
    [TN_RA_SLAAC] = "slaac",
    [TN_RA_NONE] = "none",
};

static const struct tn_field dhcp_fields[] = {
    {
        TN_ROW("enabled", struct tn_dhcp, enabled),
        .type = TN_FIELD_BOOL,
        .fallback = "true",
        .description = "Whether the network serves DHCP at all; 'dhcp: {}' "
                       "is enough to have it do so.",
        .example = "true",
    },
    {
        TN_ROW("leaseTime", struct tn_dhcp, lease_time),
        .type = TN_FIELD_UINT,
        .min = 60,
        .max = UINT32_MAX,
        .fallback = "3600",
        .description = "Seconds for which an address may be used before it is "
                       "asked for again.",
        .example = "3600",
    },
    {
        TN_ROW("dnsServers", struct tn_dhcp, dns_servers),
        .type = TN_FIELD_ADDR,
        .flags = TN_MANY | TN_DISTINCT | TN_UNICAST,
        .max_items = 8,
        .fallback = "(none)",
        .description = "Name servers: those of IPv4 are told by DHCP, those "
                       "of IPv6 by DHCPv6 and in router advertisements.",
        .example = "[10.1.0.53, \"fd00:10:1::53\"]",
    },
    {
        TN_ROW("domain", struct tn_dhcp, domain),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_domain,
        .fallback = "(none)",
        .description = "The domain in which short names are looked up.",
        .example = "web.example.org",
    },
    {
        TN_ROW("ntpServers", struct tn_dhcp, ntp_servers),
        .type = TN_FIELD_ADDR,
        .flags = TN_MANY | TN_DISTINCT | TN_UNICAST,
        .max_items = 8,
        .fallback = "(none)",
        .description = "Time servers, IPv4.",
        .example = "[10.1.0.123]",
    },
    {
        TN_ROW("ra", struct tn_dhcp, ra),
        .type = TN_FIELD_WORD,
        TN_WORDS(ra_modes),
        .fallback = "dhcpv6-stateful",
        .description = "How workloads come by an IPv6 address, as the router "
                       "advertises: 'dhcpv6-stateful' gives them the address "
                       "of their port; with 'slaac' and 'dhcpv6-stateless' "
                       "they make it of prefix and MAC, and so do their "
                       "ports; with 'none' the network says nothing.",
        .example = "dhcpv6-stateful",
    },
};

static void
dhcp_check(const struct tn_check *check, const void *object)
{
    const struct tn_dhcp *d = object;
    char text[TN_ADDR_TEXT];
    for (size_t i = 0; i < d->ntp_servers.n; i++) {
        const struct tn_vaddr *a = &d->ntp_servers.items[i];
        if (a->v.family == TN_AF_IPV6) {
            tn_check_error(check, a->at,
                           "%s is IPv6: time servers are told by DHCPv4 only",
                           tn_addr_format(&a->v, text));
        }
    }
}

static const struct tn_object dhcp = {
    .title = "Dhcp",
    .description = "What workloads are told by DHCP: the address of their "
                   "port, the gateway, the mtu, the VPC's routes, and this.",
    TN_FIELDS(dhcp_fields),
    .size = sizeof(struct tn_dhcp),
    .at = offsetof(struct tn_dhcp, at),
    .check = dhcp_check,
};

static const struct tn_field subnet_fields[] = {
    {
        TN_ROW("name", struct tn_subnet, name),
        .type = TN_FIELD_TEXT,
        .flags = TN_REQUIRED,
        .form = &tn_form_label,
        .description = "Name of the subnet, unique in its VPC.",
        .example = "front",
    },
    {
        TN_ROW("cidr", struct tn_subnet, cidr),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED | TN_UNICAST,
        .description = "Prefix of the subnet, IPv4 or IPv6, inside one of the "
                       "VPC's 'cidrs'.",
        .example = "10.1.0.0/24",
    },
    {
        TN_ROW("cidr6", struct tn_subnet, cidr6),
        .type = TN_FIELD_CIDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(none: single stack)",
        .description = "Second prefix, IPv6, of a dual-stack subnet whose "
                       "'cidr' is IPv4.",
        .example = "\"fd00:10:1::/64\"",
    },
    {
        TN_ROW("gateway", struct tn_subnet, gateway),
        .type = TN_FIELD_ADDR,
        .flags = TN_UNICAST,
        .fallback = "(first address of 'cidr')",
        .description = "Address of the router in 'cidr': the same on every "
                       "host.",
        .example = "10.1.0.1",
    },
    {
        TN_ROW("gateway6", struct tn_subnet, gateway6),
        .type = TN_FIELD_ADDR,
        .flags = TN_IPV6 | TN_UNICAST,
        .fallback = "(first address of 'cidr6')",
        .description = "Address of the router in 'cidr6'.",
        .example = "\"fd00:10:1::1\"",
    },
    {
        TN_ROW("mtu", struct tn_subnet, mtu),
        .type = TN_FIELD_UINT,
        .min = 576,
        .max = 65535,
        .fallback = "(what the underlay carries)",
        .description = "Largest packet in the subnet, without the Ethernet "
                       "header; at least 1280 with IPv6.",
        .example = "1450",
    },
    {
        TN_ROW("vni", struct tn_subnet, vni),
        .type = TN_FIELD_UINT,
        .min = 1,
        .max = 16777215,
        .fallback = "(pinned or derived)",
        .description = "Network identifier on the wire, unique in the "
                       "instance.",
        .example = "70123",
    },
    {
        TN_ROW("dhcp", struct tn_subnet, dhcp),
        .type = TN_FIELD_OBJECT,
        .object = &dhcp,
        .fallback = "(none)",
        .description = "Serves addresses and settings to what asks for them "
                       "with DHCP. Not every driver can.",
    },
};

static void
gateway_check(const struct tn_check *check, const struct tn_vaddr *gateway,
              const struct tn_vcidr *cidr, const char *field)
{
    char a[TN_ADDR_TEXT], c[TN_CIDR_TEXT], first[TN_ADDR_TEXT];
    struct tn_addr one, last = tn_cidr_last(&cidr->v);
    if (!tn_addr_present(&gateway->v) || !tn_addr_present(&cidr->v.addr)) {
        return;
    }
    tn_addr_format(&gateway->v, a);
    tn_cidr_format(&cidr->v, c);
    if (!tn_cidr_contains(&cidr->v, &gateway->v)) {
        struct tn_diag *d = tn_check_error(check, gateway->at,
                                           "%s %s is outside %s", field, a, c);
        if (tn_addr_add(&cidr->v.addr, 1, &one)) {
            tn_check_hint(check, d, "the first address is %s",
                          tn_addr_format(&one, first));
        }
    } else if (tn_addr_cmp(&gateway->v, &cidr->v.addr) == 0) {
        tn_check_error(check, gateway->at, "%s %s is the network address of %s",
                       field, a, c);
    } else if (gateway->v.family == TN_AF_IPV4 &&
               tn_addr_cmp(&gateway->v, &last) == 0) {
        tn_check_error(check, gateway->at,
                       "%s %s is the broadcast address of %s", field, a, c);
    }
}

static void
size_check(const struct tn_check *check, const struct tn_vcidr *cidr)
{
    unsigned most =
        cidr->v.addr.family == TN_AF_IPV4 ? SUBNET_LEN_IPV4 : SUBNET_LEN_IPV6;
    char text[TN_CIDR_TEXT];
    if (tn_addr_present(&cidr->v.addr) && cidr->v.len > most) {
        tn_check_error(check, cidr->at,
                       "%s is too small for a subnet, which needs a gateway "
                       "and a port: at most /%u",
                       tn_cidr_format(&cidr->v, text), most);
    }
}

static void
ra_check(const struct tn_check *check, const struct tn_subnet *s)
{
    const struct tn_cidr *six =
        s->cidr.v.addr.family == TN_AF_IPV6 ? &s->cidr.v : &s->cidr6.v;
    unsigned mode = s->dhcp.ra.v;
    char text[TN_CIDR_TEXT];
    if (!s->dhcp.ra.at.line || mode == TN_RA_NONE || mode == TN_WORD_BAD ||
        !tn_addr_present(&s->cidr.v.addr)) {
        return;
    }
    if (!s->cidr6.at.line && s->cidr.v.addr.family != TN_AF_IPV6) {
        tn_check_error(check, s->dhcp.ra.at,
                       "'ra' is about IPv6, which this subnet has not");
    } else if (mode != TN_RA_STATEFUL && tn_addr_present(&six->addr) &&
               six->len != SLAAC_LEN) {
        tn_check_error(check, s->dhcp.ra.at,
                       "'%s' needs a prefix of /%d: %s is none", ra_modes[mode],
                       SLAAC_LEN, tn_cidr_format(six, text));
    }
}

static void
subnet_check(const struct tn_check *check, const void *object)
{
    const struct tn_subnet *s = object;
    bool ipv6 = s->cidr.v.addr.family == TN_AF_IPV6;
    size_check(check, &s->cidr);
    size_check(check, &s->cidr6);
    gateway_check(check, &s->gateway, &s->cidr, "gateway");
    gateway_check(check, &s->gateway6, &s->cidr6, "gateway6");
    ra_check(check, s);
    if (ipv6 && s->cidr6.at.line) {
        struct tn_diag *d =
            tn_check_error(check, s->cidr6.at,
                           "'cidr6' is for dual stack, but 'cidr' is "
                           "IPv6 already");
        tn_check_hint(check, d, "remove 'cidr6', or give an IPv4 'cidr'");
    }
    if (s->gateway6.at.line && !s->cidr6.at.line) {
        struct tn_diag *d =
            tn_check_error(check, s->gateway6.at, "'gateway6' without 'cidr6'");
        if (ipv6) {
            tn_check_hint(check, d, "the gateway of 'cidr' is 'gateway'");
        }
    }
    if (s->mtu.v && s->mtu.v < MTU_IPV6 && (ipv6 || s->cidr6.at.line)) {
        tn_check_error(check, s->mtu.at,
                       "mtu %llu is too small for IPv6, which needs %d",
                       (unsigned long long) s->mtu.v, MTU_IPV6);
    }
}

static const struct tn_object subnet = {
    .title = "Subnet",
    .description = "One broadcast domain, stretched over all hosts that have "
                   "a port in it.",
    TN_FIELDS(subnet_fields),
    .size = sizeof(struct tn_subnet),
    .at = offsetof(struct tn_subnet, at),
    .key = "name",
    .check = subnet_check,
};

static const struct tn_field route_fields[] = {
    {
        TN_ROW("to", struct tn_route, to),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED,
        .description = "Destination prefix.",
        .example = "192.168.0.0/16",
    },
    {
        TN_ROW("via", struct tn_route, via),
        .type = TN_FIELD_ADDR,
        .flags = TN_REQUIRED | TN_UNICAST,
        .description = "Next hop: an address inside one of the VPC's subnets, "
                       "of the family of 'to'.",
        .example = "10.1.0.10",
    },
};

static void
route_check(const struct tn_check *check, const void *object)
{
    const struct tn_route *r = object;
    if (tn_addr_present(&r->to.v.addr) && tn_addr_present(&r->via.v) &&
        r->to.v.addr.family != r->via.v.family) {
        char a[TN_ADDR_TEXT], c[TN_CIDR_TEXT];
        tn_check_error(check, r->via.at,
                       "next hop %s and destination %s are of different "
                       "address families",
                       tn_addr_format(&r->via.v, a),
                       tn_cidr_format(&r->to.v, c));
    }
}

static const struct tn_object route = {
    .title = "Route",
    .description = "A static route of the VPC's router.",
    TN_FIELDS(route_fields),
    .size = sizeof(struct tn_route),
    .at = offsetof(struct tn_route, at),
    .key = "to",
    .check = route_check,
};

static const struct tn_field spec_fields[] = {
    {
        TN_ROW("description", struct tn_vpc, description),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_prose,
        .description = "For people.",
        .example = "Production network of the web shop",
    },
    {
        TN_ROW("cidrs", struct tn_vpc, cidrs),
        .type = TN_FIELD_CIDR,
        .flags = TN_REQUIRED | TN_MANY | TN_DISTINCT | TN_UNICAST,
        .min_items = 1,
        .max_items = 256,
        .description = "Prefixes of the VPC: its subnets lie inside them. "
                       "Other VPCs may use the same.",
        .example = "[10.1.0.0/16, \"fd00:10::/32\"]",
    },
    {
        TN_ROW("encapsulation", struct tn_vpc, encapsulation),
        .type = TN_FIELD_WORD,
        TN_WORDS(encapsulations),
        .fallback = "vxlan",
        .description = "How packets travel between hosts; in a cloud of OVN, "
                       "the cloud decides (tenet_ovn_encapsulation).",
        .example = "vxlan",
    },
    {
        TN_ROW("sites", struct tn_vpc, sites),
        .type = TN_FIELD_TEXT,
        .flags = TN_MANY | TN_DISTINCT,
        .max_items = 256,
        .form = &tn_form_host,
        .fallback = "(any)",
        .description = "Sites (tenet_site of the host) where ports of this "
                       "VPC may be.",
        .example = "[dc1, dc2]",
    },
    {
        TN_ROW("subnets", struct tn_vpc, subnets),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 4096,
        .object = &subnet,
        .description = "The subnets of the VPC; traffic between them is "
                       "routed at the first hop.",
    },
    {
        TN_ROW("routes", struct tn_vpc, routes),
        .type = TN_FIELD_OBJECT,
        .flags = TN_MANY,
        .max_items = 4096,
        .object = &route,
        .description = "Static routes.",
    },
    {
        TN_ROW("externalNetwork", struct tn_vpc, external_network),
        .type = TN_FIELD_TEXT,
        .form = &tn_form_label,
        .fallback = "(none: nothing leads out of the VPC)",
        .description = "The external network that the VPC's router is in, "
                       "with its default route there. 'externalNetworks' of "
                       "tenet.yml must have the VPC.",
        .example = "uplink",
    },
};

const struct tn_kind_table tn_vpc_table = {
    .kind = TN_KIND_VPC,
    .name = "Vpc",
    .slug = "vpc",
    .where = "tenants/<tenant>/**/*.yml",
    .sample = "web",
    .description =
        "A virtual private cloud: an isolated, routed network of one tenant. "
        "Its addresses may overlap with those of any other VPC. Nothing "
        "reaches it from another VPC unless both sides grant a Peering. Its "
        "ports, and those of VPCs that it peers with, are on hosts that one "
        "engine connects: kernel with kernel, Open vSwitch with Open vSwitch, "
        "or members of one cloud of OVN.",
    .of_tenant = true,
    .spec =
        {
            .title = "VpcSpec",
            TN_FIELDS(spec_fields),
            .size = sizeof(struct tn_vpc),
        },
};
