/* deliver.c - requests to one sink, and what its answers mean.
 *
 * Tokens and keys are read from their files for each request: they may be
 * renewed while the daemon runs, and are in memory only while needed. */
#include "reconciler/notify/deliver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/base/crypt.h"
#include "reconciler/notify/alertmanager.h"
#include "reconciler/notify/webhook_out.h"

enum {
    TOKEN_MAX = 4096,
    BASIC_MAX = 8192,
    FORGE_TRIES_MAX = 8,
    REFUSALS_MAX = 3,
    HEADERS = 4
};

/* A request while it is put together. */
struct request {
    struct tn_text url, body;
    struct tn_http_header headers[HEADERS];
    size_t n_headers;
    const char *secret_name;
    struct tn_secret *secret;
    char time[24], signature[TN_WEBHOOK_SIGNATURE];
    char delivery[TN_WEBHOOK_DELIVERY];
};

static void
done_request(struct request *r)
{
    tn_text_done(&r->url);
    tn_text_done(&r->body);
    tn_secret_free(r->secret);
}

static void
add_header(struct request *r, const char *name, const char *value)
{
    r->headers[r->n_headers++] = (struct tn_http_header){name, value};
}

static enum tn_code
read_secret(const char *path, struct tn_secret **out, struct tn_error *err)
{
    enum tn_code code = tn_secret_read(path, TOKEN_MAX, out, err);
    if (!code) {
        tn_secret_chomp(*out);
        if (tn_secret_size(*out) == 0) {
            tn_secret_free(*out);
            *out = NULL;
            return tn_fail(err, TN_EDENIED, 0, "%s is empty", path);
        }
    }
    return code;
}

/* '*out' becomes 'prefix' and the content of the file. */
static enum tn_code
prefixed(const char *prefix, const char *path, struct tn_secret **out,
         struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *token = NULL;
    enum tn_code code = read_secret(path, &token, err);
    size_t n = strlen(prefix);
    if (!code) {
        code = tn_secret_new(n + tn_secret_size(token), out, err);
    }
    if (!code) {
        char *to = stpcpy((char *) tn_secret_bytes(*out), prefix);
        memcpy(to, tn_secret_peek(token), tn_secret_size(token));
    }
    return code;
}

