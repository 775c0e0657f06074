/* limits_test.c - what OVN cannot carry, said with the line of intent. */
#include "drivers/ovsdb/ovn/render.h"

#include <criterion/criterion.h>

#include "drivers/ovsdb/ovn/ovn.h"
#include "tests/support/render_lab.h"

#define V "apiVersion: tenet/v1\n"

static const char hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11,\n"
    "          tenet_ovn: c1}\n"
    "    hv2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.12,\n"
    "          tenet_ovn: c1}\n";
static const char vxlan_hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn, tenet_ovn_encapsulation: vxlan}\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11,\n"
    "          tenet_ovn: c1}\n";

static struct tn_lab lab;
static const struct tn_state *state;

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(ovn_limits, .fini = teardown);

static void
add_file(const char *tenant, const char *vpc, unsigned number,
         struct tn_text *t)
{
    tn_lab_add(
        &lab,
        tn_arena_printf(lab.arena, "tenants/%s/%s%u.yml", tenant, vpc, number),
        tn_text_str(t));
    tn_text_clear(t);
}

/* A VPC with 'subnets' and, in the first of these, 'ports'; 0 is one. */
static void
add_vpc(const char *tenant, const char *vpc, unsigned subnets, unsigned ports)
{
    enum { IN_FILE = 500 };
    struct tn_text t = {0};
    tn_text_addf(&t,
                 V "kind: Vpc\nmetadata: {name: %s}\nspec:\n"
                   "  cidrs: [10.0.0.0/8]\n  subnets:\n",
                 vpc);
    for (unsigned i = 0; i < subnets; i++) {
        tn_text_addf(&t, "  - {name: s%u, cidr: 10.%u.%u.0/%u}\n", i, i / 256,
                     i % 256, ports ? 16u : 24u);
    }
    for (unsigned i = 0; i < (ports ? ports : 1); i++) {
        if (i % IN_FILE == 0) {
            add_file(tenant, vpc, i / IN_FILE, &t);
        }
        tn_text_addf(&t,
                     "---\n" V "kind: Port\nmetadata: {name: %s%u}\nspec: "
                     "{vpc: %s, subnet: s0, host: hv1, attach: {netns: "
                     "%s%s%u}}\n",
                     vpc, i, vpc, tenant, vpc, i);
    }
    add_file(tenant, vpc, UINT8_MAX, &t);
    tn_text_done(&t);
}

static const struct tn_device *
compile_c1(void)
{
    tn_lab_compile(&lab);
    return tn_lab_device(&lab, "c1");
}

Test(ovn_limits, vxlan_gives_no_number)
{
    tn_lab_init(&lab, vxlan_hosts);
    add_vpc("acme", "web", 1, 0);
    state = tn_lab_render(&lab, &tn_driver_ovn, compile_c1());
    tn_lab_expect(state, "acme/web/switch/s0", "name=lab/acme/web/switch/s0\n");
}

/* 4001 and 95 networks are 4096; one more is too many, for who comes last. */
Test(ovn_limits, networks)
{
    static const char finding[] =
        "1 beta: c1 carries vxlan, and OVN has at most 4096 networks then: "
        "subnets and VPCs count\n";
    tn_lab_init(&lab, vxlan_hosts);
    add_vpc("acme", "big", 4000, 0);
    add_vpc("beta", "shop", 94, 0);
    state = tn_lab_render(&lab, &tn_driver_ovn, compile_c1());
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_expect_eq(tn_lab_count(state, "switch"), 4094);
    add_vpc("beta", "shop", 95, 0);
    const struct tn_device *c1 = compile_c1();
    state = tn_lab_render(&lab, &tn_driver_ovn, c1);
    cr_expect_str_eq(tn_text_str(&lab.findings), finding);
    cr_expect_eq(tn_lab_count(state, "switch"), 4000);
    /* The same of each part. */
    state =
        tn_lab_render(&lab, &tn_driver_ovn, tn_lab_cut(&lab, c1, "beta/shop"));
    cr_expect_str_eq(tn_text_str(&lab.findings), finding);
    cr_expect_eq(state->n, 0);
    state =
        tn_lab_render(&lab, &tn_driver_ovn, tn_lab_cut(&lab, c1, "acme/big"));
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_expect_eq(tn_lab_count(state, "router"), 1);
}

Test(ovn_limits, ports)
{
    tn_lab_init(&lab, vxlan_hosts);
    add_vpc("acme", "web", 1, 2047);
    add_vpc("beta", "shop", 1, 0);
    state = tn_lab_render(&lab, &tn_driver_ovn, compile_c1());
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_expect_eq(tn_lab_count(state, "port"), 2048);
    add_vpc("acme", "web", 1, 2048);
    state = tn_lab_render(&lab, &tn_driver_ovn, compile_c1());
    cr_expect_str_eq(tn_text_str(&lab.findings),
                     "7 acme: c1 carries vxlan, and OVN has at most 2048 ports "
                     "in a network then: this subnet has 2048 and the "
                     "router\n");
    tn_lab_expect(state, "acme/web/router", NULL);
    tn_lab_expect(state, "beta/shop/router", "name=lab/beta/shop\n");
}

Test(ovn_limits, geneve_has_none)
{
    tn_lab_init(&lab, hosts);
    add_vpc("acme", "web", 1, 2048);
    state = tn_lab_render(&lab, &tn_driver_ovn, compile_c1());
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
    cr_expect_eq(tn_lab_count(state, "port"), 2048);
}

Test(ovn_limits, gre)
{
    tn_lab_init(&lab, hosts);
    add_vpc("acme", "web", 1, 0);
    add_vpc("beta", "shop", 1, 0);
    struct tn_device *c1 =
        (struct tn_device *) tn_lab_cut(&lab, compile_c1(), "acme/web");
    struct tn_net_vpc vpc = *c1->vpcs[0];
    const struct tn_net_vpc *list[] = {&vpc};
    vpc.encapsulation = TN_ENCAP_GRE;
    c1->vpcs = list;
    state = tn_lab_render(&lab, &tn_driver_ovn, c1);
    cr_expect_str_eq(tn_text_str(&lab.findings),
                     "1 acme: OVN has no tunnels of type gre: use geneve or "
                     "vxlan\n");
    cr_expect_eq(state->n, 0);
}
