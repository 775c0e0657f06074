/* cache.c - the index of the cache and its networks, see cache.h.
 *
 * The index is a sequence of sealed records, one a tenant.  Records of tenants
 * that did not change are copied as they are, so that writing it costs one
 * write. */
#include "model/compile/cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"
#include "model/compile/cache_pack.h"

struct record {
    struct tn_digest key;
    struct tn_part part;
    const char *raw; /* With its seal. */
    size_t n_raw;
};

struct tn_cache {
    const struct tn_world *world;
    struct tn_store_dir dir;
    struct record *records; /* By tenant. */
    size_t n;
    bool clean;
};

struct tn_store_dir *
tn_cache_dir(const struct tn_cache *cache)
{
    return (struct tn_store_dir *) (uintptr_t) &cache->dir;
}

const struct tn_world *
tn_cache_world(const struct tn_cache *cache)
{
    return cache->world;
}

static bool
dir_make(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* ---- the index ---------------------------------------------------------- */

/* The first record of the index. */
struct index_head {
    uint64_t clean;
};

static bool
head_load(struct tn_cache *cache, const char *bytes, size_t n)
{
    const void *body = NULL;
    size_t n_body = 0;
    struct index_head head;
    if (!tn_pack_seal_check(bytes, n, cache->dir.id, &body, &n_body) ||
        n_body != sizeof head) {
        return false;
    }
    memcpy(&head, body, sizeof head);
    cache->clean = head.clean == 1;
    return true;
}

static int
record_cmp(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return strcmp(x->part.tenant, y->part.tenant);
}

static void
index_load(struct tn_cache *cache, struct tn_arena *arena)
{
    size_t n = 0, n_body = 0;
    const void *body = NULL;
    const char *bytes = tn_store_load(&cache->dir, "index", "", arena, &n);
    TN_VEC(struct record) list = {0};
    if (!bytes || !head_load(cache, bytes, n)) {
        return;
    }
    bytes += TN_PACK_SEAL_SIZE + sizeof(struct index_head);
    n -= TN_PACK_SEAL_SIZE + sizeof(struct index_head);
    while (n > 0 &&
           tn_pack_seal_check(bytes, n, cache->dir.id, &body, &n_body)) {
        struct record r = {.raw = bytes, .n_raw = n_body + TN_PACK_SEAL_SIZE};
        struct tn_unpacker u = {.arena = arena, .next = body};
        u.end = u.next + n_body;
        if (!tn_unpack_image(&u, &r.key, sizeof r.key) ||
            !tn_part_unpack(&u, &r.part)) {
            break;
        }
        *tn_vec_push(arena, &list) = r;
        bytes += r.n_raw;
        n -= r.n_raw;
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, record_cmp);
    }
    cache->records = list.items;
    cache->n = list.n;
}

static const struct record *
record_find(const struct tn_cache *cache, const char *tenant)
{
    const struct record wanted = {.part.tenant = tenant};
    return cache->n ? bsearch(&wanted, cache->records, cache->n,
                              sizeof *cache->records, record_cmp)
                    : NULL;
}

struct tn_cache *
tn_cache_open(const char *dir, const struct tn_world *world,
              struct tn_arena *arena)
{
    char env[TN_DIGEST_HEX];
    const char *name = world->environment;
    if (!dir) {
        return NULL;
    }
    if (!tn_is_label(name)) {
        struct tn_digest d = tn_digest_of(name, strlen(name));
        name = tn_digest_hex(&d, env);
    }
    struct tn_cache *cache = tn_new(arena, struct tn_cache);
    cache->world = world;
    cache->dir.id = tn_cache_layout_id();
    char *path = cache->dir.path;
    size_t room = sizeof cache->dir.path;
    int n = snprintf(path, room, "%s/compile", dir);
    if (n < 0 || (size_t) n + strlen(name) + 2 > room || !dir_make(dir) ||
        !dir_make(path)) {
        return NULL;
    }
    snprintf(path, room, "%s/compile/%s", dir, name);
    if (!dir_make(path)) {
        return NULL;
    }
    index_load(cache, arena);
    return cache;
}

