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

#include "model/base/digest.h"
#include "model/base/text.h"

enum { TN_STORE_PATH = 4096 };

/* A directory of the cache. */
struct tn_store_dir {
    char path[TN_STORE_PATH - 512];
    uint64_t id;         /* Of the layouts: begins every store. */
    atomic_size_t bytes; /* Read and written so far. */
    atomic_uint serial;  /* Of temporary names. */
};

/* Null if the file cannot be read whole; else new in 'arena'. */
const char *tn_store_load(struct tn_store_dir *dir, const char *name,
                          const char *suffix, struct tn_arena *arena,
                          size_t *n);
/* Replaces the file by what runs are together. */
bool tn_store_replace(struct tn_store_dir *dir, const char *name,
                      const char *suffix, const struct tn_bytes *runs,
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

/* The chunk that 'text' has from 'start' on, in a text that is appended to a
 * store. */
struct tn_chunk tn_chunk_of(const struct tn_text *text, size_t start);

/* A store that is being written; all zero is none.  Several threads may add
 * to it at once, each with a hand of its own; begin hands with '= {0}'. */
struct tn_store_writer {
    bool open;
    atomic_bool bad; /* Something could not be written. */
    int fd;
    struct tn_store_dir *dir;
    uint64_t generation;
    atomic_uint_least64_t end; /* Of what hands have been given. */
    char temporary[TN_STORE_PATH];
};
struct tn_store_hand {
    struct tn_text text; /* Not written yet; add to this. */
    uint64_t at, room;   /* The part of the file that is the hand's. */
};
/* False if there can be none. */
bool tn_store_create(struct tn_store_writer *writer, struct tn_store_dir *dir);
/* Makes a chunk of what hand->text has from 'start' on, which is its end
 * before something was added. */
struct tn_chunk tn_store_put(struct tn_store_writer *writer,
                             struct tn_store_hand *hand, size_t start);
/* Writes what the hand still has, and forgets it. */
void tn_store_hand_done(struct tn_store_writer *writer,
                        struct tn_store_hand *hand);
/* Puts the store in its place once all hands are done; its generation, or 0.
 * The writer is none afterwards. */
uint64_t tn_store_finish(struct tn_store_writer *writer, const char *name,
                         const char *suffix);
/* Drops what was written.  Accepts none. */
void tn_store_abandon(struct tn_store_writer *writer);
/* Appends; '*at' is to be added to the places of the chunks of 'text'. */
bool tn_store_append(struct tn_store *store, struct tn_store_dir *dir,
                     const struct tn_text *text, uint64_t *at);

/* True of a store of 'size' bytes of which 'live' are needed: it is better
 * written anew. */
static inline bool
tn_store_is_mostly_garbage(uint64_t size, uint64_t live)
{
    return size > 2 * live + (1 << 20);
}

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

static inline void
tn_cleanup_store_writer(struct tn_store_writer *writer)
{
    tn_store_abandon(writer);
}

#endif
