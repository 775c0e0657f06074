/* file.c - see file.h. */
#include "model/base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/base/cleanup.h"

static enum tn_code
file_error(struct tn_error *err, const char *path)
{
    bool denied = errno == EACCES || errno == EPERM || errno == EROFS;
    enum tn_code code = errno == ENOENT ? TN_ENOENT
                        : denied        ? TN_EDENIED
                                        : TN_EINTERNAL;
    return tn_fail_sys(err, code, errno, "cannot write %s", path);
}

enum tn_code
tn_dirs_make(const char *path, mode_t mode, struct tn_error *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) {
        errno = n ? ENAMETOOLONG : ENOENT;
        return file_error(err, path);
    }
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, mode) && errno != EEXIST) {
            return file_error(err, part);
        }
        part[i] = i < n ? '/' : '\0';
    }
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return file_error(err, path);
    }
    return TN_OK;
}

static bool
all_written(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t put = write(fd, bytes, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes += put;
        n -= (size_t) put;
    }
    return true;
}

/* The new name is durable only when its directory is; not every file system
 * can tell. */
static void
parent_sync(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int) (slash - path) + 1 : 1,
             slash ? path : ".");
    TN_CLEANUP(tn_cleanup_fd)
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void) fsync(fd);
    }
}

enum tn_code
tn_file_replace(const char *path, const struct tn_text *text, mode_t mode,
                struct tn_error *err)
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.XXXXXX", path);
    if (n < 0 || (size_t) n >= sizeof beside) {
        errno = ENAMETOOLONG;
        return file_error(err, path);
    }
    TN_CLEANUP(tn_cleanup_fd) int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        return file_error(err, beside);
    }
    (void) flock(fd, LOCK_SH | LOCK_NB); /* Until it is closed: we live. */
    if (fchmod(fd, mode) || !all_written(fd, tn_text_str(text), text->n) ||
        fsync(fd) || rename(beside, path)) {
        enum tn_code code = file_error(err, path);
        unlink(beside);
        return code;
    }
    parent_sync(path);
    return TN_OK;
}

static void
cleanup_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

/* The length of "<name>" if 'name' looks like "<name>.XXXXXX"; else 0. */
static size_t
length_without_suffix(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || strlen(dot) != sizeof ".XXXXXX" - 1) {
        return 0;
    }
    for (const char *p = dot + 1; *p; p++) {
        if (!isalnum((unsigned char) *p)) {
            return 0;
        }
    }
    return (size_t) (dot - name);
}

static bool
is_file(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode);
}

void
tn_files_sweep(const char *dir)
{
    TN_CLEANUP(cleanup_dir) DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char name[sizeof e->d_name];
        size_t n = length_without_suffix(e->d_name);
        snprintf(name, sizeof name, "%.*s", (int) n, e->d_name);
        if (!n || !is_file(dirfd(d), name) || !is_file(dirfd(d), e->d_name)) {
            continue;
        }
        TN_CLEANUP(tn_cleanup_fd)
        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
            unlinkat(dirfd(d), e->d_name, 0);
        }
    }
}
