/* limits_test.c - what NSX cannot express, and what it takes in several parts.
 */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/render.h"
#include "tests/support/render_lab.h"
#include "model/base/map.h"

#define V "apiVersion: tenet/v1\n"
#define MANAGER                                                                \
    "tenet_driver: nsx, tenet_nsx_url: 'https://192.0.2.1', tenet_nsx_user: "  \
    "admin, tenet_nsx_password_file: /dev/null"
#define PLACE "/infra/sites/default/enforcement-points/default/"

static const struct tn_driver driver = {.render = tn_nsx_render};
static struct tn_lab lab;
static const struct tn_state *state;

static void
begin(const char *more)
{
    char hosts[1000];
    snprintf(hosts, sizeof hosts, "all:\n  hosts:\n    n1: {%s%s}\n", MANAGER,
             more);
    tn_lab_init(&lab, hosts);
}

static void
render(void)
{
    tn_lab_compile(&lab);
    state = tn_lab_render(&lab, &driver, tn_lab_device(&lab, "n1"));
}

static void
setup(void)
{
    begin("");
}

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(nsx_limits, .init = setup, .fini = teardown);
TestSuite(nsx_variables, .fini = teardown);

#define VPC(name, more)                                                        \
    V "kind: Vpc\nmetadata: {name: " name                                      \
      "}\nspec:\n  cidrs: [10.1.0.0/16, \"fd00::/16\"]\n  subnets:\n"          \
      "    - {name: s0, cidr: 10.1.0.0/16, cidr6: \"fd00:1::/64\"" more "}\n"
#define PORT(name, vpc, groups)                                                \
    "---\n" V "kind: Port\nmetadata: {name: " name "}\nspec: {vpc: " vpc       \
    ", subnet: s0, host: n1, attach: {netns: " name                            \
    "}, securityGroups: [" groups "]}\n"
#define GROUP(name, rules)                                                     \
    "---\n" V "kind: SecurityGroup\nmetadata: {name: " name                    \
    "}\nspec:\n  rules:\n" rules

/* What one VPC cannot have leaves out that VPC and no other. */
static void
expect_refused(const char *finding)
{
    tn_lab_add(&lab, "tenants/beta/net.yml",
               VPC("shop", "") PORT("shop1", "shop", ""));
    render();
    cr_expect_str_eq(tn_text_str(&lab.findings), finding);
    tn_lab_expect(state, "beta/shop/router",
                  "name=lab/beta/shop\n"
                  "type=ISOLATED\n");
    for (size_t i = 0; i < state->n; i++) {
        cr_expect_str_eq(state->items[i].scope, "beta/shop");
    }
}

Test(nsx_limits, ports_of_sctp)
{
    tn_lab_add(&lab, "tenants/acme/net.yml",
               VPC("web", "") PORT("web1", "web", "g")
                   GROUP("g", "    - {direction: ingress, protocol: sctp, "
                              "ports: [5000]}\n"));
    expect_refused("19 acme: NSX knows SCTP, but not its ports: leave out "
                   "'ports', or use tcp or udp\n");
}

Test(nsx_limits, dhcp)
{
    tn_lab_add(&lab, "tenants/acme/net.yml",
               VPC("web", ", dhcp: {}") PORT("web1", "web", ""));
    expect_refused("7 acme: NSX cannot serve this subnet: leave out 'dhcp'\n");
}

Test(nsx_limits, peering_without_edges)
{
    tn_lab_add(&lab, "tenants/acme/net.yml",
               VPC("web", "")
                   PORT("web1", "web",
                        "") "---\n" V
                            "kind: Peering\nmetadata: {name: web-shop}\n"
                            "spec: {vpc: web, peer: {tenant: beta, vpc: "
                            "shop}, export: [10.1.0.0/16]}\n");
    tn_lab_add(&lab, "tenants/beta/peer.yml",
               V "kind: Peering\nmetadata: {name: shop-web}\n"
                 "spec: {vpc: shop, peer: {tenant: acme, vpc: web}, export: "
                 "[10.2.0.0/16]}\n");
    tn_lab_add(
        &lab, "tenants/beta/net.yml",
        V "kind: Vpc\nmetadata: {name: shop}\nspec:\n"
          "  cidrs: [10.2.0.0/16]\n  subnets:\n"
          "    - {name: s0, cidr: 10.2.0.0/16}\n" PORT("shop1", "shop", ""));
    render();
    cr_expect_str_eq(tn_text_str(&lab.findings),
                     "14 acme: a peering in NSX needs an edge cluster: set "
                     "tenet_nsx_edge_cluster of host 'n1'\n"
                     "1 beta: a peering in NSX needs an edge cluster: set "
                     "tenet_nsx_edge_cluster of host 'n1'\n");
    cr_expect_eq(state->n, 0);
}

