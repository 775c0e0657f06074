/* nft_fixture.c - see nft_fixture.h. */
#include "drivers/kernel/nft_fixture.h"

#include <string.h>

#define IP4(a, b, c, d)                                                        \
    {                                                                          \
        TN_AF_IPV4,                                                            \
        {                                                                      \
            a, b, c, d                                                         \
        }                                                                      \
    }
/* fd00:0:0:NET::HOST */
#define IP6(net, host)                                                         \
    {                                                                          \
        TN_AF_IPV6,                                                            \
        {                                                                      \
            0xfd, 0, 0, 0, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host             \
        }                                                                      \
    }
#define MAC(host)                                                              \
    {                                                                          \
        {                                                                      \
            0x02, 0x74, 0x6e, 0, 0, host                                       \
        }                                                                      \
    }

static const struct tn_vrange http[] = {{80, 80, {0}}, {8000, 8100, {0}}};
static const struct tn_vrange dns[] = {{53, 53, {0}}};
static const struct tn_vrange postgres[] = {{5432, 5432, {0}}};
static const struct tn_vrange only80[] = {{80, 80, {0}}};

static const struct tn_addr web_members[] = {
    IP4(10, 0, 0, 11), IP4(10, 0, 0, 12), IP4(10, 0, 0, 99), IP4(10, 0, 1, 30),
    IP6(1, 0x11),      IP6(1, 0x12),      IP6(1, 0x99),      IP6(2, 0x30),
};
static const struct tn_net_group web;
static const struct tn_net_rule web_rules[] = {
    {.direction = TN_INGRESS,
     .protocol = TN_PROTO_TCP,
     .ports = http,
     .n_ports = TN_ARRAY_SIZE(http)},
    {.direction = TN_INGRESS,
     .protocol = TN_PROTO_UDP,
     .ports = dns,
     .n_ports = TN_ARRAY_SIZE(dns)},
    {.direction = TN_INGRESS, .protocol = TN_PROTO_ICMP},
};
static const struct tn_net_group web = {.name = "web",
                                        .rules = web_rules,
                                        .n_rules = TN_ARRAY_SIZE(web_rules),
                                        .members = web_members,
                                        .n_members =
                                            TN_ARRAY_SIZE(web_members)};
static const struct tn_net_rule db_rules[] = {
    {.direction = TN_INGRESS,
     .protocol = TN_PROTO_TCP,
     .ports = postgres,
     .n_ports = TN_ARRAY_SIZE(postgres),
     .remote_group = &web},
    {.direction = TN_INGRESS,
     .protocol = TN_PROTO_ICMP,
     .remote = {IP4(10, 0, 0, 0), 24}},
    {.direction = TN_INGRESS,
     .protocol = TN_PROTO_ICMP,
     .remote = {IP6(1, 0), 64}},
};
static const struct tn_net_group db = {
    .name = "db", .rules = db_rules, .n_rules = TN_ARRAY_SIZE(db_rules)};
static const struct tn_net_rule jail_rules[] = {
    {.direction = TN_INGRESS, .protocol = TN_PROTO_ICMP},
    {.direction = TN_EGRESS,
     .protocol = TN_PROTO_TCP,
     .ports = only80,
     .n_ports = TN_ARRAY_SIZE(only80),
     .remote = {IP4(10, 0, 0, 0), 24}},
    {.direction = TN_EGRESS, .protocol = TN_PROTO_ICMP, .remote_group = &web},
};
static const struct tn_net_group jail = {.name = "jail",
                                         .rules = jail_rules,
                                         .n_rules = TN_ARRAY_SIZE(jail_rules),
                                         .has_egress = true};

static const struct tn_net_group *const in_web[] = {&web};
static const struct tn_net_group *const in_db[] = {&db};
static const struct tn_net_group *const in_jail[] = {&jail};

static const struct tn_cidr behind_r[] = {{IP4(172, 16, 0, 0), 16},
                                          {IP4(172, 16, 5, 0), 24}};

#define PORT(label, net, host, group)                                          \
    .name = label, .mac = MAC(host), .address = IP4(10, 0, net, host),         \
    .address6 = IP6(net + 1, (host / 10 * 16 + host % 10)), .groups = group,   \
    .n_groups = TN_ARRAY_SIZE(group)

static const struct tn_net_port front_ports[] = {
    {PORT("a", 0, 11, in_web)},
    {PORT("b", 0, 13, in_db)},
    {.name = "e",
     .mac = MAC(14),
     .address = IP4(10, 0, 0, 14),
     .address6 = IP6(1, 0x14)},
    {PORT("w", 0, 12, in_web)},
    {PORT("z", 0, 99, in_web)},
};
static const struct tn_net_port back_ports[] = {
    {PORT("c", 1, 21, in_db)},
    {PORT("d", 1, 22, in_jail)},
    {PORT("r", 1, 30, in_web), .allowed = behind_r,
     .n_allowed = TN_ARRAY_SIZE(behind_r)},
    {PORT("y", 1, 98, in_db)},
};

