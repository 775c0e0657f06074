/* plan.c - the merge walk over three states, and joining devices.
 *
 * The walk visits each key of last, want and have once, in their common order,
 * answers the three questions of decide.h, and keeps what is not left alone.
 * 'last' is compared only where want and have differ: a converged device costs
 * one comparison of each resource.  What the walk does not see, because it
 * looks at one key at a time, is the business of claims.c (who holds what a
 * creation needs), cascade.c (who vanishes with whom) and order.c. */
#include "reconciler/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/plan/decide.h"
#include "reconciler/plan/work.h"

/* Where the walk stands in one state; 'at' is null behind the end. */
struct head {
    const struct tn_resource *at, *last;
};

struct walk {
    struct tn_work *work;
    struct head last, want, have;
    const struct tn_resource *unsorted; /* Not after the one before it. */
    const char *scope;                  /* The latest asked about, */
    bool held;                          /* and the answer. */
};

/* What stands at one key; null: nothing. */
struct triple {
    const struct tn_resource *last, *want, *have;
};

static bool
name_held(const struct tn_plan_input *in, const char *name, size_t len)
{
    size_t lo = 0, hi = in->n_held;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strncmp(in->held[mid], name, len);
        if (c == 0 && in->held[mid][len] != '\0') {
            c = 1;
        }
        if (c == 0) {
            return true;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

static bool
scope_held(struct walk *w, const char *scope)
{
    const struct tn_plan_input *in = w->work->in;
    if (in->n_held == 0) {
        return false;
    }
    if (!w->scope || (w->scope != scope && strcmp(w->scope, scope) != 0)) {
        w->scope = scope;
        w->held = name_held(in, scope, strlen(scope)) ||
                  name_held(in, scope, strcspn(scope, "/"));
    }
    return w->held;
}

/* Steps one state past 'key' if it stands there.  A walk over a state that is
 * not sorted would delete what is wanted: it is noticed here, where both keys
 * are at hand. */
static const struct tn_resource *
take(struct walk *w, struct head *head, const char *key)
{
    const struct tn_resource *r = head->at;
    if (!r || (r->key != key && strcmp(r->key, key) != 0)) {
        return NULL;
    }
    if (r == head->last) {
        head->at = NULL;
        return r;
    }
    head->at = r + 1;
    if (strcmp(r->key, r[1].key) >= 0) {
        w->unsorted = r + 1;
    }
    return r;
}

static bool
before(const struct tn_resource *a, const struct tn_resource *b)
{
    return a && (!b || strcmp(a->key, b->key) < 0);
}

/* The least key of the three, and what stands there. */
static bool
next(struct walk *w, struct triple *t)
{
    const struct tn_resource *least = w->want.at;
    if (before(w->have.at, least)) {
        least = w->have.at;
    }
    if (before(w->last.at, least)) {
        least = w->last.at;
    }
    if (!least || w->unsorted) {
        return false;
    }
    t->want = take(w, &w->want, least->key);
    t->have = take(w, &w->have, least->key);
    t->last = take(w, &w->last, least->key);
    return true;
}

static enum tn_last
ask_last(const struct tn_plan_input *in, const struct triple *t)
{
    if (!in->last) {
        return TN_LAST_UNKNOWN;
    }
    if (!t->last) {
        return TN_LAST_ABSENT;
    }
    return t->want && tn_resource_same(t->last, t->want) ? TN_LAST_SAME
                                                         : TN_LAST_OTHER;
}

/* Ours by its mark; where objects cannot bear one, by having been wanted
 * before, or by being just what is wanted. */
static bool
is_ours(const struct tn_plan_input *in, const struct triple *t)
{
    if (t->have->owner == TN_FOREIGN) {
        return false;
    }
    return (in->caps & TN_CAP_OWNER) || t->last ||
           (t->want && tn_resource_same(t->want, t->have));
}

static enum tn_have
ask_have(const struct tn_plan_input *in, const struct triple *t,
         enum tn_want want)
{
    if (!t->have) {
        return TN_HAVE_ABSENT;
    }
    if (!is_ours(in, t)) {
        return TN_HAVE_BLOCKED;
    }
    if (want == TN_WANT_PRESENT && tn_resource_same(t->want, t->have)) {
        return TN_HAVE_WANTED;
    }
    return t->last && tn_resource_same(t->last, t->have) ? TN_HAVE_FORMER
                                                         : TN_HAVE_OTHER;
}

/* True if some attribute that differs can only be changed by replacing. */
static bool
needs_replace(const struct tn_resource *have, const struct tn_resource *want)
{
    if (strcmp(have->kind, want->kind) != 0) {
        return true;
    }
    size_t i = 0, j = 0;
    while (i < have->n_attrs || j < want->n_attrs) {
        const struct tn_attr *h = i < have->n_attrs ? &have->attrs[i] : NULL;
        const struct tn_attr *n = j < want->n_attrs ? &want->attrs[j] : NULL;
        int c = !h ? 1 : !n ? -1 : strcmp(h->name, n->name);
        const struct tn_attr *which = c < 0 ? h : n;
        if ((c != 0 || strcmp(h->value, n->value) != 0) &&
            which->change == TN_ATTR_REPLACE) {
            return true;
        }
        i += c <= 0;
        j += c >= 0;
    }
    return false;
}

static enum tn_op
op_of(enum tn_action action, const struct triple *t)
{
    switch (action) {
    case TN_DO_DELETE:
        return TN_OP_DELETE;
    case TN_DO_CHANGE:
        return needs_replace(t->have, t->want) ? TN_OP_REPLACE : TN_OP_UPDATE;
    case TN_DO_LEAVE:
    case TN_DO_CREATE:
    case TN_DO_REFUSE:
        break;
    }
    return TN_OP_CREATE;
}

static void
count_held(struct tn_work *work, const char *scope)
{
    size_t n = work->held.n;
    if (n > 0 && strcmp(work->held.items[n - 1].scope, scope) == 0) {
        work->held.items[n - 1].n++;
        return;
    }
    *tn_vec_push(work->arena, &work->held) = (struct tn_held){scope, 1};
}

/* Keeps what has to be done, and the fate of what is there. */
static void
record(struct tn_work *work, const struct triple *t, enum tn_want want,
       enum tn_have have, const struct tn_decision *rule)
{
    struct tn_fate fate = {.item = TN_FATE_KEEP};
    bool foreign = t->have && have == TN_HAVE_BLOCKED;
    if (rule->action != TN_DO_LEAVE) {
        fate.item = (int32_t) work->items.n;
        *tn_vec_push(work->arena, &work->items) = (struct tn_item){
            .last = t->last,
            .want = t->want,
            .have = foreign ? NULL : t->have,
            .rule = rule,
            .op = op_of((enum tn_action) rule->action, t),
            .dropped = rule->action == TN_DO_REFUSE,
        };
    } else if (want == TN_WANT_PRESENT) {
        work->n_unchanged++;
        fate.want = (uint32_t) (t->want - work->in->want->items);
    } else if (want == TN_WANT_HELD && !foreign) {
        fate.item = TN_FATE_HELD;
    }
    if (foreign) {
        fate.item = TN_FATE_FOREIGN;
        *tn_vec_push(work->arena, &work->foreign) = t->have;
    } else if (t->have) {
        work->n_ours++;
    }
    if (want == TN_WANT_HELD && (t->want || (t->have && !foreign))) {
        count_held(work, (t->want ? t->want : t->have)->scope);
    }
    if (rule->action == TN_DO_REFUSE) {
        *tn_vec_push(work->arena, &work->conflicts) = (struct tn_conflict){
            .rule = rule->number, .want = t->want, .blocker = t->have};
    }
    if (t->have) {
        work->fate[t->have - work->in->have->items] = fate;
    }
}

static void
visit(struct walk *w, const struct triple *t)
{
    struct tn_work *work = w->work;
    const struct tn_resource *any =
        t->want ? t->want : (t->have ? t->have : t->last);
    enum tn_want want = t->want ? TN_WANT_PRESENT : TN_WANT_ABSENT;
    if (scope_held(w, any->scope)) {
        want = TN_WANT_HELD;
    }
    enum tn_have have = ask_have(work->in, t, want);
    enum tn_last last = TN_LAST_UNKNOWN;
    if (have != TN_HAVE_WANTED) {
        last = ask_last(work->in, t);
        if (want == TN_WANT_HELD && last == TN_LAST_SAME) {
            last = TN_LAST_OTHER;
        }
    }
    record(work, t, want, have, tn_decide(last, want, have));
}

static struct head
head_of(const struct tn_state *state)
{
    if (!state || state->n == 0) {
        return (struct head){NULL, NULL};
    }
    return (struct head){state->items, state->items + state->n - 1};
}

static enum tn_code
walk_all(struct tn_work *work, struct tn_error *err)
{
    const struct tn_plan_input *in = work->in;
    struct walk w = {
        .work = work,
        .last = head_of(in->last),
        .want = head_of(in->want),
        .have = head_of(in->have),
    };
    struct triple t;
    while (next(&w, &t)) {
        visit(&w, &t);
    }
    if (w.unsorted) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "a state of %s is not sorted: %s stands before %s",
                       in->device, w.unsorted[-1].key, w.unsorted->key);
    }
    return TN_OK;
}

