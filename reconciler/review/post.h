/* post.h - telling a forge the outcome: one comment an environment, and a
 * commit status.
 *
 * All of this may fail and nothing depends on it: whoever calls says so and
 * goes on.  Both are idempotent.  A comment is found again by its first line
 * and by its author, updated in place if it differs, and what is there twice is
 * deleted; comments of others are never touched, whatever they look like.  A
 * status is read first and posted only if it would change something, because
 * forges take 1,000 of a commit and context. */
#ifndef TN_REVIEW_POST_H
#define TN_REVIEW_POST_H

#include "model/base/crypt.h"
#include "reconciler/http/client.h"
#include "reconciler/notify/sink.h"

/* Seconds that all posting together may take, waiting included. */
enum { TN_POST_SECONDS = 60 };

/* Somebody's API.  Borrowed, but for 'user', which is found out. */
struct tn_door {
    struct tn_arena *arena;
    enum tn_forge_kind forge;
    const char *api, *repository;
    const struct tn_secret *token;
    const char *ca_file; /* Null: the system's. */
    int64_t deadline_ms; /* By tn_now_ms(). */
    const char *user;    /* Who we are there; null: not asked yet. */
};

struct tn_post_comment {
    const char *request; /* Number of the merge request. */
    const char *marker;  /* First line of the body. */
    const char *body;
    const char *brief; /* In its place where the forge finds the body too
                          long. */
};

enum tn_posted {
    TN_POSTED_NEW,
    TN_POSTED_UPDATED,
    TN_POSTED_SAME, /* It was so before. */
};

/* '*out' is what was done, '*n_deleted' how many of ours were there twice. */
enum tn_code tn_post_comment(struct tn_door *door,
                             const struct tn_post_comment *comment,
                             enum tn_posted *out, size_t *n_deleted,
                             struct tn_error *err) TN_MUST_USE;

/* 'status->repo' is not looked at. */
enum tn_code tn_post_status(struct tn_door *door,
                            const struct tn_commit_status *status,
                            enum tn_posted *out,
                            struct tn_error *err) TN_MUST_USE;

#endif
