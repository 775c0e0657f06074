/* http.c - see http.h.
 *
 * libcurl repeats a request of its own accord when a kept connection dies under
 * it, writes too.  An NSX manager may have carried the write out by then, so
 * the second attempt is stopped before it is sent, and the request counts as
 * cut off.  Connections that were idle for 20 seconds are not used again: the
 * manager closes them after 30, and what stands between forgets them without a
 * word. */
#include "drivers/nsx/http.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "model/base/crypt.h"
#include "model/base/lazy.h"
#include "model/base/time.h"

#define CURL_CALLS(X)                                                          \
    X(curl_easy_cleanup)                                                       \
    X(curl_easy_getinfo)                                                       \
    X(curl_easy_init)                                                          \
    X(curl_easy_reset)                                                         \
    X(curl_easy_setopt)                                                        \
    X(curl_easy_strerror)                                                      \
    X(curl_global_init)                                                        \
    X(curl_multi_add_handle)                                                   \
    X(curl_multi_cleanup)                                                      \
    X(curl_multi_info_read)                                                    \
    X(curl_multi_init)                                                         \
    X(curl_multi_perform)                                                      \
    X(curl_multi_poll)                                                         \
    X(curl_multi_remove_handle)                                                \
    X(curl_multi_setopt)                                                       \
    X(curl_slist_append)                                                       \
    X(curl_slist_free_all)
TN_LAZY(libcurl, CURL_CALLS, TN_SONAME_CURL, TN_PACKAGE_CURL);

enum {
    CONNECT_MS = 10000,
    IDLE_S = 20, /* Of a kept connection. */
    SPARE = 16,  /* Handles: each remembers TLS sessions. */
    POLL_MS = 1000,
    RETRY_AFTER_MAX = 120,
};

struct exchange {
    struct exchange *next, *prev;
    CURL *easy;
    struct curl_slist *lines;
    struct tn_nsx_answer answer;
    size_t most;
    bool writes, truncated;
    int64_t timeout, active, moved; /* ns; bytes seen by the progress. */
    char text[CURL_ERROR_SIZE];
};

struct tn_nsx_http {
    CURLM *multi;
    struct tn_nsx_http_options options;
    struct exchange *first;
    struct exchange *told; /* Whose answer is lent. */
    size_t busy;
    bool heard; /* Anything at all. */
    CURL *spare[SPARE];
    size_t n_spare;
};

static void
keep_easy(struct tn_nsx_http *http, CURL *easy)
{
    if (easy && http->n_spare < SPARE) {
        sym_curl_easy_reset(easy);
        http->spare[http->n_spare++] = easy;
    } else {
        sym_curl_easy_cleanup(easy);
    }
}

static void
free_exchange(struct tn_nsx_http *http, struct exchange *e)
{
    if (!e) {
        return;
    }
    keep_easy(http, e->easy);
    for (struct curl_slist *l = e->lines; l; l = l->next) {
        tn_wipe(l->data, strlen(l->data));
    }
    sym_curl_slist_free_all(e->lines);
    tn_text_done(&e->answer.body);
    tn_wipe(&e->answer, sizeof e->answer);
    free(e);
}

static void
unlink_exchange(struct tn_nsx_http *http, struct exchange *e)
{
    if (e->next) {
        e->next->prev = e->prev;
    }
    if (e->prev) {
        e->prev->next = e->next;
    } else {
        http->first = e->next;
    }
    e->next = e->prev = NULL;
    http->busy--;
    sym_curl_multi_remove_handle(http->multi, e->easy);
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct exchange *e = ctx;
    size_t len = size * n;
    e->active = tn_now_ns();
    if (len > e->most - e->answer.body.n) {
        e->truncated = true;
        return CURL_WRITEFUNC_ERROR;
    }
    tn_text_addn(&e->answer.body, bytes, len);
    return len;
}

/* If 'line' is the header 'name', its value without space around it. */
static bool
value_of(const char *line, size_t n, const char *name,
         char out[TN_NSX_LINE_MAX])
{
    size_t len = strlen(name);
    if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0) {
        return false;
    }
    line += len + 1;
    n -= len + 1;
    while (n > 0 && isspace((unsigned char) line[0])) {
        line++;
        n--;
    }
    while (n > 0 && isspace((unsigned char) line[n - 1])) {
        n--;
    }
    if (n >= TN_NSX_LINE_MAX || memchr(line, '\0', n)) {
        return false;
    }
    memcpy(out, line, n);
    out[n] = '\0';
    return true;
}

