/* alerts_file.c - the alerts as text that survives the process.
 *
 * The first line names format, version and the digest of the rest; then one
 * alert a line.  Any damage therefore shows, and is answered by starting anew:
 * conditions that hold are found again, and what was firing at an Alertmanager
 * ends there by itself after four intervals. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "reconciler/notify/alerts_work.h"
#include "reconciler/notify/envelope.h"

static const char format[] = "tenet-alerts";

enum { VERSION = 1 };

static void
dump_record(const struct tn_alerts *alerts, const struct tn_alert_record *r,
            struct tn_text *out)
{
    tn_text_addf(out,
                 "{\"labels\":%s,\"annotations\":%s,\"state\":\"%s\","
                 "\"starts\":%lld,\"ends\":%lld,\"version\":%u,\"flaps\":%u,"
                 "\"told\":{",
                 r->labels, r->annotations,
                 r->state == TN_ALERT_RESOLVED ? "resolved" : "firing",
                 (long long) r->starts_ms, (long long) r->ends_ms, r->version,
                 r->flaps);
    for (size_t i = 0; i < alerts->n_sinks; i++) {
        tn_text_addf(out, "%s\"%s\":%u", i ? "," : "", alerts->sinks[i].id,
                     r->told[i].version);
    }
    tn_text_add(out, "}}\n");
}

void
tn_alerts_dump(const struct tn_alerts *alerts, struct tn_text *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text body = {0};
    for (size_t i = 0; i < alerts->n; i++) {
        dump_record(alerts, alerts->items[i], &body);
    }
    tn_envelope_add(out, format, VERSION, &body);
}

/* Text of an object of strings in our own spelling; null if it is none. */
static char *
canonical(struct tn_arena *arena, const json_t *object)
{
    TN_VEC(struct tn_label) labels = {0};
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        return NULL;
    }
    json_object_foreach((json_t *) object, key, value)
    {
        if (!json_is_string(value)) {
            return NULL;
        }
        *tn_vec_push(arena, &labels) =
            (struct tn_label){key, json_string_value(value)};
    }
    struct tn_label_set set = tn_words_sort(arena, labels.items, labels.n);
    struct tn_text t = {0};
    tn_words_object(&t, &set);
    return tn_text_take(&t);
}

static int64_t
integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool
load_record(struct tn_alerts *alerts, const json_t *j, struct tn_notify_now now)
{
    char *labels = canonical(alerts->scratch, json_object_get(j, "labels"));
    char *notes = canonical(alerts->scratch, json_object_get(j, "annotations"));
    bool found = true;
    size_t at = 0;
    if (labels && notes) {
        struct tn_digest fingerprint = tn_alert_fingerprint(labels);
        at = tn_alerts_place(alerts, &fingerprint, &found);
    }
    if (found) {
        free(labels);
        free(notes);
        return false;
    }
    struct tn_alert_record *r = tn_alerts_insert(alerts, at, labels, notes);
    const char *state = json_string_value(json_object_get(j, "state"));
    r->state =
        tn_streq(state, "resolved") ? TN_ALERT_RESOLVED : TN_ALERT_FIRING;
    r->unsettled = r->state == TN_ALERT_FIRING;
    r->starts_ms = integer(j, "starts");
    r->ends_ms = integer(j, "ends");
    r->version = (uint32_t) integer(j, "version");
    r->flaps = (uint32_t) integer(j, "flaps");
    r->fired = r->ended = r->told_changed = now.mono_ms;
    const json_t *told = json_object_get(j, "told");
    for (size_t i = 0; i < alerts->n_sinks; i++) {
        r->told[i].version = (uint32_t) integer(told, alerts->sinks[i].id);
        r->told[i].at = now.mono_ms - alerts->interval;
    }
    return true;
}

static bool
load_lines(struct tn_alerts *alerts, const char *s, const char *end,
           struct tn_notify_now now)
{
    while (s < end) {
        const char *nl = memchr(s, '\n', (size_t) (end - s));
        if (!nl || alerts->n > alerts->max) {
            return false;
        }
        json_t *j = json_loadb(s, (size_t) (nl - s), 0, NULL);
        bool fine = j && load_record(alerts, j, now);
        json_decref(j);
        if (!fine) {
            return false;
        }
        s = nl + 1;
    }
    return true;
}

enum tn_code
tn_alerts_load(struct tn_alerts *alerts, const char *bytes, size_t n,
               struct tn_notify_now now, struct tn_error *err)
{
    const char *body;
    size_t len;
    if (!tn_envelope_open(bytes, n, format, VERSION, &body, &len)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "the state of alerts is damaged or of another version");
    }
    tn_arena_reset(alerts->scratch);
    if (!load_lines(alerts, body, body + len, now)) {
        tn_alerts_forget(alerts);
        return tn_fail(err, TN_EINTENT, 0,
                       "the state of alerts holds what cannot be an alert");
    }
    alerts->next_time = now.mono_ms;
    for (size_t i = 0; i < alerts->n_sinks; i++) {
        alerts->next_due[i] = now.mono_ms;
    }
    return TN_OK;
}
