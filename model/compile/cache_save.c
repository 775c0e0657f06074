/* cache_save.c - what a compile leaves in the cache, see cache.h.
 *
 * Stores are appended to when little is new and written anew when much is, or
 * when more than half of one is garbage.  The base that says where everything
 * is comes last: until it is there, what was written is garbage too. */
#include "model/compile/cache.h"

#include <string.h>

#include "model/base/cleanup.h"
#include "model/compile/cache_pack.h"

/* VPC_GUESS: bytes of the index, if names are not long. */
enum { DOCS_LEAST = 16, VPC_GUESS = 128 };

static void
base_save(struct tn_cache *cache, const char *tenant,
          const struct tn_base *base)
{
    struct tn_store_dir *dir = tn_cache_dir(cache);
    struct tn_bytes runs[1 + TN_BASE_RUNS];
    char seal[TN_PACK_SEAL_SIZE];
    tn_base_runs(base, runs + 1);
    tn_pack_seal_of(seal, dir->id, runs + 1, TN_BASE_RUNS);
    runs[0] = (struct tn_bytes){seal, sizeof seal};
    tn_store_replace(dir, tenant, ".base", runs, TN_ARRAY_SIZE(runs));
}

static void
record_pack(const struct tn_cache *cache, const struct tn_digest *key,
            const struct tn_part *part, struct tn_text *record)
{
    struct tn_bytes runs[1 + TN_PART_RUNS];
    tn_text_reserve(record, part->n_vpcs * VPC_GUESS);
    size_t start = tn_pack_image(record, TN_PACK_SEAL_SIZE);
    size_t body = record->n;
    tn_text_addn(record, (const char *) key->b, sizeof key->b);
    tn_part_pack(record, part);
    tn_part_runs(part, runs + 1);
    runs[0] = (struct tn_bytes){record->s + body, record->n - body};
    tn_pack_seal_of(record->s + start, tn_cache_dir(cache)->id, runs,
                    TN_ARRAY_SIZE(runs));
}

/* ---- all of a tenant ---------------------------------------------------- */

/* Appends what is new to the store that was used, unless a new one was begun.
 * The chunks of files are in it then; its generation, or 0. */
static uint64_t
docs_save(struct tn_cached_docs *docs, const char *tenant,
          struct tn_intent_file *files, size_t n)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    uint64_t at = 0;
    if (docs->writer.open) {
        for (unsigned i = 0; i < docs->n_hands; i++) {
            tn_store_hand_done(&docs->writer, &docs->hands[i]);
        }
        return tn_store_finish(&docs->writer, tenant, ".docs");
    }
    uint64_t old = docs->store.open ? docs->store.size : 0;
    for (size_t i = 0; old && i < n; i++) {
        if (!files[i].chunk.check && files[i].clean) {
            files[i].chunk = tn_cached_file_pack(&text, &files[i]);
            files[i].chunk.at += old;
        }
    }
    if (!old || !tn_store_append(&docs->store, docs->dir, &text, &at)) {
        return 0;
    }
    /* Another process may have appended in the meantime. */
    for (size_t i = 0; i < n; i++) {
        files[i].chunk.at += files[i].chunk.at >= old ? at - old : 0;
    }
    return docs->store.generation;
}

static uint64_t
net_save(struct tn_cache *cache, const struct tn_part *part,
         struct tn_chunk *chunks)
{
    TN_CLEANUP(tn_cleanup_store_writer) struct tn_store_writer writer = {0};
    struct tn_store_hand hand = {0};
    if (!tn_store_create(&writer, tn_cache_dir(cache))) {
        return 0;
    }
    for (size_t i = 0; i < part->n_vpcs; i++) {
        size_t start = hand.text.n;
        tn_net_pack(&hand.text, &part->net[i],
                    tn_cache_world(cache)->inventory);
        chunks[i] = tn_store_put(&writer, &hand, start);
        part->net[i].image = chunks[i].check;
    }
    tn_store_hand_done(&writer, &hand);
    return tn_store_finish(&writer, part->tenant, ".net");
}

void
tn_cache_store(struct tn_cache *cache, const struct tn_digest *key,
               const struct tn_intent *in, const struct tn_part *part,
               struct tn_cached_docs *docs, const struct tn_digest *facts,
               struct tn_text *record)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_chunk *nets = tn_new_n(arena, struct tn_chunk, part->n_vpcs);
    struct tn_base_builder b;
    for (size_t i = 0; i < in->n_files; i++) {
        if (!tn_oid_known(&in->files[i].id)) {
            return;
        }
    }
    tn_base_builder_init(&b, arena, in->n_files, NULL);
    b.head.key = *key;
    b.head.facts = *facts;
    b.head.docs = docs_save(docs, part->tenant, in->files, in->n_files);
    b.head.net = net_save(cache, part, nets);
    if (!b.head.docs || !b.head.net) {
        return;
    }
    for (size_t i = 0; i < in->n_files; i++) {
        tn_base_add(&b, in, &in->files[i], &in->files[i].chunk);
    }
    struct tn_base base = tn_base_built(&b, nets, part->n_vpcs);
    base_save(cache, part->tenant, &base);
    record_pack(cache, key, part, record);
    tn_base_builder_done(&b);
}

