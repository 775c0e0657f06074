/* client_test.c - the client against a server that misbehaves. */
#include "reconciler/http/client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "model/base/text.h"
#include "tests/support/peer.h"

static const char server_script[] = "tests/support/sink_server.py";

struct world {
    char *dir, log[512];
    struct tn_peer server;
    struct tn_http_client *client;
};

struct answer {
    int n, status;
    enum tn_code code;
    size_t n_body;
    bool truncated;
    uint32_t wait;
    char text[1024];
};

static struct world
begin(const char *cert, const char *key, char *dir)
{
    struct world w = {.dir = dir ? dir : tn_peer_dir()};
    snprintf(w.log, sizeof w.log, "%s/log", w.dir);
    const char *argv[] = {
        "python3", server_script, w.log, cert ? "--tls" : NULL,
        cert,      key,           NULL};
    signal(SIGPIPE, SIG_IGN);
    w.server = tn_peer_start(argv, 1);
    cr_assert_eq(tn_http_library_init(NULL), TN_OK);
    cr_assert_eq(tn_http_client_new(&w.client, NULL), TN_OK);
    return w;
}

static void
end(struct world *w)
{
    tn_http_client_free(w->client);
    tn_peer_stop(&w->server, SIGKILL);
    tn_peer_remove(w->dir);
}

static void
on_done(void *ctx, const struct tn_http_reply *reply)
{
    struct answer *a = ctx;
    a->n++;
    a->status = reply->status;
    a->code = reply->code;
    a->n_body = reply->n_body;
    a->truncated = reply->truncated;
    a->wait = tn_http_reply_wait(reply, (int64_t) time(NULL));
    tn_error_text(reply->err, a->text, sizeof a->text);
}

static void
wait_for(struct tn_http_client *client, const struct answer *a, int n)
{
    int64_t until = tn_peer_now_ms() + 10000;
    while (a->n < n && tn_peer_now_ms() < until) {
        struct pollfd p = {.fd = tn_http_client_fd(client), .events = POLLIN};
        poll(&p, 1, 100);
        int64_t before = tn_peer_now_ms();
        tn_http_client_run(client);
        cr_expect_lt(tn_peer_now_ms() - before, 500, "run() blocked");
    }
    cr_assert_eq(a->n, n, "%d of %d answers", a->n, n);
}

static struct answer
ask(struct world *w, const char *url, struct tn_http_call call)
{
    struct answer a = {0};
    struct tn_error err = {0};
    call.url = url;
    cr_assert_eq(tn_http_client_send(w->client, &call, on_done, &a, &err),
                 TN_OK, "%s", err.text);
    cr_assert_eq(a.n, 0, "the callback must not come from send()");
    wait_for(w->client, &a, 1);
    return a;
}

static const char *
url_of(const struct world *w, const char *scheme, const char *path, char *buf)
{
    snprintf(buf, 256, "%s://127.0.0.1:%d%s", scheme, w->server.port, path);
    return buf;
}

struct row {
    const char *path;
    int status;
    enum tn_code code;
    size_t n_body, max;
    bool follow;
    uint32_t timeout;
    uint32_t wait;
};

static const struct row rows[] = {
    {"/ok", 200, TN_OK, 2, 0, false, 0, 0},
    {"/created", 201, TN_OK, 2, 0, false, 0, 0},
    {"/status/400", 400, TN_EINTERNAL, 16, 0, false, 0, 0},
    {"/status/401", 401, TN_EDENIED, 16, 0, false, 0, 0},
    {"/status/404", 404, TN_ENOENT, 16, 0, false, 0, 0},
    {"/status/409", 409, TN_ESTALE, 16, 0, false, 0, 0},
    {"/status/405", 405, TN_EUNSUPPORTED, 16, 0, false, 0, 0},
    {"/status/500", 500, TN_EUNAVAILABLE, 16, 0, false, 0, 0},
    {"/limited", 429, TN_EUNAVAILABLE, 2, 0, false, 0, 1},
    {"/big", 200, TN_OK, 65536, 0, false, 0, 0},
    {"/big", 200, TN_OK, 7, 7, false, 0, 0},
    {"/hang", 0, TN_EUNAVAILABLE, 0, 0, false, 300, 0},
    {"/reset", 0, TN_EUNAVAILABLE, 0, 0, false, 0, 0},
    {"/half", 0, TN_EUNAVAILABLE, 1, 0, false, 0, 0},
    {"/redirect/here", 307, TN_EUNSUPPORTED, 2, 0, false, 0, 0},
    {"/redirect/here", 200, TN_OK, 2, 0, true, 0, 0},
    {"/redirect/there", 307, TN_EUNSUPPORTED, 2, 0, true, 0, 0},
};

