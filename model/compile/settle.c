/* settle.c - VNIs and attachments over all tenants.
 *
 * One open-addressed table each, rebuilt from the claims of all parts in every
 * run: tens of thousands of claims cost about a millisecond, and nothing of
 * it has to be kept consistent between runs. */
#include "model/compile/settle.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

enum { TENANTS_SHOWN = 8 };

struct tn_part *
tn_parts_get(const struct tn_parts *parts, const char *tenant)
{
    size_t lo = 0, hi = parts->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(parts->items[mid]->tenant, tenant);
        if (c == 0) {
            return parts->items[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

struct tn_diag *
tn_part_diag(struct tn_part *part, struct tn_diags *diags,
             enum tn_diag_severity severity, struct tn_origin at,
             const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = tn_arena_vprintf(diags->arena, fmt, ap);
    va_end(ap);
    diags->tenant = part->tenant;
    struct tn_diag *d = tn_diag(diags, severity, at, "%s", text);
    diags->tenant = NULL;
    if (severity == TN_ERROR) {
        part->failed = true;
        part->n_errors++;
    }
    return d;
}

/* ---- VNIs --------------------------------------------------------------- */

/* Who holds a number: a part and one of its claims, or no claim but a pin. */
struct holder {
    uint32_t vni; /* 0: free. */
    uint32_t part, claim;
};

struct pool {
    const struct tn_world *world;
    const struct tn_parts *parts;
    struct tn_diags *diags;
    struct holder *slots;
    size_t mask;
    uint64_t used; /* Of the pool's own range. */
    uint64_t size; /* Of that range. */
    bool reported;
};

static struct holder *
pool_slot(const struct pool *p, uint32_t vni)
{
    size_t i = (vni * UINT64_C(0x9e3779b97f4a7c15) >> 32) & p->mask;
    while (p->slots[i].vni && p->slots[i].vni != vni) {
        i = (i + 1) & p->mask;
    }
    return &p->slots[i];
}

static void
pool_put(struct pool *p, struct holder *slot, struct holder who)
{
    *slot = who;
    if (who.vni >= p->world->vni_from && who.vni <= p->world->vni_to) {
        p->used++;
    }
}

static void
claim_take(struct pool *p, uint32_t part, uint32_t claim)
{
    struct tn_part *me = p->parts->items[part];
    const struct tn_vni_claim *c = &me->claims[claim];
    struct holder *slot = pool_slot(p, c->vni);
    me->vnis[claim] = c->vni;
    if (!slot->vni) {
        pool_put(p, slot, (struct holder){c->vni, part, claim});
    } else if (slot->part != part) {
        /* Of this tenant's own conflicts it was told by identify.c. */
        struct tn_diag *d = tn_part_diag(
            me, p->diags, TN_ERROR, tn_part_origin(me, me->claim_at, claim),
            "vni %u is in use by tenant '%s'", c->vni,
            p->parts->items[slot->part]->tenant);
        d->hint = c->source == TN_CLAIM_GIVEN
                      ? "leave 'vni' out: a free one is found"
                      : "the pin in tenet.lock is not this tenant's";
    }
}

/* The claims that a pass is about. */
struct pass {
    bool established, failed;
    enum tn_claim_source source; /* Unless established. */
};

static void
pass_run(struct pool *p, const struct pass *pass, const bool *failed)
{
    for (uint32_t i = 0; i < p->parts->n; i++) {
        const struct tn_part *part = p->parts->items[i];
        if (!pass->established && failed[i] != pass->failed) {
            continue;
        }
        for (uint32_t k = 0; k < part->n_claims; k++) {
            const struct tn_vni_claim *c = &part->claims[k];
            if (!c->vni || c->established != pass->established ||
                (!c->established && c->source != pass->source)) {
                continue;
            }
            claim_take(p, i, k);
        }
    }
}

/* What a failed tenant has pinned for objects that cannot be read now. */
static void
orphans_reserve(struct pool *p, const bool *failed)
{
    for (uint32_t i = 0; i < p->parts->n; i++) {
        const struct tn_part *part = p->parts->items[i];
        for (size_t k = 0; failed[i] && k < part->n_other_pins; k++) {
            uint32_t vni = part->other_pins[k].vni;
            struct holder *slot = pool_slot(p, vni);
            if (vni && !slot->vni) {
                pool_put(p, slot, (struct holder){vni, i, UINT32_MAX});
            }
        }
    }
}

static void
pool_exhausted(struct pool *p, struct tn_part *part, size_t claim)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text who = {0};
    size_t all = 0, shown = 0;
    for (size_t i = 0; i < p->parts->n; i++) {
        const struct tn_part *t = p->parts->items[i];
        all += t->n_claims;
        if (t->n_claims && shown < TENANTS_SHOWN) {
            tn_text_addf(&who, "%s%s %zu", shown++ ? ", " : "", t->tenant,
                         t->n_claims);
        } else if (t->n_claims && shown++ == TENANTS_SHOWN) {
            tn_text_add(&who, ", ...");
        }
    }
    tn_part_diag(part, p->diags, TN_ERROR,
                 tn_part_origin(part, part->claim_at, claim),
                 "the pool vni (%u-%u, %llu numbers) is exhausted: %zu subnets "
                 "claim it (%s)",
                 p->world->vni_from, p->world->vni_to,
                 (unsigned long long) p->size, all, tn_text_str(&who));
}

/* 0 if the pool is empty. */
static uint32_t
vni_derive(const struct pool *p, uint64_t hash)
{
    uint64_t home = hash % p->size;
    uint64_t tries = p->used < p->size ? p->used + 1 : 0;
    for (uint64_t i = 0; i < tries; i++) {
        uint32_t vni = p->world->vni_from + (uint32_t) ((home + i) % p->size);
        if (!pool_slot(p, vni)->vni) {
            return vni;
        }
    }
    return 0;
}

static void
rest_derive(struct pool *p)
{
    for (uint32_t i = 0; i < p->parts->n; i++) {
        struct tn_part *part = p->parts->items[i];
        bool told = false;
        for (uint32_t k = 0; k < part->n_claims; k++) {
            const struct tn_vni_claim *c = &part->claims[k];
            if (c->vni) {
                continue;
            }
            uint32_t vni = vni_derive(p, c->hash);
            part->vnis[k] = vni;
            if (vni) {
                pool_put(p, pool_slot(p, vni), (struct holder){vni, i, k});
            } else if (!told) {
                pool_exhausted(p, part, k);
                told = true;
            }
        }
    }
}

static void
networks_number(const struct tn_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        size_t at = 0;
        for (size_t v = 0; part->net && v < part->n_vpcs; v++) {
            struct tn_net_subnet *subnets =
                (void *) (uintptr_t) part->net[v].subnets;
            for (size_t s = 0; s < part->net[v].n_subnets; s++) {
                subnets[s].vni = part->vnis[at++];
            }
        }
    }
}

void
tn_settle_vnis(const struct tn_world *world, const struct tn_parts *parts,
               struct tn_arena *arena, struct tn_diags *diags)
{
    static const struct pass passes[] = {
        {.established = true},
        {.source = TN_CLAIM_GIVEN},
        {.source = TN_CLAIM_PINNED},
        {.source = TN_CLAIM_GIVEN, .failed = true},
        {.source = TN_CLAIM_PINNED, .failed = true},
    };
    struct pool pool = {
        .world = world,
        .parts = parts,
        .diags = diags,
        .size = (uint64_t) world->vni_to - world->vni_from + 1,
    };
    size_t n = 0, cap = 64;
    bool *failed = tn_new_n(arena, bool, parts->n);
    for (size_t i = 0; i < parts->n; i++) {
        struct tn_part *part = parts->items[i];
        failed[i] = part->failed;
        part->vnis = tn_new_n(arena, uint32_t, part->n_claims);
        n += part->n_claims + (part->failed ? part->n_other_pins : 0);
    }
    while (cap < n * 2) {
        cap *= 2;
    }
    pool.slots = tn_new_n(arena, struct holder, cap);
    pool.mask = cap - 1;
    pass_run(&pool, &passes[0], failed);
    orphans_reserve(&pool, failed);
    for (size_t i = 1; i < TN_ARRAY_SIZE(passes); i++) {
        pass_run(&pool, &passes[i], failed);
    }
    rest_derive(&pool);
    networks_number(parts);
}

/* ---- attachments -------------------------------------------------------- */

struct attached {
    uint64_t hash;
    uint32_t part, claim; /* part: index + 1; 0 is free. */
};

struct attach_table {
    const struct tn_parts *parts;
    struct tn_diags *diags; /* Null: only to see whether there are clashes. */
    struct attached *slots;
    size_t mask;
    bool clash;
};

static struct attached *
attach_slot(const struct attach_table *t, uint64_t hash)
{
    size_t i = (hash >> 1) & t->mask;
    while (t->slots[i].part && t->slots[i].hash != hash) {
        i = (i + 1) & t->mask;
    }
    return &t->slots[i];
}

static void
attach_take(struct attach_table *t, uint32_t part, uint32_t claim,
            uint64_t attach)
{
    struct tn_part *me = t->parts->items[part];
    uint64_t hash = attach & ~TN_ATTACH_ESTABLISHED;
    struct attached *slot = attach_slot(t, hash);
    if (!slot->part) {
        *slot = (struct attached){hash, part + 1, claim};
    } else if (slot->part != part + 1) {
        t->clash = true;
        if (t->diags) {
            tn_part_diag(me, t->diags, TN_ERROR,
                         tn_part_origin(me, me->attach_at, claim),
                         "a port of tenant '%s' attaches to the same interface "
                         "of the same host",
                         t->parts->items[slot->part - 1]->tenant);
        }
    }
}

static void
attach_table_new(struct attach_table *t, struct tn_arena *arena, size_t n)
{
    size_t cap = 64;
    while (cap < n * 2) {
        cap *= 2;
    }
    t->slots = tn_new_n(arena, struct attached, cap);
    t->mask = cap - 1;
}

/* The usual case, cheaply: only what is new goes into the table, and the rest
 * is looked up in it. */
static bool
attaches_clean(const struct tn_parts *parts, struct tn_arena *arena)
{
    struct attach_table t = {.parts = parts};
    size_t n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        n += parts->items[i]->n_fresh;
    }
    attach_table_new(&t, arena, n);
    for (uint32_t i = 0; i < parts->n; i++) {
        const struct tn_part *part = parts->items[i];
        for (uint32_t k = 0; k < part->n_fresh; k++) {
            attach_take(&t, i, k, part->fresh[k]);
        }
    }
    for (size_t i = 0; n && i < parts->n && !t.clash; i++) {
        const struct tn_part *part = parts->items[i];
        for (size_t k = 0; k < part->n_attaches; k++) {
            uint64_t hash = part->attaches[k] & ~TN_ATTACH_ESTABLISHED;
            uint32_t holder = attach_slot(&t, hash)->part;
            t.clash |= holder && holder != i + 1;
        }
    }
    return !t.clash;
}

