/* compile_test.c - what tenants mean to each other, and what stays as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/compile/fixture.h"
#include "tests/support/memory_source.h"

Test(compile, fixture)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_compile(&f);
    cr_assert_eq(f.code, TN_OK);
    tn_fixture_expect(&f, "");
    cr_expect_eq(f.network->n_vpcs, 2);
    cr_expect_eq(f.network->n_devices, 4, "bastion has no driver");
    cr_expect_eq(f.network->n_held, 0);
    cr_expect_eq(f.stats.n_files, 5);
    cr_expect_eq(f.stats.n_files_parsed, 5);
    cr_expect_eq(f.stats.n_vpcs_compiled, 2);
    /* hv1 has both tenants, hv2 only one, hv3 nothing. */
    cr_expect_eq(f.network->devices[0].n_vpcs, 2);
    cr_expect_eq(f.network->devices[1].n_vpcs, 1);
    cr_expect_eq(f.network->devices[2].n_vpcs, 0);
    /* The next hop of a route may send from behind it. */
    const struct tn_net_port *router =
        tn_fixture_port(&f, "acme/web", "router");
    cr_assert(router);
    cr_expect_eq(router->n_allowed, 1);
    /* Numbers are part of the format: they may not change between versions. */
    cr_expect_eq(tn_fixture_vni(&f, "acme/web", "front"), 6769);
    cr_expect_eq(tn_fixture_vni(&f, "beta/shop", "front"), 8981);
    tn_fixture_done(&f);
}

Test(compile, trees_that_are_no_intent)
{
    static const char *const without[] = {"tenet.yml", "tenants",
                                          "inventories"};
    static const char *const want[] = {
        "tenet.yml:0:0: there is no such file: is this an intent "
        "repository?\n",
        "tenants:0:0: there is no tenant: an empty tree is never taken for "
        "intent\n",
        "inventories:0:0: there is no environment: no directory with a "
        "hosts.yml\n",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(without); i++) {
        struct tn_fixture f;
        tn_fixture_init(&f);
        tn_memory_source_remove(f.source, without[i]);
        tn_fixture_compile(&f);
        cr_expect_eq(f.code, TN_EINTENT);
        cr_expect_null(f.network);
        tn_fixture_expect(&f, want[i]);
        tn_fixture_done(&f);
    }
}

Test(compile, source_failure_is_not_an_error_of_intent)
{
    static const char *const paths[] = {"tenet.yml", "tenants", "tenants/beta",
                                        "tenants/beta/net.yml"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(paths); i++) {
        struct tn_fixture f;
        tn_fixture_init(&f);
        tn_memory_source_fail(f.source, paths[i]);
        tn_fixture_compile(&f);
        cr_expect_eq(f.code, TN_EUNAVAILABLE, "%s", paths[i]);
        cr_expect_null(f.network);
        tn_fixture_done(&f);
    }
}

Test(compile, odd_entries_fail_their_tenant_only)
{
    static const char *const paths[] = {
        "tenants/acme/link",
        "tenants/acme/sub/link.yml",
        "tenants/odd",
        "tenants/acme/a\001b.yml",
        "tenants/acme/a\377.yml",
        "tenants/Bad_Name/x.yml",
        "tenants/acme/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/x.yml",
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(paths); i++) {
        struct tn_fixture f;
        tn_fixture_init(&f);
        if (i < 3) {
            tn_memory_source_add_other(f.source, paths[i]);
        } else {
            tn_fixture_add(&f, paths[i], "");
        }
        tn_fixture_compile(&f);
        cr_expect_eq(f.code, TN_OK, "%s", paths[i]);
        cr_expect_eq(f.diags.n_errors, 1, "%s: %s", paths[i],
                     tn_text_str(&f.findings));
        cr_expect_eq(tn_fixture_tenant(&f, "acme")->failed,
                     strncmp(paths[i], "tenants/acme", 12) == 0);
        cr_expect_not(tn_fixture_tenant(&f, "beta")->failed);
        cr_expect(tn_fixture_vpc(&f, "beta/shop"));
        tn_fixture_done(&f);
    }
}

