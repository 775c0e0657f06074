/* trust.c - see trust.h.
 *
 * Commits are judged parents first.  Each gets a record: found fine or not, the
 * policy that it leaves to its children, and since when it can have been made
 * at the earliest.  A parent that is not new has the record of the trusted
 * commit.  The walk ends at the first offender; what was found fine until then
 * says how far the first-parent line may be followed.
 *
 * Which policies judge a merge: those of its parents, without the ones that are
 * only older than another (policies_in_force).  A commit must satisfy all that
 * remain. */
#include "reconciler/trust/trust.h"

#include <string.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "reconciler/source/name.h"
#include "reconciler/trust/changes.h"
#include "reconciler/trust/history.h"
#include "reconciler/trust/policy.h"

enum { COMMITS_MAX = 10000, FORGIVEN = 300, SHOWN = 400 };

static const char *const reason_names[] = {
    [TN_TRUST_FINE] = "Fine",
    [TN_TRUST_UNSIGNED] = "Unsigned",
    [TN_TRUST_BAD_SIGNATURE] = "BadSignature",
    [TN_TRUST_UNKNOWN_SIGNER] = "UnknownSigner",
    [TN_TRUST_OUT_OF_SCOPE] = "OutOfScope",
    [TN_TRUST_EXPIRED] = "Expired",
    [TN_TRUST_FROM_FUTURE] = "FromFuture",
    [TN_TRUST_UNSUPPORTED_KEY] = "UnsupportedKey",
    [TN_TRUST_NOT_DESCENDANT] = "NotDescendant",
    [TN_TRUST_BAD_SIGNERS] = "BadSigners",
    [TN_TRUST_NO_ROOT] = "NoRoot",
    [TN_TRUST_BAD_COMMIT] = "BadCommit",
    [TN_TRUST_TOO_MANY] = "TooMany",
};

/* What is known of a commit that was found fine. */
struct record {
    struct tn_oid id;
    const struct tn_signing_policy
        *policy;   /* That its children must satisfy. */
    int64_t time;  /* It cannot be older. */
    bool descends; /* From the trusted commit. */
};

struct run {
    struct tn_arena *out;     /* The caller's: texts of the verdict. */
    struct tn_arena *arena;   /* As long as the run. */
    struct tn_arena *scratch; /* As long as one commit. */
    struct tn_commits *commits;
    struct tn_policies policies;
    const struct tn_trust_options *options;
    int64_t now;
    struct record root;    /* The trusted commit. */
    struct tn_map records; /* Of new commits found fine; by hex id. */
    struct tn_trust_verdict *v;
    struct tn_error *err;
};

/* A commit under judgement. */
struct subject {
    const struct tn_past *past;
    struct tn_commit_text text;
    struct tn_sshsig sig;
    bool parsed;
    bool first;   /* Contact: the signer vouches for the whole tree. */
    int64_t time; /* It cannot be older. */
};

