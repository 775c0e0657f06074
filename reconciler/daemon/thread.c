/* thread.c - see thread.h.  The thread says itself that it is about to end, and
 * is joined only then: pthread_clockjoin_np() would do, were it known to
 * ThreadSanitizer. */
#include "reconciler/daemon/thread.h"

#include <errno.h>
#include <time.h>

static void *
thread_main(void *context)
{
    struct tn_thread *t = context;
    t->main(t->ctx);
    pthread_mutex_lock(&t->mutex);
    t->ended = true;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->mutex);
    return NULL;
}

static void
parts_destroy(struct tn_thread *t)
{
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->mutex);
}

enum tn_code
tn_thread_start(struct tn_thread *t, void (*main)(void *ctx), void *ctx,
                const char *what, struct tn_error *err)
{
    pthread_condattr_t attr;
    *t = (struct tn_thread){.main = main, .ctx = ctx};
    pthread_mutex_init(&t->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&t->cond, &attr);
    pthread_condattr_destroy(&attr);
    int rc = pthread_create(&t->id, NULL, thread_main, t);
    if (rc) {
        parts_destroy(t);
        return tn_fail_sys(err, TN_EINTERNAL, rc, "a thread for %s", what);
    }
    return TN_OK;
}

bool
tn_thread_join(struct tn_thread *t, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = deadline_ms / 1000,
                             .tv_nsec = deadline_ms % 1000 * 1000000};
    int rc = 0;
    pthread_mutex_lock(&t->mutex);
    while (!t->ended && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&t->cond, &t->mutex, &until);
    }
    bool ended = t->ended;
    pthread_mutex_unlock(&t->mutex);
    if (ended) {
        pthread_join(t->id, NULL);
        parts_destroy(t);
    }
    return ended;
}