static const struct tn_net_subnet subnets[] = {
    {.name = "back",
     .vni = 5001,
     .mtu = 1400,
     .cidr = {IP4(10, 0, 1, 0), 24},
     .cidr6 = {IP6(2, 0), 64},
     .gateway = IP4(10, 0, 1, 1),
     .gateway6 = IP6(2, 1),
     .gateway_mac = MAC(0xfe),
     .ports = back_ports,
     .n_ports = TN_ARRAY_SIZE(back_ports)},
    {.name = "front",
     .vni = 5000,
     .mtu = 1400,
     .cidr = {IP4(10, 0, 0, 0), 24},
     .cidr6 = {IP6(1, 0), 64},
     .gateway = IP4(10, 0, 0, 1),
     .gateway6 = IP6(1, 1),
     .gateway_mac = MAC(0xfe),
     .ports = front_ports,
     .n_ports = TN_ARRAY_SIZE(front_ports)},
};

static const struct tn_cidr of_web[] = {
    {IP4(10, 0, 1, 0), 24}, {IP4(10, 0, 1, 0), 25}, {IP6(2, 0), 64}};
static const struct tn_cidr of_lab[] = {{IP4(192, 168, 7, 0), 24},
                                        {IP6(7, 0), 64}};

static const struct tn_net_vpc vpc_lab;
static const struct tn_net_peering to_lab[] = {{.peer = &vpc_lab,
                                                .exports = of_web,
                                                .n_exports = 3,
                                                .imports = of_lab,
                                                .n_imports = 2,
                                                .first = true}};
static const struct tn_net_group *const web_and_db[] = {&web, &db};
static const struct tn_net_vpc vpc_web = {
    .scope = "acme/web",
    .tenant = "acme",
    .name = "web",
    .subnets = subnets,
    .n_subnets = TN_ARRAY_SIZE(subnets),
    .peerings = to_lab,
    .n_peerings = 1,
};

static const struct tn_net_port lab_ports[] = {
    {.name = "q",
     .mac = MAC(40),
     .address = IP4(192, 168, 7, 40),
     .address6 = IP6(7, 0x40),
     .groups = web_and_db,
     .n_groups = 2},
};
static const struct tn_net_subnet lab_subnets[] = {
    {.name = "lab",
     .mtu = 1400,
     .cidr = {IP4(192, 168, 7, 0), 24},
     .cidr6 = {IP6(7, 0), 64},
     .gateway = IP4(192, 168, 7, 1),
     .gateway6 = IP6(7, 1),
     .gateway_mac = MAC(0xfd),
     .ports = lab_ports,
     .n_ports = 1},
};
static const struct tn_net_peering to_web[] = {{.peer = &vpc_web,
                                                .exports = of_lab,
                                                .n_exports = 2,
                                                .imports = of_web,
                                                .n_imports = 3}};
static const struct tn_net_vpc vpc_lab = {
    .scope = "corp/lab",
    .tenant = "corp",
    .name = "lab",
    .subnets = lab_subnets,
    .n_subnets = 1,
    .peerings = to_web,
    .n_peerings = 1,
};

static const char *const links[] = {"l-peer"};
static const char *const no_links[] = {NULL};
static const char *const back1[] = {"p-c", "p-d", "p-r", NULL};
static const char *const back2[] = {NULL, NULL, NULL, "p-y"};
static const char *const front1[] = {"p-a", "p-b", "p-e", "p-w", NULL};
static const char *const front2[] = {NULL, NULL, NULL, NULL, "p-z"};
static const char *const lab1[] = {"p-q"};
static const struct tn_nft_subnet names1[] = {
    {"b-back", "x-back", back1, NULL, 0},
    {"b-front", "x-front", front1, NULL, 0}};
static const struct tn_nft_subnet names2[] = {
    {"b-back", "x-back", back2, NULL, 0},
    {"b-front", "x-front", front2, NULL, 0}};
static const struct tn_nft_subnet names_lab[] = {
    {"b-lab", NULL, lab1, NULL, 0}};

const struct tn_nft_input tn_nft_host1 = {&vpc_web, names1, links};
const struct tn_nft_input tn_nft_host2 = {&vpc_web, names2, no_links};
const struct tn_nft_input tn_nft_lab = {&vpc_lab, names_lab, links};

