/* observe.c - what every device holds, beside what it should: the plan.
 *
 * One thread a device (up to a bound): open, render, observe, plan.  What was
 * applied last is compiled again from the commit that the status ref names;
 * all devices at one commit share that network, and in the common case it is
 * the one that is wanted now. */
#include "reconciler/apply/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/apply/parallel.h"
#include "reconciler/snapshot/snapshot.h"
#include "reconciler/status/load.h"

enum { DEVICE_THREADS = 32 };

/* Networks compiled for the sake of comparison. */
struct pasts {
    TN_VEC(struct tn_applied_network) list;
};

/* What the status ref says of tenants that were broken at the time: an entry
 * stays at the last commit in which its tenant was whole. */
static struct tn_keep
past_keep(const struct tn_reconcile *run, struct tn_arena *arena)
{
    const struct tn_status *s = run->status;
    struct tn_kept *tenants = tn_new_n(arena, struct tn_kept, s->n_tenants);
    for (size_t i = 0; i < s->n_tenants; i++) {
        tenants[i].tenant = s->tenants[i].name;
        tenants[i].good = s->tenants[i].head.commit;
    }
    return (struct tn_keep){.tenants = tenants, .n_tenants = s->n_tenants};
}

const struct tn_network *
tn_reconcile_past(const struct tn_reconcile *run, const char *id,
                  struct tn_arena *arena)
{
    struct tn_source *source = NULL;
    struct tn_diags unheard;
    struct tn_error ignored = {0};
    tn_diags_init(&unheard, arena);
    if (tn_source_open_commit(run->root, id, &source, NULL, &ignored)) {
        return NULL;
    }
    struct tn_compile_options o = {
        .environment = run->network->inventory->environment,
        .threads = run->options.threads,
        .pins = run->status->pins,
        .n_pins = run->status->n_pins,
    };
    struct tn_keep keep = past_keep(run, arena);
    struct tn_keep_job job = {
        .repo = run->root,
        .commit = id,
        .source = source,
        .options = &o,
        .keep = &keep,
        .arena = arena,
        .diags = &unheard,
    };
    if (tn_keep_compile(&job, &ignored)) {
        job.network = NULL;
    }
    job.source->ops->free(job.source);
    return job.network;
}

static const struct tn_network *
past_get(struct tn_reconcile *run, struct pasts *pasts, const char *device)
{
    const struct tn_status_device *status =
        tn_status_device_get(run->status, device);
    if (!status || !status->head.commit) {
        return NULL;
    }
    const char *commit = status->head.commit;
    if (strcmp(commit, run->commit.id) == 0) {
        return run->network;
    }
    for (size_t i = 0; i < pasts->list.n; i++) {
        if (strcmp(pasts->list.items[i].commit, commit) == 0) {
            return pasts->list.items[i].network;
        }
    }
    struct tn_applied_network *p = tn_vec_push(run->arena, &pasts->list);
    p->commit = commit;
    p->network = tn_reconcile_past(run, commit, run->arena);
    return p->network;
}

const struct tn_device *
tn_network_device(const struct tn_network *network, const char *name)
{
    for (size_t i = 0; network && i < network->n_devices; i++) {
        if (strcmp(network->devices[i].name, name) == 0) {
            return &network->devices[i];
        }
    }
    return NULL;
}

/* Failed tenants, scopes that compile holds, and tenants of which this device
 * cannot express something. */
static void
held_collect(const struct tn_reconcile *run, struct tn_device_run *d)
{
    TN_VEC(const char *) held = {0};
    const struct tn_network *net = run->network;
    for (size_t i = 0; i < net->n_tenants; i++) {
        if (net->tenants[i].failed) {
            *tn_vec_push(d->arena, &held) = net->tenants[i].name;
        }
    }
    for (size_t i = 0; i < net->n_held; i++) {
        *tn_vec_push(d->arena, &held) = net->held_scopes[i];
    }
    for (size_t i = 0; i < d->diags.list.n; i++) {
        const struct tn_diag *f = &d->diags.list.items[i];
        if (f->severity == TN_ERROR && f->tenant) {
            *tn_vec_push(d->arena, &held) = f->tenant;
        }
    }
    tn_texts_sort(held.items, held.n);
    d->held = held.items;
    d->n_held = held.n;
}