/* Three tags are marks, one closes the port, 22 are left. */
Test(nsx_limits, groups_of_a_port)
{
    struct tn_text t = {0};
    for (unsigned n = 22; n <= 23; n++) {
        tn_text_clear(&t);
        tn_text_add(&t, VPC("web", ""));
        tn_text_add(&t, "---\n" V "kind: Port\nmetadata: {name: web1}\nspec: "
                        "{vpc: web, subnet: s0, host: n1, attach: {netns: a}, "
                        "securityGroups: [");
        for (unsigned i = 0; i < n; i++) {
            tn_text_addf(&t, "%sg%u", i ? ", " : "", i);
        }
        tn_text_add(&t, "]}\n");
        for (unsigned i = 0; i < n; i++) {
            tn_text_addf(&t,
                         "---\n" V "kind: SecurityGroup\n"
                         "metadata: {name: g%u}\nspec: {rules: []}\n",
                         i);
        }
        tn_lab_add(&lab, "tenants/acme/net.yml", tn_text_str(&t));
        if (n == 22) {
            render();
            cr_expect_str_eq(tn_text_str(&lab.findings), "");
        }
    }
    tn_text_done(&t);
    expect_refused("9 acme: port 'web1' has 23 security groups, and its "
                   "object in NSX has room for the tags of 22\n");
}

/* 15 ports in an entry, where a range counts two; what touches is one range. */
Test(nsx_limits, ports_of_a_service)
{
    tn_lab_add(
        &lab, "tenants/acme/net.yml",
        VPC("web", "") PORT("web1", "web", "g") GROUP(
            "g",
            "    - {direction: ingress, protocol: tcp, ports: [1, 3, 5, 7, 9, "
            "11, 13, \"20-30\", \"40-50\", \"60-70\", \"80-90\", 92, 93, "
            "\"90-91\"]}\n"));
    render();
    cr_expect_str_eq(
        tn_lab_attr(state,
                    "acme/web/service/"
                    "tcp-1-3-5-7-9-11-13-20to30-40to50-60to70-80to93",
                    "matches"),
        "{\"destination_ports\":[\"1\",\"11\",\"13\",\"20-30\",\"3\",\"40-50\","
        "\"5\",\"60-70\",\"7\",\"80-93\",\"9\"],\"id\":\"e1\","
        "\"l4_protocol\":\"TCP\",\"resource_type\":\"L4PortSetServiceEntry\"}");
    tn_lab_add(
        &lab, "tenants/acme/net.yml",
        VPC("web", "") PORT("web1", "web", "g") GROUP(
            "g",
            "    - {direction: ingress, protocol: tcp, ports: [1, 3, 5, 7, 9, "
            "11, 13, 15, \"20-30\", \"40-50\", \"60-70\", \"80-90\"]}\n"));
    render();
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        if (strcmp(r->kind, "service") == 0 && strstr(r->name, "tcp")) {
            const char *matches = tn_resource_attr(r, "matches");
            cr_expect_not_null(strstr(matches,
                                      "{\"destination_ports\":[\"80-90\"],"
                                      "\"id\":\"e2\""),
                               "%s", matches);
        }
    }
}

/* More addresses than a group takes are in several groups, and one that comes
 * changes one of them. */
Test(nsx_limits, members_of_a_group)
{
    struct tn_text t = {0};
    const struct tn_state *states[2];
    for (unsigned n = 0; n < 2; n++) {
        tn_text_clear(&t);
        tn_text_add(&t, VPC("web", ""));
        tn_text_add(&t, GROUP("g", "    - {direction: ingress, remote: {group: "
                                   "g}}\n"));
        tn_lab_add(&lab, "tenants/acme/net.yml", tn_text_str(&t));
        for (unsigned f = 0; f < 2; f++) {
            tn_text_clear(&t);
            for (unsigned i = f * 300; i < (f ? 600 + n : 300); i++) {
                tn_text_addf(&t,
                             "---\n" V "kind: Port\nmetadata: {name: p%u}\n"
                             "spec: {vpc: web, subnet: s0, host: n1, attach: "
                             "{netns: n%u}, address: 10.1.%u.%u, "
                             "securityGroups: [g]}\n",
                             i, i, 1 + i / 250, 1 + i % 250);
            }
            tn_lab_add(&lab, f ? "tenants/acme/b.yml" : "tenants/acme/a.yml",
                       tn_text_str(&t));
        }
        render();
        states[n] = state;
        cr_expect_eq(tn_lab_count(state, "members"), 4);
    }
    tn_text_done(&t);
    size_t changed = 0;
    for (size_t i = 0; i < states[0]->n; i++) {
        const struct tn_resource *r = &states[0]->items[i];
        const struct tn_resource *s = tn_state_get(states[1], r->key);
        changed += !s || !tn_resource_same(r, s);
    }
    /* One address of each family. */
    cr_expect(changed == 1 || changed == 2, "%zu", changed);
    const char *from =
        tn_lab_attr(state, "acme/web/rule/g/in_any_group-g", "from");
    cr_expect_not_null(strstr(from, "lab_acme_web_g__members-4of4"), "%s",
                       from);
}