/* "name=value" of each cookie, between "; " as they are to be sent. */
static void
add_cookie(struct tn_nsx_answer *a, const char *value)
{
    size_t used = strlen(a->cookies), n = strcspn(value, "; ");
    if (!memchr(value, '=', n) || used + n + 3 > sizeof a->cookies) {
        return;
    }
    snprintf(a->cookies + used, sizeof a->cookies - used, "%s%.*s",
             used ? "; " : "", (int) n, value);
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    struct exchange *e = ctx;
    struct tn_nsx_answer *a = &e->answer;
    char value[TN_NSX_LINE_MAX];
    size_t len = size * n;
    e->active = tn_now_ns();
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
        /* Another answer, after 100 Continue. */
        a->location[0] = a->cookies[0] = a->token[0] = '\0';
    } else if (value_of(bytes, len, "Location", value)) {
        memcpy(a->location, value, sizeof value);
    } else if (value_of(bytes, len, "X-XSRF-TOKEN", value)) {
        memcpy(a->token, value, sizeof value);
    } else if (value_of(bytes, len, "Retry-After", value)) {
        unsigned long s = strtoul(value, NULL, 10);
        a->retry_after_s = s < RETRY_AFTER_MAX ? (unsigned) s : RETRY_AFTER_MAX;
    } else if (value_of(bytes, len, "Set-Cookie", value)) {
        add_cookie(a, value);
    }
    tn_wipe(value, sizeof value);
    return len;
}

static int
on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
            curl_off_t up)
{
    (void) total;
    (void) up_total;
    struct exchange *e = ctx;
    if (e->moved != now + up) {
        e->moved = now + up;
        e->active = tn_now_ns();
    }
    return 0;
}

static long
bytes_sent(const struct exchange *e)
{
    long sent = 0;
    sym_curl_easy_getinfo(e->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent;
}

/* Before each attempt, on a connection that stands. */
static int
on_attempt(void *ctx, char *to, char *from, int to_port, int from_port)
{
    (void) to;
    (void) from;
    (void) to_port;
    (void) from_port;
    struct exchange *e = ctx;
    return e->writes && bytes_sent(e) > 0 ? CURL_PREREQFUNC_ABORT
                                          : CURL_PREREQFUNC_OK;
}

static bool
is_plain(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char) *s < ' ' || *s == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum tn_code
add_line(struct exchange *e, const char *name, const char *value,
         struct tn_error *err)
{
    if (!is_plain(name) || !is_plain(value)) {
        return tn_fail(err, TN_EINTERNAL, 0,
                       "a header for the manager has control characters");
    }
    struct tn_text line = {0};
    tn_text_reserve(&line, strlen(name) + strlen(value) + 4);
    tn_text_add(&line, name);
    tn_text_add(&line, ": ");
    tn_text_add(&line, value);
    struct curl_slist *more = sym_curl_slist_append(e->lines, line.s);
    tn_wipe(line.s, line.n);
    tn_text_done(&line);
    if (!more) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for a header");
    }
    e->lines = more;
    return TN_OK;
}

static enum tn_code
add_lines(struct exchange *e, const struct tn_nsx_request *r,
          struct tn_error *err)
{
    /* Curl would ask before it sends a large body, and wait a second for
     * those who do not answer that. */
    enum tn_code code = add_line(e, "Expect", "", err);
    code = code ? code : add_line(e, "Accept", "application/json", err);
    for (size_t i = 0; i < r->n_lines && !code; i++) {
        code = add_line(e, r->lines[i].name, r->lines[i].value, err);
    }
    return code;
}

