/* worktree.c - a directory of plain files as a source, for editing.
 *
 * Every path is walked from the root's descriptor with openat and O_NOFOLLOW,
 * so that no symbolic link leads anywhere, even one that appears while we
 * read.  A file's id is computed when its directory is listed and checked when
 * it is read: equal id, equal bytes holds although editors write meanwhile. */
#include "reconciler/source/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"
#include "reconciler/source/git.h"
#include "reconciler/source/name.h"

enum { HASHED_MAX = 16 * 1024 * 1024 };

struct worktree {
    struct tn_source base;
    int root;
};

static void
cleanup_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

static struct worktree *
self_of(struct tn_source *source)
{
    return (struct worktree *) source;
}

static enum tn_code
file_failed(struct tn_error *err, int sys, const char *path)
{
    const char *shown = path[0] ? path : "the root directory";
    if (sys == ELOOP || sys == EMLINK) {
        return tn_fail(err, TN_EINTENT, sys,
                       "%s: a symbolic link is not followed", shown);
    }
    enum tn_code code = sys == ENOENT || sys == ENOTDIR ? TN_ENOENT
                        : sys == EACCES || sys == EPERM ? TN_EDENIED
                                                        : TN_EINTERNAL;
    return tn_fail_sys(err, code, sys, "%s", shown);
}

/* Opens the directory of 'path' that 'n' bytes of it name; -1 and errno. */
static int
open_dir(int root, const char *path, size_t n)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < n;) {
        size_t len = strcspn(path + i, "/");
        len = i + len > n ? n - i : len;
        char name[256];
        int next = -1;
        if (len == 0 || len >= sizeof name) {
            errno = ENOENT;
        } else {
            snprintf(name, sizeof name, "%.*s", (int) len, path + i);
            errno = ENOENT;
            if (strcmp(name, "..") != 0 && strcmp(name, ".") != 0) {
                next = openat(fd, name,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            }
        }
        int sys = errno;
        close(fd);
        errno = sys;
        fd = next;
        i += len + 1;
    }
    return fd;
}

/* Opens a regular file that is not a link; its size goes to '*size'. */
static enum tn_code
open_file(int dir, const char *name, const char *path, int *out, size_t *size,
          struct tn_error *err)
{
    int fd = openat(dir, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        return file_failed(err, errno, path);
    }
    enum tn_code code = TN_OK;
    if (fstat(fd, &st) < 0) {
        code = file_failed(err, errno, path);
    } else if (!S_ISREG(st.st_mode)) {
        code = tn_fail(err, TN_EINTENT, 0, "%s: not a plain file", path);
    }
    if (code) {
        close(fd);
        return code;
    }
    *size = (size_t) st.st_size;
    *out = fd;
    return TN_OK;
}

/* Reads the 'size' bytes that the file had when it was opened. */
static enum tn_code
read_all(int fd, char *buf, size_t size, const char *path, struct tn_error *err)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(fd, buf + got, size - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return file_failed(err, errno, path);
        }
        if (n == 0) {
            return tn_fail(err, TN_EUNAVAILABLE, 0,
                           "%s: shrank while it was read", path);
        }
        got += (size_t) n;
    }
    return TN_OK;
}

static enum tn_code
hash_entry(int dir, const char *name, const char *path, struct tn_oid *id,
           struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    TN_CLEANUP(tn_cleanup_free) char *buf = NULL;
    size_t size = 0;
    enum tn_code code = open_file(dir, name, path, &fd, &size, err);
    if (code || size > HASHED_MAX) {
        return code;
    }
    buf = malloc(size + 1);
    if (!buf) {
        return file_failed(err, ENOMEM, path);
    }
    code = read_all(fd, buf, size, path, err);
    return code ? code : tn_git_blob_id(buf, size, id, err);
}

static enum tn_code
type_of(int dir, const struct dirent *d, const char *path,
        enum tn_entry_type *out, struct tn_error *err)
{
    struct stat st;
    switch (d->d_type) {
    case DT_REG:
        *out = TN_ENTRY_FILE;
        return TN_OK;
    case DT_DIR:
        *out = TN_ENTRY_DIR;
        return TN_OK;
    case DT_UNKNOWN:
        break;
    default:
        *out = TN_ENTRY_OTHER;
        return TN_OK;
    }
    if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return file_failed(err, errno, path);
    }
    *out = S_ISREG(st.st_mode)   ? TN_ENTRY_FILE
           : S_ISDIR(st.st_mode) ? TN_ENTRY_DIR
                                 : TN_ENTRY_OTHER;
    return TN_OK;
}

