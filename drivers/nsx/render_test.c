/* render_test.c - what becomes of intent in NSX: every kind of object with all
 * its attributes, what cannot be, and slices. */
#include "drivers/nsx/render.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/nsx/kinds.h"
#include "drivers/nsx/names.h"
#include "tests/support/render_lab.h"

#define V "apiVersion: tenet/v1\n"

static const struct tn_driver driver = {.render = tn_nsx_render};

#define EDGE "/infra/sites/default/enforcement-points/default/edge-clusters/e1"
#define ZONE "/infra/sites/default/enforcement-points/default/transport-zones/z"
#define MANAGER                                                                \
    "tenet_driver: nsx, tenet_nsx_url: 'https://192.0.2.1', tenet_nsx_user: "  \
    "admin, tenet_nsx_password_file: /dev/null, "                              \
    "tenet_nsx_edge_cluster: " EDGE

static const char hosts[] = "all:\n"
                            "  hosts:\n"
                            "    n1: {" MANAGER "}\n"
                            "    esx1: {tenet_nsx: n1}\n"
                            "    esx2: {tenet_nsx: n1}\n";

static const char net[] =
    V "kind: Vpc\n"
      "metadata: {name: web}\n"
      "spec:\n"
      "  cidrs: [10.1.0.0/16, \"fd00:1::/32\"]\n"
      "  subnets:\n"
      "    - name: front\n"
      "      cidr: 10.1.0.0/24\n"
      "      cidr6: \"fd00:1::/64\"\n"
      "    - {name: back, cidr: 10.1.1.0/24}\n"
      "    - {name: six, cidr: \"fd00:1:0:6::/64\"}\n"
      "  routes:\n"
      "    - {to: 172.16.0.0/12, via: 10.1.1.9}\n"
      "---\n" V "kind: Vpc\n"
      "metadata: {name: db}\n"
      "spec:\n"
      "  cidrs: [10.2.0.0/16, \"fd00:2::/32\"]\n"
      "  subnets:\n"
      "    - {name: main, cidr: 10.2.0.0/24, cidr6: \"fd00:2::/64\"}\n"
      "---\n" V "kind: Peering\n"
      "metadata: {name: web-db}\n"
      "spec:\n"
      "  vpc: web\n"
      "  peer: {vpc: db}\n"
      "  export: [10.1.1.0/24, \"fd00:1::/64\"]\n"
      "---\n" V "kind: Peering\n"
      "metadata: {name: db-web}\n"
      "spec:\n"
      "  vpc: db\n"
      "  peer: {vpc: web}\n"
      "  export: [10.2.0.0/24, \"fd00:2::/64\"]\n";

static const char groups[] =
    V "kind: SecurityGroup\n"
      "metadata: {name: web}\n"
      "spec:\n"
      "  rules:\n"
      "    - {direction: ingress, protocol: tcp, ports: [80, \"8000-8100\"]}\n"
      "    - {direction: ingress, protocol: udp, ports: [53],\n"
      "       remote: {cidr: 10.0.0.0/8}}\n"
      "    - {direction: ingress, protocol: icmp}\n"
      "    - {direction: ingress, protocol: icmp,\n"
      "       remote: {cidr: \"fd00::/8\"}}\n"
      "    - {direction: ingress, remote: {group: admin}}\n"
      "    - {direction: ingress, protocol: sctp, remote: {cidr: 0.0.0.0/0}}\n"
      "    - {direction: ingress, remote: {group: nobody}}\n"
      "    - {direction: ingress, protocol: tcp, remote: {group: nobody}}\n"
      "    - {direction: ingress, protocol: icmp, description: again}\n"
      "---\n" V "kind: SecurityGroup\n"
      "metadata: {name: admin}\n"
      "spec:\n"
      "  rules:\n"
      "    - {direction: egress, remote: {cidr: 10.0.0.0/8}}\n"
      "---\n" V "kind: SecurityGroup\n"
      "metadata: {name: nobody}\n"
      "spec: {rules: []}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: web1}\n"
      "spec: {vpc: web, subnet: front, host: esx1, address: 10.1.0.10,\n"
      "       address6: \"fd00:1::10\", mac: \"02:00:00:00:00:01\",\n"
      "       allowedAddresses: [10.1.0.100/32, \"fd00:1:0:9::/64\"],\n"
      "       securityGroups: [web],\n"
      "       attach: {vif: 2fe1e0b4-4dbf-4e9c-8f4d-0a1a4f9d2a01}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: web2}\n"
      "spec: {vpc: web, subnet: front, host: esx2, address: 10.1.0.11,\n"
      "       address6: \"fd00:1::11\", mac: \"02:00:00:00:00:02\",\n"
      "       securityGroups: [web, admin], attach: {netns: b}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: router}\n"
      "spec: {vpc: web, subnet: back, host: n1, address: 10.1.1.9,\n"
      "       mac: \"02:00:00:00:00:09\", attach: {netns: c}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: db1}\n"
      "spec: {vpc: db, subnet: main, host: esx1, attach: {netns: d}}\n";

