/* git.c - libgit2's life, its repositories and its errors.
 *
 * Everything that source and status share of libgit2.  The owner check of Git
 * (CVE-2022-24765) stays on: who runs tenet as root on somebody's clone is told
 * which line of configuration says that this is meant. */
#include "reconciler/source/git.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <git2.h>

#include "model/base/cleanup.h"
#include "reconciler/source/name.h"
#include "reconciler/source/source.h"

enum {
    MAX_OBJECT = 16 * 1024 * 1024, /* In a pack that is received. */
    CACHED_TREE = 4 * 1024 * 1024, /* Large directories are read once. */
    HASTY_TREE = 4 * 1024,         /* See tn_git_hasty(). */
};

struct tn_git_repo {
    git_repository *handle;
};

static enum tn_code
code_of(int rc)
{
    static const struct {
        int rc;
        enum tn_code code;
    } table[] = {
        {GIT_ENOTFOUND, TN_ENOENT},       {GIT_EUNBORNBRANCH, TN_ENOENT},
        {GIT_EAMBIGUOUS, TN_ENOENT},      {GIT_EINVALIDSPEC, TN_ENOENT},
        {GIT_EMODIFIED, TN_ESTALE},       {GIT_EEXISTS, TN_ESTALE},
        {GIT_ENONFASTFORWARD, TN_ESTALE}, {GIT_ELOCKED, TN_EUNAVAILABLE},
        {GIT_RETRY, TN_EUNAVAILABLE},     {GIT_EAUTH, TN_EDENIED},
        {GIT_EOWNER, TN_EDENIED},
    };
    for (size_t i = 0; i < TN_ARRAY_SIZE(table); i++) {
        if (table[i].rc == rc) {
            return table[i].code;
        }
    }
    return TN_EINTERNAL;
}

enum tn_code
tn_git_fail(struct tn_error *err, int rc, const char *fmt, ...)
{
    const git_error *last = git_error_last();
    const char *why = last && last->message ? last->message : "unknown reason";
    char what[512], said[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return tn_fail(err, code_of(rc), 0, "%s: %s", what,
                   tn_clean(said, sizeof said, why, strlen(why)));
}

/* 'safe.directory = *' trusts all owners; an empty value forgets what came
 * before.  libgit2 1.5 knows exact paths only. */
static int
trusts_all(const git_config_entry *entry, void *payload)
{
    bool *all = payload;
    *all = strcmp(entry->value, "*") == 0 || (*all && entry->value[0]);
    return 0;
}

static int
check_owners(void)
{
    git_config *config = NULL;
    bool all = false;
    if (git_config_open_default(&config) == 0) {
        git_config_get_multivar_foreach(config, "safe.directory", NULL,
                                        trusts_all, &all);
    }
    git_config_free(config);
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, all ? 0 : 1);
}

/* libgit2 reads all certificates of the system when it starts, which takes
 * longer than most commands, and has no option against it (with mbedTLS, as in
 * Debian, the path is built in).  While no file can be opened, it starts
 * without them.  Whoever comes to fetch over TLS gives them by
 * GIT_OPT_SET_SSL_CERT_LOCATIONS.  Called before there are threads. */
static int
init_without_certificates(void)
{
    struct rlimit before, none;
    if (getrlimit(RLIMIT_NOFILE, &before) < 0) {
        return git_libgit2_init();
    }
    none = before;
    none.rlim_cur = 0;
    bool limited = setrlimit(RLIMIT_NOFILE, &none) == 0;
    int rc = git_libgit2_init();
    if (limited && setrlimit(RLIMIT_NOFILE, &before) < 0) {
        abort(); /* Cannot be: the hard limit is as it was. */
    }
    git_error_clear();
    return rc;
}