enum tn_code
tn_device_render(const struct tn_reconcile *run, struct tn_device_run *d,
                 const struct tn_device *last, struct tn_error *err)
{
    if (run->options.destroy) {
        struct tn_state *nothing = tn_new(d->arena, struct tn_state);
        nothing->device = d->device->name;
        d->want = nothing;
        return TN_OK;
    }
    enum tn_code code =
        d->driver->render(d->device, d->arena, &d->want, &d->diags, err);
    if (code) {
        return code;
    }
    held_collect(run, d);
    if (last == d->device) {
        d->last = d->want;
    } else if (last) {
        struct tn_diags unheard;
        struct tn_error ignored = {0};
        tn_diags_init(&unheard, d->arena);
        if (d->driver->render(last, d->arena, &d->last, &unheard, &ignored)) {
            d->last = NULL;
        }
    }
    return TN_OK;
}

static struct tn_plan_input
plan_input(const struct tn_device_run *d)
{
    return (struct tn_plan_input){
        .device = d->device->name,
        .driver = d->driver->name,
        .caps = d->driver->caps,
        .last = d->last,
        .want = d->want,
        .have = d->have,
        .held = d->held,
        .n_held = d->n_held,
    };
}

enum tn_code
tn_device_plan(struct tn_device_run *d, struct tn_error *err)
{
    struct tn_plan_input in = plan_input(d);
    return tn_plan_device(d->arena, &in, &d->plan, err);
}

/* Opened first, so that the device is being read while its resources are
 * rendered.  What is wrong with the intent is told also if it is not there. */
static enum tn_code
device_look(const struct tn_reconcile *run, struct tn_device_run *d,
            const struct tn_device *last, const struct tn_driver_env *env,
            struct tn_error *err)
{
    static const struct tn_scope everything;
    struct tn_error closed = {0};
    enum tn_code opened = d->driver->open(d->device, env, &d->session, &closed);
    if (!opened && d->driver->read_ahead) {
        d->driver->read_ahead(d->session);
    }
    enum tn_code code = tn_device_render(run, d, last, err);
    if (!code && opened) {
        *err = closed;
        code = opened;
    }
    return code ? code
                : d->driver->observe(d->session, &everything, d->want, d->arena,
                                     &d->have, err);
}

/* The snapshot in place of the device. */
static enum tn_code
device_recall(const struct tn_reconcile *run, struct tn_device_run *d,
              struct tn_error *err)
{
    struct tn_source *source = NULL;
    struct tn_snapshot snapshot;
    struct tn_snapshot_secrets secrets = {0};
    const char *name = d->device->name;
    if (!run->status_read) {
        return tn_fail(err, TN_ENOENT, 0, "there is no status ref");
    }
    enum tn_code code =
        tn_status_open(run->root, run->status_read, &source, err);
    if (!code && !source) {
        code = tn_fail(err, TN_ENOENT, 0, "there is no %s", run->status_read);
    }
    if (!code) {
        code = tn_snapshot_load(source, name, d->arena, &snapshot, err);
    }
    if (source) {
        source->ops->free(source);
    }
    if (code) {
        return code;
    }
    if (!tn_streq(snapshot.meta.driver, d->driver->name)) {
        return tn_fail(err, TN_ESTALE, 0,
                       "the snapshot is of driver %s, the inventory says %s",
                       snapshot.meta.driver, d->driver->name);
    }
    tn_snapshot_reveal(d->arena, &snapshot, d->want, d->last, NULL, &secrets);
    d->have = snapshot.state;
    d->seen = snapshot.meta.observed;
    d->n_unknown = secrets.n_not_compared;
    return TN_OK;
}

