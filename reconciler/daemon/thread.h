/* thread.h - a thread that is waited for with patience, not for ever. */
#ifndef TN_DAEMON_THREAD_H
#define TN_DAEMON_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/base/error.h"

/* Does not move while the thread lives. */
struct tn_thread {
    void (*main)(void *ctx);
    void *ctx;
    pthread_t id;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool ended;
};

/* 'what' names it in the error. */
enum tn_code tn_thread_start(struct tn_thread *t, void (*main)(void *ctx),
                             void *ctx, const char *what,
                             struct tn_error *err) TN_MUST_USE;

/* True: it has ended, and what it wrote is seen; 't' may go.  False: it had not
 * until the monotonic 'deadline_ms'; may be asked again. */
bool tn_thread_join(struct tn_thread *t, int64_t deadline_ms);

#endif
