/* history.h - which commits are new since the trusted one, parents first. */
#ifndef TN_TRUST_HISTORY_H
#define TN_TRUST_HISTORY_H

#include "reconciler/trust/git_commits.h"

struct tn_past {
    struct tn_oid id;
    const struct tn_oid *parents;
    size_t n_parents;
    int64_t time;       /* Of the committer. */
    const char *broken; /* Why it is no commit as Git writes it; null: it is.
                           It then has no parents here. */
};

struct tn_history {
    const struct tn_past *items; /* Parents before children, first parents and
                                    what they need before the others. */
    size_t n;
    bool descends; /* The trusted commit can be reached from the new one. */
    bool too_many; /* More than 'max' are new: 'items' is empty. */
};

/* 'trusted' null: nothing is old.  The trusted commit itself is not among
 * 'items'.  TN_ENOENT if one of the two commits is missing; TN_EUNAVAILABLE if
 * another one is, as in a shallow clone. */
enum tn_code tn_history_read(struct tn_commits *c, const struct tn_oid *trusted,
                             const struct tn_oid *commit, size_t max,
                             struct tn_arena *arena, struct tn_history *out,
                             struct tn_error *err) TN_MUST_USE;

#endif
