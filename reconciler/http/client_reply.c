/* client_reply.c - what is made of URLs and answers, and waiting for one call.
 *
 * Nothing here starts or ends a transfer; that is client.c. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "model/base/lazy.h"
#include "model/base/text.h"
#include "reconciler/http/client.h"

#define CURL_CALLS(X)                                                          \
    X(curl_easy_header)                                                        \
    X(curl_free)                                                               \
    X(curl_getdate)                                                            \
    X(curl_url)                                                                \
    X(curl_url_cleanup)                                                        \
    X(curl_url_get)                                                            \
    X(curl_url_set)
TN_LAZY(libcurl, CURL_CALLS, TN_SONAME_CURL, TN_PACKAGE_CURL);

enum { WAIT_MAX_S = 3600 };

/* Host and port of an http(s) URL; null if it is none or has credentials. */
static CURLU *
parse_url(const char *url)
{
    if (!url || tn_lazy_load(&libcurl, NULL)) {
        return NULL;
    }
    CURLU *u = sym_curl_url();
    char *scheme = NULL, *user = NULL;
    bool fine = u && !sym_curl_url_set(u, CURLUPART_URL, url, 0) &&
                !sym_curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
                (tn_streq(scheme, "http") || tn_streq(scheme, "https")) &&
                sym_curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK;
    sym_curl_free(scheme);
    sym_curl_free(user);
    if (!fine) {
        sym_curl_url_cleanup(u);
        return NULL;
    }
    return u;
}

const char *
tn_http_reply_header(const struct tn_http_reply *reply, const char *name)
{
    struct curl_header *h = NULL;
    if (!reply->opaque || tn_lazy_load(&libcurl, NULL) ||
        sym_curl_easy_header(reply->opaque, name, 0, CURLH_HEADER, -1, &h) !=
            CURLHE_OK) {
        return NULL;
    }
    return h->value;
}

static int64_t
number_of(const char *s)
{
    char *end = NULL;
    errno = 0;
    long long v = s ? strtoll(s, &end, 10) : -1;
    return !s || errno || end == s || *end ? -1 : (int64_t) v;
}

uint32_t
tn_http_reply_wait(const struct tn_http_reply *reply, int64_t now_s)
{
    const char *after = tn_http_reply_header(reply, "Retry-After");
    int64_t wait = number_of(after);
    if (after && wait < 0) {
        time_t at = sym_curl_getdate(after, NULL);
        wait = at < 0 ? 0 : (int64_t) at - now_s;
    }
    if (!after) {
        static const char *const names[][2] = {
            {"X-RateLimit-Remaining", "X-RateLimit-Reset"},
            {"RateLimit-Remaining", "RateLimit-Reset"},
        };
        for (size_t i = 0; i < TN_ARRAY_SIZE(names) && wait <= 0; i++) {
            if (number_of(tn_http_reply_header(reply, names[i][0])) == 0) {
                int64_t reset =
                    number_of(tn_http_reply_header(reply, names[i][1]));
                /* A small number is a duration, a large one a date. */
                wait = reset > 1000000000 ? reset - now_s : reset;
            }
        }
    }
    return wait <= 0           ? 0
           : wait > WAIT_MAX_S ? (uint32_t) WAIT_MAX_S
                               : (uint32_t) wait;
}

enum tn_code
tn_http_status_code(int status)
{
    switch (status) {
    case 401:
    case 403:
    case 407:
        return TN_EDENIED;
    case 404:
    case 410:
        return TN_ENOENT;
    case 405:
    case 501:
        return TN_EUNSUPPORTED;
    case 409:
    case 412:
        return TN_ESTALE;
    case 408:
    case 425:
    case 429:
        return TN_EUNAVAILABLE;
    default:
        break;
    }
    return status >= 200 && status < 300   ? TN_OK
           : status >= 300 && status < 400 ? TN_EUNSUPPORTED
           : status >= 400 && status < 500 ? TN_EINTERNAL
                                           : TN_EUNAVAILABLE;
}

bool
tn_http_origin(const char *url, char buf[TN_HTTP_ORIGIN])
{
    snprintf(buf, TN_HTTP_ORIGIN, "?");
    CURLU *u = parse_url(url);
    if (!u) {
        return false;
    }
    char *scheme = NULL, *host = NULL, *port = NULL;
    bool ok = !sym_curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
              !sym_curl_url_get(u, CURLUPART_HOST, &host, 0) &&
              !sym_curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
              strlen(host) <= 255;
    if (ok) {
        snprintf(buf, TN_HTTP_ORIGIN, "%s://%s:%s", scheme, host, port);
    }
    sym_curl_free(scheme);
    sym_curl_free(host);
    sym_curl_free(port);
    sym_curl_url_cleanup(u);
    return ok;
}

struct waiting {
    struct tn_arena *arena;
    struct tn_http_reply *reply;
    struct tn_error *err;
    bool done;
};

static void
keep_reply(void *ctx, const struct tn_http_reply *reply)
{
    struct waiting *w = ctx;
    *w->reply = *reply;
    w->reply->body = tn_arena_strndup(w->arena, reply->body, reply->n_body);
    w->reply->opaque = NULL;
    w->reply->err = NULL;
    if (reply->code && w->err) {
        *w->err = *reply->err;
    }
    w->done = true;
}

enum tn_code
tn_http_call_wait(const struct tn_http_call *call, struct tn_arena *arena,
                  struct tn_http_reply *out, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_http_client) struct tn_http_client *client = NULL;
    enum tn_code code = tn_http_client_new(&client, err);
    struct tn_http_reply reply = {0};
    struct waiting w = {.arena = arena, .reply = &reply, .err = err};
    if (!code) {
        code = tn_http_client_send(client, call, keep_reply, &w, err);
    }
    if (code) {
        return code;
    }
    while (!w.done) {
        struct pollfd p = {.fd = tn_http_client_fd(client), .events = POLLIN};
        poll(&p, 1, 1000);
        tn_http_client_run(client);
    }
    *out = reply;
    return reply.code;
}