enum tn_code
tn_plan_device(struct tn_arena *arena, const struct tn_plan_input *input,
               const struct tn_device_plan **out, struct tn_error *err)
{
    struct tn_work work = {.arena = arena, .in = input};
    work.fate = tn_new_n(arena, struct tn_fate, input->have->n);
    enum tn_code code = walk_all(&work, err);
    if (!code) {
        code = tn_work_claims(&work, err);
    }
    if (code) {
        return code;
    }
    tn_work_cascade(&work);
    struct tn_device_plan *plan = tn_new(arena, struct tn_device_plan);
    plan->device = input->device;
    plan->driver = input->driver;
    tn_work_order(&work, plan);
    plan->n_unchanged = work.n_unchanged;
    plan->n_ours = work.n_ours;
    plan->foreign = work.foreign.items;
    plan->n_foreign = work.foreign.n;
    plan->conflicts = work.conflicts.items;
    plan->n_conflicts = work.conflicts.n;
    plan->held = work.held.items;
    plan->n_held = work.held.n;
    *out = plan;
    return TN_OK;
}

const struct tn_device_plan *
tn_plan_unreachable(struct tn_arena *arena, const char *device,
                    const char *driver, const struct tn_error *why)
{
    char text[TN_ERROR_TEXT + 256];
    struct tn_device_plan *plan = tn_new(arena, struct tn_device_plan);
    plan->device = device;
    plan->driver = driver;
    plan->code = why->code ? why->code : TN_EINTERNAL;
    plan->error = tn_arena_strdup(arena, tn_error_text(why, text, sizeof text));
    return plan;
}

