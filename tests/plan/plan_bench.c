/* plan_bench.c - what planning costs, and how it grows.
 *
 * Figures go to docs/performance.md.  Exit 1 if ten times the work costs more
 * than twelve times the time, in any of the cases.  Each figure is the best of
 * several runs, in processor time, so that the ratio means something on a busy
 * machine.  The small work is done on ten different inputs in turn: both sizes
 * then touch the same amount of memory, and the ratio tells of the algorithm
 * and not of the processor's caches. */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/map.h"
#include "reconciler/plan/print.h"
#include "reconciler/plan/saved.h"

enum { SMALL = 20000, FACTOR = 10, RUNS = 7, PER_VPC = 40 };

enum world {
    SAME,     /* Nothing to do. */
    FIRST,    /* Nothing is there. */
    GONE,     /* Nothing is wanted. */
    UPDATES,  /* All differ in place. */
    SWAPS,    /* All exchange their claims in pairs. */
    CASCADES, /* All links are replaced, with what hangs on them. */
    FOREIGN,  /* A foreign object is in the way in every VPC. */
    N_WORLDS,
};

static const char *const names[] = {
    "no change",      "all created",    "all deleted",           "all updated",
    "claims swapped", "links replaced", "a conflict in each VPC"};

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void
fill(struct tn_arena *arena, struct tn_resource *r, size_t i, bool have,
     enum world world)
{
    static const char *const kinds[] = {"bridge", "vxlan", "fdb", "neighbour",
                                        "route"};
    size_t vpc = i / PER_VPC, k = i % PER_VPC;
    bool link = k % 5 == 1;
    size_t vni = world == SWAPS && have ? i ^ 1 : i;
    struct tn_attr *a = tn_new_n(arena, struct tn_attr, 4);
    r->scope = tn_arena_printf(arena, "tenant%zu/vpc%zu", vpc / 10, vpc % 10);
    r->kind = kinds[k % 5];
    r->rank = (uint16_t) (k % 5 + 1);
    r->name = tn_arena_printf(arena, "object-%zu", k);
    r->key = tn_arena_printf(arena, "%s/%s/%s", r->scope, r->kind, r->name);
    if (k % 5 == 2) {
        r->parent =
            tn_arena_printf(arena, "%s/vxlan/object-%zu", r->scope, k - 1);
    }
    if (link || world == SWAPS) {
        r->claim = tn_arena_printf(arena, "vni %zu", vni);
    }
    if (have && world == FOREIGN && k == 0) {
        r->owner = TN_FOREIGN;
    }
    a[0] = (struct tn_attr){.name = "address",
                            .value = tn_arena_printf(arena, "10.0.%zu.%zu",
                                                     i / 256 % 256, i % 256)};
    a[1] = (struct tn_attr){
        .name = "local",
        .value = have && link && world == CASCADES ? "192.0.2.2" : "192.0.2.1",
        .change = TN_ATTR_REPLACE};
    a[2] = (struct tn_attr){
        .name = "mtu", .value = have && world == UPDATES ? "1500" : "1450"};
    a[3] = (struct tn_attr){.name = "vni",
                            .value = tn_arena_printf(arena, "%zu", vni),
                            .change = TN_ATTR_REPLACE};
    r->attrs = a;
    r->n_attrs = 4;
    r->origin = (struct tn_origin){"tenants/tenant/vpc.yml", 12, 5};
}

static const struct tn_state *
state(struct tn_arena *arena, size_t n, bool have, enum world world)
{
    struct tn_state *s = tn_new(arena, struct tn_state);
    struct tn_resource *items = tn_new_n(arena, struct tn_resource, n);
    for (size_t i = 0; i < n; i++) {
        fill(arena, &items[i], i, have, world);
    }
    if (tn_state_sort(items, n, NULL)) {
        abort();
    }
    *s = (struct tn_state){"hv1", items, n};
    return s;
}

struct cost {
    double plan, text, json, save;
    size_t changes;
};

static void
measure_once(const struct tn_plan_input *in, struct cost *sum)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text json = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text saved = {0};
    const struct tn_print_options options = {.verbose = false};
    const struct tn_device_plan *d = NULL;
    double t0 = now();
    if (tn_plan_device(arena, in, &d, NULL)) {
        abort();
    }
    const struct tn_plan *plan = tn_plan_build(arena, "", "", &d, 1);
    double t1 = now();
    tn_plan_print_text(&text, plan, &options);
    double t2 = now();
    tn_plan_print_json(&json, plan, &options);
    double t3 = now();
    tn_saved_print(&saved, tn_saved_build(arena, plan, "0"));
    double t4 = now();
    sum->plan += t1 - t0;
    sum->text += t2 - t1;
    sum->json += t3 - t2;
    sum->save += t4 - t3;
    sum->changes = plan->devices[0]->n_changes;
}

static void
make_input(struct tn_arena *arena, enum world world, size_t n,
           struct tn_plan_input *in)
{
    *in = (struct tn_plan_input){
        .device = "hv1",
        .driver = "bench",
        .caps = TN_CAP_OWNER,
        .want = state(arena, world == GONE ? 0 : n, false, world),
        .have = state(arena, world == FIRST ? 0 : n, true, world),
    };
    in->last = world == SAME ? state(arena, n, false, world) : in->have;
}

static double
least(double best, double seconds, int n)
{
    seconds /= n;
    return best == 0 || seconds < best ? seconds : best;
}

/* The cost of one input of 'n' resources, among 'inputs' of that size. */
static struct cost
measure(enum world world, size_t n, int inputs)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_plan_input in[FACTOR];
    struct cost best = {0};
    for (int i = 0; i < inputs; i++) {
        make_input(arena, world, n, &in[i]);
    }
    for (int run = 0; run < RUNS; run++) {
        struct cost sum = {0};
        for (int i = 0; i < inputs; i++) {
            measure_once(&in[i], &sum);
        }
        best.plan = least(best.plan, sum.plan, inputs);
        best.text = least(best.text, sum.text, inputs);
        best.json = least(best.json, sum.json, inputs);
        best.save = least(best.save, sum.save, inputs);
        best.changes = sum.changes;
    }
    return best;
}

int
main(void)
{
    int failed = 0;
    /* Pages from the kernel cost the same per byte, but only the first time:
     * keep them, or the large runs pay again and the small ones do not. */
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    printf("%-24s %9s %9s %9s %9s %9s %9s %7s\n", "", "resources", "changes",
           "plan ms", "text ms", "json ms", "save ms", "growth");
    for (enum world w = SAME; w < N_WORLDS; w++) {
        struct cost c[2] = {measure(w, SMALL, FACTOR),
                            measure(w, (size_t) SMALL * FACTOR, 1)};
        double growth = c[1].plan / c[0].plan;
        for (int i = 0; i < 2; i++) {
            printf("%-24s %9d %9zu %9.2f %9.2f %9.2f %9.2f", names[w],
                   i ? SMALL * FACTOR : SMALL, c[i].changes, c[i].plan * 1e3,
                   c[i].text * 1e3, c[i].json * 1e3, c[i].save * 1e3);
            if (i) {
                printf(" %6.1fx", growth);
            }
            printf("\n");
        }
        failed |= growth > 1.2 * FACTOR;
    }
    return failed;
}
