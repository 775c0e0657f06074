/* provenance_test.c - where objects end, and what a name means. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "reconciler/provenance/find.h"

/* ------------------------------------------------------------ extent ---- */

static const char file[] = "kind: Vpc\n"                    /* 1 */
                           "spec:\n"                        /* 2 */
                           "  subnets:\n"                   /* 3 */
                           "    - {name: a}\n"              /* 4 */
                           "    - name: b\n"                /* 5 */
                           "      cidr: x\n"                /* 6 */
                           "\n"                             /* 7 */
                           "      # about mtu\n"            /* 8 */
                           "      mtu: 1\n"                 /* 9 */
                           "    # the last\n"               /* 10 */
                           "    - name: c\n"                /* 11 */
                           "  routes: [{to: y}, {to: z}]\n" /* 12 */
                           "---\n"                          /* 13 */
                           "kind: Port\n"                   /* 14 */
                           "# end\n";                       /* 15 */

static const struct {
    uint32_t line, column, last;
} extents[] = {
    {1, 1, 12},                /* A document. */
    {4, 7, 4},                 /* An item on one line. */
    {5, 7, 9},                 /* An item: a comment after it is of the next. */
    {11, 7, 11},  {3, 3, 11},  /* A key. */
    {12, 12, 12},              /* In the middle of a line. */
    {14, 1, 14},  {15, 9, 15}, /* Past the end of the line. */
    {99, 1, 99},  {4, 0, 4},
};

Test(provenance, extents)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(extents); i++) {
        struct tn_origin at = {"f", extents[i].line, extents[i].column};
        cr_expect_eq(tn_extent(file, sizeof file - 1, at), extents[i].last,
                     "row %zu: %u", i, tn_extent(file, sizeof file - 1, at));
    }
}

/* The bytes are cut at every place: never read past the end. */
Test(provenance, extents_of_what_was_cut)
{
    for (size_t n = 0; n < sizeof file; n++) {
        TN_CLEANUP(tn_cleanup_free) char *bytes = malloc(n + 1);
        memcpy(bytes, file, n);
        for (uint32_t line = 1; line < 18; line++) {
            for (uint32_t column = 0; column < 40; column += 3) {
                cr_assert_geq(
                    tn_extent(bytes, n, (struct tn_origin){"f", line, column}),
                    line);
            }
        }
    }
}

/* ------------------------------------------------------------- names ---- */

static const struct tn_attr port_attrs[] = {
    {"addresses", "10.1.0.11/24, fd00::b/64", 0, false},
    {"key", "hunter2", 0, true},
    {"netns", "web1", 0, false},
    {"peer", "acme/web", 0, false},
};
/* As of an OVSDB: its names are in attributes. */
static const struct tn_attr group_attrs[] = {
    {"name", "tn_zeta_db_1f0c92ab", 0, false},
};
static const struct tn_attr acl_attrs[] = {
    {"match", "outport == @tn_zeta_db_1f0c92ab && ip", 0, false},
};
static const struct tn_attr router_attrs[] = {
    {"name", "lab/zeta/web", 0, false},
};
static const struct tn_attr tap_attrs[] = {
    {"iface-id", "lab/zeta/web/z1", 0, false},
    {"interface", "p-0af338fe3533", 0, false},
    {"router", "lab/zeta/web", 0, false},
};
static const struct tn_resource resources[] = {
    {.key = "acme/web/bridge/b-front",
     .kind = "bridge",
     .name = "b-front",
     .scope = "acme/web",
     .origin = {"a", 7, 7}},
    {.key = "acme/web/neighbour/b-front/10.1.0.11",
     .kind = "neighbour",
     .name = "10.1.0.11",
     .scope = "acme/web",
     .origin = {"a", 11, 1}},
    {.key = "acme/web/port/p-web1",
     .kind = "port",
     .name = "web1",
     .scope = "acme/web",
     .attrs = port_attrs,
     .n_attrs = 4,
     .origin = {"a", 11, 1}},
    {.key = "acme/web/vxlan/x-front",
     .kind = "vxlan",
     .name = "x-front",
     .scope = "acme/web",
     .claim = "vni 5003",
     .origin = {"a", 7, 7}},
    {.key = "corp/web/bridge/b-front",
     .kind = "bridge",
     .name = "b-front",
     .scope = "corp/web",
     .origin = {"c", 7, 7}},
    {.key = "corp/web/fdb/x-front/02:74:6e:00:8b:0c",
     .kind = "fdb",
     .name = "02:74:6e:00:8b:0c",
     .scope = "corp/web",
     .origin = {"c", 9, 1}},
    {.key = "zeta/web/acl/db/in/1",
     .kind = "acl",
     .name = "db/in/1",
     .scope = "zeta/web",
     .attrs = acl_attrs,
     .n_attrs = TN_ARRAY_SIZE(acl_attrs),
     .origin = {"z", 1, 1}},
    {.key = "zeta/web/group/db",
     .kind = "group",
     .name = "db",
     .scope = "zeta/web",
     .attrs = group_attrs,
     .n_attrs = TN_ARRAY_SIZE(group_attrs),
     .origin = {"z", 2, 1}},
    {.key = "zeta/web/port/z1",
     .kind = "port",
     .name = "z1",
     .scope = "zeta/web",
     .attrs = tap_attrs,
     .n_attrs = TN_ARRAY_SIZE(tap_attrs),
     .origin = {"z", 3, 1}},
    {.key = "zeta/web/router",
     .kind = "router",
     .name = "zeta/web",
     .scope = "zeta/web",
     .attrs = router_attrs,
     .n_attrs = TN_ARRAY_SIZE(router_attrs),
     .origin = {"z", 4, 1}},
};

