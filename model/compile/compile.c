/* compile.c - the way from a tree to a network.
 *
 *     world (settings, inventory)
 *     -> tenants: walk -> read -> finish, each a run of the crew -> parts
 *     -> settle what crosses tenants -> assemble
 *
 * Tenants are compiled side by side; one that is larger than its share has its
 * files read by the whole crew.  Results are joined in the order of names, so
 * that nothing depends on scheduling. */
#include "model/compile/compile.h"

#include <assert.h>
#include <stdlib.h>

#include "model/base/cleanup.h"
#include "model/compile/assemble.h"
#include "model/compile/tenant.h"
#include "model/compile/world.h"

struct compile {
    const struct tn_compile_options *options;
    struct tn_arena *arena;
    struct tn_diags *diags;
    struct tn_compile_stats stats;
    struct tn_world world;
    struct tn_cache *cache; /* Null: none. */
    struct tn_crew crew;
    struct tn_tenant_job *jobs;
    size_t n_jobs;
    struct tn_tenant_job *shared; /* Whose files are being read. */
};

static enum tn_code
walk_job(void *context, size_t job, struct tn_worker *worker,
         struct tn_error *err)
{
    struct compile *c = context;
    return tn_tenant_walk(&c->jobs[job], worker, err);
}

static enum tn_code
read_job(void *context, size_t job, struct tn_worker *worker,
         struct tn_error *err)
{
    struct compile *c = context;
    return tn_tenant_read(c->shared, job, worker, err);
}

static enum tn_code
finish_job(void *context, size_t job, struct tn_worker *worker,
           struct tn_error *err)
{
    struct compile *c = context;
    return tn_tenant_finish(&c->jobs[job], worker, err);
}

/* Reads the tenants that would keep one worker busy when all others are
 * done. */
static enum tn_code
large_read(struct compile *c, size_t n_files, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    for (size_t i = 0; i < c->n_jobs && !code && c->crew.n > 1; i++) {
        struct tn_tenant_job *job = &c->jobs[i];
        if (!job->cached && job->in.n_files * 2 * c->crew.n > n_files) {
            tn_tenant_share(job);
            c->shared = job;
            code = tn_crew_run(&c->crew, read_job, c, job->in.n_files, err);
        }
    }
    return code;
}

static enum tn_code
tenants_compile(struct compile *c, struct tn_error *err)
{
    enum tn_code code = tn_crew_run(&c->crew, walk_job, c, c->n_jobs, err);
    size_t n_files = 0;
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct tn_tenant_job *job = &c->jobs[i];
        n_files += job->cached ? job->part.n_files : job->in.n_files;
    }
    c->stats.n_files = n_files;
    if (!code && n_files > TN_REPO_FILES) {
        tn_diag(c->diags, TN_ERROR, (struct tn_origin){"tenants", 0, 0},
                "%zu documents are too many: at most %d", n_files,
                TN_REPO_FILES);
        code = tn_fail(err, TN_EINTENT, 0, "too many documents");
    }
    if (!code) {
        code = large_read(c, n_files, err);
    }
    return code ? code : tn_crew_run(&c->crew, finish_job, c, c->n_jobs, err);
}

static void
stats_sum(struct compile *c)
{
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct tn_tenant_job *job = &c->jobs[i];
        c->stats.n_files_parsed += job->n_parsed;
        c->stats.n_bytes_parsed += job->bytes_parsed;
        c->stats.n_vpcs += job->part.n_vpcs;
        c->stats.n_vpcs_compiled += job->n_compiled;
    }
}

static void
cache_close(struct compile *c, bool clean)
{
    struct tn_cache_record *records =
        tn_new_n(c->arena, struct tn_cache_record, c->n_jobs);
    if (!c->cache) {
        return;
    }
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct tn_tenant_job *job = &c->jobs[i];
        records[i] = (struct tn_cache_record){
            .tenant = job->repo->name,
            .text = &job->record,
            .part = &job->part,
            .same = job->cached && !job->changed,
        };
    }
    tn_cache_close(c->cache, records, c->n_jobs, clean);
    c->stats.cache_bytes = tn_cache_bytes(c->cache);
}

/* What settling gave; done again if a place was wanted that only a fresh
 * compile of a tenant can tell. */
struct settled {
    struct tn_parts parts;
    struct tn_diags diags;
    const char *const *held;
    size_t n_held;
    bool clean;
};

static void
parts_settle(struct compile *c, struct settled *s)
{
    struct tn_arena *arena = c->arena;
    *s = (struct settled){
        .parts = {tn_new_n(arena, struct tn_part *, c->n_jobs), c->n_jobs}};
    tn_diags_init(&s->diags, arena);
    for (size_t i = 0; i < c->n_jobs; i++) {
        s->parts.items[i] = tn_new(arena, struct tn_part);
        *s->parts.items[i] = c->jobs[i].part;
    }
    bool known = c->cache && tn_cache_clean(c->cache);
    tn_settle_vnis(&c->world, &s->parts, arena, &s->diags);
    s->clean = tn_settle_attaches(&s->parts, known, arena, &s->diags);
    tn_settle_hints(&s->parts);
    tn_settle_externals(&c->world, &s->parts);
    tn_settle_peerings(&c->world, &s->parts, arena, &s->diags, &s->held,
                       &s->n_held);
}

