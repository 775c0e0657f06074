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
#include <time.h>

#include "model/base/map.h"
#include "reconciler/snapshot/snapshot.h"

struct lists {
    struct tn_arena *arena;
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
changed_collect(const struct tn_device_run *d, struct tn_arena *arena,
                struct tn_device_report *out)
{
    const struct tn_scope touched = tn_plan_scopes(d->arena, d->plan);
    const char **scopes = tn_new_n(arena, const char *, touched.n);
    for (size_t i = 0; i < touched.n; i++) {
        scopes[i] = tn_arena_strdup(arena, touched.names[i]);
    }
    out->changed = scopes;
    out->n_changed = touched.n;
}

void
tn_device_report(const struct tn_device_run *d, struct tn_arena *arena,
                 struct tn_device_report *out)
{
    char text[TN_ERROR_TEXT];
    bool fine = device_fine(d);
    *out = (struct tn_device_report){
        .device = d->device,
        .end = d->end,
        .fine = fine,
        .reason = failure_reason(d),
        .n_resources = d->want ? d->want->n : 0,
        .n_foreign = d->plan->n_foreign,
        .counts = d->plan->counts,
    };
    out->why = fine ? shortcoming(arena, d, &out->reason)
                    : tn_arena_strdup(
                          arena, tn_error_text(&d->failure, text, sizeof text));
    changed_collect(d, arena, out);
}

static void
devices_add(const struct tn_record *r, struct lists *l)
{
    for (size_t i = 0; i < r->n_reports; i++) {
        const struct tn_device_report *d = &r->reports[i];
        struct tn_status_device *s = tn_vec_push(l->arena, &l->devices);
        *s = (struct tn_status_device){
            .name = d->device->name,
            .environment = r->run->network->inventory->environment,
            .driver = d->device->host->config.driver,
            .head = {.commit = r->run->commit.id, .keep = !d->fine || d->keep},
            .n_vpcs = d->device->n_vpcs,
            .n_resources = d->n_resources,
            .n_foreign = d->n_foreign,
        };
        struct tn_condition *c = s->head.conditions;
        c[TN_COND_READY] = condition(!d->why && !d->drift, d->reason, d->why);
        c[TN_COND_DEGRADED] =
            condition(!d->fine, d->reason, d->fine ? NULL : d->why);
        c[TN_COND_DRIFTED] =
            condition(d->drift, d->drift ? "Drifted" : "InSync", d->drift);
    }
}

/* What the devices say about a VPC. */
struct vpc_view {
    TN_VEC(const char *) devices;
    const struct tn_device_report *failed; /* First that is not fine. */
    bool changed;                          /* There was something to do. */
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
views_collect(const struct tn_record *r)
{
    struct tn_map views;
    tn_map_init(&views, r->arena, r->run->network->n_vpcs);
    for (size_t i = 0; i < r->n_reports; i++) {
        const struct tn_device_report *d = &r->reports[i];
        for (size_t k = 0; k < d->device->n_vpcs; k++) {
            struct vpc_view *v =
                view_get(r->arena, &views, d->device->vpcs[k]->scope);
            *tn_vec_push(r->arena, &v->devices) = d->device->name;
            if (!d->fine && !v->failed) {
                v->failed = d;
            }
        }
        for (size_t k = 0; k < d->n_changed; k++) {
            view_get(r->arena, &views, d->changed[k])->changed = true;
        }
    }
    return views;
}

/* The commit that says what is wanted of the tenant. */
static const char *
tenant_commit(const struct tn_record *r, const char *tenant)
{
    const struct tn_kept *kept =
        tn_kept_get(r->run->kept, r->run->n_kept, tenant);
    return kept && kept->in_force ? kept->good : r->run->commit.id;
}

static struct tn_status_vpc
vpc_status(const struct tn_record *r, const struct tn_net_vpc *vpc,
           const struct vpc_view *v)
{
    bool bad = v && v->failed;
    struct tn_status_vpc s = {
        .tenant = vpc->tenant,
        .name = vpc->name,
        .head = {.commit = tenant_commit(r, vpc->tenant), .keep = bad},
        .n_subnets = vpc->n_subnets,
        .devices = v ? v->devices.items : NULL,
        .n_devices = v ? v->devices.n : 0,
    };
    for (size_t k = 0; k < vpc->n_subnets; k++) {
        s.n_ports += vpc->subnets[k].n_ports;
    }
    const char *why = bad ? tn_arena_printf(r->arena, "device %s is %s",
                                            v->failed->device->name,
                                            tn_device_end_name(v->failed->end))
                          : NULL;
    const char *reason = bad           ? v->failed->reason
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
vpcs_add(const struct tn_record *r, struct lists *l)
{
    const struct tn_network *net = r->run->network;
    struct tn_map views = views_collect(r);
    for (size_t i = 0; i < net->n_vpcs; i++) {
        const struct vpc_view *v = tn_map_get(&views, net->vpcs[i]->scope);
        struct tn_status_vpc s = vpc_status(r, net->vpcs[i], v);
        if ((v && v->changed) || !vpc_told(r->status, &s)) {
            *tn_vec_push(l->arena, &l->vpcs) = s;
        }
    }
}

/* The first error that belongs to the tenant, and what is in force. */
static const char *
tenant_error(const struct tn_record *r, const char *tenant)
{
    const struct tn_kept *kept =
        tn_kept_get(r->run->kept, r->run->n_kept, tenant);
    const char *good =
        kept && kept->in_force
            ? tn_arena_printf(r->arena, "; commit %.12s counts", kept->good)
            : "";
    for (size_t i = 0; i < r->run->diags.list.n; i++) {
        const struct tn_diag *d = &r->run->diags.list.items[i];
        if (d->severity == TN_ERROR && tn_streq(d->tenant, tenant)) {
            return tn_arena_printf(r->arena, "%s:%u:%u: %s%s",
                                   d->at.path ? d->at.path : "", d->at.line,
                                   d->at.column, d->message, good);
        }
    }
    return NULL;
}

static void
tenants_add(const struct tn_record *r, struct lists *l)
{
    const struct tn_network *net = r->run->network;
    for (size_t i = 0; i < net->n_tenants; i++) {
        const struct tn_tenant_result *t = &net->tenants[i];
        struct tn_status_tenant *s = tn_vec_push(l->arena, &l->tenants);
        bool failed = tn_kept_get(r->run->kept, r->run->n_kept, t->name);
        const char *why = failed ? tenant_error(r, t->name) : NULL;
        const char *reason = failed ? "InvalidIntent" : "Compiled";
        *s = (struct tn_status_tenant){
            .name = t->name,
            .head = {.commit = r->run->commit.id, .keep = failed},
            .n_vpcs = t->n_vpcs,
            .n_subnets = t->n_subnets,
            .n_ports = t->n_ports,
        };
        s->head.conditions[TN_COND_READY] = condition(!failed, reason, why);
        s->head.conditions[TN_COND_DEGRADED] = condition(failed, reason, why);
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
leavers_add(const struct tn_record *r, struct lists *l)
{
    const struct tn_network *net = r->run->network;
    const struct tn_status *old = r->status;
    for (size_t i = 0; i < r->n_reports; i++) {
        if (!r->reports[i].fine) {
            return;
        }
    }
    for (size_t i = 0; i < old->n_tenants; i++) {
        if (!tenant_find(net, old->tenants[i].name)) {
            *tn_vec_push(l->arena, &l->drop_tenants) = old->tenants[i].name;
        }
    }
    for (size_t i = 0; i < old->n_vpcs; i++) {
        const struct tn_status_vpc *v = &old->vpcs[i];
        const struct tn_tenant_result *t = tenant_find(net, v->tenant);
        const char *scope =
            tn_arena_printf(l->arena, "%s/%s", v->tenant, v->name);
        bool there = net->n_vpcs && bsearch(scope, net->vpcs, net->n_vpcs,
                                            sizeof *net->vpcs, vpc_cmp);
        if (t && !t->failed && !there) {
            *tn_vec_push(l->arena, &l->drop_vpcs) = scope;
        }
    }
}

/* After a destroy nothing of this environment's devices is left to tell. */
static void
all_drop(const struct tn_record *r, struct lists *l)
{
    for (size_t i = 0; i < r->n_reports; i++) {
        if (r->reports[i].fine) {
            *tn_vec_push(l->arena, &l->drop_devices) =
                r->reports[i].device->name;
        }
    }
    for (size_t i = 0; !r->run->options.host && i < r->status->n_vpcs; i++) {
        const struct tn_status_vpc *v = &r->status->vpcs[i];
        *tn_vec_push(l->arena, &l->drop_vpcs) =
            tn_arena_printf(l->arena, "%s/%s", v->tenant, v->name);
    }
}

static const char *
message(const struct tn_record *r)
{
    struct tn_counts n = {0};
    for (size_t i = 0; i < r->n_reports; i++) {
        n.add += r->reports[i].counts.add;
        n.change += r->reports[i].counts.change;
        n.replace += r->reports[i].counts.replace;
        n.destroy += r->reports[i].counts.destroy;
    }
    return tn_arena_printf(
        r->arena,
        "%s %.12s in %s\n\nPlan: %zu added, %zu changed, %zu "
        "replaced, %zu destroyed.",
        r->run->options.destroy ? "Destroy" : "Apply", r->run->commit.id,
        r->run->network->inventory->environment, n.add, n.change, n.replace,
        n.destroy);
}

void
tn_record_update(const struct tn_record *r, struct tn_status_update *out)
{
    const struct tn_reconcile *run = r->run;
    struct lists l = {.arena = r->arena};
    if (run->options.destroy) {
        all_drop(r, &l);
    } else {
        devices_add(r, &l);
    }
    /* One device cannot tell of what others hold as well. */
    if (!run->options.destroy && !run->options.host) {
        tenants_add(r, &l);
        vpcs_add(r, &l);
        leavers_add(r, &l);
    }
    *out = (struct tn_status_update){
        .devices = l.devices.items,
        .n_devices = l.devices.n,
        .tenants = l.tenants.items,
        .n_tenants = l.tenants.n,
        .vpcs = l.vpcs.items,
        .n_vpcs = l.vpcs.n,
        .pins = run->options.destroy ? NULL : run->network->pins,
        .n_pins = run->options.destroy ? 0 : run->network->n_pins,
        .since = r->status,
        .drop_devices = l.drop_devices.items,
        .n_drop_devices = l.drop_devices.n,
        .drop_vpcs = l.drop_vpcs.items,
        .n_drop_vpcs = l.drop_vpcs.n,
        .drop_tenants = l.drop_tenants.items,
        .n_drop_tenants = l.drop_tenants.n,
        .message = message(r),
    };
}

void
tn_device_snapshot(const struct tn_device_run *d, const char *commit,
                   const struct tn_digest *key, struct tn_arena *arena,
                   struct tn_status_folder *out)
{
    struct tn_snapshot_meta meta = {
        .device = d->device->name,
        .driver = d->driver->name,
        .commit = commit,
        .observed = (int64_t) time(NULL),
    };
    tn_snapshot_encode(arena, d->after ? d->after : d->have, d->want, &meta,
                       key, out);
}

/* What the devices hold now, of those on which something was done or of which
 * nothing is known yet. */
static void
snapshots_add(const struct tn_reconcile *run, struct tn_status_update *update)
{
    struct tn_status_folder *folders =
        tn_new_n(run->arena, struct tn_status_folder, run->n_devices);
    size_t n = 0;
    for (size_t i = 0; i < run->n_devices && !run->options.destroy; i++) {
        const struct tn_device_run *d = &run->devices[i];
        bool new = !tn_status_device_get(run->status, d->device->name);
        if (!d->have || !device_fine(d) || !(d->after || new)) {
            continue;
        }
        tn_device_snapshot(d, run->commit.id, NULL, d->arena, &folders[n++]);
    }
    update->folders = folders;
    update->n_folders = n;
}

enum tn_code
tn_reconcile_record(struct tn_reconcile *run, struct tn_status_result *result,
                    struct tn_error *err)
{
    *result = (struct tn_status_result){0};
    if (run->commit.id[0] == '\0') {
        return TN_OK;
    }
    struct tn_device_report *reports =
        tn_new_n(run->arena, struct tn_device_report, run->n_devices);
    for (size_t i = 0; i < run->n_devices; i++) {
        tn_device_report(&run->devices[i], run->arena, &reports[i]);
    }
    struct tn_record record = {run, run->status, reports, run->n_devices,
                               run->arena};
    struct tn_status_update update;
    tn_record_update(&record, &update);
    snapshots_add(run, &update);
    enum tn_code code =
        tn_status_commit(run->root, run->status_ref, &update, result, err);
    return code ? tn_while(err, code, "status ref %s", run->status_ref) : TN_OK;
}
