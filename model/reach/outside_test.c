/* outside_test.c - reachability with external networks: what gets out and in,
 * what of it changes, what claims say of it, and what isolation rests on. */
#include <string.h>

#include <criterion/criterion.h>

#include "model/compile/fixture.h"
#include "model/reach/reach.h"

#define HOSTS "inventories/lab/hosts.yml"

static const char hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "  children:\n"
    "    hypervisors:\n"
    "      vars: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
    "             tenet_ovs_bridge_mappings: 'wire:br-ex'}\n"
    "      hosts:\n"
    "        hv1: {tenet_underlay_address: 192.0.2.11}\n"
    "        hv2: {tenet_underlay_address: 192.0.2.12}\n"
    "        hv3: {tenet_underlay_address: 192.0.2.13}\n"
    "        hv6: {tenet_underlay_address: 192.0.2.16}\n";

#define SETTINGS(vpcs)                                                         \
    "apiVersion: tenet/v1\nkind: Settings\nmetadata: {name: lab}\nspec:\n"     \
    "  defaultEnvironment: lab\n"                                              \
    "  externalNetworks:\n"                                                    \
    "    - name: uplink\n"                                                     \
    "      cidr: 203.0.113.0/24\n"                                             \
    "      cidr6: \"2001:db8:ff::/64\"\n"                                      \
    "      gateway: 203.0.113.1\n"                                             \
    "      gateway6: \"2001:db8:ff::1\"\n"                                     \
    "      physicalNetwork: wire\n"                                            \
    "      chassis: [hv1]\n"                                                   \
    "      vpcs: [" vpcs "]\n"
#define WEB                                                                    \
    "{vpc: acme/x, address: 203.0.113.11, address6: \"2001:db8:ff::11\",\n"    \
    "       prefixes: [10.20.0.0/24, \"fd00:20::/64\"]}"
#define SHOP                                                                   \
    ",\n      {vpc: beta/y, address: 203.0.113.12, prefixes: [10.30.0.0/16]}"

/* x: a is known outside, b is not; it peers with p, which is not outside. */
static const char acme[] =
    "apiVersion: tenet/v1\n"
    "kind: Vpc\n"
    "metadata: {name: x}\n"
    "spec:\n"
    "  cidrs: [10.20.0.0/16, \"fd00:20::/32\"]\n"
    "  externalNetwork: uplink\n"
    "  subnets:\n"
    "  - {name: a, cidr: 10.20.0.0/24, cidr6: \"fd00:20::/64\"}\n"
    "  - {name: b, cidr: 10.20.1.0/24}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Vpc\n"
    "metadata: {name: p}\n"
    "spec:\n"
    "  cidrs: [10.40.0.0/16]\n"
    "  subnets: [{name: n, cidr: 10.40.0.0/24}]\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Peering\n"
    "metadata: {name: xp}\n"
    "spec: {vpc: x, peer: {vpc: p}, export: [10.20.0.0/16]}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Peering\n"
    "metadata: {name: px}\n"
    "spec: {vpc: p, peer: {vpc: x}, export: [10.40.0.0/24]}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: SecurityGroup\n"
    "metadata: {name: www}\n"
    "spec:\n"
    "  rules:\n"
    "  - {direction: ingress, protocol: tcp, ports: 80,\n"
    "     remote: {cidr: 198.51.100.0/24}}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: SecurityGroup\n"
    "metadata: {name: all}\n"
    "spec: {rules: [{direction: ingress}]}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: SecurityGroup\n"
    "metadata: {name: tight}\n"
    "spec:\n"
    "  rules:\n"
    "  - {direction: egress, protocol: udp, ports: 53,\n"
    "     remote: {cidr: 192.0.2.53/32}}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: x1}\n"
    "spec:\n"
    "  {vpc: x, subnet: a, host: hv1, address: 10.20.0.11,\n"
    "   address6: \"fd00:20::11\", securityGroups: [www],\n"
    "   attach: {netns: x1}}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: x2}\n"
    "spec:\n"
    "  {vpc: x, subnet: b, host: hv2, address: 10.20.1.11,\n"
    "   securityGroups: [all], attach: {netns: x2}}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: x3}\n"
    "spec:\n"
    "  {vpc: x, subnet: a, host: hv2, address: 10.20.0.13,\n"
    "   securityGroups: [all, tight], attach: {netns: x3}}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: p1}\n"
    "spec:\n"
    "  {vpc: p, subnet: n, host: hv1, address: 10.40.0.11,\n"
    "   securityGroups: [all], attach: {netns: p1}}\n";

