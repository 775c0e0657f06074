/* rollback_save.c - the quarantine in its two places. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model/base/cleanup.h"
#include "model/base/file.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/status/load.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

static void
cleanup_source(struct tn_source **s)
{
    if (*s) {
        (*s)->ops->free(*s);
    }
}

static void
damaged(struct tn_arena *arena, const char **damage, const char *where,
        const char *why)
{
    *damage = *damage
                  ? tn_arena_printf(arena, "%s; %s: %s", *damage, where, why)
                  : tn_arena_printf(arena, "%s: %s", where, why);
}

static const char *
disk_path(struct tn_arena *arena, const char *state_dir)
{
    return tn_arena_printf(arena, "%s/" TN_ROLLBACK_PATH, state_dir);
}

static void
disk_read(const char *state_dir, struct tn_arena *arena,
          struct tn_rollback *out, const char **damage)
{
    const char *path = disk_path(arena, state_dir), *why = NULL;
    struct stat st;
    TN_CLEANUP(tn_cleanup_file) FILE *f = fopen(path, "re");
    if (!f) {
        if (errno != ENOENT) {
            damaged(arena, damage, path, strerror(errno));
        }
        return;
    }
    if (fstat(fileno(f), &st) || st.st_size > FILE_MAX_BYTES) {
        damaged(arena, damage, path, "not a file of ours");
        return;
    }
    char *bytes = tn_arena_alloc(arena, (size_t) st.st_size + 1);
    size_t n = fread(bytes, 1, (size_t) st.st_size, f);
    if (!tn_rollback_parse(arena, bytes, n, out, &why)) {
        damaged(arena, damage, path, why);
    }
}

static void
ref_read(const char *repo, const char *ref, struct tn_arena *arena,
         struct tn_rollback *out, const char **damage)
{
    TN_CLEANUP(cleanup_source) struct tn_source *source = NULL;
    struct tn_entry *entries = NULL;
    struct tn_error err = {0};
    char text[TN_ERROR_TEXT];
    const char *bytes = NULL, *why = NULL;
    size_t n_entries = 0, n = 0;
    enum tn_code code = tn_status_open(repo, ref, &source, &err);
    if (!code && source) {
        code = source->ops->list(source, "", arena, &entries, &n_entries, &err);
    }
    for (size_t i = 0; !code && i < n_entries; i++) {
        if (strcmp(entries[i].name, TN_ROLLBACK_PATH) == 0) {
            code = source->ops->read(source, TN_ROLLBACK_PATH, &entries[i].id,
                                     FILE_MAX_BYTES, arena, &bytes, &n, &err);
        }
    }
    if (code) {
        damaged(arena, damage, "status ref",
                tn_error_text(&err, text, sizeof text));
    } else if (bytes && !tn_rollback_parse(arena, bytes, n, out, &why)) {
        damaged(arena, damage, "status ref: " TN_ROLLBACK_PATH, why);
    }
}

void
tn_rollback_load(const char *state_dir, const char *repo, const char *ref,
                 struct tn_arena *arena, struct tn_rollback *out,
                 const char **damage)
{
    struct tn_rollback disk = {0}, shared = {0};
    *damage = NULL;
    if (state_dir) {
        disk_read(state_dir, arena, &disk, damage);
    }
    if (repo) {
        ref_read(repo, ref, arena, &shared, damage);
    }
    tn_rollback_join(arena, &disk, &shared, out);
}

static enum tn_code
disk_write(const char *state_dir, const struct tn_text *text,
           struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *arena = tn_arena_new();
    enum tn_code code = tn_dirs_make(state_dir, 0700, err);
    return code ? code
                : tn_file_replace(disk_path(arena, state_dir), text, 0600, err);
}

/* What another machine wrote meanwhile stays. */
static void
ref_join(const struct tn_status_file *file, const char *former, size_t n_former,
         struct tn_arena *arena, struct tn_status_file *out)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    struct tn_rollback ours = {0}, theirs = {0}, both;
    const char *ignored = NULL;
    if (!former ||
        !tn_rollback_parse(arena, former, n_former, &theirs, &ignored) ||
        !tn_rollback_parse(arena, file->bytes, file->n, &ours, &ignored)) {
        return;
    }
    tn_rollback_join(arena, &ours, &theirs, &both);
    tn_rollback_print(&t, &both);
    out->bytes = tn_arena_strndup(arena, tn_text_str(&t), t.n);
    out->n = t.n;
}

enum tn_code
tn_rollback_save(const char *state_dir, const char *repo, const char *ref,
                 const struct tn_rollback *state, const char *message,
                 struct tn_error *err)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text t = {0};
    tn_rollback_print(&t, state);
    enum tn_code code = state_dir ? disk_write(state_dir, &t, err) : TN_OK;
    if (code || !repo) {
        return code;
    }
    struct tn_status_file file = {.path = TN_ROLLBACK_PATH,
                                  .bytes = tn_text_str(&t),
                                  .n = t.n,
                                  .join = ref_join};
    struct tn_status_update update = {
        .files = &file,
        .n_files = 1,
        .message = message,
    };
    code = tn_status_commit(repo, ref, &update, NULL, err);
    return code ? tn_while(err, code,
                           "the quarantine is on this machine's disk, but not "
                           "on the status ref")
                : TN_OK;
}
