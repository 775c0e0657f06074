/* trust_commit.c - one commit before the policies in force: its signature, the
 * time, the signer's scope. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reconciler/source/name.h"
#include "reconciler/trust/trust_run.h"

enum { FORGIVEN = 300 };

/* Fills the verdict; the first offender only. */
void
tn_trust_offend(struct tn_trust_run *r, enum tn_trust_reason reason,
                const struct tn_oid *id, const char *fmt, ...)
{
    char hex[TN_OID_HEX] = "", shown[TN_TRUST_SHOWN];
    va_list ap;
    if (id) {
        tn_oid_hex(id, hex);
    }
    va_start(ap, fmt);
    const char *text = tn_arena_vprintf(r->scratch, fmt, ap);
    va_end(ap);
    r->v->reason = reason;
    r->v->message = tn_arena_strdup(
        r->out, tn_show(shown, sizeof shown, text, strlen(text)));
    snprintf(r->v->commit, sizeof r->v->commit, "%s", hex);
}

const struct tn_trust_record *
tn_trust_record_of(const struct tn_trust_run *r, const struct tn_oid *id)
{
    char hex[TN_OID_HEX];
    const struct tn_trust_record *rec =
        tn_map_get(&r->records, tn_oid_hex(id, hex));
    return rec ? rec : &r->root;
}

const char *
tn_trust_show(struct tn_trust_run *r, const char *text)
{
    char shown[TN_TRUST_SHOWN];
    return tn_arena_strdup(r->out,
                           tn_show(shown, sizeof shown, text, strlen(text)));
}

static bool
is_ssh(const struct tn_commit_text *text)
{
    static const char begin[] = "-----BEGIN SSH SIGNATURE-----";
    return text->n_signature >= sizeof begin - 1 &&
           memcmp(text->signature, begin, sizeof begin - 1) == 0;
}

/* The signature by itself: there, of a kind we know, and of these bytes. */
static bool
check_signature(struct tn_trust_run *r, struct tn_trust_subject *s)
{
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    const struct tn_commit_text *t = &s->text;
    if (s->parsed) {
        return true;
    }
    if (!t->signature) {
        tn_trust_offend(r, TN_TRUST_UNSIGNED, &s->past->id,
                        "the commit is not signed");
        return false;
    }
    if (!is_ssh(t)) {
        tn_trust_offend(
            r, TN_TRUST_UNSUPPORTED_KEY, &s->past->id,
            "the signature is none of SSH (git config gpg.format ssh)");
        return false;
    }
    enum tn_code code =
        tn_sshsig_parse(t->signature, t->n_signature, &s->sig, &err);
    if (code) {
        tn_trust_offend(r,
                        code == TN_EUNSUPPORTED ? TN_TRUST_UNSUPPORTED_KEY
                                                : TN_TRUST_BAD_SIGNATURE,
                        &s->past->id, "%s",
                        tn_error_text(&err, said, sizeof said));
        return false;
    }
    if (!tn_sshsig_verify(&s->sig, t->signed_text, t->n_signed_text)) {
        tn_trust_offend(r, TN_TRUST_BAD_SIGNATURE, &s->past->id,
                        "the signature does not fit the commit");
        return false;
    }
    s->parsed = true;
    return true;
}

static const char *
day(struct tn_trust_run *r, int64_t t)
{
    struct tm tm;
    time_t at = (time_t) t;
    char buf[64] = "";
    if (gmtime_r(&at, &tm)) {
        strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S UTC", &tm);
    }
    return tn_arena_strdup(r->scratch, buf);
}

static bool
check_times(struct tn_trust_run *r, const struct tn_trust_subject *s,
            const struct tn_allowed_signer *signer)
{
    if (s->text.time > r->now + FORGIVEN) {
        tn_trust_offend(r, TN_TRUST_FROM_FUTURE, &s->past->id,
                        "the commit is of %s, which is in the future",
                        day(r, s->text.time));
        return false;
    }
    if (signer->valid_after && s->time < signer->valid_after) {
        tn_trust_offend(r, TN_TRUST_EXPIRED, &s->past->id,
                        "the key of %s is valid from %s, the commit is of %s",
                        signer->principals[0], day(r, signer->valid_after),
                        day(r, s->time));
        return false;
    }
    if (signer->valid_before && s->time > signer->valid_before) {
        tn_trust_offend(
            r, TN_TRUST_EXPIRED, &s->past->id,
            "the key of %s was valid until %s, the commit is of %s or later",
            signer->principals[0], day(r, signer->valid_before),
            day(r, s->time));
        return false;
    }
    return true;
}

