/* cloud_test.c - what is on which device when hypervisors make up clouds, and
 * which hosts can carry a VPC, or two that peer, together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/compile/fixture.h"
#include "tests/support/memory_source.h"

#define HOSTS "inventories/lab/hosts.yml"
#define MORE "tenants/acme/more.yml"
#define SHOP "tenants/beta/more.yml"

/* Hypervisors of two clouds, some of Open vSwitch alone, and others. */
static const char hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "    c2: {tenet_driver: ovn, tenet_ovsdb_remote: 'tcp:192.0.2.1:6641',\n"
    "         tenet_ovn_encapsulation: vxlan}\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11,\n"
    "          tenet_ovn: c1}\n"
    "    hv2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.12,\n"
    "          tenet_ovn: c1}\n"
    "    hv3: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.13,\n"
    "          tenet_ovn: c2}\n"
    "    k1: {tenet_driver: kernel, tenet_underlay_address: 192.0.2.21}\n"
    "    k2: {tenet_driver: kernel, tenet_underlay_address: 192.0.2.22}\n"
    "    m1: {tenet_driver: memory, tenet_underlay_address: 192.0.2.41}\n"
    "    n1: {tenet_driver: nsx, tenet_nsx_url: 'https://n1',\n"
    "         tenet_nsx_user: u, tenet_nsx_password_file: /p}\n"
    "    n2: {tenet_driver: nsx, tenet_nsx_url: 'https://n2',\n"
    "         tenet_nsx_user: u, tenet_nsx_password_file: /p}\n"
    "    t1: {tenet_nsx: n1}\n"
    "    t2: {tenet_nsx: n1}\n"
    "    t3: {tenet_nsx: n2}\n"
    "    o1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.31}\n"
    "    o2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.32}\n";

static void
cloud_init(struct tn_fixture *f)
{
    tn_fixture_init(f);
    tn_fixture_add(f, HOSTS, hosts);
}

/* "driver: scopes; members", or "-". */
static const char *
device_text(const struct tn_fixture *f, const char *name)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text out = {0};
    const struct tn_device *d = NULL;
    for (size_t i = 0; f->network && i < f->network->n_devices; i++) {
        if (strcmp(f->network->devices[i].name, name) == 0) {
            d = &f->network->devices[i];
        }
    }
    if (!d) {
        return "-";
    }
    tn_text_addf(&out, "%s:", d->host->config.driver);
    for (size_t i = 0; i < d->n_vpcs; i++) {
        tn_text_addf(&out, " %s", d->vpcs[i]->scope);
    }
    tn_text_addf(&out, "; %zu networks;", d->n_networks);
    for (size_t i = 0; i < d->n_members; i++) {
        tn_text_addf(&out, " %s", d->members[i]->raw.name);
        cr_expect_eq(d->members[i]->cloud, d->host);
    }
    return tn_arena_strdup(f->arena, tn_text_str(&out));
}

/* y has no port and is a peer of acme's web, on hv1 and hv2; z is on hv3. */
static const char more[] = VPC(
    "y") "  cidrs: [10.20.0.0/16]\n  subnets:\n"
         "  - {name: a, cidr: 10.20.0.0/24}\n"
         "  - {name: b, cidr: 10.20.1.0/24}\n---\n" VPC(
             "z") "  cidrs: [10.30.0.0/16]\n  subnets:\n"
                  "  - {name: a, cidr: 10.30.0.0/24}\n" PORT(
                      "z1") "{vpc: z, subnet: a, host: hv3, attach: {netns: n}}"
                            "\n" PEERING("p1") "spec: {vpc: web, peer: {vpc: "
                                               "y}, export: "
                                               "[10.1.0.0/16]}\n" PEERING(
                                                   "p2") "spec: {vpc: y, peer: "
                                                         "{vpc: web}, export: "
                                                         "[10.20.0.0/16]}\n";

Test(cloud, devices)
{
    struct tn_fixture f;
    cloud_init(&f);
    tn_fixture_add(&f, MORE, more);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_str_eq(device_text(&f, "c1"),
                     "ovn: acme/web acme/y beta/shop; 8 networks; hv1 hv2");
    cr_expect_str_eq(device_text(&f, "c2"), "ovn: acme/z; 2 networks; hv3");
    cr_expect_str_eq(device_text(&f, "hv1"),
                     "openvswitch: acme/web beta/shop; 5 networks;");
    cr_expect_str_eq(device_text(&f, "hv2"),
                     "openvswitch: acme/web; 3 networks;");
    cr_expect_str_eq(device_text(&f, "hv3"),
                     "openvswitch: acme/z; 2 networks;");
    cr_expect_str_eq(device_text(&f, "o1"), "openvswitch:; 0 networks;");
    tn_fixture_done(&f);
}

