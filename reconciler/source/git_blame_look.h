/* git_blame_look.h - what blaming and searching for removals share; for the
 * files git_blame*.c of this folder only. */
#ifndef TN_SOURCE_GIT_BLAME_LOOK_H
#define TN_SOURCE_GIT_BLAME_LOOK_H

#include <git2.h>

#include "model/base/arena.h"

struct tn_blame_hunk {
    uint32_t old_start, old_lines, new_start, new_lines;
};

/* The differences of two versions of a file, by line. */
struct tn_blame_hunks {
    struct tn_arena *arena;
    TN_VEC(struct tn_blame_hunk) list;
};

/* The file at 'path': GIT_ENOTFOUND if there is none. */
int tn_blame_blob_at(git_odb *odb, const git_commit *commit, const char *path,
                     git_oid *out);

/* The blob, if it is not too large. */
int tn_blame_blob_get(git_repository *repo, const git_oid *id, git_blob **out);

/* Adds the differences to 'out', whose arena is set. */
int tn_blame_compare(git_repository *repo, const git_oid *old,
                     const git_oid *new, struct tn_blame_hunks *out);
/* The same with what is on disk. */
int tn_blame_compare_bytes(git_blob *old, const char *bytes, size_t n,
                           struct tn_blame_hunks *out);

/* The line of the old file that is line 'at' of the new one, and the other way
 * round; 0 if it is not there. */
uint32_t tn_blame_line_before(const struct tn_blame_hunks *hunks, uint32_t at);
uint32_t tn_blame_line_after(const struct tn_blame_hunks *hunks, uint32_t at);

/* The commit that 'rev' names; null: HEAD. */
int tn_blame_commit_of(git_repository *repo, const char *rev, git_commit **out);

#endif
