/* changes.h - does a commit change only what its signer may change? */
#ifndef TN_TRUST_CHANGES_H
#define TN_TRUST_CHANGES_H

#include "reconciler/trust/git_commits.h"

struct tn_changes {
    struct tn_commits *commits;
    const struct tn_commit_text *commit;
    const char *const *patterns; /* tn_scope_match */
    size_t n_patterns;
};

/* '*path' is null if everything is covered, else the first path that is not
 * (new in 'arena'), and '*why' completes "PATH WHY".
 *
 * A change is a file that is not the same (bytes and mode) as in a parent.  A
 * link or a submodule that is added or changed is never covered.  In a merge, a
 * change needs no cover if the commit takes the file as one parent has it and
 * all other parents that have it otherwise have it as their merge bases with
 * that one do: they never touched it, and the merge decides nothing.
 * TN_EINTENT for trees that cannot be compared (hostile names, sizes). */
enum tn_code tn_changes_check(const struct tn_changes *changes,
                              struct tn_arena *arena, const char **path,
                              const char **why,
                              struct tn_error *err) TN_MUST_USE;

#endif
