/* git_remote_watch.c - to be told when a ref of a local repository moves.
 *
 * Git replaces files by renaming: the directories are watched that lead to the
 * ref, and the one that has HEAD and packed-refs.  Directories come and go as
 * refs are packed, so they are looked for again after every event.  It is a
 * hint for waking up early and never the only way to notice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git_remote.h"

struct tn_ref_watch {
    git_repository *handle; /* Its own. */
    char *ref;              /* Null: of HEAD. */
    int fd;
};

static void
add_dir(const struct tn_ref_watch *w, const char *dir)
{
    /* A directory that is not there is found when it is made. */
    if (inotify_add_watch(w->fd, dir,
                          IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE |
                              IN_ONLYDIR) < 0) {
        errno = 0;
    }
}

/* The directories from the top down to the ref. */
static void
add_all(const struct tn_ref_watch *w)
{
    git_reference *head = NULL;
    const char *ref = w->ref;
    char path[4096];
    if (!ref && git_reference_lookup(&head, w->handle, "HEAD") == 0) {
        ref = git_reference_symbolic_target(head);
    }
    const char *common = git_repository_commondir(w->handle);
    add_dir(w, git_repository_path(w->handle));
    add_dir(w, common);
    for (const char *p = ref; p && (p = strchr(p, '/')); p++) {
        snprintf(path, sizeof path, "%s%.*s", common, (int) (p - ref), ref);
        add_dir(w, path);
    }
    git_reference_free(head);
}

struct tn_ref_watch *
tn_ref_watch_new(const struct tn_git_repo *repo, const char *ref)
{
    struct tn_ref_watch *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    w->ref = ref ? strdup(ref) : NULL;
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0 || (ref && !w->ref) ||
        git_repository_open(&w->handle, tn_git_dir(repo)) < 0) {
        tn_ref_watch_free(w);
        return NULL;
    }
    add_all(w);
    return w;
}

void
tn_ref_watch_free(struct tn_ref_watch *w)
{
    if (w) {
        if (w->fd >= 0) {
            close(w->fd);
        }
        git_repository_free(w->handle);
        free(w->ref);
        free(w);
    }
}

int
tn_ref_watch_fd(const struct tn_ref_watch *w)
{
    return w->fd;
}

/* Of what happens in the top directory, only this concerns refs. */
static bool
matters(const char *name)
{
    static const char *const noise[] = {
        "index",      "ORIG_HEAD", "COMMIT_EDITMSG", "FETCH_HEAD", "config",
        "MERGE_HEAD", "logs",      "objects",        "gc.pid",     "gc.log"};
    size_t n = strlen(name);
    if (n >= 5 && strcmp(name + n - 5, ".lock") == 0) {
        return false;
    }
    for (size_t i = 0; i < TN_ARRAY_SIZE(noise); i++) {
        if (strcmp(name, noise[i]) == 0) {
            return false;
        }
    }
    return true;
}

bool
tn_ref_watch_take(struct tn_ref_watch *w)
{
    _Alignas(struct inotify_event) char buf[8192];
    bool moved = false;
    for (ssize_t n; (n = read(w->fd, buf, sizeof buf)) > 0;) {
        for (const char *p = buf; p < buf + n;) {
            const struct inotify_event *e = (const void *) p;
            moved |= e->len == 0 || matters(e->name);
            p += sizeof *e + e->len;
        }
    }
    if (moved) {
        add_all(w);
    }
    return moved;
}
