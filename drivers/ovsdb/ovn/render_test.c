/* render_test.c - what becomes of intent in OVN's northbound database: every
 * kind of row with all its attributes, and slices.  What cannot be is in
 * limits_test.c, what is outside in external_test.c. */
#include "drivers/ovsdb/ovn/render.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "drivers/ovsdb/names.h"
#include "drivers/ovsdb/ovn/ovn.h"
#include "tests/support/render_lab.h"
#include "tests/support/ovsdb_server.h"

#define SCHEMA_SB "/usr/share/ovn/ovn-sb.ovsschema"
#define V "apiVersion: tenet/v1\n"

static const char hosts[] =
    "all:\n"
    "  hosts:\n"
    "    c1: {tenet_driver: ovn}\n"
    "    hv1: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.11,\n"
    "          tenet_ovn: c1}\n"
    "    hv2: {tenet_driver: openvswitch, tenet_underlay_address: 192.0.2.12,\n"
    "          tenet_ovn: c1}\n";
static const char net[] =
    V "kind: Vpc\n"
      "metadata: {name: web}\n"
      "spec:\n"
      "  cidrs: [10.1.0.0/16, \"fd00:1::/32\"]\n"
      "  subnets:\n"
      "    - name: front\n"
      "      cidr: 10.1.0.0/24\n"
      "      cidr6: \"fd00:1::/64\"\n"
      "      mtu: 1400\n"
      "      vni: 7000\n"
      "      dhcp:\n"
      "        leaseTime: 600\n"
      "        dnsServers: [10.1.0.53, 10.1.0.54, \"fd00:1::53\"]\n"
      "        ntpServers: [10.1.0.123]\n"
      "        domain: web.example.org\n"
      "        ra: dhcpv6-stateful\n"
      "    - {name: back, cidr: 10.1.1.0/24, vni: 7001, dhcp: {}}\n"
      "    - {name: six, cidr: \"fd00:1:0:6::/64\", vni: 7002, mtu: 1400,\n"
      "       dhcp: {ra: slaac}}\n"
      "  routes:\n"
      "    - {to: 172.16.0.0/12, via: 10.1.1.9}\n"
      "---\n" V "kind: Vpc\n"
      "metadata: {name: db}\n"
      "spec:\n"
      "  cidrs: [10.2.0.0/16, \"fd00:2::/32\"]\n"
      "  subnets:\n"
      "    - {name: main, cidr: 10.2.0.0/24, cidr6: \"fd00:2::/64\",\n"
      "       vni: 7010}\n"
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
      "    - {direction: ingress, protocol: icmp, description: again}\n"
      "---\n" V "kind: SecurityGroup\n"
      "metadata: {name: admin}\n"
      "spec:\n"
      "  rules:\n"
      "    - {direction: egress, remote: {cidr: 10.0.0.0/8}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: web1}\n"
      "spec: {vpc: web, subnet: front, host: hv1, address: 10.1.0.10,\n"
      "       address6: \"fd00:1::10\", mac: \"02:00:00:00:00:01\",\n"
      "       allowedAddresses: [10.1.0.100/32, \"fd00:1:0:9::/64\"],\n"
      "       securityGroups: [web], attach: {netns: a}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: web2}\n"
      "spec: {vpc: web, subnet: front, host: hv2, address: 10.1.0.11,\n"
      "       address6: \"fd00:1::11\", mac: \"02:00:00:00:00:02\",\n"
      "       securityGroups: [web, admin], attach: {netns: b}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: router}\n"
      "spec: {vpc: web, subnet: back, host: hv1, address: 10.1.1.9,\n"
      "       mac: \"02:00:00:00:00:09\", attach: {netns: c}}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: db1}\n"
      "spec: {vpc: db, subnet: main, host: hv1, attach: {netns: d}}\n";

static const char shop[] =
    V "kind: Vpc\n"
      "metadata: {name: shop}\n"
      "spec:\n"
      "  cidrs: [10.1.0.0/16]\n"
      "  subnets:\n"
      "    - {name: front, cidr: 10.1.0.0/24, vni: 8000}\n"
      "---\n" V "kind: Port\n"
      "metadata: {name: shop1}\n"
      "spec: {vpc: shop, subnet: front, host: hv1, attach: {netns: e}}\n";

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
    state = tn_lab_render(&lab, &tn_driver_ovn, tn_lab_device(&lab, "c1"));
    cr_expect_str_eq(tn_text_str(&lab.findings), "");
}

static void
setup(void)
{
    begin(hosts);
}

static void
teardown(void)
{
    tn_lab_done(&lab);
}

