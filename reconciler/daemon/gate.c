/* gate.c - see gate.h.  Who is the first waits for the lock with the gate
 * closed: the others want it as well. */
#include "reconciler/daemon/gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "reconciler/daemon/intent.h"

struct tn_apply_gate {
    pthread_mutex_t mutex;
    char *dir;
    unsigned inside;
    struct tn_state_lock *lock;
};

struct tn_apply_gate *
tn_apply_gate_new(const char *dir)
{
    struct tn_apply_gate *gate = calloc(1, sizeof *gate);
    char *copy = strdup(dir);
    if (!gate || !copy) {
        abort();
    }
    gate->dir = copy;
    pthread_mutex_init(&gate->mutex, NULL);
    return gate;
}

void
tn_apply_gate_free(struct tn_apply_gate *gate)
{
    if (gate) {
        pthread_mutex_destroy(&gate->mutex);
        free(gate->dir);
        free(gate);
    }
}

enum tn_code
tn_apply_gate_enter(struct tn_apply_gate *gate, unsigned wait_ms,
                    struct tn_state_lock **out, struct tn_error *err)
{
    enum tn_code code = TN_OK;
    int64_t deadline = tn_now_ms() + wait_ms;
    pthread_mutex_lock(&gate->mutex);
    if (gate->inside == 0) {
        /* Who queued behind others that waited in vain waits no longer. */
        int64_t left = deadline - tn_now_ms();
        code = tn_state_lock(gate->dir, left > 0 ? (unsigned) left : 0,
                             &gate->lock, err);
    }
    if (!code) {
        gate->inside++;
        *out = gate->lock;
    }
    pthread_mutex_unlock(&gate->mutex);
    return code;
}

void
tn_apply_gate_leave(struct tn_apply_gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    if (--gate->inside == 0) {
        tn_state_unlock(gate->lock);
        gate->lock = NULL;
    }
    pthread_mutex_unlock(&gate->mutex);
}
