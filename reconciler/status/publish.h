/* publish.h - the status ref at the remote, which others write too.
 *
 * A status commit is made in the mirror on top of what the remote is known to
 * have, and pushed by compare-and-swap.  Who loses the race fetches and makes
 * the commit again on top of the winner's: history stays a line, and no entry
 * of anybody is lost.  While the remote cannot be reached, commits pile up in
 * the mirror; when it is back they are laid, one by one, over what others wrote
 * meanwhile (files of ours win, those of others stay) and pushed together. */
#ifndef TN_STATUS_PUBLISH_H
#define TN_STATUS_PUBLISH_H

#include "reconciler/source/remote.h"
#include "reconciler/status/status.h"

struct tn_publish {
    const char *ref;         /* Null: the default.  One of the extra refs of the
                                remote, unless that is used in place. */
    unsigned tries;          /* 0: 30. */
    tn_status_sign_fn *sign; /* For commits that wait, where there is no
                                update; null: not signed. */
    void *sign_ctx;
};

struct tn_publish_result {
    char id[65];      /* Our commit of the ref now; empty if it is missing. */
    bool committed;   /* Something changed in meaning. */
    bool pushed;      /* The remote has 'id'. */
    unsigned tries;   /* Pushes that were begun. */
    size_t n_waiting; /* Commits that the remote has not. */
};

/* Commits 'update' (null: nothing new, only what waits) and pushes.  An error
 * of the push is returned with '*result' filled: the commit is kept in the
 * mirror and goes with the next call.  'result' may be null. */
enum tn_code tn_status_publish(struct tn_remote *remote,
                               const struct tn_publish *how,
                               const struct tn_status_update *update,
                               struct tn_publish_result *result,
                               struct tn_error *err) TN_MUST_USE;

#endif
