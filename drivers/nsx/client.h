/* client.h - an NSX Manager, or several of one cluster, as something to ask.
 *
 * What holds for every call.  TLS is verified.  Of several managers one is
 * used until it fails; a session belongs to one manager, so that changing over
 * means logging in anew.  An answer is classified by verdict.h, and what can be
 * mended without knowing what was asked is mended here: an expired session (one
 * login and one replay), a rate that was exceeded, a busy server, a manager
 * that is gone, a redirect to another manager of the list.  What is left comes
 * back as the reply's verdict.
 *
 * The rate adapts (limit.h) and never exceeds 'rate'.
 *
 * A write whose answer was lost (the connection broke after the request was
 * sent) is never repeated here: TN_NSX_LOST; who asked must look what became
 * of it.  Reads are repeated.
 *
 * No secret appears in an error.  A client belongs to one thread.  The process
 * must ignore SIGPIPE. */
#ifndef TN_NSX_CLIENT_H
#define TN_NSX_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/nsx/verdict.h"
#include "model/base/arena.h"
#include "model/base/crypt.h"
#include "model/base/error.h"

struct tn_nsx;

enum tn_nsx_login {
    TN_NSX_SESSION,     /* POST /api/session/create, cookie and XSRF token. */
    TN_NSX_BASIC,       /* Authorization of each request. */
    TN_NSX_CERTIFICATE, /* A principal identity. */
};

enum {
    TN_NSX_RATE = 100,       /* Requests a second: NSX's default limit. */
    TN_NSX_CONCURRENT = 8,   /* Under way at once. */
    TN_NSX_TIMEOUT_S = 60,   /* Of silence; a write: three times that. */
    TN_NSX_PATIENCE_S = 180, /* How long one call goes on being retried. */
};

/* Everything is borrowed for the life of the client. */
struct tn_nsx_options {
    const char *const *managers; /* "https://host[:port]", in order. */
    size_t n_managers;
    enum tn_nsx_login login;
    const char *user;               /* Session, basic. */
    const struct tn_secret *secret; /* The password; else null. */
    const char *ca;                 /* PEM file; null: the system's. */
    const char *certificate, *key;  /* PEM files; null: none. */
    const char *memory; /* Directory where refused logins are remembered beyond
                           the client (login_memory.h); null: nowhere. */
    unsigned rate, concurrent, timeout_s, patience_s; /* 0: as above. */
};

/* Connects to nobody yet. */
enum tn_code tn_nsx_new(const struct tn_nsx_options *options,
                        struct tn_nsx **out, struct tn_error *err) TN_MUST_USE;
/* Ends the session at the manager, not waiting long.  Accepts null. */
void tn_nsx_free(struct tn_nsx *nsx);

struct tn_nsx_call {
    const char *method; /* "GET", "PATCH", ... */
    const char *path; /* "/policy/api/v1/infra?type_filter=Segment"; what a URL
                         may not have is escaped, "%" is not. */
    const char *body; /* JSON; null: none. */
    size_t n_body;
    bool overwrite; /* X-Allow-Overwrite: true. */
    bool hasty;     /* TN_NSX_WAIT comes back at once: the caller waits. */
    bool page;      /* TN_NSX_SMALLER comes back at once. */
    void *tag;      /* The caller's. */
};

/* 'body' is NUL-terminated, never null, in the arena that was given. */
struct tn_nsx_reply {
    struct tn_nsx_verdict verdict; /* TN_NSX_DONE: 2xx. */
    const char *body;
    size_t n_body;
};

/* Asks and waits.  The code is about asking at all (TN_EUNAVAILABLE: nobody
 * answered; TN_EDENIED: login refused, TLS); an answer of the manager, be it a
 * refusal, is TN_OK and stands in 'reply'. */
enum tn_code tn_nsx_ask(struct tn_nsx *nsx, const struct tn_nsx_call *call,
                        struct tn_arena *arena, struct tn_nsx_reply *reply,
                        struct tn_error *err) TN_MUST_USE;

/* Asks all of them, several at the same time; replies[i] belongs to calls[i].
 * Ends early on an error as above; replies of writes that were under way are
 * then TN_NSX_LOST, those that were not asked TN_NSX_RETRY without a status. */
enum tn_code tn_nsx_ask_all(struct tn_nsx *nsx, const struct tn_nsx_call *calls,
                            size_t n, struct tn_arena *arena,
                            struct tn_nsx_reply *replies,
                            struct tn_error *err) TN_MUST_USE;

/* All elements of a paged list: GETs 'path' ("/policy/api/v1/infra/segments"),
 * follows cursors, takes smaller pages where told to, and reads anew if pages
 * overlap or fall short of result_count.  '*items' are JSON texts of the
 * elements in 'arena'. */
enum tn_code tn_nsx_list(struct tn_nsx *nsx, const char *path,
                         struct tn_arena *arena, const char *const **items,
                         size_t *n, struct tn_nsx_reply *refused,
                         struct tn_error *err) TN_MUST_USE;

/* "4.2.1.0.0": product_version, asked once; "" before the first answer. */
const char *tn_nsx_version(const struct tn_nsx *nsx);

/* For benches and tests: what was sent, by what came of it. */
struct tn_nsx_counts {
    uint64_t requests, logins, refused_by_rate, repeated, failovers;
};
struct tn_nsx_counts tn_nsx_counts(const struct tn_nsx *nsx);

#endif
