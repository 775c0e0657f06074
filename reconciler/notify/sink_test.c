/* sink_test.c - telling webhooks and forges that misbehave, and what survives
 * the process. */
#include "reconciler/notify/sink.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "tests/support/peer.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"

struct reports {
    int bad, good;
    enum tn_code last;
    char text[512];
};

struct world {
    char *dir, log[256], secret[256];
    struct tn_peer server;
    struct reports reports;
    char url[4][256];
    int n_urls;
    struct tn_notify_options options;
    struct tn_notify *notify;
};

static const struct tn_alert drift = {.name = TN_ALERT_DRIFT, .device = "hv1"};

static void
on_report(void *ctx, const char *sink, enum tn_code what,
          const struct tn_error *err)
{
    struct reports *r = ctx;
    (void) sink;
    r->bad += what != TN_OK;
    r->good += what == TN_OK;
    r->last = what;
    tn_error_text(err, r->text, sizeof r->text);
}

static void
begin(struct world *w)
{
    *w = (struct world){.dir = tn_peer_dir()};
    snprintf(w->log, sizeof w->log, "%s/log", w->dir);
    snprintf(w->secret, sizeof w->secret, "%s/secret", w->dir);
    tn_peer_write(w->dir, "secret", "top-secret\n");
    const char *argv[] = {"python3",        "tests/support/sink_server.py",
                          w->log,           "--secret",
                          w->secret,        "--docs",
                          "docs/alerts.md", NULL};
    signal(SIGPIPE, SIG_IGN);
    w->server = tn_peer_start(argv, 1);
    w->options = (struct tn_notify_options){
        .state_dir = w->dir,
        .interval_ms = 200,
        .report = on_report,
        .ctx = &w->reports,
    };
}

static void
end(struct world *w)
{
    tn_notify_close(w->notify, 0);
    tn_peer_stop(&w->server, SIGKILL);
    tn_peer_remove(w->dir);
}

static const char *
url(struct world *w, const char *path)
{
    char *to = w->url[w->n_urls++ % 4];
    snprintf(to, 256, "http://127.0.0.1:%d%s", w->server.port, path);
    return to;
}

static void
open_it(struct world *w)
{
    struct tn_error err = {0};
    cr_assert_eq(tn_notify_open(&w->options, &w->notify, &err), TN_OK, "%s",
                 err.text);
}

static void
turn(struct tn_notify *n, int64_t ms)
{
    int64_t until = tn_peer_now_ms() + ms, left = ms;
    int turns = 0;
    for (; left > 0; left = until - tn_peer_now_ms(), turns++) {
        struct pollfd p = {.fd = tn_notify_fd(n), .events = POLLIN};
        int t = tn_notify_timeout(n);
        poll(&p, 1, t >= 0 && t < left ? t : (int) left);
        tn_notify_run(n);
    }
    cr_expect_lt(turns, 200 + ms, "the loop spins: %d turns", turns);
}

/* Requests for 'path' whose body has 'word'; unless 'any', only those with a
 * right signature and a body as documented. */
static int
count(const struct world *w, const char *path, const char *word, bool any)
{
    char *log = tn_peer_read(w->dir, "log"), *save = NULL;
    int n = 0;
    for (char *s = strtok_r(log, "\n", &save); s;
         s = strtok_r(NULL, "\n", &save)) {
        json_t *j = json_loads(s, 0, NULL);
        const char *p = json_string_value(json_object_get(j, "path"));
        const char *b = json_string_value(json_object_get(j, "body"));
        bool right = json_is_true(json_object_get(j, "signed")) &&
                     json_is_true(json_object_get(j, "valid"));
        n += p && strcmp(p, path) == 0 && strstr(b, word) && (any || right);
        json_decref(j);
    }
    free(log);
    return n;
}

static bool
settled(struct tn_notify *n, size_t sink)
{
    struct tn_notify_stats s;
    tn_notify_stats(n, &s);
    return s.sinks[sink].pending == 0;
}

