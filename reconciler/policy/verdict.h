/* verdict.h - what judging a plan found: plain data, for people and forges.
 *
 * Whoever judges (built-in rules, jq programs, assertions of reachability, the
 * proof of isolation, budgets) appends findings; whoever shows or posts a plan
 * (text, JSON, Markdown, SARIF, JUnit, commit status) reads them and judges
 * nothing itself.  A waiver does not remove a finding: it says who answers for
 * it. */
#ifndef TN_POLICY_VERDICT_H
#define TN_POLICY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum tn_severity {
    TN_SEVERITY_DENY, /* The plan may not be applied: exit 4. */
    TN_SEVERITY_WARN,
    TN_SEVERITY_INFO,
};

struct tn_finding {
    enum tn_severity severity;
    const char *rule;     /* "no-world-open-ports", "isolation". */
    const char *message;  /* One sentence, no newline, no secret. */
    const char *hint;     /* What to do about it; null: none. */
    struct tn_origin at;  /* The line of intent that causes it. */
    struct tn_origin law; /* The line of the policy; path null: built in. */
    const char *tenant;   /* Null: everybody's. */
    const char *subject;  /* "acme/web/front", a plan's key; null: none. */
    const char *waiver;   /* "reason (owner, until 2026-12-31)"; null: none. */
};

struct tn_verdict {
    const struct tn_finding *items; /* By severity, rule, tenant, place. */
    size_t n;
    size_t n_deny, n_warn, n_info; /* Not waived. */
    size_t n_waived;
};

/* Collects findings; all texts are copied into 'arena'. */
struct tn_findings {
    struct tn_arena *arena;
    TN_VEC(struct tn_finding) list;
};

void tn_finding_add(struct tn_findings *findings,
                    const struct tn_finding *finding);

/* Sorts, drops equal ones and counts.  '*out' lives in the arena of
 * 'findings'. */
void tn_verdict_build(struct tn_findings *findings, struct tn_verdict *out);

/* True if nothing denies that is not waived. */
static inline bool
tn_verdict_allows(const struct tn_verdict *verdict)
{
    return verdict->n_deny == 0;
}

/* "deny", "warn", "info". */
const char *tn_severity_word(enum tn_severity severity);

#endif
