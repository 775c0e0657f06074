/* git_lock.c - the lock of a ref whose holder was killed.
 *
 * Git and libgit2 lock a ref by making the file 'REF.lock' and hold it for
 * milliseconds.  A process that is killed meanwhile leaves it behind, and
 * nobody can move the ref until somebody removes it.  Who the holder was cannot
 * be known; that it is gone is taken for granted when the file is old and stays
 * as it is for as long as a live holder would never need.  A clock that jumps
 * or differs from the file system's makes a file look old, hence the wait. */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <git2.h>

#include "reconciler/source/git.h"

enum { WATCHES = 20, WATCH_MS = 50 };

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool
tn_git_lock_break(const struct tn_git_repo *repo, const char *ref)
{
    char path[4096];
    struct stat first, now;
    int n = snprintf(path, sizeof path, "%s%s.lock",
                     git_repository_commondir(tn_git_handle(repo)), ref);
    if (n >= (int) sizeof path || lstat(path, &first) < 0 ||
        !S_ISREG(first.st_mode) ||
        time(NULL) - first.st_mtim.tv_sec < TN_GIT_LOCK_STALE_S) {
        return false;
    }
    for (unsigned i = 0; i < WATCHES; i++) {
        struct timespec nap = {.tv_nsec = WATCH_MS * 1000000};
        nanosleep(&nap, NULL);
        if (lstat(path, &now) < 0 || !is_same(&first, &now)) {
            return false; /* Somebody is at work. */
        }
    }
    return unlink(path) == 0;
}
