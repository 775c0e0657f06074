/* adopt.c - what a worker takes up, keeps and lets go of.
 *
 * Between two looks a worker keeps no rendered state: what it is about is
 * rendered for each look anew (cycle.c), which costs a fraction of the look
 * itself, while the states of all devices would be the better part of the
 * process's memory.
 *
 * Newer intent that differs from what was applied in a few scopes makes these
 * dirty, and nothing else. */
#include "reconciler/daemon/worker.h"

#include <stdlib.h>
#include <string.h>

#include "reconciler/daemon/slice.h"

void
tn_worker_session_drop(struct tn_worker *w)
{
    if (w->session) {
        w->base.driver->close(w->session);
        w->session = NULL;
    }
}

void
tn_worker_watch_close(struct tn_worker *w)
{
    if (w->watch) {
        w->watch_driver->watch_close(w->watch);
        w->watch = NULL;
    }
}

void
tn_worker_watch_start(struct tn_worker *w)
{
    struct tn_error err = {0};
    const struct tn_driver *driver = w->base.driver;
    if (!(driver->caps & TN_CAP_EVENTS)) {
        return;
    }
    w->watch_driver = driver;
    enum tn_code code =
        w->watch ? driver->watch_update(w->watch, w->base.device, &err)
                 : driver->watch_open(w->base.device, &w->env, &w->watch, &err);
    if (code) {
        char text[TN_ERROR_TEXT];
        struct tn_log_about about = {.device = w->name};
        tn_log(w->options->log, TN_LOG_WARNING, &about,
               "no events, audits only: %s",
               tn_error_text(&err, text, sizeof text));
        tn_worker_watch_close(w);
    }
}

/* What was applied before this worker was there: as the status ref says. */
static void
past_take(struct tn_worker *w)
{
    const struct tn_reconcile *run = w->intent->run;
    const struct tn_status_device *s =
        tn_status_device_get(run->status, w->name);
    const char *commit = s ? s->head.commit : NULL;
    tn_before_unref(w->past);
    w->past = NULL;
    w->past_is_intent = commit && strcmp(commit, run->commit.id) == 0;
    if (commit && !w->past_is_intent && !w->applied) {
        w->past = tn_intent_before(w->intent, commit);
    }
    w->known = w->known || w->applied || commit;
}

const struct tn_device *
tn_worker_last(const struct tn_worker *w)
{
    const struct tn_network *last = w->applied ? w->applied->run->network
                                    : w->past  ? tn_before_network(w->past)
                                               : NULL;
    if (w->applied == w->intent || (!last && w->past_is_intent)) {
        return w->base.device;
    }
    return tn_network_device(last, w->name);
}

/* Nothing is open on the device: it holds what was applied last, verified. */
static bool
is_calm(const struct tn_worker *w, const struct tn_intent *former)
{
    return former && w->applied == former && !w->full && !w->stuck &&
           !w->over && !w->undoing && !w->retry_ms && !w->why &&
           !w->waits_for && w->refused.n == 0 &&
           tn_flaps_next(w->flaps, tn_now_ms()) == 0;
}

/* Makes dirty what is not as it was, which may be nothing or all. */
static void
changes_take(struct tn_worker *w, const struct tn_intent *former)
{
    struct tn_scope changed = {0};
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    bool few = is_calm(w, former) && w->base.driver &&
               (w->base.driver->caps & TN_CAP_SCOPED) &&
               tn_slice_changed(former->run->network, w->intent->run->network,
                                w->name, arena, &changed) &&
               changed.n <= TN_DIRTY_MAX - w->n_dirty;
    w->adopting = few;
    if (!few) {
        w->full = true;
        return;
    }
    for (size_t i = 0; i < changed.n; i++) {
        w->dirty[w->n_dirty++] =
            tn_arena_strdup(w->dirty_arena, changed.names[i]);
    }
}

void
tn_worker_adopt(struct tn_worker *w, struct tn_intent *intent)
{
    struct tn_intent *former = w->intent;
    tn_worker_session_drop(w);
    w->intent = tn_intent_ref(intent);
    w->base = (struct tn_device_run){0};
    w->base.device = tn_network_device(intent->run->network, w->name);
    w->base.driver = tn_driver_get(w->base.device->host->config.driver);
    if (w->watch && w->watch_driver != w->base.driver) {
        tn_worker_watch_close(w);
    }
    w->undoing = atomic_load(&intent->back);
    past_take(w);
    changes_take(w, former);
    bool same = w->adopting && w->n_dirty == 0;
    if (w->base.driver && !(same && w->watch)) {
        tn_worker_watch_start(w);
    }
    tn_backoff_reset(&w->backoff);
    if (!w->adopting) {
        tn_flaps_free(w->flaps);
        w->flaps = tn_flaps_new();
    }
    tn_intent_unref(former);
}

void
tn_worker_applied(struct tn_worker *w)
{
    if (w->applied != w->intent) {
        tn_intent_unref(w->applied);
        w->applied = tn_intent_ref(w->intent);
    }
    tn_before_unref(w->past);
    w->past = NULL;
    w->known = true;
    w->undoing = false;
}

void
tn_worker_refused_set(struct tn_worker *w, const struct tn_diags *diags)
{
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(const char *) all = {0};
    for (size_t i = 0; i < diags->list.n; i++) {
        const struct tn_diag *f = &diags->list.items[i];
        if (f->severity == TN_ERROR && f->tenant) {
            *tn_vec_push(arena, &all) = tn_arena_strdup(arena, f->tenant);
        }
    }
    tn_arena_free(w->refused_arena);
    w->refused_arena = arena;
    w->refused.items = all.items;
    w->refused.n = tn_texts_unique(all.items, all.n);
}

void
tn_worker_done(struct tn_worker *w)
{
    tn_worker_session_drop(w);
    tn_worker_watch_close(w);
    tn_before_unref(w->past);
    tn_intent_unref(w->intent);
    tn_intent_unref(w->applied);
    tn_modes_unref(w->modes);
    tn_flaps_free(w->flaps);
    tn_arena_free(w->dirty_arena);
    tn_arena_free(w->waiting_arena);
    tn_arena_free(w->blocked_arena);
    tn_arena_free(w->strangers_arena);
    free(w->blocked_said);
    tn_arena_free(w->refused_arena);
    free(w->reason);
    free(w->why);
}
