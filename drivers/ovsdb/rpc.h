/* rpc.h - one JSON-RPC 1.0 session with an OVSDB server (RFC 7047, 4).
 *
 * A session is meant to last: it connects in the background, answers echo
 * requests, probes a peer that is silent, reconnects with a back-off that
 * doubles (with jitter), and tries its remotes in turn.  What is lost with a
 * connection is told, never repeated on its own: only the caller knows what a
 * repetition means.
 *
 * The peer is not trusted: a message is bounded in bytes and depth before a
 * parser sees it, and one that is no JSON-RPC ends the connection, with a
 * reason.  jansson's types are part of this interface: every user is a file of
 * this folder. */
#ifndef TN_OVSDB_RPC_H
#define TN_OVSDB_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "drivers/ovsdb/loop.h"
#include "drivers/ovsdb/scan.h"
#include "model/base/error.h"

/* Files in PEM form.  The server's certificate is always verified against
 * 'ca', but not its name (see tls.h); 'key' and 'certificate' are ours, and may
 * both be null if the server does not ask.  All may be null where no remote is
 * "ssl:".  Files that have changed are read again by the next try. */
struct tn_ovsdb_tls {
    const char *ca, *certificate, *key;
};

struct tn_rpc_options {
    /* Comma separated, tried in random order (RFC 7047 names none; the syntax
     * is ovsdb(7)'s): unix:PATH, tcp:IP:PORT, ssl:IP:PORT, an IPv6 address in
     * brackets. */
    const char *remotes;
    struct tn_ovsdb_tls tls;
    unsigned connect_ms; /* For connecting and the TLS handshake; 0: 5,000. */
    /* Silence before an echo is sent, and again before the connection is given
     * up; 0: 5,000.  A server that works on a long transaction is silent, too,
     * so who commits much at once has more patience. */
    unsigned probe_ms;
    unsigned backoff_ms; /* The longest wait between tries; 0: 8,000. */
    /* Bytes, of one message, and of what waits for being sent; 0: 256 MiB.  In
     * memory a message takes about ten times as much; one that would take more
     * than sixteen times the bound is refused, too. */
    size_t max_message;
};

struct tn_rpc;

/* Called from tn_ovsdb_loop_turn() only.  A callback may make calls and may
 * drop the connection, but not close the session. */
struct tn_rpc_events {
    /* Connected: the peer is 'remote'.  With TLS 1.3 it may still refuse our
     * certificate: then the reason comes with 'down'. */
    void (*up)(void *ctx, const char *remote);
    /* The connection, or a try, has ended.  All calls under way are answered
     * (with neither result nor error) before. */
    void (*down)(void *ctx, const struct tn_error *why);
    /* A notification; 'params' is borrowed. */
    void (*notified)(void *ctx, const char *method, json_t *params);
    /* Instead, if it is not null, of those whose method begins with "update":
     * 'params' is JSON that is not yet looked at. */
    void (*updated)(void *ctx, const char *method, struct tn_scan params);
};

/* One of 'result' and 'error' is not null, both borrowed; both are null if the
 * connection was lost before the answer. */
typedef void tn_rpc_answered_fn(void *ctx, json_t *result, json_t *error);

/* The same, of a call whose result comes by the megabyte: 'result' is JSON that
 * is not yet looked at; it is empty if there is none. */
typedef void tn_rpc_answered_text_fn(void *ctx, struct tn_scan result,
                                     json_t *error);

/* Does not connect yet: that begins with the next turn of the loop.  Of the
 * sessions of a loop that want to the same server, a few are let in at a time.
 * TN_EINTENT: the remotes are not well formed.  TN_EDENIED: a file of TLS
 * cannot be used.  TN_EUNSUPPORTED: OpenSSL is not installed. */
enum tn_code tn_rpc_open(struct tn_ovsdb_loop *loop,
                         const struct tn_rpc_options *options,
                         const struct tn_rpc_events *events, void *ctx,
                         struct tn_rpc **out, struct tn_error *err) TN_MUST_USE;
void tn_rpc_close(struct tn_rpc *rpc); /* Accepts null; no callback. */

bool tn_rpc_is_up(const struct tn_rpc *rpc);

/* Sends a request; takes 'params'.  TN_EUNAVAILABLE, and no callback: the
 * session is down, or the peer does not read what was sent before.  The answer
 * never comes before the call returns. */
enum tn_code tn_rpc_call(struct tn_rpc *rpc, const char *method, json_t *params,
                         tn_rpc_answered_fn *answered, void *ctx,
                         struct tn_error *err) TN_MUST_USE;

/* The same, with an answer as text. */
enum tn_code tn_rpc_call_for_text(struct tn_rpc *rpc, const char *method,
                                  json_t *params,
                                  tn_rpc_answered_text_fn *answered, void *ctx,
                                  struct tn_error *err) TN_MUST_USE;

/* The same with parameters that are a name and JSON, too, which is sent as it
 * is: elements of an array, each after a comma. */
struct tn_rpc_text {
    const char *name; /* Of letters. */
    const char *rest;
    size_t n;
};
enum tn_code tn_rpc_call_text(struct tn_rpc *rpc, const char *method,
                              const struct tn_rpc_text *params,
                              tn_rpc_answered_text_fn *answered, void *ctx,
                              struct tn_error *err) TN_MUST_USE;

/* Ends this connection, because of what the peer said; the next remote is
 * tried, at once or after a back-off. */
void tn_rpc_drop(struct tn_rpc *rpc, bool at_once, const char *why);

/* Bytes received on the session so far. */
unsigned long long tn_rpc_received(const struct tn_rpc *rpc);

#endif