Test(http_client, answers_are_classed)
{
    struct world w = begin(NULL, NULL, NULL);
    for (size_t i = 0; i < TN_ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        char url[256];
        struct answer a = ask(&w, url_of(&w, "http", r->path, url),
                              (struct tn_http_call){
                                  .body = "{}",
                                  .n_body = 2,
                                  .max_response = r->max,
                                  .follow = r->follow,
                                  .timeout_ms = r->timeout,
                              });
        cr_expect_eq(a.status, r->status, "%zu %s: %d %s", i, r->path, a.status,
                     a.text);
        cr_expect_eq(a.code, r->code, "%zu %s: %s", i, r->path, a.text);
        cr_expect_eq(a.n_body, r->n_body, "%zu %s: %zu", i, r->path, a.n_body);
        cr_expect_eq(a.truncated, strcmp(r->path, "/big") == 0);
        cr_expect_eq(a.wait, r->wait, "%s: %u", r->path, a.wait);
        cr_expect(!strstr(a.text, r->path), "path in: %s", a.text);
    }
    end(&w);
}

Test(http_client, what_is_sent_arrives_and_secrets_stay)
{
    struct world w = begin(NULL, NULL, NULL);
    char url[256];
    static const struct tn_http_header h[] = {{"X-One", "1"},
                                              {"Content-Type", "text/plain"}};
    ask(&w, url_of(&w, "http", "/ok?key=QUERY", url),
        (struct tn_http_call){.method = "PUT",
                              .headers = h,
                              .n_headers = 2,
                              .secret = {"Authorization", "Bearer SECRET"},
                              .body = "a\"b",
                              .n_body = 3});
    char *log = tn_peer_read(w.dir, "log");
    cr_expect(strstr(log, "\"method\": \"PUT\""), "%s", log);
    cr_expect(strstr(log, "\"authorization\": \"Bearer SECRET\""));
    cr_expect(strstr(log, "\"x-one\": \"1\""));
    cr_expect(strstr(log, "\"body\": \"a\\\"b\""));
    cr_expect(!strstr(log, "expect"));
    free(log);
    tn_peer_stop(&w.server, SIGKILL);
    struct answer a = ask(
        &w, url,
        (struct tn_http_call){.secret = {"Authorization", "Bearer SECRET"}});
    cr_expect_eq(a.code, TN_EUNAVAILABLE);
    cr_expect(strstr(a.text, "http://127.0.0.1:"), "%s", a.text);
    cr_expect(!strstr(a.text, "SECRET") && !strstr(a.text, "QUERY"), "%s",
              a.text);
    end(&w);
}

Test(http_client, proxies_of_the_environment_are_ignored)
{
    struct world w = begin(NULL, NULL, NULL);
    char url[256];
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    cr_expect_eq(
        ask(&w, url_of(&w, "http", "/ok", url), (struct tn_http_call){0})
            .status,
        200);
    cr_expect_eq(ask(&w, url, (struct tn_http_call){.proxy_env = true}).code,
                 TN_EUNAVAILABLE);
    end(&w);
}

Test(http_client, a_hanging_peer_delays_no_other)
{
    struct world w = begin(NULL, NULL, NULL);
    char hang[256], ok[256];
    struct answer slow = {0}, quick = {0};
    struct tn_http_call call = {.url = url_of(&w, "http", "/hang", hang),
                                .timeout_ms = 5000};
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(tn_http_client_send(w.client, &call, on_done, &slow, NULL),
                     TN_OK);
    }
    call.url = url_of(&w, "http", "/ok", ok);
    int64_t began = tn_peer_now_ms();
    cr_assert_eq(tn_http_client_send(w.client, &call, on_done, &quick, NULL),
                 TN_OK);
    wait_for(w.client, &quick, 1);
    cr_expect_lt(tn_peer_now_ms() - began, 2000);
    cr_expect_eq(slow.n, 0);
    cr_expect_eq(tn_http_client_busy(w.client), 8);
    end(&w); /* Frees calls under way. */
    cr_expect_eq(slow.n, 0);
}

