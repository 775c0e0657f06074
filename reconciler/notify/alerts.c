/* alerts.c - the machine of alerts.h.
 *
 * Records lie in one array sorted by fingerprint.  Per sink each remembers the
 * version that was acknowledged; whatever differs is due.  So there is no queue
 * to overflow, and nothing to replay after a crash.
 *
 * Every scan over all records is guarded by the time when it can next find
 * something, so that an idle daemon pays nothing. */
#include "reconciler/notify/alerts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/time.h"
#include "reconciler/notify/alerts_work.h"

enum {
    FLAPS_BEFORE_DAMPING = 3,
    FLAP_WINDOW_MS = 600000, /* Coming back sooner is a flap. */
    DAMP_FIRST_MS = 30000,   /* Doubles up to ... */
    DAMP_MAX_MS = 600000,
    REPEAT_END_MS = 300000, /* Ends are repeated to Alertmanagers so long:
                             * one whose clock is behind overlooks an end
                             * that lies in its future. */
    GIVE_UP_MS = 86400000,  /* Ends that a sink does not take. */
    EVICT_PAUSE_MS = 1000,
    ENDS_AFTER_INTERVALS = 4,
};

struct tn_notify_now
tn_notify_clock(void)
{
    struct timespec w;
    clock_gettime(CLOCK_REALTIME, &w);
    return (struct tn_notify_now){
        .wall_ms = (int64_t) w.tv_sec * 1000 + w.tv_nsec / 1000000,
        .mono_ms = tn_now_ms(),
    };
}

struct tn_digest
tn_alert_fingerprint(const char *labels)
{
    return tn_digest_of(labels, strlen(labels));
}

size_t
tn_alerts_place(const struct tn_alerts *alerts,
                const struct tn_digest *fingerprint, bool *found)
{
    size_t lo = 0, hi = alerts->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = memcmp(alerts->items[mid]->fingerprint.b, fingerprint->b,
                       TN_DIGEST_SIZE);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *found = false;
    return lo;
}

