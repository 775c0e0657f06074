/* conformance.c - the checks; see conformance.h.
 *
 * States are compared with what render() promises, and what a commit leaves
 * when it stops half way with a model of the contract, never with the driver's
 * own word. */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "tests/conformance/trial.h"

TestSuite(conformance, .timeout = 300);

static size_t
stride_of(const struct tn_trial *t)
{
    return t->subject->stride ? t->subject->stride : 1;
}

static size_t
count_owner(const struct tn_state *state, enum tn_owner owner)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n; i++) {
        n += state->items[i].owner == owner;
    }
    return n;
}

/* --- render -------------------------------------------------------------- */

static void
check_resource(const struct tn_state *state, const struct tn_resource *r)
{
    size_t scope = strlen(r->scope);
    cr_assert_eq(strncmp(r->key, r->scope, scope), 0,
                 "%s does not begin with its scope %s", r->key, r->scope);
    cr_assert_eq(r->owner, TN_OURS, "%s", r->key);
    cr_assert(r->kind && r->kind[0] && r->name && r->name[0], "%s", r->key);
    cr_assert_gt(r->origin.line, 0, "%s has no line of intent", r->key);
    cr_assert_not_null(r->origin.path, "%s has no file", r->key);
    for (size_t i = 0; i < r->n_attrs; i++) {
        cr_assert_not_null(r->attrs[i].value, "%s", r->key);
        cr_assert(i == 0 || strcmp(r->attrs[i - 1].name, r->attrs[i].name) < 0,
                  "%s: attributes are not sorted", r->key);
    }
    if (r->parent) {
        const struct tn_resource *parent = tn_state_get(state, r->parent);
        cr_assert_not_null(parent, "%s: parent %s is not there", r->key,
                           r->parent);
        cr_assert_lt(parent->rank, r->rank, "%s ranks before its parent",
                     r->key);
    }
}

Test(conformance, render_is_sorted_and_complete)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_state *s =
        tn_trial_want(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    cr_assert_gt(s->n, t.subject->blind ? 5 : 10);
    cr_assert_str_eq(s->device, t.subject->device ? t.subject->device : "hv1");
    for (size_t i = 0; i < s->n; i++) {
        const struct tn_resource *r = &s->items[i];
        cr_assert(i == 0 || strcmp(s->items[i - 1].key, r->key) < 0,
                  "%s is not sorted", r->key);
        check_resource(s, r);
        for (size_t k = 0; k < i && r->claim; k++) {
            cr_assert(!tn_streq(s->items[k].claim, r->claim),
                      "%s and %s claim %s", s->items[k].key, r->key, r->claim);
        }
    }
    tn_trial_done(&t);
}

Test(conformance, render_is_deterministic)
{
    struct tn_trial t;
    tn_trial_init(&t);
    for (int v = TN_V_BASE; v < TN_N_VARIANTS; v++) {
        const struct tn_device *a =
            tn_trial_device(&t, (enum tn_variant) v, "hv1");
        const struct tn_device *b =
            tn_trial_device(&t, (enum tn_variant) v, "hv1");
        tn_trial_expect_same(tn_trial_want(&t, a), tn_trial_want(&t, b),
                             "rendered twice");
    }
    tn_trial_done(&t);
}

static bool
is_on(const struct tn_device *device, const char *scope)
{
    bool on = false;
    for (size_t i = 0; i < device->n_vpcs; i++) {
        on = on || strcmp(device->vpcs[i]->scope, scope) == 0;
    }
    return on;
}

/* The device with one VPC and its peers. */
static const struct tn_device *
device_cut(struct tn_trial *t, const struct tn_device *device,
           const struct tn_net_vpc *vpc)
{
    struct tn_device *out = tn_new(t->arena, struct tn_device);
    const struct tn_net_vpc **vpcs =
        tn_new_n(t->arena, const struct tn_net_vpc *, device->n_vpcs);
    size_t n = 0;
    for (size_t i = 0; i < device->n_vpcs; i++) {
        bool wanted = device->vpcs[i] == vpc;
        for (size_t k = 0; k < vpc->n_peerings; k++) {
            const struct tn_net_vpc *peer = vpc->peerings[k].peer;
            wanted = wanted ||
                     (device->vpcs[i] == peer && is_on(device, peer->scope));
        }
        if (wanted) {
            vpcs[n++] = device->vpcs[i];
        }
    }
    *out = *device;
    out->vpcs = vpcs;
    out->n_vpcs = n;
    return out;
}