/* What is pinned, in one piece: to hash many small ones takes long. */
struct pinned {
    uint32_t vni;
    uint8_t mac[6], family, family6;
    uint8_t address[16], address6[16];
};

static void
pin_add(struct tn_digester *d, const struct tn_pin *pin)
{
    struct pinned p = {.vni = pin->vni,
                       .family = (uint8_t) pin->address.family,
                       .family6 = (uint8_t) pin->address6.family};
    _Static_assert(sizeof p == 44, "no holes");
    memcpy(p.mac, pin->mac.b, sizeof p.mac);
    memcpy(p.address, pin->address.b, sizeof p.address);
    memcpy(p.address6, pin->address6.b, sizeof p.address6);
    tn_digester_add_str(d, pin->object);
    tn_digester_add(d, &p, sizeof p);
}

struct tn_digest
tn_cache_key(const struct tn_world *world, const char *tenant,
             const struct tn_digest *content)
{
    struct tn_digester d;
    size_t n = 0;
    const struct tn_pin *pins =
        tn_pins_of_tenant(world->pins, world->n_pins, tenant, &n);
    tn_digester_init(&d);
    tn_digester_add(&d, &world->digest, sizeof world->digest);
    tn_digester_add(&d, content, sizeof *content);
    tn_digester_add_str(&d, tenant);
    for (size_t i = 0; i < n; i++) {
        pin_add(&d, &pins[i]);
    }
    return tn_digester_end(&d);
}

struct tn_digest
tn_cache_facts(const struct tn_world *world, const char *tenant,
               const struct tn_oid *lock)
{
    struct tn_digest content;
    _Static_assert(sizeof content.b == sizeof lock->b, "an id is a digest");
    memcpy(content.b, lock->b, sizeof content.b);
    return tn_cache_key(world, tenant, &content);
}

bool
tn_cache_part(const struct tn_cache *cache, const char *tenant,
              const struct tn_digest *key, struct tn_part *out)
{
    const struct record *r = record_find(cache, tenant);
    if (!r || !tn_digest_eq(&r->key, key)) {
        return false;
    }
    *out = r->part;
    return true;
}

const struct tn_part *
tn_cache_last(const struct tn_cache *cache, const char *tenant,
              struct tn_digest *key)
{
    const struct record *r = record_find(cache, tenant);
    if (!r) {
        return NULL;
    }
    *key = r->key;
    return &r->part;
}

bool
tn_cache_base(const struct tn_cache *cache, const char *tenant,
              struct tn_arena *arena, struct tn_base *out)
{
    size_t n = 0, n_body = 0;
    const void *body = NULL;
    const char *bytes =
        tn_store_load(tn_cache_dir(cache), tenant, ".base", arena, &n);
    return bytes &&
           tn_pack_seal_check(bytes, n, cache->dir.id, &body, &n_body) &&
           tn_base_unpack(body, n_body, out);
}

bool
tn_cache_net(const struct tn_cache *cache, const struct tn_base *base,
             struct tn_arena *arena, struct tn_part *part)
{
    size_t n = 0, n_subnets = 0;
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    if (base->head.n_nets != part->n_vpcs ||
        !tn_store_open(&store, &cache->dir, part->tenant, ".net",
                       base->head.net)) {
        return false;
    }
    const char *all = tn_store_all(&store, tn_cache_dir(cache), arena, &n);
    struct tn_net_vpc *net = tn_new_n(arena, struct tn_net_vpc, part->n_vpcs);
    for (size_t i = 0; all && i < part->n_vpcs; i++) {
        const char *bytes = tn_chunk_in(&base->nets[i], all, n);
        if (!bytes ||
            !tn_net_unpack(arena, bytes, (size_t) base->nets[i].size,
                           part->tenant, cache->world->inventory, &net[i])) {
            return false;
        }
        net[i].image = base->nets[i].check;
        n_subnets += net[i].n_subnets;
    }
    if (!all || n_subnets != part->n_claims) {
        return false;
    }
    part->net = net;
    return true;
}

