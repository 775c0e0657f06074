/* identify_test.c - docs/identifiers.md, sentence by sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/compile/fixture.h"
#include "tests/support/memory_source.h"

Test(identifiers, pinned_numbers_stay_whatever_comes)
{
    struct tn_fixture f, first;
    tn_fixture_init(&first);
    tn_fixture_compile(&first);
    TN_CLEANUP(tn_cleanup_free)
    char *before = tn_fixture_print_tenant(&first, "beta");
    tn_fixture_init(&f);
    f.options.pins = first.network->pins;
    f.options.n_pins = first.network->n_pins;
    /* Enough new ports to take every address of the subnet but a few. */
    TN_CLEANUP(tn_cleanup_text) struct tn_text more = {0};
    for (int i = 0; i < 240; i++) {
        tn_text_addf(&more,
                     "---\n" V "kind: Port\nmetadata: {name: a%d}\n"
                     "spec: {vpc: shop, subnet: front, host: hv2, "
                     "attach: {netns: a%d}}\n",
                     i, i);
    }
    tn_fixture_add(&f, "tenants/beta/a.yml", tn_text_str(&more));
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    const struct tn_net_port *was =
        tn_fixture_port(&first, "beta/shop", "web1");
    const struct tn_net_port *is = tn_fixture_port(&f, "beta/shop", "web1");
    cr_assert(was && is);
    cr_expect_eq(tn_addr_cmp(&was->address, &is->address), 0);
    cr_expect_eq(tn_mac_cmp(&was->mac, &is->mac), 0);
    /* And back: the tree of before gives what was there before. */
    tn_memory_source_remove(f.source, "tenants/beta/a.yml");
    tn_fixture_compile(&f);
    TN_CLEANUP(tn_cleanup_free)
    char *after = tn_fixture_print_tenant(&f, "beta");
    cr_expect_str_eq(before, after);
    tn_fixture_done(&f);
    tn_fixture_done(&first);
}

Test(identifiers, all_of_a_full_subnet_are_different)
{
    struct tn_fixture f;
    TN_CLEANUP(tn_cleanup_text) struct tn_text more = {0};
    tn_fixture_init(&f);
    for (int i = 0; i < 252; i++) {
        tn_text_addf(&more,
                     "---\n" V "kind: Port\nmetadata: {name: a%d}\n"
                     "spec: {vpc: shop, subnet: front, host: hv2, "
                     "attach: {netns: a%d}}\n",
                     i, i);
    }
    tn_fixture_add(&f, "tenants/beta/a.yml", tn_text_str(&more));
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    const struct tn_net_vpc *vpc = tn_fixture_vpc(&f, "beta/shop");
    bool seen[256] = {false};
    cr_assert(vpc);
    cr_assert_eq(vpc->subnets[0].n_ports, 253);
    for (size_t i = 0; i < 253; i++) {
        uint8_t last = vpc->subnets[0].ports[i].address.b[3];
        cr_expect(last > 1 && last < 255 && !seen[last]);
        seen[last] = true;
    }
    /* One more than there is room for. */
    tn_fixture_add(&f, "tenants/beta/b.yml",
                   PORT("b") "{vpc: shop, subnet: front, host: hv2,"
                             " attach: {netns: b}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f, "tenants/beta/net.yml:11:18: the pool of subnet 'shop/front' "
            "(10.1.0.0/24, 253 addresses for ports) is exhausted: 254 ports "
            "claim it (a0, a1, a10, a100, a101, a102, a103, a104, ...)\n");
    tn_fixture_done(&f);
}

Test(identifiers, vni_pool_exhausted)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_add(&f, "tenet.yml",
                   V "kind: Settings\nmetadata: {name: lab}\nspec:\n"
                     "  pools: {vni: {from: 5000, to: 5001}}\n"
                     "  defaultEnvironment: lab\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f,
                      "tenants/beta/net.yml:7:7: the pool vni (5000-5001, 2 "
                      "numbers) is exhausted: 3 subnets claim it (acme 2, "
                      "beta 1)\n");
    cr_expect(tn_fixture_vpc(&f, "acme/web"));
    cr_expect(tn_fixture_tenant(&f, "beta")->failed);
    cr_expect_neq(tn_fixture_vni(&f, "acme/web", "front"),
                  tn_fixture_vni(&f, "acme/web", "back"));
    tn_fixture_done(&f);
}

