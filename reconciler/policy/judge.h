/* judge.h - is what a commit asks for allowed?
 *
 *     policies of the commit   x   what the commit touches   ->  findings
 *
 * What the commit touches is found by comparing it with what was applied
 * ('pasts'), object by object: what compile made of it, and what its document
 * says.  All is touched if a policy is new or changed (then for that policy
 * only).  Protection counts if the
 * policies, or labels, of any past say so: what unlocks must have been applied
 * before.
 *
 * Isolation of tenants is proven whatever policies say; no waiver and no scope
 * is asked.  A policy that cannot be read or run denies. */
#ifndef TN_POLICY_JUDGE_H
#define TN_POLICY_JUDGE_H

#include "model/compile/network.h"
#include "reconciler/plan/plan.h"
#include "reconciler/policy/policies.h"

struct tn_jq; /* jq_program.h */

/* A commit that devices were brought to. */
struct tn_judge_past {
    struct tn_source *source; /* Null: it cannot be had any more. */
    const struct tn_network *network;
};

struct tn_judge {
    const char *environment;
    struct tn_source *source; /* Of what is judged. */
    const struct tn_network *network;
    const struct tn_judge_past *pasts;
    size_t n_pasts;
    const struct tn_plan *plan; /* Null: not planned; rules about plans wait. */
    size_t allow_deletes;       /* As of --allow-deletes. */
    int64_t now;                /* Seconds since 1970. */
    const char *helper;         /* As of tn_jq_options. */
    unsigned timeout_ms;
    const struct tn_policies *policies; /* In place of those of 'source'; for
                                           examples. */
    bool destroy;                       /* All goes: protection only. */
    struct tn_jq *program; /* Of the only policy, compiled; for examples. */
    bool no_examples;      /* Do not run those of jq programs. */
};

#define TN_RULE_ISOLATION "isolation"

/* Adds what is found to 'findings'.  Fails only if something could not be read:
 * then nothing may be concluded. */
enum tn_code tn_judge(const struct tn_judge *in, struct tn_findings *findings,
                      struct tn_error *err) TN_MUST_USE;

/* Are the policies of 'source' in order?  Of 'in' the environment, source,
 * network, now, helper and timeout_ms count.  Examples are run, but for those
 * of shipped policies.  '*n' is how many there are. */
enum tn_code tn_policies_check(const struct tn_judge *in,
                               struct tn_findings *findings, size_t *n,
                               struct tn_error *err) TN_MUST_USE;

/* How an example of a policy went. */
struct tn_example_result {
    const struct tn_policy_rule *rule;
    const struct tn_policy_example *example;
    bool passes;
    const char *why; /* What was expected or found instead; null if it passes.
                      */
};
struct tn_example_how {
    const char *helper;    /* As of tn_jq_options. */
    struct tn_jq *program; /* The rule's, compiled; null: compile it. */
};

/* Runs one: compiles its documents as tenant 'example' and judges them by the
 * rule alone.  New in 'arena'. */
void tn_example_run(struct tn_arena *arena, const struct tn_policy_rule *rule,
                    const struct tn_policy_example *example,
                    const struct tn_example_how *how,
                    struct tn_example_result *out);

#endif
