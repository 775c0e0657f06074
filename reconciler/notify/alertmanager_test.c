/* alertmanager_test.c - against the Alertmanager of the distribution, which
 * tells a receiver of ours what it was told. */
#include "reconciler/notify/alertmanager.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "model/base/cleanup.h"
#include "reconciler/http/client.h"
#include "reconciler/notify/sink.h"
#include "tests/support/peer.h"

enum { INTERVAL_MS = 250 };

struct manager {
    struct tn_peer peer;
    char url[64], storage[300];
    int port;
};

struct world {
    char *dir, log[256], config[256];
    struct tn_peer receiver;
    struct manager manager[2];
    struct tn_notify_endpoint endpoint[2];
    struct tn_notify_options options;
    struct tn_notify *notify;
};

static const struct tn_alert drift = {.name = TN_ALERT_DRIFT,
                                      .device = "hv1",
                                      .description = "a \"route\" moved"};

static void
configure(struct world *w)
{
    char text[1024];
    snprintf(text, sizeof text,
             "global: {resolve_timeout: 1s}\n"
             "route: {receiver: r, group_by: ['...'], group_wait: 10ms,\n"
             "        group_interval: 100ms, repeat_interval: 1h}\n"
             "receivers:\n"
             "  - name: r\n"
             "    webhook_configs:\n"
             "      - {url: 'http://127.0.0.1:%d/ok', send_resolved: true}\n",
             w->receiver.port);
    tn_peer_write(w->dir, "am.yml", text);
}

static void
begin(struct world *w, size_t n)
{
    *w = (struct world){.dir = tn_peer_dir()};
    snprintf(w->log, sizeof w->log, "%s/log", w->dir);
    snprintf(w->config, sizeof w->config, "--config.file=%s/am.yml", w->dir);
    signal(SIGPIPE, SIG_IGN);
    const char *argv[] = {"python3", "tests/support/sink_server.py", w->log,
                          NULL};
    w->receiver = tn_peer_start(argv, 1);
    configure(w);
    for (size_t i = 0; i < n; i++) {
        struct manager *m = &w->manager[i];
        m->port = tn_peer_free_port();
        snprintf(m->url, sizeof m->url, "http://127.0.0.1:%d", m->port);
        snprintf(m->storage, sizeof m->storage, "--storage.path=%s/am%zu",
                 w->dir, i);
        w->endpoint[i].url = m->url;
    }
    w->options = (struct tn_notify_options){
        .state_dir = w->dir,
        .alertmanagers = w->endpoint,
        .n_alertmanagers = n,
        .generator = "https://tenet.example/",
        .runbooks = "https://tenet.example/alerts.md",
        .interval_ms = INTERVAL_MS,
    };
}

static void
stop(struct manager *m)
{
    tn_peer_stop(&m->peer, SIGKILL);
}

static void
end(struct world *w)
{
    tn_notify_close(w->notify, 0);
    stop(&w->manager[0]);
    stop(&w->manager[1]);
    tn_peer_stop(&w->receiver, SIGKILL);
    tn_peer_remove(w->dir);
}

static bool
get(const struct manager *m, const char *path, char *body, size_t size)
{
    char url[128];
    snprintf(url, sizeof url, "%s%s", m->url, path);
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_http_call call = {.url = url};
    struct tn_http_reply reply;
    if (tn_http_call_wait(&call, arena, &reply, NULL)) {
        return false;
    }
    snprintf(body, size, "%s", reply.body);
    return true;
}

static void
start(struct world *w, struct manager *m)
{
    char listen[64], body[64];
    snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%d",
             m->port);
    const char *argv[] = {
        "prometheus-alertmanager",   w->config,           m->storage, listen,
        "--cluster.listen-address=", "--log.level=error", NULL};
    m->peer = tn_peer_start(argv, 0);
    for (int i = 0; i < 200; i++) {
        if (get(m, "/-/ready", body, sizeof body)) {
            return;
        }
        usleep(50000);
    }
    cr_assert_fail("is prometheus-alertmanager installed?");
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
    for (; left > 0; left = until - tn_peer_now_ms()) {
        struct pollfd p = {.fd = tn_notify_fd(n), .events = POLLIN};
        int t = tn_notify_timeout(n);
        poll(&p, 1, t >= 0 && t < left ? t : (int) left);
        tn_notify_run(n);
    }
}

