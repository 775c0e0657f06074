/* upstream_inside.h - the inside of the Git thread.
 *
 *     upstream.c   the thread, and what others may ask of it
 *     fetch.c      the remote: what the branch stands at
 *     judge.c      may this tip be followed?  then compile it
 *     publish.c    what is so, on the status ref; which commits were good
 *     upstream_tell.c  events, and the small files of state */
#ifndef TN_DAEMON_UPSTREAM_INSIDE_H
#define TN_DAEMON_UPSTREAM_INSIDE_H

#include <pthread.h>

#include "model/base/cleanup.h"
#include "model/base/text.h"
#include "reconciler/confirm/rollback.h"
#include "reconciler/daemon/accepted.h"
#include "reconciler/daemon/thread.h"
#include "reconciler/daemon/upstream.h"
#include "reconciler/source/remote.h"
#include "reconciler/trust/sign.h"

struct tn_upstream {
    struct tn_upstream_options options;
    struct tn_thread thread;
    struct tn_status_memo *memo; /* The thread's. */
    int wake;

    pthread_mutex_t mutex; /* Guards what follows. */
    struct tn_upstream_job *job;
    struct tn_intent *good;              /* To be written down as such. */
    struct tn_upstream_failure *failure; /* To be quarantined. */
    struct tn_remote *cancel;            /* What the thread is busy with. */
    char acknowledged[65];
    bool look, stop;

    /* The thread's alone. */
    struct tn_remote *remote;
    struct tn_signer *signer;
    struct tn_intent *intent;
    char status_ref[256];
    char instance[64]; /* Of tenet.yml: names the folder of its state. */
    char accepted[65]; /* The last commit that passed all; on disk too, with the
                          tenants that were broken in it. */
    struct tn_accepted before; /* As it was at the start. */
    struct tn_arena *before_arena;
    char trusted[65]; /* The last one whose signatures were judged; too. */
    char root[65];    /* Acknowledged: believed without looking. */
    char tip[65];     /* What the branch stands at, as far as is known. */
    char told[65];    /* The tip about which 'told_refusal' was said. */
    int told_refusal;
    unsigned failures;
    int64_t next_ms;
    bool synced; /* The status ref was brought up to date once. */
};

/* upstream_tell.c */
struct tn_upstream_event *tn_up_event(enum tn_upstream_event_type type,
                                      const char *commit) TN_RETURNS_NONNULL;
void tn_up_post(struct tn_upstream *u, struct tn_upstream_event *e);
void tn_up_post_error(struct tn_upstream *u, enum tn_upstream_event_type type,
                      const struct tn_error *err);
double tn_up_seconds_since(int64_t start_ns);
/* <state>/daemon/<name>. */
void tn_up_state_path(const struct tn_upstream *u, const char *name,
                      struct tn_text *out);
/* A commit's id; "" if there is none. */
void tn_up_state_read(const struct tn_upstream *u, const char *name,
                      char id[65]);
void tn_up_state_write(struct tn_upstream *u, const char *name, const char *id);

/* fetch.c: asks the remote, and judges what it says. */
void tn_up_look(struct tn_upstream *u);
void tn_up_remote_close(struct tn_upstream *u);

/* judge.c: 'times' has the seconds of what came before. */
void tn_up_judge(struct tn_upstream *u, const char *tip,
                 struct tn_upstream_event *times);
/* After a start with a tip that is refused, or none: what was accepted
 * before. */
void tn_up_follow_former(struct tn_upstream *u,
                         struct tn_upstream_event *times);

/* judge.c: writes the quarantine and goes back.  Takes 'failure' over. */
void tn_up_failed(struct tn_upstream *u, struct tn_upstream_failure *failure);
void tn_up_failure_free(struct tn_upstream_failure *failure); /* Or null. */

/* publish.c */
void tn_up_publish(struct tn_upstream *u, struct tn_upstream_job *job);
/* Writes down that all devices hold the intent: one to go back to. */
void tn_up_good(struct tn_upstream *u, const struct tn_intent *intent);
void tn_up_job_free(struct tn_upstream_job *job); /* Accepts null. */

#endif