static const char beta[] =
    "apiVersion: tenet/v1\n"
    "kind: Vpc\n"
    "metadata: {name: y}\n"
    "spec:\n"
    "  cidrs: [10.30.0.0/16]\n"
    "  externalNetwork: uplink\n"
    "  subnets: [{name: n, cidr: 10.30.0.0/24}]\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: SecurityGroup\n"
    "metadata: {name: all}\n"
    "spec: {rules: [{direction: ingress}]}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: y1}\n"
    "spec:\n"
    "  {vpc: y, subnet: n, host: hv1, address: 10.30.0.11,\n"
    "   securityGroups: [all], attach: {netns: y1}}\n";
static const char apart[] =
    "apiVersion: tenet/v1\n"
    "kind: Vpc\n"
    "metadata: {name: y}\n"
    "spec:\n"
    "  cidrs: [10.30.0.0/16]\n"
    "  subnets: [{name: n, cidr: 10.30.0.0/24}]\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: SecurityGroup\n"
    "metadata: {name: all}\n"
    "spec: {rules: [{direction: ingress}]}\n"
    "---\n"
    "apiVersion: tenet/v1\n"
    "kind: Port\n"
    "metadata: {name: y1}\n"
    "spec:\n"
    "  {vpc: y, subnet: n, host: hv1, address: 10.30.0.11,\n"
    "   securityGroups: [all], attach: {netns: y1}}\n";

static struct tn_fixture f;