/* ---- the next index ----------------------------------------------------- */

/* Drops the files of tenants that are gone. */
static void
gone_remove(const struct tn_cache *cache, const struct tn_cache_record *records,
            size_t n)
{
    static const char *const suffixes[] = {".base", ".net", ".docs"};
    size_t k = 0;
    for (size_t i = 0; i < cache->n; i++) {
        const char *tenant = cache->records[i].part.tenant;
        while (k < n && strcmp(records[k].tenant, tenant) < 0) {
            k++;
        }
        if (k < n && strcmp(records[k].tenant, tenant) == 0) {
            continue;
        }
        for (size_t f = 0; f < TN_ARRAY_SIZE(suffixes); f++) {
            if (tn_is_label(tenant)) {
                tn_store_remove(&cache->dir, tenant, suffixes[f]);
            }
        }
    }
}

bool
tn_cache_clean(const struct tn_cache *cache)
{
    return cache->clean;
}

/* Joins runs that lie behind each other, so that old records cost one write. */
static size_t
run_add(struct tn_bytes *runs, size_t n, const void *at, size_t size)
{
    if (n > 0 && (const char *) runs[n - 1].at + runs[n - 1].n == at) {
        runs[n - 1].n += size;
        return n;
    }
    runs[n] = (struct tn_bytes){at, size};
    return n + 1;
}

static bool
record_is_kept(const struct tn_cache_record *r)
{
    return r->same || !r->text || r->text->n == 0;
}

static size_t
records_add(const struct tn_cache *cache, struct tn_bytes *runs, size_t n_runs,
            const struct tn_cache_record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct tn_text *text = records[i].text;
        const struct record *old = record_is_kept(&records[i])
                                       ? record_find(cache, records[i].tenant)
                                       : NULL;
        if (old) {
            n_runs = run_add(runs, n_runs, old->raw, old->n_raw);
        } else if (text && text->n) {
            const struct tn_part *part = records[i].part;
            struct tn_bytes rest[TN_PART_RUNS];
            tn_part_runs(part, rest);
            n_runs = run_add(runs, n_runs, tn_text_str(text), text->n);
            for (size_t k = 0; k < TN_PART_RUNS; k++) {
                n_runs = run_add(runs, n_runs, rest[k].at, rest[k].n);
            }
        }
    }
    return n_runs;
}

void
tn_cache_close(struct tn_cache *cache, const struct tn_cache_record *records,
               size_t n, bool clean)
{
    struct index_head head = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text first = {0};
    size_t kept = 0, same = 0;
    for (size_t i = 0; i < n; i++) {
        kept += record_is_kept(&records[i]);
        same += records[i].same;
    }
    /* What is clean now says nothing about records of other commits. */
    clean = clean && same == kept;
    if (kept == n && n == cache->n && clean == cache->clean) {
        return;
    }
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_bytes *runs =
        tn_new_n(arena, struct tn_bytes, n * (1 + TN_PART_RUNS) + 1);
    head.clean = clean;
    size_t start = tn_pack_seal_begin(&first, cache->dir.id);
    tn_text_addn(&first, (const char *) &head, sizeof head);
    tn_pack_seal_end(&first, start);
    size_t n_runs = run_add(runs, 0, tn_text_str(&first), first.n);
    n_runs = records_add(cache, runs, n_runs, records, n);
    tn_store_replace(&cache->dir, "index", "", runs, n_runs);
    gone_remove(cache, records, n);
}

size_t
tn_cache_bytes(const struct tn_cache *cache)
{
    return atomic_load(&tn_cache_dir(cache)->bytes);
}
