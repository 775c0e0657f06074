/* external_test.c - external networks in OVN's northbound database: every row
 * with all its attributes, of a VPC that is in one and of the device. */
#include "drivers/ovsdb/ovn/render.h"

#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/ovn.h"
#include "tests/support/render_lab.h"

#define V "apiVersion: tenet/v1\n"

static const char hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "    c2: {tenet_driver: ovn, tenet_ovsdb_remote: 'tcp:192.0.2.1:6641',\n"
    "         tenet_ovn_encapsulation: vxlan}\n"
    "  children:\n"
    "    hypervisors:\n"
    "      vars: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
    "             tenet_ovs_bridge_mappings: 'wire:br-ex'}\n"
    "      hosts:\n"
    "        hv1: {tenet_underlay_address: 192.0.2.11}\n"
    "        hv2: {tenet_underlay_address: 192.0.2.12,\n"
    "              tenet_ovs_system_id: chassis-2}\n"
    "        hv3: {tenet_underlay_address: 192.0.2.13, tenet_ovn: c2}\n";

static const char settings[] =
    V "kind: Settings\nmetadata: {name: lab}\nspec:\n"
      "  externalNetworks:\n"
      "    - name: uplink\n"
      "      cidr: 203.0.113.0/24\n"
      "      cidr6: \"2001:db8:ff::/64\"\n"
      "      gateway: 203.0.113.1\n"
      "      gateway6: \"2001:db8:ff::1\"\n"
      "      physicalNetwork: wire\n"
      "      vlan: 7\n"
      "      chassis: [hv2, hv1]\n"
      "      vpcs:\n"
      "        - {vpc: acme/web, address: 203.0.113.11,\n"
      "           address6: \"2001:db8:ff::11\",\n"
      "           prefixes: [10.1.0.0/24, 10.1.8.0/21, \"fd00:1::/64\"]}\n"
      "        - {vpc: acme/four, address: 203.0.113.12,\n"
      "           prefixes: [10.2.0.0/16]}\n"
      "    - name: other\n"
      "      cidr: 198.51.100.0/24\n"
      "      gateway: 198.51.100.1\n"
      "      physicalNetwork: wire\n"
      "      chassis: [hv3]\n"
      "      vpcs: [{vpc: beta/far, address: 198.51.100.2, prefixes: "
      "[10.3.0.0/16]}]\n";

static const char net[] =
    V "kind: Vpc\nmetadata: {name: web}\nspec:\n"
      "  cidrs: [10.1.0.0/16, \"fd00:1::/32\"]\n"
      "  externalNetwork: uplink\n"
      "  subnets:\n"
      "    - {name: front, cidr: 10.1.0.0/24, cidr6: \"fd00:1::/64\"}\n"
      "    - {name: back, cidr: 10.1.1.0/24}\n"
      "  routes: [{to: 172.16.0.0/12, via: 10.1.1.9}]\n"
      "---\n" V "kind: Vpc\nmetadata: {name: four}\nspec:\n"
      "  cidrs: [10.2.0.0/16]\n"
      "  externalNetwork: uplink\n"
      "  subnets: [{name: net, cidr: 10.2.0.0/24}]\n"
      "---\n" V "kind: Peering\nmetadata: {name: a}\n"
      "spec: {vpc: web, peer: {vpc: four}, export: [10.1.0.0/24]}\n"
      "---\n" V "kind: Peering\nmetadata: {name: b}\n"
      "spec: {vpc: four, peer: {vpc: web}, export: [10.2.0.0/24]}\n"
      "---\n" V "kind: Port\nmetadata: {name: p}\nspec: {vpc: web, "
      "subnet: front, host: hv1, attach: {netns: a}}\n";
static const char far[] =
    V "kind: Vpc\nmetadata: {name: far}\nspec:\n"
      "  cidrs: [10.3.0.0/16]\n"
      "  externalNetwork: other\n"
      "  subnets: [{name: net, cidr: 10.3.0.0/24}]\n"
      "---\n" V "kind: Port\nmetadata: {name: q}\nspec: {vpc: far, "
      "subnet: net, host: hv3, attach: {netns: a}}\n";

static struct tn_lab lab;
static const struct tn_state *state;

static void
setup(void)
{
    tn_lab_init(&lab, hosts);
    tn_lab_add(&lab, "tenet.yml", settings);
    tn_lab_add(&lab, "tenants/acme/net.yml", net);
    tn_lab_add(&lab, "tenants/beta/net.yml", far);
    tn_lab_compile(&lab);
    state = tn_lab_render(&lab, &tn_driver_ovn, tn_lab_device(&lab, "c1"));
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
}

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(ovn_external, .init = setup, .fini = teardown);

#define PORT "lab/acme/web/gateway/external:uplink"