static void
setup(void)
{
    tn_fixture_init(&f);
    tn_fixture_add(&f, HOSTS, hosts);
    tn_fixture_add(&f, "tenet.yml", SETTINGS(WEB SHOP));
    tn_fixture_add(&f, "tenants/acme/tenant.yml",
                   V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n");
    tn_fixture_add(&f, "tenants/acme/web.yml", acme);
    tn_fixture_add(&f, "tenants/acme/ports.yml", "");
    tn_fixture_add(&f, "tenants/beta/net.yml", beta);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_assert(f.network);
}

static void
teardown(void)
{
    tn_fixture_done(&f);
}

TestSuite(outside, .init = setup, .fini = teardown);

static const struct {
    const char *from, *to;
    enum tn_protocol protocol;
    uint16_t port;
    enum tn_reach_verdict verdict;
} questions[] = {
    {"acme/x1", "8.8.8.8", TN_PROTO_TCP, 443, TN_REACH_YES},
    {"acme/x1", "2001:db8:7::7", TN_PROTO_TCP, 443, TN_REACH_YES},
    {"acme/x1", "203.0.113.1", TN_PROTO_ICMP, 0, TN_REACH_YES},
    {"acme/x1", "203.0.113.77", TN_PROTO_TCP, 22, TN_REACH_YES},
    {"acme/x1", "203.0.113.11", TN_PROTO_ICMP, 0, TN_REACH_YES},
    {"acme/x1", "203.0.113.12", TN_PROTO_ICMP, 0, TN_REACH_NO},
    {"acme/x1", "224.0.0.1", TN_PROTO_UDP, 1, TN_REACH_NO},
    {"acme/x2", "8.8.8.8", TN_PROTO_TCP, 443, TN_REACH_NO},
    {"acme/x3", "8.8.8.8", TN_PROTO_UDP, 53, TN_REACH_NO},
    {"acme/x3", "192.0.2.53", TN_PROTO_UDP, 53, TN_REACH_YES},
    {"acme/p1", "8.8.8.8", TN_PROTO_TCP, 443, TN_REACH_NO},
    {"acme/p1", "10.20.0.99", TN_PROTO_TCP, 443, TN_REACH_NO},
    {"acme/p1", "10.20.9.9", TN_PROTO_TCP, 443, TN_REACH_NO},
    {"acme/x/198.51.100.7", "acme/x1", TN_PROTO_TCP, 80, TN_REACH_YES},
    {"acme/x/198.51.100.7", "acme/x1", TN_PROTO_TCP, 81, TN_REACH_NO},
    {"acme/x/198.51.101.7", "acme/x1", TN_PROTO_TCP, 80, TN_REACH_NO},
    {"acme/x/198.51.100.7", "acme/x2", TN_PROTO_TCP, 80, TN_REACH_NO},
    {"acme/x/198.51.100.7", "acme/x3", TN_PROTO_TCP, 80, TN_REACH_YES},
    {"acme/x/198.51.100.7", "10.40.0.11", TN_PROTO_TCP, 80, TN_REACH_NO},
    /* Not from outside, whoever says so: */
    {"acme/x/10.30.0.11", "acme/x3", TN_PROTO_TCP, 80, TN_REACH_NO},
    {"acme/x/10.40.0.99", "acme/x3", TN_PROTO_TCP, 80, TN_REACH_NO},
    {"acme/x/10.20.1.99", "acme/x3", TN_PROTO_TCP, 80, TN_REACH_NO},
    /* Not from one to another: */
    {"acme/x3", "beta/y1", TN_PROTO_ANY, 0, TN_REACH_NO},
    {"acme/x3", "10.30.0.11", TN_PROTO_ANY, 0, TN_REACH_NO},
    {"acme/x3", "10.30.9.9", TN_PROTO_ANY, 0, TN_REACH_NO},
    {"beta/y1", "10.20.0.13", TN_PROTO_ANY, 0, TN_REACH_NO},
    {"beta/y1", "acme/x1", TN_PROTO_ANY, 0, TN_REACH_NO},
    {"beta/y1", "8.8.8.8", TN_PROTO_ANY, 0, TN_REACH_YES},
    {"beta/y1", "10.20.9.9", TN_PROTO_ANY, 0, TN_REACH_YES},
};

Test(outside, questions)
{
    struct tn_reach *reach = tn_reach_new(f.arena, f.network);
    struct tn_error err = {0};
    char why[TN_ERROR_TEXT];
    for (size_t i = 0; i < TN_ARRAY_SIZE(questions); i++) {
        struct tn_reach_question q = {0};
        struct tn_reach_answer answer;
        struct tn_vrange port = {questions[i].port, questions[i].port, {0}};
        enum tn_code code =
            tn_reach_place_parse(reach, questions[i].from, NULL, &q.from, &err);
        if (!code) {
            code = tn_reach_place_parse(reach, questions[i].to, q.from.vpc,
                                        &q.to, &err);
        }
        cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, why, sizeof why));
        q.traffic = tn_traffic_of(f.arena, questions[i].protocol, &port,
                                  questions[i].port ? 1 : 0);
        tn_reach_ask(reach, &q, &answer);
        cr_expect_eq(answer.verdict, questions[i].verdict, "%s -> %s: %s",
                     questions[i].from, questions[i].to,
                     tn_reach_verdict_word(answer.verdict));
    }
}

