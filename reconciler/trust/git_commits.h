/* git_commits.h - commits, trees and files of a repository by id, for judging
 * them: raw bytes from the object database and nothing that Git would read
 * around them (no replacements, no grafts, no mail map). */
#ifndef TN_TRUST_GIT_COMMITS_H
#define TN_TRUST_GIT_COMMITS_H

#include <stdbool.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/source.h"
#include "reconciler/trust/commit_text.h"

struct tn_commits;

/* Opens the repository that 'path' is in; '*out' is new.  For one thread. */
enum tn_code tn_commits_open(const char *path, struct tn_commits **out,
                             struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_commits_close(struct tn_commits *c);

/* Reads a commit.  TN_ENOENT if the repository lacks it; TN_EINTENT if it is
 * no commit or malformed. */
enum tn_code tn_commits_read(struct tn_commits *c, const struct tn_oid *id,
                             struct tn_arena *arena, struct tn_commit_text *out,
                             struct tn_error *err) TN_MUST_USE;

/* What a tree says about a path: all zero if nothing is there. */
struct tn_tree_item {
    unsigned mode; /* 0100644, 0100755, 0120000, 0160000, 040000. */
    struct tn_oid id;
};
static inline bool
tn_tree_item_eq(const struct tn_tree_item *a, const struct tn_tree_item *b)
{
    return a->mode == b->mode && memcmp(&a->id, &b->id, sizeof a->id) == 0;
}
static inline bool
tn_tree_item_is_file(const struct tn_tree_item *item)
{
    return (item->mode & 0170000) == 0100000;
}

enum tn_code tn_commits_item(struct tn_commits *c, const struct tn_oid *tree,
                             const char *path, struct tn_tree_item *out,
                             struct tn_error *err) TN_MUST_USE;

/* A file's bytes, followed by a NUL: new in 'arena'.  TN_EINTENT if larger. */
enum tn_code tn_commits_file(struct tn_commits *c, const struct tn_oid *id,
                             size_t max, struct tn_arena *arena,
                             const char **bytes, size_t *n,
                             struct tn_error *err) TN_MUST_USE;

/* Called for each file, link or submodule that differs; 'path' is valid for the
 * call.  Returns false to end the comparison. */
typedef bool tn_commits_changed(void *ctx, const char *path,
                                const struct tn_tree_item *before,
                                const struct tn_tree_item *after);

/* Compares two trees ('before' null: the empty one).  A rename is a removal and
 * an addition.  TN_EINTENT for a tree with names that are no plain components,
 * too deep, or too large. */
enum tn_code tn_commits_diff(struct tn_commits *c, const struct tn_oid *before,
                             const struct tn_oid *after,
                             tn_commits_changed *changed, void *ctx,
                             struct tn_error *err) TN_MUST_USE;

/* The best common ancestors of two commits; '*n' is 0 if there are none. */
enum tn_code tn_commits_bases(struct tn_commits *c, const struct tn_oid *a,
                              const struct tn_oid *b, struct tn_arena *arena,
                              const struct tn_oid **out, size_t *n,
                              struct tn_error *err) TN_MUST_USE;

/* 40 hexadecimal digits, and back. */
enum { TN_OID_HEX = 41 };
const char *tn_oid_hex(const struct tn_oid *id, char buf[TN_OID_HEX]);
bool tn_oid_parse(const char *hex, struct tn_oid *out) TN_MUST_USE;

static inline void
tn_cleanup_commits(struct tn_commits **c)
{
    tn_commits_close(*c);
}

#endif