TestSuite(ovn_render, .init = setup, .fini = teardown);
TestSuite(ovn_parser, .fini = teardown);

Test(ovn_render, routers_and_switches)
{
    tn_lab_expect(state, "acme/web/router", "name=lab/acme/web\n");
    tn_lab_expect(state, "acme/web/switch/front",
                  "config=requested-tnl-key=7000\n"
                  "name=lab/acme/web/switch/front\n");
    cr_expect_eq(tn_lab_count(state, "router"), 3);
    cr_expect_eq(tn_lab_count(state, "switch"), 5);
    cr_expect_eq(tn_lab_count(state, "gateway"), 5);
    cr_expect_eq(tn_lab_count(state, "uplink"), 5);
    cr_expect_eq(tn_lab_count(state, "port"), 5);
    const struct tn_resource *r = tn_state_get(state, "acme/web/switch/front");
    cr_expect_eq(r->origin.line, 7, "%u", r->origin.line);
    cr_expect_str_eq(r->scope, "acme/web");
}

Test(ovn_render, gateway)
{
    const char *mac = tn_lab_attr(state, "acme/web/gateway/front", "mac");
    tn_lab_expect(state, "acme/web/gateway/front",
                  tn_arena_printf(
                      lab.arena,
                      "mac=%s\nname=lab/acme/web/gateway/front\n"
                      "networks=10.1.0.1/24, fd00:1::1/64\n"
                      "ra=address_mode=dhcpv6_stateful, dnssl=web.example.org, "
                      "mtu=1400, rdnss=fd00:1::53, send_periodic=true\n"
                      "router=acme/web/router\n",
                      mac));
    tn_lab_expect(state, "acme/web/uplink/front",
                  "addresses=router\nname=lab/acme/web/uplink/front\n"
                  "options=router-port=lab/acme/web/gateway/front\n"
                  "switch=acme/web/switch/front\ntype=router\n");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/gateway/back", "ra"), "",
                     "no IPv6, no advertisements");
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/gateway/six", "ra"),
                     "address_mode=slaac, mtu=1400, send_periodic=true");
    cr_expect_str_eq(tn_lab_attr(state, "acme/db/gateway/main", "ra"), "",
                     "not served");
}

Test(ovn_render, dhcp)
{
    const char *mac = tn_lab_attr(state, "acme/web/gateway/front", "mac");
    const char *back = tn_lab_attr(state, "acme/web/gateway/back", "mac");
    tn_lab_expect(
        state, "acme/web/dhcp/front/4",
        tn_arena_printf(lab.arena,
                        "cidr=10.1.0.0/24\n"
                        "options=dns_server={10.1.0.53, 10.1.0.54}, "
                        "domain_name=\"web.example.org\", lease_time=600, "
                        "mtu=1400, ntp_server=10.1.0.123, router=10.1.0.1, "
                        "server_id=10.1.0.1, server_mac=%s\n",
                        mac));
    tn_lab_expect(state, "acme/web/dhcp/front/6",
                  tn_arena_printf(lab.arena,
                                  "cidr=fd00:1::/64\n"
                                  "options=dns_server=fd00:1::53, "
                                  "server_id=%s\n",
                                  mac));
    const char *options = tn_lab_attr(state, "acme/web/dhcp/back/4", "options");
    cr_expect_not_null(strstr(options, "classless_static_route={172.16.0.0/12,"
                                       "10.1.1.9, 0.0.0.0/0,10.1.1.1}, "),
                       "%s", options);
    cr_expect_not_null(strstr(options, back), "%s", options);
    tn_lab_expect(state, "acme/web/dhcp/back/6", NULL);
    tn_lab_expect(state, "acme/web/dhcp/six/4", NULL);
    tn_lab_expect(state, "acme/web/dhcp/six/6", NULL);
    cr_expect_eq(tn_lab_count(state, "dhcp"), 3);
}

Test(ovn_render, ports)
{
    tn_lab_expect(
        state, "acme/web/port/web1",
        "addresses=02:00:00:00:00:01 10.1.0.10 fd00:1::10\n"
        "dhcp=acme/web/dhcp/front/4\ndhcp6=acme/web/dhcp/front/6\n"
        "groups=acme/web/group/web, acme/web/guard/all\n"
        "name=lab/acme/web/web1\n"
        "sources=02:00:00:00:00:01 10.1.0.10 fd00:1::10 10.1.0.100/32 "
        "fd00:1:0:9::/64\n"
        "switch=acme/web/switch/front\n");
    tn_lab_expect(state, "acme/web/port/router",
                  "addresses=02:00:00:00:00:09 10.1.1.9\n"
                  "dhcp=acme/web/dhcp/back/4\ngroups=acme/web/guard/all\n"
                  "name=lab/acme/web/router\n"
                  "sources=02:00:00:00:00:09 10.1.1.9 172.16.0.0/12\n"
                  "switch=acme/web/switch/back\n");
    /* Only who has rules for what leaves is judged by them. */
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/port/web2", "groups"),
                     "acme/web/group/admin, acme/web/group/web, "
                     "acme/web/guard/all, acme/web/guard/out");
}