/* Alone, a hypervisor of Open vSwitch connects peers itself. */
Test(cloud, devices_without_a_cloud)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_add(&f, HOSTS,
                   "all:\n  vars: {tenet_driver: openvswitch}\n  hosts:\n"
                   "    hv1: {tenet_underlay_address: 192.0.2.11}\n"
                   "    hv2: {tenet_underlay_address: 192.0.2.12}\n"
                   "    hv3: {tenet_underlay_address: 192.0.2.13}\n");
    tn_fixture_add(&f, MORE, more);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_str_eq(device_text(&f, "hv1"),
                     "openvswitch: acme/web acme/y beta/shop; 8 networks;");
    cr_expect_str_eq(device_text(&f, "hv2"),
                     "openvswitch: acme/web acme/y; 6 networks;");
    tn_fixture_done(&f);
}

/* Transport nodes of an NSX are no devices; what is on them is its. */
Test(cloud, devices_of_nsx)
{
    struct tn_fixture f;
    cloud_init(&f);
    tn_fixture_add(
        &f, SHOP,
        VPC("x") "  cidrs: [10.20.0.0/16]\n  subnets:\n"
                 "  - {name: a, cidr: 10.20.0.0/24}\n" PORT(
                     "p") "{vpc: x, subnet: a, host: t1, attach: {vif: "
                          "5f4f6e2c-6b1d}}\n" PORT("q") "{vpc: x, subnet: a, "
                                                        "host: n1, attach: "
                                                        "{netns: m}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_str_eq(device_text(&f, "n1"), "nsx: beta/x; 2 networks; t1 t2");
    cr_expect_str_eq(device_text(&f, "n2"), "nsx:; 0 networks; t3");
    cr_expect_str_eq(device_text(&f, "t1"), "-");
    const struct tn_net_port *p =
        &tn_fixture_vpc(&f, "beta/x")->subnets->ports[0];
    cr_expect_str_eq(p[0].vif, "5f4f6e2c-6b1d");
    cr_expect_null(p[1].vif);
    tn_fixture_done(&f);
}

/* Where the hosts of the fixture are transport nodes. */
static const char nodes[] =
    "all:\n  vars: {tenet_nsx: n1}\n  hosts:\n    hv1:\n    hv2:\n    hv3:\n"
    "    k1: {tenet_driver: kernel, tenet_underlay_address: 192.0.2.21}\n"
    "    n1: {tenet_driver: nsx, tenet_nsx_url: 'https://n1',\n"
    "         tenet_nsx_user: u, tenet_nsx_password_file: /p}\n";

Test(cloud, interfaces_of_nsx)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_add(&f, HOSTS, nodes);
    tn_fixture_add(
        &f, MORE,
        VPC("x") "  cidrs: [10.20.0.0/16]\n  subnets:\n"
                 "  - {name: a, cidr: 10.20.0.0/24}\n" PORT(
                     "p") "{vpc: x, subnet: a, host: k1, attach: {vif: v1}}"
                          "\n" PORT("q") "{vpc: web, subnet: front, host: hv1, "
                                         "attach: {vif: v2,\n"
                                         "   interface: tap0}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f, MORE ":12:51: 'vif' is for hosts of an NSX: 'k1' is of driver "
                 "kernel\n" MORE ":18:15: 'vif' stands alone: an interface of "
                 "NSX has no place on the host\n");
    tn_fixture_done(&f);
}

/* What the cloud puts around a packet counts, not what the VPC asks for. */
Test(cloud, mtu)
{
    struct tn_fixture f;
    cloud_init(&f);
    tn_fixture_add(&f, MORE, more);
    tn_fixture_compile(&f);
    cr_assert(tn_fixture_vpc(&f, "acme/web") && tn_fixture_vpc(&f, "acme/z"));
    cr_expect_eq(tn_fixture_vpc(&f, "acme/web")->subnets[0].mtu, 1442);
    cr_expect_eq(tn_fixture_vpc(&f, "acme/z")->subnets[0].mtu, 1450);
    tn_fixture_done(&f);
}

