/* intent.c - see intent.h.
 *
 * After a start many workers want to know what the same former commit said: who
 * comes first compiles it, the others wait for that and share it. */
#include "reconciler/daemon/intent.h"

#include <stdlib.h>
#include <string.h>

struct tn_before {
    struct tn_before *next;
    struct tn_intent *intent;
    struct tn_arena *arena;
    const char *commit;
    const struct tn_network *network; /* Null: cannot be had. */
    size_t refs;                      /* Guarded by the intent's mutex. */
};

struct tn_intent *
tn_intent_new(struct tn_reconcile *run, int64_t seen_ms)
{
    struct tn_intent *intent = calloc(1, sizeof *intent);
    if (!intent) {
        abort();
    }
    atomic_init(&intent->refs, 1);
    pthread_mutex_init(&intent->mutex, NULL);
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
        pthread_mutex_destroy(&intent->mutex);
        free(intent);
    }
}

static struct tn_before *
past_find(const struct tn_intent *intent, const char *commit)
{
    struct tn_before *p = intent->pasts;
    while (p && strcmp(p->commit, commit) != 0) {
        p = p->next;
    }
    return p;
}

static struct tn_before *
past_new(struct tn_intent *intent, const char *commit)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_before *p = tn_new(arena, struct tn_before);
    *p = (struct tn_before){
        .next = intent->pasts,
        .intent = tn_intent_ref(intent),
        .arena = arena,
        .commit = tn_arena_strdup(arena, commit),
        .network = tn_reconcile_past(intent->run, commit, arena),
    };
    intent->pasts = p;
    return p;
}

struct tn_before *
tn_intent_before(struct tn_intent *intent, const char *commit)
{
    pthread_mutex_lock(&intent->mutex);
    struct tn_before *p = past_find(intent, commit);
    if (!p) {
        p = past_new(intent, commit);
    }
    p->refs++;
    bool there = p->network != NULL;
    pthread_mutex_unlock(&intent->mutex);
    if (!there) {
        tn_before_unref(p);
        return NULL;
    }
    return p;
}

const struct tn_network *
tn_before_network(const struct tn_before *past)
{
    return past->network;
}

void
tn_before_unref(struct tn_before *past)
{
    if (!past) {
        return;
    }
    struct tn_intent *intent = past->intent;
    pthread_mutex_lock(&intent->mutex);
    bool last = --past->refs == 0;
    if (last) {
        struct tn_before **p = &intent->pasts;
        while (*p != past) {
            p = &(*p)->next;
        }
        *p = past->next;
    }
    pthread_mutex_unlock(&intent->mutex);
    if (last) {
        tn_arena_free(past->arena);
        tn_intent_unref(intent);
    }
}
