/* tell.c - see tell.h. */
#include "reconciler/daemon/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reconciler/http/client.h"
#include "reconciler/notify/sink.h"

/* What is healed in milliseconds still reaches whoever is told. */
enum { LINGER_MS = 30000 };

struct broken {
    char *tenant, *text; /* What was said of it. */
};

struct tn_tell {
    struct tn_tell_options options;
    struct tn_notify *notify;
    char pending[65];            /* The commit whose status is "running". */
    char *fetching, *publishing; /* Why it fails, as said; null: it works. */
    struct broken *broken;       /* Tenants whose documents have errors. */
    size_t n_broken;
    char stale[160]; /* Why Git cannot be read, as it was said. */
};

static void
sink_report(void *ctx, const char *sink, enum tn_code what,
            const struct tn_error *err)
{
    const struct tn_tell *t = ctx;
    char text[TN_ERROR_TEXT];
    if (what == TN_OK) {
        tn_log(t->options.log, TN_LOG_INFO, NULL, "%s can be told again", sink);
    } else {
        tn_log(t->options.log, TN_LOG_WARNING, NULL, "%s cannot be told: %s",
               sink, tn_error_text(err, text, sizeof text));
    }
}

enum tn_code
tn_tell_open(const struct tn_tell_options *options, struct tn_tell **out,
             struct tn_error *err)
{
    static const enum tn_forge_kind kinds[] = {
        [TN_DAEMON_GITHUB] = TN_FORGE_GITHUB,
        [TN_DAEMON_GITLAB] = TN_FORGE_GITLAB,
        [TN_DAEMON_GITEA] = TN_FORGE_GITEA,
    };
    const struct tn_daemon *c = options->config;
    struct tn_tell *t = calloc(1, sizeof *t);
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    if (!t) {
        abort();
    }
    t->options = *options;
    struct tn_notify_endpoint *managers =
        tn_new_n(arena, struct tn_notify_endpoint, c->alertmanagers.n);
    for (size_t i = 0; i < c->alertmanagers.n; i++) {
        managers[i].url = c->alertmanagers.items[i].v;
    }
    struct tn_notify_endpoint *hooks =
        tn_new_n(arena, struct tn_notify_endpoint, c->webhooks.n);
    for (size_t i = 0; i < c->webhooks.n; i++) {
        hooks[i].url = c->webhooks.items[i].url.v;
        hooks[i].secret_file = c->webhooks.items[i].secret_file.v;
    }
    struct tn_notify_forge forge = {
        .kind = kinds[c->forge.kind.v],
        .api = c->forge.api.v,
        .repository = c->forge.repository.v,
        .token_file = c->forge.token_file.v,
    };
    struct tn_label instance = {"instance_name", c->meta.name.v};
    struct tn_notify_options o = {
        .state_dir = options->state_dir,
        .alertmanagers = managers,
        .n_alertmanagers = c->alertmanagers.n,
        .webhooks = hooks,
        .n_webhooks = c->webhooks.n,
        .forges = &forge,
        .n_forges = c->forge.api.v ? 1 : 0,
        .labels = &instance,
        .n_labels = 1,
        .linger_ms = LINGER_MS,
        .report = sink_report,
        .ctx = t,
    };
    enum tn_code code = tn_http_library_init(err);
    if (!code) {
        code = tn_notify_open(&o, &t->notify, err);
    }
    if (code) {
        free(t);
        return code;
    }
    *out = t;
    return TN_OK;
}

static void
broken_free(struct broken *broken, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(broken[i].tenant);
        free(broken[i].text);
    }
    free(broken);
}

void
tn_tell_close(struct tn_tell *tell, int64_t deadline_ms)
{
    if (tell) {
        tn_notify_close(tell->notify, deadline_ms);
        broken_free(tell->broken, tell->n_broken);
        free(tell->fetching);
        free(tell->publishing);
        free(tell);
    }
}

