/* tenant.c - the stages of one tenant's compile, and the memory they need.
 *
 * Documents live in one arena per worker, because an arena belongs to one
 * thread; all of them are freed as soon as the part is made, so that the peak
 * is that of the tenants in work and not of all. */
#include "model/compile/tenant.h"

#include <stdlib.h>
#include <string.h>

#include "model/compile/touch.h"

void
tn_tenant_job_init(struct tn_tenant_job *job)
{
    job->keep = tn_arena_new();
    job->docs = tn_new_n(job->keep, struct tn_arena *, job->n_workers);
    tn_diags_init(&job->diags, job->keep);
    job->diags.tenant = job->repo->name;
}

static void
docs_free(struct tn_tenant_job *job)
{
    for (unsigned i = 0; job->keep && i < job->n_workers; i++) {
        tn_arena_free(job->docs[i]);
        job->docs[i] = NULL;
    }
}

void
tn_tenant_job_done(struct tn_tenant_job *job)
{
    tn_cached_docs_close(&job->cached_docs);
    docs_free(job);
    tn_arena_free(job->keep);
    tn_text_done(&job->record);
    job->keep = NULL;
}

static struct tn_arena *
docs_arena(struct tn_tenant_job *job, const struct tn_worker *worker)
{
    if (!job->docs[worker->index]) {
        job->docs[worker->index] = tn_arena_new();
    }
    return job->docs[worker->index];
}

static bool
net_take(struct tn_tenant_job *job)
{
    struct tn_base base;
    return tn_cache_base(job->cache, job->repo->name, job->keep, &base) &&
           tn_digest_eq(&base.head.key, &job->key) &&
           tn_cache_net(job->cache, &base, job->keep, &job->part);
}

/* True if the cache has all that is asked for. */
static bool
cache_take(struct tn_tenant_job *job, const struct tn_digest *content)
{
    const char *tenant = job->repo->name;
    job->key = tn_cache_key(job->world, tenant, content);
    job->keyed = true;
    job->cached = !job->anew &&
                  tn_cache_part(job->cache, tenant, &job->key, &job->part) &&
                  (job->verdict_only || net_take(job));
    for (size_t i = 0; job->cached && i < job->part.n_findings; i++) {
        job->diags.n_warnings++;
    }
    return job->cached;
}

static bool
cache_take_dir(struct tn_tenant_job *job)
{
    struct tn_digest content = {{0}};
    if (!job->cache || job->repo->refused || !tn_oid_known(&job->repo->id)) {
        return false;
    }
    memcpy(content.b, job->repo->id.b, sizeof content.b);
    return cache_take(job, &content);
}

/* The same for a working tree, whose directories have no ids. */
static bool
cache_take_files(struct tn_tenant_job *job)
{
    struct tn_digester d;
    const struct tn_repo_files *files = &job->repo_files;
    bool named = job->cache && !job->keyed && job->diags.n_errors == 0;
    tn_digester_init(&d);
    for (size_t i = 0; i < files->n && named; i++) {
        named = tn_oid_known(&files->items[i].id);
        tn_digester_add_str(&d, files->items[i].path);
        tn_digester_add(&d, &files->items[i].id, sizeof files->items[i].id);
    }
    if (files->lock.path) {
        named = named && tn_oid_known(&files->lock.id);
        tn_digester_add(&d, &files->lock.id, sizeof files->lock.id);
    }
    struct tn_digest content = tn_digester_end(&d);
    return named && cache_take(job, &content);
}

/* Opens what an earlier compile left.  True if the part could be made from
 * it. */
static bool
base_take(struct tn_tenant_job *job, struct tn_worker *worker,
          struct tn_arena *arena)
{
    if (!job->cache || job->repo->refused ||
        !tn_cache_base(job->cache, job->repo->name, arena, &job->base)) {
        return false;
    }
    tn_cached_docs_open(&job->cached_docs, job->cache, job->repo->name,
                        &job->base, arena);
    job->changed = job->cached =
        job->keyed && !job->anew &&
        job->diags.n_errors + job->diags.n_warnings == 0 &&
        tn_touch(job, worker, arena);
    tn_cached_docs_pause(&job->cached_docs);
    return job->changed;
}

