/* unit_test.c - what a worker makes of intent, faults, modes and budgets. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/base/time.h"
#include "reconciler/daemon/backoff.h"
#include "reconciler/daemon/unit_bench.h"

TestSuite(unit, .init = tn_bench_setup, .fini = tn_bench_teardown);

Test(unit, follows_intent_and_newer_intent)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.settled);
    cr_expect_str_empty(s.why);
    size_t before = tn_bench_objects("hv1.json");
    cr_expect_gt(before, 0);
    tn_bench_vpc("db", 2);
    tn_bench_commit();
    tn_bench_follow(u, tn_bench_heal());
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_eq(s.drift, 0, "new intent is no drift");
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_gt(tn_bench_objects("hv1.json"), before);
    cr_expect(!tn_bench_next(&s, 300), "nothing is left to do");
    tn_bench_stop(u);
}

Test(unit, drift_is_healed_and_said)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    size_t before = tn_bench_objects("hv1.json");
    tn_bench_wipe("hv1.json");
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_gt(s.drift, 0);
    cr_expect(!s.drift_left);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_eq(tn_bench_objects("hv1.json"), before);
    tn_bench_stop(u);
}

Test(unit, a_failing_device_backs_off_and_recovers)
{
    tn_bench_faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 2}");
    struct tn_unit *u = tn_bench_unit("hv1");
    int64_t start = tn_now_ms();
    tn_bench_follow(u, tn_bench_heal());
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_ROLLED_BACK);
    cr_expect(s.settled);
    cr_expect_str_not_empty(s.why);
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_geq(tn_now_ms() - start, TN_BACKOFF_MIN_MS / 2);
    cr_expect_gt(tn_bench_objects("hv1.json"), 0);
    tn_bench_stop(u);
}

Test(unit, new_intent_supersedes_a_retry)
{
    tn_bench_faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 9}");
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_ROLLED_BACK);
    tn_bench_await("hv1", TN_UNIT_ROLLED_BACK);
    tn_bench_vpc("db", 2);
    tn_bench_commit();
    int64_t start = tn_now_ms();
    tn_bench_follow(u, tn_bench_heal());
    struct tn_bench_seen s = {0};
    cr_assert(tn_bench_next(&s, 1000), "it does not wait for the retry");
    cr_expect_lt(tn_now_ms() - start, 1200);
    tn_bench_stop(u);
}

Test(unit, one_that_hangs_delays_nobody)
{
    tn_bench_host("hv2", "tenet_underlay_address: 192.0.2.12\n"
                         "tenet_memory_delay_ms: 4000\n");
    tn_bench_commit();
    struct tn_unit *u1 = tn_bench_unit("hv1"), *u2 = tn_bench_unit("hv2");
    int64_t start = tn_now_ms();
    tn_bench_follow(u2, tn_bench_heal());
    tn_bench_follow(u1, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_lt(tn_now_ms() - start, 3500);
    tn_unit_stop(u1);
    tn_unit_stop(u2);
    cr_expect(tn_unit_join(u1, tn_now_ms() + TN_BENCH_SOON_MS));
    cr_expect(!tn_unit_join(u2, tn_now_ms() + 50), "it is still at work");
    cr_expect(tn_unit_join(u2, tn_now_ms() + TN_BENCH_SOON_MS),
              "and ends after it");
}

Test(unit, observe_changes_nothing)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_mode(TN_TARGET_DEVICE, "hv1", TN_MODE_OBSERVE));
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_OBSERVED);
    cr_expect_eq(s.n_changes, 0);
    cr_expect_str_eq(s.why, "because");
    cr_expect_eq(tn_bench_objects("hv1.json"), 0);
    tn_bench_stop(u);
}

Test(unit, first_contact_is_only_looked_at)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_modes_new(NULL, 0, false));
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_OBSERVED);
    cr_expect_not_null(strstr(s.why, "first contact"));
    cr_expect_eq(tn_bench_objects("hv1.json"), 0);
    tn_bench_follow(u, tn_bench_mode(TN_TARGET_DEVICE, "hv1", TN_MODE_HEAL));
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_stop(u);
}

Test(unit, hold_leaves_drift_and_ends)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    size_t before = tn_bench_objects("hv1.json");
    tn_bench_follow(u, tn_bench_mode(TN_TARGET_VPC, "acme/web", TN_MODE_HOLD));
    tn_bench_wipe("hv1.json");
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_HELD);
    cr_expect(s.drift_left);
    cr_expect_str_eq(s.reason, "Held");
    cr_expect_lt(tn_bench_objects("hv1.json"), before);
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_eq(tn_bench_objects("hv1.json"), before);
    tn_bench_stop(u);
}

Test(unit, deletions_beyond_the_budget_are_refused)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    size_t before = tn_bench_objects("hv1.json");
    tn_bench_settings("  budgets: {maxDeletes: 1}\n");
    tn_bench_sh("rm repo/tenants/acme/web.yml");
    tn_bench_commit();
    tn_bench_follow(u, tn_bench_heal());
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_REFUSED);
    cr_expect_str_eq(s.reason, "BudgetExceeded");
    cr_expect_eq(tn_bench_objects("hv1.json"), before);
    cr_expect(!tn_bench_next(&s, 300), "it does not try again and again");
    tn_bench_stop(u);
}

Test(unit, a_fight_is_given_up_for_a_while)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    struct tn_bench_seen s = {0};
    for (int i = 0; i < TN_FLAP_FREE + 1 && !s.flapping; i++) {
        tn_bench_wipe("hv1.json");
        while (tn_bench_next(&s, TN_BENCH_SOON_MS) && !s.flapping &&
               s.outcome != TN_UNIT_UNCHANGED) {
        }
    }
    cr_assert(s.flapping, "after so often it is left alone");
    cr_expect_eq(s.outcome, TN_UNIT_OBSERVED);
    cr_expect_str_eq(s.reason, "Flapping");
    cr_expect(s.drift_left);
    size_t looks = tn_bench_reports();
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_leq(tn_bench_reports() - looks, 6,
                  "and not looked at all the time meanwhile");
    tn_bench_stop(u);
}

/* A device that cannot be healed is failing, not flapping, however often. */
Test(unit, what_fails_again_and_again_is_no_fight)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    struct tn_intent *intent;
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    tn_bench_faults("hv1.json", "{\"fail_at\": 1, \"fail_count\": 1000}");
    intent = tn_bench_intent();
    for (int i = 0; i < TN_FLAP_FREE + 3; i++) {
        struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_ROLLED_BACK);
        cr_expect(!s.flapping);
        tn_unit_follow(u, intent, modes); /* Not to wait. */
        tn_bench_skip();
    }
    tn_intent_unref(intent);
    tn_modes_unref(modes);
    tn_bench_stop(u);
}

Test(unit, an_unreadable_device_comes_back)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    tn_bench_follow(u, tn_bench_heal());
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    /* At once: a file that is missing for a moment is healed. */
    tn_bench_sh("mkdir away && ln -s away link && mv -T link hv1.json");
    tn_unit_audit(u);
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_UNREACHABLE);
    cr_expect(s.settled);
    cr_expect_str_not_empty(s.why);
    tn_bench_sh("rm hv1.json");
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_stop(u);
}

Test(unit, stops_without_intent)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    cr_expect_str_eq(tn_unit_name(u), "hv1");
    cr_expect(!tn_unit_join(u, tn_now_ms() + 20));
    tn_bench_stop(u);
}

Test(unit, the_first_look_may_be_later)
{
    struct tn_bench_seen s = {0};
    struct tn_unit *u = tn_bench_unit_at("hv1", tn_now_ms() + 800);
    tn_bench_follow(u, tn_bench_heal());
    cr_expect(!tn_bench_next(&s, 400));
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_stop(u);
}