/* Fires while 'is' holds and resolves when it does not. */
static void
alert(struct tn_tell *t, enum tn_alert_name name, const char *device,
      const char *description, bool is)
{
    struct tn_alert a = {
        .name = name,
        .device = device,
        .description = description,
    };
    if (is) {
        (void) tn_notify_fire(t->notify, &a);
    } else {
        (void) tn_notify_resolve(t->notify, &a);
    }
}

/* ---- devices ---- */

static void
stage_metric(struct tn_metrics *m, const char *stage, int64_t from, int64_t to)
{
    if (from && to) {
        tn_metric_observe(m, TN_M_STAGE_DURATION, TN_LABELS(stage),
                          (double) (to - from) / 1e9);
    }
}

static void
report_metrics(const struct tn_tell *t, const struct tn_unit_report *r)
{
    struct tn_metrics *m = t->options.metrics;
    const char *device = r->device.device->name;
    const char *driver = r->device.device->host->config.driver;
    bool bad = r->outcome == TN_UNIT_UNREACHABLE;
    bool ready = r->settled && !r->device.why && !r->device.drift;
    tn_metric_add(m, TN_M_RECONCILES,
                  TN_LABELS(device, tn_unit_outcome_name(r->outcome)), 1);
    tn_metric_observe(m, TN_M_RECONCILE_DURATION, TN_LABELS(device),
                      (double) (r->end_ns - r->start_ns) / 1e9);
    stage_metric(m, "render", r->start_ns, r->rendered_ns);
    stage_metric(m, "observe", r->rendered_ns, r->observed_ns);
    stage_metric(m, "plan", r->observed_ns, r->planned_ns);
    tn_metric_add(m, TN_M_DRIVER_OPERATIONS, TN_LABELS(driver, "observe"), 1);
    tn_metric_add(m, TN_M_DRIVER_ERRORS, TN_LABELS(driver, "observe"), bad);
    if (r->full) {
        tn_metric_add(m, TN_M_RESYNCS,
                      TN_LABELS(driver, r->lost ? "overrun" : "audit"), 1);
    }
    if (r->n_changes) {
        stage_metric(m, "apply", r->planned_ns, r->committed_ns);
        stage_metric(m, "check", r->committed_ns, r->end_ns);
        tn_metric_add(m, TN_M_DRIVER_OPERATIONS, TN_LABELS(driver, "commit"),
                      1);
        tn_metric_add(m, TN_M_CHANGES, TN_LABELS(driver, "all"),
                      (double) r->n_changes);
    }
    tn_metric_set(m, TN_M_DEVICE_BREAKER, TN_LABELS(device), r->breaker_open);
    if (r->settled) {
        tn_metric_set(m, TN_M_DEVICE_READY, TN_LABELS(device), ready);
    }
    if (ready) {
        tn_metric_set(m, TN_M_DEVICE_VERIFIED, TN_LABELS(device),
                      (double) time(NULL));
    }
    if (r->budget_left >= 0) {
        tn_metric_set(m, TN_M_BUDGET_LEFT, TN_LABELS(device),
                      (double) r->budget_left);
    }
    if (r->outcome == TN_UNIT_ROLLED_BACK || r->outcome == TN_UNIT_FAILED) {
        tn_metric_add(
            m, TN_M_ROLLBACKS,
            TN_LABELS(r->outcome == TN_UNIT_FAILED ? "failed" : "verified"), 1);
        tn_metric_add(m, TN_M_DRIVER_ERRORS, TN_LABELS(driver, "commit"), 1);
    }
}

