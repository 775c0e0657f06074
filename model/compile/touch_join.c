/* touch_join.c - what was compiled anew and the rest of a part, see touch.h.
 *
 * Everything in a part is sorted by name, so that joining is merging: what the
 * base says of changed VPCs and files is left out, what was made comes in.
 * What no two files may both say is looked for by hash among all others. */
#include "model/compile/touch.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/text.h"

enum { FILTER_BITS = 1 << 16 };

struct join {
    struct tn_touch *t;
    struct tn_arena *keep;
    struct tn_base_builder built;
    struct tn_text docs;        /* Of new files. */
    TN_VEC(uint32_t) changed;   /* Numbers in 'built'. */
    TN_VEC(uint32_t) new_files; /* Of these, those that are in 'docs'. */
    struct tn_part old;         /* The base's part, its network loaded. */
    struct tn_part part;
    struct tn_chunk *nets;
    TN_VEC(const struct tn_net_vpc *) new_vpcs;
};

static bool
is_changed_vpc(const struct join *j, const char *name)
{
    return tn_touch_mark_of(j->t, TN_KIND_VPC, name) == TN_TOUCH_CHANGED;
}

/* ---- sets of hashes ----------------------------------------------------- */

struct set {
    uint32_t *slots; /* 0: free; no hash is 0. */
    size_t mask;
    uint64_t filter[FILTER_BITS / 64];
};

static void
set_init(struct set *s, struct tn_arena *arena, size_t n)
{
    size_t cap = 16;
    while (cap < n * 2) {
        cap *= 2;
    }
    *s = (struct set){.slots = tn_new_n(arena, uint32_t, cap), .mask = cap - 1};
}

static bool
set_has(const struct set *s, uint32_t hash)
{
    hash += !hash;
    if (!(s->filter[hash % FILTER_BITS / 64] >> hash % 64 & 1)) {
        return false;
    }
    size_t i = (size_t) hash * UINT32_C(0x9e3779b1) & s->mask;
    while (s->slots[i] && s->slots[i] != hash) {
        i = (i + 1) & s->mask;
    }
    return s->slots[i] != 0;
}

/* False if it was there. */
static bool
set_put(struct set *s, uint32_t hash)
{
    if (set_has(s, hash)) {
        return false;
    }
    hash += !hash;
    size_t i = (size_t) hash * UINT32_C(0x9e3779b1) & s->mask;
    while (s->slots[i]) {
        i = (i + 1) & s->mask;
    }
    s->slots[i] = hash;
    s->filter[hash % FILTER_BITS / 64] |= UINT64_C(1) << hash % 64;
    return true;
}

/* ---- files -------------------------------------------------------------- */

static int
touch_file_cmp(const void *a, const void *b)
{
    const struct tn_touch_file *x = *(const struct tn_touch_file *const *) a;
    const struct tn_touch_file *y = *(const struct tn_touch_file *const *) b;
    return strcmp(x->file.path, y->file.path);
}

static void
file_add(struct join *j, const struct tn_touch_file *from)
{
    struct tn_chunk chunk = from->file.chunk;
    *tn_vec_push(j->t->arena, &j->changed) = (uint32_t) j->built.files.n;
    if (!chunk.check) {
        chunk = tn_cached_file_pack(&j->docs, &from->file);
        *tn_vec_push(j->t->arena, &j->new_files) = (uint32_t) j->built.files.n;
    }
    tn_base_add(&j->built, &j->t->in, &from->file, &chunk);
}

