/* device.c - commit, look again, and undo what did not come out as planned.
 *
 * Verification compares what the device now holds with what the plan said, key
 * by key, and does not trust the driver's word.  Undoing is an apply as well:
 * what the device held before is what is wanted, in the scopes that were
 * touched; its success is verified in the same way.  What somebody else did
 * in other scopes meanwhile is not ours to undo. */
#include "reconciler/apply/device.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/time.h"
#include "reconciler/snapshot/snapshot.h"

/* What is ours in the touched scopes. */
static const struct tn_state *
state_within(struct tn_arena *arena, const struct tn_state *state,
             const struct tn_scope *t)
{
    struct tn_state *out = tn_new(arena, struct tn_state);
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, state->n);
    for (size_t i = 0; i < state->n; i++) {
        const struct tn_resource *r = &state->items[i];
        if (r->owner == TN_OURS && tn_texts_has(t->names, t->n, r->scope)) {
            items[out->n++] = *r;
        }
    }
    out->device = state->device;
    out->items = items;
    return out;
}

static enum tn_code
steps_commit(struct tn_device_run *d, const struct tn_device_plan *plan,
             enum tn_outcome *outcomes, struct tn_error *err)
{
    struct tn_stage *stage = NULL;
    size_t failed = plan->n_changes;
    enum tn_code code =
        d->driver->stage(d->session, plan->steps, plan->n_changes, &stage, err);
    if (code) {
        return code;
    }
    code = d->driver->commit(stage, outcomes, &failed, err);
    if (code && failed < plan->n_changes) {
        const struct tn_change *c = &plan->changes[failed];
        tn_error_at(err, c->origin);
        code = tn_while(err, code, "%s %s", tn_change_action(c), c->key);
    }
    return code;
}

static enum tn_code
look_again(struct tn_device_run *d, const struct tn_scope *t,
           const struct tn_state *want, const struct tn_state **out,
           struct tn_error *err)
{
    struct tn_scope scope = {0};
    if (d->driver->caps & TN_CAP_SCOPED) {
        scope = *t;
    }
    return d->driver->observe(d->session, &scope, want, d->arena, out, err);
}

/* The first attribute in which two versions of a resource differ. */
static const char *
difference(struct tn_arena *arena, const struct tn_resource *want,
           const struct tn_resource *have)
{
    if (!have) {
        return "is not there";
    }
    if (!want) {
        return "is still there";
    }
    for (size_t i = 0; i < want->n_attrs; i++) {
        const struct tn_attr *a = &want->attrs[i];
        const char *v = tn_resource_attr(have, a->name);
        if (!tn_streq(a->value, v)) {
            return a->secret ? tn_arena_printf(arena, "%s differs", a->name)
                             : tn_arena_printf(arena, "%s is '%s', not '%s'",
                                               a->name, v ? v : "", a->value);
        }
    }
    return "has attributes that were not asked for";
}

static enum tn_code
changes_verify(struct tn_device_run *d, const enum tn_outcome *outcomes,
               const struct tn_state *now, struct tn_error *err)
{
    for (size_t i = 0; i < d->plan->n_changes; i++) {
        const struct tn_change *c = &d->plan->changes[i];
        const struct tn_resource *have = tn_state_get(now, c->key);
        if (c->half == TN_HALF_REMOVE || outcomes[i] == TN_STEP_WAITING) {
            continue;
        }
        if (have && have->owner == TN_FOREIGN) {
            have = NULL;
        }
        if (c->after ? have && tn_resource_same(c->after, have) : !have) {
            continue;
        }
        enum tn_code code =
            tn_fail(err, TN_ESTALE, 0, "after the apply %s %s", c->key,
                    difference(d->arena, c->after, have));
        tn_error_at(err, c->origin);
        return code;
    }
    return TN_OK;
}

/* The plan is carried out; is all of the touched scopes as wanted?  A side
 * effect, or somebody else's hand meanwhile, is no reason to undo what went
 * well, but it is not passed over. */
