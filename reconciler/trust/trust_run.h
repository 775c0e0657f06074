/* trust_run.h - the inside of one judgement, for trust.c, trust_force.c and
 * trust_commit.c.
 *
 * Commits are judged parents first.  Each gets a record: found fine or not, the
 * policy that it leaves to its children, and since when it can have been made
 * at the earliest.  A parent that is not new has the record of the trusted
 * commit. */
#ifndef TN_TRUST_RUN_H
#define TN_TRUST_RUN_H

#include "reconciler/trust/changes.h"
#include "reconciler/trust/history.h"
#include "reconciler/trust/policy.h"
#include "reconciler/trust/trust.h"

/* So far may a text of others be shown. */
enum { TN_TRUST_SHOWN = 400 };

/* What is known of a commit that was found fine. */
struct tn_trust_record {
    struct tn_oid id;
    /* That its children must satisfy. */
    const struct tn_signing_policy *policy;
    int64_t time;  /* It cannot be older. */
    bool descends; /* From the trusted commit. */
};

struct tn_trust_run {
    struct tn_arena *out;     /* The caller's: texts of the verdict. */
    struct tn_arena *arena;   /* As long as the run. */
    struct tn_arena *scratch; /* As long as one commit. */
    struct tn_commits *commits;
    struct tn_policies policies;
    const struct tn_trust_options *options;
    int64_t now;
    struct tn_trust_record root; /* The trusted commit. */
    struct tn_map records;       /* Of new commits found fine; by hex id. */
    struct tn_trust_verdict *v;
    struct tn_error *err;
};

/* A commit under judgement. */
struct tn_trust_subject {
    const struct tn_past *past;
    struct tn_commit_text text;
    struct tn_sshsig sig;
    bool parsed;
    bool first;   /* Contact: the signer vouches for the whole tree. */
    int64_t time; /* It cannot be older. */
};

static inline bool
tn_trust_is_fine(const struct tn_trust_run *run)
{
    return run->v->reason == TN_TRUST_FINE;
}

/* Fills the verdict; the first offender only.  'id' may be null. */
void tn_trust_offend(struct tn_trust_run *run, enum tn_trust_reason reason,
                     const struct tn_oid *id, const char *fmt, ...)
    TN_PRINTF(4, 5);
/* Of a new commit that was found fine; else that of the trusted one. */
const struct tn_trust_record *
tn_trust_record_of(const struct tn_trust_run *run,
                   const struct tn_oid *id) TN_RETURNS_NONNULL;
/* Fit for a terminal: new in the caller's arena. */
const char *tn_trust_show(struct tn_trust_run *run, const char *text);

/* trust_force.c: which policies judge. */

/* The policy of a commit's tree; what cannot be read leaves the older one in
 * force, which is noted. */
enum tn_code
tn_trust_policy_after(struct tn_trust_run *run, const struct tn_oid *id,
                      const struct tn_oid *tree,
                      const struct tn_signing_policy *before,
                      const struct tn_signing_policy **out) TN_MUST_USE;
/* The trusted commit's policy, or that of the nearest first parent whose policy
 * can be read: all of them were trusted.  Null: none. */
enum tn_code
tn_trust_root_policy(struct tn_trust_run *run,
                     const struct tn_commit_text *text) TN_MUST_USE;
/* The records whose policies judge the commit: those of the parents, each
 * policy once and without the superseded; the trusted one for a root.  'out'
 * has TN_COMMIT_PARENTS places. */
enum tn_code tn_trust_policies_in_force(struct tn_trust_run *run,
                                        const struct tn_past *past,
                                        const struct tn_trust_record **out,
                                        size_t *n) TN_MUST_USE;

/* trust_commit.c: one commit. */

/* By one policy that is in force (null: not known). */
enum tn_code
tn_trust_check_policy(struct tn_trust_run *run,
                      struct tn_trust_subject *subject,
                      const struct tn_signing_policy *policy) TN_MUST_USE;
/* By all that are, and remembered if it is fine.  Its parents were judged. */
enum tn_code tn_trust_judge_commit(struct tn_trust_run *run,
                                   const struct tn_past *past) TN_MUST_USE;

#endif
