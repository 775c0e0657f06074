/* client.c - see client.h.
 *
 * One loop serves a call or many: it picks the manager, logs in where there is
 * no session, sends what is due as fast as the limiter and the number under way
 * allow, and hands answers to client_task.c.  A login is one more request under
 * way, during which nothing else is begun.
 *
 * The rate is kept as the manager sees it and not only as we do: requests that
 * are delayed on their way arrive together with later ones, but never more than
 * are under way.  So many fewer are sent in a second, and slow rates have few
 * under way. */
#include "drivers/nsx/client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "drivers/nsx/client_part.h"
#include "drivers/nsx/login.h"
#include "drivers/nsx/login_memory.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

static const int64_t second = 1000000000, millisecond = 1000000;

/* A write that was lost costs more than one that is slow, and cannot be asked
 * of another manager: a hierarchy takes its time. */
enum { WRITE_TIMES = 3 };

enum { LOGOUT_MS = 2000, NEVER_HEARD_TRIES = 4, LOGIN_BODY_MAX = 65536 };

static void
set_defaults(struct tn_nsx_options *o)
{
    o->rate = o->rate ? o->rate : TN_NSX_RATE;
    o->rate = o->rate < TN_NSX_LIMIT_MOST ? o->rate : TN_NSX_LIMIT_MOST;
    o->concurrent = o->concurrent ? o->concurrent : TN_NSX_CONCURRENT;
    o->timeout_s = o->timeout_s ? o->timeout_s : TN_NSX_TIMEOUT_S;
    o->patience_s = o->patience_s ? o->patience_s : TN_NSX_PATIENCE_S;
    unsigned most = o->rate >= 10 ? o->rate / 10 : 1;
    o->concurrent = o->concurrent < most ? o->concurrent : most;
}

static enum tn_code
check(const struct tn_nsx_options *o, struct tn_error *err)
{
    if (o->login == TN_NSX_CERTIFICATE) {
        return o->certificate ? TN_OK
                              : tn_fail(err, TN_EINTENT, 0,
                                        "no certificate to log in with");
    }
    return o->user && o->secret
               ? TN_OK
               : tn_fail(err, TN_EINTENT, 0,
                         "no user and password to log in with");
}

static enum tn_code
start(struct tn_nsx *nsx, struct tn_error *err)
{
    const struct tn_nsx_options *o = &nsx->options;
    const struct tn_nsx_http_options http = {
        .ca = o->ca,
        .certificate = o->certificate,
        .key = o->key,
        .connections = o->concurrent + 1,
    };
    enum tn_code code =
        tn_nsx_managers_init(&nsx->managers, o->managers, o->n_managers, err);
    code = code ? code : tn_nsx_http_new(&http, &nsx->http, err);
    if (!code && o->login == TN_NSX_SESSION) {
        code = tn_nsx_login_form(o->user, o->secret, &nsx->form, err);
    }
    if (!code && o->login == TN_NSX_BASIC) {
        code = tn_nsx_login_basic(o->user, o->secret, &nsx->basic, err);
    }
    if (!code && o->memory && o->login != TN_NSX_CERTIFICATE) {
        tn_nsx_refusals_path(&nsx->refusals, o->memory,
                             nsx->managers.all[0].origin, o->user);
    }
    unsigned spare = o->rate >= 5 ? o->concurrent : 0;
    tn_nsx_limit_init(&nsx->limit, o->rate - spare, tn_now_ns());
    return code;
}

/* Ids of objects may have characters that URLs may not. */
static void
add_path(struct tn_text *url, const char *path)
{
    for (; *path; path++) {
        unsigned char c = (unsigned char) *path;
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}#", c)) {
            tn_text_addf(url, "%%%02X", c);
        } else {
            tn_text_addc(url, (char) c);
        }
    }
}

static enum tn_code
begin(struct tn_nsx *nsx, struct tn_nsx_manager *m, const char *path,
      struct tn_nsx_request *r, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text url = {0};
    tn_text_add(&url, m->origin);
    add_path(&url, path);
    r->url = url.s;
    r->timeout_ms =
        r->timeout_ms ? r->timeout_ms : nsx->options.timeout_s * 1000;
    nsx->counts.requests++;
    return tn_nsx_http_begin(nsx->http, r, err);
}

