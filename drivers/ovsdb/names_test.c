/* names_test.c - names that both sides of a cloud derive, and names that stand
 * in matches. */
#include "drivers/ovsdb/names.h"

#include <ctype.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/attr.h"

static struct tn_arena *arena;

static void
setup(void)
{
    arena = tn_arena_new();
}

static void
teardown(void)
{
    tn_arena_free(arena);
}

TestSuite(ovs_names, .init = setup, .fini = teardown);

Test(ovs_names, port)
{
    cr_expect_str_eq(tn_ovs_port_id(arena, "prod", "acme/web", "web1"),
                     "prod/acme/web/web1");
}

/* The same but for what a set's name cannot have, or for its length: only the
 * hash tells them apart. */
Test(ovs_names, sets_are_unique)
{
    static const struct {
        const char *instance, *key;
    } rows[] = {
        {"prod", "acme/web/group/a-b"},
        {"prod", "acme/web/group/a/b"},
        {"prod", "acme-web/group/a/b"},
        {"test", "acme/web/group/a-b"},
        {"prod", "acme/web/group/a-very-long-name-that-is-cut-x"},
        {"prod", "acme/web/group/a-very-long-name-that-is-cut-y"},
        {"prod", ""},
        {"pro", "dacme/web/group/a-b"},
    };
    const char *names[TN_ARRAY_SIZE(rows)];
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        names[i] = tn_ovs_set_id(arena, rows[i].instance, rows[i].key);
        cr_expect_str_eq(names[i],
                         tn_ovs_set_id(arena, rows[i].instance, rows[i].key));
        cr_expect_eq(strncmp(names[i], "tn_", 3), 0, "%s", names[i]);
        cr_expect_leq(strlen(names[i]), 63, "%s", names[i]);
        for (const char *p = names[i]; *p; p++) {
            cr_expect(isalnum((unsigned char) *p) || *p == '_', "%s", names[i]);
        }
        for (size_t k = 0; k < i; k++) {
            cr_expect_str_neq(names[i], names[k]);
        }
    }
    cr_expect_eq(strncmp(names[0], "tn_acme_web_group_a_b_", 22), 0, "%s",
                 names[0]);
}

Test(ovs_names, macs)
{
    const struct tn_mac a = tn_ovs_mac("a"), again = tn_ovs_mac("a");
    const struct tn_mac b = tn_ovs_mac("b");
    cr_expect_eq(memcmp(a.b, again.b, sizeof a.b), 0);
    cr_expect_neq(memcmp(a.b, b.b, sizeof a.b), 0);
    for (unsigned i = 0; i < 64; i++) {
        const struct tn_mac m = tn_ovs_mac(tn_arena_printf(arena, "%u", i));
        cr_expect_eq(m.b[0] & 3, 2, "local, and of one machine");
    }
}

/* RFC 4291, appendix A: the universal bit is inverted, ff:fe in the middle. */
Test(ovs_names, link_local)
{
    static const struct {
        struct tn_mac mac;
        const char *address;
    } rows[] = {
        {{{0x02, 0x00, 0x00, 0x00, 0x00, 0x01}}, "fe80::ff:fe00:1"},
        {{{0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde}}, "fe80::3656:78ff:fe9a:bcde"},
        {{{0x00, 0x00, 0x5e, 0x00, 0x53, 0xff}}, "fe80::200:5eff:fe00:53ff"},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        char text[TN_ADDR_TEXT];
        const struct tn_addr a = tn_ovs_link_local(&rows[i].mac);
        cr_expect_str_eq(tn_addr_format(&a, text), rows[i].address);
    }
}
