/* cycle.c - one look at a device, and what follows from it.
 *
 *     observe (all of it, or what is dirty)
 *     plan          what differs, and who moved
 *     gates         modes, flapping, budget: what may be done now
 *     apply         journal, commit, verify, roll back
 *     report
 *
 * After an apply the same scopes are looked at once more: the watch was told to
 * be quiet meanwhile, and what others did in that time must not be lost. */
#include "reconciler/daemon/worker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/daemon/slice.h"
#include "reconciler/snapshot/snapshot.h"

enum { LOCK_WAIT_MS = 10000, LARGE_APPLY = 1000 };

/* The part of a state that this look is about. */
static const struct tn_state *
state_part(const struct tn_look *k, const struct tn_state *state)
{
    if (k->full || !state) {
        return state;
    }
    struct tn_state *out = tn_new(k->arena, struct tn_state);
    TN_VEC(struct tn_resource) items = {0};
    for (size_t i = 0; i < state->n; i++) {
        const char *scope = state->items[i].scope;
        if (tn_texts_has(k->scope.names, k->scope.n, scope)) {
            *tn_vec_push(k->arena, &items) = state->items[i];
        }
    }
    *out = (struct tn_state){state->device, items.items, items.n};
    return out;
}

/* What was found inexpressible elsewhere holds its tenant here, too. */
static void
held_complete(struct tn_look *k)
{
    const struct tn_worker *w = k->w;
    if (k->full) {
        tn_worker_refused_set(k->w, &k->d.diags);
        return;
    }
    if (w->refused.n == 0) {
        return;
    }
    size_t n = k->d.n_held;
    const char **held = tn_new_n(k->arena, const char *, n + w->refused.n);
    for (size_t i = 0; i < n; i++) {
        held[i] = k->d.held[i];
    }
    for (size_t i = 0; i < w->refused.n; i++) {
        held[n + i] = tn_arena_strdup(k->arena, w->refused.items[i]);
    }
    k->d.n_held = tn_texts_unique(held, n + w->refused.n);
    k->d.held = held;
}

/* Sets want, last and held: of the whole device, or of what is looked at. */
static enum tn_code
render(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    struct tn_device_run *d = &k->d;
    const struct tn_device *device = w->base.device, *last = tn_worker_last(w);
    if (!w->base.driver) {
        return tn_fail(&k->err, TN_EUNSUPPORTED, 0, "there is no driver '%s'",
                       device->host->config.driver);
    }
    if (!k->full) {
        bool same = last == device;
        device = tn_slice_device(device, &k->scope, k->arena);
        last = same   ? device
               : last ? tn_slice_device(last, &k->scope, k->arena)
                      : NULL;
    }
    *d = w->base;
    d->device = device;
    d->arena = k->arena;
    tn_diags_init(&d->diags, k->arena);
    enum tn_code code = tn_device_render(w->intent->run, d, last, &k->err);
    d->device = w->base.device;
    held_complete(k);
    return code;
}

static enum tn_code
observe(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    const struct tn_driver *driver = w->base.driver;
    enum tn_code code = TN_OK;
    if (driver && !w->watch) {
        tn_worker_watch_start(w);
        k->full = true;
        k->scope = (struct tn_scope){0};
    }
    code = render(k);
    k->report->rendered_ns = tn_now_ns();
    if (!code && !w->session) {
        code = driver->open(w->base.device, &w->env, &w->session, &k->err);
    }
    k->d.session = w->session;
    if (!code) {
        code = driver->observe(w->session, &k->scope, k->d.want, k->arena,
                               &k->d.have, &k->err);
    }
    k->report->observed_ns = tn_now_ns();
    if (code) {
        tn_worker_session_drop(w);
        return code;
    }
    k->d.last = state_part(k, k->d.last);
    k->d.want = state_part(k, k->d.want);
    k->d.have = state_part(k, k->d.have);
    return tn_device_plan(&k->d, &k->err);
}

/* Newer intent says the same of this device: it is not touched. */
static enum tn_code
look_past(struct tn_look *k)
{
    struct tn_state *nothing = tn_new(k->arena, struct tn_state);
    nothing->device = k->w->name;
    k->d = k->w->base;
    k->d.arena = k->arena;
    k->d.want = k->d.last = k->d.have = nothing;
    k->report->unlooked = true;
    k->report->rendered_ns = k->report->observed_ns = tn_now_ns();
    return tn_device_plan(&k->d, &k->err);
}

