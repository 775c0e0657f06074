/* budget.c - counting deletions against limits: see budget.h.
 *
 * All limits that are exceeded are listed, not only the first: whoever has to
 * decide wants to see them at once.  The percentage does not bind a device that
 * holds fewer than ten objects of ours, where one deletion is a large share. */
#include "reconciler/plan/budget.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

enum { PERCENT_FROM = 10 };

/* As in tenet.yml when it says nothing. */
enum { DEFAULT_DELETES = 100, DEFAULT_PERCENT = 30 };

struct tenant {
    const char *name;
    size_t deletes, devices;
    const struct tn_device_plan *latest;
};

struct audit {
    struct tn_arena *arena;
    size_t device_limit, percent, tenant_limit, allowed;
    struct tn_map by_name; /* To struct tenant. */
    TN_VEC(struct tenant *) tenants;
    TN_VEC(struct tn_excess) excesses;
};

static size_t
limit_of(const struct tn_vuint *v, size_t otherwise)
{
    return v->at.line || v->v ? (size_t) v->v : otherwise;
}

static const char *
plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void
exceed(struct audit *a, struct tn_excess excess)
{
    *tn_vec_push(a->arena, &a->excesses) = excess;
}

static void
count_tenant(struct audit *a, const struct tn_change *change,
             const struct tn_device_plan *device)
{
    struct tenant *t = tn_map_get(&a->by_name, change->tenant);
    if (!t) {
        t = tn_new(a->arena, struct tenant);
        t->name = change->tenant;
        tn_map_put(&a->by_name, t->name, t);
        *tn_vec_push(a->arena, &a->tenants) = t;
    }
    t->deletes++;
    t->devices += t->latest != device;
    t->latest = device;
}

static void
check_device(struct audit *a, const struct tn_device_plan *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_changes; i++) {
        const struct tn_change *c = &d->changes[i];
        if (c->op == TN_OP_DELETE && c->half == TN_WHOLE) {
            n++;
            if (*c->tenant) {
                count_tenant(a, c, d);
            }
        }
    }
    if (n <= a->allowed) {
        return;
    }
    if (n > a->device_limit) {
        exceed(a, (struct tn_excess){
                      .kind = TN_BUDGET_DEVICE,
                      .who = d->device,
                      .deletes = n,
                      .limit = a->device_limit,
                      .text = tn_arena_printf(
                          a->arena,
                          "device %s: %zu object%s to destroy, but "
                          "budgets.maxDeletes allows %zu",
                          d->device, n, plural(n), a->device_limit)});
    }
    if (d->n_ours >= PERCENT_FROM && n * 100 > a->percent * d->n_ours) {
        exceed(a, (struct tn_excess){
                      .kind = TN_BUDGET_PERCENT,
                      .who = d->device,
                      .deletes = n,
                      .limit = a->percent,
                      .of = d->n_ours,
                      .text = tn_arena_printf(
                          a->arena,
                          "device %s: %zu of its %zu objects to destroy, but "
                          "budgets.maxDeletePercent allows %zu%%",
                          d->device, n, d->n_ours, a->percent)});
    }
}

static void
check_tenant(struct audit *a, const struct tenant *t)
{
    if (t->deletes <= a->allowed || t->deletes <= a->tenant_limit) {
        return;
    }
    exceed(a, (struct tn_excess){
                  .kind = TN_BUDGET_TENANT,
                  .who = t->name,
                  .deletes = t->deletes,
                  .limit = a->tenant_limit,
                  .text = tn_arena_printf(
                      a->arena,
                      "tenant %s: %zu object%s to destroy on %zu device%s, but "
                      "budgets.maxDeletesPerTenant allows %zu",
                      t->name, t->deletes, plural(t->deletes), t->devices,
                      plural(t->devices), a->tenant_limit)});
}

static int
tenant_cmp(const void *pa, const void *pb)
{
    const struct tenant *const *a = pa, *const *b = pb;
    return strcmp((*a)->name, (*b)->name);
}

void
tn_budget_check(struct tn_arena *arena, const struct tn_plan *plan,
                const struct tn_settings *settings, size_t allow_deletes,
                struct tn_budget_result *out)
{
    struct audit a = {
        .arena = arena,
        .device_limit = limit_of(&settings->max_deletes, DEFAULT_DELETES),
        .percent = limit_of(&settings->max_delete_percent, DEFAULT_PERCENT),
        .tenant_limit =
            limit_of(&settings->max_deletes_per_tenant, DEFAULT_DELETES),
        .allowed = allow_deletes,
    };
    tn_map_init(&a.by_name, arena, 0);
    for (size_t i = 0; i < plan->n_devices; i++) {
        check_device(&a, plan->devices[i]);
    }
    if (a.tenants.n > 1) {
        qsort(a.tenants.items, a.tenants.n, sizeof(struct tenant *),
              tenant_cmp);
    }
    for (size_t i = 0; i < a.tenants.n; i++) {
        check_tenant(&a, a.tenants.items[i]);
    }
    out->items = a.excesses.items;
    out->n = a.excesses.n;
    out->needed = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (out->items[i].deletes > out->needed) {
            out->needed = out->items[i].deletes;
        }
    }
}
