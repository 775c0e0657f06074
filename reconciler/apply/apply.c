/* apply.c - all devices at once, journal first.
 *
 * The journal holds every intended step of every device before the first one
 * is touched, and is on the disk by then unless all of it undoes drift.  Then
 * each device goes its own way (device.c); what became of it is added to the
 * journal as soon as it is known. */
#include "reconciler/apply/reconcile.h"

#include <stdlib.h>

#include "reconciler/apply/device.h"
#include "reconciler/apply/parallel.h"

enum { DEVICE_THREADS = 32 };

struct work {
    const struct tn_apply_job *job;
    struct tn_journal *journal;
};

static enum tn_code
steps_intend(struct tn_journal *journal, const struct tn_device_run *d,
             struct tn_error *err)
{
    const struct tn_device_plan *plan = d->plan;
    struct tn_journal_step *steps =
        tn_new_n(d->arena, struct tn_journal_step, plan->n_changes);
    for (size_t i = 0; i < plan->n_changes; i++) {
        steps[i] = (struct tn_journal_step){tn_change_action(&plan->changes[i]),
                                            plan->changes[i].key};
    }
    return tn_journal_intend(journal, d->device->name, steps, plan->n_changes,
                             err);
}

static enum tn_journal_outcome
journal_outcome(enum tn_outcome outcome)
{
    switch (outcome) {
    case TN_STEP_PENDING:
    case TN_STEP_WAITING:
        return TN_JOURNAL_PENDING;
    case TN_STEP_DONE:
        return TN_JOURNAL_DONE;
    case TN_STEP_FAILED:
        return TN_JOURNAL_FAILED;
    }
    return TN_JOURNAL_PENDING;
}

static enum tn_journal_device_state
journal_state(enum tn_device_end end)
{
    switch (end) {
    case TN_DEVICE_UNTOUCHED:
    case TN_DEVICE_VERIFIED:
        return TN_JOURNAL_VERIFIED;
    case TN_DEVICE_ROLLED_BACK:
        return TN_JOURNAL_ROLLED_BACK;
    case TN_DEVICE_BROKEN:
    case TN_DEVICE_UNREACHED:
        return TN_JOURNAL_BROKEN;
    }
    return TN_JOURNAL_BROKEN;
}

/* The device is what it is: a journal that cannot be written any more (disk
 * full) leaves the run unfinished, which the next one looks into. */
static void
outcome_write(struct tn_journal *journal, struct tn_device_run *d,
              const enum tn_outcome *outcomes)
{
    size_t n = d->plan->n_changes;
    struct tn_error err = {0};
    enum tn_journal_outcome *o = tn_new_n(d->arena, enum tn_journal_outcome, n);
    for (size_t i = 0; i < n; i++) {
        o[i] = journal_outcome(outcomes[i]);
    }
    char text[TN_ERROR_TEXT];
    bool failed = d->end != TN_DEVICE_VERIFIED;
    if (tn_journal_steps(journal, d->device->name, 0, o, n, &err) ||
        tn_journal_device(journal, d->device->name, journal_state(d->end),
                          failed ? tn_error_text(&d->failure, text, sizeof text)
                                 : NULL,
                          &err)) {
        d->undo_failure = d->undo_failure.code ? d->undo_failure : err;
    }
}

static void
device_work(void *context, size_t i)
{
    const struct work *work = context;
    struct tn_device_run *d = &work->job->devices[i];
    size_t n = d->plan->n_changes;
    if (d->plan->code || n == 0) {
        return;
    }
    enum tn_outcome *outcomes = tn_new_n(d->arena, enum tn_outcome, n);
    d->outcomes = outcomes;
    tn_device_apply(d, work->job->whole, outcomes);
    outcome_write(work->journal, d, outcomes);
}