static void
turn_until_settled(struct tn_notify *n, size_t sink, int64_t ms)
{
    for (; ms > 0 && !settled(n, sink); ms -= 20) {
        turn(n, 20);
    }
    cr_expect(settled(n, sink), "sink %zu did not settle", sink);
}

Test(notify, webhooks_are_signed_and_told_once)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/ok"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    open_it(&w);
    cr_expect_eq(tn_notify_timeout(w.notify), -1);
    cr_expect(tn_notify_fire(w.notify, &drift));
    cr_expect_eq(tn_notify_timeout(w.notify), 0);
    turn_until_settled(w.notify, 0, 3000);
    turn(w.notify, 700); /* Over several intervals. */
    cr_expect_eq(count(&w, "/ok", "firing", false), 1);
    cr_expect(tn_notify_resolve(w.notify, &drift));
    turn_until_settled(w.notify, 0, 3000);
    cr_expect_eq(count(&w, "/ok", "resolved", false), 1);
    end(&w);
}

Test(notify, dead_and_bad_sinks_delay_no_other)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hooks[] = {
        {.url = url(&w, "/hang"), .secret_file = w.secret},
        {.url = "http://127.0.0.1:1/", .secret_file = w.secret},
        {.url = url(&w, "/flaky/2"), .secret_file = w.secret},
        {.url = url(&w, "/ok"), .secret_file = w.secret},
        {.url = url(&w, "/big"), .secret_file = w.secret},
    };
    w.options.webhooks = hooks;
    w.options.n_webhooks = 5;
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    int64_t began = tn_peer_now_ms();
    turn_until_settled(w.notify, 3, 3000);
    cr_expect_lt(tn_peer_now_ms() - began, 1500);
    turn_until_settled(w.notify, 2, 5000);
    turn_until_settled(w.notify, 4, 1000);
    cr_expect_eq(count(&w, "/flaky/2", "firing", false), 3);
    cr_expect(!settled(w.notify, 0));
    cr_expect(!settled(w.notify, 1));
    cr_expect_eq(w.reports.bad, 2, "flaky and dead, each once: %d",
                 w.reports.bad);
    cr_expect_eq(w.reports.good, 1, "flaky works again");
    began = tn_peer_now_ms();
    tn_notify_close(w.notify, 300);
    w.notify = NULL;
    cr_expect_lt(tn_peer_now_ms() - began, 1000, "close has a deadline");
    end(&w);
}

Test(notify, waits_as_long_as_it_is_asked_to)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/limited"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    turn(w.notify, 700);
    cr_expect_eq(count(&w, "/limited", "", false), 1);
    turn_until_settled(w.notify, 0, 3000);
    cr_expect_eq(count(&w, "/limited", "", false), 2);
    end(&w);
}

Test(notify, one_bad_alert_does_not_hold_up_the_rest)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/poison"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    open_it(&w);
    char name[16];
    struct tn_alert x = {.name = TN_ALERT_DRIFT, .device = name};
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, i == 17 ? "POISON" : "hv%d", i);
        tn_notify_fire(w.notify, &x);
    }
    turn_until_settled(w.notify, 0, 5000);
    struct tn_notify_stats s;
    tn_notify_stats(w.notify, &s);
    cr_expect_eq(s.sinks[0].refused, 1);
    cr_expect_geq(s.sinks[0].sent, 1);
    cr_expect_eq(w.reports.bad, 1);
    end(&w);
}

Test(notify, a_sink_that_takes_nothing_makes_us_give_up_nothing)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/status/400"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    open_it(&w);
    char name[16];
    struct tn_alert x = {.name = TN_ALERT_DRIFT, .device = name};
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "hv%d", i);
        tn_notify_fire(w.notify, &x);
    }
    turn(w.notify, 1000);
    struct tn_notify_stats s;
    tn_notify_stats(w.notify, &s);
    cr_expect_eq(s.sinks[0].pending, 8);
    cr_expect_eq(s.sinks[0].refused, 0);
    cr_expect_lt(count(&w, "/status/400", "", false), 20, "it backs off");
    cr_expect_eq(w.reports.bad, 1);
    end(&w);
}

