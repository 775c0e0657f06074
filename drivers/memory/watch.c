/* watch.c - events of a device in a file.
 *
 * inotify says that the file was written; what was changed in it follows from
 * comparing it with what was told last, of which only hashes are kept: many
 * devices are watched by one process.  There are few instances of inotify: who
 * gets none looks at the file twice a second.  A quiet scope is one whose
 * changes are taken over without telling. */
#include "drivers/memory/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "drivers/memory/store.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { POLL_NS = 500000000 };
enum { MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE };

/* A resource as it was told last. */
struct told {
    uint64_t key, scope, content; /* Hashes. */
};

struct told_list {
    struct told *items; /* By key; malloc'ed. */
    size_t n;
};

/* Which version of a file it is; all zero: none. */
struct version {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec time;
};

struct tn_watch {
    pthread_mutex_t lock;
    int fd;     /* Of inotify or of a timer. */
    bool polls; /* A timer: root's 128 instances of inotify are in use. */
    struct tn_mem_store store; /* Empty between calls. */
    const char *file;          /* The name of its file in the folder. */
    char *owner;
    struct told_list told;
    struct version taken; /* All of that is in 'told'. */
    json_t *scopes;       /* Those of the device, each true if it is quiet. */
};

struct telling {
    struct tn_arena *arena;
    TN_VEC(struct tn_event) events;
    int64_t now;
};

static uint64_t
text_hash(const char *s)
{
    return tn_hash64(s, strlen(s));
}

/* Whatever the order of the members. */
static uint64_t
json_hash(const json_t *json)
{
    const char *name = NULL;
    json_t *value = NULL;
    uint64_t sum = (uint64_t) json_typeof(json) + 1;
    if (json_is_string(json)) {
        return text_hash(json_string_value(json));
    }
    if (json_is_integer(json)) {
        return sum + (uint64_t) json_integer_value(json);
    }
    json_object_foreach((json_t *) (uintptr_t) json, name, value)
    {
        const uint64_t both[] = {text_hash(name), json_hash(value)};
        sum += tn_hash64(both, sizeof both);
    }
    return sum;
}