/* Of so many pairs some have one first choice: no two get the same addresses,
 * and the second choice of one does not depend on who asks. */
Test(nsx_variables, many_peerings)
{
    enum { LEAVES = 200 };
    struct tn_text t = {0};
    struct tn_map seen;
    begin(", tenet_nsx_edge_cluster: " PLACE "edge-clusters/e1");
    tn_map_init(&seen, lab.arena, 0);
    tn_lab_add(&lab, "tenants/acme/hub.yml",
               V "kind: Vpc\nmetadata: {name: hub}\nspec:\n"
                 "  cidrs: [10.0.0.0/16]\n  subnets:\n"
                 "    - {name: s0, cidr: 10.0.0.0/24}\n" PORT("h", "hub", ""));
    for (unsigned i = 0; i < LEAVES; i++) {
        tn_text_clear(&t);
        tn_text_addf(&t,
                     V "kind: Vpc\nmetadata: {name: v%u}\nspec:\n"
                       "  cidrs: [10.1.%u.0/24]\n  subnets:\n"
                       "    - {name: s0, cidr: 10.1.%u.0/24}\n---\n",
                     i, i, i);
        tn_text_addf(&t,
                     V "kind: Peering\nmetadata: {name: a%u}\nspec: {vpc: "
                       "v%u, peer: {vpc: hub}, export: [10.1.%u.0/24]}\n---\n",
                     i, i, i);
        tn_text_addf(&t,
                     V "kind: Peering\nmetadata: {name: b%u}\nspec: {vpc: "
                       "hub, peer: {vpc: v%u}, export: [10.0.0.0/24]}\n",
                     i, i);
        tn_lab_add(&lab, tn_arena_printf(lab.arena, "tenants/acme/v%u.yml", i),
                   tn_text_str(&t));
    }
    tn_text_done(&t);
    render();
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_expect_eq(tn_lab_count(state, "link"), 2 * LEAVES);
    for (unsigned i = 0; i < LEAVES; i++) {
        const char *ours = tn_lab_attr(
            state, tn_arena_printf(lab.arena, "acme/hub/link/acme/v%u", i),
            "addresses");
        const char *theirs = tn_lab_attr(
            state, tn_arena_printf(lab.arena, "acme/v%u/link/acme/hub", i),
            "addresses");
        unsigned a[2] = {0}, b[2] = {0};
        static const char form[] = "{\"ip_addresses\":[\"169.254.%u.%u\"]";
        cr_assert_eq(sscanf(ours, form, &a[0], &a[1]), 2, "%s", ours);
        cr_assert_eq(sscanf(theirs, form, &b[0], &b[1]), 2, "%s", theirs);
        cr_expect(a[0] == b[0] && b[1] == a[1] + 1, "%s %s", ours, theirs);
        cr_expect_null(tn_map_put(&seen, ours, &lab), "%s twice", ours);
    }
}

Test(nsx_variables, zone_and_spoofguard)
{
    begin(", tenet_nsx_transport_zone: " PLACE "transport-zones/z1, "
          "tenet_nsx_spoofguard: /infra/spoofguard-profiles/strict");
    tn_lab_add(&lab, "tenants/acme/net.yml",
               VPC("web", "") PORT("web1", "web", ""));
    render();
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/segment/s0", "zone"),
                     PLACE "transport-zones/z1");
    tn_lab_expect(state, "acme/web/profile/s0",
                  "spoofguard=/infra/spoofguard-profiles/strict\n");
}

Test(nsx_variables, project)
{
    begin(", tenet_nsx_project: p1");
    tn_lab_add(&lab, "tenants/acme/net.yml",
               VPC("web", "") PORT("web1", "web", "g")
                   GROUP("g", "    - {direction: ingress, protocol: tcp}\n"));
    render();
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/segment/s0", "router"),
                     "/orgs/default/projects/p1/infra/tier-1s/lab_acme_web");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/policy/g", "scope"),
                     "/orgs/default/projects/p1/infra/domains/default/groups/"
                     "lab_acme_web_g");
    cr_expect_str_eq(
        tn_lab_attr(state, "acme/web/rule/g/in_tcp_any", "services"),
        "/orgs/default/projects/p1/infra/services/"
        "lab_acme_web_tcp");
}

