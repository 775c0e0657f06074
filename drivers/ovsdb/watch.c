/* watch.c - see watch.h.
 *
 * The loop of the session and an eventfd are in one epoll set, which is what is
 * polled: the eventfd is for events that arrived while somebody else was
 * turning the loop.  Who ends a silence lets the copy catch up first, so that
 * what was written until then has arrived and is dropped. */
#include "drivers/ovsdb/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drivers/ovsdb/index.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { CATCH_UP_MS = 2000, TURNS = 64 };

struct tn_watch {
    pthread_mutex_t lock;
    struct tn_session *session;
    struct tn_device device; /* What a session needs of it. */
    struct tn_host host;
    char *instance, *remote, *name;
    int epoll, wake;
    json_t *scopes; /* Those of the device, and "". */
    bool open;      /* All that was there at first has been passed over. */
    json_t *quiet;  /* Scopes. */
    bool quiet_all;
    struct tn_arena *arena; /* Of 'events'. */
    TN_VEC(struct tn_event) events;
};

static bool
is_quiet(const struct tn_watch *w, const char *scope)
{
    return w->quiet_all || json_object_get(w->quiet, scope);
}

static void
scopes_set(struct tn_watch *w, const struct tn_device *device)
{
    json_object_clear(w->scopes);
    json_object_set_new(w->scopes, "", json_true());
    for (size_t i = 0; i < device->n_vpcs; i++) {
        json_object_set_new(w->scopes, device->vpcs[i]->scope, json_true());
    }
}

static void
tell(struct tn_watch *w, enum tn_event_type type, const char *scope,
     const char *key, const char *table)
{
    static const char *const verbs[] = {[TN_EVENT_CHANGED] = "changed",
                                        [TN_EVENT_GONE] = "deleted",
                                        [TN_EVENT_APPEARED] = "appeared"};
    for (size_t i = 0; i < w->events.n; i++) {
        const struct tn_event *e = &w->events.items[i];
        if (e->type == type && tn_streq(e->key, key) &&
            tn_streq(e->scope, scope)) {
            return;
        }
    }
    *tn_vec_push(w->arena, &w->events) = (struct tn_event){
        .type = type,
        .scope = scope ? tn_arena_strdup(w->arena, scope) : NULL,
        .key = key ? tn_arena_strdup(w->arena, key) : NULL,
        .what = tn_arena_printf(w->arena, "row of %s %s", table, verbs[type]),
        .time_ns = tn_now_ns(),
    };
}

/* Does the change concern a column that is compared?  Of the root row, whose
 * counters go up all the time, only some keys of a map are. */
static bool
concerns_us(const struct tn_ovs_model *model, const char *table,
            const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    if (strcmp(table, model->root) != 0 || !was || !now) {
        return true;
    }
    struct tn_ovsdb_texts old = tn_ovsdb_get(was, "external_ids");
    struct tn_ovsdb_texts ids = tn_ovsdb_get(now, "external_ids");
    bool differs = !tn_streq(tn_ovsdb_texts_key(old, TN_OVS_KEY),
                             tn_ovsdb_texts_key(ids, TN_OVS_KEY));
    for (size_t i = 0; i < model->n_kinds; i++) {
        const struct tn_ovs_kind *kind = model->kinds[i];
        for (size_t k = 0; kind->flags & TN_OVS_SINGLE && k < kind->n_columns;
             k++) {
            const char *m = kind->columns[k].member;
            differs = differs || (m && !tn_streq(tn_ovsdb_texts_key(old, m),
                                                 tn_ovsdb_texts_key(ids, m)));
        }
    }
    return differs;
}

/* Of whom a row tells; empty: of nobody we know. */
struct subject {
    char scope[512], key[1024];
    bool ours;
};

static void
subject_of(const struct tn_session *s, const char *uuid, struct subject *out)
{
    const struct tn_ovs_known *row = tn_ovs_index_ours(s, uuid);
    if (row) {
        snprintf(out->scope, sizeof out->scope, "%s", row->scope);
        snprintf(out->key, sizeof out->key, "%s", row->key);
        out->ours = true;
    }
}

/* The row whose child it is. */
static void
subject_of_child(const struct tn_session *s, const char *table,
                 const char *uuid, struct subject *out)
{
    for (size_t i = 0; i < s->model->n_kinds; i++) {
        const struct tn_ovs_kind *kind = s->model->kinds[i];
        if (!kind->child || strcmp(kind->child, table) != 0) {
            continue;
        }
        for (const struct tn_ovsdb_row *row =
                 tn_ovsdb_first(s->db, kind->table);
             row; row = tn_ovsdb_after(row)) {
            if (tn_streq(tn_ovs_child(kind, row), uuid)) {
                subject_of(s, tn_ovsdb_row_uuid(row), out);
            }
        }
    }
}

/* Has a row come that steps may be waiting for by its name? */
static bool
may_be_awaited(const struct tn_ovs_model *model, const char *table)
{
    bool found = false;
    for (size_t i = 0; i < model->n_kinds; i++) {
        const struct tn_ovs_kind *kind = model->kinds[i];
        for (size_t k = 0; k < kind->n_columns; k++) {
            const struct tn_ovs_column *c = &kind->columns[k];
            found = found ||
                    (c->type == TN_OVS_HOLDER && kind->flags & TN_OVS_NAMED &&
                     strcmp(c->table, table) == 0 &&
                     strcmp(table, model->root) != 0);
        }
    }
    return found;
}

