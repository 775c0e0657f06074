/* judge.c - may the tip of the branch be followed?
 *
 * It must continue what was accepted, its signatures must hold, nobody must
 * have quarantined it, and no freeze be in force; then it must compile.  Any
 * "no" is said once, and what was followed before goes on.  Broken documents of
 * single tenants are no "no": what was followed of these goes on (keep.h). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/apply/trial.h"
#include "reconciler/confirm/pending.h"
#include "reconciler/daemon/mode.h"
#include "reconciler/daemon/upstream_inside.h"
#include "reconciler/policy/run.h"
#include "reconciler/status/state_dir.h"
#include "reconciler/trust/trust.h"

/* A refusal is said once for each tip and reason. */
static void
refuse(struct tn_upstream *u, const char *tip, enum tn_refusal refusal,
       const char *text)
{
    if (strcmp(u->told, tip) == 0 && u->told_refusal == (int) refusal) {
        return;
    }
    memcpy(u->told, tip, strlen(tip) + 1);
    u->told_refusal = (int) refusal;
    struct tn_upstream_event *e = tn_up_event(TN_UP_REFUSED, tip);
    e->refusal = refusal;
    e->text = tn_arena_strdup(e->arena, text);
    tn_up_post(u, e);
}

static void
accept_tip(struct tn_upstream *u, const char *tip)
{
    if (u->told[0]) {
        u->told[0] = '\0';
        tn_up_post(u, tn_up_event(TN_UP_ACCEPTED, tip));
    }
}

static const char *
config_text(const struct tn_vtext *t, const char *fallback)
{
    return t->v ? t->v : fallback;
}

/* Does the tip continue what was accepted? */
static bool
continues(struct tn_upstream *u, const char *tip, struct tn_error *err)
{
    bool yes = true;
    pthread_mutex_lock(&u->mutex);
    bool acknowledged = strcmp(u->acknowledged, tip) == 0;
    u->acknowledged[0] = '\0';
    pthread_mutex_unlock(&u->mutex);
    if (acknowledged) {
        u->trusted[0] = '\0';
        memcpy(u->root, tip, strlen(tip) + 1);
        return true;
    }
    if (!u->accepted[0] || strcmp(u->accepted, tip) == 0) {
        return true;
    }
    if (tn_remote_descends(u->remote, tip, u->accepted, &yes, err)) {
        yes = false; /* What was accepted cannot even be found. */
    }
    if (!yes) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_text_addf(&t,
                     "the branch no longer contains %.12s, which is applied; "
                     "if that is meant: tenet ctl acknowledge %.12s",
                     u->accepted, tip);
        refuse(u, tip, TN_REFUSED_REWRITTEN, tn_text_str(&t));
    }
    return yes;
}

static bool
believed(struct tn_upstream *u, const char *tip, struct tn_error *err)
{
    const struct tn_daemon *c = u->options.config;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_trust_options options = {
        .root = u->root[0] ? u->root : c->trust.root.v,
        .signers_file = c->trust.allowed_signers.v,
    };
    struct tn_trust_verdict verdict;
    enum tn_code code = tn_trust_check(tn_remote_repo(u->remote),
                                       u->trusted[0] ? u->trusted : NULL, tip,
                                       &options, arena, &verdict, err);
    if (code) {
        char text[TN_ERROR_TEXT];
        refuse(u, tip, TN_REFUSED_UNTRUSTED,
               tn_error_text(err, text, sizeof text));
        return false;
    }
    if (!verdict.trusted) {
        refuse(u, tip, TN_REFUSED_UNTRUSTED,
               tn_arena_printf(arena, "%s: %s",
                               tn_trust_reason_name(verdict.reason),
                               verdict.message));
        return false;
    }
    return true;
}

/* What is followed is what later commits must descend from: one that was only
 * looked at may be taken back by a force-push. */
static void
trusted_set(struct tn_upstream *u, const char *tip)
{
    if (strcmp(u->trusted, tip) != 0) {
        memcpy(u->trusted, tip, strlen(tip) + 1);
        tn_up_state_write(u, "trusted", tip);
    }
}

/* A change by hand that nobody confirmed, and whose apply is gone, is undone:
 * quarantined, so that the last good commit is followed.  Where somebody holds
 * the lock the apply is still there and does it itself. */
