/* git_remote_mirror.c - the directory of a mirror: made, judged, swept, packed.
 *
 * A mirror says in its configuration what it is a mirror of; that is written
 * last, so that one without it was not finished.  It is judged when opened: all
 * refs must name commits, and everything in their trees must exist.  What fails
 * is thrown away: a mirror can always be had again.
 *
 * Every fetch leaves a pack, and every status commit some loose objects.  They
 * are merged in steps of growing size, as 'git repack --geometric' does, so
 * that each object is rewritten a few times at most.  Unreachable objects are
 * kept: the commit that was applied last may be one of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>
#include <git2/sys/odb_backend.h>

#include "model/base/arena.h"
#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/source/git_remote.h"

enum { MAX_PACKS = 40, MAX_LOOSE_17 = 8, TREE_DEPTH = 64 };

#define CONFIG_KEY "tenet.url"

static void
cleanup_repository(git_repository **r)
{
    git_repository_free(*r);
}

static void
cleanup_config(git_config **c)
{
    git_config_free(*c);
}

static void
cleanup_dir(DIR **d)
{
    if (*d) {
        closedir(*d);
    }
}

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void) st;
    (void) type;
    (void) at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

static int
remove_lock(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void) st;
    (void) at;
    if (type == FTW_F && ends_with(path, ".lock")) {
        unlink(path);
    }
    return 0;
}

/* Removes the files of a directory that look like 'begin' or '.lock'. */
static void
sweep_dir(const char *dir, const char *begin)
{
    TN_CLEANUP(cleanup_dir) DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (ends_with(e->d_name, ".lock") ||
            (begin && strncmp(e->d_name, begin, strlen(begin)) == 0)) {
            unlinkat(dirfd(d), e->d_name, 0);
        }
    }
}

void
tn_mirror_sweep(const struct tn_mirror *m)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    sweep_dir(m->dir, NULL);
    sweep_dir(tn_arena_printf(arena, "%s/objects", m->dir), "tmp_");
    /* Finished ones are "pack-..." */
    sweep_dir(tn_arena_printf(arena, "%s/objects/pack", m->dir), "pack_");
    sweep_dir(tn_arena_printf(arena, "%s/objects/pack", m->dir), "tmp_");
    nftw(tn_arena_printf(arena, "%s/refs", m->dir), remove_lock, 16, FTW_PHYS);
}

/* The lock is beside the directory, which may be replaced. */
static enum tn_code
take_lock(struct tn_mirror *m, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const char *path = tn_arena_printf(arena, "%s.lock", m->dir);
    char *parent = tn_arena_strdup(arena, m->dir);
    char *slash = strrchr(parent, '/');
    if (slash && slash > parent) {
        *slash = '\0';
        enum tn_code code = tn_dirs_make(parent, 0700, err);
        if (code) {
            return code;
        }
    }
    m->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (m->lock < 0) {
        return tn_fail_sys(err, errno == EACCES ? TN_EDENIED : TN_EINTERNAL,
                           errno, "%s", path);
    }
    if (flock(m->lock, LOCK_EX | LOCK_NB) < 0) {
        return tn_fail(err, TN_EUNAVAILABLE, errno,
                       "the mirror %s is in use by another process", m->dir);
    }
    return TN_OK;
}

/* Everything below the tree exists. */
static int
check_tree(git_repository *handle, git_odb *odb, const git_oid *id,
           unsigned depth)
{
    git_tree *tree = NULL;
    int rc =
        depth > TREE_DEPTH ? GIT_EINVALID : git_tree_lookup(&tree, handle, id);
    for (size_t i = 0; rc == 0 && i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *e = git_tree_entry_byindex(tree, i);
        if (git_tree_entry_type(e) == GIT_OBJECT_TREE) {
            rc = check_tree(handle, odb, git_tree_entry_id(e), depth + 1);
        } else if (git_tree_entry_type(e) == GIT_OBJECT_BLOB &&
                   !git_odb_exists_ext(odb, git_tree_entry_id(e),
                                       GIT_ODB_LOOKUP_NO_REFRESH)) {
            rc = GIT_ENOTFOUND;
        }
    }
    git_tree_free(tree);
    return rc;
}