static void
drift_metrics(const struct tn_tell *t, const struct tn_unit_report *r)
{
    struct tn_metrics *m = t->options.metrics;
    const char *device = r->device.device->name;
    bool any = false;
    for (unsigned c = 0; c < TN_DRIFT_CLASSES; c++) {
        const char *class = tn_drift_class_name((enum tn_drift_class) c);
        size_t n = r->drift.n[c];
        any = any || n;
        tn_metric_add(m, TN_M_DRIFT_DETECTED, TN_LABELS(class), (double) n);
        bool healed = n && !r->drift_left;
        if (healed) {
            tn_metric_add(m, TN_M_DRIFT_HEALED, TN_LABELS(class), (double) n);
        }
        if (healed && r->event_ns) {
            tn_metric_observe(m, TN_M_HEAL_DURATION, TN_LABELS(class),
                              (double) (r->end_ns - r->event_ns) / 1e9);
        }
        if (r->full || n) {
            tn_metric_set(m, TN_M_DRIFTED, TN_LABELS(device, class),
                          r->drift_left ? (double) n : 0);
        }
    }
    if (!r->drift_left && (r->full || any)) {
        tn_metric_set(m, TN_M_DRIFT_SINCE, TN_LABELS(device), 0);
    } else if (r->drift_left &&
               tn_metric_get(m, TN_M_DRIFT_SINCE, TN_LABELS(device)) <= 0) {
        tn_metric_set(m, TN_M_DRIFT_SINCE, TN_LABELS(device),
                      (double) time(NULL));
    }
}

/* Something that is not ours stands where our things belong. */
static bool
is_conflict(const struct tn_unit_report *r)
{
    return tn_streq(r->device.reason, "Conflict");
}

static void
report_alerts(struct tn_tell *t, const struct tn_unit_report *r)
{
    const char *device = r->device.device->name;
    const char *why = r->device.why;
    bool reached = r->outcome != TN_UNIT_UNREACHABLE;
    alert(t, TN_ALERT_DEVICE_UNREACHABLE, device, why, !reached);
    if (!reached) {
        return;
    }
    bool drifted = tn_drift_total(&r->drift) > 0;
    bool unsafe = r->drift.n[TN_DRIFT_SECURITY] > 0;
    /* Healed at once is drift, too: it fires, and the next look, which is due
     * right away, resolves it. */
    if (drifted || (r->settled && !r->drift_left)) {
        alert(t, TN_ALERT_DRIFT, device, r->drift_text, drifted);
        alert(t, TN_ALERT_SECURITY_WIDENED, device, r->drift_text, unsafe);
    }
    alert(t, TN_ALERT_DRIFT_REPEATED, device, r->drift_text, r->flapping);
    alert(t, TN_ALERT_BUDGET_EXCEEDED, device, why,
          r->outcome == TN_UNIT_REFUSED);
    alert(t, TN_ALERT_HOLD, device, why,
          r->outcome == TN_UNIT_HELD || r->mode == TN_MODE_HOLD);
    alert(t, TN_ALERT_ROLLBACK_FAILED, device, why,
          r->outcome == TN_UNIT_FAILED && r->device.end == TN_DEVICE_BROKEN);
    alert(t, TN_ALERT_APPLY_FAILED, device, why,
          r->outcome == TN_UNIT_ROLLED_BACK || r->outcome == TN_UNIT_FAILED ||
              is_conflict(r));
    if (r->full && r->settled) {
        (void) tn_notify_settle(t->notify, device);
    }
}

