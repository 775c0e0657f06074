/* netns.c - see netns.h.
 *
 * A published namespace is a bind mount of its /proc file.  The file below the
 * mount is made first; a crash between the two leaves a plain file, which
 * nobody takes for a namespace and the next creation uses. */
#include "drivers/kernel/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

#define NETNS_DIR "/run/netns"
#define OWN_NETNS "/proc/thread-self/ns/net"

enum { PATH_SIZE = sizeof NETNS_DIR + 256 };

enum tn_code
tn_k_excursion(tn_k_thread_fn fn, void *ctx, struct tn_error *err)
{
    int home = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
    if (home < 0) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, OWN_NETNS);
    }
    enum tn_code code = fn(ctx, err);
    if (setns(home, CLONE_NEWNET) < 0) {
        perror("tenet: cannot return to the own network namespace");
        abort();
    }
    close(home);
    return code;
}

static enum tn_code
netns_path(const char *name, char path[PATH_SIZE], struct tn_error *err)
{
    size_t n = strlen(name);
    if (n == 0 || n > 255 || name[0] == '.' || strchr(name, '/')) {
        return tn_fail(err, TN_EINTENT, 0,
                       "'%s' is not a name for a network namespace", name);
    }
    memcpy(path, NETNS_DIR "/", sizeof NETNS_DIR);
    memcpy(path + sizeof NETNS_DIR, name, n + 1);
    return TN_OK;
}

/* Asked of the path: what a crash left may have no mode at all, and opening it
 * takes a capability that the daemon gives up. */
static bool
is_namespace(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

int
tn_k_fd_high(int fd)
{
    int high = fd < FD_SETSIZE ? fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE) : -1;
    if (high < 0) {
        return fd;
    }
    close(fd);
    return high;
}

enum tn_code
tn_k_netns_open(const char *name, int *fd, struct tn_error *err)
{
    char path[PATH_SIZE] = OWN_NETNS;
    if (name) {
        enum tn_code code = netns_path(name, path, err);
        if (code != TN_OK) {
            return code;
        }
    }
    int f = open(path, O_RDONLY | O_CLOEXEC);
    if (f < 0 && (errno != EACCES || is_namespace(path))) {
        return tn_fail_sys(err, errno == ENOENT ? TN_ENOENT : TN_EUNAVAILABLE,
                           errno, "network namespace %s", name ? name : "");
    }
    struct statfs fs;
    if (f < 0 || fstatfs(f, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
        tn_cleanup_fd(&f);
        return tn_fail(err, TN_ENOENT, 0, "network namespace %s: not one",
                       name ? name : "");
    }
    *fd = tn_k_fd_high(f);
    return TN_OK;
}

enum tn_code
tn_k_netns_enter(int fd, struct tn_error *err)
{
    if (setns(fd, CLONE_NEWNET) < 0) {
        return tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "cannot enter a network namespace");
    }
    return TN_OK;
}

enum tn_code
tn_k_netns_list(struct tn_arena *arena, const char *const **out, size_t *n,
                struct tn_error *err)
{
    DIR *dir = opendir(NETNS_DIR);
    TN_VEC(const char *) names = {0};
    if (!dir && errno != ENOENT) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, NETNS_DIR);
    }
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] != '.') {
            *tn_vec_push(arena, &names) = tn_arena_strdup(arena, e->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    tn_texts_sort(names.items, names.n);
    *out = names.items;
    *n = names.n;
    return TN_OK;
}

/* As 'ip netns' does: the folder is a shared mount, so that namespaces appear
 * in all mount namespaces. */
static enum tn_code
share_directory(struct tn_error *err)
{
    if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, NETNS_DIR);
    }
    if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0) {
        return TN_OK;
    }
    if (errno != EINVAL ||
        mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
        mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0) {
        return tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "cannot share " NETNS_DIR);
    }
    return TN_OK;
}

static enum tn_code
taken(const char *name, struct tn_error *err)
{
    return tn_fail(err, TN_ESTALE, EEXIST,
                   "network namespace %s exists already", name);
}

/* Over a file: new, or what a crash has left.  It is made as late as can be,
 * since a kill between the two leaves it. */
static enum tn_code
publish(const char *name, const char *path, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    if (fd < 0 && errno != EEXIST) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "%s", path);
    }
    if (is_namespace(path)) {
        return taken(name, err);
    }
    if (mount(OWN_NETNS, path, "none", MS_BIND, NULL) < 0) {
        enum tn_code code =
            tn_fail_sys(err, TN_EUNAVAILABLE, errno, "mount on %s", path);
        unlink(path);
        return code;
    }
    return TN_OK;
}

enum tn_code
tn_k_netns_create(const char *name, tn_k_thread_fn prepare, void *ctx,
                  struct tn_error *err)
{
    char path[PATH_SIZE];
    enum tn_code code = netns_path(name, path, err);
    if (code == TN_OK && is_namespace(path)) {
        code = taken(name, err);
    }
    if (code == TN_OK) {
        code = share_directory(err);
    }
    if (code == TN_OK && unshare(CLONE_NEWNET) < 0) {
        code = tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "cannot make a network namespace");
    }
    if (code == TN_OK) {
        code = prepare(ctx, err);
    }
    return code == TN_OK ? publish(name, path, err) : code;
}

enum tn_code
tn_k_netns_remove(const char *name, struct tn_error *err)
{
    char path[PATH_SIZE];
    enum tn_code code = netns_path(name, path, err);
    if (code != TN_OK) {
        return code;
    }
    if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT) {
        return tn_fail_sys(err, errno == EPERM ? TN_EDENIED : TN_EUNAVAILABLE,
                           errno, "umount %s", path);
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        return tn_fail_sys(err, TN_EUNAVAILABLE, errno, "unlink %s", path);
    }
    return TN_OK;
}