static enum tn_code
begin_login(struct tn_nsx *nsx, struct tn_nsx_manager *m, struct tn_error *err)
{
    static const struct tn_nsx_line type = {
        "Content-Type", "application/x-www-form-urlencoded"};
    struct tn_nsx_request r = {
        .method = "POST",
        .lines = &type,
        .n_lines = 1,
        .body = (const char *) tn_secret_peek(nsx->form),
        .n_body = tn_secret_size(nsx->form),
        .most = LOGIN_BODY_MAX,
        .tag = &nsx->login,
    };
    nsx->login = m;
    nsx->login_sent = tn_now_ns();
    nsx->counts.logins++;
    return begin(nsx, m, TN_NSX_LOGIN_PATH, &r, err);
}

static size_t
who_we_are(const struct tn_nsx *nsx, const struct tn_nsx_manager *m,
           struct tn_nsx_line *lines)
{
    size_t n = 0;
    if (nsx->options.login == TN_NSX_SESSION) {
        lines[n++] = (struct tn_nsx_line){"Cookie", m->cookies};
        if (m->token[0]) {
            lines[n++] = (struct tn_nsx_line){"X-XSRF-TOKEN", m->token};
        }
    } else if (nsx->options.login == TN_NSX_BASIC) {
        lines[n++] = (struct tn_nsx_line){
            "Authorization", (const char *) tn_secret_peek(nsx->basic)};
    }
    return n;
}

static enum tn_code
begin_task(struct tn_nsx_run *run, struct tn_nsx_manager *m,
           struct tn_nsx_task *task, struct tn_error *err)
{
    const struct tn_nsx_call *call = task->call;
    struct tn_nsx *nsx = run->nsx;
    struct tn_nsx_line lines[TN_NSX_LINES_MAX];
    size_t n = who_we_are(nsx, m, lines);
    if (call->body) {
        lines[n++] = (struct tn_nsx_line){"Content-Type", "application/json"};
    }
    if (call->overwrite) {
        lines[n++] = (struct tn_nsx_line){"X-Allow-Overwrite", "true"};
    }
    struct tn_nsx_request r = {
        .method = call->method,
        .lines = lines,
        .n_lines = n,
        .body = call->body,
        .n_body = call->n_body,
        .tag = task,
    };
    if (strcmp(call->method, "GET") != 0) {
        r.timeout_ms = nsx->options.timeout_s * 1000 * WRITE_TIMES;
    }
    task->sent = tn_now_ns();
    task->at = m;
    task->generation = m->generation;
    if (!task->started) {
        task->started = true;
        task->deadline = task->sent + nsx->options.patience_s * second;
    }
    enum tn_code code = begin(nsx, m, task->path, &r, err);
    if (!code) {
        task->under_way = true;
        run->under_way++;
    }
    return code;
}

/* Sends what is due; '*until': when to look again. */
static enum tn_code
send_tasks(struct tn_nsx_run *run, struct tn_nsx_manager *m, int64_t *until,
           struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    size_t most = nsx->narrow ? 1 : nsx->options.concurrent;
    enum tn_code code = TN_OK;
    while (run->first < run->n && run->tasks[run->first].done) {
        run->first++;
    }
    for (size_t i = run->first; i < run->n && !code && run->under_way < most;
         i++) {
        struct tn_nsx_task *t = &run->tasks[i];
        int64_t now = tn_now_ns();
        if (t->done || t->under_way) {
            continue;
        }
        if (t->due > now) {
            *until = t->due < *until ? t->due : *until;
            continue;
        }
        int64_t wait = tn_nsx_limit_take(&nsx->limit, now);
        if (wait > 0) {
            *until = now + wait < *until ? now + wait : *until;
            return TN_OK;
        }
        code = begin_task(run, m, t, err);
    }
    return code;
}

/* Nobody can be asked before 'until'. */
static enum tn_code
nobody(struct tn_nsx_run *run, int64_t now, int64_t until, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    char why[768];
    bool tried = true;
    for (size_t i = 0; i < nsx->managers.n; i++) {
        const struct tn_nsx_manager *m = &nsx->managers.all[i];
        tried = tried && (m->untrusted || m->failures >= NEVER_HEARD_TRIES);
    }
    tn_nsx_managers_why(&nsx->managers, why, sizeof why);
    if (until == INT64_MAX) {
        return tn_fail(err, TN_EDENIED, 0, "no manager can be trusted: %s",
                       why);
    }
    if ((!nsx->heard && tried) ||
        now - run->heard > nsx->options.patience_s * second) {
        return tn_fail(err, TN_EUNAVAILABLE, 0, "no manager answers: %s", why);
    }
    return TN_OK;
}

