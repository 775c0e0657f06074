/* order_test.c - plans are carried out on a model of a device.
 *
 * The model refuses what real devices refuse: creating what exists, or without
 * its parent or without something of lower rank that it needs, claiming what
 * somebody holds, updating what is gone.  It deletes children with their
 * parent.  Random states must end as wanted, foreign and held objects must be
 * as before, and a second plan must be empty. */
#include "reconciler/plan/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "tests/plan/fixture.h"

enum { MOST = 64, SCOPES = 4, KINDS = 6, NAMES = 3, CLAIMS = 5 };

/* What a device holds, in the model. */
struct model {
    const struct tn_resource *items[MOST];
    size_t n;
    char complaint[256];
};

static size_t
find(const struct model *m, const char *key)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->items[i]->key, key) == 0) {
            return i;
        }
    }
    return MOST;
}

static void
complain(struct model *m, const char *what, const char *key)
{
    if (!*m->complaint) {
        snprintf(m->complaint, sizeof m->complaint, "%s: %s", what, key);
    }
}

static void
model_delete(struct model *m, const char *key)
{
    size_t i = find(m, key);
    if (i == MOST) {
        return; /* Gone already: as good as deleted. */
    }
    if (m->items[i]->owner == TN_FOREIGN) {
        complain(m, "foreign object deleted", key);
    }
    m->items[i] = m->items[--m->n];
    for (size_t k = 0; k < m->n;) {
        const char *parent = m->items[k]->parent;
        if (parent && strcmp(parent, key) == 0) {
            model_delete(m, m->items[k]->key);
            k = 0;
        } else {
            k++;
        }
    }
}

static void
check_claim(struct model *m, const struct tn_resource *r)
{
    for (size_t i = 0; r->claim && i < m->n; i++) {
        if (m->items[i]->claim && strcmp(m->items[i]->claim, r->claim) == 0) {
            complain(m, "claim is held", r->key);
        }
    }
}

/* 'native' of a wanted resource is the key of something it needs. */
static void
check_needs(struct model *m, const struct tn_resource *r)
{
    if (r->parent && find(m, r->parent) == MOST) {
        complain(m, "parent is missing", r->key);
    }
    if (r->native && find(m, r->native) == MOST) {
        complain(m, "what it needs is missing", r->key);
    }
}

static void
model_create(struct model *m, const struct tn_resource *r)
{
    if (find(m, r->key) != MOST) {
        complain(m, "created twice", r->key);
    }
    check_claim(m, r);
    check_needs(m, r);
    cr_assert_lt(m->n, MOST);
    m->items[m->n++] = r;
}

static void
model_update(struct model *m, const struct tn_step *s)
{
    size_t i = find(m, s->after->key);
    if (i == MOST) {
        complain(m, "updated, but gone", s->after->key);
        return;
    }
    if (m->items[i]->owner == TN_FOREIGN) {
        complain(m, "foreign object updated", s->after->key);
    }
    m->items[i] = m->items[--m->n];
    check_claim(m, s->after);
    check_needs(m, s->after);
    m->items[m->n++] = s->after;
}

static void
model_run(struct model *m, const struct tn_device_plan *p)
{
    for (size_t i = 0; i < p->n_changes; i++) {
        const struct tn_step *s = &p->steps[i];
        switch (s->op) {
        case TN_OP_CREATE:
            cr_assert_null(s->before);
            model_create(m, s->after);
            break;
        case TN_OP_UPDATE:
            model_update(m, s);
            break;
        case TN_OP_REPLACE:
            model_delete(m, s->before->key);
            model_create(m, s->after);
            break;
        case TN_OP_DELETE:
            cr_assert_null(s->after);
            model_delete(m, s->before->key);
            break;
        }
    }
}

static void
model_load(struct model *m, const struct tn_state *state)
{
    *m = (struct model){0};
    for (size_t i = 0; i < state->n; i++) {
        m->items[m->n++] = &state->items[i];
    }
}

