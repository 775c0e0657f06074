/* worker.c - see worker.h.
 *
 * Jobs are taken from an atomic counter, so that a slow one delays nobody.
 * Threads are started for each run: a run is tens of milliseconds of work, a
 * thread costs tens of microseconds.  A thread that cannot be started is done
 * without. */
#include "model/compile/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_WORKERS = 64 };

struct run {
    tn_job_fn *fn;
    void *context;
    size_t n;
    atomic_size_t next;
    pthread_mutex_t lock; /* Guards what follows. */
    size_t failed;        /* Lowest job that failed; n: none. */
    struct tn_error err;
};

struct hand {
    struct run *run;
    struct tn_worker *worker;
};

static void
failure_note(struct run *run, size_t job, const struct tn_error *err)
{
    pthread_mutex_lock(&run->lock);
    if (job < run->failed) {
        run->failed = job;
        run->err = *err;
    }
    pthread_mutex_unlock(&run->lock);
}

static void
jobs_do(struct run *run, struct tn_worker *worker)
{
    for (;;) {
        size_t job = atomic_fetch_add(&run->next, 1);
        if (job >= run->n) {
            return;
        }
        struct tn_error err = {0};
        if (run->fn(run->context, job, worker, &err)) {
            failure_note(run, job, &err);
        }
    }
}

static void *
hand_main(void *arg)
{
    const struct hand *hand = arg;
    jobs_do(hand->run, hand->worker);
    return NULL;
}

void
tn_crew_init(struct tn_crew *crew, struct tn_source *source, unsigned threads)
{
    if (threads == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        threads = n > 0 ? (unsigned) n : 1;
    }
    if (threads > MOST_WORKERS) {
        threads = MOST_WORKERS;
    }
    crew->workers = calloc(threads, sizeof *crew->workers);
    if (!crew->workers) {
        abort();
    }
    crew->workers[0] = (struct tn_worker){0, source, tn_arena_new()};
    crew->n = 1;
    while (crew->n < threads) {
        struct tn_source *own = NULL;
        if (source->ops->dup(source, &own, NULL)) {
            break;
        }
        crew->workers[crew->n] =
            (struct tn_worker){crew->n, own, tn_arena_new()};
        crew->n++;
    }
}

void
tn_crew_done(struct tn_crew *crew)
{
    for (unsigned i = 0; i < crew->n; i++) {
        struct tn_worker *w = &crew->workers[i];
        tn_arena_free(w->scratch);
        if (i > 0) {
            w->source->ops->free(w->source);
        }
    }
    free(crew->workers);
    *crew = (struct tn_crew){0};
}

enum tn_code
tn_crew_run(struct tn_crew *crew, tn_job_fn *fn, void *context, size_t n,
            struct tn_error *err)
{
    struct run run = {.fn = fn, .context = context, .n = n, .failed = n};
    pthread_mutex_init(&run.lock, NULL);
    pthread_t threads[MOST_WORKERS];
    struct hand hands[MOST_WORKERS];
    unsigned started = 0;
    for (unsigned i = 1; i < crew->n && i < n; i++) {
        hands[started] = (struct hand){&run, &crew->workers[i]};
        if (pthread_create(&threads[started], NULL, hand_main,
                           &hands[started]) == 0) {
            started++;
        }
    }
    jobs_do(&run, &crew->workers[0]);
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&run.lock);
    if (run.failed == n) {
        return TN_OK;
    }
    if (err) {
        *err = run.err;
    }
    return run.err.code;
}