bool
tn_settle_attaches(const struct tn_parts *parts, bool clean,
                   struct tn_arena *arena, struct tn_diags *diags)
{
    if (clean && attaches_clean(parts, arena)) {
        return true;
    }
    struct attach_table t = {.parts = parts, .diags = diags};
    size_t n = 0;
    bool *failed = tn_new_n(arena, bool, parts->n);
    for (size_t i = 0; i < parts->n; i++) {
        n += parts->items[i]->n_attaches;
        failed[i] = parts->items[i]->failed;
    }
    attach_table_new(&t, arena, n);
    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < parts->n; i++) {
            const struct tn_part *part = parts->items[i];
            for (uint32_t k = 0; k < part->n_attaches; k++) {
                int mine = part->attaches[k] & TN_ATTACH_ESTABLISHED ? 0
                           : failed[i]                               ? 2
                                                                     : 1;
                if (mine == pass) {
                    attach_take(&t, i, k, part->attaches[k]);
                }
            }
        }
    }
    return !t.clash;
}

/* ---- hints -------------------------------------------------------------- */

static bool
part_has(const struct tn_part *part, const struct tn_part_missing *m)
{
    for (size_t i = 0; m->group && i < part->n_groups; i++) {
        if (strcmp(part->groups[i], m->name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; !m->group && i < part->n_vpcs; i++) {
        if (strcmp(part->vpcs[i].name, m->name) == 0) {
            return true;
        }
    }
    return false;
}

void
tn_settle_hints(const struct tn_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct tn_part *me = parts->items[i];
        for (size_t k = 0; k < me->n_missing; k++) {
            const struct tn_part_missing *m = &me->missing[k];
            struct tn_diag *d = &me->findings[m->finding];
            for (size_t o = 0; o < parts->n && !d->hint; o++) {
                if (o != i && part_has(parts->items[o], m)) {
                    d->hint = m->group
                                  ? "another tenant has one of this name, "
                                    "which cannot be used from here"
                                  : "another tenant has one of this name; a "
                                    "Peering is the only way to reach it";
                }
            }
        }
    }
}
