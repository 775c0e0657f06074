/* client.c - libcurl's multi interface behind one file descriptor.
 *
 * Curl says which sockets it wants watched and when it wants to be woken; the
 * first go into an epoll set, the second into a timerfd in the same set.  The
 * set is itself pollable, so the loop of the daemon sees one descriptor and
 * knows nothing of curl.  Names are resolved by curl's own threads.
 *
 * It does not retry and keeps no queue: who calls knows what a repetition
 * means. */
#include "reconciler/http/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include "model/base/cleanup.h"
#include "model/base/lazy.h"
#include "model/base/text.h"

#define CURL_CALLS(X)                                                          \
    X(curl_easy_cleanup)                                                       \
    X(curl_easy_getinfo)                                                       \
    X(curl_easy_init)                                                          \
    X(curl_easy_setopt)                                                        \
    X(curl_easy_strerror)                                                      \
    X(curl_global_init)                                                        \
    X(curl_multi_add_handle)                                                   \
    X(curl_multi_assign)                                                       \
    X(curl_multi_cleanup)                                                      \
    X(curl_multi_info_read)                                                    \
    X(curl_multi_init)                                                         \
    X(curl_multi_remove_handle)                                                \
    X(curl_multi_setopt)                                                       \
    X(curl_multi_socket_action)                                                \
    X(curl_slist_append)                                                       \
    X(curl_slist_free_all)
TN_LAZY(libcurl, CURL_CALLS, TN_SONAME_CURL, TN_PACKAGE_CURL);

enum { CONNECT_MS = 5000, REDIRECTS_MAX = 3, EVENTS = 32 };

struct call {
    struct call *next, *prev;
    struct tn_http_client *client;
    CURL *easy;
    struct curl_slist *headers;
    char *secret_line; /* Borrowed from 'headers'. */
    char *url;
    tn_http_done_fn *done;
    void *ctx;
    struct tn_text body;
    size_t max;
    int redirects_left;
    bool truncated, reads; /* 'reads': GET or HEAD. */
    char text[CURL_ERROR_SIZE];
};

struct tn_http_client {
    CURLM *multi;
    int epoll, timer;
    struct call *calls;
    size_t busy;
};

static void
free_call(struct call *c)
{
    if (!c) {
        return;
    }
    sym_curl_easy_cleanup(c->easy);
    if (c->secret_line) {
        explicit_bzero(c->secret_line, strlen(c->secret_line));
    }
    sym_curl_slist_free_all(c->headers);
    tn_text_done(&c->body);
    free(c->url);
    free(c);
}

static void
link_call(struct tn_http_client *client, struct call *c)
{
    c->next = client->calls;
    if (c->next) {
        c->next->prev = c;
    }
    client->calls = c;
    client->busy++;
}

static void
unlink_call(struct tn_http_client *client, struct call *c)
{
    if (c->next) {
        c->next->prev = c->prev;
    }
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        client->calls = c->next;
    }
    client->busy--;
}

static int
on_socket(CURL *easy, curl_socket_t s, int what, void *ctx, void *known)
{
    (void) easy;
    struct tn_http_client *client = ctx;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(client->epoll, EPOLL_CTL_DEL, s, NULL);
        return 0;
    }
    struct epoll_event ev = {.data.fd = s};
    ev.events = (what & CURL_POLL_IN ? (uint32_t) EPOLLIN : 0) |
                (what & CURL_POLL_OUT ? (uint32_t) EPOLLOUT : 0);
    if (epoll_ctl(client->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s,
                  &ev) < 0 &&
        errno == (known ? ENOENT : EEXIST)) {
        epoll_ctl(client->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s, &ev);
    }
    sym_curl_multi_assign(client->multi, s, client);
    return 0;
}

