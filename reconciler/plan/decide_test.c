/* decide_test.c - every row of docs/decisions.md, by its number.
 *
 * A row gives the three states of the key blue/web/bridge/b1 (or "nothing") and
 * what must come out.  The page itself is printed from the table and compared;
 * TN_REGEN=1 writes it. */
#include "reconciler/plan/decide.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/base/cleanup.h"
#include "tests/plan/fixture.h"

#define NONE ""
#define A "blue/web bridge b1 1 @3 | mtu=1500"
#define B "blue/web bridge b1 1 @4 | mtu=1450"
#define C "blue/web bridge b1 1 | mtu=9000"
#define X "blue/web bridge b1 1 foreign | mtu=9000"
#define UNKNOWN NULL

enum outcome { LEFT, CREATED, UPDATED, DELETED, REFUSED, HELD, FOREIGN };

static void
check(uint16_t number, const char *last, const char *want, const char *have,
      const char *held, enum outcome outcome, enum tn_cause cause)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_device_plan *p =
        fixture_plan(arena, "hv1", last, want, have, held);
    bool changes =
        outcome == CREATED || outcome == UPDATED || outcome == DELETED;
    cr_assert_eq(p->n_changes, changes ? 1u : 0u);
    cr_assert_eq(p->n_conflicts, outcome == REFUSED ? 1u : 0u);
    cr_assert_eq(p->n_foreign, outcome == FOREIGN || outcome == REFUSED);
    cr_assert_eq(p->n_held, outcome == HELD ? 1u : 0u);
    cr_assert_eq(p->counts.add, outcome == CREATED);
    cr_assert_eq(p->counts.change, outcome == UPDATED);
    cr_assert_eq(p->counts.destroy, outcome == DELETED);
    cr_assert_eq(p->counts.drift, changes && cause == TN_CAUSE_DRIFT ? 1u : 0u);
    if (changes) {
        cr_assert_eq(p->changes[0].rule, number);
        cr_assert_eq(p->changes[0].cause, cause);
        cr_assert_str_eq(p->changes[0].tenant, "blue");
    }
    if (outcome == REFUSED) {
        cr_assert_eq(p->conflicts[0].rule, number);
        cr_assert_eq(p->conflicts[0].blocker->owner, TN_FOREIGN);
    }
}

/* One test per row; 'covered' keeps the numbers for the last test. */
#define ROWS(R)                                                                \
    R(1, UNKNOWN, A, NONE, NULL, CREATED, TN_CAUSE_INTENT)                     \
    R(2, UNKNOWN, A, A, NULL, LEFT, TN_CAUSE_NONE)                             \
    R(3, UNKNOWN, A, C, NULL, UPDATED, TN_CAUSE_INTENT)                        \
    R(4, UNKNOWN, A, X, NULL, REFUSED, TN_CAUSE_INTENT)                        \
    R(5, NONE, A, NONE, NULL, CREATED, TN_CAUSE_INTENT)                        \
    R(6, NONE, A, A, NULL, LEFT, TN_CAUSE_NONE)                                \
    R(7, NONE, A, C, NULL, UPDATED, TN_CAUSE_BOTH)                             \
    R(8, NONE, A, X, NULL, REFUSED, TN_CAUSE_INTENT)                           \
    R(9, A, A, NONE, NULL, CREATED, TN_CAUSE_DRIFT)                            \
    R(10, A, A, A, NULL, LEFT, TN_CAUSE_NONE)                                  \
    R(11, A, A, C, NULL, UPDATED, TN_CAUSE_DRIFT)                              \
    R(12, A, A, X, NULL, REFUSED, TN_CAUSE_DRIFT)                              \
    R(13, B, A, NONE, NULL, CREATED, TN_CAUSE_BOTH)                            \
    R(14, B, A, A, NULL, LEFT, TN_CAUSE_NONE)                                  \
    R(15, B, A, B, NULL, UPDATED, TN_CAUSE_INTENT)                             \
    R(16, B, A, C, NULL, UPDATED, TN_CAUSE_BOTH)                               \
    R(17, B, A, X, NULL, REFUSED, TN_CAUSE_BOTH)                               \
    R(18, UNKNOWN, NONE, C, NULL, DELETED, TN_CAUSE_INTENT)                    \
    R(19, UNKNOWN, NONE, X, NULL, FOREIGN, TN_CAUSE_NONE)                      \
    R(20, NONE, NONE, C, NULL, DELETED, TN_CAUSE_DRIFT)                        \
    R(21, NONE, NONE, X, NULL, FOREIGN, TN_CAUSE_NONE)                         \
    R(22, B, NONE, NONE, NULL, LEFT, TN_CAUSE_NONE)                            \
    R(23, B, NONE, B, NULL, DELETED, TN_CAUSE_INTENT)                          \
    R(24, B, NONE, C, NULL, DELETED, TN_CAUSE_BOTH)                            \
    R(25, B, NONE, X, NULL, FOREIGN, TN_CAUSE_NONE)                            \
    R(26, UNKNOWN, A, NONE, "blue", HELD, TN_CAUSE_NONE)                       \
    R(27, UNKNOWN, NONE, C, "blue", HELD, TN_CAUSE_NONE)                       \
    R(28, UNKNOWN, NONE, X, "blue", FOREIGN, TN_CAUSE_NONE)                    \
    R(29, NONE, A, NONE, "blue/web", HELD, TN_CAUSE_NONE)                      \
    R(30, NONE, NONE, C, "blue/web", HELD, TN_CAUSE_NONE)                      \
    R(31, NONE, NONE, X, "blue/web", FOREIGN, TN_CAUSE_NONE)                   \
    R(32, A, NONE, NONE, "blue/web", LEFT, TN_CAUSE_NONE)                      \
    R(33, A, NONE, A, "blue/web", HELD, TN_CAUSE_NONE)                         \
    R(34, A, NONE, C, "blue/web", HELD, TN_CAUSE_NONE)                         \
    R(35, A, NONE, X, "blue/web", FOREIGN, TN_CAUSE_NONE)