/* The matrix and single packets say the same of every pair of ends. */
Test(outside, matrix)
{
    static const char *const names[] = {"x", "p", "y"};
    struct tn_reach *reach = tn_reach_new(f.arena, f.network);
    size_t pairs = 0, outside = 0;
    for (size_t v = 0; v < TN_ARRAY_SIZE(names); v++) {
        const struct tn_net_vpc *vpc =
            tn_reach_vpc(reach, v == 2 ? "beta" : "acme", names[v]);
        struct tn_reach_matrix m;
        tn_reach_matrix(reach, vpc, &m);
        for (uint32_t a = 0; a < m.n_classes; a++) {
            for (uint32_t b = 0; b < m.n_classes; b++) {
                const struct tn_reach_end *x = m.classes[a].ends[0];
                const struct tn_reach_end *y = m.classes[b].ends[0];
                const struct tn_traffic *t = &tn_traffic_none;
                struct tn_reach_answer answer;
                if (x->port == y->port || x->first.family != y->first.family) {
                    continue;
                }
                for (size_t i = 0; i < m.n_cells; i++) {
                    if (m.cells[i].from == a && m.cells[i].to == b) {
                        t = m.cells[i].traffic;
                    }
                }
                struct tn_reach_question q = {
                    {vpc, x->port, tn_cidr_of_addr(&x->first)},
                    {vpc, y->port, tn_cidr_of_addr(&y->first)},
                    &tn_traffic_all,
                };
                tn_reach_ask(reach, &q, &answer);
                cr_assert_eq(answer.n_parts, 1);
                cr_expect(tn_traffic_eq(answer.parts[0].traffic, t), "%s -> %s",
                          m.classes[a].label, m.classes[b].label);
                pairs++;
                outside += strstr(m.classes[a].label, "external") &&
                           !tn_traffic_is_none(t);
            }
        }
    }
    cr_expect_gt(pairs, 30);
    cr_expect_gt(outside, 4);
}

/* The lines of a differential, with what arrives and one example. */
static const char *
diff_text(const struct tn_network *before, const struct tn_network *after,
          struct tn_text *out)
{
    struct tn_reach_diff diff;
    tn_reach_diff(f.arena, before, after, &diff);
    for (size_t i = 0; i < diff.n; i++) {
        const struct tn_reach_difference *d = &diff.items[i];
        tn_text_addf(out, "%c %s -> %s: ", d->widens ? '+' : '-', d->from,
                     d->to);
        tn_traffic_print(out, d->traffic);
        tn_text_add(out, "\n");
    }
    return tn_text_str(out);
}

