/* nft_render_test.c - goldens of rendered rules, and the view of them.
 *
 * TN_UPDATE_GOLDENS=1 in the environment writes the goldens anew; they are read
 * in review. */
#include "drivers/kernel/nft.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "drivers/kernel/nft_fixture.h"
#include "drivers/kernel/nft_prefix.h"
#include "model/base/cleanup.h"

static void
golden(const char *name, const char *text)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0}, want = {0};
    tn_text_addf(&path, "drivers/kernel/nft_golden/%s", name);
    if (getenv("TN_UPDATE_GOLDENS")) {
        TN_CLEANUP(tn_cleanup_file) FILE *out = fopen(tn_text_str(&path), "w");
        cr_assert(out);
        fputs(text, out);
    }
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(tn_text_str(&path), "r");
    cr_assert(f, "no golden %s", tn_text_str(&path));
    for (int c; (c = getc(f)) != EOF;) {
        tn_text_addc(&want, (char) c);
    }
    cr_expect_str_eq(text, tn_text_str(&want), "%s differs", name);
}

static void
rendered(const char *name, const struct tn_nft_input *in)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_ruleset *rules = tn_nft_render(arena, in);
    const struct tn_nft_ruleset *again = tn_nft_render(arena, in);
    cr_expect_str_eq(rules->text, again->text);
    cr_expect(tn_digest_eq(&rules->digest, &again->digest));
    golden(tn_arena_printf(arena, "%s.nft", name), rules->text);
    TN_CLEANUP(tn_cleanup_text) struct tn_text view = {0};
    for (size_t i = 0; i < rules->n_attrs; i++) {
        tn_text_addf(&view, "%s = %s\n", rules->attrs[i].name,
                     rules->attrs[i].value);
        cr_expect(i == 0 ||
                  strcmp(rules->attrs[i - 1].name, rules->attrs[i].name) < 0);
    }
    golden(tn_arena_printf(arena, "%s.view", name), tn_text_str(&view));
    tn_arena_free(arena);
}

Test(nft_render, two_hosts_and_a_peer)
{
    rendered("host1", &tn_nft_host1);
    rendered("host2", &tn_nft_host2);
    rendered("lab", &tn_nft_lab);
}

Test(nft_render, ports_share_prefixes)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_input *in = tn_nft_many(arena, 4, 2);
    struct tn_net_port *ports =
        (struct tn_net_port *) (uintptr_t) in->vpc->subnets[0].ports;
    static const struct tn_cidr all[] = {{{TN_AF_IPV4, {0}}, 0}};
    static const struct tn_cidr vip[] = {{{TN_AF_IPV4, {10, 0, 9, 9}}, 32}};
    ports[0].allowed = all;
    ports[1].allowed = ports[2].allowed = vip;
    ports[0].n_allowed = ports[1].n_allowed = ports[2].n_allowed = 1;
    rendered("shared", in);
    tn_arena_free(arena);
}

/* A default route by a local port, beside routes by a port of another host
 * (one of them around the subnet), by a virtual address, and by one that only
 * the router could answer for. */
Test(nft_render, routes_are_judged_as_their_next_hops)
{
    struct tn_arena *arena = tn_arena_new();
    const struct tn_nft_input *in = tn_nft_many(arena, 4, 2);
    struct tn_net_vpc *vpc = (struct tn_net_vpc *) (uintptr_t) in->vpc;
    struct tn_net_port *ports =
        (struct tn_net_port *) (uintptr_t) vpc->subnets[0].ports;
    const char **names = (const char **) (uintptr_t) in->subnets[0].ports;
    static const struct tn_cidr all[] = {{{TN_AF_IPV4, {0}}, 0}};
    static const struct tn_cidr other[] = {
        {{TN_AF_IPV4, {10, 0, 9, 9}}, 32},
        {{TN_AF_IPV4, {172, 17, 5}}, 24},
    };
    struct tn_net_route routes[] = {
        {.to = {{TN_AF_IPV4, {0}}, 0}, .via = ports[0].address},
        {.to = {{TN_AF_IPV4, {10}}, 8}, .via = ports[1].address},
        {.to = {{TN_AF_IPV4, {172, 16}}, 16}, .via = other[0].addr},
        {.to = {{TN_AF_IPV4, {172, 16, 5}}, 24},
         .via = {TN_AF_IPV4, {10, 0, 9, 8}}},
        {.to = {{TN_AF_IPV4, {172, 17}}, 16}, .via = ports[1].address},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(routes); i++) {
        routes[i].subnet = vpc->subnets;
    }
    ports[0].allowed = all;
    ports[0].n_allowed = TN_ARRAY_SIZE(all);
    ports[2].allowed = other;
    ports[2].n_allowed = TN_ARRAY_SIZE(other);
    names[1] = NULL;
    vpc->routes = routes;
    vpc->n_routes = TN_ARRAY_SIZE(routes);
    rendered("routes", in);
    tn_arena_free(arena);
}