enum tn_code
tn_tenant_walk(struct tn_tenant_job *job, struct tn_worker *worker,
               struct tn_error *err)
{
    if (cache_take_dir(job)) {
        return TN_OK;
    }
    struct tn_arena *arena = docs_arena(job, worker);
    struct tn_repo_files *from = &job->repo_files;
    struct tn_intent *in = &job->in;
    enum tn_code code =
        tn_repo_walk(worker->source, job->repo, arena, from, &job->diags, err);
    if (code) {
        return code;
    }
    if (cache_take_files(job)) {
        docs_free(job);
        return TN_OK;
    }
    if (base_take(job, worker, arena)) {
        return TN_OK;
    }
    *in = (struct tn_intent){
        .world = job->world,
        .tenant = job->repo->name,
        .path = job->repo->path,
        .keep = job->keep,
        .diags = &job->diags,
        .files = tn_new_n(arena, struct tn_intent_file, from->n),
        .n_files = from->n,
        .holes = job->diags.n_errors > 0,
    };
    in->pins = tn_pins_of_tenant(job->world->pins, job->world->n_pins,
                                 job->repo->name, &in->n_pins);
    for (size_t i = 0; i < from->n; i++) {
        in->files[i] = (struct tn_intent_file){
            .path = from->items[i].path,
            .id = from->items[i].id,
            .index = (uint32_t) i,
        };
    }
    return TN_OK;
}

static void
docs_begin(struct tn_tenant_job *job)
{
    if (job->cache && !job->repo->refused) {
        tn_cached_docs_begin(&job->cached_docs, job->cache, job->repo->name,
                             &job->in, job->n_workers);
    }
}

void
tn_tenant_share(struct tn_tenant_job *job)
{
    job->shared = true;
    docs_begin(job);
}

enum tn_code
tn_tenant_read(struct tn_tenant_job *job, size_t file, struct tn_worker *worker,
               struct tn_error *err)
{
    struct tn_arena *arena = docs_arena(job, worker);
    struct tn_intent_file *f = &job->in.files[file];
    if (!tn_cached_docs_get(&job->cached_docs, arena, f)) {
        enum tn_code code =
            tn_read_documents(f, job->repo->name, arena, worker, err);
        if (code) {
            return code;
        }
    }
    tn_cached_docs_put(&job->cached_docs, worker->index, f);
    return TN_OK;
}

/* Sums up the files; their findings join in the order of paths. */
static void
files_join(struct tn_tenant_job *job)
{
    size_t bytes = 0;
    for (size_t i = 0; i < job->in.n_files; i++) {
        const struct tn_intent_file *f = &job->in.files[i];
        tn_diags_merge(&job->diags, &f->diags);
        bytes += f->bytes;
        if (f->parsed) {
            job->n_parsed++;
            job->bytes_parsed += f->bytes;
        }
    }
    if (bytes > TN_REPO_TENANT_BYTES) {
        tn_diag(&job->diags, TN_ERROR,
                (struct tn_origin){job->repo->path, 0, 0},
                "more than %zu bytes of documents", TN_REPO_TENANT_BYTES);
    }
}

static void
store(struct tn_tenant_job *job)
{
    const struct tn_intent *in = &job->in;
    const char *tenant = job->repo->name;
    if (!job->cache || job->repo->refused) {
        return;
    }
    if (job->keyed && !job->part.failed) {
        struct tn_digest facts =
            tn_cache_facts(job->world, tenant, &job->repo_files.lock.id);
        tn_cache_store(job->cache, &job->key, in, &job->part, &job->cached_docs,
                       &facts, &job->record);
    } else {
        tn_cache_store_docs(job->cache, tenant, in->files, in->n_files,
                            &job->cached_docs);
    }
}

enum tn_code
tn_tenant_finish(struct tn_tenant_job *job, struct tn_worker *worker,
                 struct tn_error *err)
{
    struct tn_intent *in = &job->in;
    enum tn_code code = TN_OK;
    if (job->cached) {
        tn_cached_docs_close(&job->cached_docs);
        docs_free(job);
        return TN_OK;
    }
    if (!job->shared) {
        docs_begin(job);
    }
    for (size_t i = 0; !job->shared && i < in->n_files && !code; i++) {
        code = tn_tenant_read(job, i, worker, err);
    }
    in->arena = docs_arena(job, worker);
    if (!code) {
        code = tn_read_lock(in, &job->repo_files.lock, worker, err);
    }
    if (code) {
        return code;
    }
    files_join(job);
    tn_intent_index(in);
    tn_validate_vpcs(in);
    tn_validate_groups(in);
    tn_validate_ports(in);
    tn_validate_peerings(in);
    tn_validate_externals(in);
    tn_identify_subnets(in);
    tn_identify_ports(in);
    tn_diags_sort(&job->diags);
    tn_resolve(in, &job->part);
    store(job);
    job->n_compiled = job->part.net ? job->part.n_vpcs : 0;
    tn_cached_docs_close(&job->cached_docs);
    docs_free(job);
    return TN_OK;
}
