/* daemon.c - see daemon.h: the loop itself. */
#include "reconciler/daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "model/base/lazy.h"
#include "reconciler/daemon/caps.h"
#include "reconciler/daemon/loop.h"
#include "reconciler/daemon/reload.h"
#include "reconciler/source/remote_url.h"
#include "reconciler/status/state_dir.h"

#define SYSTEMD_CALLS(X)                                                       \
    X(sd_event_add_io)                                                         \
    X(sd_event_add_signal)                                                     \
    X(sd_event_add_time_relative)                                              \
    X(sd_event_exit)                                                           \
    X(sd_event_loop)                                                           \
    X(sd_event_new)                                                            \
    X(sd_event_set_watchdog)                                                   \
    X(sd_event_source_get_event)                                               \
    X(sd_event_source_set_enabled)                                             \
    X(sd_event_source_set_floating)                                            \
    X(sd_event_source_set_prepare)                                             \
    X(sd_event_source_set_time_relative)                                       \
    X(sd_event_source_unref)                                                   \
    X(sd_event_unref)                                                          \
    X(sd_notify)                                                               \
    X(sd_notifyf)
TN_LAZY(libsystemd, SYSTEMD_CALLS, TN_SONAME_SYSTEMD, TN_PACKAGE_SYSTEMD);

enum {
    TICK_MS = 1000,
    MMAP_BYTES = 256 * 1024,
    WINDOW_S = 10,
    STOP_MS = 20000,
    FLUSH_MS = 3000,
    ALONE_MS = 5000, /* So long the one before may still be ending. */
};

/* One life of the loop; a reload asks for the next. */
struct tn_life {
    struct tn_loop loop;
    struct tn_held_settings next; /* With which; no arena: none. */
    bool ran;                     /* All parts could be opened. */
};

/* ---- the mailbox ---- */

void
tn_loop_post_report(void *loop, struct tn_unit_report *report)
{
    struct tn_mail mail = {.report = report};
    tn_mailbox_post(&((struct tn_loop *) loop)->mailbox, &mail);
}

static void
post_event(void *loop, struct tn_upstream_event *event)
{
    struct tn_mail mail = {.event = event};
    tn_mailbox_post(&((struct tn_loop *) loop)->mailbox, &mail);
}

static void
post_round(void *loop, struct tn_probe_round *round)
{
    struct tn_mail mail = {.round = round};
    tn_mailbox_post(&((struct tn_loop *) loop)->mailbox, &mail);
}

/* ---- what arrives ---- */

static void
note(char **where, const char *text)
{
    free(*where);
    *where = text ? strdup(text) : NULL;
}

/* Runs that a crash left behind: devices are observed afresh anyway; it is said
 * what had been intended. */
static void
journal_close(struct tn_loop *l)
{
    struct tn_error err = {0};
    struct tn_state_lock *lock = NULL;
    const struct tn_journal_past *past = NULL;
    size_t n = 0;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    enum tn_code code = tn_apply_gate_enter(l->gate, 0, &lock, &err);
    if (code) {
        return; /* Somebody applies by hand, and has said it. */
    }
    code = tn_journal_unfinished(lock, arena, &past, &n, &err);
    for (size_t i = 0; !code && i < n; i++) {
        if (past[i].went || past[i].damaged) {
            tn_log(l->log, TN_LOG_WARNING, NULL,
                   "run %s was interrupted on %zu devices%s; all are looked at "
                   "anew",
                   past[i].run.id, past[i].n_devices,
                   past[i].damaged ? " and its journal is damaged" : "");
        }
        code = tn_journal_finish(lock, &past[i], "superseded", &err);
    }
    tn_apply_gate_leave(l->gate);
}

/* The first intent says which instance this is: its folder of state is shared
 * with 'tenet apply'. */
static void
intent_take(struct tn_loop *l, struct tn_intent *intent, bool back)
{
    if (!l->gate) {
        const char *instance = intent->run->network->settings->meta.name.v;
        const char *dir =
            tn_state_dir(l->arena, l->options->state_dir, instance);
        tn_files_sweep(dir);
        l->gate = tn_apply_gate_new(dir);
        journal_close(l);
    }
    if (!tn_probation_begin(l->probation, intent, l->intent, back)) {
        tn_fleet_follow(l, intent);
    }
}

/* What was followed before is followed again at once, where it is still in
 * memory; the Git thread, which may be busy for a while, writes it down. */