static enum tn_code
rest_count(struct tn_device_run *d, const struct tn_scope *t,
           const struct tn_state *now, struct tn_error *err)
{
    const struct tn_device_plan *rest = NULL;
    const struct tn_state *want = state_within(d->arena, d->want, t);
    struct tn_plan_input in = {
        .device = d->device->name,
        .driver = d->driver->name,
        .caps = d->driver->caps,
        .last = want,
        .want = want,
        .have = state_within(d->arena, now, t),
        .held = d->held,
        .n_held = d->n_held,
    };
    enum tn_code code = tn_plan_device(d->arena, &in, &rest, err);
    if (!code && rest->n_changes > d->n_waiting) {
        d->n_differ = rest->n_changes - d->n_waiting;
    }
    return code;
}

/* Plans what leads from what the device holds to what it held before. */
static enum tn_code
undo_plan(struct tn_device_run *d, const struct tn_scope *t,
          const struct tn_device_plan **out, struct tn_error *err)
{
    const struct tn_state *now = NULL;
    const struct tn_state *before = state_within(d->arena, d->have, t);
    enum tn_code code = look_again(d, t, before, &now, err);
    if (code) {
        return code;
    }
    struct tn_plan_input in = {
        .device = d->device->name,
        .driver = d->driver->name,
        .caps = d->driver->caps | TN_CAP_OWNER,
        .last = before,
        .want = before,
        .have = state_within(d->arena, now, t),
    };
    return tn_plan_device(d->arena, &in, out, err);
}

static enum tn_code
undo(struct tn_device_run *d, const struct tn_scope *t, struct tn_error *err)
{
    const struct tn_device_plan *plan = NULL;
    enum tn_code code = undo_plan(d, t, &plan, err);
    if (code || plan->n_changes == 0) {
        return code;
    }
    enum tn_outcome *outcomes =
        tn_new_n(d->arena, enum tn_outcome, plan->n_changes);
    code = steps_commit(d, plan, outcomes, err);
    if (!code) {
        code = undo_plan(d, t, &plan, err);
    }
    if (!code && plan->n_changes) {
        code = tn_fail(err, TN_ESTALE, 0,
                       "%zu objects still differ from before"
                       ", first %s",
                       plan->n_changes, plan->changes[0].key);
    }
    return code;
}

/* The touched scopes, and what of them was changed. */
static struct tn_scope
touched_told(const struct tn_device_run *d, const struct tn_scope *t)
{
    struct tn_scope told = *t;
    const char **keys = tn_new_n(d->arena, const char *, d->plan->n_changes);
    for (size_t i = 0; i < d->plan->n_changes; i++) {
        keys[i] = d->plan->changes[i].key;
    }
    told.keys = keys;
    told.n_keys = tn_texts_unique(keys, d->plan->n_changes);
    return told;
}

void
tn_device_apply(struct tn_device_run *d, bool whole, enum tn_outcome *outcomes)
{
    const struct tn_device_plan *plan = d->plan;
    const struct tn_scope t = tn_plan_scopes(d->arena, plan);
    const struct tn_state *now = NULL;
    enum tn_code code = steps_commit(d, plan, outcomes, &d->failure);
    d->committed_ns = tn_now_ns();
    for (size_t i = 0; i < plan->n_changes; i++) {
        d->n_done += outcomes[i] == TN_STEP_DONE;
        d->n_waiting += outcomes[i] == TN_STEP_WAITING;
    }
    if (!code && d->n_waiting) {
        d->waits_for = d->failure;
        d->failure = (struct tn_error){0};
    }
    if (!code) {
        const struct tn_scope told = touched_told(d, &t);
        code = look_again(d, &told, d->want, &now, &d->failure);
    }
    if (!code) {
        d->after = tn_snapshot_overlay(d->arena, d->have, now, t.names, t.n);
        code = changes_verify(d, outcomes, now, &d->failure);
    }
    if (!code && whole) {
        code = rest_count(d, &t, now, &d->failure);
    }
    if (!code) {
        d->end = TN_DEVICE_VERIFIED;
        return;
    }
    d->end = undo(d, &t, &d->undo_failure) ? TN_DEVICE_BROKEN
                                           : TN_DEVICE_ROLLED_BACK;
}

enum tn_code
tn_device_undo(struct tn_device_run *d, struct tn_error *err)
{
    const struct tn_scope t = tn_plan_scopes(d->arena, d->plan);
    return undo(d, &t, err);
}
