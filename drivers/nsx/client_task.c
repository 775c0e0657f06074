/* client_task.c - what becomes of a request: see client_part.h.
 *
 * What is mended here is mended by asking again: later, elsewhere, or with a
 * new session.  Waits double from half a second, with chance in them, so that
 * many clients that were told to go away do not come back together; they end
 * with the patience of the call, and the last verdict is then the reply. */
#include "drivers/nsx/client_part.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "drivers/nsx/login.h"
#include "drivers/nsx/login_memory.h"
#include "model/base/crypt.h"
#include "model/base/time.h"

static const int64_t millisecond = 1000000;

enum {
    RETRY_MS = 500,
    RETRY_MOST_MS = 5000,
    WAIT_MS = 1000,
    WAIT_MOST_MS = 15000,
    SLOWER_MS = 250,
    SLOWER_MOST_MS = 8000,
    HOPS_MAX = 4,
    UNKNOWN_TRIES = 5, /* For an answer that no row of the table knows. */
    SMALLER_TRIES = 4,
    STRANGE_TRIES = 3,
};

static unsigned
chance(void)
{
    uint8_t byte;
    tn_random(&byte, sizeof byte);
    return byte;
}

/* 80 to 120 parts of a hundred of 'first', doubled with each try. */
static int64_t
pause_of(unsigned tries, int64_t first, int64_t most)
{
    int64_t ms = first << (tries < 16 ? tries : 16);
    ms = ms < most ? ms : most;
    return ms * millisecond * (205 + (int64_t) chance() * 2 / 5) / 256;
}

static bool
is_write(const struct tn_nsx_task *task)
{
    return strcmp(task->call->method, "GET") != 0;
}

static bool
holds(const char *text, const char *secret)
{
    return strlen(secret) >= 4 && strstr(text, secret);
}

/* Does 'text' hold the value of one of 'cookies'? */
static bool
holds_cookie(const char *text, const char *cookies)
{
    char value[TN_NSX_LINE_MAX];
    bool found = false;
    for (const char *p = cookies; !found && (p = strchr(p, '=')); p++) {
        size_t n = strcspn(p + 1, ";");
        memcpy(value, p + 1, n);
        value[n] = '\0';
        found = n >= 8 && strstr(text, value);
    }
    tn_wipe(value, sizeof value);
    return found;
}

/* A manager that writes back what it was sent must not put it into our
 * errors. */
static bool
tells_secrets(const struct tn_nsx *nsx, const struct tn_nsx_task *task,
              const char *text)
{
    const struct tn_secret *s = nsx->options.secret;
    const struct tn_nsx_manager *m = task->at;
    return (s && holds(text, (const char *) tn_secret_peek(s))) ||
           (nsx->basic &&
            holds(text, (const char *) tn_secret_peek(nsx->basic) + 6)) ||
           (m && (holds_cookie(text, m->cookies) || holds(text, m->token)));
}

static void
settle(struct tn_nsx_run *run, struct tn_nsx_task *task,
       const struct tn_nsx_verdict *v, const struct tn_nsx_answer *a)
{
    struct tn_nsx_reply *reply = task->reply;
    reply->verdict = *v;
    if (tells_secrets(run->nsx, task, v->text)) {
        reply->verdict.text = "(withheld: it quotes a secret)";
    }
    if (a && a->fate == TN_NSX_ANSWERED) {
        reply->n_body = a->body.n;
        reply->body =
            tn_arena_strndup(run->arena, tn_text_str(&a->body), a->body.n);
    }
    task->done = true;
    run->left--;
}

/* The same again at 'due', if patience lasts that long. */
static void
again(struct tn_nsx_run *run, struct tn_nsx_task *task, int64_t due,
      const struct tn_nsx_verdict *v, const struct tn_nsx_answer *a)
{
    if (v && due > task->deadline) {
        settle(run, task, v, a);
        return;
    }
    task->due = due;
    run->nsx->counts.repeated++;
}

