/* webhook_guard.h - what the judge of notifications remembers: how much each
 * sender may still ask, and which deliveries were seen.  Bounded: neither grows
 * with what strangers send. */
#ifndef TN_HTTP_WEBHOOK_GUARD_H
#define TN_HTTP_WEBHOOK_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/crypt.h"
#include "reconciler/http/webhook.h"

/* Tokens come at 'rate' a minute, up to 'rate'. */
struct tn_bucket {
    double tokens, rate;
    int64_t at_ms;
};

struct tn_peer {
    char name[64]; /* Empty: a free place. */
    struct tn_bucket bucket;
    bool trusted; /* Its last signature was good. */
};

struct tn_seen {
    uint8_t delivery[TN_SHA256_SIZE], body[TN_SHA256_SIZE];
    int64_t at_ms;
    bool used;
};

struct tn_webhook_guard {
    struct tn_bucket all;
    unsigned peer_rate;
    int64_t replay_ms;
    struct tn_peer peer[TN_WEBHOOK_PEERS];
    struct tn_seen seen[TN_WEBHOOK_SEEN];
    size_t next_seen;
};

void tn_guard_init(struct tn_webhook_guard *guard, unsigned peer_rate,
                   unsigned global_rate, int64_t replay_ms);

/* Takes one token of 'sender' (an address as text).  Its place in the table, in
 * '*peer', is valid until the next call.  0, or the seconds to wait. */
unsigned tn_guard_enter(struct tn_webhook_guard *guard, const char *sender,
                        int64_t now_ms, struct tn_peer **peer);
/* Says whether the signature was good. */
void tn_guard_verdict(struct tn_webhook_guard *guard, struct tn_peer *peer,
                      bool good);

/* True if the delivery (null: it has no id) or the body was seen in the
 * window; else remembers both, at the place of the oldest.  'body' is the
 * digest of the bytes, or null where only the id counts. */
bool tn_guard_seen(struct tn_webhook_guard *guard, const char *delivery,
                   const uint8_t *body, int64_t now_ms);

#endif
