/* render_test.c - what becomes of intent on a hypervisor: a member of a cloud,
 * and one alone, which carries segments and refuses all else. */
#include "drivers/ovsdb/openvswitch/render.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/openvswitch/openvswitch.h"
#include "tests/support/render_lab.h"

#define V "apiVersion: tenet/v1\n"

static const char alone[] =
    "all:\n"
    "  hosts:\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11}\n"
    "    hv2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.12}\n"
    "    hv3: {tenet_driver: openvswitch, tenet_underlay_address: "
    "192.0.2.13}\n";
static const char cloud[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn, tenet_ovn_southbound: "
    "\"tcp:192.0.2.1:6642\"}\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11,\n"
    "          tenet_ovn: c1}\n"
    "    hv2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.12,\n"
    "          tenet_ovn: c1}\n";

#define OPEN_GROUP                                                             \
    V "kind: SecurityGroup\n"                                                  \
      "metadata: {name: open}\n"                                               \
      "spec: {rules: [{direction: ingress}]}\n"
#define PORT(name, subnet, host, more)                                         \
    "---\n" V "kind: Port\nmetadata: {name: " name "}\n"                       \
    "spec: {vpc: net, subnet: " subnet ", host: " host ", " more "}\n"

static const char plain[] = V
    "kind: Vpc\n"
    "metadata: {name: net}\n"
    "spec:\n"
    "  cidrs: [10.1.0.0/16]\n"
    "  encapsulation: %s\n"
    "  subnets:\n"
    "    - {name: a, cidr: 10.1.0.0/24, vni: 7000}\n"
    "---\n" OPEN_GROUP PORT("p1", "a", "hv1",
                            "mac: \"02:00:00:00:00:01\", securityGroups: "
                            "[open], attach: {interface: tap1}")
        PORT("p2", "a", "hv2", "securityGroups: [open], attach: {netns: n}")
            PORT("p3", "a", "hv2", "securityGroups: [open], attach: {netns: m}")
                PORT("p4", "a", "hv1",
                     "securityGroups: [open], attach: {netns: n4}");

/* One of everything that a bridge is no answer to; lines are counted below. */
static const char rich[] = V
    "kind: Vpc\n"
    "metadata: {name: net}\n"
    "spec:\n"
    "  cidrs: [10.1.0.0/16]\n"
    "  subnets:\n"
    "    - {name: a, cidr: 10.1.0.0/24, dhcp: {}}\n"
    "    - {name: b, cidr: 10.1.1.0/24}\n"
    "  routes:\n"
    "    - {to: 172.16.0.0/12, via: 10.1.0.9}\n"
    "---\n" V "kind: Vpc\n"
    "metadata: {name: peer}\n"
    "spec:\n"
    "  cidrs: [10.2.0.0/16]\n"
    "  subnets:\n"
    "    - {name: a, cidr: 10.2.0.0/24}\n"
    "---\n" V "kind: Peering\n"
    "metadata: {name: there}\n"
    "spec: {vpc: net, peer: {vpc: peer}, export: [10.1.0.0/24]}\n"
    "---\n" V "kind: Peering\n"
    "metadata: {name: back}\n"
    "spec: {vpc: peer, peer: {vpc: net}, export: [10.2.0.0/24]}\n"
    "---\n" OPEN_GROUP "---\n" V "kind: SecurityGroup\n"
    "metadata: {name: judged}\n"
    "spec: {rules: [{direction: egress, protocol: tcp}]}\n"
    "---\n" V "kind: SecurityGroup\n"
    "metadata: {name: web}\n"
    "spec: {rules: [{direction: ingress, protocol: tcp, ports: [80]}]}\n" PORT(
        "router", "a", "hv1",
        "address: 10.1.0.9, securityGroups: [open], attach: {netns: r}")
        PORT("closed", "a", "hv1", "attach: {netns: c}") PORT(
            "some", "a", "hv1", "securityGroups: [web], attach: {netns: s}")
            PORT("both", "a", "hv1",
                 "securityGroups: [open, judged], attach: {netns: b}")
                PORT("elsewhere", "b", "hv2", "attach: {netns: e}");

static struct tn_lab lab;

static const struct tn_state *
render(const char *device)
{
    return tn_lab_render(&lab, &tn_driver_openvswitch,
                         tn_lab_device(&lab, device));
}

static void
begin(const char *hosts, const char *net)
{
    tn_lab_init(&lab, hosts);
    tn_lab_add(&lab, "tenants/acme/net.yml", net);
    tn_lab_compile(&lab);
}

static const char *
encapsulated(const char *type)
{
    static char text[sizeof plain + 16];
    const char *hole = strstr(plain, "%s");
    size_t n = (size_t) (hole - plain);
    memcpy(text, plain, n);
    strcpy(text + n, type);
    strcat(text, hole + 2);
    return text;
}

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(openvswitch_render, .fini = teardown);

Test(openvswitch_render, segment)
{
    begin(alone, encapsulated("vxlan"));
    const struct tn_state *s = render("hv1");
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_assert_eq(s->n, 4);
    const char *bridge = tn_lab_attr(s, "acme/net/bridge/a", "name");
    tn_lab_expect(s, "acme/net/bridge/a",
                  tn_arena_printf(lab.arena,
                                  "database=root\ndatapath=system\n"
                                  "fail-mode=standalone\nname=%s\n",
                                  bridge));
    tn_lab_expect(s, "acme/net/port/p1",
                  "attached-mac=02:00:00:00:00:01\n"
                  "bridge=acme/net/bridge/a\niface-id=lab/acme/net/p1\n"
                  "interface=tap1\nname=tap1\n");
    /* One tunnel to each other host, however many ports that has. */
    const char *link = tn_lab_attr(s, "acme/net/port/a/to/hv2", "name");
    tn_lab_expect(
        s, "acme/net/port/a/to/hv2",
        tn_arena_printf(lab.arena,
                        "bridge=acme/net/bridge/a\ninterface=%s\nname=%s\n"
                        "options=dst_port=%u, key=7000, local_ip=192.0.2.11, "
                        "remote_ip=192.0.2.12\nprotected=true\ntype=vxlan\n",
                        link, link, tn_lab_device(&lab, "hv1")->vxlan_port));
    tn_lab_expect(s, "acme/net/port/a/to/hv3", NULL);
    cr_expect_eq(render("hv3")->n, 0, "has no port");
}

Test(openvswitch_render, encapsulations)
{
    static const char *const types[] = {"vxlan", "geneve", "gre"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(types); i++) {
        begin(alone, encapsulated(types[i]));
        const struct tn_state *s = render("hv2");
        const char *options =
            tn_lab_attr(s, "acme/net/port/a/to/hv1", "options");
        cr_expect_str_eq(tn_text_str(&lab.findings), "");
        cr_expect_str_eq(tn_lab_attr(s, "acme/net/port/a/to/hv1", "type"),
                         types[i]);
        cr_expect_eq(strstr(options, "dst_port") != NULL, i == 0, "%s",
                     options);
        if (i + 1 < TN_ARRAY_SIZE(types)) {
            tn_lab_done(&lab);
        }
    }
}

/* Names of interfaces: 15 characters, on one machine each once. */
Test(openvswitch_render, names)
{
    enum { VPCS = 40 };
    struct tn_text t = {0};
    for (unsigned i = 0; i < VPCS; i++) {
        tn_text_addf(
            &t,
            "---\n" V "kind: Vpc\nmetadata: {name: v%u}\nspec:\n"
            "  cidrs: [10.1.0.0/16]\n  subnets:\n"
            "  - {name: a-subnet-with-a-long-name, cidr: 10.1.0.0/24}\n"
            "---\n" V "kind: Port\nmetadata: {name: p%u}\nspec: {vpc: v%u, "
            "subnet: a-subnet-with-a-long-name, host: hv1, securityGroups: "
            "[open], attach: {netns: n%u}}\n"
            "---\n" V "kind: Port\nmetadata: {name: q%u}\nspec: {vpc: v%u, "
            "subnet: a-subnet-with-a-long-name, host: hv2, securityGroups: "
            "[open], attach: {netns: n%u}}\n",
            i, i, i, i, i, i, i);
    }
    tn_lab_init(&lab, alone);
    tn_lab_add(&lab, "tenants/acme/net.yml", tn_text_str(&t));
    tn_lab_add(&lab, "tenants/acme/open.yml", OPEN_GROUP);
    tn_text_done(&t);
    tn_lab_compile(&lab);
    const struct tn_state *s = render("hv1");
    cr_assert_eq(s->n, 3 * VPCS);
    for (size_t i = 0; i < s->n; i++) {
        const char *name = tn_resource_attr(&s->items[i], "name");
        cr_expect_leq(strlen(name), 15, "%s", name);
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(name, tn_resource_attr(&s->items[k], "name"));
        }
    }
}