static bool
set_tls(const struct tn_nsx_http_options *o, CURL *easy)
{
    int bad = 0;
#define SET(option, value)                                                     \
    (bad |= sym_curl_easy_setopt(easy, option, value) != 0)
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
    if (o->ca) {
        SET(CURLOPT_CAINFO, o->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    if (o->certificate) {
        SET(CURLOPT_SSLCERT, o->certificate);
    }
    if (o->key) {
        SET(CURLOPT_SSLKEY, o->key);
    }
    return !bad;
}

static bool
set_options(struct exchange *e, const struct tn_nsx_request *r)
{
    CURL *easy = e->easy;
    long ms = (long) r->timeout_ms;
    int bad = 0;
    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_PRIVATE, e);
    SET(CURLOPT_ERRORBUFFER, e->text);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, e);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, e);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, e);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_PREREQFUNCTION, on_attempt);
    SET(CURLOPT_PREREQDATA, e);
    SET(CURLOPT_HTTPHEADER, e->lines);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* Never wait for a resolver thread. */
    SET(CURLOPT_TIMEOUT_MS, 4 * ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : (long) CONNECT_MS);
    SET(CURLOPT_USERAGENT, "tenet");
    SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, (long) IDLE_S);
    if (r->body || strcmp(r->method, "POST") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) r->n_body);
        SET(CURLOPT_POSTFIELDS, r->body ? r->body : "");
    }
    SET(CURLOPT_CUSTOMREQUEST, r->method);
    return !bad;
}
#undef SET

static enum tn_code
prepare(struct tn_nsx_http *http, struct exchange *e,
        const struct tn_nsx_request *r, struct tn_error *err)
{
    e->easy =
        http->n_spare > 0 ? http->spare[--http->n_spare] : sym_curl_easy_init();
    if (!e->easy) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for a request");
    }
    enum tn_code code = add_lines(e, r, err);
    if (!code && (!set_tls(&http->options, e->easy) || !set_options(e, r) ||
                  sym_curl_multi_add_handle(http->multi, e->easy))) {
        code = tn_fail(err, TN_EINTERNAL, 0, "libcurl refuses a request");
    }
    return code;
}

/* Does the failure speak of certificates?  A server tells what it thinks of
 * ours in an alert, with TLS 1.3 only after the request. */
static bool
is_about_trust(CURLcode rc, const char *text)
{
    switch ((int) rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return true;
    default:
        return strstr(text, "alert") &&
               (strstr(text, "certificate") || strstr(text, "unknown ca") ||
                strstr(text, "handshake failure") ||
                strstr(text, "access denied"));
    }
}

static enum tn_nsx_fate
fate_of(const struct exchange *e, CURLcode rc)
{
    if (rc == CURLE_OK) {
        return TN_NSX_ANSWERED;
    }
    if (e->truncated) {
        return TN_NSX_TOO_LARGE;
    }
    if (is_about_trust(rc, e->text)) {
        return TN_NSX_UNTRUSTED;
    }
    return bytes_sent(e) > 0 ? TN_NSX_CUT : TN_NSX_UNSENT;
}

static void
describe(const struct tn_nsx_http *http, struct exchange *e, CURLcode rc)
{
    curl_off_t shaken = 0;
    struct tn_nsx_answer *a = &e->answer;
    if (rc == CURLE_OK) {
        return;
    }
    sym_curl_easy_getinfo(e->easy, CURLINFO_APPCONNECT_TIME_T, &shaken);
    /* With TLS 1.3 what a server says of our certificate comes after the
     * handshake, and is lost if it closes at once. */
    bool certificate = !http->heard && shaken > 0 &&
                       a->fate != TN_NSX_UNTRUSTED &&
                       rc != CURLE_OPERATION_TIMEDOUT;
    snprintf(a->why, sizeof a->why, "%.190s%s",
             rc == CURLE_ABORTED_BY_CALLBACK ? "the connection broke off"
             : e->text[0]                    ? e->text
                                             : sym_curl_easy_strerror(rc),
             certificate ? " (does it want another client certificate?)" : "");
}

static const struct tn_nsx_answer *
finish(struct tn_nsx_http *http, struct exchange *e, CURLcode rc)
{
    long status = 0;
    struct tn_nsx_answer *a = &e->answer;
    a->fate = fate_of(e, rc);
    sym_curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status);
    a->status = a->fate == TN_NSX_ANSWERED || a->fate == TN_NSX_TOO_LARGE
                    ? (int) status
                    : 0;
    describe(http, e, rc);
    http->heard = http->heard || rc == CURLE_OK;
    unlink_exchange(http, e);
    http->told = e;
    return a;
}

static const struct tn_nsx_answer *
next_done(struct tn_nsx_http *http)
{
    int left;
    const CURLMsg *m;
    while ((m = sym_curl_multi_info_read(http->multi, &left))) {
        struct exchange *e = NULL;
        if (m->msg == CURLMSG_DONE) {
            CURLcode rc = m->data.result;
            sym_curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &e);
            return finish(http, e, rc);
        }
    }
    return NULL;
}

/* One that has been silent for too long; else when that will be, at most
 * 'until'. */