static const char *
set_id(const char *key)
{
    return tn_ovs_set_id(lab.arena, "lab", key);
}

/* The ACLs of a group as one text, in the order of their keys. */
static const char *
acls_of(const char *group)
{
    struct tn_text t = {0};
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        if (tn_streq(tn_resource_attr(r, "group"), group)) {
            tn_text_addf(&t, "%s %s %s %s\n", tn_resource_attr(r, "priority"),
                         tn_resource_attr(r, "action"),
                         tn_resource_attr(r, "direction"),
                         tn_resource_attr(r, "match"));
        }
    }
    const char *out = tn_arena_strdup(lab.arena, tn_text_str(&t));
    tn_text_done(&t);
    return out;
}

Test(ovn_render, groups)
{
    const char *web = set_id("acme/web/group/web");
    const char *admin = set_id("acme/web/group/admin");
    const char *const wanted[] = {
        tn_arena_printf(lab.arena,
                        "outport == @%s && ip && tcp && (tcp.dst == 80 || 8000 "
                        "<= tcp.dst <= 8100)\n",
                        web),
        tn_arena_printf(lab.arena,
                        "outport == @%s && ip4.src == 10.0.0.0/8 && udp && "
                        "(udp.dst == 53)\n",
                        web),
        tn_arena_printf(lab.arena, "outport == @%s && ip && (icmp4 || icmp6)\n",
                        web),
        tn_arena_printf(
            lab.arena, "outport == @%s && ip6.src == fd00::/8 && icmp6\n", web),
        tn_arena_printf(lab.arena, "outport == @%s && ip4.src == $%s_ip4\n",
                        web, admin),
        tn_arena_printf(lab.arena, "outport == @%s && ip6.src == $%s_ip6\n",
                        web, admin),
    };
    const char *have = acls_of("acme/web/group/web");
    size_t lines = 0;
    for (const char *p = have; *p; p++) {
        lines += *p == '\n';
    }
    cr_expect_eq(lines, TN_ARRAY_SIZE(wanted), "equal rules are one:\n%s",
                 have);
    for (size_t i = 0; i < TN_ARRAY_SIZE(wanted); i++) {
        const char *line = tn_arena_printf(
            lab.arena, "1002 allow-related to-lport %s", wanted[i]);
        cr_expect_not_null(strstr(have, line), "%sis not in\n%s", line, have);
    }
    have = acls_of("acme/web/group/admin");
    cr_expect_str_eq(
        have, tn_arena_printf(lab.arena,
                              "1002 allow-related from-lport inport == @%s && "
                              "ip4.dst == 10.0.0.0/8\n",
                              admin));
    tn_lab_expect(state, "acme/web/group/web",
                  tn_arena_printf(lab.arena, "name=%s\n", web));
    tn_lab_expect(state, "acme/db/group/web", NULL);
}

Test(ovn_render, guards)
{
    static const char *const scopes[] = {"acme/web", "acme/db", "beta/shop"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        const char *all = tn_arena_printf(lab.arena, "%s/guard/all", scopes[i]);
        const char *have = acls_of(all);
        const char *closed = tn_arena_printf(
            lab.arena, "1000 drop to-lport outport == @%s && ip\n",
            set_id(all));
        cr_expect_not_null(strstr(have, closed), "%s", have);
    }
    const char *have = acls_of("acme/web/guard/out");
    cr_expect_not_null(strstr(have, "1000 drop from-lport inport == @"), "%s",
                       have);
    cr_expect_not_null(strstr(have, "icmp4.type == 8 && ip4.dst == {10.1.1.1, "
                                    "10.1.0.1}"),
                       "%s", have);
    cr_expect_not_null(strstr(have, "icmp6.type == 128 && ip6.dst == "
                                    "{fd00:1::1, fd00:1:0:6::1}"),
                       "%s", have);
}

