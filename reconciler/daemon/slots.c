/* slots.c - the devices of the loop, and their workers.
 *
 * Many devices that appear at once, as at a start, are first looked at one
 * after the other: else all of them would be read, rendered and compared at the
 * same time, and the backends behind them asked in the same moment.  A worker
 * that cannot be started is tried again, ever more seldom. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "reconciler/daemon/loop.h"

enum { AUDIT_S = 300, FEW = 8, SPREAD_EACH_MS = 50, SPREAD_MAX_MS = 60000 };

struct tn_slot *
tn_slot_get(const struct tn_loop *l, const char *name)
{
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    return NULL;
}

void
tn_slot_free(struct tn_slot *s)
{
    tn_unit_report_free(s->report);
    tn_shots_done(&s->shots);
    tn_arena_free(s->since);
    free(s->no_worker);
    free(s->name);
    free(s);
}

static uint32_t
random_number(void)
{
    uint32_t n = 0;
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) != (ssize_t) sizeof n) {
        n = (uint32_t) tn_now_ns();
    }
    return n;
}

/* It is said when it first fails, and again when somebody may have forgotten.
 */
static void
start_failed(struct tn_loop *l, struct tn_slot *s, const struct tn_error *err)
{
    char text[TN_ERROR_TEXT];
    struct tn_log_about about = {.device = s->name};
    int64_t wait = tn_backoff_fail(&s->start, random_number());
    s->start_ms = tn_now_ms() + wait;
    free(s->no_worker);
    s->no_worker = strdup(tn_error_text(err, text, sizeof text));
    tn_log(l->log, TN_LOG_ERROR, &about,
           "it has no worker, which is tried again in %.0f s: %s",
           (double) wait / 1e3, text);
    l->dirty_ms = l->dirty ? l->dirty_ms : tn_now_ms();
    l->dirty = true;
}

static void
slot_start(struct tn_loop *l, struct tn_slot *s)
{
    const struct tn_vuint *audit = &l->config->loop.audit;
    struct tn_unit_options o = {
        .device = s->name,
        .cache_dir = l->options->cache_dir,
        .gate = l->gate,
        .log = l->log,
        .audit_ms = (unsigned) (audit->v ? audit->v : AUDIT_S) * 1000,
        .begin_ms = s->begin_ms,
        .post = tn_loop_post_report,
        .ctx = l,
    };
    struct tn_error err = {0};
    if (tn_unit_new(&o, &s->unit, &err)) {
        start_failed(l, s, &err);
        return;
    }
    if (s->no_worker) {
        struct tn_log_about about = {.device = s->name};
        tn_log(l->log, TN_LOG_INFO, &about, "it has a worker now");
        free(s->no_worker);
        s->no_worker = NULL;
    }
    tn_backoff_reset(&s->start);
}

static struct tn_slot *
slot_new(const char *name)
{
    struct tn_slot *s = calloc(1, sizeof *s);
    char *copy = strdup(name);
    if (!s || !copy) {
        abort();
    }
    s->name = copy;
    s->since = tn_arena_new();
    return s;
}

/* Random moments, so that a fleet of daemons that start together is spread,
 * too. */
static void
new_start(struct tn_loop *l, size_t n_new)
{
    int64_t spread = (int64_t) n_new * SPREAD_EACH_MS;
    spread = n_new <= FEW ? 0 : spread > SPREAD_MAX_MS ? SPREAD_MAX_MS : spread;
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        if (!s->unit && !s->no_worker) {
            int64_t later =
                spread ? (int64_t) random_number() % spread : (int64_t) 0;
            s->begin_ms = tn_now_ms() + later;
            slot_start(l, s);
        }
    }
}

void
tn_slots_match(struct tn_loop *l)
{
    struct tn_slot **end = &l->slots, *old = l->slots, *next = NULL;
    struct tn_slot *kept = NULL, **kept_end = &kept;
    const struct tn_network *net = l->intent->run->network;
    const char *only = l->intent->run->options.host;
    size_t n_new = 0;
    for (size_t i = 0; i < net->n_devices; i++) {
        const char *name = net->devices[i].name;
        if (only && strcmp(only, name) != 0) {
            continue;
        }
        struct tn_slot *s = tn_slot_get(l, name);
        if (s) {
            for (end = &l->slots; *end != s; end = &(*end)->next) {
            }
            *end = s->next;
        } else {
            s = slot_new(name);
            n_new++;
        }
        s->next = NULL;
        *kept_end = s;
        kept_end = &s->next;
    }
    for (old = l->slots; old; old = next) {
        next = old->next;
        tn_unit_stop(old->unit);
        tn_tell_gone(l->tell, old->name);
        old->next = l->leaving;
        l->leaving = old;
    }
    l->slots = kept;
    new_start(l, n_new);
}

void
tn_slots_tick(struct tn_loop *l)
{
    for (struct tn_slot **s = &l->leaving; *s;) {
        struct tn_slot *it = *s;
        if (tn_unit_join(it->unit, tn_now_ms())) {
            *s = it->next;
            tn_slot_free(it);
        } else {
            s = &it->next;
        }
    }
    int64_t now = tn_now_ms();
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        if (!s->unit && s->no_worker && now >= s->start_ms) {
            slot_start(l, s);
            tn_unit_follow(s->unit, l->intent, l->modes);
        }
    }
}