static enum tn_code
check_scope(struct tn_trust_run *r, const struct tn_trust_subject *s,
            const struct tn_signing_policy *policy,
            const struct tn_allowed_signer *signer)
{
    bool all = false;
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    const char *path = NULL, *why = NULL;
    struct tn_changes changes = {.commits = r->commits, .commit = &s->text};
    tn_policy_scope(policy, signer, r->scratch, &changes.patterns,
                    &changes.n_patterns, &all);
    if (all) {
        return TN_OK;
    }
    if (s->first) {
        tn_trust_offend(
            r, TN_TRUST_OUT_OF_SCOPE, &s->past->id,
            "at the first contact the signer must be one who may change "
            "everything, and %s may not",
            signer->principals[0]);
        return TN_OK;
    }
    if (changes.n_patterns == 0) {
        tn_trust_offend(
            r, TN_TRUST_OUT_OF_SCOPE, &s->past->id,
            "%s has no path scope in tenet.yml and may change nothing",
            signer->principals[0]);
        return TN_OK;
    }
    enum tn_code code =
        tn_changes_check(&changes, r->scratch, &path, &why, &err);
    if (code == TN_EINTENT) {
        tn_trust_offend(r, TN_TRUST_BAD_COMMIT, &s->past->id, "%s",
                        tn_error_text(&err, said, sizeof said));
        return TN_OK;
    }
    if (code && r->err) {
        *r->err = err;
    }
    if (!code && path) {
        tn_trust_offend(r, TN_TRUST_OUT_OF_SCOPE, &s->past->id, "%s %s (%s)",
                        path, why, signer->principals[0]);
        r->v->path = tn_trust_show(r, path);
    }
    return code;
}

/* One policy that is in force. */
enum tn_code
tn_trust_check_policy(struct tn_trust_run *r, struct tn_trust_subject *s,
                      const struct tn_signing_policy *policy)
{
    char print[TN_FINGERPRINT];
    if (!policy) {
        tn_trust_offend(
            r, TN_TRUST_BAD_SIGNERS, &s->past->id,
            "who may sign is not known: neither the trusted commit nor one "
            "before it has a tenet.yml and signers that can be read");
        return TN_OK;
    }
    if (!policy->enforced) {
        return TN_OK;
    }
    r->v->enforced = true;
    if (!check_signature(r, s)) {
        return TN_OK;
    }
    const struct tn_allowed_signer *signer =
        tn_allowed_signer_find(&policy->signers, &s->sig.key);
    tn_sshkey_fingerprint(&s->sig.key, print);
    if (!signer || !signer->git) {
        tn_trust_offend(r, TN_TRUST_UNKNOWN_SIGNER, &s->past->id,
                        signer
                            ? "the key %s is not allowed for the namespace git"
                            : "the key %s is not among the allowed signers",
                        print);
        r->v->signer = tn_arena_strdup(r->out, print);
        return TN_OK;
    }
    if (check_times(r, s, signer)) {
        enum tn_code code = check_scope(r, s, policy, signer);
        if (code) {
            return code;
        }
    }
    if (!tn_trust_is_fine(r)) {
        r->v->signer = tn_trust_show(r, signer->principals[0]);
    }
    return TN_OK;
}

static void
remember(struct tn_trust_run *r, const struct tn_trust_subject *s,
         const struct tn_signing_policy *policy)
{
    char hex[TN_OID_HEX];
    struct tn_trust_record *rec = tn_new(r->arena, struct tn_trust_record);
    rec->id = s->past->id;
    rec->policy = policy;
    rec->time = s->time;
    for (size_t i = 0; i < s->past->n_parents; i++) {
        const struct tn_oid *p = &s->past->parents[i];
        rec->descends |= memcmp(p, &r->root.id, sizeof *p) == 0 ||
                         tn_trust_record_of(r, p)->descends;
    }
    tn_map_put(&r->records,
               tn_arena_strdup(r->arena, tn_oid_hex(&rec->id, hex)), rec);
    r->v->n_judged++;
}

/* The policy for the children: the commit's own; if that cannot be read, that
 * of the first policy in force. */
static enum tn_code
accept(struct tn_trust_run *r, const struct tn_trust_subject *s,
       const struct tn_trust_record *before)
{
    const struct tn_signing_policy *policy = NULL;
    enum tn_code code = tn_trust_policy_after(r, &s->past->id, &s->text.tree,
                                              before->policy, &policy);
    if (!code) {
        remember(r, s, policy);
    }
    return code;
}

enum tn_code
tn_trust_judge_commit(struct tn_trust_run *r, const struct tn_past *past)
{
    struct tn_trust_subject s = {.past = past};
    const struct tn_trust_record *force[TN_COMMIT_PARENTS];
    size_t n = 0;
    if (past->broken) {
        tn_trust_offend(r, TN_TRUST_BAD_COMMIT, &past->id, "%s", past->broken);
        return TN_OK;
    }
    enum tn_code code =
        tn_commits_read(r->commits, &past->id, r->scratch, &s.text, r->err);
    if (!code) {
        code = tn_trust_policies_in_force(r, past, force, &n);
    }
    s.time = past->time;
    for (size_t i = 0; i < past->n_parents; i++) {
        int64_t t = tn_trust_record_of(r, &past->parents[i])->time;
        s.time = t > s.time ? t : s.time;
    }
    for (size_t i = 0; i < n && !code && tn_trust_is_fine(r); i++) {
        code = tn_trust_check_policy(r, &s, force[i]->policy);
    }
    if (!code && tn_trust_is_fine(r)) {
        code = accept(r, &s, force[0]);
    }
    return code;
}