static void
unconfirmed_recover(struct tn_upstream *u, const char *dir,
                    struct tn_arena *arena)
{
    struct tn_error err = {0};
    struct tn_state_lock *lock = NULL;
    struct tn_pending_clock now;
    struct tn_pending_state state = {0};
    const char *undoing = NULL;
    tn_pending_clock_now(&now);
    bool none = tn_pending_load(dir, &now, arena, &state, &err) == TN_OK &&
                state.phase == TN_PENDING_NONE;
    /* Workers want the lock: it is not taken for nothing at each look. */
    if (none || tn_state_lock(dir, 0, &lock, &err)) {
        return;
    }
    enum tn_code code = tn_trial_recover(dir, tn_remote_repo(u->remote),
                                         u->status_ref, arena, &undoing, &err);
    if (!code && undoing) {
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "%s; it is undone",
               undoing);
        code = tn_trial_recovered(dir, &err);
    }
    if (code && code != TN_EDENIED) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "unconfirmed change: %s",
               tn_error_text(&err, text, sizeof text));
    }
    tn_state_unlock(lock);
}

static void
rollback_load(struct tn_upstream *u, struct tn_arena *arena,
              struct tn_rollback *out)
{
    const char *damage = NULL;
    const char *dir = tn_state_dir(arena, u->options.state_dir, u->instance);
    unconfirmed_recover(u, dir, arena);
    tn_rollback_load(dir, tn_remote_repo(u->remote), u->status_ref, arena, out,
                     &damage);
    if (damage) {
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "quarantine: %s", damage);
    }
}

/* What to follow while the branch stands at 'tip': "" is to stay. */
static void
target_choose(struct tn_upstream *u, const struct tn_rollback *rollback,
              const char *tip, char target[65])
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const char *commit = NULL;
    const char *environment = config_text(&u->options.config->environment, "");
    if (u->intent) {
        environment = u->intent->run->network->inventory->environment;
    }
    memcpy(target, tip, strlen(tip) + 1);
    if (tn_rollback_target(rollback, tip, environment, &commit) ==
        TN_CHOOSE_TIP) {
        return;
    }
    const struct tn_quarantine *q = tn_rollback_quarantined(rollback, tip);
    refuse(u, tip, TN_REFUSED_QUARANTINED,
           tn_arena_printf(arena, "it is quarantined: %s",
                           q && q->reason ? q->reason : "no reason given"));
    target[0] = '\0';
    if (commit && strlen(commit) < 65) {
        memcpy(target, commit, strlen(commit) + 1);
    }
}

static bool
frozen(struct tn_upstream *u, const char *tip)
{
    if (!u->intent || strcmp(u->intent->run->commit.id, tip) == 0) {
        return false;
    }
    const struct tn_freeze *f =
        tn_freeze_now(u->intent->run->network->settings, (int64_t) time(NULL));
    if (f) {
        refuse(u, tip, TN_REFUSED_FROZEN, f->reason.v);
    }
    return f != NULL;
}

/* What stands in for tenants that are broken in 'commit': what was followed,
 * and was verified, until now or before the start.  Null if that is not in the
 * history of 'commit': then it is gone back from, or was dropped on purpose. */
static const struct tn_keep *
keep_make(const struct tn_upstream *u, const char *commit, struct tn_keep *out)
{
    struct tn_error ignored = {0};
    bool descends = true;
    *out = (struct tn_keep){
        .commit = u->before.commit,
        .tenants = u->before.kept,
        .n_tenants = u->before.n_kept,
    };
    if (u->intent) {
        const struct tn_reconcile *run = u->intent->run;
        *out = (struct tn_keep){
            .commit = run->commit.id,
            .tenants = run->kept,
            .n_tenants = run->n_kept,
            .pins = run->network->pins,
            .n_pins = run->network->n_pins,
        };
    }
    if (!out->commit[0] || (strcmp(out->commit, commit) != 0 &&
                            (tn_remote_descends(u->remote, commit, out->commit,
                                                &descends, &ignored) ||
                             !descends))) {
        return NULL;
    }
    return out;
}

static const char *
first_finding(const struct tn_reconcile *run, struct tn_arena *arena)
{
    for (size_t i = 0; i < run->diags.list.n; i++) {
        const struct tn_diag *d = &run->diags.list.items[i];
        if (d->severity == TN_ERROR) {
            return d->at.path
                       ? tn_arena_printf(arena, "%s:%u:%u: %s", d->at.path,
                                         d->at.line, d->at.column, d->message)
                       : d->message;
        }
    }
    return NULL;
}