/* Fills the verdict; the first offender only. */
static void TN_PRINTF(4, 5)
    offend(struct run *r, enum tn_trust_reason reason, const struct tn_oid *id,
           const char *fmt, ...)
{
    char hex[TN_OID_HEX] = "", shown[SHOWN];
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

static bool
is_fine(const struct run *r)
{
    return r->v->reason == TN_TRUST_FINE;
}

static const struct record *
record_of(const struct run *r, const struct tn_oid *id)
{
    char hex[TN_OID_HEX];
    const struct record *rec = tn_map_get(&r->records, tn_oid_hex(id, hex));
    return rec ? rec : &r->root;
}

static const char *
show(struct run *r, const char *text)
{
    char shown[SHOWN];
    return tn_arena_strdup(r->out,
                           tn_show(shown, sizeof shown, text, strlen(text)));
}

/* The policy of a commit's tree; what cannot be read leaves the older one in
 * force, which is noted. */
static enum tn_code
policy_after(struct run *r, const struct tn_oid *id, const struct tn_oid *tree,
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
        r->v->note = show(
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
static enum tn_code
root_policy(struct run *r, const struct tn_commit_text *text)
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
                r->v->note = show(r, first);
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
bases_have(struct run *r, const struct tn_oid *a, const struct tn_oid *b,
           const struct tn_signing_policy *policy, bool *out)
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
is_superseded(struct run *r, const struct record *i, const struct record *j,
              bool *out)
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
is_older(struct run *r, const struct tn_past *past, const struct record *one,
         bool *out)
{
    *out = false;
    for (size_t k = 0; k < past->n_parents && !*out; k++) {
        const struct record *other = record_of(r, &past->parents[k]);
        enum tn_code code = is_superseded(r, other, one, out);
        if (code) {
            return code;
        }
    }
    return TN_OK;
}

static void
add_once(const struct record **list, size_t *n, const struct record *one)
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
static enum tn_code
policies_in_force(struct run *r, const struct tn_past *past,
                  const struct record **out, size_t *n)
{
    const struct record *all[TN_COMMIT_PARENTS];
    size_t n_all = 0;
    *n = 0;
    if (past->n_parents == 0) {
        all[n_all++] = &r->root;
    }
    for (size_t i = 0; i < past->n_parents; i++) {
        const struct record *one = record_of(r, &past->parents[i]);
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
        memcpy(out, all, n_all * sizeof(const struct record *));
        *n = n_all;
    }
    return TN_OK;
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
check_signature(struct run *r, struct subject *s)
{
    struct tn_error err = {0};
    char said[TN_ERROR_TEXT];
    const struct tn_commit_text *t = &s->text;
    if (s->parsed) {
        return true;
    }
    if (!t->signature) {
        offend(r, TN_TRUST_UNSIGNED, &s->past->id, "the commit is not signed");
        return false;
    }
    if (!is_ssh(t)) {
        offend(r, TN_TRUST_UNSUPPORTED_KEY, &s->past->id,
               "the signature is none of SSH (git config gpg.format ssh)");
        return false;
    }
    enum tn_code code =
        tn_sshsig_parse(t->signature, t->n_signature, &s->sig, &err);
    if (code) {
        offend(r,
               code == TN_EUNSUPPORTED ? TN_TRUST_UNSUPPORTED_KEY
                                       : TN_TRUST_BAD_SIGNATURE,
               &s->past->id, "%s", tn_error_text(&err, said, sizeof said));
        return false;
    }
    if (!tn_sshsig_verify(&s->sig, t->signed_text, t->n_signed_text)) {
        offend(r, TN_TRUST_BAD_SIGNATURE, &s->past->id,
               "the signature does not fit the commit");
        return false;
    }
    s->parsed = true;
    return true;
}

static const char *
day(struct run *r, int64_t t)
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
check_times(struct run *r, const struct subject *s,
            const struct tn_allowed_signer *signer)
{
    if (s->text.time > r->now + FORGIVEN) {
        offend(r, TN_TRUST_FROM_FUTURE, &s->past->id,
               "the commit is of %s, which is in the future",
               day(r, s->text.time));
        return false;
    }
    if (signer->valid_after && s->time < signer->valid_after) {
        offend(r, TN_TRUST_EXPIRED, &s->past->id,
               "the key of %s is valid from %s, the commit is of %s",
               signer->principals[0], day(r, signer->valid_after),
               day(r, s->time));
        return false;
    }
    if (signer->valid_before && s->time > signer->valid_before) {
        offend(r, TN_TRUST_EXPIRED, &s->past->id,
               "the key of %s was valid until %s, the commit is of %s or later",
               signer->principals[0], day(r, signer->valid_before),
               day(r, s->time));
        return false;
    }
    return true;
}

static enum tn_code
check_scope(struct run *r, const struct subject *s,
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
        offend(r, TN_TRUST_OUT_OF_SCOPE, &s->past->id,
               "at the first contact the signer must be one who may change "
               "everything, and %s may not",
               signer->principals[0]);
        return TN_OK;
    }
    if (changes.n_patterns == 0) {
        offend(r, TN_TRUST_OUT_OF_SCOPE, &s->past->id,
               "%s has no path scope in tenet.yml and may change nothing",
               signer->principals[0]);
        return TN_OK;
    }
    enum tn_code code =
        tn_changes_check(&changes, r->scratch, &path, &why, &err);
    if (code == TN_EINTENT) {
        offend(r, TN_TRUST_BAD_COMMIT, &s->past->id, "%s",
               tn_error_text(&err, said, sizeof said));
        return TN_OK;
    }
    if (code && r->err) {
        *r->err = err;
    }
    if (!code && path) {
        offend(r, TN_TRUST_OUT_OF_SCOPE, &s->past->id, "%s %s (%s)", path, why,
               signer->principals[0]);
        r->v->path = show(r, path);
    }
    return code;
}

/* One policy that is in force. */
static enum tn_code
check_policy(struct run *r, struct subject *s,
             const struct tn_signing_policy *policy)
{
    char print[TN_FINGERPRINT];
    if (!policy) {
        offend(r, TN_TRUST_BAD_SIGNERS, &s->past->id,
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
        offend(r, TN_TRUST_UNKNOWN_SIGNER, &s->past->id,
               signer ? "the key %s is not allowed for the namespace git"
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
    if (!is_fine(r)) {
        r->v->signer = show(r, signer->principals[0]);
    }
    return TN_OK;
}

static void
remember(struct run *r, const struct subject *s,
         const struct tn_signing_policy *policy)
{
    char hex[TN_OID_HEX];
    struct record *rec = tn_new(r->arena, struct record);
    rec->id = s->past->id;
    rec->policy = policy;
    rec->time = s->time;
    for (size_t i = 0; i < s->past->n_parents; i++) {
        const struct tn_oid *p = &s->past->parents[i];
        rec->descends |=
            memcmp(p, &r->root.id, sizeof *p) == 0 || record_of(r, p)->descends;
    }
    tn_map_put(&r->records,
               tn_arena_strdup(r->arena, tn_oid_hex(&rec->id, hex)), rec);
    r->v->n_judged++;
}

/* The policy for the children: the commit's own; if that cannot be read, that
 * of the first policy in force. */
static enum tn_code
accept(struct run *r, const struct subject *s, const struct record *before)
{
    const struct tn_signing_policy *policy = NULL;
    enum tn_code code =
        policy_after(r, &s->past->id, &s->text.tree, before->policy, &policy);
    if (!code) {
        remember(r, s, policy);
    }
    return code;
}

static enum tn_code
judge_commit(struct run *r, const struct tn_past *past)
{
    struct subject s = {.past = past};
    const struct record *force[TN_COMMIT_PARENTS];
    size_t n = 0;
    if (past->broken) {
        offend(r, TN_TRUST_BAD_COMMIT, &past->id, "%s", past->broken);
        return TN_OK;
    }
    enum tn_code code =
        tn_commits_read(r->commits, &past->id, r->scratch, &s.text, r->err);
    if (!code) {
        code = policies_in_force(r, past, force, &n);
    }
    s.time = past->time;
    for (size_t i = 0; i < past->n_parents; i++) {
        int64_t t = record_of(r, &past->parents[i])->time;
        s.time = t > s.time ? t : s.time;
    }
    for (size_t i = 0; i < n && !code && is_fine(r); i++) {
        code = check_policy(r, &s, force[i]->policy);
    }
    if (!code && is_fine(r)) {
        code = accept(r, &s, force[0]);
    }
    return code;
}

/* How far down the first-parent line of 'commit' all is fine.  Children come
 * after their parents, so one pass from the end meets the line in order. */
static void
find_good(struct run *r, const struct tn_oid *commit,
          const struct tn_history *history)
{
    const struct tn_oid *at = commit;
    for (size_t i = history->n; i-- > 0;) {
        const struct tn_past *p = &history->items[i];
        if (memcmp(&p->id, at, sizeof *at) != 0) {
            continue;
        }
        if (record_of(r, at)->descends) {
            tn_oid_hex(at, r->v->good);
            return;
        }
        if (p->n_parents == 0) {
            return;
        }
        at = &p->parents[0];
    }
}

/* All that is new, until something is wrong. */
static enum tn_code
judge_all(struct run *r, const struct tn_oid *commit,
          const struct tn_history *history)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < history->n && !code && is_fine(r); i++) {
        tn_arena_reset(r->scratch);
        code = judge_commit(r, &history->items[i]);
    }
    if (!code) {
        find_good(r, commit, history);
    }
    return code;
}

/* A commit that cannot be read hides what is behind it. */
static bool
find_broken(struct run *r, const struct tn_history *history)
{
    for (size_t i = 0; i < history->n; i++) {
        const struct tn_past *p = &history->items[i];
        if (p->broken) {
            offend(r, TN_TRUST_BAD_COMMIT, &p->id, "%s", p->broken);
            return true;
        }
    }
    return false;
}

/* From the trusted commit in r->root.id to 'commit'. */
static enum tn_code
judge_range(struct run *r, const struct tn_oid *commit)
{
    struct tn_history history;
    struct tn_commit_text text;
    size_t max =
        r->options->n_commits ? r->options->n_commits : (size_t) COMMITS_MAX;
    struct tn_error err = {0};
    tn_oid_hex(&r->root.id, r->v->good);
    enum tn_code code =
        tn_commits_read(r->commits, &r->root.id, r->scratch, &text, &err);
    if (code == TN_ENOENT) {
        offend(r, TN_TRUST_NOT_DESCENDANT, commit,
               "the repository does not have the trusted commit %s",
               r->v->good);
        return TN_OK;
    }
    if (code) {
        if (r->err) {
            *r->err = err;
        }
        return code;
    }
    code = tn_history_read(r->commits, &r->root.id, commit, max, r->arena,
                           &history, r->err);
    if (code) {
        return code;
    }
    if (history.too_many) {
        offend(r, TN_TRUST_TOO_MANY, commit,
               "more than %zu commits since the trusted one", max);
        return TN_OK;
    }
    if (!history.descends && find_broken(r, &history)) {
        return TN_OK;
    }
    if (!history.descends) {
        offend(r, TN_TRUST_NOT_DESCENDANT, commit,
               "the history does not go through the trusted commit %s: it was "
               "rewritten",
               r->v->good);
        return TN_OK;
    }
    r->root.time = text.time < r->now ? text.time : r->now;
    code = root_policy(r, &text);
    return code ? code : judge_all(r, commit, &history);
}

/* Nothing is trusted yet and no root was named. */
static enum tn_code
first_contact(struct run *r, const struct tn_oid *commit)
{
    struct subject s = {0};
    struct tn_past past = {.id = *commit};
    const struct tn_signing_policy *policy = NULL;
    const char *why = NULL;
    enum tn_code code =
        tn_commits_read(r->commits, commit, r->scratch, &s.text, r->err);
    if (!code) {
        code = tn_policy_of(&r->policies, &s.text.tree, &policy, &why, r->err);
    }
    if (code) {
        return code;
    }
    s.past = &past;
    s.time = s.text.time;
    s.first = true;
    if (!policy) {
        offend(r, TN_TRUST_BAD_SIGNERS, commit, "who may sign is not known: %s",
               why);
        return TN_OK;
    }
    if (policy->enforced && !r->policies.outside) {
        r->v->enforced = true;
        offend(r, TN_TRUST_NO_ROOT, commit,
               "this is the first contact: name a commit to start from, or a "
               "file of signers outside the repository");
        return TN_OK;
    }
    code = check_policy(r, &s, policy);
    if (!code && is_fine(r)) {
        tn_oid_hex(commit, r->v->good);
        r->v->n_judged = policy->enforced;
    }
    return code;
}

static enum tn_code
parse_id(const char *hex, const char *what, struct tn_oid *out,
         struct tn_error *err)
{
    if (!tn_oid_parse(hex, out)) {
        char shown[SHOWN];
        return tn_fail(err, TN_ENOENT, 0, "%s '%s' is no full commit id", what,
                       tn_show(shown, sizeof shown, hex, strlen(hex)));
    }
    return TN_OK;
}

static enum tn_code
prepare(struct run *r, const char *path, struct tn_error *err)
{
    struct tn_allowed_signers *outside = NULL;
    struct tn_digest id = {{0}};
    enum tn_code code = TN_OK;
    if (r->options->signers_file) {
        outside = tn_new(r->arena, struct tn_allowed_signers);
        code = tn_policy_outside(r->options->signers_file, r->arena, outside,
                                 &id, err);
    }
    if (!code) {
        code = tn_commits_open(path, &r->commits, err);
    }
    if (!code) {
        tn_policies_init(&r->policies, r->commits, r->arena, outside, &id);
        tn_map_init(&r->records, r->arena, 64);
        r->now = r->options->now ? r->options->now : (int64_t) time(NULL);
    }
    return code;
}

const char *
tn_trust_reason_name(enum tn_trust_reason reason)
{
    return reason_names[reason];
}

enum tn_code
tn_trust_check(const char *path, const char *trusted, const char *commit,
               const struct tn_trust_options *options, struct tn_arena *arena,
               struct tn_trust_verdict *out, struct tn_error *err)
{
    static const struct tn_trust_options none;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *own = tn_arena_new();
    struct tn_trust_verdict v = {.message = ""};
    struct run r = {
        .out = arena,
        .arena = own,
        .scratch = scratch,
        .options = options ? options : &none,
        .v = &v,
        .err = err,
    };
    struct tn_oid id;
    const char *root = trusted ? trusted : r.options->root;
    enum tn_code code = parse_id(commit, "the commit", &id, err);
    if (!code && root) {
        code = parse_id(root, "the trusted commit", &r.root.id, err);
    }
    if (!code) {
        code = prepare(&r, path, err);
    }
    if (!code) {
        code = root ? judge_range(&r, &id) : first_contact(&r, &id);
    }
    tn_commits_close(r.commits);
    if (!code) {
        v.trusted = v.reason == TN_TRUST_FINE;
        *out = v;
    }
    return code;
}