static const struct tn_state *
model_state(struct tn_arena *arena, const struct model *m)
{
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, m->n);
    struct tn_state *s = tn_new(arena, struct tn_state);
    for (size_t i = 0; i < m->n; i++) {
        items[i] = *m->items[i];
    }
    cr_assert_eq(tn_state_sort(items, m->n, NULL), TN_OK);
    *s = (struct tn_state){"hv1", items, m->n};
    return s;
}

/* Random states. */

static uint64_t
rnd(uint64_t *seed, uint64_t n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % n;
}

static const char *
scope_name(uint64_t i)
{
    static const char *const names[SCOPES] = {"", "blue/db", "blue/web",
                                              "red/db"};
    return names[i];
}

struct world {
    struct tn_arena *arena;
    uint64_t seed;
};

/* Some object of the same scope and of a lower kind, or null. */
static const char *
pick_lower(struct world *w, const struct tn_resource *items, size_t n,
           const struct tn_resource *r)
{
    for (int tries = 0; n > 0 && tries < 4; tries++) {
        const struct tn_resource *p = &items[rnd(&w->seed, n)];
        if (p->rank < r->rank && strcmp(p->scope, r->scope) == 0 &&
            p->owner == TN_OURS) {
            return p->key;
        }
    }
    return NULL;
}

static void
set_attrs(struct world *w, struct tn_resource *r)
{
    struct tn_attr *a = tn_new_n(w->arena, struct tn_attr, 3);
    a[0] = (struct tn_attr){.name = "claim",
                            .value = r->claim ? r->claim : "",
                            .change =
                                r->rank % 2 ? TN_ATTR_REPLACE : TN_ATTR_UPDATE};
    a[1] = (struct tn_attr){.name = "fixed",
                            .value = rnd(&w->seed, 6) ? "1" : "2",
                            .change = TN_ATTR_REPLACE};
    a[2] = (struct tn_attr){.name = "mtu",
                            .value = rnd(&w->seed, 3) ? "1500" : "9000"};
    r->attrs = a;
    r->n_attrs = 3;
}

static const struct tn_state *
random_state(struct world *w, bool observed)
{
    struct tn_resource *items = tn_new_n(w->arena, struct tn_resource, MOST);
    bool taken[CLAIMS] = {false};
    size_t n = 0;
    for (uint16_t kind = 0; kind < KINDS; kind++) {
        for (size_t s = 0; s < SCOPES; s++) {
            for (int i = 0; i < NAMES; i++) {
                if (n >= MOST / 2 || rnd(&w->seed, 3)) {
                    continue;
                }
                struct tn_resource *r = &items[n];
                r->scope = scope_name(s);
                r->kind = "kind";
                r->rank = kind;
                r->name = tn_arena_printf(w->arena, "%u-%d", kind, i);
                r->key = tn_arena_printf(w->arena, "%s/%s", r->scope, r->name);
                r->owner =
                    observed && rnd(&w->seed, 40) == 0 ? TN_FOREIGN : TN_OURS;
                size_t c = rnd(&w->seed, 2 * CLAIMS);
                if (c < CLAIMS && !taken[c]) {
                    taken[c] = true;
                    r->claim = tn_arena_printf(w->arena, "vni %zu", c);
                }
                if (rnd(&w->seed, 2) && r->owner == TN_OURS) {
                    r->parent = pick_lower(w, items, n, r);
                }
                if (!observed) {
                    r->native = pick_lower(w, items, n, r);
                }
                set_attrs(w, r);
                n++;
            }
        }
    }
    struct tn_state *state = tn_new(w->arena, struct tn_state);
    cr_assert_eq(tn_state_sort(items, n, NULL), TN_OK);
    *state = (struct tn_state){"hv1", items, n};
    return state;
}

