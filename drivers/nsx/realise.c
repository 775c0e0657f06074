/* realise.c - see realise.h.
 *
 * The states of many intents are asked for at the same time, round by round
 * with growing pauses; a round asks only about those that are not settled.
 * After an update the state of the version before may still be told: a success
 * counts if its version is a later one.  What has no state yet is on its way.
 */
#include "drivers/nsx/realise.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "model/base/time.h"

enum { PAUSE_MS = 1000, FIRST_MS = 100, PAUSE_MOST_MS = 10000 };

enum state { ON_ITS_WAY, REALISED, BROKEN };

struct waiting {
    const struct tn_nsx_intent *of;
    enum state state;
    const char *why; /* What NSX says about it; null: nothing. */
};

struct round {
    struct tn_session *s;
    struct tn_arena *arena; /* Of the whole. */
    TN_VEC(struct waiting) all;
    struct tn_error *err;
};

/* A path in a query. */
static const char *
escaped(struct tn_arena *arena, const char *path)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    for (const char *p = path; *p; p++) {
        if (isalnum((unsigned char) *p) || strchr("/-._~", *p)) {
            tn_text_addc(&t, *p);
        } else {
            tn_text_addf(&t, "%%%02X", (unsigned) (unsigned char) *p);
        }
    }
    return tn_arena_strndup(arena, tn_text_str(&t), t.n);
}

static const char *
url(const struct round *r, const char *what, const char *path)
{
    const struct tn_nsx_settings *o = &r->s->settings;
    return tn_arena_printf(
        r->arena, "/policy/api/v1%s/infra/realized-state/%s?intent_path=%s",
        o->project ? o->project : "", what, escaped(r->arena, path));
}

/* ---- one answer ---- */

static bool
is_of_this_version(const struct waiting *w, const json_t *answer)
{
    const json_t *version = json_object_get(answer, "intent_version");
    const char *text = json_string_value(version);
    char *end = NULL;
    long long told = json_is_integer(version)
                         ? (long long) json_integer_value(version)
                     : text ? strtoll(text, &end, 10)
                            : -1;
    if (!version || (text && (!end || end == text || *end))) {
        return true; /* Not told in a way we know. */
    }
    return !w->of->have || told > w->of->have->revision;
}

static enum state
state_of(const struct waiting *w, const json_t *answer)
{
    const json_t *status = json_object_get(answer, "consolidated_status");
    const char *word =
        json_string_value(json_object_get(status, "consolidated_status"));
    if (!is_of_this_version(w, answer)) {
        return ON_ITS_WAY;
    }
    return tn_streq(word, "SUCCESS") ? REALISED
           : tn_streq(word, "ERROR") ? BROKEN
                                     : ON_ITS_WAY;
}

/* ---- alarms ---- */

static long long
number(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? strtoll(text, NULL, 10)
                : (long long) json_integer_value(value);
}

/* What an alarm says; whether it will go away by itself. */
static enum tn_nsx_action
alarm_read(struct round *r, const json_t *alarm, const char **text)
{
    const json_t *details = json_object_get(alarm, "error_details");
    const json_t *related = json_object_get(details, "related_errors"), *one;
    long long code = number(json_object_get(details, "error_code"));
    const char *message = json_string_value(json_object_get(alarm, "message"));
    const char *more =
        json_string_value(json_object_get(details, "error_message"));
    enum tn_nsx_action action = tn_nsx_alarm_action(code);
    size_t i;
    json_array_foreach(related, i, one)
    {
        long long inner = number(json_object_get(one, "error_code"));
        if (action == TN_NSX_FAIL && inner) {
            action = tn_nsx_alarm_action(inner);
        }
    }
    message = message ? message : more;
    *text = tn_arena_printf(r->arena, "%s (%lld)",
                            message ? message : "NSX does not say why", code);
    return action;
}

/* Of all alarms of an object the first that is final counts. */
static void
alarms_take(struct round *r, struct waiting *w, const struct tn_nsx_verdict *v,
            const json_t *answer)
{
    (void) v;
    const json_t *entities = json_object_get(answer, "results"), *entity;
    bool any = false, final = false;
    size_t i, k;
    json_array_foreach(entities, i, entity)
    {
        const json_t *alarms = json_object_get(entity, "alarms"), *alarm;
        json_array_foreach(alarms, k, alarm)
        {
            const char *text = NULL;
            bool fails = alarm_read(r, alarm, &text) == TN_NSX_FAIL;
            w->why = !any || (fails && !final) ? text : w->why;
            final = final || fails;
            any = true;
        }
    }
    if (!final) {
        w->state = ON_ITS_WAY;
    }
}

/* ---- a round ---- */

typedef void answer_fn(struct round *r, struct waiting *w,
                       const struct tn_nsx_verdict *v, const json_t *answer);