static void *
must(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

struct tn_alert_record *
tn_alerts_insert(struct tn_alerts *alerts, size_t at, char *labels,
                 char *annotations)
{
    if (alerts->n == alerts->cap) {
        alerts->cap = alerts->cap ? alerts->cap * 2 : 16;
        alerts->items =
            must(realloc(alerts->items, alerts->cap * sizeof *alerts->items));
    }
    struct tn_alert_record *r =
        must(calloc(1, sizeof *r + alerts->n_sinks * sizeof r->told[0]));
    r->fingerprint = tn_alert_fingerprint(labels);
    r->labels = labels;
    r->annotations = annotations;
    memmove(alerts->items + at + 1, alerts->items + at,
            (alerts->n - at) * sizeof *alerts->items);
    alerts->items[at] = r;
    alerts->n++;
    return r;
}

static void
drop(struct tn_alerts *alerts, size_t at)
{
    struct tn_alert_record *r = alerts->items[at];
    free(r->labels);
    free(r->annotations);
    free(r);
    alerts->n--;
    memmove(alerts->items + at, alerts->items + at + 1,
            (alerts->n - at) * sizeof *alerts->items);
    alerts->dirty = true;
}

void
tn_alerts_forget(struct tn_alerts *alerts)
{
    while (alerts->n) {
        drop(alerts, alerts->n - 1);
    }
}

static bool
told_all(const struct tn_alerts *alerts, const struct tn_alert_record *r)
{
    for (size_t i = 0; i < alerts->n_sinks; i++) {
        if (r->told[i].version != r->version) {
            return false;
        }
    }
    return true;
}

/* A transition that the sinks hear of. */
static void
changed(struct tn_alerts *alerts, struct tn_alert_record *r,
        struct tn_notify_now now)
{
    r->version++;
    r->told_changed = now.mono_ms;
    alerts->dirty = alerts->news = true;
    alerts->next_time = now.mono_ms;
    for (size_t i = 0; i < alerts->n_sinks; i++) {
        alerts->next_due[i] = now.mono_ms;
        r->told[i].not_before = INT64_MIN;
    }
}

static void
end(struct tn_alerts *alerts, struct tn_alert_record *r,
    struct tn_notify_now now)
{
    r->state = TN_ALERT_RESOLVED;
    r->ends_ms = now.wall_ms;
    alerts->count.resolutions++;
    changed(alerts, r, now);
}

static int64_t
damping(const struct tn_alert_record *r)
{
    if (r->flaps < FLAPS_BEFORE_DAMPING) {
        return 0;
    }
    uint32_t times = r->flaps - FLAPS_BEFORE_DAMPING;
    int64_t ms = times > 10 ? DAMP_MAX_MS : (int64_t) DAMP_FIRST_MS << times;
    return ms < DAMP_MAX_MS ? ms : DAMP_MAX_MS;
}

void
tn_alerts_resolve_record(struct tn_alerts *alerts, struct tn_alert_record *r,
                         struct tn_notify_now now)
{
    int64_t damped = now.mono_ms + damping(r);
    int64_t lingers = r->fired + alerts->linger;
    r->ended = now.mono_ms;
    r->unsettled = false;
    r->quiet_until = damped > lingers ? damped : lingers;
    if (r->quiet_until <= now.mono_ms) {
        end(alerts, r, now);
        return;
    }
    r->state = TN_ALERT_QUIET;
    if (r->quiet_until < alerts->next_time) {
        alerts->next_time = r->quiet_until;
    }
}

static bool
forgettable(const struct tn_alerts *alerts, const struct tn_alert_record *r,
            int64_t mono)
{
    return r->state == TN_ALERT_RESOLVED &&
           (mono - r->told_changed >= GIVE_UP_MS ||
            (mono - r->told_changed >= FLAP_WINDOW_MS && told_all(alerts, r)));
}

/* When time alone changes something about 'r'. */
static int64_t
time_of(const struct tn_alerts *alerts, const struct tn_alert_record *r)
{
    switch (r->state) {
    case TN_ALERT_FIRING:
        break;
    case TN_ALERT_QUIET:
        return r->quiet_until;
    case TN_ALERT_RESOLVED:
        return r->told_changed +
               (told_all(alerts, r) ? FLAP_WINDOW_MS : GIVE_UP_MS);
    }
    return INT64_MAX;
}

/* Resolves TenetTooManyAlerts once there is room again. */
static void
make_up(struct tn_alerts *alerts, struct tn_notify_now now)
{
    if (alerts->count.refused && alerts->n * 10 <= alerts->max * 9) {
        struct tn_alert full = {.name = TN_ALERT_TOO_MANY_ALERTS};
        tn_alert_resolve(alerts, &full, now);
    }
}

static void
pass_time(struct tn_alerts *alerts, struct tn_notify_now now)
{
    if (now.mono_ms < alerts->next_time) {
        return;
    }
    for (size_t i = alerts->n; i-- > 0;) {
        struct tn_alert_record *r = alerts->items[i];
        if (r->state == TN_ALERT_QUIET && now.mono_ms >= r->quiet_until) {
            end(alerts, r, now);
        }
        if (forgettable(alerts, r, now.mono_ms)) {
            alerts->count.expired += !told_all(alerts, r);
            drop(alerts, i);
        }
    }
    make_up(alerts, now);
    alerts->next_time = INT64_MAX;
    for (size_t i = 0; i < alerts->n; i++) {
        int64_t t = time_of(alerts, alerts->items[i]);
        alerts->next_time = t < alerts->next_time ? t : alerts->next_time;
    }
}

/* Room for one more; gives up the memory of what has ended and been told. */
static bool
make_room(struct tn_alerts *alerts, struct tn_notify_now now)
{
    if (alerts->n < alerts->max) {
        return true;
    }
    if (now.mono_ms < alerts->next_evict) {
        return false;
    }
    bool found = false;
    for (size_t i = alerts->n; i-- > 0;) {
        const struct tn_alert_record *r = alerts->items[i];
        if (r->state == TN_ALERT_RESOLVED && told_all(alerts, r)) {
            drop(alerts, i);
            found = true;
        }
    }
    if (!found) {
        alerts->next_evict = now.mono_ms + EVICT_PAUSE_MS;
    }
    return found;
}

static char *
object_text(const struct tn_label_set *set)
{
    struct tn_text t = {0};
    tn_words_object(&t, set);
    return tn_text_take(&t);
}

/* The record of 'alert', or where it would be. */
static struct tn_alert_record *
find(struct tn_alerts *alerts, const struct tn_alert *alert, size_t *at,
     struct tn_label_set *labels, char **text)
{
    *labels = tn_words_labels(alerts->scratch, alert, &alerts->common);
    *text = object_text(labels);
    struct tn_digest fingerprint = tn_alert_fingerprint(*text);
    bool found;
    *at = tn_alerts_place(alerts, &fingerprint, &found);
    return found ? alerts->items[*at] : NULL;
}

static void
refuse(struct tn_alerts *alerts, struct tn_notify_now now)
{
    alerts->count.refused++;
    struct tn_alert full = {
        .name = TN_ALERT_TOO_MANY_ALERTS,
        .description = "See the metrics and the log for what is not sent.",
    };
    tn_alert_fire(alerts, &full, now);
}

/* The condition came back. */
static void
refire(struct tn_alerts *alerts, struct tn_alert_record *r,
       struct tn_notify_now now)
{
    bool flap = now.mono_ms - r->ended < FLAP_WINDOW_MS;
    r->flaps = flap ? r->flaps + 1 : 0;
    alerts->count.flaps += flap;
    bool told = r->state == TN_ALERT_QUIET;
    r->state = TN_ALERT_FIRING;
    r->fired = now.mono_ms;
    if (!told) {
        r->starts_ms = now.wall_ms;
        alerts->count.fired++;
        changed(alerts, r, now);
    }
}

struct tn_alerts *
tn_alerts_new(const struct tn_alerts_options *options)
{
    assert(options->n_sinks <= TN_ALERT_SINKS_MAX);
    struct tn_alerts *alerts = must(calloc(1, sizeof *alerts));
    alerts->arena = tn_arena_new();
    alerts->scratch = tn_arena_new();
    alerts->max = options->max ? options->max : TN_ALERTS_MAX;
    alerts->interval =
        options->interval_ms > 0 ? options->interval_ms : TN_ALERT_INTERVAL_MS;
    alerts->linger = options->linger_ms > 0 ? options->linger_ms : 0;
    alerts->next_time = INT64_MAX;
    alerts->next_evict = INT64_MIN;
    alerts->n_sinks = options->n_sinks;
    for (size_t i = 0; i < options->n_sinks; i++) {
        alerts->sinks[i] = options->sinks[i];
        alerts->sinks[i].id =
            tn_arena_strdup(alerts->arena, options->sinks[i].id);
        alerts->next_due[i] = INT64_MAX;
    }
    alerts->common =
        tn_words_sort(alerts->arena, options->labels, options->n_labels);
    alerts->runbooks = options->runbooks
                           ? tn_arena_strdup(alerts->arena, options->runbooks)
                           : NULL;
    return alerts;
}

void
tn_alerts_free(struct tn_alerts *alerts)
{
    if (!alerts) {
        return;
    }
    tn_alerts_forget(alerts);
    free(alerts->items);
    tn_arena_free(alerts->arena);
    tn_arena_free(alerts->scratch);
    free(alerts);
}

bool
tn_alert_fire(struct tn_alerts *alerts, const struct tn_alert *alert,
              struct tn_notify_now now)
{
    struct tn_label_set labels;
    char *text;
    size_t at;
    tn_arena_reset(alerts->scratch);
    struct tn_alert_record *r = find(alerts, alert, &at, &labels, &text);
    if (!r && alert->name != TN_ALERT_TOO_MANY_ALERTS &&
        alerts->n >= alerts->max) {
        if (!make_room(alerts, now)) {
            free(text);
            refuse(alerts, now);
            return false;
        }
        struct tn_digest fingerprint = tn_alert_fingerprint(text);
        bool found;
        at = tn_alerts_place(alerts, &fingerprint, &found);
    }
    struct tn_label_set notes =
        tn_words_annotations(alerts->scratch, alert, &labels, alerts->runbooks);
    if (!r) {
        r = tn_alerts_insert(alerts, at, text, object_text(&notes));
        r->state = TN_ALERT_RESOLVED;
        r->ended = now.mono_ms - FLAP_WINDOW_MS;
    } else {
        free(text);
        free(r->annotations);
        r->annotations = object_text(&notes);
    }
    r->unsettled = false;
    if (r->state == TN_ALERT_FIRING) {
        return false;
    }
    refire(alerts, r, now);
    return true;
}

bool
tn_alert_resolve(struct tn_alerts *alerts, const struct tn_alert *alert,
                 struct tn_notify_now now)
{
    struct tn_label_set labels;
    char *text;
    size_t at;
    tn_arena_reset(alerts->scratch);
    struct tn_alert_record *r = find(alerts, alert, &at, &labels, &text);
    free(text);
    if (!r || r->state != TN_ALERT_FIRING) {
        return false;
    }
    tn_alerts_resolve_record(alerts, r, now);
    return true;
}

static int64_t
due_at(const struct tn_alerts *alerts, const struct tn_alert_record *r,
       size_t sink)
{
    const struct tn_alert_told *told = &r->told[sink];
    if (told->version != r->version) {
        return told->not_before;
    }
    int64_t again = told->at + alerts->interval;
    if (!alerts->sinks[sink].keep_alive ||
        (r->state == TN_ALERT_RESOLVED &&
         again >= r->told_changed + REPEAT_END_MS)) {
        return INT64_MAX;
    }
    return again;
}

static struct tn_alert_out
out_of(const struct tn_alerts *alerts, const struct tn_alert_record *r,
       struct tn_notify_now now)
{
    struct tn_alert_out out = {
        .fingerprint = r->fingerprint,
        .labels = r->labels,
        .annotations = r->annotations,
        .resolved = r->state == TN_ALERT_RESOLVED,
        .version = r->version,
    };
    /* The clock may have been set back: nothing starts or ends in future. */
    out.ends_ms =
        out.resolved && r->ends_ms < now.wall_ms ? r->ends_ms : now.wall_ms;
    out.starts_ms = r->starts_ms < out.ends_ms ? r->starts_ms : out.ends_ms;
    if (!out.resolved) {
        out.ends_ms = now.wall_ms + ENDS_AFTER_INTERVALS * alerts->interval;
    }
    return out;
}

static int
by_change(const void *a, const void *b)
{
    const struct tn_alert_record *x = *(struct tn_alert_record *const *) a;
    const struct tn_alert_record *y = *(struct tn_alert_record *const *) b;
    if (x->told_changed != y->told_changed) {
        return x->told_changed < y->told_changed ? -1 : 1;
    }
    return memcmp(x->fingerprint.b, y->fingerprint.b, TN_DIGEST_SIZE);
}

size_t
tn_alerts_due(struct tn_alerts *alerts, size_t sink, struct tn_notify_now now,
              struct tn_alert_out *out, size_t max)
{
    assert(sink < alerts->n_sinks);
    if (now.mono_ms < alerts->next_due[sink]) {
        return 0;
    }
    tn_arena_reset(alerts->scratch);
    struct tn_alert_record **due =
        tn_new_n(alerts->scratch, struct tn_alert_record *, alerts->n + 1);
    size_t n = 0;
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < alerts->n; i++) {
        int64_t at = due_at(alerts, alerts->items[i], sink);
        if (at <= now.mono_ms) {
            due[n++] = alerts->items[i];
        } else if (at < next) {
            next = at;
        }
    }
    alerts->next_due[sink] = n ? now.mono_ms : next;
    if (n > max) {
        qsort(due, n, sizeof *due, by_change);
        n = max;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = out_of(alerts, due[i], now);
    }
    return n;
}

