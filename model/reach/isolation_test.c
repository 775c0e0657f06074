/* isolation_test.c - networks that are broken on purpose, one way at a time.
 *
 * Each row breaks a sound network as a bug of compile or of the cache might;
 * the proof has to name it. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/reach/reach.h"

struct world {
    struct tn_arena *arena;
    struct tn_network net;
    struct tn_net_vpc a, b, c; /* acme/a, beta/b, beta/c; a and b peer. */
    struct tn_net_subnet subnets[3];
    struct tn_net_port ports[4]; /* Two of a, one each of b and c. */
    struct tn_net_group groups[3];
    struct tn_net_rule rules[3];
    struct tn_net_peering peerings[4];
    struct tn_cidr cidrs[3], imported[3];
    struct tn_host hosts[1];
    struct tn_device device;
    const struct tn_net_vpc *vpcs[3], *on_device[3];
    const struct tn_net_group *in[3];
    struct tn_addr members[3][2];
    struct tn_net_route route;
};

static struct tn_addr
addr(const char *s)
{
    struct tn_addr a;
    cr_assert(tn_addr_parse(s, &a));
    return a;
}

static void
vpc_make(struct world *w, struct tn_net_vpc *vpc, size_t i, const char *scope)
{
    static const char *const firsts[] = {"10.0.0.0", "10.1.0.0", "10.2.0.0"};
    static const char *const hosts[] = {"10.0.0.10", "10.1.0.10", "10.2.0.10"};
    static const char *const gateways[] = {"10.0.0.1", "10.1.0.1", "10.2.0.1"};
    struct tn_net_subnet *s = &w->subnets[i];
    struct tn_net_port *p = &w->ports[i ? i + 1 : 0];
    vpc->scope = scope;
    vpc->name = strchr(scope, '/') + 1;
    vpc->tenant = tn_arena_strndup(w->arena, scope, strcspn(scope, "/"));
    vpc->subnets = s;
    vpc->n_subnets = 1;
    vpc->groups = &w->groups[i];
    vpc->n_groups = 1;
    vpc->origin = (struct tn_origin){"vpc.yml", (uint32_t) i + 1, 1};
    *s = (struct tn_net_subnet){
        .name = "net",
        .vni = 100 + (uint32_t) i,
        .cidr = {addr(firsts[i]), 24},
        .gateway = addr(gateways[i]),
        .gateway_mac = {{2, 1, 1, 1, 1, 1}},
        .ports = p,
        .n_ports = 1,
    };
    *p = (struct tn_net_port){
        .name = "p",
        .host = w->hosts,
        .mac = {{2, 0, 0, 0, 0, (uint8_t) i}},
        .address = addr(hosts[i]),
        .groups = &w->in[i],
        .n_groups = 1,
    };
    w->in[i] = &w->groups[i];
    w->members[i][0] = p->address;
    w->rules[i] = (struct tn_net_rule){.direction = TN_INGRESS};
    w->groups[i] = (struct tn_net_group){
        .name = "open",
        .rules = &w->rules[i],
        .n_rules = 1,
        .members = w->members[i],
        .n_members = 1,
    };
    w->cidrs[i] = w->imported[i] = s->cidr;
}

static struct world *
world_new(struct tn_arena *arena)
{
    struct world *w = tn_new(arena, struct world);
    w->arena = arena;
    w->hosts[0].raw.name = "hv1";
    vpc_make(w, &w->a, 0, "acme/a");
    vpc_make(w, &w->b, 1, "beta/b");
    vpc_make(w, &w->c, 2, "beta/c");
    w->ports[1] = w->ports[0];
    w->ports[1].name = "q";
    w->ports[1].address = addr("10.0.0.11");
    w->ports[1].mac.b[5] = 9;
    w->subnets[0].n_ports = 2;
    w->members[0][1] = w->ports[1].address;
    w->groups[0].n_members = 2;
    w->peerings[0] = (struct tn_net_peering){
        .peer = &w->b,
        .exports = &w->cidrs[0],
        .n_exports = 1,
        .imports = &w->imported[1],
        .n_imports = 1,
        .first = true,
    };
    w->peerings[2] = (struct tn_net_peering){
        .peer = &w->a,
        .exports = &w->cidrs[1],
        .n_exports = 1,
        .imports = &w->imported[0],
        .n_imports = 1,
    };
    w->a.peerings = &w->peerings[0];
    w->b.peerings = &w->peerings[2];
    w->a.n_peerings = w->b.n_peerings = 1;
    const struct tn_net_vpc *all[3] = {&w->a, &w->b, &w->c};
    memcpy(w->vpcs, all, sizeof all);
    memcpy(w->on_device, all, sizeof all);
    w->device = (struct tn_device){
        .name = "hv1",
        .host = w->hosts,
        .vpcs = w->on_device,
        .n_vpcs = 3,
    };
    w->net = (struct tn_network){
        .vpcs = w->vpcs,
        .n_vpcs = 3,
        .devices = &w->device,
        .n_devices = 1,
    };
    return w;
}

static void
share_vni(struct world *w)
{
    w->subnets[2].vni = w->subnets[0].vni;
}