Test(identifiers, lock_beats_status_ref)
{
    static const struct tn_pin pins[] = {
        {.tenant = "acme", .object = "port/web1", .mac = {{2, 0, 0, 0, 0, 1}}},
        {.tenant = "acme", .object = "subnet/web/back", .vni = 7001},
        {.tenant = "acme", .object = "subnet/web/front", .vni = 7002},
    };
    struct tn_fixture f;
    char mac[TN_MAC_TEXT];
    tn_fixture_init(&f);
    f.options.pins = pins;
    f.options.n_pins = TN_ARRAY_SIZE(pins);
    tn_fixture_add(&f, "tenants/acme/tenet.lock",
                   V "kind: Lock\npins:\n"
                     "  port/web1: {address: 10.1.0.77}\n"
                     "  subnet/web/front: {vni: 7003}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_eq(tn_fixture_vni(&f, "acme/web", "back"), 7001);
    cr_expect_eq(tn_fixture_vni(&f, "acme/web", "front"), 7003);
    const struct tn_net_port *p = tn_fixture_port(&f, "acme/web", "web1");
    cr_assert(p);
    cr_expect_eq(p->address.b[3], 77);
    cr_expect_str_eq(tn_mac_format(&p->mac, mac), "02:00:00:00:00:01");
    tn_fixture_done(&f);
}

/* A number that one tenant has in use cannot be taken by another, whichever
 * sorts first and however it asks. */
Test(identifiers, holder_keeps_its_vni)
{
    static const struct tn_pin pins[] = {
        {.tenant = "beta", .object = "subnet/shop/front", .vni = 7000},
    };
    struct tn_fixture f;
    tn_fixture_init(&f);
    f.options.pins = pins;
    f.options.n_pins = 1;
    tn_fixture_add(&f, "tenants/acme/more.yml",
                   VPC("x") "  cidrs: [10.2.0.0/16]\n  subnets:\n"
                            "  - {name: a, cidr: 10.2.0.0/24, vni: 7000}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "tenants/acme/more.yml:7:39: vni 7000 is in use by "
                          "tenant 'beta' (leave 'vni' out: a free one is "
                          "found)\n");
    cr_expect(tn_fixture_tenant(&f, "acme")->failed);
    cr_expect_eq(tn_fixture_vni(&f, "beta/shop", "front"), 7000);
    tn_memory_source_remove(f.source, "tenants/acme/more.yml");
    tn_fixture_add(&f, "tenants/acme/tenet.lock",
                   V "kind: Lock\npins:\n  subnet/web/front: {vni: 7000}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "tenants/acme/web.yml:7:7: vni 7000 is in use by "
                          "tenant 'beta' (the pin in tenet.lock is not this "
                          "tenant's)\n");
    cr_expect_eq(tn_fixture_vni(&f, "beta/shop", "front"), 7000);
    tn_fixture_done(&f);
}

Test(identifiers, failed_tenant_keeps_its_numbers_reserved)
{
    static const struct tn_pin pins[] = {
        {.tenant = "beta", .object = "subnet/shop/front", .vni = 6769},
    };
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_compile(&f);
    cr_assert_eq(tn_fixture_vni(&f, "acme/web", "front"), 6769);
    f.options.pins = pins;
    f.options.n_pins = 1;
    tn_fixture_add(&f, "tenants/beta/net.yml", "[\n");
    tn_fixture_compile(&f);
    cr_expect(tn_fixture_tenant(&f, "beta")->failed);
    cr_expect_eq(tn_fixture_vni(&f, "acme/web", "front"), 6770);
    const struct tn_pin *last = &f.network->pins[f.network->n_pins - 1];
    cr_expect_str_eq(last->tenant, "beta");
    cr_expect_eq(last->vni, 6769);
    cr_expect(tn_fixture_holds(&f, "beta/shop"));
    tn_fixture_done(&f);
}

Test(identifiers, moved_port_does_not_displace_who_stayed)
{
    struct tn_fixture first, f;
    tn_fixture_init(&first);
    tn_fixture_add(&first, "tenants/beta/b.yml",
                   VPC("old") "  cidrs: [10.1.0.0/16]\n  subnets:\n"
                              "  - {name: front, cidr: 10.1.0.0/24}\n");
    tn_fixture_compile(&first);
    const struct tn_net_port *web1 =
        tn_fixture_port(&first, "beta/shop", "web1");
    cr_assert(web1);
    /* 'aaa' had the same address in another VPC and moves in. */
    struct tn_pin pins[] = {
        {.tenant = "beta", .object = "port/aaa", .address = web1->address},
        {.tenant = "beta", .object = "port/web1", .address = web1->address},
    };
    tn_fixture_init(&f);
    f.options.pins = pins;
    f.options.n_pins = 2;
    tn_fixture_add(&f, "tenants/beta/b.yml",
                   PORT("aaa") "{vpc: shop, subnet: front, host: hv2,"
                               " attach: {netns: aaa}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    const struct tn_net_port *stayed = tn_fixture_port(&f, "beta/shop", "web1");
    const struct tn_net_port *moved = tn_fixture_port(&f, "beta/shop", "aaa");
    cr_assert(stayed && moved);
    cr_expect_eq(tn_addr_cmp(&stayed->address, &web1->address), 0);
    cr_expect_neq(tn_addr_cmp(&moved->address, &web1->address), 0);
    tn_fixture_done(&f);
    tn_fixture_done(&first);
}

Test(identifiers, attachment_belongs_to_who_was_there)
{
    static const struct tn_pin pins[] = {
        {.tenant = "beta", .object = "port/web1", .mac = {{2, 0, 0, 0, 0, 1}}},
    };
    struct tn_fixture f;
    tn_fixture_init(&f);
    f.options.pins = pins;
    f.options.n_pins = 1;
    tn_fixture_add(&f, "tenants/acme/more.yml",
                   PORT("p") "{vpc: web, subnet: front, host: hv1,\n"
                             "  attach: {netns: beta1}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "tenants/acme/more.yml:6:11: a port of tenant 'beta' "
                          "attaches to the same interface of the same host\n");
    cr_expect(tn_fixture_tenant(&f, "acme")->failed);
    cr_expect_not(tn_fixture_tenant(&f, "beta")->failed);
    tn_fixture_done(&f);
}

Test(lock, prints_what_it_reads)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_compile(&f);
    TN_CLEANUP(tn_cleanup_text) struct tn_text first = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text second = {0};
    const struct tn_pin *pins = NULL;
    size_t n = 0;
    tn_lock_print(&first, f.network->pins, 5);
    cr_assert(tn_lock_parse(f.arena, "l", "acme", tn_text_str(&first), first.n,
                            &pins, &n, &f.diags));
    cr_assert_eq(n, 5);
    tn_lock_print(&second, pins, n);
    cr_expect_str_eq(tn_text_str(&first), tn_text_str(&second));
    cr_expect_str_eq(
        tn_text_str(&first),
        "# Identifiers in use; written by 'tenet lock'.  Do not edit.\n"
        "apiVersion: tenet/v1\nkind: Lock\npins:\n"
        "  port/router: {mac: \"02:00:00:00:00:09\", address: 10.1.1.9}\n"
        "  port/web1: {mac: \"02:74:6e:ca:06:1e\", address: 10.1.0.249, "
        "address6: \"fd00:1::abd1:f9a:e72e:fee\"}\n"
        "  port/web2: {mac: \"02:74:6e:be:e4:66\", address: 10.1.0.20, "
        "address6: \"fd00:1::9033:6910:a92a:73ea\"}\n"
        "  subnet/web/back: {vni: 6015}\n"
        "  subnet/web/front: {vni: 6769}\n");
    tn_text_clear(&first);
    tn_lock_print(&first, NULL, 0);
    cr_expect(tn_lock_parse(f.arena, "l", "acme", tn_text_str(&first), first.n,
                            &pins, &n, &f.diags));
    cr_expect_eq(n, 0);
    tn_fixture_done(&f);
}

/* What a workload makes of prefix and MAC itself is not ours to choose. */
Test(identify, slaac)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_add(
        &f, "tenants/acme/x.yml",
        VPC("x") "  cidrs: [10.9.0.0/16, \"fd00:9::/32\"]\n  subnets:\n"
                 "  - {name: a, cidr: 10.9.0.0/24, cidr6: \"fd00:9::/64\",\n"
                 "     dhcp: {ra: dhcpv6-stateless, leaseTime: 600}}\n"
                 "  - {name: b, cidr: 10.9.1.0/24, cidr6: \"fd00:9:0:1::/64\","
                 " dhcp: {}}\n"
                 "  - {name: c, cidr: 10.9.2.0/24, cidr6: \"fd00:9:0:2::/64\","
                 " dhcp: {enabled: false, ra: slaac}}\n" PORT(
                     "p") "{vpc: x, subnet: a, host: hv1, attach: {netns: p},"
                          " mac: \"02:00:00:00:00:01\"}\n" PORT(
                              "q") "{vpc: x, subnet: b, host: hv1, attach: "
                                   "{netns: q},"
                                   " mac: \"02:00:00:00:00:01\"}\n" PORT(
                                       "r") "{vpc: x, subnet: c, host: hv1, "
                                            "attach: {netns: r},"
                                            " mac: \"02:00:00:00:00:01\"}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    char text[TN_ADDR_TEXT];
    const struct tn_net_vpc *x = tn_fixture_vpc(&f, "acme/x");
    cr_expect_str_eq(
        tn_addr_format(&tn_fixture_port(&f, "acme/x", "p")->address6, text),
        "fd00:9::ff:fe00:1");
    cr_expect_str_neq(
        tn_addr_format(&tn_fixture_port(&f, "acme/x", "q")->address6, text),
        "fd00:9:0:1:0:ff:fe00:1");
    cr_expect_str_neq(
        tn_addr_format(&tn_fixture_port(&f, "acme/x", "r")->address6, text),
        "fd00:9:0:2:0:ff:fe00:1");
    cr_assert(x->subnets[0].dhcp && x->subnets[1].dhcp);
    cr_expect_eq(x->subnets[0].dhcp->ra, TN_RA_STATELESS);
    cr_expect_eq(x->subnets[0].dhcp->lease_time, 600);
    cr_expect_eq(x->subnets[1].dhcp->ra, TN_RA_STATEFUL);
    cr_expect_eq(x->subnets[1].dhcp->lease_time, 3600);
    cr_expect_null(x->subnets[2].dhcp);
    cr_expect_eq(x->subnets[0].dhcp->origin.line, 8);
    tn_fixture_done(&f);
}