Test(compile, other_files_are_left_alone)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    tn_fixture_add(&f, "tenants/README", "x");
    tn_fixture_add(&f, "tenants/acme/README.md", "[");
    tn_fixture_add(&f, "tenants/acme/sub/.gitkeep", "");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    tn_fixture_done(&f);
}

Test(compile, file_too_large)
{
    struct tn_fixture f;
    size_t n = (1 << 20) + 1;
    TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(n);
    cr_assert(bytes);
    memset(bytes, '#', n);
    tn_fixture_init(&f);
    tn_memory_source_add_bytes(f.source, "tenants/acme/big.yml", bytes, n);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "tenants/acme/big.yml:0:0: "
                          "tenants/acme/big.yml: larger than 1048576 bytes\n");
    cr_expect(tn_fixture_vpc(&f, "beta/shop"));
    tn_fixture_done(&f);
}

Test(compile, port_of_another_environment_keeps_its_numbers)
{
    struct tn_fixture f;
    char mac[TN_MAC_TEXT], addr[TN_ADDR_TEXT];
    tn_fixture_init(&f);
    tn_fixture_add(&f, "tenants/beta/far.yml",
                   PORT("far") "{vpc: shop, subnet: front, host: far1,"
                               " attach: {netns: n}}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    cr_expect_null(tn_fixture_port(&f, "beta/shop", "far"));
    const struct tn_pin *pin = &f.network->pins[f.network->n_pins - 3];
    cr_assert_str_eq(pin->object, "port/far");
    tn_mac_format(&pin->mac, mac);
    tn_addr_format(&pin->address, addr);
    f.options.environment = "other";
    tn_fixture_compile(&f);
    /* Here, the others' ports belong elsewhere. */
    tn_fixture_expect(&f, "");
    cr_expect_null(tn_fixture_port(&f, "beta/shop", "web1"));
    const struct tn_net_port *far = tn_fixture_port(&f, "beta/shop", "far");
    char buf[TN_ADDR_TEXT];
    cr_assert(far);
    cr_expect_str_eq(tn_mac_format(&far->mac, buf), mac);
    cr_expect_str_eq(tn_addr_format(&far->address, buf), addr);
    tn_fixture_done(&f);
}

/* ---- peerings ----------------------------------------------------------- */

static void
peer_both(struct tn_fixture *f)
{
    tn_fixture_add(
        f, "tenants/acme/peer.yml",
        VPC("mid") "  cidrs: [10.9.0.0/16]\n  subnets:\n"
                   "  - {name: a, cidr: 10.9.0.0/24}\n" PORT(
                       "m") "{vpc: mid, subnet: a, host: hv2, attach: {netns: "
                            "m}}"
                            "\n" PEERING(
                                "to-beta") "spec: {vpc: mid, peer: {tenant: "
                                           "beta, vpc: shop},"
                                           " export: [10.9.0.0/16]}\n");
    tn_fixture_add(
        f, "tenants/beta/peer.yml",
        PEERING("to-acme") "spec: {vpc: shop, peer: {tenant: acme, vpc: mid},"
                           " export: [10.77.0.0/16, 10.1.0.0/24]}\n");
}

Test(peering, granted_by_both)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    peer_both(&f);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    const struct tn_net_vpc *mid = tn_fixture_vpc(&f, "acme/mid");
    const struct tn_net_vpc *shop = tn_fixture_vpc(&f, "beta/shop");
    cr_assert(mid && shop);
    cr_assert_eq(mid->n_peerings, 1);
    cr_assert_eq(shop->n_peerings, 1);
    cr_expect_eq(mid->peerings[0].peer, shop);
    cr_expect_eq(shop->peerings[0].peer, mid);
    cr_expect(mid->peerings[0].first);
    cr_expect_not(shop->peerings[0].first);
    cr_expect_eq(mid->peerings[0].n_imports, 2);
    cr_expect_eq(mid->peerings[0].n_exports, 1);
    /* hv1 has only shop's port, and mid because it peers. */
    cr_expect_eq(f.network->devices[0].n_vpcs, 3);
    cr_expect_eq(f.network->devices[1].n_vpcs, 3);
    cr_expect_eq(f.network->n_held, 0);
    tn_fixture_done(&f);
}