static void
go_back(struct tn_loop *l, struct tn_probation_verdict *v)
{
    struct tn_upstream_failure failure = {.former = TN_TAKE(v->former)};
    memcpy(failure.commit, v->intent->run->commit.id, sizeof failure.commit);
    memcpy(failure.former_commit, v->former_commit,
           sizeof failure.former_commit);
    memcpy(failure.why, v->text, sizeof failure.why);
    if (failure.former) {
        tn_fleet_back(l, failure.former);
    }
    tn_upstream_failed(l->upstream, &failure);
}

static void
verdict_take(struct tn_loop *l, struct tn_probation_verdict *v)
{
    switch (v->word) {
    case TN_PROBATION_NONE:
        return;
    case TN_PROBATION_FOLLOW:
        tn_fleet_follow(l, v->intent);
        break;
    case TN_PROBATION_PASSED:
        tn_tell_probes(l->tell, v->intent, v->text, true);
        tn_fleet_settled(l);
        break;
    case TN_PROBATION_FAILED:
        tn_tell_probes(l->tell, v->intent, v->text, false);
        go_back(l, v);
        break;
    }
    tn_intent_unref(v->intent);
}

static void
round_take(struct tn_loop *l, struct tn_probe_round *round)
{
    struct tn_probation_verdict verdict;
    tn_probation_take(l->probation, round, &verdict);
    verdict_take(l, &verdict);
}

static void
event_take(struct tn_loop *l, struct tn_upstream_event *e)
{
    tn_tell_upstream(l->tell, e);
    switch (e->type) {
    case TN_UP_FETCHED:
        memcpy(l->tip, e->commit, sizeof l->tip);
        if (l->stale) {
            l->quiet_ms = 0; /* It is back: tell it now. */
        }
        note(&l->stale, NULL);
        break;
    case TN_UP_STALE:
        note(&l->stale, e->text);
        break;
    case TN_UP_INTENT:
        l->quiet_ms = 0; /* Git is well enough. */
        intent_take(l, e->intent, e->back);
        break;
    case TN_UP_ACCEPTED:
        note(&l->refused, NULL);
        break;
    case TN_UP_REFUSED:
        note(&l->refused, e->text);
        break;
    case TN_UP_PUBLISHED:
        tn_fleet_published(l, true);
        break;
    case TN_UP_UNPUBLISHED:
        tn_fleet_published(l, false);
        break;
    case TN_UP_STOPPED:
        break;
    }
    tn_upstream_event_free(e);
}

static int
on_mail(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    struct tn_loop *l = ctx;
    uint64_t ignored;
    (void) source;
    (void) revents;
    if (read(fd, &ignored, sizeof ignored) < 0 && errno != EAGAIN) {
        return -errno;
    }
    for (struct tn_mail *m = tn_mailbox_take(&l->mailbox), *next = NULL; m;
         m = next) {
        next = m->next;
        if (m->report) {
            tn_fleet_report(l, m->report);
        } else if (m->round) {
            round_take(l, m->round);
        } else {
            event_take(l, m->event);
        }
        free(m);
    }
    return 0;
}

static int
on_http(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    (void) source;
    (void) fd;
    (void) revents;
    tn_http_server_run(((struct tn_loop *) ctx)->http);
    return 0;
}

static int
on_tell(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    (void) source;
    (void) fd;
    (void) revents;
    tn_tell_run(((struct tn_loop *) ctx)->tell);
    return 0;
}

static int
on_control(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
    (void) source;
    (void) fd;
    (void) revents;
    tn_control_run(((struct tn_loop *) ctx)->control);
    return 0;
}

static int
on_stop(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    struct tn_loop *l = ctx;
    (void) si;
    tn_log(l->log, TN_LOG_INFO, NULL, "stopping");
    l->stopping = true;
    return sym_sd_event_exit(sym_sd_event_source_get_event(source), 0);
}

/* Settings that cannot be used change nothing.  Such as can are taken up by
 * starting over in this process: devices are not touched by that. */