static const struct tn_state *
scope_of(struct tn_trial *t, const struct tn_state *state, const char *scope)
{
    struct tn_state *out = tn_new(t->arena, struct tn_state);
    struct tn_resource *items =
        tn_new_n(t->arena, struct tn_resource, state->n);
    *out = (struct tn_state){state->device, items, 0};
    for (size_t i = 0; i < state->n; i++) {
        if (strcmp(state->items[i].scope, scope) == 0) {
            items[out->n++] = state->items[i];
        }
    }
    return out;
}

Test(conformance, render_of_a_part_is_part_of_the_whole)
{
    struct tn_trial t;
    size_t n = 0;
    tn_trial_init(&t);
    for (int v = TN_V_BASE; v < TN_N_VARIANTS; v++) {
        const struct tn_device *device =
            tn_trial_device(&t, (enum tn_variant) v, "hv1");
        const struct tn_state *whole = tn_trial_want(&t, device);
        for (size_t i = 0; i < device->n_vpcs; i++) {
            const struct tn_net_vpc *vpc = device->vpcs[i];
            const struct tn_state *part =
                tn_trial_want(&t, device_cut(&t, device, vpc));
            tn_trial_expect_same(scope_of(&t, part, vpc->scope),
                                 scope_of(&t, whole, vpc->scope), vpc->scope);
            n += scope_of(&t, part, vpc->scope)->n;
        }
    }
    cr_assert_gt(n, 10);
    tn_trial_done(&t);
}

Test(conformance, render_follows_the_variants)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_state *base =
        tn_trial_want(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_state *less =
        tn_trial_want(&t, tn_trial_device(&t, TN_V_SMALLER, "hv1"));
    const struct tn_state *none =
        tn_trial_want(&t, tn_trial_device(&t, TN_V_NOTHING, "hv1"));
    cr_assert_lt(less->n, base->n);
    cr_assert_eq(none->n, t.subject->always);
    tn_trial_done(&t);
}

/* --- applying ------------------------------------------------------------ */

Test(conformance, an_empty_device_holds_nothing_of_ours)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    cr_assert_eq(count_owner(tn_trial_look(&t, NULL, d), TN_OURS), 0);
    tn_trial_done(&t);
}

Test(conformance, what_is_applied_is_what_was_rendered)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device_plan *plan =
        tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    cr_assert_gt(plan->counts.add, 0);
    cr_assert_eq(plan->counts.destroy + plan->counts.change, 0);
    tn_trial_done(&t);
}

Test(conformance, updates_happen_in_place)
{
    struct tn_trial t;
    tn_trial_init(&t);
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_device_plan *plan =
        tn_trial_reach(&t, tn_trial_device(&t, TN_V_UPDATED, "hv1"));
    cr_assert(plan->n_changes > 0 || t.subject->blind);
    if (!t.subject->nothing_in_place && !t.subject->blind) {
        cr_assert_gt(plan->counts.change, 0);
        cr_assert_eq(plan->counts.add + plan->counts.destroy, 0);
    }
    cr_assert_eq(plan->counts.replace, 0);
    tn_trial_done(&t);
}

Test(conformance, what_cannot_change_is_replaced)
{
    struct tn_trial t;
    tn_trial_init(&t);
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_device_plan *plan =
        tn_trial_reach(&t, tn_trial_device(&t, TN_V_REPLACED, "hv1"));
    cr_assert(plan->counts.replace > 0 || t.subject->nothing_replaced ||
              t.subject->blind);
    tn_trial_done(&t);
}

Test(conformance, one_thing_is_deleted)
{
    struct tn_trial t;
    tn_trial_init(&t);
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_device_plan *plan =
        tn_trial_reach(&t, tn_trial_device(&t, TN_V_SMALLER, "hv1"));
    cr_assert_gt(plan->counts.destroy, 0);
    cr_assert_eq(plan->counts.add + plan->counts.replace, 0);
    tn_trial_done(&t);
}

Test(conformance, everything_is_deleted)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_NOTHING, "hv1");
    tn_trial_reach(&t, d);
    const struct tn_state *before = tn_trial_look(&t, NULL, d);
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    tn_trial_reach(&t, d);
    tn_trial_expect_same(tn_trial_look(&t, NULL, d), before,
                         "after everything was deleted");
    tn_trial_done(&t);
}

