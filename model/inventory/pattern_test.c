/* pattern_test.c - host patterns, as InventoryModule expands them. */
#include <criterion/criterion.h>

#include "model/base/cleanup.h"
#include "model/inventory/parts.h"

static const struct row {
    const char *pattern;
    const char *names; /* Separated by spaces; null: refused. */
    const char *port;
} rows[] = {
    {"hv1", "hv1", NULL},
    {"hv1:22", "hv1", "22"},
    {"hv1:0022", "hv1", "22"},
    {"hv1:0", "hv1", NULL},
    {"hv1:x", "hv1:x", NULL},
    {"10.0.0.1:22", "10.0.0.1", "22"},
    {"fe80::1", "fe80::1", NULL},
    {"[fe80::1]:22", "fe80::1", "22"},
    {"[fe80::1%eth0]:22", "fe80::1%eth0", "22"},
    {"[1:2:3:4:5:6:7:8]:22", "1:2:3:4:5:6:7:8", "22"},
    {"[db8:22]:1", "db8", "22"},
    {"-x:22", "-x:22", NULL},
    {"x-:22", "x-:22", NULL},
    {"a_b.c-d:22", "a_b.c-d", "22"},
    {"a b:22", "a b:22", NULL},
    {"web[1:3]", "web1 web2 web3", NULL},
    {"web[01:03].x", "web01.x web02.x web03.x", NULL},
    {"web[08:11]", "web08 web09 web10 web11", NULL},
    {"web[0:6:2]", "web0 web2 web4 web6", NULL},
    {"web[:2]", "web0 web1 web2", NULL},
    {"web[a:c]", "weba webb webc", NULL},
    {"web[y:B]", "weby webz webA webB", NULL},
    {"web[a:e:2]", "weba webc webe", NULL},
    {"web[1:2][a:b]", "web1a web1b web2a web2b", NULL},
    {"p[1:2]:2222", "p1 p2", "2222"},
    {"c[5:1]", "", NULL},
    {"y[10:1:-4]", "y10 y6", NULL},
    {"web[1:]", NULL, NULL},
    {"web[1]", NULL, NULL},
    {"web[01:100]", NULL, NULL},
    {"web[1:2:0]", NULL, NULL},
    {"web[1:2:3:4]", NULL, NULL},
    {"web[c:a]", NULL, NULL},
    {"web[a:3]", NULL, NULL},
    {"web[1:2", NULL, NULL},
    {"we|b[1:2]", NULL, NULL},
    {"web[1:99999999999]", NULL, NULL},
    {"", NULL, NULL},
};

Test(pattern, expansion)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        struct tn_arena *arena = tn_arena_new();
        struct tn_pattern p = {0};
        const char *problem =
            tn_pattern_expand(arena, rows[i].pattern, 1000, &p);
        TN_CLEANUP(tn_cleanup_text) struct tn_text names = {0};

        for (size_t k = 0; k < p.names.n; k++) {
            tn_text_addf(&names, "%s%s", k ? " " : "", p.names.items[k]);
        }
        cr_expect_eq(problem == NULL, rows[i].names != NULL, "'%s': %s",
                     rows[i].pattern, problem ? problem : "accepted");
        if (!problem && rows[i].names) {
            cr_expect_str_eq(tn_text_str(&names), rows[i].names);
            cr_expect(tn_streq(p.port, rows[i].port), "'%s'", rows[i].pattern);
        }
        tn_arena_free(arena);
    }
}

Test(pattern, bounded)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_pattern p = {0};

    cr_expect_null(tn_pattern_expand(arena, "h[1:1000]", 1000, &p));
    p.names.n = 0;
    cr_expect_not_null(
        tn_pattern_expand(arena, "h[0:999][0:999][0:999]", 1000, &p));
    cr_expect_eq(p.names.n, 1000);
    cr_expect_not_null(tn_pattern_expand(
        arena, "[1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1][1:1]", 2000, &p));
    tn_arena_free(arena);
}
