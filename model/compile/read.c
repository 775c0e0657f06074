/* read.c - reads files through the seam to YAML and the tables of kinds.
 *
 * The tree of a file lives in the worker's scratch arena and is dropped once
 * its documents are decoded: what stays is a tenth of it. */
#include "model/compile/read.h"

#include <string.h>

#include "model/base/text.h"

enum { LOCK_BYTES = 16 << 20 };

/* What was read; 'bytes' is null if the file was refused. */
struct content {
    size_t max;
    struct tn_arena *arena;
    struct tn_diags *diags;
    const char *bytes;
    size_t n;
};

/* 'TN_EINTENT' of a source is a finding about the file, not a failure. */
static enum tn_code
content_read(struct tn_source *source, const struct tn_repo_file *file,
             struct content *c, struct tn_error *err)
{
    struct tn_error own = {0};
    enum tn_code code = source->ops->read(source, file->path, &file->id, c->max,
                                          c->arena, &c->bytes, &c->n, &own);
    if (code == TN_EINTENT) {
        char text[TN_ERROR_TEXT];
        tn_diag(c->diags, TN_ERROR, (struct tn_origin){file->path, 0, 0}, "%s",
                tn_error_text(&own, text, sizeof text));
        c->bytes = NULL;
        return TN_OK;
    }
    if (code && err) {
        *err = own;
        return tn_while(err, code, "%s", file->path);
    }
    return code;
}

static const char *
text_at(const struct tn_node *map, const char *key)
{
    const struct tn_node *v = tn_node_get(map, key);
    return v && v->type == TN_NODE_SCALAR ? v->scalar.text : NULL;
}

/* Notes what a document that could not be decoded was to be. */
static void
broken_note(struct tn_intent_file *file, struct tn_arena *arena,
            const struct tn_node *doc)
{
    const char *kind = text_at(doc, "kind");
    const char *name = text_at(tn_node_get(doc, "metadata"), "name");
    for (int k = 0; kind && name && k < TN_N_KINDS; k++) {
        const char *slug = tn_kind_slug((enum tn_kind) k);
        if (strcmp(kind, tn_kind_name((enum tn_kind) k)) == 0) {
            *tn_vec_push(arena, &file->broken) =
                k == TN_KIND_TENANT
                    ? "tenant"
                    : tn_arena_printf(arena, "%s/%s", slug, name);
            return;
        }
    }
    file->holes = true;
}

enum tn_code
tn_read_documents(struct tn_intent_file *file, const char *tenant,
                  struct tn_arena *arena, struct tn_worker *worker,
                  struct tn_error *err)
{
    const struct tn_node **docs = NULL;
    size_t n_docs = 0;
    struct tn_repo_file from = {file->path, file->id};
    tn_diags_init(&file->diags, arena);
    file->diags.tenant = tenant;
    struct content c = {
        .max = tn_yaml_limits_default.bytes,
        .arena = worker->scratch,
        .diags = &file->diags,
    };
    enum tn_code code = content_read(worker->source, &from, &c, err);
    if (code) {
        return code;
    }
    file->bytes = c.n;
    file->parsed = true;
    file->holes = !c.bytes;
    if (c.bytes && !tn_yaml_parse(worker->scratch, file->path, c.bytes, c.n,
                                  TN_YAML_STRICT, &tn_yaml_limits_default,
                                  &docs, &n_docs, &file->diags)) {
        file->holes = true;
    }
    file->docs = tn_new_n(arena, struct tn_document, n_docs);
    for (size_t i = 0; i < n_docs; i++) {
        struct tn_document *out = &file->docs[file->n_docs];
        if (tn_document_decode(arena, file->path, docs[i], out, &file->diags)) {
            file->n_docs++;
        } else {
            broken_note(file, arena, docs[i]);
        }
    }
    file->clean = file->diags.n_errors + file->diags.n_warnings == 0;
    tn_arena_reset(worker->scratch);
    return TN_OK;
}

static enum tn_code
settings_missing(struct tn_diags *diags, struct tn_error *err, const char *why)
{
    tn_diag(diags, TN_ERROR, (struct tn_origin){"tenet.yml", 0, 0}, "%s", why);
    return tn_fail(err, TN_EINTENT, 0, "tenet.yml: %s", why);
}

enum tn_code
tn_read_settings(struct tn_source *source, struct tn_arena *arena,
                 const struct tn_settings **out, struct tn_oid *id,
                 struct tn_diags *diags, struct tn_error *err)
{
    struct tn_entry entry;
    TN_CLEANUP(tn_cleanup_arena) struct tn_arena *scratch = tn_arena_new();
    enum tn_code code =
        tn_repo_entry(source, "", "tenet.yml", arena, &entry, err);
    if (code == TN_ENOENT) {
        return settings_missing(diags, err,
                                "there is no such file: is this an intent "
                                "repository?");
    }
    if (code) {
        return code;
    }
    if (entry.type != TN_ENTRY_FILE) {
        return settings_missing(diags, err, "not a plain file");
    }
    struct tn_worker self = {0, source, scratch};
    struct tn_intent_file file = {.path = "tenet.yml", .id = entry.id};
    code = tn_read_documents(&file, NULL, arena, &self, err);
    if (code) {
        return code;
    }
    tn_diags_merge(diags, &file.diags);
    if (file.diags.n_errors) {
        return tn_fail(err, TN_EINTENT, 0, "tenet.yml has errors");
    }
    if (file.n_docs != 1 || file.docs[0].kind != TN_KIND_SETTINGS) {
        return settings_missing(diags, err,
                                "one document of kind Settings expected");
    }
    *out = file.docs[0].as.settings;
    *id = entry.id;
    return TN_OK;
}

enum tn_code
tn_read_lock(struct tn_intent *in, const struct tn_repo_file *lock,
             struct tn_worker *worker, struct tn_error *err)
{
    struct content c = {
        .max = LOCK_BYTES,
        .arena = in->arena,
        .diags = in->diags,
    };
    if (!lock->path) {
        return TN_OK;
    }
    in->lock_path = lock->path;
    enum tn_code code = content_read(worker->source, lock, &c, err);
    if (code || !c.bytes) {
        return code;
    }
    const struct tn_pin *pins = NULL;
    size_t n_pins = 0;
    if (tn_lock_parse(in->arena, lock->path, in->tenant, c.bytes, c.n, &pins,
                      &n_pins, in->diags)) {
        in->lock = pins;
        in->n_lock = n_pins;
    }
    return TN_OK;
}