/* Rules about plans look at one made against the snapshots. */
static void
plan_offline(const struct tn_reconcile_options *options,
             const struct tn_keep *keep, struct tn_reconcile **out)
{
    struct tn_reconcile_options o = *options;
    struct tn_error err = {0};
    o.offline = true;
    o.keep = keep;
    if (tn_reconcile_open(&o, out, &err) || tn_reconcile_observe(*out, &err)) {
        tn_reconcile_free(*out);
        *out = NULL;
    }
}

/* Do policies allow what was not followed before? */
static bool
allowed(struct tn_upstream *u, const struct tn_reconcile *run, const char *tip)
{
    struct tn_keep keep;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_reconcile *planned = NULL;
    struct tn_findings findings = {.arena = arena};
    struct tn_verdict verdict;
    bool wanted = tn_policy_wants_plan(run);
    if (wanted) {
        plan_offline(&run->options, keep_make(u, tip, &keep), &planned);
    }
    if (wanted && !planned) {
        refuse(u, tip, TN_REFUSED_DENIED,
               "policies ask for its plan, and none can be made");
        return false;
    }
    struct tn_policy_run judged = {
        .run = run,
        .former = u->intent ? u->intent->run : NULL,
        .plan = planned ? planned->plan : NULL,
        .helper = TN_POLICY_HELPER,
    };
    tn_policy_run_judge(&judged, &findings);
    tn_reconcile_free(planned);
    tn_verdict_build(&findings, &verdict);
    for (size_t i = 0; i < verdict.n; i++) {
        const struct tn_finding *f = &verdict.items[i];
        if (f->severity == TN_SEVERITY_DENY && !f->waiver) {
            refuse(u, tip, TN_REFUSED_DENIED,
                   tn_arena_printf(
                       arena, "policies deny it (%zu finding%s): %s: %s",
                       verdict.n_deny, verdict.n_deny == 1 ? "" : "s", f->rule,
                       f->message));
            return false;
        }
    }
    return true;
}

static void
accepted_set(struct tn_upstream *u, const char *commit)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    struct tn_error err = {0};
    const struct tn_reconcile *run = u->intent->run;
    memcpy(u->accepted, commit, strlen(commit) + 1);
    tn_up_state_path(u, "accepted", &path);
    if (tn_accepted_save(tn_text_str(&path), commit, run->kept, run->n_kept,
                         &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "%s",
               tn_error_text(&err, text, sizeof text));
    }
}

/* Compiles and hands the intent out.  'tip' is what the refusal is about. */
static bool
follow(struct tn_upstream *u, const char *commit, const char *tip,
       struct tn_upstream_event *times)
{
    const struct tn_daemon *c = u->options.config;
    struct tn_keep keep;
    struct tn_error err = {0};
    struct tn_reconcile *run = NULL;
    struct tn_reconcile_options o = {
        .repo = tn_remote_repo(u->remote),
        .rev = tn_arena_strdup(times->arena, commit),
        .environment = c->environment.v,
        .cache_dir = u->options.cache_dir,
        .memo = u->memo,
        .threads = u->options.threads,
        .host = c->host.v,
        .keep = keep_make(u, commit, &keep),
    };
    int64_t start = tn_now_ns();
    enum tn_code code = tn_reconcile_open(&o, &run, &err);
    if (code) {
        char text[TN_ERROR_TEXT];
        const char *finding = first_finding(run, times->arena);
        refuse(u, tip, TN_REFUSED_INVALID,
               finding ? finding : tn_error_text(&err, text, sizeof text));
        tn_reconcile_free(run);
        return false;
    }
    run->options.rev = run->commit.id;
    run->options.memo = NULL;
    /* What was followed before, and what is gone back to, was allowed. */
    if (strcmp(commit, tip) == 0 && strcmp(commit, u->accepted) != 0 &&
        !allowed(u, run, tip)) {
        tn_reconcile_free(run);
        return false;
    }
    struct tn_upstream_event *e = tn_up_event(TN_UP_INTENT, commit);
    e->back = strcmp(commit, tip) != 0;
    e->fetch_s = times->fetch_s;
    e->verify_s = times->verify_s;
    e->compile_s = tn_up_seconds_since(start);
    double before = (times->fetch_s > 0 ? times->fetch_s : 0) +
                    (times->verify_s > 0 ? times->verify_s : 0) + e->compile_s;
    e->intent = tn_intent_new(run, tn_now_ms() - (int64_t) (before * 1e3));
    e->intent->fetch_s = e->fetch_s;
    e->intent->verify_s = e->verify_s;
    e->intent->compile_s = e->compile_s;
    atomic_store(&e->intent->back, e->back);
    tn_intent_unref(u->intent);
    u->intent = tn_intent_ref(e->intent);
    accepted_set(u, run->commit.id);
    tn_up_post(u, e);
    return true;
}