static int
told_cmp(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* What the file says now. */
static struct told_list
told_now(const struct tn_watch *w)
{
    struct told_list out = {0};
    const char *key = NULL;
    json_t *r = NULL;
    out.items =
        calloc(json_object_size(w->store.resources) + 1, sizeof *out.items);
    if (!out.items) {
        abort();
    }
    json_object_foreach(w->store.resources, key, r)
    {
        const char *scope = tn_mem_member(r, "scope");
        out.items[out.n++] = (struct told){
            text_hash(key), text_hash(scope ? scope : ""), json_hash(r)};
    }
    qsort(out.items, out.n, sizeof *out.items, told_cmp);
    return out;
}

/* The scope of the device with that hash, if it is to be told of. */
static const char *
told_scope(const struct tn_watch *w, uint64_t hash)
{
    const char *name = NULL;
    json_t *quiet = NULL;
    json_object_foreach(w->scopes, name, quiet)
    {
        if (text_hash(name) == hash) {
            return json_is_true(quiet) ? NULL : name;
        }
    }
    return NULL;
}

static void
tell(const struct tn_watch *w, struct telling *t, const struct told *was,
     const struct told *is)
{
    static const char *const verbs[] = {[TN_EVENT_CHANGED] = "changed",
                                        [TN_EVENT_GONE] = "deleted",
                                        [TN_EVENT_APPEARED] = "appeared"};
    const char *scope = told_scope(w, is ? is->scope : was->scope);
    if (!scope) {
        return;
    }
    enum tn_event_type type = !is    ? TN_EVENT_GONE
                              : !was ? TN_EVENT_APPEARED
                                     : TN_EVENT_CHANGED;
    for (size_t i = 0; i < t->events.n; i++) {
        const struct tn_event *e = &t->events.items[i];
        if (e->type == type && strcmp(e->scope, scope) == 0) {
            return;
        }
    }
    *tn_vec_push(t->arena, &t->events) = (struct tn_event){
        .type = type,
        .scope = tn_arena_strdup(t->arena, scope),
        .what =
            tn_arena_printf(t->arena, "an object of %s %s", scope, verbs[type]),
        .time_ns = t->now,
    };
}

static bool
hash_in_scope(const struct tn_scope *scope, uint64_t hash)
{
    if (!scope || !scope->names) {
        return true;
    }
    for (size_t i = 0; i < scope->n; i++) {
        if (text_hash(scope->names[i]) == hash) {
            return true;
        }
    }
    return false;
}

/* Takes over what the file says of 'scope', and tells 't' (may be null) of what
 * differs.  True if that is all that differed. */
static bool
take_over(struct tn_watch *w, const struct tn_scope *scope, struct telling *t)
{
    struct told_list now = told_now(w), old = w->told;
    struct told *kept = calloc(old.n + now.n + 1, sizeof *kept);
    size_t i = 0, k = 0, n = 0;
    bool all = true;
    if (!kept) {
        abort();
    }
    while (i < old.n || k < now.n) {
        const struct told *was = i < old.n ? &old.items[i] : NULL;
        const struct told *is = k < now.n ? &now.items[k] : NULL;
        int order = !was ? 1 : !is ? -1 : told_cmp(was, is);
        was = order <= 0 ? was : NULL;
        is = order >= 0 ? is : NULL;
        i += was != NULL;
        k += is != NULL;
        bool same = was && is && was->content == is->content;
        if (same || hash_in_scope(scope, is ? is->scope : was->scope)) {
            if (!same && t) {
                tell(w, t, was, is);
            }
            if (is) {
                kept[n++] = *is;
            }
        } else {
            all = false;
            if (was) {
                kept[n++] = *was;
            }
        }
    }
    free(old.items);
    free(now.items);
    struct told *fit = n ? realloc(kept, n * sizeof *kept) : kept;
    w->told = (struct told_list){fit ? fit : kept, n};
    return all;
}

static struct version
version_now(const struct tn_watch *w)
{
    struct stat st;
    if (!w->store.path || stat(w->store.path, &st) != 0) {
        return (struct version){0};
    }
    return (struct version){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool
version_same(const struct version *a, const struct version *b)
{
    return a->inode && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->time.tv_sec == b->time.tv_sec &&
           a->time.tv_nsec == b->time.tv_nsec;
}

/* Reads the file and takes 'scope' over, unless all of it was. */
static enum tn_code
file_take(struct tn_watch *w, const struct tn_scope *scope, struct telling *t,
          struct tn_error *err)
{
    struct version now = version_now(w);
    if (version_same(&now, &w->taken)) {
        return TN_OK;
    }
    enum tn_code code = tn_mem_store_read(&w->store, err);
    if (code) {
        w->taken = (struct version){0};
        return code;
    }
    /* One that is written while it is read is read again. */
    w->taken = take_over(w, scope, t) ? now : (struct version){0};
    tn_mem_store_release(&w->store);
    return TN_OK;
}

/* Drops what was told; true if some of it was about our file.  Others may be in
 * the same folder. */
static bool
drain(const struct tn_watch *w)
{
    _Alignas(struct inotify_event) char buf[4096];
    bool ours = false;
    if (w->polls) {
        return read(w->fd, buf, sizeof buf) > 0;
    }
    for (;;) {
        ssize_t n = read(w->fd, buf, sizeof buf);
        if (n <= 0) {
            return ours;
        }
        for (const char *p = buf; p < buf + n;) {
            const struct inotify_event *e = (const void *) p;
            ours = ours || (e->mask & ~(uint32_t) MASK) || e->len == 0 ||
                   strcmp(e->name, w->file) == 0;
            p += sizeof *e + e->len;
        }
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
watch_folder(struct tn_watch *w, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_free) char *folder = strdup(w->store.path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    const char *last = strrchr(w->store.path, '/');
    w->file = last ? last + 1 : w->store.path;
    if (slash) {
        slash[slash == folder] = '\0';
    }
    if (!w->polls && inotify_add_watch(w->fd, slash ? folder : ".", MASK) < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "watching %s",
                           w->store.path);
    }
    return TN_OK;
}

static enum tn_code
start_to_listen(struct tn_watch *w, struct tn_error *err)
{
    static const struct itimerspec often = {.it_interval = {0, POLL_NS},
                                            .it_value = {0, POLL_NS}};
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w->polls = w->fd < 0;
    if (w->polls) {
        w->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    }
    if (w->fd < 0 || (w->polls && timerfd_settime(w->fd, 0, &often, NULL))) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "watching");
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
    w->owner = strdup(device->instance);
    set_scopes(w, device);
    enum tn_code code = start_to_listen(w, err);
    if (code == TN_OK) {
        code = tn_mem_store_init(&w->store, path, w->owner, err);
    }
    if (code == TN_OK && path) {
        code = watch_folder(w, err);
    }
    if (code == TN_OK) {
        code = file_take(w, NULL, NULL, err);
    }
    if (code != TN_OK) {
        tn_mem_watch_close(w);
        return tn_while(err, code, "device %s", device->name);
    }
    *out = w;
    return TN_OK;
}

int
tn_mem_watch_fd(const struct tn_watch *w)
{
    return w->fd;
}

enum tn_code
tn_mem_watch_read(struct tn_watch *w, struct tn_arena *arena,
                  const struct tn_event **out, size_t *n,
                  struct tn_error *err TN_UNUSED)
{
    struct telling t = {.arena = arena, .now = tn_now_ns()};
    pthread_mutex_lock(&w->lock);
    struct tn_error unread = {0};
    if (drain(w) && file_take(w, NULL, &t, &unread)) {
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

static bool
name_in_scope(const struct tn_scope *scope, const char *name)
{
    bool in = !scope || !scope->names;
    for (size_t i = 0; !in && i < scope->n; i++) {
        in = strcmp(scope->names[i], name) == 0;
    }
    return in;
}

void
tn_mem_watch_quiet(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    const char *name = NULL;
    json_t *was = NULL;
    struct tn_error ignored = {0};
    pthread_mutex_lock(&w->lock);
    if (!quiet && file_take(w, scope, NULL, &ignored)) {
        w->taken = (struct version){0}; /* Reading it will tell. */
    }
    json_object_foreach(w->scopes, name, was)
    {
        if (name_in_scope(scope, name)) {
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
    if (w->fd >= 0) {
        close(w->fd);
    }
    tn_mem_store_done(&w->store);
    free(w->told.items);
    json_decref(w->scopes);
    free(w->owner);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
