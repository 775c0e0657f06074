/* watch.c - the members of the driver that watch, and what they have heard and
 * not yet told.
 *
 * Equal events are told once a read, and no more than a few dozen of a scope,
 * then one for all of it: memory is bounded by the number of VPCs, not by what
 * happens.  Reads may follow each other at once for a while; then the sockets
 * stop waking and a timer does, so that a storm costs a bounded number of
 * wakeups and one buffer. */
#include "drivers/kernel/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "model/base/time.h"

enum {
    MOST_OF_SCOPE = 32,
    MOST_MESSAGES = 16384, /* Of a socket, at a time. */
    TOKENS = 50,           /* Reads at once, and per second. */
    PAUSE_MS = 20,
};

/* --- what is pending ----------------------------------------------------- */

static void
pending_reset(struct tn_watch *w)
{
    tn_arena_reset(w->pending_arena);
    w->pending.items = NULL;
    w->pending.n = w->pending.cap = 0;
    tn_map_init(&w->seen, w->pending_arena, 0);
    tn_map_init(&w->per_scope, w->pending_arena, 0);
}

static bool
is_quiet(const struct tn_watch *w, const char *scope)
{
    const bool *quiet = scope ? tn_map_get(&w->plan.quiet, scope) : NULL;
    return quiet && *quiet;
}

static size_t *
count_of(struct tn_watch *w, const char *scope)
{
    size_t *n = tn_map_get(&w->per_scope, scope);
    if (!n) {
        n = tn_new(w->pending_arena, size_t);
        tn_map_put(&w->per_scope, tn_arena_strdup(w->pending_arena, scope), n);
    }
    return n;
}

bool
tn_k_events_full(const struct tn_watch *w, const char *scope)
{
    const size_t *n = tn_map_get(&w->per_scope, scope);
    return n && *n > MOST_OF_SCOPE;
}

static const char *
copy(struct tn_arena *arena, const char *s)
{
    return s ? tn_arena_strdup(arena, s) : NULL;
}

void
tn_k_events_add(struct tn_watch *w, const struct tn_event *event)
{
    struct tn_event e = *event;
    struct tn_arena *arena = w->pending_arena;
    if (is_quiet(w, e.scope) || (e.scope && tn_k_events_full(w, e.scope))) {
        return;
    }
    size_t *count = e.scope ? count_of(w, e.scope) : NULL;
    if (count && *count == MOST_OF_SCOPE) {
        *count += 1;
        e.type = TN_EVENT_CHANGED;
        e.key = NULL;
        e.what = "much changed at once";
        e.writer = 0;
    }
    const char *id =
        tn_arena_printf(arena, "%d %s %s", (int) e.type,
                        e.scope ? e.scope : "?", e.key ? e.key : "");
    if (tn_map_get(&w->seen, id)) {
        return;
    }
    tn_map_put(&w->seen, id, w);
    if (count && *count < MOST_OF_SCOPE) {
        *count += 1;
    }
    e.scope = copy(arena, e.scope);
    e.key = copy(arena, e.key);
    e.what = copy(arena, e.what);
    e.time_ns = w->now;
    *tn_vec_push(arena, &w->pending) = e;
}

void
tn_k_events_lost(struct tn_watch *w, const char *why)
{
    for (size_t i = 0; i < w->plan.all.n; i++) {
        struct tn_k_watched *space = w->plan.all.items[i];
        for (size_t k = 0; k < space->n_links; k++) {
            space->links[k].state = 0;
            space->links[k].options = 0;
        }
    }
    tn_k_events_add(w, &(struct tn_event){.type = TN_EVENT_LOST, .what = why});
}

