/* cache.h - parts, networks and documents of tenants, kept between runs.
 *
 * In <cache_dir>/compile/<environment>/:
 *     index          the part of every tenant that compiled without error
 *     <tenant>.net   its network
 *     <tenant>.docs  its decoded documents, by content id
 *
 * Everything is named by what it was made from and sealed by a checksum; what
 * is damaged, missing, of another version or of another commit is as if it
 * were not there.  Files are replaced by renaming, so that several processes
 * may use one cache.  No function here can fail: without a cache, things take
 * longer. */
#ifndef TN_COMPILE_CACHE_H
#define TN_COMPILE_CACHE_H

#include "model/base/text.h"
#include "model/compile/intent.h"

struct tn_cache;

/* Loads the index.  New in 'arena', which outlives what comes from it; null if
 * 'dir' is null or cannot be made. */
struct tn_cache *tn_cache_open(const char *dir, const struct tn_world *world,
                               struct tn_arena *arena);

/* What a tenant's compile depends on.  'content' names its files. */
struct tn_digest tn_cache_key(const struct tn_world *world, const char *tenant,
                              const struct tn_digest *content);

/* Fills 'out' if the index has the tenant's part of this key. */
bool tn_cache_part(const struct tn_cache *cache, const char *tenant,
                   const struct tn_digest *key, struct tn_part *out);
/* Loads part->net into 'arena'. */
bool tn_cache_net(const struct tn_cache *cache, const struct tn_digest *key,
                  struct tn_arena *arena, struct tn_part *part);

/* Decoded files of a tenant, sorted by content id. */
struct tn_cached_file {
    struct tn_oid id;
    uint64_t bytes;   /* Of the file itself. */
    const char *docs; /* Packed documents, each behind its 32-bit length. */
    uint32_t n_docs;
    uint32_t size; /* Of 'docs'. */
};
struct tn_cached_docs {
    const struct tn_cached_file *files;
    size_t n;
};
/* New in 'arena'; empty if there are none. */
struct tn_cached_docs tn_cache_docs(const struct tn_cache *cache,
                                    const char *tenant, struct tn_arena *arena);
/* Fills the documents of 'file', by its id; false if they are not there. */
bool tn_cached_docs_get(const struct tn_cached_docs *docs,
                        struct tn_arena *arena, struct tn_intent_file *file);

/* Writes the network of a compiled tenant, and appends its record for the
 * index to 'record'. */
void tn_cache_store(struct tn_cache *cache, const struct tn_digest *key,
                    const struct tn_part *part, struct tn_text *record);
/* Writes the documents of the clean files. */
void tn_cache_store_docs(struct tn_cache *cache, const char *tenant,
                         const struct tn_intent_file *files, size_t n);

/* A tenant's place in the next index. */
struct tn_cache_record {
    const char *tenant;
    const struct tn_text *text; /* New; empty: it is not to be kept. */
    bool same;                  /* As it was; 'text' is not read. */
};
/* Writes the index, unless all is as it was.  'clean': no two of these tenants
 * collide on an interface. */
void tn_cache_close(struct tn_cache *cache,
                    const struct tn_cache_record *records, size_t n,
                    bool clean);
/* True if the tenants of the index that was loaded were clean. */
bool tn_cache_clean(const struct tn_cache *cache);

/* Read and written so far. */
size_t tn_cache_bytes(const struct tn_cache *cache);

#endif