/* Opens, fires and dies once the webhook was told. */
static void
fire_and_die(struct world *w, const struct tn_alert *alert)
{
    pid_t pid = fork();
    if (pid == 0) {
        open_it(w);
        tn_notify_fire(w->notify, alert);
        for (int i = 0; i < 200 && !settled(w->notify, 0); i++) {
            turn(w->notify, 10);
        }
        raise(SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(notify, survives_kill_9)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/ok"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    fire_and_die(&w, &drift);
    open_it(&w);
    struct tn_notify_stats s;
    tn_notify_stats(w.notify, &s);
    cr_expect_eq(s.alerts.unsettled, 1);
    cr_expect(!s.state_damaged);
    cr_expect_eq(tn_notify_settle(w.notify, "hv1"), 1);
    turn_until_settled(w.notify, 0, 3000);
    cr_expect_eq(count(&w, "/ok", "resolved", false), 1);
    end(&w);
}

Test(notify, damaged_state_is_kept_aside)
{
    struct world w;
    begin(&w);
    tn_peer_write(w.dir, "alerts.json", "{\"format\":\"tenet-alerts\"}\nx\n");
    tn_peer_write(w.dir, "forge.json", "");
    open_it(&w);
    cr_expect_eq(w.reports.bad, 2);
    char *kept = tn_peer_read(w.dir, "alerts.json.damaged");
    cr_expect_str_eq(kept, "{\"format\":\"tenet-alerts\"}\nx\n");
    free(kept);
    cr_expect(tn_notify_fire(w.notify, &drift));
    end(&w);
}

Test(notify, a_state_that_cannot_be_written_keeps_nobody_uninformed)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/ok"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    w.options.state_dir = "/tmp/tn-peer.none/none";
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    turn_until_settled(w.notify, 0, 3000);
    cr_expect_eq(count(&w, "/ok", "firing", false), 1);
    cr_expect_eq(w.reports.bad, 1);
    struct tn_notify_stats s;
    tn_notify_stats(w.notify, &s);
    cr_expect_geq(s.save_failures, 1);
    end(&w);
}

static void
set_forge(struct world *w, struct tn_notify_forge *f, enum tn_forge_kind kind,
          const char *path)
{
    *f = (struct tn_notify_forge){.name = "net",
                                  .kind = kind,
                                  .api = url(w, path),
                                  .repository = "group/net",
                                  .token_file = w->secret};
    w->options.forges = f;
    w->options.n_forges = 1;
}

static void
post(struct world *w, enum tn_commit_state state)
{
    tn_notify_commit_status(w->notify, &(struct tn_commit_status){
                                           .repo = "net",
                                           .sha = SHA,
                                           .context = "tenet/apply",
                                           .state = state,
                                           .description = "x",
                                       });
    turn_until_settled(w->notify, 0, 5000);
}

Test(notify, statuses_are_posted_on_transitions_over_restarts)
{
    static const char path[] = "/created/projects/group%2Fnet/statuses/" SHA;
    struct world w;
    struct tn_notify_forge f;
    begin(&w);
    set_forge(&w, &f, TN_FORGE_GITLAB, "/created");
    open_it(&w);
    for (int i = 0; i < 5; i++) {
        post(&w, TN_COMMIT_RUNNING);
    }
    post(&w, TN_COMMIT_SUCCESS);
    tn_notify_close(w.notify, 1000);
    open_it(&w);
    post(&w, TN_COMMIT_SUCCESS);
    turn(w.notify, 300);
    cr_expect_eq(count(&w, path, "\"state\":\"running\"", true), 1);
    cr_expect_eq(count(&w, path, "\"state\":\"success\"", true), 1);
    char *log = tn_peer_read(w.dir, "log");
    cr_expect(strstr(log, "\"private-token\": \"top-secret\""));
    free(log);
    end(&w);
}

static const struct {
    const char *path;
    enum tn_forge_kind kind;
    int requests, bad, good;
    uint64_t refused;
} forges[] = {
    {"/ratelimit", TN_FORGE_GITHUB, 2, 1, 1, 0},
    {"/cannot", TN_FORGE_GITLAB, 1, 0, 0, 0},
    {"/status/404", TN_FORGE_GITEA, 1, 1, 0, 1},
    {"/flaky/1", TN_FORGE_GITEA, 2, 1, 1, 0},
};

Test(notify, forges_that_refuse)
{
    for (size_t i = 0; i < TN_ARRAY_SIZE(forges); i++) {
        struct world w;
        struct tn_notify_forge f;
        begin(&w);
        set_forge(&w, &f, forges[i].kind, forges[i].path);
        open_it(&w);
        post(&w, TN_COMMIT_SUCCESS);
        turn(w.notify, 300);
        post(&w, TN_COMMIT_SUCCESS);
        char *log = tn_peer_read(w.dir, "log");
        int lines = 0;
        for (const char *s = log; (s = strchr(s, '\n')); s++) {
            lines++;
        }
        free(log);
        struct tn_notify_stats s;
        tn_notify_stats(w.notify, &s);
        cr_expect_eq(lines, forges[i].requests, "%s: %d", forges[i].path,
                     lines);
        cr_expect_eq(w.reports.bad, forges[i].bad, "%s", forges[i].path);
        cr_expect_eq(w.reports.good, forges[i].good, "%s", forges[i].path);
        cr_expect_eq(s.sinks[0].refused, forges[i].refused);
        cr_expect(!strstr(w.reports.text, "secret"), "%s", w.reports.text);
        end(&w);
    }
}

Test(notify, secrets_that_others_may_read_are_refused)
{
    struct world w;
    begin(&w);
    struct tn_notify_endpoint hook = {.url = url(&w, "/ok"),
                                      .secret_file = w.secret};
    w.options.webhooks = &hook;
    w.options.n_webhooks = 1;
    chmod(w.secret, 0644);
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    turn(w.notify, 300);
    cr_expect_eq(w.reports.last, TN_EDENIED);
    cr_expect_eq(count(&w, "/ok", "", true), 0);
    chmod(w.secret, 0600);
    turn_until_settled(w.notify, 0, 3000);
    cr_expect_eq(w.reports.last, TN_OK, "repaired while running");
    end(&w);
}

Test(notify, options_that_cannot_work_are_refused)
{
    struct tn_notify *n = NULL;
    struct tn_notify_endpoint e = {.url = "http://h/"};
    struct tn_notify_forge f = {.api = "http://h/", .repository = "a/b"};
    struct tn_notify_options o = {.webhooks = &e, .n_webhooks = 1};
    cr_expect_eq(tn_notify_open(&o, &n, NULL), TN_EINTENT);
    e.url = "http://user:pw@h/";
    o = (struct tn_notify_options){.alertmanagers = &e, .n_alertmanagers = 1};
    cr_expect_eq(tn_notify_open(&o, &n, NULL), TN_EINTENT);
    o = (struct tn_notify_options){.forges = &f, .n_forges = 1};
    cr_expect_eq(tn_notify_open(&o, &n, NULL), TN_EINTENT);
    o = (struct tn_notify_options){.n_webhooks = 17};
    cr_expect_eq(tn_notify_open(&o, &n, NULL), TN_EINTENT);
    cr_expect_null(n);
    o = (struct tn_notify_options){0};
    cr_expect_eq(tn_notify_open(&o, &n, NULL), TN_OK, "nobody to tell");
    tn_notify_fire(n, &drift);
    tn_notify_run(n);
    tn_notify_resolve(n, &drift);
    tn_notify_run(n);
    tn_notify_close(n, 100);
}
