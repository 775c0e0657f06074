/* unit_part_test.c - a worker that looks at a part of its device only: what a
 * commit or an event is about, and what stands beside it. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/base/text.h"
#include "reconciler/daemon/unit_bench.h"

TestSuite(unit_part, .init = tn_bench_setup, .fini = tn_bench_teardown);

Test(unit_part, a_commit_that_is_about_others_is_no_reason_to_look)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    tn_bench_follow_more(u, modes);
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    struct tn_bench_seen before = tn_bench_await("hv1", TN_UNIT_UNCHANGED),
                         s = {0};
    tn_bench_vpc_on("far", 9, 2, "");
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    cr_assert(tn_bench_next(&s, TN_BENCH_SOON_MS));
    cr_expect(s.unlooked);
    cr_expect(s.settled);
    cr_expect_eq(s.outcome, TN_UNIT_UNCHANGED);
    cr_expect_str_empty(s.why);
    cr_expect_str_neq(s.commit, before.commit, "but it follows the commit");
    cr_expect(!tn_bench_next(&s, 300), "and that is all");
    tn_bench_vpc_on("near", 8, 1, "");
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.unlooked);
    tn_modes_unref(modes);
    tn_bench_stop(u);
}

Test(unit_part, only_what_a_commit_changes_is_looked_at)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    struct tn_bench_seen s = {0};
    tn_bench_follow_more(u, modes);
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    size_t before = tn_bench_objects("hv1.json");
    tn_bench_vpc_on("db", 7, 1, "");
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.full);
    cr_expect_eq(s.drift, 0, "new intent is no drift");
    s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(!s.full);
    cr_expect_gt(tn_bench_objects("hv1.json"), before);
    tn_bench_sh("rm repo/tenants/acme/db.yml");
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect(!s.full);
    cr_expect_eq(s.drift, 0);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_eq(tn_bench_objects("hv1.json"), before);
    tn_unit_audit(u);
    s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.full);
    cr_expect_eq(s.n_changes, 0, "the whole says the same as the part");
    tn_modes_unref(modes);
    tn_bench_stop(u);
}

/* Gives one object to somebody else, or back, or takes it away. */
static void
own(const char *name, const char *key, const char *owner)
{
    json_t *root = tn_bench_device(name);
    json_t *all = json_object_get(root, "resources");
    json_t *one = json_object_get(all, key);
    cr_assert_not_null(one, "%s", key);
    if (owner) {
        json_object_set_new(one, "owner", json_string(owner));
    } else {
        json_object_del(all, key);
    }
    tn_bench_device_write(name, root);
    json_decref(root);
}

static void
stranger_make(const char *name, int i)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text key = {0};
    json_t *root = tn_bench_device(name);
    tn_text_addf(&key, "acme/web/by-hand%d", i);
    json_object_set_new(json_object_get(root, "resources"), tn_text_str(&key),
                        json_pack("{s:s, s:s, s:s, s:{}}", "kind", "vpc",
                                  "scope", "acme/web", "owner", "by hand",
                                  "attrs"));
    tn_bench_device_write(name, root);
    json_decref(root);
}

/* It is said once, stands while others are looked at, and is gone when the look
 * at its own VPC says so. */
Test(unit_part, a_conflict_is_said_once)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    tn_bench_vpc("db", 2);
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    own("hv1.json", "acme/web/vpc", "x");
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_str_eq(s.reason, "Conflict");
    cr_expect(s.blocked_news && !s.full);
    for (int i = 0; i < 2; i++) {
        own("hv1.json", "acme/db/port/db1", NULL);
        s = tn_bench_await("hv1", TN_UNIT_APPLIED);
        cr_expect_str_eq(s.reason, "Conflict");
        cr_expect(!s.blocked_news && !s.full);
        tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    }
    tn_unit_audit(u);
    s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect_str_eq(s.reason, "Conflict");
    cr_expect(!s.blocked_news && s.full);
    own("hv1.json", "acme/web/vpc", NULL);
    s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_str_eq(s.reason, "Verified");
    cr_expect(!s.blocked_news && !s.full);
    tn_modes_unref(modes);
    tn_bench_stop(u);
}

/* Something of others beside ours is told when it appears, and seldom. */
Test(unit_part, strangers_are_told)
{
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    tn_bench_follow_more(u, modes);
    struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_APPLIED);
    cr_expect_str_eq(s.strangers, "");
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    for (int i = 0; i < 3; i++) {
        stranger_make("hv1.json", i);
        s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(!s.full);
        cr_expect_str_eq(s.strangers, i ? "" : "vpc acme/web/by-hand0");
        cr_expect_eq(s.n_foreign, (size_t) i + 1);
    }
    tn_unit_audit(u);
    s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    cr_expect(s.full);
    cr_expect_str_eq(s.strangers, "");
    cr_expect_eq(s.n_foreign, 3);
    tn_modes_unref(modes);
    tn_bench_stop(u);
}

/* What each VPC has of a peering depends on both being there. */
Test(unit_part, peers_of_what_comes_and_goes_are_looked_at)
{
    static const char of_db[] =
        "---\napiVersion: tenet/v1\nkind: Peering\nmetadata: {name: p}\n"
        "spec: {vpc: db, peer: {vpc: far}, export: [10.7.1.0/24]}\n";
    static const char of_far[] =
        "---\napiVersion: tenet/v1\nkind: Peering\nmetadata: {name: q}\n"
        "spec: {vpc: far, peer: {vpc: db}, export: [10.9.1.0/24]}\n";
    struct tn_unit *u = tn_bench_unit("hv1");
    struct tn_modes *modes = tn_bench_heal();
    tn_bench_vpc_on("db", 7, 1, "");
    tn_bench_vpc_on("far", 9, 2, "");
    tn_bench_commit();
    tn_bench_follow_more(u, modes);
    tn_bench_await("hv1", TN_UNIT_APPLIED);
    tn_bench_await("hv1", TN_UNIT_UNCHANGED);
    size_t before = tn_bench_objects("hv1.json");
    for (int i = 0; i < 2; i++) {
        tn_bench_vpc_on("db", 7, 1, i ? "" : of_db);
        tn_bench_vpc_on("far", 9, 2, i ? "" : of_far);
        tn_bench_commit();
        tn_bench_follow_more(u, modes);
        struct tn_bench_seen s = tn_bench_await("hv1", TN_UNIT_APPLIED);
        cr_expect(!s.full);
        tn_bench_await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(i ? tn_bench_objects("hv1.json") == before
                    : tn_bench_objects("hv1.json") > before);
        tn_unit_audit(u);
        s = tn_bench_await("hv1", TN_UNIT_UNCHANGED);
        cr_expect(s.full);
        cr_expect_eq(s.n_changes, 0);
    }
    tn_modes_unref(modes);
    tn_bench_stop(u);
}