Test(http_client, calls_are_bounded)
{
    struct world w = begin(NULL, NULL, NULL);
    char url[256];
    struct answer a = {0};
    struct tn_http_call call = {.url = url_of(&w, "http", "/slow/200", url)};
    enum tn_code code = TN_OK;
    int n = 0;
    for (; !code && n <= TN_HTTP_CALLS_MAX; n++) {
        code = tn_http_client_send(w.client, &call, on_done, &a, NULL);
    }
    cr_expect_eq(code, TN_EUNAVAILABLE);
    cr_expect_eq(n, TN_HTTP_CALLS_MAX + 1);
    wait_for(w.client, &a, TN_HTTP_CALLS_MAX);
    end(&w);
}

static const char *const bad_urls[] = {
    NULL,
    "",
    "ftp://h/",
    "file:///etc/passwd",
    "h",
    "http://user:pw@h/",
    "http://u@h/x",
    "gopher://h",
};

Test(http_client, bad_urls_and_headers_are_refused)
{
    struct tn_http_client *client;
    char origin[TN_HTTP_ORIGIN];
    cr_assert_eq(tn_http_client_new(&client, NULL), TN_OK);
    for (size_t i = 0; i < TN_ARRAY_SIZE(bad_urls); i++) {
        struct tn_http_call call = {.url = bad_urls[i]};
        struct tn_error err = {0};
        cr_expect_eq(tn_http_client_send(client, &call, on_done, NULL, &err),
                     TN_EINTENT, "%s", bad_urls[i]);
        cr_expect(!strstr(err.text, "pw"));
    }
    static const struct tn_http_header split = {"X", "a\r\nEvil: 1"};
    struct tn_http_call call = {
        .url = "http://127.0.0.1/", .headers = &split, .n_headers = 1};
    cr_expect_eq(tn_http_client_send(client, &call, on_done, NULL, NULL),
                 TN_EINTENT);
    cr_expect(tn_http_origin("HTTPS://Host.example/p?q=1", origin));
    cr_expect_str_eq(origin, "https://Host.example:443");
    tn_http_client_free(client);
}

static void
make_certificate(const char *dir, const char *name)
{
    char command[1024];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test "
             "-addext subjectAltName=IP:127.0.0.1 -keyout %s/%s.key -out "
             "%s/%s.pem 2>/dev/null",
             dir, name, dir, name);
    cr_assert_eq(system(command), 0);
}

Test(http_client, only_the_right_authority_is_trusted)
{
    char *dir = tn_peer_dir(), cert[512], key[512], other[512], url[256];
    make_certificate(dir, "right");
    make_certificate(dir, "wrong");
    snprintf(cert, sizeof cert, "%s/right.pem", dir);
    snprintf(key, sizeof key, "%s/right.key", dir);
    snprintf(other, sizeof other, "%s/wrong.pem", dir);
    struct world w = begin(cert, key, dir);
    url_of(&w, "https", "/ok", url);
    struct answer a = ask(&w, url, (struct tn_http_call){.ca_file = cert});
    cr_expect_eq(a.status, 200, "%s", a.text);
    a = ask(&w, url, (struct tn_http_call){.ca_file = other});
    cr_expect_eq(a.code, TN_EDENIED, "%s", a.text);
    a = ask(&w, url, (struct tn_http_call){0});
    cr_expect_eq(a.code, TN_EDENIED, "%s", a.text);
    char name[256];
    snprintf(name, sizeof name, "https://localhost:%d/ok", w.server.port);
    a = ask(&w, name, (struct tn_http_call){.ca_file = cert});
    cr_expect_eq(a.code, TN_EDENIED, "another name: %s", a.text);
    end(&w);
}

Test(http_client, commands_wait)
{
    struct world w = begin(NULL, NULL, NULL);
    struct tn_arena *arena = tn_arena_new();
    struct tn_http_reply reply;
    struct tn_error err = {0};
    char url[256];
    struct tn_http_call call = {.url = url_of(&w, "http", "/ok", url)};
    cr_expect_eq(tn_http_call_wait(&call, arena, &reply, &err), TN_OK);
    cr_expect_str_eq(reply.body, "{}");
    call.url = url_of(&w, "http", "/status/503", url);
    cr_expect_eq(tn_http_call_wait(&call, arena, &reply, &err),
                 TN_EUNAVAILABLE);
    cr_expect_eq(err.sys, 503);
    tn_arena_free(arena);
    end(&w);
}
