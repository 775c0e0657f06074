/* source.h - where documents come from: a tree of files, read by content id.
 *
 * The model knows neither Git nor a file system.  reconciler/source implements
 * this over a commit (libgit2, objects by id, nothing is ever checked out) and
 * over a working tree; tests implement it over memory.
 *
 * Content ids make caching possible: equal id, equal bytes.  The id of a
 * directory covers all that is below it. */
#ifndef TN_MODEL_SOURCE_H
#define TN_MODEL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* A Git object id (SHA-1 in the first 20 bytes, the rest zero).  All zero: not
 * known without reading (directories of a working tree). */
struct tn_oid {
    uint8_t b[32];
};

static inline bool
tn_oid_known(const struct tn_oid *id)
{
    static const struct tn_oid zero;
    return memcmp(id, &zero, sizeof zero) != 0;
}

enum tn_entry_type {
    TN_ENTRY_FILE,
    TN_ENTRY_DIR,
    TN_ENTRY_OTHER, /* Symlink, submodule, device: always refused by us. */
};

struct tn_entry {
    const char *name; /* One path component. */
    enum tn_entry_type type;
    struct tn_oid id;
};

struct tn_source;

/* Implementations put this first in their own struct. */
struct tn_source_ops {
    /* Lists the directory 'path' ("" is the root) in the byte order of names:
     * new array in 'arena'.  TN_ENOENT if there is none. */
    enum tn_code (*list)(struct tn_source *, const char *path,
                         struct tn_arena *arena, struct tn_entry **out,
                         size_t *n, struct tn_error *) TN_MUST_USE;

    /* Reads the file 'path' whose id is 'id', at most 'max' bytes: new in
     * 'arena', followed by a NUL that is not counted.  A larger file is
     * TN_EINTENT and its content is not read into memory. */
    enum tn_code (*read)(struct tn_source *, const char *path,
                         const struct tn_oid *id, size_t max,
                         struct tn_arena *arena, const char **bytes, size_t *n,
                         struct tn_error *) TN_MUST_USE;

    /* A second handle on the same tree for another thread; the caller frees. */
    enum tn_code (*dup)(struct tn_source *, struct tn_source **out,
                        struct tn_error *) TN_MUST_USE;

    void (*free)(struct tn_source *); /* Accepts null. */
};

/* One handle is used by one thread at a time. */
struct tn_source {
    const struct tn_source_ops *ops;
    const char *label; /* For people: "commit 1a2b3c4", "working tree". */
    char commit[65];   /* Hexadecimal; empty for a working tree. */
};

#endif