static int
check_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void) path;
    (void) at;
    return type == FTW_F && st->st_size < GIT_OID_HEXSZ ? -1 : 0;
}

/* Every file below refs holds an id. */
static int
check_files(const char *dir)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const char *refs = tn_arena_printf(arena, "%s/refs", dir);
    return nftw(refs, check_file, 16, FTW_PHYS);
}

static int
check_ref(git_reference *ref, void *payload)
{
    git_odb *odb = payload;
    git_repository *handle = git_reference_owner(ref);
    git_object *commit = NULL;
    int rc = git_reference_peel(&commit, ref, GIT_OBJECT_COMMIT);
    if (rc == 0) {
        rc = check_tree(handle, odb,
                        git_commit_tree_id((const git_commit *) commit), 0);
    }
    git_object_free(commit);
    git_reference_free(ref);
    return rc < 0 ? -1 : 0;
}

/* Is the directory a whole mirror of 'url'? */
static bool
is_whole(const char *dir, const char *url, bool *fresh)
{
    TN_CLEANUP(cleanup_repository) git_repository *handle = NULL;
    TN_CLEANUP(cleanup_config) git_config *config = NULL;
    git_odb *odb = NULL;
    git_strarray refs = {0};
    git_reference *head = NULL;
    const char *of = NULL;
    if (git_repository_open_bare(&handle, dir) < 0 ||
        git_reference_lookup(&head, handle, "HEAD") < 0) {
        return false;
    }
    git_reference_free(head);
    if (git_repository_config_snapshot(&config, handle) < 0 ||
        git_config_get_string(&of, config, CONFIG_KEY) < 0 ||
        strcmp(of, url) != 0 || git_repository_odb(&odb, handle) < 0) {
        return false;
    }
    int rc = git_reference_list(&refs, handle);
    /* What cannot be read is not listed. */
    rc = rc < 0 ? rc : check_files(dir);
    *fresh = rc == 0 && refs.count == 0;
    git_strarray_dispose(&refs);
    if (rc == 0) {
        rc = git_reference_foreach(handle, check_ref, odb);
    }
    git_odb_free(odb);
    return rc == 0;
}

bool
tn_mirror_is_whole(const struct tn_mirror *m, const char *url)
{
    bool fresh;
    return is_whole(m->dir, url, &fresh);
}

