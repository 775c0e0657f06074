/* fleet.c - all devices: which there are, what they follow, and what of them is
 * written to the status ref.
 *
 * The status ref is written when every device has settled, or two seconds after
 * something changed: many devices that finish one after the other make few
 * commits. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/daemon/loop.h"
#include "model/base/cleanup.h"

enum { GATHER_MS = 2000, QUIET_MS = 10000, TRIM_MS = 2000 };

static void
modes_build(struct tn_loop *l)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    TN_VEC(struct tn_mode_rule) all = {0};
    size_t n = 0;
    const struct tn_mode_rule *git =
        tn_modes_of_settings(l->intent->run->network->settings, arena, &n);
    for (size_t i = 0; i < n; i++) {
        *tn_vec_push(arena, &all) = git[i];
    }
    for (size_t i = 0; i < l->rules.n; i++) {
        *tn_vec_push(arena, &all) = l->rules.items[i];
    }
    struct tn_modes *modes = tn_modes_new(
        all.items, all.n, l->config->loop.first_contact.v == TN_FIRST_HEAL);
    if (tn_modes_same(modes, l->modes)) {
        tn_modes_unref(modes); /* Other modes are a reason to look at all. */
    } else {
        tn_modes_unref(l->modes);
        l->modes = modes;
    }
}

void
tn_fleet_modes(struct tn_loop *l)
{
    if (!l->intent) {
        return;
    }
    modes_build(l);
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        tn_unit_follow(s->unit, l->intent, l->modes);
    }
}

void
tn_fleet_follow(struct tn_loop *l, struct tn_intent *intent)
{
    tn_intent_unref(l->intent);
    l->intent = tn_intent_ref(intent);
    l->good = false;
    l->spent = (struct tn_spent){0};
    tn_slots_match(l);
    tn_fleet_modes(l);
    l->dirty = true;
    l->dirty_ms = tn_now_ms();
}

static bool
is_settled(const struct tn_loop *l, const struct tn_slot *s)
{
    return s->report && s->report->intent == l->intent && s->report->settled;
}

void
tn_fleet_back(struct tn_loop *l, struct tn_intent *former)
{
    atomic_store(&former->back, true);
    tn_fleet_follow(l, former);
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        tn_unit_audit(s->unit);
    }
}

void
tn_fleet_settled(struct tn_loop *l)
{
    size_t failed = 0;
    if (!l->intent) {
        return;
    }
    for (const struct tn_slot *s = l->slots; s; s = s->next) {
        if (!is_settled(l, s)) {
            return;
        }
        failed += s->report->device.why != NULL;
    }
    if (tn_probation_settled(l->probation, l->intent)) {
        return; /* It may not stay. */
    }
    tn_tell_commit(l->tell, l->intent, &l->spent, failed);
    /* A commit with broken tenants is none to go back to. */
    if (failed == 0 && !l->good && l->intent->run->n_kept == 0) {
        l->good = true;
        tn_upstream_good(l->upstream, l->intent);
    }
}

/* Adds up what is to be told since the last publication. */
static void
slot_note(struct tn_slot *s, const struct tn_unit_report *r)
{
    for (size_t i = 0; i < r->device.n_changed; i++) {
        const char *scope = r->device.changed[i];
        bool there = false;
        for (size_t k = s->sent_changed; k < s->changed.n && !there; k++) {
            there = strcmp(s->changed.items[k], scope) == 0;
        }
        if (!there) {
            *tn_vec_push(s->since, &s->changed) =
                tn_arena_strdup(s->since, scope);
        }
    }
    if (r->n_changes) {
        s->counts.add += r->device.counts.add;
        s->counts.change += r->device.counts.change;
        s->counts.replace += r->device.counts.replace;
        s->counts.destroy += r->device.counts.destroy;
    }
}

static void
slot_take(struct tn_slot *s, struct tn_unit_report *r)
{
    struct tn_unit_report *old = s->report;
    s->report = r;
    if (r->snapshot) {
        tn_shots_add(&s->shots, TN_TAKE(r->snapshot_arena), r->snapshot);
        r->snapshot = NULL;
    }
    tn_unit_report_free(old);
}

/* Once for many devices that are done at about the same time: it holds up
 * whoever wants memory meanwhile. */
static void
trim_soon(struct tn_loop *l)
{
    if (!l->trim_ms) {
        l->trim_ms = tn_now_ms() + TRIM_MS;
    }
}

static void
longest(double *most, int64_t from, int64_t to)
{
    double s = (double) (to - from) / 1e9;
    *most = from && s > *most ? s : *most;
}

static void
spent_note(struct tn_spent *spent, const struct tn_unit_report *r)
{
    if (r->unlooked) {
        spent->n_unlooked++;
        return;
    }
    spent->n_looks++;
    longest(&spent->render, r->start_ns, r->rendered_ns);
    longest(&spent->observe, r->rendered_ns, r->observed_ns);
    longest(&spent->plan, r->observed_ns, r->planned_ns);
    if (r->committed_ns) {
        longest(&spent->apply, r->planned_ns, r->committed_ns);
        longest(&spent->verify, r->committed_ns, r->end_ns);
    }
}

