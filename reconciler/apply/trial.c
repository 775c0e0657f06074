/* trial.c - see trial.h. */
#include "reconciler/apply/trial.h"

#include <string.h>
#include <time.h>

#include "reconciler/apply/device.h"
#include "reconciler/confirm/gate.h"
#include "reconciler/confirm/pending.h"
#include "reconciler/confirm/rollback.h"

enum { PROBE_MS = 1000, PAUSE_MS = 300 };

static enum tn_code
quarantine(const char *dir, const char *repo, const char *ref,
           const char *commit, const struct tn_rollback_word *word,
           struct tn_arena *arena, struct tn_error *err)
{
    struct tn_rollback before = {0}, after = {0};
    const char *damage = NULL;
    tn_rollback_load(dir, repo, ref, arena, &before, &damage);
    tn_rollback_quarantine(arena, &before, commit, word, &after);
    return tn_rollback_save(
        dir, repo, ref, &after,
        tn_arena_printf(arena, "Quarantine %.12s: %s", commit, word->reason),
        err);
}

enum tn_code
tn_trial_recover(const char *dir, const char *repo, const char *ref,
                 struct tn_arena *arena, const char **undoing,
                 struct tn_error *err)
{
    struct tn_pending_clock now;
    struct tn_pending_state state;
    *undoing = NULL;
    tn_pending_clock_now(&now);
    enum tn_code code = tn_pending_load(dir, &now, arena, &state, err);
    if (code) {
        return code;
    }
    switch (state.phase) {
    case TN_PENDING_NONE:
        return TN_OK;
    case TN_PENDING_CONFIRMED:
        return tn_pending_finish(dir, err);
    case TN_PENDING_OPEN:
        return tn_fail(err, TN_EDENIED, 0,
                       "commit %.12s waits for %lld s more to be confirmed: "
                       "'tenet confirm', or 'tenet rollback'",
                       state.about.commit, (long long) state.left_ms / 1000);
    case TN_PENDING_APPLYING:
    case TN_PENDING_DUE:
        break;
    }
    struct tn_rollback_word word = {
        .reason = "it was not confirmed",
        .who = state.about.who,
        .now = (int64_t) time(NULL),
    };
    code = tn_pending_expire(dir, err);
    if (code) {
        return code;
    }
    *undoing = tn_arena_printf(arena, "commit %.12s was not confirmed%s%s",
                               state.about.commit, state.why ? ": " : "",
                               state.why ? state.why : "");
    return quarantine(dir, repo, ref, state.about.commit, &word, arena, err);
}

enum tn_code
tn_trial_recovered(const char *dir, struct tn_error *err)
{
    enum tn_code code = tn_pending_finish(dir, err);
    return code == TN_ENOENT ? TN_OK : code;
}

enum tn_code
tn_trial_target(const char *dir, const char *repo, const char *ref,
                const char *tip, const char *environment,
                struct tn_arena *arena, const char **commit, const char **why,
                struct tn_error *err)
{
    struct tn_rollback state = {0};
    const char *damage = NULL, *target = NULL;
    *commit = NULL;
    tn_rollback_load(dir, repo, ref, arena, &state, &damage);
    if (tn_rollback_target(&state, tip, environment, &target) ==
        TN_CHOOSE_TIP) {
        return TN_OK;
    }
    const struct tn_quarantine *q = tn_rollback_quarantined(&state, tip);
    const char *reason = q && q->reason ? q->reason : "no reason given";
    if (!target) {
        return tn_fail(err, TN_EDENIED, 0,
                       "%.12s is quarantined (%s) and no other commit is known "
                       "to be good; name one with --rev",
                       tip, reason);
    }
    *commit = tn_arena_strdup(arena, target);
    *why = tn_arena_printf(arena, "%.12s is quarantined: %s", tip, reason);
    return TN_OK;
}

static void
probes_run(struct tn_trial *t, const struct tn_probe_plan *plan,
           const struct tn_probe_report **out)
{
    const struct tn_reconcile *run = t->run;
    struct tn_probe_device *devices =
        tn_new_n(run->arena, struct tn_probe_device, run->n_devices);
    for (size_t i = 0; i < run->n_devices; i++) {
        devices[i] = (struct tn_probe_device){
            .name = run->devices[i].device->name,
            .driver = run->devices[i].driver,
            .session = run->devices[i].session,
        };
    }
    tn_probes_run(plan, t->n_probes, devices, run->n_devices, PROBE_MS,
                  run->arena, out);
}

/* What the devices hold still: a port that this commit takes away has to be
 * missed afterwards. */
static const struct tn_network *
former_network(const struct tn_reconcile *run)
{
    const struct tn_network *former = NULL;
    for (size_t i = 0; i < run->n_devices && !former; i++) {
        const struct tn_status_device *s =
            tn_status_device_get(run->status, run->devices[i].device->name);
        if (s && s->head.commit &&
            strcmp(s->head.commit, run->commit.id) != 0) {
            former = tn_reconcile_past(run, s->head.commit, run->arena);
        }
    }
    return former ? former : run->network;
}

