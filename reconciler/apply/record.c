/* record.c - the outcome of a run as an update of the status ref.
 *
 * A device that holds what the commit asks for gets its id; one that failed or
 * was not reached keeps the commit it had and says why.  A VPC is ready when
 * every device that should hold it is; its commit is the last one that changed
 * something of it, so that a commit which touches one VPC writes one VPC, not
 * all.  Identifiers in use are written along: from then on no commit moves
 * them. */
#include "reconciler/apply/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"

struct lists {
    TN_VEC(struct tn_status_device) devices;
    TN_VEC(struct tn_status_tenant) tenants;
    TN_VEC(struct tn_status_vpc) vpcs;
    TN_VEC(const char *) drop_vpcs;
    TN_VEC(const char *) drop_tenants;
    TN_VEC(const char *) drop_devices;
};

static bool
device_fine(const struct tn_device_run *d)
{
    return d->end == TN_DEVICE_VERIFIED ||
           (d->end == TN_DEVICE_UNTOUCHED && d->plan->code == TN_OK);
}

static struct tn_condition
condition(bool is, const char *reason, const char *message)
{
    return (struct tn_condition){is ? TN_COND_TRUE : TN_COND_FALSE, reason,
                                 message, 0};
}

static const char *
failure_reason(const struct tn_device_run *d)
{
    switch (d->end) {
    case TN_DEVICE_UNTOUCHED:
    case TN_DEVICE_VERIFIED:
        return "Verified";
    case TN_DEVICE_ROLLED_BACK:
        return "RolledBack";
    case TN_DEVICE_BROKEN:
        return "RollbackFailed";
    case TN_DEVICE_UNREACHED:
        return "Unreachable";
    }
    return "Unknown";
}

/* Why a device that was applied is not quite as the commit says; null if it
 * is. */
static const char *
shortcoming(struct tn_arena *arena, const struct tn_device_run *d,
            const char **reason)
{
    char text[TN_ERROR_TEXT];
    if (d->plan->n_conflicts) {
        *reason = "Conflict";
        return tn_conflict_text(arena, &d->plan->conflicts[0]);
    }
    if (d->plan->n_held) {
        *reason = "Held";
        return tn_arena_printf(arena,
                               "%s is left as it is: its documents have errors",
                               d->plan->held[0].scope);
    }
    if (d->n_waiting) {
        *reason = "Waiting";
        return tn_arena_strdup(arena,
                               tn_error_text(&d->waits_for, text, sizeof text));
    }
    if (d->n_differ) {
        *reason = "Differs";
        return tn_arena_printf(arena,
                               "%zu objects were not as wanted after the apply",
                               d->n_differ);
    }
    return NULL;
}

static void
device_conditions(struct tn_arena *arena, const struct tn_device_run *d,
                  struct tn_condition c[TN_N_CONDITIONS])
{
    bool fine = device_fine(d);
    const char *reason = failure_reason(d);
    char text[TN_ERROR_TEXT];
    const char *why =
        fine ? shortcoming(arena, d, &reason)
             : tn_arena_strdup(arena,
                               tn_error_text(&d->failure, text, sizeof text));
    c[TN_COND_READY] = condition(!why, reason, why);
    c[TN_COND_DEGRADED] = condition(!fine, reason, fine ? NULL : why);
    c[TN_COND_DRIFTED] = condition(false, "InSync", NULL);
}

static void
devices_add(struct tn_reconcile *run, struct lists *l)
{
    for (size_t i = 0; i < run->n_devices; i++) {
        const struct tn_device_run *d = &run->devices[i];
        struct tn_status_device *s = tn_vec_push(run->arena, &l->devices);
        *s = (struct tn_status_device){
            .name = d->device->name,
            .environment = run->network->inventory->environment,
            .driver = d->device->host->config.driver,
            .head = {.commit = run->commit.id, .keep = !device_fine(d)},
            .n_vpcs = d->device->n_vpcs,
            .n_resources = d->want ? d->want->n : 0,
            .n_foreign = d->plan->n_foreign,
        };
        device_conditions(run->arena, d, s->head.conditions);
    }
}

/* What the devices say about a VPC. */
struct vpc_view {
    TN_VEC(const char *) devices;
    const struct tn_device_run *failed; /* First device that is not fine. */
    bool changed;                       /* This run had something to do. */
};

static struct vpc_view *
view_get(struct tn_arena *arena, struct tn_map *views, const char *scope)
{
    struct vpc_view *v = tn_map_get(views, scope);
    if (!v) {
        v = tn_new(arena, struct vpc_view);
        tn_map_put(views, scope, v);
    }
    return v;
}

