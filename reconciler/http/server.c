/* server.c - the seam to libmicrohttpd.
 *
 * libmicrohttpd parses HTTP, keeps connections and, in its external epoll mode,
 * does everything inside MHD_run(), so that our loop waits for one descriptor
 * and no thread is needed.  It bounds connections, headers and idle time; what
 * it lacks stands here: routes, bounds of bodies, and a deadline for each
 * request, kept in a list that is sorted because all requests get the same time
 * from the moment their predecessor ended.
 *
 * Handlers and bounds see a whole request or none.  Nothing here logs. */
#include "reconciler/http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"
#include "model/base/crypt.h"
#include "model/base/lazy.h"
#include "model/base/time.h"
#include "reconciler/http/listen.h"

#define MHD_CALLS(X)                                                           \
    X(MHD_add_response_header)                                                 \
    X(MHD_create_response_from_buffer)                                         \
    X(MHD_destroy_response)                                                    \
    X(MHD_get_connection_info)                                                 \
    X(MHD_get_connection_values)                                               \
    X(MHD_get_daemon_info)                                                     \
    X(MHD_get_timeout)                                                         \
    X(MHD_http_unescape)                                                       \
    X(MHD_is_feature_supported)                                                \
    X(MHD_lookup_connection_value)                                             \
    X(MHD_queue_response)                                                      \
    X(MHD_run)                                                                 \
    X(MHD_start_daemon)                                                        \
    X(MHD_stop_daemon)
TN_LAZY(libmicrohttpd, MHD_CALLS, TN_SONAME_MHD, TN_PACKAGE_MHD);

enum { MAX_PEM = 1 << 18, PEER_TEXT = 64, SHUT_AGAIN_MS = 1000 };

/* One connection, in the list of deadlines. */
struct conn {
    struct conn *prev, *next;
    int fd;
    int64_t deadline_ms;
};

struct tn_http_server {
    struct MHD_Daemon *mhd;
    struct tn_http_options options;
    struct conn list; /* Its 'next' has the earliest deadline. */
    struct tn_secret *certificate, *key;
    char *path; /* Of the local socket. */
    int fd;
    unsigned port, connections;
    bool again; /* A connection ended: see tn_http_server_run(). */
};

/* One request on its way in. */
struct exchange {
    const struct tn_http_route *route;
    struct tn_text body;
    size_t seen; /* Bytes of body that came. */
};

/* Takes headers or arguments out of libmicrohttpd. */
struct collector {
    struct tn_arena *arena;
    TN_VEC(struct tn_http_field) fields;
};

static void
unlink_conn(struct conn *c)
{
    c->prev->next = c->next;
    c->next->prev = c->prev;
}

/* Last in the list: nobody has a later deadline. */
static void
set_deadline(struct tn_http_server *s, struct conn *c, int64_t ms)
{
    c->deadline_ms = tn_now_ms() + ms;
    c->prev = s->list.prev;
    c->next = &s->list;
    c->prev->next = c;
    s->list.prev = c;
}

static void
on_connection(void *cls, struct MHD_Connection *connection,
              void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct tn_http_server *s = cls;
    struct conn *c = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = sym_MHD_get_connection_info(
            connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        c = calloc(1, sizeof *c);
        s->connections++;
        *socket_context = c;
        if (c) {
            c->fd = info ? info->connect_fd : -1;
            set_deadline(s, c, (int64_t) s->options.request_seconds * 1000);
        }
        return;
    }
    s->connections--;
    s->again = true;
    if (c) {
        unlink_conn(c);
        free(c);
        *socket_context = NULL;
    }
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **request,
             enum MHD_RequestTerminationCode code)
{
    (void) code;
    struct tn_http_server *s = cls;
    struct exchange *x = *request;
    const union MHD_ConnectionInfo *info = sym_MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info && info->socket_context) {
        struct conn *c = info->socket_context;
        unlink_conn(c);
        set_deadline(s, c, (int64_t) s->options.request_seconds * 1000);
    }
    if (x) {
        tn_text_done(&x->body);
        free(x);
        *request = NULL;
    }
}