static void
later(struct tn_nsx_run *run, struct tn_nsx_task *task,
      const struct tn_nsx_verdict *v, const struct tn_nsx_answer *a)
{
    bool slower = v->action == TN_NSX_SLOWER, wait = v->action == TN_NSX_WAIT;
    int64_t now = tn_now_ns();
    int64_t first = slower ? SLOWER_MS : wait ? WAIT_MS : RETRY_MS;
    int64_t most = slower ? SLOWER_MOST_MS
                   : wait ? WAIT_MOST_MS
                          : RETRY_MOST_MS;
    int64_t pause = pause_of(task->tries, first, most);
    int64_t asked = (int64_t) a->retry_after_s * 1000 * millisecond;
    task->tries++;
    if (task->at->down_until > now && run->nsx->managers.n > 1) {
        pause = asked = 0; /* It is somebody else who is asked next. */
    }
    again(run, task, now + (pause > asked ? pause : asked), v, a);
}

static void
failed(struct tn_nsx *nsx, struct tn_nsx_manager *m, int64_t sent,
       const char *why)
{
    if (tn_nsx_manager_failed(m, sent, tn_now_ns(), chance(), why) &&
        nsx->managers.n > 1) {
        nsx->counts.failovers++;
    }
}

static void
lost(struct tn_nsx_run *run, struct tn_nsx_task *task, const char *why)
{
    struct tn_nsx_verdict v = {
        .action = TN_NSX_LOST,
        .class = TN_EUNAVAILABLE,
        .text = tn_arena_strdup(run->arena, why),
    };
    settle(run, task, &v, NULL);
}

/* Sends the task to where the manager says, if that is one of ours. */
static enum tn_code
go_elsewhere(struct tn_nsx *nsx, const struct tn_nsx_manager *from,
             const char *location, const char **rest, struct tn_error *err)
{
    char origin[TN_NSX_ORIGIN];
    if (location[0] == '/' && location[1] != '/') {
        *rest = location;
        return TN_OK;
    }
    *rest = tn_nsx_origin(location, origin);
    struct tn_nsx_manager *to =
        *rest ? tn_nsx_managers_find(&nsx->managers, origin) : NULL;
    if (!to) {
        return tn_fail(err, TN_EDENIED, 0,
                       "manager %s sends us to %s, which is not one of "
                       "the managers that are listed",
                       from->origin,
                       *rest ? origin : "what is no https address");
    }
    tn_nsx_managers_use(&nsx->managers, to);
    return TN_OK;
}

static enum tn_code
redirected(struct tn_nsx_run *run, struct tn_nsx_task *task,
           const struct tn_nsx_answer *a, struct tn_error *err)
{
    const char *rest;
    enum tn_code code =
        go_elsewhere(run->nsx, task->at, a->location, &rest, err);
    if (code) {
        return code;
    }
    if (++task->hops > HOPS_MAX) {
        return tn_fail(err, TN_EUNAVAILABLE, a->status,
                       "the managers send us from one to another");
    }
    if (rest[0] == '/' && rest[1]) {
        task->path = tn_arena_strdup(run->arena, rest);
    }
    again(run, task, tn_now_ns(), NULL, NULL);
    return TN_OK;
}

static bool
is_denial(const struct tn_nsx *nsx, const struct tn_nsx_verdict *v)
{
    for (size_t i = 0; !v->known && i < nsx->n_denials; i++) {
        if (nsx->denials[i] == v->code) {
            return true;
        }
    }
    return false;
}

static void
note_denial(struct tn_nsx *nsx, const struct tn_nsx_verdict *v)
{
    if (v->status == 403 && !v->known && v->code && !is_denial(nsx, v) &&
        nsx->n_denials < TN_NSX_DENIALS) {
        nsx->denials[nsx->n_denials++] = v->code;
    }
}

static void
deny(struct tn_nsx_run *run, struct tn_nsx_task *task, struct tn_nsx_verdict *v,
     const struct tn_nsx_answer *a)
{
    v->action = TN_NSX_DENIED;
    v->class = TN_EDENIED;
    settle(run, task, v, a);
}

static enum tn_code
refuse(struct tn_nsx *nsx, const struct tn_nsx_manager *m, const char *why,
       struct tn_error *err)
{
    const char *who = nsx->options.login == TN_NSX_CERTIFICATE
                          ? nsx->options.certificate
                          : nsx->options.user;
    nsx->refused = true;
    if (nsx->refusals.n > 0) {
        tn_nsx_refusals_note(nsx->refusals.s, nsx->options.secret,
                             (int64_t) time(NULL));
    }
    snprintf(nsx->refusal, sizeof nsx->refusal, "manager %s, %.128s: %s",
             m->origin, who, why);
    return tn_fail(err, TN_EDENIED, 0, "%s", nsx->refusal);
}

