/* webhook.h - is this HTTP request a push notification that should wake us?
 *
 * Pure but for the state it is given: no I/O, no clock of its own.  What a
 * notification says is never believed, not even with a good signature: it can
 * only make the source look at the remote earlier than it would have.  So the
 * worst that a forged, lost or repeated one does is one fetch more or later.
 *
 * In this order, cheap before dear and authentic before parsed:
 *     size, rate, signature, replay, event, JSON, repository, branch.
 *
 * Signatures: GitHub X-Hub-Signature-256; Gitea, Forgejo and Gogs
 * X-Gitea-Signature, X-Forgejo-Signature, X-Gogs-Signature (all HMAC-SHA256
 * over the body as sent); GitLab X-Gitlab-Token (the secret itself).
 *
 * Replay: what was accepted is remembered by its delivery id and, since the
 * signature does not cover that id, by its bytes, in a window of 'replay_ms'
 * that holds TN_WEBHOOK_SEEN deliveries at most.
 *
 * Rate: a token bucket for each sender (IPv6: each /64) and one for all.  A
 * request costs 1 token, an unauthentic one TN_WEBHOOK_PENALTY.  A sender that
 * gave a good signature does not share the common bucket, so that a crowd of
 * strangers does not silence the forge. */
#ifndef TN_HTTP_WEBHOOK_H
#define TN_HTTP_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/crypt.h"
#include "reconciler/http/message.h"

enum {
    TN_WEBHOOK_SEEN = 1024,
    TN_WEBHOOK_PEERS = 256,
    TN_WEBHOOK_PENALTY = 5,
    TN_WEBHOOK_COMMIT = 65,
    TN_WEBHOOK_BODY = 1 << 20, /* The default bound of a body. */
};

enum tn_webhook_flavour {
    TN_WEBHOOK_AUTO, /* By its headers. */
    TN_WEBHOOK_GITHUB,
    TN_WEBHOOK_GITLAB,
    TN_WEBHOOK_GITEA, /* Forgejo and Gogs too. */
};

/* Zero means the default in brackets.  The secrets are borrowed and must
 * outlive the judge; texts are copied. */
struct tn_webhook_options {
    /* Required: null or empty, and nothing is authentic. */
    const struct tn_secret *secret;
    const struct tn_secret *old_secret; /* Also accepted, while secrets are
                                         * exchanged; may be null. */
    enum tn_webhook_flavour flavour;
    /* Null: any.  "group/name" is compared with the full name, a URL (any
     * scheme, or host:path) with the URLs that the notification names. */
    const char *repository;
    const char *branch;   /* Null: any.  "main", or a full "refs/...". */
    size_t max_body;      /* [TN_WEBHOOK_BODY] */
    int64_t replay_ms;    /* [24 h] */
    unsigned peer_rate;   /* Requests a minute [60]; the burst is the same. */
    unsigned global_rate; /* [240] */
};

enum tn_webhook_verdict {
    TN_WEBHOOK_WAKE,          /* 202: look at the remote now. */
    TN_WEBHOOK_IGNORED,       /* 200: other event, repository or branch. */
    TN_WEBHOOK_MALFORMED,     /* 400 */
    TN_WEBHOOK_BAD_SIGNATURE, /* 401 */
    TN_WEBHOOK_REPLAYED,      /* 409 */
    TN_WEBHOOK_TOO_LARGE,     /* 413 */
    TN_WEBHOOK_RATE_LIMITED,  /* 429, with 'retry_after' */
};

struct tn_webhook_result {
    enum tn_webhook_verdict verdict;
    unsigned status;      /* For HTTP. */
    unsigned retry_after; /* Seconds; 0 unless rate limited. */
    const char *reason;   /* Static; for the answer and the log. */
    /* What the sender says is the new tip: hexadecimal, "" if it says nothing
     * or the ref was deleted.  A hint, for the log. */
    char commit[TN_WEBHOOK_COMMIT];
};

struct tn_webhook;

/* New, owned by the caller. */
struct tn_webhook *
tn_webhook_new(const struct tn_webhook_options *options) TN_RETURNS_NONNULL;
/* Accepts null. */
void tn_webhook_free(struct tn_webhook *webhook);

/* 'now_ms' is a monotonic clock's: of it only differences count, and a step
 * back is taken as no time at all. */
struct tn_webhook_result tn_webhook_judge(struct tn_webhook *webhook,
                                          const struct tn_http_request *request,
                                          int64_t now_ms);

/* Fills the answer: status, Retry-After, and a JSON object with the verdict and
 * the reason. */
void tn_webhook_answer(const struct tn_webhook_result *result,
                       struct tn_http_response *response);

/* "wake", "ignored", ...: static, as in tenet_webhook_requests_total. */
const char *
tn_webhook_verdict_name(enum tn_webhook_verdict verdict) TN_RETURNS_NONNULL;
/* "auto", "github", ...; false if 'name' is none of them. */
bool tn_webhook_flavour_parse(const char *name,
                              enum tn_webhook_flavour *out) TN_MUST_USE;

#endif