/* Makes an empty one, which is named after 'url' only when it is complete. */
static enum tn_code
make(const char *dir, const char *url, struct tn_error *err)
{
    TN_CLEANUP(cleanup_repository) git_repository *handle = NULL;
    TN_CLEANUP(cleanup_config) git_config *config = NULL;
    git_repository_init_options how;
    git_repository_init_options_init(&how, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    how.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
    how.mode = GIT_REPOSITORY_INIT_SHARED_UMASK;
    how.initial_head = "main";
    enum tn_code code = tn_dirs_make(dir, 0700, err);
    if (code) {
        return code;
    }
    int rc = chmod(dir, 0700);
    rc = rc < 0 ? rc : git_repository_init_ext(&handle, dir, &how);
    rc = rc < 0 ? rc : git_repository_config(&config, handle);
    /* The log of a ref would grow for ever. */
    rc = rc < 0 ? rc : git_config_set_bool(config, "core.logAllRefUpdates", 0);
    rc = rc < 0 ? rc : git_config_set_string(config, CONFIG_KEY, url);
    return rc < 0 ? tn_git_fail(err, rc, "making the mirror %s", dir) : TN_OK;
}

static enum tn_code
throw_away(const char *dir, struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    const char *gone = tn_arena_printf(arena, "%s.gone", dir);
    nftw(gone, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    if (rename(dir, gone) < 0 && errno != ENOENT) {
        return tn_fail_sys(err, TN_EINTERNAL, errno, "throwing away %s", dir);
    }
    nftw(gone, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    return TN_OK;
}

/* Something that is no mirror of ours is not thrown away. */
static enum tn_code
refuse_foreign(const char *dir, struct tn_error *err)
{
    static const char *const ours[] = {"objects", "HEAD", "refs"};
    TN_CLEANUP(cleanup_dir) DIR *d = opendir(dir);
    size_t n = 0, known = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
        for (size_t i = 0; i < TN_ARRAY_SIZE(ours); i++) {
            known += strcmp(e->d_name, ours[i]) == 0;
        }
    }
    return n == 0 || known > 0
               ? TN_OK
               : tn_fail(err, TN_EDENIED, 0,
                         "%s is not a mirror and not empty: it is left alone",
                         dir);
}

enum tn_code
tn_mirror_reset(struct tn_mirror *m, const char *url, struct tn_error *err)
{
    tn_git_close(m->repo);
    m->repo = NULL;
    m->fresh = true;
    enum tn_code code = throw_away(m->dir, err);
    if (!code) {
        code = make(m->dir, url, err);
    }
    return code ? code : tn_git_open(m->dir, &m->repo, err);
}

enum tn_code
tn_mirror_open(const char *dir, const char *url, struct tn_mirror *out,
               struct tn_error *err)
{
    struct tn_mirror m = {.dir = strdup(dir), .lock = -1};
    struct stat st;
    if (!m.dir) {
        return tn_fail(err, TN_EINTERNAL, 0, "out of memory");
    }
    for (size_t n = strlen(m.dir); n > 1 && m.dir[n - 1] == '/'; n--) {
        m.dir[n - 1] = '\0';
    }
    enum tn_code code = take_lock(&m, err);
    if (!code) {
        code = refuse_foreign(dir, err);
    }
    if (!code) {
        bool there = stat(dir, &st) == 0;
        tn_mirror_sweep(&m);
        if (there && is_whole(dir, url, &m.fresh)) {
            code = tn_git_open(dir, &m.repo, err);
        } else {
            m.repaired = there;
            code = tn_mirror_reset(&m, url, err);
        }
    }
    if (code) {
        tn_mirror_close(&m);
        return code;
    }
    *out = m;
    return TN_OK;
}

void
tn_mirror_renew(struct tn_mirror *m)
{
    struct tn_git_repo *again = NULL;
    if (!tn_git_open(m->dir, &again, NULL)) {
        tn_git_close(m->repo);
        m->repo = again;
    }
}

void
tn_mirror_close(struct tn_mirror *m)
{
    tn_git_close(m->repo);
    if (m->lock >= 0) {
        close(m->lock);
    }
    free(m->dir);
    *m = (struct tn_mirror){.lock = -1};
}

struct pack {
    const char *name; /* "pack-<hex>" */
    off_t size;
};

struct packing {
    git_packbuilder *builder;
    struct tn_arena *arena;
    const char *dir; /* objects */
    TN_VEC(struct pack) packs;
    TN_VEC(git_oid) loose;
};

static void
cleanup_packing(struct packing *p)
{
    git_packbuilder_free(p->builder);
    tn_arena_free(p->arena);
}

static int
by_size(const void *a, const void *b)
{
    off_t x = ((const struct pack *) a)->size;
    off_t y = ((const struct pack *) b)->size;
    return (x > y) - (x < y);
}

static void
list_packs(struct packing *p)
{
    const char *path = tn_arena_printf(p->arena, "%s/pack", p->dir);
    TN_CLEANUP(cleanup_dir) DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        if (strncmp(e->d_name, "pack-", 5) == 0 &&
            ends_with(e->d_name, ".pack") &&
            fstatat(dirfd(d), e->d_name, &st, 0) == 0) {
            char *name =
                tn_arena_strndup(p->arena, e->d_name, strlen(e->d_name) - 5);
            *tn_vec_push(p->arena, &p->packs) = (struct pack){name, st.st_size};
        }
    }
    if (p->packs.n > 1) {
        qsort(p->packs.items, p->packs.n, sizeof *p->packs.items, by_size);
    }
}

/* Estimated as git does it, by one of the 256 directories. */
static bool
many_loose(struct packing *p)
{
    const char *path = tn_arena_printf(p->arena, "%s/17", p->dir);
    TN_CLEANUP(cleanup_dir) DIR *d = opendir(path);
    unsigned n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        n += e->d_name[0] != '.';
    }
    return n >= MAX_LOOSE_17;
}

