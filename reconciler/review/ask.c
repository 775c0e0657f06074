/* ask.c - see ask.h.
 *
 * A call is a loop around one request: what the forge refuses for the moment
 * (429, its secondary limits, 5xx, no answer) is asked again after the pause it
 * names, as long as the deadline of the whole posting allows.  A creation that
 * got no answer is not repeated here: the caller looks what became of it. */
#include "reconciler/review/ask.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "model/base/time.h"
#include "reconciler/notify/forge.h"

enum {
    TRIES = 4,
    RESPONSE_MAX = 64 * 1024 * 1024, /* A page of long comments. */
    CALL_MS = 20000,
    HEADERS = 4,
    SECRET_MAX = 4096,
};

/* One request under way. */
struct flight {
    struct tn_door *door;
    struct tn_answer *out;
    struct tn_error *err;
    enum tn_code code;
    enum tn_forge_verdict verdict;
    uint32_t wait_s;
    bool done;
};

static void
landed(void *ctx, const struct tn_http_reply *reply)
{
    struct flight *f = ctx;
    f->code = reply->code;
    f->verdict =
        tn_forge_judge(f->door->forge, reply, (int64_t) time(NULL), &f->wait_s);
    f->out->status = reply->status;
    f->out->body = tn_arena_strndup(f->door->arena, reply->body, reply->n_body);
    f->out->n_body = reply->n_body;
    if (reply->code && f->err) {
        *f->err = *reply->err;
    }
    if (!reply->code && reply->truncated) {
        f->code = tn_fail(f->err, TN_EINTERNAL, 0, "the answer is too long");
        f->verdict = TN_FORGE_NEVER;
    }
    f->done = true;
}

/* The deadline counts for the call, too. */
static enum tn_code
fly(struct flight *f, struct tn_http_call *call)
{
    TN_CLEANUP(tn_cleanup_http_client) struct tn_http_client *client = NULL;
    int64_t left = f->door->deadline_ms - tn_now_ms();
    if (left <= 0) {
        return tn_fail(f->err, TN_EUNAVAILABLE, 0,
                       "no time is left: the forge was too slow before");
    }
    call->timeout_ms = left < CALL_MS ? (uint32_t) left : CALL_MS;
    enum tn_code code = tn_http_client_new(&client, f->err);
    code = code ? code : tn_http_client_send(client, call, landed, f, f->err);
    while (!code && !f->done) {
        struct pollfd p = {.fd = tn_http_client_fd(client), .events = POLLIN};
        poll(&p, 1, 1000);
        tn_http_client_run(client);
    }
    return code ? code : f->code;
}

static enum tn_code
token_header(const struct tn_door *door, struct tn_secret **value,
             const char **name, struct tn_error *err)
{
    const char *prefix;
    *name = tn_forge_auth(door->forge, &prefix);
    size_t n = strlen(prefix), k = tn_secret_size(door->token);
    if (k == 0 || k > SECRET_MAX) {
        return tn_fail(err, TN_EDENIED, 0, "the token is %s",
                       k ? "too long" : "empty");
    }
    enum tn_code code = tn_secret_new(n + k, value, err);
    if (!code) {
        memcpy(stpcpy((char *) tn_secret_bytes(*value), prefix),
               tn_secret_peek(door->token), k);
    }
    return code;
}

static size_t
headers_of(const struct tn_door *door, const struct tn_ask *ask,
           struct tn_http_header out[HEADERS])
{
    size_t n = 0;
    if (ask->body) {
        out[n++] = (struct tn_http_header){"Content-Type", "application/json"};
    }
    if (door->forge == TN_FORGE_GITHUB) {
        out[n++] =
            (struct tn_http_header){"Accept", "application/vnd.github+json"};
        out[n++] =
            (struct tn_http_header){"X-GitHub-Api-Version", "2022-11-28"};
    } else {
        out[n++] = (struct tn_http_header){"Accept", "application/json"};
    }
    return n;
}

/* False if there is no use in waiting, or no time. */
static bool
pause_for(const struct tn_door *door, const struct flight *f, unsigned attempt)
{
    int64_t ms = f->wait_s ? (int64_t) f->wait_s * 1000 : 250 << attempt;
    if (tn_now_ms() + ms >= door->deadline_ms) {
        return false;
    }
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
    return true;
}

/* It was refused, and surely not done. */
static bool
not_done(int status)
{
    return status == 429 || status == 403 || status == 503 || status == 425;
}

enum tn_code
tn_ask_forge(struct tn_door *door, const struct tn_ask *ask,
             struct tn_answer *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *value = NULL;
    struct tn_http_header headers[HEADERS];
    const char *name = NULL;
    *out = (struct tn_answer){.body = ""};
    enum tn_code code = token_header(door, &value, &name, err);
    if (code) {
        return code;
    }
    struct tn_http_call call = {
        .method = ask->method,
        .url = tn_arena_printf(door->arena, "%s%s", door->api, ask->path),
        .headers = headers,
        .n_headers = headers_of(door, ask, headers),
        .secret = {name, (const char *) tn_secret_peek(value)},
        .body = ask->body,
        .n_body = ask->body ? strlen(ask->body) : 0,
        .ca_file = door->ca_file,
        .max_response = RESPONSE_MAX,
        .proxy_env = true,
    };
    for (unsigned i = 0; i < TRIES; i++) {
        struct flight f = {.door = door, .out = out, .err = err};
        f.verdict = TN_FORGE_NEVER;
        code = fly(&f, &call);
        if (!code || f.verdict != TN_FORGE_AGAIN || f.code == TN_ESTALE ||
            (ask->once && !not_done(out->status)) || !pause_for(door, &f, i)) {
            break;
        }
    }
    return code ? tn_while(err, code, "%s", ask->method) : TN_OK;
}

const char *
tn_ask_repository(const struct tn_door *door)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    bool gitlab = door->forge == TN_FORGE_GITLAB;
    tn_text_add(&t, gitlab ? "/projects/" : "/repos/");
    for (const char *p = door->repository; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p) ||
                     (*p == '/' && !gitlab);
        if (plain) {
            tn_text_addc(&t, *p);
        } else {
            tn_text_addf(&t, "%%%02X", (unsigned char) *p);
        }
    }
    return tn_arena_strdup(door->arena, tn_text_str(&t));
}
