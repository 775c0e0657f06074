/* link.c - connecting, probing, coming back: see link.h.
 *
 * Every link has one deadline, whose meaning is the state's: the next try, the
 * end of patience with a connection that does not come about, or the moment to
 * ask whether the peer is still there.
 *
 * Tries.  The remotes are shuffled once and then tried in turn, the next one at
 * once; when all have failed there is a pause, which doubles up to the longest
 * allowed, and of which a random half is cut so that many clients of one server
 * do not come back in step.  Only a connection that has lasted for as long as
 * the longest pause makes the next try immediate and the pauses short again: a
 * server that takes connections and drops them does not make us hurry.
 *
 * A sign of life is a whole message, or some kilobytes of one: who sends a byte
 * now and then is as silent as who sends none.
 *
 * A try begins when the gate lets the link in, which it leaves when the server
 * has said the first word, or after a while: before that it may be that only
 * the kernel has taken the connection.
 *
 * A connection is ended in one place only, by the deadline: errors, and
 * tn_link_drop() in a callback, just note the reason.  A connection that cannot
 * be sent on is read once more: there may be an answer, or the refusal of our
 * certificate, which TLS 1.3 tells only after the handshake. */
#include "drivers/ovsdb/link.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ovsdb/frame.h"
#include "drivers/ovsdb/source.h"
#include "drivers/ovsdb/stream.h"
#include "model/base/cleanup.h"
#include "model/base/time.h"

enum {
    CONNECT_MS = 5000,
    PROBE_MS = 5000,
    BACKOFF_MS = 8000,
    FIRST_BACKOFF_MS = 100,
    SETTLE_MS = 200,  /* Until a server that is not asked is taken for ready. */
    BUSY_MS = 20,     /* Between two tries while the server's queue is full. */
    SOMETHING = 4096, /* Bytes of a message that are a sign of life. */
    MAX_MESSAGE = 256 * 1024 * 1024,
    TLS_READS = 8, /* Of a record each, at a time. */
};

static const char probe[] =
    "{\"method\":\"echo\",\"params\":[],\"id\":\"" TN_LINK_PROBE_ID "\"}";

struct tn_link {
    struct tn_ovsdb_source source; /* First. */
    struct tn_gate_pass pass;
    struct tn_ovsdb_loop *loop;
    const struct tn_link_events *events;
    void *ctx;
    unsigned connect_ms, probe_ms, backoff_ms;

    struct tn_remotes remotes;
    struct tn_tls_context *tls; /* Null: no remote is of TLS. */
    size_t next;                /* Remote of the next try. */
    size_t tries;               /* Since the link was last good. */
    unsigned pause;             /* The last one, in ms; 0: there was none. */

    struct tn_stream stream;
    struct tn_frame frame;
    struct tn_text out;
    size_t sent, composed; /* Of 'out': what has gone, what may go. */
    int64_t since_ms;      /* Beginning of the try, or of being up. */
    int64_t heard_ms;
    size_t crumbs; /* Bytes since then. */
    bool probing;
    unsigned long long received;

    struct tn_error *unsendable; /* Nothing can be sent, and why; or null. */
    struct tn_error *dropped;    /* Why; null: not dropped. */
    bool at_once;
};