/* Of all devices: the worst end decides, stale and unavailable being mild. */
static enum tn_code
verdict(const struct tn_apply_job *job, struct tn_error *err)
{
    enum tn_code worst = TN_OK;
    for (size_t i = 0; i < job->n; i++) {
        const struct tn_device_run *d = &job->devices[i];
        bool fine =
            d->end == TN_DEVICE_VERIFIED || d->end == TN_DEVICE_UNTOUCHED;
        bool mild = worst == TN_OK || worst == TN_EUNAVAILABLE;
        if (!fine && mild) {
            worst = d->failure.code ? d->failure.code : TN_EINTERNAL;
            if (d->end == TN_DEVICE_UNREACHED) {
                worst = TN_EUNAVAILABLE;
            }
            *err = d->failure;
            worst = tn_while(err, worst, "device %s", d->device->name);
        }
    }
    return worst;
}

static enum tn_code
journal_prepare(const struct tn_apply_job *job, struct tn_journal *journal,
                struct tn_error *err)
{
    for (size_t i = 0; i < job->n; i++) {
        const struct tn_device_run *d = &job->devices[i];
        if (d->plan->n_changes == 0) {
            continue;
        }
        enum tn_code code = steps_intend(journal, d, err);
        if (code) {
            return code;
        }
    }
    return tn_journal_go(journal, err);
}

/* Does the run nothing but put back what others changed?  Then Git and the
 * devices tell all of it again, whenever they are compared. */
static bool
is_heal(const struct tn_apply_job *job)
{
    bool heal = true;
    for (size_t i = 0; i < job->n; i++) {
        const struct tn_device_plan *plan = job->devices[i].plan;
        for (size_t k = 0; heal && k < plan->n_changes; k++) {
            heal = plan->changes[k].cause == TN_CAUSE_DRIFT;
        }
    }
    return heal;
}

enum tn_code
tn_apply_devices(const struct tn_apply_job *job, struct tn_state_lock *lock,
                 struct tn_error *err)
{
    size_t n_changes = 0;
    for (size_t i = 0; i < job->n; i++) {
        n_changes += job->devices[i].plan->n_changes;
    }
    if (n_changes == 0) {
        return verdict(job, err);
    }
    struct work work = {.job = job};
    struct tn_journal_run header = {
        .commit = job->commit,
        .environment = job->environment,
        .late = is_heal(job),
    };
    enum tn_code code = tn_journal_begin(lock, &header, &work.journal, err);
    if (code) {
        return tn_while(err, code, "journal");
    }
    code = journal_prepare(job, work.journal, err);
    if (code) {
        tn_journal_free(work.journal);
        return tn_while(err, code, "journal; no device was touched");
    }
    tn_parallel(job->n, DEVICE_THREADS, device_work, &work);
    code = verdict(job, err);
    struct tn_error late = {0};
    enum tn_code end =
        tn_journal_end(work.journal, code ? "partial" : "applied", &late);
    tn_journal_free(work.journal);
    if (end && !code) {
        *err = late;
        code = tn_while(err, end, "journal, after all devices were applied");
    }
    return code;
}

enum tn_code
tn_reconcile_apply(struct tn_reconcile *run, struct tn_state_lock *lock,
                   struct tn_error *err)
{
    struct tn_apply_job job = {
        .devices = run->devices,
        .n = run->n_devices,
        .commit = run->commit.id,
        .environment = run->network->inventory->environment,
        .whole = !run->selected,
    };
    return tn_apply_devices(&job, lock, err);
}

const char *
tn_device_end_name(enum tn_device_end end)
{
    switch (end) {
    case TN_DEVICE_UNTOUCHED:
        return "nothing to do";
    case TN_DEVICE_VERIFIED:
        return "applied and verified";
    case TN_DEVICE_ROLLED_BACK:
        return "rolled back";
    case TN_DEVICE_BROKEN:
        return "failed, and could not be rolled back";
    case TN_DEVICE_UNREACHED:
        return "not reached";
    }
    return "?";
}