#define ROW_TEST(n, ...)                                                       \
    Test(decisions, row_##n)                                                   \
    {                                                                          \
        check(n, __VA_ARGS__);                                                 \
    }
ROWS(ROW_TEST)

#define ROW_NUMBER(n, ...) n,
static const uint16_t covered[] = {ROWS(ROW_NUMBER)};

/* Rows of the table by number; the highest number. */
static uint16_t
collect(const struct tn_decision *by_number[64], enum tn_last last[64],
        enum tn_want want[64], enum tn_have have[64])
{
    uint16_t most = 0;
    for (enum tn_last l = 0; l < TN_N_LAST; l++) {
        for (enum tn_want w = 0; w < TN_N_WANT; w++) {
            for (enum tn_have h = 0; h < TN_N_HAVE; h++) {
                const struct tn_decision *d = tn_decide(l, w, h);
                if (d->number == 0) {
                    continue;
                }
                cr_assert_lt(d->number, 64);
                cr_assert_null(by_number[d->number], "row %u is there twice",
                               d->number);
                by_number[d->number] = d;
                last[d->number] = l;
                want[d->number] = w;
                have[d->number] = h;
                most = d->number > most ? d->number : most;
            }
        }
    }
    return most;
}

static void
print_row(struct tn_text *out, const struct tn_decision *d, enum tn_last last,
          enum tn_want want, enum tn_have have)
{
    tn_text_addf(out, "| %u | %s | %s | %s | **%s** | %s | %s |\n", d->number,
                 tn_last_text(last), tn_want_text(want), tn_have_text(have),
                 tn_action_text((enum tn_action) d->action),
                 d->cause ? tn_cause_name((enum tn_cause) d->cause) : "",
                 d->why);
}

Test(decisions, all_rows_have_a_test_and_the_page_is_current)
{
    const struct tn_decision *row[64] = {0};
    enum tn_last last[64];
    enum tn_want want[64];
    enum tn_have have[64];
    uint16_t most = collect(row, last, want, have);
    TN_CLEANUP(tn_cleanup_text) struct tn_text page = {0};
    cr_assert_eq(TN_ARRAY_SIZE(covered), most);
    tn_text_add(&page, "| row | last | want | have | action | cause | why |\n"
                       "|---|---|---|---|---|---|---|\n");
    for (uint16_t i = 1; i <= most; i++) {
        cr_assert_not_null(row[i], "row %u is missing", i);
        cr_assert_eq(covered[i - 1], i);
        print_row(&page, row[i], last[i], want[i], have[i]);
    }
    static const char begin[] = "<!-- table: begin -->\n";
    static const char end[] = "<!-- table: end -->\n";
    TN_CLEANUP(tn_cleanup_free) char *doc = fixture_read("docs/decisions.md");
    cr_assert_not_null(doc);
    char *from = strstr(doc, begin), *to = strstr(doc, end);
    cr_assert(from && to && from < to, "the page has no marks for the table");
    from += strlen(begin);
    if (getenv("TN_REGEN")) {
        FILE *f = fopen("docs/decisions.md", "we");
        fprintf(f, "%.*s%s%s", (int) (from - doc), doc, tn_text_str(&page), to);
        fclose(f);
        return;
    }
    cr_assert(strlen(page.s) == (size_t) (to - from) &&
                  strncmp(page.s, from, page.n) == 0,
              "docs/decisions.md is not what decide.c says: TN_REGEN=1");
}

/* A conflict in one scope leaves the rest of the device alone. */
Test(decisions, a_conflict_stops_its_scope_only)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_device_plan *p = fixture_plan(
        arena, "hv1", NULL, A "\nblue/web fdb f1 2\nred/db bridge b1 1",
        X "\nblue/web fdb f2 2", NULL);
    cr_assert_eq(p->n_conflicts, 1);
    cr_assert_eq(p->conflicts[0].n_waiting, 2);
    cr_assert_eq(p->n_changes, 1);
    cr_assert_str_eq(p->changes[0].key, "red/db/bridge/b1");
    cr_assert_str_eq(
        tn_conflict_text(arena, &p->conflicts[0]),
        "bridge b1 of blue/web (tenants/blue/web.yml:3) cannot be made: the "
        "foreign bridge b1 is in its place; it does not bear our mark and is "
        "never touched: remove or rename it on the device, or ask for another "
        "in Git");
}