static void
lose_vni(struct world *w)
{
    w->subnets[2].vni = 0;
}

static void
peer_alone(struct world *w)
{
    w->b.n_peerings = 0;
}

static void
import_more(struct world *w)
{
    w->imported[1].len = 16;
}

static void
export_less(struct world *w)
{
    w->cidrs[1].len = 28;
}

static void
import_own(struct world *w)
{
    w->cidrs[1] = w->imported[1] = w->subnets[0].cidr;
}

/* b joins c as well, and exports to it what it has of a. */
static void
transit(struct world *w)
{
    w->peerings[3] = (struct tn_net_peering){
        .peer = &w->c,
        .exports = w->cidrs,
        .n_exports = 2,
        .imports = &w->cidrs[2],
        .n_imports = 1,
    };
    w->peerings[1] = (struct tn_net_peering){
        .peer = &w->b,
        .exports = &w->cidrs[2],
        .n_exports = 1,
        .imports = w->cidrs,
        .n_imports = 2,
    };
    w->b.n_peerings = 2;
    w->c.peerings = &w->peerings[1];
    w->c.n_peerings = 1;
    w->peerings[2].exports = &w->cidrs[1];
    w->peerings[2].n_exports = 2;
    w->peerings[0].imports = &w->cidrs[1];
    w->peerings[0].n_imports = 2;
}

static void
peer_elsewhere(struct world *w)
{
    struct tn_net_vpc *copy = tn_new(w->arena, struct tn_net_vpc);
    *copy = w->b;
    w->peerings[0].peer = copy;
}

static void
device_foreign(struct world *w)
{
    struct tn_net_vpc *copy = tn_new(w->arena, struct tn_net_vpc);
    *copy = w->b;
    w->on_device[1] = copy;
}

static void
device_stray(struct world *w)
{
    static struct tn_host other = {.raw.name = "hv2"};
    w->ports[3].host = &other;
}

/* The device is that of the cloud, the ports are on its hypervisors. */
static void
cloud_sound(struct world *w)
{
    static const struct tn_host cloud = {.raw.name = "cloud"};
    w->hosts[0].cloud = &cloud;
    w->device.host = &cloud;
}

static void
cloud_stray(struct world *w)
{
    static const struct tn_host cloud = {.raw.name = "cloud"};
    static const struct tn_host one = {.raw.name = "hv2", .cloud = &cloud};
    static const struct tn_host far = {.raw.name = "hv3"};
    w->ports[0].host = w->ports[1].host = w->ports[2].host = &one;
    w->ports[3].host = &far;
    w->device.host = &cloud;
}

/* A peer's VPC on a hypervisor that has no port of it. */
static void
member_stray(struct world *w)
{
    static const struct tn_host cloud = {.raw.name = "cloud"};
    static const struct tn_host other = {.raw.name = "hv2", .cloud = &cloud};
    w->hosts[0].cloud = &cloud;
    w->ports[2].host = &other;
}

static void
device_twice(struct world *w)
{
    w->on_device[2] = &w->b;
}

static void
address_outside(struct world *w)
{
    w->ports[3].address = w->members[2][0] = addr("10.0.0.10");
}

static void
address_shared(struct world *w)
{
    w->ports[1].address = w->members[0][1] = w->ports[0].address;
}

static void
address_gateway(struct world *w)
{
    w->ports[3].address = w->members[2][0] = w->subnets[2].gateway;
}

static void
mac_shared(struct world *w)
{
    w->ports[1].mac = w->ports[0].mac;
}

static void
mac_gateway(struct world *w)
{
    w->ports[3].mac = w->subnets[2].gateway_mac;
}

static void
group_foreign(struct world *w)
{
    w->in[2] = &w->groups[0];
}

static void
remote_foreign(struct world *w)
{
    w->rules[2].remote_group = &w->groups[0];
}

static void
member_foreign(struct world *w)
{
    w->members[2][1] = addr("10.9.9.9");
    w->groups[2].n_members = 2;
}

static void
egress_lost(struct world *w)
{
    w->rules[2].direction = TN_EGRESS;
}

static void
route_leaves(struct world *w)
{
    w->route = (struct tn_net_route){
        .to = {addr("172.16.0.0"), 16},
        .via = w->ports[3].address,
        .subnet = &w->subnets[2],
    };
    w->a.routes = &w->route;
    w->a.n_routes = 1;
}

static void
route_inside(struct world *w)
{
    w->route = (struct tn_net_route){
        .to = {addr("10.2.0.128"), 25},
        .via = w->ports[3].address,
        .subnet = &w->subnets[2],
    };
    w->c.routes = &w->route;
    w->c.n_routes = 1;
}

static void
scope_wrong(struct world *w)
{
    w->c.tenant = "acme";
}

static void
sound(struct world *w)
{
    (void) w;
}

