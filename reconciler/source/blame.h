/* blame.h - which commits brought the lines of a file, and which took one away.
 *
 * What 'git blame' tells, by the way that reviewed changes take: from a commit
 * backwards along first parents, which is the history of the branch; where a
 * merge brought a line, on into the branch that was merged.  So each line has
 * the commit that wrote it and, if it came by a merge, the merge.  Commits in
 * which the file is the same as before cost one look-up and no comparison. */
#ifndef TN_SOURCE_BLAME_H
#define TN_SOURCE_BLAME_H

#include "reconciler/source/source.h"

/* Commits looked at before a search is given up, unless said otherwise. */
enum { TN_BLAME_COMMITS = 50000 };

struct tn_blame_ask {
    const char *repo;     /* A directory inside the repository. */
    const char *rev;      /* Null: HEAD. */
    const char *path;     /* Of the file in the tree of the commit. */
    uint32_t first, last; /* Lines, from 1, both inclusive; lines past the end
                             of the file are left out. */
    const char *bytes;    /* The file as it is on disk, when 'first' and 'last'
                             count there; null: as the commit has it. */
    size_t n_bytes;
    size_t max_commits; /* 0: TN_BLAME_COMMITS. */
};

struct tn_blame_line {
    uint32_t line;
    bool uncommitted;               /* Only on disk: no commit has it. */
    const struct tn_commit *commit; /* Wrote it; null: 'uncommitted', or it is
                                       older than what was looked at. */
    const struct tn_commit *merge;  /* Brought it to the branch; null: it was
                                       committed there. */
    size_t age; /* How many commits of the branch are at least as new as the
                   one that brought it: the smaller, the newer. */
};

struct tn_blame {
    const struct tn_blame_line *lines;
    size_t n;
    size_t n_visited; /* Commits looked at. */
    bool cut;         /* The bound, or the end of a shallow clone, came first;
                         'oldest' is where. */
    char oldest[65];
};

/* Blames lines of a file; renames of the whole file are followed.  TN_ENOENT if
 * the commit has no such file.  '*out' is filled from 'arena'. */
enum tn_code tn_source_blame(const struct tn_blame_ask *ask,
                             struct tn_arena *arena, struct tn_blame *out,
                             struct tn_error *err) TN_MUST_USE;

/* The commit of the first-parent history of 'ask->rev' since its ancestor 'old'
 * that took away or rewrote line 'ask->first' of the file as 'old' has it.
 * TN_ENOENT if there is none, or 'old' is not in that history. */
enum tn_code tn_source_removed_by(const struct tn_blame_ask *ask,
                                  const char *old, struct tn_commit *out,
                                  struct tn_error *err) TN_MUST_USE;

#endif
