/* intent.c - see intent.h. */
#include "reconciler/daemon/intent.h"

#include <stdlib.h>
#include <time.h>

struct tn_intent *
tn_intent_new(struct tn_reconcile *run, int64_t seen_ms)
{
    struct tn_intent *intent = calloc(1, sizeof *intent);
    if (!intent) {
        abort();
    }
    atomic_init(&intent->refs, 1);
    intent->run = run;
    intent->seen_ms = seen_ms;
    return intent;
}

struct tn_intent *
tn_intent_ref(struct tn_intent *intent)
{
    atomic_fetch_add(&intent->refs, 1);
    return intent;
}

void
tn_intent_unref(struct tn_intent *intent)
{
    if (intent && atomic_fetch_sub(&intent->refs, 1) == 1) {
        tn_reconcile_free(intent->run);
        free(intent);
    }
}

int64_t
tn_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
tn_now_ms(void)
{
    return tn_now_ns() / 1000000;
}
