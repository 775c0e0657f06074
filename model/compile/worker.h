/* worker.h - a crew of threads that shares out numbered jobs.
 *
 * Each worker has a source handle and a scratch arena of its own.  Results go
 * where the job says, by its number; nothing depends on who did what when. */
#ifndef TN_COMPILE_WORKER_H
#define TN_COMPILE_WORKER_H

#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/source.h"

struct tn_worker {
    unsigned index;
    struct tn_source *source;
    struct tn_arena *scratch; /* The job may reset it. */
};

/* Worker 0 is the calling thread and uses the source that was given. */
struct tn_crew {
    struct tn_worker *workers;
    unsigned n;
};

/* One job.  An error stops nothing; the one of the lowest job is reported. */
typedef enum tn_code tn_job_fn(void *context, size_t job,
                               struct tn_worker *worker, struct tn_error *err);

/* 'threads' 0: as many as there are processors.  'source' is borrowed.  A
 * source that cannot be duplicated makes the crew smaller. */
void tn_crew_init(struct tn_crew *crew, struct tn_source *source,
                  unsigned threads);
void tn_crew_done(struct tn_crew *crew);

/* Runs jobs 0 .. n-1 and waits for all of them. */
enum tn_code tn_crew_run(struct tn_crew *crew, tn_job_fn *fn, void *context,
                         size_t n, struct tn_error *err) TN_MUST_USE;

#endif
