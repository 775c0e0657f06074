/* trial.c - see trial.h. */
#include "tests/conformance/trial.h"

#include <stdlib.h>

#include <criterion/criterion.h>

static void
assert_ok(enum tn_code code, const struct tn_error *err, const char *what)
{
    char why[TN_ERROR_TEXT];
    cr_assert_eq(code, TN_OK, "%s: %s", what,
                 tn_error_text(err, why, sizeof why));
}

void
tn_trial_init(struct tn_trial *t)
{
    *t = (struct tn_trial){.subject = tn_conformance_subject(),
                           .arena = tn_arena_new()};
    t->world = t->subject->setup();
}

void
tn_trial_done(struct tn_trial *t)
{
    t->subject->teardown(t->world);
    tn_arena_free(t->arena);
}

const struct tn_device *
tn_trial_device_of(const struct tn_network *network, const char *host)
{
    for (size_t i = 0; i < network->n_devices; i++) {
        if (strcmp(network->devices[i].name, host) == 0) {
            return &network->devices[i];
        }
    }
    cr_assert_fail("%s is no device", host);
    return NULL;
}

const struct tn_device *
tn_trial_device(struct tn_trial *t, enum tn_variant variant, const char *host)
{
    const char *device = t->subject->device ? t->subject->device : host;
    return tn_trial_device_of(
        tn_intent(t->arena, t->subject, t->world, variant, "conformance"),
        device);
}

const struct tn_state *
tn_trial_want(struct tn_trial *t, const struct tn_device *device)
{
    struct tn_error err = {0};
    struct tn_diags diags;
    const struct tn_state *state = NULL;
    tn_diags_init(&diags, t->arena);
    assert_ok(
        t->subject->driver->render(device, t->arena, &state, &diags, &err),
        &err, "render");
    cr_assert_eq(diags.n_errors, 0, "render: %s", diags.list.items[0].message);
    return state;
}

struct tn_session *
tn_trial_open(struct tn_trial *t, const struct tn_device *device)
{
    static const struct tn_driver_env env = {0};
    struct tn_error err = {0};
    struct tn_session *session = NULL;
    assert_ok(t->subject->driver->open(device, &env, &session, &err), &err,
              "open");
    return session;
}

const struct tn_state *
tn_trial_look(struct tn_trial *t, struct tn_session *session,
              const struct tn_device *device)
{
    struct tn_error err = {0};
    struct tn_scope all = {0};
    struct tn_session *own = session ? NULL : tn_trial_open(t, device);
    const struct tn_state *state = NULL;
    assert_ok(t->subject->driver->observe(session ? session : own, &all,
                                          tn_trial_want(t, device), t->arena,
                                          &state, &err),
              &err, "observe");
    t->subject->driver->close(own);
    cr_assert_str_eq(state->device, device->name);
    for (size_t i = 1; i < state->n; i++) {
        cr_assert_lt(strcmp(state->items[i - 1].key, state->items[i].key), 0,
                     "observed %s after %s", state->items[i].key,
                     state->items[i - 1].key);
    }
    return state;
}

const struct tn_state *
tn_trial_owned(struct tn_trial *t, const struct tn_state *state,
               enum tn_owner owner)
{
    struct tn_state *out = tn_new(t->arena, struct tn_state);
    struct tn_resource *items =
        tn_new_n(t->arena, struct tn_resource, state->n + 1);
    for (size_t i = 0; i < state->n; i++) {
        if (state->items[i].owner == owner) {
            items[out->n++] = state->items[i];
        }
    }
    out->device = state->device;
    out->items = items;
    return out;
}

const struct tn_device_plan *
tn_trial_plan(struct tn_trial *t, const struct tn_device *device,
              const struct tn_state *have)
{
    struct tn_error err = {0};
    const struct tn_state *want = tn_trial_want(t, device);
    const struct tn_device_plan *plan = NULL;
    struct tn_plan_input in = {
        .device = device->name,
        .driver = t->subject->driver->name,
        .caps = t->subject->driver->caps,
        /* What was here before and is wanted no more was ours to remove. */
        .last = tn_trial_owned(t, have, TN_OURS),
        .want = want,
        .have = have,
    };
    assert_ok(tn_plan_device(t->arena, &in, &plan, &err), &err, "plan");
    return plan;
}

struct tn_trial_end
tn_trial_commit(struct tn_trial *t, struct tn_session *session,
                const struct tn_step *steps, size_t n)
{
    const struct tn_driver *driver = t->subject->driver;
    struct tn_trial_end end = {.failed = SIZE_MAX};
    enum tn_outcome *outcomes = tn_new_n(t->arena, enum tn_outcome, n + 1);
    struct tn_stage *stage = NULL;
    assert_ok(driver->stage(session, steps, n, &stage, &end.err), &end.err,
              "stage");
    end.code = driver->commit(stage, outcomes, &end.failed, &end.err);
    cr_assert_eq(end.code == TN_OK, end.failed == n,
                 "'failed' is %zu of %zu with code %s", end.failed, n,
                 tn_code_name(end.code));
    for (size_t i = 0; i < n; i++) {
        end.n_done += outcomes[i] == TN_STEP_DONE;
        cr_assert(end.code != TN_OK || outcomes[i] == TN_STEP_DONE,
                  "step %zu is not done but the commit is", i);
        cr_assert(i <= end.failed || outcomes[i] == TN_STEP_PENDING,
                  "step %zu was tried after %zu failed", i, end.failed);
    }
    cr_assert(end.code == TN_OK || outcomes[end.failed] != TN_STEP_DONE);
    return end;
}