static void
on_changed(void *ctx, const char *table, const char *uuid,
           const struct tn_ovsdb_row *was, const struct tn_ovsdb_row *now)
{
    struct tn_watch *w = ctx;
    struct tn_session *s = w->session;
    if (!w->open) {
        tn_ovs_index_changed(s, table, uuid, was, now);
        return;
    }
    struct subject of = {.ours = false};
    subject_of(s, uuid, &of);
    tn_ovs_index_changed(s, table, uuid, was, now);
    if (!of.ours) {
        subject_of(s, uuid, &of);
    }
    if (!of.ours) {
        subject_of_child(s, table, uuid, &of);
    }
    if (of.ours && !is_quiet(w, of.scope) &&
        json_object_get(w->scopes, of.scope) &&
        concerns_us(s->model, table, was, now)) {
        tell(w,
             !was   ? TN_EVENT_APPEARED
             : !now ? TN_EVENT_GONE
                    : TN_EVENT_CHANGED,
             of.scope, of.key, table);
    } else if (!of.ours && !was && may_be_awaited(s->model, table)) {
        tell(w, TN_EVENT_APPEARED, NULL, NULL, table);
    }
}

static enum tn_code
session_open(struct tn_watch *w, const struct tn_ovs_model *model,
             struct tn_error *err)
{
    static const struct tn_ovsdb_events events = {.changed = on_changed};
    enum tn_code code = tn_ovs_session_new(model, &w->device, &w->session, err);
    if (!code) {
        code = tn_ovs_session_start(w->session, &events, w, err);
    }
    if (!code) {
        code = tn_ovsdb_wait(w->session->db, TN_OVS_TIMEOUT_MS, err);
        code = code ? tn_while(err, code, "device %s", w->name) : TN_OK;
    }
    return code;
}

static enum tn_code
poll_set(struct tn_watch *w, struct tn_error *err)
{
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN};
    if (w->epoll < 0 || w->wake < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake, &e) < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, tn_ovsdb_loop_fd(w->session->loop),
                  &e) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "epoll");
    }
    return TN_OK;
}

enum tn_code
tn_ovs_watch_open(const struct tn_ovs_model *model,
                  const struct tn_device *device, struct tn_watch **out,
                  struct tn_error *err)
{
    struct tn_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    pthread_mutex_init(&w->lock, NULL);
    w->epoll = w->wake = -1;
    w->instance = strdup(device->instance);
    w->remote = strdup(device->host->config.ovsdb_remote);
    w->name = strdup(device->name);
    w->host.config.ovsdb_remote = w->remote;
    w->device = (struct tn_device){
        .name = w->name, .host = &w->host, .instance = w->instance};
    w->quiet = json_object();
    w->scopes = json_object();
    scopes_set(w, device);
    w->arena = tn_arena_new();
    enum tn_code code = session_open(w, model, err);
    if (!code) {
        code = poll_set(w, err);
    }
    if (code) {
        tn_ovs_watch_close(w);
        return code;
    }
    w->open = true;
    *out = w;
    return TN_OK;
}

int
tn_ovs_watch_fd(const struct tn_watch *w)
{
    return w->epoll;
}

enum tn_code
tn_ovs_watch_read(struct tn_watch *w, struct tn_arena *arena,
                  const struct tn_event **out, size_t *n, struct tn_error *err)
{
    uint64_t count;
    enum tn_code code = TN_OK;
    pthread_mutex_lock(&w->lock);
    (void) !read(w->wake, &count, sizeof count);
    code = tn_ovsdb_loop_turn(w->session->loop, 0, err);
    struct tn_event *events = tn_new_n(arena, struct tn_event, w->events.n + 1);
    for (size_t i = 0; i < w->events.n; i++) {
        events[i] = w->events.items[i];
        const char *scope = events[i].scope, *key = events[i].key;
        events[i].scope = scope ? tn_arena_strdup(arena, scope) : NULL;
        events[i].key = key ? tn_arena_strdup(arena, key) : NULL;
        events[i].what = tn_arena_strdup(arena, events[i].what);
    }
    *out = events;
    *n = w->events.n;
    memset(&w->events, 0, sizeof w->events);
    tn_arena_reset(w->arena);
    pthread_mutex_unlock(&w->lock);
    return code;
}

enum tn_code
tn_ovs_watch_update(struct tn_watch *w, const struct tn_device *device,
                    struct tn_error *err TN_UNUSED)
{
    pthread_mutex_lock(&w->lock);
    scopes_set(w, device); /* The copy has all rows of ours already. */
    pthread_mutex_unlock(&w->lock);
    return TN_OK;
}

static void
forget_quiet(struct tn_watch *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->events.n; i++) {
        const char *name = w->events.items[i].scope;
        if (!name || !is_quiet(w, name)) {
            w->events.items[kept++] = w->events.items[i];
        }
    }
    w->events.n = kept;
}

void
tn_ovs_watch_quiet(struct tn_watch *w, const struct tn_scope *scope, bool quiet)
{
    struct tn_error ignored = {0};
    uint64_t one = 1;
    pthread_mutex_lock(&w->lock);
    if (!quiet) {
        /* If the server does not answer, events too many are told later. */
        if (tn_ovsdb_catch_up(w->session->db, CATCH_UP_MS, &ignored)) {
            ignored = (struct tn_error){0};
        }
        forget_quiet(w);
    }
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
    if (w->events.n) {
        (void) !write(w->wake, &one, sizeof one);
    }
    pthread_mutex_unlock(&w->lock);
}

void
tn_ovs_watch_close(struct tn_watch *w)
{
    if (!w) {
        return;
    }
    if (w->epoll >= 0) {
        close(w->epoll);
    }
    if (w->wake >= 0) {
        close(w->wake);
    }
    tn_ovs_close(w->session);
    json_decref(w->quiet);
    json_decref(w->scopes);
    tn_arena_free(w->arena);
    free(w->instance);
    free(w->remote);
    free(w->name);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