Test(decisions, hold_is_by_whole_names)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const char have[] = "blue/web-2 b b1 1\nblue/web b b1 1\n"
                               "blue-2/web b b1 1\nblu/web b b1 1";
    const struct tn_device_plan *p =
        fixture_plan(arena, "hv1", "", "", have, "blue");
    cr_assert_eq(p->counts.destroy, 2);
    cr_assert_eq(p->n_held, 2);
    p = fixture_plan(arena, "hv1", "", "", have, "blue/web");
    cr_assert_eq(p->counts.destroy, 3);
    cr_assert_eq(p->n_held, 1);
    cr_assert_str_eq(p->held[0].scope, "blue/web");
}

/* Where objects cannot bear a mark, what no commit asked for is foreign. */
Test(decisions, without_marks_only_the_last_commit_owns)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_device_plan *p = NULL;
    struct tn_plan_input in = {
        .device = "hv1",
        .last = fixture_state(arena, "blue/web b b1 1"),
        .want = fixture_state(arena, "blue/web b b3 1 | a=1"),
        .have = fixture_state(arena, "blue/web b b1 1\nblue/web b b2 1\n"
                                     "blue/web b b3 1 | a=1"),
    };
    cr_assert_eq(tn_plan_device(arena, &in, &p, NULL), TN_OK);
    cr_assert_eq(p->n_changes, 1);
    cr_assert_str_eq(p->changes[0].key, "blue/web/b/b1");
    cr_assert_eq(p->n_foreign, 1);
    cr_assert_eq(p->n_unchanged, 1);
}

Test(decisions, unsorted_states_are_refused)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    static const struct tn_resource items[] = {
        {.key = "b", .kind = "k", .name = "b", .scope = ""},
        {.key = "a", .kind = "k", .name = "a", .scope = ""},
        {.key = "a", .kind = "k", .name = "a", .scope = ""},
    };
    static const struct tn_state bad = {"hv1", items, 2},
                                 twice = {"hv1", items + 1, 2},
                                 empty = {"hv1", NULL, 0};
    static const struct tn_plan_input inputs[] = {
        {.device = "hv1", .want = &bad, .have = &empty},
        {.device = "hv1", .want = &empty, .have = &twice},
        {.device = "hv1", .last = &bad, .want = &empty, .have = &empty},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(inputs); i++) {
        const struct tn_device_plan *p = NULL;
        struct tn_error err = {0};
        cr_assert_eq(tn_plan_device(arena, &inputs[i], &p, &err), TN_EINTERNAL);
        cr_assert_null(p);
    }
}

/* Attributes decide between update and replacement, one-sided ones too. */
Test(decisions, attributes_force_replacement)
{
    static const struct {
        const char *want, *have;
        enum tn_op op;
    } rows[] = {
        {"- k n 1 | a=1", "- k n 1 | a=2", TN_OP_UPDATE},
        {"- k n 1 | a!=1", "- k n 1 | a!=2", TN_OP_REPLACE},
        {"- k n 1 | a=1; z!=1", "- k n 1 | a=1", TN_OP_REPLACE},
        {"- k n 1 | a=1", "- k n 1 | a=1; z!=1", TN_OP_REPLACE},
        {"- k n 1 | a=1", "- k n 1 | a=1; z=1", TN_OP_UPDATE},
        {"- k n 1 | a=1; b!=1", "- k n 1 | a=2; b!=1", TN_OP_UPDATE},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_device_plan *p =
            fixture_plan(arena, "hv1", NULL, rows[i].want, rows[i].have, NULL);
        cr_assert_eq(p->n_changes, 1);
        cr_assert_eq(p->changes[0].op, rows[i].op, "row %zu", i);
    }
}