Test(conformance, every_variant_leads_to_every_other)
{
    static const enum tn_variant walk[] = {
        TN_V_UPDATED, TN_V_REPLACED, TN_V_SMALLER,  TN_V_UPDATED,
        TN_V_BASE,    TN_V_REPLACED, TN_V_NOTHING,  TN_V_SMALLER,
        TN_V_BASE,    TN_V_SMALLER,  TN_V_REPLACED, TN_V_BASE};
    struct tn_trial t;
    tn_trial_init(&t);
    for (size_t i = 0; i < TN_ARRAY_SIZE(walk); i++) {
        tn_trial_reach(&t, tn_trial_device(&t, walk[i], "hv1"));
    }
    tn_trial_done(&t);
}

/* --- what others own ------------------------------------------------------ */

Test(conformance, foreign_objects_are_shown_and_untouched)
{
    static const enum tn_variant walk[] = {TN_V_UPDATED, TN_V_REPLACED,
                                           TN_V_SMALLER, TN_V_BASE};
    struct tn_trial t;
    TN_CLEANUP(tn_cleanup_text) struct tn_text before = {0}, after = {0};
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    t.subject->foreign_make(t.world, d, NULL);
    const struct tn_state *first = tn_trial_look(&t, NULL, d);
    cr_assert_gt(count_owner(first, TN_FOREIGN), 0, "not seen");
    cr_assert_eq(count_owner(first, TN_OURS), 0, "taken for ours");
    tn_trial_reach(&t, d);
    t.subject->foreign_make(t.world, d, tn_trial_want(&t, d));
    t.subject->foreign_dump(t.world, d, &before);
    const struct tn_state *seen =
        tn_trial_owned(&t, tn_trial_look(&t, NULL, d), TN_FOREIGN);
    cr_assert_geq(seen->n, count_owner(first, TN_FOREIGN));
    for (size_t i = 0; i < TN_ARRAY_SIZE(walk); i++) {
        tn_trial_reach(&t, tn_trial_device(&t, walk[i], "hv1"));
        tn_text_clear(&after);
        t.subject->foreign_dump(t.world, d, &after);
        cr_assert_str_eq(tn_text_str(&after), tn_text_str(&before));
        tn_trial_expect_same(
            tn_trial_owned(&t, tn_trial_look(&t, NULL, d), TN_FOREIGN), seen,
            "foreign objects");
    }
    tn_trial_done(&t);
}

Test(conformance, another_instance_is_foreign)
{
    struct tn_trial t;
    tn_trial_init(&t);
    if (!(t.subject->driver->caps & TN_CAP_OWNER)) {
        tn_trial_done(&t);
        cr_skip_test("the driver cannot mark");
    }
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_network *other =
        tn_intent(t.arena, t.subject, t.world, TN_V_NOTHING, "other");
    const struct tn_state *seen = tn_trial_look(
        &t, NULL,
        tn_trial_device_of(other,
                           t.subject->device ? t.subject->device : "hv1"));
    cr_assert_eq(count_owner(seen, TN_OURS), 0);
    cr_assert_gt(count_owner(seen, TN_FOREIGN), 0);
    tn_trial_done(&t);
}

Test(conformance, devices_do_not_see_each_other)
{
    struct tn_trial t;
    tn_trial_init(&t);
    if (t.subject->device) {
        tn_trial_done(&t);
        cr_skip_test("there is one device only");
    }
    const struct tn_device *a = tn_trial_device(&t, TN_V_BASE, "hv1");
    const struct tn_device *b = tn_trial_device(&t, TN_V_BASE, "hv2");
    struct tn_session *sa = tn_trial_open(&t, a), *sb = tn_trial_open(&t, b);
    tn_trial_reach(&t, a);
    cr_assert_eq(count_owner(tn_trial_look(&t, sb, b), TN_OURS), 0);
    tn_trial_reach(&t, b);
    tn_trial_expect_same(tn_trial_owned(&t, tn_trial_look(&t, sa, a), TN_OURS),
                         tn_trial_want(&t, a), "hv1 after hv2");
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_NOTHING, "hv1"));
    tn_trial_expect_same(tn_trial_owned(&t, tn_trial_look(&t, sb, b), TN_OURS),
                         tn_trial_want(&t, b), "hv2 after hv1 was emptied");
    t.subject->driver->close(sa);
    t.subject->driver->close(sb);
    tn_trial_done(&t);
}