static bool
in_scope(const struct tn_scope *scope, const char *name)
{
    if (!scope || !scope->names) {
        return true;
    }
    for (size_t i = 0; name && i < scope->n; i++) {
        if (strcmp(scope->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Forgets what is pending of these scopes; a loss counts for all. */
static void
pending_drop(struct tn_watch *w, const struct tn_scope *scope)
{
    struct tn_arena *old = w->pending_arena;
    const struct tn_event *events = w->pending.items;
    size_t n = w->pending.n;
    int64_t now = w->now;
    w->pending_arena = tn_arena_new();
    pending_reset(w);
    for (size_t i = 0; i < n; i++) {
        if (events[i].type == TN_EVENT_LOST ||
            !in_scope(scope, events[i].scope)) {
            w->now = events[i].time_ns;
            tn_k_events_add(w, &events[i]);
        }
    }
    w->now = now;
    tn_arena_free(old);
}

/* --- waking -------------------------------------------------------------- */

static void
arm(const struct tn_watch *w)
{
    int64_t at = w->retry_at;
    struct itimerspec t = {0};
    if (w->poll_at && (!at || w->poll_at < at)) {
        at = w->poll_at;
    }
    if (w->paused) {
        int64_t end = w->now + (int64_t) PAUSE_MS * 1000000;
        at = at && at < end ? at : end;
    }
    if (w->pending.n) {
        at = 1; /* Long ago: readable at once. */
    }
    t.it_value.tv_sec = at / 1000000000;
    t.it_value.tv_nsec = at % 1000000000;
    (void) timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* One read that found something takes a token. */
static void
pace(struct tn_watch *w, bool found)
{
    double passed = (double) (w->now - w->refilled) / 1e9;
    w->tokens += passed * TOKENS;
    w->tokens = w->tokens > TOKENS ? TOKENS : w->tokens;
    w->refilled = w->now;
    if (found && w->tokens >= 1) {
        w->tokens -= 1;
    }
    bool pause = w->tokens < 1;
    if (pause != w->paused) {
        w->paused = pause;
        tn_k_watch_wake(w, !pause);
    }
}

/* Reads all that there is to read. */
static void
pump(struct tn_watch *w)
{
    w->now = tn_now_ns();
    size_t n = tn_k_watch_drain(w, MOST_MESSAGES);
    tn_k_watched_folder(w);
    pace(w, n > 0);
}

/* --- the members --------------------------------------------------------- */

static void
plan_done(struct tn_k_watch_plan *plan)
{
    for (size_t i = 0; i < plan->all.n; i++) {
        free(plan->all.items[i]->links);
    }
    tn_arena_free(plan->arena);
}

/* Puts 'plan' in the place of the present one.  What is in both keeps its
 * number and what is known of its links. */
static void
plan_switch(struct tn_watch *w, const struct tn_k_watch_plan *plan)
{
    struct tn_k_watch_plan old = w->plan;
    w->plan = *plan;
    for (size_t i = 0; i < w->n_nsids; i++) {
        w->nsids[i].first = NULL;
    }
    for (size_t i = 0; i < old.all.n; i++) {
        struct tn_k_watched *was = old.all.items[i];
        struct tn_k_watched *is =
            was->name[0] ? tn_map_get(&w->plan.by_name, was->name)
            : w->plan.all.items[0]->name[0] ? NULL
                                            : w->plan.all.items[0];
        if (is && was->nsid >= 0) {
            is->nsid = was->nsid;
            is->links = was->links;
            is->n_links = was->n_links;
            is->cap_links = was->cap_links;
            is->next = w->nsids[is->nsid].first;
            w->nsids[is->nsid].first = is;
            was->links = NULL;
        }
        if (is) {
            is->pending = was->pending;
        }
        const bool *quiet =
            was->scope ? tn_map_get(&old.quiet, was->scope) : NULL;
        bool *now = was->scope ? tn_map_get(&w->plan.quiet, was->scope) : NULL;
        if (quiet && now) {
            *now = *quiet;
        }
    }
    if (old.arena) {
        plan_done(&old);
    }
}

static enum tn_code
attach_new(struct tn_watch *w, struct tn_error *err)
{
    bool pending = false;
    for (size_t i = 0; i < w->plan.all.n; i++) {
        struct tn_k_watched *space = w->plan.all.items[i];
        if (space->nsid < 0) {
            enum tn_code code = tn_k_watched_check(w, space, false, err);
            if (code != TN_OK) {
                return code;
            }
            pending |= space->pending;
        }
    }
    if (pending) {
        tn_k_watched_retry(w);
    }
    return TN_OK;
}

static enum tn_code
update(struct tn_watch *w, const struct tn_device *device, struct tn_error *err)
{
    struct tn_k_watch_plan plan;
    tn_k_watch_plan_build(&plan, device);
    w->now = tn_now_ns();
    plan_switch(w, &plan);
    enum tn_code code = attach_new(w, err);
    arm(w);
    return code;
}

enum tn_code
tn_k_events_open(const struct tn_device *device,
                 const struct tn_driver_env *env TN_UNUSED,
                 struct tn_watch **out, struct tn_error *err)
{
    struct tn_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    pthread_mutex_init(&w->lock, NULL);
    w->route = w->rules = w->epoll = w->timer = w->folder = w->home = -1;
    w->scratch = tn_arena_new();
    w->pending_arena = tn_arena_new();
    w->tokens = TOKENS;
    w->refilled = tn_now_ns();
    pending_reset(w);
    enum tn_code code = tn_k_watch_sockets(w, err);
    if (code == TN_OK) {
        code = update(w, device, err);
    }
    if (code != TN_OK) {
        tn_k_events_close(w);
        return tn_while(err, code, "watching %s", device->name);
    }
    *out = w;
    return TN_OK;
}

int
tn_k_events_fd(const struct tn_watch *w)
{
    return w->epoll;
}

enum tn_code
tn_k_events_read(struct tn_watch *w, struct tn_arena *arena,
                 const struct tn_event **out, size_t *n, struct tn_error *err)
{
    uint64_t expired;
    pthread_mutex_lock(&w->lock);
    (void) !read(w->timer, &expired, sizeof expired);
    pump(w);
    enum tn_code code = w->errors
                            ? tn_fail(err, TN_EUNAVAILABLE, 0,
                                      "the events of the kernel cannot be read")
                            : TN_OK;
    *n = w->pending.n;
    struct tn_event *events = tn_new_n(arena, struct tn_event, *n + 1);
    for (size_t i = 0; i < *n; i++) {
        events[i] = w->pending.items[i];
        events[i].scope = copy(arena, events[i].scope);
        events[i].key = copy(arena, events[i].key);
        events[i].what = copy(arena, events[i].what);
    }
    *out = events;
    if (*n) {
        pending_reset(w);
    }
    arm(w);
    pthread_mutex_unlock(&w->lock);
    return code;
}

enum tn_code
tn_k_events_update(struct tn_watch *w, const struct tn_device *device,
                   struct tn_error *err)
{
    pthread_mutex_lock(&w->lock);
    enum tn_code code = update(w, device, err);
    pthread_mutex_unlock(&w->lock);
    return code;
}

void
tn_k_events_quiet(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    pthread_mutex_lock(&w->lock);
    if (!quiet) {
        pump(w);
        pending_drop(w, scope);
    }
    for (size_t i = 0; i < w->plan.all.n; i++) {
        const char *name = w->plan.all.items[i]->scope;
        if (name && in_scope(scope, name)) {
            *(bool *) tn_map_get(&w->plan.quiet, name) = quiet;
        }
    }
    if (in_scope(scope, "")) {
        *(bool *) tn_map_get(&w->plan.quiet, "") = quiet;
    }
    arm(w);
    pthread_mutex_unlock(&w->lock);
}

void
tn_k_events_close(struct tn_watch *w)
{
    if (!w) {
        return;
    }
    const int fds[] = {w->route, w->rules,  w->epoll,
                       w->timer, w->folder, w->home};
    for (size_t i = 0; i < TN_ARRAY_SIZE(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    tn_k_sock_close(&w->ask);
    if (w->plan.arena) {
        plan_done(&w->plan);
    }
    free(w->nsids);
    tn_arena_free(w->scratch);
    tn_arena_free(w->pending_arena);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
