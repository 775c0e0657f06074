/* files.c - what an update changes in files and folders that other modules
 * fill: the snapshots of devices, the quarantine.
 *
 * A file is compared by its content id, which the listing of the tree gives:
 * of a snapshot in a thousand files nothing is read to find the one that
 * differs. */
#include <stdlib.h>
#include <string.h>

#include "model/base/map.h"
#include "reconciler/source/git.h"
#include "reconciler/status/entry.h"
#include "reconciler/status/load.h"

enum { HEAD_MAX = 64 * 1024, FILE_MAX = 1024 * 1024, FOLDER_DEPTH = 4 };

struct there {
    const char *path;
    struct tn_oid id;
    bool put;
};

struct putter {
    struct tn_source *source; /* Null: no tree yet. */
    struct tn_arena *arena;
    struct tn_status_edits *edits;
    TN_VEC(struct there *) there; /* Files of the folder. */
    struct tn_map by_path;
};

static void
edit(struct putter *p, const char *path, const struct tn_status_file *file)
{
    *tn_vec_push(p->arena, &p->edits->list) = (struct tn_status_edit){
        .path = path,
        .bytes = file ? file->bytes : NULL,
        .n = file ? file->n : 0,
    };
}

/* All files below 'path'.  What cannot be listed counts as absent: it is
 * written over. */
static void
collect(struct putter *p, const char *path, unsigned depth)
{
    struct tn_entry *entries = NULL;
    size_t n = 0;
    if (!p->source || depth > FOLDER_DEPTH ||
        p->source->ops->list(p->source, path, p->arena, &entries, &n, NULL)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *below =
            tn_arena_printf(p->arena, "%s/%s", path, entries[i].name);
        if (entries[i].type == TN_ENTRY_DIR) {
            collect(p, below, depth + 1);
            continue;
        }
        struct there *t = tn_new(p->arena, struct there);
        *t = (struct there){.path = below, .id = entries[i].id};
        *tn_vec_push(p->arena, &p->there) = t;
        tn_map_put(&p->by_path, below, t);
    }
}

static void
folder_open(struct putter *p, const char *path)
{
    p->there.n = 0;
    tn_map_init(&p->by_path, p->arena, 0);
    collect(p, path, 0);
}

static enum tn_code
is_same(const struct there *t, const struct tn_status_file *file, bool *same,
        struct tn_error *err)
{
    struct tn_oid id = {0};
    *same = false;
    if (!t) {
        return TN_OK;
    }
    enum tn_code code = tn_git_blob_id(file->bytes, file->n, &id, err);
    if (!code) {
        *same = memcmp(&id, &t->id, sizeof id) == 0;
    }
    return code;
}

/* True if only that part differs which is no change of its own. */
static bool
means_same(struct putter *p, const struct there *t,
           const struct tn_status_file *file)
{
    const char *bytes = NULL;
    size_t n = 0;
    return p->source && t && file->n_meaning &&
           !p->source->ops->read(p->source, t->path, &t->id, HEAD_MAX, p->arena,
                                 &bytes, &n, NULL) &&
           n >= file->n_meaning &&
           memcmp(bytes, file->bytes, file->n_meaning) == 0;
}

static enum tn_code
folder_put(struct putter *p, const struct tn_status_folder *folder,
           struct tn_error *err)
{
    TN_VEC(const struct tn_status_file *) riding = {0};
    size_t before = p->edits->list.n;
    folder_open(p, folder->path);
    if (folder->part && p->there.n == 0) {
        return TN_OK;
    }
    for (size_t i = 0; i < folder->n_files; i++) {
        const struct tn_status_file *file = &folder->files[i];
        const char *path =
            tn_arena_printf(p->arena, "%s/%s", folder->path, file->path);
        struct there *t = tn_map_get(&p->by_path, path);
        bool same = false;
        if (!file->bytes) {
            if (t) {
                t->put = true;
                edit(p, path, NULL);
            }
            continue;
        }
        enum tn_code code = is_same(t, file, &same, err);
        if (code) {
            return code;
        }
        if (t) {
            t->put = true;
        }
        if (!same && means_same(p, t, file)) {
            *tn_vec_push(p->arena, &riding) = file;
        } else if (!same) {
            edit(p, path, file);
        }
    }
    for (size_t i = 0; i < p->there.n && !folder->part; i++) {
        if (!p->there.items[i]->put) {
            edit(p, p->there.items[i]->path, NULL);
        }
    }
    for (size_t i = 0; p->edits->list.n > before && i < riding.n; i++) {
        edit(p,
             tn_arena_printf(p->arena, "%s/%s", folder->path,
                             riding.items[i]->path),
             riding.items[i]);
    }
    return TN_OK;
}

static const struct tn_entry *
entry_find(const struct tn_entry *entries, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].name, name) == 0) {
            return &entries[i];
        }
    }
    return NULL;
}

/* A file at the top of the ref. */
static enum tn_code
file_put(struct putter *p, const struct tn_status_file *file,
         const struct tn_entry *found, struct tn_error *err)
{
    struct there there = {.path = file->path};
    struct tn_status_file *joined = tn_new(p->arena, struct tn_status_file);
    const char *former = NULL;
    size_t n_former = 0;
    bool same = false;
    *joined = *file;
    if (!file->bytes) {
        if (found) {
            edit(p, file->path, NULL);
        }
        return TN_OK;
    }
    if (found) {
        there.id = found->id;
    }
    if (p->source && found && file->join &&
        p->source->ops->read(p->source, file->path, &found->id, FILE_MAX,
                             p->arena, &former, &n_former, NULL)) {
        former = NULL;
    }
    if (file->join) {
        file->join(file, former, n_former, p->arena, joined);
    }
    enum tn_code code = is_same(found ? &there : NULL, joined, &same, err);
    if (!code && !same) {
        edit(p, file->path, joined);
    }
    return code;
}

static void
snapshot_drop(struct putter *p, const char *device)
{
    folder_open(p, tn_arena_printf(p->arena, "snapshots/%s",
                                   tn_entry_component(p->arena, device)));
    for (size_t i = 0; i < p->there.n; i++) {
        edit(p, p->there.items[i]->path, NULL);
    }
}

static bool
is_dropped(const struct tn_status_update *update, struct tn_arena *arena,
           const char *folder)
{
    for (size_t i = 0; i < update->n_drop_devices; i++) {
        const char *name = tn_entry_component(arena, update->drop_devices[i]);
        if (strncmp(folder, "snapshots/", 10) == 0 &&
            strcmp(folder + 10, name) == 0) {
            return true;
        }
    }
    return false;
}

enum tn_code
tn_status_put_files(struct tn_source *source,
                    const struct tn_status_update *update,
                    struct tn_arena *arena, struct tn_status_edits *edits,
                    struct tn_error *err)
{
    struct putter p = {.source = source, .arena = arena, .edits = edits};
    struct tn_entry *top = NULL;
    size_t n_top = 0;
    enum tn_code code = TN_OK;
    for (size_t i = 0; !code && i < update->n_folders; i++) {
        if (!is_dropped(update, arena, update->folders[i].path)) {
            code = folder_put(&p, &update->folders[i], err);
        }
    }
    for (size_t i = 0; i < update->n_drop_devices; i++) {
        snapshot_drop(&p, update->drop_devices[i]);
    }
    if (!code && update->n_files && source) {
        code = source->ops->list(source, "", arena, &top, &n_top, err);
    }
    for (size_t i = 0; !code && i < update->n_files; i++) {
        code = file_put(&p, &update->files[i],
                        entry_find(top, n_top, update->files[i].path), err);
    }
    return code;
}
