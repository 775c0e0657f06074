/* intent.c - see intent.h. */
#include "reconciler/daemon/intent.h"

#include <stdlib.h>

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