void
tn_fleet_report(struct tn_loop *l, struct tn_unit_report *r)
{
    struct tn_slot *s = tn_slot_get(l, r->device.device->name);
    if (!s) {
        tn_unit_report_free(r); /* It left the intent meanwhile. */
        return;
    }
    bool differs = !s->report || s->report->intent != r->intent ||
                   s->report->outcome != r->outcome ||
                   !tn_streq(s->report->device.why, r->device.why) ||
                   !tn_streq(s->report->device.drift, r->device.drift);
    bool news = differs || r->device.n_changed || r->snapshot || r->strangers;
    tn_tell_report(l->tell, r, differs);
    if (r->intent == l->intent) {
        spent_note(&l->spent, r);
    }
    if (r->large) {
        trim_soon(l);
    }
    slot_note(s, r);
    slot_take(s, r);
    if (news && !l->dirty) {
        l->dirty = true;
        l->dirty_ms = tn_now_ms();
    }
    tn_probation_heard(l->probation);
    tn_fleet_settled(l);
    tn_fleet_tick(l);
}

/* ---- the status ref ---- */

static void
device_copy(struct tn_loop *l, struct tn_slot *s, struct tn_arena *a,
            struct tn_device_report *out)
{
    const struct tn_device *device =
        tn_network_device(l->intent->run->network, s->name);
    if (s->report && s->report->intent == l->intent) {
        *out = s->report->device;
        out->reason = tn_arena_strdup(a, out->reason);
        out->why = out->why ? tn_arena_strdup(a, out->why) : NULL;
        out->drift = out->drift ? tn_arena_strdup(a, out->drift) : NULL;
    } else {
        *out = (struct tn_device_report){
            .end = TN_DEVICE_UNREACHED,
            .reason = "Progressing",
            .why = "not looked at yet since the last commit",
        };
        if (s->no_worker) {
            out->reason = "NoWorker";
            out->why = tn_arena_strdup(a, s->no_worker);
        }
    }
    out->device = device;
    out->counts = s->counts;
    const char **changed = tn_new_n(a, const char *, s->changed.n);
    for (size_t i = 0; i < s->changed.n; i++) {
        changed[i] = tn_arena_strdup(a, s->changed.items[i]);
    }
    out->changed = changed;
    out->n_changed = s->changed.n;
}

static void
slot_sent(struct tn_slot *s)
{
    s->sent_changed = s->changed.n;
    s->sent_counts = s->counts;
}

/* What came since is still to be told. */
static void
slot_arrived(struct tn_slot *s)
{
    struct tn_arena *arena = tn_arena_new();
    TN_VEC(const char *) left = {0};
    for (size_t i = s->sent_changed; i < s->changed.n; i++) {
        *tn_vec_push(arena, &left) =
            tn_arena_strdup(arena, s->changed.items[i]);
    }
    tn_arena_free(s->since);
    s->since = arena;
    s->changed.items = left.items;
    s->changed.n = left.n;
    s->changed.cap = left.cap;
    s->counts.add -= s->sent_counts.add;
    s->counts.change -= s->sent_counts.change;
    s->counts.replace -= s->sent_counts.replace;
    s->counts.destroy -= s->sent_counts.destroy;
}

void
tn_fleet_published(struct tn_loop *l, bool arrived)
{
    l->publishing = false;
    trim_soon(l);
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        if (arrived) {
            slot_arrived(s);
        }
        s->sent_changed = 0;
        s->sent_counts = (struct tn_counts){0};
        tn_shots_sent(&s->shots, arrived);
    }
    l->quiet_ms = arrived ? 0 : tn_now_ms() + QUIET_MS;
    if (!arrived && !l->dirty) {
        l->dirty = true;
        l->dirty_ms = tn_now_ms();
    }
}

void
tn_fleet_publish(struct tn_loop *l)
{
    struct tn_arena *a = tn_arena_new();
    struct tn_upstream_job *job = tn_new(a, struct tn_upstream_job);
    size_t n = 0;
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        n++;
    }
    struct tn_status_folder *folders = tn_new_n(a, struct tn_status_folder, n);
    job->arena = a;
    job->intent = tn_intent_ref(l->intent);
    job->reports = tn_new_n(a, struct tn_device_report, n);
    job->folders = folders;
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        device_copy(l, s, a, &job->reports[job->n_reports++]);
        job->n_folders += tn_shots_send(&s->shots, a, &folders[job->n_folders]);
        slot_sent(s);
    }
    l->dirty = false;
    l->publishing = true;
    tn_upstream_publish(l->upstream, job);
}

void
tn_fleet_tick(struct tn_loop *l)
{
    tn_slots_tick(l);
    if (l->trim_ms && tn_now_ms() >= l->trim_ms) {
        l->trim_ms = 0;
        (void) malloc_trim(0);
    }
    if (!l->dirty || l->publishing || !l->intent || tn_now_ms() < l->quiet_ms) {
        return;
    }
    bool all = true;
    for (const struct tn_slot *s = l->slots; s; s = s->next) {
        all = all && is_settled(l, s);
    }
    if (all || tn_now_ms() - l->dirty_ms >= GATHER_MS) {
        tn_fleet_publish(l);
    }
}

bool
tn_fleet_stop(struct tn_loop *l, int64_t deadline_ms)
{
    bool all = true;
    for (struct tn_slot *s = l->slots; s; s = s->next) {
        tn_unit_stop(s->unit);
    }
    for (struct tn_slot *s = l->slots, *next = NULL; s; s = next) {
        next = s->next;
        if (tn_unit_join(s->unit, deadline_ms)) {
            tn_slot_free(s);
        } else {
            struct tn_log_about about = {.device = s->name};
            tn_log(l->log, TN_LOG_WARNING, &about,
                   "does not answer; its worker is left behind");
            all = false;
        }
    }
    l->slots = NULL;
    for (struct tn_slot *s = l->leaving, *next = NULL; s; s = next) {
        next = s->next;
        if (tn_unit_join(s->unit, deadline_ms)) {
            tn_slot_free(s);
        } else {
            all = false;
        }
    }
    l->leaving = NULL;
    return all;
}
