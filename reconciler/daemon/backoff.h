/* backoff.h - when to try again.
 *
 * Each failure doubles the wait, up to a bound, with a random quarter more or
 * less so that many devices that failed together do not come back together.
 * After TN_BREAKER failures in a row the circuit is open: the device is left
 * alone but for one attempt each TN_BACKOFF_MAX_MS.  Pure but for the random
 * number that the caller gives. */
#ifndef TN_DAEMON_BACKOFF_H
#define TN_DAEMON_BACKOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TN_BACKOFF_MIN_MS = 1000,
    TN_BACKOFF_MAX_MS = 300000,
    TN_BREAKER = 8,
};

struct tn_backoff {
    unsigned failures; /* In a row. */
};

/* Notes a failure; milliseconds until the next attempt. */
int64_t tn_backoff_fail(struct tn_backoff *b, uint32_t random);
void tn_backoff_reset(struct tn_backoff *b);
bool tn_backoff_open(const struct tn_backoff *b);

/* Drift that comes back: when an object is healed again and again, its scope is
 * left alone for a while that grows, so that two masters do not fight over it
 * for ever.  Objects are counted, scopes wait: healing half of a VPC helps
 * nobody. */
enum {
    TN_FLAP_WINDOW_MS = 300000, /* An object is counted within. */
    TN_FLAP_FREE = 5,           /* So often it is healed at once. */
    TN_FLAP_MIN_MS = 5000,
    TN_FLAP_MAX_MS = 600000,
    TN_FLAP_KEYS = 4096, /* Bounded: the oldest is forgotten. */
};

struct tn_flaps;

struct tn_flaps *tn_flaps_new(void);
void tn_flaps_free(struct tn_flaps *flaps);

/* The objects 'keys' of 'scope' drifted once more: 0 to heal them now, else the
 * monotonic moment (ms) before which the scope is left alone.  While that lasts
 * further calls return it and count nothing. */
int64_t tn_flaps_seen(struct tn_flaps *flaps, const char *scope,
                      const char *const *keys, size_t n, int64_t now);
/* The earliest moment at which something may be healed again; 0: none waits. */
int64_t tn_flaps_next(const struct tn_flaps *flaps, int64_t now);

#endif