/* How it is broken, what is found first, and whether a packet is named. */
struct row {
    void (*spoil)(struct world *w);
    const char *rule;
    bool packet;
};
static const struct row rows[] = {
    {sound, NULL, false},
    {cloud_sound, NULL, false},
    {cloud_stray, "device-foreign", false},
    {member_stray, "device-foreign", false},
    {share_vni, "vni-shared", true},
    {lose_vni, "vni-missing", false},
    {peer_alone, "peering-one-sided", true},
    {import_more, "peering-one-sided", true},
    {export_less, "peering-one-sided", true},
    {import_own, "peering-overlap", true},
    {transit, "peering-transit", true},
    {peer_elsewhere, "peering-foreign", false},
    {device_foreign, "device-foreign", false},
    {device_stray, "device-foreign", false},
    {device_twice, "device-twice", false},
    {address_outside, "address-outside", true},
    {address_shared, "address-shared", false},
    {address_gateway, "address-gateway", false},
    {mac_shared, "mac-shared", true},
    {mac_gateway, "mac-shared", true},
    {group_foreign, "group-foreign", false},
    {remote_foreign, "group-foreign", false},
    {member_foreign, "members-foreign", false},
    {egress_lost, "egress-lost", false},
    {route_leaves, "route-leaves", true},
    {route_inside, "route-inside", false},
    {scope_wrong, "scope-wrong", false},
};

static bool
finds(const struct tn_reach_isolation *iso, const struct row *row)
{
    for (size_t i = 0; i < iso->n; i++) {
        if (strcmp(iso->items[i].rule, row->rule) == 0 &&
            (!row->packet || iso->items[i].packet)) {
            return true;
        }
    }
    return false;
}

Test(isolation, names_what_is_broken)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct world *w = world_new(arena);
        struct tn_reach_isolation iso;
        rows[i].spoil(w);
        tn_reach_isolation(arena, &w->net, NULL, &iso);
        if (rows[i].rule) {
            cr_assert(finds(&iso, &rows[i]), "row %zu, %s: %zu found, %s", i,
                      rows[i].rule, iso.n, iso.n ? iso.items[0].rule : "-");
        } else {
            cr_assert_eq(iso.n, 0, "%s", iso.n ? iso.items[0].message : "");
        }
    }
}

/* What was proven before need not be proven again; what changed must be. */
Test(isolation, is_found_in_a_change_too)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct world *before = world_new(arena), *w = world_new(arena);
        struct tn_reach_changes changes;
        struct tn_reach_isolation iso;
        rows[i].spoil(w);
        tn_reach_changes_find(arena, &before->net, &w->net, &changes);
        tn_reach_isolation(arena, &w->net, &changes, &iso);
        cr_assert(!rows[i].rule || finds(&iso, &rows[i]), "row %zu, %s", i,
                  rows[i].rule);
    }
}

/* ---- assertions -----------------------------------------------------------
 */

static size_t
breaches(struct world *w, enum tn_reach_claim claim, const char *from,
         const char *to, const char *traffic)
{
    struct tn_reach *reach = tn_reach_new(w->arena, &w->net);
    struct tn_reach_outcome out;
    struct tn_reach_assertion a = {
        .claim = claim,
        .from.tenant = from,
        .to.tenant = to,
    };
    cr_assert(tn_traffic_parse(w->arena, traffic, &a.traffic));
    tn_reach_assert(reach, &a, &out);
    for (size_t i = 0; i < out.n; i++) {
        cr_assert_gt(out.items[i].n_steps, 0);
        cr_assert_gt(out.items[i].n_pairs, 0);
    }
    return out.n;
}

Test(assertions, are_judged)
{
    static const struct {
        enum tn_reach_claim claim;
        const char *from, *to, *traffic;
        bool holds;
    } claims[] = {
        {TN_REACH_NEVER, "acme", "beta", "tcp 22", false},
        {TN_REACH_NEVER, "nobody", "beta", "any", true},
        {TN_REACH_ONLY, "acme", "beta", "tcp 22", true},
        {TN_REACH_ONLY, "nobody", "beta", "tcp 22", false},
        {TN_REACH_ONLY, "beta", "acme", "icmp", false},
        {TN_REACH_ALWAYS, "acme", "beta", "tcp 22", false},
        {TN_REACH_ALWAYS, "acme", "acme", "any", true},
    };
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(claims); i++) {
        struct world *w = world_new(arena);
        cr_assert_eq(breaches(w, claims[i].claim, claims[i].from, claims[i].to,
                              claims[i].traffic) == 0,
                     claims[i].holds, "row %zu", i);
    }
}

Test(assertions, see_every_rule)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct world *w = world_new(arena);
    struct tn_vrange ssh = {22, 22, {0}};
    w->rules[1].protocol = TN_PROTO_TCP;
    w->rules[1].ports = &ssh;
    w->rules[1].n_ports = 1;
    cr_assert_gt(breaches(w, TN_REACH_NEVER, "acme", "beta", "tcp 22"), 0);
    cr_assert_eq(breaches(w, TN_REACH_NEVER, "acme", "beta", "tcp 23"), 0);
    cr_assert_gt(breaches(w, TN_REACH_NEVER, "acme", "beta", "tcp 1-22"), 0);
    w->b.n_peerings = 0;
    cr_assert_eq(breaches(w, TN_REACH_NEVER, "acme", "beta", "any"), 0);
}
