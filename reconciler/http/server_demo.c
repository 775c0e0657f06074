/* server_demo.c - the listener with a loop around it, for server_test.py.
 *
 *     http_demo LISTEN REQUEST_SECONDS IDLE_SECONDS [CERTIFICATE KEY]
 *
 * LISTEN may be "fd:N", a socket that listens already.  Prints "listening
 * PORT", serves until SIGTERM, prints how often the loop went round and how
 * many connections are left. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "model/base/cleanup.h"
#include "reconciler/http/health.h"
#include "reconciler/http/server.h"
#include "reconciler/http/webhook.h"
#include "reconciler/metrics/metrics.h"

struct demo {
    struct tn_webhook *webhook;
    struct tn_metrics *metrics;
};

static int64_t
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
echo(void *ctx, const struct tn_http_request *request,
     struct tn_http_response *response)
{
    (void) ctx;
    const char *arg = tn_http_arg(request, "a");
    const char *field = tn_http_field(request, "x-test");
    tn_text_addf(&response->body,
                 "%s %s peer=%s a=%s x=%s body=", request->method,
                 request->path, request->peer, arg ? arg : "(none)",
                 field ? field : "(none)");
    tn_text_addn(&response->body, request->body, request->n_body);
    tn_text_addc(&response->body, '\n');
}

static void
big(void *ctx, const struct tn_http_request *request,
    struct tn_http_response *response)
{
    (void) ctx;
    (void) request;
    for (int i = 0; i < 1 << 19; i++) {
        tn_text_add(&response->body, "0123456789abcdef");
    }
}

static void
webhook(void *ctx, const struct tn_http_request *request,
        struct tn_http_response *response)
{
    struct demo *d = ctx;
    struct tn_webhook_result result =
        tn_webhook_judge(d->webhook, request, now_ms());
    tn_metric_add(d->metrics, TN_M_WEBHOOKS,
                  TN_LABELS(tn_webhook_verdict_name(result.verdict)), 1);
    tn_webhook_answer(&result, response);
}

static void
metrics(void *ctx, const struct tn_http_request *request,
        struct tn_http_response *response)
{
    struct demo *d = ctx;
    enum tn_metrics_format format =
        tn_metrics_negotiate(tn_http_field(request, "Accept"));
    tn_metrics_process(d->metrics);
    response->type = tn_metrics_content_type(format);
    tn_metrics_print(d->metrics, format, &response->body);
}

static void
health(void *ctx, const struct tn_http_request *request,
       struct tn_http_response *response)
{
    (void) ctx;
    (void) request;
    struct tn_health h = {.tick_limit_ms = 1};
    tn_health_live(&h, response);
}

static void
answered(void *ctx, const char *path, unsigned status)
{
    struct demo *d = ctx;
    char code[8];
    snprintf(code, sizeof code, "%u", status);
    tn_metric_add(d->metrics, TN_M_HTTP_REQUESTS, TN_LABELS(path, code), 1);
}

static const struct tn_http_route routes[] = {
    {"GET", "/echo", 0, echo},       {"POST", "/echo", 1000, echo},
    {"GET", "/big", 0, big},         {"POST", "/webhook", 65536, webhook},
    {"GET", "/metrics", 0, metrics}, {"GET", "/healthz", 0, health},
};

static unsigned long
serve(struct tn_http_server *server, int signals)
{
    unsigned long rounds = 0;
    struct pollfd fds[] = {
        {.fd = tn_http_server_fd(server), .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    for (;; rounds++) {
        int n = poll(fds, 2, tn_http_server_timeout_ms(server));
        if (n < 0 && errno != EINTR) {
            perror("poll");
            return rounds;
        }
        if (fds[1].revents) {
            return rounds;
        }
        tn_http_server_run(server);
    }
}

int
main(int argc, char **argv)
{
    if (argc != 4 && argc != 6) {
        fprintf(stderr, "usage: http_demo LISTEN REQUEST_SECONDS "
                        "IDLE_SECONDS [CERTIFICATE KEY]\n");
        return 2;
    }
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    TN_CLEANUP(tn_cleanup_fd) int signals = signalfd(-1, &stop, SFD_CLOEXEC);
    static const char key[] = "secret";
    TN_CLEANUP(tn_cleanup_secret) struct tn_secret *secret = NULL;
    struct tn_error err = {0};
    char text[512];
    if (tn_secret_new(sizeof key - 1, &secret, &err)) {
        return 1;
    }
    memcpy(tn_secret_bytes(secret), key, sizeof key - 1);
    struct tn_webhook_options judge = {
        .secret = secret, .branch = "main", .peer_rate = 600};
    TN_CLEANUP(tn_cleanup_metrics)
    struct tn_metrics *registry = tn_metrics_new();
    struct demo demo = {tn_webhook_new(&judge), registry};
    struct tn_http_options options = {
        .listen = strncmp(argv[1], "fd:", 3) == 0 ? NULL : argv[1],
        .listen_fd = strncmp(argv[1], "fd:", 3) == 0 ? atoi(argv[1] + 3) : 0,
        .request_seconds = (unsigned) atoi(argv[2]),
        .idle_seconds = (unsigned) atoi(argv[3]),
        .certificate = argc == 6 ? argv[4] : NULL,
        .key = argc == 6 ? argv[5] : NULL,
        .routes = routes,
        .n_routes = TN_ARRAY_SIZE(routes),
        .ctx = &demo,
        .answered = answered,
    };
    struct tn_http_server *server = NULL;
    enum tn_code code = tn_http_server_open(&options, &server, &err);
    if (code) {
        fprintf(stderr, "%s: %s\n", tn_code_name(code),
                tn_error_text(&err, text, sizeof text));
        tn_webhook_free(demo.webhook);
        return 1;
    }
    printf("listening %u\n", tn_http_server_port(server));
    fflush(stdout);
    unsigned long rounds = serve(server, signals);
    printf("rounds %lu connections %u\n", rounds,
           tn_http_server_connections(server));
    tn_http_server_close(server);
    tn_webhook_free(demo.webhook);
    return 0;
}
