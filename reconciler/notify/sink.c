/* sink.c - the sinks together: opening, the turn of the loop, the state on
 * disk, the end.
 *
 * An alert leaves only after it was saved; so whatever a sink may hold as
 * firing is known after a crash, and can be resolved.  Saving is bundled: at
 * most five times a second, less often while it takes long. */
#include "reconciler/notify/sink.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/notify/deliver.h"
#include "reconciler/notify/envelope.h"

enum {
    FORGES_MAX = 16,
    FORGE_VERSION = 1,
    SAVE_PAUSE_MS = 200,
    SAVE_RETRY_MS = 5000,
    SAVE_SHARE = 10, /* Saving takes at most a tenth of the time. */
    BACKOFF_BASE_MS = 1000,
    BACKOFF_CAP_MS = 60000,
};

static const char forge_format[] = "tenet-forge";

struct tn_notify {
    struct tn_arena *arena;
    struct tn_sink_shared shared;
    struct tn_sink **sinks; /* Each owned; the array is in 'arena'. */
    struct tn_notify_sink_stats *stats;
    size_t n_sinks;
    const char *alerts_path, *forge_path; /* Null: nothing is saved. */
    int64_t next_save;
    uint64_t saves, save_failures;
    bool damaged, save_reported;
};

static const char *
keep(struct tn_arena *arena, const char *s)
{
    return s ? tn_arena_strdup(arena, s) : NULL;
}

static void
report(const struct tn_notify *notify, const char *who, enum tn_code what,
       const struct tn_error *err)
{
    if (notify->shared.report) {
        notify->shared.report(notify->shared.ctx, who, what, err);
    }
}

static struct tn_sink *
add_sink(struct tn_notify *notify, enum tn_notify_kind kind, const char *name,
         const char *url)
{
    struct tn_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        abort();
    }
    char origin[TN_HTTP_ORIGIN];
    tn_http_origin(url, origin);
    sink->shared = &notify->shared;
    sink->kind = kind;
    sink->batch = TN_BATCH_MAX;
    snprintf(sink->name, sizeof sink->name, "%.*s", TN_SINK_NAME - 1,
             name ? name : origin);
    notify->sinks[notify->n_sinks++] = sink;
    return sink;
}

static enum tn_code
add_endpoint(struct tn_notify *notify, enum tn_notify_kind kind,
             const struct tn_notify_endpoint *e, struct tn_error *err)
{
    char origin[TN_HTTP_ORIGIN];
    if (!tn_http_origin(e->url, origin)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "%s: not an http(s) URL without user and password",
                       e->name ? e->name : "alerts");
    }
    if (kind == TN_NOTIFY_WEBHOOK && !e->secret_file) {
        return tn_fail(err, TN_EINTENT, 0,
                       "%s: a webhook needs a secret file to sign with",
                       origin);
    }
    size_t index = notify->n_sinks;
    struct tn_sink *sink = add_sink(notify, kind, e->name, e->url);
    sink->index = index;
    sink->url = keep(notify->arena, e->url);
    sink->ca_file = keep(notify->arena, e->ca_file);
    sink->token_file = keep(notify->arena, e->bearer_file);
    sink->basic_file = keep(notify->arena, e->basic_file);
    sink->secret_file = keep(notify->arena, e->secret_file);
    sink->timeout_ms = e->timeout_ms;
    sink->proxy_env = e->proxy_env;
    return TN_OK;
}

static enum tn_code
add_forge(struct tn_notify *notify, const struct tn_notify_forge *f,
          struct tn_error *err)
{
    struct tn_forge *forge = NULL;
    enum tn_code code = tn_forge_new(f, &forge, err);
    if (code) {
        return code;
    }
    struct tn_sink *sink =
        add_sink(notify, TN_NOTIFY_FORGE, tn_forge_name(forge), f->api);
    sink->forge = forge;
    sink->forge_kind = f->kind;
    sink->ca_file = keep(notify->arena, f->ca_file);
    sink->token_file = keep(notify->arena, f->token_file);
    sink->timeout_ms = f->timeout_ms;
    sink->proxy_env = f->proxy_env;
    if (!f->token_file) {
        return tn_fail(err, TN_EINTENT, 0, "%s: no token file for the forge",
                       sink->name);
    }
    return TN_OK;
}