Test(nft_render, gateways_ask_for_what_is_sought)
{
    struct tn_arena *arena = tn_arena_new();
    rendered("sought", tn_nft_sought(arena));
    tn_arena_free(arena);
}

Test(nft_render, nothing_local)
{
    struct tn_arena *arena = tn_arena_new();
    rendered("empty", tn_nft_many(arena, 0, 0));
    tn_arena_free(arena);
}

Test(nft_view, forms_of_one_rule_are_equal)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"table inet tenet {\n chain c {\n  tcp dport { 80, 22 } accept\n }\n}",
         "table inet tenet {\n\n\tchain c {\n\t\ttcp dport { 22, 80 } "
         "accept\n\t}\n}",
         true},
        {"table inet tenet {\n set s {\n  elements = { b,\n a }\n }\n}",
         "table inet tenet {\n # x\n set s {\n  elements = { a, b }\n }\n}",
         true},
        {"table inet tenet {\n chain c {\n  drop\n  accept\n }\n}",
         "table inet tenet {\n chain c {\n  accept\n  drop\n }\n}", false},
        {"table inet tenet {\n chain c {\n }\n}",
         "table inet tenet {\n set c {\n }\n}", false},
        {"table inet tenet {\n chain c {\n }\n}",
         "table bridge tenet {\n chain c {\n }\n}", false},
        {"table inet tenet {\n map m {\n  elements = { \"b\" . 1 : drop }\n "
         "}\n}",
         "table inet tenet {\n map m {\n  elements = { \"b\" . 1 : goto x }\n "
         "}\n}",
         false},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_arena *arena = tn_arena_new();
        const struct tn_nft_ruleset *a = tn_nft_view(arena, rows[i].a);
        const struct tn_nft_ruleset *b = tn_nft_view(arena, rows[i].b);
        bool same = a->n_attrs == b->n_attrs;
        for (size_t k = 0; same && k < a->n_attrs; k++) {
            same = tn_streq(a->attrs[k].name, b->attrs[k].name) &&
                   tn_streq(a->attrs[k].value, b->attrs[k].value);
        }
        cr_expect(same == rows[i].same, "row %zu", i);
        tn_arena_free(arena);
    }
}

/* Damaged text must be survived, whatever view it gives. */
Test(nft_view, damaged_text)
{
    struct tn_arena *arena = tn_arena_new();
    const char *text = tn_nft_render(arena, &tn_nft_host1)->text;
    size_t n = strlen(text);
    unsigned seed = 1;
    for (int i = 0; i < 400; i++) {
        struct tn_arena *one = tn_arena_new();
        char *copy = tn_arena_strdup(one, text);
        for (int k = 0; k < 20; k++) {
            static const char odd[] = "{}\"\n ,:x";
            size_t at = (size_t) rand_r(&seed) % n;
            copy[at] = odd[(size_t) rand_r(&seed) % (sizeof odd - 1)];
        }
        copy[(size_t) rand_r(&seed) % n] = '\0';
        tn_nft_view(one, copy);
        tn_arena_free(one);
    }
    tn_arena_free(arena);
}

static struct tn_cidr
cidr(const char *text)
{
    struct tn_cidr c;
    cr_assert(tn_cidr_parse(text, &c) == TN_CIDR_OK, "%s", text);
    return c;
}

Test(nft_prefix, longest_wins_and_all_is_covered)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_nft_claim claims[] = {{cidr("10.0.0.0/30"), "x"},
                                    {cidr("10.0.0.2/32"), "y"},
                                    {cidr("10.0.0.2/32"), "z"},
                                    {cidr("::/0"), "v6"},
                                    {cidr("192.168.0.0/16"), "w"}};
    struct tn_nft_parts parts = {0};
    tn_nft_partition(arena, claims, TN_ARRAY_SIZE(claims), &parts);
    static const struct {
        const char *prefix, *owner;
        size_t n;
    } want[] = {{"10.0.0.0/31", "x", 1},
                {"10.0.0.2/32", "y", 2},
                {"10.0.0.3/32", "x", 1},
                {"192.168.0.0/16", "w", 1},
                {"::/0", "v6", 1}};
    cr_assert(parts.n == TN_ARRAY_SIZE(want));
    for (size_t i = 0; i < parts.n; i++) {
        char buf[TN_CIDR_TEXT];
        cr_expect_str_eq(tn_cidr_format(&parts.items[i].prefix, buf),
                         want[i].prefix);
        cr_expect_str_eq((const char *) parts.items[i].claims[0].owner,
                         want[i].owner);
        cr_expect(parts.items[i].n_claims == want[i].n);
    }
    tn_arena_free(arena);
}
