/* unit.c - the thread of a device: waits, collects what is dirty, and lets
 * cycle.c do the work.
 *
 * The watch of the device is polled here and nowhere else, so that from the
 * kernel's event to the look at its scope there is no hand-over to another
 * thread. */
#include "reconciler/daemon/unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/daemon/thread.h"
#include "reconciler/daemon/worker.h"

enum { WATCH_PAUSE_MS = 500 };

struct tn_unit {
    struct tn_unit_options options;
    char *name;
    struct tn_thread thread;
    int wake; /* eventfd */

    pthread_mutex_t mutex; /* Guards what follows. */
    struct tn_intent *next;
    struct tn_modes *next_modes;
    bool audit, stop;
};

static void
told_add(struct tn_worker *w, const char *key)
{
    if (!key || w->n_told == TN_DIRTY_MAX) {
        w->untold = true;
        return;
    }
    w->told[w->n_told++] = tn_arena_strdup(w->dirty_arena, key);
}

/* Events of the watch become dirty scopes. */
static void
dirty_add(struct tn_worker *w, const struct tn_event *e)
{
    if (w->event_ns == 0) {
        w->event_ns = e->time_ns;
        w->event = tn_arena_strdup(w->dirty_arena, e->what);
    }
    w->lost = w->lost || e->type == TN_EVENT_LOST;
    if (e->type == TN_EVENT_LOST || !e->scope || w->n_dirty == TN_DIRTY_MAX) {
        w->full = true;
        return;
    }
    told_add(w, e->key);
    for (size_t i = 0; i < w->n_dirty; i++) {
        if (strcmp(w->dirty[i], e->scope) == 0) {
            return;
        }
    }
    w->dirty[w->n_dirty++] = tn_arena_strdup(w->dirty_arena, e->scope);
}

static void
watch_drain(struct tn_worker *w)
{
    struct tn_error err = {0};
    const struct tn_event *events = NULL;
    size_t n = 0;
    struct tn_log_about about = {.device = w->name};
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    if (w->watch_driver->watch_read(w->watch, arena, &events, &n, &err)) {
        char text[TN_ERROR_TEXT];
        tn_log(w->options->log, TN_LOG_WARNING, &about, "watch lost: %s",
               tn_error_text(&err, text, sizeof text));
        tn_worker_watch_close(w);
        /* Soon, not at once: one that is lost again and again must not become
         * a look without end. */
        int64_t soon = tn_now_ms() + WATCH_PAUSE_MS;
        w->look_ms = w->look_ms < soon ? w->look_ms : soon;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        about.scope = events[i].scope;
        tn_log(w->options->log, TN_LOG_DEBUG, &about, "event: %s",
               events[i].what);
        dirty_add(w, &events[i]);
    }
}

/* Takes over what was asked for; false: stop. */
static bool
requests_take(struct tn_unit *u, struct tn_worker *w)
{
    pthread_mutex_lock(&u->mutex);
    struct tn_intent *intent = TN_TAKE(u->next);
    struct tn_modes *modes = TN_TAKE(u->next_modes);
    bool stop = u->stop;
    w->full = w->full || u->audit;
    u->audit = false;
    pthread_mutex_unlock(&u->mutex);
    if (modes && modes != w->modes) {
        tn_modes_unref(w->modes);
        w->modes = tn_modes_ref(modes);
        w->full = true;
    }
    tn_modes_unref(modes);
    if (intent && !stop) {
        if (intent == w->intent) {
            w->full = true;
        } else {
            tn_worker_adopt(w, intent);
        }
        w->retry_ms = 0;
    }
    tn_intent_unref(intent);
    return !stop;
}

/* When something is due by itself: monotonic, in milliseconds. */
static int64_t
due_next(const struct tn_worker *w)
{
    int64_t due = w->retry_ms ? w->retry_ms : w->look_ms;
    return due < w->begin_ms ? w->begin_ms : due;
}

static void
wait_for_work(struct tn_unit *u, struct tn_worker *w)
{
    int64_t left = -1;
    if (w->intent) {
        left = due_next(w) - tn_now_ms();
        left = left < 0 ? 0 : left;
    }
    struct pollfd fds[2] = {{.fd = u->wake, .events = POLLIN},
                            {.fd = -1, .events = POLLIN}};
    if (w->watch) {
        fds[1].fd = w->watch_driver->watch_fd(w->watch);
    }
    int rc = poll(fds, 2, left > 3600000 ? 3600000 : (int) left);
    if (rc < 0 && errno != EINTR) {
        abort();
    }
    uint64_t ignored;
    if (fds[0].revents && read(u->wake, &ignored, sizeof ignored) < 0) {
        return; /* Somebody was quicker: nobody is. */
    }
    if (rc > 0 && fds[1].revents && w->watch) {
        watch_drain(w);
    }
}

