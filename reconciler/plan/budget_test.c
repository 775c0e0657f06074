/* budget_test.c - limits on deletions, at the limit and one past it. */
#include "reconciler/plan/budget.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/plan/fixture.h"

/* A device that holds 'n' objects of 'tenant', of which 'gone' are deleted. */
static const struct tn_device_plan *
device(struct tn_arena *arena, const char *name, const char *tenant, int n,
       int gone)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text want = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text have = {0};
    for (int i = 0; i < n; i++) {
        struct tn_text *const both[] = {&have, i < gone ? &have : &want};
        for (int k = 0; k < (i < gone ? 1 : 2); k++) {
            tn_text_addf(both[k], "%s/v k o%d 1 | m!=%d\n", tenant, i,
                         i == gone ? k : 7);
        }
    }
    return fixture_plan(arena, name, NULL, tn_text_str(&want),
                        tn_text_str(&have), NULL);
}

static const struct {
    const char *title;
    int n, gone; /* On each of two devices. */
    unsigned max, percent, per_tenant;
    size_t allow, excesses, needed;
    const char *text;
} rows[] = {
    {"within all", 100, 10, 10, 10, 20, 0, 0, 0, NULL},
    {"per device", 100, 11, 10, 50, 100, 0, 2, 11,
     "device hv1: 11 objects to destroy, but budgets.maxDeletes allows 10"},
    {"percent", 50, 6, 100, 11, 100, 0, 2, 6,
     "device hv1: 6 of its 50 objects to destroy, but "
     "budgets.maxDeletePercent allows 11%"},
    {"per tenant", 100, 10, 100, 50, 19, 0, 1, 20,
     "tenant blue: 20 objects to destroy on 2 devices, but "
     "budgets.maxDeletesPerTenant allows 19"},
    {"all at once", 20, 12, 10, 30, 19, 0, 5, 24, NULL},
    {"a small device has no percentage", 9, 9, 10, 1, 100, 0, 0, 0, NULL},
    {"ten objects are enough for one", 10, 2, 10, 10, 100, 0, 2, 2, NULL},
    {"allowed just so", 20, 12, 10, 30, 19, 24, 0, 0, NULL},
    {"allowed for devices only", 20, 12, 10, 30, 19, 12, 1, 24, NULL},
    {"nothing may be deleted", 20, 1, 0, 100, 100, 0, 2, 1,
     "device hv1: 1 object to destroy, but budgets.maxDeletes allows 0"},
    {"the limits that tenet.yml need not give", 100, 31, 0, 0, 0, 0, 2, 31,
     NULL},
};

Test(budget, rows)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_device_plan *devices[] = {
            device(arena, "hv1", "blue", rows[i].n, rows[i].gone),
            device(arena, "hv2", "blue", rows[i].n, rows[i].gone)};
        const struct tn_plan *plan =
            tn_plan_build(arena, "", "lab", devices, 2);
        uint32_t line = i + 1 < TN_ARRAY_SIZE(rows);
        struct tn_settings settings = {
            .max_deletes = {rows[i].max, {.line = line}},
            .max_delete_percent = {rows[i].percent, {.line = line}},
            .max_deletes_per_tenant = {rows[i].per_tenant, {.line = line}},
        };
        struct tn_budget_result r;
        tn_budget_check(arena, plan, &settings, rows[i].allow, &r);
        cr_assert_eq(r.n, rows[i].excesses, "%s: %zu", rows[i].title, r.n);
        cr_assert_eq(r.needed, rows[i].needed, "%s", rows[i].title);
        if (rows[i].text) {
            cr_assert_str_eq(r.items[0].text, rows[i].text);
        }
        size_t enough = r.needed ? r.needed : rows[i].allow;
        tn_budget_check(arena, plan, &settings, enough, &r);
        cr_assert_eq(r.n, 0, "%s: what is needed is enough", rows[i].title);
    }
}
