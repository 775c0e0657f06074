/* rules_test.c - the rules that need no device: when to try again, what may be
 * done, how bad a drift is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/base/time.h"
#include "reconciler/daemon/backoff.h"
#include "reconciler/daemon/drift.h"
#include "reconciler/daemon/mode.h"

/* ---- backoff ---- */

Test(backoff, doubles_within_bounds)
{
    static const uint32_t randoms[] = {0, 1, 12345, UINT32_MAX};
    for (size_t r = 0; r < TN_ARRAY_SIZE(randoms); r++) {
        struct tn_backoff b = {0};
        int64_t middle = TN_BACKOFF_MIN_MS;
        for (int i = 0; i < 2000; i++) {
            int64_t wait = tn_backoff_fail(&b, randoms[r]);
            cr_assert_geq(wait, middle - middle / 4);
            cr_assert_leq(wait, middle + middle / 4);
            cr_assert_eq(tn_backoff_open(&b), i + 1 >= TN_BREAKER);
            middle =
                middle * 2 < TN_BACKOFF_MAX_MS ? middle * 2 : TN_BACKOFF_MAX_MS;
        }
        tn_backoff_reset(&b);
        cr_expect(!tn_backoff_open(&b));
        cr_expect_leq(tn_backoff_fail(&b, 0), TN_BACKOFF_MIN_MS);
    }
}

/* ---- flaps ---- */

static const char *const web[] = {"acme/web/bridge"};
static const char *const db[] = {"acme/db/bridge"};

Test(flaps, wait_longer_each_time)
{
    struct tn_flaps *f = tn_flaps_new();
    int64_t now = 1000000, wait = TN_FLAP_MIN_MS;
    for (int i = 0; i < TN_FLAP_FREE; i++) {
        cr_expect_eq(tn_flaps_seen(f, "acme/web", web, 1, now += 10), 0);
    }
    cr_expect_eq(tn_flaps_next(f, now), 0);
    for (int i = 0; i < 12; i++) {
        int64_t until = tn_flaps_seen(f, "acme/web", web, 1, now);
        cr_assert_eq(until, now + wait, "%d", i);
        cr_expect_eq(tn_flaps_next(f, now), until);
        cr_expect_eq(tn_flaps_seen(f, "acme/web", web, 1, now + 1), until,
                     "while it waits nothing is counted");
        now = until;
        cr_expect_eq(tn_flaps_next(f, now), 0);
        cr_expect_eq(tn_flaps_seen(f, "acme/web", web, 1, now), 0,
                     "after the wait it is healed once");
        now += 10;
        /* That heal counts, too. */
        wait = wait * 4 < TN_FLAP_MAX_MS ? wait * 4 : TN_FLAP_MAX_MS;
    }
    tn_flaps_free(f);
}

Test(flaps, are_of_one_object_and_hold_one_scope)
{
    struct tn_flaps *f = tn_flaps_new();
    char name[32];
    const char *key = name;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "acme/web/%d", i);
        cr_expect_eq(tn_flaps_seen(f, "acme/web", &key, 1, 1000 + i), 0,
                     "each object drifted once");
    }
    int64_t until = 0;
    for (int i = 0; i <= TN_FLAP_FREE; i++) {
        until = tn_flaps_seen(f, "acme/web", web, 1, 2000 + i);
    }
    cr_expect_gt(until, 0);
    cr_expect_gt(tn_flaps_seen(f, "acme/web", &key, 1, 2100), 0,
                 "the scope waits whole");
    cr_expect_eq(tn_flaps_seen(f, "acme/db", db, 1, 2100), 0);
    tn_flaps_free(f);
}

Test(flaps, are_forgotten_after_the_window)
{
    struct tn_flaps *f = tn_flaps_new();
    int64_t now = 1000;
    for (int i = 0; i < TN_FLAP_FREE; i++) {
        cr_expect_eq(tn_flaps_seen(f, "acme/web", web, 1, now), 0);
    }
    now += TN_FLAP_WINDOW_MS + 1;
    for (int i = 0; i < TN_FLAP_FREE; i++) {
        cr_expect_eq(tn_flaps_seen(f, "acme/web", web, 1, now), 0);
    }
    cr_expect_gt(tn_flaps_seen(f, "acme/web", web, 1, now), 0);
    tn_flaps_free(f);
}