/* How many alerts are firing at 'm', -1 if it does not answer. */
static int
firing(const struct manager *m, json_t **out)
{
    char body[65536];
    if (!get(m, "/api/v2/alerts?active=true", body, sizeof body)) {
        return -1;
    }
    json_t *j = json_loads(body, 0, NULL);
    int n = (int) json_array_size(j);
    if (out) {
        *out = j;
    } else {
        json_decref(j);
    }
    return n;
}

static bool
becomes(struct world *w, const struct manager *m, int n)
{
    for (int i = 0; i < 100; i++) {
        turn(w->notify, 50);
        if (firing(m, NULL) == n) {
            return true;
        }
    }
    return false;
}

/* How often the receiver was told "firing" or "resolved". */
static int
told(const struct world *w, const char *status)
{
    char *log = tn_peer_read(w->dir, "log"), *save = NULL, want[64];
    snprintf(want, sizeof want, "\"status\":\"%s\",\"labels\"", status);
    int n = 0;
    for (char *s = strtok_r(log, "\n", &save); s;
         s = strtok_r(NULL, "\n", &save)) {
        json_t *j = json_loads(s, 0, NULL);
        const char *b = json_string_value(json_object_get(j, "body"));
        n += b && strstr(b, want);
        json_decref(j);
    }
    free(log);
    return n;
}

static bool
comes_to_be_told(struct world *w, const char *status, int n)
{
    for (int i = 0; i < 100 && told(w, status) < n; i++) {
        turn(w->notify, 50);
    }
    return told(w, status) == n;
}

static const char *
text_at(const json_t *alert, const char *object, const char *key)
{
    const json_t *in = object ? json_object_get(alert, object) : alert;
    const char *s = json_string_value(json_object_get(in, key));
    return s ? s : "(none)";
}

Test(alertmanager, sees_it_fire_stay_and_end)
{
    struct world w;
    begin(&w, 1);
    start(&w, &w.manager[0]);
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    cr_assert(becomes(&w, &w.manager[0], 1));
    json_t *j;
    cr_assert_eq(firing(&w.manager[0], &j), 1);
    const json_t *a = json_array_get(j, 0);
    cr_expect_str_eq(text_at(a, "labels", "alertname"), "TenetDrift");
    cr_expect_str_eq(text_at(a, "labels", "device"), "hv1");
    cr_expect_str_eq(text_at(a, "labels", "severity"), "warning");
    cr_expect_str_eq(text_at(a, "annotations", "description"),
                     "a \"route\" moved");
    cr_expect_str_eq(text_at(a, "annotations", "runbook_url"),
                     "https://tenet.example/alerts.md#tenetdrift");
    cr_expect_str_eq(text_at(a, NULL, "generatorURL"),
                     "https://tenet.example/");
    json_decref(j);
    turn(w.notify, 2500); /* resolve_timeout and four intervals are 1 s. */
    cr_expect_eq(firing(&w.manager[0], NULL), 1, "kept alive");
    cr_expect_eq(told(&w, "firing"), 1);
    cr_expect_eq(told(&w, "resolved"), 0, "without a gap");
    tn_notify_resolve(w.notify, &drift);
    cr_expect(becomes(&w, &w.manager[0], 0));
    cr_expect(comes_to_be_told(&w, "resolved", 1));
    end(&w);
}

Test(alertmanager, lets_it_end_when_we_are_gone)
{
    struct world w;
    begin(&w, 1);
    start(&w, &w.manager[0]);
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    cr_assert(becomes(&w, &w.manager[0], 1));
    tn_notify_close(w.notify, 0);
    w.notify = NULL;
    sleep(2);
    cr_expect_eq(firing(&w.manager[0], NULL), 0);
    end(&w);
}