/* Keys found, and '?' before those that only mention it; by line. */
static const struct {
    const char *query, *tenant, *found;
} names[] = {
    {"b-front", NULL, "acme/web/bridge/b-front corp/web/bridge/b-front "},
    {"b-front@if5", "corp", "corp/web/bridge/b-front "},
    {"b-front:", "acme", "acme/web/bridge/b-front "},
    {"acme/web/b-front", NULL, "acme/web/bridge/b-front "},
    {"tenet:lab:bridge/b-front", "acme", "acme/web/bridge/b-front "},
    {"tenet:lab:port/web1 in web1/eth0", NULL, "acme/web/port/p-web1 "},
    {"acme/web/port/p-web1", NULL, "acme/web/port/p-web1 "},
    {"web1", NULL, "acme/web/port/p-web1 "},
    {"tenet:lab:port/acme/web", NULL, "acme/web/port/p-web1 "},
    {"port/hunter2", NULL, ""},
    {"p-web1", NULL, "acme/web/port/p-web1 "},
    {"5003", NULL, "acme/web/vxlan/x-front "},
    {"vni:5003", NULL, "acme/web/vxlan/x-front "},
    {"10.1.0.11", NULL, "acme/web/neighbour/b-front/10.1.0.11 "},
    {"fd00::b", NULL, "?acme/web/port/p-web1 "},
    {"02:74:6E:00:8B:0C", NULL, "corp/web/fdb/x-front/02:74:6e:00:8b:0c "},
    /* What a database calls it, as its tools print that. */
    {"lab/zeta/web", NULL, "zeta/web/router "},
    {"lab/zeta/web/z1", NULL, "zeta/web/port/z1 "},
    {"p-0af338fe3533", NULL, "zeta/web/port/z1 "},
    {"\"p-0af338fe3533\"", NULL, "zeta/web/port/z1 "},
    {"tn_zeta_db_1f0c92ab", NULL, "zeta/web/group/db "},
    {"@tn_zeta_db_1f0c92ab", NULL, "zeta/web/group/db "},
    {"$tn_zeta_db_1f0c92ab_ip6", NULL, "zeta/web/group/db "},
    {"outport == @tn_zeta_db_1f0c92ab && ip", NULL, "?zeta/web/acl/db/in/1 "},
    {"{tenet-instance=lab, tenet-key=\"zeta/web/router\", a=b}", NULL,
     "zeta/web/router "},
    {"{tenet-key=zeta/web/router}", NULL, "zeta/web/router "},
    {"tenet-key=", NULL, ""},
    {"tenet-key=\"", NULL, ""},
    {"$_ip4", NULL, ""},
    {"$x_i", NULL, ""},
    {"\"\"", NULL, ""},
    {"\"", NULL, ""},
    /* Whole words only, no secrets, no other tenant's. */
    {"lab/zeta", NULL, ""},
    {"front", NULL, ""},
    {"10.1.0.1", NULL, ""},
    {"hunter2", NULL, ""},
    {"web1", "corp", ""},
    {"web1", "acm", ""},
    {"", NULL, ""},
    {"@", NULL, ""},
    {"tenet:", NULL, ""},
    {"/", NULL, ""},
    {"\033[31m", NULL, ""},
};

Test(provenance, names_of_resources)
{
    struct tn_state state = {"hv1", resources, TN_ARRAY_SIZE(resources)};
    for (size_t i = 0; i < TN_ARRAY_SIZE(names); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        struct tn_find find = {
            .query = names[i].query, .tenant = names[i].tenant, .arena = arena};
        tn_find_init(&find);
        tn_find_in_state(&find, "hv1", &state);
        tn_find_finish(&find);
        for (size_t k = 0; k < find.lines.n; k++) {
            for (size_t m = 0; m < find.lines.items[k]->matches.n; m++) {
                const struct tn_match *match =
                    &find.lines.items[k]->matches.items[m];
                tn_text_addf(&t, "%s%s ", match->mentioned ? "?" : "",
                             match->key);
            }
        }
        cr_expect_str_eq(tn_text_str(&t), names[i].found, "'%s': %s",
                         names[i].query, tn_text_str(&t));
    }
}