Test(outside, what_a_vpc_that_joins_widens)
{
    struct tn_fixture g;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text back = {0};
    tn_fixture_init(&g);
    tn_fixture_add(&g, HOSTS, hosts);
    tn_fixture_add(&g, "tenet.yml", SETTINGS(WEB SHOP));
    tn_fixture_add(&g, "tenants/acme/tenant.yml",
                   V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n");
    tn_fixture_add(&g, "tenants/acme/web.yml", acme);
    tn_fixture_add(&g, "tenants/acme/ports.yml", "");
    tn_fixture_add(&g, "tenants/beta/net.yml", apart);
    tn_fixture_compile(&g);
    tn_fixture_expect(&g, "");
    cr_expect_str_eq(
        diff_text(g.network, f.network, &text),
        "+ beta/y 0.0.0.0/0 behind external network uplink -> beta/y group "
        "all: anything\n"
        "+ beta/y external network uplink -> beta/y group all: anything\n"
        "+ beta/y gateway of external network uplink -> beta/y group all: "
        "anything\n"
        "+ beta/y group all -> beta/y 0.0.0.0/0 behind external network "
        "uplink: anything\n"
        "+ beta/y group all -> beta/y external network uplink: anything\n"
        "+ beta/y group all -> beta/y gateway of external network uplink: "
        "anything\n");
    diff_text(f.network, g.network, &back);
    cr_expect_eq(tn_text_str(&back)[0], '-');
    tn_fixture_done(&g);
}

/* What one VPC has outside, no other reaches there. */
Test(outside, what_another_grant_narrows)
{
    struct tn_fixture g;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_fixture_init(&g);
    tn_fixture_add(&g, HOSTS, hosts);
    tn_fixture_add(&g, "tenet.yml", SETTINGS(WEB));
    tn_fixture_add(&g, "tenants/acme/tenant.yml",
                   V "kind: Tenant\nmetadata: {name: acme}\nspec: {}\n");
    tn_fixture_add(&g, "tenants/acme/web.yml", acme);
    tn_fixture_add(&g, "tenants/acme/ports.yml", "");
    tn_fixture_add(&g, "tenants/beta/net.yml", "");
    tn_fixture_compile(&g);
    tn_fixture_expect(&g, "");
    diff_text(g.network, f.network, &text);
    cr_expect(strstr(tn_text_str(&text), "- acme/x "), "%s",
              tn_text_str(&text));
    tn_fixture_done(&g);
}

static size_t
breaches(const struct tn_reach_assertion *a)
{
    struct tn_reach_outcome out;
    tn_reach_assert(tn_reach_new(f.arena, f.network), a, &out);
    return out.n;
}

/* Nobody's selector names what is outside, and "anybody" is it too. */
Test(outside, claims)
{
    struct tn_reach_assertion a = {
        .claim = TN_REACH_ONLY,
        .from = {.tenant = "acme"},
        .to = {.tenant = "acme", .group = "www"},
        .traffic = &tn_traffic_all,
    };
    cr_expect_gt(breaches(&a), 0);
    a.to.group = NULL;
    a.to.subnet = "b";
    cr_expect_eq(breaches(&a), 0);
    a.claim = TN_REACH_NEVER;
    a.from = (struct tn_reach_selector){.tenant = "beta"};
    a.to = (struct tn_reach_selector){.tenant = "acme"};
    cr_expect_eq(breaches(&a), 0);
    a.from = (struct tn_reach_selector){0};
    a.to = (struct tn_reach_selector){.port = "x1"};
    cr_expect_gt(breaches(&a), 0);
}

/* ---- isolation ---------------------------------------------------------- */

/* Breaks one thing of a copy; the names of rules that say so. */
static void
expect_rule(const struct tn_network *net, const char *rule)
{
    struct tn_reach_isolation out;
    tn_reach_isolation(f.arena, net, NULL, &out);
    cr_assert_eq(out.n, rule ? 1 : 0, "%s: %zu", rule ? rule : "", out.n);
    if (rule) {
        cr_expect_str_eq(out.items[0].rule, rule);
    }
}

#define MINE(pointer) ((void *) (uintptr_t) (pointer))

Test(outside, isolation)
{
    expect_rule(f.network, NULL);
    struct tn_net_external *e = MINE(&f.network->externals[0]);
    struct tn_net_outside *vpcs = MINE(e->vpcs);
    struct tn_cidr *first = MINE(vpcs[1].prefixes);
    const struct tn_cidr was = *first;
    *first = vpcs[0].prefixes[0];
    expect_rule(f.network, "external-shared");
    *first = was;
    vpcs[0].scope = "acme/z";
    expect_rule(f.network, "external-foreign");
    vpcs[0].scope = "acme/x";
    first = MINE(vpcs[0].prefixes);
    *first = (struct tn_cidr){{TN_AF_IPV4, {10, 40}}, 16};
    expect_rule(f.network, "external-transit");
    tn_fixture_compile(&f);
    e = MINE(&f.network->externals[0]);
    const struct tn_host *cloud = e->cloud;
    e->cloud = &f.network->inventory->hosts[1];
    struct tn_reach_isolation out;
    tn_reach_isolation(f.arena, f.network, NULL, &out);
    cr_expect_eq(out.n, 2);
    cr_expect_str_eq(out.items[0].rule, "external-device");
    e->cloud = cloud;
    expect_rule(f.network, NULL);
}