static bool
is_waiting(const struct tn_worker *w, const char *key)
{
    for (size_t i = 0; i < w->waiting.n; i++) {
        if (strcmp(w->waiting.items[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_looked_at(const struct tn_look *k, const char *scope)
{
    if (tn_texts_has(k->d.held, k->d.n_held, scope)) {
        return false; /* Nothing was planned there. */
    }
    return k->full || tn_texts_has(k->scope.names, k->scope.n, scope);
}

/* Was it tried, and waits?  What was not tried waits as it did. */
static bool
still_waits(const struct tn_look *k, size_t change)
{
    return k->d.outcomes ? k->d.outcomes[change] == TN_STEP_WAITING
                         : is_waiting(k->w, k->d.plan->changes[change].key);
}

/* Notes what could not be done before others do something: it is no drift,
 * however long it lasts.  What is not in the plan any more waits no longer. */
static void
waiting_note(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    const struct tn_device_plan *plan = k->d.plan;
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(struct tn_waiting) all = {0};
    for (size_t i = 0; i < w->waiting.n; i++) {
        const struct tn_waiting *it = &w->waiting.items[i];
        if (!is_looked_at(k, it->scope)) {
            *tn_vec_push(arena, &all) =
                (struct tn_waiting){tn_arena_strdup(arena, it->key),
                                    tn_arena_strdup(arena, it->scope)};
        }
    }
    for (size_t i = 0; i < plan->n_changes; i++) {
        const struct tn_change *c = &plan->changes[i];
        if (still_waits(k, i)) {
            *tn_vec_push(arena, &all) =
                (struct tn_waiting){tn_arena_strdup(arena, c->key),
                                    tn_arena_strdup(arena, c->scope)};
        }
    }
    char text[TN_ERROR_TEXT];
    const char *why = k->d.n_waiting
                          ? tn_error_text(&k->d.waits_for, text, sizeof text)
                          : w->waits_for;
    w->waits_for = all.n && why ? tn_arena_strdup(arena, why) : NULL;
    tn_arena_free(w->waiting_arena);
    w->waiting_arena = arena;
    w->waiting.items = all.items;
    w->waiting.n = all.n;
    w->waiting.cap = all.cap;
}

static void
drift_note(struct tn_look *k)
{
    struct tn_unit_report *r = k->report;
    const struct tn_device_plan *plan = k->d.plan;
    struct tn_device_plan known = *plan;
    struct tn_change *changes =
        tn_new_n(k->arena, struct tn_change, plan->n_changes);
    known.n_changes = 0;
    for (size_t i = 0; i < plan->n_changes; i++) {
        if (!is_waiting(k->w, plan->changes[i].key)) {
            changes[known.n_changes++] = plan->changes[i];
        }
    }
    known.changes = changes;
    tn_drift_count(k->w->base.driver->guards, &known, &r->drift);
    const struct tn_change *c = r->drift.first;
    if (c) {
        r->drift_text = tn_arena_printf(r->arena, "%s %s%s", c->kind, c->name,
                                        !c->before  ? " is gone"
                                        : !c->after ? " is not wanted"
                                                    : " was changed");
        r->drift_scope = tn_arena_strdup(r->arena, c->scope);
    }
    r->drift.first = NULL;
}

/* May anything be done to this scope now? */
static bool
scope_allowed(struct tn_look *k, const char *scope)
{
    struct tn_worker *w = k->w;
    const struct tn_mode_rule *why = NULL;
    enum tn_mode mode = tn_modes_get(w->modes, w->name, scope, w->known,
                                     (int64_t) time(NULL), &why);
    if (mode != TN_MODE_HEAL) {
        k->held = k->held || mode == TN_MODE_HOLD;
        if (why && why->reason[0] && !k->report->hold_reason) {
            k->report->hold_reason =
                tn_arena_strdup(k->report->arena, why->reason);
        }
        return false;
    }
    const struct tn_device_plan *plan = k->d.plan;
    const char **keys = tn_new_n(k->arena, const char *, plan->n_changes);
    size_t n = 0;
    for (size_t i = 0; i < plan->n_changes; i++) {
        const struct tn_change *c = &plan->changes[i];
        if (c->cause == TN_CAUSE_DRIFT && strcmp(c->scope, scope) == 0 &&
            !is_waiting(w, c->key) && !(w->over && tn_change_is_gone(c))) {
            keys[n++] = c->key;
        }
    }
    /* What was not healed the last time did not come back. */
    size_t counted = w->stuck ? 0 : n;
    int64_t now = tn_now_ms();
    if (n && tn_flaps_seen(w->flaps, scope, keys, counted, now) > now) {
        k->flapping = true;
        return false;
    }
    return true;
}

/* Scopes in which something may not be done are left alone whole. */
static enum tn_code
gates_pass(struct tn_look *k)
{
    TN_VEC(const char *) held = {0};
    const struct tn_scope touched = tn_plan_scopes(k->arena, k->d.plan);
    for (size_t i = 0; i < k->d.n_held; i++) {
        *tn_vec_push(k->arena, &held) = k->d.held[i];
    }
    for (size_t i = 0; i < touched.n; i++) {
        if (!scope_allowed(k, touched.names[i])) {
            *tn_vec_push(k->arena, &held) = touched.names[i];
        }
    }
    if (held.n == k->d.n_held) {
        return TN_OK;
    }
    tn_texts_sort(held.items, held.n);
    k->d.held = held.items;
    k->d.n_held = held.n;
    size_t before = k->d.plan->n_changes;
    enum tn_code code = tn_device_plan(&k->d, &k->err);
    if (!code && before > k->d.plan->n_changes) {
        k->report->outcome = k->held ? TN_UNIT_HELD : TN_UNIT_OBSERVED;
        k->report->drift_left = tn_drift_total(&k->report->drift) > 0;
        k->report->flapping = k->flapping;
    }
    return code;
}

/* They are looked at again although the watch said nothing. */
static void
dirty_again(struct tn_worker *w, const struct tn_scope *scopes)
{
    w->untold = true;
    for (size_t i = 0; i < scopes->n; i++) {
        if (w->n_dirty == TN_DIRTY_MAX) {
            w->full = true;
            return;
        }
        w->dirty[w->n_dirty++] =
            tn_arena_strdup(w->dirty_arena, scopes->names[i]);
    }
}

static enum tn_code
apply(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    struct tn_state_lock *lock = NULL;
    enum tn_code code = tn_apply_gate_enter(w->options->gate, LOCK_WAIT_MS,
                                            &lock, &k->d.failure);
    if (code) {
        return code;
    }
    const struct tn_scope touched = tn_plan_scopes(k->arena, k->d.plan);
    struct tn_apply_job job = {
        .devices = &k->d,
        .n = 1,
        .commit = w->intent->run->commit.id,
        .environment = w->intent->run->network->inventory->environment,
        .whole = k->refusal == NULL,
    };
    struct tn_error err = {0};
    if (w->watch) {
        w->base.driver->watch_quiet(w->watch, &touched, true);
    }
    code = tn_apply_devices(&job, lock, &err);
    if (w->watch) {
        w->base.driver->watch_quiet(w->watch, &touched, false);
    }
    tn_apply_gate_leave(w->options->gate);
    if (code && !k->d.failure.code) {
        k->d.failure = err;
    }
    if (k->d.n_done || code) {
        dirty_again(w, &touched);
    }
    k->report->n_changes = k->d.n_done;
    return code;
}

static void
outcome_set(struct tn_look *k, enum tn_code code)
{
    struct tn_unit_report *r = k->report;
    switch (k->d.end) {
    case TN_DEVICE_UNTOUCHED:
        if (code) {
            r->outcome = TN_UNIT_FAILED;
        }
        break;
    case TN_DEVICE_VERIFIED:
        if (r->outcome == TN_UNIT_UNCHANGED && k->d.n_done) {
            r->outcome = TN_UNIT_APPLIED;
        }
        break;
    case TN_DEVICE_ROLLED_BACK:
        r->outcome = TN_UNIT_ROLLED_BACK;
        break;
    case TN_DEVICE_BROKEN:
        r->outcome = TN_UNIT_FAILED;
        break;
    case TN_DEVICE_UNREACHED:
        r->outcome = TN_UNIT_UNREACHABLE;
        break;
    }
    if (code) {
        r->drift_left = tn_drift_total(&r->drift) > 0;
    }
}

static bool
is_failure(enum tn_unit_outcome outcome)
{
    return outcome == TN_UNIT_FAILED || outcome == TN_UNIT_ROLLED_BACK ||
           outcome == TN_UNIT_UNREACHABLE;
}

/* What was looked at is as the intent says now. */
static void
applied_note(const struct tn_look *k)
{
    struct tn_worker *w = k->w;
    if (!k->full && k->d.want) {
        size_t before = k->d.last ? k->d.last->n : 0;
        w->n_resources += k->d.want->n - before;
    }
    tn_worker_applied(w);
}

static void
next_set(struct tn_look *k, bool failed)
{
    struct tn_worker *w = k->w;
    int64_t now = tn_now_ms(), wall = (int64_t) time(NULL);
    if (failed) {
        w->random = w->random * 1664525u + 1013904223u;
        w->retry_ms = now + tn_backoff_fail(&w->backoff, w->random >> 8);
    } else {
        w->retry_ms = 0;
        tn_backoff_reset(&w->backoff);
    }
    if (k->full || w->look_ms <= now) {
        w->random = w->random * 1664525u + 1013904223u;
        int64_t audit = w->options->audit_ms;
        w->look_ms = now + audit - audit / 10 +
                     (int64_t) ((w->random >> 8) % (uint32_t) (audit / 5 + 1));
    }
    int64_t flap = tn_flaps_next(w->flaps, now);
    if (flap && flap < w->look_ms) {
        w->look_ms = flap;
    }
    int64_t mode = tn_modes_next(w->modes, wall);
    if (mode && now + (mode - wall) * 1000 < w->look_ms) {
        w->look_ms = now + (mode - wall) * 1000;
    }
    if (k->adopting && k->report->device.why && !failed) {
        w->look_ms = now; /* Only a look at all of it says how it stands. */
    }
    k->report->breaker_open = tn_backoff_open(&w->backoff);
}

/* What is said to have changed, if all that is dirty is so for that. */
static void
told_take(struct tn_look *k)
{
    const struct tn_worker *w = k->w;
    if (w->untold || k->adopting) {
        return;
    }
    const char **keys = tn_new_n(k->arena, const char *, w->n_told + 1);
    for (size_t i = 0; i < w->n_told; i++) {
        keys[i] = tn_arena_strdup(k->arena, w->told[i]);
    }
    k->scope.n_keys = tn_texts_unique(keys, w->n_told);
    k->scope.keys = keys;
}

static struct tn_look
look_begin(struct tn_worker *w)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_look k = {.w = w,
                        .arena = tn_arena_new(),
                        .full = w->full,
                        .adopting = w->adopting};
    k.report = tn_new(arena, struct tn_unit_report);
    *k.report = (struct tn_unit_report){
        .arena = arena,
        .intent = tn_intent_ref(w->intent),
        .event = w->event ? tn_arena_strdup(arena, w->event) : NULL,
        .event_ns = w->event_ns,
        .lost = w->lost,
        .start_ns = tn_now_ns(),
        .budget_left = -1,
    };
    if (!w->base.driver || !(w->base.driver->caps & TN_CAP_SCOPED)) {
        k.full = true;
    }
    k.adopting = k.adopting && !k.full;
    if (!k.full) {
        const char **names = tn_new_n(k.arena, const char *, w->n_dirty);
        for (size_t i = 0; i < w->n_dirty; i++) {
            names[i] = tn_arena_strdup(k.arena, w->dirty[i]);
        }
        tn_texts_sort(names, w->n_dirty);
        k.scope = (struct tn_scope){.names = names, .n = w->n_dirty};
        told_take(&k);
    }
    w->full = false;
    w->adopting = false;
    w->lost = false;
    w->n_dirty = 0;
    w->n_told = 0;
    w->untold = false;
    w->event = NULL;
    w->event_ns = 0;
    tn_arena_reset(w->dirty_arena);
    return k;
}

void
tn_worker_cycle(struct tn_worker *w)
{
    struct tn_look k = look_begin(w);
    struct tn_unit_report *r = k.report;
    bool pass = k.adopting && k.scope.n == 0;
    enum tn_code code = pass ? look_past(&k) : observe(&k);
    r->planned_ns = tn_now_ns();
    if (code) {
        r->outcome = TN_UNIT_UNREACHABLE;
    } else {
        drift_note(&k);
        code = gates_pass(&k);
        if (!code) {
            tn_look_budget(&k);
        }
        if (!code && k.d.plan->n_changes) {
            r->fresh = w->applied != w->intent;
            code = apply(&k);
        }
        if (k.d.plan) {
            waiting_note(&k);
        }
        outcome_set(&k, code);
    }
    bool failed = is_failure(r->outcome);
    /* After an apply the second look, which is due at once, settles it. */
    r->settled = failed || r->outcome != TN_UNIT_APPLIED;
    tn_look_report(&k);
    if ((k.full || k.adopting) && !code && r->outcome != TN_UNIT_REFUSED &&
        r->outcome != TN_UNIT_OBSERVED && r->outcome != TN_UNIT_HELD) {
        applied_note(&k);
    }
    r->end_ns = tn_now_ns();
    w->stuck = failed;
    next_set(&k, failed);
    r->large = k.full || r->n_changes > LARGE_APPLY;
    tn_arena_free(k.arena);
    w->options->post(w->options->ctx, r);
}
