/* forge.h - commit statuses in the words of GitLab, GitHub and Gitea, and the
 * memory of what was posted, without I/O.
 *
 * Forges count statuses (GitHub takes 1,000 of a commit and context) and refuse
 * repetitions (GitLab), so a status is posted only if it differs from the last
 * one of that commit and context, over restarts too. */
#ifndef TN_NOTIFY_FORGE_H
#define TN_NOTIFY_FORGE_H

#include <stdbool.h>

#include "model/base/text.h"
#include "reconciler/http/client.h"
#include "reconciler/notify/sink.h"

enum {
    TN_FORGE_POSTS_MAX = 4096,  /* Remembered for one forge. */
    TN_FORGE_DESCRIPTION = 140, /* Characters that every forge takes. */
    TN_FORGE_CONTEXT = 200,     /* Bytes. */
};

struct tn_forge; /* One repository at one forge. */

/* One status that waits to be posted.  Borrowed from the forge: valid until
 * the next call that is not const. */
struct tn_forge_post {
    const char *sha, *context, *state; /* 'state' in the forge's words. */
    const char *description, *target_url;
    uint64_t ticket; /* For tn_forge_settle(). */
};

/* What an answer means. */
enum tn_forge_verdict {
    TN_FORGE_POSTED, /* Or it was so before. */
    TN_FORGE_AGAIN,  /* Later. */
    TN_FORGE_NEVER,  /* Refused for good. */
};

/* New, owned by the caller; copies.  TN_EINTENT for an API or a repository that
 * is none. */
enum tn_code tn_forge_new(const struct tn_notify_forge *options,
                          struct tn_forge **out,
                          struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_forge_free(struct tn_forge *forge);

const char *tn_forge_name(const struct tn_forge *forge);

/* Asks for a status.  False, and nothing happens, if sha or context are
 * malformed or it is what was posted last. */
bool tn_forge_want(struct tn_forge *forge,
                   const struct tn_commit_status *status);

/* The longest waiting status, to be posted now; false if there is none.  Until
 * it is settled nobody knows what the forge shows. */
bool tn_forge_take(struct tn_forge *forge, struct tn_forge_post *out);
size_t tn_forge_pending(const struct tn_forge *forge);

/* POSTED and NEVER settle the status with 'ticket', unless another was asked
 * for since. AGAIN moves it behind the others. */
void tn_forge_settle(struct tn_forge *forge, uint64_t ticket,
                     enum tn_forge_verdict verdict);

/* The request: URL, body, and name of the secret header with what stands before
 * the token in it. */
void tn_forge_url(const struct tn_forge *forge,
                  const struct tn_forge_post *post, struct tn_text *out);
void tn_forge_body(const struct tn_forge *forge,
                   const struct tn_forge_post *post, struct tn_text *out);
const char *tn_forge_auth(enum tn_forge_kind kind, const char **prefix);

/* '*wait_s' is how long the forge wants to be left alone; 0: it does not say.
 * 'now_s' is the time of day. */
enum tn_forge_verdict tn_forge_judge(enum tn_forge_kind kind,
                                     const struct tn_http_reply *reply,
                                     int64_t now_s, uint32_t *wait_s);

/* What the forge calls 'state'.  Static. */
const char *tn_forge_state(enum tn_forge_kind kind, enum tn_commit_state state);

/* Something must be saved; stays true until tn_forge_saved(). */
bool tn_forge_dirty(const struct tn_forge *forge);
void tn_forge_saved(struct tn_forge *forge);
/* One line for each status remembered; and the reverse, of one line: false if
 * it is none.  Lines of other forges are skipped. */
void tn_forge_dump(const struct tn_forge *forge, struct tn_text *out);
bool tn_forge_load(struct tn_forge *forge, const char *line, size_t n);

#endif
