/* open.c - from a place in Git to a compiled network.
 *
 * The status ref holds the identifiers in use, which compile needs, and its
 * name is in tenet.yml, which compile reads: so tenet.yml is looked at once
 * before.  A status ref that cannot be read is no reason to stop, but it is
 * said: without it identifiers are derived afresh. */
#include "reconciler/apply/reconcile.h"

#include <stdlib.h>

#include "model/compile/repository.h"
#include "model/yaml/node.h"

enum { SETTINGS_BYTES = 1024 * 1024 };

/* tenet.yml as far as it can be read; null if it cannot: what is wrong with the
 * file is compile's to report. */
static const struct tn_settings *
settings_peek(struct tn_source *source, struct tn_arena *arena)
{
    struct tn_error ignored = {0};
    struct tn_diags unheard;
    struct tn_entry entry;
    const char *bytes = NULL;
    size_t n = 0, n_docs = 0;
    const struct tn_node **docs = NULL;
    struct tn_document doc;
    tn_diags_init(&unheard, arena);
    if (tn_repo_entry(source, "", "tenet.yml", arena, &entry, &ignored) ||
        entry.type != TN_ENTRY_FILE ||
        source->ops->read(source, "tenet.yml", &entry.id, SETTINGS_BYTES, arena,
                          &bytes, &n, &ignored) ||
        !tn_yaml_parse(arena, "tenet.yml", bytes, n, TN_YAML_STRICT,
                       &tn_yaml_limits_default, &docs, &n_docs, &unheard) ||
        n_docs != 1 ||
        !tn_document_decode(arena, "tenet.yml", docs[0], &doc, &unheard) ||
        doc.kind != TN_KIND_SETTINGS) {
        return NULL;
    }
    return doc.as.settings;
}

static const char *
status_ref_peek(struct tn_source *source, struct tn_arena *arena)
{
    const struct tn_settings *s = settings_peek(source, arena);
    return s && s->status_ref.v ? s->status_ref.v : TN_STATUS_REF_DEFAULT;
}

static enum tn_code
source_open(struct tn_reconcile *run, struct tn_error *err)
{
    const struct tn_reconcile_options *o = &run->options;
    if (o->worktree) {
        return tn_source_open_worktree(o->repo, &run->source, err);
    }
    return tn_source_open_commit(o->repo, o->rev, &run->source, &run->commit,
                                 err);
}

/* A working tree need not be in a repository; then there is no status. */
static enum tn_code
status_open(struct tn_reconcile *run, struct tn_error *err)
{
    run->status_ref = status_ref_peek(run->source, run->arena);
    struct tn_status *none = tn_new(run->arena, struct tn_status);
    run->status = none;
    run->root = run->options.repo;
    enum tn_code code =
        tn_source_root(run->options.repo, run->arena, &run->root, err);
    if (code == TN_ENOENT && run->options.worktree) {
        return TN_OK;
    }
    if (code) {
        return code;
    }
    code = tn_status_find(run->root, run->status_ref, run->arena,
                          &run->status_read, err);
    if (!code) {
        struct tn_status_memo *memo = run->options.memo;
        code = memo ? tn_status_load_again(run->root, run->status_read, memo,
                                           run->arena, &run->status, err)
                    : tn_status_load(run->root, run->status_read, run->arena,
                                     &run->status, err);
    }
    for (size_t i = 0; !code && i < run->status->n_damaged; i++) {
        const struct tn_status_damage *d = &run->status->damaged[i];
        tn_diag(&run->diags, TN_WARNING, (struct tn_origin){0},
                "status ref %s: %s: %s", run->status_read, d->path, d->message);
    }
    return code;
}

enum tn_code
tn_reconcile_open(const struct tn_reconcile_options *options,
                  struct tn_reconcile **out, struct tn_error *err)
{
    struct tn_arena *arena = tn_arena_new();
    struct tn_reconcile *run = tn_new(arena, struct tn_reconcile);
    run->arena = arena;
    run->options = *options;
    tn_diags_init(&run->diags, arena);
    *out = run;
    enum tn_code code = source_open(run, err);
    if (!code) {
        code = status_open(run, err);
    }
    if (code) {
        return code;
    }
    struct tn_compile_options compile = {
        .environment = options->environment,
        .cache_dir = options->cache_dir,
        .threads = options->threads,
        .pins = run->status->pins,
        .n_pins = run->status->n_pins,
        .verdict_only = options->verdict_only,
    };
    struct tn_keep_job job = {
        .repo = run->root,
        .commit = run->commit.id,
        .source = run->source,
        .options = &compile,
        .keep = options->keep,
        .arena = arena,
        .diags = &run->diags,
    };
    code = tn_keep_compile(&job, err);
    run->source = job.source;
    run->network = job.network;
    run->stats = job.stats;
    run->kept = job.kept;
    run->n_kept = job.n_kept;
    run->options.keep = NULL;
    return code;
}

enum tn_code
tn_reconcile_status_ref(const char *repo, const char *rev,
                        struct tn_arena *arena, const char **out,
                        struct tn_error *err)
{
    struct tn_source *source = NULL;
    enum tn_code code = tn_source_open_commit(repo, rev, &source, NULL, err);
    if (code) {
        return code;
    }
    *out = status_ref_peek(source, arena);
    source->ops->free(source);
    return TN_OK;
}

enum tn_code
tn_reconcile_instance(const char *repo, const char *rev, struct tn_arena *arena,
                      const char **out, struct tn_error *err)
{
    struct tn_source *source = NULL;
    enum tn_code code = tn_source_open_commit(repo, rev, &source, NULL, err);
    if (code) {
        return code;
    }
    const struct tn_settings *s = settings_peek(source, arena);
    *out = s ? s->meta.name.v : NULL;
    source->ops->free(source);
    return *out ? TN_OK
                : tn_fail(err, TN_EINTENT, 0, "tenet.yml cannot be read");
}

void
tn_reconcile_free(struct tn_reconcile *run)
{
    if (!run) {
        return;
    }
    for (size_t i = 0; i < run->n_devices; i++) {
        struct tn_device_run *d = &run->devices[i];
        if (d->driver) {
            d->driver->close(d->session);
        }
        tn_arena_free(d->arena);
    }
    if (run->source) {
        run->source->ops->free(run->source);
    }
    tn_status_done(run->status);
    tn_arena_free(run->arena);
}
