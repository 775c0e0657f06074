/* review.h - a judged plan in the forms that reviewers and their tools read.
 *
 * Everything here is pure: one struct tn_review goes in, text comes out; equal
 * inputs give equal bytes, and there is no clock in any of them.  Whoever made
 * the plan fills the struct (tenet plan, tenet ci); whoever posts it is
 * forge.h.
 *
 *     text, json    as 'tenet plan' prints them
 *     markdown      the comment of a merge request: bounded, folded per tenant
 *     junit         a test case a finding; GitLab, Gitea's and others' test tab
 *     sarif         SARIF 2.1.0; code scanning
 *     gitlab        the numbers of GitLab's "terraform" report
 *     codequality   GitLab's code quality report
 *     github        annotations: workflow commands for the log of an action
 *
 * Names, labels and messages come from documents of tenants and from devices.
 * They are data in every form: they end no comment, no code block, no element,
 * they mention nobody, and secrets are fingerprints or nothing. */
#ifndef TN_REVIEW_REVIEW_H
#define TN_REVIEW_REVIEW_H

#include "model/base/diag.h"
#include "reconciler/plan/plan.h"
#include "reconciler/plan/print.h"
#include "reconciler/policy/verdict.h"

/* Something that this plan makes reachable, or not any more. */
struct tn_review_access {
    bool opens;         /* Else: closes. */
    const char *tenant; /* Null: everybody's. */
    const char *text; /* "acme/web group app to acme/db group db: tcp 5432". */
    struct tn_origin at;
};

/* All is borrowed. */
struct tn_review {
    const struct tn_plan *plan;       /* Null: the intent does not compile. */
    const struct tn_verdict *verdict; /* Never null. */
    const struct tn_diags *diags;     /* What is wrong with documents; may be
                                         null. */
    const struct tn_review_access *access;
    size_t n_access;
    const char *environment;
    const char *base, *head;  /* Hexadecimal; null or "": none. */
    const char *const *notes; /* Sentences: what was planned against, its
                                 age. */
    size_t n_notes;
    const char *artifact; /* Where all of it is: a folder or an http(s) URL;
                             null: nowhere. */
    const char *version;  /* Of tenet. */
    size_t limit;         /* Of the comment, in bytes; 0: the smallest of all
                             forges. */
    bool color, verbose;  /* Of the text. */
    const struct tn_digest *fingerprint_key; /* As in print.h. */
};

/* Comments are cut below what GitHub (65,536 characters; Gitea is given the
 * same) and GitLab (1,000,000) take. */
enum {
    TN_REVIEW_LIMIT = 65000,
    TN_REVIEW_LIMIT_GITLAB = 990000,
    TN_REVIEW_LIMIT_LEAST = 4000, /* Whatever is asked for. */
};

struct tn_review_format {
    const char *name; /* "sarif" */
    const char *file; /* As it is called among artifacts: "tenet.sarif". */
    void (*print)(struct tn_text *out, const struct tn_review *review);
};
extern const struct tn_review_format tn_review_formats[];
extern const size_t tn_review_n_formats;

/* Null if there is none of that name. */
const struct tn_review_format *tn_review_format_get(const char *name);

/* The first line of the comment, by which it is found again: one for each
 * environment, and no name of an environment can end it. */
void tn_review_marker(struct tn_text *out, const char *environment);

/* "Denied: 2 findings. 3 to add, 1 to change, 2 to destroy": one line, no user
 * text.  New in 'arena'. */
const char *tn_review_summary(struct tn_arena *arena,
                              const struct tn_review *review);

/* The intent has errors, or a device refuses it. */
bool tn_review_invalid(const struct tn_review *review);
/* Invalid, or a finding denies it. */
bool tn_review_denied(const struct tn_review *review);

#endif