static void
report_log(const struct tn_tell *t, const struct tn_unit_report *r)
{
    struct tn_log_about about = {
        .device = r->device.device->name,
        .scope = r->drift_scope,
        .commit = r->intent->run->commit.id,
    };
    struct tn_log *log = t->options.log;
    double ms = (double) (r->end_ns - r->start_ns) / 1e6;
    size_t drift = tn_drift_total(&r->drift);
    if (drift) {
        tn_log(log, TN_LOG_WARNING, &about, "drift: %s%s%s%s (%zu in all)",
               r->drift_text, r->event ? ", told by: " : "",
               r->event ? r->event : "",
               r->drift_left ? "; left as it is" : "; healed", drift);
    }
    about.scope = NULL;
    if (r->blocked_news) {
        tn_log(log, TN_LOG_WARNING, &about, "left as it is: %s", r->device.why);
    }
    switch (r->outcome) {
    case TN_UNIT_UNCHANGED:
        tn_log(log, TN_LOG_DEBUG, &about, "as intended, looked %.1f ms", ms);
        break;
    case TN_UNIT_APPLIED:
        tn_log(log, TN_LOG_INFO, &about,
               "applied %zu changes and verified them in %.1f ms", r->n_changes,
               ms);
        break;
    case TN_UNIT_OBSERVED:
    case TN_UNIT_HELD:
        tn_log(log, TN_LOG_INFO, &about, "differs and is left alone: %s",
               r->device.why ? r->device.why : "");
        break;
    case TN_UNIT_REFUSED:
        if (r->n_changes) {
            tn_log(log, TN_LOG_INFO, &about,
                   "healed what needs no removal: %zu changes in %.1f ms",
                   r->n_changes, ms);
        }
        tn_log(log, TN_LOG_ERROR, &about, "%s: %s",
               tn_unit_outcome_name(r->outcome),
               r->device.why ? r->device.why : "");
        break;
    case TN_UNIT_FAILED:
    case TN_UNIT_ROLLED_BACK:
    case TN_UNIT_UNREACHABLE:
        tn_log(log, TN_LOG_ERROR, &about, "%s: %s",
               tn_unit_outcome_name(r->outcome),
               r->device.why ? r->device.why : "");
        break;
    }
}

void
tn_tell_report(struct tn_tell *tell, const struct tn_unit_report *report,
               bool news)
{
    if (news || report->n_changes) {
        report_log(tell, report);
    }
    if (report->strangers) {
        struct tn_log_about about = {.device = report->device.device->name};
        tn_log(tell->options.log, TN_LOG_WARNING, &about,
               "not ours, and left alone: %s", report->strangers);
    }
    if (report->unlooked) {
        return; /* What was said of it still holds. */
    }
    report_metrics(tell, report);
    drift_metrics(tell, report);
    report_alerts(tell, report);
}

void
tn_tell_gone(struct tn_tell *tell, const char *device)
{
    struct tn_alert match = {.device = device};
    (void) tn_notify_resolve_all(tell->notify, &match, true);
    tn_metrics_forget(tell->options.metrics, "device", device);
}

/* ---- Git ---- */

static void
forge_status(struct tn_tell *t, const char *commit, enum tn_commit_state state,
             const char *text)
{
    const struct tn_daemon *c = t->options.config;
    struct tn_commit_status s = {
        .sha = commit,
        .context = c->forge.context.v ? c->forge.context.v : "tenet",
        .state = state,
        .description = text,
    };
    if (c->forge.api.v && commit[0]) {
        tn_notify_commit_status(t->notify, &s);
    }
}

static enum tn_alert_name
refusal_alert(enum tn_refusal refusal)
{
    switch (refusal) {
    case TN_REFUSED_INVALID:
        return TN_ALERT_INTENT_INVALID;
    case TN_REFUSED_UNTRUSTED:
        return TN_ALERT_UNTRUSTED_COMMIT;
    case TN_REFUSED_REWRITTEN:
        return TN_ALERT_FORCE_PUSH;
    case TN_REFUSED_QUARANTINED:
        return TN_ALERT_ROLLED_BACK;
    case TN_REFUSED_DENIED:
        return TN_ALERT_POLICY_DENIED;
    case TN_REFUSED_FROZEN:
        return TN_ALERT_HOLD;
    }
    return TN_ALERT_INTENT_INVALID;
}

static void
refusals_end(struct tn_tell *t)
{
    for (int r = TN_REFUSED_INVALID; r <= TN_REFUSED_FROZEN; r++) {
        alert(t, refusal_alert((enum tn_refusal) r), NULL, NULL, false);
    }
}

