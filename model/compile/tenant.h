/* tenant.h - the compile of one tenant, as jobs for a crew. */
#ifndef TN_COMPILE_TENANT_H
#define TN_COMPILE_TENANT_H

#include "model/compile/cache.h"
#include "model/compile/read.h"

/* Everything of one tenant while it is compiled. */
struct tn_tenant_job {
    const struct tn_world *world;
    const struct tn_repo_tenant *repo;
    struct tn_cache *cache; /* Null: none. */
    bool verdict_only;
    bool anew; /* Do not take the part from the cache. */
    unsigned n_workers;
    bool shared; /* Large: its files are read by the whole crew. */

    struct tn_arena *keep;  /* Owned until it is taken. */
    struct tn_arena **docs; /* One per worker, made when it is first used. */
    struct tn_diags diags;
    struct tn_repo_files repo_files;
    struct tn_intent in;
    struct tn_part part;
    bool cached;          /* The part is there: the rest is left out. */
    bool changed;         /* It was made from a base (touch.h). */
    bool keyed;           /* 'key' is set: the outcome may be cached. */
    struct tn_digest key; /* Of the part. */
    struct tn_base base;  /* Of an earlier compile. */
    struct tn_cached_docs cached_docs;
    size_t n_compiled;     /* VPCs. */
    struct tn_text record; /* For the index; owned. */
    size_t n_parsed, bytes_parsed;
};

/* 'world', 'repo', 'cache', 'verdict_only' and 'n_workers' are set. */
void tn_tenant_job_init(struct tn_tenant_job *job);
void tn_tenant_job_done(struct tn_tenant_job *job);

/* Lists the tenant's files, or takes the part from the cache. */
enum tn_code tn_tenant_walk(struct tn_tenant_job *job, struct tn_worker *worker,
                            struct tn_error *err) TN_MUST_USE;
/* Makes ready to read the files by the whole crew; then tn_tenant_read. */
void tn_tenant_share(struct tn_tenant_job *job);
/* Reads one of them: job->in.files[file]. */
enum tn_code tn_tenant_read(struct tn_tenant_job *job, size_t file,
                            struct tn_worker *worker,
                            struct tn_error *err) TN_MUST_USE;
/* Makes job->part from what was read; reads the files first unless
 * job->shared. */
enum tn_code tn_tenant_finish(struct tn_tenant_job *job,
                              struct tn_worker *worker,
                              struct tn_error *err) TN_MUST_USE;

#endif