void
tn_alerts_told(struct tn_alerts *alerts, size_t sink,
               const struct tn_digest *fingerprint, uint32_t version,
               struct tn_notify_now now)
{
    assert(sink < alerts->n_sinks);
    bool found;
    size_t at = tn_alerts_place(alerts, fingerprint, &found);
    if (!found || version > alerts->items[at]->version) {
        return;
    }
    struct tn_alert_record *r = alerts->items[at];
    alerts->dirty = alerts->dirty || r->told[sink].version != version;
    r->told[sink] = (struct tn_alert_told){version, now.mono_ms, INT64_MIN};
    int64_t t = time_of(alerts, r);
    alerts->next_time = t < alerts->next_time ? t : alerts->next_time;
}

void
tn_alerts_postpone(struct tn_alerts *alerts, size_t sink,
                   const struct tn_digest *fingerprint, int64_t not_before)
{
    assert(sink < alerts->n_sinks);
    bool found;
    size_t at = tn_alerts_place(alerts, fingerprint, &found);
    if (found) {
        alerts->items[at]->told[sink].not_before = not_before;
    }
}

int64_t
tn_alerts_next(const struct tn_alerts *alerts, size_t sink)
{
    return alerts->next_due[sink];
}

int64_t
tn_alerts_tick(struct tn_alerts *alerts, struct tn_notify_now now)
{
    pass_time(alerts, now);
    return alerts->next_time;
}

int64_t
tn_alerts_wake(const struct tn_alerts *alerts)
{
    return alerts->next_time;
}

size_t
tn_alerts_pending(const struct tn_alerts *alerts, size_t sink)
{
    size_t n = 0;
    for (size_t i = 0; i < alerts->n; i++) {
        const struct tn_alert_record *r = alerts->items[i];
        n += r->told[sink].version != r->version;
    }
    return n;
}

struct tn_alerts_count
tn_alerts_count(const struct tn_alerts *alerts)
{
    struct tn_alerts_count count = alerts->count;
    for (size_t i = 0; i < alerts->n; i++) {
        bool over = alerts->items[i]->state == TN_ALERT_RESOLVED;
        count.firing += !over;
        count.resolved += over;
        count.unsettled += alerts->items[i]->unsettled;
    }
    return count;
}

bool
tn_alerts_dirty(const struct tn_alerts *alerts)
{
    return alerts->dirty;
}

bool
tn_alerts_has_news(const struct tn_alerts *alerts)
{
    return alerts->news;
}

void
tn_alerts_saved(struct tn_alerts *alerts)
{
    alerts->dirty = alerts->news = false;
}
