/* docs.c - labels of documents, which the compiled network does not keep, and
 * whether two documents say the same.
 *
 * A compiled object names its file; that file is read when somebody asks, once.
 * Only labels and a digest stay in memory: what cannot be read has no labels
 * and is equal to nothing, and compile has said what is wrong with it. */
#include "reconciler/policy/work.h"

#include <string.h>

#include "model/yaml/node.h"
#include "reconciler/policy/content.h"

enum { FILE_BYTES = 1 << 20 };

struct docs_file {
    TN_VEC(struct tn_doc) list;
    size_t next; /* Objects are mostly asked for in the order of the file. */
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

static const char *
text_of(const struct tn_node *node)
{
    return node && node->type == TN_NODE_SCALAR ? node->scalar.text : NULL;
}

static void
labels_take(struct tn_docs *docs, const struct tn_node *map,
            struct tn_meta *meta)
{
    struct tn_meta_label *items =
        tn_new_n(docs->arena, struct tn_meta_label, map->map.n + 1);
    for (size_t i = 0; i < map->map.n; i++) {
        const char *value = text_of(map->map.pairs[i].value);
        items[i].key.v = tn_arena_strdup(docs->arena, map->map.pairs[i].key);
        items[i].value.v = tn_arena_strdup(docs->arena, value ? value : "");
    }
    meta->labels.items = items;
    meta->labels.n = map->map.n;
}

static void
document_take(struct tn_docs *docs, const struct tn_node *node,
              struct docs_file *file)
{
    const struct tn_node *meta = tn_node_get(node, "metadata");
    const struct tn_node *map = tn_node_get(meta, "labels");
    const char *kind = text_of(tn_node_get(node, "kind"));
    const char *name = text_of(tn_node_get(meta, "name"));
    struct tn_doc d = {0};
    if (!kind || !tn_kind_parse(kind, &d.kind) || !name) {
        return;
    }
    d.content = tn_content_digest(node);
    d.meta.name.v = tn_arena_strdup(docs->arena, name);
    if (map && map->type == TN_NODE_MAP) {
        labels_take(docs, map, &d.meta);
    }
    *tn_vec_push(docs->arena, &file->list) = d;
}

static void
file_read(struct tn_docs *docs, const char *path, struct docs_file *file)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct tn_entry entry;
    struct tn_error ignored = {0};
    struct tn_diags unheard;
    const char *bytes = NULL;
    const struct tn_node **nodes = NULL;
    size_t n = 0, n_nodes = 0;
    tn_diags_init(&unheard, scratch);
    if (!docs->source || !entry_find(docs, path, &entry) ||
        docs->source->ops->read(docs->source, path, &entry.id, FILE_BYTES,
                                scratch, &bytes, &n, &ignored)) {
        return;
    }
    (void) !tn_yaml_parse(scratch, path, bytes, n, TN_YAML_STRICT,
                          &tn_yaml_limits_default, &nodes, &n_nodes, &unheard);
    for (size_t i = 0; i < n_nodes; i++) {
        document_take(docs, nodes[i], file);
    }
}

const struct tn_doc *
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
        size_t at = (file->next + i) % file->list.n;
        const struct tn_doc *d = &file->list.items[at];
        if (d->kind == kind && tn_streq(d->meta.name.v, name)) {
            file->next = at + 1;
            return d;
        }
    }
    return NULL;
}

const struct tn_meta *
tn_docs_meta(struct tn_docs *docs, const char *path, enum tn_kind kind,
             const char *name)
{
    const struct tn_doc *d = tn_docs_get(docs, path, kind, name);
    return d ? &d->meta : NULL;
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
