/* trial.h - an apply that is undone unless it proves to be good.
 *
 *     recover -> begin -> (apply) -> judge -> undo? -> recovered
 *
 * Proof is the word of a person ('tenet confirm'), probes that passed before
 * and pass again, or both.  The state is on disk (confirm/pending.h), so that
 * whoever comes after a crash undoes it first: it quarantines the commit and
 * applies the last good one. */
#ifndef TN_APPLY_TRIAL_H
#define TN_APPLY_TRIAL_H

#include "reconciler/apply/reconcile.h"
#include "reconciler/confirm/probes.h"

struct tn_trial {
    const char *dir; /* Of the instance's state. */
    struct tn_reconcile *run;
    uint64_t window_ms;
    bool person; /* Waits for 'tenet confirm', too. */
    const char *who;
    /* Its own. */
    const struct tn_probe_plan *plan;
    size_t n_probes;
    const struct tn_probe_report *before;
};

/* Before anything is planned, with the state lock held.  A change that was left
 * unconfirmed is quarantined, and '*undoing' is what has to be said about it
 * (new in 'arena'); else null.  TN_EDENIED: one waits to be confirmed. */
enum tn_code tn_trial_recover(const char *dir, const char *repo,
                              const char *ref, struct tn_arena *arena,
                              const char **undoing,
                              struct tn_error *err) TN_MUST_USE;
/* Nothing is pending any more; accepts that nothing was. */
enum tn_code tn_trial_recovered(const char *dir,
                                struct tn_error *err) TN_MUST_USE;

/* What to apply while the branch stands at 'tip': "*commit" is new in 'arena'
 * and null if it is the tip; '*why' then says why not.  TN_EDENIED: the tip is
 * quarantined and nothing is known to be good. */
enum tn_code tn_trial_target(const char *dir, const char *repo, const char *ref,
                             const char *tip, const char *environment,
                             struct tn_arena *arena, const char **commit,
                             const char **why,
                             struct tn_error *err) TN_MUST_USE;

/* After 'observe': runs the probes and writes down what is going to be. */
enum tn_code tn_trial_begin(struct tn_trial *trial,
                            struct tn_error *err) TN_MUST_USE;
/* The devices are as the commit says: waits for the proof.  '*kept' is the
 * verdict, '*why' a sentence (new in the run's arena). */
enum tn_code tn_trial_judge(struct tn_trial *trial, bool *kept,
                            const char **why, struct tn_error *err) TN_MUST_USE;
/* Puts all devices back to what they were, and quarantines the commit. */
enum tn_code tn_trial_undo(struct tn_trial *trial, const char *why,
                           struct tn_error *err) TN_MUST_USE;
/* All devices hold the commit, verified: it is one to go back to. */
enum tn_code tn_trial_good(const char *dir, const struct tn_reconcile *run,
                           struct tn_error *err) TN_MUST_USE;

#endif