static const char shop[] =
    V "kind: Vpc\n"
      "metadata: {name: shop}\n"
      "spec:\n"
      "  cidrs: [10.1.0.0/16]\n"
      "  subnets:\n"
      "    - {name: front, cidr: 10.1.0.0/24}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: shop1}\n"
      "spec: {vpc: shop, subnet: front, host: n1, attach: {netns: e}}\n";

static struct tn_lab lab;
static const struct tn_state *state;

static void
begin(const char *inventory)
{
    tn_lab_init(&lab, inventory);
    tn_lab_add(&lab, "tenants/acme/net.yml", net);
    tn_lab_add(&lab, "tenants/acme/groups.yml", groups);
    tn_lab_add(&lab, "tenants/beta/net.yml", shop);
    tn_lab_compile(&lab);
    state = tn_lab_render(&lab, &driver, tn_lab_device(&lab, "n1"));
}

static void
setup(void)
{
    begin(hosts);
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
}

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(nsx_render, .init = setup, .fini = teardown);

static const struct tn_nsx_object *
object(const char *key)
{
    const struct tn_resource *r = tn_state_get(state, key);
    cr_assert_not_null(r, "%s is not there", key);
    return r->native;
}

static void
expect_path(const char *key, const char *path)
{
    cr_expect_str_eq(object(key)->path, path);
}

#define GROUPS "/infra/domains/default/groups/"
#define POLICIES "/infra/domains/default/security-policies/"

Test(nsx_render, routers_and_segments)
{
    tn_lab_expect(state, "acme/web/router",
                  "name=lab/acme/web\ntype=ISOLATED\n");
    expect_path("acme/web/router", "/infra/tier-1s/lab_acme_web");
    tn_lab_expect(state, "acme/web/segment/six",
                  "name=lab/acme/web/six\n"
                  "router=/infra/tier-1s/lab_acme_web\n"
                  "subnets={\"gateway_address\":\"fd00:1:0:6::1/64\"}\n");
    /* A port of it may use what is not routed there. */
    tn_lab_expect(state, "acme/web/segment/front",
                  "name=lab/acme/web/front\n"
                  "router=/infra/tier-1s/lab_acme_web\n"
                  "subnets=[{\"gateway_address\":\"10.1.0.1/24\"},"
                  "{\"gateway_address\":\"fd00:1::1/64\"}]\n"
                  "urpf=NONE\n");
    expect_path("acme/web/segment/front", "/infra/segments/lab_acme_web_front");
    cr_expect_eq(tn_lab_count(state, "router"), 3);
    cr_expect_eq(tn_lab_count(state, "segment"), 5);
    cr_expect_eq(tn_lab_count(state, "port"), 5);
    const struct tn_resource *r = tn_state_get(state, "acme/web/segment/front");
    cr_expect_str_eq(r->claim, "segment \"/infra/tier-1s/lab_acme_web\" "
                               "[{\"gateway_address\":\"10.1.0.1/24\"},"
                               "{\"gateway_address\":\"fd00:1::1/64\"}]");
    cr_expect_eq(r->origin.line, 7, "%u", r->origin.line);
    cr_expect_str_eq(r->scope, "acme/web");
}

#define SOURCE(mac, ip)                                                        \
    "{\"ip_address\":\"" ip "\",\"mac_address\":\"" mac "\"}"

