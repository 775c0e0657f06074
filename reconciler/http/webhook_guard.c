/* webhook_guard.c - token buckets and the memory of deliveries.
 *
 * Both are small arrays that are searched from end to end: a few hundred
 * comparisons cost less than the hash of one body. */
#include "reconciler/http/webhook_guard.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void
refill(struct tn_bucket *b, int64_t now_ms)
{
    if (now_ms > b->at_ms) {
        b->tokens += (double) (now_ms - b->at_ms) * b->rate / 60000;
        b->tokens = b->tokens < b->rate ? b->tokens : b->rate;
    }
    b->at_ms = now_ms;
}

/* Seconds until there is one token; 0 if there is. */
static unsigned
wait_for_one(const struct tn_bucket *b)
{
    double missing = 1 - b->tokens;
    return missing <= 1e-9 ? 0 : (unsigned) ceil(missing * 60 / b->rate);
}

static void
charge(struct tn_bucket *b, double tokens)
{
    b->tokens -= tokens;
    /* A minute of silence is always enough. */
    b->tokens = b->tokens > 1 - b->rate ? b->tokens : 1 - b->rate;
}

/* Who shares a bucket: an IPv4 address, an IPv6 /64. */
static void
peer_name(const char *sender, char out[64])
{
    struct in6_addr a;
    if (inet_pton(AF_INET6, sender, &a) != 1) {
        snprintf(out, 64, "%s", sender[0] ? sender : "-");
        return;
    }
    memset(&a.s6_addr[8], 0, 8);
    inet_ntop(AF_INET6, &a, out, 64);
}

/* The place of 'name', or the one to give up: a free one, else the stranger
 * that was silent longest, else the friend. */
static struct tn_peer *
place_of(struct tn_webhook_guard *g, const char *name)
{
    struct tn_peer *best = &g->peer[0];
    for (size_t i = 0; i < TN_WEBHOOK_PEERS; i++) {
        struct tn_peer *p = &g->peer[i];
        if (strcmp(p->name, name) == 0) {
            return p;
        }
        bool better = p->trusted != best->trusted
                          ? !p->trusted
                          : p->bucket.at_ms < best->bucket.at_ms;
        if (best->name[0] && (!p->name[0] || better)) {
            best = p;
        }
    }
    return best;
}

void
tn_guard_init(struct tn_webhook_guard *guard, unsigned peer_rate,
              unsigned global_rate, int64_t replay_ms)
{
    *guard = (struct tn_webhook_guard){
        .all = {.tokens = global_rate, .rate = global_rate},
        .peer_rate = peer_rate,
        .replay_ms = replay_ms,
    };
}

unsigned
tn_guard_enter(struct tn_webhook_guard *guard, const char *sender,
               int64_t now_ms, struct tn_peer **peer)
{
    char name[64];
    peer_name(sender, name);
    struct tn_peer *p = place_of(guard, name);
    if (strcmp(p->name, name) != 0) {
        *p = (struct tn_peer){
            .bucket = {.tokens = guard->peer_rate,
                       .rate = guard->peer_rate,
                       .at_ms = now_ms},
        };
        memcpy(p->name, name, sizeof p->name);
    }
    *peer = p;
    refill(&p->bucket, now_ms);
    refill(&guard->all, now_ms);
    unsigned wait = wait_for_one(&p->bucket);
    unsigned wait_all = p->trusted ? 0 : wait_for_one(&guard->all);
    if (wait || wait_all) {
        return wait > wait_all ? wait : wait_all;
    }
    charge(&p->bucket, 1);
    if (!p->trusted) {
        charge(&guard->all, 1);
    }
    return 0;
}

void
tn_guard_verdict(struct tn_webhook_guard *guard, struct tn_peer *peer,
                 bool good)
{
    peer->trusted = good;
    if (!good) {
        charge(&peer->bucket, TN_WEBHOOK_PENALTY - 1);
        charge(&guard->all, TN_WEBHOOK_PENALTY - 1);
    }
}

bool
tn_guard_seen(struct tn_webhook_guard *guard, const char *delivery,
              const uint8_t *body, int64_t now_ms)
{
    struct tn_seen new = {.at_ms = now_ms, .used = true};
    if (delivery) {
        tn_sha256(delivery, strlen(delivery), new.delivery);
    }
    if (body) {
        memcpy(new.body, body, sizeof new.body);
    }
    for (size_t i = 0; i < TN_WEBHOOK_SEEN; i++) {
        const struct tn_seen *s = &guard->seen[i];
        if (!s->used || now_ms - s->at_ms > guard->replay_ms) {
            continue;
        }
        if ((delivery &&
             memcmp(s->delivery, new.delivery, sizeof new.delivery) == 0) ||
            (body && memcmp(s->body, new.body, sizeof new.body) == 0)) {
            return true;
        }
    }
    guard->seen[guard->next_seen] = new;
    guard->next_seen = (guard->next_seen + 1) % TN_WEBHOOK_SEEN;
    return false;
}