static int
on_timer(CURLM *multi, long ms, void *ctx)
{
    (void) multi;
    struct tn_http_client *client = ctx;
    struct itimerspec t = {0};
    if (ms >= 0) {
        t.it_value.tv_sec = ms / 1000;
        t.it_value.tv_nsec = ms % 1000 * 1000000;
        t.it_value.tv_nsec += ms == 0; /* Zero would disarm. */
    }
    timerfd_settime(client->timer, 0, &t, NULL);
    return 0;
}

/* Stops reading once there is more than asked for: the status is known. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct call *c = ctx;
    size_t len = size * n;
    size_t room = c->max - c->body.n;
    tn_text_addn(&c->body, bytes, len < room ? len : room);
    if (len <= room) {
        return len;
    }
    c->truncated = true;
    return CURL_WRITEFUNC_ERROR;
}

static bool
is_header_text(const char *s, bool name)
{
    for (const unsigned char *p = (const unsigned char *) s; *p; p++) {
        if (*p < ' ' || *p == 0x7f || (name && strchr(" :;,()<>@\"", *p))) {
            return false;
        }
    }
    return !name || *s;
}

static enum tn_code
add_header(struct call *c, const struct tn_http_header *h, bool secret,
           struct tn_error *err)
{
    if (!h->name || !h->value || !is_header_text(h->name, true) ||
        !is_header_text(h->value, false)) {
        return tn_fail(err, TN_EINTENT, 0, "HTTP header %s is malformed",
                       h->name && is_header_text(h->name, true) ? h->name
                                                                : "(name)");
    }
    TN_CLEANUP(tn_cleanup_text) struct tn_text line = {0};
    tn_text_addf(&line, "%s: %s", h->name, h->value);
    struct curl_slist *more = sym_curl_slist_append(c->headers, line.s);
    if (secret) {
        explicit_bzero(line.s, line.n);
    }
    if (!more) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for a header");
    }
    c->headers = more;
    if (secret) {
        while (more->next) {
            more = more->next;
        }
        c->secret_line = more->data;
    }
    return TN_OK;
}

static enum tn_code
set_headers(struct call *c, const struct tn_http_call *call,
            struct tn_error *err)
{
    enum tn_code code = TN_OK;
    if (call->n_headers > TN_HTTP_HEADERS_MAX) {
        return tn_fail(err, TN_EINTENT, 0, "more than %d HTTP headers",
                       TN_HTTP_HEADERS_MAX);
    }
    for (size_t i = 0; i < call->n_headers && !code; i++) {
        code = add_header(c, &call->headers[i], false, err);
    }
    if (!code && call->secret.name) {
        code = add_header(c, &call->secret, true, err);
    }
    /* Curl's habit of asking first costs a second with servers that do not
     * answer the question. */
    static const struct tn_http_header no_expect = {"Expect", ""};
    return code ? code : add_header(c, &no_expect, false, err);
}

static bool
set_options(struct call *c, const struct tn_http_call *call)
{
    CURL *e = c->easy;
    long ms = call->timeout_ms ? (long) call->timeout_ms : TN_HTTP_TIMEOUT_MS;
    const char *method = call->method ? call->method
                         : call->body ? "POST"
                                      : "GET";
    bool head = strcmp(method, "HEAD") == 0;
    c->reads = head || strcmp(method, "GET") == 0;
    c->max = call->max_response ? call->max_response : TN_HTTP_RESPONSE_MAX;
    c->redirects_left = call->follow ? REDIRECTS_MAX : 0;
    int bad = 0;
#define SET(option, value) (bad |= sym_curl_easy_setopt(e, option, value) != 0)
    SET(CURLOPT_URL, c->url);
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_ERRORBUFFER, c->text);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_HTTPHEADER, c->headers);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* Never wait for a resolver thread. */
    SET(CURLOPT_TIMEOUT_MS, ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : (long) CONNECT_MS);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_USERAGENT, "tenet");
    SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_NOBODY, head ? 1L : 0L);
    if (!call->proxy_env) {
        SET(CURLOPT_PROXY, "");
    }
    if (call->ca_file) {
        SET(CURLOPT_CAINFO, call->ca_file);
        SET(CURLOPT_CAPATH, NULL);
    }
    if (call->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) call->n_body);
        SET(CURLOPT_COPYPOSTFIELDS, (const char *) call->body);
    }
    if (!head) {
        SET(CURLOPT_CUSTOMREQUEST, method);
    }