Test(nsx_render, ports)
{
    tn_lab_expect(
        state, "acme/web/port/web1",
        "groups=lab_acme_web__all, lab_acme_web_web\n"
        "name=lab/acme/web/web1\n"
        "sources=[" SOURCE("02:00:00:00:00:01", "10.1.0.10") "," SOURCE(
            "02:00:00:00:00:01",
            "10.1.0.100") "," SOURCE("02:00:00:00:00:01",
                                     "fd00:1:0:9::/"
                                     "64") "," SOURCE("02:00:00:00:00:01",
                                                      "fd00:1::10") "," SOURCE("02:00:00:00:"
                                                                               "00:01",
                                                                               "fe80::ff:fe00:"
                                                                               "1") "]\n"
                                                                                    "vif="
                                                                                    "2fe1e0b4-"
                                                                                    "4dbf-"
                                                                                    "4e9c-"
                                                                                    "8f4d-"
                                                                                    "0a1a4f9d2"
                                                                                    "a01\n");
    expect_path("acme/web/port/web1",
                "/infra/segments/lab_acme_web_front/ports/lab_acme_web_web1");
    /* Only who has rules for what leaves is judged by them. */
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/port/web2", "groups"),
                     "lab_acme_web__all, lab_acme_web__out, "
                     "lab_acme_web_admin, lab_acme_web_web");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/port/web2", "vif"),
                     tn_nsx_vif(lab.arena, "lab", "acme/web", "web2"));
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/port/router", "sources"),
                     "[" SOURCE("02:00:00:00:00:09", "10.1.1.9") "," SOURCE(
                         "02:00:00:00:00:09", "172.16.0.0/12") "]");
    const struct tn_resource *r = tn_state_get(state, "acme/web/port/web1");
    cr_expect_str_eq(r->parent, "acme/web/segment/front");
    cr_expect_str_eq(r->claim, "port \"2fe1e0b4-4dbf-4e9c-8f4d-0a1a4f9d2a01\"");
}

Test(nsx_render, groups)
{
    tn_lab_expect(state, "acme/web/group/web",
                  "members={\"key\":\"Tag\",\"member_type\":\"SegmentPort\","
                  "\"operator\":\"EQUALS\",\"resource_type\":\"Condition\","
                  "\"value\":\"tenet/group|lab_acme_web_web\"}\n"
                  "name=lab/acme/web/web\n");
    expect_path("acme/web/group/web", GROUPS "lab_acme_web_web");
    /* What NSX learns of a port is not among them, nor what else it may use. */
    tn_lab_expect(state, "acme/web/members/admin",
                  "members={\"ip_addresses\":[\"10.1.0.11\",\"fd00:1::11\"],"
                  "\"resource_type\":\"IPAddressExpression\"}\n"
                  "name=lab/acme/web/admin__members\n");
    tn_lab_expect(state, "acme/web/policy/web",
                  "name=lab/acme/web/web\nscope=" GROUPS
                  "lab_acme_web_web\nsequence=2000\n");
    expect_path("acme/web/policy/web", POLICIES "lab_acme_web_web");
    tn_lab_expect(state, "acme/db/group/web", NULL);
    tn_lab_expect(state, "acme/web/members/nobody", NULL);
}

/* All of a policy's rules, in order: "action direction family services: from ->
 * to". */
static const char *
rules_of(const char *policy)
{
    struct tn_text t = {0};
    static const char *const names[] = {"action",   "direction", "family",
                                        "services", "from",      "to"};
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        if (!tn_streq(r->parent, policy)) {
            continue;
        }
        for (size_t k = 0; k < TN_ARRAY_SIZE(names); k++) {
            const char *value = tn_resource_attr(r, names[k]);
            const char *slash = value ? strrchr(value, '/') : NULL;
            bool path = value && *value == '/';
            tn_text_addf(&t, "%s%s", k ? " " : "",
                         !value ? "-"
                         : path ? slash + 1
                                : value);
        }
        tn_text_addc(&t, '\n');
    }
    const char *out = tn_arena_strdup(lab.arena, tn_text_str(&t));
    tn_text_done(&t);
    return out;
}