/* Again with a new session; with that of others if they were quicker. */
static void
renew(struct tn_nsx_run *run, struct tn_nsx_task *task)
{
    if (task->at->generation == task->generation) {
        tn_nsx_manager_forget_session(task->at);
    }
    again(run, task, tn_now_ns(), NULL, NULL);
}

/* 401 and 403: the session may be over, or it is not allowed. */
static enum tn_code
unwelcome(struct tn_nsx_run *run, struct tn_nsx_task *task,
          struct tn_nsx_verdict *v, const struct tn_nsx_answer *a,
          struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    if (nsx->options.login != TN_NSX_SESSION &&
        (v->status == 401 || v->code == 403)) {
        char why[80];
        snprintf(why, sizeof why, "the login was refused (%d/%lld)", v->status,
                 v->code);
        return refuse(nsx, task->at, why, err);
    }
    if (nsx->options.login != TN_NSX_SESSION || is_denial(nsx, v)) {
        deny(run, task, v, a);
        return TN_OK;
    }
    if (!task->renewed || task->sent < nsx->narrowed) {
        task->renewed = true;
        renew(run, task);
    } else if (!nsx->narrow && (v->known || v->status == 401)) {
        /* The session was made a moment ago.  Behind a balancer that spreads
         * connections it holds on the connection it was made on. */
        nsx->narrow = nsx->to_narrow = true;
        nsx->narrowed = tn_now_ns();
        renew(run, task);
    } else {
        note_denial(nsx, v);
        deny(run, task, v, a);
    }
    return TN_OK;
}

/* Answers that say that this manager is not well. */
static void
note_trouble(struct tn_nsx *nsx, struct tn_nsx_task *task,
             const struct tn_nsx_verdict *v)
{
    char why[64];
    struct tn_nsx_manager *m = task->at;
    if (v->status < 500 || v->action == TN_NSX_SMALLER) {
        tn_nsx_manager_well(m);
    } else if (++m->troubles >= TN_NSX_TROUBLES && nsx->managers.n > 1) {
        snprintf(why, sizeof why, "answered %d again and again", v->status);
        failed(nsx, m, task->sent, why);
    }
}

static enum tn_code
judge(struct tn_nsx_run *run, struct tn_nsx_task *task,
      const struct tn_nsx_answer *a, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    struct tn_nsx_verdict v = tn_nsx_verdict_of(
        run->arena, a->status, tn_text_str(&a->body), a->body.n);
    v.action = tn_nsx_action_for(&v, task->call->method);
    v.class = v.action == TN_NSX_ABSENT ? TN_ENOENT : v.class;
    if (v.status == 429 || v.status == 503) {
        tn_nsx_limit_slower(&nsx->limit, task->sent, tn_now_ns());
        nsx->counts.refused_by_rate += v.status == 429;
    }
    note_trouble(nsx, task, &v);
    task->renewed = task->renewed && v.action == TN_NSX_LOGIN;
    switch (v.action) {
    case TN_NSX_LOGIN:
        return unwelcome(run, task, &v, a, err);
    case TN_NSX_ELSEWHERE:
        return redirected(run, task, a, err);
    case TN_NSX_RETRY:
        if (!v.known && v.status != 503 && task->tries >= UNKNOWN_TRIES) {
            settle(run, task, &v, a);
        } else {
            later(run, task, &v, a);
        }
        return TN_OK;
    case TN_NSX_SMALLER:
        if (task->call->page || task->tries >= SMALLER_TRIES) {
            settle(run, task, &v, a);
        } else {
            later(run, task, &v, a);
        }
        return TN_OK;
    case TN_NSX_WAIT:
        if (task->call->hasty) {
            settle(run, task, &v, a);
            return TN_OK;
        }
        later(run, task, &v, a);
        return TN_OK;
    case TN_NSX_SLOWER:
        later(run, task, &v, a);
        return TN_OK;
    case TN_NSX_DONE:
    case TN_NSX_FAIL:
    case TN_NSX_DENIED:
    case TN_NSX_REREAD:
    case TN_NSX_EXISTS:
    case TN_NSX_ABSENT:
    case TN_NSX_REFERRED:
    case TN_NSX_LOST:
        settle(run, task, &v, a);
        return TN_OK;
    }
    return TN_OK;
}

