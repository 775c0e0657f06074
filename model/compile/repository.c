/* repository.c - walks tenants/ through a source.
 *
 * Every entry that is neither a plain file nor a directory is its tenant's
 * error, whatever its name is: a link could make one tenant's document another
 * tenant's.  Files that are no documents (README, .gitkeep, ...) are left
 * alone.  A walk stops at its bounds with one finding. */
#include "model/compile/repository.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"

struct walk {
    struct tn_source *source;
    struct tn_arena *arena;
    struct tn_diags *diags;
    const struct tn_repo_tenant *tenant;
    TN_VEC(struct tn_repo_file) files;
    struct tn_repo_file lock;
    bool full; /* A bound was met; nothing more is listed. */
};

static bool
is_plain_name(const char *name)
{
    for (const unsigned char *p = (const unsigned char *) name; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || *p == '\\') {
            return false;
        }
    }
    return *name && tn_is_utf8(name, strlen(name));
}

/* Safe to print and to keep: bytes that are not plain become '?'. */
static const char *
name_printable(struct tn_arena *arena, const char *name)
{
    char *copy = tn_arena_strdup(arena, name);
    if (!is_plain_name(name)) {
        for (char *p = copy; *p; p++) {
            if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f) {
                *p = '?';
            }
        }
    }
    return copy;
}

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n > m && strcmp(s + n - m, suffix) == 0;
}

static bool
is_document_name(const char *name)
{
    return has_suffix(name, ".yml") || has_suffix(name, ".yaml");
}

enum tn_code
tn_repo_entry(struct tn_source *source, const char *path, const char *name,
              struct tn_arena *arena, struct tn_entry *out,
              struct tn_error *err)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    enum tn_code code =
        source->ops->list(source, path, arena, &entries, &n, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            *out = entries[i];
            return TN_OK;
        }
    }
    return tn_fail(err, TN_ENOENT, 0, "%s: no such entry", name);
}