enum tn_code
tn_trial_begin(struct tn_trial *t, struct tn_error *err)
{
    const struct tn_reconcile *run = t->run;
    struct tn_pending_clock now;
    struct tn_pending_device *devices =
        tn_new_n(run->arena, struct tn_pending_device, run->n_devices);
    size_t n = 0;
    for (size_t i = 0; i < run->n_devices; i++) {
        const struct tn_device_run *d = &run->devices[i];
        const struct tn_status_device *s =
            tn_status_device_get(run->status, d->device->name);
        if (d->plan->n_changes) {
            devices[n++] = (struct tn_pending_device){
                d->device->name, s ? s->head.commit : NULL};
        }
    }
    struct tn_pending p = {
        .commit = run->commit.id,
        .environment = run->network->inventory->environment,
        .who = t->who,
        .devices = devices,
        .n_devices = n,
        .window_ms = t->window_ms,
    };
    tn_probes_plan(run->network->settings, run->network, run->arena, &t->plan,
                   &t->n_probes);
    if (t->n_probes) {
        const struct tn_probe_plan *before = NULL;
        tn_probes_plan(run->network->settings, former_network(run), run->arena,
                       &before, &t->n_probes);
        probes_run(t, before, &t->before);
    }
    tn_pending_clock_now(&now);
    return tn_pending_begin(t->dir, &p, &now, err);
}

static void
nap(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

/* Until all that passed before pass again, or time is up. */
static enum tn_code
probes_judge(struct tn_trial *t, struct tn_gate *gate, const char **why,
             struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    for (;;) {
        struct tn_pending_clock now;
        struct tn_pending_state state;
        const struct tn_probe_report *after = NULL;
        probes_run(t, t->plan, &after);
        tn_pending_clock_now(&now);
        enum tn_code code =
            tn_pending_load(t->dir, &now, t->run->arena, &state, err);
        if (code) {
            return code;
        }
        int64_t left = state.phase == TN_PENDING_OPEN ? state.left_ms : 0;
        tn_gate_decide(t->run->arena, t->before, after, t->n_probes, left,
                       gate);
        if (gate->verdict != TN_GATE_WAIT) {
            tn_gate_print(&text, gate, after, t->n_probes);
            *why = tn_arena_strdup(t->run->arena, tn_text_str(&text));
            return TN_OK;
        }
        nap(PAUSE_MS);
    }
}

enum tn_code
tn_trial_judge(struct tn_trial *t, bool *kept, const char **why,
               struct tn_error *err)
{
    struct tn_pending_clock now;
    struct tn_pending_state state;
    struct tn_gate gate = {.verdict = TN_GATE_PASS};
    *kept = false;
    *why = "nobody confirmed it in time";
    tn_pending_clock_now(&now);
    enum tn_code code = tn_pending_start(t->dir, &now, err);
    if (!code && t->n_probes) {
        code = probes_judge(t, &gate, why, err);
    }
    if (code || gate.verdict != TN_GATE_PASS) {
        return code;
    }
    if (!t->person) {
        tn_pending_clock_now(&now);
        code = tn_pending_confirm(t->dir, NULL, &now, err);
        *kept = code == TN_OK;
        return code;
    }
    code = tn_pending_wait(t->dir, -1, t->run->arena, &state, err);
    *kept = !code && state.phase == TN_PENDING_CONFIRMED;
    *why = *kept ? "confirmed" : "nobody confirmed it in time";
    return code;
}

enum tn_code
tn_trial_undo(struct tn_trial *t, const char *why, struct tn_error *err)
{
    struct tn_reconcile *run = t->run;
    struct tn_rollback_word word = {
        .reason = why, .who = t->who, .now = (int64_t) time(NULL)};
    enum tn_code code = tn_pending_expire(t->dir, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < run->n_devices; i++) {
        struct tn_device_run *d = &run->devices[i];
        if (d->end != TN_DEVICE_VERIFIED) {
            continue;
        }
        enum tn_code undone = tn_device_undo(d, &d->undo_failure);
        d->end = undone ? TN_DEVICE_BROKEN : TN_DEVICE_ROLLED_BACK;
        d->after = NULL;
        if (tn_fail(&d->failure, TN_EDENIED, 0, "%s", why) && undone) {
            code = undone;
            *err = d->undo_failure;
        }
    }
    enum tn_code listed = quarantine(t->dir, run->root, run->status_ref,
                                     run->commit.id, &word, run->arena, err);
    return code ? code : listed;
}

enum tn_code
tn_trial_good(const char *dir, const struct tn_reconcile *run,
              struct tn_error *err)
{
    struct tn_rollback before = {0}, after = {0};
    const char *damage = NULL;
    tn_rollback_load(dir, NULL, NULL, run->arena, &before, &damage);
    if (before.n_good && strcmp(before.good[0].commit, run->commit.id) == 0) {
        return TN_OK;
    }
    tn_rollback_applied(run->arena, &before, run->commit.id,
                        run->network->inventory->environment,
                        (int64_t) time(NULL), &after);
    return tn_rollback_save(dir, NULL, NULL, &after, "", err);
}
