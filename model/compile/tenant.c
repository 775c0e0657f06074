/* tenant.c - the stages of one tenant's compile, and the memory they need.
 *
 * Documents live in one arena per worker, because an arena belongs to one
 * thread; all of them are freed as soon as the part is made, so that the peak
 * is that of the tenants in work and not of all. */
#include "model/compile/tenant.h"

#include <stdlib.h>

void
tn_tenant_job_init(struct tn_tenant_job *job, const struct tn_world *world,
                   const struct tn_repo_tenant *repo, unsigned n_workers)
{
    *job = (struct tn_tenant_job){
        .world = world,
        .repo = repo,
        .n_workers = n_workers,
        .keep = tn_arena_new(),
    };
    job->docs = tn_new_n(job->keep, struct tn_arena *, n_workers);
    tn_diags_init(&job->diags, job->keep);
    job->diags.tenant = repo->name;
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
    docs_free(job);
    tn_arena_free(job->keep);
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

enum tn_code
tn_tenant_walk(struct tn_tenant_job *job, struct tn_worker *worker,
               struct tn_error *err)
{
    struct tn_arena *arena = docs_arena(job, worker);
    struct tn_repo_files *from = &job->repo_files;
    struct tn_intent *in = &job->in;
    enum tn_code code =
        tn_repo_walk(worker->source, job->repo, arena, from, &job->diags, err);
    if (code) {
        return code;
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

enum tn_code
tn_tenant_read(struct tn_tenant_job *job, size_t file, struct tn_worker *worker,
               struct tn_error *err)
{
    return tn_read_documents(&job->in.files[file], job->repo->name,
                             docs_arena(job, worker), worker, err);
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

enum tn_code
tn_tenant_finish(struct tn_tenant_job *job, struct tn_worker *worker,
                 struct tn_error *err)
{
    struct tn_intent *in = &job->in;
    enum tn_code code = TN_OK;
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
    tn_identify_subnets(in);
    tn_identify_ports(in);
    tn_diags_sort(&job->diags);
    tn_resolve(in, &job->part);
    docs_free(job);
    return TN_OK;
}