#define IN_VPCS ", tenet_nsx_project: p1, tenet_nsx_vpc: true"
#define VPC4 "/orgs/default/projects/p1/vpcs/lab_acme_web"

Test(nsx_variables, vpcs)
{
    begin(IN_VPCS);
    tn_lab_add(&lab, "tenants/acme/net.yml",
               V "kind: Vpc\nmetadata: {name: web}\nspec:\n"
                 "  cidrs: [10.0.0.0/8]\n  subnets:\n"
                 "    - {name: s0, cidr: 10.1.0.0/24}\n"
                 "    - {name: s1, cidr: 10.1.1.0/24}\n"
                 "    - {name: s2, cidr: 10.1.2.0/24}\n"
                 "    - {name: s3, cidr: 10.9.0.0/16}\n"
                 "    - {name: s4, cidr: 10.20.0.0/16}\n"
                 "    - {name: s5, cidr: 10.40.0.0/16}\n"
                 "  routes: [{to: 172.16.0.0/12, via: 10.1.1.9}]\n" PORT(
                     "web1", "web", "g")
                     GROUP("g", "    - {direction: ingress, protocol: tcp}\n"));
    render();
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    const char *id = tn_lab_attr(state, "acme/web/vpc", "short");
    cr_expect_eq(strlen(id), 8);
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/vpc", "networks"),
                     "10.1.0.0/23, 10.1.2.0/24, 10.20.0.0/16, 10.40.0.0/16, "
                     "10.9.0.0/16");
    tn_lab_expect(state, "acme/web/subnet/s3",
                  "access=Private\nname=lab/acme/web/s3\n"
                  "networks=10.9.0.0/16\n");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/policy/g", "scope"),
                     VPC4 "/groups/lab_acme_web_g");
    cr_expect_str_eq(
        tn_lab_attr(state, "acme/web/rule/g/in_tcp_any", "services"),
        "/orgs/default/projects/p1/infra/services/lab_acme_web_tcp");
    cr_expect_not_null(strstr(tn_lab_attr(state, "acme/web/group/g", "members"),
                              "\"VpcSubnetPort\""));
    const struct tn_resource *r = tn_state_get(state, "acme/web/vport/web1");
    cr_assert_not_null(r);
    cr_expect_str_eq(r->ids,
                     VPC4 "/subnets/lab_acme_web_s0/ports/lab_acme_web_web1");
    cr_expect_str_eq(r->parent, "acme/web/subnet/s0");
    r = tn_state_get(state, "acme/web/route/172.16.0.0/12");
    cr_expect_str_eq(r->ids, VPC4 "/static-routes/172.16.0.0_12");
    cr_expect_eq(tn_lab_count(state, "router"), 0);
    cr_expect_eq(tn_lab_count(state, "segment"), 0);
    /* What cannot change shows as a replacement. */
    r = tn_state_get(state, "acme/web/subnet/s3");
    for (size_t i = 0; i < r->n_attrs; i++) {
        cr_expect_eq(r->attrs[i].change, strcmp(r->attrs[i].name, "name") == 0
                                             ? TN_ATTR_UPDATE
                                             : TN_ATTR_REPLACE);
    }
}

static const struct {
    const char *subnet, *finding;
} no_vpcs[] = {
    {"cidr: 10.1.0.0/24, cidr6: \"fd00:1::/64\"",
     "7 acme: subnet 's0' cannot be in a VPC of NSX: it has IPv6\n"},
    {"cidr: \"fd00:1::/64\"",
     "7 acme: subnet 's0' cannot be in a VPC of NSX: it has IPv6\n"},
    {"cidr: 10.0.0.0/15",
     "7 acme: subnet 's0' cannot be in a VPC of NSX: it must be a /16 to a "
     "/29\n"},
    {"cidr: 10.1.0.0/24, gateway: 10.1.0.254",
     "7 acme: subnet 's0' cannot be in a VPC of NSX: the gateway must be its "
     "first address\n"},
};

Test(nsx_variables, not_in_vpcs)
{
    begin(IN_VPCS);
    for (size_t i = 0; i < TN_ARRAY_SIZE(no_vpcs); i++) {
        tn_lab_add(&lab, "tenants/acme/net.yml",
                   tn_arena_printf(lab.arena,
                                   V "kind: Vpc\nmetadata: {name: web}\n"
                                     "spec:\n"
                                     "  cidrs: [10.0.0.0/8, \"fd00::/16\"]\n"
                                     "  subnets:\n    - {name: s0, %s}\n%s",
                                   no_vpcs[i].subnet, PORT("w", "web", "")));
        render();
        cr_expect_str_eq(tn_text_str(&lab.findings), no_vpcs[i].finding);
        cr_expect_eq(state->n, 0);
    }
}