Test(ovn_render, names_of_sets_are_unique)
{
    for (size_t i = 0; i < state->n; i++) {
        for (size_t k = 0; k < i; k++) {
            const char *a = tn_resource_attr(&state->items[i], "name");
            const char *b = tn_resource_attr(&state->items[k], "name");
            cr_expect_not(a && tn_streq(a, b), "%s", a);
        }
    }
}

/* Each end routes to the other's address, and they differ in the last bit. */
Test(ovn_render, peering)
{
    const char *a = tn_lab_attr(state, "acme/web/link/acme/db", "networks");
    const char *b = tn_lab_attr(state, "acme/db/link/acme/web", "networks");
    unsigned x[5], y[5];
    cr_assert_eq(sscanf(a, "%u.%u.%u.%u/%u", &x[0], &x[1], &x[2], &x[3], &x[4]),
                 5, "%s", a);
    cr_assert_eq(sscanf(b, "%u.%u.%u.%u/%u", &y[0], &y[1], &y[2], &y[3], &y[4]),
                 5, "%s", b);
    cr_expect(x[0] == 169 && x[1] == 254 && x[4] == 32, "%s", a);
    cr_expect(x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[4] == y[4]);
    cr_expect_eq(x[3] ^ y[3], 1, "%s and %s", a, b);
    cr_expect_str_eq(tn_lab_attr(state, "acme/web/link/acme/db", "peer"),
                     "lab/acme/db/link/acme/web");
    cr_expect_str_eq(tn_lab_attr(state, "acme/db/link/acme/web", "peer"),
                     "lab/acme/web/link/acme/db");
    cr_expect_str_neq(tn_lab_attr(state, "acme/web/link/acme/db", "mac"),
                      tn_lab_attr(state, "acme/db/link/acme/web", "mac"));
    tn_lab_expect(state, "acme/web/route/10.2.0.0/24 via acme/db",
                  tn_arena_printf(lab.arena,
                                  "port=lab/acme/web/link/acme/db\n"
                                  "router=acme/web/router\nto=10.2.0.0/24\n"
                                  "via=169.254.%u.%u\n",
                                  y[2], y[3]));
    tn_lab_expect(state, "acme/db/route/10.1.1.0/24 via acme/web",
                  tn_arena_printf(lab.arena,
                                  "port=lab/acme/db/link/acme/web\n"
                                  "router=acme/db/router\nto=10.1.1.0/24\n"
                                  "via=169.254.%u.%u\n",
                                  x[2], x[3]));
    const char *via6 =
        tn_lab_attr(state, "acme/web/route/fd00:2::/64 via acme/db", "via");
    cr_expect_eq(strncmp(via6, "fe80::", 6), 0, "%s", via6);
}

Test(ovn_render, peering_lets_in_what_both_grant)
{
    tn_lab_expect(state, "acme/web/policy/acme/db/ip4",
                  "action=allow\n"
                  "match=inport == \"lab/acme/web/link/acme/db\" && ip4.src == "
                  "{10.2.0.0/24} && ip4.dst == {10.1.1.0/24}\n"
                  "priority=1010\nrouter=acme/web/router\n");
    tn_lab_expect(state, "acme/web/policy/acme/db/ip6",
                  "action=allow\n"
                  "match=inport == \"lab/acme/web/link/acme/db\" && ip6.src == "
                  "{fd00:2::/64} && ip6.dst == {fd00:1::/64}\n"
                  "priority=1010\nrouter=acme/web/router\n");
    tn_lab_expect(state, "acme/db/policy/acme/web/closed",
                  "action=drop\n"
                  "match=inport == \"lab/acme/db/link/acme/web\"\n"
                  "priority=1000\nrouter=acme/db/router\n");
}

Test(ovn_render, static_route)
{
    tn_lab_expect(state, "acme/web/route/172.16.0.0/12 via 10.1.1.9",
                  "port=lab/acme/web/gateway/back\nrouter=acme/web/router\n"
                  "to=172.16.0.0/12\nvia=10.1.1.9\n");
}

