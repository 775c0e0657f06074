/* git_sweep.c - files that a writer of objects left when it was killed.
 *
 * Git and libgit2 write an object or a pack under a temporary name and rename
 * it.  In a repository that is used in place others write as well: a file is
 * taken for left behind when it is an hour old and stays as it is while it is
 * watched (a clock that jumps makes files look old). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/source/git.h"

enum { OLD_S = 3600, WATCH_MS = 1000, FILES_MAX = 256 };

/* What was seen of a file. */
struct left {
    char name[256];
    struct stat st;
};

struct sweep {
    DIR *dir;
    struct left files[FILES_MAX];
    size_t n;
};

static void
sweep_done(struct sweep *s)
{
    if (s->dir) {
        closedir(s->dir);
    }
}

static bool
is_temporary(const char *name)
{
    static const char *const begin[] = {"tmp_obj", "tmp_pack_", "tmp_idx_",
                                        "pack_git2_"};
    for (size_t i = 0; i < TN_ARRAY_SIZE(begin); i++) {
        if (strncmp(name, begin[i], strlen(begin[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_old(const struct stat *st)
{
    return S_ISREG(st->st_mode) && time(NULL) - st->st_mtim.tv_sec >= OLD_S;
}

static void
old_find(struct sweep *s, const char *path)
{
    s->dir = opendir(path);
    for (struct dirent *e;
         s->dir && s->n < FILES_MAX && (e = readdir(s->dir));) {
        struct left *f = &s->files[s->n];
        if (is_temporary(e->d_name) &&
            fstatat(dirfd(s->dir), e->d_name, &f->st, AT_SYMLINK_NOFOLLOW) ==
                0 &&
            is_old(&f->st)) {
            memcpy(f->name, e->d_name, strlen(e->d_name) + 1);
            s->n++;
        }
    }
}

static unsigned
same_remove(const struct sweep *s)
{
    unsigned removed = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct left *f = &s->files[i];
        struct stat now;
        if (fstatat(dirfd(s->dir), f->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
            now.st_ino == f->st.st_ino && now.st_size == f->st.st_size &&
            now.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
            now.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec &&
            unlinkat(dirfd(s->dir), f->name, 0) == 0) {
            removed++;
        }
    }
    return removed;
}

unsigned
tn_git_sweep(const struct tn_git_repo *repo)
{
    static const char *const dirs[] = {"objects", "objects/pack"};
    const struct timespec watch = {.tv_sec = WATCH_MS / 1000};
    const char *base = git_repository_commondir(tn_git_handle(repo));
    unsigned removed = 0;
    for (size_t i = 0; i < TN_ARRAY_SIZE(dirs); i++) {
        TN_CLEANUP(tn_cleanup_text) struct tn_text path = {0};
        TN_CLEANUP(sweep_done) struct sweep s = {.n = 0};
        tn_text_addf(&path, "%s%s", base, dirs[i]);
        old_find(&s, tn_text_str(&path));
        if (s.n) {
            nanosleep(&watch, NULL);
            removed += same_remove(&s);
        }
    }
    return removed;
}
