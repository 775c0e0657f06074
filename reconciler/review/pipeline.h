/* pipeline.h - which forge's pipeline is this, and what does it judge?
 *
 * Read from the variables that GitLab CI, GitHub Actions and Gitea (Forgejo)
 * Actions document, and from the event that the latter two leave in a file.
 * Nothing else is asked.  docs/merge-request.md lists what is read. */
#ifndef TN_REVIEW_PIPELINE_H
#define TN_REVIEW_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "reconciler/notify/sink.h"

enum { TN_PIPELINE_TARGETS = 3 };

/* Texts are null where the pipeline does not say. */
struct tn_pipeline {
    bool found; /* Else all below is null: no pipeline, or one nobody knows. */
    enum tn_forge_kind forge;
    const char *name;              /* "GitLab", "GitHub", "Gitea". */
    const char *api;               /* "https://gitlab.example/api/v4". */
    const char *repository;        /* Where the merge request is. */
    const char *status_repository; /* Where its commit is: the fork, maybe. */
    const char *request;           /* Number of the merge request; null: this is
                                      none. */
    const char *targets[TN_PIPELINE_TARGETS]; /* Revisions of the branch it goes
                                      to, best first. */
    size_t n_targets;
    const char *sha;     /* The commit that gets the status. */
    const char *job_url; /* For people. */
    const char *artifacts_url;
    const char *ca_file; /* PEM of the forge's authority. */
    const char *token;   /* Name of the variable that has a token. */
    const char *tokens;  /* What to say to somebody who gave none. */
    const char *depth;   /* What to say to somebody whose clone is shallow. */
    bool commands;       /* The log obeys workflow commands. */
};

/* A variable; null if it is not set. */
typedef const char *tn_pipeline_get_fn(void *ctx, const char *name);

/* 'forced' (may be null) is "gitlab", "github", "gitea", or "none".  '*out' is
 * new in 'arena'.  TN_EINTENT: 'forced' is none of them, or the event file
 * cannot be read. */
enum tn_code tn_pipeline_recognise(struct tn_arena *arena, const char *forced,
                                   tn_pipeline_get_fn *get, void *ctx,
                                   struct tn_pipeline *out,
                                   struct tn_error *err) TN_MUST_USE;

#endif
