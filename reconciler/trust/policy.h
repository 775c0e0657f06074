/* policy.h - who may sign what, as one commit says it. */
#ifndef TN_TRUST_POLICY_H
#define TN_TRUST_POLICY_H

#include "model/base/digest.h"
#include "model/base/map.h"
#include "model/kinds/kinds.h"
#include "reconciler/trust/allowed_signers.h"
#include "reconciler/trust/git_commits.h"

struct tn_signing_policy {
    bool enforced; /* Commits need a signature. */
    struct tn_allowed_signers signers;
    const struct tn_signer_scope *scopes; /* Of tenet.yml. */
    size_t n_scopes;
    struct tn_digest id; /* Equal: the same policy. */
};

/* Where policies come from, each read once. */
struct tn_policies {
    struct tn_commits *commits; /* Borrowed. */
    struct tn_arena *arena;     /* Borrowed; policies live there. */
    const struct tn_allowed_signers *outside; /* Wins over the repository's;
                                                 null: none. */
    struct tn_digest outside_id;
    struct tn_map settings; /* Private: by blob. */
    struct tn_map policies; /* Private: by the blobs of both files. */
};

/* Reads the file of the daemon's configuration for tn_policies_init; bytes of
 * '*id' name its content.  TN_EINTENT with its line, where 'path' is borrowed;
 * TN_EDENIED if others than root and the running user may write it; TN_ENOENT.
 */
enum tn_code tn_policy_outside(const char *path, struct tn_arena *arena,
                               struct tn_allowed_signers *out,
                               struct tn_digest *id,
                               struct tn_error *err) TN_MUST_USE;

/* 'outside' may be null. */
void tn_policies_init(struct tn_policies *p, struct tn_commits *commits,
                      struct tn_arena *arena,
                      const struct tn_allowed_signers *outside,
                      const struct tn_digest *outside_id);

/* What the tree 'tree' says.  '*out' is null if that cannot be understood (no
 * tenet.yml, one with errors, a file of signers that is missing or malformed),
 * and '*why' then says so in one line. */
enum tn_code tn_policy_of(struct tn_policies *p, const struct tn_oid *tree,
                          const struct tn_signing_policy **out,
                          const char **why, struct tn_error *err) TN_MUST_USE;

/* The path patterns of a signer: new array in 'arena'.  '*all' if there is no
 * limit; else none means that the signer may change nothing. */
void tn_policy_scope(const struct tn_signing_policy *policy,
                     const struct tn_allowed_signer *signer,
                     struct tn_arena *arena, const char *const **patterns,
                     size_t *n, bool *all);

#endif