Test(openvswitch_render, what_a_bridge_cannot)
{
    static const char prefix[] = "Open vSwitch without OVN has no router: ";
    begin(alone, rich);
    tn_lab_add(&lab, "tenants/beta/net.yml", encapsulated("geneve"));
    tn_lab_compile(&lab);
    const struct tn_state *s = render("hv1");
    cr_expect_str_eq(
        tn_text_str(&lab.findings),
        tn_arena_printf(
            lab.arena,
            "8 acme: %sa VPC can have one subnet only\n"
            "10 acme: %sno static routes\n"
            "20 acme: %sno peerings\n"
            "7 acme: Open vSwitch without OVN cannot serve DHCP\n"
            "60 acme: Open vSwitch without OVN has no packet rules: port "
            "'both' needs a security group that lets everything in and does "
            "not judge what leaves\n"
            "50 acme: Open vSwitch without OVN has no packet rules: port "
            "'closed' needs a security group that lets everything in and does "
            "not judge what leaves\n"
            "55 acme: Open vSwitch without OVN has no packet rules: port "
            "'some' needs a security group that lets everything in and does "
            "not judge what leaves\n",
            prefix, prefix, prefix),
        "%s", tn_text_str(&lab.findings));
    /* Nothing of that VPC; others are not concerned. */
    for (size_t i = 0; i < s->n; i++) {
        cr_expect_str_eq(s->items[i].scope, "beta/net");
    }
    cr_expect_eq(s->n, 4);
}

Test(openvswitch_render, member_of_a_cloud)
{
    begin(cloud, rich);
    const struct tn_state *s = render("hv1");
    cr_expect_str_eq(tn_text_str(&lab.findings), "", "OVN can do all of it");
    cr_expect_eq(tn_lab_count(s, "port"), 4);
    cr_expect_eq(tn_lab_count(s, "bridge"), 0);
    tn_lab_expect(s, "settings",
                  "ovn-bridge=br-int\novn-bridge-datapath-type=system\n"
                  "ovn-encap-ip=192.0.2.11\novn-encap-type=geneve\n"
                  "ovn-remote=tcp:192.0.2.1:6642\nsystem-id=hv1\n");
    cr_expect_str_eq(tn_lab_attr(s, "acme/net/port/closed", "bridge"),
                     "name:br-int");
    cr_expect_str_eq(tn_lab_attr(s, "acme/net/port/closed", "iface-id"),
                     "lab/acme/net/closed");
    tn_lab_expect(s, "acme/net/port/elsewhere", NULL);
}
