/* report.c - what came of one look, in the words of whoever is told. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/daemon/worker.h"

#include "model/base/time.h"
#include "reconciler/snapshot/snapshot.h"

enum { STRANGERS_MS = 10000 };

static const struct tn_status_folder *
snapshot_make(struct tn_look *k)
{
    struct tn_arena *arena = k->report->snapshot_arena = tn_arena_new();
    struct tn_status_folder *folder = tn_new(arena, struct tn_status_folder);
    const char *commit = k->w->known ? k->w->intent->run->commit.id : NULL;
    tn_device_snapshot(&k->d, commit, k->w->options->snapshot_key, arena,
                       folder);
    return folder;
}

/* The same of what was looked at, if the rest is known to be in Git. */
static const struct tn_status_folder *
snapshot_make_part(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    struct tn_arena *arena = k->report->snapshot_arena = tn_arena_new();
    struct tn_status_folder *folder = tn_new(arena, struct tn_status_folder);
    struct tn_snapshot_meta meta = {
        .device = w->name,
        .driver = w->base.driver->name,
        .commit = w->intent->run->commit.id,
        .observed = (int64_t) time(NULL),
    };
    tn_snapshot_encode_part(arena, k->d.after ? k->d.after : k->d.have,
                            k->scope.names, k->scope.n, &meta,
                            w->options->snapshot_key, folder);
    return folder;
}

static void
blocked_add(struct tn_arena *arena, struct tn_blocked *out, const char *scope,
            const char *why)
{
    *out = (struct tn_blocked){tn_arena_strdup(arena, scope),
                               tn_arena_strdup(arena, why)};
}

static bool
is_looked_at(const struct tn_look *k, const char *scope)
{
    return k->full || tn_texts_has(k->scope.names, k->scope.n, scope);
}

