/* good.c - documents without a fault, and the mark's arithmetic. */
#include "tests/kinds/cases.h"

#include <string.h>

#define HEAD(kind) "apiVersion: tenet/v1\nkind: " kind "\nmetadata: {name: a}\n"
#define SPEC(kind, spec)                                                       \
    {                                                                          \
        .yaml = HEAD(kind) "spec: " spec "\n"                                  \
    }
#define TENANT_META(meta)                                                      \
    {                                                                          \
        .yaml = "apiVersion: tenet/v1\nkind: Tenant\nmetadata: " meta "\n"     \
    }
#define RULE(rule)                                                             \
    SPEC("SecurityGroup", "{rules: [{direction: ingress, " rule "}]}")
#define PORT(fields) SPEC("Port", "{vpc: v, subnet: s, host: h, " fields "}")
#define SUBNET(fields)                                                         \
    SPEC("Vpc", "{cidrs: [0.0.0.0/0], subnets: [{name: s, " fields "}]}")

const struct tn_case tn_good_cases[] = {
    {.yaml = HEAD("Settings")},
    {.yaml = HEAD("Tenant")},
    {.yaml = HEAD("SecurityGroup")},
    {.yaml = "kind: Tenant\nspec: {}\nmetadata: {labels: {}, name: a}\n"
             "apiVersion: tenet/v1\n"},
    {.yaml = "\"apiVersion\": \"tenet/v1\"\n'kind': 'Tenant'\n"
             "metadata: {name: 'a'}\n"},
    TENANT_META("{name: \"42\"}"),
    TENANT_META("{name: no}"),
    TENANT_META("{name: 0-1}"),
    TENANT_META("{name: 1-2-3}"),
    TENANT_META("{name: on, tenant: yes}"),
    TENANT_META("{name: "
                "x23456789012345678901234567890123456789012345678901234567890"
                "123}"),
    TENANT_META("{name: a, labels: {tier: \"1\", a.b/c_d-e: \"\", X: Y}}"),
    SPEC("Settings", "{pools: {vni: {from: 1, to: 16777215}}}"),
    SPEC("Settings", "{pools: {vni: {from: 5000}, macPrefix: 0a:bc:DE}}"),
    SPEC("Settings", "{pools: {}, budgets: {maxDeletes: 0}, vxlanPort: 8472}"),
    SPEC("Settings", "{statusRef: refs/heads/a/b-c_d.e/f@1}"),
    SPEC("Settings", "{defaultEnvironment: prod.eu_1}"),
    SPEC("Settings",
         "{probes: [{name: p, from: acme/a, to: {port: b/c}}, {name: "
         "q, from: 1/2, to: {address: \"fd00::1\"}, tcp: 443}]}"),
    SPEC("Settings", "{signers: {file: .tenet/allowed_signers}}"),
    SPEC("Settings", "{signers: {scopes: [{principal: a, paths: [b]}]}}"),
    SPEC("Settings",
         "{signers: {file: a, scopes: [{principal: a@b, paths: [\"**\", "
         "\"tenants/a*?/**/x y.yml\", \"*/b\"]}]}}"),
    SPEC("Settings",
         "{externalNetworks: [{name: u, cidr: 203.0.113.0/24, gateway: "
         "203.0.113.1, physicalNetwork: p, chassis: [h]}]}"),
    SPEC("Settings",
         "{externalNetworks: [{name: u, cidr: \"2001:db8::/64\", gateway: "
         "\"2001:db8::1\", physicalNetwork: p, vlan: 4094, chassis: [h, i], "
         "vpcs: [{vpc: a/b, address: \"2001:db8::2\", prefixes: "
         "[\"fd00::/8\"]}]}]}"),
    SPEC("Tenant", "{quotas: {}, allowedCidrs: [], description: \"\"}"),
    SPEC("Tenant", "{description: \"a\\nb\\tc \xc3\xa4 \xf0\x9f\x98\x80\"}"),
    SPEC("Tenant", "{description: 10.1.0.0 and more}"),
    SPEC("Tenant", "{description: 2026-11-21}"),
    SPEC("Tenant", "{allowedCidrs: [0.0.0.0/0, \"::/0\", 10.1.2.3/32]}"),
    SPEC("Tenant", "{allowedCidrs: [\"::ffff:10.0.0.0/104\", 224.0.0.0/4]}"),
    SPEC("Tenant", "{quotas: {vpcs: 0, subnets: 1000000}}"),
    SPEC("Vpc", "{cidrs: [10.0.0.0/8]}"),
    SPEC("Vpc", "{cidrs: [10.0.0.0/8], externalNetwork: uplink-1}"),
    SPEC("Vpc", "{cidrs: [10.0.0.0/8], subnets: [], routes: [], sites: []}"),
    SPEC("Vpc", "{cidrs: [10.0.0.0/8], encapsulation: geneve, sites: [DC_1]}"),
    SPEC("Vpc", "{cidrs: [\"fd00::/8\"], encapsulation: \"gre\"}"),
    SUBNET("cidr: 10.0.0.0/30, gateway: 10.0.0.2"),
    SUBNET("cidr: \"fd00::/126\", gateway: \"fd00::3\", mtu: 1280"),
    SUBNET("cidr: 10.0.0.0/24, cidr6: \"fd00::/64\", gateway6: \"fd00::ffff\""),
    SUBNET("cidr: 10.0.0.0/24, mtu: 576, vni: 16777215"),
    SUBNET("cidr: 10.0.0.0/24, dhcp: {}"),
    SUBNET("cidr: 10.0.0.0/24, dhcp: {enabled: false, ra: none}"),
    SUBNET("cidr: 10.0.0.0/24, dhcp: {leaseTime: 4294967295, domain: a-1.b.c,"
           " dnsServers: [\"fd00::1\", 10.0.0.1], ntpServers: [10.9.0.1]}"),
    SUBNET("cidr: \"fd00::/64\", dhcp: {ra: slaac, dnsServers: []}"),
    SUBNET("cidr: \"fd00::/96\", dhcp: {ra: dhcpv6-stateful}"),
    SPEC("Vpc", "{cidrs: [10.0.0.0/8], routes: [{to: 0.0.0.0/0, via: 10.0.0.2},"
                " {to: \"::/0\", via: \"fd00::2\"}]}"),
    PORT("attach: {netns: ns-1.a_b@c+d}"),
    PORT("attach: {interface: tap0.100}"),
    PORT("attach: {netns: a, interface: fifteen-letters}"),
    PORT("attach: {netns: a}, mac: AA:bb:cc:00:11:22"),
    PORT("attach: {netns: a}, address: \"fd00::1\", address6: \"fd00::2\""),
    PORT("attach: {netns: a}, securityGroups: [], allowedAddresses: []"),
    PORT("attach: {netns: a}, allowedAddresses: [0.0.0.0/0, \"::/0\"]"),
    SPEC("Port", "{vpc: v, subnet: s, host: HV_1.example.org, "
                 "attach: {netns: a}}"),
    SPEC("SecurityGroup", "{}"),
    SPEC("SecurityGroup", "{rules: []}"),
    RULE("protocol: tcp"),
    RULE("protocol: tcp, ports: 80"),
    RULE("protocol: udp, ports: 1-65535"),
    RULE("protocol: sctp, ports: \"8000-8100\""),
    RULE("protocol: tcp, ports: [80, 443, 8000-8100, \"9000-9000\"]"),
    RULE("protocol: icmp, remote: {cidr: 0.0.0.0/0}"),
    RULE("protocol: any, remote: {group: web}"),
    RULE("remote: {cidr: \"::/0\"}, description: ping"),
    SPEC("SecurityGroup",
         "{rules: [{direction: egress}, {direction: egress}]}"),
    SPEC("Peering", "{vpc: a, peer: {vpc: b}, export: [10.0.0.0/8]}"),
    SPEC("Peering", "{vpc: a, peer: {tenant: t, vpc: b}, "
                    "export: [10.0.0.0/24, \"fd00::/64\"], description: x}"),
};
const size_t tn_n_good_cases = TN_ARRAY_SIZE(tn_good_cases);

struct tn_pos
tn_case_yaml(const struct tn_case *c, struct tn_text *out)
{
    const char *mark = c->message ? strchr(c->yaml, '^') : NULL;
    struct tn_pos at = {0};
    if (!mark) {
        tn_text_add(out, c->yaml);
        return at;
    }
    at = (struct tn_pos){1, 1};
    for (const char *p = c->yaml; p < mark; p++) {
        at.line += *p == '\n';
        at.column = *p == '\n' ? 1 : at.column + 1;
    }
    tn_text_addn(out, c->yaml, (size_t) (mark - c->yaml));
    tn_text_add(out, mark + 1);
    return at;
}
