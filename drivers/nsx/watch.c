/* watch.c - see watch.h.
 *
 * Of a reading only what tells one version of an object from another is kept.
 * Who ends a silence has everything read once more, and what differs then is
 * taken over without a word. */
#include "drivers/nsx/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "drivers/nsx/device.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

/* How long the end of a silence waits for a reading, and a reading for NSX. */
enum { CATCH_UP_S = 20, PATIENCE_S = 10 };

/* A version of an object. */
struct known {
    const char *path, *key, *scope, *kind, *user;
    long long revision, modified;
};

struct knowledge {
    struct tn_arena *arena;
    TN_VEC(struct known) all; /* By path. */
};

struct tn_watch {
    pthread_mutex_t lock;
    pthread_cond_t turn; /* A reading is wanted, or was made, or it is over. */
    pthread_t thread;
    bool started, stop;
    bool blind;                 /* The last reading failed. */
    uint64_t wanted, made;      /* Readings: begun after this one was. */
    struct tn_session *session; /* The thread's. */
    struct knowledge known;
    int fd;
    json_t *scopes; /* Those of the device, and "". */
    json_t *quiet;  /* Scopes. */
    bool quiet_all;
    struct tn_arena *arena; /* Of 'events'. */
    TN_VEC(struct tn_event) events;
};

/* ---- what is known ---- */

static long long
whole(const json_t *object, const char *name)
{
    return (long long) json_integer_value(json_object_get(object, name));
}

/* The scope it is told under; null: it concerns nobody. */
static const struct tn_nsx_seen *
concerned(struct tn_arena *arena, const struct tn_nsx_view *view,
          const struct tn_nsx_seen *seen)
{
    const char *path = seen->path;
    const struct tn_nsx_seen *up = seen;
    while (!seen->system && *path && !(up && up->ours)) {
        path = tn_nsx_path_parent(arena, path);
        up = tn_nsx_view_at(view, path);
    }
    return up && up->ours ? up : NULL;
}

static struct knowledge
know(const struct tn_nsx_view *view)
{
    struct knowledge k = {.arena = tn_arena_new()};
    for (size_t i = 0; i < view->all.n; i++) {
        const struct tn_nsx_seen *seen = view->all.items[i];
        const struct tn_nsx_seen *of = concerned(k.arena, view, seen);
        const char *user = json_string_value(
            json_object_get(seen->json, "_last_modified_user"));
        if (of) {
            *tn_vec_push(k.arena, &k.all) = (struct known){
                .path = tn_arena_strdup(k.arena, seen->path),
                .key = tn_arena_strdup(k.arena, of->key),
                .scope = tn_arena_strdup(k.arena, of->scope),
                .kind = seen->kind ? seen->kind->name : "object",
                .user = user ? tn_arena_strdup(k.arena, user) : NULL,
                .revision = whole(seen->json, "_revision"),
                .modified = whole(seen->json, "_last_modified_time"),
            };
        }
    }
    return k;
}

/* ---- telling ---- */

static bool
is_told(const struct tn_watch *w, const char *scope)
{
    return !w->quiet_all && !json_object_get(w->quiet, scope) &&
           json_object_get(w->scopes, scope);
}

static void
tell(struct tn_watch *w, enum tn_event_type type, const struct known *k)
{
    static const char *const verbs[] = {[TN_EVENT_CHANGED] = "changed",
                                        [TN_EVENT_GONE] = "deleted",
                                        [TN_EVENT_APPEARED] = "appeared"};
    if (!is_told(w, k->scope)) {
        return;
    }
    for (size_t i = 0; i < w->events.n; i++) {
        const struct tn_event *e = &w->events.items[i];
        if (e->type == type && tn_streq(e->key, k->key) &&
            tn_streq(e->scope, k->scope)) {
            return;
        }
    }
    bool by = k->user && type != TN_EVENT_GONE;
    *tn_vec_push(w->arena, &w->events) = (struct tn_event){
        .type = type,
        .scope = tn_arena_strdup(w->arena, k->scope),
        .key = tn_arena_strdup(w->arena, k->key),
        .what = tn_arena_printf(w->arena, "%s %s %s%s%s", k->kind,
                                tn_nsx_path_id(k->path), verbs[type],
                                by ? " by " : "", by ? k->user : ""),
        .time_ns = tn_now_ns(),
    };
}