void
tn_cache_store_docs(struct tn_cache *cache, const char *tenant,
                    const struct tn_intent_file *files, size_t n,
                    struct tn_cached_docs *docs)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_base_builder b;
    size_t parsed = 0;
    for (size_t i = 0; i < n; i++) {
        parsed += files[i].parsed && files[i].clean;
    }
    if (parsed * DOCS_LEAST <= n || !docs->writer.open) {
        return;
    }
    tn_base_builder_init(&b, arena, n, NULL);
    b.head.docs = docs_save(docs, tenant, NULL, 0);
    for (size_t i = 0; i < n && b.head.docs; i++) {
        if (files[i].clean && tn_oid_known(&files[i].id)) {
            tn_base_add_plain(&b, &files[i], &files[i].chunk);
        }
    }
    if (b.head.docs) {
        struct tn_base base = tn_base_built(&b, NULL, 0);
        base_save(cache, tenant, &base);
    }
    tn_base_builder_done(&b);
}

/* ---- a change ----------------------------------------------------------- */

/* Rewrites a store that has become too large for what is in it. */
static uint64_t
garbage_drop(struct tn_store *store, struct tn_store_dir *dir,
             const char *tenant, const char *suffix,
             struct tn_chunk *const *chunks, size_t n)
{
    uint64_t live = 0;
    for (size_t i = 0; i < n; i++) {
        live += chunks[i]->size;
    }
    return tn_store_is_mostly_garbage(store->size, live)
               ? tn_store_compact(store, dir, tenant, suffix, chunks, n)
               : store->generation;
}

static uint64_t
change_docs(struct tn_cache *cache, const struct tn_cache_change *change,
            struct tn_cached_docs *docs, struct tn_arena *arena)
{
    struct tn_base_file *files = change->built->files.items;
    size_t n = change->built->files.n;
    uint64_t at = 0;
    struct tn_chunk **all = tn_new_n(arena, struct tn_chunk *, n);
    if (!tn_store_append(&docs->store, tn_cache_dir(cache), change->docs,
                         &at)) {
        return 0;
    }
    for (size_t i = 0; i < change->n_new_files; i++) {
        files[change->new_files[i]].docs.at += at;
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = &files[i].docs;
    }
    return garbage_drop(&docs->store, docs->dir, change->part->tenant, ".docs",
                        all, n);
}

static uint64_t
change_nets(struct tn_cache *cache, const struct tn_cache_change *change,
            uint64_t generation, struct tn_arena *arena)
{
    struct tn_store_dir *dir = tn_cache_dir(cache);
    const struct tn_inventory *inventory = tn_cache_world(cache)->inventory;
    size_t n = change->part->n_vpcs, made = 0;
    uint64_t at = 0;
    struct tn_chunk **all = tn_new_n(arena, struct tn_chunk *, n);
    bool *is_new = tn_new_n(arena, bool, n);
    TN_CLEANUP(tn_cleanup_store) struct tn_store store = {0};
    TN_CLEANUP(tn_cleanup_text) struct tn_text text = {0};
    for (size_t i = 0; i < n; i++) {
        all[i] = &change->nets[i];
        is_new[i] = all[i]->check == 0;
        if (is_new[i]) {
            size_t start = text.n;
            tn_net_pack(&text, change->vpcs[made++], inventory);
            *all[i] = tn_chunk_of(&text, start);
            if (change->part->net) {
                change->part->net[i].image = all[i]->check;
            }
        }
    }
    if (!tn_store_open(&store, dir, change->part->tenant, ".net", generation) ||
        !tn_store_append(&store, dir, &text, &at)) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        all[i]->at += is_new[i] ? at : 0;
    }
    return garbage_drop(&store, dir, change->part->tenant, ".net", all, n);
}

void
tn_cache_store_change(struct tn_cache *cache,
                      const struct tn_cache_change *change,
                      const struct tn_base *base, struct tn_cached_docs *docs,
                      struct tn_text *record)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    struct tn_base_head *head = &change->built->head;
    head->key = *change->key;
    head->facts = base->head.facts;
    head->docs = change_docs(cache, change, docs, arena);
    head->net = change_nets(cache, change, base->head.net, arena);
    if (!head->docs || !head->net) {
        return;
    }
    struct tn_base next =
        tn_base_built(change->built, change->nets, change->part->n_vpcs);
    base_save(cache, change->part->tenant, &next);
    record_pack(cache, change->key, change->part, record);
}