static void
shuffle(struct tn_link *link)
{
    struct tn_remote *items = link->remotes.items;
    for (size_t i = link->remotes.n; i > 1; i--) {
        size_t j = tn_loop_random(link->loop, i);
        struct tn_remote swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}

static void
set_due(struct tn_link *link, int64_t due_ms)
{
    tn_ovsdb_source_set_due(link->loop, &link->source, due_ms);
}

/* When to try again. */
static int64_t
next_try(struct tn_link *link, bool was_up, bool may_hurry)
{
    int64_t now = tn_now_ms();
    if (was_up && now - link->since_ms >= (int64_t) link->backoff_ms) {
        link->tries = 0;
        link->pause = 0;
    }
    bool round_over = link->tries > 0 && link->tries % link->remotes.n == 0;
    if (may_hurry && !round_over) {
        return now;
    }
    link->pause = link->pause ? 2 * link->pause : FIRST_BACKOFF_MS;
    if (link->pause > link->backoff_ms) {
        link->pause = link->backoff_ms;
    }
    unsigned half = link->pause / 2;
    return now + link->pause - (int64_t) tn_loop_random(link->loop, half + 1);
}

/* The connection, or the try, has ended. */
static void
end(struct tn_link *link, bool may_hurry, const struct tn_error *why)
{
    bool was_up = link->stream.state == TN_STREAM_OPEN;
    tn_ovsdb_source_unwatch(link->loop, &link->source);
    tn_gate_leave(tn_loop_gate(link->loop), &link->pass);
    tn_stream_close(&link->stream);
    tn_frame_done(&link->frame);
    link->frame = (struct tn_frame){.max = link->frame.max};
    tn_text_done(&link->out);
    link->sent = link->composed = 0;
    link->probing = false;
    free(TN_TAKE(link->unsendable));
    free(TN_TAKE(link->dropped));
    link->next = (link->next + 1) % link->remotes.n;
    set_due(link, next_try(link, was_up, may_hurry));
    link->events->down(link->ctx, why);
}

static void
note(struct tn_link *link, struct tn_error **where, const struct tn_error *why)
{
    if (*where) {
        return;
    }
    *where = malloc(sizeof **where);
    if (!*where) {
        fputs("tenet: out of memory\n", stderr);
        abort();
    }
    **where = *why;
    set_due(link, 1); /* Now. */
}

static void
drop_for(struct tn_link *link, bool at_once, const struct tn_error *why)
{
    if (link->stream.state == TN_STREAM_OPEN && !link->dropped) {
        note(link, &link->dropped, why);
        link->at_once = at_once;
    }
}

/* Waits for what the state needs. */
static enum tn_code
watch(struct tn_link *link, struct tn_error *err)
{
    bool open = link->stream.state == TN_STREAM_OPEN;
    bool out = link->stream.reading_blocked ||
               (link->stream.blocked && (!open || link->sent < link->composed));
    unsigned wants = (open || !out ? TN_SOURCE_IN : 0) |
                     (unsigned) (out ? TN_SOURCE_OUT : 0);
    return tn_ovsdb_source_watch(link->loop, &link->source, link->stream.fd,
                                 wants, err);
}

static void
cut_queue(struct tn_link *link, size_t n)
{
    link->out.n = n;
    if (link->out.s) {
        link->out.s[n] = '\0';
    }
}

/* Forgets what has been sent, once that is most of it. */
static void
shorten_queue(struct tn_link *link)
{
    size_t left = link->out.n - link->sent;
    if (left == 0) {
        tn_text_done(&link->out);
    } else if (link->sent > left) {
        memmove(link->out.s, link->out.s + link->sent, left);
        cut_queue(link, left);
    } else {
        return;
    }
    link->composed -= link->sent;
    link->sent = 0;
}

static void
flush(struct tn_link *link)
{
    struct tn_error err = {0};
    enum tn_code code = TN_OK;
    size_t n = 1;
    while (code == TN_OK && n && link->sent < link->composed) {
        code =
            tn_stream_write(&link->stream, tn_text_str(&link->out) + link->sent,
                            link->composed - link->sent, &n, &err);
        link->sent += code == TN_OK ? n : 0;
    }
    shorten_queue(link);
    if (code == TN_OK) {
        code = watch(link, &err);
    }
    if (code != TN_OK) {
        note(link, &link->unsendable, &err);
    }
}

static void
heard(struct tn_link *link)
{
    link->heard_ms = tn_now_ms();
    link->crumbs = 0;
    link->probing = false;
    tn_gate_leave(tn_loop_gate(link->loop), &link->pass);
}

/* Hands out what has come; false: nothing has. */
static bool
receive_some(struct tn_link *link, char *buffer, size_t size)
{
    struct tn_error err = {0};
    size_t n = 0;
    const char *text = NULL;
    enum tn_code code = tn_stream_read(&link->stream, buffer, size, &n, &err);
    if (code != TN_OK) {
        if (tn_frame_within(&link->frame)) {
            (void) !tn_while(&err, code, "in the middle of a message");
        }
        drop_for(link, true, &err);
    }
    if (code != TN_OK || n == 0) {
        return false;
    }
    link->received += n;
    link->crumbs += n;
    if (link->crumbs >= SOMETHING) {
        heard(link);
    }
    tn_frame_feed(&link->frame, buffer, n);
    while (!link->dropped) {
        code = tn_frame_next(&link->frame, &text, &n, &err);
        if (code != TN_OK) {
            (void) !tn_while(&err, code, "%s", link->stream.remote->text);
            drop_for(link, true, &err);
        } else if (!text) {
            break;
        } else {
            heard(link);
            struct tn_link_message message = {.text = text, .n = n};
            tn_frame_part(&link->frame, &message.part_at, &message.part_n);
            link->events->message(link->ctx, &message);
        }
    }
    return true;
}

/* Not all that can be had: others wait, too. */
static void
receive(struct tn_link *link)
{
    size_t size;
    char *buffer = tn_loop_buffer(link->loop, &size);
    int more = link->stream.tls ? TLS_READS : 1;
    while (more-- > 0 && !link->dropped && receive_some(link, buffer, size)) {
    }
}

/* The try has gone on by a step, or has failed. */
static void
advanced(struct tn_link *link, enum tn_code code, struct tn_error *err)
{
    int64_t now = tn_now_ms();
    int64_t patience = link->since_ms + link->connect_ms;
    if (code == TN_OK && link->stream.fd >= 0) {
        code = watch(link, err);
    }
    if (code != TN_OK) {
        end(link, true, err);
        return;
    }
    switch (link->stream.state) {
    case TN_STREAM_CLOSED:
        break;
    case TN_STREAM_BUSY:
        now += BUSY_MS / 2 + (int64_t) tn_loop_random(link->loop, BUSY_MS);
        set_due(link, now < patience ? now : patience);
        break;
    case TN_STREAM_CONNECTING:
    case TN_STREAM_HANDSHAKE:
        set_due(link, patience);
        break;
    case TN_STREAM_OPEN:
        link->since_ms = link->heard_ms = now;
        link->crumbs = 0;
        set_due(link, now + (link->probe_ms < SETTLE_MS ? link->probe_ms
                                                        : SETTLE_MS));
        link->events->up(link->ctx, link->stream.remote->text);
        break;
    }
}

/* Lets the link through to its next remote, or makes it wait: for as long as it
 * takes, if it has nowhere else to go. */
static bool
pass_gate(struct tn_link *link)
{
    struct tn_error err = {0};
    const char *remote = link->remotes.items[link->next].text;
    if (link->pass.waiting) {
        link->tries++;
        (void) !tn_fail(&err, TN_EUNAVAILABLE, 0,
                        "others have been connecting to %s for %u ms", remote,
                        link->connect_ms);
        end(link, true, &err);
        return false;
    }
    if (tn_gate_enter(tn_loop_gate(link->loop), &link->pass, remote)) {
        return true;
    }
    if (link->remotes.n > 1) {
        set_due(link, tn_now_ms() + link->connect_ms);
    }
    return false;
}

static void
try_remote(struct tn_link *link)
{
    struct tn_error err = {0};
    const struct tn_remote *remote = &link->remotes.items[link->next];
    enum tn_code code = TN_OK;
    link->tries++;
    link->since_ms = tn_now_ms();
    if (remote->tls) {
        code = tn_tls_context_refresh(link->tls, &err);
        if (code != TN_OK) {
            (void) !tn_while(&err, code, "%s", remote->text);
        }
    }
    code =
        code ? code : tn_stream_start(&link->stream, remote, link->tls, &err);
    advanced(link, code, &err);
}

static void
go_on(struct tn_link *link)
{
    struct tn_error err = {0};
    if (tn_now_ms() - link->since_ms >= (int64_t) link->connect_ms) {
        enum tn_code code =
            tn_fail(&err, TN_EUNAVAILABLE, 0, "no %s %s within %u ms",
                    link->stream.tls ? "TLS handshake with" : "connection to",
                    link->stream.remote->text, link->connect_ms);
        advanced(link, code, &err);
        return;
    }
    enum tn_code code = tn_stream_advance(&link->stream, link->tls, &err);
    advanced(link, code, &err);
}

static void
check_silence(struct tn_link *link)
{
    struct tn_error ignored;
    tn_gate_leave(tn_loop_gate(link->loop), &link->pass);
    /* Perhaps it was us who did not look. */
    receive(link);
    if (link->dropped) {
        return;
    }
    int64_t now = tn_now_ms();
    int64_t silent = now - link->heard_ms;
    if (silent < (int64_t) link->probe_ms) {
        set_due(link, link->heard_ms + link->probe_ms);
    } else if (!link->probing) {
        link->probing = true;
        tn_text_add(tn_link_compose(link), probe);
        set_due(link, now + link->probe_ms);
        (void) !tn_link_send(link, true, &ignored);
    } else {
        struct tn_error err = {0};
        (void) !tn_fail(
            &err, TN_EUNAVAILABLE, 0,
            "%s has said nothing for %lld ms, not even when asked to echo",
            link->stream.remote->text, (long long) silent);
        drop_for(link, true, &err);
    }
}

/* What the peer has said before it went may be an answer, or the reason. */
static void
hear_last(struct tn_link *link)
{
    receive(link);
    drop_for(link, true, link->unsendable);
}

static void
finish_drop(struct tn_link *link)
{
    struct tn_error why = *link->dropped;
    end(link, link->at_once, &why);
}

static void
on_due(struct tn_ovsdb_source *source)
{
    struct tn_link *link = (void *) source;
    if (link->stream.state == TN_STREAM_CLOSED) {
        if (pass_gate(link)) {
            try_remote(link);
        }
    } else if (link->stream.state != TN_STREAM_OPEN) {
        go_on(link);
    } else {
        if (!link->dropped && link->unsendable) {
            hear_last(link);
        } else if (!link->dropped) {
            check_silence(link);
        }
        if (link->dropped) {
            finish_drop(link);
        }
    }
}

static void
on_ready(struct tn_ovsdb_source *source)
{
    struct tn_link *link = (void *) source;
    if (link->stream.state != TN_STREAM_OPEN) {
        go_on(link);
        return;
    }
    if (!link->dropped) {
        receive(link);
    }
    if (tn_link_is_up(link) &&
        (link->sent < link->composed || link->stream.reading_blocked ||
         link->source.wants != TN_SOURCE_IN)) {
        flush(link);
    }
}

static void
on_admitted(struct tn_gate_pass *pass)
{
    char *link = (char *) pass - offsetof(struct tn_link, pass);
    set_due((void *) link, 1);
}

static unsigned
or_default(unsigned value, unsigned otherwise)
{
    return value ? value : otherwise;
}

enum tn_code
tn_link_new(struct tn_ovsdb_loop *loop, const struct tn_rpc_options *options,
            const struct tn_link_events *events, void *ctx,
            struct tn_link **out, struct tn_error *err)
{
    struct tn_link *link = calloc(1, sizeof *link);
    if (!link) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    *link = (struct tn_link){
        .source = {.ready = on_ready, .due = on_due},
        .pass.admitted = on_admitted,
        .loop = loop,
        .events = events,
        .ctx = ctx,
        .connect_ms = or_default(options->connect_ms, CONNECT_MS),
        .probe_ms = or_default(options->probe_ms, PROBE_MS),
        .backoff_ms = or_default(options->backoff_ms, BACKOFF_MS),
        .stream = TN_STREAM_NONE,
        .frame.max = options->max_message ? options->max_message : MAX_MESSAGE,
    };
    tn_ovsdb_source_init(&link->source);
    enum tn_code code = tn_remotes_parse(options->remotes, &link->remotes, err);
    for (size_t i = 0; i < link->remotes.n && code == TN_OK; i++) {
        if (link->remotes.items[i].tls && !link->tls) {
            code = tn_tls_context_get(tn_loop_tls(loop), &options->tls,
                                      &link->tls, err);
        }
    }
    if (code != TN_OK) {
        tn_link_free(link);
        return code;
    }
    shuffle(link);
    set_due(link, tn_now_ms());
    *out = link;
    return TN_OK;
}

void
tn_link_free(struct tn_link *link)
{
    if (!link) {
        return;
    }
    tn_ovsdb_source_remove(link->loop, &link->source);
    tn_gate_leave(tn_loop_gate(link->loop), &link->pass);
    tn_stream_close(&link->stream);
    tn_frame_done(&link->frame);
    tn_text_done(&link->out);
    tn_tls_context_put(tn_loop_tls(link->loop), link->tls);
    tn_remotes_done(&link->remotes);
    free(link->unsendable);
    free(link->dropped);
    free(link);
}

bool
tn_link_is_up(const struct tn_link *link)
{
    return link->stream.state == TN_STREAM_OPEN && !link->dropped &&
           !link->unsendable;
}

unsigned long long
tn_link_received(const struct tn_link *link)
{
    return link->received;
}

struct tn_text *
tn_link_compose(struct tn_link *link)
{
    return &link->out;
}

enum tn_code
tn_link_send(struct tn_link *link, bool whole, struct tn_error *err)
{
    if (!whole || link->unsendable ||
        link->out.n - link->sent > link->frame.max) {
        cut_queue(link, link->composed);
        return tn_fail(err, TN_EUNAVAILABLE, 0,
                       "%zu bytes wait for %s to read them",
                       link->composed - link->sent, link->stream.remote->text);
    }
    bool waiting = link->sent < link->composed;
    link->composed = link->out.n;
    if (!waiting) {
        flush(link);
    }
    return TN_OK;
}

size_t
tn_link_queued(const struct tn_link *link)
{
    return link->composed - link->sent;
}

void
tn_link_drop(struct tn_link *link, bool at_once, const char *why)
{
    struct tn_error err = {0};
    if (link->stream.state != TN_STREAM_OPEN) {
        return;
    }
    (void) !tn_fail(&err, TN_EUNAVAILABLE, 0, "%s: %s",
                    link->stream.remote->text, why);
    drop_for(link, at_once, &err);
}