static int
tenant_cmp(const void *a, const void *b)
{
    const struct tn_repo_tenant *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static const char *
tenant_refused(const struct tn_entry *e)
{
    if (e->type == TN_ENTRY_OTHER) {
        return "neither a plain file nor a directory (a link?)";
    }
    if (!tn_is_label(e->name)) {
        return "a tenant's name is an RFC 1123 label: a-z, 0-9 and '-'";
    }
    return NULL;
}

enum tn_code
tn_repo_tenants(struct tn_source *source, struct tn_arena *arena,
                struct tn_repo_tenant **out, size_t *n, struct tn_diags *diags,
                struct tn_error *err)
{
    struct tn_entry *entries = NULL;
    size_t n_entries = 0;
    enum tn_code code =
        source->ops->list(source, "tenants", arena, &entries, &n_entries, err);
    if (code && code != TN_ENOENT) {
        if (code == TN_EINTENT) {
            tn_diag(diags, TN_ERROR, (struct tn_origin){"tenants", 0, 0},
                    "the directory cannot be listed");
        }
        return tn_while(err, code, "tenants");
    }
    TN_VEC(struct tn_repo_tenant) list = {0};
    for (size_t i = 0; i < n_entries; i++) {
        const struct tn_entry *e = &entries[i];
        if (e->type == TN_ENTRY_FILE) {
            continue;
        }
        const char *name = name_printable(arena, e->name);
        *tn_vec_push(arena, &list) = (struct tn_repo_tenant){
            .name = name,
            .path = tn_arena_printf(arena, "tenants/%s", name),
            .id = e->id,
            .refused = tenant_refused(e),
        };
    }
    if (list.n == 0) {
        tn_diag(diags, TN_ERROR, (struct tn_origin){"tenants", 0, 0},
                "there is no tenant: an empty tree is never taken for intent");
        return tn_fail(err, TN_EINTENT, 0, "tenants: there is none");
    }
    qsort(list.items, list.n, sizeof *list.items, tenant_cmp);
    *out = list.items;
    *n = list.n;
    return TN_OK;
}

/* "dir/name" */
static const char *
path_join(struct tn_arena *arena, const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    char *path = tn_arena_alloc(arena, n + m + 2);
    memcpy(path, dir, n);
    path[n] = '/';
    memcpy(path + n + 1, name, m);
    path[n + 1 + m] = '\0';
    return path;
}

static void
walk_refuse(struct walk *w, const char *path, const char *why)
{
    tn_diag(w->diags, TN_ERROR, (struct tn_origin){path, 0, 0}, "%s", why);
}

static void
walk_file(struct walk *w, const char *path, const struct tn_entry *e,
          unsigned depth)
{
    if (depth == 0 && strcmp(e->name, "tenet.lock") == 0) {
        w->lock = (struct tn_repo_file){path, e->id};
        return;
    }
    if (!is_document_name(e->name)) {
        return;
    }
    if (w->files.n >= TN_REPO_TENANT_FILES) {
        tn_diag(w->diags, TN_ERROR, (struct tn_origin){w->tenant->path, 0, 0},
                "more than %d document files", TN_REPO_TENANT_FILES);
        w->full = true;
        return;
    }
    *tn_vec_push(w->arena, &w->files) = (struct tn_repo_file){path, e->id};
}

/* Makes room at once for a tenant whose files are in one directory. */
static void
files_reserve(struct walk *w, size_t n)
{
    if (w->files.cap == 0 && n > 0) {
        size_t most = TN_REPO_TENANT_FILES;
        w->files.cap = n < most ? n : most;
        w->files.items =
            tn_arena_alloc(w->arena, w->files.cap * sizeof *w->files.items);
    }
}

static enum tn_code
fail_again(struct tn_error *err, const struct tn_error *own, const char *dir)
{
    if (err) {
        *err = *own;
    }
    return tn_while(err, own->code, "%s", dir);
}

/* Recursive over directories; bounded by TN_REPO_DEPTH. */
static enum tn_code
walk_dir(struct walk *w, const char *dir, unsigned depth, struct tn_error *err)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    struct tn_error own = {0};
    char text[TN_ERROR_TEXT];
    enum tn_code code =
        w->source->ops->list(w->source, dir, w->arena, &entries, &n, &own);
    if (code == TN_EINTENT) {
        /* Names that cannot be told apart, or cannot be names. */
        walk_refuse(w, dir, tn_error_text(&own, text, sizeof text));
        return TN_OK;
    }
    if (code) {
        return fail_again(err, &own, dir);
    }
    files_reserve(w, n);
    for (size_t i = 0; i < n && !w->full && !code; i++) {
        const struct tn_entry *e = &entries[i];
        bool plain = is_plain_name(e->name);
        const char *path = path_join(
            w->arena, dir, plain ? e->name : name_printable(w->arena, e->name));
        if (!plain) {
            walk_refuse(w, path,
                        "the name has control characters, a backslash or is "
                        "not UTF-8");
        } else if (e->type == TN_ENTRY_OTHER) {
            walk_refuse(w, path,
                        "neither a plain file nor a directory (a link?)");
        } else if (e->type == TN_ENTRY_FILE) {
            walk_file(w, path, e, depth);
        } else if (depth + 1 >= TN_REPO_DEPTH) {
            walk_refuse(w, path, "directories are nested too deeply");
        } else {
            code = walk_dir(w, path, depth + 1, err);
        }
    }
    return code;
}

static int
file_cmp(const void *a, const void *b)
{
    const struct tn_repo_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static bool
is_sorted(const struct tn_repo_file *files, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (strcmp(files[i - 1].path, files[i].path) > 0) {
            return false;
        }
    }
    return true;
}

enum tn_code
tn_repo_walk(struct tn_source *source, const struct tn_repo_tenant *tenant,
             struct tn_arena *arena, struct tn_repo_files *out,
             struct tn_diags *diags, struct tn_error *err)
{
    struct walk w = {
        .source = source,
        .arena = arena,
        .diags = diags,
        .tenant = tenant,
    };
    enum tn_code code = TN_OK;
    if (tenant->refused) {
        walk_refuse(&w, tenant->path, tenant->refused);
    } else {
        code = walk_dir(&w, tenant->path, 0, err);
    }
    if (code) {
        return code;
    }
    if (w.files.n > 1 && !is_sorted(w.files.items, w.files.n)) {
        qsort(w.files.items, w.files.n, sizeof *w.files.items, file_cmp);
    }
    *out = (struct tn_repo_files){w.files.items, w.files.n, w.lock};
    return TN_OK;
}