/* --- drift ---------------------------------------------------------------- */

Test(conformance, tampering_is_seen_and_healed)
{
    struct tn_trial t;
    size_t n_tampered = 0;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    const struct tn_state *want = tn_trial_want(&t, d);
    tn_trial_reach(&t, d);
    for (size_t i = 0; i < want->n; i += stride_of(&t)) {
        const struct tn_resource *r = &want->items[i];
        if (!t.subject->tamper(t.world, d, r)) {
            continue;
        }
        const struct tn_resource *now =
            tn_state_get(tn_trial_look(&t, NULL, d), r->key);
        cr_assert(!now || now->owner == TN_FOREIGN || !tn_resource_same(now, r),
                  "%s was changed and looks the same", r->key);
        const struct tn_device_plan *plan = tn_trial_reach(&t, d);
        cr_assert_gt(plan->n_changes, 0);
        n_tampered++;
    }
    cr_assert_gt(n_tampered, 0);
    tn_trial_done(&t);
}

/* Commits one step alone after somebody changed what it expects to find. */
static void
stale_step(struct tn_trial *t, const struct tn_device *d,
           const struct tn_device *to, size_t i)
{
    struct tn_session *session = tn_trial_open(t, d);
    const struct tn_step *step =
        &tn_trial_plan(t, to, tn_trial_look(t, session, d))->steps[i];
    if (!step->before || !t->subject->tamper(t->world, d, step->before)) {
        t->subject->driver->close(session);
        return;
    }
    const struct tn_state *tampered = tn_trial_look(t, NULL, d);
    bool gone = !tn_state_get(tampered, step->before->key);
    struct tn_trial_end end = tn_trial_commit(t, session, step, 1);
    cr_assert_eq(end.code, gone && !step->after ? TN_OK : TN_ESTALE, "%s: %s",
                 step->before->key, tn_code_name(end.code));
    tn_trial_expect_same(tn_trial_look(t, NULL, d), tampered,
                         "after a stale commit");
    t->subject->driver->close(session);
}

/* A driver that compares must not write over what it did not expect. */
Test(conformance, a_stale_step_is_refused)
{
    static const enum tn_variant to[] = {TN_V_UPDATED, TN_V_NOTHING};
    struct tn_trial t;
    tn_trial_init(&t);
    if (!(t.subject->driver->caps & TN_CAP_COMPARE)) {
        tn_trial_done(&t);
        cr_skip_test("the driver does not compare");
    }
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    for (size_t k = 0; k < TN_ARRAY_SIZE(to); k++) {
        const struct tn_device *e = tn_trial_device(&t, to[k], "hv1");
        tn_trial_reach(&t, d);
        size_t n = tn_trial_plan(&t, e, tn_trial_look(&t, NULL, d))->n_changes;
        cr_assert(n > 0 || t.subject->blind);
        for (size_t i = 0; i < n; i += stride_of(&t)) {
            stale_step(&t, d, e, i);
            tn_trial_reach(&t, d);
        }
    }
    tn_trial_done(&t);
}

/* --- repetition and failure ------------------------------------------------
 */

Test(conformance, creating_what_exists_is_done)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    const struct tn_device_plan *plan = tn_trial_reach(&t, d);
    struct tn_session *session = tn_trial_open(&t, d);
    (void) tn_trial_look(&t, session, d);
    struct tn_trial_end end =
        tn_trial_commit(&t, session, plan->steps, plan->n_changes);
    cr_assert_eq(end.code, TN_OK, "%s", end.err.text);
    tn_trial_expect_same(
        tn_trial_owned(&t, tn_trial_look(&t, session, d), TN_OURS),
        tn_trial_want(&t, d), "created twice");
    t.subject->driver->close(session);
    tn_trial_done(&t);
}

Test(conformance, deleting_what_is_gone_is_done)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *none = tn_trial_device(&t, TN_V_NOTHING, "hv1");
    tn_trial_reach(&t, tn_trial_device(&t, TN_V_BASE, "hv1"));
    const struct tn_device_plan *plan = tn_trial_reach(&t, none);
    struct tn_session *session = tn_trial_open(&t, none);
    (void) tn_trial_look(&t, session, none);
    struct tn_trial_end end =
        tn_trial_commit(&t, session, plan->steps, plan->n_changes);
    cr_assert_eq(end.code, TN_OK, "%s", end.err.text);
    t.subject->driver->close(session);
    tn_trial_done(&t);
}