static const struct tn_nsx_answer *
next_silent(struct tn_nsx_http *http, int64_t now, int64_t *until)
{
    for (struct exchange *e = http->first; e; e = e->next) {
        int64_t end = e->active + e->timeout;
        if (now >= end) {
            snprintf(e->text, sizeof e->text, "nothing was heard for %lld ms",
                     (long long) (e->timeout / 1000000));
            return finish(http, e, CURLE_OPERATION_TIMEDOUT);
        }
        *until = end < *until ? end : *until;
    }
    return NULL;
}

static CURLM *
new_multi(unsigned connections)
{
    CURLM *multi = sym_curl_multi_init();
    if (multi && sym_curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                                       (long) connections)) {
        sym_curl_multi_cleanup(multi);
        return NULL;
    }
    return multi;
}

enum tn_code
tn_nsx_http_new(const struct tn_nsx_http_options *options,
                struct tn_nsx_http **out, struct tn_error *err)
{
    enum tn_code code = tn_lazy_load(&libcurl, err);
    if (code) {
        return code;
    }
    struct tn_nsx_http *http = calloc(1, sizeof *http);
    if (!http || sym_curl_global_init(CURL_GLOBAL_DEFAULT)) {
        free(http);
        return tn_fail(err, TN_EINTERNAL, 0, "libcurl does not start");
    }
    http->options = *options;
    http->multi = sym_curl_multi_init();
    if (!http->multi || sym_curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS,
                                              (long) options->connections)) {
        tn_nsx_http_free(http);
        return tn_fail(err, TN_EINTERNAL, 0, "libcurl does not start");
    }
    *out = http;
    return TN_OK;
}

void
tn_nsx_http_free(struct tn_nsx_http *http)
{
    if (!http) {
        return;
    }
    tn_nsx_http_drop(http);
    while (http->n_spare > 0) {
        sym_curl_easy_cleanup(http->spare[--http->n_spare]);
    }
    sym_curl_multi_cleanup(http->multi);
    free(http);
}

enum tn_code
tn_nsx_http_begin(struct tn_nsx_http *http,
                  const struct tn_nsx_request *request, struct tn_error *err)
{
    struct exchange *e = calloc(1, sizeof *e);
    if (!e) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory for a request");
    }
    e->answer.tag = request->tag;
    e->most = request->most ? request->most : TN_NSX_BODY_MAX;
    e->writes = strcmp(request->method, "GET") != 0;
    e->timeout = (int64_t) request->timeout_ms * 1000000;
    e->active = tn_now_ns();
    enum tn_code code = prepare(http, e, request, err);
    if (code) {
        free_exchange(http, e);
        return code;
    }
    e->next = http->first;
    if (e->next) {
        e->next->prev = e;
    }
    http->first = e;
    http->busy++;
    return TN_OK;
}

const struct tn_nsx_answer *
tn_nsx_http_wait(struct tn_nsx_http *http, int64_t ms)
{
    int running;
    int64_t end = tn_now_ns() + ms * 1000000;
    free_exchange(http, http->told);
    http->told = NULL;
    for (;;) {
        sym_curl_multi_perform(http->multi, &running);
        const struct tn_nsx_answer *a = next_done(http);
        int64_t now = tn_now_ns(), until = end;
        a = a ? a : next_silent(http, now, &until);
        if (a || now >= end) {
            return a;
        }
        int64_t left = (until - now + 999999) / 1000000;
        sym_curl_multi_poll(http->multi, NULL, 0,
                            (int) (left < POLL_MS ? left : POLL_MS), NULL);
    }
}

size_t
tn_nsx_http_busy(const struct tn_nsx_http *http)
{
    return http->busy;
}

enum tn_code
tn_nsx_http_narrow(struct tn_nsx_http *http, struct tn_error *err)
{
    assert(http->busy == 0);
    CURLM *multi = new_multi(1);
    if (!multi) {
        return tn_fail(err, TN_EINTERNAL, 0, "libcurl does not start");
    }
    tn_nsx_http_drop(http);
    sym_curl_multi_cleanup(http->multi);
    http->multi = multi;
    return TN_OK;
}

void
tn_nsx_http_drop(struct tn_nsx_http *http)
{
    for (struct exchange *e = http->first, *next; e; e = next) {
        next = e->next;
        unlink_exchange(http, e);
        free_exchange(http, e);
    }
    free_exchange(http, http->told);
    http->told = NULL;
}