Test(flaps, are_bounded)
{
    struct tn_flaps *f = tn_flaps_new();
    char name[32];
    const char *key = name;
    for (int i = 0; i < TN_FLAP_KEYS + 1000; i++) {
        snprintf(name, sizeof name, "acme/web/%d", i);
        cr_assert_eq(tn_flaps_seen(f, "acme/web", &key, 1, 1000 + i), 0);
    }
    tn_flaps_free(f);
}

/* ---- modes ---- */

static const struct tn_mode_rule rules[] = {
    {TN_TARGET_DEVICE, "hv1", TN_MODE_HEAL, "go", 0, false},
    {TN_TARGET_DEVICE, "hv2", TN_MODE_OBSERVE, "look", 0, false},
    {TN_TARGET_TENANT, "acme", TN_MODE_OBSERVE, "audit", 2000, false},
    {TN_TARGET_VPC, "acme/web", TN_MODE_HOLD, NULL, 1000, true},
    {TN_TARGET_TENANT, "ac", TN_MODE_HOLD, "other", 0, false},
};

static const struct {
    const char *device, *scope;
    bool known;
    int64_t now;
    enum tn_mode mode;
    const char *why; /* Null: no rule. */
} modes[] = {
    {"hv9", "x/y", true, 0, TN_MODE_HEAL, NULL},
    {"hv9", "x/y", false, 0, TN_MODE_OBSERVE, NULL},
    {"hv1", "x/y", false, 0, TN_MODE_HEAL, "go"},
    {"hv2", "x/y", true, 0, TN_MODE_OBSERVE, "look"},
    {"hv2", "", true, 0, TN_MODE_OBSERVE, "look"},
    {"hv9", "acme/web", true, 999, TN_MODE_HOLD, ""},
    {"hv9", "acme/web", true, 1000, TN_MODE_OBSERVE, "audit"},
    {"hv9", "acme/web", true, 2000, TN_MODE_HEAL, NULL},
    {"hv9", "acme/webb", true, 0, TN_MODE_OBSERVE, "audit"},
    {"hv9", "ac/web", true, 0, TN_MODE_HOLD, "other"},
    {"hv1", "acme/web", true, 0, TN_MODE_HOLD, ""},
    {"hv1", "acme/db", true, 0, TN_MODE_OBSERVE, "audit"},
    {"hv9", "acme", true, 0, TN_MODE_HEAL, NULL},
};

Test(mode, the_strictest_that_has_not_run_out_counts)
{
    struct tn_modes *m = tn_modes_new(rules, TN_ARRAY_SIZE(rules), false);
    for (size_t i = 0; i < TN_ARRAY_SIZE(modes); i++) {
        const struct tn_mode_rule *why = NULL;
        enum tn_mode is = tn_modes_get(m, modes[i].device, modes[i].scope,
                                       modes[i].known, modes[i].now, &why);
        cr_expect_eq(is, modes[i].mode, "row %zu: %s", i, tn_mode_name(is));
        cr_expect_eq(why == NULL, modes[i].why == NULL, "row %zu", i);
        cr_expect(!why || !modes[i].why || !strcmp(why->reason, modes[i].why),
                  "row %zu", i);
    }
    cr_expect_eq(tn_modes_next(m, 0), 1000);
    cr_expect_eq(tn_modes_next(m, 1000), 2000);
    cr_expect_eq(tn_modes_next(m, 2000), 0);
    tn_modes_unref(tn_modes_ref(m));
    tn_modes_unref(m);
    tn_modes_unref(NULL);
}

Test(mode, first_contact_heals_if_it_is_said)
{
    struct tn_modes *m = tn_modes_new(NULL, 0, true);
    cr_expect_eq(tn_modes_get(m, "hv1", "a/b", false, 0, NULL), TN_MODE_HEAL);
    tn_modes_unref(m);
}

static const struct {
    const char *word;
    bool fine;
    enum tn_mode mode;
} words[] = {
    {"observe", true, TN_MODE_OBSERVE},
    {"heal", true, TN_MODE_HEAL},
    {"hold", true, TN_MODE_HOLD},
    {"", false, 0},
    {"Hold", false, 0},
    {"holds", false, 0},
    {"hol", false, 0},
};

Test(mode, is_parsed)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(words); i++) {
        enum tn_mode is = TN_MODE_OBSERVE;
        cr_expect_eq(tn_mode_parse(words[i].word, &is), words[i].fine);
        cr_expect(!words[i].fine || is == words[i].mode, "%s", words[i].word);
        cr_expect(!words[i].fine || !strcmp(tn_mode_name(is), words[i].word));
    }
}

