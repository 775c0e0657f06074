/* validate_test.c - every rule across documents: one file is added to or
 * replaced in the fixture, and these are exactly the findings. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/compile/fixture.h"

#define MORE "tenants/acme/more.yml"

struct row {
    const char *name, *path, *text, *want;
};

static const struct row rows[] = {
    /* VPCs and subnets */
    {"vpc cidrs overlap", MORE,
     VPC("x") "  cidrs:\n  - 10.2.0.0/16\n  - 10.2.4.0/24\n",
     MORE ":7:5: 10.2.4.0/24 overlaps 10.2.0.0/16 in line 6\n"},
    {"vpc outside allowedCidrs", MORE, VPC("x") "  cidrs: [11.0.0.0/8]\n",
     MORE ":5:11: 11.0.0.0/8 is outside the tenant's allowedCidrs "
          "(tenants/acme/tenant.yml:7)\n"},
    {"subnet outside vpc", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.3.0.0/24}\n",
     MORE ":7:21: 10.3.0.0/24 is outside the VPC's cidrs (line 5)\n"},
    {"subnets overlap", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n"
              "  - {name: b, cidr: 10.2.1.0/24}\n"
              "  - {name: c, cidr: 10.2.0.0/23}\n",
     MORE ":9:21: 10.2.0.0/23 of subnet 'c' overlaps 10.2.0.0/24 of subnet 'a' "
          "in line 7\n" MORE ":9:21: 10.2.0.0/23 of subnet 'c' overlaps "
          "10.2.1.0/24 of subnet 'b' in line 8\n"},
    {"same prefix in two vpcs is fine", MORE,
     VPC("x") "  cidrs: [10.1.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.1.0.0/24}\n",
     ""},
    {"route next hop outside", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n"
              "  routes:\n  - {to: 0.0.0.0/0, via: 10.2.1.7}\n",
     MORE ":9:26: next hop 10.2.1.7 is in none of the VPC's subnets\n"},
    {"route next hop is the gateway", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n"
              "  routes:\n  - {to: 0.0.0.0/0, via: 10.2.0.1}\n",
     MORE ":9:26: next hop 10.2.0.1 is the gateway of subnet 'a' itself\n"},
    {"route next hop is the broadcast", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n"
              "  routes:\n  - {to: 0.0.0.0/0, via: 10.2.0.255}\n",
     MORE ":9:26: next hop 10.2.0.255 is the network or broadcast address of "
          "subnet 'a'\n"},
    {"route into a subnet", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n"
              "  routes:\n  - {to: 10.2.0.128/25, via: 10.2.0.9}\n",
     MORE ":9:10: route to 10.2.0.128/25 overlaps 10.2.0.0/24 of subnet 'a' in "
          "line 7\n"},
    {"vni outside the pool", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24, vni: 70}\n",
     MORE ":7:39: vni 70 is outside the pool vni (5000-9999) of tenet.yml\n"},
    {"vni given twice", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24, vni: 7000}\n"
              "  - {name: b, cidr: 10.2.1.0/24, vni: 7000}\n",
     MORE ":8:39: vni 7000 of subnet 'x/b' is given to subnet 'x/a' already, "
          "in tenants/acme/more.yml:7\n"},
    {"address that slaac does not make", MORE,
     VPC("x") "  cidrs: [\"fd00:2::/32\"]\n  subnets:\n"
              "  - {name: a, cidr: \"fd00:2::/64\", dhcp: {ra: slaac}}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv6, attach: {netns: n},\n"
                       "  mac: \"02:00:00:00:00:01\", address: "
                       "\"fd00:2::9\"}\n",
     MORE ":13:38: address fd00:2::9 is not what the workload will make of "
          "prefix and mac 02:00:00:00:00:01: fd00:2::ff:fe00:1 (leave it out, "
          "or use 'ra: dhcpv6-stateful')\n"},
    {"address that slaac makes", MORE,
     VPC("x") "  cidrs: [\"fd00:2::/32\"]\n  subnets:\n"
              "  - {name: a, cidr: \"fd00:2::/64\", dhcp: {ra: slaac}}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv6, attach: {netns: n},\n"
                       "  mac: \"02:00:00:00:00:01\", address: "
                       "\"fd00:2::ff:fe00:1\"}\n",
     ""},
    {"mtu too large", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24, mtu: 1451}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv1, attach: {netns: n}}\n",
     MORE ":7:39: mtu 1451 is more than the underlay carries: at most 1450 "
          "after encapsulation, on every host of the VPC\n"},
    {"mtu just right", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24, mtu: 1450}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv1, attach: {netns: n}}\n",
     ""},
    {"mtu over ipv6", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24, mtu: 1431}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv6, attach: {netns: n}}\n",
     MORE ":7:39: mtu 1431 is more than the underlay carries: at most 1430 "
          "after encapsulation, on every host of the VPC\n"},
    {"underlay of two families", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv1, attach: {netns: "
                       "n}}\n" PORT("q") "{vpc: x, subnet: a, host: hv6, "
                                         "attach: {netns: n}}\n",
     MORE ":17:33: hosts 'hv1' and 'hv6' of VPC 'x' have underlay addresses of "
          "different families\n"},
    /* Names and quotas */
    {"two vpcs of a name", MORE, VPC("web") "  cidrs: [10.2.0.0/16]\n",
     "tenants/acme/web.yml:3:18: Vpc 'web' is defined twice: already in "
     "tenants/acme/more.yml:3\n"},
    {"two ports of a name", MORE,
     PORT("web1") "{vpc: web, subnet: front, host: hv1, "
                  "attach: {netns: n}}\n",
     "tenants/acme/ports.yml:3:18: Port 'web1' is defined twice: already in "
     "tenants/acme/more.yml:4\n"},
    {"two tenant documents", "tenants/acme/tenant.yaml",
     V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n",
     "tenants/acme/tenant.yml:3:18: a second Tenant document: the first is in "
     "tenants/acme/tenant.yaml:1\n"},
    {"tenant in the wrong file", MORE,
     V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n",
     MORE ":3:18: kind Tenant belongs in tenants/acme/tenant.yml only\n"},
    {"tenant of another name", "tenants/beta/tenant.yml",
     V "kind: Tenant\nmetadata: {name: gamma}\nspec: {}\n",
     "tenants/beta/tenant.yml:3:18: the tenant is 'beta', as its directory "
     "says, not 'gamma'\n"},
    {"settings in a tenant", MORE,
     V "kind: Settings\nmetadata: {name: x}\nspec: {}\n",
     MORE ":1:1: kind Settings belongs in tenet.yml only\n"},
    {"tenant that the path does not say", MORE,
     V "kind: SecurityGroup\nmetadata: {name: x, tenant: beta}\n"
       "spec: {rules: []}\n",
     MORE ":3:29: metadata.tenant is 'beta', but the path says 'acme' (the "
          "path decides; leave metadata.tenant out)\n"},
    {"quota of vpcs", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n---\n" VPC(
         "y") "  cidrs: [10.2.0.0/16]\n---\n" VPC("z") "  cidrs: "
                                                       "[10.2.0.0/16]\n",
     "tenants/acme/web.yml:3:18: this is more than the quota of 3 vpcs "
     "(tenants/acme/tenant.yml:5)\n"},
    {"quota of rules", MORE,
     V "kind: SecurityGroup\nmetadata: {name: x}\nspec:\n  rules:\n"
       "  - {direction: ingress, protocol: tcp}\n"
       "  - {direction: ingress, protocol: udp}\n"
       "  - {direction: ingress, protocol: sctp}\n"
       "  - {direction: ingress, protocol: icmp}\n",
     "tenants/acme/web.yml:25:7: this is more than the quota of 6 rules "
     "(tenants/acme/tenant.yml:5)\n"},
    {"no tenant document", "tenants/gamma/net.yml",
     VPC("x") "  cidrs: [10.2.0.0/16]\n",
     "tenants/gamma:0:0: there is no tenants/gamma/tenant.yml with a document "
     "of kind Tenant\n"},
    /* Ports */
    {"port without vpc", MORE,
     PORT("p") "{vpc: wep, subnet: front, host: hv1, attach: {netns: n}}\n",
     MORE ":5:13: there is no Vpc 'wep' (did you mean 'web'?)\n"},
    {"port in another tenant's vpc", MORE,
     PORT("p") "{vpc: shop, subnet: front, host: hv1, attach: {netns: n}}\n",
     MORE ":5:13: there is no Vpc 'shop' (another tenant has one of this name; "
          "a Peering is the only way to reach it)\n"},
    {"port without subnet", MORE,
     PORT("p") "{vpc: web, subnet: fromt, host: hv1, attach: {netns: n}}\n",
     MORE ":5:26: VPC 'web' has no subnet 'fromt' (did you mean 'front'?)\n"},
    {"port without host", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv11, attach: {netns: n}}\n",
     MORE ":5:39: there is no host 'hv11' in inventories/lab, nor in another "
          "environment (did you mean 'hv1'?)\n"},
    {"port on a host of another environment", MORE,
     PORT("p") "{vpc: web, subnet: front, host: far1, attach: {netns: n}}\n",
     ""},
    {"port on a host without driver", MORE,
     PORT("p") "{vpc: web, subnet: front, host: bastion, attach: {netns: "
               "n}}\n",
     MORE ":5:39: host 'bastion' has no tenet_driver: no port can be on it\n"},
    {"port outside the sites", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  sites: [dc1]\n  subnets:\n"
              "  - {name: a, cidr: 10.2.0.0/24}\n" PORT(
                  "p") "{vpc: x, subnet: a, host: hv3, attach: {netns: n}}\n",
     MORE ":13:33: host 'hv3' is in site 'dc2', which is not among the sites "
          "of VPC 'x' (tenants/acme/more.yml:6)\n"},
    {"port without group", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, securityGroups: [wed],\n"
               "  attach: {netns: n}}\n",
     MORE ":5:61: there is no SecurityGroup 'wed' (did you mean 'web'?)\n"},
    {"rule without group", MORE,
     V "kind: SecurityGroup\nmetadata: {name: x}\nspec:\n  rules:\n"
       "  - {direction: ingress, remote: {group: nobody}}\n",
     MORE ":6:42: there is no SecurityGroup 'nobody'\n"},
    {"address outside the subnet", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, address: 10.1.1.7,\n"
               "  attach: {netns: n}}\n",
     MORE ":5:53: address 10.1.1.7 is outside 10.1.0.0/24 of subnet 'front'\n"},
    {"address of the gateway", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, address: 10.1.0.1,\n"
               "  attach: {netns: n}}\n",
     MORE ":5:53: address 10.1.0.1 is the gateway of subnet 'front'\n"},
    {"address of the network", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, address: 10.1.0.0,\n"
               "  attach: {netns: n}}\n",
     MORE ":5:53: address 10.1.0.0 is the network address of subnet 'front'\n"},
    {"address of the broadcast", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, address: 10.1.0.255,\n"
               "  attach: {netns: n}}\n",
     MORE
     ":5:53: address 10.1.0.255 is the broadcast address of subnet 'front'\n"},
    {"address given twice", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1, address: 10.1.0.20,\n"
               "  attach: {netns: n}}\n",
     "tenants/acme/ports.yml:11:17: address 10.1.0.20 is given to port 'p' "
     "already, in tenants/acme/more.yml:5\n"},
    {"address6 given twice", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1,\n"
               "  address6: \"fd00:1::9\", attach: {netns: n}}\n" PORT(
                   "q") "{vpc: web, subnet: front, host: hv1,\n"
                        "  address6: \"fd00:1::9\", attach: {netns: o}}\n",
     MORE ":12:13: address6 fd00:1::9 is given to port 'p' already, in "
          "tenants/acme/more.yml:6\n"},
    {"address6 without cidr6", MORE,
     PORT("p") "{vpc: web, subnet: back, host: hv1,\n"
               "  address6: \"fd00:1::9\", attach: {netns: n}}\n",
     MORE ":6:13: subnet 'back' has no cidr6 for this address\n"},
    {"mac given twice", MORE,
     PORT("p") "{vpc: web, subnet: back, host: hv1,\n"
               "  mac: \"02:00:00:00:00:09\", attach: {netns: n}}\n",
     "tenants/acme/ports.yml:17:13: mac 02:00:00:00:00:09 is given to port 'p' "
     "already, in tenants/acme/more.yml:6\n"},
    {"mac of another subnet is fine", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1,\n"
               "  mac: \"02:00:00:00:00:09\", attach: {netns: n}}\n",
     ""},
    {"mac of the gateway", MORE,
     PORT("p") "{vpc: web, subnet: front, host: hv1,\n"
               "  mac: \"02:74:6e:73:ad:51\", attach: {netns: n}}\n",
     MORE
     ":6:8: mac 02:74:6e:73:ad:51 is that of the gateway of subnet 'front'\n"},
    {"attached twice", MORE,
     PORT("p") "{vpc: web, subnet: back, host: hv1,\n"
               "  attach: {netns: web1, interface: eth0}}\n",
     "tenants/acme/ports.yml:5:16: port 'p' in tenants/acme/more.yml:6 "
     "attaches to the same interface of host 'hv1'\n"},
    {"two default routes", MORE,
     PORT("p") "{vpc: web, subnet: back, host: hv1,\n"
               "  attach: {netns: web1, interface: eth1}}\n",
     "tenants/acme/ports.yml:5:16: port 'p' in tenants/acme/more.yml:6 sets "
     "the default route of namespace 'web1' on host 'hv1' already (give one of "
     "them 'defaultRoute: false')\n"},
    {"attached where another tenant is", "tenants/zeta/x.yml",
     V "kind: Tenant\nmetadata: {name: zeta}\nspec: {}\n",
     "tenants/zeta:0:0: there is no tenants/zeta/tenant.yml with a document of "
     "kind Tenant\n"
     "tenants/zeta/x.yml:3:18: kind Tenant belongs in tenants/zeta/tenant.yml "
     "only\n"},
    /* Peerings */
    {"peering without vpc", MORE,
     PEERING("p") "spec: {vpc: nil, peer: {vpc: web}, export: [10.1.0.0/16]}\n",
     MORE ":5:13: there is no Vpc 'nil'\n"},
    {"peering with itself", MORE,
     PEERING("p") "spec: {vpc: web, peer: {vpc: web}, export: [10.1.0.0/16]}\n",
     MORE ":5:30: VPC 'web' cannot peer with itself\n"},
    {"peering not granted", MORE,
     PEERING("p") "spec: {vpc: web, peer: {tenant: beta, vpc: shop}, "
                  "export: [10.1.0.0/16]}\n",
     MORE ":2:1: warning: the peering with 'beta/shop' is not granted by the "
          "other side yet\n"},
    {"peering with nobody reads the same", MORE,
     PEERING("p") "spec: {vpc: web, peer: {tenant: nobody, vpc: nothing}, "
                  "export: [10.1.0.0/16]}\n",
     MORE ":2:1: warning: the peering with 'nobody/nothing' is not granted by "
          "the other side yet\n"},
    {"peering exports what is not ours", MORE,
     PEERING("p") "spec: {vpc: web, peer: {tenant: beta, vpc: shop}, "
                  "export: [10.2.0.0/16]}\n",
     MORE ":5:60: export 10.2.0.0/16 is outside the cidrs of VPC 'web' "
          "(tenants/acme/web.yml:5)\n"},
    {"peering given twice", MORE,
     PEERING("p") "spec: {vpc: web, peer: {tenant: beta, vpc: shop}, "
                  "export: [10.1.0.0/16]}\n" PEERING(
                      "q") "spec: {vpc: web, peer: {tenant: beta, vpc: shop}, "
                           "export: [10.1.0.0/16]}\n",
     MORE ":10:44: VPC 'web' peers with 'beta/shop' already, by 'p' in "
          "tenants/acme/more.yml:4\n"},
    {"peering overlaps in one tenant", MORE,
     VPC("x") "  cidrs: [10.1.0.0/16]\n" PEERING(
         "p") "spec: {vpc: web, peer: {vpc: x}, export: "
              "[10.1.0.0/24]}\n" PEERING("q") "spec: {vpc: x, peer: {vpc: "
                                              "web}, export: [10.1.0.0/24]}\n",
     MORE ":7:1: 10.1.0.0/24, which 'acme/x' exports, overlaps 10.1.0.0/16, a "
          "prefix of VPC 'web' itself\n" MORE
          ":12:1: 10.1.0.0/24, which 'acme/web' exports, overlaps 10.1.0.0/16, "
          "a prefix of VPC 'x' itself\n"},
    {"an import that a static route is for, too", MORE,
     VPC("x") "  cidrs: [10.6.0.0/16]\n"
              "  subnets: [{name: a, cidr: 10.6.1.0/24}]\n"
              "  routes: [{to: 10.7.0.0/16, via: 10.6.1.9}, "
              "{to: 10.7.1.0/24, via: 10.6.1.9}, "
              "{to: 0.0.0.0/0, via: 10.6.1.9}]\n---\n" VPC(
                  "y") "  cidrs: [10.7.0.0/16]\n" PEERING("p") "spec: {vpc: x, "
                                                               "peer: {vpc: "
                                                               "y}, export: "
                                                               "[10.6.0.0/"
                                                               "16]}\n" PEERING(
                                                                   "q") "spec: "
                                                                        "{vpc: "
                                                                        "y, "
                                                                        "peer: "
                                                                        "{vpc: "
                                                                        "x}, "
                                                                        "export"
                                                                        ": "
                                                                        "[10.7."
                                                                        "0.0/"
                                                                        "16]}"
                                                                        "\n",
     MORE ":15:1: 10.7.0.0/16, which 'acme/y' exports, overlaps 10.7.0.0/16, a "
          "static route of VPC 'x' itself\n"},
    /* What could not be read hides what depends on it. */
    {"references to a broken document", MORE,
     VPC("x") "  cidrs: [10.2.0.0/16]\n  nonsense: 1\n" PORT(
         "p") "{vpc: x, subnet: a, host: hv1, attach: {netns: n}}\n",
     MORE ":6:3: unknown field 'nonsense' (known here: description, cidrs, "
          "encapsulation, sites, subnets, routes, externalNetwork)\n"},
    {"references after a broken file", MORE,
     "[\n" PORT("p") "{vpc: x, subnet: a, host: hv1, attach: {netns: n}}\n",
     MORE ":2:1: not valid YAML: did not find expected node content while "
          "parsing a flow node\n"},
    /* The lock */
    {"lock pins one number twice", "tenants/acme/tenet.lock",
     V "kind: Lock\npins:\n  subnet/web/back: {vni: 7000}\n"
       "  subnet/web/front: {vni: 7000}\n",
     "tenants/acme/tenet.lock:5:3: vni 7000 of 'subnet/web/front' is pinned "
     "for 'subnet/web/back' already, in line 4\n"},
    {"lock with unknown fields", "tenants/acme/tenet.lock",
     V "kind: Lock\npins:\n  subnet/web/back: {vmi: 7000}\n"
       "  vpc/web: {vni: 1}\n  port/web1: {mac: x, address: 300.1.1.1}\nmore: "
       "1\n",
     "tenants/acme/tenet.lock:4:21: unknown field 'vmi' (did you mean 'vni'?)\n"
     "tenants/acme/tenet.lock:5:3: vpc/web: 'subnet/VPC/SUBNET: {...}' or "
     "'port/PORT: {...}' expected\n"
     "tenants/acme/tenet.lock:6:20: mac: a unicast MAC address expected\n"
     "tenants/acme/tenet.lock:6:32: address: an address expected\n"
     "tenants/acme/tenet.lock:7:1: unknown field 'more'\n"},
    {"given vni is pinned for another", "tenants/acme/tenet.lock",
     V "kind: Lock\npins:\n  port/web1: {address: 10.1.0.20}\n",
     "tenants/acme/ports.yml:11:17: address 10.1.0.20 of port 'web2' is pinned "
     "for port 'web1' of the same subnet\n"},
    /* Settings: everybody's failure */
    {"settings broken", "tenet.yml", "kind: Settings\n",
     "tenet.yml:1:1: missing required field 'apiVersion' (for example: "
     "apiVersion: tenet/v1)\n"
     "tenet.yml:1:1: missing required field 'metadata'\n"},
    {"environment that is not there", "tenet.yml",
     V "kind: Settings\nmetadata: {name: lab}\nspec:\n"
       "  defaultEnvironment: lap\n",
     "tenet.yml:5:23: there is no environment 'lap' (did you mean 'lab'?)\n"},
};

Test(validate, rules)
{
    size_t failed = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        struct tn_fixture f;
        tn_fixture_init(&f);
        tn_fixture_add(&f, row->path, row->text);
        tn_fixture_compile(&f);
        if (strcmp(tn_text_str(&f.findings), row->want) != 0) {
            fprintf(stderr, "%s:\n--- want\n%s--- have\n%s", row->name,
                    row->want, tn_text_str(&f.findings));
            failed++;
        }
        bool everybody = strcmp(row->path, "tenet.yml") == 0;
        cr_expect_eq(f.code, everybody ? TN_EINTENT : TN_OK, "%s", row->name);
        if (!everybody) {
            const char *tenant = strstr(row->path, "/acme/")   ? "acme"
                                 : strstr(row->path, "/beta/") ? "beta"
                                                               : NULL;
            const struct tn_tenant_result *t =
                tenant ? tn_fixture_tenant(&f, tenant) : NULL;
            cr_expect(!t || t->failed == (f.diags.n_errors > 0), "%s",
                      row->name);
        }
        tn_fixture_done(&f);
    }
    cr_assert_eq(failed, 0, "%zu rows differ", failed);
}
