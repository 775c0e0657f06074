/* verdict_test.c - findings in order, once each, waived ones counted apart. */
#include "reconciler/policy/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

Test(verdict, sorted_once_and_counted)
{
    static const struct tn_finding rows[] = {
        {.severity = TN_SEVERITY_INFO, .rule = "labels", .message = "c"},
        {.severity = TN_SEVERITY_DENY,
         .rule = "ports",
         .message = "b",
         .tenant = "acme",
         .at = {"b.yml", 7, 1}},
        {.severity = TN_SEVERITY_DENY,
         .rule = "ports",
         .message = "a",
         .tenant = "acme",
         .at = {"a.yml", 9, 1}},
        {.severity = TN_SEVERITY_DENY,
         .rule = "ports",
         .message = "a",
         .tenant = "acme",
         .at = {"a.yml", 9, 1}},
        {.severity = TN_SEVERITY_DENY,
         .rule = "isolation",
         .message = "d",
         .waiver = "known (ops, until 2026-12-31)"},
    };
    struct tn_findings findings = {.arena = tn_arena_new()};
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        tn_finding_add(&findings, &rows[i]);
    }
    struct tn_verdict v;
    tn_verdict_build(&findings, &v);
    cr_assert_eq(v.n, 4);
    cr_expect_eq(v.n_deny, 2);
    cr_expect_eq(v.n_info, 1);
    cr_expect_eq(v.n_warn, 0);
    cr_expect_eq(v.n_waived, 1);
    cr_expect_not(tn_verdict_allows(&v));
    const char *order = "dabc";
    for (size_t i = 0; i < v.n; i++) {
        cr_expect_eq(v.items[i].message[0], order[i]);
    }
    tn_arena_free(findings.arena);
}

Test(verdict, nothing_found_allows)
{
    struct tn_findings findings = {.arena = tn_arena_new()};
    struct tn_verdict v;
    tn_verdict_build(&findings, &v);
    cr_expect(tn_verdict_allows(&v));
    cr_expect_eq(v.n, 0);
    tn_arena_free(findings.arena);
}
