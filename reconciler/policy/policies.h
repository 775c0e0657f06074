/* policies.h - the policies of an intent repository, as they are to be judged
 * by.
 *
 * Each is a document of the folder policies/, completed by the shipped one that
 * it uses.  A folder that cannot be read as a whole is no folder of fewer
 * policies: whatever is wrong with it is a finding that denies. */
#ifndef TN_POLICY_POLICIES_H
#define TN_POLICY_POLICIES_H

#include "model/base/digest.h"
#include "model/kinds/kinds.h"
#include "model/source.h"
#include "reconciler/policy/verdict.h"

enum {
    TN_POLICIES_FILES = 500,
    TN_POLICIES_MAX = 1000,
};

struct tn_policy_rule {
    const char *name;
    const struct tn_policy *doc; /* Completed. */
    const char *used;            /* The shipped policy's name; null: none. */
    struct tn_origin law;        /* Where the document stands. */
    struct tn_origin program;    /* Where 'jq' stands. */
    struct tn_digest content;    /* Of the document and what it uses. */
};

struct tn_policies {
    const struct tn_policy_rule *items; /* By name. */
    size_t n;
    size_t n_broken; /* Documents, or files, that are not among them. */
};

/* The rule name of findings about policies themselves. */
#define TN_RULE_BROKEN "broken-policy"

/* Reads policies/ of 'source'; what is wrong goes to 'findings' (may be null)
 * and denies.  No folder is no policies.  Fails only if the source cannot be
 * read.  New in 'arena'. */
enum tn_code tn_policies_load(struct tn_source *source, struct tn_arena *arena,
                              struct tn_policies *out,
                              struct tn_findings *findings,
                              struct tn_error *err) TN_MUST_USE;

/* The same for one file's bytes. */
void tn_policies_parse(struct tn_arena *arena, const char *path,
                       const char *bytes, size_t n, struct tn_policies *out,
                       struct tn_findings *findings);

/* Those that tenet ships; parsed anew in 'arena'. */
void tn_policies_shipped(struct tn_arena *arena, struct tn_policies *out,
                         struct tn_findings *findings);

/* Null if there is none of that name. */
const struct tn_policy_rule *tn_policies_get(const struct tn_policies *policies,
                                             const char *name);

/* "open-ports", "jq". */
const char *tn_policy_rule_word(const struct tn_policy_rule *rule);
enum tn_severity tn_policy_rule_severity(const struct tn_policy_rule *rule);

/* The shipped files, made by the build from policies/. */
struct tn_shipped_file {
    const char *path; /* "policies/exposure.yml" */
    const char *text;
    size_t n;
};
extern const struct tn_shipped_file tn_shipped_files[];
extern const size_t tn_n_shipped_files;

#endif