static enum tn_code
add_sinks(struct tn_notify *notify, const struct tn_notify_options *o,
          struct tn_error *err)
{
    if (o->n_alertmanagers + o->n_webhooks > TN_ALERT_SINKS_MAX ||
        o->n_forges > FORGES_MAX) {
        return tn_fail(err, TN_EINTENT, 0,
                       "more than %d Alertmanagers and webhooks, or %d forges",
                       TN_ALERT_SINKS_MAX, FORGES_MAX);
    }
    size_t max = o->n_alertmanagers + o->n_webhooks + o->n_forges;
    notify->sinks = tn_new_n(notify->arena, struct tn_sink *, max + 1);
    notify->stats =
        tn_new_n(notify->arena, struct tn_notify_sink_stats, max + 1);
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < o->n_alertmanagers && !code; i++) {
        code = add_endpoint(notify, TN_NOTIFY_ALERTMANAGER,
                            &o->alertmanagers[i], err);
    }
    for (size_t i = 0; i < o->n_webhooks && !code; i++) {
        code = add_endpoint(notify, TN_NOTIFY_WEBHOOK, &o->webhooks[i], err);
    }
    for (size_t i = 0; i < o->n_forges && !code; i++) {
        code = add_forge(notify, &o->forges[i], err);
    }
    return code;
}

static void
make_alerts(struct tn_notify *notify, const struct tn_notify_options *o)
{
    struct tn_alert_sink sinks[TN_ALERT_SINKS_MAX] = {0};
    size_t n = o->n_alertmanagers + o->n_webhooks;
    for (size_t i = 0; i < n; i++) {
        const struct tn_sink *sink = notify->sinks[i];
        struct tn_digest d = tn_digest_of(sink->url, strlen(sink->url));
        char hex[TN_DIGEST_HEX];
        bool am = sink->kind == TN_NOTIFY_ALERTMANAGER;
        sinks[i].keep_alive = am;
        /* The URL may hold a secret: its digest names the sink. */
        sinks[i].id = tn_arena_printf(notify->arena, "%s-%.16s",
                                      am ? "alertmanager" : "webhook",
                                      tn_digest_hex(&d, hex));
    }
    notify->shared.alerts = tn_alerts_new(&(struct tn_alerts_options){
        .sinks = sinks,
        .n_sinks = n,
        .labels = o->labels,
        .n_labels = o->n_labels,
        .runbooks = o->runbooks,
        .interval_ms = o->interval_ms,
        .linger_ms = o->linger_ms,
    });
}

static bool
load_forge_line(const struct tn_notify *notify, const char *line, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < notify->n_sinks && fine; i++) {
        if (notify->sinks[i]->forge) {
            fine = tn_forge_load(notify->sinks[i]->forge, line, n);
        }
    }
    return fine;
}

static enum tn_code
load_forges(struct tn_notify *notify, const char *bytes, size_t n,
            struct tn_error *err)
{
    const char *s, *end;
    size_t len;
    bool fine =
        tn_envelope_open(bytes, n, forge_format, FORGE_VERSION, &s, &len);
    for (end = fine ? s + len : NULL; fine && s < end;) {
        const char *nl = memchr(s, '\n', (size_t) (end - s));
        fine = nl && load_forge_line(notify, s, (size_t) (nl - s));
        s = nl ? nl + 1 : end;
    }
    return fine ? TN_OK
                : tn_fail(err, TN_EINTENT, 0,
                          "what was posted is damaged or of another version");
}

/* Reads one file of state; what cannot be used is kept aside. */
static void
load_file(struct tn_notify *notify, const char *path, bool alerts)
{
    struct tn_error err = {0};
    TN_CLEANUP(tn_cleanup_free) char *bytes = NULL;
    size_t n = 0;
    enum tn_code code = tn_envelope_read(path, &bytes, &n, &err);
    if (code == TN_ENOENT) {
        return;
    }
    if (!code && alerts) {
        code = tn_alerts_load(notify->shared.alerts, bytes, n,
                              tn_notify_clock(), &err);
    } else if (!code) {
        code = load_forges(notify, bytes, n, &err);
    }
    if (code) {
        notify->damaged = true;
        tn_envelope_set_aside(path);
        code = tn_while(&err, code, "%s is kept as %s.damaged", path, path);
        report(notify, "state", code, &err);
    }
}

static bool
forges_dirty(const struct tn_notify *notify)
{
    for (size_t i = 0; i < notify->n_sinks; i++) {
        if (notify->sinks[i]->forge &&
            tn_forge_dirty(notify->sinks[i]->forge)) {
            return true;
        }
    }
    return false;
}