static void
refused(struct tn_tell *t, const struct tn_upstream_event *e)
{
    struct tn_log_about about = {.commit = e->commit};
    bool frozen = e->refusal == TN_REFUSED_FROZEN;
    tn_log(t->options.log, frozen ? TN_LOG_INFO : TN_LOG_ERROR, &about,
           "not followed, %s: %s", tn_refusal_name(e->refusal), e->text);
    tn_metric_add(t->options.metrics, TN_M_COMMITS_REFUSED,
                  TN_LABELS(tn_refusal_name(e->refusal)), 1);
    refusals_end(t);
    alert(t, refusal_alert(e->refusal), NULL, e->text, true);
    forge_status(t, e->commit, frozen ? TN_COMMIT_PENDING : TN_COMMIT_FAILED,
                 e->text);
}

static void
tenant_alert(struct tn_tell *t, const char *name, const char *text)
{
    struct tn_alert a = {
        .name = TN_ALERT_INTENT_INVALID,
        .tenant = name,
        .description = text,
    };
    if (text) {
        (void) tn_notify_fire(t->notify, &a);
    } else {
        (void) tn_notify_resolve(t->notify, &a);
    }
}

static const char *
broken_text(const struct tn_tell *t, const char *tenant)
{
    for (size_t i = 0; i < t->n_broken; i++) {
        if (strcmp(t->broken[i].tenant, tenant) == 0) {
            return t->broken[i].text;
        }
    }
    return NULL;
}

static char *
copy(const char *s)
{
    char *out = strdup(s);
    if (!out) {
        abort();
    }
    return out;
}