/* A copy of the subnet whose port 'i' may use 'allowed', too. */
static void
allow(struct tn_arena *arena, struct tn_net_subnet *subnet, size_t i,
      const struct tn_cidr *allowed, size_t n)
{
    struct tn_net_port *ports =
        tn_new_n(arena, struct tn_net_port, subnet->n_ports);
    memcpy(ports, subnet->ports, subnet->n_ports * sizeof *ports);
    ports[i].allowed = allowed;
    ports[i].n_allowed = n;
    subnet->ports = ports;
}

const struct tn_nft_input *
tn_nft_sought(struct tn_arena *arena)
{
    static const struct tn_cidr shared[] = {{IP4(10, 0, 0, 70), 32},
                                            {IP6(1, 0x70), 128}};
    static const struct tn_cidr wide[] = {{IP4(10, 0, 1, 64), 28},
                                          {IP6(2, 0x40), 122}};
    struct tn_nft_input *in = tn_new(arena, struct tn_nft_input);
    struct tn_net_vpc *vpc = tn_new(arena, struct tn_net_vpc);
    struct tn_net_subnet *both = tn_new_n(arena, struct tn_net_subnet, 2);
    struct tn_nft_subnet *names = tn_new_n(arena, struct tn_nft_subnet, 2);
    memcpy(both, subnets, sizeof subnets);
    memcpy(names, names1, sizeof names1);
    allow(arena, &both[1], 0, shared, TN_ARRAY_SIZE(shared));
    allow(arena, &both[1], 4, shared, TN_ARRAY_SIZE(shared));
    allow(arena, &both[0], 2, wide, TN_ARRAY_SIZE(wide));
    names[1].sought = shared;
    names[1].n_sought = TN_ARRAY_SIZE(shared);
    names[0].sought = wide;
    names[0].n_sought = TN_ARRAY_SIZE(wide);
    *vpc = vpc_web;
    vpc->subnets = both;
    *in = (struct tn_nft_input){vpc, names, links};
    return in;
}

static void
many_group(struct tn_arena *arena, unsigned i, unsigned n_rules,
           struct tn_net_group *group)
{
    struct tn_net_rule *rules = tn_new_n(arena, struct tn_net_rule, n_rules);
    for (unsigned k = 0; k < n_rules; k++) {
        struct tn_vrange *range = tn_new(arena, struct tn_vrange);
        range->first = range->last = (uint16_t) (1000 + k);
        rules[k] = (struct tn_net_rule){
            .direction = k % 5 ? TN_INGRESS : TN_EGRESS,
            .protocol = k % 2 ? TN_PROTO_UDP : TN_PROTO_TCP,
            .ports = range,
            .n_ports = 1,
            .remote = {IP4(10, (uint8_t) k, 0, 0), 16}};
    }
    *group =
        (struct tn_net_group){.name = tn_arena_printf(arena, "group-%u", i),
                              .rules = rules,
                              .n_rules = n_rules,
                              .has_egress = n_rules > 0};
}

const struct tn_nft_input *
tn_nft_many(struct tn_arena *arena, unsigned n, unsigned n_rules)
{
    struct tn_nft_input *in = tn_new(arena, struct tn_nft_input);
    struct tn_net_vpc *vpc = tn_new(arena, struct tn_net_vpc);
    struct tn_net_subnet *subnet = tn_new(arena, struct tn_net_subnet);
    struct tn_nft_subnet *names = tn_new(arena, struct tn_nft_subnet);
    struct tn_net_port *ports = tn_new_n(arena, struct tn_net_port, n);
    struct tn_net_group *groups = tn_new_n(arena, struct tn_net_group, n);
    const char **interfaces = tn_new_n(arena, const char *, n);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t high = (uint8_t) ((i + 2) >> 8), low = (uint8_t) (i + 2);
        const struct tn_net_group **of =
            tn_new_n(arena, const struct tn_net_group *, 1);
        many_group(arena, i, n_rules, &groups[i]);
        of[0] = &groups[i];
        ports[i] =
            (struct tn_net_port){.name = tn_arena_printf(arena, "port-%u", i),
                                 .mac = {{2, 0x74, 0x6e, 0, high, low}},
                                 .address = IP4(10, 0, high, low),
                                 .groups = of,
                                 .n_groups = 1};
        interfaces[i] = tn_arena_printf(arena, "p-port-%u", i);
    }
    *subnet = subnets[1];
    subnet->cidr = (struct tn_cidr){IP4(10, 0, 0, 0), 16};
    subnet->cidr6 = (struct tn_cidr){0};
    subnet->gateway6 = (struct tn_addr){0};
    subnet->ports = ports;
    subnet->n_ports = n;
    *vpc = (struct tn_net_vpc){.scope = "acme/many",
                               .subnets = subnet,
                               .n_subnets = 1,
                               .groups = groups,
                               .n_groups = n};
    *names = (struct tn_nft_subnet){"b-front", "x-front", interfaces, NULL, 0};
    *in = (struct tn_nft_input){vpc, names, NULL};
    return in;
}