/* The hosts of two ports of a VPC, and what is said about the second. */
static const struct {
    const char *first, *second, *said;
} pairs[] = {
    {"k1", "k2", ""},
    {"o1", "o2", ""},
    {"hv1", "hv2", ""},
    {"k1", "m1", ""},
    {"m1", "hv1", ""},
    {"k1", "o1",
     "hosts 'k1' (kernel) and 'o1' (openvswitch) of VPC 'x' cannot carry it "
     "together: their networks do not join"},
    {"o1", "hv1",
     "hosts 'o1' (openvswitch) and 'hv1' (ovn) of VPC 'x' cannot carry it "
     "together: their networks do not join"},
    {"k1", "hv1",
     "hosts 'k1' (kernel) and 'hv1' (ovn) of VPC 'x' cannot carry it "
     "together: their networks do not join"},
    {"hv2", "hv3",
     "hosts 'hv2' (c1) and 'hv3' (c2) of VPC 'x' cannot carry it together: "
     "they are in different clouds"},
    {"t1", "t2", ""},
    {"t1", "n1", ""},
    {"n1", "t1", ""},
    {"m1", "t1", ""},
    {"t1", "t3",
     "hosts 't1' (n1) and 't3' (n2) of VPC 'x' cannot carry it together: they "
     "are in different clouds"},
    {"n1", "n2",
     "hosts 'n1' (nsx) and 'n2' (nsx) of VPC 'x' cannot carry it together: "
     "their networks do not join"},
    {"k1", "t1",
     "hosts 'k1' (kernel) and 't1' (nsx) of VPC 'x' cannot carry it together: "
     "their networks do not join"},
    {"k1", "c1",
     "host 'c1' is a cloud (tenet_driver ovn): ports are on its hypervisors"},
};

Test(cloud, ports_of_one_vpc)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(pairs); i++) {
        struct tn_fixture f;
        cloud_init(&f);
        TN_CLEANUP(tn_cleanup_text) struct tn_text want = {0};
        TN_CLEANUP(tn_cleanup_text) struct tn_text doc = {0};
        tn_text_addf(
            &doc,
            VPC("x") "  cidrs: [10.20.0.0/16]\n  subnets:\n"
                     "  - {name: a, cidr: 10.20.0.0/24}\n" PORT(
                         "p") "{vpc: x, subnet: a, attach: {netns: n},"
                              "\n  host: %s}\n" PORT(
                                  "q") "{vpc: x, subnet: a, attach: {netns: m},"
                                       "\n  host: %s}\n",
            pairs[i].first, pairs[i].second);
        if (pairs[i].said[0]) {
            tn_text_addf(&want, MORE ":19:9: %s\n", pairs[i].said);
        }
        tn_fixture_add(&f, MORE, tn_text_str(&doc));
        tn_fixture_compile(&f);
        tn_fixture_expect(&f, tn_text_str(&want));
        tn_fixture_done(&f);
    }
}

#define PEERED(vpc, cidr, host)                                                \
    VPC(vpc)                                                                   \
    "  cidrs: [" cidr "]\n  subnets:\n  - {name: a, cidr: " cidr               \
    "}\n" PORT(vpc "1") "{vpc: " vpc ", subnet: a, host: " host                \
                        ", attach: {netns: " vpc "}}\n"
#define GRANT(vpc, tenant, peer, cidr)                                         \
    PEERING(vpc)                                                               \
    "spec: {vpc: " vpc ", peer: {tenant: " tenant ", vpc: " peer               \
    "}, export: [" cidr "]}\n"

Test(cloud, peers_of_one_tenant)
{
    struct tn_fixture f;
    cloud_init(&f);
    tn_fixture_add(&f, MORE,
                   PEERED("x", "10.20.0.0/24",
                          "k1") "---\n" PEERED("y", "10.21.0.0/24", "hv1")
                       GRANT("x", "acme", "y", "10.20.0.0/24")
                           GRANT("y", "acme", "x", "10.21.0.0/24"));
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f,
        MORE ":27:1: VPC 'x' has ports on host 'k1' (kernel) and its peer 'y' "
             "on host 'hv1' (ovn): nothing connects the two\n" MORE
             ":32:1: VPC 'y' has ports on host 'hv1' (ovn) and its peer 'x' on "
             "host 'k1' (kernel): nothing connects the two\n");
    cr_expect(tn_fixture_tenant(&f, "acme")->failed);
    cr_expect_not(tn_fixture_tenant(&f, "beta")->failed);
    tn_fixture_done(&f);
}