/* After a start with a tip that is refused: what was accepted before. */
void
tn_up_follow_former(struct tn_upstream *u, struct tn_upstream_event *times)
{
    if (!u->intent && u->accepted[0]) {
        char id[65];
        memcpy(id, u->accepted, sizeof id);
        (void) follow(u, id, id, times);
    }
}

void
tn_up_judge(struct tn_upstream *u, const char *tip,
            struct tn_upstream_event *times)
{
    struct tn_error err = {0};
    char target[65];
    int64_t start = tn_now_ns();
    bool fine = continues(u, tip, &err) && believed(u, tip, &err);
    times->verify_s = tn_up_seconds_since(start);
    if (!fine) {
        tn_up_follow_former(u, times);
        return;
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_rollback rollback = {0};
    rollback_load(u, arena, &rollback);
    bool bad = tn_rollback_quarantined(&rollback, u->accepted) != NULL;
    if (bad) {
        u->before = (struct tn_accepted){0}; /* Nothing to go by. */
    }
    if (strcmp(u->accepted, tip) != 0 && !bad) {
        /* After a start: its freezes hold for the commits that came since. */
        tn_up_follow_former(u, times);
    }
    target_choose(u, &rollback, tip, target);
    /* Going back is allowed in a freeze, too. */
    if (!target[0] || (strcmp(target, tip) == 0 && frozen(u, tip))) {
        tn_up_follow_former(u, times);
        return;
    }
    if (u->intent && strcmp(u->intent->run->commit.id, target) == 0) {
        if (strcmp(target, tip) == 0) {
            trusted_set(u, tip);
            accept_tip(u, tip);
        }
        return;
    }
    if (!follow(u, target, tip, times)) {
        tn_up_follow_former(u, times);
    } else if (strcmp(target, tip) == 0) {
        trusted_set(u, tip);
        accept_tip(u, tip);
    }
}

void
tn_up_failure_free(struct tn_upstream_failure *failure)
{
    if (failure) {
        tn_intent_unref(failure->former);
        free(failure);
    }
}

/* On the disk even when Git cannot be written. */
static void
failure_write(struct tn_upstream *u, const struct tn_upstream_failure *f)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_rollback state = {0};
    struct tn_error err = {0};
    struct tn_rollback_word word = {
        .reason = f->why, .who = "tenet run", .now = (int64_t) time(NULL)};
    const char *repo = u->remote ? tn_remote_repo(u->remote) : NULL;
    const char *damage = NULL;
    const char *dir = tn_state_dir(arena, u->options.state_dir, u->instance);
    tn_rollback_load(dir, repo, u->status_ref, arena, &state, &damage);
    tn_rollback_quarantine(arena, &state, f->commit, &word, &state);
    if (f->former_commit[0]) {
        tn_rollback_set_pin(arena, &state, f->former_commit, &word, &state);
    }
    if (tn_rollback_save(
            dir, repo, u->status_ref, &state,
            tn_arena_printf(arena, "Quarantine %.12s\n\n%s", f->commit, f->why),
            &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(u->options.log, TN_LOG_WARNING, NULL, "quarantine: %s",
               tn_error_text(&err, text, sizeof text));
    }
}

/* Where Git was away since the start, the intent itself says it. */
static void
instance_learn(struct tn_upstream *u)
{
    const char *name =
        u->intent ? u->intent->run->network->settings->meta.name.v : "";
    if (!u->instance[0] && strlen(name) < sizeof u->instance) {
        memcpy(u->instance, name, strlen(name) + 1);
    }
}

void
tn_up_failed(struct tn_upstream *u, struct tn_upstream_failure *f)
{
    struct tn_upstream_event *times = tn_up_event(TN_UP_FETCHED, NULL);
    instance_learn(u);
    failure_write(u, f);
    if (f->former && u->intent &&
        strcmp(u->intent->run->commit.id, f->commit) == 0) {
        tn_intent_unref(u->intent);
        u->intent = TN_TAKE(f->former);
        accepted_set(u, f->former_commit);
    }
    if (u->remote) {
        tn_up_judge(u, u->tip[0] ? u->tip : f->commit, times);
    }
    tn_upstream_event_free(times);
    tn_up_failure_free(f);
}