static bool
tenant_is(const struct tn_network *net, const char *name)
{
    for (size_t i = 0; i < net->n_tenants; i++) {
        if (strcmp(net->tenants[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Which tenants are broken: what is new of them is said. */
static void
tenants_tell(struct tn_tell *t, const struct tn_reconcile *run)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_log_about about = {.commit = run->commit.id};
    const struct tn_network *net = run->network;
    struct broken *now = calloc(run->n_kept + 1, sizeof *now);
    if (!now) {
        abort();
    }
    for (size_t i = 0; i < net->n_tenants; i++) { /* Also after a start. */
        const char *name = net->tenants[i].name;
        if (!tn_kept_get(run->kept, run->n_kept, name)) {
            tenant_alert(t, name, NULL);
        }
    }
    for (size_t i = 0; i < run->n_kept; i++) {
        const char *name = run->kept[i].tenant;
        const char *text = tn_kept_text(&run->kept[i], arena);
        now[i] = (struct broken){copy(name), copy(text)};
        tenant_alert(t, name, text);
        if (!tn_streq(broken_text(t, name), text)) {
            tn_log(t->options.log, TN_LOG_WARNING, &about, "tenant %s: %s",
                   name, text);
        }
    }
    for (size_t i = 0; i < t->n_broken; i++) {
        const char *name = t->broken[i].tenant;
        if (!tn_kept_get(run->kept, run->n_kept, name)) {
            tenant_alert(t, name, NULL);
            tn_log(t->options.log, TN_LOG_INFO, &about, "tenant %s: %s", name,
                   tenant_is(net, name) ? "documents are good again"
                                        : "it is gone");
        }
    }
    broken_free(t->broken, t->n_broken);
    t->broken = now;
    t->n_broken = run->n_kept;
}

/* A thing that stays wrong is said once. */
static void
trouble_say(struct tn_tell *t, char **said, const char *what, const char *text)
{
    if (text && !tn_streq(*said, text)) {
        tn_log(t->options.log, TN_LOG_WARNING, NULL, "%s: %s", what, text);
    } else if (!text && *said) {
        tn_log(t->options.log, TN_LOG_INFO, NULL, "%s: works again", what);
    }
    char *copy = text ? strdup(text) : NULL;
    free(*said);
    *said = copy;
}

/* Findings of single tenants do not stop the others. */
static void
intent_new(struct tn_tell *t, const struct tn_upstream_event *e)
{
    struct tn_metrics *m = t->options.metrics;
    const struct tn_reconcile *run = e->intent->run;
    struct tn_log_about about = {.commit = e->commit};
    size_t failed = run->n_kept;
    tn_log(t->options.log, failed ? TN_LOG_WARNING : TN_LOG_INFO, &about,
           "following \"%s\": %zu VPCs of %zu tenants (%zu with errors), %zu "
           "devices; compiled in %.0f ms",
           run->commit.subject, run->network->n_vpcs, run->network->n_tenants,
           failed, run->network->n_devices, e->compile_s * 1e3);
    tenants_tell(t, run);
    tn_metric_set(m, TN_M_INTENT_COMMITTED, NULL,
                  (double) run->commit.commit_time);
    tn_metric_set(m, TN_M_INTENT_ACCEPTED, NULL, (double) time(NULL));
    tn_metric_observe(m, TN_M_STAGE_DURATION, TN_LABELS("compile"),
                      e->compile_s);
    tn_metric_observe(m, TN_M_STAGE_DURATION, TN_LABELS("verify"), e->verify_s);
    memcpy(t->pending, e->commit, sizeof t->pending);
    forge_status(t, e->commit, TN_COMMIT_RUNNING, "applying");
}

static void
published(const struct tn_tell *t, const struct tn_upstream_event *e)
{
    struct tn_metrics *m = t->options.metrics;
    struct tn_log_about about = {.commit = e->commit};
    tn_metric_add(m, TN_M_STATUS_COMMITS,
                  TN_LABELS(e->changed ? "committed" : "unchanged"), 1);
    tn_metric_add(m, TN_M_STATUS_RETRIES, NULL,
                  e->tries > 1 ? e->tries - 1 : 0);
    tn_metric_observe(m, TN_M_STAGE_DURATION, TN_LABELS("status"),
                      e->publish_s);
    if (e->changed) {
        tn_log(t->options.log, TN_LOG_INFO, &about, "status published");
    }
}

void
tn_tell_upstream(struct tn_tell *t, const struct tn_upstream_event *e)
{
    struct tn_metrics *m = t->options.metrics;
    switch (e->type) {
    case TN_UP_FETCHED:
        t->stale[0] = '\0';
        tn_metric_add(m, TN_M_SOURCE_FETCHES,
                      TN_LABELS(e->changed ? "changed" : "unchanged"), 1);
        tn_metric_set(m, TN_M_SOURCE_FETCHED, NULL, (double) time(NULL));
        tn_metric_observe(m, TN_M_STAGE_DURATION, TN_LABELS("fetch"),
                          e->fetch_s);
        trouble_say(t, &t->fetching, "Git", NULL);
        alert(t, TN_ALERT_SOURCE_STALE, NULL, NULL, false);
        break;
    case TN_UP_STALE:
        tn_metric_add(m, TN_M_SOURCE_FETCHES, TN_LABELS("failed"), 1);
        if (strncmp(t->stale, e->text, sizeof t->stale - 1) != 0) {
            trouble_say(t, &t->fetching, "Git", e->text);
            snprintf(t->stale, sizeof t->stale, "%s", e->text);
        }
        alert(t, TN_ALERT_SOURCE_STALE, NULL, e->text, true);
        break;
    case TN_UP_INTENT:
        intent_new(t, e);
        break;
    case TN_UP_ACCEPTED:
        refusals_end(t);
        break;
    case TN_UP_REFUSED:
        refused(t, e);
        break;
    case TN_UP_PUBLISHED:
        trouble_say(t, &t->publishing, "status", NULL);
        published(t, e);
        alert(t, TN_ALERT_STATUS_UNPUBLISHED, NULL, NULL, false);
        break;
    case TN_UP_UNPUBLISHED:
        tn_metric_add(m, TN_M_STATUS_COMMITS, TN_LABELS("failed"), 1);
        trouble_say(t, &t->publishing, "status", e->text);
        alert(t, TN_ALERT_STATUS_UNPUBLISHED, NULL, e->text, true);
        break;
    case TN_UP_STOPPED:
        break;
    }
}

static double
ms(double seconds)
{
    return seconds > 0 ? seconds * 1e3 : 0;
}

void
tn_tell_commit(struct tn_tell *t, const struct tn_intent *intent,
               const struct tn_spent *spent, size_t n_failed)
{
    const char *commit = intent->run->commit.id;
    size_t broken = intent->run->n_kept;
    char text[128], but[64] = "";
    if (strcmp(t->pending, commit) != 0) {
        return;
    }
    if (broken) {
        snprintf(but, sizeof but, "; %zu tenant%s broken documents", broken,
                 broken == 1 ? " has" : "s have");
    }
    snprintf(text, sizeof text, "%zu of %zu devices are as intended%s",
             intent->run->network->n_devices - n_failed,
             intent->run->network->n_devices, but);
    forge_status(t, commit,
                 n_failed || broken ? TN_COMMIT_FAILED : TN_COMMIT_SUCCESS,
                 text);
    (void) tn_notify_settle(t->notify, NULL);
    if (n_failed == 0) {
        double s = (double) (tn_now_ms() - intent->seen_ms) / 1e3;
        struct tn_log_about about = {.commit = commit};
        tn_metric_observe(t->options.metrics, TN_M_COMMIT_LATENCY, NULL, s);
        tn_log(t->options.log, TN_LOG_INFO, &about,
               "all devices are as intended, %.2f s after the commit was "
               "seen (fetch %.0f ms, signatures %.0f, compile %.0f; "
               "%zu looks, %zu devices not concerned; at most: render %.0f, "
               "observe %.0f, plan %.0f, apply %.0f, verify %.0f)",
               s, ms(intent->fetch_s), ms(intent->verify_s),
               ms(intent->compile_s), spent->n_looks, spent->n_unlooked,
               ms(spent->render), ms(spent->observe), ms(spent->plan),
               ms(spent->apply), ms(spent->verify));
        t->pending[0] = '\0';
    }
}

void
tn_tell_probes(struct tn_tell *t, const struct tn_intent *intent,
               const char *text, bool stays)
{
    struct tn_log_about about = {.commit = intent->run->commit.id};
    tn_log(t->options.log, stays ? TN_LOG_INFO : TN_LOG_ERROR, &about, "%s: %s",
           text, stays ? "it stays" : "it is taken back");
    if (!stays) {
        alert(t, TN_ALERT_ROLLED_BACK, NULL, text, true);
    }
}

int
tn_tell_fd(const struct tn_tell *tell)
{
    return tn_notify_fd(tell->notify);
}

int
tn_tell_timeout(const struct tn_tell *tell)
{
    return tn_notify_timeout(tell->notify);
}

void
tn_tell_run(struct tn_tell *tell)
{
    struct tn_notify_stats stats;
    tn_notify_run(tell->notify);
    tn_notify_stats(tell->notify, &stats);
    tn_metric_set(tell->options.metrics, TN_M_ALERTS_FIRING, TN_LABELS("all"),
                  (double) stats.alerts.firing);
    for (size_t i = 0; i < stats.n_sinks; i++) {
        const struct tn_notify_sink_stats *s = &stats.sinks[i];
        tn_metric_set(tell->options.metrics, TN_M_NOTIFICATIONS,
                      TN_LABELS(s->name, "ok"), (double) s->sent);
        tn_metric_set(tell->options.metrics, TN_M_NOTIFICATIONS,
                      TN_LABELS(s->name, "failed"), (double) s->failed);
    }
}
