/* server.h - the HTTP listener, driven by somebody else's event loop.
 *
 *     struct tn_http_server *s = NULL;
 *     if (tn_http_server_open(&options, &s, &err)) { ... }
 *     loop: wait until tn_http_server_fd(s) is readable or
 *           tn_http_server_timeout_ms(s) went by; tn_http_server_run(s);
 *     tn_http_server_close(s);
 *
 * It has no thread: handlers run inside tn_http_server_run(), in the caller's
 * thread, and must not block.  A request reaches its handler only when all of
 * it is there and within its bounds; everything else is answered here:
 *
 *     404  no such path
 *     405  the path exists, but not with this method (with an Allow header)
 *     413  a body longer than the route's 'max_body': at once if its length is
 *          announced; a chunked one is cut when it passes the bound by more
 *          than TN_HTTP_SLACK
 *     414, 431  request line or headers do not fit into 'max_header'
 *
 * Connections are bounded in number, per address, in idle time, and in the time
 * that one request may take from its first byte to the last byte of its answer
 * (so that one byte a second does not hold a place).  A bound that is reached
 * closes the connection; it never stops the loop. */
#ifndef TN_HTTP_SERVER_H
#define TN_HTTP_SERVER_H

#include <stdbool.h>

#include "model/base/error.h"
#include "reconciler/http/message.h"

struct tn_http_server;

/* Bytes of a chunked body over the bound that are read and dropped, so that
 * the sender sees a 413 and not a reset. */
enum { TN_HTTP_SLACK = 1 << 16 };

typedef void tn_http_handler(void *ctx, const struct tn_http_request *request,
                             struct tn_http_response *response);

struct tn_http_route {
    const char *method; /* "GET" (takes HEAD too) or "POST". */
    const char *path;   /* Exact: "/metrics". */
    size_t max_body;    /* 0: no body. */
    tn_http_handler *handler;
};

/* Zero means the default in brackets. */
struct tn_http_options {
    /* "127.0.0.1:9433", "[::1]:9433", "[::]:9433" (both families), ":9433" (the
     * same), or a path that begins with '/': a local socket, mode 0660, that
     * replaces a dead one and is removed at the end.  Port 0 takes a free
     * one. */
    const char *listen;
    /* A listening socket that somebody else made (sd_listen_fds) instead of
     * 'listen'; 0: none.  Taken over by success. */
    int listen_fd;
    /* Both or none: files in PEM.  With them the listener speaks TLS only. */
    const char *certificate, *key;

    const struct tn_http_route *routes; /* Borrowed while open. */
    size_t n_routes;
    void *ctx; /* For the handlers. */
    /* Optional: called once for each answer, with the known path ("other" for
     * unknown ones) and the status, for metrics. */
    void (*answered)(void *ctx, const char *path, unsigned status);

    unsigned max_connections;          /* [128] */
    unsigned max_connections_per_peer; /* [32] */
    size_t max_header;                 /* [16384], with the request line. */
    unsigned idle_seconds;             /* [10] */
    unsigned request_seconds;          /* [30] */
};

/* New in '*out'.  TN_EINTENT if 'listen' cannot be understood or the
 * certificate is unusable, TN_EDENIED if it may not be bound, TN_EUNAVAILABLE
 * if the address is in use, TN_EUNSUPPORTED for TLS without support of it and
 * without libmicrohttpd. */
enum tn_code tn_http_server_open(const struct tn_http_options *options,
                                 struct tn_http_server **out,
                                 struct tn_error *err) TN_MUST_USE;
/* Accepts null.  Open connections are cut. */
void tn_http_server_close(struct tn_http_server *server);

/* Readable when tn_http_server_run() has something to do.  Never changes. */
int tn_http_server_fd(const struct tn_http_server *server);
/* How long the loop may wait for it: milliseconds, -1 for ever, 0 if there is
 * work now.  Ask after each run. */
int tn_http_server_timeout_ms(struct tn_http_server *server);
/* Does what can be done now and returns. */
void tn_http_server_run(struct tn_http_server *server);
/* The port that is listened on; 0 for a local socket. */
unsigned tn_http_server_port(const struct tn_http_server *server);
/* Connections that are open now. */
unsigned tn_http_server_connections(const struct tn_http_server *server);

static inline void
tn_cleanup_http_server(struct tn_http_server **server)
{
    tn_http_server_close(*server);
}

#endif