/* Neither fails the other, and neither hears where the other's ports are. */
Test(cloud, peers_of_two_tenants)
{
    struct tn_fixture f;
    cloud_init(&f);
    tn_fixture_add(&f, MORE,
                   PEERED("x", "10.20.0.0/24", "k1")
                       GRANT("x", "beta", "y", "10.20.0.0/24"));
    tn_fixture_add(&f, SHOP,
                   PEERED("y", "10.21.0.0/24", "hv3")
                       GRANT("y", "acme", "x", "10.21.0.0/24"));
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f,
        MORE ":14:1: warning: VPC 'x' has ports on host 'k1' (kernel), which "
             "nothing connects with the hosts of 'beta/y' (ovn) (both VPCs "
             "stay as they are until all their ports are on hosts of one "
             "kind)\n" SHOP
             ":14:1: warning: VPC 'y' has ports on host 'hv3' (ovn), which "
             "nothing connects with the hosts of 'acme/x' (kernel) (both VPCs "
             "stay as they are until all their ports are on hosts of one "
             "kind)\n");
    cr_expect_not(tn_fixture_tenant(&f, "acme")->failed);
    cr_expect(tn_fixture_holds(&f, "acme/x"));
    cr_expect(tn_fixture_holds(&f, "beta/y"));
    cr_expect_not(tn_fixture_holds(&f, "acme/web"));
    cr_assert(tn_fixture_vpc(&f, "acme/x"));
    cr_expect_eq(tn_fixture_vpc(&f, "acme/x")->n_peerings, 0);
    tn_fixture_add(&f, SHOP,
                   PEERED("y", "10.21.0.0/24", "k2")
                       GRANT("y", "acme", "x", "10.21.0.0/24"));
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_eq(tn_fixture_vpc(&f, "acme/x")->n_peerings, 1);
    tn_fixture_done(&f);
}

/* Whatever the cache holds of it, a port that moves between engines is judged
 * as without a cache. */