Test(ovn_external, of_the_device)
{
    tn_lab_expect(state, "external/uplink", "name=lab/external/uplink\n");
    tn_lab_expect(state, "localnet/uplink",
                  "addresses=unknown\nname=lab.uplink\n"
                  "options=network_name=wire\nswitch=external/uplink\n"
                  "type=localnet\nvlan=7\n");
    tn_lab_expect(state, "external/other", NULL);
    cr_expect_eq(tn_lab_count(state, "external"), 1);
    /* Of all networks: packets may find their way between them. */
    cr_expect_str_eq(tn_lab_attr(state, "outside/4", "addresses"),
                     "10.1.0.0/24, 10.1.8.0/21, 10.2.0.0/16, 10.3.0.0/16, "
                     "198.51.100.2, 203.0.113.11, 203.0.113.12");
    cr_expect_str_eq(tn_lab_attr(state, "outside/6", "addresses"),
                     "2001:db8:ff::11, fd00:1::/64");
    tn_lab_expect(
        tn_lab_render(&lab, &tn_driver_ovn, tn_lab_device(&lab, "c2")),
        "localnet/other",
        "addresses=unknown\nname=lab.other\n"
        "options=network_name=wire\nswitch=external/other\ntype=localnet\n");
}

Test(ovn_external, of_a_router)
{
    char text[TN_MAC_TEXT];
    const struct tn_mac mac = tn_ovs_mac(PORT);
    tn_lab_expect(
        state, "acme/web/gateway/external:uplink",
        tn_arena_printf(lab.arena,
                        "mac=%s\nname=" PORT "\n"
                        "networks=2001:db8:ff::11/64, 203.0.113.11/24\n"
                        "router=acme/web/router\n",
                        tn_mac_format(&mac, text)));
    tn_lab_expect(state, "acme/web/uplink/external:uplink",
                  "addresses=router\n"
                  "name=lab/acme/web/uplink/external:uplink\n"
                  "options=router-port=" PORT "\nswitch=external/uplink\n"
                  "type=router\n");
    tn_lab_expect(state, "acme/web/chassis/hv2",
                  "chassis=chassis-2\nname=" PORT "-chassis-2\n"
                  "port=acme/web/gateway/external:uplink\npriority=10\n");
    tn_lab_expect(state, "acme/web/chassis/hv1",
                  "chassis=hv1\nname=" PORT "-hv1\n"
                  "port=acme/web/gateway/external:uplink\npriority=9\n");
    tn_lab_expect(state, "acme/web/route/0.0.0.0/0 via 203.0.113.1",
                  "port=" PORT "\nrouter=acme/web/router\nto=0.0.0.0/0\n"
                  "via=203.0.113.1\n");
    tn_lab_expect(state, "acme/web/route/::/0 via 2001:db8:ff::1",
                  "port=" PORT "\nrouter=acme/web/router\nto=::/0\n"
                  "via=2001:db8:ff::1\n");
    tn_lab_expect(state, "acme/four/route/::/0 via 2001:db8:ff::1", NULL);
}

static const struct {
    const char *name, *action, *priority, *match; /* '@': the port, '$': what
                                                     all have. */
} policies[] = {
    {"4/answers", "allow", "1060",
     "inport == \"@\" && ip4.src == {203.0.113.11, 10.1.0.1}"},
    {"4/inner", "drop", "1055",
     "inport == \"@\" && ip4.src == {10.1.1.0/24, 10.1.0.0/24, "
     "172.16.0.0/12, 10.2.0.0/24}"},
    {"4/others-in", "drop", "1055", "inport == \"@\" && ip4.src == {$}"},
    {"4/others-out", "drop", "1053", "outport == \"@\" && ip4.dst == {$}"},
    {"4/out", "allow", "1052",
     "outport == \"@\" && ip4.src == {10.1.0.0/24, 10.1.8.0/21}"},
    {"closed-out", "drop", "1051", "outport == \"@\""},
    {"4/in", "allow", "1021",
     "inport == \"@\" && ip4.dst == {10.1.0.0/24, 10.1.8.0/21}"},
    {"closed-in", "drop", "1020", "inport == \"@\""},
    {"6/out", "allow", "1052", "outport == \"@\" && ip6.src == {fd00:1::/64}"},
};

static const char *
match_of(const char *pattern)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (; *pattern; pattern++) {
        if (*pattern == '@') {
            tn_text_add(&t, PORT);
        } else if (*pattern == '$') {
            tn_text_addf(&t, "$%s", tn_lab_attr(state, "outside/4", "name"));
        } else {
            tn_text_addc(&t, *pattern);
        }
    }
    return tn_arena_strdup(lab.arena, tn_text_str(&t));
}

Test(ovn_external, policies)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(policies); i++) {
        const char *key = tn_arena_printf(
            lab.arena, "acme/web/policy/outside/%s", policies[i].name);
        cr_expect_str_eq(tn_lab_attr(state, key, "action"), policies[i].action);
        cr_expect_str_eq(tn_lab_attr(state, key, "priority"),
                         policies[i].priority);
        cr_expect_str_eq(tn_lab_attr(state, key, "match"),
                         match_of(policies[i].match));
    }
    tn_lab_expect(state, "acme/four/policy/outside/6/out", NULL);
}

/* Whatever part of the device is rendered, it has its networks. */
Test(ovn_external, slices)
{
    struct tn_device none = *tn_lab_device(&lab, "c1");
    none.whole = tn_lab_device(&lab, "c1");
    none.n_vpcs = 0;
    state = tn_lab_render(&lab, &tn_driver_ovn, &none);
    cr_expect_eq(state->n, 4);
    cr_expect_eq(tn_lab_count(state, "external"), 1);
    cr_expect_eq(tn_lab_count(state, "localnet"), 1);
    cr_expect_eq(tn_lab_count(state, "outside"), 2);
}