Test(alertmanager, an_alert_goes_on_after_kill_9_and_ends)
{
    struct world w;
    begin(&w, 1);
    start(&w, &w.manager[0]);
    pid_t pid = fork();
    if (pid == 0) {
        open_it(&w);
        tn_notify_fire(w.notify, &drift);
        becomes(&w, &w.manager[0], 1);
        raise(SIGKILL);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_assert_eq(firing(&w.manager[0], NULL), 1);
    open_it(&w);
    turn(w.notify, 1500);
    cr_expect_eq(firing(&w.manager[0], NULL), 1, "kept alive: not settled");
    cr_expect(!tn_notify_fire(w.notify, &drift), "the same fingerprint");
    turn(w.notify, 300);
    cr_expect_eq(firing(&w.manager[0], NULL), 1);
    cr_expect_eq(tn_notify_settle(w.notify, "hv1"), 0);
    cr_expect(tn_notify_resolve(w.notify, &drift));
    cr_expect(comes_to_be_told(&w, "resolved", 1));
    cr_expect_eq(told(&w, "firing"), 1, "one alert, told once");
    end(&w);
}

Test(alertmanager, what_ended_while_we_were_dead_is_resolved)
{
    struct world w;
    begin(&w, 1);
    w.options.interval_ms = 60000; /* It would fire for four minutes. */
    start(&w, &w.manager[0]);
    pid_t pid = fork();
    if (pid == 0) {
        open_it(&w);
        tn_notify_fire(w.notify, &drift);
        becomes(&w, &w.manager[0], 1);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    cr_assert_eq(firing(&w.manager[0], NULL), 1);
    open_it(&w);
    cr_expect_eq(tn_notify_settle(w.notify, "hv1"), 1);
    cr_expect(becomes(&w, &w.manager[0], 0));
    end(&w);
}

Test(alertmanager, each_of_two_is_told_also_when_one_was_away)
{
    struct world w;
    begin(&w, 2);
    start(&w, &w.manager[1]);
    open_it(&w);
    tn_notify_fire(w.notify, &drift);
    cr_expect(becomes(&w, &w.manager[1], 1), "the dead one delays nothing");
    start(&w, &w.manager[0]);
    cr_expect(becomes(&w, &w.manager[0], 1), "told when it is back");
    stop(&w.manager[1]);
    tn_notify_resolve(w.notify, &drift);
    cr_expect(becomes(&w, &w.manager[0], 0));
    start(&w, &w.manager[1]);
    cr_expect(becomes(&w, &w.manager[1], 0));
    struct tn_notify_stats s;
    for (int i = 0; i < 100; i++) {
        turn(w.notify, 50);
        tn_notify_stats(w.notify, &s);
        if (s.sinks[0].pending + s.sinks[1].pending == 0) {
            break;
        }
    }
    cr_expect_eq(s.sinks[1].pending, 0, "the end is told until acknowledged");
    end(&w);
}

Test(alertmanager, takes_a_thousand)
{
    struct world w;
    begin(&w, 1);
    w.options.interval_ms = 20000;
    start(&w, &w.manager[0]);
    open_it(&w);
    char name[32];
    struct tn_alert x = {.name = TN_ALERT_DEVICE_UNREACHABLE, .device = name};
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "hv\"%d\xff", i);
        tn_notify_fire(w.notify, &x);
    }
    struct tn_notify_stats s = {0};
    for (int i = 0; i < 200; i++) {
        turn(w.notify, 20);
        tn_notify_stats(w.notify, &s);
        if (s.sinks[0].pending == 0) {
            break;
        }
    }
    cr_expect_eq(s.sinks[0].pending, 0);
    cr_expect_eq(s.sinks[0].failed + s.sinks[0].refused, 0);
    cr_expect_eq(s.sinks[0].sent, 10, "a hundred in each request");
    end(&w);
}

Test(alertmanager, urls_have_one_slash)
{
    static const char *const bases[] = {"http://h:9093", "http://h:9093/",
                                        "http://h:9093//"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(bases); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
        tn_alertmanager_url(&t, bases[i]);
        cr_expect_str_eq(t.s, "http://h:9093/api/v2/alerts");
    }
}