Test(peering, with_a_failed_tenant_is_held)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    peer_both(&f);
    tn_fixture_add(&f, "tenants/acme/broken.yml", "[\n");
    tn_fixture_compile(&f);
    cr_expect(tn_fixture_tenant(&f, "acme")->failed);
    cr_expect_not(tn_fixture_tenant(&f, "beta")->failed);
    cr_expect(tn_fixture_holds(&f, "beta/shop"));
    cr_expect(tn_fixture_holds(&f, "acme/mid"));
    cr_expect(tn_fixture_holds(&f, "acme/web"));
    cr_expect_eq(f.network->n_held, 3);
    cr_expect_eq(tn_fixture_vpc(&f, "beta/shop")->n_peerings, 0);
    tn_fixture_done(&f);
}

Test(peering, overlap_between_tenants_fails_neither)
{
    struct tn_fixture f;
    tn_fixture_init(&f);
    peer_both(&f);
    tn_fixture_add(
        &f, "tenants/acme/peer.yml",
        VPC("mid") "  cidrs: [10.77.1.0/24]\n" PEERING(
            "to-beta") "spec: {vpc: mid, peer: {tenant: beta, vpc: shop},"
                       " export: [10.77.1.0/24]}\n");
    tn_fixture_compile(&f);
    tn_fixture_expect(
        &f, "tenants/acme/peer.yml:7:1: warning: 10.77.0.0/16, which "
            "'beta/shop' exports, overlaps 10.77.1.0/24, a prefix of VPC "
            "'mid' itself (both VPCs stay as they are until the overlap is "
            "gone)\n"
            "tenants/beta/peer.yml:2:1: warning: 10.77.1.0/24, which "
            "'acme/mid' exports, overlaps 10.77.0.0/16, a prefix of VPC "
            "'shop' itself (both VPCs stay as they are until the overlap is "
            "gone)\n");
    cr_expect(tn_fixture_holds(&f, "acme/mid"));
    cr_expect(tn_fixture_holds(&f, "beta/shop"));
    cr_expect_not(tn_fixture_holds(&f, "acme/web"));
    cr_expect_eq(f.diags.n_errors, 0);
    tn_fixture_done(&f);
}

/* ---- one tenant's breakage, another tenant's network -------------------- */

static uint64_t
next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 33;
}

/* Damages one of acme's files: bytes changed, cut out, doubled. */
static void
file_damage(struct tn_text *text, uint64_t *state)
{
    static const char letters[] = "{}[]:,-#&*!|>'\"% \n\tabz019\x80";
    for (uint64_t n = 1 + next_random(state) % 4; n > 0 && text->n > 1; n--) {
        size_t at = next_random(state) % text->n;
        size_t len = 1 + next_random(state) % 20;
        len = len < text->n - at ? len : text->n - at;
        switch (next_random(state) % 3) {
        case 0:
            text->s[at] = letters[next_random(state) % (sizeof letters - 1)];
            break;
        case 1:
            memmove(text->s + at, text->s + at + len, text->n - at - len);
            text->n -= len;
            text->s[text->n] = '\0';
            break;
        default: {
            char copy[32];
            memcpy(copy, text->s + at, len);
            tn_text_addn(text, copy, len);
        }
        }
    }
}

