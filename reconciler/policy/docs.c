/* docs.c - labels of documents, which the compiled network does not keep, and
 * whether two documents say the same.
 *
 * A compiled object names its file; that file is read when somebody asks, once.
 * Only labels and a digest stay in memory: what cannot be read has no labels
 * and is equal to nothing, and compile has said what is wrong with it. */
#include "reconciler/policy/work.h"

#include <string.h>

#include "model/base/text.h"
#include "model/yaml/node.h"
#include "reconciler/policy/content.h"

enum { FILE_BYTES = 1 << 20 };

struct docs_key {
    const char *path;
    enum tn_kind kind;
    const char *name;
};

struct docs_document {
    enum tn_kind kind;
    struct tn_meta meta;      /* Name and labels only. */
    struct tn_digest content; /* As of tn_content_digest(). */
};

struct docs_file {
    TN_VEC(struct docs_document) list; /* Those with labels, or all. */
    bool whole;                        /* All, with their content. */
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
    struct docs_document d = {0};
    if (!kind || !tn_kind_parse(kind, &d.kind) || !name) {
        return;
    }
    if (file->whole) {
        d.content = tn_content_digest(node);
    }
    d.meta.name.v = tn_arena_strdup(docs->arena, name);
    if (map && map->type == TN_NODE_MAP) {
        labels_take(docs, map, &d.meta);
    }
    *tn_vec_push(docs->arena, &file->list) = d;
}

/* Some documents of a file, as they stand there. */
struct bytes {
    const char *path, *at;
    size_t n;
};

/* False if anything is wrong with it, or it is not 'most' documents: then there
 * may be fewer than there are. */
static bool
bytes_take(struct tn_docs *docs, const struct bytes *b, size_t most,
           struct docs_file *file)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct tn_diags unheard;
    const struct tn_node **nodes = NULL;
    size_t n = 0;
    tn_diags_init(&unheard, scratch);
    bool fine = tn_yaml_parse(scratch, b->path, b->at, b->n, TN_YAML_STRICT,
                              &tn_yaml_limits_default, &nodes, &n, &unheard) &&
                n == most;
    if (!fine && most) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        document_take(docs, nodes[i], file);
    }
    return fine;
}

/* The word stands there, or is written with an escape. */
static bool
may_have_labels(const struct bytes *b)
{
    return memmem(b->at, b->n, "labels", 6) || memchr(b->at, '\\', b->n);
}

/* The next line from 'at' on that begins with the word; its end if there is
 * none. */
static const char *
line_find(const struct bytes *b, const char *at, const char *word)
{
    const char *end = b->at + b->n;
    size_t n = strlen(word);
    while (at < end) {
        const char *line = memmem(at, (size_t) (end - at), word, n);
        if (!line) {
            break;
        }
        if (line == b->at || line[-1] == '\n') {
            return line;
        }
        at = line + n;
    }
    return end;
}

/* Where the next document begins: a line with three dashes and a blank after
 * them is inside of no other text.  Found less often than it is, which does no
 * harm. */
static size_t
document_size(const struct bytes *b)
{
    const char *end = b->at + b->n;
    const char *next = line_find(b, b->at + 1, "---");
    while (next + 3 < end && !strchr(" \t\r\n", next[3])) {
        next = line_find(b, next + 3, "---");
    }
    return (size_t) (next - b->at);
}

/* A document begins with what it is called, mostly, and goes on with 'spec',
 * which is most of it: what stands in front of that is whole by itself or no
 * YAML, as a key at the start of a line ends all that was begun without
 * brackets or quotes.  Zero: the document is not of that form. */
static size_t
head_size(const struct bytes *one)
{
    struct bytes head = *one;
    head.n = (size_t) (line_find(one, one->at, "spec:") - one->at);
    const char *end = head.at + head.n;
    bool whole = line_find(&head, head.at, "kind:") < end &&
                 line_find(&head, head.at, "metadata:") < end;
    return whole ? head.n : 0;
}

/* Most of a file is not asked for: documents without labels, and what stands
 * behind the labels.  False if it is not of the form that is known here. */
static bool
labelled_take(struct tn_docs *docs, const struct bytes *all,
              struct docs_file *file)
{
    TN_CLEANUP(tn_cleanup_text) struct tn_text heads = {0};
    struct bytes rest = *all;
    size_t n = 0;
    while (rest.n > 0 && may_have_labels(&rest)) {
        struct bytes one = rest;
        one.n = document_size(&rest);
        rest.at += one.n;
        rest.n -= one.n;
        if (!may_have_labels(&one)) {
            continue;
        }
        size_t head = head_size(&one);
        if (head == 0) {
            return false;
        }
        tn_text_addn(&heads, one.at, head);
        n++;
    }
    const struct bytes b = {all->path, heads.s, heads.n};
    return n == 0 || bytes_take(docs, &b, n, file);
}

static void
file_read(struct tn_docs *docs, const char *path, struct docs_file *file)
{
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    struct tn_entry entry;
    struct tn_error ignored = {0};
    struct bytes b = {.path = path};
    memset(&file->list, 0, sizeof file->list);
    if (!docs->source || !entry_find(docs, path, &entry) ||
        docs->source->ops->read(docs->source, path, &entry.id, FILE_BYTES,
                                scratch, &b.at, &b.n, &ignored)) {
        return;
    }
    if (file->whole || !labelled_take(docs, &b, file)) {
        (void) !bytes_take(docs, &b, 0, file);
    }
}

static const struct docs_document *
document_find(struct tn_docs *docs, const struct docs_key *key, bool whole)
{
    if (!key->path) {
        return NULL;
    }
    struct docs_file *file = tn_map_get(&docs->files, key->path);
    if (!file || (whole && !file->whole)) {
        if (!file) {
            file = tn_new(docs->arena, struct docs_file);
            tn_map_put(&docs->files, key->path, file);
        }
        file->whole = whole;
        file_read(docs, key->path, file);
    }
    for (size_t i = 0; i < file->list.n; i++) {
        size_t at = (file->next + i) % file->list.n;
        const struct docs_document *d = &file->list.items[at];
        if (d->kind == key->kind && tn_streq(d->meta.name.v, key->name)) {
            file->next = at + 1;
            return d;
        }
    }
    return NULL;
}

const struct tn_digest *
tn_docs_content(struct tn_docs *docs, const char *path, enum tn_kind kind,
                const char *name)
{
    const struct docs_key key = {path, kind, name};
    const struct docs_document *d = document_find(docs, &key, true);
    return d ? &d->content : NULL;
}

const struct tn_meta *
tn_docs_meta(struct tn_docs *docs, const char *path, enum tn_kind kind,
             const char *name)
{
    const struct docs_key key = {path, kind, name};
    const struct docs_document *d = document_find(docs, &key, false);
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