/* A retry that waits keeps events from driving a failing device mad; new
 * intent has set it to 0. */
static bool
is_due(struct tn_worker *w)
{
    if (!w->intent || tn_now_ms() < w->begin_ms) {
        return false;
    }
    bool time_has_come = tn_now_ms() >= due_next(w);
    if (w->retry_ms && !time_has_come) {
        return false;
    }
    w->full = w->full || time_has_come;
    return w->full || w->adopting || w->n_dirty > 0;
}

static void
unit_main(void *context)
{
    struct tn_unit *u = context;
    struct tn_worker w = {
        .options = &u->options,
        .name = u->name,
        .env = {.cache_dir = u->options.cache_dir},
        .begin_ms = u->options.begin_ms,
        .flaps = tn_flaps_new(),
        .dirty_arena = tn_arena_new(),
        .waiting_arena = tn_arena_new(),
        .blocked_arena = tn_arena_new(),
        .strangers_arena = tn_arena_new(),
    };
    if (getrandom(&w.random, sizeof w.random, GRND_NONBLOCK) < 0) {
        w.random = (uint32_t) tn_now_ns();
    }
    while (requests_take(u, &w)) {
        if (is_due(&w)) {
            tn_worker_cycle(&w);
        } else {
            wait_for_work(u, &w);
        }
    }
    tn_worker_done(&w);
}

static void
unit_free(struct tn_unit *u)
{
    tn_intent_unref(u->next);
    tn_modes_unref(u->next_modes);
    pthread_mutex_destroy(&u->mutex);
    if (u->wake >= 0) {
        close(u->wake);
    }
    free(u->name);
    free(u);
}

enum tn_code
tn_unit_new(const struct tn_unit_options *options, struct tn_unit **out,
            struct tn_error *err)
{
    struct tn_unit *u = calloc(1, sizeof *u);
    if (!u) {
        abort();
    }
    u->options = *options;
    u->name = strdup(options->device);
    u->options.device = u->name;
    pthread_mutex_init(&u->mutex, NULL);
    u->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!u->name || u->wake < 0) {
        unit_free(u);
        return tn_fail_sys(err, TN_EINTERNAL, errno, "eventfd");
    }
    enum tn_code code =
        tn_thread_start(&u->thread, unit_main, u, options->device, err);
    if (code) {
        unit_free(u);
        return code;
    }
    *out = u;
    return TN_OK;
}

const char *
tn_unit_name(const struct tn_unit *unit)
{
    return unit->name;
}

static void
unlock_and_wake(struct tn_unit *u)
{
    uint64_t one = 1;
    pthread_mutex_unlock(&u->mutex);
    if (write(u->wake, &one, sizeof one) < 0) {
        return; /* It is awake. */
    }
}

void
tn_unit_follow(struct tn_unit *u, struct tn_intent *intent,
               struct tn_modes *modes)
{
    if (!u) {
        return;
    }
    pthread_mutex_lock(&u->mutex);
    tn_intent_unref(u->next);
    u->next = tn_intent_ref(intent);
    tn_modes_unref(u->next_modes);
    u->next_modes = tn_modes_ref(modes);
    unlock_and_wake(u);
}

void
tn_unit_audit(struct tn_unit *u)
{
    if (!u) {
        return;
    }
    pthread_mutex_lock(&u->mutex);
    u->audit = true;
    unlock_and_wake(u);
}

void
tn_unit_stop(struct tn_unit *u)
{
    if (!u) {
        return;
    }
    pthread_mutex_lock(&u->mutex);
    u->stop = true;
    unlock_and_wake(u);
}

bool
tn_unit_join(struct tn_unit *u, int64_t deadline_ms)
{
    if (!u) {
        return true;
    }
    if (!tn_thread_join(&u->thread, deadline_ms)) {
        return false;
    }
    unit_free(u);
    return true;
}

const char *
tn_unit_outcome_name(enum tn_unit_outcome outcome)
{
    static const char *const names[] = {
        [TN_UNIT_UNCHANGED] = "unchanged",
        [TN_UNIT_APPLIED] = "applied",
        [TN_UNIT_OBSERVED] = "observed",
        [TN_UNIT_HELD] = "held",
        [TN_UNIT_REFUSED] = "refused",
        [TN_UNIT_FAILED] = "failed",
        [TN_UNIT_ROLLED_BACK] = "rolled-back",
        [TN_UNIT_UNREACHABLE] = "unreachable",
    };
    return names[outcome];
}
