/* bed.c - see bed.h. */
#include "drivers/ovsdb/bed.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "model/base/time.h"
#include "tests/support/peer.h"

enum { PATIENCE_MS = 60000 };

int64_t
tn_bed_patience(void)
{
    return tn_now_ms() + PATIENCE_MS;
}

bool
tn_bed_too_late(int64_t until)
{
    return tn_now_ms() > until;
}

static void
then(struct tn_bed *bed, const char *event)
{
    if (bed->then) {
        bed->then(bed, event);
    }
}

static void
on_up(void *ctx, const char *remote)
{
    struct tn_bed *bed = ctx;
    bed->ups++;
    snprintf(bed->up_remote, sizeof bed->up_remote, "%s", remote);
    cr_assert(tn_rpc_is_up(bed->rpc));
    then(bed, "up");
}

static void
on_down(void *ctx, const struct tn_error *why)
{
    struct tn_bed *bed = ctx;
    bed->downs++;
    bed->why_code = why->code;
    tn_error_text(why, bed->why, sizeof bed->why);
    cr_assert(!tn_rpc_is_up(bed->rpc));
    cr_assert_neq(why->code, TN_OK);
    then(bed, "down");
}

static void
on_notified(void *ctx, const char *method, json_t *params)
{
    struct tn_bed *bed = ctx;
    char *text = json_dumps(params, JSON_COMPACT);
    tn_text_addf(&bed->told, "%s %s\n", method, text);
    free(text);
    then(bed, "notified");
}

static void
on_updated(void *ctx, const char *method, struct tn_scan params)
{
    struct tn_bed *bed = ctx;
    tn_text_addf(&bed->told, "text: %s %.*s\n", method,
                 (int) (params.end - params.at), params.at);
    then(bed, "notified");
}

static void
on_answer(void *ctx, json_t *result, json_t *error)
{
    struct tn_bed *bed = ctx;
    char *text = result || error ? json_dumps(result ? result : error,
                                              JSON_COMPACT | JSON_ENCODE_ANY)
                                 : NULL;
    cr_assert(!result || !error);
    bed->answers++;
    bed->lost += !text;
    tn_text_addf(&bed->said, "%s%s\n", error ? "error: " : "",
                 text ? text : "lost");
    free(text);
    then(bed, "answer");
}

enum tn_code
tn_bed_call(struct tn_bed *bed, const char *method, json_t *params)
{
    struct tn_error err = {0};
    return tn_rpc_call(bed->rpc, method, params, on_answer, bed, &err);
}

static int
listen_at(const void *address, socklen_t n)
{
    const struct sockaddr *sa = address;
    int fd =
        socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(bind(fd, sa, n), 0);
    cr_assert_eq(listen(fd, 1), 0);
    return fd;
}

void
tn_bed_listen(struct tn_bed *bed)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s/sock", bed->dir);
    unlink(sun.sun_path);
    bed->listener = listen_at(&sun, sizeof sun);
}

static void
listen_ssl(struct tn_bed *bed)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    socklen_t n = sizeof sin;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bed->listener = listen_at(&sin, sizeof sin);
    cr_assert_eq(getsockname(bed->listener, (struct sockaddr *) &sin, &n), 0);
    snprintf(bed->remote, sizeof bed->remote, "ssl:127.0.0.1:%u",
             ntohs(sin.sin_port));
}

void
tn_bed_stop_listening(struct tn_bed *bed)
{
    close(bed->listener);
    bed->listener = -1;
}

void
tn_bed_begin(struct tn_bed *bed, struct tn_rpc_options options)
{
    struct tn_rpc_events events = {
        .up = on_up, .down = on_down, .notified = on_notified};
    events.updated = bed->as_text ? on_updated : NULL;
    struct tn_error err = {0};
    bed->dir = tn_peer_dir();
    bed->peer = -1;
    snprintf(bed->remote, sizeof bed->remote, "unix:%s/sock", bed->dir);
    if (bed->ssl) {
        listen_ssl(bed);
    } else {
        tn_bed_listen(bed);
    }
    if (bed->twice) {
        char other[200];
        snprintf(other, sizeof other, "%s/other", bed->dir);
        cr_assert_eq(symlink("sock", other), 0);
        snprintf(bed->remotes, sizeof bed->remotes, "%s,unix:%s", bed->remote,
                 other);
    } else if (!bed->remotes[0]) {
        snprintf(bed->remotes, sizeof bed->remotes, "%s", bed->remote);
    }
    options.remotes = bed->remotes;
    bed->guest = bed->loop;
    if (!bed->guest) {
        cr_assert_eq(tn_ovsdb_loop_new(&bed->loop, &err), TN_OK);
    }
    cr_assert_eq(
        tn_rpc_open(bed->loop, &options, &events, bed, &bed->rpc, &err), TN_OK,
        "%s", err.text);
    cr_assert_eq(bed->ups + bed->downs, 0u, "a callback outside of a turn");
}

