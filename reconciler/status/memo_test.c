/* memo_test.c - what a memo tells against reading the ref anew. */
#include "reconciler/status/status.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/source/source.h"
#include "reconciler/status/print.h"
#include "reconciler/status/status_bench.h"

#define C1 "1111111111111111111111111111111111111111"
#define C2 "2222222222222222222222222222222222222222"
#define REF TN_STATUS_REF_DEFAULT

static struct tn_sandbox *box;
static struct tn_arena *arena;
static const char *repo;

static void
setup(void)
{
    tn_status_bench_setup();
    box = &tn_status_bench()->box;
    arena = tn_status_bench()->arena;
    repo = tn_status_bench()->repo;
}

TestSuite(memo, .init = setup, .fini = tn_status_bench_teardown);

static const struct tn_status *
load_with(struct tn_status_memo *memo, bool vpcs)
{
    const struct tn_status *s = NULL;
    struct tn_error err = {0};
    enum tn_code code =
        vpcs ? tn_status_load_lent(repo, NULL, memo, arena, &s, &err)
             : tn_status_load_again(repo, NULL, memo, arena, &s, &err);
    cr_assert_eq(code, TN_OK);
    return s;
}

static void
same_status(const struct tn_status *a, const struct tn_status *b)
{
    cr_assert_eq(a->n_devices, b->n_devices);
    cr_assert_eq(a->n_vpcs, b->n_vpcs);
    cr_assert_eq(a->n_pins, b->n_pins);
    cr_assert_eq(a->n_damaged, b->n_damaged);
    for (size_t i = 0; i < a->n_vpcs; i++) {
        const struct tn_status_vpc *x = &a->vpcs[i], *y = &b->vpcs[i];
        cr_assert_str_eq(x->tenant, y->tenant);
        cr_assert_str_eq(x->name, y->name);
        cr_assert_eq(x->n_ports, y->n_ports);
        cr_assert_str_eq(x->head.commit, y->head.commit);
        cr_assert_eq(x->n_devices, y->n_devices);
        for (size_t k = 0; k < x->n_devices; k++) {
            cr_assert_str_eq(x->devices[k], y->devices[k]);
        }
    }
    for (size_t i = 0; i < a->n_pins; i++) {
        cr_assert_str_eq(a->pins[i].tenant, b->pins[i].tenant);
        cr_assert_str_eq(a->pins[i].object, b->pins[i].object);
        cr_assert_eq(a->pins[i].vni, b->pins[i].vni);
    }
}

/* Whatever was read before, a memo tells what is there now; and what somebody
 * holds stays. */
Test(memo, a_memo_is_the_same_as_reading)
{
    static const char *const on[] = {"hv1", "hv2"}, *const gone[] = {"b"};
    struct tn_status_vpc vpcs[] = {
        {.tenant = "a", .name = "x", .head = {.commit = C1}},
        {.tenant = "a", .name = "y", .head = {.commit = C1}, .n_ports = 3},
        {.tenant = "b", .name = "x", .head = {.commit = C1}},
    };
    struct tn_pin pins[] = {
        {.tenant = "a", .object = "subnet/x/s", .vni = 5000},
        {.tenant = "b", .object = "subnet/x/s", .vni = 5002},
    };
    struct tn_status_memo *memo = tn_status_memo_new();
    struct tn_status_update u = {
        .vpcs = vpcs, .n_vpcs = 3, .pins = pins, .n_pins = 2};
    vpcs[0].devices = on;
    vpcs[0].n_devices = 2;
    tn_status_done(load_with(memo, true)); /* None yet. */
    const struct tn_status *held = NULL;
    for (int round = 0; round < 6; round++) {
        tn_status_bench_commit(&u);
        const struct tn_status *lent = load_with(memo, true);
        same_status(tn_status_bench_load(), lent);
        const struct tn_status *again = load_with(memo, false);
        cr_assert_eq(again->n_vpcs, 0);
        cr_assert_eq(again->pins, lent->pins, "read but once");
        tn_status_done(lent);
        lent = load_with(memo, true);
        same_status(tn_status_bench_load(), lent);
        tn_status_done(lent);
        if (round == 0) {
            held = again;
        } else {
            tn_status_done(again);
        }
        vpcs[round % 3].n_ports += 7;
        pins[round % 2].vni += round > 1 ? 10 : 0;
        u.drop_tenants = gone;
        u.n_drop_tenants = round == 4;
        u.n_vpcs = round == 4 ? 2 : 3;
        u.n_pins = round == 4 ? 1 : 2;
    }
    cr_assert_eq(held->n_pins, 2);
    cr_assert_eq(held->pins[1].vni, 5002);
    tn_status_memo_free(memo);
    cr_assert_str_eq(held->pins[0].object, "subnet/x/s");
    tn_status_done(held);
}

/* A file that is damaged is so each time, and its neighbours are read. */
Test(memo, a_memo_forgets_no_damage)
{
    struct tn_status_vpc vpcs[] = {
        {.tenant = "a", .name = "x", .head = {.commit = C1}},
        {.tenant = "a", .name = "y", .head = {.commit = C1}},
    };
    struct tn_pin pin = {.tenant = "b", .object = "subnet/x/s", .vni = 5};
    struct tn_status_update u = {
        .vpcs = vpcs, .n_vpcs = 2, .pins = &pin, .n_pins = 1};
    tn_status_bench_commit(&u);
    tn_sandbox_sh(box, "cd r && git worktree add -q ../w --detach " REF
                       " && cd ../w && echo '{' > vpcs/a/y.yml && "
                       "echo '{' > allocations/c.yml && git add . && "
                       "git commit -qm Damage && git -C ../r update-ref " REF
                       " $(git rev-parse HEAD) && "
                       "git -C ../r worktree remove ../w");
    struct tn_status_memo *memo = tn_status_memo_new();
    for (int round = 0; round < 3; round++) {
        const struct tn_status *s = load_with(memo, true);
        cr_assert_eq(s->n_damaged, 2);
        same_status(tn_status_bench_load(), s);
        cr_assert_eq(s->n_vpcs, 1);
        cr_assert_eq(s->n_pins, 1);
        tn_status_done(s);
    }
    tn_status_memo_free(memo);
}