static enum tn_code
save_alerts(struct tn_notify *notify, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    tn_alerts_dump(notify->shared.alerts, &text);
    enum tn_code code = tn_file_replace(notify->alerts_path, &text, 0600, err);
    if (!code) {
        tn_alerts_saved(notify->shared.alerts);
    }
    return code;
}

static enum tn_code
save_forges(struct tn_notify *notify, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text body = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    for (size_t i = 0; i < notify->n_sinks; i++) {
        if (notify->sinks[i]->forge) {
            tn_forge_dump(notify->sinks[i]->forge, &body);
        }
    }
    tn_envelope_add(&text, forge_format, FORGE_VERSION, &body);
    enum tn_code code = tn_file_replace(notify->forge_path, &text, 0600, err);
    for (size_t i = 0; i < notify->n_sinks && !code; i++) {
        if (notify->sinks[i]->forge) {
            tn_forge_saved(notify->sinks[i]->forge);
        }
    }
    return code;
}

/* Saves what changed.  A full disk is reported once and does not keep anybody
 * from being told. */
static void
save(struct tn_notify *notify)
{
    int64_t began = tn_notify_clock().mono_ms;
    struct tn_error err = {0};
    enum tn_code code = TN_OK;
    if (tn_alerts_dirty(notify->shared.alerts)) {
        code = save_alerts(notify, &err);
    }
    if (!code && forges_dirty(notify)) {
        code = save_forges(notify, &err);
    }
    int64_t ended = tn_notify_clock().mono_ms;
    int64_t pause = (ended - began) * SAVE_SHARE;
    pause = code                    ? SAVE_RETRY_MS
            : pause > SAVE_PAUSE_MS ? pause
                                    : (int64_t) SAVE_PAUSE_MS;
    notify->next_save = ended + pause;
    notify->saves += !code;
    notify->save_failures += code != TN_OK;
    if ((code != TN_OK) == notify->save_reported) {
        return;
    }
    notify->save_reported = code != TN_OK;
    report(notify, "state", code, &err);
}

static bool
must_save(const struct tn_notify *notify)
{
    return notify->alerts_path &&
           (tn_alerts_dirty(notify->shared.alerts) || forges_dirty(notify));
}

enum tn_code
tn_notify_open(const struct tn_notify_options *options, struct tn_notify **out,
               struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_notify)
    struct tn_notify *notify = calloc(1, sizeof *notify);
    if (!notify) {
        abort();
    }
    notify->arena = tn_arena_new();
    notify->shared.report = options->report;
    notify->shared.ctx = options->ctx;
    notify->shared.generator = keep(notify->arena, options->generator);
    int64_t interval =
        options->interval_ms > 0 ? options->interval_ms : TN_ALERT_INTERVAL_MS;
    /* A pause is never longer than the interval, else alerts would end. */
    notify->shared.base_ms =
        interval < BACKOFF_BASE_MS ? interval : BACKOFF_BASE_MS;
    notify->shared.postpone_ms = interval;
    notify->shared.cap_ms =
        interval < BACKOFF_CAP_MS ? interval : BACKOFF_CAP_MS;
    enum tn_code code = tn_http_client_new(&notify->shared.client, err);
    if (!code) {
        code = add_sinks(notify, options, err);
    }
    if (code) {
        return code;
    }
    make_alerts(notify, options);
    if (options->state_dir) {
        notify->alerts_path = tn_arena_printf(notify->arena, "%s/alerts.json",
                                              options->state_dir);
        notify->forge_path =
            tn_arena_printf(notify->arena, "%s/forge.json", options->state_dir);
        load_file(notify, notify->alerts_path, true);
        load_file(notify, notify->forge_path, false);
    }
    *out = TN_TAKE(notify);
    return TN_OK;
}

/* True if waiting until 'end' may tell somebody something. */
static bool
worth_waiting(const struct tn_notify *notify, struct tn_notify_now now,
              int64_t end)
{
    for (size_t i = 0; i < notify->n_sinks; i++) {
        const struct tn_sink *sink = notify->sinks[i];
        if (sink->busy ||
            (tn_sink_pending(sink) && tn_sink_next(sink, now) < end)) {
            return true;
        }
    }
    return false;
}

static void
flush(struct tn_notify *notify, int64_t deadline_ms)
{
    struct tn_notify_now now = tn_notify_clock();
    int64_t end = now.mono_ms + deadline_ms;
    while (now.mono_ms < end && worth_waiting(notify, now, end)) {
        struct pollfd p = {.fd = tn_notify_fd(notify), .events = POLLIN};
        int ms = tn_notify_timeout(notify);
        int64_t left = end - now.mono_ms;
        poll(&p, 1, ms >= 0 && ms < left ? ms : (int) left);
        tn_notify_run(notify);
        now = tn_notify_clock();
    }
}