static int
cmp_stranger(const void *a, const void *b)
{
    const struct tn_stranger *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static bool
is_known(const struct tn_worker *w, const char *key)
{
    const struct tn_stranger it = {NULL, key};
    return w->strangers.n && bsearch(&it, w->strangers.items, w->strangers.n,
                                     sizeof *w->strangers.items, cmp_stranger);
}

static void
stranger_add(struct tn_arena *arena, struct tn_stranger *out,
             const struct tn_stranger *it)
{
    *out = (struct tn_stranger){tn_arena_strdup(arena, it->scope),
                                tn_arena_strdup(arena, it->key)};
}

/* Says what is new, seldom enough that whoever makes and removes something all
 * the time does not fill the log. */
static void
strangers_tell(struct tn_look *k, const struct tn_resource *first, size_t n)
{
    struct tn_worker *w = k->w;
    struct tn_unit_report *r = k->report;
    int64_t now = tn_now_ms();
    w->n_untold += n;
    if (!w->n_untold || now < w->strangers_ms) {
        return;
    }
    if (!first) {
        r->strangers =
            tn_arena_printf(r->arena, "%zu objects more", w->n_untold);
    } else if (w->n_untold > 1) {
        r->strangers =
            tn_arena_printf(r->arena, "%s %s, and %zu more", first->kind,
                            first->key, w->n_untold - 1);
    } else {
        r->strangers =
            tn_arena_printf(r->arena, "%s %s", first->kind, first->key);
    }
    w->n_untold = 0;
    w->strangers_ms = now + STRANGERS_MS;
}

/* Takes note of objects of others in what was looked at. */
static void
strangers_note(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    const struct tn_device_plan *plan = k->d.plan;
    const struct tn_resource *first = NULL;
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(struct tn_stranger) all = {0};
    size_t n_new = 0, n_gone = 0;
    for (size_t i = 0; i < w->strangers.n; i++) {
        if (is_looked_at(k, w->strangers.items[i].scope)) {
            n_gone++;
        } else {
            stranger_add(arena, tn_vec_push(arena, &all),
                         &w->strangers.items[i]);
        }
    }
    for (size_t i = 0; i < plan->n_foreign && all.n < TN_STRANGERS; i++) {
        const struct tn_resource *f = plan->foreign[i];
        bool is_new = !is_known(w, f->key);
        first = first || !is_new ? first : f;
        n_new += is_new;
        stranger_add(arena, tn_vec_push(arena, &all),
                     &(struct tn_stranger){f->scope, f->key});
    }
    if (all.n) {
        qsort(all.items, all.n, sizeof *all.items, cmp_stranger);
    }
    w->n_foreign =
        k->full ? plan->n_foreign : w->n_foreign + plan->n_foreign - n_gone;
    tn_arena_free(w->strangers_arena);
    w->strangers_arena = arena;
    w->strangers.items = all.items;
    w->strangers.n = all.n;
    w->strangers.cap = all.cap;
    strangers_tell(k, first, n_new);
}

/* Takes note of the conflicts in what was looked at; those elsewhere stand. */
static void
blocked_note(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    const struct tn_device_plan *plan = k->d.plan;
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(struct tn_blocked) all = {0};
    for (size_t i = 0; i < w->blocked.n; i++) {
        const struct tn_blocked *b = &w->blocked.items[i];
        if (!is_looked_at(k, b->scope)) {
            blocked_add(arena, tn_vec_push(arena, &all), b->scope, b->why);
        }
    }
    for (size_t i = 0; i < plan->n_conflicts; i++) {
        const struct tn_conflict *c = &plan->conflicts[i];
        blocked_add(arena, tn_vec_push(arena, &all), c->want->scope,
                    tn_conflict_text(k->arena, c));
    }
    tn_arena_free(w->blocked_arena);
    w->blocked_arena = arena;
    w->blocked.items = all.items;
    w->blocked.n = all.n;
    w->blocked.cap = all.cap;
}

/* Is what the report says of a conflict to be told?  Once a commit. */
static bool
blocked_news(struct tn_worker *w, const struct tn_unit_report *r)
{
    if (!tn_streq(r->device.reason, "Conflict") || !r->device.why) {
        if (w->blocked.n == 0) {
            free(w->blocked_said);
            w->blocked_said = NULL;
        }
        return false;
    }
    const char *now = tn_arena_printf(r->arena, "%s %s",
                                      r->intent->run->commit.id, r->device.why);
    if (tn_streq(w->blocked_said, now)) {
        return false;
    }
    free(w->blocked_said);
    w->blocked_said = strdup(now);
    return true;
}

/* A look at a part says nothing of the rest: there the last full look counts,
 * and what waits or is in the way. */
static void
summary_keep(struct tn_worker *w, struct tn_unit_report *r)
{
    struct tn_device_report *d = &r->device;
    if (!d->why && w->blocked.n) {
        d->reason = "Conflict";
        d->why = tn_arena_strdup(r->arena, w->blocked.items[0].why);
    }
    if (!d->why && w->waits_for) {
        d->reason = "Waiting";
        d->why = tn_arena_strdup(r->arena, w->waits_for);
    }
    if (r->full) {
        free(w->reason);
        free(w->why);
        w->reason = strdup(d->reason);
        w->why = d->why ? strdup(d->why) : NULL;
    } else if (!d->why && w->why && w->reason &&
               strcmp(w->reason, "Held") == 0) {
        d->reason = tn_arena_strdup(r->arena, w->reason);
        d->why = tn_arena_strdup(r->arena, w->why);
    }
}

void
tn_look_report(struct tn_look *k)
{
    struct tn_worker *w = k->w;
    struct tn_unit_report *r = k->report;
    r->full = k->full;
    r->committed_ns = k->d.committed_ns;
    if (!k->d.plan) {
        k->d = w->base;
        k->d.arena = k->arena;
        k->d.failure = k->err;
        k->d.end = TN_DEVICE_UNREACHED;
        k->d.plan = tn_plan_unreachable(
            k->arena, w->name, w->base.device->host->config.driver, &k->err);
    }
    if (k->d.end != TN_DEVICE_UNREACHED) {
        blocked_note(k);
        strangers_note(k);
    }
    tn_device_report(&k->d, r->arena, &r->device);
    if (k->full && k->d.end != TN_DEVICE_UNREACHED) {
        bool known = r->outcome == TN_UNIT_UNCHANGED ||
                     r->outcome == TN_UNIT_OBSERVED ||
                     r->outcome == TN_UNIT_HELD ||
                     (r->outcome == TN_UNIT_APPLIED && k->d.after);
        if (known) {
            r->snapshot = snapshot_make(k);
        }
    }
    if (k->adopting && k->scope.n && w->n_foreign <= TN_SNAPSHOT_FOREIGN &&
        r->outcome == TN_UNIT_APPLIED && k->d.after) {
        r->snapshot = snapshot_make_part(k);
    }
    r->device.n_foreign = w->n_foreign;
    if (k->full && k->d.want) {
        w->n_resources = k->d.want->n;
    }
    r->device.n_resources = w->n_resources;
    r->device.drift = r->drift_left ? r->drift_text : NULL;
    if (r->outcome == TN_UNIT_REFUSED || r->outcome == TN_UNIT_HELD ||
        r->outcome == TN_UNIT_OBSERVED) {
        r->device.keep = !w->known || w->applied != w->intent;
        r->device.reason = r->outcome == TN_UNIT_REFUSED ? "BudgetExceeded"
                           : r->outcome == TN_UNIT_HELD  ? "Held"
                           : r->flapping                 ? "Flapping"
                                                         : "ObserveOnly";
        r->device.why =
            r->outcome == TN_UNIT_REFUSED ? k->refusal
            : r->hold_reason              ? r->hold_reason
            : r->flapping ? "the same objects are changed again and again"
            : k->held     ? "it is held"
            : !w->known   ? "first contact: nothing is applied before somebody "
                            "says so"
                          : "it is only looked at";
    }
    if (r->outcome == TN_UNIT_FAILED && !r->device.why) {
        /* Nothing was begun: the journal cannot be written, say. */
        char text[TN_ERROR_TEXT];
        r->device.fine = false;
        r->device.reason = "Failed";
        r->device.why = tn_arena_strdup(
            r->arena, tn_error_text(&k->d.failure, text, sizeof text));
    }
    summary_keep(w, r);
    r->blocked_news = blocked_news(w, r);
    r->mode = tn_modes_get(w->modes, w->name, "", w->known,
                           (int64_t) time(NULL), NULL);
}

void
tn_unit_report_free(struct tn_unit_report *report)
{
    if (report) {
        tn_intent_unref(report->intent);
        tn_arena_free(report->snapshot_arena);
        tn_arena_free(report->arena);
    }
}
