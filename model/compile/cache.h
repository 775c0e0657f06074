/* cache.h - parts, networks and documents of tenants, kept between runs.
 *
 * In <cache_dir>/compile/<environment>/:
 *     index          the part of every tenant, of its last good compile
 *     <tenant>.base  what that compile read (base.h), and where it is in
 *     <tenant>.net   the store of compiled VPCs
 *     <tenant>.docs  the store of decoded files
 *
 * Everything is named by what it was made from and sealed by a checksum; what
 * is damaged, missing, of another version or of another commit is as if it
 * were not there.  Files are replaced by renaming or appended to (store.h), so
 * that several processes may use one cache.  No function here can fail:
 * without a cache, things take longer. */
#ifndef TN_COMPILE_CACHE_H
#define TN_COMPILE_CACHE_H

#include "model/base/text.h"
#include "model/compile/base.h"

struct tn_cache;

/* Loads the index.  New in 'arena', which outlives what comes from it; null if
 * 'dir' is null or cannot be made. */
struct tn_cache *tn_cache_open(const char *dir, const struct tn_world *world,
                               struct tn_arena *arena);

/* What a tenant's compile depends on.  'content' names its files. */
struct tn_digest tn_cache_key(const struct tn_world *world, const char *tenant,
                              const struct tn_digest *content);
/* The same but for its documents. */
struct tn_digest tn_cache_facts(const struct tn_world *world,
                                const char *tenant, const struct tn_oid *lock);

/* Fills 'out' if the index has the tenant's part of this key. */
bool tn_cache_part(const struct tn_cache *cache, const char *tenant,
                   const struct tn_digest *key, struct tn_part *out);
/* The tenant's part of any key; '*key' is which.  Null if there is none. */
const struct tn_part *tn_cache_last(const struct tn_cache *cache,
                                    const char *tenant, struct tn_digest *key);
/* Loads what belongs to it; new in 'arena'. */
bool tn_cache_base(const struct tn_cache *cache, const char *tenant,
                   struct tn_arena *arena, struct tn_base *out);
/* Loads part->net into 'arena'; 'base' is of the same key as 'part'. */
bool tn_cache_net(const struct tn_cache *cache, const struct tn_base *base,
                  struct tn_arena *arena, struct tn_part *part);

/* Decoded files of a tenant by content id.  All zero is none. */
struct tn_cached_docs {
    struct tn_store_dir *dir;
    struct tn_store store;
    const struct tn_base *base;
    uint32_t *slots; /* Number of a file + 1, by its id. */
    size_t mask;
    struct tn_store_writer writer; /* Of the next store, if that is new. */
    struct tn_store_hand *hands;   /* One a worker. */
    unsigned n_hands;
};
/* Those of 'base', which is borrowed; tables are new in 'arena'. */
void tn_cached_docs_open(struct tn_cached_docs *docs,
                         const struct tn_cache *cache, const char *tenant,
                         const struct tn_base *base, struct tn_arena *arena);
void tn_cached_docs_close(struct tn_cached_docs *docs);
/* The same, but tn_cached_docs_begin opens it again: many tenants wait at the
 * same time, and files that may be open are few. */
void tn_cached_docs_pause(struct tn_cached_docs *docs);
/* Before files are read.  If much is not in the store, or much of it is
 * garbage, a new one is begun and the files are packed as they are read, by
 * 'n_hands' workers. */
void tn_cached_docs_begin(struct tn_cached_docs *docs,
                          const struct tn_cache *cache, const char *tenant,
                          const struct tn_intent *in, unsigned n_hands);
/* Packs a file that was read, if a new store was begun. */
void tn_cached_docs_put(struct tn_cached_docs *docs, unsigned hand,
                        struct tn_intent_file *file);
/* Fills the documents of 'file', by its id; false if they are not there. */
bool tn_cached_docs_get(const struct tn_cached_docs *docs,
                        struct tn_arena *arena, struct tn_intent_file *file);
/* The same from the place that 'from' says. */
bool tn_cached_file_get(const struct tn_cached_docs *docs,
                        struct tn_arena *arena, const struct tn_base_file *from,
                        struct tn_intent_file *file);
/* Appends the documents of a file; the chunk that they are. */
struct tn_chunk tn_cached_file_pack(struct tn_text *out,
                                    const struct tn_intent_file *file);

/* Writes what a good compile gave: network, documents and base, and appends
 * the part's record for the index to 'record', but for its large arrays. */
void tn_cache_store(struct tn_cache *cache, const struct tn_digest *key,
                    const struct tn_intent *in, const struct tn_part *part,
                    struct tn_cached_docs *docs, const struct tn_digest *facts,
                    struct tn_text *record);
/* Writes the clean files of a tenant that failed, if that spares much. */
void tn_cache_store_docs(struct tn_cache *cache, const char *tenant,
                         const struct tn_intent_file *files, size_t n,
                         struct tn_cached_docs *docs);

/* What a compile from a base gave.  Where new chunks are is filled in. */
struct tn_cache_change {
    const struct tn_digest *key;
    const struct tn_part *part;    /* All of it, with 'fresh'. */
    struct tn_base_builder *built; /* Of all files. */
    struct tn_chunk *nets; /* One a VPC of the part; of new ones zero. */
    const struct tn_net_vpc *const *vpcs; /* The new ones, in their order. */
    const struct tn_text *docs; /* Of new files, whose chunks are in it. */
    const uint32_t *new_files;  /* Numbers in 'built'. */
    size_t n_new_files;
};
/* Appends them, and the record.  'docs' is of the base. */
void tn_cache_store_change(struct tn_cache *cache,
                           const struct tn_cache_change *change,
                           const struct tn_base *base,
                           struct tn_cached_docs *docs, struct tn_text *record);

/* A tenant's place in the next index. */
struct tn_cache_record {
    const char *tenant;
    const struct tn_text *text; /* New; empty: there is none. */
    const struct tn_part *part; /* Whose arrays are behind the text. */
    bool same;                  /* As it was; 'text' is not read. */
};
/* Writes the index, unless all is as it was.  The record of a tenant that has
 * no new one stays: its next good compile starts from there.  'clean': no two
 * of these tenants collide on an interface. */
void tn_cache_close(struct tn_cache *cache,
                    const struct tn_cache_record *records, size_t n,
                    bool clean);
/* True if the tenants of the index that was loaded were clean. */
bool tn_cache_clean(const struct tn_cache *cache);

/* Read and written so far. */
size_t tn_cache_bytes(const struct tn_cache *cache);

/* The directory and the world of it; for cache_docs.c and cache_save.c. */
struct tn_store_dir *tn_cache_dir(const struct tn_cache *cache);
const struct tn_world *tn_cache_world(const struct tn_cache *cache);

#endif
