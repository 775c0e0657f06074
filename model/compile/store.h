/* store.h - the files of the cache: whole ones, and chunks in growing ones.
 *
 * A whole file is written beside its place and renamed, so that a reader sees
 * the old or the new.  A store is a file of chunks that is appended to; where
 * a chunk is, and its checksum, is kept by whoever wrote it.  A store has a
 * generation, new with each rewriting: places of one generation mean nothing
 * in another.  Several processes may append to one store; what one wrote and
 * forgot is garbage for the others.
 *
 * Nothing here reports errors: what is damaged or missing is not there. */
#ifndef TN_COMPILE_STORE_H
#define TN_COMPILE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/text.h"

enum { TN_STORE_PATH = 4096, TN_STORE_HEAD = 16 };

/* A directory of the cache. */
struct tn_store_dir {
    char path[TN_STORE_PATH - 512];
    uint64_t id;         /* Of the layouts: begins every store. */
    atomic_size_t bytes; /* Read and written so far. */
    atomic_uint serial;  /* Of temporary names. */
};

/* A run of bytes of a file to be written. */
struct tn_store_piece {
    const char *bytes;
    size_t n;
};

/* Null if the file cannot be read whole; else new in 'arena'. */
const char *tn_store_load(struct tn_store_dir *dir, const char *name,
                          const char *suffix, struct tn_arena *arena,
                          size_t *n);
/* Replaces the file. */
bool tn_store_replace(struct tn_store_dir *dir, const char *name,
                      const char *suffix, const struct tn_store_piece *pieces,
                      size_t n);
void tn_store_remove(const struct tn_store_dir *dir, const char *name,
                     const char *suffix);

/* Where some bytes are. */
struct tn_chunk {
    uint64_t at;
    uint64_t check;
    uint64_t size;
};

/* An open store; all zero is none. */
struct tn_store {
    bool open;
    int fd;
    uint64_t generation;
    uint64_t size; /* When it was opened. */
};

/* False if there is no store of this generation. */
bool tn_store_open(struct tn_store *store, const struct tn_store_dir *dir,
                   const char *name, const char *suffix, uint64_t generation);
/* Accepts none. */
void tn_store_close(struct tn_store *store);
/* New in 'arena'; null if it is not what was written.  May be called by
 * several threads. */
const char *tn_store_get(const struct tn_store *store, struct tn_store_dir *dir,
                         const struct tn_chunk *chunk, struct tn_arena *arena);
/* All of the store, for many chunks at once; new in 'arena'. */
const char *tn_store_all(const struct tn_store *store, struct tn_store_dir *dir,
                         struct tn_arena *arena, size_t *n);
/* The bytes of 'chunk' in what tn_store_all gave; null if damaged. */
const char *tn_chunk_in(const struct tn_chunk *chunk, const char *all,
                        size_t n);

/* The chunk that 'text' has from 'start' on, in a text that begins a store
 * (tn_store_begin) or is appended to one. */
struct tn_chunk tn_chunk_of(const struct tn_text *text, size_t start);
/* Makes room for the head of a new store. */
void tn_store_begin(struct tn_text *text);
/* Writes a new store; its generation, or 0. */
uint64_t tn_store_write(struct tn_store_dir *dir, const char *name,
                        const char *suffix, struct tn_text *text);
/* Appends; '*at' is to be added to the places of the chunks of 'text'. */
bool tn_store_append(struct tn_store *store, struct tn_store_dir *dir,
                     const struct tn_text *text, uint64_t *at);

/* Rewrites a store without what is in none of 'chunks', whose places are
 * brought up to date; the new generation, or 0. */
uint64_t tn_store_compact(const struct tn_store *store,
                          struct tn_store_dir *dir, const char *name,
                          const char *suffix, struct tn_chunk *const *chunks,
                          size_t n);

static inline void
tn_cleanup_store(struct tn_store *store)
{
    tn_store_close(store);
}

#endif