Test(conformance, rollback_changes_nothing)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_driver *driver = t.subject->driver;
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    struct tn_session *session = tn_trial_open(&t, d);
    const struct tn_state *before = tn_trial_look(&t, session, d);
    const struct tn_device_plan *plan = tn_trial_plan(&t, d, before);
    struct tn_stage *stage = NULL;
    struct tn_error err = {0};
    cr_assert_eq(
        driver->stage(session, plan->steps, plan->n_changes, &stage, &err),
        TN_OK);
    tn_trial_expect_same(tn_trial_look(&t, NULL, d), before, "while staged");
    driver->rollback(stage);
    driver->rollback(NULL);
    tn_trial_expect_same(tn_trial_look(&t, session, d), before,
                         "after rollback");
    driver->close(session);
    driver->close(NULL);
    tn_trial_done(&t);
}

Test(conformance, an_empty_commit_is_done)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    struct tn_session *session = tn_trial_open(&t, d);
    cr_assert_eq(tn_trial_commit(&t, session, NULL, 0).code, TN_OK);
    t.subject->driver->close(session);
    tn_trial_done(&t);
}

/* Stops after every step on the way from one variant to another, by giving up
 * there, and asks whether what is left is what those steps make. */
static void
stop_everywhere(enum tn_variant from, enum tn_variant to)
{
    struct tn_trial t;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, from, "hv1");
    const struct tn_device *e = tn_trial_device(&t, to, "hv1");
    tn_trial_reach(&t, d);
    size_t n_steps = SIZE_MAX;
    for (size_t n = 0; n < n_steps; n += stride_of(&t)) {
        struct tn_session *session = tn_trial_open(&t, d);
        const struct tn_state *have = tn_trial_look(&t, session, d);
        const struct tn_device_plan *plan = tn_trial_plan(&t, e, have);
        n_steps = plan->n_changes;
        cr_assert_leq(n, n_steps);
        struct tn_trial_end end = tn_trial_commit(&t, session, plan->steps, n);
        cr_assert_eq(end.code, TN_OK, "%s", end.err.text);
        tn_trial_expect_same(tn_trial_look(&t, NULL, d),
                             tn_trial_model(&t, have, plan->steps, n),
                             "after a part of the steps");
        t.subject->driver->close(session);
        tn_trial_reach(&t, e);
        tn_trial_reach(&t, d);
    }
    cr_assert(n_steps > 0 || t.subject->blind ||
              (to == TN_V_REPLACED && t.subject->nothing_replaced));
    tn_trial_done(&t);
}

Test(conformance, any_part_of_a_creation_can_be_finished)
{
    stop_everywhere(TN_V_NOTHING, TN_V_BASE);
}

Test(conformance, any_part_of_a_replacement_can_be_finished)
{
    stop_everywhere(TN_V_BASE, TN_V_REPLACED);
}

Test(conformance, any_part_of_a_deletion_can_be_finished)
{
    stop_everywhere(TN_V_BASE, TN_V_NOTHING);
}

/* The same with the backend refusing. */
static void
fail_everywhere(enum tn_variant from, enum tn_variant to)
{
    struct tn_trial t;
    tn_trial_init(&t);
    if (!t.subject->fail_at) {
        tn_trial_done(&t);
        cr_skip_test("the driver cannot be made to fail");
    }
    const struct tn_device *d = tn_trial_device(&t, from, "hv1");
    const struct tn_device *e = tn_trial_device(&t, to, "hv1");
    size_t n_steps = SIZE_MAX;
    for (size_t n = 1; n <= n_steps; n += stride_of(&t)) {
        tn_trial_reach(&t, d);
        struct tn_session *session = tn_trial_open(&t, d);
        const struct tn_state *have = tn_trial_look(&t, session, d);
        const struct tn_device_plan *plan = tn_trial_plan(&t, e, have);
        bool atomic = t.subject->driver->caps & TN_CAP_ATOMIC;
        n_steps = plan->n_changes;
        t.subject->fail_at(t.world, d, n);
        struct tn_trial_end end =
            tn_trial_commit(&t, session, plan->steps, n_steps);
        cr_assert_neq(end.code, TN_OK, "%zu of %zu did not fail", n, n_steps);
        cr_assert_eq(end.failed, n - 1);
        cr_assert_eq(end.n_done, atomic ? 0 : n - 1);
        tn_trial_expect_same(tn_trial_look(&t, NULL, d),
                             tn_trial_model(&t, have, plan->steps, end.n_done),
                             "after a failure");
        t.subject->driver->close(session);
        tn_trial_reach(&t, e);
    }
    tn_trial_done(&t);
}

