/* pool.c - sets of traffic, each kept once.
 *
 * A network of thousands of pairs knows some dozens of different sets.  Kept
 * once, they compare by address, and what two of them are together is computed
 * once and then looked up. */
#include "model/reach/engine.h"

enum op { OP_AND, OP_OR, OP_MINUS };

struct memo {
    const struct tn_traffic *a, *b, *result; /* result null: free. */
    enum op op;
};

struct tn_pool {
    struct tn_arena *arena;
    const struct tn_traffic **sets; /* By hash; null: free. */
    size_t n_sets, sets_mask;
    struct memo *memos;
    size_t n_memos, memos_mask;
};

struct tn_pool *
tn_pool_new(struct tn_arena *arena)
{
    struct tn_pool *pool = tn_new(arena, struct tn_pool);
    pool->arena = arena;
    pool->sets_mask = 63;
    pool->sets = tn_new_n(arena, const struct tn_traffic *, 64);
    pool->memos_mask = 255;
    pool->memos = tn_new_n(arena, struct memo, 256);
    (void) tn_pool_take(pool, &tn_traffic_none);
    (void) tn_pool_take(pool, &tn_traffic_all);
    return pool;
}

struct tn_arena *
tn_pool_arena(const struct tn_pool *pool)
{
    return pool->arena;
}

static const struct tn_traffic **
set_slot(struct tn_pool *pool, const struct tn_traffic *t)
{
    size_t i = tn_traffic_hash(t) & pool->sets_mask;
    while (pool->sets[i] && !tn_traffic_eq(pool->sets[i], t)) {
        i = (i + 1) & pool->sets_mask;
    }
    return &pool->sets[i];
}

static void
sets_grow(struct tn_pool *pool)
{
    const struct tn_traffic **old = pool->sets;
    size_t n = pool->sets_mask + 1;
    pool->sets_mask = 2 * n - 1;
    pool->sets = tn_new_n(pool->arena, const struct tn_traffic *, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (old[i]) {
            *set_slot(pool, old[i]) = old[i];
        }
    }
}

const struct tn_traffic *
tn_pool_take(struct tn_pool *pool, const struct tn_traffic *t)
{
    const struct tn_traffic **slot = set_slot(pool, t);
    if (*slot) {
        return *slot;
    }
    *slot = t;
    if (++pool->n_sets * 2 > pool->sets_mask) {
        sets_grow(pool);
    }
    return t;
}

static struct memo *
memo_slot(struct tn_pool *pool, const struct memo *m)
{
    uint64_t h = ((uintptr_t) m->a >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= ((uintptr_t) m->b >> 4) * UINT64_C(0xc2b2ae3d27d4eb4f);
    h = (h ^ h >> 29) + (uint64_t) m->op;
    size_t i = h & pool->memos_mask;
    while (pool->memos[i].result &&
           (pool->memos[i].a != m->a || pool->memos[i].b != m->b ||
            pool->memos[i].op != m->op)) {
        i = (i + 1) & pool->memos_mask;
    }
    return &pool->memos[i];
}

static void
memos_grow(struct tn_pool *pool)
{
    struct memo *old = pool->memos;
    size_t n = pool->memos_mask + 1;
    pool->memos_mask = 2 * n - 1;
    pool->memos = tn_new_n(pool->arena, struct memo, 2 * n);
    for (size_t i = 0; i < n; i++) {
        if (old[i].result) {
            *memo_slot(pool, &old[i]) = old[i];
        }
    }
}

static const struct tn_traffic *
compute(struct tn_pool *pool, const struct memo *m)
{
    switch (m->op) {
    case OP_AND:
        return tn_traffic_and(pool->arena, m->a, m->b);
    case OP_OR:
        return tn_traffic_or(pool->arena, m->a, m->b);
    case OP_MINUS:
        return tn_traffic_minus(pool->arena, m->a, m->b);
    }
    return &tn_traffic_none;
}

static const struct tn_traffic *
apply(struct tn_pool *pool, enum op op, const struct tn_traffic *a,
      const struct tn_traffic *b)
{
    struct memo m = {a, b, NULL, op};
    struct memo *slot = memo_slot(pool, &m);
    if (slot->result) {
        return slot->result;
    }
    m.result = tn_pool_take(pool, compute(pool, &m));
    *slot = m;
    if (++pool->n_memos * 2 > pool->memos_mask) {
        memos_grow(pool);
    }
    return m.result;
}

const struct tn_traffic *
tn_pool_and(struct tn_pool *pool, const struct tn_traffic *a,
            const struct tn_traffic *b)
{
    return a == b ? a : apply(pool, OP_AND, a, b);
}

const struct tn_traffic *
tn_pool_or(struct tn_pool *pool, const struct tn_traffic *a,
           const struct tn_traffic *b)
{
    return a == b ? a : apply(pool, OP_OR, a, b);
}

const struct tn_traffic *
tn_pool_minus(struct tn_pool *pool, const struct tn_traffic *a,
              const struct tn_traffic *b)
{
    return a == b ? tn_pool_take(pool, &tn_traffic_none)
                  : apply(pool, OP_MINUS, a, b);
}