const struct tn_device_plan *
tn_trial_reach(struct tn_trial *t, const struct tn_device *device)
{
    struct tn_session *session = tn_trial_open(t, device);
    const struct tn_device_plan *plan =
        tn_trial_plan(t, device, tn_trial_look(t, session, device));
    struct tn_trial_end end =
        tn_trial_commit(t, session, plan->steps, plan->n_changes);
    assert_ok(end.code, &end.err, "commit");
    const struct tn_state *want = tn_trial_want(t, device);
    const struct tn_state *same = tn_trial_look(t, session, device);
    const struct tn_state *fresh = tn_trial_look(t, NULL, device);
    tn_trial_expect_same(tn_trial_owned(t, same, TN_OURS), want,
                         "after the commit, same session");
    tn_trial_expect_same(tn_trial_owned(t, fresh, TN_OURS), want,
                         "after the commit, new session");
    cr_assert_eq(tn_trial_plan(t, device, fresh)->n_changes, 0,
                 "the second plan is not empty");
    t->subject->driver->close(session);
    return plan;
}

static size_t
place_of(const struct tn_resource *items, size_t n, const char *key)
{
    size_t i = 0;
    while (i < n && strcmp(items[i].key, key) != 0) {
        i++;
    }
    return i;
}

/* Removes a resource and all that hang on it. */
static size_t
model_remove(struct tn_resource *items, size_t n, const char *key)
{
    size_t i = place_of(items, n, key);
    if (i < n) {
        memmove(&items[i], &items[i + 1], (n - i - 1) * sizeof *items);
        n--;
    }
    for (i = 0; i < n;) {
        if (tn_streq(items[i].parent, key)) {
            n = model_remove(items, n, items[i].key);
            i = 0;
        } else {
            i++;
        }
    }
    return n;
}

static size_t
model_put(struct tn_resource *items, size_t n, const struct tn_resource *r)
{
    size_t i = place_of(items, n, r->key);
    items[i] = *r;
    return i == n ? n + 1 : n;
}

const struct tn_state *
tn_trial_model(struct tn_trial *t, const struct tn_state *have,
               const struct tn_step *steps, size_t n)
{
    struct tn_error err = {0};
    struct tn_state *out = tn_new(t->arena, struct tn_state);
    struct tn_resource *items =
        tn_new_n(t->arena, struct tn_resource, have->n + n + 1);
    size_t n_items = have->n;
    for (size_t i = 0; i < have->n; i++) {
        items[i] = have->items[i];
    }
    for (size_t i = 0; i < n; i++) {
        const struct tn_step *s = &steps[i];
        if (s->op == TN_OP_DELETE || s->op == TN_OP_REPLACE) {
            n_items = model_remove(items, n_items, s->before->key);
        }
        if (s->op != TN_OP_DELETE) {
            n_items = model_put(items, n_items, s->after);
        }
    }
    assert_ok(tn_state_sort(items, n_items, &err), &err, "model");
    *out = (struct tn_state){have->device, items, n_items};
    return out;
}

static void
explain(const struct tn_resource *have, const struct tn_resource *want,
        const char *when)
{
    for (size_t i = 0; i < want->n_attrs; i++) {
        const struct tn_attr *a = &want->attrs[i];
        const char *v = tn_resource_attr(have, a->name);
        cr_assert(tn_streq(a->value, v), "%s: %s: %s is '%s', not '%s'", when,
                  want->key, a->name, v ? v : "(absent)", a->value);
    }
    for (size_t i = 0; i < have->n_attrs; i++) {
        const struct tn_attr *a = &have->attrs[i];
        cr_assert_not_null(tn_resource_attr(want, a->name),
                           "%s: %s: %s is '%s' and should be absent", when,
                           want->key, a->name, a->value);
    }
    cr_assert_fail("%s: %s differs", when, want->key);
}

void
tn_trial_expect_same(const struct tn_state *have, const struct tn_state *want,
                     const char *when)
{
    size_t h = 0, w = 0;
    while (h < have->n || w < want->n) {
        int c = h == have->n   ? 1
                : w == want->n ? -1
                               : strcmp(have->items[h].key, want->items[w].key);
        cr_assert_geq(c, 0, "%s: %s should not be there", when,
                      have->items[h].key);
        cr_assert_leq(c, 0, "%s: %s should be there", when, want->items[w].key);
        if (!tn_resource_same(&have->items[h], &want->items[w])) {
            explain(&have->items[h], &want->items[w], when);
        }
        cr_assert_str_eq(have->items[h].name, want->items[w].name,
                         "%s: %s is called '%s', not '%s'", when,
                         want->items[w].key, have->items[h].name,
                         want->items[w].name);
        h++;
        w++;
    }
}