Test(conformance, a_creation_that_fails_can_be_finished)
{
    fail_everywhere(TN_V_NOTHING, TN_V_BASE);
}

Test(conformance, a_replacement_that_fails_can_be_finished)
{
    fail_everywhere(TN_V_BASE, TN_V_REPLACED);
}

Test(conformance, a_deletion_that_fails_can_be_finished)
{
    fail_everywhere(TN_V_BASE, TN_V_NOTHING);
}

/* A failed apply is undone: what was observed before goes back. */
Test(conformance, what_was_observed_can_be_put_back)
{
    static const enum tn_variant from[] = {TN_V_BASE, TN_V_SMALLER,
                                           TN_V_NOTHING};
    static const enum tn_variant to[] = {TN_V_REPLACED, TN_V_UPDATED,
                                         TN_V_BASE};
    struct tn_trial t;
    tn_trial_init(&t);
    for (size_t i = 0; i < TN_ARRAY_SIZE(from); i++) {
        const struct tn_device *d = tn_trial_device(&t, from[i], "hv1");
        tn_trial_reach(&t, d);
        const struct tn_state *before =
            tn_trial_owned(&t, tn_trial_look(&t, NULL, d), TN_OURS);
        tn_trial_reach(&t, tn_trial_device(&t, to[i], "hv1"));
        struct tn_session *session = tn_trial_open(&t, d);
        const struct tn_device_plan *plan = NULL;
        struct tn_error err = {0};
        const struct tn_state *have = tn_trial_look(&t, session, d);
        struct tn_plan_input in = {
            .device = d->name,
            .driver = t.subject->driver->name,
            .caps = t.subject->driver->caps,
            .last = tn_trial_owned(&t, have, TN_OURS),
            .want = before,
            .have = have,
        };
        cr_assert_eq(tn_plan_device(t.arena, &in, &plan, &err), TN_OK);
        struct tn_trial_end end =
            tn_trial_commit(&t, session, plan->steps, plan->n_changes);
        cr_assert_eq(end.code, TN_OK, "%s", end.err.text);
        tn_trial_expect_same(
            tn_trial_owned(&t, tn_trial_look(&t, session, d), TN_OURS), before,
            "put back");
        t.subject->driver->close(session);
    }
    tn_trial_done(&t);
}

/* --- scopes ----------------------------------------------------------------
 */

Test(conformance, a_scope_is_seen_alone)
{
    static const char *const scopes[] = {"acme/db", "acme/web", "beta/shop"};
    struct tn_trial t;
    size_t total = 0;
    tn_trial_init(&t);
    const struct tn_device *d = tn_trial_device(&t, TN_V_BASE, "hv1");
    tn_trial_reach(&t, d);
    struct tn_session *session = tn_trial_open(&t, d);
    const struct tn_state *all = tn_trial_want(&t, d);
    for (size_t i = 0; i < TN_ARRAY_SIZE(scopes); i++) {
        struct tn_scope scope = {.names = &scopes[i], .n = 1};
        const struct tn_state *part = NULL;
        struct tn_error err = {0};
        cr_assert_eq(t.subject->driver->observe(session, &scope, all, t.arena,
                                                &part, &err),
                     TN_OK);
        for (size_t k = 0; k < part->n; k++) {
            const struct tn_resource *r = &part->items[k];
            const struct tn_resource *w = tn_state_get(all, r->key);
            cr_assert_str_eq(r->scope, scopes[i]);
            cr_assert(w && tn_resource_same(w, r), "%s", r->key);
        }
        total += count_owner(part, TN_OURS);
    }
    struct tn_scope none = {.names = (const char *const[]){"nobody/nothing"},
                            .n = 1};
    const struct tn_state *part = NULL;
    cr_assert_eq(
        t.subject->driver->observe(session, &none, NULL, t.arena, &part, NULL),
        TN_OK);
    cr_assert_eq(count_owner(part, TN_OURS), 0);
    cr_assert_eq(total + t.subject->always, all->n,
                 "the scopes together are the device");
    t.subject->driver->close(session);
    tn_trial_done(&t);
}
