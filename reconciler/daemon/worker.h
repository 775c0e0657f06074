/* worker.h - the inside of a unit, for unit.c (waiting) and cycle.c (doing). */
#ifndef TN_DAEMON_WORKER_H
#define TN_DAEMON_WORKER_H

#include "drivers/driver.h"
#include "reconciler/daemon/backoff.h"
#include "reconciler/daemon/unit.h"

enum { TN_DIRTY_MAX = 256, TN_STRANGERS = 1000 };

/* A change that waits for something of others. */
struct tn_waiting {
    const char *key, *scope;
};

/* Something of others is in the way in that scope. */
struct tn_blocked {
    const char *scope, *why;
};

/* An object of others that was seen. */
struct tn_stranger {
    const char *scope, *key;
};

/* What is known of a device between two looks.  The worker's alone. */
struct tn_worker {
    const struct tn_unit_options *options;
    const char *name;
    struct tn_intent *intent;
    struct tn_modes *modes;

    struct tn_device_run base; /* Driver and device; null: none of the name. */
    bool known;                /* Something was applied to it before. */
    bool over;    /* Deletions wait: there are more than is allowed. */
    bool undoing; /* The intent was gone back to, and is not held yet. */
    bool stuck;   /* The last look wanted to heal and could not. */

    /* The intent that was applied last, by this worker; null: none.  Until
     * there is one: what the status ref says. */
    struct tn_intent *applied;
    struct tn_before *past; /* Null: not known, or */
    bool past_is_intent;    /* it is the same as 'intent'. */

    /* Tenants of which the driver cannot express something; sorted. */
    struct tn_arena *refused_arena;
    TN_VEC(const char *) refused;
    size_t n_resources; /* Wanted. */

    struct tn_driver_env env;
    struct tn_session *session;
    struct tn_watch *watch;
    const struct tn_driver *watch_driver; /* Whose it is. */
    struct tn_backoff backoff;
    struct tn_flaps *flaps;
    char *reason, *why; /* What the last full look said.  malloc'ed. */
    /* Objects of others, each scope's as it was when it was last looked at: how
     * many, and the first TN_STRANGERS of them, sorted by key. */
    size_t n_foreign;
    struct tn_arena *strangers_arena;
    TN_VEC(struct tn_stranger) strangers;
    size_t n_untold;      /* New ones that nobody was told of yet, since */
    int64_t strangers_ms; /* the last telling is not long ago; monotonic. */
    /* Changes that wait for something of others, and for what. */
    struct tn_arena *waiting_arena;
    TN_VEC(struct tn_waiting) waiting;
    const char *waits_for;
    /* Conflicts, each as it was when its scope was last looked at. */
    struct tn_arena *blocked_arena;
    TN_VEC(struct tn_blocked) blocked;
    char *blocked_said; /* Commit and text of what was said last; malloc'ed. */
    uint32_t random;

    /* What the next look is about. */
    bool full;
    const char *dirty[TN_DIRTY_MAX]; /* Scopes, in 'dirty_arena'. */
    size_t n_dirty;
    const char *told[TN_DIRTY_MAX]; /* Keys of what was told to be changed. */
    size_t n_told;
    bool untold; /* Something dirty has no key, or there are too many. */
    struct tn_arena *dirty_arena;
    bool adopting;     /* 'dirty' holds all in which 'intent' differs from
                          what was applied, which may be nothing. */
    bool lost;         /* ... since events were. */
    const char *event; /* The first that was told; in 'dirty_arena'. */
    int64_t event_ns;
    int64_t retry_ms; /* After a failure: not before. Monotonic; 0: none. */
    int64_t look_ms;  /* The next full look that nobody asks for. */
    int64_t begin_ms; /* The first look: not before. */
};

/* adopt.c */

/* Makes 'intent' the one that is followed, and what it changes dirty. */
void tn_worker_adopt(struct tn_worker *w, struct tn_intent *intent);
/* All of the intent is on the device now: drift is what differs from it. */
void tn_worker_applied(struct tn_worker *w);
/* The device in the network that was applied last; null: not known. */
const struct tn_device *tn_worker_last(const struct tn_worker *w);
/* Notes what a full look found that the driver cannot express. */
void tn_worker_refused_set(struct tn_worker *w, const struct tn_diags *diags);
void tn_worker_session_drop(struct tn_worker *w);
void tn_worker_watch_start(struct tn_worker *w);
void tn_worker_watch_close(struct tn_worker *w);
void tn_worker_done(struct tn_worker *w);

/* What this look is about. */
struct tn_look {
    struct tn_worker *w;
    struct tn_arena *arena;
    bool full;
    bool adopting; /* What is looked at is all that new intent changes. */
    struct tn_scope scope;
    struct tn_device_run d;
    struct tn_unit_report *report;
    bool held, flapping;
    const char *refusal; /* Why deletions wait; null: they do not. */
    struct tn_error err;
};

/* Removes for good, and is no half of a replacement. */
static inline bool
tn_change_is_gone(const struct tn_change *change)
{
    return change->op == TN_OP_DELETE && change->half == TN_WHOLE;
}

/* budget.c: takes out of the plan what may not be done now. */
void tn_look_budget(struct tn_look *look);

/* report.c: fills the report of a look that is over. */
void tn_look_report(struct tn_look *look);

/* One look, and what follows from it.  Sets when the next one is due. */
void tn_worker_cycle(struct tn_worker *w);

#endif