/* Mostly as 'from', so that plans have something unchanged. */
static const struct tn_state *
mutate(struct world *w, const struct tn_state *from, bool observed)
{
    const struct tn_state *fresh = random_state(w, observed);
    if (rnd(&w->seed, 2)) {
        return fresh;
    }
    struct tn_resource *items = tn_new_n(w->arena, struct tn_resource, from->n);
    size_t n = 0;
    for (size_t i = 0; i < from->n; i++) {
        items[n] = from->items[i];
        if (rnd(&w->seed, 4) == 0) {
            set_attrs(w, &items[n]);
        }
        n++;
    }
    struct tn_state *state = tn_new(w->arena, struct tn_state);
    *state = (struct tn_state){"hv1", items, n};
    return state;
}

static bool
is_stopped(const struct tn_device_plan *p, const char *scope)
{
    for (size_t i = 0; i < p->n_conflicts; i++) {
        const char *s = p->conflicts[i].want->scope;
        if (*s == '\0' || strcmp(s, scope) == 0) {
            return true;
        }
    }
    return false;
}

/* Scopes that plans left alone are as observed, the others as wanted. */
static void
check_end(const struct model *m, const struct tn_plan_input *in,
          const struct tn_device_plan *p, uint64_t seed)
{
    size_t expected = 0;
    for (size_t i = 0; i < in->want->n; i++) {
        const struct tn_resource *r = &in->want->items[i];
        bool held = in->n_held && strcmp(in->held[0], r->scope) == 0;
        if (held || is_stopped(p, r->scope)) {
            continue;
        }
        size_t at = find(m, r->key);
        cr_assert(at != MOST, "seed %lu: %s is missing", seed, r->key);
        cr_assert(tn_resource_same(m->items[at], r), "seed %lu: %s", seed,
                  r->key);
        expected++;
    }
    for (size_t i = 0; i < in->have->n; i++) {
        const struct tn_resource *r = &in->have->items[i];
        bool held = in->n_held && strcmp(in->held[0], r->scope) == 0;
        if (r->owner == TN_FOREIGN || held || is_stopped(p, r->scope)) {
            size_t at = find(m, r->key);
            cr_assert(at != MOST && m->items[at] == r,
                      "seed %lu: %s was touched", seed, r->key);
            expected++;
        }
    }
    cr_assert_eq(m->n, expected, "seed %lu: %zu objects, not %zu", seed, m->n,
                 expected);
}

static void
check_order(const struct tn_device_plan *p, uint64_t seed)
{
    size_t phase = 0, rank = 0;
    for (size_t i = 0; i < p->n_changes; i++) {
        const struct tn_change *c = &p->changes[i];
        bool removal = c->op == TN_OP_DELETE;
        const struct tn_resource *r = c->after ? c->after : c->before;
        size_t new_phase = !removal ? 1 : phase == 1 || phase == 2 ? 2 : 0;
        bool ok = new_phase > phase || i == 0 ||
                  (removal ? r->rank <= rank : r->rank >= rank);
        cr_assert(ok && new_phase >= phase, "seed %lu: %s is out of order",
                  seed, c->key);
        phase = new_phase;
        rank = r->rank;
    }
}

static size_t n_stopped, n_halves, n_with, n_steps;

static void
run(uint64_t seed)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct world w = {arena, seed * 0x9e3779b97f4a7c15u + 1};
    const char *held[] = {scope_name(1 + rnd(&w.seed, SCOPES - 1))};
    struct tn_plan_input in = {.device = "hv1", .caps = TN_CAP_OWNER};
    in.want = random_state(&w, false);
    in.last = rnd(&w.seed, 4) ? mutate(&w, in.want, false) : NULL;
    in.have = mutate(&w, in.want, true);
    in.held = held;
    in.n_held = rnd(&w.seed, 4) == 0;
    const struct tn_device_plan *p = NULL, *again = NULL;
    struct tn_error err = {0};
    cr_assert_eq(tn_plan_device(arena, &in, &p, &err), TN_OK, "seed %lu: %s",
                 seed, err.text);
    struct model m;
    model_load(&m, in.have);
    model_run(&m, p);
    cr_assert(!*m.complaint, "seed %lu: %s", seed, m.complaint);
    check_end(&m, &in, p, seed);
    check_order(p, seed);
    for (size_t i = 0; i < p->n_changes; i++) {
        n_halves += p->changes[i].half != TN_WHOLE;
        n_with += p->changes[i].with != NULL;
    }
    n_steps += p->n_changes;
    n_stopped += p->n_conflicts;
    in.have = model_state(arena, &m);
    cr_assert_eq(tn_plan_device(arena, &in, &again, &err), TN_OK);
    cr_assert_eq(again->n_changes, 0, "seed %lu: second plan does %s", seed,
                 again->n_changes ? again->changes[0].key : "");
    cr_assert_eq(again->n_conflicts, p->n_conflicts);
}

