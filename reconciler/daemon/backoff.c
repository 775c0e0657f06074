/* backoff.c - see backoff.h. */
#include "reconciler/daemon/backoff.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"

static int64_t
doubled(int64_t least, int64_t most, unsigned times)
{
    while (times-- > 0 && least < most) {
        least *= 2;
    }
    return least < most ? least : most;
}

int64_t
tn_backoff_fail(struct tn_backoff *b, uint32_t random)
{
    int64_t wait = doubled(TN_BACKOFF_MIN_MS, TN_BACKOFF_MAX_MS, b->failures);
    b->failures += b->failures < 1000;
    return wait - wait / 4 + (int64_t) (random % (uint32_t) (wait / 2 + 1));
}

void
tn_backoff_reset(struct tn_backoff *b)
{
    b->failures = 0;
}

bool
tn_backoff_open(const struct tn_backoff *b)
{
    return b->failures >= TN_BREAKER;
}

struct flap {
    struct tn_digest key;
    int64_t last;  /* When it was healed last. */
    int64_t until; /* Left alone until then. */
    unsigned n;
};

struct tn_flaps {
    struct flap items[TN_FLAP_KEYS];
    size_t n;
};

struct tn_flaps *
tn_flaps_new(void)
{
    struct tn_flaps *f = calloc(1, sizeof *f);
    if (!f) {
        abort();
    }
    return f;
}

void
tn_flaps_free(struct tn_flaps *flaps)
{
    free(flaps);
}

static struct flap *
flap_get(struct tn_flaps *f, const struct tn_digest *key, int64_t now)
{
    struct flap *oldest = &f->items[0];
    for (size_t i = 0; i < f->n; i++) {
        struct flap *it = &f->items[i];
        if (tn_digest_eq(&it->key, key)) {
            if (now - it->last > TN_FLAP_WINDOW_MS && it->until == 0) {
                it->n = 0;
            }
            return it;
        }
        if (it->last < oldest->last) {
            oldest = it;
        }
    }
    struct flap *it = f->n < TN_FLAP_KEYS ? &f->items[f->n++] : oldest;
    *it = (struct flap){.key = *key, .last = now};
    return it;
}

int64_t
tn_flaps_seen(struct tn_flaps *flaps, const char *scope,
              const char *const *keys, size_t n, int64_t now)
{
    unsigned most = 0;
    struct tn_digest key = tn_digest_of(scope, strlen(scope));
    struct flap *it = flap_get(flaps, &key, now);
    if (now < it->until) {
        return it->until;
    }
    bool waited = it->until != 0;
    it->until = 0;
    it->last = now;
    for (size_t i = 0; i < n; i++) {
        struct tn_digest object = tn_digest_of(keys[i], strlen(keys[i]));
        struct flap *o = flap_get(flaps, &object, now);
        o->n++;
        o->last = now;
        most = o->n > most ? o->n : most;
    }
    if (most <= TN_FLAP_FREE || waited) {
        return 0;
    }
    it = flap_get(flaps, &key, now); /* Others may have pushed it out. */
    it->until =
        now + doubled(TN_FLAP_MIN_MS, TN_FLAP_MAX_MS, most - TN_FLAP_FREE - 1);
    int64_t until = it->until;
    for (size_t i = 0; i < n; i++) {
        /* The window begins when the wait is over: else a long wait would be
         * what makes it forgotten. */
        struct tn_digest object = tn_digest_of(keys[i], strlen(keys[i]));
        flap_get(flaps, &object, now)->last = until;
    }
    return until;
}

int64_t
tn_flaps_next(const struct tn_flaps *flaps, int64_t now)
{
    int64_t next = 0;
    for (size_t i = 0; i < flaps->n; i++) {
        int64_t until = flaps->items[i].until;
        if (until > now && (next == 0 || until < next)) {
            next = until;
        }
    }
    return next;
}