static void
too_large(struct tn_nsx_run *run, struct tn_nsx_task *task,
          const struct tn_nsx_answer *a)
{
    if (is_write(task)) {
        lost(run, task, "the answer is too large");
        return;
    }
    struct tn_nsx_verdict v = {
        .action = TN_NSX_SMALLER,
        .class = TN_EUNAVAILABLE,
        .status = a->status,
        .text = "the answer is too large",
    };
    settle(run, task, &v, NULL);
}

enum tn_code
tn_nsx_task_answered(struct tn_nsx_run *run, struct tn_nsx_task *task,
                     const struct tn_nsx_answer *a, struct tn_error *err)
{
    struct tn_nsx *nsx = run->nsx;
    task->under_way = false;
    run->under_way--;
    switch (a->fate) {
    case TN_NSX_ANSWERED:
        nsx->heard = true;
        run->heard = tn_now_ns();
        return judge(run, task, a, err);
    case TN_NSX_TOO_LARGE:
        too_large(run, task, a);
        return TN_OK;
    case TN_NSX_UNTRUSTED:
        tn_nsx_manager_distrust(task->at, a->why);
        again(run, task, tn_now_ns(), NULL, NULL);
        return TN_OK;
    case TN_NSX_CUT:
        failed(nsx, task->at, task->sent, a->why);
        if (is_write(task)) {
            lost(run, task, a->why);
            return TN_OK;
        }
        if (tn_now_ns() > task->deadline) {
            return tn_fail(err, TN_EUNAVAILABLE, 0, "manager %s: %s",
                           task->at->origin, a->why);
        }
        again(run, task, tn_now_ns(), NULL, NULL);
        return TN_OK;
    case TN_NSX_UNSENT:
        failed(nsx, task->at, task->sent, a->why);
        again(run, task, tn_now_ns(), NULL, NULL);
        return TN_OK;
    }
    return TN_OK;
}

static enum tn_code
login_judged(struct tn_nsx *nsx, struct tn_nsx_manager *m,
             const struct tn_nsx_answer *a, struct tn_error *err)
{
    char why[160];
    const char *rest;
    switch (tn_nsx_login_read(m, a, why, sizeof why)) {
    case TN_NSX_LOGIN_WELCOME:
        m->generation = ++nsx->generations;
        nsx->login_tries = nsx->login_hops = 0;
        tn_nsx_manager_well(m);
        return TN_OK;
    case TN_NSX_LOGIN_REFUSED:
        return refuse(nsx, m, why, err);
    case TN_NSX_LOGIN_SLOWER:
        nsx->counts.refused_by_rate++;
        tn_nsx_limit_slower(&nsx->limit, nsx->login_sent, tn_now_ns());
        nsx->login_after = tn_now_ns() + pause_of(nsx->login_tries++, SLOWER_MS,
                                                  SLOWER_MOST_MS);
        return TN_OK;
    case TN_NSX_LOGIN_ELSEWHERE:
        if (++nsx->login_hops > HOPS_MAX) {
            return tn_fail(err, TN_EUNAVAILABLE, a->status,
                           "the managers send us from one to another");
        }
        return go_elsewhere(nsx, m, a->location, &rest, err);
    case TN_NSX_LOGIN_NOT_HERE:
        failed(nsx, m, nsx->login_sent, why);
        /* A manager that starts is waited for, a wrong address is not. */
        return a->status == 404 && !nsx->generations &&
                       m->failures >= STRANGE_TRIES
                   ? tn_fail(err, TN_EUNAVAILABLE, 404,
                             "%s does not answer like an NSX manager: %s",
                             m->origin, why)
                   : TN_OK;
    }
    return TN_OK;
}

enum tn_code
tn_nsx_login_answered(struct tn_nsx *nsx, const struct tn_nsx_answer *a,
                      struct tn_error *err)
{
    struct tn_nsx_manager *m = nsx->login;
    nsx->login = NULL;
    switch (a->fate) {
    case TN_NSX_ANSWERED:
        nsx->heard = true;
        return login_judged(nsx, m, a, err);
    case TN_NSX_UNTRUSTED:
        tn_nsx_manager_distrust(m, a->why);
        return TN_OK;
    case TN_NSX_UNSENT:
    case TN_NSX_CUT:
    case TN_NSX_TOO_LARGE:
        failed(nsx, m, nsx->login_sent, a->why);
        return TN_OK;
    }
    return TN_OK;
}
