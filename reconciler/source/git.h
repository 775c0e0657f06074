/* git.h - the seam to libgit2, for reconciler/source and reconciler/status.
 *
 * Only files named git*.c in these two folders include libgit2; its types stay
 * out of every header. */
#ifndef TN_SOURCE_GIT_H
#define TN_SOURCE_GIT_H

#include <stdbool.h>

#include "model/base/error.h"
#include "model/source.h"

struct tn_git_repo;

/* Opens the repository that the directory 'path' is in; '*out' is new.  One
 * handle is used by one thread at a time.  See source.h for the errors. */
enum tn_code tn_git_open(const char *path, struct tn_git_repo **out,
                         struct tn_error *err) TN_MUST_USE;
/* Accepts null. */
void tn_git_close(struct tn_git_repo *repo);

/* The git_repository, borrowed. */
void *tn_git_handle(const struct tn_git_repo *repo);
/* Absolute path of the repository ('.git', or the bare one), borrowed. */
const char *tn_git_dir(const struct tn_git_repo *repo);

/* Turns the failure 'rc' of libgit2 into ours, at once: "FMT: what libgit2
 * said".  What was not found is TN_ENOENT. */
enum tn_code tn_git_fail(struct tn_error *err, int rc, const char *fmt, ...)
    TN_PRINTF(3, 4) TN_MUST_USE;

/* The id Git gives to a file with these bytes. */
enum tn_code tn_git_blob_id(const void *bytes, size_t n, struct tn_oid *out,
                            struct tn_error *err) TN_MUST_USE;

/* So old is the lock of a ref if its holder was killed. */
enum { TN_GIT_LOCK_STALE_S = 10 };

/* Removes the lock file of 'ref' (full name) if it is that old and does not
 * change for a second more, which this waits for.  True: removed, try again. */
bool tn_git_lock_break(const struct tn_git_repo *repo, const char *ref);

/* Removes temporary files of objects and packs that are an hour old and do not
 * change for a second more, which this waits for if there are any: how many. */
unsigned tn_git_sweep(const struct tn_git_repo *repo);

/* From true to false, objects are read as git itself reads them: not hashed
 * again, and large directories not kept.  For whoever reads much of history and
 * decides nothing by it, while no other thread uses libgit2. */
void tn_git_hasty(bool hasty);

static inline void
tn_cleanup_git(struct tn_git_repo **repo)
{
    tn_git_close(*repo);
}

#endif