/* Compiles those tenants whose places are wanted; '*any' if there were some. */
static enum tn_code
wanted_compile(struct compile *c, const struct settled *s, bool *any,
               struct tn_error *err)
{
    enum tn_code code = TN_OK;
    *any = false;
    for (size_t i = 0; i < c->n_jobs && !code; i++) {
        struct tn_tenant_job *job = &c->jobs[i];
        if (!s->parts.items[i]->wanted) {
            continue;
        }
        struct tn_tenant_job again = {
            .world = job->world,
            .repo = job->repo,
            .cache = job->cache,
            .anew = true,
            .n_workers = job->n_workers,
        };
        *any = true;
        tn_tenant_job_done(job);
        *job = again;
        tn_tenant_job_init(job);
        code = tn_tenant_walk(job, &c->crew.workers[0], err);
        if (!code) {
            code = tn_tenant_finish(job, &c->crew.workers[0], err);
        }
    }
    return code;
}

static const struct tn_network *
network_build(struct compile *c, const struct settled *s)
{
    struct tn_arena *arena = c->arena;
    struct tn_network *out = tn_new(arena, struct tn_network);
    out->world = c->world.digest;
    out->settings = c->world.settings;
    out->inventory = c->world.inventory;
    out->externals = c->world.externals;
    out->n_externals = c->world.n_externals;
    out->held_scopes = s->held;
    out->n_held = s->n_held;
    for (size_t i = 0; i < c->n_jobs; i++) {
        const struct tn_part *part = s->parts.items[i];
        const struct tn_diags own = {
            .list = {part->findings, part->n_findings, 0},
            .n_errors = c->jobs[i].diags.n_errors,
            .n_warnings = c->jobs[i].diags.n_warnings,
        };
        tn_diags_merge(c->diags, &own);
        tn_arena_adopt(arena, TN_TAKE(c->jobs[i].keep));
    }
    tn_diags_merge(c->diags, &s->diags);
    tn_assemble(&s->parts, arena, out);
    return out;
}

static enum tn_code
parts_join(struct compile *c, const struct tn_network **out,
           struct tn_error *err)
{
    struct settled settled;
    bool again = false;
    parts_settle(c, &settled);
    enum tn_code code = wanted_compile(c, &settled, &again, err);
    if (code) {
        return code;
    }
    if (again) {
        parts_settle(c, &settled);
    }
    cache_close(c, settled.clean);
    stats_sum(c);
    *out = network_build(c, &settled);
    return TN_OK;
}

static enum tn_code
compile_run(struct compile *c, struct tn_source *source,
            const struct tn_network **out, struct tn_error *err)
{
    struct tn_repo_tenant *tenants = NULL;
    enum tn_code code =
        tn_world_load(source, c->options, c->arena, &c->world, c->diags, err);
    /* Also after an error: a tree may lack both. */
    enum tn_code listed =
        code && code != TN_EINTENT
            ? code
            : tn_repo_tenants(source, c->arena, &tenants, &c->n_jobs, c->diags,
                              code ? NULL : err);
    if (code || listed) {
        c->n_jobs = 0;
        return code ? code : listed;
    }
    c->jobs = calloc(c->n_jobs, sizeof *c->jobs);
    if (!c->jobs) {
        abort();
    }
    c->cache = tn_cache_open(c->options->cache_dir, &c->world, c->arena);
    tn_crew_init(&c->crew, source, c->options->threads);
    for (size_t i = 0; i < c->n_jobs; i++) {
        c->jobs[i] = (struct tn_tenant_job){
            .world = &c->world,
            .repo = &tenants[i],
            .cache = c->cache,
            .verdict_only = c->options->verdict_only,
            .n_workers = c->crew.n,
        };
        tn_tenant_job_init(&c->jobs[i]);
    }
    code = tenants_compile(c, err);
    if (!code) {
        code = parts_join(c, out, err);
    }
    for (size_t i = 0; i < c->n_jobs; i++) {
        tn_tenant_job_done(&c->jobs[i]);
    }
    tn_crew_done(&c->crew);
    free(c->jobs);
    return code;
}

enum tn_code
tn_compile(struct tn_source *source, const struct tn_compile_options *options,
           struct tn_arena *arena, const struct tn_network **out,
           struct tn_compile_stats *stats, struct tn_diags *diags,
           struct tn_error *err)
{
    struct compile c = {
        .options = options,
        .arena = arena,
        .diags = diags,
    };
    assert(source && options && arena && out && diags);
    enum tn_code code = compile_run(&c, source, out, err);
    tn_diags_sort(diags);
    if (stats) {
        *stats = c.stats;
    }
    return code;
}