static enum MHD_Result
collect(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void) kind;
    struct collector *c = cls;
    *tn_vec_push(c->arena, &c->fields) = (struct tn_http_field){name, value};
    return MHD_YES;
}

/* Gives the answer to libmicrohttpd; takes its body. */
static enum MHD_Result
answer(struct tn_http_server *s, struct MHD_Connection *connection,
       const char *path, struct tn_http_response *r, const char *allow)
{
    size_t n = r->body.n;
    char *body = tn_text_take(&r->body);
    struct MHD_Response *response =
        sym_MHD_create_response_from_buffer(n, body, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(body);
        return MHD_NO;
    }
    sym_MHD_add_response_header(response, "Content-Type",
                                r->type ? r->type
                                        : "text/plain; charset=utf-8");
    sym_MHD_add_response_header(response, "Cache-Control", "no-store");
    sym_MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (allow) {
        sym_MHD_add_response_header(response, "Allow", allow);
    }
    if (r->retry_after) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%u", r->retry_after);
        sym_MHD_add_response_header(response, "Retry-After", seconds);
    }
    enum MHD_Result result =
        sym_MHD_queue_response(connection, r->status, response);
    sym_MHD_destroy_response(response);
    if (result == MHD_YES && s->options.answered) {
        s->options.answered(s->options.ctx, path, r->status);
    }
    return result;
}

static enum MHD_Result
refuse(struct tn_http_server *s, struct MHD_Connection *connection,
       const char *path, unsigned status, const char *text)
{
    struct tn_http_response r = {.status = status};
    tn_text_addf(&r.body, "%s\n", text);
    return answer(s, connection, path, &r, NULL);
}

static enum MHD_Result
refuse_method(struct tn_http_server *s, struct MHD_Connection *connection,
              const char *path)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text allow = {0};
    struct tn_http_response r = {.status = 405};
    for (size_t i = 0; i < s->options.n_routes; i++) {
        const struct tn_http_route *route = &s->options.routes[i];
        if (strcmp(route->path, path) == 0) {
            tn_text_addf(&allow, "%s%s", allow.n ? ", " : "", route->method);
            if (strcmp(route->method, "GET") == 0) {
                tn_text_add(&allow, ", HEAD");
            }
        }
    }
    tn_text_addf(&r.body, "not with this method, but with: %s\n",
                 tn_text_str(&allow));
    return answer(s, connection, path, &r, tn_text_str(&allow));
}

/* The route; else null, and '*path_known' (static text) says whether another
 * method would do. */
static const struct tn_http_route *
find_route(const struct tn_http_server *s, const char *method, const char *path,
           const char **path_known)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *path_known = NULL;
    for (size_t i = 0; i < s->options.n_routes; i++) {
        const struct tn_http_route *route = &s->options.routes[i];
        if (strcmp(route->path, path) == 0) {
            *path_known = route->path;
            if (strcmp(route->method, wanted) == 0) {
                return route;
            }
        }
    }
    return NULL;
}

/* The headers are there, the body is not: refuses now what will not do. */
static enum MHD_Result
begin(struct tn_http_server *s, struct MHD_Connection *connection,
      const char *path, const char *method, void **request)
{
    const char *known = NULL;
    const struct tn_http_route *route = find_route(s, method, path, &known);
    if (!known) {
        return refuse(s, connection, "other", 404, "no such path");
    }
    if (!route) {
        return refuse_method(s, connection, known);
    }
    const char *length = sym_MHD_lookup_connection_value(
        connection, MHD_HEADER_KIND, "Content-Length");
    if (length && strtoull(length, NULL, 10) > route->max_body) {
        return refuse(s, connection, route->path, 413, "body too large");
    }
    struct exchange *x = calloc(1, sizeof *x);
    if (!x) {
        return MHD_NO;
    }
    x->route = route;
    *request = x;
    return MHD_YES;
}