Test(order, random_states_converge)
{
    const uint64_t seeds = 6000;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        run(seed);
    }
    /* The generator must reach what it is for. */
    cr_assert_gt(n_steps, seeds);
    cr_assert_gt(n_stopped, seeds / 50);
    cr_assert_gt(n_halves, seeds / 50);
    cr_assert_gt(n_with, seeds / 50);
}

/* "op key" of each change, joined by "; ". */
static const char *
script(struct tn_arena *arena, const struct tn_device_plan *p)
{
    static const char *const sign[] = {"+", "~", "-/+", "-"};
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (size_t i = 0; i < p->n_changes; i++) {
        const struct tn_change *c = &p->changes[i];
        tn_text_addf(&t, "%s%s%s%s", i ? "; " : "", sign[c->op],
                     c->half == TN_WHOLE ? "" : "half ", c->name);
    }
    return tn_arena_strdup(arena, tn_text_str(&t));
}

static const struct {
    const char *title, *want, *have, *script;
} rows[] = {
    {"creations rise, deletions fall", "t/v k a 1\nt/v k b 3\nt/v k c 2",
     "t/v k x 1\nt/v k y 3\nt/v k z 2", "+a; +c; +b; -y; -z; -x"},
    {"of equal rank: create, update, replace",
     "t/v k c 1\nt/v k b 1 | m=1\nt/v k a 1 | m!=1",
     "t/v k b 1 | m=2\nt/v k a 1 | m!=2", "+c; ~b; -/+a"},
    {"ties are broken by key", "t/v k b 1\nt/u k c 1\nt/v k a 1", "",
     "+c; +a; +b"},
    {"a deletion frees what a creation claims", "t/v k new 2 claim=vni_5",
     "t/v k old 2 claim=vni_5\nt/v k other 9", "-other; -old; +new"},
    {"dependents of higher rank go along, others stay last",
     "t/v k new 2 claim=vni_5",
     "t/v k old 2 claim=vni_5\nt/v k dep 3\nt/v k low 1\nt/u k far 3",
     "-dep; -old; +new; -far; -low"},
    {"a claim of nobody changes nothing", "t/v k new 2 claim=vni_6",
     "t/v k old 2 claim=vni_5", "+new; -old"},
    {"two swap their claims",
     "t/v k a 2 claim=vni_5 | vni!=5\nt/v k b 2 claim=vni_6 | vni!=6",
     "t/v k a 2 claim=vni_6 | vni!=6\nt/v k b 2 claim=vni_5 | vni!=5",
     "-half a; -half b; +half a; +half b"},
    {"a chain of claims",
     "t/v k a 2 claim=vni_6 | vni=6\nt/v k b 2 claim=vni_7 | vni=7",
     "t/v k a 2 claim=vni_5 | vni=5\nt/v k b 2 claim=vni_6 | vni=6",
     "-half b; +half b; ~a"},
    {"a claim that is given up and wanted by nobody",
     "t/v k a 2 claim=vni_6 | vni=6", "t/v k a 2 claim=vni_5 | vni=5", "~a"},
    {"children are replaced with their parent",
     "t/v link x 2 | vni!=6\nt/v fdb f 3 parent=link/x\nt/v fdb g 3",
     "t/v link x 2 | vni!=5\nt/v fdb f 3 parent=link/x\nt/v fdb g 3",
     "-/+x; -/+f"},
    {"grandchildren too, and what was to be updated",
     "t/v l x 2 | v!=6\nt/v f a 3 parent=l/x | m=1\nt/v g b 4 parent=f/a",
     "t/v l x 2 | v!=5\nt/v f a 3 parent=l/x | m=2\nt/v g b 4 parent=f/a",
     "-/+x; -/+a; -/+b"},
    {"a child that moves to another parent",
     "t/v l new 2\nt/v f a 3 parent=l/new",
     "t/v l old 2\nt/v f a 3 parent=l/old", "+new; -/+a; -old"},
    {"a new child of a replaced parent comes after it",
     "t/v l x 2 | v!=6\nt/v f a 3 parent=l/x", "t/v l x 2 | v!=5", "-/+x; +a"},
    {"updated parents keep their children",
     "t/v l x 2 | m=6\nt/v f a 3 parent=l/x",
     "t/v l x 2 | m=5\nt/v f a 3 parent=l/x", "~x"},
    {"a parent that only render knows",
     "t/v l x 2 | v!=6\nt/v f a 3 parent=l/x", "t/v l x 2 | v!=5\nt/v f a 3",
     "-/+x; -/+a"},
};