static int
on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *ctx)
{
    struct tn_life *life = ctx;
    struct tn_loop *l = &life->loop;
    struct tn_error err = {0};
    (void) si;
    enum tn_code code = tn_settings_load(l->options, &life->next, &err);
    if (!code) {
        code = tn_reload_check(l, life->next.config, &err);
    }
    tn_metric_add(l->metrics, TN_M_CONFIG_RELOADS,
                  TN_LABELS(code ? "failed" : "ok"), 1);
    tn_metric_set(l->metrics, TN_M_CONFIG_OK, NULL, code == TN_OK);
    if (code) {
        char text[TN_ERROR_TEXT];
        tn_log(l->log, TN_LOG_ERROR, NULL,
               "reload refused, the settings in use stay: %s",
               tn_error_text(&err, text, sizeof text));
        tn_held_settings_free(&life->next);
        return 0;
    }
    sym_sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long) (tn_now_ns() / 1000));
    tn_log(l->log, TN_LOG_INFO, NULL, "reloading");
    return sym_sd_event_exit(sym_sd_event_source_get_event(source), 0);
}

static int
on_tick(sd_event_source *source, uint64_t usec, void *ctx)
{
    struct tn_loop *l = ctx;
    l->tick_ms = tn_now_ms();
    tn_metric_set(l->metrics, TN_M_LOOP_TICK, NULL, (double) time(NULL));
    if (l->http) {
        tn_http_server_run(l->http);
    }
    tn_tell_run(l->tell);
    tn_fleet_tick(l);
    struct tn_probation_verdict verdict;
    tn_probation_tick(l->probation, &verdict);
    verdict_take(l, &verdict);
    (void) usec;
    int rc =
        sym_sd_event_source_set_time_relative(source, TICK_MS * UINT64_C(1000));
    return rc < 0 ? rc
                  : sym_sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Before the loop sleeps: alerts that were just fired leave now. */
static int
before_sleep(sd_event_source *source, void *ctx)
{
    struct tn_loop *l = ctx;
    (void) source;
    if (tn_tell_timeout(l->tell) == 0) {
        tn_tell_run(l->tell);
    }
    for (int i = 0; i < 8 && l->http && tn_http_server_timeout_ms(l->http) == 0;
         i++) {
        tn_http_server_run(l->http);
    }
    return 0;
}

/* ---- start and stop ---- */

static int
sources_add(struct tn_life *life, sd_event *event)
{
    struct tn_loop *l = &life->loop;
    sd_event_source *mail = NULL;
    int rc =
        sym_sd_event_add_io(event, &mail, l->mailbox.fd, EPOLLIN, on_mail, l);
    if (rc >= 0) {
        rc = sym_sd_event_source_set_prepare(mail, before_sleep);
    }
    if (rc >= 0) {
        rc = sym_sd_event_source_set_floating(mail, 1);
    }
    sym_sd_event_source_unref(mail);
    if (rc >= 0) {
        rc = sym_sd_event_add_io(event, NULL, tn_tell_fd(l->tell), EPOLLIN,
                                 on_tell, l);
    }
    if (rc >= 0 && l->http) {
        rc = sym_sd_event_add_io(event, NULL, tn_http_server_fd(l->http),
                                 EPOLLIN, on_http, l);
    }
    if (rc >= 0 && l->control) {
        rc = sym_sd_event_add_io(event, NULL, tn_control_fd(l->control),
                                 EPOLLIN, on_control, l);
    }
    if (rc >= 0) {
        rc = sym_sd_event_add_signal(event, NULL, SIGTERM, on_stop, l);
    }
    if (rc >= 0) {
        rc = sym_sd_event_add_signal(event, NULL, SIGINT, on_stop, l);
    }
    if (rc >= 0) {
        rc = sym_sd_event_add_signal(event, NULL, SIGHUP, on_reload, life);
    }
    if (rc >= 0) {
        rc = sym_sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 0, 0,
                                            on_tick, l);
    }
    return rc < 0 ? rc : sym_sd_event_set_watchdog(event, 1);
}