/* When all that is under way has ended, goes on with one connection. */
static enum tn_code
narrow(struct tn_nsx_run *run, int64_t *until, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    if (tn_nsx_http_busy(nsx->http) > 0) {
        return TN_OK;
    }
    nsx->to_narrow = false;
    *until = 0;
    for (size_t i = 0; i < nsx->managers.n; i++) {
        tn_nsx_manager_forget_session(&nsx->managers.all[i]);
    }
    return tn_nsx_http_narrow(nsx->http, err);
}

/* Begins what can be begun. */
static enum tn_code
advance(struct tn_nsx_run *run, int64_t *until, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    int64_t now = tn_now_ns(), up = 0;
    *until = now + second;
    struct tn_nsx_manager *m = tn_nsx_managers_pick(&nsx->managers, now, &up);
    if (!m) {
        *until = up < *until ? up : *until;
        return run->under_way || nsx->login ? TN_OK : nobody(run, now, up, err);
    }
    if (nsx->to_narrow) {
        return narrow(run, until, err);
    }
    if (nsx->options.login != TN_NSX_SESSION || m->generation) {
        return send_tasks(run, m, until, err);
    }
    if (nsx->login) {
        return TN_OK;
    }
    if (nsx->login_after > now) {
        *until = nsx->login_after < *until ? nsx->login_after : *until;
        return now - run->heard > nsx->options.patience_s * second
                   ? tn_fail(err, TN_EUNAVAILABLE, 429,
                             "manager %s: too busy to log in", m->origin)
                   : TN_OK;
    }
    int64_t wait = tn_nsx_limit_take(&nsx->limit, now);
    if (wait > 0) {
        *until = now + wait < *until ? now + wait : *until;
        return TN_OK;
    }
    return begin_login(nsx, m, err);
}

static enum tn_code
turn(struct tn_nsx_run *run, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    int64_t until;
    enum tn_code code = advance(run, &until, err);
    if (code) {
        return code;
    }
    int64_t ms = (until - tn_now_ns() + millisecond - 1) / millisecond;
    const struct tn_nsx_answer *a =
        tn_nsx_http_wait(nsx->http, ms > 0 ? ms : 0);
    while (a && !code) {
        code = a->tag == &nsx->login
                   ? tn_nsx_login_answered(nsx, a, err)
                   : tn_nsx_task_answered(run, a->tag, a, err);
        a = code ? NULL : tn_nsx_http_wait(nsx->http, 0);
    }
    return code;
}

/* Drops what is under way, and says so of writes. */
static void
give_up(struct tn_nsx_run *run)
{
    struct tn_nsx *nsx = run->nsx;
    tn_nsx_http_drop(nsx->http);
    nsx->login = NULL;
    for (size_t i = 0; i < run->n; i++) {
        const struct tn_nsx_task *t = &run->tasks[i];
        if (t->under_way && strcmp(t->call->method, "GET") != 0) {
            t->reply->verdict.action = TN_NSX_LOST;
        }
    }
}

static enum tn_code
run_all(struct tn_nsx *nsx, const struct tn_nsx_call *calls, size_t n,
        struct tn_arena *arena, struct tn_nsx_reply *replies,
        struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct tn_nsx_run run = {
        .nsx = nsx,
        .arena = arena,
        .tasks = tn_new_n(scratch, struct tn_nsx_task, n),
        .n = n,
        .left = n,
        .heard = tn_now_ns(),
    };
    for (size_t i = 0; i < n; i++) {
        assert(calls[i].path[0] == '/');
        run.tasks[i].call = &calls[i];
        run.tasks[i].reply = &replies[i];
        run.tasks[i].path = calls[i].path;
    }
    enum tn_code code = TN_OK;
    if (nsx->refused) {
        return tn_fail(err, TN_EDENIED, 0, "%s", nsx->refusal);
    }
    while (run.left > 0 && !code) {
        code = turn(&run, err);
    }
    if (code) {
        give_up(&run);
    }
    return code;
}

/* Refuses for the manager what it would refuse once too often. */
static enum tn_code
remember(struct tn_nsx *nsx, struct tn_error *err)
{
    const struct tn_nsx_options *o = &nsx->options;
    int64_t wait = nsx->refusals.n == 0
                       ? 0
                       : tn_nsx_refusals_wait(nsx->refusals.s, o->secret,
                                              (int64_t) time(NULL));
    return wait == 0
               ? TN_OK
               : tn_fail(err, TN_EDENIED, 0,
                         "manager %s, %.128s: the login was refused %d times; "
                         "this password is not tried again for %lld s, so "
                         "that the account is not locked",
                         nsx->managers.all[0].origin, o->user,
                         TN_NSX_REFUSALS_MOST, (long long) wait);
}

