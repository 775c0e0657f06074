/* names_test.c - names that are stable for ever: they are in kernels. */
#include "drivers/kernel/names.h"

#include <string.h>

#include <criterion/criterion.h>

#include "model/base/text.h"

static const struct {
    char prefix;
    const char *label, *name;
} ifnames[] = {
    {'b', "front", "b-front"},
    {'x', "a", "x-a"},
    {'p', "thirteen-long", "p-thirteen-long"},
    {'p', "fourteen-longs", "p-four_$8"},
    {'p', "customer-web-0001", "p-cust_$8"},
};

Test(names, interfaces)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(ifnames); i++) {
        char out[TN_K_IFNAME];
        const char *want = ifnames[i].name;
        tn_k_ifname(ifnames[i].prefix, ifnames[i].label, out);
        size_t n = strcspn(want, "$");
        cr_expect(strncmp(out, want, n) == 0, "%s", out);
        cr_expect(want[n] ? strlen(out) == 15 : strcmp(out, want) == 0, "%s",
                  out);
    }
}

/* Changing these would rename what runs. */
Test(names, golden)
{
    char out[TN_K_IFNAME];
    cr_expect_str_eq(tn_k_ifname('p', "customer-web-0001", out),
                     "p-cust_pxyr5zwa");
    cr_expect_str_eq(tn_k_ifname('p', "customer-web-0002", out),
                     "p-cust_4xlt272h");
    cr_expect_str_eq(tn_k_link_name("acme/lab", "acme/web", out),
                     "l-7ixk24tr4ffr");
}

Test(names, long_names_differ)
{
    char a[TN_K_IFNAME], b[TN_K_IFNAME];
    for (int i = 0; i < 1000; i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text x = {0}, y = {0};
        tn_text_addf(&x, "some-long-name-%d", i);
        tn_text_addf(&y, "some-long-name-%d", i + 1);
        tn_k_ifname('p', tn_text_str(&x), a);
        tn_k_ifname('p', tn_text_str(&y), b);
        cr_assert_str_neq(a, b);
        cr_assert_eq(strlen(a), 15);
    }
}

Test(names, link_is_the_same_from_both_sides)
{
    char a[TN_K_IFNAME], b[TN_K_IFNAME];
    tn_k_link_name("acme/web", "corp/db", a);
    tn_k_link_name("corp/db", "acme/web", b);
    cr_expect_str_eq(a, b);
    tn_k_link_name("acme/web", "corp/db2", b);
    cr_expect_str_neq(a, b);
}

static const struct {
    const char *lab, *name, *scope;
} namespaces[] = {
    {NULL, "tn.acme.web", "acme/web"},
    {"hv1", "hv1.tn.acme.web", "acme/web"},
    {NULL, "hv1.tn.acme.web", NULL},
    {"hv1", "tn.acme.web", NULL},
    {"hv1", "hv2.tn.acme.web", NULL},
    {"hv", "hv1.tn.acme.web", NULL},
    {NULL, "tn.acme", NULL},
    {NULL, "tn.acme.", NULL},
    {NULL, "tn..web", NULL},
    {NULL, "tn.acme.web.more", NULL},
    {NULL, "tn.Acme.web", NULL},
    {NULL, "tnx.acme.web", NULL},
    {NULL, "", NULL},
};

Test(names, namespaces)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(namespaces); i++) {
        struct tn_host host = {.config.kernel_netns = namespaces[i].lab};
        struct tn_device device = {.host = &host};
        const char *scope =
            tn_k_netns_scope(arena, &device, namespaces[i].name);
        cr_expect(tn_streq(scope, namespaces[i].scope), "%s is %s",
                  namespaces[i].name, scope ? scope : "(null)");
        if (scope) {
            cr_expect_str_eq(tn_k_netns_name(arena, &device, scope),
                             namespaces[i].name);
        }
    }
}