static enum MHD_Result
take_body(struct exchange *x, const char *data, size_t *n)
{
    x->seen += *n;
    if (x->seen <= x->route->max_body) {
        tn_text_addn(&x->body, data, *n);
    } else if (x->seen > x->route->max_body + TN_HTTP_SLACK) {
        return MHD_NO;
    }
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result
dispatch(struct tn_http_server *s, struct MHD_Connection *connection,
         struct exchange *x)
{
    if (x->seen > x->route->max_body) {
        return refuse(s, connection, x->route->path, 413, "body too large");
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct collector fields = {.arena = arena}, args = {.arena = arena};
    sym_MHD_get_connection_values(connection, MHD_HEADER_KIND, collect,
                                  &fields);
    sym_MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect,
                                  &args);
    const union MHD_ConnectionInfo *info = sym_MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char peer[PEER_TEXT];
    struct tn_http_request request = {
        .method = x->route->method,
        .path = x->route->path,
        .peer =
            tn_peer_text(info ? info->client_addr : NULL, peer, sizeof peer),
        .fields = fields.fields.items,
        .n_fields = fields.fields.n,
        .args = args.fields.items,
        .n_args = args.fields.n,
        .body = tn_text_str(&x->body),
        .n_body = x->body.n,
    };
    struct tn_http_response response = {.status = 200};
    x->route->handler(s->options.ctx, &request, &response);
    return answer(s, connection, x->route->path, &response, NULL);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *path,
           const char *method, const char *version, const char *data, size_t *n,
           void **request)
{
    (void) version;
    struct tn_http_server *s = cls;
    struct exchange *x = *request;
    if (!x) {
        return begin(s, connection, path, method, request);
    }
    if (*n > 0) {
        return take_body(x, data, n);
    }
    return dispatch(s, connection, x);
}

/* "%00" stays as it is: decoded it would end the text early, and "/metrics%00x"
 * be "/metrics". */
static size_t
unescape(void *cls, struct MHD_Connection *connection, char *s)
{
    (void) cls;
    (void) connection;
    return strstr(s, "%00") ? strlen(s) : sym_MHD_http_unescape(s);
}

static void
set_defaults(struct tn_http_options *o)
{
    o->max_connections = o->max_connections ? o->max_connections : 128;
    o->max_connections_per_peer =
        o->max_connections_per_peer ? o->max_connections_per_peer : 32;
    o->max_header = o->max_header ? o->max_header : 16384;
    o->idle_seconds = o->idle_seconds ? o->idle_seconds : 10;
    o->request_seconds = o->request_seconds ? o->request_seconds : 30;
}

/* The certificate is no secret, but the same reader serves: it is bounded and
 * ends the text with a NUL. */
static enum tn_code
load_pem(struct tn_http_server *s, struct tn_error *err)
{
    const struct tn_http_options *o = &s->options;
    if (!o->certificate && !o->key) {
        return TN_OK;
    }
    if (!o->certificate || !o->key) {
        return tn_fail(err, TN_EINTENT, 0,
                       "TLS needs both a certificate and a key");
    }
    if (sym_MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
        return tn_fail(err, TN_EUNSUPPORTED, 0,
                       "this libmicrohttpd was built without TLS");
    }
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(o->certificate, "re");
    if (!f) {
        return tn_fail_sys(err, errno == EACCES ? TN_EDENIED : TN_EINTENT,
                           errno, "certificate %s", o->certificate);
    }
    enum tn_code code = tn_secret_new(MAX_PEM, &s->certificate, err);
    if (code) {
        return code;
    }
    size_t n = fread(tn_secret_bytes(s->certificate), 1, MAX_PEM, f);
    tn_secret_cut(s->certificate, n);
    code = tn_secret_read(o->key, MAX_PEM, &s->key, err);
    return code ? tn_while(err, code, "key of the listener") : TN_OK;
}

static struct MHD_Daemon *
start(struct tn_http_server *s, int fd)
{
    const struct tn_http_options *o = &s->options;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL;
    if (s->key) {
        flags |= MHD_USE_TLS;
        tls[0].ptr_value = tn_secret_bytes(s->certificate);
        tls[1].ptr_value = tn_secret_bytes(s->key);
    } else {
        tls[0].option = MHD_OPTION_END;
    }
    return sym_MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s,
        /* clang-format off */
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket) fd,
        MHD_OPTION_CONNECTION_LIMIT, o->max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_connections_per_peer,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->max_header,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    /* clang-format on */
}