#undef SET
    return !bad;
}

static enum tn_code
prepare(struct call *c, const struct tn_http_call *call, struct tn_error *err)
{
    c->url = strdup(call->url);
    c->easy = sym_curl_easy_init();
    if (!c->url || !c->easy) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for an HTTP call");
    }
    enum tn_code code = set_headers(c, call, err);
    if (!code && !set_options(c, call)) {
        code = tn_fail(err, TN_EINTERNAL, 0, "libcurl refuses an option");
    }
    return code;
}

/* The class of a failure below HTTP. */
static enum tn_code
curl_class(CURLcode rc)
{
    switch ((int) rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return TN_EDENIED;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return TN_EINTERNAL;
    default:
        return TN_EUNAVAILABLE;
    }
}

/* True if 'a' and 'b' have the same scheme, host and port. */
static bool
same_origin(const char *a, const char *b)
{
    char x[TN_HTTP_ORIGIN], y[TN_HTTP_ORIGIN];
    return tn_http_origin(a, x) && tn_http_origin(b, y) && strcmp(x, y) == 0;
}

/* Sends the call on to where it was redirected, if it may. */
static bool
follow(struct call *c, int status)
{
    char *to = NULL;
    bool allowed = status == 307 || status == 308 ||
                   (c->reads && (status == 301 || status == 302));
    if (!allowed || c->redirects_left == 0 ||
        sym_curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to) || !to ||
        !same_origin(to, c->url)) {
        return false;
    }
    char *url = strdup(to);
    if (!url) {
        return false;
    }
    free(c->url);
    c->url = url;
    c->redirects_left--;
    tn_text_clear(&c->body);
    return !sym_curl_easy_setopt(c->easy, CURLOPT_URL, url) &&
           !sym_curl_multi_add_handle(c->client->multi, c->easy);
}

static void
describe(struct call *c, CURLcode rc, struct tn_http_reply *reply,
         struct tn_error *err)
{
    char where[TN_HTTP_ORIGIN];
    tn_http_origin(c->url, where);
    if (reply->status == 0) {
        reply->code = tn_fail(err, curl_class(rc), 0, "%s: %s", where,
                              rc == CURLE_OK ? "no answer"
                              : c->text[0]   ? c->text
                                             : sym_curl_easy_strerror(rc));
        return;
    }
    reply->code = tn_http_status_code(reply->status);
    if (reply->code) {
        reply->code = tn_fail(err, reply->code, reply->status,
                              "%s: answered %d", where, reply->status);
    }
}

static void
finish(struct tn_http_client *client, struct call *c, CURLcode rc)
{
    long status = 0;
    sym_curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    sym_curl_multi_remove_handle(client->multi, c->easy);
    bool answered = rc == CURLE_OK || c->truncated;
    status = answered ? status : 0;
    if (answered && follow(c, (int) status)) {
        return;
    }
    unlink_call(client, c);
    struct tn_error err = {0};
    struct tn_http_reply reply = {
        .status = (int) status,
        .body = tn_text_str(&c->body),
        .n_body = c->body.n,
        .truncated = c->truncated,
        .err = &err,
        .opaque = c->easy,
    };
    describe(c, rc, &reply, &err);
    c->done(c->ctx, &reply);
    free_call(c);
}

static void
finish_all(struct tn_http_client *client)
{
    int left;
    const CURLMsg *m;
    while ((m = sym_curl_multi_info_read(client->multi, &left))) {
        struct call *c = NULL;
        if (m->msg == CURLMSG_DONE) {
            CURLcode rc = m->data.result;
            sym_curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
            finish(client, c, rc);
        }
    }
}