static int
device_cmp(const void *pa, const void *pb)
{
    const struct tn_device_plan *const *a = pa, *const *b = pb;
    return strcmp((*a)->device, (*b)->device);
}

static void
add_counts(struct tn_counts *sum, const struct tn_counts *c)
{
    sum->add += c->add;
    sum->change += c->change;
    sum->replace += c->replace;
    sum->destroy += c->destroy;
    sum->drift += c->drift;
}

static void
add_device(struct tn_plan *plan, struct tn_digester *d,
           const struct tn_device_plan *dev)
{
    add_counts(&plan->counts, &dev->counts);
    plan->n_unchanged += dev->n_unchanged;
    plan->n_foreign += dev->n_foreign;
    plan->n_conflicts += dev->n_conflicts;
    plan->n_unreachable += dev->code != TN_OK;
    for (size_t i = 0; i < dev->n_held; i++) {
        plan->n_held += dev->held[i].n;
    }
    tn_digester_add_str(d, dev->device);
    for (size_t i = 0; i < dev->n_changes; i++) {
        const struct tn_change *c = &dev->changes[i];
        uint8_t head[2] = {(uint8_t) c->op, (uint8_t) c->half};
        tn_digester_add_str(d, c->key);
        tn_digester_add(d, head, sizeof head);
        tn_digester_add(d, c->expect.b, sizeof c->expect.b);
        tn_digester_add(d, c->target.b, sizeof c->target.b);
    }
}

struct tn_scope
tn_plan_scopes(struct tn_arena *arena, const struct tn_device_plan *plan)
{
    const char **names = tn_new_n(arena, const char *, plan->n_changes);
    size_t n = 0;
    for (size_t i = 0; i < plan->n_changes; i++) {
        const char *scope = plan->changes[i].scope;
        if (n == 0 || strcmp(names[n - 1], scope) != 0) {
            names[n++] = scope;
        }
    }
    return (struct tn_scope){.names = names, .n = tn_texts_unique(names, n)};
}

const struct tn_plan *
tn_plan_build(struct tn_arena *arena, const char *commit,
              const char *environment,
              const struct tn_device_plan *const *devices, size_t n_devices)
{
    struct tn_plan *plan = tn_new(arena, struct tn_plan);
    const struct tn_device_plan **sorted =
        tn_new_n(arena, const struct tn_device_plan *, n_devices);
    for (size_t i = 0; i < n_devices; i++) {
        sorted[i] = devices[i];
    }
    if (n_devices > 1) {
        qsort(sorted, n_devices, sizeof(struct tn_device_plan *), device_cmp);
    }
    plan->commit = commit ? commit : "";
    plan->environment = environment ? environment : "";
    plan->devices = sorted;
    plan->n_devices = n_devices;
    struct tn_digester d;
    tn_digester_init(&d);
    tn_digester_add_str(&d, plan->commit);
    tn_digester_add_str(&d, plan->environment);
    for (size_t i = 0; i < n_devices; i++) {
        add_device(plan, &d, sorted[i]);
    }
    plan->digest = tn_digester_end(&d);
    return plan;
}

int
tn_plan_exit_code(const struct tn_plan *plan)
{
    const struct tn_counts *c = &plan->counts;
    size_t all = c->add + c->change + c->replace + c->destroy;
    if (plan->n_unreachable) {
        return 7;
    }
    if (all + plan->n_conflicts == 0) {
        return 0;
    }
    return plan->n_conflicts == 0 && c->drift == all ? 3 : 2;
}