static const struct {
    const char *now;
    bool frozen;
} moments[] = {
    {"2026-12-23T23:59:59Z", false}, {"2026-12-24T00:00:00Z", true},
    {"2026-12-26T23:59:59Z", true},  {"2026-12-27T00:00:00Z", false},
    {"2027-01-05T00:00:00Z", false},
};

Test(mode, freezes_have_a_beginning_and_an_end)
{
    struct tn_freeze freezes[2] = {
        {.from = {.v = "garbage"}, .until = {.v = "2030-01-01T00:00:00Z"}},
        {.from = {.v = "2026-12-24T00:00:00Z"},
         .until = {.v = "2026-12-27T00:00:00Z"},
         .reason = {.v = "holidays"}},
    };
    struct tn_settings s = {0};
    s.freezes.items = freezes;
    s.freezes.n = 2;
    for (size_t i = 0; i < TN_ARRAY_SIZE(moments); i++) {
        int64_t now = 0;
        cr_assert(tn_time_parse(moments[i].now, &now));
        const struct tn_freeze *f = tn_freeze_now(&s, now);
        cr_expect_eq(f != NULL, moments[i].frozen, "%s", moments[i].now);
    }
}

/* ---- drift ---- */

static const char *const guards[] = {"nftable", NULL};
static const struct tn_attr plain[] = {{.name = "alias", .value = "a"},
                                       {.name = "mtu", .value = "1500"}};
static const struct tn_attr labelled[] = {{.name = "alias", .value = "b"},
                                          {.name = "mtu", .value = "1500"}};
static const struct tn_attr smaller[] = {{.name = "alias", .value = "a"},
                                         {.name = "mtu", .value = "1400"}};
static const struct tn_resource is = {.attrs = plain, .n_attrs = 2};
static const struct tn_resource label = {.attrs = labelled, .n_attrs = 2};
static const struct tn_resource mtu = {.attrs = smaller, .n_attrs = 2};

static const struct {
    struct tn_change change;
    enum tn_drift_class class;
} changes[] = {
    {{.op = TN_OP_CREATE, .kind = "nftable", .after = &is}, TN_DRIFT_SECURITY},
    {{.op = TN_OP_DELETE, .kind = "nftable", .before = &is}, TN_DRIFT_SECURITY},
    {{.op = TN_OP_CREATE, .kind = "link", .after = &is}, TN_DRIFT_OUTAGE},
    {{.op = TN_OP_DELETE, .kind = "link", .before = &is}, TN_DRIFT_COSMETIC},
    {{.op = TN_OP_UPDATE, .kind = "link", .before = &label, .after = &is},
     TN_DRIFT_COSMETIC},
    {{.op = TN_OP_UPDATE, .kind = "link", .before = &mtu, .after = &is},
     TN_DRIFT_OUTAGE},
    {{.op = TN_OP_REPLACE, .kind = "link", .before = &label, .after = &is},
     TN_DRIFT_OUTAGE},
};

Test(drift, has_classes)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(changes); i++) {
        cr_expect_eq(tn_drift_class(guards, &changes[i].change),
                     changes[i].class, "row %zu", i);
    }
    cr_expect_eq(tn_drift_class(NULL, &changes[0].change), TN_DRIFT_OUTAGE);
}

Test(drift, counts_what_others_did_and_names_the_worst)
{
    struct tn_change all[4] = {changes[5].change, changes[0].change,
                               changes[3].change, changes[2].change};
    all[0].cause = TN_CAUSE_DRIFT;
    all[1].cause = TN_CAUSE_BOTH;
    all[2].cause = TN_CAUSE_DRIFT;
    all[2].half = TN_HALF_REMOVE;
    all[3].cause = TN_CAUSE_INTENT;
    struct tn_device_plan plan = {.changes = all, .n_changes = 4};
    struct tn_drift drift;
    tn_drift_count(guards, &plan, &drift);
    cr_expect_eq(tn_drift_total(&drift), 2);
    cr_expect_eq(drift.n[TN_DRIFT_OUTAGE], 1);
    cr_expect_eq(drift.n[TN_DRIFT_SECURITY], 1);
    cr_expect_eq(drift.first, &all[1]);
}