static struct tn_map
views_collect(struct tn_reconcile *run)
{
    struct tn_map views;
    tn_map_init(&views, run->arena, run->network->n_vpcs);
    for (size_t i = 0; i < run->n_devices; i++) {
        const struct tn_device_run *d = &run->devices[i];
        for (size_t k = 0; k < d->device->n_vpcs; k++) {
            struct vpc_view *v =
                view_get(run->arena, &views, d->device->vpcs[k]->scope);
            *tn_vec_push(run->arena, &v->devices) = d->device->name;
            if (!device_fine(d) && !v->failed) {
                v->failed = d;
            }
        }
        for (size_t k = 0; k < d->plan->n_changes; k++) {
            view_get(run->arena, &views, d->plan->changes[k].scope)->changed =
                true;
        }
    }
    return views;
}

static struct tn_status_vpc
vpc_status(struct tn_reconcile *run, const struct tn_net_vpc *vpc,
           const struct vpc_view *v)
{
    bool bad = v && v->failed;
    struct tn_status_vpc s = {
        .tenant = vpc->tenant,
        .name = vpc->name,
        .head = {.commit = run->commit.id, .keep = bad},
        .n_subnets = vpc->n_subnets,
        .devices = v ? v->devices.items : NULL,
        .n_devices = v ? v->devices.n : 0,
    };
    for (size_t k = 0; k < vpc->n_subnets; k++) {
        s.n_ports += vpc->subnets[k].n_ports;
    }
    const char *why = bad ? tn_arena_printf(run->arena, "device %s is %s",
                                            v->failed->device->name,
                                            tn_device_end_name(v->failed->end))
                          : NULL;
    const char *reason = bad           ? failure_reason(v->failed)
                         : s.n_devices ? "Verified"
                                       : "NoPorts";
    s.head.conditions[TN_COND_READY] = condition(!bad, reason, why);
    s.head.conditions[TN_COND_DEGRADED] = condition(bad, reason, why);
    s.head.conditions[TN_COND_DRIFTED] = condition(false, "InSync", NULL);
    return s;
}

/* True if the ref says the same already, but for the commit. */
static bool
vpc_told(const struct tn_status *status, const struct tn_status_vpc *s)
{
    const struct tn_status_vpc *old =
        tn_status_vpc_get(status, s->tenant, s->name);
    if (!old || old->n_subnets != s->n_subnets || old->n_ports != s->n_ports ||
        old->n_devices != s->n_devices) {
        return false;
    }
    for (size_t i = 0; i < TN_N_CONDITIONS; i++) {
        const struct tn_condition *a = &old->head.conditions[i];
        const struct tn_condition *b = &s->head.conditions[i];
        if (a->status != b->status || !tn_streq(a->reason, b->reason)) {
            return false;
        }
    }
    return true;
}

static void
vpcs_add(struct tn_reconcile *run, struct lists *l)
{
    const struct tn_network *net = run->network;
    struct tn_map views = views_collect(run);
    for (size_t i = 0; i < net->n_vpcs; i++) {
        const struct vpc_view *v = tn_map_get(&views, net->vpcs[i]->scope);
        struct tn_status_vpc s = vpc_status(run, net->vpcs[i], v);
        if ((v && v->changed) || !vpc_told(run->status, &s)) {
            *tn_vec_push(run->arena, &l->vpcs) = s;
        }
    }
}

/* The first error that belongs to the tenant. */
static const char *
tenant_error(struct tn_reconcile *run, const char *tenant)
{
    for (size_t i = 0; i < run->diags.list.n; i++) {
        const struct tn_diag *d = &run->diags.list.items[i];
        if (d->severity == TN_ERROR && tn_streq(d->tenant, tenant)) {
            return tn_arena_printf(run->arena, "%s:%u:%u: %s",
                                   d->at.path ? d->at.path : "", d->at.line,
                                   d->at.column, d->message);
        }
    }
    return NULL;
}

static void
tenants_add(struct tn_reconcile *run, struct lists *l)
{
    const struct tn_network *net = run->network;
    for (size_t i = 0; i < net->n_tenants; i++) {
        const struct tn_tenant_result *t = &net->tenants[i];
        struct tn_status_tenant *s = tn_vec_push(run->arena, &l->tenants);
        const char *why = t->failed ? tenant_error(run, t->name) : NULL;
        const char *reason = t->failed ? "InvalidIntent" : "Compiled";
        *s = (struct tn_status_tenant){
            .name = t->name,
            .head = {.commit = run->commit.id, .keep = t->failed},
            .n_vpcs = t->n_vpcs,
            .n_subnets = t->n_subnets,
            .n_ports = t->n_ports,
        };
        s->head.conditions[TN_COND_READY] = condition(!t->failed, reason, why);
        s->head.conditions[TN_COND_DEGRADED] =
            condition(t->failed, reason, why);
        s->head.conditions[TN_COND_DRIFTED] = condition(false, "InSync", NULL);
    }
}

