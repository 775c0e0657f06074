/* source.h - intent read from Git, or from a working tree while editing.
 *
 * The two implementations of model/source.h.  A commit is read from the object
 * database by id: nothing is ever checked out, no filter, hook or attribute of
 * the repository runs.  A working tree is read file by file without following
 * any symbolic link.
 *
 * Content is hostile until proven otherwise.  Listing a directory refuses, with
 * TN_EINTENT and the path, names that are no plain UTF-8 component (empty, '.',
 * '..', '.git' in any case, a slash or backslash, control or bidirectional
 * formatting characters, more than 255 bytes), and two names that differ only
 * in ASCII case.  Symbolic links, submodules and whatever else is not a file
 * or a directory are listed as TN_ENTRY_OTHER.  Reading bounds the size before
 * it loads a byte.
 *
 * Errors: TN_ENOENT no such repository, revision or path; TN_EDENIED the
 * repository belongs to another user; TN_EINTENT the content is refused;
 * TN_EUNAVAILABLE locked or changing under us; TN_EINTERNAL damaged objects and
 * everything else. */
#ifndef TN_SOURCE_SOURCE_H
#define TN_SOURCE_SOURCE_H

#include "model/source.h"

/* Starts libgit2 and sets its limits (object size in packs, strict hash
 * verification, fsync of what is written).  Once, from main, before threads;
 * tn_git_done once at the end. */
enum tn_code tn_git_init(struct tn_error *err) TN_MUST_USE;
void tn_git_done(void);

/* What Git says about a commit. */
struct tn_commit {
    char id[65]; /* Hexadecimal, full. */
    char tree[65];
    char branch[256];  /* "main" if 'rev' was HEAD and HEAD is a branch, or if
                          'rev' named a local branch; empty otherwise. */
    char subject[256]; /* First line; valid UTF-8 without control characters,
                          cut at a character. */
    char author[128];  /* Name; cleaned in the same way. */
    int64_t author_time, commit_time; /* Seconds since 1970 UTC. */
};

/* Opens the tree of a commit.  'path' is any directory inside the repository,
 * the repository itself, or a bare one.  'rev' is what Git calls a revision
 * (branch, tag, full or short id, HEAD~1, ...); null is HEAD.  '*out' is new:
 * (*out)->ops->free(*out).  'info' may be null. */
enum tn_code tn_source_open_commit(const char *path, const char *rev,
                                   struct tn_source **out,
                                   struct tn_commit *info,
                                   struct tn_error *err) TN_MUST_USE;

/* Opens the directory 'path' itself as the root of the intent; it need not be
 * in a repository.  '.git' at the root is left out.  Ids of files are those
 * that Git would give them, computed by reading the file when it is listed;
 * ids of directories are not known.  Files over 16 MiB have no id. */
enum tn_code tn_source_open_worktree(const char *path, struct tn_source **out,
                                     struct tn_error *err) TN_MUST_USE;

/* The top of the working tree that 'path' is in, or of the repository itself
 * if it is bare: new in 'arena', without a trailing slash. */
enum tn_code tn_source_root(const char *path, struct tn_arena *arena,
                            const char **out, struct tn_error *err) TN_MUST_USE;

/* What 'rev' (null: HEAD) names, without opening the tree. */
enum tn_code tn_source_resolve(const char *path, const char *rev,
                               struct tn_commit *info,
                               struct tn_error *err) TN_MUST_USE;

/* The commit where the lines of 'one' and 'two' parted (git merge-base).
 * TN_ENOENT: no such revision, or no common ancestor, which is said with what
 * to fetch if the clone is a shallow one. */
enum tn_code tn_source_merge_base(const char *path, const char *one,
                                  const char *two, struct tn_commit *out,
                                  struct tn_error *err) TN_MUST_USE;

#endif
