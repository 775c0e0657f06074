/* serve.c - what the daemon answers over HTTP: metrics, health, and the push
 * webhook. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/crypt.h"
#include "reconciler/daemon/loop.h"
#include "reconciler/http/health.h"

enum { SECRET_BYTES = 4096, TICK_LIMIT_MS = 10000, SAY_MS = 10000 };

static void
metrics_get(void *ctx, const struct tn_http_request *request,
            struct tn_http_response *response)
{
    struct tn_loop *l = ctx;
    enum tn_metrics_format format =
        tn_metrics_negotiate(tn_http_field(request, "Accept"));
    tn_metrics_process(l->metrics);
    response->type = tn_metrics_content_type(format);
    tn_metrics_print(l->metrics, format, &response->body);
}

static void
health_fill(const struct tn_loop *l, struct tn_arena *arena,
            struct tn_health *out)
{
    size_t n = 0;
    for (const struct tn_slot *s = l->slots; s; s = s->next) {
        n++;
    }
    struct tn_health_device *devices =
        tn_new_n(arena, struct tn_health_device, n);
    *out = (struct tn_health){
        .now_ms = tn_now_ms(),
        .last_tick_ms = l->tick_ms,
        .tick_limit_ms = TICK_LIMIT_MS,
        .stopping = l->stopping,
        .intent_commit = l->intent ? l->intent->run->commit.id : NULL,
        .source_error = l->stale,
        .devices = devices,
    };
    for (const struct tn_slot *s = l->slots; s; s = s->next) {
        bool seen = s->report && s->report->outcome != TN_UNIT_UNREACHABLE;
        devices[out->n_devices++] = (struct tn_health_device){
            .name = s->name,
            .seen = seen,
            .reason = seen || !s->report ? NULL : s->report->device.why,
        };
    }
}

static void
live_get(void *ctx, const struct tn_http_request *request,
         struct tn_http_response *response)
{
    struct tn_health health;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    (void) request;
    health_fill(ctx, arena, &health);
    tn_health_live(&health, response);
}

static void
ready_get(void *ctx, const struct tn_http_request *request,
          struct tn_http_response *response)
{
    struct tn_health health;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    (void) request;
    health_fill(ctx, arena, &health);
    tn_health_ready(&health, response);
}

static void
webhook_post(void *ctx, const struct tn_http_request *request,
             struct tn_http_response *response)
{
    struct tn_loop *l = ctx;
    if (!l->webhook) {
        response->status = 404;
        return;
    }
    struct tn_webhook_result result =
        tn_webhook_judge(l->webhook, request, tn_now_ms());
    tn_metric_add(l->metrics, TN_M_WEBHOOKS,
                  TN_LABELS(tn_webhook_verdict_name(result.verdict)), 1);
    /* Whoever knocks without end fills the metrics, not the log. */
    bool woken = result.verdict == TN_WEBHOOK_WAKE;
    int64_t now = tn_now_ms();
    bool said = l->webhook_said_ms && now - l->webhook_said_ms < SAY_MS;
    if (!woken && !said) {
        l->webhook_said_ms = now;
    }
    tn_log(l->log, !woken && said ? TN_LOG_DEBUG : TN_LOG_INFO, NULL,
           "webhook from %s: %s (%s)", request->peer,
           tn_webhook_verdict_name(result.verdict), result.reason);
    if (woken) {
        tn_upstream_wake(l->upstream);
    }
    tn_webhook_answer(&result, response);
}

static void
answered(void *ctx, const char *path, unsigned status)
{
    struct tn_loop *l = ctx;
    char code[16];
    snprintf(code, sizeof code, "%u", status);
    tn_metric_add(l->metrics, TN_M_HTTP_REQUESTS, TN_LABELS(path, code), 1);
}

static enum tn_code
webhook_open(struct tn_loop *l, struct tn_error *err)
{
    const struct tn_daemon *c = l->config;
    struct tn_secret *secret = NULL;
    if (!c->http.webhook_secret_file.v) {
        return TN_OK;
    }
    enum tn_code code = tn_secret_read(c->http.webhook_secret_file.v,
                                       SECRET_BYTES, &secret, err);
    if (code) {
        return tn_while(err, code, "secret of the webhook");
    }
    tn_secret_chomp(secret);
    struct tn_webhook_options o = {
        .secret = secret,
        .repository = c->http.webhook_repository.v,
        .branch = c->source.branch.v,
    };
    l->webhook = tn_webhook_new(&o);
    l->webhook_secret = secret;
    return TN_OK;
}

enum tn_code
tn_serve_open(struct tn_loop *l, struct tn_error *err)
{
    static const struct tn_http_route routes[] = {
        {"GET", "/metrics", 0, metrics_get},
        {"GET", "/healthz", 0, live_get},
        {"GET", "/readyz", 0, ready_get},
        {"POST", "/webhook", TN_WEBHOOK_BODY, webhook_post},
    };
    if (!l->config->http.listen.v) {
        return TN_OK;
    }
    enum tn_code code = webhook_open(l, err);
    if (code) {
        return code;
    }
    struct tn_http_options o = {
        .listen = l->config->http.listen.v,
        .routes = routes,
        .n_routes = TN_ARRAY_SIZE(routes),
        .ctx = l,
        .answered = answered,
    };
    return tn_http_server_open(&o, &l->http, err);
}

/* "127.0.0.1:80" and "[::]:80" cannot be listened on at the same time. */
static const char *
port_of(const char *listen)
{
    const char *colon = listen ? strrchr(listen, ':') : NULL;
    return colon && listen[0] != '/' ? colon : listen;
}

enum tn_code
tn_serve_check(const struct tn_loop *l, const struct tn_daemon *next,
               struct tn_error *err)
{
    struct tn_loop trial = {
        .options = l->options,
        .config = next,
        .log = l->log,
        .metrics = l->metrics,
    };
    bool ours = tn_streq(port_of(next->http.listen.v),
                         port_of(l->config->http.listen.v));
    enum tn_code code = TN_OK;
    if (ours && next->http.listen.v) {
        code = webhook_open(&trial, err);
    } else {
        code = tn_serve_open(&trial, err);
    }
    tn_serve_close(&trial);
    return code;
}

void
tn_serve_close(struct tn_loop *l)
{
    tn_http_server_close(l->http);
    tn_webhook_free(l->webhook);
    tn_secret_free(l->webhook_secret);
    l->webhook_secret = NULL;
    l->http = NULL;
    l->webhook = NULL;
}