/* Opens the socket and hands a copy of it to libmicrohttpd, which closes what
 * it was given, but on failure not in every version. */
static enum tn_code
open_listener(struct tn_http_server *s, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int own = -1;
    int fd = s->options.listen_fd;
    if (fd <= 0) {
        enum tn_code code = tn_listen(s->options.listen, &own, &s->path, err);
        if (code) {
            return code;
        }
        fd = own;
    }
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "listening");
    }
    fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK);
    s->port = tn_listen_port(copy);
    s->mhd = start(s, copy);
    if (!s->mhd) {
        return tn_fail(err, s->key ? TN_EINTENT : TN_EINTERNAL, 0, "%s",
                       s->key ? "the certificate and key are not usable"
                              : "libmicrohttpd does not start");
    }
    s->fd = sym_MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (s->options.listen_fd > 0) {
        close(s->options.listen_fd);
    }
    return TN_OK;
}

enum tn_code
tn_http_server_open(const struct tn_http_options *options,
                    struct tn_http_server **out, struct tn_error *err)
{
    assert(options->listen || options->listen_fd > 0);
    struct tn_http_server *s = calloc(1, sizeof *s);
    if (!s) {
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    s->options = *options;
    s->list.prev = s->list.next = &s->list;
    s->fd = -1;
    set_defaults(&s->options);
    enum tn_code code = tn_lazy_load(&libmicrohttpd, err);
    if (!code) {
        code = load_pem(s, err);
    }
    if (!code) {
        code = open_listener(s, err);
    }
    if (code) {
        tn_http_server_close(s);
        return code;
    }
    *out = s;
    return TN_OK;
}

void
tn_http_server_close(struct tn_http_server *server)
{
    if (!server) {
        return;
    }
    if (server->mhd) {
        sym_MHD_stop_daemon(server->mhd);
    }
    if (server->path) {
        unlink(server->path);
        free(server->path);
    }
    tn_secret_free(server->certificate);
    tn_secret_free(server->key);
    free(server);
}

int
tn_http_server_fd(const struct tn_http_server *server)
{
    return server->fd;
}

int
tn_http_server_timeout_ms(struct tn_http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    int64_t ms = -1;
    if (server->again) {
        return 0;
    }
    if (sym_MHD_get_timeout(server->mhd, &wait) == MHD_YES) {
        ms = wait < INT_MAX ? (int64_t) wait : INT_MAX;
    }
    if (server->list.next != &server->list) {
        int64_t left = server->list.next->deadline_ms - tn_now_ms();
        left = left > 0 ? left : 0;
        ms = ms < 0 || left < ms ? left : ms;
    }
    return ms < INT_MAX ? (int) ms : INT_MAX;
}

void
tn_http_server_run(struct tn_http_server *server)
{
    /* At its limit libmicrohttpd stops to wait for connections, and it begins
     * again only in the run after the one that closed some. */
    server->again = false;
    sym_MHD_run(server->mhd);
    int64_t now = tn_now_ms();
    while (server->list.next != &server->list &&
           server->list.next->deadline_ms <= now) {
        struct conn *c = server->list.next;
        /* libmicrohttpd sees the end of it and closes. */
        shutdown(c->fd, SHUT_RDWR);
        unlink_conn(c);
        set_deadline(server, c, SHUT_AGAIN_MS);
    }
}

unsigned
tn_http_server_port(const struct tn_http_server *server)
{
    return server->port;
}

unsigned
tn_http_server_connections(const struct tn_http_server *server)
{
    return server->connections;
}