static enum tn_code
device_plan(const struct tn_reconcile *run, struct tn_device_run *d,
            const struct tn_device *last, const struct tn_driver_env *env,
            struct tn_error *err)
{
    const char *name = d->device->host->config.driver;
    d->driver = tn_driver_get(name);
    if (!d->driver) {
        return tn_fail(err, TN_EUNSUPPORTED, 0, "there is no driver '%s'",
                       name);
    }
    enum tn_code code;
    if (run->options.offline) {
        code = tn_device_render(run, d, last, err);
        code = code ? code : device_recall(run, d, err);
    } else {
        code = device_look(run, d, last, env, err);
    }
    return code ? code : tn_device_plan(d, err);
}

struct job {
    const struct tn_reconcile *run;
    const struct tn_device **last; /* By index of device; null: unknown. */
    struct tn_driver_env env;
};

static void
device_work(void *context, size_t i)
{
    const struct job *job = context;
    struct tn_device_run *d = &job->run->devices[i];
    struct tn_error err = {0};
    enum tn_code code = device_plan(job->run, d, job->last[i], &job->env, &err);
    if (code) {
        d->failure = err;
        d->end = TN_DEVICE_UNREACHED;
        d->plan = tn_plan_unreachable(d->arena, d->device->name,
                                      d->device->host->config.driver, &err);
    }
}

enum tn_code
tn_reconcile_observe(struct tn_reconcile *run, struct tn_error *err)
{
    const struct tn_network *net = run->network;
    struct pasts pasts = {0};
    struct job job = {.run = run, .env = {run->options.cache_dir}};
    run->devices = tn_new_n(run->arena, struct tn_device_run, net->n_devices);
    job.last = tn_new_n(run->arena, const struct tn_device *, net->n_devices);
    for (size_t i = 0; i < net->n_devices; i++) {
        const char *name = net->devices[i].name;
        if (run->options.host && strcmp(run->options.host, name) != 0) {
            continue;
        }
        struct tn_device_run *d = &run->devices[run->n_devices];
        d->device = &net->devices[i];
        d->arena = tn_arena_new();
        tn_diags_init(&d->diags, d->arena);
        job.last[run->n_devices++] =
            tn_network_device(past_get(run, &pasts, name), name);
    }
    if (run->options.host && run->n_devices == 0) {
        return tn_fail(err, TN_ENOENT, 0,
                       "environment %s has no device on a host '%s'",
                       net->inventory->environment, run->options.host);
    }
    run->pasts = pasts.list.items;
    run->n_pasts = pasts.list.n;
    tn_parallel(run->n_devices, DEVICE_THREADS, device_work, &job);
    const struct tn_device_plan **plans =
        tn_new_n(run->arena, const struct tn_device_plan *, run->n_devices);
    for (size_t i = 0; i < run->n_devices; i++) {
        plans[i] = run->devices[i].plan;
        tn_diags_merge(&run->diags, &run->devices[i].diags);
    }
    tn_diags_sort(&run->diags);
    run->plan =
        tn_plan_build(run->arena, run->commit.id, net->inventory->environment,
                      plans, run->n_devices);
    return TN_OK;
}

enum tn_code
tn_reconcile_select(struct tn_reconcile *run, const struct tn_saved *saved,
                    struct tn_saved_result *result, struct tn_error *err)
{
    struct tn_plan_input *in =
        tn_new_n(run->arena, struct tn_plan_input, run->n_devices);
    size_t n = 0;
    for (size_t i = 0; i < run->n_devices; i++) {
        const struct tn_device_run *d = &run->devices[i];
        if (d->have) {
            in[n++] = plan_input(d);
        }
    }
    enum tn_code code = tn_saved_check(run->arena, saved, in, n, result, err);
    if (code) {
        return code;
    }
    run->plan = tn_saved_select(run->arena, saved, run->plan);
    run->selected = true;
    for (size_t i = 0, k = 0; i < run->plan->n_devices; i++) {
        const struct tn_device_plan *p = run->plan->devices[i];
        while (strcmp(run->devices[k].device->name, p->device) != 0) {
            k++; /* Both are sorted by name and hold the same devices. */
        }
        run->devices[k].plan = p;
    }
    return TN_OK;
}