Test(order, by_hand)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_device_plan *p =
            fixture_plan(arena, "hv1", NULL, rows[i].want, rows[i].have, NULL);
        cr_assert_str_eq(script(arena, p), rows[i].script, "%s", rows[i].title);
    }
}

Test(order, halves_count_as_one_replacement)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const struct tn_device_plan *p =
        fixture_plan(arena, "hv1", NULL, rows[6].want, rows[6].have, NULL);
    cr_assert_eq(p->n_changes, 4);
    cr_assert_eq(p->counts.replace, 2);
    cr_assert_eq(p->counts.add + p->counts.change + p->counts.destroy, 0);
    cr_assert_str_eq(tn_change_action(&p->changes[0]), "replace");
    cr_assert_str_eq(p->changes[0].with, "t/v/k/b");
}

Test(order, who_holds_a_claim_in_vain)
{
    static const struct {
        const char *title, *want, *have, *held, *script;
        size_t conflicts;
    } cases[] = {
        {"foreign", "t/v k a 2 claim=c\nt/u k b 2", "- k x 1 claim=c foreign",
         NULL, "+b", 1},
        {"held", "t/v k a 2 claim=c\nt/u k b 2", "red/db k x 1 claim=c", "red",
         "+b", 1},
        {"one that waits itself",
         "t/v k a 2 claim=c\nt/u k a 2 claim=d | c=d\nt/w k a 2",
         "t/u k a 2 claim=c | c=c\n- k x 1 claim=d foreign", NULL, "+a", 2},
        {"the device itself", "- k a 2 claim=c\nt/u k b 2",
         "- k x 1 claim=c foreign", NULL, "", 1},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(cases); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        const struct tn_device_plan *p = fixture_plan(
            arena, "hv1", NULL, cases[i].want, cases[i].have, cases[i].held);
        cr_assert_str_eq(script(arena, p), cases[i].script, "%s: %s",
                         cases[i].title, script(arena, p));
        cr_assert_eq(p->n_conflicts, cases[i].conflicts, "%s", cases[i].title);
        cr_assert(p->conflicts[0].by_claim);
    }
}

Test(order, two_that_want_the_same_claim_are_an_error)
{
    static const char *const have[] = {"", "t/v k a 1 claim=c"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(have); i++) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct tn_plan_input in = {
            .device = "hv1",
            .caps = TN_CAP_OWNER,
            .want = fixture_state(arena, "t/v k a 1 claim=c\n"
                                         "t/v k b 1 claim=c"),
            .have = fixture_state(arena, have[i]),
        };
        const struct tn_device_plan *p = NULL;
        struct tn_error err = {0};
        cr_assert_eq(tn_plan_device(arena, &in, &p, &err), TN_EINTERNAL);
        cr_assert(strstr(err.text, "both claim c"), "%s", err.text);
        cr_assert_null(p);
    }
}