/* How many of the smallest packs to merge: those left are each larger than
 * twice all that are smaller. */
static size_t
n_to_merge(const struct packing *p)
{
    off_t below = 0;
    size_t merge = 0;
    for (size_t i = 0; i < p->packs.n; i++) {
        if (p->packs.items[i].size < 2 * below || i == 0) {
            merge = i + 1;
        }
        below += p->packs.items[i].size;
    }
    return merge;
}

static int
add_object(const git_oid *id, void *payload)
{
    struct packing *p = payload;
    return git_packbuilder_insert(p->builder, id, NULL);
}

static int
add_loose(const git_oid *id, void *payload)
{
    struct packing *p = payload;
    git_oid_cpy(tn_vec_push(p->arena, &p->loose), id);
    return git_packbuilder_insert(p->builder, id, NULL);
}

static int
add_all(struct packing *p, size_t n_packs)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_packs; i++) {
        git_odb_backend *one = NULL;
        const char *path = tn_arena_printf(p->arena, "%s/pack/%s.idx", p->dir,
                                           p->packs.items[i].name);
        rc = git_odb_backend_one_pack(&one, path);
        rc = rc < 0 ? rc : one->foreach (one, add_object, p);
        if (one) {
            one->free(one);
        }
    }
    git_odb_backend *loose = NULL;
    rc = rc < 0 ? rc : git_odb_backend_loose(&loose, p->dir, -1, 1, 0, 0);
    rc = rc < 0 ? rc : loose->foreach (loose, add_loose, p);
    if (loose) {
        loose->free(loose);
    }
    return rc;
}

/* After the new pack is on the disk. */
static void
remove_merged(struct packing *p, size_t n_packs, const char *made)
{
    for (size_t i = 0; i < n_packs; i++) {
        const char *name = p->packs.items[i].name;
        if (strcmp(name + 5, made) != 0) {
            unlink(tn_arena_printf(p->arena, "%s/pack/%s.idx", p->dir, name));
            unlink(tn_arena_printf(p->arena, "%s/pack/%s.pack", p->dir, name));
        }
    }
    for (size_t i = 0; i < p->loose.n; i++) {
        char path[GIT_OID_HEXSZ + 2] = "";
        git_oid_pathfmt(path, &p->loose.items[i]);
        unlink(tn_arena_printf(p->arena, "%s/%s", p->dir, path));
    }
}

enum tn_code
tn_mirror_pack(struct tn_git_repo *repo, struct tn_error *err)
{
    TN_CLEANUP(cleanup_packing)
    struct packing p = {.arena = tn_arena_new()};
    p.dir = tn_arena_printf(p.arena, "%sobjects", tn_git_dir(repo));
    list_packs(&p);
    size_t n = p.packs.n > MAX_PACKS ? n_to_merge(&p) : 0;
    if (n == 0 && !many_loose(&p)) {
        return TN_OK;
    }
    int rc = git_packbuilder_new(&p.builder, tn_git_handle(repo));
    rc = rc < 0 ? rc : add_all(&p, n);
    if (rc == 0 && git_packbuilder_object_count(p.builder) > 0) {
        git_packbuilder_set_threads(p.builder, 1);
        rc = git_packbuilder_write(p.builder, NULL, 0, NULL, NULL);
        if (rc == 0) {
            remove_merged(&p, n, git_packbuilder_name(p.builder));
        }
    }
    return rc < 0 ? tn_git_fail(err, rc, "packing the mirror") : TN_OK;
}