Test(isolation, random_edits_of_one_tenant_never_change_another)
{
    static const char *const paths[] = {
        "tenants/acme/web.yml", "tenants/acme/ports.yml",
        "tenants/acme/tenant.yml", "tenants/acme/tenet.lock"};
    struct tn_fixture f;
    uint64_t state = 20261121;
    tn_fixture_init(&f);
    tn_fixture_compile(&f);
    struct tn_text lock = {0};
    tn_lock_print(&lock, f.network->pins, 5);
    tn_fixture_add(&f, paths[3], tn_text_str(&lock));
    tn_text_done(&lock);
    tn_fixture_compile(&f);
    tn_fixture_expect(&f, "");
    TN_CLEANUP(tn_cleanup_free)
    char *want = tn_fixture_print_tenant(&f, "beta");
    size_t failed = 0;
    for (int i = 0; i < 400; i++) {
        const char *path = paths[next_random(&state) % TN_ARRAY_SIZE(paths)];
        const char *bytes = NULL;
        size_t n = 0;
        struct tn_arena *arena = tn_arena_new();
        struct tn_oid id = {{0}};
        struct tn_text text = {0};
        cr_assert_eq(f.source->ops->read(f.source, path, &id, 1 << 20, arena,
                                         &bytes, &n, NULL),
                     TN_OK);
        tn_text_addn(&text, bytes, n);
        file_damage(&text, &state);
        tn_memory_source_add_bytes(f.source, path, tn_text_str(&text), text.n);
        tn_fixture_compile(&f);
        cr_assert_eq(f.code, TN_OK);
        failed += tn_fixture_tenant(&f, "acme")->failed;
        char *have = tn_fixture_print_tenant(&f, "beta");
        cr_assert_str_eq(have, want, "edit %d of %s", i, path);
        free(have);
        tn_memory_source_add_bytes(f.source, path, bytes, n);
        tn_text_done(&text);
        tn_arena_free(arena);
    }
    cr_expect(failed > 200 && failed < 400, "%zu edits broke it", failed);
    tn_fixture_done(&f);
}

/* ---- determinism -------------------------------------------------------- */

static void
tenants_add(struct tn_fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        char path[64], text[1024];
        snprintf(path, sizeof path, "tenants/t%d/tenant.yml", i);
        snprintf(text, sizeof text,
                 V "kind: Tenant\nmetadata: {name: t%d}\nspec: {}\n", i);
        tn_fixture_add(f, path, text);
        for (int k = 0; k < i; k++) {
            snprintf(path, sizeof path, "tenants/t%d/v%d.yml", i, k);
            snprintf(text, sizeof text,
                     VPC("v%d") "  cidrs: [10.1.0.0/16]\n  subnets:\n"
                                "  - {name: a, cidr: 10.1.0.0/28}\n"
                                "  - {name: b, cidr: 10.1.1.0/24%s}\n" PORT(
                                    "p%d") "{vpc: v%d, subnet: %s, host: hv%d,"
                                           " attach: {netns: t%d-%d}}\n",
                     k, k == 7 ? ", mtu: 9000" : "", k, k, k & 1 ? "a" : "b",
                     1 + (i + k) % 3, i, k);
            tn_fixture_add(f, path, text);
        }
    }
}

Test(determinism, threads_do_not_matter)
{
    struct tn_fixture one, many;
    tn_fixture_init(&one);
    tn_fixture_init(&many);
    tenants_add(&one, 12);
    tenants_add(&many, 12);
    tn_fixture_compile(&one);
    cr_assert_eq(one.code, TN_OK);
    cr_assert(one.diags.n_errors > 0);
    for (unsigned threads = 2; threads < 6; threads++) {
        many.options.threads = threads;
        for (int i = 0; i < 5; i++) {
            tn_fixture_compile(&many);
            cr_assert_str_eq(tn_text_str(&many.text), tn_text_str(&one.text));
            cr_assert_str_eq(tn_text_str(&many.findings),
                             tn_text_str(&one.findings));
        }
    }
    tn_fixture_done(&one);
    tn_fixture_done(&many);
}

Test(determinism, one_large_tenant_is_read_by_all)
{
    struct tn_fixture one, many;
    tn_fixture_init(&one);
    tn_fixture_init(&many);
    for (int i = 0; i < 40; i++) {
        char path[64], text[512];
        snprintf(path, sizeof path, "tenants/beta/v%d.yml", i);
        snprintf(text, sizeof text, VPC("v%d") "  cidrs: [10.1.0.0/16]\n%s", i,
                 i % 7 == 3 ? "  oops: 1\n" : "");
        tn_fixture_add(&one, path, text);
        tn_fixture_add(&many, path, text);
    }
    tn_fixture_compile(&one);
    many.options.threads = 3;
    tn_fixture_compile(&many);
    cr_expect_str_eq(tn_text_str(&many.text), tn_text_str(&one.text));
    cr_expect_str_eq(tn_text_str(&many.findings), tn_text_str(&one.findings));
    cr_expect_eq(one.diags.n_errors, 6);
    tn_fixture_done(&one);
    tn_fixture_done(&many);
}
