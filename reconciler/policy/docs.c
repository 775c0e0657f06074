/* docs.c - documents for what the compiled network does not keep: labels.
 *
 * A compiled object names its file; that file is read and decoded when somebody
 * asks, once.  What cannot be read has no labels: compile has said what is
 * wrong with it. */
#include "reconciler/policy/work.h"

#include <string.h>

#include "model/yaml/node.h"

enum { FILE_BYTES = 1 << 20 };

struct docs_file {
    TN_VEC(struct tn_document) list;
};

struct docs_folder {
    struct tn_entry *entries;
    size_t n;
};

void
tn_docs_init(struct tn_docs *docs, struct tn_arena *arena,
             struct tn_source *source)
{
    *docs = (struct tn_docs){.arena = arena, .source = source};
    tn_map_init(&docs->files, arena, 0);
    tn_map_init(&docs->folders, arena, 0);
}

static const struct docs_folder *
folder_get(struct tn_docs *docs, const char *dir)
{
    struct tn_error ignored = {0};
    struct docs_folder *folder = tn_map_get(&docs->folders, dir);
    if (!folder) {
        folder = tn_new(docs->arena, struct docs_folder);
        tn_map_put(&docs->folders, dir, folder);
        if (docs->source->ops->list(docs->source, dir, docs->arena,
                                    &folder->entries, &folder->n, &ignored)) {
            folder->n = 0;
        }
    }
    return folder;
}

/* The entry of a path, through a listing of its folder. */
static bool
entry_find(struct tn_docs *docs, const char *path, struct tn_entry *out)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const struct docs_folder *folder =
        folder_get(docs, slash ? tn_arena_strndup(docs->arena, path,
                                                  (size_t) (slash - path))
                               : "");
    size_t lo = 0, hi = folder->n; /* In the byte order of names. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(folder->entries[mid].name, name);
        if (c == 0) {
            *out = folder->entries[mid];
            return out->type == TN_ENTRY_FILE;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return false;
}

static void
file_read(struct tn_docs *docs, const char *path, struct docs_file *file)
{
    struct tn_entry entry;
    struct tn_error ignored = {0};
    struct tn_diags unheard;
    const char *bytes = NULL;
    const struct tn_node **nodes = NULL;
    size_t n = 0, n_nodes = 0;
    tn_diags_init(&unheard, docs->arena);
    if (!docs->source || !entry_find(docs, path, &entry) ||
        docs->source->ops->read(docs->source, path, &entry.id, FILE_BYTES,
                                docs->arena, &bytes, &n, &ignored)) {
        return;
    }
    (void) !tn_yaml_parse(docs->arena, path, bytes, n, TN_YAML_STRICT,
                          &tn_yaml_limits_default, &nodes, &n_nodes, &unheard);
    for (size_t i = 0; i < n_nodes; i++) {
        struct tn_document doc;
        if (tn_document_decode(docs->arena, path, nodes[i], &doc, &unheard)) {
            *tn_vec_push(docs->arena, &file->list) = doc;
        }
    }
}

const struct tn_document *
tn_docs_get(struct tn_docs *docs, const char *path, enum tn_kind kind,
            const char *name)
{
    if (!path) {
        return NULL;
    }
    struct docs_file *file = tn_map_get(&docs->files, path);
    if (!file) {
        file = tn_new(docs->arena, struct docs_file);
        tn_map_put(&docs->files, path, file);
        file_read(docs, path, file);
    }
    for (size_t i = 0; i < file->list.n; i++) {
        const struct tn_document *d = &file->list.items[i];
        if (d->kind == kind && tn_streq(d->meta->name.v, name)) {
            return d;
        }
    }
    return NULL;
}

const char *
tn_label_get(const struct tn_meta *meta, const char *key)
{
    for (size_t i = 0; meta && i < meta->labels.n; i++) {
        if (tn_streq(meta->labels.items[i].key.v, key)) {
            return meta->labels.items[i].value.v;
        }
    }
    return NULL;
}