/* The number of the first file of the base that is not before 'path'. */
static size_t
file_bound(const struct tn_base *base, size_t from, const char *path)
{
    size_t lo = from, hi = (size_t) base->head.n_files;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(base->paths + base->files[mid].path, path) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Builds the next base, and part.attaches with those that are fresh. */
static bool
files_join(struct join *j)
{
    struct tn_touch *t = j->t;
    struct tn_base_cursor cursor = {.base = t->base,
                                    .attaches = t->part->attaches};
    struct tn_touch_file **by =
        tn_new_n(t->arena, struct tn_touch_file *, t->files.n);
    size_t n = 0, bytes = 0;
    TN_VEC(uint64_t) fresh = {0};
    for (size_t i = 0; i < t->files.n; i++) {
        if (t->files.items[i].changed) {
            by[n++] = &t->files.items[i];
        }
    }
    if (n > 1) {
        qsort(by, n, sizeof *by, touch_file_cmp);
    }
    j->built.head.counts = t->counts;
    for (size_t i = 0; i < n; i++) {
        size_t at = by[i]->old
                        ? (size_t) (by[i]->old - t->base->files)
                        : file_bound(t->base, cursor.file, by[i]->file.path);
        tn_base_copy(&j->built, &cursor, at);
        if (by[i]->old) {
            tn_base_skip(&cursor, at + 1);
        }
        if (!by[i]->gone) {
            size_t first = j->built.attaches.n / sizeof(uint64_t);
            file_add(j, by[i]);
            const uint64_t *all = (const void *) j->built.attaches.s;
            for (size_t k = first; k < j->built.attaches.n / sizeof(uint64_t);
                 k++) {
                *tn_vec_push(j->keep, &fresh) = all[k];
            }
        }
    }
    tn_base_copy(&j->built, &cursor, (size_t) t->base->head.n_files);
    for (size_t i = 0; i < j->built.files.n; i++) {
        bytes += j->built.files.items[i].bytes;
    }
    j->part.n_files = j->built.files.n;
    j->part.n_attaches = j->built.attaches.n / sizeof(uint64_t);
    j->part.attaches = (const void *) tn_arena_strndup(
        j->keep, tn_text_str(&j->built.attaches), j->built.attaches.n);
    j->part.fresh = fresh.items;
    j->part.n_fresh = fresh.n;
    return bytes <= TN_REPO_TENANT_BYTES;
}

/* True if what new files say is said nowhere else. */
static bool
uniques_hold(struct join *j)
{
    const struct tn_base_file *files = j->built.files.items;
    const uint32_t *all = (const void *) j->built.uniques.s;
    size_t n = j->built.files.n, most = 0;
    bool *is_new = tn_new_n(j->t->arena, bool, n);
    struct set set;
    for (size_t i = 0; i < j->changed.n; i++) {
        is_new[j->changed.items[i]] = true;
        most += files[j->changed.items[i]].n_uniques;
    }
    set_init(&set, j->t->arena, most);
    const uint32_t *next = all;
    for (size_t i = 0; i < n; next += files[i++].n_uniques) {
        for (uint32_t k = 0; is_new[i] && k < files[i].n_uniques; k++) {
            if (!set_put(&set, next[k])) {
                return false;
            }
        }
    }
    next = all;
    for (size_t i = 0; i < n; next += files[i++].n_uniques) {
        for (uint32_t k = 0; !is_new[i] && k < files[i].n_uniques; k++) {
            if (set_has(&set, next[k])) {
                return false;
            }
        }
    }
    return true;
}

static bool
quota_holds(const struct tn_vuint *quota, uint64_t count)
{
    return !quota->at.line || count <= quota->v;
}

static bool
quotas_hold(const struct join *j)
{
    const struct tn_quotas *q = &j->t->in.doc->quotas;
    const struct tn_base_counts *c = &j->built.head.counts;
    return quota_holds(&q->vpcs, c->of[TN_KIND_VPC]) &&
           quota_holds(&q->subnets, c->subnets) &&
           quota_holds(&q->ports, c->of[TN_KIND_PORT]) &&
           quota_holds(&q->security_groups, c->of[TN_KIND_SECURITY_GROUP]) &&
           quota_holds(&q->rules, c->rules) &&
           quota_holds(&q->peerings, c->of[TN_KIND_PEERING]);
}

/* ---- VPCs --------------------------------------------------------------- */

/* A part that is gone through by VPCs. */
struct walk {
    const struct tn_part *part;
    size_t vpc, claim;
};

static void
vpc_pass(struct walk *w)
{
    w->claim += w->part->vpcs[w->vpc++].n_subnets;
}

/* Goes on to the next VPC of what is wanted; null at the end. */
static const struct tn_part_vpc *
vpc_next(const struct join *j, struct walk *w, bool changed)
{
    while (w->vpc < w->part->n_vpcs &&
           is_changed_vpc(j, w->part->vpcs[w->vpc].name) != changed) {
        vpc_pass(w);
    }
    return w->vpc < w->part->n_vpcs ? &w->part->vpcs[w->vpc] : NULL;
}

static void
vpc_take(struct join *j, struct walk *w, struct tn_part_vpc *vpcs,
         struct tn_vni_claim *claims, struct tn_net_vpc *net)
{
    bool is_new = w->part == &j->t->made;
    size_t to = j->part.n_vpcs++, n = w->part->vpcs[w->vpc].n_subnets;
    vpcs[to] = w->part->vpcs[w->vpc];
    if (n) {
        memcpy(claims + j->part.n_claims, w->part->claims + w->claim,
               n * sizeof *claims);
    }
    j->part.n_claims += n;
    if (net) {
        net[to] = w->part->net[w->vpc];
    }
    if (is_new) {
        *tn_vec_push(j->t->arena, &j->new_vpcs) = &w->part->net[w->vpc];
    } else {
        j->nets[to] = j->t->base->nets[w->vpc];
    }
    vpc_pass(w);
}

static bool
vpcs_join(struct join *j)
{
    const struct tn_part *made = &j->t->made;
    struct walk a = {.part = &j->old}, b = {.part = made};
    size_t n = j->old.n_vpcs + made->n_vpcs;
    struct tn_part_vpc *vpcs = tn_new_n(j->keep, struct tn_part_vpc, n);
    struct tn_vni_claim *claims = tn_new_n(j->keep, struct tn_vni_claim,
                                           j->old.n_claims + made->n_claims);
    struct tn_net_vpc *net =
        j->old.net ? tn_new_n(j->keep, struct tn_net_vpc, n) : NULL;
    j->nets = tn_new_n(j->t->arena, struct tn_chunk, n);
    for (;;) {
        const struct tn_part_vpc *x = vpc_next(j, &a, false);
        const struct tn_part_vpc *y = vpc_next(j, &b, true);
        if (!x && !y) {
            break;
        }
        bool first = !y || (x && strcmp(x->name, y->name) < 0);
        vpc_take(j, first ? &a : &b, vpcs, claims, net);
    }
    j->part.vpcs = vpcs;
    j->part.claims = claims;
    j->part.n_subnets = j->part.n_claims;
    j->part.net = net;
    return a.claim <= j->old.n_claims;
}

/* True if no number of a new VPC is given or pinned elsewhere. */
static bool
numbers_hold(const struct join *j)
{
    struct set set;
    const struct tn_part *part = &j->part;
    size_t at = 0;
    set_init(&set, j->t->arena, j->t->made.n_claims);
    for (size_t i = 0; i < part->n_vpcs; at += part->vpcs[i++].n_subnets) {
        for (size_t k = 0; !j->nets[i].check && k < part->vpcs[i].n_subnets;
             k++) {
            uint32_t vni = part->claims[at + k].vni;
            if (vni && !set_put(&set, vni)) {
                return false;
            }
        }
    }
    at = 0;
    for (size_t i = 0; i < part->n_vpcs; at += part->vpcs[i++].n_subnets) {
        for (size_t k = 0; j->nets[i].check && k < part->vpcs[i].n_subnets;
             k++) {
            uint32_t vni = part->claims[at + k].vni;
            if (vni && set_has(&set, vni)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- lists -------------------------------------------------------------- */

static int
offer_cmp(const void *a, const void *b)
{
    const struct tn_part_offer *x = a, *y = b;
    int c = strcmp(x->vpc, y->vpc);
    if (c == 0) {
        c = strcmp(x->peer_tenant, y->peer_tenant);
    }
    return c ? c : strcmp(x->peer_vpc, y->peer_vpc);
}

static void
offers_join(struct join *j)
{
    const struct tn_part *a = &j->old, *b = &j->t->made;
    struct tn_part_offer *list =
        tn_new_n(j->keep, struct tn_part_offer, a->n_offers + b->n_offers);
    size_t n = 0, i = 0, k = 0;
    for (;;) {
        while (i < a->n_offers && is_changed_vpc(j, a->offers[i].vpc)) {
            i++;
        }
        while (k < b->n_offers && !is_changed_vpc(j, b->offers[k].vpc)) {
            k++;
        }
        if (i == a->n_offers && k == b->n_offers) {
            break;
        }
        bool first =
            k == b->n_offers ||
            (i < a->n_offers && offer_cmp(&a->offers[i], &b->offers[k]) < 0);
        list[n++] = first ? a->offers[i++] : b->offers[k++];
    }
    j->part.offers = list;
    j->part.n_offers = n;
}

/* The names of security groups: those of the base but for changed files, and
 * those of changed files. */
static void
groups_join(struct join *j)
{
    const struct tn_touch *t = j->t;
    TN_VEC(const char *) new = {0};
    struct tn_map gone;
    tn_map_init(&gone, t->arena, 0);
    for (size_t i = 0; i < t->files.n; i++) {
        const struct tn_touch_file *f = &t->files.items[i];
        for (size_t k = 0; f->changed && k < f->was.n_docs; k++) {
            if (f->was.docs[k].kind == TN_KIND_SECURITY_GROUP) {
                tn_map_put(&gone, f->was.docs[k].meta->name.v, j);
            }
        }
        for (size_t k = 0; f->changed && k < f->file.n_docs; k++) {
            if (f->file.docs[k].kind == TN_KIND_SECURITY_GROUP) {
                *tn_vec_push(t->arena, &new) =
                    tn_arena_strdup(j->keep, f->file.docs[k].meta->name.v);
            }
        }
    }
    tn_texts_sort(new.items, new.n);
    const char **list =
        tn_new_n(j->keep, const char *, j->old.n_groups + new.n);
    size_t n = 0, k = 0;
    for (size_t i = 0; i < j->old.n_groups; i++) {
        const char *name = j->old.groups[i];
        while (k < new.n && strcmp(new.items[k], name) < 0) {
            list[n++] = new.items[k++];
        }
        if (!gone.n || !tn_map_get(&gone, name)) {
            list[n++] = name;
        }
    }
    while (k < new.n) {
        list[n++] = new.items[k++];
    }
    j->part.groups = list;
    j->part.n_groups = n;
}

static int
pin_cmp(const void *a, const void *b)
{
    const struct tn_pin *x = a, *y = b;
    return strcmp(x->object, y->object);
}

/* Pins of ports in other environments: those of the base but for ports that
 * are or were in a changed VPC, and those that were made. */
static void
others_join(struct join *j)
{
    const struct tn_touch *t = j->t;
    const struct tn_part *a = &j->old, *b = &t->made;
    struct tn_map gone;
    tn_map_init(&gone, t->arena, 0);
    for (size_t i = 0; a->n_other_pins && i < t->files.n; i++) {
        const struct tn_touch_file *f = &t->files.items[i];
        for (size_t k = 0; k < f->was.n_docs; k++) {
            if (f->was.docs[k].kind == TN_KIND_PORT &&
                is_changed_vpc(j, f->was.docs[k].as.port->vpc.v)) {
                tn_map_put(&gone, f->was.docs[k].meta->name.v, j);
            }
        }
    }
    for (size_t i = 0; a->n_other_pins && i < t->in.n_ports; i++) {
        tn_map_put(&gone, t->in.ports[i].doc->meta.name.v, j);
    }
    size_t n = 0;
    struct tn_pin *list =
        tn_new_n(j->keep, struct tn_pin, a->n_other_pins + b->n_other_pins);
    for (size_t i = 0; i < a->n_other_pins; i++) {
        if (!tn_map_get(&gone, a->other_pins[i].object + strlen("port/"))) {
            list[n++] = a->other_pins[i];
        }
    }
    for (size_t i = 0; i < b->n_other_pins; i++) {
        list[n++] = b->other_pins[i];
    }
    if (n > 1) {
        qsort(list, n, sizeof *list, pin_cmp);
    }
    j->part.other_pins = list;
    j->part.n_other_pins = n;
}

/* ---- all of it ---------------------------------------------------------- */

static bool
parts_join(struct join *j)
{
    const struct tn_touch *t = j->t;
    if (!t->job->verdict_only &&
        !tn_cache_net(t->job->cache, t->base, j->keep, &j->old)) {
        return false;
    }
    j->part = (struct tn_part){
        .tenant = j->old.tenant,
        .doc = j->old.doc,
        .n_doc = j->old.n_doc,
        .doc_path = j->old.doc_path,
    };
    if (!files_join(j) || !uniques_hold(j) || !quotas_hold(j) ||
        !vpcs_join(j) || !numbers_hold(j)) {
        return false;
    }
    j->part.n_ports = (size_t) j->built.head.counts.of[TN_KIND_PORT];
    offers_join(j);
    groups_join(j);
    others_join(j);
    return true;
}

bool
tn_touch_join(struct tn_touch *t)
{
    struct tn_tenant_job *job = t->job;
    struct join j = {
        .t = t,
        .keep = job->keep,
        .old = *t->part,
    };
    tn_base_builder_init(&j.built, t->arena, job->repo_files.n, t->base);
    tn_text_reserve(&j.built.attaches,
                    t->part->n_attaches * sizeof *t->part->attaches);
    bool good = parts_join(&j);
    if (good) {
        const struct tn_cache_change change = {
            .key = &job->key,
            .part = &j.part,
            .built = &j.built,
            .nets = j.nets,
            .vpcs = j.new_vpcs.items,
            .docs = &j.docs,
            .new_files = j.new_files.items,
            .n_new_files = j.new_files.n,
        };
        tn_cache_store_change(job->cache, &change, t->base, &job->cached_docs,
                              &job->record);
        job->part = j.part;
        job->n_compiled = j.new_vpcs.n;
    }
    tn_base_builder_done(&j.built);
    tn_text_done(&j.docs);
    return good;
}