/* Asks the same of all that are in that state; no answer is null. */
static enum tn_code
ask_all(struct round *r, enum state state, const char *what, answer_fn *take)
{
    size_t n = 0;
    struct tn_nsx_call *calls =
        tn_new_n(r->arena, struct tn_nsx_call, r->all.n);
    struct tn_nsx_reply *replies =
        tn_new_n(r->arena, struct tn_nsx_reply, r->all.n);
    for (size_t i = 0; i < r->all.n; i++) {
        struct waiting *w = &r->all.items[i];
        if (w->state == state) {
            calls[n++] = (struct tn_nsx_call){
                .method = "GET",
                .path = url(r, what, tn_nsx_intent_path(w->of)),
                .tag = w};
        }
    }
    enum tn_code code =
        n ? tn_nsx_ask_all(r->s->nsx, calls, n, r->arena, replies, r->err)
          : TN_OK;
    for (size_t i = 0; !code && i < n; i++) {
        const struct tn_nsx_verdict *v = &replies[i].verdict;
        json_t *answer =
            v->action == TN_NSX_DONE
                ? json_loadb(replies[i].body, replies[i].n_body, 0, NULL)
                : NULL;
        take(r, calls[i].tag, v, answer);
        json_decref(answer);
    }
    return code;
}

static void
state_take(struct round *r, struct waiting *w, const struct tn_nsx_verdict *v,
           const json_t *answer)
{
    (void) r;
    w->state = answer ? state_of(w, answer) : ON_ITS_WAY;
    if (!answer && v->action != TN_NSX_ABSENT) {
        w->why = v->text;
    }
}

static size_t
count(const struct round *r, enum state state)
{
    size_t n = 0;
    for (size_t i = 0; i < r->all.n; i++) {
        n += r->all.items[i].state == state;
    }
    return n;
}

static void
pause_ms(int64_t ms)
{
    const struct timespec t = {ms / 1000, (long) (ms % 1000) * 1000000};
    (void) nanosleep(&t, NULL);
}

static enum tn_code
rounds(struct round *r, unsigned wait_s)
{
    int64_t end = tn_now_ns() + (int64_t) wait_s * 1000000000;
    int64_t pause = FIRST_MS;
    enum tn_code code = TN_OK;
    /* Where asking takes longer than may be waited, all are asked twice. */
    for (unsigned asked = 0; !code && count(r, ON_ITS_WAY); asked++) {
        int64_t left = (end - tn_now_ns()) / 1000000;
        left = left > 0 ? left : 0;
        if (!left && asked > 1) {
            break;
        }
        pause_ms(pause < left ? pause : left);
        pause = pause < PAUSE_MS ? pause * 2 : pause + pause / 2;
        pause = pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
        code = ask_all(r, ON_ITS_WAY, "status", state_take);
        code =
            code ? code : ask_all(r, BROKEN, "realized-entities", alarms_take);
    }
    return code;
}

/* ---- what came of it ---- */

static void
tell_late(const struct round *r, enum tn_outcome *outcomes,
          struct tn_error *late)
{
    for (size_t i = 0; i < r->all.n; i++) {
        const struct waiting *w = &r->all.items[i];
        if (w->state != ON_ITS_WAY) {
            continue;
        }
        outcomes[w->of->step] = TN_STEP_WAITING;
        if (!late->code) {
            (void) !tn_fail(late, TN_EUNAVAILABLE, 0,
                            "%s is not realised yet%s%s", w->of->r->key,
                            w->why ? ": " : "", w->why ? w->why : "");
            tn_error_at(late, w->of->r->origin);
        }
    }
}

static enum tn_code
tell_broken(const struct round *r, size_t *failed)
{
    for (size_t i = 0; i < r->all.n; i++) {
        const struct waiting *w = &r->all.items[i];
        if (w->state == BROKEN) {
            enum tn_code code =
                tn_fail(r->err, TN_EUNSUPPORTED, 0, "%s is not realised: %s",
                        w->of->r->key, w->why ? w->why : "NSX gives no reason");
            tn_error_at(r->err, w->of->r->origin);
            *failed = w->of->step;
            return code;
        }
    }
    return TN_OK;
}

enum tn_code
tn_nsx_realise(struct tn_session *s, const struct tn_nsx_intent *intents,
               size_t n, enum tn_outcome *outcomes, size_t *failed,
               struct tn_error *late, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct round r = {.s = s, .arena = arena, .err = err};
    if (s->settings.wait_s == 0) {
        return TN_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const struct tn_nsx_object *native = intents[i].r->native;
        if (!intents[i].gone && intents[i].fate == TN_NSX_SETTLED &&
            native->kind->flags & TN_NSX_REALISED) {
            *tn_vec_push(arena, &r.all) = (struct waiting){.of = &intents[i]};
        }
    }
    struct tn_error unasked = {0};
    r.err = &unasked;
    if (rounds(&r, s->settings.wait_s)) {
        /* It is written; that nobody answers now undoes nothing. */
        for (size_t i = 0; i < r.all.n; i++) {
            r.all.items[i].why = r.all.items[i].state == ON_ITS_WAY
                                     ? "its state cannot be read"
                                     : r.all.items[i].why;
        }
    }
    r.err = err;
    tell_late(&r, outcomes, late);
    return tell_broken(&r, failed);
}
