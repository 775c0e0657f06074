/* git_batch.h - many objects into the repository at once. */
#ifndef TN_STATUS_GIT_BATCH_H
#define TN_STATUS_GIT_BATCH_H

#include "model/base/error.h"
#include "model/source.h"
#include "reconciler/source/git.h"
#include "reconciler/status/load.h"

struct tn_batch;

/* Begins to write 'expected' objects or so: few become loose objects, many one
 * pack.  'repo' outlives the batch and is not used for anything else until it
 * is flushed. */
enum tn_code tn_batch_new(struct tn_git_repo *repo, size_t expected,
                          struct tn_batch **out,
                          struct tn_error *err) TN_MUST_USE;
/* Accepts null; what was not flushed is lost. */
void tn_batch_free(struct tn_batch *batch);

/* Writes the tree 'base' (id not known: the empty one) with 'edits' made;
 * '*out' is not known if nothing is left of it. */
enum tn_code tn_batch_tree(struct tn_batch *batch, const struct tn_oid *base,
                           const struct tn_status_edit *edits, size_t n,
                           struct tn_oid *out,
                           struct tn_error *err) TN_MUST_USE;

struct tn_batch_commit {
    struct tn_oid tree;
    struct tn_oid parent; /* Not known: a root commit. */
    const char *author, *email, *message;
    int64_t time;
    tn_status_sign_fn *sign; /* Null: not signed. */
    void *sign_ctx;
};

enum tn_code tn_batch_commit(struct tn_batch *batch,
                             const struct tn_batch_commit *commit,
                             struct tn_oid *out,
                             struct tn_error *err) TN_MUST_USE;

/* Everything written is in the repository, on the disk, when this returns. */
enum tn_code tn_batch_flush(struct tn_batch *batch,
                            struct tn_error *err) TN_MUST_USE;

static inline void
tn_cleanup_batch(struct tn_batch **batch)
{
    tn_batch_free(*batch);
}

#endif