static enum tn_code
basic(const char *path, struct tn_secret **out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *pair = NULL;
    enum tn_code code = read_secret(path, &pair, err);
    if (code) {
        return code;
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    /* Room at once, so that no half of it is left behind by growing. */
    for (size_t i = 0; i < BASIC_MAX; i++) {
        tn_text_addc(&line, ' ');
    }
    tn_text_clear(&line);
    tn_text_add(&line, "Basic ");
    tn_base64_add(&line, tn_secret_peek(pair), tn_secret_size(pair), true);
    code = tn_secret_new(line.n, out, err);
    if (!code) {
        memcpy(tn_secret_bytes(*out), line.s, line.n);
    }
    tn_wipe(line.s, line.n);
    return code;
}

static enum tn_code
authorize(const struct tn_sink *sink, struct request *r, struct tn_error *err)
{
    if (sink->kind == TN_NOTIFY_FORGE) {
        const char *prefix;
        r->secret_name = tn_forge_auth(sink->forge_kind, &prefix);
        return prefixed(prefix, sink->token_file, &r->secret, err);
    }
    r->secret_name = "Authorization";
    if (sink->token_file) {
        return prefixed("Bearer ", sink->token_file, &r->secret, err);
    }
    return sink->basic_file ? basic(sink->basic_file, &r->secret, err) : TN_OK;
}

static enum tn_code
sign(const struct tn_sink *sink, struct request *r, struct tn_notify_now now,
     struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *key = NULL;
    enum tn_code code = read_secret(sink->secret_file, &key, err);
    if (code) {
        return code;
    }
    int64_t at = now.wall_ms / 1000;
    snprintf(r->time, sizeof r->time, "%" PRId64, at);
    add_header(r, "X-Tenet-Timestamp", r->time);
    add_header(r, "X-Tenet-Delivery",
               tn_webhook_delivery(&r->body, r->delivery));
    add_header(r, "X-Tenet-Signature-256",
               tn_webhook_sign(tn_secret_peek(key), tn_secret_size(key), at,
                               &r->body, r->signature));
    return TN_OK;
}

static int64_t
pause_after(const struct tn_sink *sink, uint32_t wait_s)
{
    const struct tn_sink_shared *s = sink->shared;
    uint32_t n = sink->stats.failures_in_row;
    int64_t ms = s->base_ms << (n > 17 ? 16 : n ? n - 1 : 0);
    ms = ms < s->cap_ms ? ms : s->cap_ms;
    uint32_t dice;
    tn_random(&dice, sizeof dice);
    ms = ms / 2 + (int64_t) (dice % (uint32_t) (ms / 2 + 1));
    int64_t asked = (int64_t) wait_s * 1000;
    return ms > asked ? ms : asked;
}

static void
report(const struct tn_sink *sink, enum tn_code what,
       const struct tn_error *err)
{
    if (sink->shared->report) {
        sink->shared->report(sink->shared->ctx, sink->name, what, err);
    }
}

static void
failed(struct tn_sink *sink, uint32_t wait_s, const struct tn_error *err)
{
    sink->stats.failed++;
    sink->stats.failures_in_row += sink->stats.failures_in_row < UINT32_MAX;
    sink->not_before = tn_notify_clock().mono_ms + pause_after(sink, wait_s);
    if (!sink->reported) {
        sink->reported = true;
        report(sink, err->code, err);
    }
}

static void
worked(struct tn_sink *sink, struct tn_notify_now now)
{
    sink->stats.sent++;
    sink->stats.failures_in_row = 0;
    sink->refusals = 0;
    sink->stats.last_success_ms = now.wall_ms;
    sink->not_before = 0;
    if (sink->reported || sink->refused_reported) {
        sink->reported = sink->refused_reported = false;
        report(sink, TN_OK, &(struct tn_error){0});
    }
}

/* Refused for good: said once, until something works again. */
static void
refused(struct tn_sink *sink, const struct tn_error *err)
{
    sink->stats.refused++;
    if (!sink->refused_reported) {
        sink->refused_reported = true;
        report(sink, err->code, err);
    }
}

static void
tell_flying(struct tn_sink *sink, struct tn_notify_now now)
{
    for (size_t i = 0; i < sink->n_flying; i++) {
        tn_alerts_told(sink->shared->alerts, sink->index,
                       &sink->flying[i].fingerprint, sink->flying[i].version,
                       now);
    }
}

/* A sink that takes nothing at all is set up wrongly, and nothing is given up
 * for it; one that takes the rest refuses this alert. */
static void
refused_one(struct tn_sink *sink, const struct tn_http_reply *reply,
            struct tn_notify_now now)
{
    if (sink->stats.sent && sink->refusals < REFUSALS_MAX) {
        sink->refusals++;
        tell_flying(sink, now);
        refused(sink, reply->err);
        return;
    }
    tn_alerts_postpone(sink->shared->alerts, sink->index,
                       &sink->flying[0].fingerprint,
                       now.mono_ms + sink->shared->postpone_ms);
    failed(sink, 0, reply->err);
}

static void
on_alerts(void *ctx, const struct tn_http_reply *reply)
{
    struct tn_sink *sink = ctx;
    struct tn_notify_now now = tn_notify_clock();
    sink->busy = false;
    if (reply->code == TN_OK) {
        tell_flying(sink, now);
        worked(sink, now);
        sink->batch = sink->batch * 2 < TN_BATCH_MAX ? sink->batch * 2
                                                     : (size_t) TN_BATCH_MAX;
    } else if (reply->code == TN_EINTERNAL && sink->n_flying > 1) {
        /* One of them is bad, or they are too many: find out which. */
        sink->batch = sink->n_flying / 2;
    } else if (reply->code == TN_EINTERNAL) {
        refused_one(sink, reply, now);
    } else {
        failed(sink, tn_http_reply_wait(reply, now.wall_ms / 1000), reply->err);
    }
}

static void
on_status(void *ctx, const struct tn_http_reply *reply)
{
    struct tn_sink *sink = ctx;
    struct tn_notify_now now = tn_notify_clock();
    uint32_t wait_s;
    enum tn_forge_verdict verdict =
        tn_forge_judge(sink->forge_kind, reply, now.wall_ms / 1000, &wait_s);
    sink->busy = false;
    /* A conflict that stays one is a refusal. */
    if (verdict == TN_FORGE_AGAIN && reply->code == TN_ESTALE &&
        sink->stats.failures_in_row >= FORGE_TRIES_MAX) {
        verdict = TN_FORGE_NEVER;
    }
    tn_forge_settle(sink->forge, sink->ticket, verdict);
    switch (verdict) {
    case TN_FORGE_POSTED:
        worked(sink, now);
        break;
    case TN_FORGE_AGAIN:
        failed(sink, wait_s, reply->err);
        return;
    case TN_FORGE_NEVER:
        refused(sink, reply->err);
        break;
    }
    /* The last request of a rate limit was granted: wait for the next. */
    if (tn_http_reply_wait(reply, now.wall_ms / 1000)) {
        sink->not_before =
            now.mono_ms +
            (int64_t) tn_http_reply_wait(reply, now.wall_ms / 1000) * 1000;
    }
}

/* Puts the due alerts into 'r'; false if there are none. */
static bool
pack_alerts(struct tn_sink *sink, struct request *r, struct tn_notify_now now)
{
    struct tn_alert_out out[TN_BATCH_MAX];
    size_t n =
        tn_alerts_due(sink->shared->alerts, sink->index, now, out, sink->batch);
    for (size_t i = 0; i < n; i++) {
        sink->flying[i] =
            (struct tn_sink_flying){out[i].fingerprint, out[i].version};
    }
    sink->n_flying = n;
    if (n && sink->kind == TN_NOTIFY_ALERTMANAGER) {
        tn_alertmanager_url(&r->url, sink->url);
        tn_alertmanager_body(&r->body, out, n, sink->shared->generator);
    } else if (n) {
        tn_text_add(&r->url, sink->url);
        tn_webhook_body(&r->body, out, n);
    }
    return n;
}

static bool
pack_status(struct tn_sink *sink, struct request *r)
{
    struct tn_forge_post post;
    if (!tn_forge_take(sink->forge, &post)) {
        return false;
    }
    sink->ticket = post.ticket;
    tn_forge_url(sink->forge, &post, &r->url);
    tn_forge_body(sink->forge, &post, &r->body);
    if (sink->forge_kind == TN_FORGE_GITHUB) {
        add_header(r, "Accept", "application/vnd.github+json");
        add_header(r, "X-GitHub-Api-Version", "2022-11-28");
    }
    return true;
}

static enum tn_code
send_request(struct tn_sink *sink, struct request *r, struct tn_error *err)
{
    struct tn_http_call call = {
        .method = "POST",
        .url = tn_text_str(&r->url),
        .headers = r->headers,
        .n_headers = r->n_headers,
        .body = tn_text_str(&r->body),
        .n_body = r->body.n,
        .ca_file = sink->ca_file,
        .timeout_ms = sink->timeout_ms,
        .proxy_env = sink->proxy_env,
    };
    if (r->secret) {
        call.secret = (struct tn_http_header){
            r->secret_name, (const char *) tn_secret_peek(r->secret)};
    }
    return tn_http_client_send(
        sink->shared->client, &call,
        sink->kind == TN_NOTIFY_FORGE ? on_status : on_alerts, sink, err);
}

void
tn_sink_push(struct tn_sink *sink, struct tn_notify_now now)
{
    if (sink->busy || now.mono_ms < sink->not_before) {
        return;
    }
    TN_CLEANUP(done_request) struct request r = {0};
    add_header(&r, "Content-Type", "application/json");
    bool some = sink->kind == TN_NOTIFY_FORGE ? pack_status(sink, &r)
                                              : pack_alerts(sink, &r, now);
    if (!some) {
        return;
    }
    struct tn_error err = {0};
    enum tn_code code = authorize(sink, &r, &err);
    if (!code && sink->kind == TN_NOTIFY_WEBHOOK) {
        code = sign(sink, &r, now, &err);
    }
    if (!code) {
        code = send_request(sink, &r, &err);
    }
    sink->busy = !code;
    if (code) {
        failed(sink, 0, &err);
    }
}

int64_t
tn_sink_next(const struct tn_sink *sink, struct tn_notify_now now)
{
    if (sink->busy) {
        return INT64_MAX;
    }
    int64_t due =
        sink->kind == TN_NOTIFY_FORGE
            ? (tn_forge_pending(sink->forge) ? now.mono_ms : INT64_MAX)
            : tn_alerts_next(sink->shared->alerts, sink->index);
    return due == INT64_MAX || due > sink->not_before ? due : sink->not_before;
}

size_t
tn_sink_pending(const struct tn_sink *sink)
{
    return sink->kind == TN_NOTIFY_FORGE
               ? tn_forge_pending(sink->forge)
               : tn_alerts_pending(sink->shared->alerts, sink->index);
}
