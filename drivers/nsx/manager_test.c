/* manager_test.c - which manager is used, against a clock that we turn. */
#include "drivers/nsx/manager.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "model/base/attr.h"

static const int64_t second = 1000000000;

static const char *const three[] = {"https://a", "https://b:8443/",
                                    "https://[2001:DB8::1]"};

static struct tn_nsx_managers
begin(size_t n)
{
    struct tn_nsx_managers ms;
    cr_assert_eq(tn_nsx_managers_init(&ms, three, n, NULL), TN_OK);
    return ms;
}

struct origin_row {
    const char *url, *origin, *rest;
};

static const struct origin_row origins[] = {
    {"https://a", "https://a:443", ""},
    {"HTTPS://Host.Example/p?q#f", "https://host.example:443", "/p?q#f"},
    {"https://h:8443?x", "https://h:8443", "?x"},
    {"https://[2001:DB8::1]/x", "https://[2001:db8::1]:443", "/x"},
    {"https://[::1]:9/x", "https://[::1]:9", "/x"},
    {"http://a", NULL, NULL},
    {"https:///x", NULL, NULL},
    {"https://a@b", NULL, NULL},
    {"https://a:b@c", NULL, NULL},
    {"https://a:", NULL, NULL},
    {"https://a:0", NULL, NULL},
    {"https://a:65536", NULL, NULL},
    {"https://a:+1", NULL, NULL},
    {"https://[::1", NULL, NULL},
    {"https://[::1]x", NULL, NULL},
    {"https://a\\b", NULL, NULL},
    {"https://a b", NULL, NULL},
    {"//a", NULL, NULL},
    {"", NULL, NULL},
    {NULL, NULL, NULL},
};

Test(nsx_manager, origins)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(origins); i++) {
        char origin[TN_NSX_ORIGIN];
        const char *rest = tn_nsx_origin(origins[i].url, origin);
        cr_assert_eq(!rest, !origins[i].rest, "%s", origins[i].url);
        if (rest) {
            cr_expect_str_eq(rest, origins[i].rest);
            cr_expect_str_eq(origin, origins[i].origin);
        }
    }
}

Test(nsx_manager, one_is_used_until_it_fails)
{
    struct tn_nsx_managers ms = begin(3);
    int64_t now = second, until;
    cr_expect_eq(tn_nsx_managers_pick(&ms, now, &until), &ms.all[0]);
    cr_expect(tn_nsx_manager_failed(&ms.all[0], now, now, 0, "x"));
    cr_expect_eq(tn_nsx_managers_pick(&ms, now, &until), &ms.all[1]);
    /* The first is back, and not used: the second does well. */
    cr_expect_eq(tn_nsx_managers_pick(&ms, now + 600 * second, &until),
                 &ms.all[1]);
    now += 600 * second;
    cr_expect(tn_nsx_manager_failed(&ms.all[1], now, now, 0, "y"));
    cr_expect_eq(tn_nsx_managers_pick(&ms, now, &until), &ms.all[2]);
    cr_expect(tn_nsx_manager_failed(&ms.all[2], now, now, 0, "z"));
    cr_expect_eq(tn_nsx_managers_pick(&ms, now, &until), &ms.all[0]);
    tn_nsx_managers_done(&ms);
}

Test(nsx_manager, all_down_waits_for_the_earliest)
{
    struct tn_nsx_managers ms = begin(3);
    int64_t now = second, until;
    char why[200];
    tn_nsx_manager_failed(&ms.all[0], now, now, 0, "x");
    tn_nsx_manager_failed(&ms.all[2], now, now, 0, "z");
    tn_nsx_manager_failed(&ms.all[1], now, now, 0, "y");
    tn_nsx_manager_failed(&ms.all[0], now + 1, now + 1, 0, "x");
    cr_expect_null(tn_nsx_managers_pick(&ms, now + 1, &until));
    cr_expect_eq(until, ms.all[1].down_until);
    cr_expect_eq(tn_nsx_managers_pick(&ms, until, &until), &ms.all[1]);
    cr_expect_str_eq(tn_nsx_managers_why(&ms, why, sizeof why),
                     "https://a:443: x; https://b:8443: y; "
                     "https://[2001:db8::1]:443: z");
    tn_nsx_managers_why(&ms, why, 20);
    cr_expect_eq(strlen(why), 19);
    tn_nsx_managers_done(&ms);
}

Test(nsx_manager, what_was_under_way_fails_together)
{
    struct tn_nsx_managers ms = begin(1);
    struct tn_nsx_manager *m = &ms.all[0];
    cr_expect(tn_nsx_manager_failed(m, 5, 100, 0, "x"));
    for (int i = 0; i < 8; i++) {
        cr_expect_not(tn_nsx_manager_failed(m, 6 + i, 101 + i, 0, "x"));
    }
    cr_expect_eq(m->failures, 1);
    cr_expect(tn_nsx_manager_failed(m, 200, 300, 0, "x"));
    cr_expect_eq(m->failures, 2);
    tn_nsx_managers_done(&ms);
}

Test(nsx_manager, waits_double_up_to_half_a_minute)
{
    struct tn_nsx_managers ms = begin(1);
    struct tn_nsx_manager *m = &ms.all[0];
    int64_t now = 0, last = 0;
    for (unsigned i = 0; i < 40; i++) {
        tn_nsx_manager_failed(m, now, now, i * 37 % 256, "x");
        int64_t wait = m->down_until - now;
        cr_expect_geq(wait, last / 5 * 3);
        cr_expect_leq(wait, 38 * second);
        cr_expect_geq(wait, second / 6);
        last = wait < 20 * second ? wait : 20 * second;
        now = m->down_until + 1;
    }
    cr_expect_geq(last, 20 * second);
    tn_nsx_manager_well(m);
    cr_expect_str_eq(m->why, "");
    tn_nsx_manager_failed(m, now, now, 64, "x");
    cr_expect_lt(m->down_until - now, second, "a new beginning");
    tn_nsx_managers_done(&ms);
}

Test(nsx_manager, distrust_is_for_good)
{
    struct tn_nsx_managers ms = begin(2);
    int64_t until;
    tn_nsx_manager_distrust(&ms.all[0], "certificate");
    cr_expect_eq(tn_nsx_managers_pick(&ms, INT64_MAX - 1, &until), &ms.all[1]);
    tn_nsx_managers_use(&ms, &ms.all[0]);
    cr_expect_eq(tn_nsx_managers_pick(&ms, INT64_MAX - 1, &until), &ms.all[1],
                 "not even if one is sent there");
    tn_nsx_manager_distrust(&ms.all[1], "certificate");
    cr_expect_null(tn_nsx_managers_pick(&ms, INT64_MAX - 1, &until));
    cr_expect_eq(until, INT64_MAX);
    tn_nsx_managers_done(&ms);
}

Test(nsx_manager, sessions_are_wiped)
{
    struct tn_nsx_managers ms = begin(1);
    struct tn_nsx_manager *m = &ms.all[0];
    strcpy(m->cookies, "JSESSIONID=1");
    strcpy(m->token, "t");
    m->generation = 3;
    tn_nsx_manager_forget_session(m);
    for (size_t i = 0; i < sizeof m->cookies; i++) {
        cr_assert_eq(m->cookies[i] | m->token[i], 0);
    }
    cr_expect_eq(m->generation, 0);
    tn_nsx_managers_done(&ms);
}