/* The first question: who are you?  It also is the only one under way until
 * the login has proved right, so that a wrong password is tried once. */
static enum tn_code
greet(struct tn_nsx *nsx, struct tn_error *err)
{
    static const struct tn_nsx_call call = {.method = "GET",
                                            .path = "/api/v1/node/version"};
    if (nsx->greeted) {
        return TN_OK;
    }
    enum tn_code code = remember(nsx, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_nsx_reply reply = {.body = ""};
    code = run_all(nsx, &call, 1, arena, &reply, err);
    if (code) {
        return code;
    }
    json_t *json = json_loadb(reply.body, reply.n_body, 0, NULL);
    const char *version =
        json_string_value(json_object_get(json, "product_version"));
    if (reply.verdict.action == TN_NSX_DONE && version) {
        snprintf(nsx->version, sizeof nsx->version, "%s", version);
    }
    json_decref(json);
    nsx->greeted = true;
    if (nsx->refusals.n > 0) {
        tn_nsx_refusals_forget(nsx->refusals.s);
    }
    return TN_OK;
}

enum tn_code
tn_nsx_new(const struct tn_nsx_options *options, struct tn_nsx **out,
           struct tn_error *err)
{
    enum tn_code code = check(options, err);
    if (code) {
        return code;
    }
    struct tn_nsx *nsx = calloc(1, sizeof *nsx);
    if (!nsx) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for a client");
    }
    nsx->options = *options;
    set_defaults(&nsx->options);
    code = start(nsx, err);
    if (code) {
        tn_nsx_free(nsx);
        return code;
    }
    *out = nsx;
    return TN_OK;
}

static void
log_out(struct tn_nsx *nsx)
{
    int64_t now = tn_now_ns(), end = now + LOGOUT_MS * millisecond;
    for (size_t i = 0; i < nsx->managers.n; i++) {
        struct tn_nsx_manager *m = &nsx->managers.all[i];
        struct tn_nsx_line lines[TN_NSX_LINES_MAX];
        struct tn_nsx_request r = {.method = "POST",
                                   .lines = lines,
                                   .timeout_ms = LOGOUT_MS,
                                   .most = LOGIN_BODY_MAX};
        if (m->generation && m->down_until <= now) {
            r.n_lines = who_we_are(nsx, m, lines);
            (void) !begin(nsx, m, TN_NSX_LOGOUT_PATH, &r, NULL);
        }
    }
    while (tn_nsx_http_busy(nsx->http) > 0 && (now = tn_now_ns()) < end) {
        tn_nsx_http_wait(nsx->http, (end - now) / millisecond + 1);
    }
}

void
tn_nsx_free(struct tn_nsx *nsx)
{
    if (!nsx) {
        return;
    }
    if (nsx->http) {
        tn_nsx_http_drop(nsx->http);
        log_out(nsx);
    }
    tn_nsx_http_free(nsx->http);
    tn_nsx_managers_done(&nsx->managers);
    tn_text_done(&nsx->refusals);
    tn_secret_free(nsx->form);
    tn_secret_free(nsx->basic);
    free(nsx);
}

enum tn_code
tn_nsx_ask(struct tn_nsx *nsx, const struct tn_nsx_call *call,
           struct tn_arena *arena, struct tn_nsx_reply *reply,
           struct tn_error *err)
{
    return tn_nsx_ask_all(nsx, call, 1, arena, reply, err);
}

enum tn_code
tn_nsx_ask_all(struct tn_nsx *nsx, const struct tn_nsx_call *calls, size_t n,
               struct tn_arena *arena, struct tn_nsx_reply *replies,
               struct tn_error *err)
{
    static const struct tn_nsx_verdict unasked = {
        .action = TN_NSX_RETRY, .class = TN_EUNAVAILABLE, .text = "not asked"};
    for (size_t i = 0; i < n; i++) {
        replies[i] = (struct tn_nsx_reply){.verdict = unasked, .body = ""};
    }
    enum tn_code code = greet(nsx, err);
    return code ? code : run_all(nsx, calls, n, arena, replies, err);
}

const char *
tn_nsx_version(const struct tn_nsx *nsx)
{
    return nsx->version;
}

struct tn_nsx_counts
tn_nsx_counts(const struct tn_nsx *nsx)
{
    return nsx->counts;
}
