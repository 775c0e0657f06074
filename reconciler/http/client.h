/* client.h - HTTP requests that never block the loop that makes them.
 *
 * The caller's event loop polls one file descriptor, tn_http_client_fd(), and
 * calls tn_http_client_run() when it is readable.  All callbacks come from
 * inside tn_http_client_run(), never from tn_http_client_send().  A client
 * belongs to one thread.
 *
 * What holds for every call: TLS peers are verified (there is no way to ask
 * otherwise); the environment's proxies and ~/.netrc are ignored; a redirect is
 * followed only if asked for and only to the same scheme, host and port; the
 * answer is bounded; the time is bounded; no secret, path or query of a URL
 * appears in an error, because either may be a secret.
 *
 * The process must ignore SIGPIPE. */
#ifndef TN_HTTP_CLIENT_H
#define TN_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

enum {
    TN_HTTP_CALLS_MAX = 64,           /* Under way in one client. */
    TN_HTTP_TIMEOUT_MS = 10000,       /* Unless the call says otherwise. */
    TN_HTTP_RESPONSE_MAX = 64 * 1024, /* Likewise. */
    TN_HTTP_HEADERS_MAX = 16,         /* Of one call. */
    TN_HTTP_ORIGIN = 288,             /* "https://host:port" and NUL. */
};

struct tn_http_client;
struct tn_http_reply;

/* One header line.  Names and values with control characters are refused. */
struct tn_http_header {
    const char *name, *value;
};

/* What to ask.  Everything is borrowed for the length of
 * tn_http_client_send(), which copies what it needs. */
struct tn_http_call {
    const char *method;                   /* Null: POST with body, else GET. */
    const char *url;                      /* http or https, no user:password. */
    const struct tn_http_header *headers; /* Content-Type and so on. */
    size_t n_headers;
    /* One more header whose value is wiped from memory after the call:
     * {"Authorization", "Bearer ..."}.  Null name: none. */
    struct tn_http_header secret;
    const void *body; /* May hold NULs; null: none. */
    size_t n_body;
    const char *ca_file; /* PEM; null: the system's authorities. */
    uint32_t timeout_ms; /* Whole call; 0: TN_HTTP_TIMEOUT_MS. */
    size_t max_response; /* Of the body; 0: TN_HTTP_RESPONSE_MAX. */
    bool proxy_env;      /* Obey http_proxy, https_proxy and no_proxy. */
    bool follow;         /* Up to 3 redirects within the origin. */
};

/* What came back.  Borrowed: valid during the callback only.
 *
 * 'code' classes the outcome: TN_OK is 2xx; TN_ESTALE 409 and 412; TN_EDENIED
 * 401, 403, 407 and a peer whose certificate is not trusted; TN_ENOENT 404 and
 * 410; TN_EUNAVAILABLE 408, 425, 429, 5xx, no connection, no answer in time;
 * TN_EUNSUPPORTED 3xx that is not followed, 405, 501; TN_EINTERNAL the rest of
 * 4xx: the peer says that what we sent is wrong. */
struct tn_http_reply {
    enum tn_code code;
    int status;       /* 0 if there was no answer. */
    const char *body; /* NUL-terminated, never null. */
    size_t n_body;    /* At most 'max_response'. */
    bool truncated;   /* There was more body; status is valid all the same. */
    const struct tn_error *err; /* Text for people; empty if TN_OK. */
    void *opaque;               /* For tn_http_reply_header(). */
};

typedef void tn_http_done_fn(void *ctx, const struct tn_http_reply *reply);

/* Loads libcurl.  Once, in main, before threads are made.  Safe to call again.
 * TN_EUNSUPPORTED if it is not there, as from tn_http_client_new(). */
enum tn_code tn_http_library_init(struct tn_error *err) TN_MUST_USE;

/* New, owned by the caller. */
enum tn_code tn_http_client_new(struct tn_http_client **out,
                                struct tn_error *err) TN_MUST_USE;
/* Drops calls under way; their callbacks are not called.  Accepts null.  Not
 * from inside a callback. */
void tn_http_client_free(struct tn_http_client *client);

/* Starts a call.  'done' is called exactly once, from a later
 * tn_http_client_run(), unless the client is freed before or this function
 * fails: TN_EUNAVAILABLE if TN_HTTP_CALLS_MAX are under way, TN_EINTENT for a
 * URL or header that is none. */
enum tn_code tn_http_client_send(struct tn_http_client *client,
                                 const struct tn_http_call *call,
                                 tn_http_done_fn *done, void *ctx,
                                 struct tn_error *err) TN_MUST_USE;

/* Readable when tn_http_client_run() has something to do, timeouts included.
 * Constant for the life of the client. */
int tn_http_client_fd(const struct tn_http_client *client);

/* Does what can be done now and returns; never blocks.  May be called at any
 * time.  Callbacks may send further calls. */
void tn_http_client_run(struct tn_http_client *client);

/* Calls under way. */
size_t tn_http_client_busy(const struct tn_http_client *client);

/* Value of the answer's header, null if absent; borrowed, valid until the
 * next call of this function or the end of the callback. */
const char *tn_http_reply_header(const struct tn_http_reply *reply,
                                 const char *name);

/* Seconds that the peer asks to wait: Retry-After (seconds or a date), or the
 * reset time of an exhausted rate limit (X-RateLimit-Remaining: 0 with
 * X-RateLimit-Reset, RateLimit-Reset); at most an hour.  'now_s' is the time of
 * day.  0 if the peer does not say. */
uint32_t tn_http_reply_wait(const struct tn_http_reply *reply, int64_t now_s);

/* The class of a status code, as described at struct tn_http_reply. */
enum tn_code tn_http_status_code(int status);

/* "scheme://host:port" of a URL into 'buf' for messages: all that may be shown
 * of it.  False, and "?" in 'buf', if it is no http or https URL or carries
 * credentials, or if there is no libcurl to say so. */
bool tn_http_origin(const char *url, char buf[TN_HTTP_ORIGIN]);

/* For commands: makes one call and waits for it.  Body and status of '*out' are
 * new in 'arena'; its 'err' is null and its headers are gone.  Returns the
 * reply's code. */
enum tn_code tn_http_call_wait(const struct tn_http_call *call,
                               struct tn_arena *arena,
                               struct tn_http_reply *out,
                               struct tn_error *err) TN_MUST_USE;

static inline void
tn_cleanup_http_client(struct tn_http_client **client)
{
    tn_http_client_free(*client);
}

#endif
