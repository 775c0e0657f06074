/* rollback.c - what is quarantined and what is held: pure.
 *
 * The list of entries joins like a register for each commit: the later of two
 * words about it counts, and of two at the same second the one that keeps it
 * away.  So machines that write at the same time end up with the same list
 * whoever writes last. */
#include "reconciler/confirm/rollback.h"

#include <stdlib.h>
#include <string.h>

struct entries {
    TN_VEC(struct tn_quarantine) list;
};

/* The last word about an entry. */
static int64_t
last_word(const struct tn_quarantine *q)
{
    return q->released > q->since ? q->released : q->since;
}

static bool
is_held(const struct tn_quarantine *q)
{
    return q->released == 0 || q->released < q->since;
}

static int
by_commit(const void *a, const void *b)
{
    return strcmp(((const struct tn_quarantine *) a)->commit,
                  ((const struct tn_quarantine *) b)->commit);
}

static int
text_order(const struct tn_quarantine *a, const struct tn_quarantine *b)
{
    int c = tn_strcmp0(a->reason, b->reason);
    return c ? c : tn_strcmp0(a->who, b->who);
}

/* Which of two words about one commit counts. */
static const struct tn_quarantine *
later(const struct tn_quarantine *a, const struct tn_quarantine *b)
{
    int64_t x = last_word(a), y = last_word(b);
    if (x != y) {
        return x > y ? a : b;
    }
    if (is_held(a) != is_held(b)) {
        return is_held(a) ? a : b;
    }
    return text_order(a, b) >= 0 ? a : b;
}

/* Released ones first, the oldest first: these can go. */
static int
by_use(const void *pa, const void *pb)
{
    const struct tn_quarantine *a = pa, *b = pb;
    if (is_held(a) != is_held(b)) {
        return is_held(a) ? 1 : -1;
    }
    int64_t x = last_word(a), y = last_word(b);
    return x != y ? (x < y ? -1 : 1) : by_commit(a, b);
}

/* Sorts, joins what is about the same commit, and bounds the number. */
static void
entries_settle(struct entries *e, struct tn_rollback *out)
{
    size_t n = 0;
    if (e->list.n > 1) {
        qsort(e->list.items, e->list.n, sizeof *e->list.items, by_commit);
    }
    for (size_t i = 0; i < e->list.n; i++) {
        struct tn_quarantine *q = &e->list.items[i];
        if (n && strcmp(e->list.items[n - 1].commit, q->commit) == 0) {
            e->list.items[n - 1] = *later(&e->list.items[n - 1], q);
        } else {
            e->list.items[n++] = *q;
        }
    }
    if (n > TN_ROLLBACK_ENTRIES) {
        size_t excess = n - TN_ROLLBACK_ENTRIES;
        qsort(e->list.items, n, sizeof *e->list.items, by_use);
        e->list.items += excess;
        n -= excess;
        qsort(e->list.items, n, sizeof *e->list.items, by_commit);
    }
    out->entries = e->list.items;
    out->n_entries = n;
}

static void
entries_add(struct tn_arena *arena, struct entries *e,
            const struct tn_rollback *from)
{
    for (size_t i = 0; i < from->n_entries; i++) {
        *tn_vec_push(arena, &e->list) = from->entries[i];
    }
}

static const struct tn_quarantine *
entry_find(const struct tn_rollback *state, const char *commit)
{
    struct tn_quarantine key = {.commit = commit};
    return state->n_entries ? bsearch(&key, state->entries, state->n_entries,
                                      sizeof key, by_commit)
                            : NULL;
}

void
tn_rollback_quarantine(struct tn_arena *arena, const struct tn_rollback *in,
                       const char *commit, const struct tn_rollback_word *word,
                       struct tn_rollback *out)
{
    struct entries e = {0};
    struct tn_rollback next = *in;
    const struct tn_quarantine *old = entry_find(in, commit);
    int64_t since = word->now;
    /* A clock that was set back must not make the new word the older one. */
    if (old && last_word(old) >= since) {
        since = last_word(old) + !is_held(old);
    }
    entries_add(arena, &e, in);
    *tn_vec_push(arena, &e.list) = (struct tn_quarantine){
        .commit = commit,
        .reason = word->reason,
        .who = word->who,
        .since = since,
    };
    entries_settle(&e, &next);
    *out = next;
}

void
tn_rollback_release(struct tn_arena *arena, const struct tn_rollback *in,
                    const char *commit, int64_t now, struct tn_rollback *out)
{
    struct entries e = {0};
    struct tn_rollback next = *in;
    entries_add(arena, &e, in);
    for (size_t i = 0; i < e.list.n; i++) {
        struct tn_quarantine *q = &e.list.items[i];
        if (is_held(q) && (!commit || strcmp(q->commit, commit) == 0)) {
            q->released = now > q->since ? now : q->since + 1;
        }
    }
    if (next.pin.commit) {
        int64_t since = now > next.pin.since ? now : next.pin.since + 1;
        next.pin = (struct tn_rollback_pin){.since = since};
    }
    entries_settle(&e, &next);
    *out = next;
}

void
tn_rollback_set_pin(struct tn_arena *arena, const struct tn_rollback *in,
                    const char *commit, const struct tn_rollback_word *word,
                    struct tn_rollback *out)
{
    struct tn_rollback next = *in;
    (void) arena;
    int64_t since = word->now > in->pin.since ? word->now : in->pin.since + 1;
    next.pin = (struct tn_rollback_pin){commit, word->reason, word->who, since};
    *out = next;
}