static void
tell_lost(struct tn_watch *w)
{
    *tn_vec_push(w->arena, &w->events) =
        (struct tn_event){.type = TN_EVENT_LOST,
                          .what = "NSX could not be read for a while",
                          .time_ns = tn_now_ns()};
}

static bool
differs(const struct known *a, const struct known *b)
{
    return a->revision != b->revision || a->modified != b->modified ||
           strcmp(a->key, b->key) != 0;
}

/* One walk over both, which are sorted by path. */
static void
compare(struct tn_watch *w, const struct knowledge *was,
        const struct knowledge *is)
{
    size_t i = 0, k = 0;
    while (i < was->all.n || k < is->all.n) {
        const struct known *a = i < was->all.n ? &was->all.items[i] : NULL;
        const struct known *b = k < is->all.n ? &is->all.items[k] : NULL;
        int order = !a ? 1 : !b ? -1 : tn_nsx_path_cmp(a->path, b->path);
        if (a && order < 0) {
            tell(w, TN_EVENT_GONE, a);
        } else if (b && order > 0) {
            tell(w, TN_EVENT_APPEARED, b);
        } else if (a && b && differs(a, b)) {
            struct known by = *a;
            by.user = b->user; /* Who changed it, not who had before. */
            tell(w, TN_EVENT_CHANGED, &by);
            if (strcmp(a->scope, b->scope) != 0) {
                tell(w, TN_EVENT_CHANGED, b);
            }
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static void
take_over(struct tn_watch *w, struct knowledge now)
{
    uint64_t one = 1;
    compare(w, &w->known, &now);
    tn_arena_free(w->known.arena);
    w->known = now;
    if (w->blind) {
        tell_lost(w);
        w->blind = false;
    }
    if (w->events.n) {
        (void) !write(w->fd, &one, sizeof one);
    }
}

/* ---- the thread ---- */

static void
deadline_in(struct timespec *t, unsigned seconds)
{
    (void) clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_sec += seconds;
}

/* Somebody applies: readings would share the rate, and tell of that. */
static bool
is_quiet(const struct tn_watch *w)
{
    return w->quiet_all || json_object_size(w->quiet);
}

static void *
poll_on(void *arg)
{
    struct tn_watch *w = arg;
    struct timespec next;
    deadline_in(&next, w->session->settings.poll_s);
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        if (w->wanted == w->made &&
            pthread_cond_timedwait(&w->turn, &w->lock, &next) != ETIMEDOUT) {
            continue;
        }
        if (w->wanted == w->made && is_quiet(w)) {
            deadline_in(&next, w->session->settings.poll_s);
            continue;
        }
        uint64_t begun = w->wanted;
        struct tn_error ignored = {0};
        pthread_mutex_unlock(&w->lock);
        enum tn_code code = tn_nsx_view_read(w->session, false, &ignored);
        struct knowledge now = {0};
        if (!code) {
            now = know(w->session->view);
            tn_nsx_view_free(w->session->view);
            w->session->view = NULL;
        }
        pthread_mutex_lock(&w->lock);
        if (code) {
            w->blind = true;
        } else {
            take_over(w, now);
        }
        w->made = begun;
        deadline_in(&next, w->session->settings.poll_s);
        pthread_cond_broadcast(&w->turn);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- members ---- */

static void
scopes_set(struct tn_watch *w, const struct tn_device *device)
{
    json_object_clear(w->scopes);
    json_object_set_new(w->scopes, "", json_true());
    for (size_t i = 0; i < device->n_vpcs; i++) {
        json_object_set_new(w->scopes, device->vpcs[i]->scope, json_true());
    }
}

static enum tn_code
begin(struct tn_watch *w, const struct tn_device *device,
      const struct tn_driver_env *env, struct tn_error *err)
{
    enum tn_code code = tn_nsx_open(device, env, PATIENCE_S, &w->session, err);
    if (!code) {
        w->session->watches = true;
        code = tn_nsx_view_read(w->session, false, err);
    }
    if (code) {
        return code;
    }
    w->known = know(w->session->view);
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->fd < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "eventfd");
    }
    int sys = pthread_create(&w->thread, NULL, poll_on, w);
    w->started = sys == 0;
    return sys ? tn_fail_sys(err, TN_EINTERNAL, sys, "a thread") : TN_OK;
}

enum tn_code
tn_nsx_watch_open(const struct tn_device *device,
                  const struct tn_driver_env *env, struct tn_watch **out,
                  struct tn_error *err)
{
    struct tn_watch *w = calloc(1, sizeof *w);
    pthread_condattr_t clock;
    if (!w) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->turn, &clock);
    pthread_condattr_destroy(&clock);
    w->fd = -1;
    w->arena = tn_arena_new();
    w->quiet = json_object();
    w->scopes = json_object();
    scopes_set(w, device);
    enum tn_code code = begin(w, device, env, err);
    if (code) {
        tn_nsx_watch_close(w);
        return code;
    }
    *out = w;
    return TN_OK;
}

int
tn_nsx_watch_fd(const struct tn_watch *w)
{
    return w->fd;
}

enum tn_code
tn_nsx_watch_read(struct tn_watch *w, struct tn_arena *arena,
                  const struct tn_event **out, size_t *n,
                  struct tn_error *err TN_UNUSED)
{
    uint64_t count;
    pthread_mutex_lock(&w->lock);
    (void) !read(w->fd, &count, sizeof count);
    struct tn_event *events = tn_new_n(arena, struct tn_event, w->events.n + 1);
    for (size_t i = 0; i < w->events.n; i++) {
        const char *scope = w->events.items[i].scope;
        const char *key = w->events.items[i].key;
        events[i] = w->events.items[i];
        events[i].scope = scope ? tn_arena_strdup(arena, scope) : NULL;
        events[i].key = key ? tn_arena_strdup(arena, key) : NULL;
        events[i].what = tn_arena_strdup(arena, events[i].what);
    }
    *out = events;
    *n = w->events.n;
    memset(&w->events, 0, sizeof w->events);
    tn_arena_reset(w->arena);
    pthread_mutex_unlock(&w->lock);
    return TN_OK;
}

enum tn_code
tn_nsx_watch_update(struct tn_watch *w, const struct tn_device *device,
                    struct tn_error *err TN_UNUSED)
{
    pthread_mutex_lock(&w->lock);
    scopes_set(w, device); /* What is ours is known already. */
    pthread_mutex_unlock(&w->lock);
    return TN_OK;
}

static void
quiet_set(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    if (!scope || scope->n == 0) {
        w->quiet_all = quiet;
    }
    for (size_t i = 0; scope && i < scope->n; i++) {
        if (quiet) {
            json_object_set_new(w->quiet, scope->names[i], json_true());
        } else {
            json_object_del(w->quiet, scope->names[i]);
        }
    }
}

/* If NSX does not answer, events too many are told later. */
static void
catch_up(struct tn_watch *w)
{
    struct timespec end;
    uint64_t mine = ++w->wanted;
    deadline_in(&end, CATCH_UP_S);
    pthread_cond_broadcast(&w->turn);
    while (w->made < mine && !w->stop &&
           pthread_cond_timedwait(&w->turn, &w->lock, &end) != ETIMEDOUT) {
    }
}

static void
forget_quiet(struct tn_watch *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->events.n; i++) {
        const char *scope = w->events.items[i].scope;
        if (!scope || is_told(w, scope)) {
            w->events.items[kept++] = w->events.items[i];
        }
    }
    w->events.n = kept;
}

void
tn_nsx_watch_quiet(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    uint64_t count;
    pthread_mutex_lock(&w->lock);
    quiet_set(w, scope, true);
    if (!quiet) {
        catch_up(w);
        forget_quiet(w);
        quiet_set(w, scope, false);
        if (w->events.n == 0) {
            (void) !read(w->fd, &count, sizeof count);
        }
    }
    pthread_mutex_unlock(&w->lock);
}

void
tn_nsx_watch_close(struct tn_watch *w)
{
    if (!w) {
        return;
    }
    if (w->started) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_broadcast(&w->turn);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    if (w->fd >= 0) {
        close(w->fd);
    }
    tn_nsx_close(w->session);
    json_decref(w->quiet);
    json_decref(w->scopes);
    tn_arena_free(w->known.arena);
    tn_arena_free(w->arena);
    pthread_cond_destroy(&w->turn);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
