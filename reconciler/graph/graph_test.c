/* graph_test.c - pictures of what is hostile, in all sizes.
 *
 * Graphs are made by hand, with names that no document would be allowed: what
 * is escaped must not depend on who validated it. */
#include "reconciler/graph/graph.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"

static const char *const names[] = {
    "web",         "a\"b",      "</TABLE>>];}", "<B>",      "&amp;",
    "\\N\\G\\L",   "a\\",       "x\ny\tz",      "\033[31m", "é漢字",
    "--></g>",     "label=<x>", "#{$(id)}`'",   "%s%n",     "{a|b}",
    "javascript:", "\x7f",      "]]>",          "",         "a;b--c->d",
};

static const char *
name_of(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return names[(*seed >> 16) % TN_ARRAY_SIZE(names)];
}

static struct tn_graph_head
head_of(unsigned *seed)
{
    struct tn_graph_head head = {.name = name_of(seed)};
    head.at = (struct tn_origin){name_of(seed), *seed % 100, 1};
    head.state = (enum tn_graph_state)((*seed >> 20) % 4);
    head.drift = (*seed >> 25) % 3 == 0;
    return head;
}

static struct tn_graph *
graph_of(struct tn_arena *arena, unsigned seed, size_t n_vpcs, size_t n_ports)
{
    struct tn_graph *g = tn_new(arena, struct tn_graph);
    g->arena = arena;
    g->title = name_of(&seed);
    g->planned = true;
    for (size_t i = 0; i < 3; i++) {
        *tn_vec_push(arena, &g->hosts) =
            (struct tn_graph_host){.head = head_of(&seed),
                                   .driver = name_of(&seed),
                                   .site = name_of(&seed),
                                   .underlay = name_of(&seed),
                                   .n_changes = i,
                                   .error = i == 2 ? name_of(&seed) : NULL};
    }
    for (size_t i = 0; i < n_vpcs; i++) {
        struct tn_graph_vpc *v = tn_vec_push(arena, &g->vpcs);
        *v = (struct tn_graph_vpc){.head = head_of(&seed),
                                   .scope = name_of(&seed),
                                   .tenant = name_of(&seed)};
        struct tn_graph_subnet *s = tn_vec_push(arena, &v->subnets);
        *s = (struct tn_graph_subnet){.head = head_of(&seed),
                                      .cidr = name_of(&seed)};
        for (size_t k = 0; k < n_ports; k++) {
            *tn_vec_push(arena, &s->ports) =
                (struct tn_graph_port){.head = head_of(&seed),
                                       .address = name_of(&seed),
                                       .mac = name_of(&seed),
                                       .host = name_of(&seed)};
        }
        g->n_ports += n_ports;
    }
    *tn_vec_push(arena, &g->peerings) =
        (struct tn_graph_peering){.head = head_of(&seed),
                                  .a = g->vpcs.items[0].scope,
                                  .b = g->vpcs.items[n_vpcs - 1].scope};
    return g;
}

/* VPCs and ports of each: one of every kind of picture. */
static const struct {
    size_t n_vpcs, n_ports;
} sizes[] = {{1, 3}, {3, 5}, {10, 9}, {60, 12}, {100, 2}};

Test(graph, hostile_names_are_drawn)
{
    for (unsigned i = 0; i < 4 * TN_ARRAY_SIZE(sizes); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text dot = {0};
        TN_CLEANUP(tn_cleanup_text) struct tn_text again = {0};
        TN_CLEANUP(tn_cleanup_text) struct tn_text svg = {0};
        char text[TN_ERROR_TEXT + 256];
        struct tn_error err = {0};
        size_t row = i % TN_ARRAY_SIZE(sizes);
        struct tn_graph *g =
            graph_of(arena, i, sizes[row].n_vpcs, sizes[row].n_ports);
        tn_graph_dot(&dot, g, i % 2 ? "https://x/\"<>" : NULL);
        tn_graph_dot(&again, g, i % 2 ? "https://x/\"<>" : NULL);
        cr_assert_str_eq(tn_text_str(&dot), tn_text_str(&again));
        cr_assert_null(strpbrk(tn_text_str(&dot), "\033\x7f\t"));
        enum tn_code code = tn_graph_svg(&dot, 60, &svg, &err);
        if (code == TN_ENOENT) {
            cr_skip_test("graphviz is not installed");
        }
        cr_assert_eq(code, TN_OK, "seed %u: %s", i,
                     tn_error_text(&err, text, sizeof text));
        cr_assert_not_null(strstr(tn_text_str(&svg), "</svg>"));
        cr_assert_null(strstr(tn_text_str(&svg), "<script"));
    }
}

Test(graph, a_refusal_of_graphviz_is_told)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text dot = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text svg = {0};
    struct tn_error err = {0};
    tn_text_add(&dot, "digraph {{{");
    enum tn_code code = tn_graph_svg(&dot, 60, &svg, &err);
    if (code == TN_ENOENT) {
        cr_skip_test("graphviz is not installed");
    }
    cr_assert_eq(code, TN_EINTERNAL);
    cr_assert_eq(svg.n, 0);
}
