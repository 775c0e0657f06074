/* trust.c - see trust.h: from the trusted commit to the one in question.
 *
 * The walk goes over all that is new, parents first (trust_commit.c judges
 * each, by the policies that trust_force.c finds), and ends at the first
 * offender; what was found fine until then says how far the first-parent line
 * may be followed. */
#include "reconciler/trust/trust.h"

#include <string.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "reconciler/source/name.h"
#include "reconciler/trust/trust_run.h"

enum { COMMITS_MAX = 10000 };

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

/* How far down the first-parent line of 'commit' all is fine.  Children come
 * after their parents, so one pass from the end meets the line in order. */
static void
find_good(struct tn_trust_run *r, const struct tn_oid *commit,
          const struct tn_history *history)
{
    const struct tn_oid *at = commit;
    for (size_t i = history->n; i-- > 0;) {
        const struct tn_past *p = &history->items[i];
        if (memcmp(&p->id, at, sizeof *at) != 0) {
            continue;
        }
        if (tn_trust_record_of(r, at)->descends) {
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
judge_all(struct tn_trust_run *r, const struct tn_oid *commit,
          const struct tn_history *history)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < history->n && !code && tn_trust_is_fine(r); i++) {
        tn_arena_reset(r->scratch);
        code = tn_trust_judge_commit(r, &history->items[i]);
    }
    if (!code) {
        find_good(r, commit, history);
    }
    return code;
}

/* A commit that cannot be read hides what is behind it. */
static bool
find_broken(struct tn_trust_run *r, const struct tn_history *history)
{
    for (size_t i = 0; i < history->n; i++) {
        const struct tn_past *p = &history->items[i];
        if (p->broken) {
            tn_trust_offend(r, TN_TRUST_BAD_COMMIT, &p->id, "%s", p->broken);
            return true;
        }
    }
    return false;
}

/* From the trusted commit in r->root.id to 'commit'. */
static enum tn_code
judge_range(struct tn_trust_run *r, const struct tn_oid *commit)
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
        tn_trust_offend(r, TN_TRUST_NOT_DESCENDANT, commit,
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
        tn_trust_offend(r, TN_TRUST_TOO_MANY, commit,
                        "more than %zu commits since the trusted one", max);
        return TN_OK;
    }
    if (!history.descends && find_broken(r, &history)) {
        return TN_OK;
    }
    if (!history.descends) {
        tn_trust_offend(
            r, TN_TRUST_NOT_DESCENDANT, commit,
            "the history does not go through the trusted commit %s: it was "
            "rewritten",
            r->v->good);
        return TN_OK;
    }
    r->root.time = text.time < r->now ? text.time : r->now;
    code = tn_trust_root_policy(r, &text);
    return code ? code : judge_all(r, commit, &history);
}

/* Nothing is trusted yet and no root was named. */
static enum tn_code
first_contact(struct tn_trust_run *r, const struct tn_oid *commit)
{
    struct tn_trust_subject s = {0};
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
        tn_trust_offend(r, TN_TRUST_BAD_SIGNERS, commit,
                        "who may sign is not known: %s", why);
        return TN_OK;
    }
    if (policy->enforced && !r->policies.outside) {
        r->v->enforced = true;
        tn_trust_offend(
            r, TN_TRUST_NO_ROOT, commit,
            "this is the first contact: name a commit to start from, or a "
            "file of signers outside the repository");
        return TN_OK;
    }
    code = tn_trust_check_policy(r, &s, policy);
    if (!code && tn_trust_is_fine(r)) {
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
        char shown[TN_TRUST_SHOWN];
        return tn_fail(err, TN_ENOENT, 0, "%s '%s' is no full commit id", what,
                       tn_show(shown, sizeof shown, hex, strlen(hex)));
    }
    return TN_OK;
}

static enum tn_code
prepare(struct tn_trust_run *r, const char *path, struct tn_error *err)
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
    struct tn_trust_run r = {
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
