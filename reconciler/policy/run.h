/* run.h - judges what a run of reconcile.h has opened, and planned. */
#ifndef TN_POLICY_RUN_H
#define TN_POLICY_RUN_H

#include "reconciler/apply/reconcile.h"
#include "reconciler/policy/verdict.h"

struct tn_policy_run {
    const struct tn_reconcile *run;
    const struct tn_reconcile *former; /* What was in force; null: the commits
                                          that the status ref names. */
    const struct tn_plan *plan;        /* Null: none was made. */
    size_t allow_deletes;
    const char *helper; /* As of tn_jq_options. */
};

/* This program, as its own helper. */
#define TN_POLICY_HELPER "/proc/self/exe"

/* True if a policy of what was opened is about plans. */
bool tn_policy_wants_plan(const struct tn_reconcile *run);

/* Adds what is found to 'findings'.  That something could not be read, so that
 * nothing is known, is a finding that denies. */
void tn_policy_run_judge(const struct tn_policy_run *judged,
                         struct tn_findings *findings);

/* Checks the policies of what was opened, judging nothing: what is wrong goes
 * to 'diags' with its place, warnings as such.  The result is how many policies
 * there are. */
size_t tn_policy_run_check(const struct tn_reconcile *run, const char *helper,
                           struct tn_diags *diags);

#endif