static int
tenant_cmp(const void *key, const void *item)
{
    return strcmp(key, ((const struct tn_tenant_result *) item)->name);
}

static int
vpc_cmp(const void *key, const void *item)
{
    return strcmp(key, (*(const struct tn_net_vpc *const *) item)->scope);
}

static const struct tn_tenant_result *
tenant_find(const struct tn_network *net, const char *name)
{
    return net->n_tenants ? bsearch(name, net->tenants, net->n_tenants,
                                    sizeof *net->tenants, tenant_cmp)
                          : NULL;
}

/* What the ref still tells of things that the intent has no more.  Only when
 * every device is fine: else they may still hold some of it. */
static void
leavers_add(struct tn_reconcile *run, struct lists *l)
{
    const struct tn_network *net = run->network;
    const struct tn_status *old = run->status;
    for (size_t i = 0; i < run->n_devices; i++) {
        if (!device_fine(&run->devices[i])) {
            return;
        }
    }
    for (size_t i = 0; i < old->n_tenants; i++) {
        if (!tenant_find(net, old->tenants[i].name)) {
            *tn_vec_push(run->arena, &l->drop_tenants) = old->tenants[i].name;
        }
    }
    for (size_t i = 0; i < old->n_vpcs; i++) {
        const struct tn_status_vpc *v = &old->vpcs[i];
        const struct tn_tenant_result *t = tenant_find(net, v->tenant);
        const char *scope =
            tn_arena_printf(run->arena, "%s/%s", v->tenant, v->name);
        bool there = net->n_vpcs && bsearch(scope, net->vpcs, net->n_vpcs,
                                            sizeof *net->vpcs, vpc_cmp);
        if (t && !t->failed && !there) {
            *tn_vec_push(run->arena, &l->drop_vpcs) = scope;
        }
    }
}

/* After a destroy nothing of this environment's devices is left to tell. */
static void
all_drop(struct tn_reconcile *run, struct lists *l)
{
    for (size_t i = 0; i < run->n_devices; i++) {
        if (device_fine(&run->devices[i])) {
            *tn_vec_push(run->arena, &l->drop_devices) =
                run->devices[i].device->name;
        }
    }
    for (size_t i = 0; !run->options.host && i < run->status->n_vpcs; i++) {
        const struct tn_status_vpc *v = &run->status->vpcs[i];
        *tn_vec_push(run->arena, &l->drop_vpcs) =
            tn_arena_printf(run->arena, "%s/%s", v->tenant, v->name);
    }
}

enum tn_code
tn_reconcile_record(struct tn_reconcile *run, struct tn_status_result *result,
                    struct tn_error *err)
{
    struct lists l = {0};
    *result = (struct tn_status_result){0};
    if (run->commit.id[0] == '\0') {
        return TN_OK;
    }
    if (run->options.destroy) {
        all_drop(run, &l);
    } else {
        devices_add(run, &l);
    }
    /* One device cannot tell of what others hold as well. */
    if (!run->options.destroy && !run->options.host) {
        tenants_add(run, &l);
        vpcs_add(run, &l);
        leavers_add(run, &l);
    }
    struct tn_status_update update = {
        .devices = l.devices.items,
        .n_devices = l.devices.n,
        .tenants = l.tenants.items,
        .n_tenants = l.tenants.n,
        .vpcs = l.vpcs.items,
        .n_vpcs = l.vpcs.n,
        .pins = run->options.destroy ? NULL : run->network->pins,
        .n_pins = run->options.destroy ? 0 : run->network->n_pins,
        .drop_devices = l.drop_devices.items,
        .n_drop_devices = l.drop_devices.n,
        .drop_vpcs = l.drop_vpcs.items,
        .n_drop_vpcs = l.drop_vpcs.n,
        .drop_tenants = l.drop_tenants.items,
        .n_drop_tenants = l.drop_tenants.n,
        .message = tn_arena_printf(
            run->arena,
            "%s %.12s in %s\n\nPlan: %zu added, %zu changed, %zu "
            "replaced, %zu destroyed.",
            run->options.destroy ? "Destroy" : "Apply", run->commit.id,
            run->network->inventory->environment, run->plan->counts.add,
            run->plan->counts.change, run->plan->counts.replace,
            run->plan->counts.destroy),
    };
    enum tn_code code =
        tn_status_commit(run->root, run->status_ref, &update, result, err);
    return code ? tn_while(err, code, "status ref %s", run->status_ref) : TN_OK;
}
