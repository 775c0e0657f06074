/* cache_docs.c - decoded files in the cache, see cache.h.
 *
 * A file's documents are one chunk of its tenant's store: each document behind
 * its 32-bit length.  Equal files in two places may share one. */
#include "model/compile/cache.h"

#include <stdlib.h>
#include <string.h>

#include "model/kinds/pack.h"

/* A new store is written if more than one of so many files is not in it. */
enum { REWRITE_SHARE = 16 };

static size_t
slot_of(const struct tn_cached_docs *docs, const struct tn_oid *id)
{
    uint64_t hash;
    memcpy(&hash, id->b, sizeof hash);
    size_t i = hash & docs->mask;
    while (docs->slots[i] && memcmp(docs->base->files[docs->slots[i] - 1].id.b,
                                    id->b, sizeof id->b) != 0) {
        i = (i + 1) & docs->mask;
    }
    return i;
}

void
tn_cached_docs_open(struct tn_cached_docs *docs, const struct tn_cache *cache,
                    const char *tenant, const struct tn_base *base,
                    struct tn_arena *arena)
{
    size_t cap = 16;
    *docs = (struct tn_cached_docs){.dir = tn_cache_dir(cache), .base = base};
    if (!tn_store_open(&docs->store, docs->dir, tenant, ".docs",
                       base->head.docs)) {
        return;
    }
    while (cap < base->head.n_files * 2) {
        cap *= 2;
    }
    docs->slots = tn_new_n(arena, uint32_t, cap);
    docs->mask = cap - 1;
    for (uint32_t i = 0; i < base->head.n_files; i++) {
        docs->slots[slot_of(docs, &base->files[i].id)] = i + 1;
    }
}

static void
hands_free(struct tn_cached_docs *docs)
{
    for (unsigned i = 0; i < docs->n_hands; i++) {
        tn_text_done(&docs->hands[i].text);
    }
    free(docs->hands);
}

void
tn_cached_docs_close(struct tn_cached_docs *docs)
{
    tn_store_close(&docs->store);
    tn_store_abandon(&docs->writer);
    hands_free(docs);
    *docs = (struct tn_cached_docs){0};
}

void
tn_cached_docs_pause(struct tn_cached_docs *docs)
{
    tn_store_close(&docs->store);
}

/* True if the next store is better written anew. */
static bool
is_anew(const struct tn_cached_docs *docs, const struct tn_intent *in)
{
    size_t n_new = 0;
    uint64_t live = 0;
    if (!docs->store.open || !docs->slots) {
        return true;
    }
    for (size_t i = 0; i < in->n_files; i++) {
        uint32_t found = docs->slots[slot_of(docs, &in->files[i].id)];
        n_new += found == 0;
        live += found ? docs->base->files[found - 1].docs.size : 0;
    }
    return n_new * REWRITE_SHARE > in->n_files ||
           tn_store_is_mostly_garbage(docs->store.size, live);
}

void
tn_cached_docs_begin(struct tn_cached_docs *docs, const struct tn_cache *cache,
                     const char *tenant, const struct tn_intent *in,
                     unsigned n_hands)
{
    docs->dir = tn_cache_dir(cache);
    if (docs->slots) {
        (void) tn_store_open(&docs->store, docs->dir, tenant, ".docs",
                             docs->base->head.docs);
    }
    if (is_anew(docs, in) && tn_store_create(&docs->writer, docs->dir)) {
        docs->hands = calloc(n_hands, sizeof *docs->hands);
        if (!docs->hands) {
            abort();
        }
        docs->n_hands = n_hands;
    }
}

static void
file_pack(struct tn_text *out, const struct tn_intent_file *file)
{
    for (size_t i = 0; i < file->n_docs; i++) {
        uint32_t size = 0;
        size_t start = out->n;
        tn_text_addn(out, (const char *) &size, sizeof size);
        tn_document_pack(out, &file->docs[i]);
        size = (uint32_t) (out->n - start - sizeof size);
        memcpy(out->s + start, &size, sizeof size);
    }
}

void
tn_cached_docs_put(struct tn_cached_docs *docs, unsigned hand,
                   struct tn_intent_file *file)
{
    if (!docs->writer.open) {
        return;
    }
    struct tn_store_hand *h = &docs->hands[hand];
    size_t start = h->text.n;
    file->chunk = (struct tn_chunk){0};
    if (file->clean && tn_oid_known(&file->id)) {
        file_pack(&h->text, file);
        file->chunk = tn_store_put(&docs->writer, h, start);
    }
}

bool
tn_cached_file_get(const struct tn_cached_docs *docs, struct tn_arena *arena,
                   const struct tn_base_file *from, struct tn_intent_file *file)
{
    const char *next =
        tn_store_get(&docs->store, docs->dir, &from->docs, arena);
    if (!next || from->n_docs > from->docs.size) {
        return false;
    }
    const char *end = next + from->docs.size;
    struct tn_document *list =
        tn_new_n(arena, struct tn_document, from->n_docs);
    for (uint32_t i = 0; i < from->n_docs; i++) {
        uint32_t size = 0;
        if ((size_t) (end - next) < sizeof size) {
            return false;
        }
        memcpy(&size, next, sizeof size);
        next += sizeof size;
        if (size > (size_t) (end - next) ||
            !tn_document_unpack(arena, next, size, file->path, &list[i])) {
            return false;
        }
        next += size;
    }
    file->docs = list;
    file->n_docs = from->n_docs;
    file->bytes = (size_t) from->bytes;
    file->chunk = from->docs;
    file->clean = true;
    return true;
}

bool
tn_cached_docs_get(const struct tn_cached_docs *docs, struct tn_arena *arena,
                   struct tn_intent_file *file)
{
    if (!docs->store.open || !tn_oid_known(&file->id)) {
        return false;
    }
    uint32_t found = docs->slots[slot_of(docs, &file->id)];
    return found &&
           tn_cached_file_get(docs, arena, &docs->base->files[found - 1], file);
}

struct tn_chunk
tn_cached_file_pack(struct tn_text *out, const struct tn_intent_file *file)
{
    size_t start = out->n;
    file_pack(out, file);
    return tn_chunk_of(out, start);
}
