/* git_replay.h - status commits laid over what others wrote meanwhile. */
#ifndef TN_STATUS_GIT_REPLAY_H
#define TN_STATUS_GIT_REPLAY_H

#include "reconciler/status/status.h"

struct tn_replay {
    const char *path, *ref; /* Where, and what is moved. */
    const char *now;        /* What the ref is at; "": it is missing. */
    const char *tip;        /* The last commit to keep; "": none. */
    const char *onto;       /* What others have; "": nothing. */
    tn_status_sign_fn *sign;
    void *sign_ctx;
};

/* Makes the commits that lead to 'tip' and not to 'onto' again, one by one, on
 * top of 'onto': the files that each changed are put as it had them, all others
 * stay as others have them.  Author, time and message are kept.  Then moves the
 * ref from 'now' to the last of them (TN_ESTALE if it is not at 'now'). */
enum tn_code tn_status_replay(const struct tn_replay *replay, char id[65],
                              struct tn_error *err) TN_MUST_USE;

/* How many commits lead to 'tip' and not to 'onto'. */
enum tn_code tn_status_ahead(const char *path, const char *tip,
                             const char *onto, size_t *out,
                             struct tn_error *err) TN_MUST_USE;

#endif
