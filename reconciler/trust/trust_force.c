/* trust_force.c - which policies judge a commit.
 *
 * Those of its parents, without the ones that are only older than another: a
 * merge must not bring back signers that the other side took away.  A commit
 * must satisfy all that remain. */
#include <string.h>

#include "reconciler/trust/trust_run.h"

/* The policy of a commit's tree; what cannot be read leaves the older one in
 * force, which is noted. */
enum tn_code
tn_trust_policy_after(struct tn_trust_run *r, const struct tn_oid *id,
                      const struct tn_oid *tree,
                      const struct tn_signing_policy *before,
                      const struct tn_signing_policy **out)
{
    const struct tn_signing_policy *policy = NULL;
    const char *why = NULL;
    enum tn_code code = tn_policy_of(&r->policies, tree, &policy, &why, r->err);
    if (code) {
        return code;
    }
    if (!policy && before && before->enforced) {
        char hex[TN_OID_HEX];
        r->v->note = tn_trust_show(
            r, tn_arena_printf(r->scratch,
                               "the signers of commit %.12s cannot be read "
                               "(%s); those before it stay in force",
                               tn_oid_hex(id, hex), why));
    }
    *out = policy ? policy : before;
    return TN_OK;
}

/* The trusted commit's policy, or that of the nearest first parent whose policy
 * can be read: all of them were trusted. */
enum tn_code
tn_trust_root_policy(struct tn_trust_run *r, const struct tn_commit_text *text)
{
    enum { BACK = 1000 };
    struct tn_commit_text at = *text;
    struct tn_oid id = r->root.id;
    const char *first = NULL;
    for (unsigned i = 0; i < BACK; i++) {
        const char *why = NULL;
        enum tn_code code =
            tn_policy_of(&r->policies, &at.tree, &r->root.policy, &why, r->err);
        if (code || r->root.policy) {
            if (!code && first && r->root.policy->enforced) {
                r->v->note = tn_trust_show(r, first);
            }
            return code;
        }
        first = first ? first
                      : tn_arena_printf(r->scratch,
                                        "the signers of the trusted commit "
                                        "cannot be read (%s); those before it "
                                        "stay in force",
                                        why);
        if (at.n_parents == 0) {
            break;
        }
        id = at.parents[0];
        code = tn_commits_read(r->commits, &id, r->scratch, &at, r->err);
        if (code) {
            return code == TN_ENOENT || code == TN_EINTENT ? TN_OK : code;
        }
    }
    return TN_OK;
}

/* Whether all merge bases of two parents have this policy. */
static enum tn_code
bases_have(struct tn_trust_run *r, const struct tn_oid *a,
           const struct tn_oid *b, const struct tn_signing_policy *policy,
           bool *out)
{
    const struct tn_oid *bases = NULL;
    size_t n = 0;
    enum tn_code code =
        tn_commits_bases(r->commits, a, b, r->scratch, &bases, &n, r->err);
    bool same = n > 0;
    for (size_t i = 0; i < n && same && !code; i++) {
        struct tn_commit_text text;
        const struct tn_signing_policy *base = NULL;
        const char *why = NULL;
        code =
            tn_commits_read(r->commits, &bases[i], r->scratch, &text, r->err);
        if (!code) {
            code = tn_policy_of(&r->policies, &text.tree, &base, &why, r->err);
        }
        same = base && tn_digest_eq(&base->id, &policy->id);
    }
    *out = same;
    return code;
}

/* Whether parent 'j' has its policy from before, while parent 'i' changed
 * it. */
static enum tn_code
is_superseded(struct tn_trust_run *r, const struct tn_trust_record *i,
              const struct tn_trust_record *j, bool *out)
{
    *out = false;
    if (!i->policy || !j->policy ||
        tn_digest_eq(&i->policy->id, &j->policy->id)) {
        return TN_OK;
    }
    return bases_have(r, &i->id, &j->id, j->policy, out);
}

static bool
same_policy(const struct tn_signing_policy *a,
            const struct tn_signing_policy *b)
{
    return a == b || (a && b && tn_digest_eq(&a->id, &b->id));
}

/* Whether some other parent supersedes parent 'one'. */
static enum tn_code
is_older(struct tn_trust_run *r, const struct tn_past *past,
         const struct tn_trust_record *one, bool *out)
{
    *out = false;
    for (size_t k = 0; k < past->n_parents && !*out; k++) {
        const struct tn_trust_record *other =
            tn_trust_record_of(r, &past->parents[k]);
        enum tn_code code = is_superseded(r, other, one, out);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static void
add_once(const struct tn_trust_record **list, size_t *n,
         const struct tn_trust_record *one)
{
    for (size_t k = 0; k < *n; k++) {
        if (same_policy(list[k]->policy, one->policy)) {
            return;
        }
    }
    list[(*n)++] = one;
}

/* The records whose policies judge the commit: those of the parents, each
 * policy once and without the superseded; the trusted one for a root. */
enum tn_code
tn_trust_policies_in_force(struct tn_trust_run *r, const struct tn_past *past,
                           const struct tn_trust_record **out, size_t *n)
{
    const struct tn_trust_record *all[TN_COMMIT_PARENTS];
    size_t n_all = 0;
    *n = 0;
    if (past->n_parents == 0) {
        all[n_all++] = &r->root;
    }
    for (size_t i = 0; i < past->n_parents; i++) {
        const struct tn_trust_record *one =
            tn_trust_record_of(r, &past->parents[i]);
        bool older = false;
        enum tn_code code = is_older(r, past, one, &older);
        if (code) {
            return code;
        }
        add_once(all, &n_all, one);
        if (!older) {
            add_once(out, n, one);
        }
    }
    if (*n == 0) { /* No parents, or each older than another. */
        memcpy(out, all, n_all * sizeof(const struct tn_trust_record *));
        *n = n_all;
    }
    return TN_OK;
}