static enum tn_code
parts_open(struct tn_loop *l, struct tn_error *err)
{
    const char *dir =
        tn_arena_printf(l->arena, "%s/daemon", l->options->state_dir);
    enum tn_code code = tn_dirs_make(dir, 0700, err);
    struct tn_tell_options tell = {
        .config = l->config,
        .state_dir = dir,
        .metrics = l->metrics,
        .log = l->log,
    };
    if (!code) {
        code = tn_tell_open(&tell, &l->tell, err);
    }
    if (!code) {
        code = tn_serve_open(l, err);
    }
    if (!code) {
        tn_command_rules_load(l);
        code = tn_control_open(l->config->control.v ? l->config->control.v
                                                    : TN_CONTROL_PATH,
                               tn_command_answer, l, &l->control, err);
    }
    struct tn_probation_options probation = {
        .state_dir = dir,
        .cache_dir = l->options->cache_dir,
        .log = l->log,
        .window_ms = (unsigned) (l->config->loop.probe_window.v
                                     ? l->config->loop.probe_window.v
                                     : WINDOW_S) *
                     1000,
        .post = post_round,
        .ctx = l,
    };
    if (!code) {
        code = tn_probation_open(&probation, &l->probation, err);
    }
    struct tn_upstream_options upstream = {
        .config = l->config,
        .state_dir = l->options->state_dir,
        .cache_dir = l->options->cache_dir,
        .threads = l->options->threads,
        .log = l->log,
        .post = post_event,
        .ctx = l,
    };
    return code ? code : tn_upstream_new(&upstream, &l->upstream, err);
}

/* A URL may have a token in the place of the user. */
static void
following_say(const struct tn_loop *l)
{
    struct tn_url url;
    struct tn_error err = {0};
    bool fine = tn_url_parse(l->config->source.url.v, &url, &err) == TN_OK;
    tn_log(l->log, TN_LOG_INFO, NULL, "following %s",
           fine ? url.shown : "the repository");
}

static enum tn_code
loop_run(struct tn_life *life, struct tn_error *err)
{
    const struct tn_loop *l = &life->loop;
    sd_event *event = NULL;
    int rc = sym_sd_event_new(&event);
    if (rc >= 0) {
        rc = sources_add(life, event);
    }
    if (rc >= 0) {
        sym_sd_notify(0, "READY=1\nSTATUS=Following Git");
        following_say(l);
        rc = sym_sd_event_loop(event);
    }
    sym_sd_event_unref(event);
    return rc < 0 ? tn_fail_sys(err, TN_EINTERNAL, -rc, "event loop") : TN_OK;
}

/* Devices first: nobody applies any more.  Then what is known goes to Git, and
 * people hear the rest. */
static bool
parts_close(struct tn_loop *l, bool reloading)
{
    bool clean = true;
    int64_t deadline = tn_now_ms() + STOP_MS;
    if (!reloading) {
        sym_sd_notify(0, "STOPPING=1");
    }
    tn_control_close(l->control);
    tn_serve_close(l);
    if (l->upstream) {
        if (l->dirty && !l->publishing && l->intent) {
            tn_fleet_publish(l);
        }
        tn_upstream_stop(l->upstream);
    }
    clean = tn_fleet_stop(l, deadline - STOP_MS / 2);
    clean = tn_probation_close(l->probation, deadline - STOP_MS / 2) && clean;
    clean = (!l->upstream || tn_upstream_join(l->upstream, deadline)) && clean;
    for (struct tn_mail *m = tn_mailbox_take(&l->mailbox), *next = NULL; m;
         m = next) {
        next = m->next;
        if (m->report) {
            tn_tell_report(l->tell, m->report, true);
        } else if (m->event) {
            tn_tell_upstream(l->tell, m->event);
        }
        tn_unit_report_free(m->report);
        tn_probe_round_free(m->round);
        tn_upstream_event_free(m->event);
        free(m);
    }
    tn_tell_close(l->tell, FLUSH_MS);
    return clean;
}

static void
loop_free(struct tn_loop *l)
{
    tn_intent_unref(l->intent);
    tn_modes_unref(l->modes);
    tn_arena_free(l->rules_arena);
    tn_arena_free(l->arena);
    tn_apply_gate_free(l->gate);
    free(l->refused);
    free(l->stale);
    tn_mailbox_done(&l->mailbox);
}

/* All threads inherit it: signals are for the loop alone. */
static void
signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static enum tn_code
life_run(struct tn_life *life, struct tn_error *err)
{
    struct tn_loop *l = &life->loop;
    enum tn_code code = tn_mailbox_init(&l->mailbox, err);
    if (!code) {
        code = tn_caps_limit(l->config->source.url.v, err);
    }
    if (!code) {
        code = parts_open(l, err);
    }
    life->ran = !code;
    if (!code) {
        code = loop_run(life, err);
        if (code) { /* Said now: a worker may hang below. */
            char text[TN_ERROR_TEXT];
            tn_log(l->log, TN_LOG_ERROR, NULL, "the loop ended: %s",
                   tn_error_text(err, text, sizeof text));
        }
    }
    bool reloading = life->next.arena && !code;
    if (!parts_close(l, reloading)) {
        /* A worker hangs in a device and may still look at what would be
         * freed; all that had to be on the disk is. */
        _exit(code || reloading ? 1 : 0); /* Who reloads wants to go on. */
    }
    loop_free(l);
    return code;
}