/* A device cut down to some VPCs has the same resources for these. */
Test(ovn_render, slices)
{
    static const char *const scopes[] = {"acme/web", "acme/db", "beta/shop"};
    const struct tn_device *whole = tn_lab_device(&lab, "c1");
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        const struct tn_state *cut = tn_lab_render(
            &lab, &tn_driver_ovn, tn_lab_cut(&lab, whole, scopes[i]));
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

/* ---- what OVN says ---- */

static int
rank_cmp(const void *a, const void *b)
{
    const struct tn_step *x = a, *y = b;
    return x->after->rank - y->after->rank;
}

static void
apply(void)
{
    static const struct tn_driver_env env = {0};
    static const struct tn_scope all = {0};
    const struct tn_state *have = NULL;
    struct tn_session *s = NULL;
    struct tn_stage *stage = NULL;
    struct tn_error err = {0};
    char why[TN_ERROR_TEXT];
    size_t failed = 0;
    struct tn_step *steps = tn_new_n(lab.arena, struct tn_step, state->n);
    enum tn_outcome *ends = tn_new_n(lab.arena, enum tn_outcome, state->n);
    for (size_t i = 0; i < state->n; i++) {
        steps[i] = (struct tn_step){TN_OP_CREATE, NULL, &state->items[i]};
    }
    qsort(steps, state->n, sizeof *steps, rank_cmp);
    enum tn_code code =
        tn_driver_ovn.open(tn_lab_device(&lab, "c1"), &env, &s, &err);
    if (!code) {
        code = tn_driver_ovn.observe(s, &all, state, lab.arena, &have, &err);
    }
    if (!code) {
        code = tn_driver_ovn.stage(s, steps, state->n, &stage, &err);
    }
    if (!code) {
        code = tn_driver_ovn.commit(stage, ends, &failed, &err);
    }
    cr_assert_eq(code, TN_OK, "%s", tn_error_text(&err, why, sizeof why));
    tn_driver_ovn.close(s);
}

/* ovn-trace parses every logical flow as ovn-controller does, and tells of
 * those that it cannot. */
static void
trace(const char *dir, bool broken)
{
    char *script = tn_format(
        "ovn-nbctl --timeout=60 --db=unix:%s/nb.sock --wait=sb sync && "
        "ovn-trace --db=unix:%s/sb.sock --minimal lab/acme/web/switch/front "
        "'inport == \"lab/acme/web/web1\" && eth.src == 02:00:00:00:00:01 && "
        "eth.dst == 02:00:00:00:00:02 && ip4.src == 10.1.0.10 && ip4.dst == "
        "10.1.0.11 && ip.ttl == 64 && tcp && tcp.dst == 80'",
        dir, dir);
    char *said = TN_RUN("sh", "-c", script);
    cr_expect_eq(strstr(said, "parsing expression failed") != NULL, broken,
                 "%s", said);
    cr_expect_null(strstr(said, "parsing actions failed"), "%s", said);
    cr_expect_not_null(strstr(said, "output(\"lab/acme/web/web2\")"), "%s",
                       said);
    free(script);
    free(said);
}

Test(ovn_parser, understands_all_of_it)
{
    char *dir = tn_peer_dir();
    char *inventory = tn_format(
        "all:\n"
        "  hosts:\n"
        "    c1: {tenet_driver: ovn, tenet_ovsdb_remote: 'unix:%s/nb.sock'}\n"
        "    hv1: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
        "          tenet_underlay_address: 192.0.2.11}\n"
        "    hv2: {tenet_driver: openvswitch, tenet_ovn: c1,\n"
        "          tenet_underlay_address: 192.0.2.12}\n",
        dir);
    char *north = tn_format("--ovnnb-db=unix:%s/nb.sock", dir);
    char *south = tn_format("--ovnsb-db=unix:%s/sb.sock", dir);
    const char *const argv[] = {"ovn-northd", north, south, "-vconsole:off",
                                NULL};
    setenv("OVN_RUNDIR", dir, 1);
    tn_ovsdb_create(dir, "nb", TN_SCHEMA_NB);
    tn_ovsdb_create(dir, "sb", SCHEMA_SB);
    struct tn_peer nb = tn_ovsdb_start(dir, "nb", NULL);
    struct tn_peer sb = tn_ovsdb_start(dir, "sb", NULL);
    char *init = tn_format("ovn-nbctl --db=unix:%s/nb.sock init", dir);
    TN_RUN_QUIETLY("sh", "-c", init);
    struct tn_peer northd = tn_peer_start(argv, 0);
    begin(inventory);
    apply();
    trace(dir, false);
    /* It would have been told. */
    char *spoil = tn_format("ovn-nbctl --db=unix:%s/nb.sock acl-add "
                            "lab/acme/web/switch/front to-lport 5 'ip4.x' drop",
                            dir);
    TN_RUN_QUIETLY("sh", "-c", spoil);
    trace(dir, true);
    tn_peer_stop(&northd, SIGKILL);
    tn_peer_stop(&nb, SIGKILL);
    tn_peer_stop(&sb, SIGKILL);
    tn_peer_remove(dir);
    free(inventory);
    free(north);
    free(south);
    free(init);
    free(spoil);
}