Test(cloud, from_the_cache)
{
    static const char *const where[] = {"k1", "k2", "hv3", "m1", "k1", "o1"};
    char dir[] = "/tmp/tenet-cloud-XXXXXX", command[64];
    struct tn_fixture warm, cold;
    cr_assert(mkdtemp(dir));
    cloud_init(&warm);
    cloud_init(&cold);
    warm.options.cache_dir = dir;
    tn_fixture_add(&warm, MORE,
                   PEERED("x", "10.20.0.0/24", "k1")
                       GRANT("x", "beta", "y", "10.20.0.0/24"));
    tn_fixture_add(&cold, MORE,
                   PEERED("x", "10.20.0.0/24", "k1")
                       GRANT("x", "beta", "y", "10.20.0.0/24"));
    for (size_t i = 0; i < TN_ARRAY_SIZE(where); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text doc = {0};
        tn_text_addf(&doc,
                     PEERED("y", "10.21.0.0/24", "%s")
                         GRANT("y", "acme", "x", "10.21.0.0/24"),
                     where[i]);
        tn_fixture_add(&warm, SHOP, tn_text_str(&doc));
        tn_fixture_add(&cold, SHOP, tn_text_str(&doc));
        tn_fixture_compile(&warm);
        tn_fixture_compile(&cold);
        cr_expect_str_eq(tn_text_str(&warm.text), tn_text_str(&cold.text));
        tn_fixture_expect(&warm, tn_text_str(&cold.findings));
        cr_expect_eq(cold.findings.n == 0,
                     where[i][0] != 'h' && where[i][0] != 'o');
        if (i > 0) {
            cr_expect_eq(warm.stats.n_vpcs_compiled, 1, "%s", where[i]);
        }
    }
    tn_fixture_done(&warm);
    tn_fixture_done(&cold);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

/* ---- external networks -------------------------------------------------- */

#define SETTINGS                                                               \
    "apiVersion: tenet/v1\n"                                                   \
    "kind: Settings\n"                                                         \
    "metadata: {name: lab}\n"                                                  \
    "spec:\n"                                                                  \
    "  defaultEnvironment: lab\n"                                              \
    "  externalNetworks:\n"
#define UPLINK                                                                 \
    "    - {name: uplink, cidr: 203.0.113.0/24, gateway: 203.0.113.1,\n"       \
    "       physicalNetwork: wire, vlan: 7,\n"
#define MEMBER                                                                 \
    "       vpcs: [{vpc: acme/x, address: 203.0.113.9,\n"                      \
    "               prefixes: [10.20.1.0/24, 10.20.0.0/24]}]}\n"
#define OUTSIDE(host, more)                                                    \
    VPC("x")                                                                   \
    "  cidrs: [10.20.0.0/16]\n  externalNetwork: uplink\n  subnets:\n"         \
    "  - {name: a, cidr: 10.20.0.0/24}\n" more PORT(                           \
        "x1") "{vpc: x, subnet: a, host: " host ", attach: {netns: x}}\n"

static const char wired[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "    c2: {tenet_driver: ovn, tenet_ovsdb_remote: 'tcp:192.0.2.1:6641'}\n"
    "    k1: {tenet_driver: kernel, tenet_underlay_address: 192.0.2.21}\n"
    "  children:\n"
    "    hypervisors:\n"
    "      vars: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
    "             tenet_ovs_bridge_mappings: 'lan:br-lan,wire:br-ex'}\n"
    "      hosts:\n"
    "        hv1: {tenet_underlay_address: 192.0.2.11}\n"
    "        hv2: {tenet_underlay_address: 192.0.2.12}\n"
    "        hv3: {tenet_underlay_address: 192.0.2.13, tenet_ovn: c2}\n"
    "        hv4: {tenet_underlay_address: 192.0.2.14,\n"
    "              tenet_ovs_bridge_mappings: 'wires:br-ex'}\n";

static void
wired_init(struct tn_fixture *f, const char *settings, const char *doc)
{
    tn_fixture_init(f);
    tn_fixture_add(f, HOSTS, wired);
    tn_fixture_add(f, "tenet.yml", settings);
    tn_fixture_add(f, MORE, doc);
}

Test(cloud, external_network)
{
    struct tn_fixture f;
    wired_init(&f, SETTINGS UPLINK "       chassis: [hv2, far1, hv1],\n" MEMBER,
               OUTSIDE("hv1", ""));
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    const struct tn_net_vpc *vpc = tn_fixture_vpc(&f, "acme/x");
    cr_assert(vpc && vpc->external);
    const struct tn_net_external *e = vpc->external->network;
    cr_expect_str_eq(e->name, "uplink");
    cr_expect_str_eq(e->physical, "wire");
    cr_expect_eq(e->vlan, 7);
    cr_expect_eq(e->n_chassis, 2);
    cr_expect_str_eq(e->chassis[0]->raw.name, "hv2");
    cr_expect_str_eq(e->chassis[1]->raw.name, "hv1");
    cr_expect_str_eq(e->cloud->raw.name, "c1");
    cr_expect_eq(vpc->external->n_prefixes, 2);
    cr_expect_eq(vpc->external->prefixes[0].addr.b[2], 0);
    cr_expect_null(tn_fixture_vpc(&f, "acme/web")->external);
    tn_fixture_done(&f);
}

/* No chassis is here: the network is of another environment. */
Test(cloud, external_network_elsewhere)
{
    struct tn_fixture f;
    wired_init(&f, SETTINGS UPLINK "       chassis: [far1],\n" MEMBER,
               OUTSIDE("k1", ""));
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_assert(tn_fixture_vpc(&f, "acme/x"));
    cr_expect_null(tn_fixture_vpc(&f, "acme/x")->external);
    cr_expect_str_eq(tn_fixture_vpc(&f, "acme/x")->external_name, "uplink");
    tn_fixture_done(&f);
}

/* What the cache holds of a VPC is as good as its document. */
Test(cloud, external_network_from_the_cache)
{
    char dir[] = "/tmp/tenet-cloud-XXXXXX", command[64];
    struct tn_fixture f;
    cr_assert(mkdtemp(dir));
    wired_init(&f, SETTINGS UPLINK "       chassis: [hv1],\n" MEMBER,
               OUTSIDE("hv1", ""));
    f.options.cache_dir = dir;
    tn_fixture_compile(&f);
    TN_CLEANUP(tn_cleanup_free) char *cold = strdup(tn_text_str(&f.text));
    tn_fixture_compile(&f);
    cr_expect_str_eq(tn_text_str(&f.text), cold);
    cr_expect(strstr(cold, "  external uplink  @" MORE ":6:20\n"));
    cr_expect_eq(f.stats.n_vpcs_compiled, 0);
    cr_expect(tn_fixture_vpc(&f, "acme/x")->external);
    tn_fixture_done(&f);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

static const struct {
    const char *chassis, *members, *doc, *said;
} outsides[] = {
    {"hv5", MEMBER, OUTSIDE("hv1", ""),
     "tenet.yml:9:18: there is no host 'hv5' in inventories/lab, nor in "
     "another environment (did you mean 'hv1'?)\n"},
    {"k1", MEMBER, OUTSIDE("hv1", ""),
     "tenet.yml:9:18: host 'k1' is no member of a cloud of OVN (tenet_ovn)\n"},
    {"hv4", MEMBER, OUTSIDE("hv1", ""),
     "tenet.yml:9:18: host 'hv4' has no bridge for physical network 'wire' "
     "(tenet_ovs_bridge_mappings)\n"},
    {"hv1, hv3", MEMBER, OUTSIDE("hv1", ""),
     "tenet.yml:9:23: host 'hv3' is of cloud 'c2', and 'hv1' of cloud 'c1'\n"},
    {"hv1", "       vpcs: []}\n", OUTSIDE("hv1", ""),
     MORE ":6:20: external network 'uplink' does not have VPC 'acme/x' (it is "
          "for the operator to add it there, in tenet.yml)\n"},
    {"hv1",
     "       vpcs: [{vpc: acme/x, address: 203.0.113.9,\n"
     "               prefixes: [10.21.0.0/24]}]}\n",
     OUTSIDE("hv1", ""),
     MORE ":6:20: 10.21.0.0/24, which external network 'uplink' has of this "
          "VPC (tenet.yml:11), is outside its cidrs in line 5\n"},
    {"hv1", MEMBER, OUTSIDE("k1", ""),
     MORE ":6:20: external network 'uplink' is on chassis of cloud 'c1', and "
          "host 'k1' (kernel) of port 'x1' is not a member of it\n"},
    {"hv1", MEMBER, OUTSIDE("hv3", ""),
     MORE ":6:20: external network 'uplink' is on chassis of cloud 'c1', and "
          "host 'hv3' (ovn) of port 'x1' is not a member of it\n"},
    {"hv1", MEMBER,
     OUTSIDE("hv1", "  routes:\n  - {to: 0.0.0.0/0, via: 10.20.0.7}\n"),
     MORE ":10:10: the route to 0.0.0.0/0 is that of external network "
          "'uplink' in line 6\n"},
    {"hv1", MEMBER,
     OUTSIDE("hv1", "  routes:\n  - {to: 203.0.113.128/25, via: 10.20.0.7}\n"),
     MORE ":10:10: route to 203.0.113.128/25 overlaps external network "
          "'uplink' (tenet.yml:7)\n"},
    {"hv1", MEMBER,
     VPC("x") "  cidrs: [10.20.0.0/16]\n"
              "  externalNetwork: uplinks\n",
     MORE ":6:20: there is no external network 'uplinks' in tenet.yml (did "
          "you mean 'uplink'?)\n"},
};

Test(cloud, external_network_refused)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(outsides); i++) {
        struct tn_fixture f;
        TN_CLEANUP(tn_cleanup_text) struct tn_text settings = {0};
        tn_text_addf(&settings, SETTINGS UPLINK "       chassis: [%s],\n%s",
                     outsides[i].chassis, outsides[i].members);
        wired_init(&f, tn_text_str(&settings), outsides[i].doc);
        tn_fixture_compile(&f);
        tn_fixture_expect(&f, outsides[i].said);
        tn_fixture_done(&f);
    }
}

/* What a peer exports must not be in the way of the network. */
Test(cloud, external_network_of_a_peer)
{
    struct tn_fixture f;
    wired_init(&f, SETTINGS UPLINK "       chassis: [hv1],\n" MEMBER,
               OUTSIDE("hv1", "") PEERING(
                   "p1") "spec: {vpc: x, peer: {tenant: beta, vpc: near}, "
                         "export: [10.20.0.0/24]}\n");
    tn_fixture_add(&f, SHOP,
                   VPC("near") "  cidrs: [203.0.0.0/16]\n" PEERING(
                       "p2") "spec: {vpc: near, peer: {tenant: acme, vpc: x}, "
                             "export: [203.0.113.128/25]}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f, MORE ":15:1: warning: 203.0.113.128/25, which 'beta/near' "
                 "exports, overlaps 203.0.113.0/24, a prefix of VPC 'x' itself "
                 "(both VPCs stay as they are until the overlap is gone)\n");
    cr_expect(tn_fixture_holds(&f, "acme/x"));
    tn_fixture_done(&f);
}