void
tn_bed_begin_up(struct tn_bed *bed, struct tn_rpc_options options)
{
    tn_bed_begin(bed, options);
    TN_BED_UNTIL(bed, bed->peer >= 0 && tn_rpc_is_up(bed->rpc));
    bed->ups = bed->downs = 0;
}

void
tn_bed_end(struct tn_bed *bed)
{
    tn_rpc_close(bed->rpc);
    if (!bed->guest) {
        tn_ovsdb_loop_free(bed->loop);
    }
    tn_bed_hang_up(bed);
    if (bed->listener >= 0) {
        close(bed->listener);
    }
    tn_peer_remove(bed->dir);
    tn_text_done(&bed->heard);
    tn_text_done(&bed->to_say);
    tn_text_done(&bed->told);
    tn_text_done(&bed->said);
}

void
tn_bed_hang_up(struct tn_bed *bed)
{
    if (bed->peer >= 0) {
        close(bed->peer);
        bed->peer = -1;
    }
    tn_text_clear(&bed->to_say);
    tn_text_clear(&bed->heard);
}

void
tn_bed_say(struct tn_bed *bed, const char *text)
{
    tn_text_add(&bed->to_say, text);
}

static void
peer_speaks(struct tn_bed *bed)
{
    struct tn_text *t = &bed->to_say;
    ssize_t n = t->n ? send(bed->peer, t->s, t->n, MSG_NOSIGNAL) : 0;
    if (n > 0) {
        memmove(t->s, t->s + n, t->n - (size_t) n + 1);
        t->n -= (size_t) n;
    } else if (n < 0 && errno != EAGAIN) {
        tn_text_clear(t);
    }
}

static void
peer_hears(struct tn_bed *bed)
{
    static char buffer[65536];
    ssize_t n;
    while ((n = recv(bed->peer, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        tn_text_addn(&bed->heard, buffer, (size_t) n);
    }
}

void
tn_bed_turn(struct tn_bed *bed)
{
    struct tn_error err = {0};
    if (bed->peer < 0 && bed->listener >= 0) {
        bed->peer =
            accept4(bed->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    if (bed->peer >= 0) {
        peer_speaks(bed);
    }
    cr_assert_eq(tn_ovsdb_loop_turn(bed->loop, 5, &err), TN_OK, "%s", err.text);
    if (bed->peer >= 0 && !bed->deaf) {
        peer_hears(bed);
    }
}

void
tn_bed_hear(struct tn_bed *bed, const char *text)
{
    const char *at = NULL;
    TN_BED_UNTIL(bed, (at = strstr(tn_text_str(&bed->heard), text)));
    size_t end = (size_t) (at - bed->heard.s) + strlen(text);
    memmove(bed->heard.s, bed->heard.s + end, bed->heard.n - end + 1);
    bed->heard.n -= end;
}

static void
on_text(void *ctx, struct tn_scan result, json_t *error)
{
    struct tn_bed *bed = ctx;
    char *text =
        error ? json_dumps(error, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    bed->answers++;
    if (result.at) {
        tn_text_addf(&bed->said, "text: %.*s\n", (int) (result.end - result.at),
                     result.at);
    } else if (error) {
        tn_text_addf(&bed->said, "error: %s\n", text);
    } else {
        bed->lost++;
        tn_text_add(&bed->said, "lost\n");
    }
    free(text);
    then(bed, "answered");
}

enum tn_code
tn_bed_call_for_text(struct tn_bed *bed, const char *method, json_t *params)
{
    return tn_rpc_call_for_text(bed->rpc, method, params, on_text, bed, NULL);
}
