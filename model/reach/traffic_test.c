/* traffic_test.c - sets of traffic against a set of single ports. */
#include "model/reach/traffic.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *
printed(struct tn_arena *arena, const struct tn_traffic *t)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_traffic_print(&text, t);
    return tn_arena_strdup(arena, tn_text_str(&text));
}

/* What is read, and how it is printed; null: it is refused. */
struct row {
    const char *text, *printed;
};
static const struct row rows[] = {
    {"tcp 22", "tcp 22"},
    {"tcp/22+icmp", "tcp 22; icmp"},
    {"tcp 80, 22,81-90; udp", "tcp 22, 80-90; udp"},
    {"tcp 1-5 + tcp 6", "tcp 1-6"},
    {"sctp 0-65535", "sctp"},
    {"any", "anything"},
    {"anything", "anything"},
    {"nothing", "nothing"},
    {"tcp+udp+sctp+icmp+other", "anything"},
    {"any 53", "tcp 53; udp 53; sctp 53"},
    {"other", "other"},
    {"tcp 5-4", NULL},
    {"tcp 70000", NULL},
    {"tcp 65536", NULL},
    {"icmp 8", NULL},
    {"", NULL},
    {"tcp,", NULL},
    {"tcp 1 udp", NULL},
    {"gre", NULL},
};

Test(traffic, reads_what_it_prints)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct tn_traffic *t = NULL, *again = NULL;
        bool good = tn_traffic_parse(arena, rows[i].text, &t);
        cr_assert_eq(good, rows[i].printed != NULL, "%s", rows[i].text);
        if (good) {
            const char *s = printed(arena, t);
            cr_assert_str_eq(s, rows[i].printed);
            cr_assert(tn_traffic_parse(arena, s, &again));
            cr_assert(tn_traffic_eq(t, again));
            cr_assert_eq(tn_traffic_hash(t), tn_traffic_hash(again));
        }
    }
}

enum { PORTS = 40 };

static const struct tn_traffic *
random_set(struct tn_arena *arena, unsigned *seed, bool in[PORTS])
{
    struct tn_vrange ranges[6];
    size_t n = 1 + (size_t) rand_r(seed) % TN_ARRAY_SIZE(ranges);
    memset(in, 0, PORTS * sizeof *in);
    for (size_t i = 0; i < n; i++) {
        unsigned first = (unsigned) rand_r(seed) % PORTS;
        unsigned last = first + (unsigned) rand_r(seed) % 5;
        last = last < PORTS ? last : PORTS - 1;
        ranges[i] = (struct tn_vrange){(uint16_t) first, (uint16_t) last, {0}};
        for (unsigned p = first; p <= last; p++) {
            in[p] = true;
        }
    }
    return tn_traffic_of(arena, TN_PROTO_UDP, ranges, n);
}

Test(traffic, operations_are_those_of_sets)
{
    unsigned seed = 4;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    for (int i = 0; i < 2000; i++) {
        bool a[PORTS], b[PORTS], within = true, overlap = false, eq = true;
        const struct tn_traffic *x = random_set(arena, &seed, a);
        const struct tn_traffic *y = random_set(arena, &seed, b);
        const struct tn_traffic * or = tn_traffic_or(arena, x, y);
        const struct tn_traffic *and = tn_traffic_and(arena, x, y);
        const struct tn_traffic *minus = tn_traffic_minus(arena, x, y);
        for (uint16_t p = 0; p < PORTS; p++) {
            cr_assert_eq(tn_traffic_has(x, TN_PROTO_UDP, p), a[p]);
            cr_assert_eq(tn_traffic_has(or, TN_PROTO_UDP, p), a[p] || b[p]);
            cr_assert_eq(tn_traffic_has(and, TN_PROTO_UDP, p), a[p] && b[p]);
            cr_assert_eq(tn_traffic_has(minus, TN_PROTO_UDP, p), a[p] && !b[p]);
            within = within && (!a[p] || b[p]);
            overlap = overlap || (a[p] && b[p]);
            eq = eq && a[p] == b[p];
        }
        cr_assert_eq(tn_traffic_within(x, y), within);
        cr_assert_eq(tn_traffic_overlap(x, y), overlap);
        cr_assert_eq(tn_traffic_eq(x, y), eq);
        cr_assert_not(tn_traffic_has(or, TN_PROTO_TCP, 1));
        cr_assert(tn_traffic_within(or, &tn_traffic_all));
        cr_assert(
            tn_traffic_is_none(tn_traffic_minus(arena, or, &tn_traffic_all)));
        tn_arena_reset(arena);
    }
}