void
tn_notify_close(struct tn_notify *notify, int64_t deadline_ms)
{
    if (!notify) {
        return;
    }
    if (notify->shared.alerts) {
        if (deadline_ms > 0) {
            flush(notify, deadline_ms < INT_MAX ? deadline_ms : INT_MAX);
        }
        if (must_save(notify)) {
            save(notify);
        }
    }
    tn_http_client_free(notify->shared.client);
    tn_alerts_free(notify->shared.alerts);
    for (size_t i = 0; i < notify->n_sinks; i++) {
        tn_forge_free(notify->sinks[i]->forge);
        free(notify->sinks[i]);
    }
    tn_arena_free(notify->arena);
    free(notify);
}

bool
tn_notify_fire(struct tn_notify *notify, const struct tn_alert *alert)
{
    return tn_alert_fire(notify->shared.alerts, alert, tn_notify_clock());
}

bool
tn_notify_resolve(struct tn_notify *notify, const struct tn_alert *alert)
{
    return tn_alert_resolve(notify->shared.alerts, alert, tn_notify_clock());
}

size_t
tn_notify_resolve_all(struct tn_notify *notify, const struct tn_alert *match,
                      bool any_name)
{
    return tn_alerts_resolve_all(notify->shared.alerts, match, any_name,
                                 tn_notify_clock());
}

size_t
tn_notify_settle(struct tn_notify *notify, const char *device)
{
    return tn_alerts_settle(notify->shared.alerts, device, tn_notify_clock());
}

void
tn_notify_commit_status(struct tn_notify *notify,
                        const struct tn_commit_status *status)
{
    for (size_t i = 0; i < notify->n_sinks; i++) {
        struct tn_forge *forge = notify->sinks[i]->forge;
        if (forge && (!status->repo ||
                      strcmp(status->repo, tn_forge_name(forge)) == 0)) {
            (void) tn_forge_want(forge, status);
        }
    }
}

int
tn_notify_fd(const struct tn_notify *notify)
{
    return tn_http_client_fd(notify->shared.client);
}

/* Alerts that must be saved before anybody is told, and may not be yet. */
static bool
held_back(const struct tn_notify *notify)
{
    return notify->alerts_path && tn_alerts_has_news(notify->shared.alerts) &&
           !notify->save_reported;
}

int
tn_notify_timeout(const struct tn_notify *notify)
{
    struct tn_notify_now now = tn_notify_clock();
    int64_t next = tn_alerts_wake(notify->shared.alerts);
    bool held = held_back(notify);
    for (size_t i = 0; i < notify->n_sinks; i++) {
        const struct tn_sink *sink = notify->sinks[i];
        int64_t t = held && !sink->forge ? INT64_MAX : tn_sink_next(sink, now);
        next = t < next ? t : next;
    }
    if (must_save(notify) && notify->next_save < next) {
        next = notify->next_save;
    }
    if (next == INT64_MAX) {
        return -1;
    }
    int64_t ms = next - now.mono_ms;
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int) ms;
}

void
tn_notify_run(struct tn_notify *notify)
{
    tn_http_client_run(notify->shared.client);
    struct tn_notify_now now = tn_notify_clock();
    tn_alerts_tick(notify->shared.alerts, now);
    if (must_save(notify) && now.mono_ms >= notify->next_save) {
        save(notify);
    }
    bool held = held_back(notify);
    for (size_t i = 0; i < notify->n_sinks; i++) {
        if (!held || notify->sinks[i]->forge) {
            tn_sink_push(notify->sinks[i], now);
        }
    }
    /* Curl starts a transfer when its timer says so: now. */
    tn_http_client_run(notify->shared.client);
}

void
tn_notify_stats(struct tn_notify *notify, struct tn_notify_stats *out)
{
    for (size_t i = 0; i < notify->n_sinks; i++) {
        const struct tn_sink *sink = notify->sinks[i];
        notify->stats[i] = sink->stats;
        notify->stats[i].name = sink->name;
        notify->stats[i].kind = sink->kind;
        notify->stats[i].pending = tn_sink_pending(sink);
    }
    *out = (struct tn_notify_stats){
        .alerts = tn_alerts_count(notify->shared.alerts),
        .saves = notify->saves,
        .save_failures = notify->save_failures,
        .state_damaged = notify->damaged,
        .sinks = notify->stats,
        .n_sinks = notify->n_sinks,
    };
}
