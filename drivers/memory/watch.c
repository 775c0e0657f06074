/* watch.c - events of a device in a file.
 *
 * inotify says that the file was written; what was changed in it follows from
 * comparing it with what was told last.  A quiet scope is one whose changes
 * are taken over without telling. */
#include "drivers/memory/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "drivers/memory/store.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE };

struct tn_watch {
    pthread_mutex_t lock;
    int inotify;
    struct tn_mem_store store;
    char *owner;
    json_t *told;   /* Resources, as told last. */
    json_t *scopes; /* Those of the device, each true if it is quiet. */
};

struct telling {
    struct tn_arena *arena;
    TN_VEC(struct tn_event) events;
    int64_t now;
};

static bool
in_scope(const struct tn_scope *scope, const char *name)
{
    if (!scope || !scope->names) {
        return true;
    }
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
tell(const struct tn_watch *w, struct telling *t, const char *key,
     const json_t *was, const json_t *is)
{
    static const char *const verbs[] = {[TN_EVENT_CHANGED] = "changed",
                                        [TN_EVENT_GONE] = "deleted",
                                        [TN_EVENT_APPEARED] = "appeared"};
    const char *scope = tn_mem_member(is ? is : was, "scope");
    const json_t *quiet = scope ? json_object_get(w->scopes, scope) : NULL;
    if (!t || !quiet || json_is_true(quiet)) {
        return;
    }
    enum tn_event_type type = !is    ? TN_EVENT_GONE
                              : !was ? TN_EVENT_APPEARED
                                     : TN_EVENT_CHANGED;
    *tn_vec_push(t->arena, &t->events) = (struct tn_event){
        .type = type,
        .scope = tn_arena_strdup(t->arena, scope),
        .key = tn_arena_strdup(t->arena, key),
        .what = tn_arena_printf(t->arena, "%s %s", key, verbs[type]),
        .time_ns = t->now,
    };
}

/* Takes over what the file says of 'scope', and tells 't' (may be null) of what
 * differs. */
static void
take_over(struct tn_watch *w, const struct tn_scope *scope, struct telling *t)
{
    const char *key = NULL;
    json_t *r = NULL;
    void *next = NULL;
    json_object_foreach_safe(w->told, next, key, r)
    {
        if (!json_object_get(w->store.resources, key) &&
            in_scope(scope, tn_mem_member(r, "scope"))) {
            tell(w, t, key, r, NULL);
            json_object_del(w->told, key);
        }
    }
    json_object_foreach(w->store.resources, key, r)
    {
        json_t *was = json_object_get(w->told, key);
        if (in_scope(scope, tn_mem_member(r, "scope")) &&
            !(was && json_equal(was, r))) {
            tell(w, t, key, was, r);
            json_object_set_new(w->told, key, json_deep_copy(r));
        }
    }
}

static void
drain(const struct tn_watch *w)
{
    char buf[4096];
    while (read(w->inotify, buf, sizeof buf) > 0) {
    }
}

static void
set_scopes(struct tn_watch *w, const struct tn_device *device)
{
    json_t *scopes = json_object();
    for (size_t i = 0; i < device->n_vpcs; i++) {
        const char *scope = device->vpcs[i]->scope;
        json_object_set_new(
            scopes, scope,
            json_boolean(json_is_true(json_object_get(w->scopes, scope))));
    }
    json_decref(w->scopes);
    w->scopes = scopes;
}

static enum tn_code
watch_folder(const struct tn_watch *w, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *folder = strdup(w->store.path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        slash[slash == folder] = '\0';
    }
    if (inotify_add_watch(w->inotify, slash ? folder : ".", MASK) < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "watching %s",
                           w->store.path);
    }
    return TN_OK;
}

enum tn_code
tn_mem_watch_new(const struct tn_device *device, const char *path,
                 struct tn_watch **out, struct tn_error *err)
{
    struct tn_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    pthread_mutex_init(&w->lock, NULL);
    w->told = json_object();
    w->owner = strdup(device->instance);
    w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    set_scopes(w, device);
    enum tn_code code = tn_mem_store_init(&w->store, path, w->owner, err);
    if (code == TN_OK && path) {
        code = watch_folder(w, err);
    }
    if (code == TN_OK) {
        code = tn_mem_store_read(&w->store, err);
    }
    if (code != TN_OK) {
        tn_mem_watch_close(w);
        return tn_while(err, code, "device %s", device->name);
    }
    take_over(w, NULL, NULL);
    *out = w;
    return TN_OK;
}

int
tn_mem_watch_fd(const struct tn_watch *w)
{
    return w->inotify;
}

enum tn_code
tn_mem_watch_read(struct tn_watch *w, struct tn_arena *arena,
                  const struct tn_event **out, size_t *n,
                  struct tn_error *err TN_UNUSED)
{
    struct telling t = {.arena = arena, .now = tn_now_ns()};
    pthread_mutex_lock(&w->lock);
    drain(w);
    struct tn_error unread = {0};
    if (tn_mem_store_read(&w->store, &unread) == TN_OK) {
        take_over(w, NULL, &t);
    } else {
        *tn_vec_push(arena, &t.events) =
            (struct tn_event){.type = TN_EVENT_LOST,
                              .what = "the device's file cannot be read",
                              .time_ns = t.now};
    }
    pthread_mutex_unlock(&w->lock);
    *out = t.events.items;
    *n = t.events.n;
    return TN_OK;
}

enum tn_code
tn_mem_watch_update(struct tn_watch *w, const struct tn_device *device,
                    struct tn_error *err TN_UNUSED)
{
    pthread_mutex_lock(&w->lock);
    set_scopes(w, device);
    pthread_mutex_unlock(&w->lock);
    return TN_OK;
}

void
tn_mem_watch_quiet(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    const char *name = NULL;
    json_t *was = NULL;
    struct tn_error err = {0};
    pthread_mutex_lock(&w->lock);
    if (!quiet && tn_mem_store_read(&w->store, &err) == TN_OK) {
        take_over(w, scope, NULL);
    }
    json_object_foreach(w->scopes, name, was)
    {
        if (in_scope(scope, name)) {
            json_object_set_new(w->scopes, name, json_boolean(quiet));
        }
    }
    pthread_mutex_unlock(&w->lock);
}

void
tn_mem_watch_close(struct tn_watch *w)
{
    if (!w) {
        return;
    }
    if (w->inotify >= 0) {
        close(w->inotify);
    }
    tn_mem_store_done(&w->store);
    json_decref(w->told);
    json_decref(w->scopes);
    free(w->owner);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