/* Equal rules are one, and one for nobody is none. */
Test(nsx_render, rules)
{
    cr_expect_str_eq(rules_of("acme/web/policy/web"),
                     "ALLOW IN - - lab_acme_web_admin__members -\n"
                     "ALLOW IN IPV6 lab_acme_web_icmp6 fd00::/8 -\n"
                     "ALLOW IN - lab_acme_web_icmp - -\n"
                     "ALLOW IN IPV4 lab_acme_web_sctp - -\n"
                     "ALLOW IN - lab_acme_web_tcp-80-8000to8100 - -\n"
                     "ALLOW IN IPV4 lab_acme_web_udp-53 10.0.0.0/8 -\n");
    cr_expect_str_eq(rules_of("acme/web/policy/admin"),
                     "ALLOW OUT IPV4 - - 10.0.0.0/8\n");
    expect_path("acme/web/rule/web/in_udp-53_10.0.0.0_8",
                POLICIES "lab_acme_web_web/rules/in_udp-53_10.0.0.0_8");
    cr_expect_eq(tn_state_get(state, "acme/web/rule/web/in_udp-53_10.0.0.0_8")
                     ->origin.line,
                 7);
}

Test(nsx_render, services)
{
    tn_lab_expect(state, "acme/web/service/tcp-80-8000to8100",
                  "matches={\"destination_ports\":[\"80\",\"8000-8100\"],"
                  "\"id\":\"e1\",\"l4_protocol\":\"TCP\","
                  "\"resource_type\":\"L4PortSetServiceEntry\"}\n"
                  "name=lab/acme/web/tcp-80-8000to8100\n");
    tn_lab_expect(state, "acme/web/service/icmp6",
                  "matches={\"id\":\"e2\",\"protocol\":\"ICMPv6\","
                  "\"resource_type\":\"ICMPTypeServiceEntry\"}\n"
                  "name=lab/acme/web/icmp6\n");
    tn_lab_expect(state, "acme/web/service/sctp",
                  "matches={\"id\":\"e1\",\"protocol_number\":132,"
                  "\"resource_type\":\"IPProtocolServiceEntry\"}\n"
                  "name=lab/acme/web/sctp\n");
    expect_path("acme/web/service/sctp", "/infra/services/lab_acme_web_sctp");
}

Test(nsx_render, guards)
{
    static const char *const scopes[] = {"acme/web", "acme/db", "beta/shop"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        const char *have =
            rules_of(tn_arena_printf(lab.arena, "%s/closing/all", scopes[i]));
        cr_expect_not_null(strstr(have, "DROP IN - - - -\n"), "%s", have);
        cr_expect_not_null(strstr(have, "ALLOW OUT - - - -\n"), "%s", have);
    }
    cr_expect_str_eq(rules_of("acme/web/closing/first"),
                     "DROP OUT - lab_acme_web_dhcp-answers - -\n"
                     "DROP OUT - lab_acme_web_router - -\n");
    cr_expect_str_eq(
        rules_of("acme/web/closing/out"),
        "ALLOW OUT IPV4 lab_acme_web_echo4 - 10.1.0.1, 10.1.1.1\n"
        "ALLOW OUT IPV6 lab_acme_web_echo6 - fd00:1:0:6::1, fd00:1::1\n"
        "ALLOW OUT - lab_acme_web_neighbours - -\n"
        "DROP OUT - - - -\n");
    /* What closes is asked after what lets through, and drops last. */
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/closing/all", "sequence"),
                     "4000");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/closing/all", "scope"),
                     GROUPS "lab_acme_web__all");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/closing/out", "scope"),
                     GROUPS "lab_acme_web__out");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/filter/out/out", "sequence"),
                     "40");
}

Test(nsx_render, static_route)
{
    tn_lab_expect(state, "acme/web/route/172.16.0.0/12",
                  "name=172.16.0.0/12\nto=172.16.0.0/12\n"
                  "via={\"ip_address\":\"10.1.1.9\"}\n");
    expect_path("acme/web/route/172.16.0.0/12",
                "/infra/tier-1s/lab_acme_web/static-routes/172.16.0.0_12");
}

/* Both ends are on one segment, with addresses that differ in the last bits,
 * and each has routes to what the other exports. */