enum tn_code
tn_git_init(struct tn_error *err)
{
    int rc = init_without_certificates();
    if (rc < 0) {
        return tn_git_fail(err, rc, "libgit2 does not start");
    }
    rc = git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1);
    if (rc == 0) {
        rc = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    }
    if (rc == 0) {
        rc = check_owners();
    }
    if (rc == 0) {
        rc = git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE,
                              (size_t) CACHED_TREE);
    }
    if (rc == 0 && TN_GIT_OPT_MAX_OBJECT >= 0) {
        rc = git_libgit2_opts(TN_GIT_OPT_MAX_OBJECT, (size_t) MAX_OBJECT);
    }
    if (rc < 0) {
        enum tn_code code = tn_git_fail(err, rc, "libgit2 refuses its limits");
        git_libgit2_shutdown();
        return code;
    }
    return TN_OK;
}

void
tn_git_done(void)
{
    git_libgit2_shutdown();
}

/* The repository that 'path' is in, whoever owns it, as 'safe.directory' wants
 * it written: new, null if there is none. */
static char *
find_any(const char *path)
{
    git_buf found = {0};
    char *top = NULL;
    if (git_repository_discover(&found, path, 0, NULL) == 0) {
        size_t n = found.size;
        while (n > 1 && found.ptr[n - 1] == '/') {
            n--;
        }
        if (n > 5 && strncmp(found.ptr + n - 5, "/.git", 5) == 0) {
            n -= 5;
        }
        top = strndup(found.ptr, n);
    }
    git_buf_dispose(&found);
    return top;
}

static enum tn_code
open_failed(const char *path, int rc, struct tn_error *err)
{
    if (rc != GIT_ENOTFOUND && rc != GIT_EOWNER) {
        return tn_git_fail(err, rc, "opening the Git repository at %s", path);
    }
    /* Without any safe.directory, libgit2 1.5 calls a repository of another
     * owner "not found" too. */
    TN_CLEANUP(tn_cleanup_free) char *top = find_any(path);
    if (!top) {
        return tn_fail(err, TN_ENOENT, 0,
                       "%s is not in a Git repository ('git init' makes one; "
                       "--worktree reads plain files)",
                       path);
    }
    return tn_fail(err, TN_EDENIED, 0,
                   "the repository at %s belongs to another user; if you "
                   "trust it, say so with: git config --global --add "
                   "safe.directory %s",
                   top, top);
}

enum tn_code
tn_git_open(const char *path, struct tn_git_repo **out, struct tn_error *err)
{
    git_repository *handle = NULL;
    int rc = git_repository_open_ext(&handle, path, 0, NULL);
    if (rc < 0) {
        return open_failed(path, rc, err);
    }
    struct tn_git_repo *repo = calloc(1, sizeof *repo);
    if (!repo) {
        git_repository_free(handle);
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    repo->handle = handle;
    *out = repo;
    return TN_OK;
}

void
tn_git_close(struct tn_git_repo *repo)
{
    if (repo) {
        git_repository_free(repo->handle);
        free(repo);
    }
}

void *
tn_git_handle(const struct tn_git_repo *repo)
{
    return repo->handle;
}

const char *
tn_git_dir(const struct tn_git_repo *repo)
{
    return git_repository_path(repo->handle);
}

void
tn_git_hasty(bool hasty)
{
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, hasty ? 0 : 1);
    git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE,
                     (size_t) (hasty ? HASTY_TREE : CACHED_TREE));
}

enum tn_code
tn_git_blob_id(const void *bytes, size_t n, struct tn_oid *out,
               struct tn_error *err)
{
    git_oid id;
    int rc = git_odb_hash(&id, bytes, n, GIT_OBJECT_BLOB);
    if (rc < 0) {
        return tn_git_fail(err, rc, "hashing a file");
    }
    *out = (struct tn_oid){0};
    memcpy(out->b, id.id, GIT_OID_RAWSZ);
    return TN_OK;
}

enum tn_code
tn_source_root(const char *path, struct tn_arena *arena, const char **out,
               struct tn_error *err)
{
    git_repository *handle = NULL;
    int rc = git_repository_open_ext(&handle, path, 0, NULL);
    if (rc < 0) {
        return open_failed(path, rc, err);
    }
    const char *top = git_repository_workdir(handle);
    top = top ? top : git_repository_path(handle);
    size_t n = strlen(top);
    while (n > 1 && top[n - 1] == '/') {
        n--;
    }
    *out = tn_arena_strndup(arena, top, n);
    git_repository_free(handle);
    return TN_OK;
}