static enum tn_code
entry_of(int dir, const char *parent, const struct dirent *d,
         struct tn_arena *arena, struct tn_entry *out, struct tn_error *err)
{
    struct tn_entry e = {.name = tn_arena_strdup(arena, d->d_name)};
    enum tn_code code = tn_name_check(parent, e.name, strlen(e.name), err);
    if (code) {
        return code;
    }
    char path[1024];
    snprintf(path, sizeof path, "%s%s%s", parent, parent[0] ? "/" : "", e.name);
    code = type_of(dir, d, path, &e.type, err);
    if (!code && e.type == TN_ENTRY_FILE) {
        code = hash_entry(dir, e.name, path, &e.id, err);
    }
    if (!code) {
        *out = e;
    }
    return code;
}

static enum tn_code
worktree_list(struct tn_source *source, const char *path,
              struct tn_arena *arena, struct tn_entry **out, size_t *n,
              struct tn_error *err)
{
    int fd = open_dir(self_of(source)->root, path, strlen(path));
    if (fd < 0) {
        return file_failed(err, errno, path);
    }
    TN_CLEANUP(cleanup_dir) DIR *dir = fdopendir(fd);
    if (!dir) {
        int sys = errno;
        close(fd);
        return file_failed(err, sys, path);
    }
    TN_VEC(struct tn_entry) entries = {0};
    for (;;) {
        errno = 0;
        const struct dirent *d = readdir(dir);
        if (!d) {
            break;
        }
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 ||
            strcmp(d->d_name, ".git") == 0) {
            continue;
        }
        struct tn_entry e;
        enum tn_code code = entry_of(fd, path, d, arena, &e, err);
        if (code == TN_ENOENT) {
            continue; /* Removed since it was listed. */
        }
        if (code) {
            return code;
        }
        *tn_vec_push(arena, &entries) = e;
    }
    if (errno != 0) {
        return file_failed(err, errno, path);
    }
    enum tn_code code = tn_entries_finish(path, entries.items, entries.n, err);
    if (!code) {
        *out = entries.items;
        *n = entries.n;
    }
    return code;
}

static enum tn_code
worktree_read(struct tn_source *source, const char *path,
              const struct tn_oid *id, size_t max, struct tn_arena *arena,
              const char **bytes, size_t *n, struct tn_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    TN_CLEANUP(tn_cleanup_fd)
    int dir = open_dir(self_of(source)->root, path,
                       slash ? (size_t) (slash - path) : 0);
    if (dir < 0) {
        return file_failed(err, errno, path);
    }
    TN_CLEANUP(tn_cleanup_fd) int fd = -1;
    size_t size = 0;
    enum tn_code code = open_file(dir, name, path, &fd, &size, err);
    if (code) {
        return code;
    }
    if (size > max) {
        return tn_fail(err, TN_EINTENT, 0,
                       "%s: %zu bytes are more than the limit of %zu", path,
                       size, max);
    }
    char *buf = tn_arena_alloc(arena, size + 1);
    code = read_all(fd, buf, size, path, err);
    if (code) {
        return code;
    }
    buf[size] = '\0';
    struct tn_oid now;
    if (tn_oid_known(id)) {
        code = tn_git_blob_id(buf, size, &now, err);
        if (!code && memcmp(&now, id, sizeof now) != 0) {
            code = tn_fail(err, TN_EUNAVAILABLE, 0,
                           "%s: changed while the tree was read", path);
        }
    }
    if (!code) {
        *bytes = buf;
        *n = size;
    }
    return code;
}

static void
worktree_free(struct tn_source *source)
{
    if (source) {
        close(self_of(source)->root);
        free(source);
    }
}

static enum tn_code worktree_dup(struct tn_source *source,
                                 struct tn_source **out, struct tn_error *err);

static const struct tn_source_ops worktree_ops = {
    .list = worktree_list,
    .read = worktree_read,
    .dup = worktree_dup,
    .free = worktree_free,
};

/* Takes 'root', even on failure. */
static enum tn_code
worktree_new(int root, struct tn_source **out, struct tn_error *err)
{
    struct worktree *self = calloc(1, sizeof *self);
    if (!self) {
        close(root);
        return tn_fail(err, TN_EINTERNAL, ENOMEM, "out of memory");
    }
    self->base.ops = &worktree_ops;
    self->base.label = "working tree";
    self->root = root;
    *out = &self->base;
    return TN_OK;
}

static enum tn_code
worktree_dup(struct tn_source *source, struct tn_source **out,
             struct tn_error *err)
{
    int fd = fcntl(self_of(source)->root, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "the working tree");
    }
    return worktree_new(fd, out, err);
}

enum tn_code
tn_source_open_worktree(const char *path, struct tn_source **out,
                        struct tn_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return file_failed(err, errno, path);
    }
    return worktree_new(fd, out, err);
}