Test(nsx_render, peering)
{
    tn_lab_expect(state, "acme/db/edge", "cluster=" EDGE "\n");
    tn_lab_expect(state, "acme/db/transit/acme/web",
                  "name=lab/acme/db/to/acme/web\n");
    expect_path("acme/db/transit/acme/web",
                "/infra/segments/lab_acme_db__acme_web");
    tn_lab_expect(state, "acme/web/transit/acme/db", NULL);
    expect_path("acme/web/link/acme/db",
                "/infra/tier-1s/lab_acme_web/locale-services/default/"
                "interfaces/lab_acme_web__acme_db");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/link/acme/db", "transit"),
                     "/infra/segments/lab_acme_db__acme_web");
    cr_expect_str_eq(tn_lab_attr(state, "acme/db/link/acme/web", "transit"),
                     "/infra/segments/lab_acme_db__acme_web");
    const char *a = tn_lab_attr(state, "acme/db/link/acme/web", "addresses");
    const char *b = tn_lab_attr(state, "acme/web/link/acme/db", "addresses");
    unsigned x[3], y[3];
    static const char format[] =
        "[{\"ip_addresses\":[\"169.254.%u.%u\"],\"prefix_len\":%u}";
    cr_assert_eq(sscanf(a, format, &x[0], &x[1], &x[2]), 3, "%s", a);
    cr_assert_eq(sscanf(b, format, &y[0], &y[1], &y[2]), 3, "%s", b);
    cr_expect(x[0] == y[0] && x[0] >= 64 && x[0] != 169, "%s", a);
    cr_expect(x[1] % 4 == 1 && y[1] == x[1] + 1, "%s %s", a, b);
    cr_expect(x[2] == 30 && y[2] == 30);
    cr_expect_str_eq(
        tn_lab_attr(state, "acme/web/route/10.2.0.0/24 via acme/db", "via"),
        tn_arena_printf(lab.arena,
                        "{\"ip_address\":\"169.254.%u.%u\",\"scope\":["
                        "\"/infra/tier-1s/lab_acme_web/locale-services/"
                        "default/interfaces/lab_acme_web__acme_db\"]}",
                        x[0], x[1]));
    const char *via6 =
        tn_lab_attr(state, "acme/db/route/fd00:1::/64 via acme/web", "via");
    cr_expect_eq(strncmp(via6, "{\"ip_address\":\"fd", 17), 0, "%s", via6);
    cr_expect_not_null(strstr(via6, "::2\""), "%s", via6);
}

/* A device cut down to some VPCs has the same resources for these. */
Test(nsx_render, slices)
{
    static const char *const scopes[] = {"acme/web", "acme/db", "beta/shop"};
    const struct tn_device *whole = tn_lab_device(&lab, "n1");
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        const struct tn_state *cut =
            tn_lab_render(&lab, &driver, tn_lab_cut(&lab, whole, scopes[i]));
        size_t n = 0;
        for (size_t k = 0; k < state->n; k++) {
            const struct tn_resource *r = &state->items[k];
            const struct tn_resource *o = tn_state_get(cut, r->key);
            if (strcmp(r->scope, scopes[i]) == 0) {
                n++;
                cr_assert_not_null(o, "%s: %s", scopes[i], r->key);
                cr_expect(tn_resource_same(r, o), "%s", r->key);
                cr_expect(tn_streq(r->parent, o->parent), "%s", r->key);
            }
        }
        cr_expect_gt(n, 5);
    }
}

/* What a resource needs has a lower rank, and no two are in one place. */
Test(nsx_render, order_and_places)
{
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        const struct tn_resource *parent =
            r->parent ? tn_state_get(state, r->parent) : NULL;
        const struct tn_nsx_object *o = r->native;
        cr_expect(!r->parent || (parent && parent->rank < r->rank), "%s",
                  r->key);
        for (size_t k = 0; k < state->n; k++) {
            const struct tn_resource *s = &state->items[k];
            const struct tn_nsx_object *p = s->native;
            cr_expect(i == k || strcmp(o->path, p->path) != 0, "%s", o->path);
            for (size_t f = 0; f < o->kind->n_fields && i != k; f++) {
                const char *quoted =
                    tn_arena_printf(lab.arena, "\"%s\"", p->path);
                if (o->values[f] && strstr(o->values[f], quoted)) {
                    cr_expect_lt(s->rank, r->rank, "%s needs %s", r->key,
                                 s->key);
                }
            }
        }
    }
}