static enum tn_code
start(struct tn_http_client *client, struct tn_error *err)
{
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    client->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = client->timer};
    if (client->epoll < 0 || client->timer < 0 ||
        epoll_ctl(client->epoll, EPOLL_CTL_ADD, client->timer, &ev) < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "HTTP client");
    }
    CURLM *m = client->multi = sym_curl_multi_init();
    if (!m || sym_curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) ||
        sym_curl_multi_setopt(m, CURLMOPT_SOCKETDATA, client) ||
        sym_curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_timer) ||
        sym_curl_multi_setopt(m, CURLMOPT_TIMERDATA, client) ||
        sym_curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, 16L)) {
        return tn_fail(err, TN_EINTERNAL, 0, "libcurl does not start");
    }
    return TN_OK;
}

enum tn_code
tn_http_library_init(struct tn_error *err)
{
    enum tn_code code = tn_lazy_load(&libcurl, err);
    if (!code && sym_curl_global_init(CURL_GLOBAL_DEFAULT)) {
        code = tn_fail(err, TN_EINTERNAL, 0, "libcurl does not start");
    }
    return code;
}

enum tn_code
tn_http_client_new(struct tn_http_client **out, struct tn_error *err)
{
    enum tn_code code = tn_lazy_load(&libcurl, err);
    if (code) {
        return code;
    }
    struct tn_http_client *client = calloc(1, sizeof *client);
    if (!client) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "HTTP client");
    }
    code = start(client, err);
    if (code) {
        tn_http_client_free(client);
        return code;
    }
    *out = client;
    return TN_OK;
}

void
tn_http_client_free(struct tn_http_client *client)
{
    if (!client) {
        return;
    }
    for (struct call *c = client->calls, *next; c; c = next) {
        next = c->next;
        sym_curl_multi_remove_handle(client->multi, c->easy);
        free_call(c);
    }
    sym_curl_multi_cleanup(client->multi);
    tn_cleanup_fd(&client->timer);
    tn_cleanup_fd(&client->epoll);
    free(client);
}

enum tn_code
tn_http_client_send(struct tn_http_client *client,
                    const struct tn_http_call *call, tn_http_done_fn *done,
                    void *ctx, struct tn_error *err)
{
    if (client->busy >= TN_HTTP_CALLS_MAX) {
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "%d HTTP calls are under way already",
                       TN_HTTP_CALLS_MAX);
    }
    char where[TN_HTTP_ORIGIN];
    if (!tn_http_origin(call->url, where)) {
        return tn_fail(err, TN_EINTENT, 0,
                       "not an http(s) URL without user and password");
    }
    struct call *c = calloc(1, sizeof *c);
    if (!c) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for an HTTP call");
    }
    c->client = client;
    c->done = done;
    c->ctx = ctx;
    enum tn_code code = prepare(c, call, err);
    if (!code && sym_curl_multi_add_handle(client->multi, c->easy)) {
        code = tn_fail(err, TN_EINTERNAL, 0, "%s: libcurl refuses the call",
                       where);
    }
    if (code) {
        free_call(c);
        return code;
    }
    link_call(client, c);
    return TN_OK;
}

int
tn_http_client_fd(const struct tn_http_client *client)
{
    return client->epoll;
}

void
tn_http_client_run(struct tn_http_client *client)
{
    struct epoll_event ev[EVENTS];
    int running, n = epoll_wait(client->epoll, ev, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        if (ev[i].data.fd == client->timer) {
            uint64_t ticks;
            if (read(client->timer, &ticks, sizeof ticks) > 0) {
                sym_curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT,
                                             0, &running);
            }
            continue;
        }
        int what =
            (ev[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
            (ev[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (ev[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        sym_curl_multi_socket_action(client->multi, ev[i].data.fd, what,
                                     &running);
    }
    finish_all(client);
}

size_t
tn_http_client_busy(const struct tn_http_client *client)
{
    return client->busy;
}