/* What the settings before held is taken up again where those of a reload
 * cannot be: somebody was quicker since they were tried. */
static enum tn_code
lives(const struct tn_daemon_options *options, struct tn_metrics *metrics,
      struct tn_log *log, struct tn_error *err)
{
    struct tn_held_settings now = {0}, former = {0};
    enum tn_code code = tn_settings_load(options, &now, err);
    while (now.arena) {
        struct tn_life life = {
            .loop =
                {
                    .options = options,
                    .config = now.config,
                    .arena = tn_arena_new(),
                    .rules_arena = tn_arena_new(),
                    .log = log,
                    .metrics = metrics,
                },
        };
        code = life_run(&life, err);
        if (code && !life.ran && former.arena) {
            char text[TN_ERROR_TEXT];
            tn_log(log, TN_LOG_ERROR, NULL,
                   "reload failed, the former settings are taken up again: %s",
                   tn_error_text(err, text, sizeof text));
            tn_metric_set(metrics, TN_M_CONFIG_OK, NULL, 0);
            tn_held_settings_free(&now);
            now = former;
            former = (struct tn_held_settings){0};
            continue;
        }
        tn_held_settings_free(&former);
        former = now;
        now = life.next;
        if (code) {
            tn_held_settings_free(&now);
        }
    }
    tn_held_settings_free(&former);
    return code;
}

/* One daemon for a state directory, whatever it is told on: two would answer
 * each other's repairs.  Nothing is written: a full disk must not keep a daemon
 * from starting. */
static enum tn_code
alone(const char *state_dir, int *out, struct tn_error *err)
{
    const struct timespec nap = {.tv_nsec = 20000000};
    const int64_t deadline = tn_now_ms() + ALONE_MS;
    TN_CLEANUP(tn_cleanup_text) struct tn_text dir = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
    tn_text_addf(&dir, "%s/daemon", state_dir);
    enum tn_code code = tn_dirs_make(tn_text_str(&dir), 0700, err);
    if (code) {
        return code;
    }
    tn_text_addf(&path, "%s/lock", tn_text_str(&dir));
    *out = open(tn_text_str(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                0600);
    if (*out < 0) {
        return tn_fail_sys(err, TN_EDENIED, errno, "%s", tn_text_str(&path));
    }
    while (flock(*out, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return tn_fail_sys(err, TN_EINTERNAL, errno, "%s",
                               tn_text_str(&path));
        }
        if (tn_now_ms() >= deadline) {
            return tn_fail(err, TN_EUNAVAILABLE, 0,
                           "another 'tenet run' uses the state directory %s",
                           state_dir);
        }
        nanosleep(&nap, NULL);
    }
    tn_files_sweep(tn_text_str(&dir)); /* Of one that was killed. */
    return TN_OK;
}

enum tn_code
tn_daemon_run(const struct tn_daemon_options *options, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int lock = -1;
    enum tn_code code = tn_lazy_load(&libsystemd, err);
    if (!code) {
        code = alone(options->state_dir, &lock, err);
    }
    if (code) {
        return code;
    }
    signals_block();
    /* Many threads that each work now and then: few heaps. */
    (void) mallopt(M_ARENA_MAX, 2);
    /* What is large goes back as soon as it is freed. */
    (void) mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    /* Sets the allocator up: under a sanitizer nobody did, and two workers
     * that trim for the first time at once would crash in it. */
    (void) malloc_trim(0);
    /* Arenas ask for huge pages, which are wholly resident: what makes a
     * command quick makes a daemon big. */
    (void) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    struct tn_log *log = tn_log_new(options->json_log, options->debug);
    struct tn_metrics *metrics = tn_metrics_new();
    tn_metric_set(metrics, TN_M_CONFIG_OK, NULL, 1);
    tn_metric_set(metrics, TN_M_BUILD, TN_LABELS(options->version, ""), 1);
    code = lives(options, metrics, log, err);
    if (!code) {
        tn_log(log, TN_LOG_INFO, NULL, "stopped");
    }
    tn_metrics_free(metrics);
    tn_log_free(log);
    return code;
}
