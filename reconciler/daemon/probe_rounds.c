/* probe_rounds.c - see probe_rounds.h.
 *
 * Probes are those of one commit, looked up in the network of one that may be
 * another: before a commit is applied, devices hold the former one, and a port
 * that the new one takes away still answers. */
#include "reconciler/daemon/probe_rounds.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"
#include "model/base/cleanup.h"
#include "reconciler/confirm/gate.h"
#include "reconciler/daemon/thread.h"

enum { PROBE_MS = 1000, PAUSE_MS = 300 };

struct tn_probe_rounds {
    struct tn_probation_options options;
    struct tn_thread thread;
    pthread_mutex_t mutex; /* Guards what follows. */
    pthread_cond_t cond;
    struct tn_probe_round *next;
    bool stop;
};

/* The probes, where they start, and what came of them. */
struct run {
    const struct tn_probe_plan *plan;
    size_t n;
    struct tn_probe_device *devices; /* By name. */
    size_t n_devices;
    const struct tn_probe_report *reports;
};

void
tn_probe_round_free(struct tn_probe_round *round)
{
    if (round) {
        tn_intent_unref(round->intent);
        tn_intent_unref(round->where);
        tn_arena_free(round->arena);
    }
}

static bool
is_start(const struct run *run, const char *device)
{
    for (size_t i = 0; i < run->n; i++) {
        if (tn_streq(run->plan[i].device, device)) {
            return true;
        }
    }
    return false;
}

/* A device that cannot be opened has no session; its probes say so. */
static void
sessions_open(const struct tn_probe_rounds *p, const struct tn_reconcile *where,
              struct run *run, struct tn_arena *arena)
{
    const struct tn_network *net = where->network;
    const char *only = where->options.host;
    struct tn_driver_env env = {.cache_dir = p->options.cache_dir};
    run->devices = tn_new_n(arena, struct tn_probe_device, net->n_devices);
    for (size_t i = 0; i < net->n_devices; i++) {
        const struct tn_device *device = &net->devices[i];
        struct tn_error ignored = {0};
        if ((only && strcmp(only, device->name) != 0) ||
            !is_start(run, device->name)) {
            continue;
        }
        struct tn_probe_device *d = &run->devices[run->n_devices++];
        d->name = device->name;
        d->driver = tn_driver_get(device->host->config.driver);
        if (d->driver && d->driver->open(device, &env, &d->session, &ignored)) {
            d->session = NULL;
        }
    }
}

static void
probes_run(const struct tn_probe_rounds *p, const struct tn_probe_round *round,
           struct tn_arena *arena, struct run *run)
{
    const struct tn_reconcile *where = round->where->run;
    *run = (struct run){0};
    tn_probes_plan(round->intent->run->network->settings, where->network, arena,
                   &run->plan, &run->n);
    sessions_open(p, where, run, arena);
    tn_probes_run(run->plan, run->n, run->devices, run->n_devices, PROBE_MS,
                  arena, &run->reports);
    for (size_t i = 0; i < run->n_devices; i++) {
        if (run->devices[i].session) {
            run->devices[i].driver->close(run->devices[i].session);
        }
    }
}

static bool
is_required(const struct tn_probe_round *round, const char *name)
{
    for (size_t i = 0; i < round->n_required; i++) {
        if (strcmp(round->required[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
answer_write(struct tn_probe_round *round, const struct run *run,
             int64_t left_ms, struct tn_arena *arena)
{
    struct tn_probe_report *before =
        tn_new_n(arena, struct tn_probe_report, run->n);
    const char **passed = tn_new_n(round->arena, const char *, run->n);
    struct tn_gate gate;
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    round->n_passed = 0;
    for (size_t i = 0; i < run->n; i++) {
        const char *name = run->reports[i].name;
        before[i].name = name;
        before[i].result =
            is_required(round, name) ? TN_PROBE_PASSED : TN_PROBE_FAILED;
        if (run->reports[i].result == TN_PROBE_PASSED) {
            passed[round->n_passed++] = tn_arena_strdup(round->arena, name);
        }
    }
    tn_gate_decide(arena, before, run->reports, run->n, left_ms, &gate);
    tn_gate_print(&text, &gate, run->reports, run->n);
    round->passed = passed;
    round->fine = gate.verdict == TN_GATE_PASS;
    round->text = tn_arena_strdup(round->arena, tn_text_str(&text));
}

/* False: nobody waits for the answer any more. */
static bool
nap(struct tn_probe_rounds *p)
{
    int64_t until = tn_now_ms() + PAUSE_MS;
    struct timespec at = {.tv_sec = until / 1000,
                          .tv_nsec = until % 1000 * 1000000};
    pthread_mutex_lock(&p->mutex);
    while (!p->stop && !p->next && tn_now_ms() < until) {
        pthread_cond_timedwait(&p->cond, &p->mutex, &at);
    }
    bool wanted = !p->stop && !p->next;
    pthread_mutex_unlock(&p->mutex);
    return wanted;
}

static void
round_work(struct tn_probe_rounds *p, struct tn_probe_round *round)
{
    int64_t deadline = tn_now_ms() + round->window_ms;
    for (;;) {
        TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
        struct run run;
        probes_run(p, round, arena, &run);
        int64_t left = round->window_ms ? deadline - tn_now_ms() : 0;
        answer_write(round, &run, left, arena);
        if (round->fine || left <= 0 || !nap(p)) {
            break;
        }
    }
    p->options.post(p->options.ctx, round);
}

static void
rounds_main(void *context)
{
    struct tn_probe_rounds *p = context;
    pthread_mutex_lock(&p->mutex);
    while (!p->stop) {
        struct tn_probe_round *round = TN_TAKE(p->next);
        if (round) {
            pthread_mutex_unlock(&p->mutex);
            round_work(p, round);
            pthread_mutex_lock(&p->mutex);
        } else {
            pthread_cond_wait(&p->cond, &p->mutex);
        }
    }
    pthread_mutex_unlock(&p->mutex);
}

static void
rounds_free(struct tn_probe_rounds *p)
{
    tn_probe_round_free(p->next);
    pthread_cond_destroy(&p->cond);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

enum tn_code
tn_probe_rounds_new(const struct tn_probation_options *options,
                    struct tn_probe_rounds **out, struct tn_error *err)
{
    struct tn_probe_rounds *p = calloc(1, sizeof *p);
    pthread_condattr_t attr;
    if (!p) {
        abort();
    }
    p->options = *options;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->cond, &attr);
    pthread_condattr_destroy(&attr);
    enum tn_code code =
        tn_thread_start(&p->thread, rounds_main, p, "probes", err);
    if (code) {
        rounds_free(p);
        return code;
    }
    *out = p;
    return TN_OK;
}

void
tn_probe_rounds_ask(struct tn_probe_rounds *p, struct tn_probe_round *round)
{
    pthread_mutex_lock(&p->mutex);
    struct tn_probe_round *old = p->next;
    p->next = round;
    pthread_cond_signal(&p->cond);
    pthread_mutex_unlock(&p->mutex);
    tn_probe_round_free(old);
}

bool
tn_probe_rounds_close(struct tn_probe_rounds *p, int64_t deadline_ms)
{
    if (!p) {
        return true;
    }
    pthread_mutex_lock(&p->mutex);
    p->stop = true;
    pthread_cond_signal(&p->cond);
    pthread_mutex_unlock(&p->mutex);
    if (!tn_thread_join(&p->thread, deadline_ms)) {
        return false;
    }
    rounds_free(p);
    return true;
}