void
tn_rollback_applied(struct tn_arena *arena, const struct tn_rollback *in,
                    const char *commit, const char *environment, int64_t now,
                    struct tn_rollback *out)
{
    TN_VEC(struct tn_good) good = {0};
    struct tn_rollback next = *in;
    *tn_vec_push(arena, &good) = (struct tn_good){commit, environment, now};
    for (size_t i = 0; i < in->n_good; i++) {
        const struct tn_good *g = &in->good[i];
        bool same_place = strcmp(g->environment, environment) == 0;
        if (same_place && good.n == 1 && strcmp(g->commit, commit) == 0) {
            good.items[0].since = g->since; /* Still the latest: no news. */
        } else if (!(same_place && strcmp(g->commit, commit) == 0) &&
                   good.n < TN_ROLLBACK_GOOD) {
            *tn_vec_push(arena, &good) = *g;
        }
    }
    next.good = good.items;
    next.n_good = good.n;
    *out = next;
}

static int
by_time(const void *pa, const void *pb)
{
    const struct tn_good *a = pa, *b = pb;
    if (a->since != b->since) {
        return a->since > b->since ? -1 : 1;
    }
    int c = strcmp(a->commit, b->commit);
    return c ? c : strcmp(a->environment, b->environment);
}

static void
good_join(struct tn_arena *arena, const struct tn_rollback *a,
          const struct tn_rollback *b, struct tn_rollback *out)
{
    TN_VEC(struct tn_good) all = {0};
    size_t n = 0;
    for (size_t i = 0; i < a->n_good + b->n_good; i++) {
        *tn_vec_push(arena, &all) =
            i < a->n_good ? a->good[i] : b->good[i - a->n_good];
    }
    if (all.n > 1) {
        qsort(all.items, all.n, sizeof *all.items, by_time);
    }
    for (size_t i = 0; i < all.n && n < TN_ROLLBACK_GOOD; i++) {
        bool told = false;
        for (size_t k = 0; k < n && !told; k++) {
            told =
                strcmp(all.items[k].commit, all.items[i].commit) == 0 &&
                strcmp(all.items[k].environment, all.items[i].environment) == 0;
        }
        if (!told) {
            all.items[n++] = all.items[i];
        }
    }
    out->good = all.items;
    out->n_good = n;
}

static const struct tn_rollback_pin *
pin_later(const struct tn_rollback_pin *a, const struct tn_rollback_pin *b)
{
    if (a->since != b->since) {
        return a->since > b->since ? a : b;
    }
    int c = tn_strcmp0(a->commit, b->commit);
    c = c ? c : tn_strcmp0(a->reason, b->reason);
    c = c ? c : tn_strcmp0(a->who, b->who);
    return c >= 0 ? a : b;
}

void
tn_rollback_join(struct tn_arena *arena, const struct tn_rollback *a,
                 const struct tn_rollback *b, struct tn_rollback *out)
{
    struct entries e = {0};
    struct tn_rollback next = {.pin = *pin_later(&a->pin, &b->pin)};
    entries_add(arena, &e, a);
    entries_add(arena, &e, b);
    entries_settle(&e, &next);
    good_join(arena, a, b, &next);
    *out = next;
}

const struct tn_quarantine *
tn_rollback_quarantined(const struct tn_rollback *state, const char *commit)
{
    const struct tn_quarantine *q = entry_find(state, commit);
    return q && is_held(q) ? q : NULL;
}

static const char *
last_good(const struct tn_rollback *state, const char *environment,
          const char *bad)
{
    for (size_t i = 0; i < state->n_good; i++) {
        const struct tn_good *g = &state->good[i];
        if (strcmp(g->environment, environment) == 0 &&
            !(bad && strcmp(g->commit, bad) == 0) &&
            !tn_rollback_quarantined(state, g->commit)) {
            return g->commit;
        }
    }
    return NULL;
}

enum tn_rollback_choice
tn_rollback_target(const struct tn_rollback *state, const char *tip,
                   const char *environment, const char **commit)
{
    *commit = tip;
    if (!tn_rollback_quarantined(state, tip)) {
        return TN_CHOOSE_TIP;
    }
    *commit = state->pin.commit;
    if (*commit && !tn_rollback_quarantined(state, *commit)) {
        return TN_CHOOSE_PINNED;
    }
    *commit = last_good(state, environment, tip);
    return *commit ? TN_CHOOSE_GOOD : TN_CHOOSE_HOLD;
}

const char *
tn_rollback_choose(const struct tn_rollback *state,
                   const struct tn_status *status, const char *environment,
                   const char *bad)
{
    const char *found = last_good(state, environment, bad);
    if (found || !status) {
        return found;
    }
    for (size_t i = 0; i < status->n_devices; i++) {
        const struct tn_status_device *d = &status->devices[i];
        if (!d->environment || strcmp(d->environment, environment) != 0) {
            continue;
        }
        const char *commit = d->head.commit;
        if (!commit || (found && strcmp(found, commit) != 0)) {
            return NULL;
        }
        found = commit;
    }
    bool usable = found && !(bad && strcmp(found, bad) == 0) &&
                  !tn_rollback_quarantined(state, found);
    return usable ? found : NULL;
}
