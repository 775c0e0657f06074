/* state_lock.c - the state directory, held by one process.
 *
 * flock on a file that is never removed (removing it would let two processes
 * hold two files of one name).  The kernel drops the lock with the process,
 * however it dies; the pid inside is for the message only. */
#include "reconciler/status/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"

enum { POLL_MS = 20 };

struct tn_state_lock {
    int dir, journal, file;
    char path[];
};

enum tn_code
tn_state_fail(struct tn_error *err, int sys, const char *path)
{
    enum tn_code code = sys == EACCES || sys == EPERM || sys == EROFS
                            ? TN_EDENIED
                            : TN_EINTERNAL;
    return tn_fail_sys(err, code, sys, "state directory %s", path);
}

static enum tn_code
held(int fd, const char *path, struct tn_error *err)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0) {
        return tn_fail(err, TN_EUNAVAILABLE, EWOULDBLOCK,
                       "another tenet (pid %ld) is applying (state directory "
                       "%s)",
                       pid, path);
    }
    return tn_fail(err, TN_EUNAVAILABLE, EWOULDBLOCK,
                   "another tenet is applying (state directory %s)", path);
}

static enum tn_code
take(int fd, unsigned wait_ms, const char *path, struct tn_error *err)
{
    const struct timespec nap = {.tv_nsec = POLL_MS * 1000000L};
    for (unsigned waited = 0;; waited += POLL_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            break;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return tn_state_fail(err, errno, path);
        }
        if (waited >= wait_ms) {
            return held(fd, path, err);
        }
        nanosleep(&nap, NULL);
    }
    char text[32], old[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long) getpid());
    if (pread(fd, old, sizeof old, 0) == n &&
        memcmp(old, text, (size_t) n) == 0) {
        return TN_OK; /* A write may have to wait for the disk. */
    }
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t) n, 0) != n) {
        return tn_state_fail(err, errno ? errno : ENOSPC, path);
    }
    return TN_OK;
}

static enum tn_code
open_all(struct tn_state_lock *lock, struct tn_error *err)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    enum tn_code made = tn_dirs_make(lock->path, 0700, err);
    if (made) {
        return made;
    }
    lock->dir = open(lock->path, flags);
    if (lock->dir < 0) {
        return tn_state_fail(err, errno, lock->path);
    }
    lock->file = openat(lock->dir, "lock",
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock->file < 0) {
        return tn_state_fail(err, errno, lock->path);
    }
    bool new = mkdirat(lock->dir, "journal", 0700) == 0;
    if (!new &&errno != EEXIST) {
        return tn_state_fail(err, errno, lock->path);
    }
    lock->journal = openat(lock->dir, "journal", flags | O_NOFOLLOW);
    if (lock->journal < 0 || (new &&fsync(lock->dir) < 0)) {
        return tn_state_fail(err, errno, lock->path);
    }
    return TN_OK;
}

enum tn_code
tn_state_lock(const char *dir, unsigned wait_ms, struct tn_state_lock **out,
              struct tn_error *err)
{
    size_t n = strlen(dir) + 1;
    struct tn_state_lock *lock = calloc(1, sizeof *lock + n);
    if (!lock) {
        return tn_fail_sys(err, TN_EINTERNAL, ENOMEM, "state directory");
    }
    lock->dir = lock->journal = lock->file = -1;
    memcpy(lock->path, dir, n);
    enum tn_code code = open_all(lock, err);
    if (!code) {
        code = take(lock->file, wait_ms, dir, err);
    }
    if (code) {
        tn_state_unlock(lock);
        return code;
    }
    *out = lock;
    return TN_OK;
}

void
tn_state_unlock(struct tn_state_lock *lock)
{
    if (!lock) {
        return;
    }
    if (lock->file >= 0) {
        flock(lock->file, LOCK_UN); /* Also for copies that a child holds. */
    }
    tn_cleanup_fd(&lock->file);
    tn_cleanup_fd(&lock->journal);
    tn_cleanup_fd(&lock->dir);
    free(lock);
}

int
tn_state_journal_dir(const struct tn_state_lock *lock)
{
    return lock->journal;
}

const char *
tn_state_path(const struct tn_state_lock *lock)
{
    return lock->path;
}
